//! A strict reader of a Responses stream: it refuses what no client should have to bear.

use std::collections::HashMap;

use portolan::{
    chat::{
        event::{Event, Finish, Stamp},
        response::StopReason,
        usage::Usage,
    },
    dialect::{Asked, Caller, Facts, openai_responses::OpenAiResponses},
    wire::sse::Frames,
};
use serde_json::{Value, json};

pub fn stamp() -> Stamp {
    Stamp { id: "resp_minted".to_owned(), created: 1_700_000_000, model: "asked-for".to_owned() }
}

/// A stream as a caller gets it who sent this body.
pub fn written(events: &[Event], body: &str) -> String {
    let facts = Facts { wants_usage: true, ..Facts::default() };
    let asked = Asked { stamp: stamp(), facts: &facts, body: body.as_bytes() };
    let (mut writer, mut out) = (OpenAiResponses.event_writer(&asked), String::new());
    let mut finish = Finish { stop: StopReason::End, stop_sequence: None, more: vec![], usage: Usage::default(), cost: None };
    for event in events {
        if let Event::Usage(usage) = event {
            finish.usage = *usage;
        }
        if let Event::Stop { reason, .. } = event {
            finish.stop = *reason;
        }
        writer.write(event, &mut out);
    }
    writer.finish(&finish, &mut out);
    out
}

/// The events of a stream, each named twice alike.
pub fn frames(text: &str) -> Vec<Value> {
    let (mut frames, mut out) = (Frames::default(), vec![]);
    frames.push(text.as_bytes()).unwrap();
    while let Some(frame) = frames.next_frame() {
        let Some(data) = frame.data else { continue };
        let value: Value = serde_json::from_str(&data).unwrap();
        assert_eq!(value["type"], frame.event.as_deref().unwrap_or_default(), "{value}");
        out.push(value);
    }
    assert!(frames.last_frame().is_none(), "a frame is cut off");
    out
}

/// An item that is being told: what its deltas said, by the name of the delta and the place in the item.
#[derive(Default)]
struct Item {
    added: Value,
    said: HashMap<(String, u64), String>,
    open: Vec<(String, u64)>,
    done: bool,
}

/// Checks a whole stream, and gives its last response.
pub fn check(text: &str) -> Value {
    let events = frames(text);
    let mut items: Vec<Item> = vec![];
    let mut finals: Vec<Value> = vec![];
    let last = events.len() - 1;
    for (number, event) in events.iter().enumerate() {
        assert_eq!(event["sequence_number"], number, "{event}");
        let kind = event["type"].as_str().unwrap();
        match number {
            0 => assert_eq!(kind, "response.created"),
            1 => assert_eq!(kind, "response.in_progress"),
            _ if number == last => {
                assert!(matches!(kind, "response.completed" | "response.incomplete" | "response.failed"), "{kind}");
                assert_eq!(event["response"]["status"], kind["response.".len()..]);
            }
            _ => assert!(!matches!(kind, "response.created" | "response.in_progress" | "response.completed"), "{event}"),
        }
        if event.get("response").is_some() {
            envelope(&event["response"]);
            continue;
        }
        if kind == "error" {
            assert!(event["message"].is_string() && event["error"]["message"].is_string(), "{event}");
            continue;
        }
        let place = usize::try_from(event["output_index"].as_u64().unwrap()).unwrap();
        if kind == "response.output_item.added" {
            assert_eq!(place, items.len(), "items are added in order");
            assert!(items.iter().all(|item| item.added["id"] != event["item"]["id"]), "an id twice: {event}");
            items.push(Item { added: event["item"].clone(), ..Item::default() });
            continue;
        }
        let item = items.get_mut(place).unwrap();
        assert!(!item.done, "after its end: {event}");
        if kind == "response.output_item.done" {
            for key in ["id", "type", "call_id", "name", "namespace", "role"] {
                assert_eq!(item.added[key], event["item"][key], "{event}");
            }
            assert!(item.open.is_empty(), "not done: {:?}", item.open);
            whole(item, &event["item"]);
            item.done = true;
            finals.push(event["item"].clone());
            continue;
        }
        assert_eq!(event["item_id"], item.added["id"], "{event}");
        piece(item, kind, event);
    }
    let response = &events[last]["response"];
    if response["status"] != "failed" {
        assert!(items.iter().all(|item| item.done), "an item is left open");
        let output = response["output"].as_array().unwrap();
        assert_eq!(output.len(), items.len());
        for item in output {
            assert!(finals.contains(item), "the whole tells another item: {item}");
        }
    }
    response.clone()
}

