//! What one isolate remembers between requests. Built first and stored after: no request waits for another's promise.

use std::{
    cell::{Cell, OnceCell, RefCell},
    collections::{HashMap, VecDeque},
    rc::Rc,
};

use super::{metrics::Points, outward::Outward, own_keys::Tenants, till::Till};
use crate::{
    config::{Given, Problem, ServiceAccount, Snapshot, news::News},
    guard::Throttle,
    journal::Outbox,
    metrics::Delta,
    plan::{health::Tuning, seed, sync::Local},
    sorted::SortedMap,
    units::Millis,
};

/// The configuration in force, and what is wrong with the documents that are not.
#[derive(Clone)]
pub struct Loaded {
    pub snapshot: Rc<Snapshot>,
    pub problems: Rc<Vec<Problem>>,
    pub at: Millis,
}

/// Gateway keys remembered, known and unknown ones. 4096 are some megabytes; beyond that all are asked anew.
const MAX_KEYS: usize = 4096;

#[derive(Default)]
pub struct Isolate {
    pub loaded: RefCell<Option<Loaded>>,
    pub keys: RefCell<HashMap<String, (Option<String>, Millis)>>,
    pub health: RefCell<Option<Local>>,
    /// What was written through the admin API of late, and when this isolate asked last.
    pub news: RefCell<News>,
    pub heard_at: Cell<Millis>,
    pub throttle: RefCell<Throttle>,
    /// What is to be told to tenants' journals, and since when somebody has promised to.
    pub journal: RefCell<Outbox>,
    pub promised: Cell<Option<Millis>>,
    pub outward: RefCell<Outward>,
    pub metrics: RefCell<Delta>,
    pub points: RefCell<Points>,
    /// Its own, as long as it lives.
    pub name: OnceCell<String>,
    /// Tenants' own keys.
    pub tenants: RefCell<Tenants>,
    /// What is to be told to tenants' ledgers.
    tills: RefCell<SortedMap<String, Till>>,
    /// What the Secrets Store gave.
    pub in_store: RefCell<Given>,
    /// Stored responses of late, and for each its tenant and the provider that keeps it.
    owners: RefCell<VecDeque<(String, String, String)>>,
    /// Google's tokens, and until when each is used.
    tokens: RefCell<Vec<(ServiceAccount, String, Millis)>>,
}

thread_local! {
    static ISOLATE: Isolate = Isolate::default();
}

pub fn with<T>(work: impl FnOnce(&Isolate) -> T) -> T {
    ISOLATE.with(work)
}

/// Reads or changes what this isolate knows of health.
pub fn with_health<T>(work: impl FnOnce(&mut Local) -> T) -> T {
    with(|isolate| {
        let mut health = isolate.health.borrow_mut();
        work(health.get_or_insert_with(|| Local::new(seed::hash(&super::edge::random_id()), Tuning::default())))
    })
}

/// A tenant, as this isolate knows it.
pub fn with_till<T>(tenant: &str, work: impl FnOnce(&mut Till) -> T) -> T {
    with(|isolate| {
        let mut tills = isolate.tills.borrow_mut();
        if let Some(till) = tills.get_mut(tenant) {
            return work(till);
        }
        work(tills.or_default(tenant.to_owned()))
    })
}

pub fn forget_idle_till(tenant: &str) {
    with(|isolate| {
        let mut tills = isolate.tills.borrow_mut();
        if tills.get(tenant).is_some_and(Till::is_idle) {
            tills.remove(tenant);
        }
    });
}

pub fn tenants() -> Vec<String> {
    with(|isolate| isolate.tills.borrow().keys().cloned().collect())
}

/// Stored responses remembered: the next turn of a conversation often comes before its record is in the journal.
const MAX_OWNERS: usize = 256;

pub fn remember_owner(response: String, tenant: String, provider: String) {
    with(|isolate| {
        let mut owners = isolate.owners.borrow_mut();
        if owners.len() >= MAX_OWNERS {
            owners.pop_front();
        }
        owners.push_back((response, tenant, provider));
    });
}

pub fn owner(response: &str, of: &str) -> Option<String> {
    let is_it = |(id, tenant, _): &&(String, String, String)| id == response && tenant == of;
    with(|isolate| isolate.owners.borrow().iter().rev().find(is_it).map(|(.., provider)| provider.clone()))
}

/// Service accounts whose tokens are remembered: each is some kilobytes, and few operators have more than one.
const MAX_TOKENS: usize = 64;

/// An account's token that is still good.
pub fn token(account: &ServiceAccount, now: Millis) -> Option<String> {
    let is_good = |(owner, _, until): &&(ServiceAccount, String, Millis)| now < *until && owner == account;
    with(|isolate| isolate.tokens.borrow().iter().find(is_good).map(|(_, token, _)| token.clone()))
}

pub fn remember_token(account: &ServiceAccount, token: &str, until: Millis) {
    forget_token(account);
    with(|isolate| {
        let mut tokens = isolate.tokens.borrow_mut();
        if tokens.len() >= MAX_TOKENS {
            tokens.clear();
        }
        tokens.push((account.clone(), token.to_owned(), until));
    });
}

pub fn forget_token(account: &ServiceAccount) {
    with(|isolate| isolate.tokens.borrow_mut().retain(|(owner, ..)| owner != account));
}

pub fn remember_key(entry: String, text: Option<String>, at: Millis) {
    with(|isolate| {
        let mut keys = isolate.keys.borrow_mut();
        if keys.len() >= MAX_KEYS {
            // What was guessed goes first.
            keys.retain(|_, (text, _)| text.is_some());
        }
        if keys.len() >= MAX_KEYS {
            keys.clear();
        }
        keys.insert(entry, (text, at));
    });
}
