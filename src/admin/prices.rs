//! The operator's calls about prices: which hold, who said so, and how long ago.

use serde_json::{Map, Value};

use crate::{
    catalog::{self, Price},
    config::{Snapshot, write_price},
    units::Millis,
    wire::{
        compose::{Members, json},
        json::json_text,
    },
};

/// Providers change their prices a few times a year.
pub const STALE_DAYS: u64 = 90;

/// Every price in force, of the providers that are on.
pub fn list(config: &Snapshot, now: Millis) -> String {
    let (mut data, mut unpriced, mut stale) = (vec![], vec![], 0_u64);
    for provider in config.providers.values() {
        for (name, model) in provider.models.iter() {
            let id = format!("{}/{name}", provider.name);
            let Some(price) = &model.price else {
                unpriced.push(id);
                continue;
            };
            stale += u64::from(is_stale(price, now));
            let is_known = catalog::model(provider.kind.name, name).is_some_and(|row| row.price.is_some());
            data.push(Value::Object(one(id, price, is_known && !price.is_built_in(), now)));
        }
    }
    json_text(&json!({"stale_after_days": STALE_DAYS, "stale": stale, "data": data, "unpriced": unpriced}))
}

fn one(id: String, price: &Price, overrides: bool, now: Millis) -> Map<String, Value> {
    let mut out = Map::new();
    out.put("model", id);
    // As it would stand in `prices`, where it can be copied to.
    out.put("price", write_price(price));
    out.put("source", price.source());
    for (key, text) in
        [("url", price.url()), ("date", Some(price.date()).filter(|date| !date.is_empty())), ("quoted", price.quoted())]
    {
        if let Some(text) = text {
            out.put(key, text);
        }
    }
    if let Some(age) = age(price, now) {
        out.put("age_days", age);
    }
    out.put("stale", is_stale(price, now));
    out.put("by", if price.is_built_in() { "catalog" } else { "operator" });
    out.put("overrides_catalog", overrides);
    out
}

/// Of one without a date nobody knows.
fn age(price: &Price, now: Millis) -> Option<u64> {
    Millis::of_date(price.date()).map(|date| now.days_since(date))
}

fn is_stale(price: &Price, now: Millis) -> bool {
    age(price, now).is_some_and(|age| age > STALE_DAYS)
}

/// What the operator should know of the prices of what routes lead to; without routes, of all that may be called.
pub fn warning(config: &Snapshot, now: Millis) -> Option<String> {
    let targets = config.routes.values().flat_map(|route| config.targets(route));
    let routed = targets.filter_map(|target| config.price(&target.provider, &target.model));
    let all = config.providers.values().flat_map(|provider| provider.models.values()).filter_map(|model| model.price.as_ref());
    let used: Vec<&Price> = if config.routes.is_empty() { all.collect() } else { routed.collect() };
    let stale = used.iter().filter(|price| is_stale(price, now));
    let oldest = stale.clone().map(|price| price.date()).min()?;
    Some(format!(
        "{} of the {} prices in use are older than {STALE_DAYS} days, the oldest of {oldest}: `cargo xtask prices import` makes a \
         document of newer ones, and `/admin/v1/prices` tells each.",
        stale.count(),
        used.len()
    ))
}
