//! Every recording of `bedrock.converse`, and of Claude's in `bedrock.invoke`, against what its frames say.

use std::collections::BTreeMap;

use portolan::{
    dialect::{Upstream, anthropic::Anthropic, converse::Converse},
    wire::{base64, framing::Framing},
};
use serde_json::{Value, json};

use super::recorded::{Case, cases, seen, streamed};

/// Recordings in the two folders; other numbers mean another corpus.
const CONVERSE: usize = 18;
const INVOKE: usize = 15;

/// A stream's messages, cut by their lengths alone: the payloads.
fn payloads(bytes: &[u8]) -> Vec<Value> {
    let (mut rest, mut out) = (bytes, vec![]);
    while !rest.is_empty() {
        let length = |at: usize| usize::try_from(u32::from_be_bytes(rest[at..at + 4].try_into().unwrap())).unwrap();
        let (message, left) = rest.split_at(length(0));
        out.push(serde_json::from_slice(&message[12 + length(4)..message.len() - 4]).unwrap());
        rest = left;
    }
    out
}

fn bytes(case: &Case) -> Vec<u8> {
    base64::decode(case.body.as_str().unwrap()).unwrap()
}

/// Answers gathered from a body or from frames, both by their names only.
#[derive(Default)]
struct Told {
    text: String,
    thoughts: String,
    proof: String,
    calls: Vec<(u64, Value, Value, String)>,
    cited: Vec<Value>,
    opaque: usize,
    stop: String,
    usage: Value,
}

impl Told {
    fn add(&mut self, value: &Value, key: &str) {
        let word = value.pointer(key).and_then(Value::as_str).unwrap_or_default();
        match key.rsplit('/').next().unwrap() {
            "signature" => self.proof.push_str(word),
            _ if key.contains("reasoning") => self.thoughts.push_str(word),
            _ => self.text.push_str(word),
        }
    }

    fn begin(&mut self, at: u64, block: &Value) {
        let call = block.get("toolUse").filter(|call| call.get("type") != Some(&json!("server_tool_use")));
        match call {
            Some(call) => self.calls.push((at, call["toolUseId"].clone(), call["name"].clone(), String::new())),
            None => self.opaque += 1,
        }
    }

    fn of_body(body: &Value) -> Self {
        let mut told = Self { stop: body["stopReason"].as_str().unwrap().to_owned(), ..Self::default() };
        told.usage = body["usage"].clone();
        for (at, block) in (0..).zip(body["output"]["message"]["content"].as_array().unwrap()) {
            if block.get("toolUse").is_some() || block.get("toolResult").is_some() {
                told.begin(at, block);
                if let Some(call) = told.calls.last_mut().filter(|call| call.0 == at) {
                    call.3 = block["toolUse"]["input"].to_string();
                }
            }
            told.add(block, "/text");
            told.add(block, "/reasoningContent/reasoningText/text");
            told.add(block, "/reasoningContent/reasoningText/signature");
            told.add(block, "/citationsContent/content/0/text");
            told.cited
                .extend(block.pointer("/citationsContent/citations").and_then(Value::as_array).into_iter().flatten().cloned());
        }
        told
    }

    fn of_frames(frames: &[Value]) -> Self {
        let mut told = Self::default();
        for frame in frames {
            let at = frame["contentBlockIndex"].as_u64().unwrap_or_default();
            if let Some(start) = frame.get("start") {
                told.begin(at, start);
            }
            told.add(frame, "/delta/text");
            told.add(frame, "/delta/reasoningContent/text");
            told.add(frame, "/delta/reasoningContent/signature");
            told.cited.extend(frame.pointer("/delta/citation").cloned());
            if let Some(call) = told.calls.iter_mut().find(|call| call.0 == at) {
                call.3.push_str(frame.pointer("/delta/toolUse/input").and_then(Value::as_str).unwrap_or_default());
            }
            if let Some(reason) = frame.get("stopReason") {
                told.stop = reason.as_str().unwrap().to_owned();
            }
            if let Some(usage) = frame.get("usage") {
                told.usage = usage.clone();
            }
        }
        told
    }

