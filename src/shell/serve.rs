//! One request, from its head to the answer that goes out. What is decided comes from the core.

use std::{cell::RefCell, rc::Rc};

use serde_json::{Map, Value};
use wasm_bindgen::JsValue;
use worker::{
    Context, Env,
    web_sys::{Request, Response},
};

use super::{
    admin, cache, clock, cors,
    drive::{self, Driven, Ways},
    edge, forward,
    head::Head,
    health_object,
    isolate::{self, Loaded},
    listing, outlet, own_keys,
    settle::{self, Settlement},
    store,
    till::{self, Ticket},
};
use crate::{
    cache::Slot,
    config::Snapshot,
    dialect::{
        Caller, Dialect, Endpoint, Facts,
        openai_chat::OpenAiChat,
        surface::{self, Line, Place, Surface},
    },
    error::{Error, Kind},
    exchange::{
        Call, Exchange, Relaying, Task, operate,
        reply::{self, Body, Reply},
    },
    features::{self, Features},
    guard::{self, Door, Found},
    ledger::record::{Early, Unplanned},
    plan::{self, Ask, KeyHolder, Plan, Wishes},
    units::Millis,
    wire::json::Outline,
};

pub async fn serve(request: &Request, env: &Env, context: &Context) -> Response {
    let head = Head::read(request);
    let line = Line { method: &head.method, path: &head.path, query: &head.query, headers: &head.headers };
    match surface::read(line) {
        Surface::Generate { dialect, place } => {
            answer(request, env, context, head, Job { dialect, task: Task::Generate, place }).await
        }
        Surface::Operate { operation, dialect, place } => {
            let task = Task::Operate(operation);
            answer(request, env, context, head, Job { dialect, task, place }).await
        }
        Surface::Stored { what, id, rest } => forward::stored(request, env, context, &head, (what, &id, &rest)).await,
        Surface::Passthrough { provider, path } => forward::passthrough(request, env, context, &head, (&provider, &path)).await,
        Surface::Models { dialect, id } => listing::models(env, context, &head, dialect, id.as_deref()).await,
        Surface::Hello => text(200, "text/plain", ""),
        Surface::Root => text(200, "text/plain; charset=utf-8", ROOT),
        Surface::Live => text(200, "application/json", r#"{"ok":true}"#),
        Surface::Ready => admin::ready(&store::current(env, context, &head.region, head.started).await),
        Surface::Admin(path) => admin::serve(request, env, context, &head, &path).await,
        Surface::Preflight => cors::preflight(&store::current(env, context, &head.region, head.started).await, &head),
        Surface::Upgrade(dialect) => {
            let error = Error::new(Kind::UpgradeRequired, "WebSocket is not spoken here; send plain HTTP requests.");
            refuse(caller_of(dialect), &error, &head.id)
        }
        Surface::WrongMethod { dialect, allowed } => {
            let error = Error::new(Kind::MethodNotAllowed, format!("{} is not allowed here; use {allowed}.", head.method));
            let mut reply = reply::error(caller_of(dialect), &error, &head.id);
            reply.headers.push(("allow".to_owned(), allowed.to_owned()));
            respond(&reply, &JsValue::NULL)
        }
        Surface::Unknown(dialect) => {
            let error = Error::new(
                Kind::NotFound,
                format!("There is nothing at {} {}. `GET /` says what is here.", head.method, head.path),
            );
            refuse(caller_of(dialect), &error, &head.id)
        }
    }
}

const ROOT: &str = "Portolan, an AI gateway.\n\nSet the base URL of any OpenAI client to this address with /v1, of any Anthropic client to this address,\nand use your gateway key as its API key. Then:\n\ncurl $URL/v1/chat/completions -H \"Authorization: Bearer $GATEWAY_KEY\" -H \"Content-Type: application/json\" \\\n  -d '{\"model\":\"mock/echo\",\"messages\":[{\"role\":\"user\",\"content\":\"Hello\"}]}'\n";

/// What is to be done with a request's body.
struct Job {
    dialect: Dialect,
    task: Task,
    place: Place,
}

pub fn caller_of(dialect: Dialect) -> &'static dyn Caller {
    dialect.caller().unwrap_or(&OpenAiChat)
}

