//! Which web pages may read answers.

use worker::web_sys::Response;

use super::{
    head::Head,
    isolate::Loaded,
    serve::{broken, text},
};

pub fn origin(head: &Head) -> Option<String> {
    head.header("origin").map(str::to_owned)
}

/// Only origins that the operator listed may read answers in a browser.
pub fn with_cors(response: Response, loaded: &Loaded, origin: Option<&str>) -> Response {
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

pub fn preflight(loaded: &Loaded, head: &Head) -> Response {
    let response = with_cors(text(204, "text/plain", ""), loaded, origin(head).as_deref());
    let headers = response.headers();
    let asked = head.header("access-control-request-headers").unwrap_or("*");
    let set = headers
        .set("access-control-allow-headers", asked)
        .and_then(|()| headers.set("access-control-allow-methods", "GET, POST"));
    if set.is_err() { broken() } else { response }
}
