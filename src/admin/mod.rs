//! The operator's calls: which there are, and what is said of the configuration.

pub mod audit;
mod calls;
pub mod documents;
mod drive;
mod explain;
mod faults;
pub mod health;
pub mod keys;
#[cfg(not(target_arch = "wasm32"))]
pub mod openapi;
pub mod prices;
mod question;
mod replay;
mod simulate;
pub mod versions;
pub mod written;

pub use calls::{Call, Found, find};
pub use explain::explain;
pub use question::{Asked, tenant_asked};
pub use replay::{replay, version};
use serde_json::{Map, Value};
pub use simulate::simulate;

use crate::{
    config::{Problem, Snapshot},
    error::Error,
    wire::{
        compose::{IntoJson, Members, json},
        json::json_text,
    },
};

/// What anybody may know: whether all documents are in force, and which are not.
pub fn readiness(config: &Snapshot, problems: &[Problem]) -> String {
    json_text(&state(config, problems))
}

/// The same with what may want the operator's attention; `more`: what bindings and the clock tell.
pub fn config(config: &Snapshot, problems: &[Problem], more: Vec<String>) -> String {
    let mut state = state(config, problems);
    if let Value::Object(state) = &mut state {
        let off: Map<String, Value> = config.off.iter().map(|(name, missing)| (name.clone(), missing.into_json())).collect();
        state.put("warnings", config.warnings.iter().cloned().chain(more).collect::<Vec<_>>());
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

/// What is wrong, and where in the body.
pub fn refusal(error: &Error) -> String {
    let path = error.param.as_deref().filter(|path| !path.is_empty());
    json_text(&json!({"error": {"message": &error.message, "path": path}}))
}

pub fn error(message: &str) -> String {
    json_text(&json!({"error": {"message": message}}))
}
