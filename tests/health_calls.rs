//! The operator's calls about health.

use portolan::{
    admin::health::{Order, asked, describe, describe_history, gathered},
    plan::{
        health::{Health, Signal, Standing},
        operator::{Action, MAX_MS, USUAL_MS},
    },
    units::Millis,
};
use serde_json::{Value, json};

use crate::admin::openapi::hold;

const NOW: Millis = Millis(1_800_000_000_000);

#[test]
fn a_word_is_read_or_refused_with_the_reason() {
    let word = |target: &str, action, for_ms, region| Order { target: target.to_owned(), action, for_ms, region };
    for (target, body, order) in [
        ("acme/large", json!({"action": "drain"}), word("acme/large", Action::Drain, USUAL_MS, None)),
        ("acme%231", json!({"action": "reset"}), word("acme#1", Action::Reset, USUAL_MS, None)),
        ("acme/a/b%3Fc", json!({"action": "force_open", "for_ms": 5}), word("acme/a/b?c", Action::ForceOpen, 5, None)),
        ("acme", json!({"action": "force_close", "region": "me"}), word("acme", Action::ForceClose, USUAL_MS, Some("me"))),
    ] {
        let found = Order::read(target, &body.to_string()).unwrap();
        assert_eq!(found, order);
        let mut health = Health::default();
        Order::obey(&found.message(), &mut health, NOW).unwrap();
        let told: Vec<_> = health.orders(NOW).map(|(target, action, until)| (target.to_owned(), action, until)).collect();
        let expected = (order.action != Action::Reset).then(|| (order.target, order.action, NOW.plus(order.for_ms)));
        assert_eq!(told, Vec::from_iter(expected));
    }
    for (target, body, word) in [
        ("acme", json!({}), "action"),
        ("acme", json!({"action": "close"}), "force_close"),
        ("acme", json!({"action": "drain", "for_ms": 0}), "for_ms"),
        ("acme", json!({"action": "drain", "for_ms": MAX_MS + 1}), "30 days"),
        ("acme", json!({"action": "drain", "region": "mars"}), "weur"),
        ("acme", json!({"action": "drain", "for": 7}), "`for`"),
        ("acme", json!(7), "object"),
        ("", json!({"action": "drain"}), "provider/model"),
        (&"x".repeat(300), json!({"action": "drain"}), "provider/model"),
    ] {
        let error = Order::read(target, &body.to_string()).unwrap_err();
        assert!(error.status == 400 && error.message.contains(word), "{body}: {}", error.message);
    }
    assert!(Order::read("acme", "{").is_err());
}

#[test]
fn queries_name_a_region_and_ask_for_what_was() {
    for (query, regions, history) in [
        ("", 9, false),
        ("history=1", 9, true),
        ("region=weur&history=true", 1, true),
        ("history=0&", 9, false),
        ("history=false", 9, false),
    ] {
        let (found, wants) = asked(query).unwrap();
        assert_eq!((found.len(), wants), (regions, history), "{query}");
    }
    assert_eq!(asked("region=weur").unwrap().0, ["weur"]);
    for query in ["region=mars", "region=", "history", "history=yes", "nohistory=1", "limit=4&region=weur"] {
        assert_eq!(asked(query).unwrap_err().status, 400, "{query}");
    }
}

#[test]
fn what_a_region_knows_is_said_in_words() {
    let mut health = Health::default();
    for _ in 0..20 {
        health.report("acme/large", Signal::Ok { first_ms: 12 }, NOW, 1);
    }
    health.report("acme#0", Signal::Down { until: NOW.plus(60_000) }, NOW, 1);
    health.report("acme/small", Signal::Served, NOW, 1);
    health.order("acme/small", Action::ForceOpen, 1_000, NOW);
    let told = describe(&health, NOW);
    hold("RegionHealth", &serde_json::from_str(&told).unwrap());
    let until = NOW.plus(1_000).0;
    let expected = json!({
        "cells": {
            "acme#0": {"standing": "cooling", "until": NOW.plus(60_000).0, "failed_permille": 0},
            "acme/large": {"standing": "up", "p50_ms": 12, "p95_ms": 12, "samples": 20, "failed_permille": 0},
            "acme/small": {"standing": Standing::Shut { until: NOW }.name(), "until": until, "failed_permille": 0},
        },
        "operator": {"acme/small": {"action": "force_open", "until": until}},
    });
    assert_eq!(serde_json::from_str::<Value>(&told).unwrap(), expected);
    let with_history: Value = serde_json::from_str(&describe_history(&mut health, NOW)).unwrap();
    let mut both = expected.clone();
    both["history"] = json!([
        {"at": NOW.0, "cell": "acme/small", "from": "up", "to": "shut", "until": until, "why": "operator: force_open"},
        {"at": NOW.0, "cell": "acme#0", "from": "up", "to": "cooling", "until": NOW.plus(60_000).0},
    ]);
    assert_eq!(with_history, both);
    let all = gathered(&[("weur", Some(told)), ("me", None), ("oc", Some("no JSON".to_owned()))]);
    assert_eq!(serde_json::from_str::<Value>(&all).unwrap(), json!({"regions": {"weur": expected}, "unreachable": ["me", "oc"]}));
}
