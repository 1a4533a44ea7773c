//! The only room that awaits: it converts, stores and performs what the core decides.

mod active;
mod admin;
mod admin_write;
mod answer;
mod audit;
mod bindings;
mod cache;
mod clock;
mod cors;
mod crypt;
mod drive;
mod edge;
mod forward;
mod google;
mod head;
mod health_object;
mod isolate;
mod journal_object;
mod listing;
mod metrics;
mod metrics_object;
mod news;
mod outlet;
mod outward;
mod own_keys;
mod serve;
mod settle;
mod sinks;
mod store;
mod tap;
mod tenant_object;
mod till;
mod usage;
mod versions;

use worker::{
    Context, Env, Result, ScheduleContext, ScheduledEvent, event,
    web_sys::{Request, Response},
};

#[event(fetch)]
async fn fetch(request: Request, env: Env, context: Context) -> Result<Response> {
    Ok(serve::serve(&request, &env, &context).await)
}

/// Keeps the configuration warm and its last good copy written, also when nobody calls.
#[event(scheduled)]
async fn scheduled(_event: ScheduledEvent, env: Env, _context: ScheduleContext) {
    store::config(&env, clock::now()).await;
}
