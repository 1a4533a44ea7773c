//! Configuration and keys from KV, each cached in the isolate with its age.

use std::rc::Rc;

use futures::future::join3;
use serde::{Deserialize, Serialize};
use worker::{Context, Env, console_error};

use super::{
    bindings, clock, health_object,
    isolate::{self, Loaded},
    news, versions,
};
use crate::{
    catalog::AI_BINDING,
    config::{self, Documents, Problem, Secrets, Snapshot},
    error::Error,
    guard::{Found, KEYS},
    plan::{health::Tuning, sync::Local},
    units::Millis,
    wire::webhook::{Keys, UNUSABLE},
};

/// How long a configuration or a key is used before KV is asked again: KV itself may lag a minute.
const FRESH_MS: u64 = 30_000;

/// News are not asked for again within this time for keys that nobody knows.
const ASK_AGAIN_MS: u64 = 250;

/// How long a key that was good goes on while KV cannot be read.
const STALE_MS: u64 = 3_600_000;

/// The set of documents that validated last, kept for isolates that meet a bad one first.
const GOOD: &str = "config@good";

/// Each set that validated, by its version, for decisions that were made on it to be made again.
const VERSION: &str = "config@v:";

/// Seconds that a set is kept after it was replaced: 90 days, longer than a journal of 50 000 records mostly reaches back.
const VERSION_S: f64 = 7_776_000.0;

#[derive(Clone, Serialize, Deserialize, PartialEq, Eq)]
struct Good {
    version: String,
    #[serde(default)]
    routes: Option<String>,
    #[serde(default)]
    providers: Option<String>,
    #[serde(default)]
    settings: Option<String>,
    #[serde(default)]
    prices: Option<String>,
    #[serde(default)]
    budgets: Option<String>,
}

impl Good {
    fn documents(self) -> Documents {
        let Self { routes, providers, settings, prices, budgets, .. } = self;
        Documents { routes, providers, settings, prices, budgets }
    }
}

/// The configuration in force. An old one is used while a new one is fetched in the background.
pub async fn current(env: &Env, context: &Context, region: &str, now: Millis) -> Loaded {
    isolate::with_health(Local::request);
    if isolate::with(|i| i.loaded.borrow().is_none()) {
        // A cold isolate: what others know of health, and what KV may not show yet, come along with the documents.
        let (read, _, ()) = join3(read(env), health_object::warm(env, region), news::begin(env, region)).await;
        return enforced(load(env, read, now).await);
    }
    news::refresh(env, context, region, now).await;
    let Some(mut loaded) = isolate::with(|i| i.loaded.borrow().clone()) else { return config(env, now).await };
    if now.since(loaded.at) >= FRESH_MS {
        // Stamped before the answer is there, so that one request a period asks.
        loaded.at = now;
        isolate::with(|i| *i.loaded.borrow_mut() = Some(loaded.clone()));
        let env = env.clone();
        context.wait_until(async move {
            config(&env, clock::now()).await;
        });
    }
    loaded
}

/// Loads, checks and keeps the configuration.
pub async fn config(env: &Env, now: Millis) -> Loaded {
    let read = read(env).await;
    enforced(load(env, read, now).await)
}

fn enforced(loaded: Loaded) -> Loaded {
    isolate::with_health(|health| health.tune(Tuning::of(&loaded.snapshot.settings.breaker)));
    isolate::with(|i| *i.loaded.borrow_mut() = Some(loaded.clone()));
    loaded
}

const NAMES: [&str; 6] = ["routes", "providers", "settings", "prices", "budgets", GOOD];

type Read = Result<[Option<String>; 6], String>;

async fn read(env: &Env) -> Read {
    bindings::values(env, NAMES).await
}

/// The documents as KV shows them, with what was written of late and KV does not show yet.
pub async fn documents(env: &Env) -> Result<Documents, String> {
    Ok(sorted_out(read(env).await?).0)
}

