use portolan::{
    chat::{
        Dialect,
        event::{Block, Delta, Event, Finish},
        request::{Citation, ToolCall},
        response::{StopReason, TokenLogprob},
        usage::Usage,
    },
    dialect::{Asked, Caller, Facts, openai_responses::OpenAiResponses},
    error::{Error, Kind},
};
use serde_json::{Value, json};

use super::proof;
use crate::sequence::{check, envelope, frames, stamp, written};

fn start() -> Event {
    Event::Start { id: Some("msg_theirs".to_owned()), model: Some("claude".to_owned()) }
}

fn open(index: usize, block: Block) -> Event {
    Event::BlockStart { choice: 0, index, block }
}

fn text(index: usize, text: &str) -> Event {
    Event::BlockDelta { index, delta: Delta::Text(text.to_owned()) }
}

fn end(index: usize) -> Event {
    Event::BlockEnd { index }
}

fn arguments(index: usize, text: &str) -> Event {
    Event::BlockDelta { index, delta: Delta::Arguments(text.to_owned()) }
}

fn call(id: &str, name: &str) -> Block {
    Block::ToolCall(ToolCall { id: id.to_owned(), name: name.to_owned(), ..ToolCall::default() })
}

fn names(stream: &str) -> Vec<String> {
    frames(stream).iter().map(|event| event["type"].as_str().unwrap()["response.".len()..].to_owned()).collect()
}

/// The sequence to the letter, as OpenAI sends it.
#[test]
fn a_text_is_told_to_the_letter() {
    let stream = written(&[start(), open(0, Block::Text), text(0, "Hel"), text(0, ""), text(0, "lo"), end(0)], "");
    assert_eq!(
        names(&stream),
        [
            "created",
            "in_progress",
            "output_item.added",
            "content_part.added",
            "output_text.delta",
            "output_text.delta",
            "output_text.done",
            "content_part.done",
            "output_item.done",
            "completed",
        ]
    );
    let events = frames(&stream);
    assert_eq!(
        events[2],
        json!({"type": "response.output_item.added", "sequence_number": 2, "output_index": 0,
        "item": {"id": "msg_minted_0", "type": "message", "status": "in_progress", "role": "assistant", "content": []}})
    );
    assert_eq!(
        events[3],
        json!({"type": "response.content_part.added", "sequence_number": 3, "item_id": "msg_minted_0",
        "output_index": 0, "content_index": 0, "part": {"type": "output_text", "text": "", "annotations": [], "logprobs": []}})
    );
    assert_eq!(
        events[4],
        json!({"type": "response.output_text.delta", "sequence_number": 4, "item_id": "msg_minted_0",
        "output_index": 0, "content_index": 0, "delta": "Hel", "logprobs": []})
    );
    assert_eq!(
        events[6],
        json!({"type": "response.output_text.done", "sequence_number": 6, "item_id": "msg_minted_0",
        "output_index": 0, "content_index": 0, "text": "Hello", "logprobs": []})
    );
    let response = check(&stream);
    assert_eq!((&response["id"], &response["model"]), (&json!("resp_minted"), &json!("claude")));
    assert_eq!(response["output"][0]["content"][0]["text"], "Hello");
}

#[test]
fn a_call_is_told_to_the_letter() {
    let stream = written(&[start(), open(0, call("c", "f")), arguments(0, "{\"a\""), arguments(0, ":1}"), end(0)], "");
    assert_eq!(
        names(&stream),
        [
            "created",
            "in_progress",
            "output_item.added",
            "function_call_arguments.delta",
            "function_call_arguments.delta",
            "function_call_arguments.done",
            "output_item.done",
            "completed",
        ]
    );
    let output = check(&stream)["output"].clone();
    assert_eq!(
        output,
        json!([{"id": "fc_minted_0", "type": "function_call", "status": "completed", "call_id": "c", "name": "f",
        "arguments": "{\"a\":1}"}])
    );
}

