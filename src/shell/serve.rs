//! What a request asks for, by its line, and the forms that answers go out in. What is decided comes from the core.

use std::{cell::RefCell, rc::Rc};

use wasm_bindgen::JsValue;
use worker::{
    Context, Env,
    web_sys::{Request, Response},
};

use super::{
    admin,
    answer::{self, Job},
    cors,
    drive::Driven,
    edge, forward,
    head::Head,
    isolate, listing, outlet,
    settle::Settlement,
    store,
};
use crate::{
    dialect::{
        Caller, Dialect,
        openai_chat::OpenAiChat,
        surface::{self, Line, Surface},
    },
    error::{Error, Kind},
    exchange::{
        Relaying, Task,
        reply::{self, Body, Reply},
    },
    guard::{self, Door, Found},
};

pub async fn serve(request: &Request, env: &Env, context: &Context) -> Response {
    let head = Head::read(request);
    let line = Line { method: &head.method, path: &head.path, query: &head.query, headers: &head.headers };
    match surface::read(line) {
        Surface::Generate { dialect, place } => {
            answer::answer(request, env, context, head, Job { dialect, task: Task::Generate, place }).await
        }
        Surface::Operate { operation, dialect, place } => {
            let task = Task::Operate(operation);
            answer::answer(request, env, context, head, Job { dialect, task, place }).await
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

pub fn caller_of(dialect: Dialect) -> &'static dyn Caller {
    dialect.caller().unwrap_or(&OpenAiChat)
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
