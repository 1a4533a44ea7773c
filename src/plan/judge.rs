//! Which row of the table an answer falls under.

use super::{
    headers::get,
    outcome::Class,
    rules::{DAILY_WORDS, ROWS, Test, WHOLE_MODEL_CODES, WHOLE_MODEL_WORDS},
};
use crate::chat::event::UpstreamError;

/// A daily quota gives back nothing within the day; the day's end differs by provider, so look again every hour.
pub const DAILY_WAIT_MS: u64 = 3_600_000;
/// Reasons stand at the beginning of a message; what follows may be an echoed prompt.
const MAX_READ: usize = 2_000;

pub(super) struct Verdict {
    pub class: Class,
    /// The status of the answer, or of the event inside a 200; 0 when neither names one.
    pub status: u16,
    pub whole_model: bool,
    pub daily: bool,
}

pub(super) fn judge(status: u16, headers: &[(String, String)], error: &UpstreamError) -> Verdict {
    let words = Words::of(headers, error);
    let status = effective_status(status, error);
    let class = if is_page(headers, error) { of_page(status) } else { words.class(status) };
    let codes_hold = |needles: &[&str]| words.codes.iter().any(|code| holds(code, needles));
    Verdict {
        class,
        status,
        whole_model: status == 529 || codes_hold(WHOLE_MODEL_CODES) || holds(&words.message, WHOLE_MODEL_WORDS),
        daily: class == Class::Limited
            && words.is_code(&["resource_exhausted"])
            && (holds(&words.message, DAILY_WORDS) || codes_hold(DAILY_WORDS)),
    }
}

/// The status of the answer; of an error inside a 200 what it names itself, also as a number for a code (OpenRouter).
fn effective_status(status: u16, error: &UpstreamError) -> u16 {
    let is_error = |status: &u16| (300..600).contains(status);
    let named = error.code.as_deref().and_then(|code| code.parse().ok());
    [Some(status), Some(error.status), named].into_iter().flatten().find(is_error).unwrap_or(0)
}

fn is_page(headers: &[(String, String)], error: &UpstreamError) -> bool {
    let is_html = |text: &str| text.trim_start().get(..9).is_some_and(|t| t.eq_ignore_ascii_case("text/html"));
    get(headers, "content-type").is_some_and(is_html) || error.message.trim_start().starts_with('<')
}

/// A page comes from something in front of the API: its words mean nothing, and a 403 is a wall, not a verdict on the key.
const fn of_page(status: u16) -> Class {
    match status {
        400 | 403 | 404 => Class::Broken,
        _ => by_status(status),
    }
}

const fn by_status(status: u16) -> Class {
    match status {
        401 | 403 => Class::Credential,
        402 => Class::Quota,
        408 | 409 | 425 | 498 => Class::Transient,
        429 => Class::Limited,
        451 => Class::RegionBlocked,
        // Google cancelled it: the same again is cancelled again.
        499 => Class::Broken,
        400..=499 => Class::Caller,
        500..=599 => Class::Transient,
        // An event inside a 200 that nobody knows, or a redirect, which no API sends.
        _ => Class::Broken,
    }
}

/// What the provider said, lower case.
struct Words {
    codes: Vec<String>,
    message: String,
    param: Option<String>,
}

impl Words {
    fn of(headers: &[(String, String)], error: &UpstreamError) -> Self {
        // Bedrock names the kind in a header, with a URL behind a colon.
        let header = get(headers, "x-amzn-errortype").and_then(|text| text.split(':').next());
        let codes = [error.code.as_deref(), error.kind.as_deref(), header];
        Self {
            codes: codes.into_iter().flatten().filter(|code| !code.is_empty()).map(str::to_ascii_lowercase).collect(),
            message: spoken(&error.message),
            param: error.param.clone(),
        }
    }

    fn class(&self, status: u16) -> Class {
        let row = ROWS.iter().find(|row| (row.at.is_empty() || row.at.contains(&status)) && self.fits(&row.test));
        row.map_or_else(|| by_status(status), |row| row.class)
    }

    fn fits(&self, test: &Test) -> bool {
        let opens = |needle: &&str| self.message.starts_with(*needle);
        match test {
            Test::Code(words) => self.is_code(words),
            Test::CodeHolds(needles) => self.codes.iter().any(|code| holds(code, needles)),
            Test::Opens(needles) => needles.iter().any(opens),
            Test::OpensAndSays(opening, needles) => opens(opening) && holds(&self.message, needles),
            Test::NamesAndSays(needle) => {
                let name = self.message.trim_end_matches('.').strip_suffix(needle);
                name.is_some_and(|name| !name.trim().contains(' '))
            }
            Test::Says(needles) => holds(&self.message, needles),
            Test::Param(name) => self.param.as_deref() == Some(*name),
            Test::Bare => self.codes.is_empty(),
            Test::Always => true,
        }
    }

    fn is_code(&self, words: &[&str]) -> bool {
        self.codes.iter().any(|code| words.contains(&code.as_str()))
    }
}

fn holds(text: &str, needles: &[&str]) -> bool {
    needles.iter().any(|needle| text.contains(needle))
}

/// A message in lower case with single spaces, without what stands in quotes.
fn spoken(message: &str) -> String {
    let mut said = String::new();
    let mut quote = None;
    let mut before = ' ';
    for c in message.chars().take(MAX_READ) {
        match quote {
            Some(open) if c == open => quote = None,
            Some(_) => {}
            // An apostrophe follows a letter.
            None if matches!(c, '"' | '`') || (c == '\'' && !before.is_alphanumeric()) => quote = Some(c),
            None if c.is_whitespace() => said.push(' '),
            // The rules are in ASCII.
            None => said.push(c.to_ascii_lowercase()),
        }
        before = c;
    }
    let words: Vec<_> = said.split(' ').filter(|word| !word.is_empty()).collect();
    let said = words.join(" ");
    // OpenRouter hands on what its provider said.
    said.strip_prefix("provider returned error: ").map_or(said.clone(), str::to_owned)
}
