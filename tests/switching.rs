//! Agents that change models in the middle of a conversation.
//!
//! A client of one dialect is answered by provider A with thoughts, their proof and parallel calls; it sends the answer
//! back as history, now to provider B, and with B's answer to A again. A must get its own proofs byte for byte, B must
//! never see them, and every call must meet its result.

use portolan::{
    chat::{
        Dialect,
        event::Stamp,
        fold,
        profile::{History, Profile},
        response::Response,
    },
    dialect::{Asked, Caller, Facts},
    wire::json::{Outline, join},
};
use serde_json::{Value, json};

/// All that is spoken by clients and by providers.
fn speakers() -> impl Iterator<Item = (Dialect, &'static dyn Caller)> {
    Dialect::ALL.into_iter().filter_map(|dialect| Some((dialect, dialect.caller()?)))
}

/// The proof of a provider's thoughts in one round; base64 with all its odd characters.
fn proof(dialect: Dialect, round: u32) -> String {
    format!("{}{round}+/Ab==", dialect.name().replace('-', ""))
}

/// Whether a provider of this dialect proves its thoughts; Cohere's are plain.
const fn proves(dialect: Dialect) -> bool {
    !matches!(dialect, Dialect::Cohere)
}

/// A provider's answer: thoughts, a text, two calls. `None` for a dialect that has no calls, or is another's.
fn answer(dialect: Dialect, round: u32) -> Option<Value> {
    let (thought, said, proof) = (format!("thought {round}"), format!("said {round}"), proof(dialect, round));
    let chat_call = |place: &str| json!({"id": format!("call_{round}{place}"), "type": "function", "function": {"name": place, "arguments": json!({"round": round}).to_string()}});
    match dialect {
        Dialect::Anthropic => Some(json!({
            "id": format!("msg_{round}"), "type": "message", "role": "assistant", "model": "claude",
            "content": [
                {"type": "thinking", "thinking": thought, "signature": proof},
                {"type": "text", "text": said},
                {"type": "tool_use", "id": format!("toolu_{round}a"), "name": "a", "input": {"round": round}},
                {"type": "tool_use", "id": format!("toolu_{round}b"), "name": "b", "input": {"round": round}},
            ],
            "stop_reason": "tool_use", "usage": {"input_tokens": 1, "output_tokens": 1},
        })),
        // In odd rounds the first call is proven, in even ones the text.
        Dialect::Gemini if round.is_multiple_of(2) => Some(json!({
            "responseId": format!("r{round}"),
            "candidates": [{"index": 0, "finishReason": "STOP", "content": {"role": "model", "parts": [
                {"text": said, "thoughtSignature": proof},
                {"functionCall": {"name": "a", "args": {"round": round}}},
                {"functionCall": {"name": "b", "args": {"round": round}}},
            ]}}],
        })),
        Dialect::Gemini => Some(json!({
            "responseId": format!("r{round}"),
            "candidates": [{"index": 0, "finishReason": "STOP", "content": {"role": "model", "parts": [
                {"text": said},
                {"functionCall": {"name": "a", "args": {"round": round}}, "thoughtSignature": proof},
                {"functionCall": {"name": "b", "args": {"round": round}}},
            ]}}],
        })),
        Dialect::OpenAiChat => Some(json!({
            "id": format!("chatcmpl-{round}"), "object": "chat.completion", "model": "gpt",
            "choices": [{"index": 0, "finish_reason": "tool_calls", "message": {
                "role": "assistant", "content": said,
                "reasoning_details": [{"type": "reasoning.text", "text": thought, "signature": proof, "index": 0}],
                "tool_calls": [chat_call("a"), chat_call("b")],
            }}],
        })),
        Dialect::OpenAiResponses => {
            let call = |place: &str| json!({"type": "function_call", "id": format!("fc_{round}{place}"), "call_id": format!("call_{round}{place}"), "name": place, "arguments": json!({"round": round}).to_string(), "status": "completed"});
            Some(json!({
                "id": format!("resp_{round}"), "object": "response", "status": "completed", "model": "gpt",
                "output": [
                    {"type": "reasoning", "id": format!("rs_{round}"), "encrypted_content": proof, "summary": [{"type": "summary_text", "text": thought}]},
                    {"type": "message", "id": format!("msg_{round}"), "role": "assistant", "status": "completed", "content": [{"type": "output_text", "text": said, "annotations": []}]},
                    call("a"), call("b"),
                ],
            }))
        }
        Dialect::Converse => Some(json!({
            "output": {"message": {"role": "assistant", "content": [
                {"reasoningContent": {"reasoningText": {"text": thought, "signature": proof}}},
                {"text": said},
                {"toolUse": {"toolUseId": format!("tooluse_{round}a"), "name": "a", "input": {"round": round}}},
                {"toolUse": {"toolUseId": format!("tooluse_{round}b"), "name": "b", "input": {"round": round}}},
            ]}},
            "stopReason": "tool_use", "usage": {"inputTokens": 1, "outputTokens": 1},
        })),
        Dialect::Cohere => Some(json!({
            "id": format!("c{round}"), "finish_reason": "TOOL_CALL",
            "message": {"role": "assistant", "tool_plan": thought, "content": [{"type": "text", "text": said}], "tool_calls": [chat_call("a"), chat_call("b")]},
        })),
        Dialect::OpenAiCompletions | Dialect::WorkersAi => None,
    }
}

