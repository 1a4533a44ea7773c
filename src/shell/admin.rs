//! The operator's calls, for whoever holds `ADMIN_TOKEN`.

use worker::{
    Context, Env,
    web_sys::{Request, Response},
};

use super::{bindings, edge, head::Head, health_object, isolate::Loaded, journal_object, serve::text, store};
use crate::{
    admin::{
        self, Call,
        health::{self, Order},
    },
    error::{Error, Kind},
    guard,
    plan::region,
};

/// Bytes of a body: a word on a target is a hundred.
const MAX_BODY: u64 = 4_096;

pub fn ready(loaded: &Loaded) -> Response {
    let status = if loaded.problems.is_empty() { 200 } else { 503 };
    answer(status, &admin::readiness(&loaded.snapshot, &loaded.problems))
}

pub async fn serve(request: &Request, env: &Env, context: &Context, head: &Head, path: &str) -> Response {
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
        Call::Health => match health::regions(&head.query) {
            Ok(regions) => Ok(health::gathered(&health_object::all(env, &regions, "").await)),
            Err(error) => return refuse(&error),
        },
        Call::Order(target) => match order(request, env, head, target).await {
            Ok(told) => Ok(told),
            Err(error) => return refuse(&error),
        },
        Call::Config => {
            let loaded = store::current(env, context, &head.region, head.started).await;
            Ok(admin::config(&loaded.snapshot, &loaded.problems))
        }
        Call::Unknown => return answer(404, &admin::error("There is no such admin call.")),
    };
    found.map_or_else(|error| answer(500, &admin::error(&error)), |body| answer(200, &body))
}

/// Tells the regions' objects the operator's word; what they know then is the answer.
async fn order(request: &Request, env: &Env, head: &Head, target: &str) -> Result<String, Error> {
    if !matches!(head.method.as_str(), "POST" | "PUT") {
        return Err(Error::new(Kind::MethodNotAllowed, "Send PUT or POST with an `action`."));
    }
    let body = edge::read_body(request, MAX_BODY).await.map(|bytes| bytes.to_vec()).unwrap_or_default();
    let order = Order::read(target, std::str::from_utf8(&body).unwrap_or_default())?;
    let regions = order.region.map_or_else(|| region::ALL.to_vec(), |region| vec![region]);
    Ok(health::gathered(&health_object::all(env, &regions, &order.message()).await))
}

fn refuse(error: &Error) -> Response {
    answer(error.status, &admin::error(&error.message))
}

fn answer(status: u16, body: &str) -> Response {
    text(status, "application/json", body)
}
