//! What tells a provider to keep nothing: one row a member of a request, with who says so and when it was read.
//!
//! A provider without a row is told nothing by a request: whether it keeps one is a matter of the account or the contract,
//! which is what the operator's mark `zdr` stands for.

use crate::dialect::{Dialect, surface::Operation};

/// What a request is, as far as its body's members go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// Text, in a dialect.
    Text(Dialect),
    Besides(Operation),
}

/// A member that is set whatever the caller says of it. An object is set member by member: the rest of it is the caller's.
#[derive(Debug)]
pub struct Flag {
    /// A provider of the catalog.
    pub kind: &'static str,
    pub asked: Asked,
    pub member: &'static str,
    /// JSON.
    pub value: &'static str,
    pub source: &'static str,
    /// When the source said so: `2026-11`.
    pub date: &'static str,
}

/// A member that has a provider keep or fetch what was kept, whatever its flags.
#[derive(Debug)]
pub struct Keeps {
    pub dialect: Dialect,
    pub member: &'static str,
    /// JSON of the values that keep nothing.
    pub harmless: &'static [&'static str],
    /// What is kept by it.
    pub what: &'static str,
}

/// What a provider of this kind is told.
pub fn flags(kind: &str, asked: Asked) -> impl Iterator<Item = &'static Flag> {
    FLAGS.iter().filter(move |flag| flag.kind == kind && flag.asked == asked)
}

/// All of them, sorted by kind.
pub const fn all_flags() -> &'static [Flag] {
    FLAGS
}

/// What no request of this dialect may say where nothing is to be kept.
pub fn keeps(dialect: Dialect) -> impl Iterator<Item = &'static Keeps> {
    KEEPS.iter().filter(move |keeps| keeps.dialect == dialect)
}

/// All of them.
pub const fn all_keeps() -> &'static [Keeps] {
    KEEPS
}

/// What is a job that its provider works on and keeps until it is fetched.
pub const fn is_kept_by_nature(operation: Operation) -> bool {
    match operation {
        Operation::Video => true,
        Operation::Embed | Operation::Rerank | Operation::Moderate | Operation::CountTokens | Operation::Image => false,
    }
}

/// Also of those who reproduce its Responses, and whose own pages were not read.
const OPENAI: &str = "https://developers.openai.com/api/docs/guides/your-data";
const AZURE: &str = "https://learn.microsoft.com/azure/foundry/openai/how-to/responses";
const FIREWORKS: &str = "https://docs.fireworks.ai/guides/security_compliance/data_handling";
const GOOGLE: &str = "https://ai.google.dev/gemini-api/docs/logs-datasets";
const OPENROUTER: &str = "https://openrouter.ai/docs/guides/privacy/zdr";
const OPENROUTER_RESPONSES: &str = "https://openrouter.ai/docs/api_reference/responses/error-handling";
const XAI: &str = "https://docs.x.ai/developers/model-capabilities/text/comparison";

const CHAT: Asked = Asked::Text(Dialect::OpenAiChat);
const RESPONSES: Asked = Asked::Text(Dialect::OpenAiResponses);
const COMPLETIONS: Asked = Asked::Text(Dialect::OpenAiCompletions);
const MESSAGES: Asked = Asked::Text(Dialect::Anthropic);
const CONTENTS: Asked = Asked::Text(Dialect::Gemini);

const NO_STORE: (&str, &str) = ("store", "false");
/// Its routing goes only to those that keep nothing.
const NO_COLLECTION: (&str, &str) = ("provider", r#"{"data_collection":"deny","zdr":true}"#);

const fn flag(kind: &'static str, asked: Asked, (member, value): (&'static str, &'static str), source: &'static str) -> Flag {
    Flag { kind, asked, member, value, source, date: "2026-11" }
}

static FLAGS: &[Flag] = &[
    flag("azure-openai", CHAT, NO_STORE, AZURE),
    flag("azure-openai", RESPONSES, NO_STORE, AZURE),
    flag("bytedance", RESPONSES, NO_STORE, OPENAI),
    flag("byteplus", RESPONSES, NO_STORE, OPENAI),
    flag("fireworks", RESPONSES, NO_STORE, FIREWORKS),
    flag("google", CONTENTS, NO_STORE, GOOGLE),
    flag("groq", RESPONSES, NO_STORE, OPENAI),
    flag("huggingface", RESPONSES, NO_STORE, OPENAI),
    flag("openai", CHAT, NO_STORE, OPENAI),
    flag("openai", RESPONSES, NO_STORE, OPENAI),
    flag("openrouter", CHAT, NO_COLLECTION, OPENROUTER),
    flag("openrouter", COMPLETIONS, NO_COLLECTION, OPENROUTER),
    flag("openrouter", MESSAGES, NO_COLLECTION, OPENROUTER),
    flag("openrouter", RESPONSES, NO_COLLECTION, OPENROUTER),
    flag("openrouter", RESPONSES, NO_STORE, OPENROUTER_RESPONSES),
    flag("openrouter", Asked::Besides(Operation::Embed), NO_COLLECTION, OPENROUTER),
    flag("openrouter", Asked::Besides(Operation::Rerank), NO_COLLECTION, OPENROUTER),
    flag("xai", RESPONSES, NO_STORE, XAI),
];

const fn kept(dialect: Dialect, member: &'static str, harmless: &'static [&'static str], what: &'static str) -> Keeps {
    Keeps { dialect, member, harmless, what }
}

static KEEPS: &[Keeps] = &[
    kept(Dialect::OpenAiResponses, "previous_response_id", &[], "a stored response"),
    kept(Dialect::OpenAiResponses, "conversation", &[], "a stored conversation"),
    kept(Dialect::OpenAiResponses, "background", &["false"], "a response that is fetched later"),
    // Ark's.
    kept(Dialect::OpenAiResponses, "caching", &[r#"{"type":"disabled"}"#], "a stored context"),
    kept(Dialect::Anthropic, "container", &[], "a container with its files"),
    kept(Dialect::Gemini, "cachedContent", &[], "a stored context"),
    kept(Dialect::Gemini, "cached_content", &[], "a stored context"),
];
