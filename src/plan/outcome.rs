//! What an attempt came to, by blame: try again here, move on, whose health, and what the caller is told.

use super::{
    headers::{self, MAX_WAIT_MS},
    health::Signal,
    rules,
};
use crate::{
    chat::event::UpstreamError,
    error::{Blame, Error, Kind},
    units::Millis,
};

/// A rejected credential or an empty account needs a person: asked again only after half an hour.
pub const DOWN_MS: u64 = 30 * 60_000;
/// A model that is gone seldom returns, but a roll-out may be under way.
pub const MODEL_GONE_MS: u64 = 5 * 60_000;
/// A limit without a stated wait: most count by the minute, and refill all the while.
pub const COOLDOWN_MS: u64 = 5_000;
/// The longest wait worth more than another target.
pub const MAX_WAIT_HERE_MS: u64 = 2_500;
/// A provider's words in an error or a log line: enough for any reason, not for an echoed prompt.
const MAX_WORDS: usize = 2_000;
/// From here on a run of letters and digits is rather a secret than a word.
const SECRET_LEN: usize = 32;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    ModelGone,
    Caller,
    TooLong,
    ContentFilter,
    Limited,
    Quota,
    Credential,
    RegionBlocked,
    Transient,
    Silent,
    Broken,
    Deadline,
    /// The client left.
    Gone,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    pub class: Class,
    /// The provider's; 0 when there was none.
    pub status: u16,
    /// What the provider asked for.
    pub wait_ms: Option<u64>,
    /// The limit is the model's, not the credential's.
    pub whole_model: bool,
    /// The provider said that the same again is of no use (`x-should-retry: false`).
    pub settled: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    Dns,
    Tls,
    Refused,
    Reset,
    Timeout(Phase),
    ClientGone,
}

/// What was waited for in vain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    Headers,
    FirstToken,
    Idle,
    /// The whole answer of a call that is not a stream.
    Answer,
    /// The budget of the whole request.
    Total,
}

/// Whether the same target gets a second try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Again {
    Never,
    /// A moment later, drawn from the seed.
    After {
        min_ms: u64,
        max_ms: u64,
    },
    WaitFor {
        ms: u64,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    None,
    /// A failure of the model's cell, which stays shut at least `floor_ms` should it open.
    Count {
        floor_ms: u64,
    },
    CoolCredential {
        ms: u64,
    },
    CoolModel {
        ms: u64,
    },
    CredentialDown {
        ms: u64,
    },
}

/// Which cell a signal is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    Model,
    Credential,
}

impl Effect {
    /// The effect as a signal to a health cell.
    pub const fn signal(self, now: Millis) -> Option<(Whose, Signal)> {
        match self {
            Self::None => None,
            Self::Count { floor_ms } => Some((Whose::Model, Signal::Failed { floor_ms })),
            Self::CoolCredential { ms } => Some((Whose::Credential, Signal::Cool { until: now.plus(ms) })),
            Self::CoolModel { ms } => Some((Whose::Model, Signal::Cool { until: now.plus(ms) })),
            Self::CredentialDown { ms } => Some((Whose::Credential, Signal::Down { until: now.plus(ms) })),
        }
    }
}

impl Class {
    pub const ALL: [Self; 13] = [
        Self::ModelGone,
        Self::Caller,
        Self::TooLong,
        Self::ContentFilter,
        Self::Limited,
        Self::Quota,
        Self::Credential,
        Self::RegionBlocked,
        Self::Transient,
        Self::Silent,
        Self::Broken,
        Self::Deadline,
        Self::Gone,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::ModelGone => "model_gone",
            Self::Caller => "caller",
            Self::TooLong => "too_long",
            Self::ContentFilter => "content_filter",
            Self::Limited => "limited",
            Self::Quota => "quota",
            Self::Credential => "credential",
            Self::RegionBlocked => "region_blocked",
            Self::Transient => "transient",
            Self::Silent => "silent",
            Self::Broken => "broken",
            Self::Deadline => "deadline",
            Self::Gone => "gone",
        }
    }

    /// The operator has something to mend.
    pub const fn tells_operator(self) -> bool {
        match self {
            Self::ModelGone | Self::Quota | Self::Credential => true,
            Self::Caller
            | Self::TooLong
            | Self::ContentFilter
            | Self::Limited
            | Self::RegionBlocked
            | Self::Transient
            | Self::Silent
            | Self::Broken
            | Self::Deadline
            | Self::Gone => false,
        }
    }
}

