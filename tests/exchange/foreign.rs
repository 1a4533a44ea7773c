//! Bodies of another shape than the dialect they were posted to.

use serde_json::{Value, json};

use super::{
    driver::Case,
    script::{served, stream},
};

/// As Cursor's agents post it to chat.
const CURSOR: &str = r#"{"model":"alpha/small","stream":true,"stream_options":{"include_usage":true},"instructions":"Be brief.","input":[{"role":"user","content":"Hello"},{"type":"custom_tool_call","call_id":"c0","name":"ApplyPatch","input":"*** a"},{"type":"custom_tool_call_output","call_id":"c0","output":"done"}],"tools":[{"type":"function","name":"f","parameters":{"type":"object"}},{"type":"custom","name":"ApplyPatch"}],"reasoning":{"effort":"low"},"include":["reasoning.encrypted_content"],"store":false}"#;

#[test]
fn a_body_of_responses_goes_to_chat_as_chat_and_is_answered_in_chunks() {
    let piece = |delta: Value| {
        format!("data: {}\n\n", json!({"id": "chatcmpl-1", "model": "small", "choices": [{"index": 0, "delta": delta}]}))
    };
    let call = json!({"index": 0, "id": "c1", "type": "function", "function": {"name": "ApplyPatch", "arguments": "{\"input\":\"*** b\"}"}});
    let answer = [
        piece(json!({"role": "assistant", "content": "So."})),
        piece(json!({"tool_calls": [call]})),
        format!(
            "data: {}\n\n",
            json!({"id": "chatcmpl-1", "choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]})
        ),
        "data: [DONE]\n\n".to_owned(),
    ];
    let run = Case::chat_stream("alpha/small").body(CURSOR).run([stream(answer)]);
    let sent: Value = serde_json::from_str(&run.sends[0].body).unwrap();
    assert!(run.sends[0].url.ends_with("/chat/completions"));
    assert_eq!(
        (sent.get("input"), &sent["model"], &sent["messages"][0]["content"]),
        (None, &json!("small"), &json!("Be brief."))
    );
    assert_eq!(
        sent["tools"].as_array().unwrap().iter().map(|tool| &tool["function"]["name"]).collect::<Vec<_>>(),
        ["f", "ApplyPatch"]
    );
    assert_eq!(
        sent["messages"][2]["tool_calls"][0]["function"],
        json!({"name": "ApplyPatch", "arguments": "{\"input\":\"*** a\"}"})
    );
    // In chunks, and in the words of the tool that was asked with.
    assert!(run.body.contains("chat.completion.chunk") && run.body.ends_with("data: [DONE]\n\n"), "{}", run.body);
    assert!(
        run.body.contains(r#""type":"custom","custom":{"name":"ApplyPatch""#) && run.body.contains(r#"{"input":"*** b"}"#),
        "{}",
        run.body
    );
    assert_eq!(run.native, Some(false));
}

#[test]
fn tools_of_other_shapes_are_given_the_one_of_chat() {
    let body =
        |tool: &str| format!(r#"{{"model":"alpha/small","messages":[{{"role":"user","content":"Hello"}}],"tools":[{tool}]}}"#);
    let nested = r#"{"type":"function","function":{"name":"f","parameters":{}}}"#;
    for (tool, is_same) in [
        (nested, true),
        (r#"{"type":"function","name":"f","parameters":{}}"#, false),
        (r#"{"name":"f","input_schema":{}}"#, false),
    ] {
        let run = Case::chat("x").body(&body(tool)).run([served()]);
        let sent: Value = serde_json::from_str(&run.sends[0].body).unwrap();
        assert_eq!(sent["tools"], serde_json::from_str::<Value>(&format!("[{nested}]")).unwrap(), "{tool}");
        assert_eq!(run.sends[0].body == body(tool).replace("alpha/small", "small"), is_same, "{tool}");
    }
}
