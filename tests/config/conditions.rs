//! What a condition says of a request: each operator over each kind of data, and what is no condition at all.

use portolan::{
    chat::request::Effort,
    config::{Condition, Datum, Subject},
};
use serde_json::{Value, json};

use super::{built, problems};

fn routes(when: &Value) -> String {
    json!({"a": {"rules": [{"when": when, "use": "mock/echo"}], "default": "mock/lorem"}}).to_string()
}

fn condition(when: &Value) -> Condition {
    built(&[("routes", &routes(when))], &[]).routes.get("a").unwrap().rules[0].when.clone()
}

/// A request that has everything.
fn full(subject: &Subject) -> Datum<'static> {
    static TAGS: std::sync::LazyLock<Vec<String>> = std::sync::LazyLock::new(|| vec!["gold".to_owned(), "eu-1".to_owned()]);
    match subject {
        Subject::Model => Datum::Text("auto".into()),
        Subject::Dialect => Datum::Text("anthropic".into()),
        Subject::Stream | Subject::HasImages => Datum::Flag(true),
        Subject::HasAudio | Subject::HasFiles | Subject::HasVideo | Subject::JsonSchema => Datum::Flag(false),
        Subject::InputTokens => Datum::Number(2_000.0),
        Subject::MaxOutputTokens => Datum::Number(512.0),
        Subject::Messages => Datum::Number(3.0),
        Subject::Tools => Datum::Number(0.0),
        Subject::ReasoningEffort => Datum::Effort(Effort::Medium),
        Subject::Complexity => Datum::Number(0.349),
        Subject::Language => Datum::Text("de".into()),
        Subject::Region => Datum::Text("weur".into()),
        Subject::Country => Datum::Text("DE".into()),
        Subject::Colo => Datum::Text("FRA".into()),
        Subject::HourUtc => Datum::Number(13.0),
        Subject::KeyName => Datum::Text("alice".into()),
        Subject::KeyTags => Datum::List(&TAGS),
        Subject::Header(name) if name == "x-tier" => Datum::Text(" 7 ".into()),
        Subject::Header(name) if name == "x-long" => Datum::Text(format!("{}é needle", "x".repeat(2_040)).into()),
        Subject::Metadata(name) if name == "team" => Datum::Text("legal".into()),
        Subject::Metadata(name) if name == "beta" => Datum::Text("true".into()),
        Subject::Header(_) | Subject::Metadata(_) => Datum::Missing,
        Subject::User => Datum::Text("Ünal".into()),
    }
}

fn nothing(_: &Subject) -> Datum<'static> {
    Datum::Missing
}

