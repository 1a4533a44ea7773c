//! What is asked.

use std::borrow::Cow;

use serde_json::{Number, Value, json};

use super::Dialect;

/// A request to generate. `None` and empty mean "not said": the target's default holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Request {
    pub model: String,
    pub stream: bool,
    /// The caller wants a usage report in a stream (dialects that always send one: true).
    pub include_usage: bool,
    pub messages: Vec<Message>,
    pub tools: Vec<Tool>,
    pub tool_choice: Option<ToolChoice>,
    pub parallel_tool_calls: Option<bool>,
    pub max_tokens: Option<u64>,
    pub temperature: Option<Number>,
    pub top_p: Option<Number>,
    pub top_k: Option<Number>,
    pub presence_penalty: Option<Number>,
    pub frequency_penalty: Option<Number>,
    pub seed: Option<Number>,
    pub stop: Vec<String>,
    pub format: Option<Format>,
    pub reasoning: Option<Reasoning>,
    /// The caller wants to read what the model thinks; `None` leaves it to the target.
    pub show_reasoning: Option<bool>,
    /// The caller's name for its end user.
    pub user: Option<String>,
    /// Answers wanted, where more than one.
    pub n: Option<u64>,
    pub logprobs: bool,
    pub top_logprobs: Option<u64>,
    /// OpenAI's words: `auto`, `default`, `flex`, `priority`.
    pub service_tier: Option<String>,
    /// `low`, `medium`, `high`.
    pub verbosity: Option<String>,
    /// Whether the provider may keep the answer.
    pub store: Option<bool>,
    /// The caller's own labels, an object of strings.
    pub metadata: Option<Value>,
    /// Requests with the same key share a prompt cache.
    pub cache_key: Option<String>,
    /// What the answer may be made of, when not text alone: `text`, `image`, `audio`.
    pub modalities: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Instructions of the application, wherever they stand.
    System,
    User,
    Assistant,
}

/// One turn. Results of tools are parts of a user turn, before its other parts; neighbours never have the same role,
/// except `System`.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    pub role: Role,
    pub parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Part {
    Text {
        text: String,
        cache: Option<CacheHint>,
        citations: Vec<Citation>,
    },
    Image {
        source: Source,
        detail: Option<String>,
        cache: Option<CacheHint>,
    },
    /// A document: PDF, text.
    File {
        source: Source,
        name: Option<String>,
        cache: Option<CacheHint>,
    },
    /// Of an answer also what is said in it.
    Audio {
        source: Source,
        transcript: Option<String>,
    },
    Video {
        source: Source,
        /// Frames a second to look at.
        fps: Option<Number>,
    },
    /// What the model thought.
    Reasoning {
        text: String,
        signature: Option<Signature>,
    },
    /// Thoughts that only the provider can read.
    RedactedReasoning {
        data: String,
        dialect: Dialect,
    },
    Refusal {
        text: String,
    },
    ToolCall(ToolCall),
    ToolResult(ToolResult),
    /// A part only its own dialect knows (server tools): carried back to it, reported as dropped elsewhere.
    Opaque {
        dialect: Dialect,
        value: Value,
    },
}

impl Part {
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text { text: text.into(), cache: None, citations: vec![] }
    }

    /// The words of a text, and of nothing else.
    pub const fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text { text, .. } => Some(text.as_str()),
            Self::Image { .. }
            | Self::File { .. }
            | Self::Audio { .. }
            | Self::Video { .. }
            | Self::Reasoning { .. }
            | Self::RedactedReasoning { .. }
            | Self::Refusal { .. }
            | Self::ToolCall(_)
            | Self::ToolResult(_)
            | Self::Opaque { .. } => None,
        }
    }
}

/// Where a piece of text comes from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Citation {
    pub url: Option<String>,
    pub title: Option<String>,
    /// The words of the source.
    pub quote: Option<String>,
    /// The cited stretch of the part's own text, in characters; the whole text when not said.
    pub start: Option<u64>,
    pub end: Option<u64>,
    /// As the provider wrote it: goes back to its own dialect unchanged.
    pub native: Option<(Dialect, Value)>,
}