async fn answer(request: &Request, env: &Env, context: &Context, head: Head, job: Job) -> Response {
    let loaded = store::current(env, context, &head.region, head.started).await;
    let origin = cors::origin(&head);
    let endpoint = match job.task {
        Task::Generate => Endpoint::generate(job.dialect),
        Task::Operate(operation) => Endpoint::operate(operation),
    };
    let response = match admit(env, &head).await.and_then(|key| key.enter(endpoint, Some(job.dialect)).map(|()| key)) {
        Ok(key) => match own_keys::theirs(env, context, loaded.clone(), key.tenant.as_deref(), head.started).await {
            Ok(loaded) => admitted(request, env, context, &loaded, (head, job, key)).await,
            Err(error) => refuse(caller_of(job.dialect), &error, &head.id),
        },
        // Not in the journal: anybody could fill it.
        Err(error) => refuse(caller_of(job.dialect), &error, &head.id),
    };
    cors::with_cors(response, &loaded, origin.as_deref())
}

async fn admitted(
    request: &Request,
    env: &Env,
    context: &Context,
    loaded: &Loaded,
    (head, job, key): (Head, Job, guard::Caller),
) -> Response {
    let Job { dialect, task, place } = job;
    let caller = caller_of(dialect);
    let content_type = head.header("content-type").unwrap_or_default();
    let limits = (loaded.snapshot.settings.max_body_bytes, content_type);
    let read = read(request, (dialect, task, &place), limits, &head.headers).await;
    let read = read.and_then(|read| Ok(Read { wishes: read.wishes.within(key.overrides)?.strictly(key.zdr), ..read }));
    let asked = read.as_ref().map(|read| read.facts.model.clone()).unwrap_or_default();
    let continues = read.as_ref().ok().and_then(|read| read.facts.continues.clone());
    let owner = match &continues {
        Some(id) => forward::owner(env, id, &key).await,
        None => None,
    };
    let looked = match &read {
        Ok(Read { facts, wishes, bytes, .. }) => {
            cache::look(env, &loaded.snapshot, (&head, &key), (dialect, task), (facts, wishes, bytes)).await
        }
        Err(_) => Ok((None, None)),
    };
    let (slot, read) = match (looked, read) {
        (Ok((_, Some(stored))), Ok(read)) => {
            return cache::give(
                (env, context),
                &loaded.snapshot,
                (head, key),
                (dialect, task),
                (read.facts, read.wishes, stored),
            )
            .await;
        }
        (Ok((slot, _)), read) => (slot, read),
        (Err(error), _) => (None, Err(error)),
    };
    let planned = match &read {
        Ok(read) => planned(env, loaded, (&head, &key), (dialect, task), (read, owner.as_deref())).await,
        Err(error) => Err((error.clone(), None)),
    };
    match (read, planned) {
        (Ok(Read { body, bytes, facts, .. }), Ok((plan, inputs, held_ms))) => {
            if plan.probes().next().is_some() {
                health_object::tell(env, context, &head.region);
            }
            let Head { headers, id, seed, started, region, colo, .. } = head;
            let call = Call {
                id,
                dialect,
                task,
                caller,
                facts,
                body: Rc::new(bytes),
                headers,
                started,
                seed,
                payer: key.payer(),
                region,
                colo,
            };
            let mut exchange = Exchange::new(call, Rc::clone(&loaded.snapshot), plan).made_of(inputs);
            exchange.held(held_ms);
            if let Some(slot) = &slot {
                exchange = exchange.missed(slot);
            }
            let (admitted, standing) = till::admit(env, context, &exchange, &key, &loaded.snapshot).await;
            exchange.under_limits(standing);
            let ticket = match admitted {
                Ok(ticket) => Some(ticket),
                Err(error) => {
                    exchange.turn_away(&error, clock::now());
                    None
                }
            };
            run(request, env, context, (exchange, slot, ticket), &body).await
        }
        (Err(_), Ok(_)) => broken(),
        (_, Err((error, unplanned))) => {
            let trace = head.trace();
            let Head { id, started, region, .. } = head;
            let who = Early { id: id.clone(), trace, time: started, dialect, payer: key.payer(), asked, region, unplanned };
            settle::refused(env, context, (who, None), &error, &loaded.snapshot);
            refuse(caller, &error, &id)
        }
    }
}