/// Pieces of an item: begun, told, done, with what was told told again.
fn piece(item: &mut Item, kind: &str, event: &Value) {
    let place = ["content_index", "summary_index"].into_iter().find_map(|key| event[key].as_u64()).unwrap_or(0);
    let (name, step) = kind.rsplit_once('.').unwrap();
    let key = (name.to_owned(), place);
    match (name, step) {
        ("response.content_part" | "response.reasoning_summary_part", "added") => {
            assert!(!item.open.contains(&key), "added twice: {event}");
            item.open.push(key);
        }
        ("response.content_part" | "response.reasoning_summary_part", "done") => {
            assert!(item.open.contains(&key), "done before it was added: {event}");
            let texts = ["response.output_text", "response.refusal", "response.reasoning_summary_text"];
            assert!(!item.open.iter().any(|(n, p)| texts.contains(&n.as_str()) && *p == place), "text not done: {event}");
            item.open.retain(|open| *open != key);
        }
        ("response.output_text.annotation", "added") => {
            assert!(event["annotation"].is_object() && event["annotation_index"].is_u64(), "{event}");
        }
        ("response.image_generation_call", "completed") => {}
        (_, "delta") => {
            let part = match name {
                "response.output_text" | "response.refusal" => Some("response.content_part"),
                "response.reasoning_summary_text" => Some("response.reasoning_summary_part"),
                _ => None,
            };
            if let Some(part) = part {
                assert!(item.open.contains(&(part.to_owned(), place)), "a delta without its part: {event}");
            }
            if !item.open.contains(&key) {
                assert!(!item.said.contains_key(&key), "a delta after its done: {event}");
                item.open.push(key.clone());
            }
            item.said.entry(key).or_default().push_str(event["delta"].as_str().unwrap());
        }
        (_, "done") => {
            let told = ["text", "refusal", "arguments", "input"].into_iter().find_map(|k| event[k].as_str()).unwrap();
            assert_eq!(item.said.entry(key.clone()).or_default(), told, "{event}");
            item.open.retain(|open| *open != key);
        }
        _ => unreachable!("what is {event}?"),
    }
}

/// The last form of an item holds what its deltas said.
fn whole(item: &Item, done: &Value) {
    for ((name, place), said) in &item.said {
        let place = usize::try_from(*place).unwrap();
        let told = match name.as_str() {
            "response.output_text" => &done["content"][place]["text"],
            "response.refusal" => &done["content"][place]["refusal"],
            "response.reasoning_summary_text" => &done["summary"][place]["text"],
            "response.function_call_arguments" => &done["arguments"],
            "response.custom_tool_call_input" => &done["input"],
            _ => unreachable!("what is {name}?"),
        };
        assert_eq!(told, said, "{done}");
    }
    if done["type"] == "message" {
        assert!(!done["content"].as_array().unwrap().is_empty(), "an empty message");
    }
}

/// What strict clients look for in every response.
pub fn envelope(response: &Value) {
    let there = [
        "id",
        "object",
        "created_at",
        "status",
        "error",
        "incomplete_details",
        "instructions",
        "max_output_tokens",
        "model",
        "output",
        "parallel_tool_calls",
        "previous_response_id",
        "reasoning",
        "store",
        "temperature",
        "text",
        "tool_choice",
        "tools",
        "top_p",
        "truncation",
        "usage",
        "user",
        "metadata",
    ];
    for key in there {
        assert!(response.get(key).is_some(), "no `{key}` in {response}");
    }
    assert!(response["id"].as_str().unwrap().starts_with("resp_"), "{response}");
    assert_eq!((&response["object"], &response["store"]), (&json!("response"), &json!(false)));
    assert!(response["tools"].is_array() && response["metadata"].is_object() && response["text"]["format"].is_object());
    if matches!(response["status"].as_str().unwrap(), "completed" | "incomplete") {
        for (details, key) in [("input_tokens_details", "cached_tokens"), ("output_tokens_details", "reasoning_tokens")] {
            assert!(response["usage"][details][key].is_u64(), "{response}");
        }
    }
}