/// A status answer, or an error event inside a 200: then `status` is the event's, or 0.
pub fn of_answer(status: u16, headers: &[(String, String)], error: &UpstreamError, now: Millis) -> Outcome {
    let verdict = rules::judge(status, headers, error);
    let stated = headers::wait_ms(headers, now).max(error.retry_after_ms).map(|ms| ms.min(MAX_WAIT_MS));
    let wait_ms = if verdict.daily { Some(stated.unwrap_or(0).max(rules::DAILY_WAIT_MS)) } else { stated };
    // A 529 that names its wait is a limit; one that does not is an overload (FAILOVER 1).
    let class = match (verdict.class, verdict.status, wait_ms) {
        (Class::Transient, 529, Some(_)) => Class::Limited,
        (class, _, _) => class,
    };
    let should_retry = headers::get(headers, "x-should-retry");
    let class = match (class, should_retry) {
        (Class::Caller, Some("true")) => Class::Transient,
        (class, _) => class,
    };
    let whole_model = class == Class::Limited && verdict.whole_model;
    Outcome { class, status: verdict.status, wait_ms, whole_model, settled: should_retry == Some("false") }
}

pub const fn of_transport(transport: Transport) -> Outcome {
    let class = match transport {
        Transport::Dns | Transport::Tls | Transport::Refused | Transport::Reset => Class::Transient,
        Transport::Timeout(Phase::Headers | Phase::FirstToken | Phase::Idle | Phase::Answer) => Class::Silent,
        Transport::Timeout(Phase::Total) => Class::Deadline,
        Transport::ClientGone => Class::Gone,
    };
    Outcome::of(class, 0)
}

/// A stream without its terminal marker, or a body nobody can read.
pub const fn broken(status: u16) -> Outcome {
    Outcome::of(Class::Broken, status)
}

impl Outcome {
    const fn of(class: Class, status: u16) -> Self {
        Self { class, status, wait_ms: None, whole_model: false, settled: false }
    }

