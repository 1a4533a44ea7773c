//! Counting tokens: native where the provider counts, through the canonical form between two, else estimated.

use portolan::{
    catalog::{
        Operation,
        Style::{self, Anthropic, Converse, Gemini, OpenAi, Vertex},
    },
    chat::request::{Message, Part, Request, Role, Source},
    operation::{count, estimate},
};
use serde_json::json;

use super::{json, read, sent};

const CLAUDE: &str = r#"{"model":"x","system":"Be brief.","messages":[{"role":"user","content":"Hello"}],
    "tools":[{"name":"f","description":"d","input_schema":{"type":"object"}}],"thinking":{"type":"enabled","budget_tokens":2048},"temperature":1}"#;
const PLAIN: &str = r#"{"contents":[{"role":"user","parts":[{"text":"Hello"}]}]}"#;
const WRAPPED: &str = r#"{"generateContentRequest": {"model":"models/x", "contents":[{"role":"user","parts":[{"text":"Hello"}]}],
    "systemInstruction":{"parts":[{"text":"Be brief."}]}, "generationConfig":{"temperature":0.5}}}"#;

fn asked(styles: (Style, Style), body: &str, model: &str) -> (String, String, Vec<String>) {
    sent(Operation::CountTokens, styles, body, model).unwrap()
}

