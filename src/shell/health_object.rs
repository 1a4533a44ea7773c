//! The truth about health in one region: load, decide, save. One object a region.

use std::cell::RefCell;

use wasm_bindgen::{JsValue, prelude::wasm_bindgen};
use worker::{
    Env, console_error,
    wasm_bindgen_futures::JsFuture,
    web_sys::{Request, Response},
};

use super::{
    bindings::{self, Object},
    clock, isolate,
    serve::text,
};
use crate::plan::{
    health::{Health, Tuning, View},
    seed,
    sync::{Reply, Report, absorb},
};

/// The snapshot in KV is for cold isolates and the dashboard: KV takes about one write a second to one key.
const PUBLISH_MS: f64 = 5_000.0;

/// Where the state is kept between lives of the object.
const STATE: &str = "health";

#[wasm_bindgen]
pub struct HealthObject {
    state: JsValue,
    env: Env,
    health: RefCell<Option<Health>>,
}

#[wasm_bindgen(wasm_bindgen_futures = worker::wasm_bindgen_futures)]
impl HealthObject {
    #[wasm_bindgen(constructor)]
    pub fn new(state: JsValue, env: Env) -> Self {
        Self { state, env, health: RefCell::new(None) }
    }

    pub async fn fetch(&self, request: Request) -> Result<Response, JsValue> {
        Ok(text(200, "application/json", &self.answer(&request).await?))
    }

    pub async fn alarm(&self) -> Result<(), JsValue> {
        let region = bindings::stored(&self.state, "region").await.unwrap_or_default();
        let snapshot = json(&self.load().await.snapshot(clock::now()))?;
        Ok(bindings::put(&self.env, &snapshot_key(&region), &snapshot).await?)
    }
}

impl HealthObject {
    async fn answer(&self, request: &Request) -> Result<String, JsValue> {
        let mut health = self.load().await;
        if request.method() == "GET" {
            return Ok(json(&health)?);
        }
        let message = JsFuture::from(request.text()?).await?.as_string().unwrap_or_default();
        let report: Report = serde_json::from_str(&message).map_err(|error| error.to_string())?;
        let url = request.url();
        let region = url.rsplit('/').next().unwrap_or_default();
        let now = clock::now();
        let before = health.snapshot(now).version();
        let reply = absorb(&mut health, &report, now, seed::mix(now.0));
        if health.snapshot(now).version() != before {
            bindings::store(&self.state, STATE, &json(&health)?, region, PUBLISH_MS).await?;
        }
        *self.health.borrow_mut() = Some(health);
        Ok(json(&reply)?)
    }

    async fn load(&self) -> Health {
        if let Some(health) = self.health.borrow_mut().take() {
            return health;
        }
        let kept = bindings::stored(&self.state, STATE).await;
        kept.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_else(|| Health::new(Tuning::default()))
    }
}

fn json(value: &impl serde::Serialize) -> Result<String, String> {
    serde_json::to_string(value).map_err(|error| error.to_string())
}

pub fn snapshot_key(region: &str) -> String {
    format!("health@{region}")
}

const fn object(region: &str) -> Object<'_> {
    Object { binding: "HEALTH", name: region, hint: region }
}

/// Tells the region's object what is due, and learns its view. Never on a request's way.
pub async fn sync(env: &Env, region: &str) {
    let Some(report) = isolate::with_health(|health| health.due(clock::now())) else { return };
    match report_to(env, region, &report).await {
        Ok(reply) => isolate::with_health(|health| health.learned(reply, clock::now())),
        Err(error) => {
            console_error!("health of {region} could not be synchronised: {error}");
            isolate::with_health(|health| health.learned_nothing(clock::now()));
        }
    }
}

async fn report_to(env: &Env, region: &str, report: &Report) -> Result<Reply, String> {
    let reply = object(region).ask(env, region, &json(report)?).await?;
    serde_json::from_str(&reply).map_err(|error| error.to_string())
}

/// What the region's object last published, for an isolate that has just begun.
pub async fn warm(env: &Env, region: &str) {
    let kept = bindings::value(env, &snapshot_key(region)).await.ok().flatten();
    if let Some(view) = kept.and_then(|text| serde_json::from_str::<View>(&text).ok()) {
        isolate::with_health(|health| health.warm(view));
    }
}

/// What the region's object knows.
pub async fn state(env: &Env, region: &str) -> Result<String, String> {
    object(region).ask(env, "", "").await
}
