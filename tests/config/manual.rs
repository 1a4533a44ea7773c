//! `docs/configuration.md` says what the reader takes.

use portolan::config::{self, Lossy, OnContentFilter, OnStreamBreak, Settings, WHOLE_SAMPLE, WhenAllUnavailable};
use serde_json::{Map, Value};

use super::{documents, problems, secrets};

const MANUAL: &str = include_str!("../../docs/configuration.md");

/// The documents that stand in a chapter, as one.
fn examples(document: &str) -> (Value, usize) {
    let chapter = MANUAL.split("\n## ").find(|chapter| chapter.starts_with(&format!("`{document}`"))).unwrap();
    let blocks = chapter.split("```json\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let blocks: Vec<Map<String, Value>> = blocks.map(|text| serde_json::from_str(text).unwrap()).collect();
    let count = blocks.len();
    (Value::Object(blocks.into_iter().flatten().collect()), count)
}

#[test]
fn its_examples_are_taken_as_they_stand() {
    let named = ["routes", "providers", "settings"].map(|name| (name, examples(name)));
    assert_eq!(named.each_ref().map(|(_, (_, count))| *count), [2, 1, 2]);
    let texts = named.map(|(name, (value, _))| (name, value.to_string()));
    let parts: Vec<(&str, &str)> = texts.iter().map(|(name, text)| (*name, text.as_str())).collect();
    let keys = ["OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY", "LAB_KEY", "OTLP_TOKEN"];
    let snapshot = config::build(&documents(&parts), &secrets(&keys)).unwrap();
    assert_eq!((snapshot.routes.len(), snapshot.warnings), (9, vec![]));
    assert!(snapshot.providers.get("my-lab").unwrap().zdr);
}

/// Said aloud, the defaults change nothing.
#[test]
fn its_settings_are_the_defaults() {
    let (settings, _) = examples("settings");
    let snapshot = config::build(&documents(&[("settings", &settings.to_string())]), &secrets(&["OTLP_TOKEN"])).unwrap();
    let (said, default) = (snapshot.settings, Settings::default());
    let otlp = said.otlp.clone().unwrap();
    assert_eq!((otlp.traces, otlp.metrics, otlp.sample, otlp.keep_errors), (true, true, WHOLE_SAMPLE, true));
    let rest = Settings { policy: default.policy, breaker: default.breaker, otlp: None, ..said.clone() };
    assert_eq!(rest, default);
    let policy = said.policy;
    assert_eq!(policy.when_all_unavailable, Some(WhenAllUnavailable::default()));
    assert_eq!(policy.on_stream_break, Some(OnStreamBreak::default()));
    assert_eq!(policy.on_content_filter, Some(OnContentFilter::default()));
    assert_eq!(policy.lossy, Some(Lossy::default()));
    assert_eq!((policy.hedge, policy.zdr), (Some(None), Some(false)));
}

/// Each path and message of its table of errors, from a document that has them.
#[test]
fn its_errors_are_those_that_are_told() {
    let auto = r#"{"smart":{"targets":["mock/echo"]},
        "auto":{"rules":[{"when":{"has_image":true},"use":"smart"},
                         {"when":{"tools":"many","user":{"gt":"a"}},"use":"smart"},
                         {"when":{"stream":true},"use":"smrt"}]},
        "a":{"targets":["smart",{"model":"mock/lorem","weight":2}]}}"#;
    let circle = r#"{"a":{"targets":[{"use":"b"}]},"b":{"targets":[{"use":"a"}]}}"#;
    let found: Vec<_> = [auto, circle].into_iter().flat_map(|text| problems(&[("routes", text)])).collect();
    let table = MANUAL.split("| path | problem |\n| --- | --- |\n").nth(1).unwrap();
    let rows: Vec<&str> = table.lines().take_while(|line| line.starts_with('|')).collect();
    assert_eq!(rows.len(), found.len(), "{found:#?}");
    for row in rows {
        let (path, message) = row.trim_matches(['|', ' ']).split_once("` | ").unwrap();
        let path = path.trim_start_matches('`');
        let said = message.split('…').next().unwrap();
        let is_told = |p: &config::Problem| p.path == path && p.message.contains(said);
        assert!(found.iter().any(is_told), "{row}: {found:#?}");
    }
}
