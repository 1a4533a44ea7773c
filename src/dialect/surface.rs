//! (method, path, headers) → what is asked for, and in which dialect to answer.

use super::Dialect;
use crate::wire::percent;

/// What a request wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Surface {
    Generate(Dialect),
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

pub fn read(method: &str, path: &str, headers: &[(String, String)]) -> Surface {
    let has = |name: &str| headers.iter().any(|(n, _)| n == name);
    let hint = if has("anthropic-version") { Dialect::Anthropic } else { Dialect::OpenAiChat };
    let (dialect, rest) = match path {
        _ if path.starts_with("/anthropic/") => (Dialect::Anthropic, path.strip_prefix("/anthropic").unwrap_or(path)),
        _ if path.starts_with("/openai/") => (Dialect::OpenAiChat, path.strip_prefix("/openai").unwrap_or(path)),
        _ => (hint, path),
    };
    match (method, rest) {
        ("GET" | "HEAD", "/") => return Surface::Root,
        (_, "/livez") => return Surface::Live,
        (_, "/readyz") => return Surface::Ready,
        (_, "/api/hello") => return Surface::Hello,
        ("OPTIONS", _) => return Surface::Preflight,
        _ => {}
    }
    if let Some(rest) = path.strip_prefix("/admin/v1").filter(|rest| rest.is_empty() || rest.starts_with('/')) {
        return Surface::Admin(rest.to_owned());
    }
    versioned(method, rest, dialect, has("upgrade"))
}

/// The part after the version, which may be left out: base URLs are entered with and without it.
fn versioned(method: &str, path: &str, dialect: Dialect, upgrade: bool) -> Surface {
    let rest =
        path.strip_prefix("/v1/").or_else(|| path.strip_prefix("/api/v3/")).or_else(|| path.strip_prefix('/')).unwrap_or(path);
    let rest = rest.trim_end_matches('/');
    if upgrade {
        return Surface::Upgrade(dialect);
    }
    let generates = match rest {
        "chat/completions" => Some(Dialect::OpenAiChat),
        "completions" => Some(Dialect::OpenAiCompletions),
        "messages" => Some(Dialect::Anthropic),
        _ => None,
    };
    if let Some(dialect) = generates {
        return if method == "POST" { Surface::Generate(dialect) } else { Surface::WrongMethod { dialect, allowed: "POST" } };
    }
    let id = if rest == "models" { Some(None) } else { rest.strip_prefix("models/").map(|id| Some(percent::decoded(id))) };
    match id {
        Some(id) if method == "GET" => Surface::Models { dialect, id },
        Some(_) => Surface::WrongMethod { dialect, allowed: "GET" },
        None => Surface::Unknown(dialect),
    }
}