/// What a client of this dialect adds to its history: the answer as it got it, and the results of its calls.
fn history(dialect: Dialect, answer: &Value) -> Option<Vec<Value>> {
    match dialect {
        Dialect::Anthropic => {
            let result = |block: &Value| json!({"type": "tool_result", "tool_use_id": block["id"], "content": "done"});
            let results: Vec<Value> = list(&answer["content"]).filter(|block| block["type"] == "tool_use").map(result).collect();
            Some(vec![json!({"role": "assistant", "content": answer["content"]}), json!({"role": "user", "content": results})])
        }
        Dialect::OpenAiChat => {
            let message = &answer["choices"][0]["message"];
            let result = |call: &Value| json!({"role": "tool", "tool_call_id": call["id"], "content": "done"});
            Some(std::iter::once(message.clone()).chain(list(&message["tool_calls"]).map(result)).collect())
        }
        Dialect::Gemini => {
            let content = &answer["candidates"][0]["content"];
            let result = |part: &Value| {
                let call = part.get("functionCall")?;
                Some(json!({"functionResponse": {"id": call["id"], "name": call["name"], "response": {"result": "done"}}}))
            };
            let results: Vec<Value> = list(&content["parts"]).filter_map(result).collect();
            Some(vec![content.clone(), json!({"role": "user", "parts": results})])
        }
        Dialect::OpenAiResponses => {
            let output = list(&answer["output"]);
            let calls = output.clone().filter(|item| item["type"] == "function_call");
            let results = calls.map(|call| json!({"type": "function_call_output", "call_id": call["call_id"], "output": "done"}));
            Some(output.cloned().chain(results).collect())
        }
        Dialect::OpenAiCompletions | Dialect::Converse | Dialect::Cohere | Dialect::WorkersAi => None,
    }
}

/// A client's request with this history. Of Gemini's clients one that wants to see thoughts: others are sent none, and a
/// proof without the thoughts that it proves is refused.
fn request(dialect: Dialect, history: &[Value]) -> String {
    let turns = |question: Value| std::iter::once(question).chain(history.iter().cloned()).collect::<Vec<_>>();
    if dialect == Dialect::Gemini {
        let contents = turns(json!({"role": "user", "parts": [{"text": "go"}]}));
        return json!({"contents": contents, "generationConfig": {"thinkingConfig": {"includeThoughts": true}}}).to_string();
    }
    let messages = turns(json!({"role": "user", "content": "go"}));
    if dialect == Dialect::OpenAiResponses {
        return json!({"model": "m", "store": false, "include": ["reasoning.encrypted_content"], "input": messages}).to_string();
    }
    json!({"model": "m", "max_tokens": 100, "messages": messages}).to_string()
}

