//! The truth about health in one region: load, decide, save. One object a region.

use std::cell::{Cell, RefCell};

use wasm_bindgen::{JsValue, prelude::wasm_bindgen};
use worker::{
    Context, Env, console_error,
    wasm_bindgen_futures::JsFuture,
    web_sys::{Request, Response},
};

use super::{
    active,
    bindings::{self, Object},
    clock, isolate, news,
    serve::text,
    store,
};
use crate::{
    admin::health::{Order, describe, describe_history},
    exchange::probe,
    plan::{
        health::{Health, Tuning, View},
        seed,
        sync::{Reply, Report, absorb},
    },
};

/// The snapshot in KV is for cold isolates and the dashboard: KV takes about one write a second to one key.
const PUBLISH_MS: f64 = 5_000.0;

/// Where the state is kept between lives of the object.
const STATE: &str = "health";
const REGION: &str = "region";

/// Until it looks whether KV shows what it keeps as news.
const LOOK_AGAIN_MS: f64 = 3_600_000.0;

const BINDING: &str = "HEALTH";
/// The part of the path by which an operator's word comes.
const ORDER: &str = "order";
/// That by which what was is asked for.
const HISTORY: &str = "history";

#[wasm_bindgen]
pub struct HealthObject {
    state: JsValue,
    env: Env,
    health: RefCell<Option<Health>>,
    /// The version that KV has.
    published: Cell<Option<u64>>,
    /// Number of the last news it has.
    news: Cell<Option<u64>>,
}

#[wasm_bindgen(wasm_bindgen_futures = worker::wasm_bindgen_futures)]
impl HealthObject {
    #[wasm_bindgen(constructor)]
    pub fn new(state: JsValue, env: Env) -> Self {
        Self { state, env, health: RefCell::new(None), published: Cell::new(None), news: Cell::new(None) }
    }

    pub async fn fetch(&self, request: Request) -> Result<Response, JsValue> {
        Ok(text(200, "application/json", &self.answer(&request).await?))
    }

    pub async fn alarm(&self) -> Result<(), JsValue> {
        self.load().await;
        let region = bindings::stored(&self.state, REGION).await.unwrap_or_default();
        let view = self.health.borrow().as_ref().map(|health| health.snapshot(clock::now()));
        // Not the same again each time that it looks for something to probe.
        let version = view.as_ref().map(View::version);
        if self.published.get() != version {
            bindings::put(&self.env, &snapshot_key(&region), &json(&view)?).await?;
            self.published.set(version);
        }
        self.last_news()?;
        if news::retire(&self.env, &self.state).await? {
            bindings::wake_within(&self.state, LOOK_AGAIN_MS).await?;
        }
        self.news.set(None);
        self.probe(&region).await
    }
}

impl HealthObject {
    async fn answer(&self, request: &Request) -> Result<String, JsValue> {
        self.load().await;
        let url = request.url();
        let mut path = url.rsplit('/');
        let region = path.next().unwrap_or_default();
        let errand = path.next();
        if request.method() == "GET" {
            self.last_news()?;
            if path.next() == Some(news::PATH) {
                return news::tell(&self.state, errand.unwrap_or_default());
            }
            let with_history = |health: &mut Health| describe_history(health, clock::now());
            return Ok(if errand == Some(HISTORY) { self.with(with_history).unwrap_or_default() } else { self.described() });
        }
        // Not `json()`: numbers would go through floating point on the way.
        let message = JsFuture::from(request.text()?).await?.as_string().unwrap_or_default();
        if errand == Some(news::PATH) {
            self.last_news()?;
            self.news.set(Some(news::hear(&self.state, &message)?));
            bindings::store(&self.state, news::PATH, "", region, LOOK_AGAIN_MS).await?;
            return Ok(String::new());
        }
        if errand == Some(ORDER) {
            let state = self.obey(&message)?;
            bindings::store(&self.state, STATE, &state, region, PUBLISH_MS).await?;
            return Ok(self.described());
        }
        let report: Report = serde_json::from_str(&message).map_err(|error| error.to_string())?;
        let news = self.last_news()?;
        let (reply, changed) = self.absorb(&report);
        let reply = reply.map(|reply| reply.with_news(news));
        if let Some(state) = changed {
            bindings::store(&self.state, STATE, &state, region, PUBLISH_MS).await?;
        }
        Ok(json(&reply)?)
    }

    fn last_news(&self) -> Result<u64, JsValue> {
        if let Some(number) = self.news.get() {
            return Ok(number);
        }
        let number = news::open(&self.state)?;
        self.news.set(Some(number));
        Ok(number)
    }

    fn described(&self) -> String {
        self.health.borrow().as_ref().map(|health| describe(health, clock::now())).unwrap_or_default()
    }

    /// The operator's word, and the state to keep.
    fn obey(&self, message: &str) -> Result<String, String> {
        let mut health = self.health.borrow_mut();
        let Some(health) = health.as_mut() else { return Err(String::new()) };
        Order::obey(message, health, clock::now()).map_err(|error| error.message.clone())?;
        json(health)
    }

    /// Reads what an earlier life of the object kept.
    async fn load(&self) {
        if self.health.borrow().is_some() {
            return;
        }
        let kept = bindings::stored(&self.state, STATE).await;
        let health = kept.and_then(|text| serde_json::from_str(&text).ok()).map(Health::awoken);
        let health = health.unwrap_or_else(|| Health::new(Tuning::default()));
        // Another event may have loaded and changed it meanwhile.
        self.health.borrow_mut().get_or_insert(health);
    }

