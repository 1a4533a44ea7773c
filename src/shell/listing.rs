//! The list of models, as far as a key may name them.

use wasm_bindgen::JsValue;
use worker::{Context, Env, web_sys::Response};

use super::{
    cors, edge,
    head::Head,
    serve::{admit, caller_of, refuse},
    store,
};
use crate::{
    dialect::{Dialect, Endpoint},
    exchange::models,
};

pub async fn models(env: &Env, context: &Context, head: &Head, dialect: Dialect, id: Option<&str>) -> Response {
    let caller = caller_of(dialect);
    let loaded = store::current(env, context, &head.region, head.started).await;
    let config = &loaded.snapshot;
    let key = admit(env, head).await.and_then(|key| key.enter(Endpoint::Models, None).map(|()| key));
    let listed = key.and_then(|key| models::list(config, dialect, id, &|name| key.sees(name, config)));
    let response = match listed {
        Ok(body) => {
            let headers = [
                ("content-type", "application/json"),
                ("cache-control", "private, no-store"),
                ("x-request-id", &head.id),
                ("request-id", &head.id),
            ];
            edge::response(200, &headers.map(|(name, value)| (name.to_owned(), value.to_owned())), &JsValue::from_str(&body))
        }
        Err(error) => refuse(caller, &error, &head.id),
    };
    cors::with_cors(response, &loaded, head.header("origin"))
}
