//! The operator's documents of a world.

use portolan::sorted::SortedMap;
use std::rc::Rc;

use anyhow::{Result, anyhow};
use portolan::config::{self, Documents, Snapshot};
use serde_json::{Map, Value, json};

use super::scenario::{Scenario, Tongue};

pub fn provider_name(provider: usize) -> String {
    format!("p{provider}")
}

pub fn model_name(model: usize) -> String {
    format!("m{model}")
}

pub fn route_name(route: usize) -> String {
    format!("r{route}")
}

pub fn cell_name(provider: usize, model: usize) -> String {
    format!("p{provider}/m{model}")
}

pub fn snapshot(scenario: &Scenario) -> Result<Rc<Snapshot>> {
    let mut secrets = SortedMap::new();
    let mut providers = Map::new();
    for (number, provider) in scenario.providers.iter().enumerate() {
        let (kind, path) = match provider.tongue {
            Tongue::OpenAi => ("openai", "/v1"),
            Tongue::Anthropic => ("anthropic", ""),
            Tongue::Gemini => ("gemini", ""),
        };
        let names: Vec<String> = (0..provider.keys).map(|key| format!("P{number}_KEY_{key}")).collect();
        let keys: Vec<String> = names.iter().map(|name| format!("${{{name}}}")).collect();
        secrets.extend(names.into_iter().map(|name| (name.clone(), format!("value-of-{name}"))));
        let window = 8_000 * (1 + u64::try_from(number).unwrap_or(0));
        let model = |_| json!({ "context": window, "max_output": 4000, "price": { "input": 1, "output": 2 } });
        let models: Map<String, Value> = (0..scenario.models).map(|m| (model_name(m), model(m))).collect();
        let base_url = format!("https://p{number}.example{path}");
        providers.insert(provider_name(number), json!({ "kind": kind, "base_url": base_url, "keys": keys, "models": models }));
    }
    let mut routes = Map::new();
    for (number, route) in scenario.routes.iter().enumerate() {
        let targets: Vec<String> = route.targets.iter().map(|(provider, model)| cell_name(*provider, *model)).collect();
        let strategy = if route.weighted { "weighted" } else { "priority" };
        routes.insert(route_name(number), json!({ "targets": targets, "strategy": strategy }));
    }
    let some = |map: Map<String, Value>| Some(Value::Object(map).to_string());
    let documents = Documents { providers: some(providers), routes: some(routes), ..Documents::default() };
    config::build(&documents, &secrets).map(Rc::new).map_err(|problems| anyhow!("{problems:?}"))
}