/// What to try, and how long the request was held for it to be there.
async fn planned(
    env: &Env,
    loaded: &Loaded,
    (head, key): (&Head, &guard::Caller),
    (dialect, task): (Dialect, Task),
    (read, owner): (&Read, Option<&str>),
) -> Result<(Plan, Inputs, u64), (Error, Option<Unplanned>)> {
    let unplanned = |(error, inputs): (Error, Option<Inputs>)| {
        let unplanned = |inputs| Unplanned { task: task.name(), stream: read.facts.stream, inputs };
        (error, inputs.map(unplanned))
    };
    reply::check_continues(&read.facts, owner.is_some(), key.is_owner()).map_err(|error| (error, None))?;
    let features = features(caller_of(dialect), read, &loaded.snapshot).filter(|_| task == Task::Generate);
    let operation = match task {
        Task::Generate => None,
        Task::Operate(operation) => Some(operation),
    };
    let ask = Ask {
        owner,
        operation,
        features: features.as_ref(),
        origin: head.origin(),
        key: KeyHolder { name: &key.name, tags: &key.tags, providers: key.providers.as_deref() },
        headers: &head.headers,
        wishes: &read.wishes,
        ..Ask::generate(dialect, &read.facts)
    };
    let (mut plan, mut inputs) = plan(ask, loaded, (head, head.started), key).map_err(unplanned)?;
    let mut held_ms = 0;
    while let Some(wait) = plan.wait {
        let pause = wait.pause(head.started, clock::now()).map_err(|error| unplanned((error, Some(inputs.clone()))))?;
        edge::pause(pause).await;
        // Not on the way of a request that could be served.
        health_object::sync(env, &head.region).await;
        let now = clock::now();
        held_ms = now.since(head.started);
        (plan, inputs) = self::plan(ask, loaded, (head, now), key).map_err(unplanned)?;
    }
    Ok((plan, inputs, held_ms))
}

/// A body: kept in JS for sending, copied once for reading.
struct Read {
    body: JsValue,
    bytes: Vec<u8>,
    facts: Facts,
    wishes: Wishes,
}

async fn read(
    request: &Request,
    (dialect, task, place): (Dialect, Task, &Place),
    (limit, content_type): (u64, &str),
    headers: &[(String, String)],
) -> Result<Read, Error> {
    reply::check_encoding(headers)?;
    let body = edge::read_body(request, limit).await.ok_or_else(|| {
        let hint = "Send files as URLs or ids, or raise `max_body_bytes` in `settings`.";
        Error::new(Kind::TooLarge, format!("The body is larger than {limit} bytes. {hint}"))
    })?;
    let bytes = body.to_vec();
    let (facts, wishes) = match task {
        Task::Generate => {
            let outline = Outline::read(&bytes)?;
            (caller_of(dialect).facts(&outline)?, Wishes::read(&outline, headers)?)
        }
        Task::Operate(operation) => {
            (operate::facts(operation, dialect, &bytes, content_type)?, Wishes::besides(&bytes, headers)?)
        }
    };
    let facts = place.fill(facts);
    Ok(Read { body: body.into(), bytes, facts, wishes })
}

/// Of a body that cannot be read there are none; a target of its own dialect may take it all the same.
fn features(caller: &dyn Caller, read: &Read, config: &Snapshot) -> Option<Features> {
    if !plan::needs_features(&read.facts, &read.wishes, config, &read.bytes) {
        return None;
    }
    let text = std::str::from_utf8(&read.bytes).ok()?;
    caller.read_request(text).ok().map(|request| features::of(&request.value))
}

type Inputs = Map<String, Value>;

type Planned = Result<(Plan, Inputs), (Error, Option<Inputs>)>;

/// The plan, and what it was made of; that also where there is none, unless it was not asked for.
fn plan(ask: Ask<'_>, loaded: &Loaded, (head, now): (&Head, Millis), key: &guard::Caller) -> Planned {
    let config = &loaded.snapshot;
    key.permit_each(ask.named(), config).map_err(|error| (error, None))?;
    isolate::with_health(|health| {
        let view = health.view(now);
        let planned = plan::plan(ask, config, &view, now, head.seed);
        let mut inputs = plan::inputs::keep(ask, config, &view, planned.as_ref());
        plan::inputs::keep_held(&mut inputs, now.since(head.started));
        let plan = match planned {
            Ok(plan) => plan,
            Err(error) => return Err((error, Some(inputs))),
        };
        // In the same breath as the view that held the permits, so that they are still there.
        for cell in plan.probes() {
            health.take_probe(&cell, now);
        }
        Ok((plan, inputs))
    })
}

