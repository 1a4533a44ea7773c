//! Which calls there are: one table, read by whoever dispatches and by whoever describes.

use super::{documents, keys::KeyCall};
use crate::guard;

/// A path below `/admin/v1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call<'a> {
    /// Records, newest first.
    Requests,
    /// The record of one id.
    Request(&'a str),
    /// The decision of one request, made again.
    Replay(&'a str),
    /// Counters and times of a window.
    Metrics,
    /// What the regions' objects know.
    Health,
    /// The operator's word on a target.
    Order(&'a str),
    Config,
    /// What was in force of a document, newest first.
    Versions,
    /// One of them.
    Version(&'a str),
    /// What it changed.
    Diff(&'a str),
    /// It is put in force again.
    Revert(&'a str),
    /// What models cost, and who says so.
    Prices,
    /// What would become of a request.
    Explain,
    /// The same with faults.
    Simulate,
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
    /// What a document may say.
    Schema(&'static str),
    /// What these calls are.
    OpenApi,
}

/// What stands at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found<'a> {
    Call(Call<'a>),
    /// Something, but by these methods.
    Allowed(String),
    Nothing,
}

/// What stands in a path at its template's names, in order.
type Names<'a> = [&'a str; 2];
type Make = for<'a> fn(Names<'a>) -> Option<Call<'a>>;

/// A target has slashes of its own: it is the rest of the path.
const REST: &str = "{target}";

/// Method, path and call. The first that fits holds: `prices` is the price book, and no document.
#[rustfmt::skip]
pub(super) static CALLS: [(&str, &str, Make); 37] = [
    ("GET", "requests", |_| Some(Call::Requests)),
    ("GET", "requests/{id}", |[id, _]| is_id(id).then_some(Call::Request(id))),
    ("GET", "requests/{id}/replay", |[id, _]| is_id(id).then_some(Call::Replay(id))),
    ("GET", "metrics", |_| Some(Call::Metrics)),
    ("GET", "health", |_| Some(Call::Health)),
    ("POST", "health/{target}", |[target, _]| Some(Call::Order(target))),
    ("PUT", "health/{target}", |[target, _]| Some(Call::Order(target))),
    ("GET", "config", |_| Some(Call::Config)),
    ("GET", "config/versions", |_| Some(Call::Versions)),
    ("GET", "config/versions/{version}", |[version, _]| number(version).map(Call::Version)),
    ("GET", "config/versions/{version}/diff", |[version, _]| number(version).map(Call::Diff)),
    ("POST", "config/versions/{version}/revert", |[version, _]| number(version).map(Call::Revert)),
    ("GET", "prices", |_| Some(Call::Prices)),
    ("GET", "prices/document", |_| Some(Call::Document("prices"))),
    ("POST", "explain", |_| Some(Call::Explain)),
    ("POST", "simulate", |_| Some(Call::Simulate)),
    ("GET", "tenants/{tenant}/secrets", |[tenant, _]| Some(Call::OwnKeys(tenant))),
    ("PUT", "tenants/{tenant}/secrets/{provider}", |[tenant, provider]| Some(Call::SetOwnKey { tenant, provider })),
    ("DELETE", "tenants/{tenant}/secrets/{provider}", |[tenant, provider]| Some(Call::DropOwnKey { tenant, provider })),
    ("GET", "usage", |_| Some(Call::Usage)),
    ("GET", "audit", |_| Some(Call::Audit)),
    ("GET", "audit/verify", |_| Some(Call::AuditVerify)),
    ("GET", "audit/head", |_| Some(Call::AuditHead)),
    ("GET", "keys", |_| Some(Call::Keys(KeyCall::List))),
    ("POST", "keys", |_| Some(Call::Keys(KeyCall::Create))),
    ("GET", "keys/{key}", |[id, _]| key(id, KeyCall::Show)),
    ("PUT", "keys/{key}", |[id, _]| key(id, KeyCall::Replace)),
    ("PATCH", "keys/{key}", |[id, _]| key(id, KeyCall::Patch)),
    ("DELETE", "keys/{key}", |[id, _]| key(id, KeyCall::Delete)),
    ("POST", "keys/{key}/rotate", |[id, _]| key(id, KeyCall::Rotate)),
    ("POST", "keys/{key}/disable", |[id, _]| key(id, KeyCall::Disable)),
    ("POST", "keys/{key}/enable", |[id, _]| key(id, KeyCall::Enable)),
    ("GET", "openapi.json", |_| Some(Call::OpenApi)),
    ("GET", "schema/key", |_| Some(Call::Schema("key"))),
    ("GET", "schema/{document}", |[name, _]| documents::named(name).map(Call::Schema)),
    ("GET", "{document}", |[name, _]| documents::named(name).map(Call::Document)),
    ("PUT", "{document}", |[name, _]| documents::named(name).map(Call::PutDocument)),
];

/// What a request below `/admin/v1` asks for.
pub fn find<'a>(method: &str, path: &'a str) -> Found<'a> {
    let path = path.trim_matches('/');
    let mut allowed = vec![];
    for (known, template, make) in &CALLS {
        let Some(call) = fit(template, path).and_then(make) else { continue };
        if *known == method {
            return Found::Call(call);
        }
        allowed.push(*known);
    }
    if allowed.is_empty() { Found::Nothing } else { Found::Allowed(allowed.join(", ")) }
}

/// What stands in a path where its template has names.
fn fit<'a>(template: &str, path: &'a str) -> Option<Names<'a>> {
    let (mut names, mut rest) = ([""; 2], Some(path));
    let mut free = names.iter_mut();
    for part in template.split('/') {
        let left = rest?;
        if part == REST {
            *free.next()? = left;
            return (!left.is_empty()).then_some(names);
        }
        let (here, after) = left.split_once('/').map_or((left, None), |(here, after)| (here, Some(after)));
        if part.starts_with('{') && !here.is_empty() {
            *free.next()? = here;
        } else if part != here {
            return None;
        }
        rest = after;
    }
    rest.is_none().then_some(names)
}

/// Our own ids, and nothing that means something in a query.
fn is_id(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// Versions are counted.
fn number(text: &str) -> Option<&str> {
    text.bytes().all(|b| b.is_ascii_digit()).then_some(text)
}

fn key<'a>(id: &'a str, call: fn(&'a str) -> KeyCall<'a>) -> Option<Call<'a>> {
    guard::is_id(id).then(|| Call::Keys(call(id)))
}

#[cfg(test)]
mod tests {
    use super::{Call, Found, find};
    use crate::admin::keys::KeyCall;

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
            ("GET", "/config/versions", Found::Call(Call::Versions)),
            ("GET", "/config/versions/12/", Found::Call(Call::Version("12"))),
            ("GET", "/config/versions/12/diff", Found::Call(Call::Diff("12"))),
            ("POST", "/config/versions/12/revert", Found::Call(Call::Revert("12"))),
            ("GET", "/config/versions/12/revert", Found::Allowed("POST".to_owned())),
            ("GET", "/config/versions/x", Found::Nothing),
            ("GET", "/schema/key", Found::Call(Call::Schema("key"))),
            ("GET", "/schema/prices", Found::Call(Call::Schema("prices"))),
            ("GET", "/schema/keys", Found::Nothing),
            ("GET", "/openapi.json", Found::Call(Call::OpenApi)),
            ("TRACE", "/openapi.json", Found::Allowed("GET".to_owned())),
            ("GET", "/tenants//secrets", Found::Nothing),
            ("GET", "/config@good", Found::Nothing),
            ("GET", "", Found::Nothing),
        ] {
            assert_eq!(find(method, path), found, "{method} {path}");
        }
    }
}
