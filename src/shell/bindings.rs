//! Rust's side of `bindings.js`: KV, the objects and their storage.

use js_sys::{Array, Promise, Reflect};
use wasm_bindgen::{JsCast, JsValue, prelude::wasm_bindgen};
use worker::{Env, wasm_bindgen_futures::JsFuture, web_sys::Response};

use crate::telemetry::Answer;

#[wasm_bindgen(module = "/src/shell/bindings.js")]
extern "C" {
    #[wasm_bindgen(js_name = storeSecrets)]
    fn store_secrets(env: &JsValue, names: &str) -> Promise;
    #[wasm_bindgen(js_name = kvGet)]
    fn kv_get(env: &JsValue, keys: &str, cache_ttl: f64) -> Promise;
    #[wasm_bindgen(js_name = kvPut)]
    fn kv_put(env: &JsValue, key: &str, text: &str, seconds: f64) -> Promise;
    #[wasm_bindgen(js_name = kvAny)]
    fn kv_any(env: &JsValue, prefix: &str) -> Promise;
    #[wasm_bindgen(js_name = kvDelete)]
    fn kv_delete(env: &JsValue, key: &str) -> Promise;
    #[wasm_bindgen(js_name = kvList)]
    fn kv_list(env: &JsValue, prefix: &str, limit: f64, cursor: &str) -> Promise;
    #[wasm_bindgen(js_name = asset)]
    fn js_asset(env: &JsValue, path: &str, kind: &str) -> Promise;
    fn ask(env: &JsValue, binding: &str, name: &str, hint: &str, path: &str, message: &JsValue) -> Promise;
    #[wasm_bindgen(js_name = empty)]
    fn js_empty(state: &JsValue) -> Promise;
    #[wasm_bindgen(js_name = size)]
    fn js_size(state: &JsValue) -> f64;
    #[wasm_bindgen(js_name = askAll)]
    fn js_ask_all(env: &JsValue, binding: &str, names: &str, path: &str, message: &str) -> Promise;
    fn kept(state: &JsValue, key: &str) -> Promise;
    fn keep(state: &JsValue, key: &str, text: &str, region: &str, ms: f64) -> Promise;
    fn wake(state: &JsValue, ms: f64) -> Promise;
    pub fn arm(state: &JsValue, ms: f64);
    #[wasm_bindgen(js_name = writeOnce)]
    fn js_write_once(env: &JsValue, binding: &str, keys: &str, text: &str, mark: &str) -> Promise;
    #[wasm_bindgen(js_name = marks)]
    fn js_marks(env: &JsValue, binding: &str, prefix: &str) -> Promise;
    pub fn points(env: &JsValue, binding: &str, points: &str);
    #[wasm_bindgen(js_name = post)]
    fn js_post(url: &str, headers: &str, body: &str, ms: f64) -> Promise;
    pub fn pages(env: &JsValue, binding: &str, name: &str, path: &str, after: f64, limit: f64) -> JsValue;
    #[wasm_bindgen(catch)]
    fn together(state: &JsValue, work: &mut dyn FnMut() -> bool) -> Result<(), JsValue>;
    #[wasm_bindgen(catch, js_name = sql)]
    fn js_sql(state: &JsValue, statement: &str, bindings: &Array) -> Result<String, JsValue>;
}

/// Seconds that KV may answer from the edge's own cache; its least.
const KV_CACHE_S: f64 = 30.0;

/// What came of an errand, or the platform's own words.
async fn done(errand: Promise) -> Result<JsValue, String> {
    JsFuture::from(errand).await.map_err(|words| words.as_string().unwrap_or_default())
}

/// The values of several keys.
pub async fn values<const N: usize>(env: &Env, keys: [&str; N]) -> Result<[Option<String>; N], String> {
    let values = Array::from(&done(kv_get(env, &keys.join("\n"), KV_CACHE_S)).await?);
    let mut values = values.iter();
    Ok(keys.map(|_| values.next().and_then(|value| value.as_string())))
}

