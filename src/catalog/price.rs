//! What models cost: rates by class, by length of the prompt and by tier of service.

use std::sync::Arc;

use super::rates::MADE_UP;
use crate::{chat::usage::Service, units::Money};

/// What a model asks for. The four rates that nearly all have stand here, picodollars a token; the rest is looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Price {
    pub input: Money,
    pub output: Money,
    /// The input's where nobody says.
    pub cache_read: Money,
    /// The input's where nobody says.
    pub cache_write: Money,
    pub(super) more: More,
}

/// Of the catalog, or an operator's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum More {
    Built { rates: &'static [Rate], source: &'static Source },
    Told(Arc<Told>),
}

/// What an operator says besides the four.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    pub rates: Vec<Rate>,
    pub source: String,
    /// `2026-11-01`, or nothing.
    pub date: String,
    /// The currency it was published in, and what that was worth: `CNY at 0.1402 USD of 2026-11-01`.
    pub quoted: Option<String>,
}

/// Where prices of the catalog are from.
#[derive(Debug, PartialEq, Eq)]
pub struct Source {
    pub name: &'static str,
    pub url: &'static str,
    /// When it said so: `2026-11`.
    pub date: &'static str,
}

/// What one of a class costs, where a prompt or a tier makes it other than usual.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    pub service: Service,
    /// For prompts of more tokens than this; 0: of any length.
    pub above: u32,
    pub class: Class,
    pub amount: Money,
}

/// What is counted and paid for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    Input,
    CacheRead,
    CacheWrite,
    /// Kept for an hour instead of five minutes.
    CacheWriteHour,
    InputAudio,
    CacheReadAudio,
    InputImage,
    Output,
    Reasoning,
    OutputAudio,
    OutputImage,
    Request,
    /// Of the web, or one unit of ranking.
    Search,
    Image,
    Second,
    Character,
}

impl Class {
    pub const ALL: [Self; 16] = [
        Self::Input,
        Self::Output,
        Self::CacheRead,
        Self::CacheWrite,
        Self::CacheWriteHour,
        Self::Reasoning,
        Self::InputAudio,
        Self::OutputAudio,
        Self::CacheReadAudio,
        Self::InputImage,
        Self::OutputImage,
        Self::Request,
        Self::Search,
        Self::Image,
        Self::Second,
        Self::Character,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Input => "input",
            Self::Output => "output",
            Self::CacheRead => "cache_read",
            Self::CacheWrite => "cache_write",
            Self::CacheWriteHour => "cache_write_1h",
            Self::Reasoning => "reasoning",
            Self::InputAudio => "input_audio",
            Self::OutputAudio => "output_audio",
            Self::CacheReadAudio => "cache_read_audio",
            Self::InputImage => "input_image",
            Self::OutputImage => "output_image",
            Self::Request => "request",
            Self::Search => "search",
            Self::Image => "image",
            Self::Second => "second",
            Self::Character => "character",
        }
    }

    /// Whose rate holds where a price names none for this class. Nothing: then it costs nothing.
    pub const fn falls_back(self) -> Option<Self> {
        match self {
            Self::CacheWriteHour => Some(Self::CacheWrite),
            Self::CacheReadAudio => Some(Self::CacheRead),
            Self::CacheRead | Self::CacheWrite | Self::InputAudio | Self::InputImage => Some(Self::Input),
            Self::Reasoning | Self::OutputAudio | Self::OutputImage => Some(Self::Output),
            Self::Input | Self::Output | Self::Request | Self::Search | Self::Image | Self::Second | Self::Character => None,
        }
    }

    /// No token: a call, or what it makes or reads.
    pub const fn is_unit(self) -> bool {
        match self {
            Self::Request | Self::Search | Self::Image | Self::Second | Self::Character => true,
            Self::Input
            | Self::Output
            | Self::CacheRead
            | Self::CacheWrite
            | Self::CacheWriteHour
            | Self::Reasoning
            | Self::InputAudio
            | Self::OutputAudio
            | Self::CacheReadAudio
            | Self::InputImage
            | Self::OutputImage => false,
        }
    }

    /// Published for a million; the others for one.
    pub const fn is_by_million(self) -> bool {
        !self.is_unit() || matches!(self, Self::Character)
    }
}

impl Rate {
    /// Whether it is for such a prompt.
    fn covers(&self, prompt: u64) -> bool {
        self.above == 0 || prompt > u64::from(self.above)
    }
}

