//! The operator's calls, for whoever holds `ADMIN_TOKEN`.

use worker::{Context, Env, web_sys::Response};

use super::{bindings, head::Head, health_object, isolate::Loaded, journal_object, serve::text, store};
use crate::{
    admin::{self, Call},
    guard,
};

pub fn ready(loaded: &Loaded) -> Response {
    let status = if loaded.problems.is_empty() { 200 } else { 503 };
    answer(status, &admin::readiness(&loaded.snapshot, &loaded.problems))
}

pub async fn serve(env: &Env, context: &Context, head: &Head, path: &str) -> Response {
    let token = bindings::secret(env, "ADMIN_TOKEN");
    if !guard::is_operator(&head.headers, token.as_deref()) {
        let hint = if token.is_some() {
            "Send `Authorization: Bearer` with the admin token."
        } else {
            "No admin token is set: run `wrangler secret put ADMIN_TOKEN`."
        };
        return answer(401, &admin::error(hint));
    }
    let found = match Call::read(path) {
        Call::Requests => journal_object::list(env, &head.query).await.map(|rows| format!("{{\"data\":{rows}}}")),
        Call::Request(id) => journal_object::list(env, &format!("id={id}")).await.map(|rows| format!("{{\"data\":{rows}}}")),
        Call::Health => {
            let state = health_object::state(env, &head.region).await;
            state.map(|state| format!("{{\"region\":\"{}\",\"health\":{state}}}", head.region))
        }
        Call::Config => {
            let loaded = store::current(env, context, &head.region, head.started).await;
            Ok(admin::config(&loaded.snapshot, &loaded.problems))
        }
        Call::Unknown => return answer(404, &admin::error("There is no such admin call.")),
    };
    found.map_or_else(|error| answer(500, &admin::error(&error)), |body| answer(200, &body))
}

fn answer(status: u16, body: &str) -> Response {
    text(status, "application/json", body)
}
