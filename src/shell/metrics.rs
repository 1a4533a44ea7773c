//! What was counted, as others read it: Prometheus' page, and points of Analytics Engine.

use worker::{Context, Env, web_sys::Response};

use super::{admin, bindings, head::Head, health_object, isolate, metrics_object, serve::text, store};
use crate::{
    config::Settings,
    error::{Error, Kind},
    guard::{self, Door},
    ledger::record::Record,
    metrics::{self, Gauges, MAX_POINTS},
    wire::json::json_text,
};

const BINDING: &str = "ANALYTICS";

/// Points on their way to Analytics Engine.
#[derive(Default)]
pub struct Points {
    waiting: Vec<String>,
    /// Whether a data set is bound; nobody knows before the first records are handed in.
    is_bound: Option<bool>,
}

pub fn note_point(record: &Record, settings: &Settings) {
    isolate::with(|i| {
        let mut points = i.points.borrow_mut();
        if settings.analytics && points.is_bound != Some(false) {
            points.waiting.push(json_text(&metrics::point(record)));
        }
    });
}

/// Writes what one invocation may write; the rest is the next one's.
pub fn write_points(env: &Env) {
    isolate::with(|i| {
        let mut points = i.points.borrow_mut();
        let is_bound = *points.is_bound.get_or_insert_with(|| bindings::binding(env, BINDING).is_object());
        if !is_bound {
            points.waiting.clear();
        } else if !points.waiting.is_empty() {
            let now = points.waiting.len().min(MAX_POINTS);
            let rest = points.waiting.split_off(now);
            let now = std::mem::replace(&mut points.waiting, rest);
            bindings::points(env, BINDING, &format!("[{}]", now.join(",")));
        }
    });
}

const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Prometheus' page, for whoever holds `METRICS_TOKEN` or `ADMIN_TOKEN`.
pub async fn exposition(env: &Env, context: &Context, head: &Head) -> Response {
    match written(env, context, head).await {
        Ok(page) => text(200, CONTENT_TYPE, &page),
        Err(error) => admin::told(Err(error)),
    }
}

async fn written(env: &Env, context: &Context, head: &Head) -> Result<String, Error> {
    let tokens =
        [store::own_secret(env, "METRICS_TOKEN", head.started).await, store::own_secret(env, "ADMIN_TOKEN", head.started).await];
    isolate::with(|i| i.throttle.borrow().check(Door::Admin, head.address(), head.started))?;
    if !tokens.iter().any(|token| guard::is_operator(&head.headers, token.as_deref())) {
        if guard::presented(&head.headers, None).is_some() {
            isolate::with(|i| i.throttle.borrow_mut().failed(Door::Admin, head.address(), head.started));
        }
        let hint = "Send `Authorization: Bearer` with the secret `METRICS_TOKEN`, or with the admin token.";
        return Err(Error::new(Kind::Unauthenticated, hint));
    }
    let loaded = store::current(env, context, &head.region, head.started).await;
    let total = metrics_object::total(env).await?;
    let gauges = Gauges {
        version: metrics_object::VERSION,
        config: &loaded.snapshot.version,
        problems: loaded.problems.len(),
        regions: health_object::published(env).await,
        now: head.started,
    };
    Ok(metrics::exposition(&total, &gauges))
}
