//! A price as an operator would write it, for who reads it and for a document of prices.

use serde_json::{Map, Number, Value};

use crate::{
    catalog::{Class, Price, Rate},
    chat::usage::Service,
    units::Money,
    wire::compose::Members,
};

/// As it stands in `prices`: money by class, then what is other for longer prompts and for each tier.
pub fn write_price(price: &Price) -> Map<String, Value> {
    let mut out = Map::new();
    for (class, amount) in usual(price) {
        out.insert(class.name().to_owned(), money(class, amount));
    }
    write_lengths(price, Service::Standard, &mut out);
    for service in Service::ALL.into_iter().filter(|service| !service.is_standard()) {
        let mut tier = Map::new();
        write_rates(price, (service, 0), &mut tier);
        write_lengths(price, service, &mut tier);
        if !tier.is_empty() {
            out.put(service.name(), tier);
        }
    }
    out
}

/// What the usual request pays; of the cached, only what is not the input's.
fn usual(price: &Price) -> impl Iterator<Item = (Class, Money)> {
    let has_tokens = price.input.0 > 0 || price.output.0 > 0 || price.rates().is_empty();
    let tokens = [(Class::Input, price.input), (Class::Output, price.output)].into_iter().filter(move |_| has_tokens);
    let cached = [(Class::CacheRead, price.cache_read), (Class::CacheWrite, price.cache_write)];
    let input = price.input;
    let more = price.rates().iter().filter(|rate| rate.service.is_standard() && rate.above == 0);
    tokens.chain(cached.into_iter().filter(move |(_, amount)| *amount != input)).chain(more.map(|rate| (rate.class, rate.amount)))
}

fn write_lengths(price: &Price, service: Service, out: &mut Map<String, Value>) {
    let mut lengths: Vec<u32> = price.rates().iter().filter(|rate| rate.service == service).map(|rate| rate.above).collect();
    lengths.retain(|above| *above > 0);
    lengths.sort_unstable();
    lengths.dedup();
    let mut above = Map::new();
    for length in lengths {
        let mut rates = Map::new();
        write_rates(price, (service, length), &mut rates);
        above.insert(length.to_string(), Value::Object(rates));
    }
    if !above.is_empty() {
        out.put("above", above);
    }
}

fn write_rates(price: &Price, (service, above): (Service, u32), out: &mut Map<String, Value>) {
    let is_here = |rate: &&Rate| rate.service == service && rate.above == above;
    for rate in price.rates().iter().filter(is_here) {
        out.insert(rate.class.name().to_owned(), money(rate.class, rate.amount));
    }
}

/// Dollars for a million or for one, as it is published.
pub fn money(class: Class, amount: Money) -> Value {
    let amount = if class.is_by_million() { amount.times(1_000_000) } else { amount };
    serde_json::from_str::<Number>(&amount.dollars()).map_or(Value::Null, Value::Number)
}