#[test]
fn an_own_body_is_only_told_its_model() {
    let (_, body, _) = asked((Anthropic, Anthropic), CLAUDE, "m");
    assert_eq!(body, CLAUDE.replace(r#""model":"x""#, r#""model":"m""#));
    let (path, body, _) = asked((Gemini, Gemini), PLAIN, "m");
    assert_eq!((path.as_str(), body.as_str()), ("/v1beta/models/m:countTokens", PLAIN));
    let (_, body, _) = asked((Gemini, Gemini), WRAPPED, "m");
    assert_eq!(body, WRAPPED.replace("models/x", "models/m"), "the inner one too: it must be that of the path");
    let (_, body, _) = asked((OpenAi, OpenAi), r#"{"input": "a", "model":"x"}"#, "m");
    assert_eq!(body, r#"{"input": "a", "model":"m"}"#);
}

#[test]
fn a_count_is_asked_of_another_provider() {
    let (path, body, dropped) = asked((Anthropic, Gemini), CLAUDE, "m");
    let inner = &json(&body)["generateContentRequest"];
    assert_eq!(path, "/v1beta/models/m:countTokens");
    assert_eq!(inner["model"], "models/m", "only the wrapped form counts instructions and tools");
    assert_eq!(inner["contents"][0]["parts"][0]["text"], "Hello");
    assert_eq!(inner["systemInstruction"]["parts"][0]["text"], "Be brief.");
    assert_eq!(inner["tools"][0]["functionDeclarations"][0]["name"], "f");
    assert_eq!(dropped, Vec::<String>::new());
    assert!(inner.get("generationConfig").is_none(), "what steers the answer is not counted");

    let (_, body, _) = asked((Anthropic, Vertex), CLAUDE, "m");
    let members: Vec<String> = json(&body).as_object().unwrap().keys().cloned().collect();
    assert!(members.iter().all(|name| ["contents", "systemInstruction", "tools"].contains(&name.as_str())));

    for body in [PLAIN, WRAPPED] {
        let (_, written, _) = asked((Gemini, Anthropic), body, "m");
        let written = json(&written);
        assert_eq!((&written["model"], &written["messages"][0]["role"]), (&json!("m"), &json!("user")));
        assert!(written["messages"][0]["content"].to_string().contains("Hello"));
        for refused in ["max_tokens", "temperature", "stream"] {
            assert!(written.get(refused).is_none(), "`{refused}` is no member of a count");
        }
        assert_eq!(written.get("system").is_some(), body == WRAPPED);
    }
}

#[test]
fn openai_counts_responses() {
    let (path, body, _) = asked((Anthropic, OpenAi), CLAUDE, "m");
    let body = json(&body);
    assert_eq!((path.as_str(), &body["model"]), ("/it", &json!("m")));
    assert!(body["input"].to_string().contains("Hello"), "{body}");
    assert!(body.to_string().contains("Be brief."), "{body}");
    assert_eq!((&body["tools"][0]["type"], &body["tools"][0]["name"]), (&json!("function"), &json!("f")), "flat");
    for refused in ["max_output_tokens", "stream", "store", "include", "temperature"] {
        assert!(body.get(refused).is_none(), "`{refused}` is no member of a count");
    }
    let asked_openai = r#"{"model":"x","instructions":"Be brief.","input":[{"role":"user","content":"Hello"}]}"#;
    let (_, body, _) = asked((OpenAi, Gemini), asked_openai, "m");
    assert_eq!(json(&body)["generateContentRequest"]["contents"][0]["parts"][0]["text"], "Hello");
    let found = count::estimated(OpenAi, asked_openai.as_bytes(), "m").unwrap();
    let told = json(&found.body.unwrap());
    assert_eq!(told["object"], "response.input_tokens");
    assert!(told["input_tokens"].as_u64().is_some_and(|count| (5..20).contains(&count)), "{told}");
}

#[test]
fn bedrock_counts_converse() {
    let (_, body, _) = asked((Anthropic, Converse), CLAUDE, "m");
    let body = json(&body);
    let inner = &body["input"]["converse"];
    assert_eq!((body.as_object().unwrap().len(), &inner["messages"][0]["content"][0]["text"]), (1, &json!("Hello")));
    assert_eq!(inner["system"][0]["text"], "Be brief.");
    assert_eq!(inner["toolConfig"]["tools"][0]["toolSpec"]["name"], "f");
    let found = read(Operation::CountTokens, (Anthropic, Converse), "{}", r#"{"inputTokens":9}"#).unwrap();
    assert_eq!(json(&found.body.unwrap()), json!({"input_tokens": 9}));
}

#[test]
fn a_count_is_told_in_the_caller_s_words() {
    for (styles, answer, expected) in [
        ((Anthropic, Gemini), r#"{"totalTokens":7,"promptTokensDetails":[]}"#, Some(json!({"input_tokens": 7}))),
        (
            (Gemini, Anthropic),
            r#"{"input_tokens":43}"#,
            Some(json!({"totalTokens": 43, "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 43}]})),
        ),
        ((OpenAi, Gemini), r#"{"totalTokens":7}"#, Some(json!({"object": "response.input_tokens", "input_tokens": 7}))),
        ((Anthropic, Anthropic), r#"{"input_tokens":43,"odd":1}"#, None),
    ] {
        let found = read(Operation::CountTokens, styles, "{}", answer).unwrap();
        assert_eq!((found.body.map(|body| json(&body)), found.usage), (expected, None), "{styles:?}: a count is no usage");
    }
    assert!(read(Operation::CountTokens, (Anthropic, Gemini), "{}", r#"{"error":1}"#).is_err());
}

#[test]
fn where_nobody_counts_it_is_estimated() {
    for (style, body, pointer) in
        [(Anthropic, CLAUDE, "/input_tokens"), (Gemini, PLAIN, "/totalTokens"), (Gemini, WRAPPED, "/totalTokens")]
    {
        let found = count::estimated(style, body.as_bytes(), "m").unwrap();
        let told = json(&found.body.unwrap()).pointer(pointer).unwrap().as_u64().unwrap();
        assert!((5..60).contains(&told) && found.estimated, "{style:?}: {told}");
    }
    assert_eq!(count::estimated(Anthropic, br#"{"model":"x","messages":7}"#, "m").unwrap_err().status, 400);
}

#[test]
fn a_request_weighs_more_with_each_thing_in_it() {
    let message = |parts| Message { role: Role::User, parts };
    let image = |detail: Option<&str>| Part::Image {
        source: Source::Url("https://e.org/a.png".to_owned()),
        detail: detail.map(str::to_owned),
        cache: None,
    };
    let of = |parts| estimate::of_request(&Request { messages: vec![message(parts)], ..Request::default() });
    let text = of(vec![Part::text("hello")]);
    let low = of(vec![Part::text("hello"), image(Some("low"))]);
    let high = of(vec![Part::text("hello"), image(None)]);
    assert!(text < 12 && text < low && low < high, "{text} {low} {high}");
    let file = |data: &str| Part::File {
        source: Source::Inline { media_type: "application/pdf".to_owned(), data: data.to_owned() },
        name: None,
        cache: None,
    };
    assert!(of(vec![file(&"A".repeat(400_000))]) > of(vec![file(&"A".repeat(4000))]));
}
