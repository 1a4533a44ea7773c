//! What the operator is told of prices: which hold, whose they are, and how old.

use portolan::{
    admin::prices,
    catalog::{self, Class},
    config::{self, Documents, Snapshot, write_price},
    exchange::models,
    sorted::SortedMap,
    units::Millis,
};
use serde_json::{Value, json};

use super::openapi::hold;

fn snapshot(prices: &str, routes: &str) -> Snapshot {
    let mut secrets = SortedMap::new();
    secrets.insert("OPENAI_API_KEY".to_owned(), "x".to_owned());
    let documents = Documents { prices: Some(prices.to_owned()), routes: Some(routes.to_owned()), ..Documents::default() };
    config::build(&documents, &secrets).unwrap()
}

fn day(date: &str) -> Millis {
    Millis::of_date(date).unwrap()
}

const OWN: &str = r#"{"openai/gpt-4o": {"input": 2, "output": 9, "date": "2026-08-01", "source": "https://lab.example"},
    "openai/mine": {"input": 1, "output": 2, "currency": "CNY", "rate": {"usd": 0.14, "date": "2026-08-02"}}}"#;

#[test]
fn each_price_tells_whose_it_is_and_how_old() {
    let config = snapshot(OWN, "{}");
    for (now, stale_own, stale_all) in [("2026-10-30", false, 0), ("2026-10-31", true, 1), ("2027-03-01", true, 42)] {
        let told: Value = serde_json::from_str(&prices::list(&config, day(now))).unwrap();
        hold("Prices", &told);
        let of = |id: &str| told["data"].as_array().unwrap().iter().find(|one| one["model"] == id).unwrap();
        let own = of("openai/gpt-4o");
        assert_eq!((&own["stale"], &told["stale"]), (&json!(stale_own), &json!(stale_all)), "{now}");
        assert_eq!(own["price"], json!({"input": 2, "output": 9}));
        assert_eq!((&own["by"], &own["overrides_catalog"]), (&json!("operator"), &json!(true)));
        assert_eq!((&own["url"], &own["date"]), (&json!("https://lab.example"), &json!("2026-08-01")));
        let mine = of("openai/mine");
        assert_eq!(mine["price"], json!({"input": 0.14, "output": 0.28}), "in dollars");
        assert_eq!((&mine["quoted"], mine.get("age_days")), (&json!("CNY at 0.14 USD of 2026-08-02"), None));
        assert_eq!((&mine["overrides_catalog"], &mine["stale"]), (&json!(false), &json!(false)), "of no date nobody knows");
        let built = of("openai/gpt-5.4");
        assert_eq!((&built["by"], &built["overrides_catalog"]), (&json!("catalog"), &json!(false)));
        assert!(built["url"].as_str().unwrap().starts_with("https://") && built["source"].is_string());
        assert_eq!((&of("mock/echo")["stale"], of("mock/echo").get("date")), (&json!(false), None));
    }
}

#[test]
fn the_operator_is_warned_of_what_is_in_use() {
    let unrouted = snapshot(OWN, "{}");
    let routed = snapshot(OWN, r#"{"a": {"targets": ["openai/gpt-4o", "openai/gpt-5.4"]}, "b": {"targets": ["mock/echo"]}}"#);
    assert_eq!((prices::warning(&unrouted, day("2026-10-30")), prices::warning(&routed, day("2026-10-30"))), (None, None));
    let said = prices::warning(&routed, day("2026-11-20")).unwrap();
    assert!(said.starts_with("1 of the 3 prices in use are older than 90 days, the oldest of 2026-08-01"), "{said}");
    let said = prices::warning(&unrouted, day("2027-03-01")).unwrap();
    assert!(said.starts_with("42 of the 49 prices in use"), "{said}");
}

/// What is told can be copied into the document, and is the same price then.
#[test]
fn a_price_that_is_written_is_read_again() {
    let secrets = SortedMap::new();
    for row in catalog::models().iter().filter(|row| row.provider != catalog::MOCK) {
        let price = row.price.as_ref().unwrap();
        let id = format!("{}/{}", row.provider, row.name);
        let document = json!({&id: write_price(price)}).to_string();
        let providers = json!({row.provider: {"keys": []}}).to_string();
        let documents = Documents { prices: Some(document.clone()), providers: Some(providers), ..Documents::default() };
        let built = config::build(&documents, &secrets).unwrap_or_else(|problems| panic!("{document}: {problems:?}"));
        let Some(again) = built.price(row.provider, row.name) else { continue };
        assert_eq!((again.input, again.output, again.cache_read), (price.input, price.output, price.cache_read), "{id}");
        let sorted = |price: &catalog::Price| {
            let mut rates: Vec<String> = price.rates().iter().map(|rate| format!("{rate:?}")).collect();
            rates.sort();
            rates
        };
        assert_eq!(sorted(again), sorted(price), "{id}");
    }
    assert_eq!(config::money(Class::Search, portolan::units::Money(10_000_000_000)), json!(0.01));
}

#[test]
fn models_are_listed_with_all_that_they_ask() {
    let config = snapshot("{}", "{}");
    let of = |id: &str| -> Value {
        let text = models::list(&config, portolan::dialect::Dialect::OpenAiChat, Some(id), &|_| true).unwrap();
        serde_json::from_str(&text).unwrap()
    };
    let sol = of("openai/gpt-5.6-sol");
    let usual =
        json!({"prompt": "0.000004", "completion": "0.00002", "input_cache_read": "0.0000004", "input_cache_write": "0.000005"});
    assert_eq!(sol["pricing"], usual);
    let tiers = sol["pricing_tiers"].as_array().unwrap();
    let flex = tiers.iter().find(|tier| tier["service_tier"] == "flex" && tier["above_prompt_tokens"] == 272_000).unwrap();
    assert_eq!((&flex["prompt"], &flex["completion"]), (&json!("0.000004"), &json!("0.000015")));
    assert_eq!(tiers.len(), 7, "three tiers and the usual one, two lengths, less the usual rates");
    assert_eq!((&sol["pricing_date"], sol["pricing_source"].is_string()), (&json!("2026-11"), true));
    assert!(of("openai/gpt-5-pro").get("pricing_tiers").is_some());
    assert_eq!(of("mock/echo").get("pricing_tiers"), None);
}
