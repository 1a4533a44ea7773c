//! What the caller is told when no attempt is left.

use super::outcome::{COOLDOWN_MS, Class, Outcome};
use crate::{
    chat::event::UpstreamError,
    error::{Blame, Error, Kind},
};

/// A provider's words in an error or a log line: enough for any reason, not for an echoed prompt.
const MAX_WORDS: usize = 2_000;
/// From here on a run of letters and digits is rather a secret than a word.
const SECRET_LEN: usize = 32;

impl Outcome {
    /// What the caller is told when no attempt is left (DECISIONS 15): a final verdict in the provider's words, a failure
    /// of the operator's account in ours.
    pub fn to_error(&self, provider: &str, upstream: &UpstreamError) -> Error {
        let words = words(&upstream.message);
        let again = "Nothing is wrong with the request: try again.";
        let error = match self.class {
            Class::Caller => self.verdict(self.callers_kind(), upstream),
            Class::TooLong => self.verdict(Kind::ContextTooLong, upstream),
            Class::ContentFilter => self.verdict(Kind::ContentFiltered, upstream),
            Class::ModelGone => self.verdict(Kind::ModelNotFound, upstream),
            Class::Limited => {
                let message = format!("Provider `{provider}` limits its requests: try again later.");
                Error::new(Kind::RateLimited, message).with_wait(Some(self.wait_ms.unwrap_or(COOLDOWN_MS)))
            }
            Class::Quota | Class::Credential | Class::NoToken => {
                let message =
                    format!("The gateway's account at provider `{provider}` cannot be used at the moment: tell its operator.");
                Error::new(Kind::BadGateway, message).with_blame(Blame::Gateway)
            }
            Class::RegionBlocked => {
                Error::new(Kind::BadGateway, format!("Provider `{provider}` does not serve the region the gateway called from."))
            }
            Class::Transient => self.failed(format!("Provider `{provider}` failed{}. {again}", self.status_words())),
            Class::Broken => Error::new(Kind::BadGateway, format!("Provider `{provider}` gave a broken answer. {again}")),
            Class::Silent => Error::new(Kind::Timeout, format!("Provider `{provider}` did not answer in time. {again}")),
            Class::Deadline => {
                let message = "The request's total deadline passed before an answer was complete.";
                Error::new(Kind::Timeout, message).with_blame(Blame::Caller)
            }
            // nginx's number for a client that left; nobody reads the answer, the log does.
            Class::Gone => Error::new(Kind::InvalidRequest, "The client left.").with_status(499),
        };
        if words.is_empty() { error } else { error.with_detail(words) }
    }

    /// The same where the tenant's own key was used: an account that cannot be used is the caller's own.
    pub fn of_own_key(&self, provider: &str, error: Error) -> Error {
        if !matches!(self.class, Class::Quota | Class::Credential | Class::NoToken) {
            return error;
        }
        let what = if self.class == Class::Quota { "has no quota left" } else { "was refused" };
        let message =
            format!("Your own key for provider `{provider}` {what} there: have it replaced, or taken out of the gateway.");
        let told = Error::new(Kind::BadGateway, message).with_blame(Blame::Caller);
        match &error.detail {
            Some(words) => told.with_detail(words.clone()),
            None => told,
        }
    }

    /// The provider's own final verdict: its message, status, code and field.
    fn verdict(&self, kind: Kind, upstream: &UpstreamError) -> Error {
        let message = words(&upstream.message);
        let message =
            if message.is_empty() { format!("The provider refused the request{}.", self.status_words()) } else { message };
        // A 429 would make the caller's SDK send the same again.
        let status = if (400..500).contains(&self.status) && self.status != 429 { self.status } else { kind.status() };
        let code = upstream.code.as_deref().or(upstream.kind.as_deref()).map(words);
        let mut error = Error::new(kind, message).with_status(status).with_blame(Blame::Caller);
        (error.code, error.param) = (code, upstream.param.clone());
        error
    }

    const fn callers_kind(&self) -> Kind {
        match self.status {
            404 => Kind::NotFound,
            405 => Kind::MethodNotAllowed,
            413 => Kind::TooLarge,
            _ => Kind::InvalidRequest,
        }
    }

    /// The provider's 5xx as it is; what only a proxy in between would say becomes 502.
    fn failed(&self, message: String) -> Error {
        let kind = match self.status {
            503 | 529 => Kind::Unavailable,
            408 | 504 | 522 | 524 => Kind::Timeout,
            _ => Kind::BadGateway,
        };
        let status = if matches!(self.status, 500 | 529) { self.status } else { kind.status() };
        Error::new(kind, message).with_status(status).with_wait(self.wait_ms)
    }

    fn status_words(&self) -> String {
        if self.status == 0 { String::new() } else { format!(" (status {})", self.status) }
    }
}

/// A provider's words, cut to length, with whatever looks like a key taken out: "Incorrect API key provided: sk-…".
fn words(text: &str) -> String {
    let short: String = text.trim().chars().take(MAX_WORDS).collect();
    let is_inside = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '*');
    let mut out = String::with_capacity(short.len());
    let mut rest = short.as_str();
    while let Some(start) = rest.find(is_inside) {
        let (before, from) = rest.split_at(start);
        let (token, after) = from.split_at(from.find(|c| !is_inside(c)).unwrap_or(from.len()));
        out.push_str(before);
        out.push_str(if is_secret(token) { "[removed]" } else { token });
        rest = after;
    }
    out.push_str(rest);
    out
}

fn is_secret(token: &str) -> bool {
    /// How keys of the known providers begin.
    const OPENINGS: &[&str] =
        &["sk-", "sk_", "xai-", "gsk_", "AIza", "pplx-", "r8_", "hf_", "nvapi-", "csk-", "fw_", "tgp_", "AKIA", "ark-", "pa-"];
    let opens = OPENINGS.iter().any(|opening| token.len() > opening.len() + 3 && token.starts_with(opening));
    let has = |test: fn(&char) -> bool| token.chars().any(|c| test(&c));
    let mixed = has(char::is_ascii_digit) && has(char::is_ascii_lowercase) && has(char::is_ascii_uppercase);
    let hex = token.chars().all(|c| c.is_ascii_hexdigit());
    opens || token.contains("**") || (token.len() >= SECRET_LEN && (mixed || hex))
}
