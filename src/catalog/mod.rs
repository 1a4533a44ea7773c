//! Data: rows of providers, models and prices. No logic beyond look-ups.

mod models;
mod nearest;
mod operations;
mod pattern;
mod price;
mod profiles;
mod providers;
mod rates;
pub mod retention;

use std::borrow::Cow;

pub use nearest::nearest;
pub use operations::{Endpoint, Operation, Style, operation};
pub use price::{Class, Price, Rate, Source, Told};
pub use profiles::closes_turns;

use crate::{
    chat::profile::Profile,
    dialect::Dialect,
    wire::json::{Edit, Outline},
};

/// The provider that answers inside the gateway.
pub const MOCK: &str = "mock";

/// The Worker's binding to Workers AI. It stands among the secrets when it is there.
pub const AI_BINDING: &str = "AI";

/// Required where Anthropic's dialect is spoken as its maker does; the version whose bodies we write.
pub const ANTHROPIC_VERSION: (&str, &str) = ("anthropic-version", "2023-06-01");

/// Who answers: where, in which languages, with which credential.
#[derive(Debug)]
pub struct Provider {
    pub name: &'static str,
    pub aliases: &'static [&'static str],
    /// What the provider's own SDK takes: OpenAI's ends in `/v1`, Anthropic's and Google's name no version. `${NAME}` is
    /// filled in from the Worker's variables and secrets.
    pub base_url: &'static str,
    pub hosting: Hosting,
    /// The first is preferred; a caller of any of them is carried verbatim. Empty: nothing here writes text.
    pub speaks: &'static [Dialect],
    /// What models of such a name speak instead; `*` stands for anything, the first match wins.
    pub models: &'static [(&'static str, &'static [Dialect])],
    /// Dialects that are spoken at an address of their own, with the same credential.
    pub bases: &'static [(Dialect, &'static str)],
    /// What a server of this kind at an operator's own address is sure to speak. Empty: the same.
    pub lookalikes: &'static [Dialect],
    /// Whose models are sold here too, by the same names and at the same prices.
    pub sells: &'static [&'static str],
    pub auth: Auth,
    /// Usual names of the secret; the first found wins.
    pub secrets: &'static [&'static str],
    /// Sent with every call, unless the caller's own request of the same dialect says otherwise.
    pub headers: &'static [(&'static str, &'static str)],
    /// For every body of OpenAI's chat, the caller's own too: only what the provider refuses, or ignores to the caller's
    /// harm.
    pub quirks: &'static [Quirk],
}

/// How a provider wraps the calls of a dialect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hosting {
    /// As the dialect says.
    Plain,
    /// Google Cloud: models of several makers, each under its own path.
    Vertex,
    /// Amazon: the model in the path, and Claude's body without it.
    Bedrock,
    /// A binding of the Worker: no address, no credential.
    WorkersAi,
}

/// How a credential travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Auth {
    Bearer,
    /// Alone in the header of this name.
    Header(&'static str),
    /// A token that a service account's key is traded for.
    Google,
    /// A signature over each call, or a bearer token.
    AwsV4,
    None,
}

/// An oddity of a provider's request bodies. A member that is not there leaves the body as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quirk {
    Remove(&'static str),
    Rename(&'static str, &'static str),
    /// `thinking: {type}` as a plain true or false by another name.
    Flag(&'static str, &'static str),
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
pub fn profile(provider: &Provider, model: &str) -> Profile {
    profiles::of(provider.name, model)
}

impl Provider {
    /// What a model is spoken to in, the preferred first.
    pub fn dialects(&self, model: &str) -> &'static [Dialect] {
        self.models.iter().find(|(pattern, _)| pattern::matches(pattern, model)).map_or(self.speaks, |(_, dialects)| dialects)
    }

    /// Names in its base URL that are to be filled in.
    pub fn placeholders(&self) -> impl Iterator<Item = &'static str> {
        self.base_url.split("${").skip(1).filter_map(|rest| Some(rest.split_once('}')?.0))
    }
}

/// The edits that make a body one the provider takes.
pub fn edits(quirks: &[Quirk], body: &Outline<'_>) -> Vec<Edit> {
    let mut edits = vec![];
    for quirk in quirks {
        match *quirk {
            Quirk::Remove(key) => edits.push(Edit::Remove(Cow::Borrowed(key))),
            Quirk::Rename(from, to) => edits.push(Edit::Rename(Cow::Borrowed(from), Cow::Borrowed(to))),
            Quirk::Flag(from, to) => {
                let Some(switch) = body.get(from) else { continue };
                edits.push(Edit::Remove(Cow::Borrowed(from)));
                let is_on = !switch.contains("\"disabled\"");
                edits.push(Edit::Default(Cow::Borrowed(to), is_on.to_string()));
            }
        }
    }
    edits
}
