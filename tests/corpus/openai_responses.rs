//! Recordings of Responses: what a reader of the provider's own API would see is what we see.

use std::{collections::BTreeMap, fs, path::Path};

use portolan::{
    chat::{
        Dialect,
        event::Event,
        fold::fold as fold_all,
        profile::Profile,
        request::Part,
        response::{Response, StopReason},
        usage::Usage,
    },
    dialect::{Asked, Caller, Facts, Upstream, openai_responses::OpenAiResponses},
    wire::json::Outline,
};
use serde_json::Value;

use crate::{
    fold::{calls, events, fold, texts},
    sequence::{check, envelope, stamp, written},
};

struct Case {
    name: String,
    value: Value,
}

fn cases() -> Vec<Case> {
    cases_of("openai.responses")
}

fn cases_of(api: &str) -> Vec<Case> {
    let folder = std::env::var("PORTOLAN_CORPUS").unwrap();
    let index: Value = serde_json::from_str(&fs::read_to_string(Path::new(&folder).join("index.json")).unwrap()).unwrap();
    let list = index.as_array().or_else(|| index["cases"].as_array()).unwrap();
    let cases: Vec<Case> = list
        .iter()
        .filter(|entry| entry["api"] == api)
        .map(|entry| {
            let name = entry["path"].as_str().unwrap().to_owned();
            let value = serde_json::from_str(&fs::read_to_string(Path::new(&folder).join(&name)).unwrap()).unwrap();
            Case { name, value }
        })
        .collect();
    assert!(cases.len() > 40, "{} cases", cases.len());
    cases
}

impl Case {
    fn status(&self) -> u64 {
        self.value["response"]["status"].as_u64().unwrap()
    }

    fn body(&self) -> String {
        let response = &self.value["response"];
        let prefix = response["body_prefix"].as_str().unwrap_or_default();
        let body = &response["body"];
        body.as_str().map_or_else(|| format!("{prefix}{body}"), |text| format!("{prefix}{text}"))
    }

    /// Some recordings hold several turns one after the other; the last is described.
    fn last_stream(&self) -> String {
        let body = self.body();
        let created = body.rfind("\"type\":\"response.created\"").unwrap_or(0);
        let start = body.get(..created).unwrap().rfind("\n\n").map_or(0, |at| at + 2);
        body.get(start..).unwrap().to_owned()
    }

