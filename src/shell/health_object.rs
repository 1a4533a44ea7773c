//! The truth about health in one region: load, decide, save. One object a region.

use std::cell::RefCell;

use serde::{Serialize, de::DeserializeOwned};
use wasm_bindgen::JsValue;
use worker::{
    DurableObject, Env, Method, Request, RequestInit, Response, Result, State, Stub, console_error, durable_object, wasm_bindgen,
};

use super::{clock, isolate, store};
use crate::plan::{
    health::{Health, Tuning, View},
    seed,
    sync::{Reply, Report, absorb},
};

/// The snapshot in KV is for cold isolates and the dashboard: KV takes about one write a second to one key.
const PUBLISH_MS: i64 = 5_000;

/// Where the state is kept between lives of the object.
const STATE: &str = "health";
const REGION: &str = "region";

#[durable_object]
pub struct HealthObject {
    state: State,
    env: Env,
    health: RefCell<Option<Health>>,
}

impl DurableObject for HealthObject {
    fn new(state: State, env: Env) -> Self {
        Self { state, env, health: RefCell::new(None) }
    }

    async fn fetch(&self, mut request: Request) -> Result<Response> {
        self.load().await;
        if request.method() == Method::Get {
            return Response::from_json(&*self.health.borrow());
        }
        let region = request.path().trim_start_matches('/').to_owned();
        // Not `json()`: numbers would go through floating point on the way.
        let report: Report = serde_json::from_str(&request.text().await?)?;
        let (reply, changed) = self.absorb(&report);
        if let Some(state) = changed {
            let storage = self.state.storage();
            storage.put(STATE, state).await?;
            storage.put(REGION, region).await?;
            if storage.get_alarm().await?.is_none() {
                storage.set_alarm(PUBLISH_MS).await?;
            }
        }
        Response::from_json(&reply)
    }

    async fn alarm(&self) -> Result<Response> {
        self.load().await;
        let region: String = self.state.storage().get(REGION).await?.unwrap_or_default();
        let view = self.health.borrow().as_ref().map(|health| health.snapshot(clock::now()));
        self.env.kv("CONFIG")?.put(&snapshot_key(&region), serde_json::to_string(&view)?)?.execute().await?;
        Response::empty()
    }
}

impl HealthObject {
    /// Reads what an earlier life of the object kept.
    async fn load(&self) {
        if self.health.borrow().is_some() {
            return;
        }
        let kept: Option<String> = self.state.storage().get(STATE).await.unwrap_or_default();
        let health = kept.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_else(|| Health::new(Tuning::default()));
        // Another event may have loaded and changed it meanwhile.
        self.health.borrow_mut().get_or_insert(health);
    }

    /// Decides without waiting for anything, so that no other event sees half of it. The state, when it must be kept.
    fn absorb(&self, report: &Report) -> (Option<Reply>, Option<String>) {
        let now = clock::now();
        let mut health = self.health.borrow_mut();
        let Some(health) = health.as_mut() else { return (None, None) };
        let before = health.snapshot(now).version();
        let reply = absorb(health, report, now, seed::mix(now.0));
        let changed = health.snapshot(now).version() != before || reply.grants();
        let state = changed.then(|| serde_json::to_string(health).ok()).flatten();
        (Some(reply), state)
    }
}

pub fn snapshot_key(region: &str) -> String {
    format!("health@{region}")
}

fn stub(env: &Env, region: &str) -> Result<Stub> {
    env.durable_object("HEALTH")?.get_by_name_with_location_hint(region, region)
}

/// Tells the region's object what is due, and learns its view. Never on a request's way.
pub async fn sync(env: &Env, region: &str) {
    let Some(report) = isolate::with_health(|health| health.due(clock::now())) else { return };
    let reply = match stub(env, region) {
        Ok(stub) => call(&stub, region, &report).await,
        Err(error) => Err(error),
    };
    match reply {
        Ok(reply) => isolate::with_health(|health| health.learned(reply, clock::now())),
        Err(error) => {
            console_error!("health of {region} could not be synchronised: {error}");
            isolate::with_health(|health| health.learned_nothing(clock::now()));
        }
    }
}

/// What the region's object last published, for an isolate that has just begun.
pub async fn warm(env: &Env, region: &str) {
    let Ok(kv) = env.kv("CONFIG") else { return };
    let kept = kv.get(&snapshot_key(region)).cache_ttl(store::KV_CACHE_S).text().await.ok().flatten();
    if let Some(view) = kept.and_then(|text| serde_json::from_str::<View>(&text).ok()) {
        isolate::with_health(|health| health.warm(view));
    }
}

/// What the region's object knows.
pub async fn state(env: &Env, region: &str) -> Result<String> {
    stub(env, region)?.fetch_with_str("https://health/").await?.text().await
}

async fn call<T: Serialize, R: DeserializeOwned>(stub: &Stub, path: &str, message: &T) -> Result<R> {
    let mut init = RequestInit::new();
    init.with_method(Method::Post).with_body(Some(JsValue::from_str(&serde_json::to_string(message)?)));
    let request = Request::new_with_init(&format!("https://health/{path}"), &init)?;
    Ok(serde_json::from_str(&stub.fetch_with_request(request).await?.text().await?)?)
}