    pub const fn name(&self) -> &'static str {
        self.class.name()
    }

    /// Whether the same target gets a second, and last, try.
    pub fn again_here(&self) -> Again {
        // Long enough for a load balancer to choose another machine, short enough not to be felt.
        const SOON: Again = Again::After { min_ms: 100, max_ms: 250 };
        // A limit that names no wait: half a second refills most buckets by one request.
        const LATER: Again = Again::After { min_ms: 500, max_ms: 1_000 };
        // Providers that say 0 mean "soon": never hammer.
        const MIN_WAIT_MS: u64 = 100;
        if self.settled {
            return Again::Never;
        }
        match (self.class, self.wait_ms) {
            (Class::Limited | Class::Transient, Some(ms)) if ms > MAX_WAIT_HERE_MS => Again::Never,
            (Class::Limited, Some(ms)) => Again::WaitFor { ms: ms.max(MIN_WAIT_MS) },
            (Class::Transient, Some(ms)) if ms > MIN_WAIT_MS => Again::WaitFor { ms },
            (Class::Limited, None) => LATER,
            (Class::Transient, _) => SOON,
            (
                Class::ModelGone
                | Class::Caller
                | Class::TooLong
                | Class::ContentFilter
                | Class::Quota
                | Class::Credential
                | Class::RegionBlocked
                | Class::Silent
                | Class::Broken
                | Class::Deadline
                | Class::Gone,
                _,
            ) => Again::Never,
        }
    }

    pub const fn may_move_on(&self) -> bool {
        match self.class {
            Class::ModelGone
            | Class::TooLong
            | Class::Limited
            | Class::Quota
            | Class::Credential
            | Class::RegionBlocked
            | Class::Transient
            | Class::Silent
            | Class::Broken => true,
            Class::Caller | Class::ContentFilter | Class::Deadline | Class::Gone => false,
        }
    }

    /// Only a target with a larger context window is worth trying.
    pub fn needs_larger_window(&self) -> bool {
        self.class == Class::TooLong
    }

    /// Another credential of the same provider may serve what this one could not.
    pub const fn other_credential_first(&self) -> bool {
        matches!(self.class, Class::Credential | Class::Quota) || (matches!(self.class, Class::Limited) && !self.whole_model)
    }

    pub fn effect(&self) -> Effect {
        let wait_ms = self.wait_ms.unwrap_or(0);
        match self.class {
            Class::Caller | Class::TooLong | Class::ContentFilter | Class::RegionBlocked | Class::Deadline | Class::Gone => {
                Effect::None
            }
            Class::ModelGone => Effect::CoolModel { ms: MODEL_GONE_MS },
            Class::Limited => {
                let ms = self.wait_ms.unwrap_or(COOLDOWN_MS);
                if self.whole_model { Effect::CoolModel { ms } } else { Effect::CoolCredential { ms } }
            }
            Class::Quota | Class::Credential => Effect::CredentialDown { ms: DOWN_MS.max(wait_ms) },
            Class::Transient | Class::Silent | Class::Broken => Effect::Count { floor_ms: wait_ms },
        }
    }

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
            Class::Limited => Error {
                retry_after_ms: Some(self.wait_ms.unwrap_or(COOLDOWN_MS)),
                ..Error::new(Kind::RateLimited, format!("Provider `{provider}` limits its requests: try again later."))
            },
            Class::Quota | Class::Credential => Error {
                blame: Blame::Gateway,
                ..Error::new(
                    Kind::BadGateway,
                    format!("The gateway's account at provider `{provider}` cannot be used at the moment: tell its operator."),
                )
            },
            Class::RegionBlocked => {
                Error::new(Kind::BadGateway, format!("Provider `{provider}` does not serve the region the gateway called from."))
            }
            Class::Transient => self.failed(format!("Provider `{provider}` failed{}. {again}", self.status_words())),
            Class::Broken => Error::new(Kind::BadGateway, format!("Provider `{provider}` gave a broken answer. {again}")),
            Class::Silent => Error::new(Kind::Timeout, format!("Provider `{provider}` did not answer in time. {again}")),
            Class::Deadline => {
                let message = "The request's total deadline passed before an answer was complete.";
                Error { blame: Blame::Caller, ..Error::new(Kind::Timeout, message) }
            }
            // nginx's number for a client that left; nobody reads the answer, the log does.
            Class::Gone => Error { blame: Blame::Caller, status: 499, ..Error::new(Kind::InvalidRequest, "The client left.") },
        };
        if words.is_empty() { error } else { error.with_detail(words) }
    }

    /// The provider's own final verdict: its message, status, code and field.
    fn verdict(&self, kind: Kind, upstream: &UpstreamError) -> Error {
        let message = words(&upstream.message);
        let message =
            if message.is_empty() { format!("The provider refused the request{}.", self.status_words()) } else { message };
        // A 429 would make the caller's SDK send the same again.
        let status = if (400..500).contains(&self.status) && self.status != 429 { self.status } else { kind.status() };
        let code = upstream.code.as_deref().or(upstream.kind.as_deref()).map(words);
        Error { status, code, param: upstream.param.clone(), blame: Blame::Caller, ..Error::new(kind, message) }
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
            504 => Kind::Timeout,
            _ => Kind::BadGateway,
        };
        let status = if matches!(self.status, 500 | 529) { self.status } else { kind.status() };
        Error { status, retry_after_ms: self.wait_ms, ..Error::new(kind, message) }
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
