//! Every recording of `cohere.chat_v2`, against what its bodies and events say.

use std::collections::BTreeMap;

use portolan::{
    dialect::{Upstream, cohere::Cohere},
    wire::framing::Framing,
};
use serde_json::{Value, json};

use super::recorded::{cases, seen, streamed};

/// Recordings in the folder; another number means another corpus.
const CASES: usize = 12;

/// A whole answer as the stream's events tell it, put together by their names only.
fn gathered(text: &str) -> Value {
    let events = text.lines().filter_map(|line| line.strip_prefix("data: ")).filter(|data| *data != "[DONE]");
    let (mut content, mut calls, mut citations, mut plan) = (vec![], vec![], vec![], String::new());
    let mut end = Value::Null;
    for event in events.map(|data| serde_json::from_str::<Value>(data).unwrap()) {
        let message = &event["delta"]["message"];
        let at = usize::try_from(event["index"].as_u64().unwrap_or_default()).unwrap();
        match event["type"].as_str().unwrap() {
            "content-start" => content.push(message["content"].clone()),
            "content-delta" => {
                let block: &mut Value = &mut content[at];
                let key = if block["type"] == "thinking" { "thinking" } else { "text" };
                block[key] = json!(format!("{}{}", block[key].as_str().unwrap(), message["content"][key].as_str().unwrap()));
            }
            "tool-plan-delta" => plan.push_str(message["tool_plan"].as_str().unwrap()),
            "tool-call-start" => calls.push(message["tool_calls"].clone()),
            "tool-call-delta" => {
                let function: &mut Value = &mut calls[at];
                let more = message["tool_calls"]["function"]["arguments"].as_str().unwrap();
                let known = function["function"]["arguments"].as_str().unwrap().to_owned();
                function["function"]["arguments"] = json!(known + more);
            }
            "citation-start" => citations.push(message["citations"].clone()),
            "message-end" => end = event["delta"].clone(),
            "message-start" | "content-end" | "tool-call-end" | "citation-end" => {}
            other => panic!("an event that no recording had: {other}"),
        }
    }
    json!({
        "message": {"content": content, "tool_calls": calls, "citations": citations, "tool_plan": plan},
        "finish_reason": end["finish_reason"],
        "usage": end["usage"],
    })
}

fn expected(body: &Value) -> Value {
    let message = &body["message"];
    let list = |key: &str| message[key].as_array().cloned().unwrap_or_default();
    let said = |key: &str| list("content").iter().filter_map(|block| block[key].as_str()).collect::<String>();
    let calls: Vec<Value> = list("tool_calls")
        .iter()
        .map(|call| {
            let arguments = call["function"]["arguments"].as_str().filter(|text| !text.is_empty()).unwrap_or("{}");
            json!([call["id"], call["function"]["name"], serde_json::from_str::<Value>(arguments).unwrap()])
        })
        .collect();
    let stop = match body["finish_reason"].as_str().unwrap() {
        "COMPLETE" => "End",
        "STOP_SEQUENCE" => "StopSequence",
        "TOOL_CALL" => "ToolCalls",
        other => panic!("a reason that no recording had: {other}"),
    };
    let usage = &body["usage"];
    let count = |value: &Value| value.as_u64().unwrap_or_default();
    let billed = |key: &str| count(&usage["billed_units"][key]);
    let thoughts = count(&usage["tokens"]["reasoning_tokens"]).min(billed("output_tokens"));
    json!({
        "text": said("text"),
        "thoughts": message["tool_plan"].as_str().unwrap_or_default().to_owned() + &said("thinking"),
        "proof": "",
        "calls": calls,
        "cited": list("citations"),
        "opaque": 0,
        "stop": stop,
        // In all of them what the cache held is Cohere's own, which is not billed.
        "usage": [billed("input_tokens"), 0, 0, billed("output_tokens"), thoughts],
        "raw_usage": usage,
    })
}

#[test]
#[ignore = "needs PORTOLAN_CORPUS"]
fn every_recording_is_read_as_its_events_say() {
    let cases = cases("cohere/cohere.chat_v2");
    assert_eq!(cases.len(), CASES);
    let mut kinds = BTreeMap::<&str, usize>::new();
    for case in &cases {
        if case.status != 200 {
            *kinds.entry("error").or_default() += 1;
            let error = Cohere.read_error(case.status, &case.body.to_string());
            assert_eq!(
                (error.status, Some(error.message.as_str())),
                (case.status, case.body["message"].as_str()),
                "{}",
                case.name
            );
            assert!(Cohere.read_response(&case.body.to_string()).is_err(), "{}", case.name);
        } else if case.kind == "sse" {
            *kinds.entry("stream").or_default() += 1;
            let text = case.body.as_str().unwrap();
            let read = streamed(&Cohere, Framing::Sse, &case.name, text.as_bytes()).unwrap();
            assert_eq!(seen(&read), expected(&gathered(text)), "{}", case.name);
        } else {
            *kinds.entry("whole").or_default() += 1;
            let read = Cohere.read_response(&case.body.to_string()).unwrap();
            assert_eq!(seen(&read), expected(&case.body), "{}", case.name);
            assert_eq!(read.id.as_deref(), case.body["id"].as_str(), "{}", case.name);
        }
    }
    assert_eq!(kinds, BTreeMap::from([("error", 2), ("stream", 3), ("whole", 7)]));
}