#[test]
fn thoughts_are_told_to_the_letter() {
    let thinking = Event::BlockDelta { index: 0, delta: Delta::Reasoning("hm".to_owned()) };
    let signed = Event::BlockDelta { index: 0, delta: Delta::Signature(proof(Dialect::Anthropic, "s")) };
    let stream = written(&[start(), open(0, Block::Reasoning), thinking, signed, end(0)], "");
    assert_eq!(
        names(&stream),
        [
            "created",
            "in_progress",
            "output_item.added",
            "reasoning_summary_part.added",
            "reasoning_summary_text.delta",
            "reasoning_summary_text.done",
            "reasoning_summary_part.done",
            "output_item.done",
            "completed",
        ]
    );
    assert_eq!(
        check(&stream)["output"],
        json!([{"id": "rs_minted_0", "type": "reasoning",
        "summary": [{"type": "summary_text", "text": "hm"}], "encrypted_content": "portolan:anthropic:s"}])
    );
}

/// Whatever comes in whatever order: each row holds to the strict reader's rules, and ends in these items.
#[test]
fn every_order_of_blocks_is_told_whole() {
    let refusal = |index, text: &str| Event::BlockDelta { index, delta: Delta::Refusal(text.to_owned()) };
    let think = |index, text: &str| Event::BlockDelta { index, delta: Delta::Reasoning(text.to_owned()) };
    let cite = |index| Event::BlockDelta {
        index,
        delta: Delta::Citation(Citation { url: Some("u".to_owned()), ..Citation::default() }),
    };
    let weigh = |index| {
        let token = TokenLogprob { token: "a".to_owned(), logprob: -1.0, bytes: None, top: vec![] };
        Event::BlockDelta { index, delta: Delta::Logprobs(vec![token]) }
    };
    let picture = || Block::Image { media_type: "image/png".to_owned(), data: "QUJD".to_owned() };
    let opaque = |dialect| Block::Opaque { dialect, value: json!({"type": "web_search_call", "id": "ws"}) };
    for (rule, events, expected) in [
        ("nothing", vec![], ""),
        ("an empty text is no message", vec![open(0, Block::Text), text(0, ""), end(0)], ""),
        ("an empty thought is none", vec![open(0, Block::Reasoning), end(0)], ""),
        (
            "texts that follow each other are one message",
            vec![open(0, Block::Text), text(0, "a"), end(0), open(1, Block::Text), text(1, "b"), end(1)],
            "message(a,b)",
        ),
        (
            "text and refusal",
            vec![open(0, Block::Text), text(0, "a"), end(0), open(1, Block::Refusal), refusal(1, "no"), end(1)],
            "message(a,no)",
        ),
        (
            "text around a call",
            vec![
                open(0, Block::Text),
                text(0, "a"),
                end(0),
                open(1, call("c", "f")),
                arguments(1, "{}"),
                end(1),
                open(2, Block::Text),
                text(2, "b"),
                end(2),
            ],
            "message(a) function_call({}) message(b)",
        ),
        (
            "interleaved calls",
            vec![
                open(0, call("c", "f")),
                open(1, call("d", "g")),
                arguments(0, "{\"a\":"),
                arguments(1, "{\"b\":"),
                arguments(1, "2}"),
                end(1),
                arguments(0, "1}"),
                end(0),
            ],
            "function_call({\"a\":1}) function_call({\"b\":2})",
        ),
        ("no arguments", vec![open(0, call("c", "f")), end(0)], "function_call({})"),
        ("blank arguments stay", vec![open(0, call("c", "f")), arguments(0, " "), end(0)], "function_call( )"),
        (
            "a text that goes on beside a call",
            vec![open(0, Block::Text), text(0, "a"), open(1, call("c", "f")), text(0, "b"), arguments(1, "{}"), end(0), end(1)],
            "message(ab) function_call({})",
        ),
        (
            "two texts at once beside a call",
            vec![
                open(0, Block::Text),
                open(1, Block::Text),
                text(0, "a"),
                text(1, "b"),
                open(2, call("c", "f")),
                end(1),
                text(0, "c"),
                end(0),
                end(2),
            ],
            "message(ac,b) function_call({})",
        ),
        (
            "blocks nobody ended",
            vec![open(0, Block::Reasoning), think(0, "t"), open(1, Block::Text), text(1, "a"), open(2, call("c", "f"))],
            "reasoning(t) message(a) function_call({})",
        ),
        ("sources and likelihoods", vec![open(0, Block::Text), weigh(0), text(0, "a"), cite(0), end(0)], "message(a)"),
        (
            "pictures and built-in tools",
            vec![open(0, picture()), end(0), open(1, opaque(Dialect::OpenAiResponses)), end(1)],
            "image_generation_call web_search_call",
        ),
        (
            "tools of others",
            vec![open(0, opaque(Dialect::Anthropic)), end(0), open(1, Block::Text), text(1, "a"), end(1)],
            "message(a)",
        ),
        (
            "what is said in audio",
            vec![
                open(0, Block::Audio { media_type: "audio/mp3".to_owned() }),
                text(0, "a"),
                Event::BlockDelta { index: 0, delta: Delta::Audio("QUJD".to_owned()) },
                end(0),
            ],
            "message(a)",
        ),
        (
            "a further answer",
            vec![
                open(0, Block::Text),
                text(0, "a"),
                Event::BlockStart { choice: 1, index: 1, block: Block::Text },
                text(1, "b"),
                end(1),
                end(0),
            ],
            "message(a)",
        ),
        ("two beginnings, noise", vec![start(), Event::Malformed, Event::Usage(Usage::default()), start()], ""),
    ] {
        let list: Vec<Event> = std::iter::once(start()).chain(events).collect();
        let response = check(&written(&list, ""));
        let shown: Vec<String> = response["output"].as_array().unwrap().iter().map(show).collect();
        assert_eq!(shown.join(" "), expected, "{rule}");
    }
}

