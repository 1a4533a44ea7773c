//! (method, path, query, headers) → what is asked for, and in which dialect to answer.

use super::{Dialect, Facts};
use crate::wire::percent;

/// What a request wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Surface {
    Generate {
        dialect: Dialect,
        place: Place,
    },
    /// One question, one answer, nothing generated.
    Operate {
        operation: Operation,
        dialect: Dialect,
        place: Place,
    },
    /// `/v1/responses/{id}…`, `/v1/videos/{id}…`: what a provider keeps.
    Stored {
        what: Kept,
        id: String,
        /// `/cancel`, `/input_items`, or nothing.
        rest: String,
    },
    /// `/passthrough/{provider}/…`, with the path as it was written.
    Passthrough {
        provider: String,
        path: String,
    },
    /// `GET /v1/models`, and one of them.
    Models {
        dialect: Dialect,
        id: Option<String>,
    },
    /// Claude Code asks before it begins; it needs no key.
    Hello,
    Root,
    Live,
    Ready,
    /// What was counted, for Prometheus.
    Metrics,
    /// The path below `/admin/v1`.
    Admin(String),
    /// A WebSocket where none is spoken; Codex falls back to plain requests on this answer alone.
    Upgrade(Dialect),
    /// A browser asks whether it may.
    Preflight,
    WrongMethod {
        dialect: Dialect,
        allowed: &'static str,
    },
    Unknown(Dialect),
}

/// What providers keep under ids of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    Responses,
    Videos,
}

impl Kept {
    /// Its name in paths.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Responses => "responses",
            Self::Videos => "videos",
        }
    }

    /// Whose words errors are in.
    pub const fn dialect(self) -> Dialect {
        match self {
            Self::Responses => Dialect::OpenAiResponses,
            Self::Videos => Dialect::OpenAiChat,
        }
    }

    /// Methods that are allowed below an id.
    fn allowed(self, action: &str) -> Option<&'static str> {
        Some(match (self, action) {
            (_, "") => "GET, DELETE",
            (Self::Responses, "input_items") | (Self::Videos, "content") => "GET",
            (Self::Responses, "cancel") | (Self::Videos, "remix") => "POST",
            (Self::Responses | Self::Videos, _) => return None,
        })
    }
}

/// What is asked besides generating.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    Embed,
    Rerank,
    Moderate,
    CountTokens,
    /// A picture.
    Image,
    /// A video: a job that the provider works on.
    Video,
}

impl Operation {
    pub const ALL: [Self; 6] = [Self::Embed, Self::Rerank, Self::Moderate, Self::CountTokens, Self::Image, Self::Video];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Embed => "embed",
            Self::Rerank => "rerank",
            Self::Moderate => "moderate",
            Self::CountTokens => "count_tokens",
            Self::Image => "image",
            Self::Video => "video",
        }
    }
}

/// What a dialect says in its path instead of its body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    pub model: Option<String>,
    pub stream: bool,
    pub array: bool,
}

impl Place {
    /// The facts of a body, and what its path adds to them.
    pub fn fill(&self, mut facts: Facts) -> Facts {
        if let Some(model) = &self.model {
            facts.model.clone_from(model);
            facts.stream = self.stream;
            facts.array = self.array;
        }
        facts
    }
}

/// A request's head, as far as it says what is wanted.
#[derive(Clone, Copy)]
pub struct Line<'a> {
    pub method: &'a str,
    pub path: &'a str,
    /// Without the question mark.
    pub query: &'a str,
    /// Names in lower case.
    pub headers: &'a [(String, String)],
}

impl Line<'_> {
    fn has(&self, name: &str) -> bool {
        self.headers.iter().any(|(n, _)| n == name)
    }

    fn asks(&self, name: &str) -> bool {
        self.query.split('&').any(|pair| pair.split_once('=').is_some_and(|(n, _)| n == name))
    }

    /// Whose client this is, where paths do not tell.
    fn hint(&self) -> Dialect {
        if self.has("x-goog-api-key") || self.asks("key") || self.path.starts_with(GOOGLES) {
            Dialect::Gemini
        } else if self.has("anthropic-version") {
            Dialect::Anthropic
        } else {
            Dialect::OpenAiChat
        }
    }
}

/// Prefixes that providers' own base URLs are replaced by.
const PREFIXES: [(&str, Dialect); 4] = [
    ("/anthropic", Dialect::Anthropic),
    ("/openai", Dialect::OpenAiChat),
    ("/gemini", Dialect::Gemini),
    ("/genai", Dialect::Gemini),
];

/// A version that nobody else has.
const GOOGLES: &str = "/v1beta/";
/// Versions in paths; they may be left out, for base URLs are entered with and without.
const VERSIONS: [&str; 5] = ["/v1/", GOOGLES, "/v1beta1/", "/api/v3/", "/v2/"];

