//! The table of FAILOVER 1, row by row.

use portolan::{
    chat::event::UpstreamError,
    plan::{
        health::Signal,
        outcome::{
            Again, BLOCKED_MS, COOLDOWN_MS, Class, DOWN_MS, Effect, MODEL_GONE_MS, Phase, Transport, Whose, broken, of_transport,
        },
    },
};

use super::judge::{NO, NOW, answer, error};

#[test]
fn a_limit_names_its_wait_and_whose_it_is() {
    let limited = |code: &str, message: &str, headers: &[(&str, &str)]| answer(429, headers, &error(code, NO, message)).effect();
    for (rule, effect, expected) in [
        (
            "a credential's",
            limited("rate_limit_exceeded", "Slow down", &[("retry-after", "7")]),
            Effect::CoolCredential { ms: 7_000 },
        ),
        ("no wait named", limited("rate_limit_exceeded", "Slow down", &[]), Effect::CoolCredential { ms: COOLDOWN_MS }),
        (
            "Ark's endpoint",
            limited("RateLimitExceeded.EndpointRPMExceeded", "Slow down", &[]),
            Effect::CoolModel { ms: COOLDOWN_MS },
        ),
        ("Ark's model", limited("ModelAccountRpmRateLimitExceeded", "Slow down", &[]), Effect::CoolModel { ms: COOLDOWN_MS }),
        (
            "OpenRouter's upstream",
            limited("429", "acme/x is temporarily rate-limited upstream.", &[]),
            Effect::CoolModel { ms: COOLDOWN_MS },
        ),
    ] {
        assert_eq!(effect, expected, "{rule}");
    }
    let overload = answer(529, &[("retry-after", "2")], &error(NO, "overloaded_error", "Overloaded"));
    assert_eq!((overload.class, overload.effect()), (Class::Limited, Effect::CoolModel { ms: 2_000 }), "529 that names its wait");
    let google = UpstreamError {
        retry_after_ms: Some(47_000),
        ..error("429", "RESOURCE_EXHAUSTED", "Quota exceeded for metric: x_requests")
    };
    assert_eq!(answer(429, &[], &google).wait_ms, Some(47_000), "RetryInfo");
    let daily = UpstreamError { message: "Quota exceeded, quotaId: GenerateRequestsPerDayPerProjectPerModel".into(), ..google };
    assert_eq!(answer(429, &[], &daily).wait_ms, Some(3_600_000), "a daily quota is not back in 47 s");
    let unavailable = answer(503, &[("retry-after", "20")], &error(NO, NO, NO));
    assert_eq!(unavailable.effect(), Effect::Count { floor_ms: 20_000 }, "Retry-After is a floor");
    assert_eq!(unavailable.again_here(), Again::Never);
}

#[test]
fn should_retry_is_obeyed() {
    let of = |status: u16, hint: &str| answer(status, &[("x-should-retry", hint)], &error(NO, "x", NO));
    assert_eq!(of(400, "true").class, Class::Transient);
    assert_eq!(of(401, "true").class, Class::Credential, "a wrong key stays wrong");
    for status in [429, 500, 529] {
        assert_eq!(of(status, "false").again_here(), Again::Never, "{status}");
        assert!(of(status, "false").may_move_on(), "elsewhere it may go well: {status}");
        assert_ne!(of(status, "true").again_here(), Again::Never, "{status}");
    }
}

#[test]
fn every_class_has_its_row() {
    const SOON: Again = Again::After { min_ms: 100, max_ms: 250 };
    let of = |status: u16, code: &str| answer(status, &[], &error(code, "typed", NO));
    let limited = |seconds: &str| answer(429, &[("retry-after", seconds)], &error(NO, NO, NO));
    let count = Effect::Count { floor_ms: 0 };
    let down = Effect::CredentialDown { ms: DOWN_MS };
    let rows = [
        // (outcome, name, again, next target, effect)
        (of(404, "model_not_found"), "model_gone", Again::Never, true, Effect::CoolModel { ms: MODEL_GONE_MS }),
        (of(400, "x"), "caller", Again::Never, false, Effect::None),
        (of(400, "content_filter"), "content_filter", Again::Never, false, Effect::None),
        (of(400, "context_length_exceeded"), "too_long", Again::Never, true, Effect::None),
        (limited("2"), "limited", Again::WaitFor { ms: 2_000 }, true, Effect::CoolCredential { ms: 2_000 }),
        (limited("2.5"), "limited", Again::WaitFor { ms: 2_500 }, true, Effect::CoolCredential { ms: 2_500 }),
        (limited("2.6"), "limited", Again::Never, true, Effect::CoolCredential { ms: 2_600 }),
        (limited("0"), "limited", Again::WaitFor { ms: 100 }, true, Effect::CoolCredential { ms: 0 }),
        (of(429, "x"), "limited", Again::After { min_ms: 500, max_ms: 1_000 }, true, Effect::CoolCredential { ms: COOLDOWN_MS }),
        (of(402, "x"), "quota", Again::Never, true, down),
        (of(401, "x"), "credential", Again::Never, true, down),
        (of(451, "x"), "region_blocked", Again::Never, true, Effect::AvoidHere { ms: BLOCKED_MS }),
        (of(500, "x"), "transient", SOON, true, count),
        (of_transport(Transport::Reset), "transient", SOON, true, count),
        (of_transport(Transport::Refused), "transient", SOON, true, count),
        (of_transport(Transport::Tls), "transient", SOON, true, count),
        (of_transport(Transport::Dns), "transient", SOON, true, count),
        (of_transport(Transport::Timeout(Phase::Headers)), "silent", Again::Never, true, count),
        (of_transport(Transport::Timeout(Phase::FirstToken)), "silent", Again::Never, true, count),
        (of_transport(Transport::Timeout(Phase::Idle)), "silent", Again::Never, true, count),
        (of_transport(Transport::Timeout(Phase::Answer)), "silent", Again::Never, true, count),
        (broken(200), "broken", Again::Never, true, count),
        (of_transport(Transport::Timeout(Phase::Total)), "deadline", Again::Never, false, Effect::None),
        (of_transport(Transport::Rejected), "credential", Again::Never, true, down),
        (of_transport(Transport::NoToken), "no_token", Again::Never, true, Effect::CoolCredential { ms: 15_000 }),
        (of_transport(Transport::ClientGone), "gone", Again::Never, false, Effect::None),
    ];
    for (outcome, name, again, moves_on, effect) in &rows {
        let row = (outcome.name(), outcome.again_here(), outcome.may_move_on(), outcome.effect());
        assert_eq!(row, (*name, *again, *moves_on, *effect), "{outcome:?}");
    }
    for class in Class::ALL {
        assert!(rows.iter().any(|(outcome, ..)| outcome.class == class), "{class:?} has no row");
    }
}

#[test]
fn effects_go_to_the_cell_they_are_about() {
    let until = NOW.plus(9);
    for (effect, signal) in [
        (Effect::None, None),
        (Effect::Count { floor_ms: 9 }, Some((Whose::Model, Signal::Failed { floor_ms: 9 }))),
        (Effect::CoolModel { ms: 9 }, Some((Whose::Model, Signal::Cool { until }))),
        (Effect::CoolCredential { ms: 9 }, Some((Whose::Credential, Signal::Cool { until }))),
        (Effect::CredentialDown { ms: 9 }, Some((Whose::Credential, Signal::Down { until }))),
    ] {
        assert_eq!(effect.signal(NOW), signal);
    }
}