    /// Tries what is shut and idle, where the operator wants it, and looks again as long as something is shut.
    async fn probe(&self, region: &str) -> Result<(), JsValue> {
        if self.with(|health| health.look_again_after(clock::now())).flatten().is_none() {
            return Ok(());
        }
        let config = store::config(&self.env, clock::now()).await.snapshot;
        if !config.settings.active_probes {
            return Ok(());
        }
        for cell in self.with(|health| health.idle(clock::now())).unwrap_or_default() {
            let begun = self.with(|health| Some((health.begin_probe(&cell, clock::now())?, json(health))));
            let Some((view, state)) = begun.flatten() else { continue };
            bindings::store(&self.state, STATE, &state?, region, PUBLISH_MS).await?;
            // Without an answer its permit is kept, and it is not looked at again before that ends.
            let lessons = active::probe(&self.env, region, &config, &view, &cell).await;
            let learn = |health: &mut Health| {
                let now = clock::now();
                lessons.iter().for_each(|lesson| probe::learn(health, lesson, now, seed::mix(now.0)));
                json(health)
            };
            if let Some(state) = self.with(learn) {
                bindings::store(&self.state, STATE, &state?, region, PUBLISH_MS).await?;
            }
        }
        let Some(ms) = self.with(|health| health.look_again_after(clock::now())).flatten() else { return Ok(()) };
        let ms = f64::from(u32::try_from(ms).unwrap_or(u32::MAX));
        Ok(bindings::wake_within(&self.state, ms).await?)
    }

    fn with<T>(&self, work: impl FnOnce(&mut Health) -> T) -> Option<T> {
        self.health.borrow_mut().as_mut().map(work)
    }

    /// Decides without waiting for anything, so that no other event sees half of it. The state, when it must be kept.
    fn absorb(&self, report: &Report) -> (Option<Reply>, Option<String>) {
        let now = clock::now();
        let mut health = self.health.borrow_mut();
        let Some(health) = health.as_mut() else { return (None, None) };
        let before = health.snapshot(now).version();
        let reply = absorb(health, report, now, seed::mix(now.0));
        let changed = health.snapshot(now).version() != before || reply.is_promise(report);
        let state = changed.then(|| serde_json::to_string(health).ok()).flatten();
        (Some(reply), state)
    }
}

fn json(value: &impl serde::Serialize) -> Result<String, String> {
    serde_json::to_string(value).map_err(|error| error.to_string())
}

pub fn snapshot_key(region: &str) -> String {
    format!("health@{region}")
}

const fn object(region: &str) -> Object<'_> {
    Object { binding: BINDING, name: region, hint: region }
}

/// Tells the region's object what is due, and learns its view. Never on a request's way.
pub async fn sync(env: &Env, region: &str) {
    // Again for what became urgent meanwhile: nobody else may come by to tell it.
    while let Some(report) = isolate::with_health(|health| health.due(clock::now())) {
        let begun = clock::now();
        match report_to(env, region, &report).await {
            Ok(reply) => {
                let number = reply.news();
                isolate::with_health(|health| health.learned(reply, clock::now()));
                if isolate::with(|i| i.news.borrow().number()) == number {
                    news::heard(begun);
                } else if let Err(error) = news::learn(env, region).await {
                    console_error!("news of {region} could not be heard: {error}");
                }
            }
            Err(error) => {
                console_error!("health of {region} could not be synchronised: {error}");
                return isolate::with_health(|health| health.learned_nothing(clock::now()));
            }
        }
    }
}

/// The same while a request goes on.
pub fn tell(env: &Env, context: &Context, region: &str) {
    let (env, region) = (env.clone(), region.to_owned());
    context.wait_until(async move { sync(&env, &region).await });
}

async fn report_to(env: &Env, region: &str, report: &Report) -> Result<Reply, String> {
    let reply = object(region).ask(env, region, &json(report)?).await?;
    serde_json::from_str(&reply).map_err(|error| error.to_string())
}

/// Asks the region's object.
pub async fn ask(env: &Env, region: &str, path: &str) -> Result<String, String> {
    object(region).ask(env, path, "").await
}

/// Tells the objects of these regions what was written.
pub async fn news(env: &Env, regions: &[&'static str], message: &str) -> bindings::Answers {
    bindings::ask_all(env, BINDING, regions, &format!("{}/", news::PATH), message).await
}

/// What the region's object last published, for an isolate that has just begun.
pub async fn warm(env: &Env, region: &str) {
    let kept = bindings::value(env, &snapshot_key(region)).await.ok().flatten();
    if let Some(view) = kept.and_then(|text| serde_json::from_str::<View>(&text).ok()) {
        isolate::with_health(|health| health.warm(view));
    }
}

/// What the objects of these regions know, after the operator's word when there is one.
pub async fn all(env: &Env, regions: &[&'static str], order: &str) -> bindings::Answers {
    bindings::ask_all(env, BINDING, regions, &format!("{ORDER}/"), order).await
}

/// The same, and what was.
pub async fn history(env: &Env, regions: &[&'static str]) -> bindings::Answers {
    bindings::ask_all(env, BINDING, regions, &format!("{HISTORY}/"), "").await
}
