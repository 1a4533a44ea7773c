//! Which web pages may read answers.

use worker::web_sys::Response;

use super::{
    head::Head,
    isolate::Loaded,
    serve::{broken, text},
};
use crate::guard::{self, Header};

pub fn origin(head: &Head) -> Option<String> {
    head.header("origin").map(str::to_owned)
}

/// Only origins that the operator listed may read answers in a browser.
pub fn with_cors(response: Response, loaded: &Loaded, origin: Option<&str>) -> Response {
    with(response, guard::cors(&loaded.snapshot.settings.cors_origins, origin))
}

pub fn preflight(loaded: &Loaded, head: &Head) -> Response {
    let asked = head.header("access-control-request-headers");
    with(text(204, "text/plain", ""), guard::preflight(&loaded.snapshot.settings.cors_origins, head.header("origin"), asked))
}

fn with(response: Response, headers: Vec<Header>) -> Response {
    let all = response.headers();
    if headers.iter().all(|(name, value)| all.append(name, value).is_ok()) { response } else { broken() }
}