/// Id, name and round of each call in a provider's request, and the ids that were answered, in order.
fn calls(dialect: Dialect, body: &Value) -> (Vec<(String, String, u64)>, Vec<String>) {
    let (mut called, mut answered) = (vec![], vec![]);
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    match dialect {
        Dialect::Anthropic => {
            for block in list(&body["messages"]).flat_map(|turn| list(&turn["content"])) {
                if block["type"] == "tool_use" {
                    called.push((word(&block["id"]), word(&block["name"]), block["input"]["round"].as_u64().unwrap()));
                } else if block["type"] == "tool_result" {
                    answered.push(word(&block["tool_use_id"]));
                }
            }
        }
        Dialect::OpenAiChat | Dialect::Cohere => {
            for message in list(&body["messages"]) {
                for call in list(&message["tool_calls"]) {
                    let arguments: Value = serde_json::from_str(call["function"]["arguments"].as_str().unwrap()).unwrap();
                    called.push((word(&call["id"]), word(&call["function"]["name"]), arguments["round"].as_u64().unwrap()));
                }
                if message["role"] == "tool" {
                    answered.push(word(&message["tool_call_id"]));
                }
            }
        }
        Dialect::Gemini => {
            for part in list(&body["contents"]).flat_map(|turn| list(&turn["parts"])) {
                let (call, result) = (&part["functionCall"], &part["functionResponse"]);
                if call.is_object() {
                    called.push((word(&call["id"]), word(&call["name"]), call["args"]["round"].as_u64().unwrap()));
                } else if result.is_object() {
                    answered.push(word(&result["id"]));
                }
            }
        }
        Dialect::OpenAiResponses => {
            for item in list(&body["input"]) {
                if item["type"] == "function_call" {
                    let arguments: Value = serde_json::from_str(item["arguments"].as_str().unwrap()).unwrap();
                    called.push((word(&item["call_id"]), word(&item["name"]), arguments["round"].as_u64().unwrap()));
                } else if item["type"] == "function_call_output" {
                    answered.push(word(&item["call_id"]));
                }
            }
        }
        Dialect::Converse => {
            for block in list(&body["messages"]).flat_map(|turn| list(&turn["content"])) {
                let (call, result) = (&block["toolUse"], &block["toolResult"]);
                if call.is_object() {
                    called.push((word(&call["toolUseId"]), word(&call["name"]), call["input"]["round"].as_u64().unwrap()));
                } else if result.is_object() {
                    answered.push(word(&result["toolUseId"]));
                }
            }
        }
        Dialect::OpenAiCompletions | Dialect::WorkersAi => {}
    }
    (called, answered)
}

fn list(value: &Value) -> impl Iterator<Item = &Value> + Clone {
    value.as_array().into_iter().flatten()
}

/// A provider's answer as its caller gets it: whole, or as a stream that its client puts together again.
fn told(caller: (Dialect, &dyn Caller), provider: Dialect, round: u32, stream: bool) -> Value {
    let wire = answer(provider, round).unwrap();
    // The same dialect passes as it is.
    if caller.0 == provider {
        return wire;
    }
    let response = provider.upstream().read_response(&wire.to_string()).unwrap();
    let stamp = Stamp { id: format!("minted{round}"), created: 0, model: "m".to_owned() };
    let facts = Facts { wants_usage: true, ..Facts::default() };
    let question = request(caller.0, &[]);
    let asked = Asked { stamp, facts: &facts, body: question.as_bytes() };
    let whole = |response: &Response| serde_json::from_str(&caller.1.write_response(response, &asked, None)).unwrap();
    if !stream {
        return whole(&response);
    }
    let (events, finish) = fold::unfold(&response, None);
    let (mut writer, mut out) = (caller.1.event_writer(&asked), String::new());
    events.iter().for_each(|event| writer.write(event, &mut out));
    writer.finish(&finish, &mut out);
    if caller.0 == Dialect::OpenAiChat {
        return collected(&out);
    }
    if caller.0 == Dialect::OpenAiResponses {
        let mut data = out.lines().filter_map(|line| line.strip_prefix("data: "));
        let last: Value = serde_json::from_str(data.next_back().unwrap()).unwrap();
        return last["response"].clone();
    }
    let read = crate::fold::events(caller.0.upstream(), [out.as_bytes()]);
    whole(&fold::fold(read).unwrap())
}

