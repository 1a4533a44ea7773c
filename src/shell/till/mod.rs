//! What this isolate has to tell the ledgers of tenants. Several requests go in one call, and no request waits for another's:
//! whoever has to wait looks again, and calls itself when nobody does.

mod ticket;

use futures::future::{Either, select};
use serde_json::Value;
pub use ticket::{Claim, Gate, Pulse, Ticket, admit};
use worker::{Env, console_error};

use super::{clock, edge, isolate, tenant_object};
use crate::{
    account::{Local, Message, Reply, Verdict},
    ledger::outbox::Outbox,
    plan::seed,
    sorted::SortedMap,
};

/// An object that is well answers in tens of milliseconds, from anywhere.
const CALL_MS: u64 = 5_000;
/// Calls that one request makes for others: a free account has 50 for one request.
const MAX_CALLS: usize = 8;

/// One tenant, as this isolate knows it.
pub struct Till {
    outbox: Outbox,
    limits: Local,
    /// What went with the call that is under way.
    said: Option<Message>,
    /// Requests that asked and wait, and what they were told.
    asking: SortedMap<String, Option<Verdict>>,
}

impl Default for Till {
    fn default() -> Self {
        let limits = Local::new(seed::hash(&edge::random_id()));
        Self { outbox: Outbox::default(), limits, said: None, asking: SortedMap::new() }
    }
}

impl Till {
    /// The message to send now, and the number of the call. `None`: there is nothing to tell, or a call is under way, after
    /// which the rest is told.
    fn begin(&mut self, tenant: &str) -> Option<(u64, String)> {
        let now = clock::now();
        if self.outbox.is_calling(now) {
            return None;
        }
        self.take_back();
        let said = self.limits.message(now);
        if self.outbox.is_empty() && said.is_none() {
            return None;
        }
        let account = said.as_ref().and_then(|message| serde_json::to_string(message).ok());
        self.said = said;
        let number = self.outbox.begin(now);
        Some((number, self.outbox.write(tenant, account.as_deref())))
    }

    fn heard(&mut self, number: u64, answer: &str) {
        self.outbox.acknowledged(number);
        self.said = None;
        let reply = serde_json::from_str::<Value>(answer).ok().and_then(|value| Reply::try_from(value).ok());
        let verdicts = reply.map(|reply| self.limits.learned(reply, clock::now())).unwrap_or_default();
        for (id, verdict) in verdicts {
            if let Some(waiting) = self.asking.get_mut(&id) {
                *waiting = Some(verdict);
            }
        }
    }

    fn failed(&mut self, number: u64) {
        self.outbox.failed(number, clock::now());
        self.take_back();
    }

    /// What was said with a call that did not arrive is said again.
    fn take_back(&mut self) {
        if let Some(said) = self.said.take() {
            self.limits.undelivered(said, |id| self.asking.contains_key(id));
        }
    }

    pub fn is_idle(&self) -> bool {
        self.outbox.is_idle() && self.asking.is_empty() && self.limits.is_idle()
    }
}

/// Tells a tenant's object what there is to tell. `None`: nothing, or a call is under way.
async fn call(env: &Env, tenant: &str) -> Option<Result<(), String>> {
    let (number, message) = isolate::with_till(tenant, |till| till.begin(tenant))?;
    let asked = Box::pin(tenant_object::ask(env, tenant, tenant_object::LEDGER, &message));
    let nap = edge::Nap::begin(CALL_MS);
    let told = match select(asked, Box::pin(nap.over())).await {
        Either::Left((answer, _)) => answer,
        Either::Right(_) => Err("no answer in time".to_owned()),
    };
    let lost = isolate::with_till(tenant, |till| {
        match &told {
            Ok(answer) => till.heard(number, answer),
            Err(_) => till.failed(number),
        }
        till.outbox.take_lost()
    });
    if lost > 0 {
        console_error!("{lost} entries of {tenant} were given up: its ledger could not be reached for too long");
    }
    Some(told.map(drop).inspect_err(|error| console_error!("the ledger of {tenant} could not be told: {error}")))
}

/// Tells one tenant's ledger all there is to tell, unless a call is under way: then whoever made it goes on with the rest.
async fn deliver(env: &Env, tenant: &str) {
    for _ in 0..MAX_CALLS {
        if !matches!(call(env, tenant).await, Some(Ok(()))) {
            break;
        }
    }
    isolate::forget_idle_till(tenant);
}

/// All tenants of whom there may be something to tell.
pub async fn deliver_all(env: &Env) {
    for tenant in isolate::tenants() {
        deliver(env, &tenant).await;
    }
}
