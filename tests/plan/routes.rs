//! Rules, nested routes, hard filters and wishes: whole plans from whole documents.

use portolan::{
    config::OnStreamBreak,
    dialect::Facts,
    error::Kind,
    features::Features,
    plan::{
        Wishes,
        health::{Numbers, Standing, View},
        needs_features,
        seed::mix,
    },
    wire::json::Outline,
};

use super::{
    case::{Case, EXAMPLE, small, snapshot},
    judge::NOW,
};

#[test]
fn the_example_is_planned_as_it_reads() {
    let labels = r#"{"metadata":{"team":"legal"}}"#;
    let smart = "anthropic/claude-opus-4-6: priority 1; openai/gpt-5.4: priority 2; google/gemini-2.5-pro: priority 3";
    let auto = |features: Features| Case::of(EXAMPLE, "auto").features(features);
    for (rule, case, expected) in [
        (
            "a picture",
            auto(Features { images: true, ..small() }),
            "(auto.rules[0] → vision) google/gemini-2.5-pro: priority 1".to_owned(),
        ),
        (
            "short and simple: the cheaper of two",
            auto(small()),
            "(auto.rules[1] → cheap) google/gemini-2.5-flash-lite: least cost 0.00021 USD; \
             openai/gpt-5.4-nano: least cost 0.000645 USD"
                .to_owned(),
        ),
        ("a team", auto(Features { complexity: 800, ..small() }).says(labels), format!("(auto.rules[2] → smart) {smart}")),
        (
            "the header's label wins",
            auto(Features { tools: 1, ..small() }).says(labels).header("x-portolan-metadata", r#"{"team":"sales"}"#),
            format!("(auto.default → smart) {smart}"),
        ),
        ("what nobody read holds nothing", Case::of(EXAMPLE, "auto"), format!("(auto.default → smart) {smart}")),
        ("no rules, none told", Case::of(EXAMPLE, "smart"), smart.to_owned()),
    ] {
        assert_eq!(case.told(), expected, "{rule}");
    }
    let plan = auto(small()).plan().unwrap();
    assert_eq!((plan.retry_total_ms, plan.on_stream_break), (60_000, OnStreamBreak::Continue), "the first route's");
    assert_eq!((plan.attempts[0].timeouts.first_token_ms, plan.attempts[0].timeouts.idle_ms), (12_000, 20_000));
}

#[test]
fn nested_routes_stand_together_in_their_own_order() {
    let routes = r#"{
        "pair":{"strategy":"least_cost","targets":["lab/dear","lab/cheap"],"timeouts":{"idle_ms":7000},"on_stream_break":"continue"},
        "mix":{"targets":[{"model":"lab/plain","when":{"stream":false}},{"use":"pair"},{"model":"lab/plain","timeouts":{"idle_ms":9000}},
            {"use":"off","when":{"region":"apac"}}],"timeouts":{"idle_ms":5000,"headers_ms":4000}},
        "off":{"targets":["lab/plain"]},
        "drawn":{"strategy":"weighted","targets":[{"use":"pair","weight":3},{"model":"lab/plain","weight":1}]},
        "alias":{"targets":[{"use":"pair"}],"on_stream_break":"atomic"}}"#;
    let mixed = Case::of(routes, "mix");
    let expected = "lab/cheap: least cost 0.0015 USD; lab/dear: least cost 0.01525 USD; lab/plain: priority 3 \
                    | lab/plain: its `when` does not hold | off: its `when` does not hold";
    assert_eq!(mixed.told(), expected);
    let plan = mixed.plan().unwrap();
    let times = |at: usize| (plan.attempts[at].timeouts.idle_ms, plan.attempts[at].timeouts.headers_ms);
    assert_eq!((times(0), times(2)), ((7_000, 4_000), (9_000, 4_000)), "the nearest says it");
    assert_eq!(plan.on_stream_break, OnStreamBreak::Error, "one of several does not speak for the plan");
    let alias = Case::of(routes, "alias").plan().unwrap();
    assert_eq!(alias.on_stream_break, OnStreamBreak::Atomic);
    let drawn = (0..4_000).filter(|seed| {
        let facts = Facts { model: "drawn".to_owned(), ..Facts::default() };
        let case = Case { facts, seed: mix(*seed), ..mixed.clone() };
        let plan = case.plan().unwrap();
        let order: Vec<_> = plan.attempts.iter().map(|a| a.model.as_str()).collect();
        assert!(order == ["cheap", "dear", "plain"] || order == ["plain", "cheap", "dear"], "{order:?}");
        order[0] == "cheap"
    });
    let drawn = drawn.count();
    assert!((2_850..3_150).contains(&drawn), "three in four: {drawn}");
}