/// A provider's proof of what its model thought. Elsewhere it proves nothing, and most refuse it: every writer leaves out
/// what is not its own, and reports no loss, for nothing is lost there. A thought that is left out is one, `reasoning`;
/// one without words, only a proof, is not.
#[derive(Clone, Debug, PartialEq)]
pub struct Signature {
    pub dialect: Dialect,
    pub value: String,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct ToolCall {
    pub id: String,
    pub name: String,
    /// JSON text as the model wrote it; empty means `{}`. Of a custom tool: the input as it is.
    pub arguments: String,
    /// The tool is a `Tool::Custom`.
    pub custom: bool,
    pub signature: Option<Signature>,
    pub cache: Option<CacheHint>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ToolResult {
    pub id: String,
    /// The tool's name, looked up from the call of the same id where the dialect does not say it; empty if unknown.
    pub name: String,
    pub parts: Vec<Part>,
    pub is_error: bool,
    pub cache: Option<CacheHint>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    Url(String),
    /// `data` is base64.
    Inline {
        media_type: String,
        data: String,
    },
    /// A file the provider of that dialect keeps.
    Id {
        dialect: Dialect,
        id: String,
    },
}

/// "The prompt up to here is worth caching", with a lifetime such as `5m` where one was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CacheHint {
    pub ttl: Option<String>,
}

impl Tool {
    /// The function that stands in for a custom tool in a dialect without: name, description, parameters.
    pub fn stand_in(name: &str, description: Option<&str>, format: Option<&Value>) -> Self {
        let grammar = format.and_then(|f| f.get("definition").or_else(|| f.get("grammar")?.get("definition"))?.as_str());
        let rule = grammar.map(|grammar| format!("`{CUSTOM_INPUT}` must match this grammar:\n{grammar}"));
        let text: Vec<&str> = description.into_iter().chain(rule.as_deref()).collect();
        Self::Function {
            name: name.to_owned(),
            description: (!text.is_empty()).then(|| text.join("\n\n")),
            parameters: Some(
                json!({"type": "object", "properties": {CUSTOM_INPUT: {"type": "string"}}, "required": [CUSTOM_INPUT]}),
            ),
            strict: None,
            cache: None,
        }
    }
}

impl ToolCall {
    /// The arguments as JSON text of an object; `{}` when there are none.
    pub fn json_arguments(&self) -> Cow<'_, str> {
        match (self.custom, self.arguments.trim().is_empty()) {
            (true, _) => Cow::Owned(json!({CUSTOM_INPUT: self.arguments}).to_string()),
            (false, true) => Cow::Borrowed("{}"),
            (false, false) => Cow::Borrowed(&self.arguments),
        }
    }

    /// The input of a custom tool, from the arguments of the function that stood in for it.
    pub fn custom_input(arguments: &str) -> String {
        let value = serde_json::from_str::<Value>(arguments).ok();
        let input = value.as_ref().and_then(|value| value.get(CUSTOM_INPUT)?.as_str());
        input.unwrap_or(arguments).to_owned()
    }
}

/// The one parameter of a function that stands in for a custom tool.
pub const CUSTOM_INPUT: &str = "input";

#[derive(Clone, Debug, PartialEq)]
pub enum Tool {
    Function {
        name: String,
        description: Option<String>,
        /// JSON Schema, its key order kept.
        parameters: Option<Value>,
        strict: Option<bool>,
        cache: Option<CacheHint>,
    },
    /// Takes any text instead of JSON. Elsewhere a function with the one string [`CUSTOM_INPUT`].
    Custom {
        name: String,
        description: Option<String>,
        /// A grammar for the input, as the caller's dialect writes it.
        format: Option<Value>,
    },
    /// A tool the provider runs itself.
    Opaque { dialect: Dialect, value: Value },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ToolChoice {
    Auto,
    None,
    /// Some tool must be called.
    Required,
    Function(String),
    /// Some, or with `required` at least one, of these.
    Among {
        names: Vec<String>,
        required: bool,
    },
}

#[derive(Clone, Debug, PartialEq)]
pub enum Format {
    Json,
    Schema { name: Option<String>, description: Option<String>, schema: Value, strict: Option<bool> },
}

/// How much to think.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reasoning {
    Off,
    Effort(Effort),
    /// Tokens.
    Budget(u64),
    /// As much as the model finds right.
    Adaptive,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effort {
    Minimal,
    Low,
    Medium,
    High,
    XHigh,
    Max,
}

impl Effort {
    /// The words that OpenAI, Anthropic and most others use.
    pub const WORDS: [(&str, Self); 6] = [
        ("minimal", Self::Minimal),
        ("low", Self::Low),
        ("medium", Self::Medium),
        ("high", Self::High),
        ("xhigh", Self::XHigh),
        ("max", Self::Max),
    ];
}
