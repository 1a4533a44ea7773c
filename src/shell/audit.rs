//! Chains of audit entries from outside their objects: what changed is noted, and what is asked is answered.

use worker::{Env, console_error, web_sys::Response};

use super::{bindings, edge, head::Head, serve::text, store, tenant_object};
use crate::{
    admin::{self, audit::Question},
    audit::{self, Change, report},
    error::{Error, Kind},
};

/// Lines that cross at once.
const LINES: u64 = 1_000;
/// Turns of one verification: more entries than any chain keeps, and an end when it is never done.
const MAX_TURNS: usize = 900;
/// As if it failed by chance, an object is asked once more.
const TRIES: usize = 2;

/// Notes an administrative change in the chain of a tenant, or of [`audit::OPERATOR`] when it is no single tenant's.
///
/// To be called when the change was made; before it where it cannot be made twice, as with a key that is shown once. `by` and
/// `request` are filled in here. An error is the caller's answer: it says that the change holds and is not noted.
pub async fn note(env: &Env, head: &Head, tenant: &str, change: Change) -> Result<(), Error> {
    let token = store::own_secret(env, "ADMIN_TOKEN", head.started).await.unwrap_or_default();
    let change = Change { by: audit::fingerprint(&token), request: head.id.clone(), ..change };
    let body = change.body();
    let mut failed = String::new();
    for _ in 0..TRIES {
        match tenant_object::ask(env, tenant, "audit/note", &body).await {
            Ok(_) => return Ok(()),
            Err(error) => failed = error,
        }
    }
    console_error!("not in the audit chain of {tenant}: {body}: {failed}");
    let words = "The change was made, but the audit chain could not be told: send it again, so that it is.";
    Err(Error::new(Kind::Internal, words))
}

/// A page of a chain, or all of it.
pub async fn list(env: &Env, query: &str) -> Response {
    let asked = match Question::read(query) {
        Ok(asked) => asked,
        Err(error) => return refused(&error),
    };
    if asked.is_export {
        let (after, limit) = (edge::number(asked.page.after), edge::number(LINES));
        let lines = bindings::pages(env, tenant_object::BINDING, &asked.tenant, "audit/lines", after, limit);
        let headers = [("content-type".to_owned(), "application/jsonl; charset=utf-8".to_owned())];
        return edge::response(200, &headers, &lines);
    }
    said(tenant_object::ask(env, &asked.tenant, "audit/page", &asked.page.write()).await)
}

pub async fn head(env: &Env, query: &str) -> Response {
    match Question::read(query) {
        Ok(asked) => said(tenant_object::ask(env, &asked.tenant, "audit/head", "").await),
        Err(error) => refused(&error),
    }
}

/// Goes through a chain in turns, and compares it with the heads in the bucket.
pub async fn verify(env: &Env, query: &str) -> Response {
    let asked = match Question::read(query) {
        Ok(asked) => asked,
        Err(error) => return refused(&error),
    };
    let marks = match bindings::marks(env, tenant_object::AUDIT_BUCKET, &audit::folder(&asked.tenant)).await {
        Ok(marks) => marks,
        Err(error) => return said(Err(format!("The published heads could not be read from the bucket: {error}"))),
    };
    let published: Vec<audit::Head> = marks.lines().filter_map(audit::read_head).chain(asked.head).collect();
    let mut state = serde_json::Value::Null;
    for _ in 0..MAX_TURNS {
        let answer = tenant_object::ask(env, &asked.tenant, "audit/verify", &report::ask_turn(&state, &published)).await;
        match answer.as_deref().map(report::next_turn) {
            Ok(Some(next)) => state = next,
            Ok(None) | Err(_) => return said(answer),
        }
    }
    said(Err("The chain grows faster than it can be verified: export it, and verify it offline.".to_owned()))
}

fn said(found: Result<String, String>) -> Response {
    let (status, body) = found.map_or_else(|error| (500, admin::error(&error)), |body| (200, body));
    text(status, "application/json", &body)
}

fn refused(error: &Error) -> Response {
    text(error.status, "application/json", &admin::error(&error.message))
}
