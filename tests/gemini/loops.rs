//! Tool loops of a client that speaks Gemini, with another provider behind it.

use portolan::{
    chat::{fold::unfold, profile::Profile, request::Request},
    dialect::{Asked, Caller, Facts, Upstream, anthropic::Anthropic, gemini::Gemini, openai_chat::OpenAiChat},
};
use serde_json::{Value, json};

use super::{contents, read};

const CLAUDE: &str = "claude-opus-4-5";

/// All parts of an answer as a client collects them: whole, or from a stream.
fn collected(answer: &str, dialect: &dyn Upstream, streamed: bool) -> Vec<Value> {
    let response = dialect.read_response(answer).unwrap();
    let stamp = portolan::chat::event::Stamp { id: "id".to_owned(), created: 1, model: "m".to_owned() };
    let facts = Facts { array: true, ..Facts::default() };
    let asked = Asked { stamp, facts: &facts, body: &[] };
    let chunks: Value = if streamed {
        let (mut writer, mut out) = (Gemini.event_writer(&asked), String::new());
        let (events, finish) = unfold(&response, None);
        events.iter().for_each(|event| writer.write(event, &mut out));
        writer.finish(&finish, &mut out);
        serde_json::from_str(&out).unwrap()
    } else {
        json!([serde_json::from_str::<Value>(&Gemini.write_response(&response, &asked, None)).unwrap()])
    };
    let chunks = chunks.as_array().unwrap().iter();
    chunks.flat_map(|chunk| chunk.pointer("/candidates/0/content/parts").and_then(Value::as_array).unwrap().clone()).collect()
}

/// What Google's SDK for Python makes of a part: the alphabet of URLs, and no id.
fn reencoded(mut part: Value) -> Value {
    if let Some(proof) = part.get_mut("thoughtSignature") {
        *proof = json!(proof.as_str().unwrap().replace('+', "-").replace('/', "_"));
    }
    if let Some(call) = part.pointer_mut("/functionCall") {
        call.as_object_mut().unwrap().shift_remove("id");
    }
    part
}

fn next(parts: &[Value], results: Value) -> Request {
    let body = json!([{ "role": "user", "parts": [{ "text": "go" }] }, { "role": "model", "parts": parts }, { "role": "user", "parts": results }]);
    read(&contents(body)).0
}

#[test]
fn claude_gets_its_thoughts_back() {
    let content = json!([
        { "type": "thinking", "thinking": "hm", "signature": "Eq+/QAB==" },
        { "type": "redacted_thinking", "data": "secret+/=" },
        { "type": "text", "text": "Let me see." },
        { "type": "tool_use", "id": "toolu_1", "name": "f", "input": { "b": 1, "a": 2 } },
        { "type": "tool_use", "id": "toolu_2", "name": "f", "input": {} },
    ]);
    let answer = json!({ "id": "msg_1", "type": "message", "role": "assistant", "model": CLAUDE, "content": content, "stop_reason": "tool_use", "usage": { "input_tokens": 1, "output_tokens": 2 } }).to_string();
    let results = json!([{ "functionResponse": { "name": "f", "response": { "result": "1" } } }, { "functionResponse": { "name": "f", "response": { "result": "2" } } }]);
    for streamed in [false, true] {
        for client in [std::convert::identity, reencoded] {
            let parts: Vec<Value> = collected(&answer, &Anthropic, streamed).into_iter().map(client).collect();
            let request = Request { model: CLAUDE.to_owned(), max_tokens: Some(9), ..next(&parts, results.clone()) };
            let body: Value = serde_json::from_str(&Anthropic.write_request(&request, &Profile::DEFAULT).value).unwrap();
            let (mut said, mut told) = (body["messages"][1]["content"].clone(), body["messages"][2]["content"].clone());
            let ids: Vec<Value> = [3, 4].map(|at| said[at]["id"].take()).to_vec();
            assert!(ids[0] != ids[1] && ids.iter().all(Value::is_string), "{ids:?}");
            let answered: Vec<Value> = [0, 1].map(|at| told[at]["tool_use_id"].take()).to_vec();
            assert_eq!(answered, ids, "{body}");
            let mut expected = content.clone();
            for at in [3, 4] {
                expected[at]["id"] = Value::Null;
            }
            assert_eq!(said, expected, "streamed: {streamed}");
        }
    }
}

#[test]
fn chat_gets_its_calls_and_their_results() {
    let calls = json!([{ "id": "call_x", "type": "function", "function": { "name": "f", "arguments": "{\"n\":1}" } }]);
    let message = json!({ "role": "assistant", "content": "Wait.", "tool_calls": calls });
    let answer =
        json!({ "id": "c", "model": "m", "choices": [{ "index": 0, "message": message, "finish_reason": "tool_calls" }] })
            .to_string();
    let results = json!([{ "functionResponse": { "id": "call_x", "name": "f", "response": { "error": "boom" } } }]);
    for streamed in [false, true] {
        let request = Request { model: "m".to_owned(), ..next(&collected(&answer, &OpenAiChat, streamed), results.clone()) };
        let body: Value = serde_json::from_str(&OpenAiChat.write_request(&request, &Profile::DEFAULT).value).unwrap();
        let (said, told) = (&body["messages"][1], &body["messages"][2]);
        assert_eq!((&said["content"], &said["tool_calls"]), (&json!("Wait."), &calls));
        assert_eq!((&told["tool_call_id"], &told["content"]), (&json!("call_x"), &json!("boom")));
    }
}
