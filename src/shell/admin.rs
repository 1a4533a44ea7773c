//! The operator's calls, for whoever holds `ADMIN_TOKEN`.

use serde_json::json;
use worker::{Context, Env, web_sys::Response};

use super::{
    bindings, health_object,
    isolate::Loaded,
    journal_object,
    serve::{Head, text},
    store,
};
use crate::{guard, wire::json::json_text};

pub fn ready(loaded: &Loaded) -> Response {
    let problems: Vec<_> =
        loaded.problems.iter().map(|p| json!({"document": p.document, "path": p.path, "message": p.message})).collect();
    let ok = problems.is_empty();
    let body = json!({"ok": ok, "config": loaded.snapshot.version, "problems": problems, "warnings": loaded.snapshot.warnings});
    text(if ok { 200 } else { 503 }, "application/json", &json_text(&body))
}

pub async fn serve(env: &Env, context: &Context, head: &Head, path: &str) -> Response {
    let token = bindings::secret(env, "ADMIN_TOKEN");
    if !guard::is_operator(&head.headers, token.as_deref()) {
        let hint = if token.is_some() {
            "Send `Authorization: Bearer` with the admin token."
        } else {
            "No admin token is set: run `wrangler secret put ADMIN_TOKEN`."
        };
        return refuse(401, hint);
    }
    let listed = match path.trim_end_matches('/') {
        "/requests" => journal_object::list(env, &head.query).await.map(|rows| format!("{{\"data\":{rows}}}")),
        "/health" => health_object::state(env, &head.region)
            .await
            .map(|state| format!("{{\"region\":\"{}\",\"health\":{state}}}", head.region)),
        "/config" => return ready(&store::current(env, context, &head.region, head.started).await),
        other => match other.strip_prefix("/requests/") {
            Some(id) if id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') => {
                journal_object::list(env, &format!("id={id}")).await.map(|rows| format!("{{\"data\":{rows}}}"))
            }
            _ => return refuse(404, "There is no such admin call."),
        },
    };
    listed.map_or_else(|error| refuse(500, &error), |body| text(200, "application/json", &body))
}

fn refuse(status: u16, message: &str) -> Response {
    text(status, "application/json", &json_text(&json!({"error": {"message": message}})))
}
