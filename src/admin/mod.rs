//! The operator's calls: which there are, and what is said of the configuration.

pub mod audit;
pub mod documents;
mod drive;
mod explain;
mod faults;
pub mod health;
pub mod keys;
pub mod prices;
mod question;
mod replay;
mod simulate;
pub mod written;

pub use explain::explain;
use keys::KeyCall;
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

/// A path below `/admin/v1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call<'a> {
    /// Records, newest first.
    Requests,
    /// The record of one id.
    Request(&'a str),
    /// Counters and times of a window.
    Metrics,
    /// What the regions' objects know.
    Health,
    /// The operator's word on a target.
    Order(&'a str),
    Config,
    /// What models cost, and who says so.
    Prices,
    /// What would become of a request.
    Explain,
    /// The same with faults.
    Simulate,
    /// The decision of one request, made again.
    Replay(&'a str),
    /// A tenant's own keys, as far as they may be known.
    OwnKeys(&'a str),
    /// A tenant brings a key to a provider.
    SetOwnKey {
        tenant: &'a str,
        provider: &'a str,
    },
    DropOwnKey {
        tenant: &'a str,
        provider: &'a str,
    },
    /// Spending.
    Usage,
    /// Entries of a chain.
    Audit,
    /// Whether it holds.
    AuditVerify,
    /// Where it ends.
    AuditHead,
    Keys(KeyCall<'a>),
    /// A document's text.
    Document(&'static str),
    PutDocument(&'static str),
}

/// What stands at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found<'a> {
    Call(Call<'a>),
    /// Something, but by these methods.
    Allowed(String),
    Nothing,
}

/// Those that any call is made by.
const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

/// What a request below `/admin/v1` asks for.
pub fn find<'a>(method: &str, path: &'a str) -> Found<'a> {
    if let Some(call) = Call::read(method, path) {
        return Found::Call(call);
    }
    let allowed: Vec<&str> = METHODS.into_iter().filter(|method| Call::read(method, path).is_some()).collect();
    if allowed.is_empty() { Found::Nothing } else { Found::Allowed(allowed.join(", ")) }
}

impl<'a> Call<'a> {
    fn read(method: &str, path: &'a str) -> Option<Self> {
        let path = path.trim_matches('/');
        let parts: Vec<&str> = path.split('/').collect();
        Some(match (method, parts.as_slice()) {
            ("GET", ["requests"]) => Self::Requests,
            ("GET", ["requests", id]) if is_id(id) => Self::Request(id),
            ("GET", ["requests", id, "replay"]) if is_id(id) => Self::Replay(id),
            ("GET", ["metrics"]) => Self::Metrics,
            ("GET", ["health"]) => Self::Health,
            // A target has slashes of its own.
            ("POST" | "PUT", ["health", _, ..]) => Self::Order(path.strip_prefix("health/")?),
            ("GET", ["config"]) => Self::Config,
            // The price book; what the operator wrote of it stands below.
            ("GET", ["prices"]) => Self::Prices,
            ("GET", ["prices", "document"]) => Self::Document("prices"),
            ("POST", ["explain"]) => Self::Explain,
            ("POST", ["simulate"]) => Self::Simulate,
            ("GET", ["tenants", tenant, "secrets"]) => Self::OwnKeys(tenant),
            ("PUT", ["tenants", tenant, "secrets", provider]) => Self::SetOwnKey { tenant, provider },
            ("DELETE", ["tenants", tenant, "secrets", provider]) => Self::DropOwnKey { tenant, provider },
            ("GET", ["usage"]) => Self::Usage,
            ("GET", ["audit"]) => Self::Audit,
            ("GET", ["audit", "verify"]) => Self::AuditVerify,
            ("GET", ["audit", "head"]) => Self::AuditHead,
            (_, ["keys", rest @ ..]) => Self::Keys(KeyCall::read(method, rest)?),
            ("GET", [name]) => Self::Document(document(name)?),
            ("PUT", [name]) => Self::PutDocument(document(name)?),
            _ => return None,
        })
    }
}

fn document(name: &str) -> Option<&'static str> {
    documents::NAMES.into_iter().find(|known| *known == name)
}

/// Our own ids, and nothing that means something in a query.
fn is_id(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

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

#[cfg(test)]
mod tests {
    use super::{Call, Found, find, keys::KeyCall};

    const ID: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn paths_are_calls() {
        for (method, path, found) in [
            ("GET", "/requests", Found::Call(Call::Requests)),
            ("GET", "/requests/", Found::Call(Call::Requests)),
            ("GET", "/requests/req_1a", Found::Call(Call::Request("req_1a"))),
            ("GET", "/requests/a&limit=9", Found::Nothing),
            ("GET", "/requests/a/b", Found::Nothing),
            ("GET", "/requests/req_1a/replay", Found::Call(Call::Replay("req_1a"))),
            ("GET", "/requests/a&b/replay", Found::Nothing),
            ("POST", "/explain", Found::Call(Call::Explain)),
            ("GET", "/explain", Found::Allowed("POST".to_owned())),
            ("POST", "/simulate/", Found::Call(Call::Simulate)),
            ("GET", "/metrics", Found::Call(Call::Metrics)),
            ("GET", "/health", Found::Call(Call::Health)),
            ("DELETE", "/health/", Found::Allowed("GET".to_owned())),
            ("POST", "/health/acme", Found::Call(Call::Order("acme"))),
            ("GET", "/health/acme", Found::Allowed("POST, PUT".to_owned())),
            ("PUT", "/health/acme/large/2", Found::Call(Call::Order("acme/large/2"))),
            ("POST", "/health/acme%231/", Found::Call(Call::Order("acme%231"))),
            ("GET", "/config", Found::Call(Call::Config)),
            ("GET", "/tenants/acme/secrets", Found::Call(Call::OwnKeys("acme"))),
            ("PUT", "/tenants/acme/secrets/openai", Found::Call(Call::SetOwnKey { tenant: "acme", provider: "openai" })),
            ("DELETE", "/tenants/a%20b/secrets/x/", Found::Call(Call::DropOwnKey { tenant: "a%20b", provider: "x" })),
            ("GET", "/tenants/acme/secrets/openai", Found::Allowed("PUT, DELETE".to_owned())),
            ("GET", "/prices", Found::Call(Call::Prices)),
            ("GET", "/prices/document", Found::Call(Call::Document("prices"))),
            ("PUT", "/prices", Found::Call(Call::PutDocument("prices"))),
            ("GET", "/usage", Found::Call(Call::Usage)),
            ("GET", "/audit", Found::Call(Call::Audit)),
            ("GET", "/audit/verify", Found::Call(Call::AuditVerify)),
            ("GET", "/audit/head", Found::Call(Call::AuditHead)),
            ("DELETE", "/audit", Found::Allowed("GET".to_owned())),
            ("GET", "/keys", Found::Call(Call::Keys(KeyCall::List))),
            ("POST", "/keys/", Found::Call(Call::Keys(KeyCall::Create))),
            ("DELETE", "/keys", Found::Allowed("GET, POST".to_owned())),
            ("GET", &format!("/keys/{ID}"), Found::Call(Call::Keys(KeyCall::Show(ID)))),
            ("POST", &format!("/keys/{ID}"), Found::Allowed("GET, PUT, PATCH, DELETE".to_owned())),
            ("POST", &format!("/keys/{ID}/rotate"), Found::Call(Call::Keys(KeyCall::Rotate(ID)))),
            ("GET", "/keys/ABCDEF", Found::Nothing),
            ("GET", "/routes", Found::Call(Call::Document("routes"))),
            ("PUT", "/budgets", Found::Call(Call::PutDocument("budgets"))),
            ("DELETE", "/routes", Found::Allowed("GET, PUT".to_owned())),
            ("GET", "/config@good", Found::Nothing),
            ("GET", "", Found::Nothing),
        ] {
            assert_eq!(find(method, path), found, "{method} {path}");
        }
    }
}
