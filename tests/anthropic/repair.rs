use portolan::{
    dialect::{Upstream, anthropic::Anthropic},
    wire::json::{Outline, join},
};
use serde_json::{Value, json};

/// The body after its repairs alone.
fn repaired(body: &str) -> String {
    let outline = Outline::read(body.as_bytes()).unwrap();
    let mut edits = Anthropic.edits(&outline, "m", false);
    edits.remove(0);
    join(body, &outline.edit(&edits))
}

#[test]
fn a_sound_body_keeps_its_bytes() {
    for body in [
        r#"{"model":"m", "messages": [ {"role":"user","content":"portolan: hi"} ]}"#,
        r#"{"model":"m", "messages": [ {"role":"assistant","content":[{"type":"thinking","thinking":"","signature":"EqQ="}]} ]}"#,
        // The marks are there, but not where they count.
        r#"{"model":"m", "messages": [ {"role":"user","content":"portolan:x"}, {"role":"user","content":[{"type":"x","signature":""}]} ]}"#,
        r#"{"model":"m", "messages": "signature\":\"\""}"#,
        r#"{"model":"m"}"#,
    ] {
        assert_eq!(repaired(body), body);
    }
}

#[test]
fn thoughts_of_other_providers_are_taken_out() {
    let said = json!({"type": "text", "text": "a"});
    let own = json!({"type": "thinking", "thinking": "t", "signature": "EqQ="});
    for foreign in [
        json!({"type": "thinking", "thinking": "t", "signature": ""}),
        json!({"type": "thinking", "thinking": "t", "signature": "portolan:gemini:g"}),
        json!({"type": "thinking", "thinking": "", "signature": "portolan-call:gemini:c:g"}),
        json!({"type": "redacted_thinking", "data": "portolan:openai-chat:d"}),
    ] {
        let body = |content| {
            format!(
                r#"{{"model":"m", "betas" : [1.0], "messages":{},"x":1e400}}"#,
                json!([{"role": "user", "content": "u"}, content])
            )
        };
        let given = body(json!({"role": "assistant", "content": [own, foreign, said]}));
        assert_eq!(repaired(&given), body(json!({"role": "assistant", "content": [own, said]})), "{foreign}");
    }
}

#[test]
fn citations_of_other_providers_are_taken_out() {
    let own =
        json!({"type": "web_search_result_location", "cited_text": "q", "url": "u", "title": "t", "encrypted_index": "Eo8="});
    let foreign =
        json!({"type": "web_search_result_location", "cited_text": "", "url": "u", "title": "t", "encrypted_index": ""});
    let body = |citations: Value| {
        let mut block = json!({"type": "text", "text": "a"});
        if citations != json!([]) {
            block["citations"] = citations;
        }
        json!({"model": "m", "messages": [{"role": "user", "content": "u"}, {"role": "assistant", "content": [block]}]})
            .to_string()
    };
    for (given, kept) in [(json!([own, foreign]), json!([own])), (json!([foreign]), json!([]))] {
        assert_eq!(repaired(&body(given)), body(kept));
    }
}

#[test]
fn a_turn_of_nothing_else_goes() {
    let body = json!({"messages": [{"role": "user", "content": "u"}, {"role": "assistant", "content": [{"type": "thinking", "thinking": "t", "signature": ""}]}]});
    assert_eq!(repaired(&body.to_string()), r#"{"messages":[{"role":"user","content":"u"}]}"#);
}

#[test]
fn thinking_is_off_where_its_proof_had_to_go() {
    let foreign = json!({"type": "thinking", "thinking": "t", "signature": ""});
    let own = json!({"type": "thinking", "thinking": "t", "signature": "EqQ="});
    let call = json!({"type": "tool_use", "id": "c", "name": "f", "input": {}});
    let result = json!({"type": "tool_result", "tool_use_id": "c"});
    let budget = json!({"type": "enabled", "budget_tokens": 2000});
    for (thinking, blocks, last, is_kept) in [
        (&budget, json!([foreign, call]), json!([result]), false),
        (&budget, json!([own, foreign, call]), json!([result]), true),
        (&json!({"type": "adaptive"}), json!([foreign, call]), json!([result]), true),
        (&budget, json!([foreign, call]), json!("text"), true),
    ] {
        let messages = json!([{"role": "user", "content": "u"}, {"role": "assistant", "content": blocks}, {"role": "user", "content": last}]);
        let body = repaired(&json!({"thinking": thinking, "context_management": {}, "messages": messages}).to_string());
        assert_eq!(body.contains(r#""thinking":{"#), is_kept, "{body}");
        assert_eq!(body.contains("context_management"), is_kept, "{body}");
    }
}
