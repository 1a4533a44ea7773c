//! `docs/privacy.md` says of providers what the code does: its tables are made here.

use portolan::{
    catalog::retention::{Asked, all_flags, all_keeps},
    wire::name::{NO_NAME, is_name, recorded, recorded_path},
};

const DOC: &str = include_str!("../docs/privacy.md");

fn between(start: &str, end: &str) -> &'static str {
    let after = DOC.split_once(start).unwrap().1;
    after.split_once(end).unwrap().0.trim()
}

#[test]
fn what_providers_are_told_stands_in_the_manual() {
    let asked = |asked: Asked| match asked {
        Asked::Text(dialect) => dialect.name(),
        Asked::Besides(operation) => operation.name(),
    };
    let mut table = "| provider | in | is sent | source, read |\n| --- | --- | --- | --- |".to_owned();
    for flag in all_flags() {
        let (place, member, value) = (asked(flag.asked), flag.member, flag.value);
        let line = format!("\n| {} | {place} | `\"{member}\": {value}` | {}, {} |", flag.kind, flag.source, flag.date);
        table.push_str(&line);
    }
    assert_eq!(between("<!-- flags -->", "<!-- end of flags -->"), table, "write this:\n{table}");
}

#[test]
fn what_has_to_be_kept_stands_in_the_manual() {
    let line = |member: &str, dialect: &str, what: &str| format!("| `{member}` ({dialect}) | it needs {what} | 400 |");
    let lines: Vec<String> = all_keeps().iter().map(|keeps| line(keeps.member, keeps.dialect.name(), keeps.what)).collect();
    let table = lines.join("\n");
    assert_eq!(between("<!-- keeps -->", "<!-- end of keeps -->"), table, "write this:\n{table}");
}

#[test]
fn a_record_repeats_what_can_be_a_name_and_nothing_else() {
    for (text, is) in [
        ("openai/gpt-5.4", true),
        ("@cf/meta/llama-3.1-8b-instruct", true),
        ("a/b, c/d", true),
        ("claude-opus-4-5@20251101", true),
        ("arn:aws:bedrock:us-east-1:1:inference-profile/us.x:0", true),
        ("mock/flaky?fail=503&rate=0.3", true),
        ("", true),
        ("Tell me a secret", false),
        ("say \"x\"", false),
        ("{\"a\":1}", false),
        ("sag\tes", false),
        ("请告诉我", false),
    ] {
        assert_eq!(is_name(text), is, "{text}");
        assert_eq!(recorded(text) == NO_NAME, !is, "{text}");
    }
    for (path, is) in [("messages[].parts[].image", true), ("logit_bias", true), ("tell me[].more", false), ("a[1]", false)] {
        assert_eq!(recorded_path(path) == path, is, "{path}");
    }
    assert_eq!(recorded(&"x".repeat(300)).len(), 128);
}