    fn expect(&self, what: &str, seen: &str, expected: &str, wrong: &mut Vec<String>) {
        if seen != expected {
            wrong.push(format!("{} {what}:\n  seen     {seen}\n  expected {expected}", self.name));
        }
    }
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

/// The recordings join paragraphs of thought without what stands between them.
fn joined(text: &str) -> String {
    text.replace("\n\n", "").replace('\n', "")
}

fn compare(case: &Case, parts: &[Part], stop: Option<StopReason>, usage: Option<Usage>, wrong: &mut Vec<String>) {
    let derived = &case.value["derived"];
    let (said, thought, refused) = texts(parts);
    case.expect("text", &said, text(derived, "text"), wrong);
    case.expect("reasoning", &joined(&thought), &joined(text(derived, "reasoning")), wrong);
    case.expect("refusal", &refused, text(derived, "refusal"), wrong);
    let plain: Vec<_> = calls(parts).into_iter().filter(|call| !call.custom).collect();
    let seen: Vec<_> = plain.iter().map(|c| (c.id.as_str(), c.name.as_str(), c.arguments.as_str())).collect();
    let listed = derived["tool_calls"].as_array().into_iter().flatten();
    let expected: Vec<_> = listed.map(|call| (text(call, "id"), text(call, "name"), text(call, "arguments"))).collect();
    case.expect("tool calls", &format!("{seen:?}"), &format!("{expected:?}"), wrong);
    let expected = match (derived["finish"].as_str(), derived["incomplete"].as_str()) {
        (Some("completed"), _) if !calls(parts).is_empty() => Some(StopReason::ToolCalls),
        (Some("completed"), _) => Some(StopReason::End),
        (Some("incomplete"), Some("max_output_tokens")) => Some(StopReason::Length),
        (None, _) => stop,
        other => panic!("{}: what is {other:?}?", case.name),
    };
    case.expect("finish", &format!("{stop:?}"), &format!("{expected:?}"), wrong);
    case.expect("usage", &format!("{:?}", usage.map(counts)), &format!("{:?}", expected_usage(case)), wrong);
}

/// The counts that every dialect has.
fn counts(usage: Usage) -> Usage {
    let Usage { input, cache_read, cache_write, output, reasoning, .. } = usage;
    Usage { input, cache_read, cache_write, output, reasoning, ..Usage::default() }
}

fn expected_usage(case: &Case) -> Option<Usage> {
    let usage = case.value["derived"]["usage"].as_object()?;
    let of = |holder: &str, key: &str| usage.get(holder).and_then(|details| details[key].as_u64()).unwrap_or(0);
    let number = |key: &str| usage.get(key).and_then(Value::as_u64).unwrap_or(0);
    let cache_read = of("input_tokens_details", "cached_tokens");
    let cache_write = of("input_tokens_details", "cache_write_tokens");
    Some(Usage {
        input: number("input_tokens") - cache_read - cache_write,
        cache_read,
        cache_write,
        output: number("output_tokens"),
        reasoning: of("output_tokens_details", "reasoning_tokens"),
        ..Usage::default()
    })
}

fn report(seen: usize, least: usize, wrong: &[String]) {
    assert!(wrong.is_empty(), "{} of {seen}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(seen >= least, "only {seen} cases");
}

/// An answer as its reader sees it: the items' ids and the provider's extras aside.
fn seen(response: &Response) -> String {
    let Response { parts, stop, usage, logprobs, .. } = response;
    // Reading a number may cost its last digit.
    let logprobs: Vec<_> = logprobs.iter().map(|t| format!("{} {:.9} {}", t.token, t.logprob, t.top.len())).collect();
    format!("{parts:?} {stop:?} {:?} {logprobs:?}", usage.map(counts))
}

#[test]
#[ignore = "needs PORTOLAN_CORPUS"]
fn whole_answers_are_what_their_reader_sees() {
    let (mut count, mut wrong) = (0, vec![]);
    for case in cases().iter().filter(|case| case.status() == 200 && case.value["response"]["kind"] == "json") {
        count += 1;
        match OpenAiResponses.read_response(&case.body()) {
            Ok(response) => {
                compare(case, &response.parts, Some(response.stop), response.usage, &mut wrong);
                let asked = Asked { stamp: stamp(), facts: &Facts::default(), body: &[] };
                let written = OpenAiResponses.write_response(&response, &asked, None);
                envelope(&serde_json::from_str(&written).unwrap());
                let again = OpenAiResponses.read_response(&written).unwrap();
                case.expect("written", &seen(&again), &seen(&response), &mut wrong);
            }
            Err(error) => wrong.push(format!("{}: {error:?}", case.name)),
        }
    }
    report(count, 48, &wrong);
}

#[test]
#[ignore = "needs PORTOLAN_CORPUS"]
fn streams_are_what_their_reader_sees_however_they_are_cut() {
    let (mut count, mut wrong, mut dice) = (0, vec![], 1_u64);
    for case in cases().iter().filter(|case| case.value["response"]["kind"] == "sse") {
        count += 1;
        let body = case.last_stream();
        let whole = events(&OpenAiResponses, [body.as_bytes()]);
        assert_eq!(events(&OpenAiResponses, body.as_bytes().chunks(1)), whole, "{} byte by byte", case.name);
        for _ in 0..3 {
            let (mut rest, mut cuts) = (body.as_bytes(), vec![]);
            while !rest.is_empty() {
                dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let (chunk, after) = rest.split_at(rest.len().min(1 + usize::try_from(dice >> 54).unwrap()));
                cuts.push(chunk);
                rest = after;
            }
            assert_eq!(events(&OpenAiResponses, cuts), whole, "{} cut anywhere", case.name);
        }
        let folded = fold(&whole);
        if folded.malformed > 0 {
            wrong.push(format!("{}: {} malformed", case.name, folded.malformed));
        }
        if !folded.ended && folded.failed.is_none() {
            wrong.push(format!("{}: neither ended nor failed", case.name));
        }
        compare(case, &folded.parts, folded.stop, folded.usage, &mut wrong);
        if folded.ended {
            let text = written(&whole, "{}");
            check(&text);
            let response = fold_all(whole).unwrap();
            let again = fold_all(events(&OpenAiResponses, [text.as_bytes()])).unwrap();
            case.expect("written", &seen(&again), &seen(&response), &mut wrong);
        }
    }
    report(count, 35, &wrong);
}

/// OpenAI encrypts anew whenever it tells an item, and may tell lists of MCP tools in another order at the end.
fn unproven(mut parts: Vec<Part>) -> String {
    for part in &mut parts {
        if let Part::Reasoning { signature: Some(signature), .. } = part {
            signature.value.clear();
        }
        if let Part::Opaque { value, .. } = part
            && let Some(sealed) = value.get_mut("encrypted_content")
        {
            sealed.take();
        }
    }
    let mut shown: Vec<String> = parts.iter().map(|part| format!("{part:?}")).collect();
    shown.sort();
    shown.join("\n")
}

/// The last event of a stream holds the whole answer: both ways of reading it agree.
#[test]
#[ignore = "needs PORTOLAN_CORPUS"]
fn streams_tell_what_their_last_response_tells() {
    let (mut count, mut wrong) = (0, vec![]);
    for case in cases().iter().filter(|case| case.value["response"]["kind"] == "sse") {
        let body = case.last_stream();
        let last = body.lines().find_map(|line| {
            let event: Value = serde_json::from_str(line.strip_prefix("data:")?.trim()).ok()?;
            let ended = matches!(event["type"].as_str()?, "response.completed" | "response.incomplete");
            ended.then(|| event["response"].clone())
        });
        let Some(last) = last.filter(|last| last["output"].as_array().is_some_and(|output| !output.is_empty())) else {
            continue;
        };
        count += 1;
        let response = OpenAiResponses.read_response(&last.to_string()).unwrap();
        let folded = fold_all(events(&OpenAiResponses, [body.as_bytes()])).unwrap();
        case.expect("last", &unproven(folded.parts), &unproven(response.parts), &mut wrong);
    }
    report(count, 30, &wrong);
}

#[test]
#[ignore = "needs PORTOLAN_CORPUS"]
fn errors_say_something() {
    let (mut count, mut wrong) = (0, vec![]);
    for case in cases().iter().filter(|case| case.status() >= 400) {
        count += 1;
        let error = OpenAiResponses.read_error(u16::try_from(case.status()).unwrap(), &case.body());
        if error.message.starts_with("The provider") || error.message.starts_with('{') {
            wrong.push(format!("{}: {error:?}", case.name));
        }
    }
    report(count, 5, &wrong);
}

#[test]
#[ignore = "needs PORTOLAN_CORPUS"]
fn requests_are_read_and_come_back_the_same() {
    let (mut count, mut wrong, mut lost) = (0, vec![], BTreeMap::<String, u32>::new());
    for case in cases().iter().filter(|case| case.value["request"]["body"]["model"].is_string()) {
        count += 1;
        let body = case.value["request"]["body"].to_string();
        let facts = OpenAiResponses.facts(&Outline::read(body.as_bytes()).unwrap());
        assert!(facts.is_ok(), "{}: {facts:?}", case.name);
        let read = match OpenAiResponses.read_request(&body) {
            Ok(read) => read,
            Err(error) => {
                let stored = ["previous_response_id", "prompt"];
                if case.status() == 200 && !stored.contains(&error.param.as_deref().unwrap_or_default()) {
                    wrong.push(format!("{}: {error:?}", case.name));
                }
                continue;
            }
        };
        let written = OpenAiResponses.write_request(&read.value, &Profile { custom_tools: true, ..Profile::DEFAULT });
        for path in read.dropped.iter().chain(&written.dropped) {
            *lost.entry(path.clone()).or_default() += 1;
        }
        let again = OpenAiResponses.read_request(&written.value).unwrap();
        if written.dropped.is_empty() {
            let mut expected = read.value.clone();
            expected.store = Some(expected.store.unwrap_or(false));
            case.expect("round trip", &format!("{:?}", again.value), &format!("{expected:?}"), &mut wrong);
        }
    }
    let lost: Vec<_> = lost.iter().map(|(path, count)| format!("{count} {path}")).collect();
    assert_eq!(lost, LOST_OF_CORPUS, "{lost:#?}");
    report(count, 60, &wrong);
}

/// What only the provider itself can do or knows; thoughts in the open or stored, which this target does not take.
const LOST_OF_CORPUS: [&str; 10] = [
    "2 context_management",
    "2 include[]",
    "1 input[].phase",
    "1 messages[].parts[].cache",
    "3 messages[].parts[].reasoning",
    "1 prompt_cache_options",
    "1 provider",
    "1 reasoning.context",
    "2 tools[].defer_loading",
    "1 tools[].name",
];

#[test]
#[ignore = "needs PORTOLAN_CLIENTS"]
fn what_real_clients_post_is_read() {
    let folder = std::env::var("PORTOLAN_CLIENTS").unwrap();
    let (mut count, mut lost) = (0, BTreeMap::<String, u32>::new());
    for entry in fs::read_dir(Path::new(&folder).join("recordings")).unwrap() {
        let path = entry.unwrap().path();
        let recording: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        for request in recording["requests"].as_array().into_iter().flatten() {
            let is_ours = request["method"] == "POST" && text(request, "path").ends_with("/responses");
            if !is_ours || !request["body"].is_object() {
                continue;
            }
            count += 1;
            let body = request["body"].to_string();
            let facts = OpenAiResponses.facts(&Outline::read(body.as_bytes()).unwrap()).unwrap();
            match OpenAiResponses.read_request(&body) {
                Ok(read) => {
                    for path in read.dropped {
                        *lost.entry(path).or_default() += 1;
                    }
                }
                Err(error) => {
                    assert_eq!(error.param.as_deref(), Some("previous_response_id"), "{}: {error:?}", path.display());
                    assert!(facts.continues.is_some());
                }
            }
        }
    }
    let lost: Vec<_> = lost.iter().map(|(path, count)| format!("{count} {path}")).collect();
    assert_eq!(lost, LOST_OF_CLIENTS, "{lost:#?}");
    assert!(count >= 100, "only {count}");
}

/// Codex says who it is in each item and in each request; Cline asks for the sources of a
/// search that only OpenAI does, and lets it cut off what is too long.
const LOST_OF_CLIENTS: [&str; 4] =
    ["9 client_metadata", "3 include[]", "3 input[].internal_chat_message_metadata_passthrough", "3 truncation"];

/// Streams of every other dialect, as a caller of this one gets them.
#[test]
#[ignore = "needs PORTOLAN_CORPUS"]
fn streams_of_all_dialects_are_told_to_the_letter() {
    let (mut count, mut wrong) = (0, vec![]);
    for (api, dialect) in
        [("openai.chat", Dialect::OpenAiChat), ("anthropic.messages", Dialect::Anthropic), ("gemini.generate", Dialect::Gemini)]
    {
        let before = count;
        for case in cases_of(api).iter().filter(|case| case.value["response"]["kind"] == "sse") {
            let whole = events(dialect.upstream(), [case.body().as_bytes()]);
            if !whole.contains(&Event::End) {
                continue;
            }
            count += 1;
            let text = written(&whole, "{}");
            check(&text);
            let expected = fold_all(whole).unwrap();
            let again = fold_all(events(&OpenAiResponses, [text.as_bytes()])).unwrap();
            case.expect("texts", &format!("{:?}", texts(&again.parts)), &format!("{:?}", texts(&expected.parts)), &mut wrong);
            let shown = |parts: &[Part]| {
                let shown = calls(parts).into_iter().map(|call| format!("{} {} {}", call.id, call.name, call.json_arguments()));
                shown.collect::<Vec<_>>().join("\n")
            };
            case.expect("calls", &shown(&again.parts), &shown(&expected.parts), &mut wrong);
            case.expect(
                "usage",
                &format!("{:?}", again.usage.map(counts)),
                &format!("{:?}", Some(counts(expected.usage.unwrap_or_default()))),
                &mut wrong,
            );
        }
        assert!(count > before + 10, "{api}: {}", count - before);
    }
    report(count, 80, &wrong);
}
