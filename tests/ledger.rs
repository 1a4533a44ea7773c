//! Tests of the room `ledger` and of the numbers it reckons with: exact to the last picodollar.

mod book;
mod report;

use portolan::{
    catalog::{Price, Told},
    chat::usage::Usage,
    dialect::{Upstream, cohere::Cohere},
    error::{Error, Kind},
    ledger::{cost, numbers},
    units::{Millis, Money},
};
use serde_json::json;

fn price(input: u64, output: u64, cache_read: u64, cache_write: u64) -> Price {
    let cached = (Some(Money(cache_read)), Some(Money(cache_write)));
    Price::told(Money(input), Money(output), cached, Told::default())
}

fn usage(input: u64, cache_read: u64, cache_write: u64, output: u64, reasoning: u64) -> Usage {
    Usage { input, cache_read, cache_write, output, reasoning, ..Usage::default() }
}

#[test]
fn cohere_s_own_instructions_cost_nothing() {
    let body = json!({"message": {"content": "x"}, "finish_reason": "COMPLETE", "usage": {
        "billed_units": {"input_tokens": 8, "output_tokens": 3},
        "tokens": {"input_tokens": 640, "output_tokens": 7}, "cached_tokens": 512}});
    let used = Cohere.read_response(&body.to_string()).unwrap().usage.unwrap();
    assert_eq!(cost::of(&used, &price(2_500_000, 10_000_000, 250_000, 2_500_000)).dollars(), "0.00005");
}

#[test]
fn each_class_of_token_costs_its_own_price() {
    // $3, $15, $0.30 and $3.75 a million.
    let claude = price(3_000_000, 15_000_000, 300_000, 3_750_000);
    for (rule, used, dollars) in [
        ("nothing", usage(0, 0, 0, 0, 0), "0"),
        ("one token in", usage(1, 0, 0, 0, 0), "0.000003"),
        ("read from cache", usage(0, 1, 0, 0, 0), "0.0000003"),
        ("written to cache", usage(0, 0, 1, 0, 0), "0.00000375"),
        ("one token out", usage(0, 0, 0, 1, 0), "0.000015"),
        ("thoughts are part of the output, and paid once", usage(0, 0, 0, 10, 7), "0.00015"),
        ("all together", usage(1_000, 2_000, 400, 500, 100), "0.0126"),
        ("a million each", usage(1_000_000, 1_000_000, 1_000_000, 1_000_000, 0), "22.05"),
    ] {
        assert_eq!(cost::of(&used, &claude).dollars(), dollars, "{rule}");
    }
}

#[test]
fn no_sum_is_rounded_and_none_overflows() {
    // The cheapest price there is, a thousand million times: floating point would be off by now.
    let cheap = price(1, 1, 1, 1);
    assert_eq!(cost::of(&usage(999_999_999, 0, 0, 1, 0), &cheap).dollars(), "0.001");
    let one = cost::of(&usage(1, 1, 1, 1, 0), &price(862_500, 4_312_500, 172_500, 862_501));
    let sum = (0..1_000_000).fold(Money(0), |sum, _| sum.plus(one));
    assert_eq!(sum, one.times(1_000_000));
    assert_eq!(one.dollars(), "0.000006210001");
    let most = usage(u64::MAX, u64::MAX, u64::MAX, u64::MAX, 0);
    assert_eq!(cost::of(&most, &price(9, 9, 9, 9)), Money(u64::MAX), "saturates");
    assert_eq!((most.prompt(), most.total()), (u64::MAX, u64::MAX));
}

#[test]
fn times_neither_wrap_nor_go_below_zero() {
    for (from, to, since) in [(5, 9, 4), (9, 5, 0), (0, u64::MAX, u64::MAX), (7, 7, 0)] {
        assert_eq!(Millis(to).since(Millis(from)), since);
    }
    assert_eq!(Millis(u64::MAX).plus(1), Millis(u64::MAX), "never is never");
}

#[test]
fn retry_after_is_never_earlier_than_asked() {
    for (ms, seconds) in [(0, 0), (1, 1), (999, 1), (1_000, 1), (1_001, 2), (30_000, 30)] {
        let error = Error::new(Kind::RateLimited, "x").with_wait(Some(ms));
        assert_eq!(error.retry_after_seconds(), Some(seconds), "{ms}");
    }
    assert_eq!(Error::new(Kind::RateLimited, "x").retry_after_seconds(), None);
}

#[test]
fn of_a_providers_report_only_numbers_are_kept() {
    let deep = serde_json::from_str(&format!("{}1{}", "{\"a\":".repeat(9), "}".repeat(9))).unwrap();
    let wide: serde_json::Map<_, _> = (0..500).map(|i| (format!("k{i}"), json!(i))).collect();
    for (raw, expected) in [
        (
            json!({"prompt_tokens": 3, "note": "Hello there", "details": {"odd_tokens": 7, "x": "y"}, "queue_time": 0.5}),
            Some(json!({"prompt_tokens": 3, "details": {"odd_tokens": 7}, "queue_time": 0.5})),
        ),
        (json!({"iterations": [{"input_tokens": 1}], "is_byok": false, "cost": null}), None),
        (json!({"what a prompt could say here": 1, "ok": 2}), Some(json!({"ok": 2}))),
        (json!(7), None),
        (deep, None),
    ] {
        assert_eq!(numbers::of(&raw), expected, "{raw}");
    }
    assert_eq!(numbers::of(&wide.into()).unwrap().as_object().unwrap().len(), 64);
}
