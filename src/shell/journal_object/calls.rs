//! The journals of tenants, told and asked from outside.

use futures::future::join_all;
use wasm_bindgen::JsValue;
use worker::{Env, console_error};

use super::BINDING;
use crate::{
    config::Settings,
    error::{Error, Kind},
    journal::{self, Batch, Page, Policy, Question},
    ledger::{DEFAULT_TENANT, record::Record},
    shell::{bindings::Object, clock, edge, isolate, usage},
    units::Millis,
};

/// Journals that are asked at once.
const AT_ONCE: usize = 6;
/// Rounds of calls that one request makes for others: a free account has 50 calls for one request.
const MAX_ROUNDS: usize = 6;
/// Pauses before what failed is told again; what remains is told after the next request.
const PAUSES_MS: [u64; 3] = [1_000, 2_000, 4_000];
/// What came so late is left for the next look when several journals are asked: their clocks differ, and a journal that was
/// asked first may have taken something in that stands before what another one told.
const SETTLING_MS: u64 = 1_000;

fn of(tenant: &str) -> Object<'_> {
    Object { binding: BINDING, name: tenant, hint: "" }
}

/// Takes a record in, for its tenant's journal.
pub fn note(record: &Record, line: String, settings: &Settings) {
    let now = clock::now();
    isolate::with(|i| {
        let mut outbox = i.journal.borrow_mut();
        outbox.keep_for(Policy { days: settings.journal.days, max_mb: settings.journal.max_mb });
        if let Some(kept) = record.response_id.as_deref().zip(record.provider.as_deref()) {
            outbox.put_kept(&record.tenant, kept, now);
        }
        if settings.journal.enabled {
            outbox.put(&record.tenant, line, now);
        }
    });
}

/// Tells journals all there is to tell. What fails waits and is told again.
pub async fn deliver(env: &Env) {
    let mut pauses = PAUSES_MS.into_iter();
    for _ in 0..MAX_ROUNDS {
        let batches = isolate::with(|i| i.journal.borrow_mut().begin(clock::now()));
        if batches.is_empty() {
            let is_empty = isolate::with(|i| i.journal.borrow().is_empty());
            let Some(pause) = pauses.next().filter(|_| !is_empty) else { break };
            edge::pause(pause).await;
            continue;
        }
        join_all(batches.iter().map(|batch| tell(env, batch))).await;
    }
    let lost = isolate::with(|i| i.journal.borrow_mut().take_lost());
    if lost > 0 {
        console_error!("{lost} records were given up: the journal could not be reached for too long");
    }
}

async fn tell(env: &Env, batch: &Batch) {
    let path = format!("append/{}", batch.policy.write().replace(' ', "-"));
    let told = of(&batch.tenant).tell(env, &path, &JsValue::from_str(&batch.message)).await;
    if let Err(error) = &told {
        console_error!("the journal of {} could not be told: {error}", batch.tenant);
    }
    isolate::with(|i| i.journal.borrow_mut().ended(batch, told.is_ok(), clock::now()));
}

/// A page of records, newest first.
pub async fn list(env: &Env, query: &str) -> Result<String, Error> {
    let question = Question::read(query)?;
    let tenants = tenants(env, &question.tenants).await?;
    let until = (tenants.len() > 1).then(|| journal::place(Millis(clock::now().0.saturating_sub(SETTLING_MS))));
    let path = format!("list/{}?{query}", until.map(|until| until.to_string()).unwrap_or_default());
    let mut answers = vec![];
    for some in tenants.chunks(AT_ONCE) {
        answers.extend(join_all(some.iter().map(|tenant| async { of(tenant).ask(env, &path, "").await })).await);
    }
    let (mut pages, mut silent) = (vec![], vec![]);
    for (tenant, answer) in tenants.iter().zip(&answers) {
        match answer.as_deref().ok().and_then(Page::read) {
            Some(page) => pages.push(page),
            None => silent.push(tenant.as_str()),
        }
    }
    Ok(journal::merged(&question, &pages, &silent, until))
}

/// Those who are named, or all there are.
async fn tenants(env: &Env, named: &[String]) -> Result<Vec<String>, Error> {
    if !named.is_empty() {
        return Ok(named.to_vec());
    }
    let mut tenants = usage::all(env).await?;
    if tenants.iter().all(|tenant| tenant != DEFAULT_TENANT) {
        tenants.push(DEFAULT_TENANT.to_owned());
    }
    tenants.retain(|tenant| !tenant.starts_with('@'));
    Ok(tenants)
}

/// The record of an id, whosever it is: JSON. The query may name tenants.
pub async fn find(env: &Env, id: &str, query: &str) -> Result<String, Error> {
    let question = Question::read(query)?;
    let tenants = tenants(env, &question.tenants).await?;
    let mut is_silent = false;
    let path = format!("id/{id}");
    for some in tenants.chunks(AT_ONCE) {
        let answers = join_all(some.iter().map(|tenant| async { of(tenant).ask(env, &path, "").await })).await;
        is_silent |= answers.iter().any(Result::is_err);
        if let Some(found) = answers.into_iter().flatten().find(|found| !found.is_empty()) {
            return Ok(found);
        }
    }
    if is_silent {
        return Err(Error::new(Kind::Unavailable, "Not all journals could be asked: try again."));
    }
    Err(Error::new(Kind::NotFound, format!("There is no record of `{id}`: it may be too old, or not written yet.")))
}

/// Who keeps the answer of an id for a tenant.
pub async fn owner(env: &Env, tenant: &str, response: &str) -> Result<String, String> {
    of(tenant).ask(env, &format!("owner/{response}"), "").await.map(|rows| format!("[{rows}]"))
}
