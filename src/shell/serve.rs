//! One request, from its head to the answer that goes out. What is decided comes from the core.

use std::{cell::RefCell, rc::Rc};

use js_sys::Uint8Array;
use wasm_bindgen::JsValue;
use worker::{
    Context, Env,
    web_sys::{Request, Response},
};

use super::{
    admin, bindings, clock, cors, edge, forward, google,
    head::Head,
    isolate::{self, Loaded},
    outlet,
    settle::{self, Settlement},
    store,
};
use crate::{
    catalog::AI_BINDING,
    config::Snapshot,
    dialect::{
        Caller, Dialect, Facts,
        openai_chat::OpenAiChat,
        surface::{self, Line, Place, Surface},
    },
    error::{Error, Kind},
    exchange::{
        self, Call, Exchange, Received, Relaying, Send, Sendable, Step, Task,
        authority::Sign,
        models, operate,
        reply::{self, Body, Reply},
    },
    features::{self, Features},
    guard,
    ledger::record::Early,
    plan::{self, Ask, KeyHolder, Plan, Wishes, outcome::Transport},
    wire::json::Outline,
};

/// Bytes of a provider's whole answer: more than any text or inline image, less than an isolate can bear.
const MAX_ANSWER: u64 = 64 << 20;

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
        Surface::Models { dialect, id } => listed(env, context, &head, dialect, id.as_deref()).await,
        Surface::Hello => text(200, "text/plain", ""),
        Surface::Root => text(200, "text/plain; charset=utf-8", ROOT),
        Surface::Live => text(200, "application/json", r#"{"ok":true}"#),
        Surface::Ready => admin::ready(&store::current(env, context, &head.region, head.started).await),
        Surface::Admin(path) => admin::serve(env, context, &head, &path).await,
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
    let response = match admit(env, &head).await {
        Ok(key) => admitted(request, env, context, &loaded, (head, job, key)).await,
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
    let asked = read.as_ref().map(|read| read.facts.model.clone()).unwrap_or_default();
    let continues = read.as_ref().ok().and_then(|read| read.facts.continues.clone());
    let owner = match &continues {
        Some(id) => forward::owner(env, id).await,
        None => None,
    };
    let operation = match task {
        Task::Generate => None,
        Task::Operate(operation) => Some(operation),
    };
    let planned = read.and_then(|read| {
        reply::check_continues(&read.facts)?;
        let features = features(caller, &read, &loaded.snapshot).filter(|_| task == Task::Generate);
        let ask = Ask {
            owner: owner.as_deref(),
            operation,
            features: features.as_ref(),
            origin: head.origin(),
            key: KeyHolder { name: &key.name, tags: &key.tags },
            headers: &head.headers,
            wishes: &read.wishes,
            ..Ask::generate(dialect, &read.facts)
        };
        let plan = plan(ask, loaded, &head, &key)?;
        Ok((read, plan))
    });
    match planned {
        Ok((Read { body, bytes, facts, .. }, plan)) => {
            let Head { headers, id, seed, started, region, .. } = head;
            let call =
                Call { id, dialect, task, caller, facts, body: Rc::new(bytes), headers, started, seed, key: key.name, region };
            run(request, env, context, Exchange::new(call, Rc::clone(&loaded.snapshot), plan), &body).await
        }
        Err(error) => {
            let Head { id, started, region, .. } = head;
            let who = Early { id: id.clone(), time: started, dialect, key: key.name, asked, region };
            settle::refused(env, context, who, &error, &loaded.snapshot);
            refuse(caller, &error, &id)
        }
    }
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
        Task::Operate(operation) => (operate::facts(operation, dialect, &bytes, content_type)?, Wishes::NONE),
    };
    let facts = place.fill(facts);
    Ok(Read { body: body.into(), bytes, facts, wishes })
}