/// A stream of chat as its clients put it together: texts joined, details listed, calls by their index.
fn collected(stream: &str) -> Value {
    let mut message =
        json!({"role": "assistant", "content": "", "reasoning_content": "", "reasoning_details": [], "tool_calls": []});
    for data in stream.lines().filter_map(|line| line.strip_prefix("data: ")).filter(|data| *data != "[DONE]") {
        let chunk: Value = serde_json::from_str(data).unwrap();
        let delta = &chunk["choices"][0]["delta"];
        for key in ["content", "reasoning_content"] {
            let joined = format!("{}{}", message[key].as_str().unwrap(), delta[key].as_str().unwrap_or_default());
            message[key] = joined.into();
        }
        message["reasoning_details"].as_array_mut().unwrap().extend(list(&delta["reasoning_details"]).cloned());
        for piece in list(&delta["tool_calls"]) {
            let index = usize::try_from(piece["index"].as_u64().unwrap()).unwrap();
            let calls = message["tool_calls"].as_array_mut().unwrap();
            if calls.len() <= index {
                calls.push(piece.clone());
                continue;
            }
            let more = piece["function"]["arguments"].as_str().unwrap_or_default();
            let joined = format!("{}{more}", calls[index]["function"]["arguments"].as_str().unwrap_or_default());
            calls[index]["function"]["arguments"] = joined.into();
            if piece["extra_content"].is_object() {
                calls[index]["extra_content"] = piece["extra_content"].clone();
            }
        }
    }
    json!({"choices": [{"message": message}]})
}

/// The body that a provider is sent for a client's request.
fn sent(caller: (Dialect, &dyn Caller), provider: Dialect, body: &str) -> String {
    if caller.0 == provider {
        let outline = Outline::read(body.as_bytes()).unwrap();
        return join(body, &outline.edit(&provider.upstream().edits(&outline, "m", false)));
    }
    let read = caller.1.read_request(body).unwrap();
    provider.upstream().write_request(&read.value, &Profile::DEFAULT).value
}

/// Providers that speak OpenAI's chat may be resellers, whose `reasoning_details` say whose proof is whose.
const fn tells_proofs_apart(provider: Dialect) -> bool {
    matches!(provider, Dialect::OpenAiChat)
}

fn check(name: &str, to: Dialect, others: Dialect, body: &str, rounds: &[(u32, Dialect)]) {
    for (round, by) in rounds {
        let proof = proof(*by, *round);
        if !proves(*by) {
            // Plain thoughts: nothing to be lost or to leak.
        } else if *by == to {
            assert_eq!(body.matches(&proof).count(), 1, "{name}: the proof of round {round}\n{body}");
            assert!(body.contains(&format!("\"{proof}\"")), "{name}: byte for byte\n{body}");
        } else if !tells_proofs_apart(to) {
            assert!(!body.contains(&proof), "{name}: {others:?}'s proof of round {round} leaked\n{body}");
        }
        assert_eq!(body.matches(&format!("said {round}")).count(), 1, "{name}\n{body}");
    }
    if to == Dialect::Anthropic {
        check_turns(name, &serde_json::from_str(body).unwrap(), rounds);
    }
    if to == Dialect::Gemini {
        check_places(name, &serde_json::from_str(body).unwrap(), rounds);
    }
    let (called, answered) = calls(to, &serde_json::from_str(body).unwrap());
    let said: Vec<(&str, u64)> = called.iter().map(|(_, name, round)| (name.as_str(), *round)).collect();
    let expected: Vec<(&str, u64)> =
        rounds.iter().flat_map(|(round, _)| [("a", u64::from(*round)), ("b", u64::from(*round))]).collect();
    assert_eq!(said, expected, "{name}\n{body}");
    let ids: Vec<&str> = called.iter().map(|(id, _, _)| id.as_str()).collect();
    assert_eq!(ids, answered, "{name}: each call its result\n{body}");
}

