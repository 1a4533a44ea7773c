//! A request's place in its tenant's ledger, from before it is sent until it is over.

use worker::{Context, Env};

use super::{Till, call, deliver};
use crate::{
    account::{self, Admission, Subject, Verdict, Who},
    config::{OnError, Snapshot},
    dialect::Dialect,
    error::{Blame, Error, Kind},
    exchange::{Exchange, owed},
    guard,
    ledger::{
        Payer,
        entry::{Closing, Entry, Opening},
        outbox::Told,
        record::Record,
    },
    shell::{clock, edge, isolate},
};

/// Beginnings of requests that need not ask gather for so long: what a runtime that dies may have sent and not told of.
const GATHER_MS: u64 = 100;
/// How often one that waits for another's call looks whether it is over.
const LOOK_MS: u64 = 3;
/// A verdict or an acknowledgement is waited for so long: two calls, of which one may be another's.
const PATIENCE_MS: u64 = 10_000;
/// What a caller should wait when its tenant's object cannot be reached: objects that move are back within seconds.
const RETRY_MS: u64 = 2_000;

/// Dropped before its end, its caller has left.
pub struct Ticket {
    tenant: String,
    opening: Option<Opening>,
    gate: Option<Gate>,
}

/// Of a request under limits: nothing of its answer goes out before the ledger has acknowledged its beginning.
#[derive(Clone)]
pub struct Gate {
    tenant: String,
    told: Told,
    on_error: OnError,
}

impl Ticket {
    /// Of a request that need not ask. Its beginning is told with those of others.
    pub fn open(env: &Env, context: &Context, tenant: &str, opening: Opening) -> Self {
        tell(env, context, tenant, &opening, GATHER_MS);
        Self::apart(tenant, opening)
    }

    /// Of a request whose beginning is told with its end.
    pub fn apart(tenant: &str, opening: Opening) -> Self {
        Self { tenant: tenant.to_owned(), opening: Some(opening), gate: None }
    }

    /// Of a request under limits: at once where a lease has room, else when the tenant's object says so.
    pub async fn ask(
        env: &Env,
        context: &Context,
        tenant: &str,
        (mut opening, is_priced): (Opening, bool),
        (subjects, on_error): (&[Subject<'_>], OnError),
    ) -> Result<Self, Error> {
        let now = clock::now();
        let admission = isolate::with_till(tenant, |till| {
            let admission = till.limits.admit(&mut opening, is_priced, subjects, now);
            if admission == Admission::Ask {
                till.asking.insert(opening.id.clone(), None);
            }
            admission
        });
        let told = match admission {
            Admission::Refused(refusal) => return Err(refusal.error(now)),
            Admission::Go => tell(env, context, tenant, &opening, 0),
            Admission::Ask => {
                let verdict = Asking { tenant, id: &opening.id }.verdict(env).await;
                match verdict {
                    Some(Verdict::Go) => Told::new(true.into()),
                    Some(Verdict::Refused(refusal)) => return Err(refusal.error(clock::now())),
                    None if on_error == OnError::Allow => {
                        opening.holds.clear();
                        tell(env, context, tenant, &opening, GATHER_MS);
                        Told::new(true.into())
                    }
                    None => {
                        // The object may have let it go on, in an answer that was lost.
                        let closing = opening.unsent(clock::now());
                        Self::apart(tenant, opening).end(closing);
                        return Err(unreachable());
                    }
                }
            }
        };
        let mut ticket = Self::apart(tenant, opening);
        ticket.gate = Some(Gate { tenant: tenant.to_owned(), told, on_error });
        Ok(ticket)
    }

    /// What must be there before anything of the answer goes out.
    pub fn gate(&self) -> Option<Gate> {
        self.gate.clone()
    }

    /// Its end, which is told when records are.
    pub fn close(mut self, record: &Record) {
        self.end(Closing::of(record));
    }

    fn end(&mut self, closing: Closing) {
        let Some(open) = self.opening.take() else { return };
        let entry = Entry { open, close: Some(closing) };
        isolate::with_till(&self.tenant, |till| drop(till.outbox.put(entry)));
    }

    /// Whom to tell what about, while it is under way.
    pub fn pulse(&self) -> Pulse {
        let id = self.opening.as_ref().map(|opening| opening.id.clone()).unwrap_or_default();
        Pulse { tenant: self.tenant.clone(), id, is_urgent: self.gate.is_some() }
    }
}

/// A place in the ledger, if limits let it go on; and what its caller is told of them with any answer.
pub type Admitted = (Result<Ticket, Error>, Vec<(String, String)>);

/// Whose limits a request is under, and how its caller is told of them.
pub struct Claim<'a> {
    pub key: &'a guard::Caller,
    pub payer: &'a Payer,
    pub user: Option<&'a str>,
    pub dialect: Dialect,
    pub config: &'a Snapshot,
}

impl Claim<'_> {
    /// `plain` is its beginning without limits, `limited` the one under limits, with whether all that it may cost is known.
    pub async fn admit(
        &self,
        env: &Env,
        context: &Context,
        plain: impl FnOnce() -> Opening,
        limited: impl FnOnce() -> (Opening, bool),
    ) -> Admitted {
        let Self { key, payer, user, dialect, config } = *self;
        let digest = user.map(owed::user).unwrap_or_default();
        let who = Who { key: &key.id, rules: &key.rules, payer, user: user.map(|user| (user, digest.as_str())) };
        let subjects = account::subjects(who, &config.budgets);
        if subjects.is_empty() {
            return (Ok(Ticket::open(env, context, &payer.tenant, plain())), vec![]);
        }
        let limits = (subjects.as_slice(), config.settings.on_error);
        let ticket = Ticket::ask(env, context, &payer.tenant, limited(), limits).await;
        (ticket, standing(&payer.tenant, &subjects, dialect))
    }
}

