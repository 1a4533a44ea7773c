//! News of configuration and keys: kept by each region's health object, heard by its isolates.

use futures::future::{Either, select};
use wasm_bindgen::JsValue;
use worker::{Context, Env, console_error};

use super::{
    bindings::{self, sql},
    clock, edge, health_object, isolate, store,
};
use crate::{
    config::news::{self, Item},
    plan::region,
    units::Millis,
};

/// Items an object keeps. Beyond it the oldest are as slow as KV.
const MAX_ITEMS: u32 = 4_096;
/// Items looked at in KV for whether they are settled, in one alarm.
const MAX_RETIRED: u32 = 50;
/// Before the region whose object is told; before the number from which on an isolate wants to hear, and its region.
pub const PATH: &str = "news";
/// No request is decided on older news than this.
const FRESH_MS: u64 = 5_000;
/// A request does not wait for them any longer: an object far away, or one that is just being moved.
const PATIENCE_MS: u64 = 500;

/// The object's table; its last number.
pub fn open(state: &JsValue) -> Result<u64, JsValue> {
    sql(state, "CREATE TABLE IF NOT EXISTS news (name TEXT PRIMARY KEY, number REAL NOT NULL, item TEXT NOT NULL)", &[])?;
    last(state)
}

fn last(state: &JsValue) -> Result<u64, JsValue> {
    let number = sql(state, "SELECT coalesce(max(number), 0) FROM news", &[])?;
    Ok(number.parse().unwrap_or(0))
}

fn put(state: &JsValue, name: &str, number: u64, item: &str) -> Result<(), JsValue> {
    let values = [name.into(), number.to_string().into(), item.into()];
    sql(state, "INSERT OR REPLACE INTO news VALUES (?1, CAST(?2 AS REAL), ?3)", &values).map(drop)
}

/// The object hears of writes. Numbers are times, so that none comes twice when rows are gone.
pub fn hear(state: &JsValue, message: &str) -> Result<u64, JsValue> {
    let mut number = last(state)?;
    for mut item in news::read_items(message) {
        let earlier = sql(state, "SELECT item FROM news WHERE name = ?1", &[item.name.as_str().into()])?;
        number = clock::now().0.max(number.saturating_add(1));
        item = item.after(Item::read(&earlier));
        item.number = number;
        put(state, &item.name, number, &item.write())?;
    }
    let excess = "DELETE FROM news WHERE name != '' AND number NOT IN (SELECT number FROM news ORDER BY number DESC LIMIT ?1)";
    sql(state, excess, &[MAX_ITEMS.into()])?;
    Ok(number)
}

/// What an isolate that has heard up to `since` has not heard.
pub fn tell(state: &JsValue, since: &str) -> Result<String, JsValue> {
    let kept = sql(state, "SELECT number FROM news WHERE name != '' ORDER BY number", &[])?;
    let new = "SELECT item FROM news WHERE name != '' AND number > CAST(?1 AS REAL) ORDER BY number";
    let items = sql(state, new, &[since.into()])?;
    Ok(news::answer(last(state)?, &kept, &items))
}

/// The object forgets what KV shows by now. Whether it has more to look at later.
pub async fn retire(env: &Env, state: &JsValue) -> Result<bool, JsValue> {
    let now = clock::now();
    let old = now.0.saturating_sub(news::SETTLED_MS).to_string();
    let rows = "SELECT item FROM news WHERE name != '' AND number <= CAST(?1 AS REAL) ORDER BY number LIMIT ?2";
    let items = news::read_items(&format!("[{}]", sql(state, rows, &[old.into(), MAX_RETIRED.into()])?));
    let mut gone = false;
    for item in items {
        let Ok(shown) = bindings::value(env, &item.name).await else { break };
        // Unless it was written again meanwhile.
        if item.is_settled(shown.as_deref(), now) {
            let values = [item.name.as_str().into(), item.number.to_string().into()];
            sql(state, "DELETE FROM news WHERE name = ?1 AND number = CAST(?2 AS REAL)", &values)?;
            gone = true;
        }
    }
    if gone {
        // A number that is new, so that isolates hear of it.
        put(state, "", now.0.max(last(state)?.saturating_add(1)), "")?;
    }
    Ok(sql(state, "SELECT count(*) FROM news WHERE name != ''", &[])? != "0")
}

/// The isolate hears what is new, and lets go of what it had cached of that.
pub async fn learn(env: &Env, region: &str) -> Result<(), String> {
    let begun = clock::now();
    let since = isolate::with(|i| i.news.borrow().number());
    let answer = health_object::ask(env, region, &format!("{PATH}/{since}/{region}")).await?;
    let changed = isolate::with(|i| i.news.borrow_mut().learn(&answer, begun));
    heard(begun);
    take_effect(env, &changed).await;
    Ok(())
}

/// What the object had when it was asked is known here.
pub fn heard(at: Millis) {
    isolate::with(|i| i.heard_at.set(i.heard_at.get().max(at)));
}

async fn take_effect(env: &Env, changed: &[String]) {
    let mut documents = false;
    for name in changed {
        match isolate::with(|i| i.news.borrow().text(name)) {
            Some(text) if crate::guard::id_of_name(name).is_some() => {
                isolate::remember_key(name.clone(), text, clock::now());
            }
            Some(_) => documents = true,
            None => {}
        }
    }
    // A cold isolate is about to read them anyway.
    if documents && isolate::with(|i| i.loaded.borrow().is_some()) {
        store::config(env, clock::now()).await;
    }
}

/// After a write: this isolate and all regions' objects. The regions that could not be told.
pub async fn spread(env: &Env, items: Vec<Item>) -> bindings::Answers {
    let message = items.iter().map(Item::write).collect::<Vec<_>>().join(",");
    let names: Vec<String> = items.iter().map(|item| item.name.clone()).collect();
    isolate::with(|i| {
        let mut news = i.news.borrow_mut();
        items.into_iter().for_each(|item| news.take(item));
    });
    take_effect(env, &names).await;
    health_object::news(env, &region::ALL, &format!("[{message}]")).await
}

/// Before a request is decided, where nothing was heard for some seconds: an isolate that rested asks first. Otherwise
/// nobody waits.
pub async fn refresh(env: &Env, context: &Context, region: &str, now: Millis) {
    if now.since(isolate::with(|i| i.heard_at.get())) < FRESH_MS {
        return;
    }
    let (env, region) = (env.clone(), region.to_owned());
    let asking = Box::pin(async move { health_object::sync(&env, &region).await });
    if let Either::Right((_, asking)) = select(asking, Box::pin(edge::pause(PATIENCE_MS))).await {
        context.wait_until(asking);
    }
}

/// The same for an isolate that has just begun, beside what it reads from KV; and for a key that nobody knows.
pub async fn begin(env: &Env, region: &str) {
    let asking = Box::pin(learn(env, region));
    if let Either::Left((Err(error), _)) = select(asking, Box::pin(edge::pause(PATIENCE_MS))).await {
        console_error!("news of {region} could not be heard: {error}");
    }
}
