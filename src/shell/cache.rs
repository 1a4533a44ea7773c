//! The response cache in KV: what is stored there is sealed, and opens under its own name only.

use js_sys::{Promise, Uint8Array};
use wasm_bindgen::{JsCast, JsValue, prelude::wasm_bindgen};
use worker::{Context, Env, console_error, wasm_bindgen_futures::JsFuture, web_sys::Response};

use super::{
    bindings, clock,
    crypt::{self, Locked, Purpose},
    head::Head,
    serve::{caller_of, respond, turn_away},
    settle,
    till::Claim,
};
use crate::{
    cache::{Question, Slot, Stored},
    config::Snapshot,
    dialect::{Dialect, Facts},
    error::Error,
    exchange::{
        Task, owed, reply,
        traced::{TRACEPARENT, traced},
    },
    guard,
    ledger::{
        entry::Opening,
        record::{Early, Given},
    },
    plan::{Ask, KeyHolder, Wishes, inputs},
};

#[wasm_bindgen(module = "/src/shell/bindings.js")]
extern "C" {
    #[wasm_bindgen(js_name = cacheGet)]
    fn cache_get(env: &JsValue, name: &str) -> Promise;
    #[wasm_bindgen(js_name = cachePut)]
    fn cache_put(env: &JsValue, name: &str, bytes: &Uint8Array, seconds: f64) -> Promise;
}

const NAMESPACE: &str = "CACHE";
const SECRET: &str = "ENCRYPTION_SECRET";

/// Whether there is a place for answers, and a key to seal them with.
fn is_there(env: &Env) -> bool {
    has_namespace(env) && has_secret(env)
}

fn has_namespace(env: &Env) -> bool {
    bindings::binding(env, NAMESPACE).is_object()
}

/// Of the Worker, or of the Secrets Store.
fn has_secret(env: &Env) -> bool {
    bindings::secret(env, SECRET).is_some() || bindings::binding(env, SECRET).is_object()
}

/// What keeps a cache that is configured from being one.
pub fn warning(env: &Env, config: &Snapshot) -> Option<String> {
    crate::cache::warning(config, has_namespace(env), has_secret(env))
}

/// Where the answer to a request stands or will, and the answer if it is there. Only for who may use what it names.
pub async fn look(
    env: &Env,
    config: &Snapshot,
    (head, key): (&Head, &guard::Caller),
    (dialect, task): (Dialect, Task),
    (facts, wishes, body): (&Facts, &Wishes, &[u8]),
) -> Result<(Option<Slot>, Option<Stored>), Error> {
    let operation = match task {
        Task::Generate => None,
        Task::Operate(operation) => Some(operation),
    };
    let ask = Ask {
        origin: head.origin(),
        key: KeyHolder { name: &key.name, tags: &key.tags, providers: key.providers.as_deref() },
        headers: &head.headers,
        wishes,
        ..Ask::generate(dialect, facts)
    };
    let model = wishes.route.as_deref().unwrap_or(&facts.model);
    if crate::cache::rule(config.routes.get(model), config).is_none() && head.header(crate::cache::HEADER).is_none() {
        return Ok((None, None));
    }
    let payer = key.payer();
    let mut place = inputs::looked_at(ask, config);
    // Nor an answer of a provider that the key may not use any more.
    place.extend(key.providers.iter().flatten().map(|name| ("provider", name.as_str())));
    let question = Question {
        key: &key.id,
        tenant: &payer.tenant,
        dialect,
        operation,
        model,
        facts,
        zdr: wishes.zdr,
        headers: &head.headers,
        place: &place,
        body,
    };
    let slot = crate::cache::slot(question, config)?.filter(|_| is_there(env));
    let Some(slot) = slot else { return Ok((None, None)) };
    key.permit_each(ask.named(), config)?;
    let stored = if slot.reads { find(env, &slot).await } else { None };
    Ok((Some(slot), stored))
}

/// An answer from the cache: no provider is asked. It is a request like any other, of no tokens and no cost.
pub async fn give(
    (env, context): (&Env, &Context),
    config: &Snapshot,
    (head, key): (Head, guard::Caller),
    (dialect, task): (Dialect, Task),
    (facts, wishes, stored): (Facts, Wishes, Stored),
) -> Response {
    let route = wishes.route.unwrap_or_else(|| facts.model.clone());
    let trace = head.trace();
    let traced = traced(config.settings.traces(), &trace, head.header(TRACEPARENT), None);
    let client_id = head.header("x-request-id").map(str::to_owned);
    let Head { id, started, region, .. } = head;
    let payer = key.payer();
    let user = facts.user.as_deref();
    let opening = || Opening { model: stored.model.clone(), ..Opening::passed(&id, started, &payer, (&route, &stored.provider)) };
    let opening = || Opening { user: user.map(owed::user).unwrap_or_default(), ..opening() };
    let claim = Claim { key: &key, payer: &payer, user, dialect, config };
    let (admitted, standing) = claim.admit(env, context, opening, || (opening(), true)).await;
    let who = Early { id: id.clone(), trace, time: started, dialect, payer, asked: facts.model, region, unplanned: None };
    let ticket = match admitted {
        Ok(ticket) => ticket,
        Err(error) => {
            settle::refused(env, context, (who, None), &error, config);
            return turn_away(caller_of(dialect), &error, &id, standing);
        }
    };
    let said = (client_id.as_deref(), traced);
    let mut reply = reply::replayed(&stored, (&id, &route), said, clock::now().since(started));
    reply.headers.extend(standing);
    let body = Uint8Array::from(stored.body.as_slice());
    let Stored { provider, model, answered_by, usage, estimated, .. } = stored;
    let given = Given { provider, model, answered_by, usage, estimated, stream: facts.stream };
    settle::given(env, context, (who, ticket), (task, &route, given), config);
    respond(&reply, &body)
}

/// The answer that stands in a slot. Whatever goes wrong, there is none: the request is made as if it were the first.
async fn find(env: &Env, slot: &Slot) -> Option<Stored> {
    let sealed: Uint8Array = JsFuture::from(cache_get(env, &slot.name)).await.ok()?.dyn_into().ok()?;
    match crypt::open(env, Purpose::Cache, &slot.name, &sealed).await {
        Ok(bytes) => Stored::read(&bytes.to_vec(), clock::now()),
        // Sealed under a secret that was replaced: it is written anew.
        Err(Locked::Foreign) => None,
        Err(error) => {
            console_error!("the response cache cannot be read: {error}");
            None
        }
    }
}

/// Puts an answer into its slot. The answer has been given: what goes wrong here is the operator's to know.
pub async fn keep(env: &Env, slot: &Slot, stored: &Stored) {
    let bytes = Uint8Array::from(stored.to_bytes().as_slice());
    let sealed = match crypt::seal(env, Purpose::Cache, &slot.name, &bytes).await {
        Ok(sealed) => sealed,
        Err(error) => return console_error!("the response cache cannot be written: {error}"),
    };
    let seconds = f64::from(u32::try_from(slot.ttl_s).unwrap_or(u32::MAX));
    if let Err(error) = JsFuture::from(cache_put(env, &slot.name, &sealed, seconds)).await {
        console_error!("an answer could not be kept: {}", error.as_string().unwrap_or_default());
    }
}