#[test]
fn what_cannot_serve_says_why() {
    let route = |targets: &str, more: &str| format!(r#"{{"r":{{"targets":[{targets},"lab/plain"]{more}}}}}"#);
    let case = |targets: &str| Case::of(&route(targets, ""), "r");
    let tools = Facts { tools: true, ..case(r#""lab/text""#).facts };
    for (rule, case, expected) in [
        ("tools", Case { facts: tools, ..case(r#""lab/text""#) }, "cannot call tools"),
        ("pictures", case(r#""lab/text""#).features(Features { images: true, ..small() }), "cannot see images"),
        ("sound", case(r#""lab/text""#).features(Features { audio: true, ..small() }), "cannot hear audio"),
        ("film", case(r#""lab/text""#).features(Features { video: true, ..small() }), "cannot watch video"),
        ("files", case(r#""lab/text""#).features(Features { files: true, ..small() }), "cannot read files"),
        (
            "a schema",
            case(r#""lab/text""#).features(Features { json_schema: true, ..small() }),
            "cannot be held to a JSON schema",
        ),
        (
            "too long, whatever the slack",
            case(r#""lab/text""#).features(Features { input_tokens: 11_202, ..small() }),
            "some 11202 tokens are too many for its 8000",
        ),
        (
            "with its answer",
            Case { facts: Facts { model: "r".to_owned(), max_output: Some(4_000), ..Facts::default() }, ..case(r#""lab/text""#) }
                .features(Features { input_tokens: 5_602, ..small() }),
            "some 9602 tokens are too many for its 8000",
        ),
        ("zero retention", case(r#""lab/text""#).header("x-portolan-zdr", "required"), "not marked as keeping nothing (`zdr`)"),
        ("by the route", Case::of(&route(r#""lab/text""#, r#","zdr":true"#), "r"), "not marked as keeping nothing (`zdr`)"),
        ("by the target", case(r#"{"model":"lab/text","requires":{"zdr":true}}"#), "not marked as keeping nothing (`zdr`)"),
        ("the target's region", case(r#"{"model":"lab/text","regions":["apac"]}"#), "not for requests from weur"),
        ("the provider's region", case(r#""far/text""#), "not for requests from weur"),
        ("the target's ceiling", case(r#"{"model":"lab/dear","max_price":{"output":20}}"#), "costs more than the ceiling"),
        (
            "no price",
            case(r#"{"model":"lab/text","max_price":{"input":20}}"#),
            "there is a price ceiling, and its price is not known",
        ),
        (
            "a requirement",
            case(r#"{"model":"lab/unknown","requires":{"tools":true}}"#),
            "the route requires tools, and it is not known to have it",
        ),
        (
            "a window",
            case(r#"{"model":"lab/text","requires":{"min_context":8001}}"#),
            "the route requires min_context, and it is not known to have it",
        ),
        ("ignored", case(r#""far2/text""#).says(r#"{"provider":{"ignore":["FAR2"]}}"#), "left out by the caller's `provider`"),
        ("others only", case(r#""far2/text""#).says(r#"{"provider":{"only":["lab"]}}"#), "left out by the caller's `provider`"),
        (
            "a strict order",
            case(r#""far2/text""#).says(r#"{"provider":{"order":["lab"],"allow_fallbacks":false}}"#),
            "left out by the caller's `provider`",
        ),
    ] {
        let plan = case.plan().unwrap();
        let models: Vec<_> = plan.attempts.iter().map(|a| a.model.as_str()).collect();
        let why: Vec<_> = plan.skipped.iter().map(|skipped| skipped.why.to_string()).collect();
        assert_eq!((models, why), (vec!["plain"], vec![expected.to_owned()]), "{rule}");
    }
}

#[test]
fn a_key_for_some_providers_has_the_rest_of_a_route_left_out() {
    let routes = r#"{"mix":{"targets":["lab/plain","mock/echo"]},"far":{"targets":["lab/plain"]}}"#;
    let case = |model: &str, providers: &[&str]| Case {
        providers: Some(providers.iter().map(|name| (*name).to_owned()).collect()),
        ..Case::of(routes, model)
    };
    let left_out = "not of the providers that the gateway key may use";
    for (model, providers, expected) in [
        ("mix", &["mock"][..], format!("mock/echo: priority 1 | lab/plain: {left_out}")),
        ("mix", &["lab", "mock"], "lab/plain: priority 1; mock/echo: priority 2".to_owned()),
        (
            "far",
            &["mock", "google"],
            "403: No target of `far` can serve this request: the gateway key `ci` may only use `mock`, `google`.".to_owned(),
        ),
        (
            "lab/plain",
            &[],
            "403: No target of `lab/plain` can serve this request: the gateway key `ci` may use no provider.".to_owned(),
        ),
    ] {
        assert_eq!(case(model, providers).told(), expected);
    }
}

#[test]
fn what_fits_by_the_slack_is_tried() {
    let routes = r#"{"r":{"targets":["lab/text","lab/unknown"]}}"#;
    let case = |tokens| Case::of(routes, "r").features(Features { input_tokens: tokens, ..small() });
    assert_eq!(case(11_200).told(), "lab/text: priority 1; lab/unknown: priority 2");
    let lone = Case::of(r#"{"r":{"targets":["lab/text"]}}"#, "r").features(Features { input_tokens: 99_000, ..small() });
    let error = lone.plan().unwrap_err();
    assert_eq!((error.kind, error.status), (Kind::ContextTooLong, 400), "{}", error.message);
    // Nobody can be held to the schema: better without than not at all.
    let lone = Case::of(r#"{"r":{"targets":["lab/text"]}}"#, "r").features(Features { json_schema: true, ..small() });
    assert_eq!(lone.told(), "lab/text: priority 1");
    let nobody = Case::of(r#"{"r":{"targets":["lab/text"]}}"#, "r").header("x-portolan-zdr", "required");
    assert_eq!(nobody.told(), "400: No target of `r` can serve this request: lab/text: not marked as keeping nothing (`zdr`).");
}

#[test]
fn no_route_further_in_takes_zero_retention_back() {
    let routes = r#"{"out":{"rules":[{"when":{"stream":true},"use":"in"}],"default":"in","zdr":true},
        "in":{"targets":["lab/text","lab/plain"],"zdr":false}}"#;
    assert!(Case::of(routes, "out").told().contains("lab/text: not marked"), "{}", Case::of(routes, "out").told());
    let other = Case::of(routes, "out").says(r#"{"models":["far2/text"]}"#);
    assert!(other.told().contains("far2/text: not marked"), "{}", other.told());
}

#[test]
fn callers_choose_among_what_there_is() {
    let routes =
        r#"{"r":{"targets":["lab/dear","openai/gpt-5.4-nano","google/gemini-2.5-flash-lite"]},"s":{"targets":["lab/plain"]}}"#;
    let case = |body: &str| Case::of(routes, "r").features(small()).says(body);
    let numbers = |p50_ms| Numbers { p50_ms, samples: 9, ..Numbers::default() };
    let quick =
        View::default().with_numbers([("lab/dear".to_owned(), numbers(90)), ("openai/gpt-5.4-nano".to_owned(), numbers(40))]);
    let names = |case: &Case| case.plan().unwrap().attempts.iter().map(|a| a.model.clone()).collect::<Vec<_>>().join(" ");
    for (rule, case, expected) in [
        ("an order", case(r#"{"provider":{"order":["gemini","nobody","openai"]}}"#), "gemini-2.5-flash-lite gpt-5.4-nano dear"),
        (
            "a strict order",
            case(r#"{"provider":{"order":["google","lab"],"allow_fallbacks":false}}"#),
            "gemini-2.5-flash-lite dear",
        ),
        ("no fallback", case(r#"{"provider":{"allow_fallbacks":false}}"#), "dear"),
        ("the cheapest", case(r#"{"provider":{"sort":"price"}}"#), "gemini-2.5-flash-lite gpt-5.4-nano dear"),
        (
            "the quickest",
            Case { view: quick, seed: 3, ..case(r#"{"provider":{"sort":"latency"}}"#) },
            "gpt-5.4-nano dear gemini-2.5-flash-lite",
        ),
        (
            "an order over a sort",
            case(r#"{"provider":{"sort":"price","order":["openai"]}}"#),
            "gpt-5.4-nano gemini-2.5-flash-lite dear",
        ),
        ("more models", case(r#"{"models":["s","lab/dear"]}"#), "dear gpt-5.4-nano gemini-2.5-flash-lite plain"),
        ("another route", case("{}").header("x-portolan-route", "s"), "plain"),
        ("a ceiling", case(r#"{"provider":{"max_price":{"completion":1}}}"#), "gemini-2.5-flash-lite"),
    ] {
        assert_eq!(names(&case), expected, "{rule}");
    }
    let plan = case("{}").header("x-portolan-timeout-ms", "1500").plan().unwrap();
    assert_eq!(plan.total_ms, 1_500);
    let error = case(r#"{"models":["s","nowhere/x"]}"#).plan().unwrap_err();
    assert_eq!((error.kind, error.param.as_deref()), (Kind::ModelNotFound, Some("models[1]")));
}

#[test]
fn a_route_waits_only_while_all_its_targets_are_out() {
    let routes = r#"{"r":{"targets":["lab/dear","lab/plain"],"when_all_unavailable":{"wait_ms":3000}}}"#;
    let out = |first, second| {
        let cell = |name: &str, ms| (name.to_owned(), Standing::Cooling { until: NOW.plus(ms) });
        Case { view: View::of([cell("lab/dear", first), cell("lab/plain", second)]), ..Case::of(routes, "r") }
    };
    let pause = |case: Case| case.plan().unwrap().wait.map(|wait| wait.pause(NOW, NOW).ok());
    assert_eq!(pause(out(5_000, 200)), Some(Some(200)), "the first that is back");
    assert_eq!(pause(out(0, 9_000)), None, "one is back");
}

#[test]
fn a_body_is_parsed_only_where_it_tells() {
    let routes = r#"{"one":{"targets":["lab/text"]},"two":{"targets":["lab/vast","lab/unknown"]},
        "mixed":{"targets":["lab/text","lab/plain"]},
        "cheap":{"strategy":"least_cost","targets":["lab/plain","lab/dear"]},
        "calm":{"strategy":"sticky","targets":["lab/plain","lab/dear"]},
        "by":{"strategy":"sticky","sticky_by":"key.name","targets":["lab/vast","lab/unknown"]},
        "ruled":{"rules":[{"when":{"tools":{"gt":2}},"use":"one"}],"default":"one"},
        "outside":{"rules":[{"when":{"stream":true},"use":"one"}],"default":"one"}}"#;
    let config = snapshot(routes);
    let picture = r#"{"messages":[{"content":[{"type":"image_url"}]}]}"#;
    let long = format!(r#"{{"messages":"{}"}}"#, "x".repeat(8_000));
    let session = r#"{"prompt_cache_key":"k"}"#;
    let priced = r#"{"provider":{"sort":"price"}}"#;
    for (model, body, expected) in [
        ("one", picture, false),
        ("one", long.as_str(), false),
        ("lab/text", long.as_str(), false),
        ("lab/text,lab/plain", "{}", false),
        ("lab/text,lab/plain", picture, true),
        ("two", picture, false),
        ("two", long.as_str(), false),
        ("mixed", "{}", false),
        ("mixed", picture, true),
        ("mixed", long.as_str(), true),
        ("cheap", "{}", true),
        ("calm", "{}", true),
        ("calm", session, false),
        ("by", "{}", false),
        ("ruled", "{}", true),
        ("outside", "{}", false),
        ("two", priced, true),
        ("one", r#"{"models":["lab/dear"]}"#, false),
        ("one", r#"{"models":["cheap"]}"#, true),
    ] {
        let facts = Facts { model: model.to_owned(), ..Facts::default() };
        let wishes = Wishes::read(&Outline::read(body.as_bytes()).unwrap(), &[]).unwrap();
        let short: String = body.chars().take(40).collect();
        assert_eq!(needs_features(&facts, &wishes, &config, body.as_bytes()), expected, "{model} {short}");
    }
}

#[test]
fn the_manuals_example_is_planned_as_it_says() {
    let manual = include_str!("../../docs/routing.md");
    let routes = manual.split("```json\n").nth(1).unwrap().split("```").next().unwrap();
    let case = |tools| Case::of(routes, "auto").features(Features { tools, ..small() });
    let cooling = View::of([("anthropic/claude-opus-4-6".to_owned(), Standing::Cooling { until: NOW.plus(9) })]);
    for (case, expected) in [
        (
            case(0),
            "(auto.rules[0] → cheap) google/gemini-2.5-flash-lite: least cost 0.00021 USD; \
             openai/gpt-5.4-nano: least cost 0.000645 USD",
        ),
        (case(1), "(auto.default → smart) anthropic/claude-opus-4-6: priority 1; openai/gpt-5.4: priority 2"),
        (
            case(1).says(r#"{"provider":{"order":["openai"]}}"#),
            "(auto.default → smart) openai/gpt-5.4: caller's order 1; anthropic/claude-opus-4-6: priority 2",
        ),
        (
            Case { view: cooling, ..case(1) },
            "(auto.default → smart) openai/gpt-5.4: priority 1 | anthropic/claude-opus-4-6: cooling until",
        ),
    ] {
        let told = case.told();
        assert!(told.starts_with(expected), "{told}");
        let reason = expected.split(": ").nth(1).unwrap().split(';').next().unwrap().split(" |").next().unwrap();
        assert!(manual.contains(&format!("({reason})")), "the manual says {reason}");
    }
}
