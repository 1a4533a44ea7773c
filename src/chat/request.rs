//! What is asked.

use serde_json::{Number, Value};

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
    /// The caller's name for its end user.
    pub user: Option<String>,
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
    Audio {
        data: String,
        format: String,
    },
    /// What the model thought. A signature is the provider's proof and is valid there only.
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

#[derive(Clone, Debug, PartialEq)]
pub struct Signature {
    pub dialect: Dialect,
    pub value: String,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ToolCall {
    pub id: String,
    pub name: String,
    /// JSON text as the model wrote it; empty means `{}`.
    pub arguments: String,
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
