//! The operator's writes: gateway keys and documents. Everything an operator changes in KV goes through `commit`.

use wasm_bindgen::JsValue;
use worker::{
    Env, console_error,
    web_sys::{Request, Response},
};

use super::{admin::told, bindings, clock, edge, head::Head, isolate, news, serve::text, store, versions};
use crate::{
    admin::{
        documents,
        keys::{self, Given, KeyCall, Page},
        versions::Asked,
        written::Written,
    },
    audit,
    config::news::{Item, told as spread_to},
    error::{Blame, Error, Kind},
    guard,
    wire::{compose::Members, json::json_text},
};

/// Bytes of an entry: lists of a hundred names each fit.
const MAX_ENTRY: u64 = 65_536;
/// Bytes that a key is made of.
const KEY_BYTES: u32 = 32;
/// In a query: say what would come of it.
const DRY_RUN: &str = "dry_run";

/// `/admin/v1/keys…`
pub async fn keys(request: &Request, env: &Env, head: &Head, call: KeyCall<'_>) -> Response {
    let done = match call {
        KeyCall::List => return told(list(env, head).await),
        KeyCall::Create
        | KeyCall::Show(_)
        | KeyCall::Replace(_)
        | KeyCall::Patch(_)
        | KeyCall::Delete(_)
        | KeyCall::Rotate(_)
        | KeyCall::Disable(_)
        | KeyCall::Enable(_) => key(request, env, head, call).await,
    };
    answered(done)
}

async fn key(request: &Request, env: &Env, head: &Head, call: KeyCall<'_>) -> Result<Written, Error> {
    let body = body(request, MAX_ENTRY).await?;
    learn(env, head).await;
    let current = match call.id() {
        Some(id) => entry(env, &guard::name_of_id(id)).await?,
        None => None,
    };
    let random = edge::random_bytes(KEY_BYTES);
    let given = Given { body: &body, if_match: head.header("if-match"), random: &random, now: clock::now() };
    commit(env, head, call.action(), keys::call(call, current.as_deref(), given)?).await
}

async fn entry(env: &Env, name: &str) -> Result<Option<String>, Error> {
    let shown = bindings::value(env, name).await.map_err(|error| unstored(&error))?;
    Ok(isolate::with(|i| i.news.borrow().over(name, shown)))
}

async fn list(env: &Env, head: &Head) -> Result<String, Error> {
    let page = Page::read(&head.query)?;
    learn(env, head).await;
    let limit = f64::from(u32::try_from(page.limit).unwrap_or(1));
    let (mut rows, cursor) = bindings::page(env, guard::KEYS, limit, &page.cursor).await.map_err(|error| unstored(&error))?;
    isolate::with(|i| {
        let news = i.news.borrow();
        for (name, text) in &mut rows {
            *text = news.over(name, text.take());
        }
    });
    Ok(page.listed(&rows, cursor.as_deref(), head.started))
}

/// `GET /admin/v1/{document}`
pub async fn document(env: &Env, head: &Head, name: &str) -> Response {
    learn(env, head).await;
    let found = store::documents(env).await.map_err(|error| unstored(&error));
    shown(found.and_then(|found| documents::show(name, &found)))
}

/// A document's text, with its tag.
pub fn shown(found: Result<(String, String), Error>) -> Response {
    match found {
        Ok((content, etag)) => {
            let headers = [("content-type", "application/json"), ("cache-control", "no-store"), ("etag", &etag)];
            edge::response(200, &headers.map(|(name, value)| (name.to_owned(), value.to_owned())), &JsValue::from_str(&content))
        }
        Err(error) => told(Err(error)),
    }
}

/// `PUT /admin/v1/{document}`
pub async fn put_document(request: &Request, env: &Env, head: &Head, name: &'static str) -> Response {
    let asked = async {
        let asked = Asked::read(&head.query, &[DRY_RUN])?;
        Ok((body(request, documents::MAX_DOCUMENT).await?, asked.is_dry))
    };
    match asked.await {
        Ok((body, is_dry)) => put(env, head, ("put", name), &body, is_dry).await,
        Err(error) => told(Err(error)),
    }
}