pub async fn admit(env: &Env, head: &Head) -> Result<guard::Caller, Error> {
    let presented = guard::presented(&head.headers, Some(&head.query));
    let gateway_key = store::own_secret(env, "GATEWAY_KEY", head.started).await;
    let mut entry = None;
    // Whose key is known, or nobody's, is not asked how often its neighbours guessed.
    let check = || isolate::with(|i| i.throttle.borrow().check(Door::Gateway, head.address(), head.started));
    if let Some(name) = presented.as_deref().and_then(|key| guard::needs_entry(key, gateway_key.as_deref())) {
        entry = match store::key_entry(env, &head.region, name, head.started, check).await? {
            Found::Entry(text) => Some(text),
            Found::Nothing => None,
            Found::Unreachable => return Err(guard::unreachable()),
        };
    }
    let any_entries = gateway_key.is_some() || entry.is_some() || store::any_key(env, head.started).await;
    let locks = guard::Locks { gateway_key: gateway_key.as_deref(), entry: entry.as_deref(), any_entries };
    let admitted = guard::admit(presented.as_deref(), locks, head.started);
    if presented.is_some() && entry.is_none() && admitted.is_err() {
        check()?;
        isolate::with(|i| i.throttle.borrow_mut().failed(Door::Gateway, head.address(), head.started));
    }
    admitted
}

async fn run(
    request: &Request,
    env: &Env,
    context: &Context,
    (exchange, slot, ticket): (Exchange, Option<Slot>, Option<Ticket>),
    body: &JsValue,
) -> Response {
    let is_patient = exchange.is_patient();
    let settlement = RefCell::new(Settlement::hold((exchange, slot, ticket), env, context));
    if is_patient {
        return outlet::patient(request, env, settlement, body).await;
    }
    let driven = drive::begin(Ways { request, env, body, settlement: &settlement }).await;
    conclude(request, env, settlement.into_inner(), driven)
}

/// The response to what has been decided.
pub fn conclude(request: &Request, env: &Env, settlement: Settlement, driven: Driven) -> Response {
    match driven {
        Driven::Stream(call, relaying) if relaying.relay.is_followed() => {
            outlet::follow(request, env, settlement, call, relaying)
        }
        Driven::Stream(call, relaying) => stream(&call, *relaying, settlement),
        Driven::Answer(reply, answer) => {
            settlement.end();
            respond(&reply, &answer)
        }
        Driven::Last(_) | Driven::Idle | Driven::Lost => broken(),
    }
}

fn stream(call: &edge::Call, relaying: Relaying, settlement: Settlement) -> Response {
    let relay = Rc::new(RefCell::new(relaying.relay));
    let (readable, done) = call.start(&relay, &relaying.rest);
    settlement.follow(relay, done);
    edge::response(200, &relaying.headers, &readable)
}

pub fn respond(reply: &Reply, answer: &JsValue) -> Response {
    match &reply.body {
        Body::Text(text) => edge::response(reply.status, &reply.headers, &JsValue::from_str(text)),
        Body::Upstream => edge::response(reply.status, &reply.headers, answer),
    }
}

pub fn refuse(caller: &dyn Caller, error: &Error, id: &str) -> Response {
    respond(&reply::error(caller, error, id), &JsValue::NULL)
}

/// One whose limits let it go no further.
pub fn turn_away(caller: &dyn Caller, error: &Error, id: &str, standing: Vec<(String, String)>) -> Response {
    let mut reply = reply::error(caller, error, id);
    reply.headers.extend(standing);
    respond(&reply, &JsValue::NULL)
}

pub fn broken() -> Response {
    text(500, "application/json", r#"{"error":{"message":"The gateway lost its place in this request.","type":"server_error"}}"#)
}

pub fn text(status: u16, content_type: &str, text: &str) -> Response {
    edge::response(status, &[("content-type".to_owned(), content_type.to_owned())], &JsValue::from_str(text))
}
