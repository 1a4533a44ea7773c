//! What an attempt came to, by blame: try again here, move on, whose health.

use super::{
    headers::{self, MAX_WAIT_MS},
    health::Signal,
    judge,
};
use crate::{chat::event::UpstreamError, units::Millis};

/// A rejected credential or an empty account needs a person: asked again only after half an hour.
pub const DOWN_MS: u64 = 30 * 60_000;
/// A model that is gone seldom returns, but a roll-out may be under way.
pub const MODEL_GONE_MS: u64 = 5 * 60_000;
/// A limit without a stated wait: most count by the minute, and refill all the while.
pub const COOLDOWN_MS: u64 = 5_000;
/// A token endpoint that fails seldom does so for long; a rejected account is [`Class::Credential`].
const TOKEN_COOLDOWN_MS: u64 = 15_000;
/// A country that a provider does not serve, or an address it takes for one: seldom changed, and asked again now and then.
pub const BLOCKED_MS: u64 = 60 * 60_000;
/// The longest wait worth more than another target.
pub const MAX_WAIT_HERE_MS: u64 = 2_500;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    ModelGone,
    Caller,
    TooLong,
    ContentFilter,
    Limited,
    Quota,
    Credential,
    /// There was no token to be had for a credential that may be good.
    NoToken,
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
    /// The credential was to be traded for a token, and was rejected.
    Rejected,
    /// It was to be traded for a token, and nobody answered.
    NoToken,
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
    /// The provider is not asked again from this place.
    AvoidHere {
        ms: u64,
    },
}

/// Which cell a signal is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    Model,
    Credential,
    /// The provider's, where the request came in.
    Place,
}

impl Effect {
    /// The effect as a signal to a health cell.
    pub const fn signal(self, now: Millis) -> Option<(Whose, Signal)> {
        match self {
            Self::None => None,
            Self::Count { floor_ms } => Some((Whose::Model, Signal::Failed { floor_ms })),
            Self::CoolCredential { ms } => Some((Whose::Credential, Signal::Cool { until: now.plus(ms) })),
            Self::CoolModel { ms } => Some((Whose::Model, Signal::Cool { until: now.plus(ms) })),
            Self::AvoidHere { ms } => Some((Whose::Place, Signal::Cool { until: now.plus(ms) })),
            Self::CredentialDown { ms } => Some((Whose::Credential, Signal::Down { until: now.plus(ms) })),
        }
    }
}

impl Class {
    pub const ALL: [Self; 14] = [
        Self::ModelGone,
        Self::Caller,
        Self::TooLong,
        Self::ContentFilter,
        Self::Limited,
        Self::Quota,
        Self::Credential,
        Self::NoToken,
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
            Self::NoToken => "no_token",
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
            | Self::NoToken
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
    let verdict = judge::judge(status, headers, error);
    let stated = headers::wait_ms(headers, now).max(error.retry_after_ms).map(|ms| ms.min(MAX_WAIT_MS));
    let wait_ms = if verdict.daily { Some(stated.unwrap_or(0).max(judge::DAILY_WAIT_MS)) } else { stated };
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

/// An error inside a 200. The same again is of no use: the connection was good, and the provider gave up on it.
pub fn in_band(error: &UpstreamError) -> Outcome {
    // No headers came with it that a time could matter for.
    Outcome { settled: true, ..of_answer(error.status, &[], error, Millis(0)) }
}

pub const fn of_transport(transport: Transport) -> Outcome {
    let class = match transport {
        Transport::Dns | Transport::Tls | Transport::Refused | Transport::Reset => Class::Transient,
        Transport::Timeout(Phase::Headers | Phase::FirstToken | Phase::Idle | Phase::Answer) => Class::Silent,
        Transport::Timeout(Phase::Total) => Class::Deadline,
        Transport::ClientGone => Class::Gone,
        Transport::Rejected => Class::Credential,
        Transport::NoToken => Class::NoToken,
    };
    Outcome::of(class, 0)
}

/// A stream without its terminal marker, or a body nobody can read.
pub const fn broken(status: u16) -> Outcome {
    Outcome::of(Class::Broken, status)
}

/// An answer that the provider's filter withheld whole.
pub const fn filtered() -> Outcome {
    Outcome::of(Class::ContentFilter, 0)
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
                | Class::NoToken
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
            | Class::NoToken
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
        matches!(self.class, Class::Credential | Class::NoToken | Class::Quota)
            || (matches!(self.class, Class::Limited) && !self.whole_model)
    }

    pub fn effect(&self) -> Effect {
        let wait_ms = self.wait_ms.unwrap_or(0);
        match self.class {
            Class::Caller | Class::TooLong | Class::ContentFilter | Class::Deadline | Class::Gone => Effect::None,
            Class::RegionBlocked => Effect::AvoidHere { ms: BLOCKED_MS },
            Class::ModelGone => Effect::CoolModel { ms: MODEL_GONE_MS },
            Class::Limited => {
                let ms = self.wait_ms.unwrap_or(COOLDOWN_MS);
                if self.whole_model { Effect::CoolModel { ms } } else { Effect::CoolCredential { ms } }
            }
            Class::NoToken => Effect::CoolCredential { ms: TOKEN_COOLDOWN_MS },
            Class::Quota | Class::Credential => Effect::CredentialDown { ms: DOWN_MS.max(wait_ms) },
            Class::Transient | Class::Silent | Class::Broken => Effect::Count { floor_ms: wait_ms },
        }
    }
}
