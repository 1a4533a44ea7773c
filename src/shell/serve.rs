//! One request, from its head to the answer that goes out. What is decided comes from the core.

use std::{cell::RefCell, rc::Rc};

use js_sys::Uint8Array;
use wasm_bindgen::JsValue;
use worker::{
    Context, Env,
    web_sys::{Request, Response},
};

use super::{
    admin, bindings, clock, edge, forward, google,
    isolate::{self, Loaded},
    settle::{self, Settlement},
    store,
};
use crate::{
    catalog::AI_BINDING,
    dialect::{
        Caller, Dialect, Facts,
        openai_chat::OpenAiChat,
        surface::{self, Line, Place, Surface},
    },
    error::{Error, Kind},
    exchange::{
        Call, Exchange, Received, Relaying, Sendable, Step, Task,
        authority::Sign,
        models, operate,
        reply::{self, Body, Reply},
    },
    guard,
    ledger::record::Early,
    plan::{self, Ask, Plan},
    units::Millis,
    wire::json::Outline,
};

/// Bytes of a provider's whole answer: more than any text or inline image, less than an isolate can bear.
const MAX_ANSWER: u64 = 64 << 20;

/// A request's head, read in one piece.
pub struct Head {
    pub method: String,
    pub path: String,
    pub query: String,
    pub region: String,
    pub headers: Vec<(String, String)>,
    pub id: String,
    pub seed: u64,
    pub started: Millis,
}