/// Of a body that cannot be read there are none; a target of its own dialect may take it all the same.
fn features(caller: &dyn Caller, read: &Read, config: &Snapshot) -> Option<Features> {
    if !plan::needs_features(&read.facts, config, read.bytes.len()) {
        return None;
    }
    let text = std::str::from_utf8(&read.bytes).ok()?;
    caller.read_request(text).ok().map(|request| features::of(&request.value))
}

fn plan(ask: Ask<'_>, loaded: &Loaded, head: &Head, key: &guard::Caller) -> Result<Plan, Error> {
    let config = &loaded.snapshot;
    key.permit(&config.resolve(&ask.facts.model)?, config)?;
    isolate::with_health(|health| {
        let plan = plan::plan(ask, config, &health.view(head.started), head.started, head.seed)?;
        // In the same breath as the view that held the permits, so that they are still there.
        for cell in plan.probes() {
            health.take_probe(&cell, head.started);
        }
        Ok(plan)
    })
}

pub async fn admit(env: &Env, head: &Head) -> Result<guard::Caller, Error> {
    let presented = guard::presented(&head.headers, Some(&head.query));
    let gateway_key = bindings::secret(env, "GATEWAY_KEY");
    let mut entry = None;
    if let Some(name) = presented.as_deref().and_then(|key| guard::needs_entry(key, gateway_key.as_deref())) {
        entry = store::key_entry(env, name, head.started).await;
    }
    let any_entries = gateway_key.is_some() || entry.is_some() || store::any_key(env, head.started).await;
    let locks = guard::Locks { gateway_key: gateway_key.as_deref(), entry: entry.as_deref(), any_entries };
    guard::admit(presented.as_deref(), locks, head.started)
}

/// What an exchange came to, as far as the shell is concerned.
pub enum Driven {
    /// A stream is committed, on this call.
    Stream(edge::Call, Box<Relaying>),
    /// An answer, and the body it may stand for.
    Answer(Reply, JsValue),
    /// The end of an answer that has begun.
    Last(Vec<u8>),
    Lost,
}

async fn run(request: &Request, env: &Env, context: &Context, exchange: Exchange, body: &JsValue) -> Response {
    let is_patient = exchange.is_patient();
    let mut settlement = Settlement::hold(exchange, env, context);
    if is_patient {
        return outlet::patient(request, env, settlement, body).await;
    }
    let driven = drive(request, env, &mut settlement, body).await;
    conclude(request, env, settlement, driven)
}

/// The response to what has been decided.
pub fn conclude(request: &Request, env: &Env, settlement: Settlement, driven: Driven) -> Response {
    match driven {
        Driven::Stream(call, relaying) if relaying.relay.is_followed() => {
            outlet::follow(request, env, settlement, call, relaying)
        }
        Driven::Stream(call, relaying) => stream(&call, *relaying, settlement),
        Driven::Answer(reply, answer) => {
            drop(settlement);
            respond(&reply, &answer)
        }
        Driven::Last(_) | Driven::Lost => broken(),
    }
}

