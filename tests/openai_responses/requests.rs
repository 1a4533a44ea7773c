use portolan::{
    chat::request::{Effort, Format, Reasoning},
    dialect::{Caller, openai_responses::OpenAiResponses},
};
use serde_json::{Value, json};

use super::{NOTHING, body, facts, read, refused, show};

/// What routing reads of a body, and what it leaves to the provider to refuse.
#[test]
fn facts_are_read_with_good_will() {
    for (members, stream, tools, limit, user, continues) in [
        (json!({}), false, false, None, None, None),
        (json!({"stream": true, "tools": [], "user": "u"}), true, false, None, Some("u"), None),
        (json!({"tools": [{"type": "web_search"}], "max_output_tokens": 9}), false, true, Some(9), None, None),
        (json!({"safety_identifier": "s", "user": "u"}), false, false, None, Some("s"), None),
        (json!({"previous_response_id": "resp_1", "conversation": null}), false, false, None, None, Some("resp_1")),
        (json!({"conversation": "conv_1"}), false, false, None, None, Some("conv_1")),
        (json!({"conversation": {"id": "conv_2"}}), false, false, None, None, Some("conv_2")),
        (json!({"tools": "x", "max_output_tokens": "many", "user": 3}), false, false, None, None, None),
    ] {
        let facts = facts(&body(members.clone())).unwrap();
        assert_eq!((facts.stream, facts.wants_usage, facts.tools, facts.max_output), (stream, stream, tools, limit), "{members}");
        assert_eq!((facts.user.as_deref(), facts.continues.as_deref()), (user, continues), "{members}");
    }
    for (text, param) in [("{}", "model"), (r#"{"model": " "}"#, "model"), (r#"{"model": "m", "stream": 1}"#, "stream")] {
        assert_eq!(facts(text).unwrap_err().param.as_deref(), Some(param), "{text}");
    }
}

#[test]
fn input_becomes_turns() {
    for (input, expected) in [
        (json!("hi"), "User: text hi"),
        (json!([{"role": "user", "content": "hi"}]), "User: text hi"),
        (json!([{"type": "message", "id": "msg_1", "status": "completed", "role": "user", "content": "hi"}]), "User: text hi"),
        (
            json!([{"role": "developer", "content": "a"}, {"role": "system", "content": "b"}, {"role": "user", "content": "c"}]),
            "System: text a / System: text b / User: text c",
        ),
        // One turn goes on, one that says nothing is none.
        (
            json!([{"role": "user", "content": "a"}, {"role": "assistant", "content": ""}, {"role": "user", "content": "b"}]),
            "User: text a | text b",
        ),
        (
            json!([{"role": "user", "content": [{"type": "input_text", "text": "a"},
            {"type": "input_text", "text": "b", "prompt_cache_breakpoint": {"mode": "explicit"}}]}]),
            "User: text a | text b cached",
        ),
        (
            json!([{"role": "assistant", "content": [{"type": "output_text", "text": "a", "logprobs": [], "annotations": [
            {"type": "url_citation", "url": "u", "title": "t", "start_index": 0, "end_index": 1}]}, {"type": "refusal", "refusal": "no"}]}]),
            "Assistant: text a <u t Some(0)-Some(1)> | refusal no",
        ),
        // Results come first in their turn, and are named by their call.
        (
            json!([{"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "f", "arguments": "{\"a\":1.0}", "status": "completed"},
            {"type": "function_call", "call_id": "c2", "name": "g", "arguments": {"b": 2}},
            {"type": "function_call_output", "id": "fco_1", "call_id": "c2", "output": "two"},
            {"role": "user", "content": "go on"},
            {"type": "function_call_output", "call_id": "c1", "output": [{"type": "input_text", "text": "one"},
                {"type": "input_image", "image_url": "data:image/png;base64,AAAA"}]}]),
            "Assistant: call c1 f {\"a\":1.0} | call c2 g {\"b\":2} / User: result c2 g (text two) | \
             result c1 f (text one | image image/png,AAAA -) | text go on",
        ),
        (
            json!([{"type": "custom_tool_call", "call_id": "c", "name": "patch", "input": "*** {"},
            {"type": "custom_tool_call_output", "call_id": "c", "output": "ok"}]),
            "Assistant: custom call c patch *** { / User: result c patch (text ok)",
        ),
        (
            json!([{"type": "function_call", "call_id": "c", "name": "close", "namespace": "agents", "arguments": "{}"}]),
            "Assistant: call c agents__close {}",
        ),
        // OpenAI names a tool it had to search for twice.
        (
            json!([{"type": "function_call", "call_id": "c", "name": "f", "namespace": "f", "arguments": ""}]),
            "Assistant: call c f ",
        ),
        // What only this dialect knows stays whole, on its side.
        (
            json!([{"type": "web_search_call", "id": "ws"}, {"type": "compaction", "encrypted_content": "x"},
            {"type": "local_shell_call_output", "id": "l"}, {"type": "mcp_approval_response", "approve": true}]),
            "Assistant: opaque {\"id\":\"ws\",\"type\":\"web_search_call\"} of openai-responses | \
             opaque {\"encrypted_content\":\"x\",\"type\":\"compaction\"} of openai-responses / \
             User: opaque {\"id\":\"l\",\"type\":\"local_shell_call_output\"} of openai-responses | \
             opaque {\"approve\":true,\"type\":\"mcp_approval_response\"} of openai-responses",
        ),
    ] {
        let read = read(json!({"input": input}));
        assert_eq!(show(&read.value.messages), expected, "{input}");
        assert_eq!(read.dropped, NOTHING, "{input}");
    }
}

#[test]
fn content_parts_keep_their_source() {
    for (part, expected) in [
        (json!({"type": "input_image", "image_url": "https://a/b.png", "detail": "low"}), "image https://a/b.png low"),
        (json!({"type": "input_image", "image_url": {"url": "https://a/b.png", "detail": "high"}}), "image https://a/b.png high"),
        (json!({"type": "input_image", "image_url": "data:image/PNG;charset=x;base64,AA_-"}), "image image/png,AA/+ -"),
        (json!({"type": "input_image", "file_id": "file-1", "image_url": null}), "image file-1@openai-responses -"),
        (json!({"type": "input_file", "file_id": "file-2"}), "file file-2@openai-responses -"),
        (json!({"type": "input_file", "file_url": "https://a/b.pdf"}), "file https://a/b.pdf -"),
        (
            json!({"type": "input_file", "file_data": "data:text/plain;base64,QQ==", "filename": "a.txt"}),
            "file text/plain,QQ== a.txt",
        ),
        (json!({"type": "input_file", "file_data": "QUI", "filename": "a.pdf"}), "file application/pdf,QUI= a.pdf"),
        (json!({"type": "input_audio", "input_audio": {"data": "QUJD", "format": "wav"}}), "audio audio/wav,QUJD"),
        (json!({"type": "input_video", "video_url": "https://a/b.mp4", "fps": 2}), "video https://a/b.mp4 Some(Number(2))"),
    ] {
        let read = read(json!({"input": [{"role": "user", "content": [part]}]}));
        assert_eq!(show(&read.value.messages), format!("User: {expected}"), "{part}");
        assert_eq!(read.dropped, NOTHING, "{part}");
    }
}

/// Thoughts go back as they were; those of the caller's own provider are known by their item alone.
#[test]
fn reasoning_items_never_vanish() {
    for (item, expected) in [
        (
            json!({"id": "rs_1", "summary": [{"type": "summary_text", "text": "a"}, {"type": "summary_text", "text": "b"}],
            "encrypted_content": "e", "status": "completed"}),
            "think a\n\nb [openai-responses: {\"id\":\"rs_1\",\"summary\":[{\"type\":\"summary_text\",\"text\":\"a\"},\
             {\"type\":\"summary_text\",\"text\":\"b\"}],\"encrypted_content\":\"e\"}]",
        ),
        (
            json!({"summary": [], "encrypted_content": "e"}),
            "think  [openai-responses: {\"summary\":[],\"encrypted_content\":\"e\"}]",
        ),
        (json!({"id": "rs_2", "summary": []}), "think  [openai-responses: {\"id\":\"rs_2\",\"summary\":[]}]"),
        // Open models say all of it.
        (
            json!({"id": "x", "summary": [], "content": [{"type": "reasoning_text", "text": "hm"}], "encrypted_content": null}),
            "think hm",
        ),
    ] {
        let mut item = item;
        item["type"] = "reasoning".into();
        let read = read(json!({"input": [item, {"role": "assistant", "content": "x"}]}));
        assert_eq!(show(&read.value.messages), format!("Assistant: {expected} | text x"));
    }
}

#[test]
fn parameters_find_their_place() {
    let read = read(json!({
        "instructions": "be brief", "stream": true, "max_output_tokens": 99, "temperature": 0.5, "top_p": 1, "store": false,
        "metadata": {"k": "v"}, "service_tier": "flex", "prompt_cache_key": "key", "safety_identifier": "u", "top_logprobs": 3,
        "parallel_tool_calls": false, "include": ["message.output_text.logprobs", "reasoning.encrypted_content"],
        "text": {"verbosity": "low", "format": {"type": "json_schema", "name": "n", "schema": {"type": "object"}, "strict": true}},
        "reasoning": {"effort": "xhigh", "summary": "auto"},
        "truncation": "disabled", "background": false, "stream_options": {"include_obfuscation": false}, "prompt": null,
    }));
    assert_eq!(read.dropped, NOTHING);
    let request = read.value;
    assert_eq!(show(&request.messages), "System: text be brief / User: text hi");
    assert_eq!((request.stream, request.include_usage, request.max_tokens), (true, true, Some(99)));
    assert_eq!((request.store, request.parallel_tool_calls, request.logprobs), (Some(false), Some(false), true));
    assert_eq!((request.metadata, request.top_logprobs), (Some(json!({"k": "v"})), Some(3)));
    let words = [&request.service_tier, &request.cache_key, &request.user, &request.verbosity];
    assert_eq!(words.map(|word| word.as_deref().unwrap()), ["flex", "key", "u", "low"]);
    assert_eq!((request.reasoning, request.show_reasoning), (Some(Reasoning::Effort(Effort::XHigh)), Some(true)));
    assert_eq!([request.temperature, request.top_p].map(|n| n.unwrap().to_string()), ["0.5", "1"]);
    let schema =
        Format::Schema { name: Some("n".to_owned()), description: None, schema: json!({"type": "object"}), strict: Some(true) };
    assert_eq!(request.format, Some(schema));
}

#[test]
fn thinking_and_formats_are_read_in_all_their_words() {
    for (reasoning, effort, shown) in [
        (json!({}), None, None),
        (json!({"effort": "none"}), Some(Reasoning::Off), None),
        (json!({"effort": null, "summary": "auto"}), None, Some(true)),
        (json!({"effort": "minimal", "generate_summary": "auto"}), Some(Reasoning::Effort(Effort::Minimal)), Some(true)),
    ] {
        let request = read(json!({"reasoning": reasoning})).value;
        assert_eq!((request.reasoning, request.show_reasoning), (effort, shown), "{reasoning}");
    }
    for (format, expected) in
        [(json!({"type": "text"}), None), (json!({"type": "json_object"}), Some(Format::Json)), (json!(null), None)]
    {
        assert_eq!(read(json!({"text": {"format": format}})).value.format, expected, "{format}");
    }
}

/// Each path once, as the caller wrote it, `[]` for any element; what only says the default is no loss.
#[test]
fn what_cannot_be_carried_is_named() {
    for (members, expected) in [
        (
            json!({"truncation": "auto", "max_tool_calls": 3, "context_management": []}),
            vec!["truncation", "max_tool_calls", "context_management"],
        ),
        (json!({"include": ["web_search_call.action.sources", "x"]}), vec!["include[]"]),
        (json!({"reasoning": {"summary": "detailed", "context": "all"}}), vec!["reasoning.summary", "reasoning.context"]),
        (json!({"stream_options": {"include_obfuscation": true}}), vec!["stream_options.include_obfuscation"]),
        (
            json!({"input": [{"role": "user", "content": [{"type": "input_text", "text": "a", "x": 1}], "phase": "p"},
            {"role": "user", "content": [{"type": "input_text", "text": "b", "x": 2}], "phase": "q"}]}),
            vec!["input[].content[].x", "input[].phase"],
        ),
        (json!({"client_metadata": {}, "metadata": {}, "top_logprobs": 0}), vec!["client_metadata"]),
    ] {
        let mut dropped = read(members.clone()).dropped;
        dropped.sort();
        let mut expected = expected;
        expected.sort_unstable();
        assert_eq!(dropped, expected, "{members}");
    }
}

#[test]
fn what_cannot_be_answered_is_refused_by_name() {
    let content = |part: Value| json!({"input": [{"role": "user", "content": [part]}]});
    for (members, param, word) in [
        (json!({"previous_response_id": "resp_1"}), "previous_response_id", "Send the whole input"),
        (json!({"conversation": {"id": "c"}}), "conversation", "only the provider that stores it"),
        (json!({"prompt": {"id": "pmpt_1"}}), "prompt", "prompt template"),
        (json!({"input": [{"type": "item_reference", "id": "msg_1"}]}), "input[0].id", "Send the whole input"),
        (json!({"background": true}), "background", "Leave it out"),
        (json!({"input": null}), "input", "required"),
        (json!({"input": 3}), "input", "array"),
        (json!({"input": [{"content": "x"}]}), "input[0].type", "required"),
        (json!({"input": [{"role": "tool", "content": "x"}]}), "input[0].role", "must be"),
        (json!({"input": [{"type": "function_call", "name": "f"}]}), "input[0].call_id", "required"),
        (json!({"reasoning": {"effort": "huge"}}), "reasoning.effort", "minimal"),
        (json!({"text": {"format": {"type": "xml"}}}), "text.format.type", "json_schema"),
        (json!({"text": {"format": {"type": "json_schema"}}}), "text.format.schema", "required"),
        (json!({"tool_choice": "perhaps"}), "tool_choice", "required"),
        (content(json!({"type": "hologram"})), "input[0].content[0].type", "hologram"),
        (content(json!({"type": "input_image"})), "input[0].content[0].image_url", "required"),
        (content(json!({"type": "input_image", "image_url": "data:broken"})), "input[0].content[0].image_url", "data URL"),
        (content(json!({"type": "input_file", "file_data": "§"})), "input[0].content[0].file_data", "base64"),
    ] {
        let error = refused(members.clone());
        assert_eq!((error.status, error.param.as_deref()), (400, Some(param)), "{members}: {}", error.message);
        assert!(error.message.contains(word), "{members}: {}", error.message);
    }
}

/// What a target cannot say is told to the caller in the caller's words.
#[test]
fn losses_are_spelled_as_the_caller_wrote_them() {
    for (path, spelled) in [
        ("max_tokens", "max_output_tokens"),
        ("messages[].parts[].image", "input[].content[].input_image"),
        ("messages[].parts[].reasoning", "input[].summary"),
        ("format.schema", "text.format.schema"),
        ("tools[].opaque", "tools[]"),
        ("tools[].strict", "tools[].strict"),
        ("reasoning", "reasoning.effort"),
        ("top_logprobs", "top_logprobs"),
        ("seed", "seed"),
    ] {
        assert_eq!(OpenAiResponses.spelled(path), spelled);
    }
    let lengths: Vec<usize> = OpenAiResponses.spelling().iter().map(|(ours, _)| ours.len()).collect();
    assert!(lengths.is_sorted_by(|a, b| a >= b), "the longest first");
}
