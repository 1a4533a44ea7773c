//! The operator's calls: which there are, and what is said of the configuration.

mod drive;
mod explain;
mod faults;
pub mod health;
mod question;
mod replay;
mod simulate;

pub use explain::explain;
pub use question::Asked;
pub use replay::{replay, version};
use serde_json::{Map, Value};
pub use simulate::simulate;

use crate::{
    config::{Problem, Snapshot},
    wire::{
        compose::{IntoJson, Members, json},
        json::json_text,
    },
};

/// A path below `/admin/v1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call<'a> {
    /// Records, newest first.
    Requests,
    /// The record of one id.
    Request(&'a str),
    /// What the regions' objects know.
    Health,
    /// The operator's word on a target.
    Order(&'a str),
    Config,
    /// What would become of a request.
    Explain,
    /// The same with faults.
    Simulate,
    /// The decision of one request, made again.
    Replay(&'a str),
    Unknown,
}

impl<'a> Call<'a> {
    /// Calls that bring something along.
    pub const fn is_posted(self) -> bool {
        match self {
            Self::Explain | Self::Simulate | Self::Order(_) => true,
            Self::Requests | Self::Request(_) | Self::Health | Self::Config | Self::Replay(_) | Self::Unknown => false,
        }
    }

    pub fn read(path: &'a str) -> Self {
        match path.trim_end_matches('/') {
            "/requests" => Self::Requests,
            "/health" => Self::Health,
            "/config" => Self::Config,
            other if other.starts_with("/health/") => Self::Order(other.trim_start_matches("/health/")),
            "/explain" => Self::Explain,
            "/simulate" => Self::Simulate,
            other => {
                let Some(below) = other.strip_prefix("/requests/") else { return Self::Unknown };
                let (id, rest) = below.split_once('/').unwrap_or((below, ""));
                // Our own ids, and nothing that means something in a query.
                let is_id = !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
                match rest {
                    "" if is_id => Self::Request(id),
                    "replay" if is_id => Self::Replay(id),
                    _ => Self::Unknown,
                }
            }
        }
    }
}

/// What anybody may know: whether all documents are in force, and which are not.
pub fn readiness(config: &Snapshot, problems: &[Problem]) -> String {
    json_text(&state(config, problems))
}

/// The same with what may want the operator's attention.
pub fn config(config: &Snapshot, problems: &[Problem]) -> String {
    let mut state = state(config, problems);
    if let Value::Object(state) = &mut state {
        let off: Map<String, Value> = config.off.iter().map(|(name, missing)| (name.clone(), missing.into_json())).collect();
        state.put("warnings", &config.warnings);
        state.put("providers", config.providers.keys().collect::<Vec<_>>());
        state.put("off", off);
    }
    json_text(&state)
}

fn state(config: &Snapshot, problems: &[Problem]) -> Value {
    let list = |p: &Problem| json!({"document": p.document, "path": &p.path, "message": &p.message});
    let problems: Vec<Value> = problems.iter().map(list).collect();
    json!({"ok": problems.is_empty(), "config": &config.version, "problems": problems})
}

pub fn error(message: &str) -> String {
    json_text(&json!({"error": {"message": message}}))
}

#[cfg(test)]
mod tests {
    use super::Call;

    #[test]
    fn paths_are_calls() {
        for (path, call) in [
            ("/requests", Call::Requests),
            ("/requests/", Call::Requests),
            ("/requests/req_1a", Call::Request("req_1a")),
            ("/requests/a&limit=9", Call::Unknown),
            ("/requests/a/b", Call::Unknown),
            ("/requests/req_1a/replay", Call::Replay("req_1a")),
            ("/requests/a&b/replay", Call::Unknown),
            ("/explain", Call::Explain),
            ("/simulate/", Call::Simulate),
            ("/health", Call::Health),
            ("/health/", Call::Health),
            ("/health/acme", Call::Order("acme")),
            ("/health/acme/large/2", Call::Order("acme/large/2")),
            ("/health/acme%231/", Call::Order("acme%231")),
            ("/config", Call::Config),
            ("", Call::Unknown),
        ] {
            assert_eq!(Call::read(path), call, "{path}");
        }
    }
}