/// The heart: do what the exchange says, tell it what came of it.
pub async fn drive(request: &Request, env: &Env, settlement: &mut Settlement, body: &JsValue) -> Driven {
    let mut upstream: Option<edge::Call> = None;
    let mut answer = JsValue::NULL;
    loop {
        let step = settlement.exchange(|e| e.next(clock::now()));
        match step {
            Step::Send(sending) => {
                let call = edge::Call::new(request);
                let head = send(request, env, &call, &sending, body).await;
                settlement.exchange(|e| e.answered(clock::now(), head));
                if let Some(old) = upstream.replace(call) {
                    old.cancel();
                }
            }
            Step::Read { whole: true, timeout_ms } => {
                let Some(call) = &upstream else { return Driven::Lost };
                let got = call.whole(timeout_ms, MAX_ANSWER).await;
                settlement.exchange(|e| match &got {
                    Ok(bytes) => e.received(clock::now(), Received::Bytes(&bytes.to_vec())),
                    Err(transport) => e.received(clock::now(), Received::Failed(*transport)),
                });
                answer = got.map_or(JsValue::NULL, Uint8Array::into);
            }
            Step::Read { whole: false, timeout_ms } => {
                let Some(call) = &upstream else { return Driven::Lost };
                let got = call.chunk(timeout_ms).await;
                settlement.exchange(|e| match &got {
                    Ok(Some(bytes)) => e.received(clock::now(), Received::Bytes(bytes)),
                    Ok(None) => e.received(clock::now(), Received::End),
                    Err(transport) => e.received(clock::now(), Received::Failed(*transport)),
                });
            }
            Step::Wait(ms) => edge::pause(ms).await,
            Step::Relay(relaying) => return upstream.map_or(Driven::Lost, |call| Driven::Stream(call, relaying)),
            Step::Reply(reply) => {
                if let Some(call) = upstream {
                    call.cancel();
                }
                return Driven::Answer(reply, answer);
            }
            Step::Last(bytes) => {
                if let Some(call) = upstream {
                    call.cancel();
                }
                return Driven::Last(bytes);
            }
        }
    }
}

/// One call to a provider, until the head of its answer.
async fn send(request: &Request, env: &Env, call: &edge::Call, send: &Send, body: &JsValue) -> Result<exchange::Head, Transport> {
    let ms = send.timeout_ms;
    match &send.target {
        Sendable::Http { url, headers, body: pieces, sign: None } => call.fetch(url, headers, body, pieces, ms).await,
        Sendable::Http { url, headers, body: pieces, sign: Some(Sign::Google(account)) } => {
            let send_with = async |token, ms| {
                let headers = [headers.as_slice(), &[token]].concat();
                call.fetch(url, &headers, body, pieces, ms).await
            };
            google::send(request, account, ms, send_with).await
        }
        Sendable::WorkersAi { model, body: pieces } => {
            call.ask(&bindings::binding(env, AI_BINDING), model, body, pieces, ms).await
        }
        Sendable::Script(script) => call.script(script, ms).await,
    }
}

fn stream(call: &edge::Call, relaying: Relaying, settlement: Settlement) -> Response {
    let relay = Rc::new(RefCell::new(relaying.relay));
    let (readable, done) = call.start(&relay, &relaying.rest);
    settlement.follow(relay, done);
    edge::response(200, &relaying.headers, &readable)
}

fn respond(reply: &Reply, answer: &JsValue) -> Response {
    match &reply.body {
        Body::Text(text) => edge::response(reply.status, &reply.headers, &JsValue::from_str(text)),
        Body::Upstream => edge::response(reply.status, &reply.headers, answer),
    }
}

pub fn refuse(caller: &dyn Caller, error: &Error, id: &str) -> Response {
    respond(&reply::error(caller, error, id), &JsValue::NULL)
}

pub fn broken() -> Response {
    text(500, "application/json", r#"{"error":{"message":"The gateway lost its place in this request.","type":"server_error"}}"#)
}

pub fn text(status: u16, content_type: &str, text: &str) -> Response {
    edge::response(status, &[("content-type".to_owned(), content_type.to_owned())], &JsValue::from_str(text))
}

async fn listed(env: &Env, context: &Context, head: &Head, dialect: Dialect, id: Option<&str>) -> Response {
    let caller = caller_of(dialect);
    if let Err(error) = admit(env, head).await {
        return refuse(caller, &error, &head.id);
    }
    let loaded = store::current(env, context, &head.region, head.started).await;
    match models::list(&loaded.snapshot, dialect, id) {
        Ok(body) => {
            let headers = [("content-type", "application/json"), ("x-request-id", &head.id), ("request-id", &head.id)];
            let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
            cors::with_cors(edge::response(200, &headers, &JsValue::from_str(&body)), &loaded, cors::origin(head).as_deref())
        }
        Err(error) => refuse(caller, &error, &head.id),
    }
}