#[test]
fn every_operator_over_every_kind() {
    let rows = [
        // Alone: equal.
        (json!({"model": "auto"}), true),
        (json!({"model": "Auto"}), false),
        (json!({"dialect": "anthropic"}), true),
        (json!({"stream": true}), true),
        (json!({"has_audio": false, "has_files": false, "has_video": false, "json_schema": false}), true),
        (json!({"has_images": {"ne": false}}), true),
        (json!({"has_images": {"in": [false]}}), false),
        (json!({"tools": {"eq": 0}}), true),
        (json!({"tools": 1}), false),
        // Numbers, at their edges.
        (json!({"input_tokens": {"lte": 2000}}), true),
        (json!({"input_tokens": {"lt": 2000}}), false),
        (json!({"input_tokens": {"gte": 2000}}), true),
        (json!({"input_tokens": {"gt": 2000}}), false),
        (json!({"input_tokens": {"gt": 1999, "lt": 2001}}), true),
        (json!({"input_tokens": {"gt": 1999, "lt": 2000}}), false),
        (json!({"messages": {"in": [1, 3]}}), true),
        (json!({"messages": {"nin": [1, 3]}}), false),
        (json!({"max_output_tokens": {"exists": true, "ne": 100}}), true),
        (json!({"complexity": {"lt": 0.35}}), true),
        (json!({"complexity": {"lt": 0.349}}), false),
        (json!({"hour_utc": {"gte": 8, "lt": 18}}), true),
        // Efforts, in their own order and not the alphabet's.
        (json!({"reasoning_effort": "medium"}), true),
        (json!({"reasoning_effort": {"gt": "low"}}), true),
        (json!({"reasoning_effort": {"gt": "minimal", "lt": "high"}}), true),
        (json!({"reasoning_effort": {"gte": "xhigh"}}), false),
        (json!({"reasoning_effort": {"in": ["low", "max"]}}), false),
        // Texts.
        (json!({"language": {"in": ["de", "fr"]}}), true),
        (json!({"region": {"nin": ["weur", "eeur"]}}), false),
        (json!({"country": "DE", "colo": {"ne": "CDG"}}), true),
        (json!({"key.name": {"regex": "^al"}}), true),
        (json!({"key.name": {"regex": "^ice"}}), false),
        (json!({"model": {"regex": "ut"}}), true),
        (json!({"user": {"regex": "(?i)^ü?.NAL$"}}), true),
        (json!({"user": "Ünal"}), true),
        // Tags: each of them.
        (json!({"key.tags": "gold"}), true),
        (json!({"key.tags": {"eq": "silver"}}), false),
        (json!({"key.tags": {"ne": "gold"}}), false),
        (json!({"key.tags": {"in": ["silver", "eu-1"]}}), true),
        (json!({"key.tags": {"nin": ["silver", "eu-1"]}}), false),
        (json!({"key.tags": {"regex": "^eu-\\d$"}}), true),
        (json!({"key.tags": {"exists": true}}), true),
        // Headers and metadata: texts that may spell a number or a flag.
        (json!({"header.X-Tier": 7}), true),
        (json!({"header.x-tier": {"gte": 7.0, "lt": 7.5}}), true),
        (json!({"header.x-tier": "7"}), false),
        (json!({"header.x-tier": true}), false),
        (json!({"metadata.beta": true}), true),
        (json!({"metadata.beta": "true"}), true),
        (json!({"metadata.beta": {"ne": false}}), true),
        (json!({"metadata.team": {"in": ["research", "legal"]}}), true),
        (json!({"metadata.team": {"gt": 3}}), false),
        (json!({"metadata.Team": {"exists": false}}), true),
        // What is searched is bounded, and never cut inside a character.
        (json!({"header.x-long": {"regex": "é nee"}}), true),
        (json!({"header.x-long": {"regex": "needle"}}), false),
        // Combined.
        (json!({"stream": true, "tools": 1}), false),
        (json!({"any": [{"stream": false}, {"tools": 0}]}), true),
        (json!({"any": [{"stream": false}, {"tools": 1}]}), false),
        (json!({"all": [{"stream": true}, {"tools": 0}]}), true),
        (json!({"all": [{"stream": true}, {"tools": 1}]}), false),
        (json!({"not": {"stream": true, "tools": 1}}), true),
        (json!({"not": {"stream": true}}), false),
        (json!({"stream": true, "any": [{"tools": 1}, {"not": {"any": [{"tools": 1}, {"model": "x"}]}}]}), true),
    ];
    for (when, expected) in &rows {
        assert_eq!(condition(when).holds(&full), *expected, "{when}");
    }
    assert!(rows.iter().filter(|(_, holds)| !holds).count() > 20);
}

#[test]
fn what_is_not_there_fails_all_but_what_says_so() {
    for (when, expected) in [
        (json!({"user": {"exists": false}}), true),
        (json!({"user": {"exists": true}}), false),
        (json!({"user": {"ne": "x"}}), true),
        (json!({"user": {"nin": ["x"]}}), true),
        (json!({"user": {"in": ["x"]}}), false),
        (json!({"user": {"regex": ".*"}}), false),
        (json!({"max_output_tokens": {"gte": 0}}), false),
        (json!({"max_output_tokens": {"lte": 9}}), false),
        (json!({"reasoning_effort": {"lt": "max"}}), false),
        (json!({"metadata.x": 0}), false),
        (json!({"metadata.x": false}), false),
        (json!({"key.tags": {"exists": false}}), true),
        (json!({"has_images": false}), false),
        (json!({"not": {"has_images": true}}), true),
    ] {
        assert_eq!(condition(&when).holds(&nothing), expected, "{when}");
    }
    let untagged = |_: &Subject| Datum::List(&[]);
    for (when, expected) in [
        (json!({"key.tags": {"exists": true}}), false),
        (json!({"key.tags": {"exists": false}}), true),
        (json!({"key.tags": {"ne": "gold"}}), true),
        (json!({"key.tags": "gold"}), false),
    ] {
        assert_eq!(condition(&when).holds(&untagged), expected, "{when}");
    }
}