pub async fn value(env: &Env, key: &str) -> Result<Option<String>, String> {
    values(env, [key]).await.map(|[value]| value)
}

pub async fn put(env: &Env, key: &str, text: &str) -> Result<(), String> {
    done(kv_put(env, key, text, 0.0)).await.map(drop)
}

/// The same for some seconds only.
pub async fn put_for(env: &Env, key: &str, text: &str, seconds: f64) -> Result<(), String> {
    done(kv_put(env, key, text, seconds)).await.map(drop)
}

pub async fn delete(env: &Env, key: &str) -> Result<(), String> {
    done(kv_delete(env, key)).await.map(drop)
}

/// The keys of a page, one a line, and the cursor of the next.
pub async fn names(env: &Env, prefix: &str, limit: f64, cursor: &str) -> Result<(String, Option<String>), String> {
    let page = done(kv_list(env, prefix, limit, cursor)).await?.as_string().unwrap_or_default();
    let (cursor, names) = page.split_once('\n').unwrap_or((&page, ""));
    Ok((names.to_owned(), Some(cursor.to_owned()).filter(|cursor| !cursor.is_empty())))
}

/// The same with their values.
pub async fn page(env: &Env, prefix: &str, limit: f64, cursor: &str) -> Result<(Rows, Option<String>), String> {
    let (names, next) = names(env, prefix, limit, cursor).await?;
    let mut rows = vec![];
    if !names.is_empty() {
        let values = Array::from(&done(kv_get(env, &names, KV_CACHE_S)).await?);
        rows.extend(names.split('\n').zip(values.iter()).map(|(name, value)| (name.to_owned(), value.as_string())));
    }
    Ok((rows, next))
}

pub type Rows = Vec<(String, Option<String>)>;

/// A file served beside the Worker.
pub async fn asset(env: &Env, path: &str, kind: &str) -> Option<Response> {
    done(js_asset(env, path, kind)).await.ok()?.dyn_into().ok()
}

/// Whether KV has any key that begins like this.
pub async fn any(env: &Env, prefix: &str) -> Result<bool, String> {
    done(kv_any(env, prefix)).await.map(|any| any.is_truthy())
}

/// A secret; none when it is not set or empty.
pub fn secret(env: &Env, name: &str) -> Option<String> {
    binding(env, name).as_string().filter(|secret| !secret.is_empty())
}

/// Whether a name is bound to a secret of the Secrets Store.
pub fn is_in_store(env: &Env, name: &str) -> bool {
    let bound = binding(env, name);
    bound.is_object() && Reflect::get(&bound, &JsValue::from_str("get")).is_ok_and(|get| get.is_function())
}

/// Secrets of the Secrets Store, each its text or the platform's words.
pub async fn secrets_in_store(env: &Env, names: &[String]) -> Vec<Result<String, String>> {
    let answers = done(store_secrets(env, &names.join("\n"))).await.map(|list| Array::from(&list)).unwrap_or_default();
    let read = |answer: JsValue| {
        let answer = answer.as_string().unwrap_or_default();
        answer.strip_prefix('=').map(str::to_owned).ok_or_else(|| answer.trim_start_matches('!').to_owned())
    };
    names.iter().enumerate().map(|(at, _)| read(answers.get(u32::try_from(at).unwrap_or(u32::MAX)))).collect()
}

/// What the platform binds under a name; undefined where nothing is.
pub fn binding(env: &Env, name: &str) -> JsValue {
    Reflect::get(env, &JsValue::from_str(name)).unwrap_or(JsValue::UNDEFINED)
}

/// An object of a namespace. It is made near `hint` when it is not there yet.
pub struct Object<'a> {
    pub binding: &'a str,
    pub name: &'a str,
    pub hint: &'a str,
}

impl Object<'_> {
    /// Asks for something, or sends a message when it is not empty.
    pub async fn ask(&self, env: &Env, path: &str, message: &str) -> Result<String, String> {
        self.tell(env, path, &JsValue::from_str(message)).await
    }

    /// The same with a message that this module does not have in its memory.
    pub async fn tell(&self, env: &Env, path: &str, message: &JsValue) -> Result<String, String> {
        let answer = done(ask(env, self.binding, self.name, self.hint, path, message)).await?;
        Ok(answer.as_string().unwrap_or_default())
    }
}