fn sorted_out([routes, providers, settings, prices, budgets, good]: [Option<String>; 6]) -> (Documents, Option<String>) {
    let over = |name: &str, shown: Option<String>| isolate::with(|i| i.news.borrow().over(name, shown));
    let documents = Documents {
        routes: over("routes", routes),
        providers: over("providers", providers),
        settings: over("settings", settings),
        prices: over("prices", prices),
        budgets: over("budgets", budgets),
    };
    (documents, good)
}

async fn load(env: &Env, read: Read, now: Millis) -> Loaded {
    let (documents, good) = match read {
        Ok(values) => sorted_out(values),
        Err(error) => return fallback(env, None, vec![problem(format!("KV could not be read: {error}"))], now).await,
    };
    let good: Option<Good> = good.and_then(|text| serde_json::from_str(&text).ok());
    let secrets = secrets(env, &documents, now).await;
    match config::build(&documents, &secrets.found) {
        Ok(mut snapshot) => {
            snapshot.warnings.extend(secrets.warnings());
            if good.as_ref().is_none_or(|good| good.version != snapshot.version) {
                keep(env, documents, &snapshot.version, good).await;
            }
            Loaded { snapshot: Rc::new(snapshot), problems: Rc::default(), at: now }
        }
        Err(problems) => {
            for problem in &problems {
                console_error!("bad document {}: {}: {}", problem.document, problem.path, problem.message);
            }
            fallback(env, good, problems, now).await
        }
    }
}

/// What holds when the documents do not: this isolate's own last configuration, else the last good set, else defaults.
async fn fallback(env: &Env, good: Option<Good>, problems: Vec<Problem>, now: Millis) -> Loaded {
    let mut snapshot = isolate::with(|i| i.loaded.borrow().as_ref().map(|l| l.snapshot.clone()));
    if let (None, Some(good)) = (&snapshot, good) {
        snapshot = built(env, &good.documents()).await;
    }
    if snapshot.is_none() {
        snapshot = built(env, &Documents::default()).await;
    }
    Loaded { snapshot: snapshot.unwrap_or_default(), problems: Rc::new(problems), at: now }
}

async fn built(env: &Env, documents: &Documents) -> Option<Rc<Snapshot>> {
    let secrets = secrets(env, documents, clock::now()).await;
    let mut snapshot = config::build(documents, &secrets.found).ok()?;
    snapshot.warnings.extend(secrets.warnings());
    Some(Rc::new(snapshot))
}

async fn keep(env: &Env, documents: Documents, version: &str, replaced: Option<Good>) {
    let before = replaced.clone().map(Good::documents);
    versions::note(env, before.as_ref(), &documents).await;
    let Documents { routes, providers, settings, prices, budgets } = documents;
    let good = Good { version: version.to_owned(), routes, providers, settings, prices, budgets };
    let Ok(text) = serde_json::to_string(&good) else { return };
    if let Err(error) = bindings::put(env, GOOD, &text).await {
        console_error!("the last good configuration could not be kept: {error}");
    }
    keep_version(env, version, &text).await;
    // Its time begins anew: it may have been in force for longer than that.
    if let Some(replaced) = replaced
        && let Ok(text) = serde_json::to_string(&replaced)
    {
        keep_version(env, &replaced.version, &text).await;
    }
}

async fn keep_version(env: &Env, version: &str, text: &str) {
    if let Err(error) = bindings::put_for(env, &format!("{VERSION}{version}"), text, VERSION_S).await {
        console_error!("the configuration {version} could not be kept: {error}");
    }
}

/// The configuration of a version, with the secrets of today.
pub async fn past(env: &Env, version: &str, current: &Rc<Snapshot>) -> Option<Rc<Snapshot>> {
    if current.version == version {
        return Some(Rc::clone(current));
    }
    let text = bindings::value(env, &format!("{VERSION}{version}")).await.ok()??;
    let good: Good = serde_json::from_str(&text).ok()?;
    built(env, &good.documents()).await
}