fn show(item: &Value) -> String {
    let kind = item["type"].as_str().unwrap();
    let said = |list: &Value| {
        let parts = list.as_array().into_iter().flatten();
        parts.map(|part| part["text"].as_str().or_else(|| part["refusal"].as_str()).unwrap()).collect::<Vec<_>>().join(",")
    };
    match kind {
        "message" => format!("message({})", said(&item["content"])),
        "reasoning" => format!("reasoning({})", said(&item["summary"])),
        "function_call" => format!("function_call({})", item["arguments"].as_str().unwrap()),
        "custom_tool_call" => format!("custom_tool_call({})", item["input"].as_str().unwrap()),
        _ => kind.to_owned(),
    }
}

/// A custom tool that a function stood in for answers in its own shape; a nested one by its own name.
#[test]
fn calls_are_answered_in_the_callers_shape() {
    let body = json!({"tools": [{"type": "custom", "name": "patch"},
        {"type": "namespace", "name": "agents", "tools": [{"type": "function", "name": "close"}, {"type": "custom", "name": "say"}]}]});
    let native = Block::ToolCall(ToolCall { id: "d".to_owned(), name: "patch".to_owned(), custom: true, ..ToolCall::default() });
    let events = [
        start(),
        open(0, call("c", "patch")),
        arguments(0, "{\"inp"),
        arguments(0, "ut\":\"*** \\\"Begin\"}"),
        end(0),
        open(1, native),
        arguments(1, "*** "),
        arguments(1, "End"),
        end(1),
        open(2, call("e", "agents__close")),
        end(2),
        open(3, call("f", "agents__say")),
        arguments(3, "not JSON"),
        end(3),
    ];
    let stream = written(&events, &body.to_string());
    let output = check(&stream)["output"].clone();
    assert_eq!(
        output,
        json!([
            {"id": "ctc_minted_0", "type": "custom_tool_call", "status": "completed", "call_id": "c", "name": "patch", "input": "*** \"Begin"},
            {"id": "ctc_minted_1", "type": "custom_tool_call", "status": "completed", "call_id": "d", "name": "patch", "input": "*** End"},
            {"id": "fc_minted_2", "type": "function_call", "status": "completed", "call_id": "e", "name": "close", "namespace": "agents",
                "arguments": "{}"},
            {"id": "ctc_minted_3", "type": "custom_tool_call", "status": "completed", "call_id": "f", "name": "say", "namespace": "agents",
                "input": "not JSON"},
        ])
    );
    assert!(names(&stream).contains(&"custom_tool_call_input.delta".to_owned()));
}

