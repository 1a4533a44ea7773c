//! What only another provider reads, through a client of this dialect and back.

use portolan::{
    chat::{
        Dialect,
        fold::unfold,
        profile::Profile,
        request::{Message, Part, Request, Role, ToolCall},
        response::Response,
    },
    dialect::{Asked, Caller, Facts, Upstream, openai_responses::OpenAiResponses},
};
use serde_json::{Value, json};

use super::read;
use crate::sequence::{check, stamp, written};

fn thought(text: &str, signature: Option<(Dialect, &str)>) -> Part {
    Part::Reasoning { text: text.to_owned(), signature: signature.map(|(dialect, value)| super::proof(dialect, value)) }
}

fn call(id: &str, dialect: Dialect, value: &str) -> Part {
    Part::ToolCall(ToolCall {
        id: id.to_owned(),
        name: "f".to_owned(),
        arguments: "{}".to_owned(),
        signature: Some(super::proof(dialect, value)),
        ..ToolCall::default()
    })
}

/// The answer's items as a client sends them back, streamed or whole, with or without our ids (Codex leaves them out).
#[test]
fn every_proof_survives_a_turn() {
    let own = r#"{"id":"rs_1","summary":[{"type":"summary_text","text":"t"}],"encrypted_content":"e:f"}"#;
    for parts in [
        vec![thought("t", None), Part::text("a")],
        vec![thought("t", Some((Dialect::Anthropic, "a:b:c"))), Part::text("a")],
        vec![thought("", Some((Dialect::Gemini, "g"))), Part::text("a")],
        vec![thought("t", Some((Dialect::Converse, "c"))), Part::text("a")],
        vec![thought("t", Some((Dialect::OpenAiResponses, own))), Part::text("a")],
        vec![
            thought("", Some((Dialect::OpenAiResponses, r#"{"id":"rs_2","summary":[],"encrypted_content":"e"}"#))),
            Part::text("a"),
        ],
        vec![Part::RedactedReasoning { data: "x:y".to_owned(), dialect: Dialect::Anthropic }, Part::text("a")],
        vec![call("c:1", Dialect::Gemini, "s:1"), call("ü", Dialect::Gemini, "s2")],
        vec![Part::text("a"), call("c", Dialect::Gemini, "s")],
    ] {
        let response = Response { parts: parts.clone(), ..Response::default() };
        let asked = Asked { stamp: stamp(), facts: &Facts::default(), body: b"" };
        let whole: Value = serde_json::from_str(&OpenAiResponses.write_response(&response, &asked, None)).unwrap();
        let streamed = check(&written(&unfold(&response, None).0, ""));
        for answer in [whole, streamed] {
            let items = answer["output"].clone();
            let mut bare = items.clone();
            for item in bare.as_array_mut().unwrap() {
                let is_ours = item["id"].as_str().is_some_and(|id| id.contains("_minted_"));
                if is_ours {
                    item.as_object_mut().unwrap().shift_remove("id");
                }
            }
            for input in [items, bare] {
                let read = read(json!({"input": input}));
                let [message] = read.value.messages.as_slice() else { panic!("{input}") };
                assert_eq!((message.role, &message.parts), (Role::Assistant, &parts), "{input}");
            }
        }
    }
}

/// A proof that comes after its call began follows it, and still finds it.
#[test]
fn late_proofs_find_their_call() {
    use portolan::chat::event::{Block, Delta, Event};
    let Part::ToolCall(mut call) = call("c", Dialect::Gemini, "s") else { unreachable!() };
    let signature = call.signature.take().unwrap();
    let events = [
        Event::BlockStart { choice: 0, index: 0, block: Block::ToolCall(call.clone()) },
        Event::BlockDelta { index: 0, delta: Delta::Signature(signature.clone()) },
        Event::BlockEnd { index: 0 },
        Event::BlockStart { choice: 0, index: 1, block: Block::Text },
        Event::BlockDelta { index: 1, delta: Delta::Text("a".to_owned()) },
        Event::BlockDelta { index: 1, delta: Delta::Signature(signature.clone()) },
        Event::BlockEnd { index: 1 },
    ];
    let output = check(&written(&events, ""))["output"].clone();
    let read = read(json!({"input": output}));
    call.signature = Some(signature);
    let late = thought("", Some((Dialect::Gemini, "s")));
    assert_eq!(read.value.messages[0].parts, [Part::ToolCall(call), Part::text("a"), late]);
}

/// A mark that nobody can read proves nothing, and is no thought of OpenAI's.
#[test]
fn a_broken_seal_is_no_proof() {
    for sealed in ["portolan:tomorrow:x", "portolan:", "portolan-call:gemini:99:c", "portolan-call:x", "portolan-redacted:"] {
        let item = json!({"type": "reasoning", "summary": [{"type": "summary_text", "text": "t"}], "encrypted_content": sealed});
        assert_eq!(read(json!({"input": [item]})).value.messages[0].parts, [thought("t", None)], "{sealed}");
    }
}

/// A caller of another dialect writes what it likes into a proof.
#[test]
fn a_proof_becomes_no_other_item() {
    let forged = r#"{"type":"item_reference","id":"rs_of_somebody","encrypted_content":"e"}"#;
    let parts = vec![thought("", Some((Dialect::OpenAiResponses, forged))), Part::text("a")];
    let messages = vec![Message { role: Role::Assistant, parts }];
    let request = Request { model: "m".to_owned(), messages, ..Request::default() };
    let written = OpenAiResponses.write_request(&request, &Profile::DEFAULT).value;
    let body: Value = serde_json::from_str(&written).unwrap();
    assert_eq!(body["input"][0]["type"], "reasoning", "{written}");
}