/// The secrets that documents may need: the Worker's own, and those of the Secrets Store, asked once for all.
pub async fn secrets(env: &Env, documents: &Documents, now: Millis) -> Secrets {
    let mut secrets = Secrets::default();
    let mut in_store = vec![];
    for name in config::secret_names(documents) {
        if name == AI_BINDING {
            // Not a text: that it is there is all there is to know.
            if bindings::binding(env, &name).is_object() {
                secrets.found.insert(name, "binding".to_owned());
            }
        } else if let Some(secret) = bindings::secret(env, &name) {
            secrets.found.insert(name, secret);
        } else if bindings::is_in_store(env, &name) {
            in_store.push(name);
        }
    }
    if !in_store.is_empty() {
        for (name, answer) in in_store.iter().zip(bindings::secrets_in_store(env, &in_store).await) {
            isolate::with(|i| secrets.add(name, answer, &mut i.in_store.borrow_mut(), now));
        }
    }
    secrets
}

/// One of the gateway's own secrets, wherever it is kept.
pub async fn own_secret(env: &Env, name: &str, now: Millis) -> Option<String> {
    if let Some(secret) = bindings::secret(env, name) {
        return Some(secret);
    }
    if !bindings::is_in_store(env, name) {
        return None;
    }
    let known = isolate::with(|i| i.in_store.borrow().fresh(name, now));
    if known.is_some() {
        return known;
    }
    let answer = bindings::secrets_in_store(env, &[name.to_owned()]).await.pop()?;
    isolate::with(|i| {
        let mut secrets = Secrets::default();
        secrets.add(name, answer, &mut i.in_store.borrow_mut(), now);
        secrets.found.remove(name)
    })
}

/// What webhooks are signed with; or what is wrong with it.
pub async fn webhook_keys(env: &Env, now: Millis) -> Result<Keys, &'static str> {
    let secret = own_secret(env, "WEBHOOK_SECRET", now).await.unwrap_or_default();
    Keys::read(&secret).ok_or(UNUSABLE)
}

fn problem(message: String) -> Problem {
    Problem { document: "config", path: String::new(), message }
}

/// The text of a gateway key's entry, cached whether it is there or not: a guessed key does not cost KV reads twice. `try_it`
/// says whether KV may be asked, should it come to that.
pub async fn key_entry(
    env: &Env,
    region: &str,
    name: String,
    now: Millis,
    try_it: impl FnOnce() -> Result<(), Error>,
) -> Result<Found<String>, Error> {
    let known = isolate::with(|i| i.keys.borrow().get(&name).cloned());
    if let Some((entry, _)) = known.as_ref().filter(|(_, at)| now.since(*at) < FRESH_MS) {
        return Ok(entry.clone().map_or(Found::Nothing, Found::Entry));
    }
    if !matches!(known, Some((Some(_), _))) {
        try_it()?;
    }
    let Ok(shown) = bindings::value(env, &name).await else {
        // What it was is what it is, for a time; what is revoked meanwhile is heard of all the same.
        let kept = known.filter(|(_, at)| now.since(*at) < STALE_MS).and_then(|(entry, _)| entry);
        return Ok(kept.map_or(Found::Unreachable, Found::Entry));
    };
    let over = |shown| isolate::with(|i| i.news.borrow().over(&name, shown));
    let mut entry = over(shown);
    // It may have been made a moment ago. Guesses do not make more calls than this.
    if entry.is_none() && clock::now().since(isolate::with(|i| i.heard_at.get())) >= ASK_AGAIN_MS {
        news::begin(env, region).await;
        entry = over(None);
    }
    isolate::remember_key(name, entry.clone(), now);
    Ok(entry.map_or(Found::Nothing, Found::Entry))
}

/// Whether any gateway key stands in KV. Only a refusal's wording depends on it, so it is remembered like a key.
pub async fn any_key(env: &Env, now: Millis) -> bool {
    let known = isolate::with(|i| i.keys.borrow().get(KEYS).filter(|(_, at)| now.since(*at) < FRESH_MS).cloned());
    if let Some((first, _)) = known {
        return first.is_some();
    }
    let Ok(any) = bindings::any(env, KEYS).await else { return false };
    isolate::remember_key(KEYS.to_owned(), any.then(String::new), now);
    any
}
