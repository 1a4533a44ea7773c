//! Calls that pass as they came: body and answer stream natively, and nobody looks inside.

use worker::{
    Context, Env,
    web_sys::{Request, Response},
};

use super::{
    edge,
    head::Head,
    isolate, journal_object, own_keys,
    serve::{admit, caller_of, refuse},
    settle, store,
    till::Ticket,
};
use crate::{
    chat::event::UpstreamError,
    config::Snapshot,
    dialect::{Dialect, Endpoint, surface::Kept},
    error::Error,
    exchange::{
        self,
        forward::{self, Forward},
    },
    guard,
    ledger::{entry::Opening, record::Early},
    plan::{Wishes, outcome},
};

/// `/passthrough/{provider}/…`
pub async fn passthrough(
    request: &Request,
    env: &Env,
    context: &Context,
    head: &Head,
    (provider, path): (&str, &str),
) -> Response {
    let way = (Endpoint::Passthrough, Dialect::OpenAiChat, "passthrough");
    send(request, env, context, head, way, async |config: &Snapshot| {
        forward::passthrough(config, provider, (path, &head.query), &head.headers)
    })
    .await
}

/// `/v1/responses/{id}…`, `/v1/videos/{id}…`
pub async fn stored(
    request: &Request,
    env: &Env,
    context: &Context,
    head: &Head,
    (what, id, rest): (Kept, &str, &str),
) -> Response {
    send(request, env, context, head, (Endpoint::Stored, what.dialect(), what.name()), async |config: &Snapshot| {
        let owner = owner(env, id).await;
        forward::stored(config, owner.as_deref(), (what, id, rest), &head.query, &head.headers)
    })
    .await
}

/// Who keeps a response: remembered here, or in the journal.
pub async fn owner(env: &Env, id: &str) -> Option<String> {
    if let Some(provider) = isolate::owner(id) {
        return Some(provider);
    }
    if !forward::is_id(id) {
        return None;
    }
    let found = journal_object::list(env, &format!("response={id}")).await.ok()?;
    let records: serde_json::Value = serde_json::from_str(&found).ok()?;
    records.get(0)?.get("provider")?.as_str().map(str::to_owned)
}

async fn send(
    request: &Request,
    env: &Env,
    context: &Context,
    head: &Head,
    (endpoint, dialect, what): (Endpoint, Dialect, &'static str),
    plan: impl AsyncFnOnce(&Snapshot) -> Result<Forward, Error>,
) -> Response {
    let loaded = store::current(env, context, &head.region, head.started).await;
    let permitted = |key: &guard::Caller| key.permit_all().and_then(|()| key.enter(endpoint, None));
    let key = match admit(env, head).await.and_then(|key| permitted(&key).map(|()| key)) {
        Ok(key) => key,
        Err(error) => return refuse(caller_of(dialect), &error, &head.id),
    };
    let loaded = match own_keys::theirs(env, context, loaded, key.tenant.as_deref(), head.started).await {
        Ok(loaded) => loaded,
        Err(error) => return refuse(caller_of(dialect), &error, &head.id),
    };
    let config = &loaded.snapshot;
    let zdr = key.zdr || config.settings.policy.zdr == Some(true);
    let permitted = Wishes::besides(&[], &head.headers)
        .and_then(|wishes| forward::permit(&head.method, endpoint == Endpoint::Stored, wishes.strictly(zdr).zdr));
    let early = Early {
        id: head.id.clone(),
        time: head.started,
        dialect,
        payer: key.payer(),
        asked: what.to_owned(),
        region: head.region.clone(),
        unplanned: None,
    };
    let planned = match permitted {
        Ok(()) => plan(config).await.and_then(|forward| key.permit_provider(&forward.provider).map(|()| forward)),
        Err(error) => Err(error),
    };
    let mut ticket = None;
    let called = match planned {
        Ok(forward) => {
            let opening = Opening::forwarded(&head.id, head.started, &early.payer, (what, &forward.provider));
            ticket = Some(Ticket::open(env, context, &early.payer.tenant, opening));
            call(request, &forward, config.settings.timeouts.total_ms).await.map(|(call, answer)| (forward, call, answer))
        }
        Err(error) => Err(error),
    };
    match called {
        Ok((forward, call, answer)) => {
            settle::forwarded(env, context, (early, ticket), (&forward.provider, answer.status), config);
            let mut headers = forward::answered(&answer.headers);
            headers.extend([("x-request-id", &head.id), ("x-portolan-provider", &forward.provider)].map(own));
            edge::response(answer.status, &headers, &call.body())
        }
        Err(error) => {
            settle::refused(env, context, (early, ticket), &error, config);
            refuse(caller_of(dialect), &error, &head.id)
        }
    }
}

async fn call(request: &Request, forward: &Forward, total_ms: u64) -> Result<(edge::Call, exchange::Head), Error> {
    let call = edge::Call::new(request);
    let answered = call.forward(request, &forward.url, &forward.headers, total_ms).await;
    let told = |transport| outcome::of_transport(transport).to_error(&forward.provider, &UpstreamError::default());
    answered.map_err(told).map(|answer| (call, answer))
}

fn own((name, value): (&str, &String)) -> (String, String) {
    (name.to_owned(), value.clone())
}