/// Asks several objects at once, each named by where it is; `None` for what could not be asked.
pub async fn ask_all(env: &Env, binding: &str, names: &[&'static str], path: &str, message: &str) -> Answers {
    let answers = done(js_ask_all(env, binding, &names.join("\n"), path, message)).await.unwrap_or_default();
    let answers = Array::from(&answers);
    names.iter().zip(answers.iter()).map(|(name, answer)| (*name, answer.as_string())).collect()
}

pub type Answers = Vec<(&'static str, Option<String>)>;

/// What an object's storage has.
pub async fn stored(state: &JsValue, key: &str) -> Option<String> {
    done(kept(state, key)).await.ok()?.as_string()
}

/// Stores a text with the region, and wants the alarm within `ms`.
pub async fn store(state: &JsValue, key: &str, text: &str, region: &str, ms: f64) -> Result<(), String> {
    done(keep(state, key, text, region, ms)).await.map(drop)
}

/// Wants the alarm within `ms`.
pub async fn wake_within(state: &JsValue, ms: f64) -> Result<(), String> {
    done(wake(state, ms)).await.map(drop)
}

/// Empties an object's storage.
pub async fn empty(state: &JsValue) -> Result<(), String> {
    done(js_empty(state)).await.map(drop)
}

/// Bytes of an object's database.
#[expect(clippy::as_conversions, reason = "whole bytes of at most ten gigabytes")]
pub fn size(state: &JsValue) -> u64 {
    js_size(state) as u64
}

/// Writes a text to a bucket, with a mark that can be listed, under the first key of a line that has none yet.
pub async fn write_once(env: &Env, binding: &str, keys: &str, text: &str, mark: &str) -> Result<(), String> {
    done(js_write_once(env, binding, keys, text, mark)).await.map(drop)
}

/// The marks of what is below a folder of a bucket, one a line; nothing where no bucket is bound.
pub async fn marks(env: &Env, binding: &str, prefix: &str) -> Result<String, String> {
    Ok(done(js_marks(env, binding, prefix)).await?.as_string().unwrap_or_default())
}

/// In an object: one statement with its values; the first column of its rows, with commas between.
pub fn sql(state: &JsValue, statement: &str, values: &[JsValue]) -> Result<String, JsValue> {
    js_sql(state, statement, &values.iter().collect())
}

/// How long a webhook may take to answer.
const DELIVERY_MS: f64 = 10_000.0;

/// Calls a webhook. Anything but a 2xx is a failure, and not told further than that: its address may be a secret.
pub async fn deliver(url: &str, signed: &[(&str, String)], body: &str) -> Result<(), String> {
    let status = post(url, signed, body, DELIVERY_MS).await?.status;
    if (200..300).contains(&status) { Ok(()) } else { Err(format!("it answered {status}")) }
}

/// One call with a body of JSON; or what was wrong, in the platform's words.
pub async fn post(url: &str, headers: &[(&str, String)], body: &str, ms: f64) -> Result<Answer, String> {
    let lines: Vec<String> = headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    let text = done(js_post(url, &lines.join("\n"), body, ms)).await?.as_string().unwrap_or_default();
    let mut parts = text.splitn(3, '\n');
    let mut part = || parts.next().unwrap_or_default().to_owned();
    let (status, retry_after, body) = (part(), part(), part());
    Ok(Answer { status: status.parse().unwrap_or_default(), retry_after, body })
}

/// Stores all that is done, or nothing when it fails.
pub fn stored_together<T>(state: &JsValue, work: impl FnOnce() -> Result<T, JsValue>) -> Result<T, JsValue> {
    let (mut work, mut done) = (Some(work), None);
    together(state, &mut || {
        done = work.take().map(|work| work());
        matches!(done, Some(Ok(_)))
    })?;
    done.unwrap_or_else(|| Err(JsValue::UNDEFINED))
}