impl Head {
    fn read(request: &Request) -> Self {
        let text = edge::head(request);
        let mut lines = text.split('\n');
        let method = lines.next().unwrap_or_default().to_owned();
        let url = lines.next().unwrap_or_default();
        let after_host = url.splitn(4, '/').nth(3).unwrap_or_default();
        let (path, query) = after_host.split_once('?').unwrap_or((after_host, ""));
        let (path, query) = (format!("/{path}"), query.to_owned());
        let region = plan::region::of(lines.next().unwrap_or_default());
        let (id, seed) = clock::identify();
        Self { method, path, query, region: region.to_owned(), headers: edge::pairs(lines), id, seed, started: clock::now() }
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }
}

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
        Surface::Preflight => preflight(&store::current(env, context, &head.region, head.started).await, &head),
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
    let origin = cors(&head);
    let response = match admit(env, &head).await {
        Ok(key) => admitted(request, env, context, &loaded, (head, job, key)).await,
        // Not in the journal: anybody could fill it.
        Err(error) => refuse(caller_of(job.dialect), &error, &head.id),
    };
    with_cors(response, &loaded, origin.as_deref())
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
    let read = read(request, (dialect, task, &place), (loaded.snapshot.settings.max_body_bytes, content_type)).await;
    let asked = read.as_ref().map(|(_, _, facts)| facts.model.clone()).unwrap_or_default();
    let continues = read.as_ref().ok().and_then(|(_, _, facts)| facts.continues.clone());
    let owner = match &continues {
        Some(id) => forward::owner(env, id).await,
        None => None,
    };
    let operation = match task {
        Task::Generate => None,
        Task::Operate(operation) => Some(operation),
    };
    let planned = read.and_then(|(body, bytes, facts)| {
        reply::check_continues(&facts)?;
        let plan = plan(Ask { dialect, facts: &facts, owner: owner.as_deref(), operation }, loaded, &head, &key)?;
        Ok((body, bytes, facts, plan))
    });
    match planned {
        Ok((body, bytes, facts, plan)) => {
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

/// The body: kept in JS for sending, copied once for reading.
async fn read(
    request: &Request,
    (dialect, task, place): (Dialect, Task, &Place),
    (limit, content_type): (u64, &str),
) -> Result<(JsValue, Vec<u8>, Facts), Error> {
    let body = edge::read_body(request, limit).await.ok_or_else(|| {
        let hint = "Send files as URLs or ids, or raise `max_body_bytes` in `settings`.";
        Error::new(Kind::TooLarge, format!("The body is larger than {limit} bytes. {hint}"))
    })?;
    let bytes = body.to_vec();
    let facts = match task {
        Task::Generate => caller_of(dialect).facts(&Outline::read(&bytes)?)?,
        Task::Operate(operation) => operate::facts(operation, dialect, &bytes, content_type)?,
    };
    let facts = place.fill(facts);
    Ok((body.into(), bytes, facts))
}

fn plan(ask: Ask<'_>, loaded: &Loaded, head: &Head, key: &guard::Caller) -> Result<Plan, Error> {
    let config = &loaded.snapshot;
    key.permit(&config.resolve(&ask.facts.model)?)?;
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

/// The heart: do what the exchange says, tell it what came of it.
async fn run(request: &Request, env: &Env, context: &Context, exchange: Exchange, body: &JsValue) -> Response {
    let mut settlement = Settlement::hold(exchange, env, context);
    let mut upstream: Option<edge::Call> = None;
    let mut answer = JsValue::NULL;
    loop {
        let step = settlement.exchange(|e| e.next(clock::now()));
        match step {
            Step::Send(send) => {
                let call = edge::Call::new(request);
                let head = match &send.target {
                    Sendable::Http { url, headers, body: pieces, sign: None } => {
                        call.fetch(url, headers, body, pieces, send.timeout_ms).await
                    }
                    Sendable::Http { url, headers, body: pieces, sign: Some(Sign::Google(account)) } => {
                        let send_with = async |token, ms| {
                            let headers = [headers.as_slice(), &[token]].concat();
                            call.fetch(url, &headers, body, pieces, ms).await
                        };
                        google::send(request, account, send.timeout_ms, send_with).await
                    }
                    Sendable::WorkersAi { model, body: pieces } => {
                        call.ask(&bindings::binding(env, AI_BINDING), model, body, pieces, send.timeout_ms).await
                    }
                    Sendable::Script(script) => call.script(script, send.timeout_ms).await,
                };
                settlement.exchange(|e| e.answered(clock::now(), head));
                if let Some(old) = upstream.replace(call) {
                    old.cancel();
                }
            }
            Step::Read { whole: true, timeout_ms } => {
                let got = match &upstream {
                    Some(call) => call.whole(timeout_ms, MAX_ANSWER).await,
                    None => return broken(),
                };
                settlement.exchange(|e| match &got {
                    Ok(bytes) => e.received(clock::now(), Received::Bytes(&bytes.to_vec())),
                    Err(transport) => e.received(clock::now(), Received::Failed(*transport)),
                });
                answer = got.map_or(JsValue::NULL, Uint8Array::into);
            }
            Step::Read { whole: false, timeout_ms } => {
                let got = match &upstream {
                    Some(call) => call.chunk(timeout_ms).await,
                    None => return broken(),
                };
                settlement.exchange(|e| match &got {
                    Ok(Some(bytes)) => e.received(clock::now(), Received::Bytes(bytes)),
                    Ok(None) => e.received(clock::now(), Received::End),
                    Err(transport) => e.received(clock::now(), Received::Failed(*transport)),
                });
            }
            Step::Wait(ms) => edge::pause(ms).await,
            Step::Relay(relaying) => {
                let Some(call) = upstream.take() else { return broken() };
                return stream(&call, *relaying, settlement);
            }
            Step::Reply(reply) => {
                if let Some(call) = upstream.take() {
                    call.cancel();
                }
                drop(settlement);
                return respond(&reply, &answer);
            }
        }
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

fn broken() -> Response {
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
            with_cors(edge::response(200, &headers, &JsValue::from_str(&body)), &loaded, cors(head).as_deref())
        }
        Err(error) => refuse(caller, &error, &head.id),
    }
}

fn cors(head: &Head) -> Option<String> {
    head.header("origin").map(str::to_owned)
}

/// Only origins that the operator listed may read answers in a browser.
fn with_cors(response: Response, loaded: &Loaded, origin: Option<&str>) -> Response {
    let Some(origin) = origin.filter(|origin| loaded.snapshot.settings.cors_origins.iter().any(|o| o == origin || o == "*"))
    else {
        return response;
    };
    let headers = response.headers();
    for (name, value) in [("access-control-allow-origin", origin), ("access-control-expose-headers", "*"), ("vary", "origin")] {
        if headers.set(name, value).is_err() {
            return broken();
        }
    }
    response
}

fn preflight(loaded: &Loaded, head: &Head) -> Response {
    let response = with_cors(text(204, "text/plain", ""), loaded, cors(head).as_deref());
    let headers = response.headers();
    let asked = head.header("access-control-request-headers").unwrap_or("*");
    let set = headers
        .set("access-control-allow-headers", asked)
        .and_then(|()| headers.set("access-control-allow-methods", "GET, POST"));
    if set.is_err() { broken() } else { response }
}
