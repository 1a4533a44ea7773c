//! The list of models, as far as a key may name them.

use wasm_bindgen::JsValue;
use worker::{Context, Env, web_sys::Response};

use super::{
    cors, edge,
    head::Head,
    isolate::Loaded,
    own_keys,
    serve::{admit, caller_of, refuse},
    store,
};
use crate::{
    dialect::{Dialect, Endpoint},
    error::Error,
    exchange::models,
};

pub async fn models(env: &Env, context: &Context, head: &Head, dialect: Dialect, id: Option<&str>) -> Response {
    let caller = caller_of(dialect);
    let loaded = store::current(env, context, &head.region, head.started).await;
    let response = match listed(env, context, head, &loaded, (dialect, id)).await {
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

async fn listed(
    env: &Env,
    context: &Context,
    head: &Head,
    loaded: &Loaded,
    (dialect, id): (Dialect, Option<&str>),
) -> Result<String, Error> {
    let key = admit(env, head).await?;
    key.enter(Endpoint::Models, None)?;
    let loaded = own_keys::theirs(env, context, loaded.clone(), key.tenant.as_deref(), head.started).await?;
    let config = &loaded.snapshot;
    models::list(config, dialect, id, &|name| key.sees(name, config))
}