    fn expected(self) -> Value {
        let stop = match self.stop.as_str() {
            "end_turn" => "End",
            "tool_use" => "ToolCalls",
            "max_tokens" => "Length",
            "guardrail_intervened" => "ContentFilter",
            other => panic!("a stop reason that no recording had: {other}"),
        };
        let calls: Vec<Value> = self
            .calls
            .into_iter()
            .map(|(_, id, name, input)| json!([id, name, serde_json::from_str::<Value>(&input).unwrap()]))
            .collect();
        let count = |key: &str| self.usage[key].as_u64().unwrap_or_default();
        let usage = ["inputTokens", "cacheReadInputTokens", "cacheWriteInputTokens", "outputTokens"].map(count);
        // Amazon's total is an independent sum.
        assert_eq!(usage.iter().sum::<u64>(), count("totalTokens"));
        json!({
            "text": self.text,
            "thoughts": self.thoughts,
            "proof": self.proof,
            "calls": calls,
            "cited": self.cited,
            "opaque": self.opaque,
            "stop": stop,
            "usage": [usage[0], usage[1], usage[2], usage[3], 0],
            "raw_usage": self.usage,
        })
    }
}

fn check_error(dialect: &dyn Upstream, case: &Case) {
    let error = dialect.read_error(case.status, &case.body.to_string());
    assert_eq!(case.derived, json!({"error": true}), "{}", case.name);
    assert_eq!((error.status, Some(error.message.as_str())), (case.status, case.body["message"].as_str()), "{}", case.name);
    assert!(dialect.read_response(&case.body.to_string()).is_err(), "{}", case.name);
}

#[test]
#[ignore = "needs PORTOLAN_CORPUS"]
fn every_converse_recording_is_read_as_its_frames_say() {
    let cases = cases("bedrock/bedrock.converse");
    assert_eq!(cases.len(), CONVERSE);
    let mut kinds = BTreeMap::<&str, usize>::new();
    for case in &cases {
        let (kind, read, told) = match (case.status, case.kind.as_str()) {
            (200, "aws-eventstream") => {
                let bytes = bytes(case);
                let told = Told::of_frames(&payloads(&bytes));
                ("stream", streamed(&Converse, Framing::EventStream, &case.name, &bytes).unwrap(), told)
            }
            (200, _) => ("whole", Converse.read_response(&case.body.to_string()).unwrap(), Told::of_body(&case.body)),
            _ => {
                *kinds.entry("error").or_default() += 1;
                check_error(&Converse, case);
                continue;
            }
        };
        *kinds.entry(kind).or_default() += 1;
        assert_eq!(seen(&read), told.expected(), "{}", case.name);
    }
    assert_eq!(kinds, BTreeMap::from([("error", 4), ("stream", 7), ("whole", 7)]));
}

/// Claude's own events within Amazon's messages; the other makers' are not ours to read.
#[test]
#[ignore = "needs PORTOLAN_CORPUS"]
fn claude_through_invoke_is_read_as_anthropic() {
    let cases = cases("bedrock/bedrock.invoke");
    assert_eq!(cases.len(), INVOKE);
    let mut kinds = BTreeMap::<&str, usize>::new();
    for case in &cases {
        if case.status != 200 {
            *kinds.entry("error").or_default() += 1;
            check_error(&Anthropic, case);
            continue;
        }
        if case.request.get("anthropic_version").is_none() {
            *kinds.entry("other").or_default() += 1;
            continue;
        }
        if case.kind == "json" {
            *kinds.entry("whole").or_default() += 1;
            let read = Anthropic.read_response(&case.body.to_string()).unwrap();
            assert_eq!(read.parts.len(), case.body["content"].as_array().unwrap().len(), "{}", case.name);
            assert_eq!(read.usage.unwrap().output, case.body["usage"]["output_tokens"].as_u64().unwrap(), "{}", case.name);
            continue;
        }
        *kinds.entry("stream").or_default() += 1;
        let bytes = bytes(case);
        let inner = |frame: Value| base64::decode(frame["bytes"].as_str().unwrap()).unwrap();
        let events: Vec<Value> =
            payloads(&bytes).into_iter().map(|frame| serde_json::from_slice(&inner(frame)).unwrap()).collect();
        let text: String = events.iter().filter_map(|event| event.pointer("/delta/text")?.as_str()).collect();
        let metrics = &events.last().unwrap()["amazon-bedrock-invocationMetrics"];
        let read = streamed(&Anthropic, Framing::EventStream, &case.name, &bytes).unwrap();
        let usage = read.usage.unwrap();
        assert_eq!(crate::fold::texts(&read.parts).0, text, "{}", case.name);
        assert_eq!(read.id.as_deref(), events[0].pointer("/message/id").and_then(Value::as_str), "{}", case.name);
        // Amazon's own count is an independent one.
        assert_eq!(json!([usage.prompt(), usage.output]), json!([metrics["inputTokenCount"], metrics["outputTokenCount"]]));
    }
    assert_eq!(kinds, BTreeMap::from([("error", 3), ("other", 7), ("stream", 2), ("whole", 3)]));
}
