//! What operators write of prices: classes, lengths, tiers, units and currencies, exactly.

use portolan::{
    catalog::{Class, Price},
    chat::usage::Service,
};

use super::{documents, problems, secrets};

fn price(prices: &str) -> Price {
    let snapshot = portolan::config::build(&documents(&[("prices", prices)]), &secrets(&["OPENAI_API_KEY"]));
    snapshot.unwrap().price("openai", "x").cloned().unwrap()
}

#[test]
fn every_class_length_and_tier_is_read() {
    let price = price(
        r#"{"openai/x": {"input": 2, "output": 8, "cache_write_1h": 4, "input_audio": 40, "request": 0.005, "character": 15,
            "above": {"200000": {"input": 4, "output": 12}},
            "batch": {"input": 1, "above": {"200000": {"input": 2}}}, "priority": {"output": 16},
            "source": "https://lab.example/prices", "date": "2026-11-01"}}"#,
    );
    for (class, service, prompt, amount) in [
        (Class::Input, Service::Standard, 200_000, 2_000_000),
        (Class::Input, Service::Standard, 200_001, 4_000_000),
        (Class::Input, Service::Batch, 200_000, 1_000_000),
        (Class::Input, Service::Batch, 200_001, 2_000_000),
        (Class::CacheRead, Service::Batch, 0, 1_000_000),
        (Class::Output, Service::Priority, 0, 16_000_000),
        (Class::Output, Service::Flex, 0, 8_000_000),
        (Class::CacheWrite, Service::Standard, 0, 2_000_000),
        (Class::CacheWriteHour, Service::Standard, 0, 4_000_000),
        (Class::InputAudio, Service::Standard, 0, 40_000_000),
        (Class::Request, Service::Standard, 0, 5_000_000_000),
        (Class::Character, Service::Standard, 0, 15_000_000),
    ] {
        assert_eq!(price.rate(class, service, prompt).0, amount, "{class:?} {service:?} {prompt}");
    }
    assert_eq!((price.source(), price.date()), ("https://lab.example/prices", "2026-11-01"));
    assert_eq!((price.url(), price.quoted(), price.is_built_in()), (Some("https://lab.example/prices"), None, false));
}

#[test]
fn currencies_are_worth_what_the_operator_says() {
    for (prices, input, quoted) in [
        // 0.8 yuan are $0.11216.
        (
            r#"{"currencies":{"CNY":{"usd":0.1402,"date":"2026-11-01"}},"openai/x":{"input":0.8,"output":2,"currency":"CNY"}}"#,
            112_160,
            Some("CNY at 0.1402 USD of 2026-11-01"),
        ),
        // Its own rate wins.
        (
            r#"{"currencies":{"CNY":{"usd":9,"date":"2026-11-01"}},"openai/x":{"input":1,"output":2,"currency":"CNY","rate":{"usd":0.5,"date":"2026-10"}}}"#,
            500_000,
            Some("CNY at 0.5 USD of 2026-10"),
        ),
        // 3 × 0.0000005 picodollars are to be rounded: halves go up.
        (
            r#"{"openai/x":{"input":0.000003,"output":2,"currency":"EUR","rate":{"usd":0.5,"date":"2026-11-01"}}}"#,
            2,
            Some("EUR at 0.5 USD of 2026-11-01"),
        ),
        (
            r#"{"openai/x":{"input":0.000002,"output":2,"currency":"EUR","rate":{"usd":0.7,"date":"2026-11-01"}}}"#,
            1,
            Some("EUR at 0.7 USD of 2026-11-01"),
        ),
        (r#"{"openai/x":{"input":1,"output":2,"currency":"USD"}}"#, 1_000_000, None),
    ] {
        let price = price(prices);
        assert_eq!((price.input.0, price.quoted()), (input, quoted), "{prices}");
    }
}

#[test]
fn a_unit_alone_is_a_price() {
    let price = price(r#"{"openai/x":{"image":0.04,"second":0.0001}}"#);
    assert_eq!((price.input.0, price.rate(Class::Image, Service::Flex, 9).0), (0, 40_000_000_000));
    assert_eq!(price.rate(Class::Second, Service::Standard, 0).0, 100_000_000);
    assert_eq!((price.source(), price.date()), ("configuration", ""));
}

#[test]
fn what_is_wrong_with_a_price_is_said_at_its_place() {
    for (price, path, part) in [
        (r#"{"input":1}"#, "", "needs `input` and `output`"),
        (r#"{"cache_read":1}"#, "", "or a price by `request`"),
        (r#"{"image":1,"output":1}"#, "", "needs `input` and `output`"),
        (r#"{"input":1,"output":1.0000001}"#, ".output", "at most six decimals"),
        (r#"{"input":1,"output":1,"request":-1}"#, ".request", "0 to 100000, with at most twelve decimals"),
        (r#"{"input":1,"output":1,"above":{"2e5":{}}}"#, ".above.2e5", "a number of tokens"),
        (r#"{"input":1,"output":1,"above":{"0":{}}}"#, ".above.0", "a number of tokens"),
        (r#"{"input":1,"output":1,"above":{"9":{"inptu":1}}}"#, ".above.9.inptu", "Did you mean `input`"),
        (r#"{"input":1,"output":1,"flex":{"above":{"9":{"output":"1"}}}}"#, ".flex.above.9.output", "number"),
        (r#"{"input":1,"output":1,"batch":{"date":"2026-11-01"}}"#, ".batch.date", "unknown field"),
        (r#"{"input":1,"output":1,"currency":"CNY"}"#, ".currency", "What is `CNY` worth?"),
        (r#"{"input":1,"output":1,"currency":"yuan"}"#, ".currency", "three letters"),
        (r#"{"input":1,"output":1,"rate":{"usd":1,"date":"2026-11-01"}}"#, ".rate", "goes with a `currency`"),
        (r#"{"input":1,"output":1,"currency":"CNY","rate":{"usd":0.14}}"#, ".rate.date", "required"),
        (r#"{"input":1,"output":1,"currency":"CNY","rate":{"usd":0,"date":"2026-11-01"}}"#, ".rate.usd", "above 0"),
        (r#"{"input":1,"output":1,"currency":"CNY","rate":{"usd":1,"date":"1 Nov"}}"#, ".rate.date", "must be a date"),
        (
            r#"{"input":1.23456789012,"output":1,"currency":"CNY","rate":{"usd":0.123456789012,"date":"2026-11-01"}}"#,
            ".input",
            "decimals",
        ),
        (r#"{"input":1,"output":1,"date":"2026-02-30"}"#, ".date", "must be a date"),
    ] {
        let found = problems(&[("prices", &format!(r#"{{"openai/x":{price}}}"#))]);
        let expected = format!("openai/x{path}");
        let seen: Vec<_> = found.iter().map(|p| (p.path.as_str(), p.message.as_str())).collect();
        assert!(seen.len() == 1 && seen[0].0 == expected && seen[0].1.contains(part), "{price}: {seen:?}");
    }
    for (document, path, part) in [
        (r#"{"currencies":[]}"#, "currencies", "must be an object"),
        (r#"{"currencies":{"USD":{"usd":1,"date":"2026-11-01"}}}"#, "currencies.USD", "other than USD"),
        (r#"{"currencies":{"CNY":{"usd":"1","date":"2026-11-01"}}}"#, "currencies.CNY.usd", "number"),
    ] {
        let found = problems(&[("prices", document)]);
        assert!(found.len() == 1 && found[0].path == path && found[0].message.contains(part), "{document}: {found:?}");
    }
}
