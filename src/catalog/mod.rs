//! Data: rows of providers, models and prices. No logic beyond look-ups.

mod models;
mod nearest;
mod operations;
mod providers;

use std::borrow::Cow;

pub use nearest::nearest;
pub use operations::{Endpoint, Operation, Style, operation};

use crate::{chat::profile::Profile, dialect::Dialect, units::Money, wire::json::Edit};

/// The provider that answers inside the gateway.
pub const MOCK: &str = "mock";

/// Who answers: where, in which languages, with which credential.
#[derive(Debug)]
pub struct Provider {
    pub name: &'static str,
    pub aliases: &'static [&'static str],
    /// What the provider's own SDK takes: OpenAI's ends in `/v1`, Anthropic's and Google's name no version.
    pub base_url: &'static str,
    /// The first is preferred; a caller of any of them is carried verbatim.
    pub speaks: &'static [Dialect],
    pub auth: Auth,
    /// Usual names of the secret; the first found wins.
    pub secrets: &'static [&'static str],
    /// Sent with every call, unless the caller's own request of the same dialect says otherwise.
    pub headers: &'static [(&'static str, &'static str)],
    /// For every body, the caller's own too: only what the provider refuses, or ignores to the caller's harm.
    pub quirks: &'static [Quirk],
}

/// How a credential travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Auth {
    Bearer,
    /// Alone in the header of this name.
    Header(&'static str),
    None,
}

/// An oddity of a provider's request bodies. A member that is not there leaves the body as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quirk {
    Remove(&'static str),
    Rename(&'static str, &'static str),
}

#[derive(Debug)]
pub struct Model {
    pub provider: &'static str,
    pub name: &'static str,
    /// Tokens of the window; where a table names only the longest prompt, that.
    pub context: u64,
    pub max_output: u64,
    pub supports: Supports,
    pub price: Option<Price>,
}

/// What a model can do beyond text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feature {
    Tools,
    Vision,
    JsonSchema,
    Reasoning,
    Audio,
    Video,
    Files,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Supports {
    pub tools: bool,
    pub vision: bool,
    pub json_schema: bool,
    pub reasoning: bool,
    pub audio: bool,
    pub video: bool,
    pub files: bool,
}

/// What one token costs, by class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Price {
    pub input: Money,
    pub output: Money,
    pub cache_read: Money,
    pub cache_write: Money,
    pub source: &'static str,
    /// When the source said so: `2026-11`.
    pub date: &'static str,
}

impl Feature {
    pub const ALL: [Self; 7] =
        [Self::Tools, Self::Vision, Self::JsonSchema, Self::Reasoning, Self::Audio, Self::Video, Self::Files];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Tools => "tools",
            Self::Vision => "vision",
            Self::JsonSchema => "json_schema",
            Self::Reasoning => "reasoning",
            Self::Audio => "audio",
            Self::Video => "video",
            Self::Files => "files",
        }
    }
}

impl Supports {
    pub const fn of(features: &[Feature]) -> Self {
        let mut supports =
            Self { tools: false, vision: false, json_schema: false, reasoning: false, audio: false, video: false, files: false };
        // `for` is not const yet.
        let mut rest = features;
        while let Some((feature, others)) = rest.split_first() {
            match feature {
                Feature::Tools => supports.tools = true,
                Feature::Vision => supports.vision = true,
                Feature::JsonSchema => supports.json_schema = true,
                Feature::Reasoning => supports.reasoning = true,
                Feature::Audio => supports.audio = true,
                Feature::Video => supports.video = true,
                Feature::Files => supports.files = true,
            }
            rest = others;
        }
        supports
    }
}

/// All providers, sorted by name.
pub const fn providers() -> &'static [Provider] {
    providers::PROVIDERS
}

/// All models, sorted by provider and name.
pub const fn models() -> &'static [Model] {
    models::MODELS
}

/// A provider by name or alias.
pub fn provider(name: &str) -> Option<&'static Provider> {
    providers().iter().find(|p| p.name == name || p.aliases.contains(&name))
}

pub fn model(provider: &str, name: &str) -> Option<&'static Model> {
    models().iter().find(|m| m.provider == provider && m.name == name)
}

/// The model of a name without provider: exactly one of the catalog's. The mock's are never meant so.
pub fn bare_model(name: &str) -> Option<&'static Model> {
    models().iter().find(|m| m.name == name && m.provider != MOCK)
}

/// What a provider's model takes.
pub const fn profile(_provider: &Provider, _model: &str) -> Profile {
    Profile::DEFAULT
}

/// The edits that make a body one the provider takes.
pub fn edits(quirks: &[Quirk]) -> Vec<Edit> {
    let edit = |quirk: &Quirk| match *quirk {
        Quirk::Remove(key) => Edit::Remove(Cow::Borrowed(key)),
        Quirk::Rename(from, to) => Edit::Rename(Cow::Borrowed(from), Cow::Borrowed(to)),
    };
    quirks.iter().map(edit).collect()
}
