//! The list of models, as far as a key may name them.

use wasm_bindgen::JsValue;
use worker::{Context, Env, web_sys::Response};

use super::{
    cors, edge,
    head::Head,
    own_keys,
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
    let key = match admit(env, head).await.and_then(|key| key.enter(Endpoint::Models, None).map(|()| key)) {
        Ok(key) => key,
        Err(error) => return refuse(caller, &error, &head.id),
    };
    let loaded = match own_keys::theirs(env, context, loaded, key.tenant.as_deref(), head.started).await {
        Ok(loaded) => loaded,
        Err(error) => return refuse(caller, &error, &head.id),
    };
    match models::list(&loaded.snapshot, dialect, id, &|name| key.sees(name, &loaded.snapshot)) {
        Ok(body) => {
            let headers = [("content-type", "application/json"), ("x-request-id", &head.id), ("request-id", &head.id)];
            let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
            cors::with_cors(edge::response(200, &headers, &JsValue::from_str(&body)), &loaded, cors::origin(head).as_deref())
        }
        Err(error) => refuse(caller, &error, &head.id),
    }
}