/// Anthropic wants each of its own turns as it was: its proven thoughts first.
fn check_turns(name: &str, body: &Value, rounds: &[(u32, Dialect)]) {
    for (round, by) in rounds.iter().filter(|(_, by)| *by == Dialect::Anthropic) {
        let own = &answer(*by, *round).unwrap()["content"];
        let kept = list(&body["messages"]).any(|turn| turn["role"] == "assistant" && turn["content"] == *own);
        assert!(kept, "{name}: the turn of round {round}\n{body}");
    }
}

/// Google wants each proof on the part that it came with.
fn check_places(name: &str, body: &Value, rounds: &[(u32, Dialect)]) {
    for (round, _) in rounds.iter().filter(|(_, by)| *by == Dialect::Gemini) {
        let proof = proof(Dialect::Gemini, *round);
        let mut parts = list(&body["contents"]).flat_map(|turn| list(&turn["parts"]));
        let holder = parts.find(|part| part["thoughtSignature"] == proof.as_str()).unwrap();
        let (call, text) = (&holder["functionCall"], &holder["text"]);
        let is_right = if round.is_multiple_of(2) { *text == format!("said {round}") } else { call["name"] == "a" };
        assert!(is_right, "{name}: round {round} on {holder}");
    }
}

#[test]
fn each_provider_gets_its_own_proofs_back_and_nobody_elses() {
    let mut tried = 0;
    for caller in speakers() {
        for (a, b) in Dialect::ALL.into_iter().flat_map(|a| Dialect::ALL.into_iter().map(move |b| (a, b))) {
            if a == b || [a, b].iter().any(|dialect| answer(*dialect, 0).is_none()) {
                continue;
            }
            for stream in [false, true] {
                let name =
                    format!("a client of {:?} between {a:?} and {b:?}{}", caller.0, if stream { ", streamed" } else { "" });
                let Some(mut turns) = history(caller.0, &told(caller, a, 1, stream)) else { continue };
                let body = request(caller.0, &turns);
                check(&name, b, a, &sent(caller, b, &body), &[(1, a)]);
                turns.extend(history(caller.0, &told(caller, b, 2, stream)).unwrap());
                let body = request(caller.0, &turns);
                check(&name, a, b, &sent(caller, a, &body), &[(1, a), (2, b)]);
                check(&name, b, a, &sent(caller, b, &body), &[(1, a), (2, b)]);
                turns.extend(history(caller.0, &told(caller, a, 3, stream)).unwrap());
                let body = request(caller.0, &turns);
                check(&name, a, b, &sent(caller, a, &body), &[(1, a), (2, b), (3, a)]);
                check(&name, b, a, &sent(caller, b, &body), &[(1, a), (2, b), (3, a)]);
                tried += 1;
            }
        }
    }
    assert!(tried >= 240, "{tried} conversations");
}

/// Strict chat providers refuse what they do not know.
#[test]
fn a_plain_chat_provider_sees_nobodys_proofs() {
    let plain = Profile { history: History::Bare, ..Profile::DEFAULT };
    let mut tried = 0;
    for caller in speakers().filter(|(dialect, _)| *dialect != Dialect::OpenAiChat) {
        for by in Dialect::ALL.into_iter().filter(|dialect| answer(*dialect, 0).is_some()) {
            let Some(turns) = history(caller.0, &told(caller, by, 1, false)) else { continue };
            let read = caller.1.read_request(&request(caller.0, &turns)).unwrap();
            let written = Dialect::OpenAiChat.upstream().write_request(&read.value, &plain);
            assert!(!written.value.contains(&proof(by, 1)) && !written.value.contains("thought 1"), "{}", written.value);
            assert!(written.value.contains("said 1"), "{}", written.value);
            tried += 1;
        }
    }
    assert!(tried >= 6, "{tried}");
}
