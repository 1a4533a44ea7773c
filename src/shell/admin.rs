//! The operator's calls, for whoever holds `ADMIN_TOKEN`.

use serde_json::Value;
use wasm_bindgen::JsValue;
use worker::{
    Context, Env,
    web_sys::{Request, Response},
};

use super::{
    admin_write, audit, bindings, cache, edge,
    head::Head,
    health_object,
    isolate::{self, Loaded},
    journal_object, metrics_object, own_keys, store, usage, versions,
};
use crate::{
    admin::{
        self, Asked, Call, Found,
        health::{self, Order},
        prices,
    },
    audit::{Change, OPERATOR},
    error::{Error, Kind},
    guard::{self, Door},
    plan::{inputs::Origin, region},
    wire::percent,
};

/// Bytes of a body: a word on a target is a hundred.
const MAX_BODY: u64 = 4_096;
/// Bytes of a body with a provider's key: a service account's file is a quarter of it.
const MAX_KEY_BODY: u64 = 16_384;

pub fn ready(loaded: &Loaded) -> Response {
    let status = if loaded.problems.is_empty() { 200 } else { 503 };
    answer(status, &admin::readiness(&loaded.snapshot, &loaded.problems))
}

pub async fn serve(request: &Request, env: &Env, context: &Context, head: &Head, path: &str) -> Response {
    let token = store::own_secret(env, "ADMIN_TOKEN", head.started).await;
    // Also of the right one: otherwise it could be guessed on.
    if let Err(error) = isolate::with(|i| i.throttle.borrow().check(Door::Admin, head.address(), head.started)) {
        return told(Err(error));
    }
    if !guard::is_operator(&head.headers, token.as_deref()) {
        if guard::presented(&head.headers, None).is_some() {
            isolate::with(|i| i.throttle.borrow_mut().failed(Door::Admin, head.address(), head.started));
        }
        let hint = if token.is_some() {
            "Send `Authorization: Bearer` with the admin token."
        } else {
            "No admin token is set: run `wrangler secret put ADMIN_TOKEN`."
        };
        return answer(401, &admin::error(hint));
    }
    if let Err(error) = guard::check_operator_page(&head.method, &head.site, &head.headers) {
        return told(Err(error));
    }
    let call = match admin::find(&head.method, path) {
        Found::Call(call) => call,
        Found::Allowed(methods) => {
            let body = JsValue::from_str(&admin::error(&format!("Send {methods} here.")));
            let headers = [("content-type", "application/json".to_owned()), ("allow", methods)];
            return edge::response(405, &headers.map(|(name, value)| (name.to_owned(), value)), &body);
        }
        Found::Nothing => return answer(404, &admin::error("There is no such admin call.")),
    };
    let found: Result<String, String> = match call {
        Call::Requests => return told(journal_object::list(env, &head.query).await),
        Call::Request(id) => {
            let found = journal_object::find(env, id, &head.query).await;
            return told(found.map(|record| format!("{{\"data\":[{record}]}}")));
        }
        Call::Metrics => return told(metrics_object::report(env, head).await),
        Call::Health => match health::asked(&head.query) {
            Ok((regions, true)) => Ok(health::gathered(&health_object::history(env, &regions).await)),
            Ok((regions, false)) => Ok(health::gathered(&health_object::all(env, &regions, "").await)),
            Err(error) => return told(Err(error)),
        },
        Call::Order(target) => return told(order(request, env, head, target).await),
        Call::Config => {
            let loaded = store::current(env, context, &head.region, head.started).await;
            let more = [cache::warning(env, &loaded.snapshot), prices::warning(&loaded.snapshot, head.started)];
            Ok(admin::config(&loaded.snapshot, &loaded.problems, more.into_iter().flatten().collect()))
        }
        Call::Prices => {
            let loaded = store::current(env, context, &head.region, head.started).await;
            Ok(prices::list(&loaded.snapshot, head.started))
        }
        Call::Versions => return versions::list(env, head).await,
        Call::Version(version) => return versions::show(env, head, version).await,
        Call::Diff(version) => return versions::diff(env, head, version).await,
        Call::Revert(version) => return admin_write::revert(env, head, version).await,
        Call::Schema(name) => return asset(env, &format!("dashboard/schema/{name}.json"), "application/schema+json").await,
        Call::OpenApi => return asset(env, "openapi.json", "application/json").await,
        Call::Explain => return told(asked(request, env, context, head, admin::explain).await),
        Call::Simulate => return told(asked(request, env, context, head, admin::simulate).await),
        Call::Keys(call) => return admin_write::keys(request, env, head, call).await,
        Call::Document(name) => return admin_write::document(env, head, name).await,
        Call::PutDocument(name) => return admin_write::put_document(request, env, head, name).await,
        Call::Replay(id) => return told(replayed(env, context, head, id).await),
        Call::OwnKeys(tenant) => return told(own_keys::list(env, &percent::decoded(tenant)).await),
        Call::SetOwnKey { tenant, provider } | Call::DropOwnKey { tenant, provider } => {
            let whose = (percent::decoded(tenant), percent::decoded(provider));
            let loaded = store::current(env, context, &head.region, head.started).await;
            return told(own_key(request, env, &loaded, head, (&whose.0, &whose.1)).await);
        }
        Call::Usage => return usage::report(env, head).await.unwrap_or_else(|error| told(Err(error))),
        Call::Audit => return audit::list(env, &head.query).await,
        Call::AuditVerify => return audit::verify(env, &head.query).await,
        Call::AuditHead => return audit::head(env, &head.query).await,
    };
    found.map_or_else(|error| answer(500, &admin::error(&error)), |body| answer(200, &body))
}

