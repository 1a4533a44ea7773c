//! What a webhook is told when a budget comes to a threshold.

use portolan::{
    account::Alert,
    config::{Budget, Period},
    units::{Millis, Money},
    wire::webhook,
};
use serde_json::{Value, json};

const DOLLAR: u64 = 1_000_000_000_000;

fn alert(per: Period, percent: u64) -> Alert {
    let budget = Budget { per, limit: Money(20 * DOLLAR), soft: false, unpriced: false, alerts: vec![50, 80] };
    // 2026-11-01.
    let from = Millis(1_793_491_200_000);
    Alert { subject: "tenant:acme".to_owned(), budget, from, percent, spent: Money(16 * DOLLAR + 5) }
}

#[test]
fn a_threshold_is_told_with_what_was_spent_and_for_how_long() {
    let now = Millis(1_795_453_263_000);
    let (id, body) = alert(Period::Month, 80).notice("acme", now);
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(
        body,
        json!({"type": "budget.threshold", "timestamp": "2026-11-23T17:01:03Z", "data": {
            "tenant": "acme", "subject": "tenant:acme", "percent": 80, "spent_usd": "16.000000000005", "budget_usd": "20",
            "per": "month", "soft": false, "from": "2026-11-01T00:00:00Z", "to": "2026-12-01T00:00:00Z",
        }})
    );
    let later = alert(Period::Month, 80).notice("acme", now.plus(9_000)).0;
    assert_eq!(id, later, "the same event, told again");
    let others = [
        alert(Period::Month, 50).notice("acme", now).0,
        alert(Period::Day, 80).notice("acme", now).0,
        alert(Period::Month, 80).notice("zoo", now).0,
        Alert { from: Millis(0), ..alert(Period::Month, 80) }.notice("acme", now).0,
    ];
    assert!(others.iter().all(|other| *other != id), "{others:?}");
    let (_, total) = alert(Period::Total, 50).notice("acme", now);
    assert!(!total.contains("\"to\""), "what never ends has no end: {total}");
}

#[test]
fn a_call_that_failed_is_made_again_until_it_is_given_up() {
    let pauses: Vec<u64> = (0..).map_while(webhook::again_after).collect();
    assert_eq!((pauses.first(), pauses.len()), (Some(&5_000), 9));
    assert!(pauses.is_sorted());
}