/// Of a request that there is a plan for.
pub async fn admit(env: &Env, context: &Context, exchange: &Exchange, key: &guard::Caller, config: &Snapshot) -> Admitted {
    let call = exchange.call();
    let claim = Claim { key, payer: &call.payer, user: call.facts.user.as_deref(), dialect: call.dialect, config };
    claim.admit(env, context, || exchange.entry(), || exchange.entry_under_limits()).await
}

/// How a caller stands now.
fn standing(tenant: &str, subjects: &[Subject<'_>], dialect: Dialect) -> Vec<(String, String)> {
    let now = clock::now();
    let standing = isolate::with_till(tenant, |till| till.limits.standing(subjects, now));
    account::headers(&standing, dialect == Dialect::Anthropic, now)
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if let Some(closing) = self.opening.as_ref().map(|opening| opening.left(clock::now())) {
            self.end(closing);
        }
    }
}

/// A request that waits for its verdict; dropped, it does not any more.
struct Asking<'a> {
    tenant: &'a str,
    id: &'a str,
}

impl Asking<'_> {
    /// `None`: the object cannot be reached.
    async fn verdict(&self, env: &Env) -> Option<Verdict> {
        wait(env, self.tenant, |till| till.asking.get(self.id).cloned().flatten()).await
    }
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        isolate::with_till(self.tenant, |till| {
            till.asking.remove(self.id);
            till.limits.give_up(self.id);
        });
    }
}

impl Gate {
    /// Waits until the ledger has the request's beginning.
    pub async fn pass(&self, env: &Env) -> Result<(), Error> {
        if self.told.get() || wait(env, &self.tenant, |_| self.told.get().then_some(())).await.is_some() {
            return Ok(());
        }
        match self.on_error {
            OnError::Allow => Ok(()),
            OnError::Refuse => Err(unreachable()),
        }
    }
}

/// Looks for something until it is there. Calls the object itself when nobody does, twice at most.
async fn wait<T>(env: &Env, tenant: &str, found: impl Fn(&mut Till) -> Option<T>) -> Option<T> {
    let (start, mut failures) = (clock::now(), 0);
    loop {
        if let Some(found) = isolate::with_till(tenant, &found) {
            return Some(found);
        }
        if failures > 1 || clock::now().since(start) > PATIENCE_MS {
            return None;
        }
        match call(env, tenant).await {
            Some(Ok(())) => {}
            Some(Err(_)) => failures += 1,
            None => edge::pause(LOOK_MS).await,
        }
    }
}

/// Has a request's beginning told within some milliseconds.
fn tell(env: &Env, context: &Context, tenant: &str, opening: &Opening, within_ms: u64) -> Told {
    let (told, wait) = isolate::with_till(tenant, |till| {
        let told = till.outbox.put(Entry { open: opening.clone(), close: None });
        (told, till.outbox.promise(clock::now(), within_ms))
    });
    if let Some(ms) = wait {
        let (env, tenant) = (env.clone(), tenant.to_owned());
        context.wait_until(async move {
            if ms > 0 {
                edge::pause(ms).await;
            }
            deliver(&env, &tenant).await;
        });
    }
    told
}

fn unreachable() -> Error {
    let message = "The gateway cannot check this key's limits and budgets right now; try again in a moment. The operator can let \
                   requests go on unchecked instead: `\"budgets\": {\"on_error\": \"allow\"}` in `settings`.";
    Error::new(Kind::Unavailable, message).with_blame(Blame::Gateway).with_wait(Some(RETRY_MS))
}

/// Says that a request is still under way, and once that it is over where others wait for what it held.
pub struct Pulse {
    tenant: String,
    id: String,
    is_urgent: bool,
}

impl Pulse {
    pub async fn beat(&self, env: &Env) {
        let wait = isolate::with_till(&self.tenant, |till| {
            till.outbox.lives(&self.id);
            till.outbox.promise(clock::now(), GATHER_MS)
        });
        if let Some(ms) = wait {
            edge::pause(ms).await;
            deliver(env, &self.tenant).await;
        }
    }

    /// What was held for it is others' at once.
    pub async fn last(&self, env: &Env) {
        if self.is_urgent {
            deliver(env, &self.tenant).await;
        }
    }
}