pub fn read(line: Line<'_>) -> Surface {
    // A base URL was entered with its slash.
    let slashes = line.path.bytes().take_while(|byte| *byte == b'/').count();
    let path = line.path.get(slashes.saturating_sub(1)..).unwrap_or_default();
    let line = Line { path, ..line };
    let below = |prefix: &str| line.path.strip_prefix(prefix).filter(|rest| rest.starts_with('/'));
    let prefixed = PREFIXES.iter().find_map(|(prefix, dialect)| Some((*dialect, below(prefix)?)));
    let (dialect, rest) = prefixed.unwrap_or((line.hint(), line.path));
    match (line.method, rest) {
        ("GET" | "HEAD", "/") => return Surface::Root,
        (_, "/livez") => return Surface::Live,
        (_, "/readyz") => return Surface::Ready,
        ("GET" | "HEAD", "/metrics") => return Surface::Metrics,
        (_, "/api/hello") => return Surface::Hello,
        _ => {}
    }
    // Before all else that pages of other sites may ask for.
    if let Some(rest) = line.path.strip_prefix("/admin/v1").filter(|rest| rest.is_empty() || rest.starts_with('/')) {
        return Surface::Admin(rest.to_owned());
    }
    if line.method == "OPTIONS" {
        return Surface::Preflight;
    }
    if let Some((provider, path)) = below("/passthrough").and_then(|rest| rest.get(1..)?.split_once('/')) {
        return Surface::Passthrough { provider: percent::decoded(provider), path: format!("/{path}") };
    }
    if line.has("upgrade") {
        return Surface::Upgrade(dialect);
    }
    versioned(line, rest, dialect)
}

fn versioned(line: Line<'_>, path: &str, dialect: Dialect) -> Surface {
    let rest = VERSIONS.iter().find_map(|version| path.strip_prefix(version)).or_else(|| path.strip_prefix('/')).unwrap_or(path);
    let rest = rest.trim_end_matches('/');
    if let Some((dialect, found)) = posted(rest) {
        return if line.method == "POST" { found } else { Surface::WrongMethod { dialect, allowed: "POST" } };
    }
    if let Some(found) = verb(line, rest) {
        return found;
    }
    for what in [Kept::Responses, Kept::Videos] {
        if let Some(rest) = rest.strip_prefix(what.name()).and_then(|rest| rest.strip_prefix('/')) {
            return stored(what, line.method, rest);
        }
    }
    let id = if rest == "models" { Some(None) } else { rest.strip_prefix("models/").map(|id| Some(percent::decoded(id))) };
    match id {
        Some(id) if line.method == "GET" => Surface::Models { dialect, id },
        Some(_) => Surface::WrongMethod { dialect, allowed: "GET" },
        None => Surface::Unknown(dialect),
    }
}

/// Paths that name no model.
fn posted(rest: &str) -> Option<(Dialect, Surface)> {
    let generate = |dialect| (dialect, Surface::Generate { dialect, place: Place::default() });
    let operate = |operation, dialect| (dialect, Surface::Operate { operation, dialect, place: Place::default() });
    Some(match rest {
        "chat/completions" => generate(Dialect::OpenAiChat),
        "responses" => generate(Dialect::OpenAiResponses),
        "completions" => generate(Dialect::OpenAiCompletions),
        "messages" => generate(Dialect::Anthropic),
        "messages/count_tokens" => operate(Operation::CountTokens, Dialect::Anthropic),
        "responses/input_tokens" => operate(Operation::CountTokens, Dialect::OpenAiResponses),
        "embeddings" => operate(Operation::Embed, Dialect::OpenAiChat),
        "moderations" => operate(Operation::Moderate, Dialect::OpenAiChat),
        "rerank" => operate(Operation::Rerank, Dialect::OpenAiChat),
        "images/generations" => operate(Operation::Image, Dialect::OpenAiChat),
        "videos" => operate(Operation::Video, Dialect::OpenAiChat),
        _ => return None,
    })
}

/// Gemini's `models/{model}:{verb}`; also as Vertex writes it, below a project.
fn verb(line: Line<'_>, rest: &str) -> Option<Surface> {
    let below = rest.split_once("publishers/google/").map_or(rest, |(_, below)| below);
    // Some clients leave the prefix out before a name with a slash in it.
    let named = below.strip_prefix("models/").or_else(|| below.strip_prefix("tunedModels/")).unwrap_or(below);
    let (model, verb) = named.rsplit_once(':')?;
    let dialect = Dialect::Gemini;
    let place = Place { model: Some(percent::decoded(model)), ..Place::default() };
    let operate = |operation, place| Surface::Operate { operation, dialect, place };
    let found = match verb {
        "generateContent" => Surface::Generate { dialect, place },
        "streamGenerateContent" => {
            let events = line.query.split('&').any(|pair| pair == "alt=sse");
            Surface::Generate { dialect, place: Place { stream: true, array: !events, ..place } }
        }
        "countTokens" => operate(Operation::CountTokens, place),
        "embedContent" | "batchEmbedContents" => operate(Operation::Embed, place),
        _ => return None,
    };
    Some(if line.method == "POST" { found } else { Surface::WrongMethod { dialect, allowed: "POST" } })
}

fn stored(what: Kept, method: &str, rest: &str) -> Surface {
    let (id, action) = rest.split_once('/').unwrap_or((rest, ""));
    let dialect = what.dialect();
    let Some(allowed) = what.allowed(action) else { return Surface::Unknown(dialect) };
    if !allowed.split(", ").any(|word| word == method) {
        return Surface::WrongMethod { dialect, allowed };
    }
    let rest = if action.is_empty() { String::new() } else { format!("/{action}") };
    Surface::Stored { what, id: percent::decoded(id), rest }
}