impl Price {
    /// An operator's.
    pub fn told(input: Money, output: Money, (cache_read, cache_write): (Option<Money>, Option<Money>), told: Told) -> Self {
        let more = More::Told(Arc::new(told));
        Self { input, output, cache_read: cache_read.unwrap_or(input), cache_write: cache_write.unwrap_or(input), more }
    }

    /// All rates but the usual four.
    pub fn rates(&self) -> &[Rate] {
        match &self.more {
            More::Built { rates, .. } => rates,
            More::Told(told) => &told.rates,
        }
    }

    /// Who said so, by name or address.
    pub fn source(&self) -> &str {
        match &self.more {
            More::Built { source, .. } => source.name,
            More::Told(told) => &told.source,
        }
    }

    pub fn url(&self) -> Option<&str> {
        match &self.more {
            More::Built { source, .. } => Some(source.url).filter(|url| !url.is_empty()),
            More::Told(told) => Some(told.source.as_str()).filter(|source| source.starts_with("https://")),
        }
    }

    /// When they said so: `2026-11-01`, `2026-11`, or nothing.
    pub fn date(&self) -> &str {
        match &self.more {
            More::Built { source, .. } => source.date,
            More::Told(told) => &told.date,
        }
    }

    pub fn quoted(&self) -> Option<&str> {
        match &self.more {
            More::Built { .. } => None,
            More::Told(told) => told.quoted.as_deref(),
        }
    }

    pub const fn is_built_in(&self) -> bool {
        match &self.more {
            More::Built { .. } => true,
            More::Told(_) => false,
        }
    }

    /// Nobody's published price, and never out of date.
    pub fn is_made_up(&self) -> bool {
        match &self.more {
            More::Built { source, .. } => **source == MADE_UP,
            More::Told(_) => false,
        }
    }

    /// What one of a class costs in a request of such a tier and with so long a prompt.
    pub fn rate(&self, class: Class, service: Service, prompt: u64) -> Money {
        let mut class = class;
        loop {
            if let Some(amount) = self.named(class, service, prompt) {
                return amount;
            }
            match class.falls_back() {
                Some(other) => class = other,
                None => return Money(0),
            }
        }
    }

    /// As the price says it of this very class. A tier says what is other than usual; a length, what is other than of shorter
    /// ones. Where it does not say what both together cost, it is the dearer of the two.
    fn named(&self, class: Class, service: Service, prompt: u64) -> Option<Money> {
        let longest = |service: Service| {
            let fit = self.rates().iter().filter(|rate| rate.class == class && rate.service == service && rate.covers(prompt));
            fit.max_by_key(|rate| rate.above).map(|rate| (rate.above, rate.amount))
        };
        let usual = longest(Service::Standard).or_else(|| self.usual(class).map(|amount| (0, amount)));
        let own = if service == Service::Standard { None } else { longest(service) };
        match (own, usual) {
            (Some((above, own)), Some((longer, usual))) if above < longer => Some(own.max(usual)),
            (own, usual) => own.or(usual).map(|(_, amount)| amount),
        }
    }

    /// One of the four. Nobody says what a cached token costs where that is what any other does: then it follows the
    /// input's through all tiers.
    fn usual(&self, class: Class) -> Option<Money> {
        match class {
            Class::Input => Some(self.input),
            Class::Output => Some(self.output),
            Class::CacheRead => Some(self.cache_read).filter(|amount| *amount != self.input),
            Class::CacheWrite => Some(self.cache_write).filter(|amount| *amount != self.input),
            Class::CacheWriteHour
            | Class::Reasoning
            | Class::InputAudio
            | Class::OutputAudio
            | Class::CacheReadAudio
            | Class::InputImage
            | Class::OutputImage
            | Class::Request
            | Class::Search
            | Class::Image
            | Class::Second
            | Class::Character => None,
        }
    }

    /// The highest rate of any of these classes, in any tier, for prompts of up to so many tokens.
    pub fn dearest(&self, classes: &[Class], prompt: u64) -> Money {
        let usual = classes.iter().filter_map(|class| self.usual(*class));
        let rates = self.rates().iter().filter(|rate| classes.contains(&rate.class) && rate.covers(prompt));
        usual.chain(rates.map(|rate| rate.amount)).max().unwrap_or_default()
    }

    /// The length whose rates hold for such a prompt; 0: the shortest.
    pub fn length(&self, prompt: u64) -> u64 {
        self.rates().iter().filter(|rate| rate.covers(prompt)).map(|rate| u64::from(rate.above)).max().unwrap_or(0)
    }

    /// Whether a tier of service has rates of its own.
    pub fn has(&self, service: Service) -> bool {
        self.rates().iter().any(|rate| rate.service == service)
    }
}