async fn asset(env: &Env, path: &str, kind: &str) -> Response {
    let missing = "The Worker was deployed without its files: `cargo xtask build`, then deploy again.";
    bindings::asset(env, path, kind).await.unwrap_or_else(|| answer(404, &admin::error(missing)))
}

pub fn told(found: Result<String, Error>) -> Response {
    found.map_or_else(|error| refused(&error), |body| answer(200, &body))
}

fn refused(error: &Error) -> Response {
    let own = [("content-type", "application/json"), ("cache-control", "no-store")];
    let mut headers = own.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    headers.extend(error.retry_after_seconds().map(|seconds| ("retry-after".to_owned(), seconds.to_string())));
    edge::response(error.status, &headers, &JsValue::from_str(&admin::refusal(error)))
}

/// Brings a tenant's own key, or takes it away.
async fn own_key(request: &Request, env: &Env, loaded: &Loaded, head: &Head, whose: (&str, &str)) -> Result<String, Error> {
    let is_gone = head.method == "DELETE";
    let told = if is_gone {
        own_keys::drop(env, &loaded.snapshot, whose).await?
    } else {
        let body = edge::read_body(request, MAX_KEY_BODY).await;
        let body = body.ok_or_else(|| Error::new(Kind::TooLarge, "The body is larger than any key."))?.to_vec();
        own_keys::set(env, &loaded.snapshot, whose, std::str::from_utf8(&body).unwrap_or_default(), head.started).await?
    };
    let action = if is_gone { "delete" } else { "put" };
    let change = Change { action: action.to_owned(), what: "secret", name: whose.1.to_owned(), ..Change::default() };
    audit::note(env, head, whose.0, change).await?;
    Ok(told)
}

/// What would become of a request. Nothing is sent, and no permit for a probe is taken.
async fn asked(
    request: &Request,
    env: &Env,
    context: &Context,
    head: &Head,
    call: fn(&Asked<'_>) -> Result<String, Error>,
) -> Result<String, Error> {
    let loaded = store::current(env, context, &head.region, head.started).await;
    let limit = loaded.snapshot.settings.max_body_bytes;
    let body = edge::read_body(request, limit).await;
    let body = body.ok_or_else(|| Error::new(Kind::TooLarge, format!("The body is larger than {limit} bytes.")))?.to_vec();
    let text = std::str::from_utf8(&body).map_err(|_| Error::invalid("", "The body is not UTF-8."))?;
    let loaded = own_keys::theirs(env, context, loaded, admin::tenant_asked(text).as_deref(), head.started).await?;
    let place = head.origin();
    let origin = Origin { region: place.region.to_owned(), country: place.country.to_owned(), colo: place.colo.to_owned() };
    let health = isolate::with_health(|health| health.view(head.started));
    call(&Asked { text, config: &loaded.snapshot, health, origin, now: head.started, id: head.id.clone() })
}

async fn replayed(env: &Env, context: &Context, head: &Head, id: &str) -> Result<String, Error> {
    let missing = |words: String| Error::new(Kind::NotFound, words);
    let record = journal_object::find(env, id, &head.query).await?;
    let record = serde_json::from_str::<Value>(&record).unwrap_or_default();
    let version = admin::version(&record).unwrap_or_default();
    let loaded = store::current(env, context, &head.region, head.started).await;
    let config = if version.is_empty() { Some(loaded.snapshot) } else { store::past(env, version, &loaded.snapshot).await };
    let gone =
        || missing(format!("The configuration `{version}` of this request is no longer kept: it cannot be decided again."));
    let config = config.ok_or_else(gone)?;
    admin::replay(record, &config)
}

/// Tells the regions' objects the operator's word; what they know then is the answer.
async fn order(request: &Request, env: &Env, head: &Head, target: &str) -> Result<String, Error> {
    let body = edge::read_body(request, MAX_BODY).await.map(|bytes| bytes.to_vec()).unwrap_or_default();
    let order = Order::read(target, std::str::from_utf8(&body).unwrap_or_default())?;
    let regions = order.region.map_or_else(|| region::ALL.to_vec(), |region| vec![region]);
    let answers = health_object::all(env, &regions, &order.message()).await;
    audit::note(env, head, OPERATOR, order.change()).await?;
    Ok(health::gathered(&answers))
}

fn answer(status: u16, body: &str) -> Response {
    let headers = [("content-type", "application/json"), ("cache-control", "no-store")];
    edge::response(status, &headers.map(|(name, value)| (name.to_owned(), value.to_owned())), &JsValue::from_str(body))
}
