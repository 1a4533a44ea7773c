//! A tenant's own key in a request: used alone, and what becomes of it is nobody else's.

use std::rc::Rc;

use portolan::{
    config::{OwnKey, Snapshot},
    dialect::Dialect,
    ledger::entry::Closing,
    plan::health::{Standing, View},
};

use super::{
    driver::{Case, START, gateway},
    script::{Answer, error, served},
};

const CANARY: &str = "sk-own-canary-7a1c44e0";

fn own(provider: &str) -> OwnKey {
    OwnKey { provider: provider.to_owned(), fingerprint: "5f0e".to_owned(), value: Some(CANARY.to_owned()) }
}

fn theirs(providers: &[&str]) -> Rc<Snapshot> {
    let keys: Vec<OwnKey> = providers.iter().map(|provider| own(provider)).collect();
    Rc::new(gateway("", "").with_own(&keys))
}

fn case(config: Rc<Snapshot>, model: &str) -> Case {
    Case::with(config, Dialect::OpenAiChat, model, false)
}

fn is_out(cell: &str) -> View {
    View::of([(cell.to_owned(), Standing::Cooling { until: START.plus(60_000) })])
}

#[test]
fn the_tenants_key_is_used_and_the_operators_elsewhere() {
    let run = case(theirs(&["pair"]), "pair/x,beta/large").run([error(500, "oops", "no"), error(500, "oops", "no"), served()]);
    assert_eq!(run.hosts(), "pair pair beta");
    let keys: Vec<_> = run.sends.iter().map(|sent| sent.header("authorization").unwrap().to_owned()).collect();
    assert_eq!(keys, [format!("Bearer {CANARY}"), format!("Bearer {CANARY}"), "Bearer value-of-BETA_KEY".to_owned()]);
    let record = run.record();
    assert_eq!(record.tries.iter().map(|t| t.credential).collect::<Vec<_>>(), [Some("tenant"), Some("tenant"), None]);
    assert_eq!(record.credential, None);
    assert_eq!(case(theirs(&["pair"]), "pair/x").run([served()]).record().credential, Some("tenant"));
}

#[test]
fn a_provider_without_the_operators_key_is_on_for_the_tenant() {
    assert!(case(gateway("", ""), "delta/x").try_plan().is_err());
    let run = case(theirs(&["delta"]), "delta/x").run([served()]);
    assert_eq!((run.status, run.hosts().as_str()), (200, "delta"));
}

#[test]
fn what_becomes_of_it_touches_no_cell_of_others() {
    let limited = || error(429, "rate_limit_exceeded", "Slow down.").header("retry-after", "60");
    let busy = || error(429, "rate_limit_exceeded", "The model is at capacity.").header("retry-after", "60");
    let rows: [(&str, Answer, &str, &str); 6] = [
        ("refused", error(401, "invalid_api_key", "Incorrect API key provided."), "alpha#own-5f0e Down", "alpha#0 Down"),
        ("empty", error(429, "insufficient_quota", "You exceeded your current quota."), "alpha#own-5f0e Down", "alpha#0 Down"),
        ("limited", limited(), "alpha#own-5f0e Cool", "alpha#0 Cool"),
        ("the model limited", busy(), "alpha#own-5f0e/small Cool", "alpha/small Cool"),
        ("no such model", error(404, "model_not_found", "No such model."), "alpha#own-5f0e/small Cool", "alpha/small Cool"),
        ("broken", error(500, "oops", "no").header("x-should-retry", "false"), "alpha/small Failed", "alpha/small Failed"),
    ];
    for (what, answer, tenants, operators) in rows {
        for (config, expected) in [(theirs(&["alpha"]), tenants), (gateway("", ""), operators)] {
            let run = case(config, "alpha/small").run([answer.clone()]);
            assert_eq!(run.learned(), [format!("signal {expected}")], "{what}");
        }
    }
}

#[test]
fn only_the_tenants_own_cells_hold_it_back() {
    for (cell, tenant, operator) in [
        ("alpha#own-5f0e", false, true),
        ("alpha#own-5f0e/small", false, true),
        ("alpha#own-5f0e/other", true, true),
        ("alpha#own-9999", true, true),
        ("alpha#own-9999/small", true, true),
        ("alpha#0", true, false),
        ("alpha/small", false, false),
        ("beta#own-5f0e", true, true),
    ] {
        for (config, goes) in [(theirs(&["alpha"]), tenant), (gateway("", ""), operator)] {
            let case = Case { health: is_out(cell), ..case(config, "alpha/small,beta/large") };
            let first = if goes { "alpha" } else { "beta" };
            assert_eq!(case.plan().attempts[0].provider, first, "{cell}");
        }
    }
}

#[test]
fn a_probe_is_given_back_when_only_the_tenants_account_was_limited() {
    let health = View::of([("alpha/small".to_owned(), Standing::Probe)]);
    let case = Case { health, ..case(theirs(&["alpha"]), "alpha/small") };
    let run = case.run([error(404, "model_not_found", "No such model.")]);
    assert_eq!(run.learned(), ["signal alpha#own-5f0e/small Cool", "released alpha/small"]);
}

#[test]
fn the_caller_is_told_that_it_is_its_own() {
    for (answer, words) in [
        (error(401, "invalid_api_key", "Incorrect API key provided: sk-own-canary-7a1c44e0."), "was refused"),
        (error(429, "insufficient_quota", "You exceeded your current quota."), "has no quota left"),
    ] {
        let run = case(theirs(&["alpha"]), "alpha/small").run([answer.clone()]);
        assert_eq!(run.status, 502);
        assert!(run.body.contains("Your own key for provider `alpha`") && run.body.contains(words), "{}", run.body);
        assert_eq!(run.header("x-portolan-error"), Some("caller"));
        let told = format!("{} {:?} {}", run.body, run.headers, serde_json::to_string(run.record()).unwrap());
        assert!(!told.contains("canary"), "{told}");
        let operators = case(gateway("", ""), "alpha/small").run([answer]);
        assert!(operators.body.contains("The gateway's account"), "{}", operators.body);
    }
}

#[test]
fn what_the_provider_bills_the_tenant_for_is_none_of_the_operators_money() {
    for (config, is_own) in [(theirs(&["alpha"]), true), (gateway("", ""), false)] {
        let case = case(config, "alpha/small");
        assert_eq!(case.exchange().entry().prompt.0 == 0, is_own);
        let run = case.run([served()]);
        assert!(run.record().cost.is_some_and(|cost| cost.0 > 0));
        let closing = Closing::of(run.record());
        assert_eq!(closing.cost.0 == 0, is_own);
        assert!(!closing.unpriced && closing.output > 0);
    }
}
