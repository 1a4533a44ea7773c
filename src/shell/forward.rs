//! Calls that pass as they came: body and answer stream natively, and nobody looks inside.

use worker::{
    Context, Env,
    web_sys::{Request, Response},
};

use super::{
    edge, isolate, journal_object,
    serve::{Head, admit, caller_of, refuse},
    settle, store,
};
use crate::{
    chat::event::UpstreamError,
    dialect::{Dialect, surface::Kept},
    error::Error,
    exchange::forward::{self, Forward},
    ledger::record::Early,
    plan::outcome,
};

/// `/passthrough/{provider}/…`
pub async fn passthrough(
    request: &Request,
    env: &Env,
    context: &Context,
    head: &Head,
    (provider, path): (&str, &str),
) -> Response {
    let dialect = Dialect::OpenAiChat;
    let key = match admit(env, head).await.and_then(|key| key.permit_all().map(|()| key)) {
        Ok(key) => key.name,
        Err(error) => return refuse(caller_of(dialect), &error, &head.id),
    };
    let loaded = store::current(env, context, &head.region, head.started).await;
    let planned = forward::passthrough(&loaded.snapshot, provider, (path, &head.query), &head.headers);
    send(request, env, context, head, (dialect, key, "passthrough"), planned).await
}

/// `/v1/responses/{id}…`, `/v1/videos/{id}…`
pub async fn stored(
    request: &Request,
    env: &Env,
    context: &Context,
    head: &Head,
    (what, id, rest): (Kept, &str, &str),
) -> Response {
    let dialect = what.dialect();
    let key = match admit(env, head).await.and_then(|key| key.permit_all().map(|()| key)) {
        Ok(key) => key.name,
        Err(error) => return refuse(caller_of(dialect), &error, &head.id),
    };
    let loaded = store::current(env, context, &head.region, head.started).await;
    let owner = owner(env, id).await;
    let planned = forward::stored(&loaded.snapshot, owner.as_deref(), (what, id, rest), &head.query, &head.headers);
    send(request, env, context, head, (dialect, key, what.name()), planned).await
}

/// Who keeps a response: remembered here, or in the journal.
pub async fn owner(env: &Env, id: &str) -> Option<String> {
    if let Some(provider) = isolate::owner(id) {
        return Some(provider);
    }
    let is_id = id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'));
    let found = journal_object::list(env, &format!("response={id}")).await.ok().filter(|_| is_id)?;
    let records: serde_json::Value = serde_json::from_str(&found).ok()?;
    records.get(0)?.get("provider")?.as_str().map(str::to_owned)
}

async fn send(
    request: &Request,
    env: &Env,
    context: &Context,
    head: &Head,
    (dialect, key, what): (Dialect, String, &'static str),
    planned: Result<Forward, Error>,
) -> Response {
    let loaded = store::current(env, context, &head.region, head.started).await;
    let early =
        Early { id: head.id.clone(), time: head.started, dialect, key, asked: what.to_owned(), region: head.region.clone() };
    let forward = match planned {
        Ok(forward) => forward,
        Err(error) => {
            settle::refused(env, context, early, &error, &loaded.snapshot);
            return refuse(caller_of(dialect), &error, &head.id);
        }
    };
    let call = edge::Call::new(request);
    let total_ms = loaded.snapshot.settings.timeouts.total_ms;
    match call.forward(request, &forward.url, &forward.headers, total_ms).await {
        Ok(answered) => {
            settle::forwarded(env, context, early, (&forward.provider, answered.status), &loaded.snapshot);
            let mut headers = forward::answered(&answered.headers);
            headers.extend([("x-request-id", &head.id), ("x-portolan-provider", &forward.provider)].map(own));
            edge::response(answered.status, &headers, &call.body())
        }
        Err(transport) => {
            let error = outcome::of_transport(transport).to_error(&forward.provider, &UpstreamError::default());
            settle::refused(env, context, early, &error, &loaded.snapshot);
            refuse(caller_of(dialect), &error, &head.id)
        }
    }
}

fn own((name, value): (&str, &String)) -> (String, String) {
    (name.to_owned(), value.clone())
}
