//! What a model's name, or the body's `mock` member, asks of the mock.

use serde_json::{Map, Value};

use crate::{
    error::{Error, Kind},
    wire::json::json_text,
};

/// Two minutes: longer than any timeout that one would try with it.
const MAX_WAIT_MS: u64 = 120_000;
/// A day.
const MAX_RETRY_AFTER_S: u64 = 86_400;
/// An answer of some sixty kilobytes, a frame a word.
const MAX_WORDS: u64 = 10_000;
/// Parallel calls that a provider might make.
const MAX_CALLS: u64 = 16;
/// More frames than the longest answer has.
const MAX_FRAME: u64 = 100_000;
/// Between frames: the pace of a quick model.
const PACE_MS: u64 = 20;
const WORDS: u64 = 50;
/// What `flaky` fails with unless told.
const FLAKY_STATUS: u16 = 503;

const NAMES: &str = "fail, rate, retry_after, delay_ms, first_ms, pace_ms, stall_ms, stall_at, cut, malformed, error_at, \
                     no_done, usage, words, calls";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Model {
    Echo,
    Lorem,
    Tools,
    Json,
    Reason,
    Flaky,
}

impl Model {
    const ALL: [Self; 6] = [Self::Echo, Self::Lorem, Self::Tools, Self::Json, Self::Reason, Self::Flaky];

    const fn name(self) -> &'static str {
        match self {
            Self::Echo => "echo",
            Self::Lorem => "lorem",
            Self::Tools => "tools",
            Self::Json => "json",
            Self::Reason => "reason",
            Self::Flaky => "flaky",
        }
    }
}

/// Frames are counted from 1; `cut: Some(0)` lets none through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    pub model: Model,
    fail: Option<u16>,
    /// Of a million.
    rate: u64,
    retry_after_s: Option<u64>,
    pub delay_ms: u64,
    pub first_ms: u64,
    pub pace_ms: u64,
    pub stall_ms: Option<u64>,
    pub stall_at: Option<usize>,
    pub cut: Option<usize>,
    pub malformed: Option<usize>,
    pub error_at: Option<usize>,
    pub no_done: bool,
    pub usage: bool,
    pub words: usize,
    pub calls: usize,
}

/// The name without its options.
pub fn name(model: &str) -> &str {
    model.split('?').next().unwrap_or(model)
}

impl Options {
    /// The name's own options win over the body's.
    pub fn read(model: &str, body: Option<Map<String, Value>>) -> Result<Self, Error> {
        let (name, query) = model.split_once('?').unwrap_or((model, ""));
        let known = Model::ALL.into_iter().find(|known| known.name() == name).ok_or_else(|| unknown_model(name))?;
        let mut options = Self::new(known);
        for (key, value) in body.unwrap_or_default() {
            let text = value.as_str().map_or_else(|| plain(&value), str::to_owned);
            options.set(&key, &text)?;
        }
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, "1"));
            options.set(key, value)?;
        }
        Ok(options)
    }

    fn new(model: Model) -> Self {
        Self {
            model,
            fail: (model == Model::Flaky).then_some(FLAKY_STATUS),
            rate: 1_000_000,
            retry_after_s: None,
            delay_ms: 0,
            first_ms: 0,
            pace_ms: PACE_MS,
            stall_ms: None,
            stall_at: None,
            cut: None,
            malformed: None,
            error_at: None,
            no_done: false,
            usage: true,
            words: usize::try_from(WORDS).unwrap_or_default(),
            calls: 1,
        }
    }

    fn set(&mut self, key: &str, value: &str) -> Result<(), Error> {
        let number = |least: u64, most: u64| {
            let number = value.parse().ok().filter(|number| (least..=most).contains(number));
            number.ok_or_else(|| invalid(key, &format!("a whole number from {least} to {most}")))
        };
        let count = |least: u64, most: u64| number(least, most).map(|n| usize::try_from(n).unwrap_or_default());
        match key {
            "fail" => self.fail = Some(u16::try_from(number(400, 599)?).unwrap_or(FLAKY_STATUS)),
            "rate" => self.rate = millionths(value).ok_or_else(|| invalid(key, "a number from 0 to 1, such as 0.3"))?,
            "retry_after" => self.retry_after_s = Some(number(0, MAX_RETRY_AFTER_S)?),
            "delay_ms" => self.delay_ms = number(0, MAX_WAIT_MS)?,
            "first_ms" => self.first_ms = number(0, MAX_WAIT_MS)?,
            "pace_ms" => self.pace_ms = number(0, MAX_WAIT_MS)?,
            "stall_ms" => self.stall_ms = Some(number(0, MAX_WAIT_MS)?),
            "stall_at" => self.stall_at = Some(count(0, MAX_FRAME)?),
            "cut" => self.cut = Some(count(0, MAX_FRAME)?),
            "malformed" => self.malformed = Some(count(0, MAX_FRAME)?),
            "error_at" => self.error_at = Some(count(0, MAX_FRAME)?),
            "no_done" => self.no_done = number(0, 1)? == 1,
            "usage" => self.usage = number(0, 1)? == 1,
            "words" => self.words = count(0, MAX_WORDS)?,
            "calls" => self.calls = count(1, MAX_CALLS)?,
            _ => return Err(Error::invalid("model", format!("The mock has no option `{key}`. It has: {NAMES}."))),
        }
        Ok(())
    }

    /// The failure that was asked for, when the dice say so.
    pub fn failure(&self, roll: u64) -> Option<Error> {
        let status = self.fail.filter(|_| roll % 1_000_000 < self.rate)?;
        let mut error = Error::new(kind(status), format!("The mock failed with status {status}, as it was asked to."));
        error.status = status;
        error.retry_after_ms = self.retry_after_s.map(|seconds| seconds.saturating_mul(1000));
        Some(error)
    }
}

const fn kind(status: u16) -> Kind {
    match status {
        401 => Kind::Unauthenticated,
        403 => Kind::Forbidden,
        404 => Kind::NotFound,
        405 => Kind::MethodNotAllowed,
        408 | 504 | 522 | 524 => Kind::Timeout,
        413 => Kind::TooLarge,
        429 => Kind::RateLimited,
        502 => Kind::BadGateway,
        503 | 529 => Kind::Unavailable,
        400..=499 => Kind::InvalidRequest,
        _ => Kind::Internal,
    }
}

/// `0.3` as 300000; exact, for a float would need a cast.
fn millionths(text: &str) -> Option<u64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    if part.len() > 6 || !part.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let whole: u64 = whole.parse().ok()?;
    let part: u64 = format!("{part:0<6}").parse().ok()?;
    whole.checked_mul(1_000_000)?.checked_add(part).filter(|rate| *rate <= 1_000_000)
}

/// A value of the body as the name would spell it.
fn plain(value: &Value) -> String {
    value.as_bool().map_or_else(|| json_text(value), |flag| u8::from(flag).to_string())
}

fn invalid(key: &str, expected: &str) -> Error {
    Error::invalid("model", format!("The mock's option `{key}` must be {expected}."))
}

fn unknown_model(name: &str) -> Error {
    let names: Vec<&str> = Model::ALL.into_iter().map(Model::name).collect();
    let message = format!("The mock has no model `{name}`. It has: {}.", names.join(", "));
    Error::new(Kind::ModelNotFound, message).with_param("model")
}
