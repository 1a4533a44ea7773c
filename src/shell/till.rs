//! What this isolate has to tell the ledgers of tenants. Several requests go in one call, and no request waits for another's.

use futures::future::{Either, select};
use worker::{Context, Env, console_error};

use super::{clock, edge, isolate, tenant_object};
use crate::ledger::{
    entry::{Closing, Entry, Opening},
    outbox::Outbox,
    record::Record,
};

/// Beginnings gather for so long: what a runtime that dies may have sent and not told of.
const GATHER_MS: u64 = 100;
/// An object that is well answers in tens of milliseconds, from anywhere.
const CALL_MS: u64 = 5_000;
/// Calls that one request makes for others: a free account has 50 for one request.
const MAX_CALLS: usize = 8;

/// A request's place in its tenant's ledger. Dropped before its end, its caller has left.
pub struct Ticket {
    tenant: String,
    opening: Option<Opening>,
}

impl Ticket {
    /// Of a request that need not ask. Its beginning is told with those of others.
    pub fn open(env: &Env, context: &Context, tenant: &str, opening: Opening) -> Self {
        let entry = Entry { open: opening.clone(), close: None };
        let wait = isolate::with_outbox(tenant, |outbox| {
            outbox.put(entry);
            outbox.promise(clock::now(), GATHER_MS)
        });
        if let Some(ms) = wait {
            let (env, tenant) = (env.clone(), tenant.to_owned());
            context.wait_until(async move {
                edge::pause(ms).await;
                deliver(&env, &tenant).await;
            });
        }
        Self::apart(tenant, opening)
    }

    /// Of a request whose beginning is told with its end.
    pub fn apart(tenant: &str, opening: Opening) -> Self {
        Self { tenant: tenant.to_owned(), opening: Some(opening) }
    }

    /// Its end, which is told when records are.
    pub fn close(mut self, record: &Record) {
        self.end(Closing::of(record));
    }

    fn end(&mut self, closing: Closing) {
        let Some(open) = self.opening.take() else { return };
        let entry = Entry { open, close: Some(closing) };
        isolate::with_outbox(&self.tenant, |outbox| drop(outbox.put(entry)));
    }

    /// Whom to tell what about, while it is under way.
    pub fn pulse(&self) -> Pulse {
        Pulse { tenant: self.tenant.clone(), id: self.opening.as_ref().map(|opening| opening.id.clone()).unwrap_or_default() }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if let Some(closing) = self.opening.as_ref().map(|opening| opening.left(clock::now())) {
            self.end(closing);
        }
    }
}

/// Says that a request is still under way.
pub struct Pulse {
    tenant: String,
    id: String,
}

impl Pulse {
    pub async fn beat(&self, env: &Env) {
        let wait = isolate::with_outbox(&self.tenant, |outbox| {
            outbox.lives(&self.id);
            outbox.promise(clock::now(), GATHER_MS)
        });
        if let Some(ms) = wait {
            edge::pause(ms).await;
            deliver(env, &self.tenant).await;
        }
    }
}

/// Tells one tenant's ledger what there is to tell, unless a call is under way: then whoever made it goes on with the rest.
async fn deliver(env: &Env, tenant: &str) {
    for _ in 0..MAX_CALLS {
        let Some(batch) = isolate::with_outbox(tenant, |outbox| outbox.take(clock::now())) else { break };
        let told = call(env, tenant, &batch.write(tenant)).await;
        isolate::with_outbox(tenant, |outbox| match &told {
            Ok(_) => outbox.acknowledged(batch),
            Err(_) => outbox.failed(batch, clock::now()),
        });
        if let Err(error) = told {
            console_error!("the ledger of {tenant} could not be told: {error}");
            break;
        }
    }
    complain(tenant);
    isolate::forget_idle_outbox(tenant);
}

fn complain(tenant: &str) {
    let lost = isolate::with_outbox(tenant, Outbox::take_lost);
    if lost > 0 {
        console_error!("{lost} entries of {tenant} were given up: its ledger could not be reached for too long");
    }
}

/// All tenants of whom there is something to tell.
pub async fn deliver_all(env: &Env) {
    for tenant in isolate::tenants_waiting() {
        deliver(env, &tenant).await;
    }
}

async fn call(env: &Env, tenant: &str, message: &str) -> Result<String, String> {
    let asked = Box::pin(tenant_object::ask(env, tenant, tenant_object::LEDGER, message));
    let late = edge::Nap::begin(CALL_MS);
    match select(asked, Box::pin(late.over())).await {
        Either::Left((answer, _)) => answer,
        Either::Right(_) => Err("no answer in time".to_owned()),
    }
}