/// `POST /admin/v1/config/versions/{version}/revert`
pub async fn revert(env: &Env, head: &Head, version: &str) -> Response {
    let asked = async {
        let asked = Asked::read(&head.query, &["document", DRY_RUN])?;
        Ok((versions::text(env, asked.document, version).await?.0, asked))
    };
    match asked.await {
        Ok((text, asked)) => put(env, head, ("revert", asked.document), &text, asked.is_dry).await,
        Err(error) => told(Err(error)),
    }
}

async fn put(env: &Env, head: &Head, (action, name): (&str, &'static str), body: &str, is_dry: bool) -> Response {
    let checked = async {
        learn(env, head).await;
        let found = store::documents(env).await.map_err(|error| unstored(&error))?;
        let mut after = found.clone();
        documents::set(name, body, &mut after);
        let secrets = store::secrets(env, &after, head.started).await;
        documents::put(name, body, &found, head.header("if-match"), &secrets.found, is_dry)
    };
    match checked.await {
        Ok(Ok(written)) => answered(commit(env, head, action, written).await),
        Ok(Err(problems)) => text(400, "application/json", &json_text(&problems)),
        Err(error) => told(Err(error)),
    }
}

/// What was written by way of another isolate is read here too.
pub async fn learn(env: &Env, head: &Head) {
    if let Err(error) = news::learn(env, &head.region).await {
        console_error!("news could not be heard before a call of the operator's: {error}");
    }
}

async fn body(request: &Request, limit: u64) -> Result<String, Error> {
    let too_large = || {
        let hint = "Larger documents are written by `wrangler kv key put`.";
        Error::new(Kind::TooLarge, format!("The body is larger than {limit} bytes. {hint}"))
    };
    let bytes = edge::read_body(request, limit).await.ok_or_else(too_large)?.to_vec();
    String::from_utf8(bytes).map_err(|_| Error::invalid("", "The body is not UTF-8."))
}

/// Writes what a call came to, and puts it in force. An operator's change that is not here is not made.
async fn commit(env: &Env, head: &Head, action: &str, mut written: Written) -> Result<Written, Error> {
    // A key is shown once: if it could not be noted afterwards, it would be lost.
    let is_shown_once = written.body.get("key").is_some();
    if is_shown_once {
        note(env, head, action, &written).await?;
    }
    let mut items = vec![];
    for change in &written.changes {
        let done = match &change.text {
            Some(text) => bindings::put(env, &change.name, text).await,
            None => bindings::delete(env, &change.name).await,
        };
        if let Err(error) = done {
            // What was written before it holds, and is told of.
            news::spread(env, items).await;
            return Err(unstored(&error));
        }
        items.push(Item::new(change.name.clone(), change.text.clone(), change.was.as_deref(), clock::now()));
    }
    if !items.is_empty() {
        let regions = news::spread(env, items).await;
        if let Some(body) = written.body.as_object_mut() {
            body.put("in_force", spread_to(&regions));
        }
    }
    if !is_shown_once {
        note(env, head, action, &written).await?;
    }
    Ok(written)
}

async fn note(env: &Env, head: &Head, action: &str, written: &Written) -> Result<(), Error> {
    for change in &written.changes {
        let (what, name, tenant) = change.subject();
        let digest = |text: &Option<String>| text.as_ref().map(|text| audit::digest(text));
        let (before, after) = (digest(&change.was), digest(&change.text));
        let noted = audit::Change { action: action.to_owned(), what, name: name.to_owned(), before, after, ..Default::default() };
        super::audit::note(env, head, tenant.as_deref().unwrap_or(audit::OPERATOR), noted).await?;
    }
    Ok(())
}

pub fn unstored(error: &str) -> Error {
    Error::new(Kind::Unavailable, format!("KV does not answer: {error}. Try again.")).with_blame(Blame::Gateway)
}

fn answered(done: Result<Written, Error>) -> Response {
    match done {
        Ok(written) => {
            // A new key stands in here once, and in no cache.
            let fixed = [("content-type", "application/json"), ("cache-control", "no-store")];
            let mut headers: Vec<(String, String)> = fixed.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
            headers.extend(written.etag.as_ref().map(|etag| ("etag".to_owned(), etag.clone())));
            edge::response(written.status, &headers, &JsValue::from_str(&written.text()))
        }
        Err(error) => told(Err(error)),
    }
}