#[test]
fn what_is_no_condition_is_told_at_its_path() {
    let deep = (0..9).fold(json!({"tools": 1}), |inner, _| json!({ "not": inner }));
    let many = json!({"any": (0..101).map(|i| json!({"tools": i})).collect::<Vec<_>>()});
    for (when, path, part) in [
        (json!({}), "", "at least one test"),
        (json!([]), "", "an object of tests"),
        (json!("x"), "", "an object of tests"),
        (json!({"has_image": true}), ".has_image", "Did you mean `has_images`"),
        (json!({"tool": 1}), ".tool", "What can: model, dialect"),
        (json!({"header.": 1}), ".header.", "a header's name"),
        (json!({"header.a b": 1}), ".header.a b", "a header's name"),
        (json!({"header.Authorization": {"exists": true}}), ".header.Authorization", "holds a secret"),
        (json!({"metadata.": 1}), ".metadata.", "a name"),
        (json!({"has_images": 1}), ".has_images", "true or false"),
        (json!({"has_images": {"gt": true}}), ".has_images.gt", "Only numbers"),
        (json!({"has_images": {"exists": true}}), ".has_images.exists", "true or false alone"),
        (json!({"tools": {"exists": true}}), ".tools.exists", "{\"gt\": 0}"),
        (json!({"tools": true}), ".tools", "a whole number"),
        (json!({"tools": 1.5}), ".tools", "a whole number"),
        (json!({"tools": "1"}), ".tools", "a whole number"),
        (json!({"tools": {"regex": "1"}}), ".tools.regex", "this is none"),
        (json!({"tools": {"gte": null}}), ".tools.gte", "a whole number"),
        (json!({"tools": {}}), ".tools", "needs an operator"),
        (json!({"tools": {"ge": 1}}), ".tools.ge", "Did you mean"),
        (json!({"tools": [1]}), ".tools", "{\"in\": [...]}"),
        (json!({"user": null}), ".user", "{\"exists\": false}"),
        (json!({"user": {"exists": 1}}), ".user.exists", "true or false"),
        (json!({"tools": {"in": []}}), ".tools.in", "1 to 200"),
        (json!({"tools": {"in": 1}}), ".tools.in", "1 to 200"),
        (json!({"tools": {"in": [1, "2"]}}), ".tools.in[1]", "a whole number"),
        (json!({"complexity": 35}), ".complexity", "from 0 to 1"),
        (json!({"hour_utc": {"lt": 24}}), ".hour_utc.lt", "0 to 23"),
        (json!({"reasoning_effort": "hard"}), ".reasoning_effort", "minimal, low"),
        (json!({"dialect": "openai"}), ".dialect", "openai-chat"),
        (json!({"region": "eu"}), ".region", "wnam"),
        (json!({"language": "DE"}), ".language", "lower case"),
        (json!({"country": "deu"}), ".country", "two letters"),
        (json!({"colo": "DE"}), ".colo", "three letters"),
        (json!({"user": {"gt": "a"}}), ".user.gt", "Only numbers"),
        (json!({"metadata.tier": {"gt": "a"}}), ".metadata.tier.gt", "Only numbers"),
        (json!({"user": {"regex": "("}}), ".user.regex", "not a regular expression"),
        (json!({"user": {"regex": ""}}), ".user.regex", "1 to 200 bytes"),
        (json!({"user": {"regex": "a".repeat(201)}}), ".user.regex", "1 to 200 bytes"),
        (json!({"user": {"regex": "a{1000}{9}"}}), ".user.regex", "not a regular expression"),
        (json!({"all": {}}), ".all", "an array"),
        (json!({"any": []}), ".any", "at least one condition"),
        (json!({"any": [{"tools": 1}, {}]}), ".any[1]", "at least one test"),
        (json!({"not": true}), ".not", "an object of tests"),
        (json!({"not": {"any": [{"has_images": "yes"}]}}), ".not.any[0].has_images", "true or false"),
        (deep, &".not".repeat(9), "at most 8 deep"),
        (many, "", "At most 100 tests"),
    ] {
        let found = problems(&[("routes", &routes(&when))]);
        let paths: Vec<&str> = found.iter().map(|p| p.path.as_str()).collect();
        assert_eq!(paths, [format!("a.rules[0].when{path}")], "{when}: {found:#?}");
        assert!(found[0].message.contains(part), "{when}: {found:#?}");
    }
}

/// The dearest that the limits let through: no start is ruled out, and every step is possible everywhere.
#[test]
#[expect(clippy::disallowed_methods, reason = "it measures")]
fn a_search_takes_bounded_time() {
    let when = |count: usize| json!({"header.x": {"regex": format!("(?:a?){{{count}}}x")}});
    let fits = |count: &usize| problems(&[("routes", &routes(&when(*count)))]).is_empty();
    let largest = (20..2_000).step_by(20).take_while(fits).last().unwrap();
    assert!((40..1_500).contains(&largest), "{largest}: a limit is missing, or in the way");
    let condition = condition(&when(largest));
    let text = "a".repeat(100_000);
    let began = std::time::Instant::now();
    assert!(!condition.holds(&|_| Datum::Text((&*text).into())));
    let took = began.elapsed();
    // Unoptimized, and beside other tests.
    assert!(took.as_secs() < 5, "{largest} repetitions take {took:?}");
}
