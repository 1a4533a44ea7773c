//! A world as data: who is there, what goes wrong when, and who asks.

use portolan::{
    dialect::Dialect,
    plan::seed::{below, fold},
};

/// What a provider speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tongue {
    OpenAi,
    Anthropic,
    Gemini,
}

#[derive(Clone, Debug)]
pub struct Provider {
    pub tongue: Tongue,
    pub keys: usize,
    /// Until the first content, on a good day.
    pub first_ms: u64,
    /// Between chunks.
    pub gap_ms: u64,
}

#[derive(Clone, Debug)]
pub struct Route {
    /// Provider and model, both by number.
    pub targets: Vec<(usize, usize)>,
    pub weighted: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Refuses, resets or answers 503.
    Down,
    /// Takes the request and never says anything.
    Silent,
    /// A share of 500s.
    Errors {
        percent: u64,
    },
    /// 429 to a credential, or to all.
    Limited {
        retry_after_s: Option<u64>,
    },
    /// Every wait takes so many times as long.
    Slow {
        factor: u64,
    },
    /// A share of the streams breaks off, stalls, or ends in an error event; of whole answers, half a body.
    Cut {
        percent: u64,
    },
    Stall {
        percent: u64,
    },
    InBand {
        percent: u64,
    },
    /// A maintenance page with status 200.
    Html {
        percent: u64,
    },
    RegionBlocked,
    ModelGone,
    Quota,
    Revoked,
    /// Back, but it can only take so many a second in all; the rest get 503.
    Cold {
        per_second: u64,
    },
}

impl Trouble {
    /// Nobody gets an answer.
    pub const fn is_hard(self) -> bool {
        matches!(self, Self::Down | Self::Silent)
    }
}

/// Trouble at one place and time; `None` is everywhere.
#[derive(Clone, Debug)]
pub struct Fault {
    pub trouble: Trouble,
    pub provider: usize,
    pub model: Option<usize>,
    pub key: Option<usize>,
    pub region: Option<usize>,
    pub from: u64,
    pub until: u64,
}

impl Fault {
    pub fn strikes(&self, at: &Place, now: u64) -> bool {
        let matches = |wanted: Option<usize>, is: usize| wanted.is_none_or(|w| w == is);
        self.provider == at.provider
            && matches(self.model, at.model)
            && matches(self.key, at.key)
            && matches(self.region, at.region)
            && (self.from..self.until).contains(&now)
    }
}

/// Where a send goes, and from where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub provider: usize,
    pub model: usize,
    pub key: usize,
    pub region: usize,
}

/// What is wrong with a request itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    Invalid,
    Filtered,
    TooLong,
}

#[derive(Clone, Debug)]
pub struct Arrival {
    /// Its own number, which stays when others are left out: chance depends on it.
    pub number: u64,
    pub at: u64,
    pub region: usize,
    pub route: usize,
    pub dialect: Dialect,
    pub stream: bool,
    pub words: usize,
    pub flaw: Option<Flaw>,
    pub leaves_after: Option<u64>,
}

/// One isolate, from birth to death.
#[derive(Clone, Debug)]
pub struct Life {
    pub region: usize,
    pub from: u64,
    pub until: u64,
}

#[derive(Clone, Debug, Default)]
pub struct Network {
    /// Of calls between isolate and object, either way.
    pub lost_percent: u64,
    pub min_ms: u64,
    pub max_ms: u64,
    /// From the alarm until KV shows the view.
    pub kv_ms: u64,
}

#[derive(Clone, Debug)]
pub struct Scenario {
    pub seed: u64,
    pub regions: usize,
    pub providers: Vec<Provider>,
    pub models: usize,
    pub routes: Vec<Route>,
    pub faults: Vec<Fault>,
    pub lives: Vec<Life>,
    /// Region and time.
    pub restarts: Vec<(usize, u64)>,
    pub arrivals: Vec<Arrival>,
    pub network: Network,
}

impl Scenario {
    /// A number below `bound` that depends on nothing but the seed and the name.
    pub fn roll(&self, name: &str, bound: u64) -> u64 {
        below(fold(self.seed, name), bound)
    }

    pub fn active<'a>(&'a self, place: &'a Place, now: u64) -> impl Iterator<Item = &'a Fault> {
        self.faults.iter().filter(move |fault| fault.strikes(place, now))
    }

    /// Until when there is anything to see.
    pub fn end(&self) -> u64 {
        self.arrivals.iter().map(|arrival| arrival.at).max().unwrap_or_default()
    }
}

pub const REGIONS: [&str; 3] = ["weur", "enam", "apac"];

pub fn region_name(region: usize) -> &'static str {
    REGIONS.get(region).copied().unwrap_or("weur")
}