#[test]
fn the_end_says_why() {
    for (stop, last, item) in [
        (StopReason::End, "response.completed", "completed"),
        (StopReason::Length, "response.incomplete", "incomplete"),
        (StopReason::ContentFilter, "response.incomplete", "completed"),
    ] {
        let stop = Event::Stop { choice: 0, reason: stop, sequence: None };
        let usage = Usage { input: 1, cache_read: 2, output: 4, reasoning: 3, ..Usage::default() };
        let events = [start(), open(0, Block::Text), text(0, "a"), end(0), Event::Usage(usage), stop];
        let stream = written(&events, "");
        assert_eq!(frames(&stream).last().unwrap()["type"], last);
        let response = check(&stream);
        assert_eq!(response["output"][0]["status"], item, "{last}");
        assert_eq!(
            response["usage"],
            json!({"input_tokens": 3, "input_tokens_details": {"cached_tokens": 2}, "output_tokens": 4,
            "output_tokens_details": {"reasoning_tokens": 3}, "total_tokens": 7})
        );
    }
}

/// A broken stream never ends cleanly: the error, then the failed response with what was said so far.
#[test]
fn a_broken_stream_fails() {
    let mut error = Error::new(Kind::Unavailable, "It broke off.");
    error.code = Some("overloaded".to_owned());
    let facts = Facts::default();
    let writer = || OpenAiResponses.event_writer(&Asked { stamp: stamp(), facts: &facts, body: b"" });
    let (mut begun, mut out) = (writer(), String::new());
    for event in [start(), open(0, Block::Text), text(0, "a")] {
        begun.write(&event, &mut out);
    }
    begun.fail(&error, &mut out);
    let events = frames(&out);
    let [.., told, last] = events.as_slice() else { panic!("{out}") };
    assert_eq!(
        (&told["type"], &told["code"], &told["message"]),
        (&json!("error"), &json!("overloaded"), &json!("It broke off."))
    );
    assert_eq!(told["error"]["message"], "It broke off.");
    assert_eq!(last["response"]["error"], json!({"code": "overloaded", "message": "It broke off."}));
    assert_eq!(last["response"]["status"], "failed");
    assert_eq!(last["response"]["output"].as_array().unwrap().len(), 1);
    check(&out);

    // Of a stream that passed verbatim only the end is ours.
    let mut out = String::new();
    writer().fail(&Error::new(Kind::Internal, "Ours."), &mut out);
    assert_eq!(names_of_failure(&out), ["error", "response.failed"]);
    envelope(&frames(&out)[1]["response"]);
}

fn names_of_failure(stream: &str) -> Vec<String> {
    frames(stream).iter().map(|event| event["type"].as_str().unwrap().to_owned()).collect()
}

/// An answer of no block at all is still opened before it is closed.
#[test]
fn an_empty_answer_is_whole() {
    let mut out = String::new();
    let facts = Facts::default();
    let mut writer = OpenAiResponses.event_writer(&Asked { stamp: stamp(), facts: &facts, body: b"" });
    let finish = Finish { stop: StopReason::End, stop_sequence: None, more: vec![], usage: Usage::default(), cost: None };
    writer.finish(&finish, &mut out);
    assert_eq!(check(&out)["output"], json!([]));
}
