use portolan::{
    chat::{
        event::{Block, Delta, Event},
        profile::Profile,
        request::{Format, Part, Reasoning, Request, Tool, ToolChoice},
        response::StopReason,
    },
    dialect::{Upstream, anthropic::Anthropic},
};
use serde_json::{Value, json};

use super::{NOTHING, asking, call, said, system, text, told, user, written};

const LOOSE: Profile = Profile { json_schema: false, ..Profile::DEFAULT };

fn formatted(schema: Value) -> Request {
    let format = Format::Schema { name: Some("n".to_owned()), description: None, schema, strict: Some(true) };
    Request { format: Some(format), ..asking(vec![user(vec![text("u")])]) }
}

fn person() -> Value {
    json!({"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]})
}

fn tool(name: &str) -> Tool {
    Tool::Function { name: name.to_owned(), description: None, parameters: None, strict: None, cache: None }
}

/// `None`: not to be enforced, so the answer comes through a tool.
#[test]
fn schemas_that_anthropic_enforces() {
    let object = |properties: &str| format!(r#"{{"type":"object","properties":{properties},"additionalProperties":false}}"#);
    for (schema, enforced) in [
        // Its order stays, and objects are closed where they have members.
        (r#"{"type":"object","properties":{"z":{"type":"string"},"a":{"type":"integer"}}}"#.to_owned(), Some(object(r#"{"z":{"type":"string"},"a":{"type":"integer"}}"#))),
        (object(r#"{"a":{"type":["string","null"],"title":"A","default":null}}"#), Some(object(r#"{"a":{"type":["string","null"],"title":"A","default":null}}"#))),
        (r#"{"properties":{"a":{"enum":["x",1,null]}}}"#.to_owned(), Some(r#"{"properties":{"a":{"enum":["x",1,null]}},"type":"object","additionalProperties":false}"#.to_owned())),
        // What is not enforced is said.
        (object(r#"{"a":{"type":"integer","minimum":1,"maximum":10}}"#), Some(object(r#"{"a":{"type":"integer","description":"{minimum: 1, maximum: 10}"}}"#))),
        (object(r#"{"a":{"type":"string","description":"d","pattern":"^x\"","format":"binary"}}"#), Some(object(r#"{"a":{"type":"string","description":"d\n\n{pattern: \"^x\\\"\", format: \"binary\"}"}}"#))),
        (object(r#"{"a":{"type":"string","format":"date"}}"#), Some(object(r#"{"a":{"type":"string","format":"date"}}"#))),
        (object(r#"{"a":{"type":"array","items":{"type":"string"},"minItems":1,"maxItems":3}}"#), Some(object(r#"{"a":{"type":"array","items":{"type":"string"},"minItems":1,"description":"{maxItems: 3}"}}"#))),
        (object(r#"{"a":{"oneOf":[{"type":"string"},{"type":"null"}]}}"#), Some(object(r#"{"a":{"anyOf":[{"type":"string"},{"type":"null"}]}}"#))),
        (r##"{"$schema":"s","$defs":{"A":{"type":"string"}},"type":"object","properties":{"a":{"$ref":"#/$defs/A"}}}"##.to_owned(), Some(r##"{"$defs":{"A":{"type":"string"}},"type":"object","properties":{"a":{"$ref":"#/$defs/A"}},"additionalProperties":false}"##.to_owned())),
        // An empty object that says so.
        (object("{}"), Some(object("{}"))),
        // Open objects, anything, tuples, recursion, references elsewhere.
        (r#"{"type":"object"}"#.to_owned(), None),
        (object(r#"{"a":{"type":"object","additionalProperties":{"type":"string"}}}"#), None),
        (object(r#"{"a":{}}"#), None),
        (object(r#"{"a":true}"#), None),
        (object(r#"{"a":{"type":"array","items":[{"type":"string"}]}}"#), None),
        (r##"{"$defs":{"A":{"type":"object","properties":{"next":{"$ref":"#/$defs/A"}}}},"type":"object","properties":{"a":{"$ref":"#/$defs/A"}}}"##.to_owned(), None),
        (r##"{"$defs":{"A":{"anyOf":[{"$ref":"#/$defs/B"}]},"B":{"anyOf":[{"$ref":"#/$defs/A"}]}},"type":"object","properties":{"a":{"$ref":"#/$defs/A"}}}"##.to_owned(), None),
        (r##"{"type":"object","properties":{"a":{"$ref":"#"}}}"##.to_owned(), None),
    ] {
        let given: Value = serde_json::from_str(&schema).unwrap();
        let (body, dropped) = written(&formatted(given.clone()));
        assert_eq!(dropped, NOTHING, "{schema}");
        match enforced {
            Some(enforced) => {
                assert_eq!(body["output_config"]["format"]["schema"].to_string(), enforced, "{schema}");
                let again = formatted(body["output_config"]["format"]["schema"].clone());
                assert_eq!(written(&again).0, body, "what fits stays: {schema}");
            }
            None => {
                assert_eq!(body["output_config"], Value::Null, "{schema}");
                assert_eq!(body["tools"][0]["input_schema"], given, "{schema}");
            }
        }
    }
}

#[test]
fn a_tool_stands_in_for_a_schema() {
    let forced = json!({"type": "tool", "name": "portolan_answer", "disable_parallel_tool_use": true});
    let own = |names: &[&str]| names.iter().map(|name| tool(name)).collect::<Vec<_>>();
    let base = || formatted(person());
    for (request, choice, names, lost) in [
        (base(), forced.clone(), vec!["portolan_answer"], vec![]),
        // Beside the caller's tools: one of them, or the answer.
        (Request { tools: own(&["f"]), ..base() }, json!({"type": "any"}), vec!["f", "portolan_answer"], vec![]),
        (
            Request { tools: own(&["f"]), parallel_tool_calls: Some(false), ..base() },
            json!({"type": "any", "disable_parallel_tool_use": true}),
            vec!["f", "portolan_answer"],
            vec![],
        ),
        (
            Request { tools: own(&["f"]), tool_choice: Some(ToolChoice::None), ..base() },
            forced,
            vec!["f", "portolan_answer"],
            vec![],
        ),
        // The caller wants a call and no answer; nothing can be forced while the model thinks.
        (
            Request { tools: own(&["f"]), tool_choice: Some(ToolChoice::Required), ..base() },
            json!({"type": "any"}),
            vec!["f"],
            vec!["format"],
        ),
        (Request { reasoning: Some(Reasoning::Adaptive), ..base() }, Value::Null, vec![], vec!["format"]),
        (formatted(json!({"type": "array", "items": {}})), Value::Null, vec![], vec!["format"]),
    ] {
        let (body, dropped) = told(&request, &LOOSE);
        let written: Vec<&str> = body["tools"].as_array().into_iter().flatten().filter_map(|t| t["name"].as_str()).collect();
        assert_eq!((&body["tool_choice"], written), (&choice, names), "{request:?}");
        assert_eq!(dropped, lost, "{request:?}");
        assert_eq!(body["output_config"], Value::Null);
        let is_told = body["system"].as_str().is_some_and(|text| text.contains("JSON Schema") && text.contains("\"type\":"));
        assert_eq!(is_told, lost.contains(&"format"), "{body}");
    }
    let rigid = Profile { tool_choice: false, ..LOOSE };
    assert_eq!(told(&base(), &rigid).1, ["format"]);
}

#[test]
fn any_json_is_an_instruction() {
    let request = Request { format: Some(Format::Json), ..asking(vec![system(vec![text("s")]), user(vec![text("u")])]) };
    let (body, dropped) = written(&request);
    assert_eq!(body["system"][0], said("s"));
    assert!(body["system"][1]["text"].as_str().unwrap().contains("JSON object"), "{body}");
    assert_eq!((&body["output_config"], dropped), (&Value::Null, vec![]));
}

#[test]
fn the_tools_input_is_read_as_the_answer() {
    let given = |input: Value| json!({"type": "tool_use", "id": "toolu_1", "name": "portolan_answer", "input": input});
    let called = json!({"type": "tool_use", "id": "c", "name": "f", "input": {}});
    for (content, parts, stop) in [
        (json!([given(json!({"z": 1.0, "a": []}))]), vec![text(r#"{"z":1.0,"a":[]}"#)], StopReason::End),
        (json!([given(json!({}))]), vec![text("{}")], StopReason::End),
        (json!([given(json!({})), called]), vec![text("{}"), Part::ToolCall(call("c", "{}"))], StopReason::ToolCalls),
        (json!([called]), vec![Part::ToolCall(call("c", "{}"))], StopReason::ToolCalls),
    ] {
        let body = json!({"content": content, "stop_reason": "tool_use"}).to_string();
        let response = Anthropic.read_response(&body).unwrap();
        assert_eq!((response.parts, response.stop), (parts, stop), "{body}");
    }
}

#[test]
fn the_tools_input_streams_as_text() {
    let stream = |fragments: &[&str], also: bool| {
        let mut frames = vec![
            json!({"type": "content_block_start", "index": 0, "content_block": {"type": "tool_use", "id": "t", "name": "portolan_answer", "input": {}}}),
        ];
        for fragment in fragments {
            frames.push(json!({"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json": fragment}}));
        }
        frames.push(json!({"type": "content_block_stop", "index": 0}));
        if also {
            frames.push(json!({"type": "content_block_start", "index": 1, "content_block": {"type": "tool_use", "id": "c", "name": "f", "input": {}}}));
            frames.push(json!({"type": "content_block_stop", "index": 1}));
        }
        frames.push(json!({"type": "message_delta", "delta": {"stop_reason": "tool_use"}}));
        let bytes: String = frames.iter().map(|frame| format!("data: {frame}\n\n")).collect();
        let mut events = crate::fold::events(&Anthropic, [bytes.as_bytes()]);
        assert_eq!(events.pop(), Some(Event::End));
        events
    };
    let said = |text: &str| Event::BlockDelta { index: 0, delta: Delta::Text(text.to_owned()) };
    let stop = |reason| Event::Stop { choice: 0, reason, sequence: None };
    let opens = |index, block| Event::BlockStart { choice: 0, index, block };
    assert_eq!(
        stream(&["", "{\"a\":\"\\", "n\"}"], false),
        [opens(0, Block::Text), said("{\"a\":\"\\"), said("n\"}"), Event::BlockEnd { index: 0 }, stop(StopReason::End),]
    );
    // No fragment at all.
    assert_eq!(stream(&[""], false), [opens(0, Block::Text), said("{}"), Event::BlockEnd { index: 0 }, stop(StopReason::End)]);
    assert_eq!(
        stream(&["{}"], true),
        [
            opens(0, Block::Text),
            said("{}"),
            Event::BlockEnd { index: 0 },
            opens(1, Block::ToolCall(call("c", ""))),
            Event::BlockEnd { index: 1 },
            stop(StopReason::ToolCalls),
        ]
    );
}
