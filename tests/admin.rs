//! Tests of the room `admin`: what is explained is what would be done, and what was done can be decided again.

#[path = "admin/explain.rs"]
mod explain;
#[path = "admin/keys.rs"]
mod keys;
#[path = "admin/openapi.rs"]
pub mod openapi;
mod prices;
#[path = "admin/replay.rs"]
mod replay;
#[path = "admin/simulate.rs"]
mod simulate;
#[path = "admin/versions.rs"]
mod versions;

use portolan::sorted::SortedMap;
use std::rc::Rc;

use portolan::{
    admin::Asked,
    config::{self, Documents, Snapshot},
    error::Error,
    plan::{health::View, inputs::Origin},
    units::Millis,
};
use serde_json::Value;

const NOW: Millis = Millis(1_800_000_000_000);
const PROVIDERS: &str = include_str!("fixtures/exchange/providers.json");
const SECRETS: [&str; 6] = ["ALPHA_KEY", "BETA_KEY", "GAMMA_KEY", "GEMINI_API_KEY", "PAIR_KEY_1", "PAIR_KEY_2"];

fn gateway(routes: &str) -> Rc<Snapshot> {
    let secrets: SortedMap<_, _> = SECRETS.iter().map(|name| ((*name).to_owned(), format!("value-of-{name}"))).collect();
    let some = |text: &str| Some(text.to_owned());
    let documents = Documents { providers: some(PROVIDERS), routes: some(routes), ..Documents::default() };
    Rc::new(config::build(&documents, &secrets).unwrap())
}

fn asked<'a>(text: &'a str, config: &'a Rc<Snapshot>) -> Asked<'a> {
    let origin = Origin { region: "weur".to_owned(), country: "DE".to_owned(), colo: "FRA".to_owned() };
    Asked { text, config, health: View::default(), origin, now: NOW, id: "req_0123456789".to_owned() }
}

/// The answer of one of the two calls.
fn answer(call: fn(&Asked<'_>) -> Result<String, Error>, text: &str, config: &Rc<Snapshot>) -> Value {
    let told = call(&asked(text, config)).map_err(|error| format!("{text}: {}", error.message)).unwrap();
    let told = serde_json::from_str(&told).unwrap();
    // With all that `explain` says.
    openapi::hold("Simulation", &told);
    told
}

/// One member of each item.
fn column(value: &Value, list: &str, key: &str) -> Vec<String> {
    let text = |item: &Value| item[key].as_str().map_or_else(|| item[key].to_string(), str::to_owned);
    value[list].as_array().unwrap().iter().map(text).collect()
}
