//! What differs from house to house: paths, credentials, what is left out, what is not there.

use std::rc::Rc;

use portolan::{
    chat::profile::{History, Thinking},
    config::{self, Documents},
    dialect::{Dialect, Facts, surface::Operation},
    exchange::forward,
    plan::{self, Ask, health::View},
    wire::{base64, sigv4},
};
use serde_json::{Value, json};

use super::{
    driver::{Case, START},
    script::{Answer, MESSAGE, error, json, message, served, stream, told},
    transcripts::only,
};
use crate::wire::messages;

#[test]
fn what_a_provider_refuses_is_left_out_and_said() {
    let body = |options: &str| {
        format!(r#"{{"model":"cerebras/gpt-oss-120b",{options}"messages":[{{"role":"user","content":"Hello"}}]}}"#)
    };
    for (options, dropped) in [
        ("", None),
        (r#""user":"u","#, None),
        (r#""frequency_penalty":null,"#, None),
        (r#""frequency_penalty":1,"logit_bias":{},"#, Some("frequency_penalty, logit_bias")),
    ] {
        let case = Case::with(only("cerebras"), Dialect::OpenAiChat, "x", false).body(&body(options));
        let run = case.run([served()]);
        assert_eq!(run.header("x-portolan-dropped"), dropped, "{options}");
        assert!(!run.sends[0].body.contains("penalty"), "{}", run.sends[0].body);
    }
    // How a stream reports is no loss.
    let body = r#"{"model":"mistral/mistral-small-latest","stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"Hello"}]}"#;
    let run = Case::with(only("mistral"), Dialect::OpenAiChat, "x", true).body(body).run([stream(told())]);
    assert_eq!(run.header("x-portolan-dropped"), None);
    assert!(!run.sends[0].body.contains("stream_options"));
}

/// Ollama, vLLM, llama.cpp: a name, a kind and a URL, and no key.
#[test]
fn a_server_of_ones_own_needs_no_key_and_is_asked_for_nothing_rare() {
    let providers = r#"{"ollama":{"kind":"openai","base_url":"http://127.0.0.1:11434/v1","models":{"qwen3:8b":{"supports":["tools","reasoning"]}}}}"#;
    let settings = r#"{"allow_private_upstreams":true}"#;
    let some = |text: &str| Some(text.to_owned());
    let documents = Documents { providers: some(providers), settings: some(settings), ..Documents::default() };
    let config = Rc::new(config::build(&documents, &[("OPENAI_API_KEY".to_owned(), "k".to_owned())].into()).unwrap());
    let ollama = config.providers.get("ollama").unwrap();
    assert_eq!(ollama.dialects("gpt-5-codex").collect::<Vec<_>>(), [Dialect::OpenAiChat, Dialect::OpenAiCompletions]);
    let thinking = |model: &str| (ollama.profile(model).thinking, ollama.profile(model).history);
    assert_eq!(thinking("qwen3:8b"), (Thinking::Effort, History::Bare));
    assert_eq!(thinking("gemma3:4b"), (Thinking::None, History::Bare), "some refuse to be told");
    let case = Case::with(config, Dialect::OpenAiChat, "ollama/gemma3:4b", false);
    let run = case.run([served()]);
    assert_eq!(run.sends[0].url, "http://127.0.0.1:11434/v1/chat/completions");
    assert_eq!(run.sends[0].header("authorization"), None);
}

#[test]
fn amazon_gets_a_signature_or_a_bearer_token() {
    let sent = |secrets: &[(&str, &str)]| {
        let secrets = secrets.iter().chain(&[("AWS_REGION", "us-west-2")]);
        let secrets = secrets.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let config = Rc::new(config::build(&Documents::default(), &secrets).unwrap());
        let body =
            r#"{"model":"bedrock/anthropic.claude-opus-4-8","max_tokens":9,"messages":[{"role":"user","content":"Hello"}]}"#;
        Case::with(config, Dialect::Anthropic, "x", false).body(body).run([json(200, MESSAGE)]).sends.remove(0)
    };
    let keys = [("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"), ("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")];
    let signed = sent(&keys);
    let proof = signed.header("authorization").unwrap();
    let begins = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20270115/us-west-2/bedrock/aws4_request, SignedHeaders=content-type;host;x-amz-date, Signature=";
    assert!(proof.starts_with(begins), "{proof}");
    assert_eq!(signed.header("x-amz-date"), Some("20270115T080000Z"));
    assert_eq!(signed.header("x-amz-security-token"), None);
    // The signature is over what is sent, however many pieces it is sent in.
    let call = sigv4::Call {
        method: "POST",
        url: &signed.url,
        headers: &[("content-type", "application/json")],
        body_sha256: &sigv4::body_digest([signed.body.as_bytes()]),
        region: "us-west-2",
        service: "bedrock",
    };
    let own = sigv4::Keys { access_key: keys[0].1, secret_key: keys[1].1, session_token: None };
    assert_eq!(sigv4::sign(&call, &own, START).pop().map(|(_, value)| value).as_deref(), Some(proof));
    let token = [keys[0], keys[1], ("AWS_SESSION_TOKEN", "IQoJ")];
    assert_eq!(sent(&token).header("x-amz-security-token"), Some("IQoJ"));
    let bearer = [keys[0], keys[1], ("AWS_BEARER_TOKEN_BEDROCK", "ABSK")];
    assert_eq!(sent(&bearer).header("authorization"), Some("Bearer ABSK"));
}

#[test]
fn the_binding_is_given_the_model_beside_the_body() {
    let case = Case::with(only("workers-ai"), Dialect::OpenAiChat, "workers-ai/@cf/meta/llama-4-scout-17b-16e-instruct", false);
    let run = case.run([served()]);
    assert_eq!(run.sends[0].url, "AI.run @cf/meta/llama-4-scout-17b-16e-instruct");
    assert_eq!(run.sends[0].body, r#"{"messages":[{"role":"user","content":"Hello"}],"max_tokens":100}"#);
    assert!(run.sends[0].headers.is_empty());
}

#[test]
fn who_only_embeds_writes_no_text() {
    let config = only("voyage");
    let facts = Facts { model: "voyage/voyage-4".to_owned(), ..Facts::default() };
    let plan = |ask: Ask<'_>| plan::plan(ask, &config, &View::default(), START, 7);
    let error = plan(Ask::generate(Dialect::OpenAiChat, &facts)).unwrap_err();
    assert!(error.message.contains("voyage/voyage-4: writes no text"), "{}", error.message);
    let embed = Ask { operation: Some(Operation::Embed), ..Ask::generate(Dialect::OpenAiChat, &facts) };
    assert_eq!(plan(embed).unwrap().attempts.len(), 1);
}

#[test]
fn each_hosting_has_its_paths() {
    let google = "https://europe-west1-aiplatform.googleapis.com/v1/projects/acme/locations/europe-west1";
    let amazon = "https://bedrock-runtime.eu-central-1.amazonaws.com/model";
    for (provider, model, is_stream, url) in [
        ("vertex", "gemini-2.5-pro", false, format!("{google}/publishers/google/models/gemini-2.5-pro:generateContent")),
        (
            "vertex",
            "gemini-2.5-pro",
            true,
            format!("{google}/publishers/google/models/gemini-2.5-pro:streamGenerateContent?alt=sse"),
        ),
        ("vertex", "claude-sonnet-5", false, format!("{google}/publishers/anthropic/models/claude-sonnet-5:rawPredict")),
        ("vertex", "claude-sonnet-5", true, format!("{google}/publishers/anthropic/models/claude-sonnet-5:streamRawPredict")),
        ("vertex", "claude-../x", false, format!("{google}/publishers/anthropic/models/claude-..%2Fx:rawPredict")),
        ("vertex", "kimi-k2-maas", true, format!("{google}/endpoints/openapi/chat/completions")),
        ("bedrock", "eu.anthropic.claude-sonnet-5", false, format!("{amazon}/eu.anthropic.claude-sonnet-5/invoke")),
        (
            "bedrock",
            "eu.anthropic.claude-sonnet-5",
            true,
            format!("{amazon}/eu.anthropic.claude-sonnet-5/invoke-with-response-stream"),
        ),
        (
            "bedrock",
            "arn:aws:bedrock:eu-central-1:1:inference-profile/eu.anthropic.claude-sonnet-5",
            false,
            format!("{amazon}/arn%3Aaws%3Abedrock%3Aeu-central-1%3A1%3Ainference-profile%2Feu.anthropic.claude-sonnet-5/invoke"),
        ),
    ] {
        let case = Case::with(only(provider), Dialect::OpenAiChat, &format!("{provider}/{model}"), is_stream);
        let sent = case.run([error(400, "no", "No.")]).sends.remove(0);
        assert_eq!(sent.url, url);
        let accept = match (is_stream, provider) {
            (false, _) => "application/json",
            (true, "bedrock") => "application/vnd.amazon.eventstream",
            (true, _) => "text/event-stream",
        };
        assert_eq!(sent.header("accept"), Some(accept), "{url}");
        let body: Value = serde_json::from_str(&sent.body).unwrap();
        let is_claude = model.contains("claude");
        assert_eq!(body.get("model").is_some(), model.ends_with("-maas"), "{url}");
        assert_eq!(body.get("anthropic_version").is_some(), is_claude, "{url}");
        let says_stream = is_stream && provider == "vertex" && !model.starts_with("gemini");
        assert_eq!(body["stream"] == json!(true), says_stream, "{url}");
    }
}

#[test]
fn what_is_signed_by_us_is_not_passed_on_as_it_is() {
    for (provider, may) in [("openai", true), ("bedrock", true), ("vertex", false), ("workers-ai", false)] {
        let passed = forward::passthrough(&only(provider), provider, ("/v1/models", ""), &[]);
        assert_eq!(passed.is_ok(), may, "{provider}");
        assert!(passed.is_ok_and(|f| f.headers.iter().any(|(name, _)| name == "authorization")) || !may, "{provider}");
    }
}

/// Amazon wraps each of Claude's events in base64, and those in binary messages.
#[test]
fn claude_streams_through_amazon() {
    let told: Vec<Vec<u8>> = message()
        .iter()
        .map(|event| {
            let data = event.split_once("data: ").unwrap().1.trim_end();
            let payload = json!({"bytes": base64::encode(data.as_bytes()), "p": "abc"}).to_string();
            messages::message(&[(":message-type", "event"), (":event-type", "chunk")], &payload)
        })
        .collect();
    let answer = || {
        let chunks = told.iter().map(|bytes| (0, bytes.clone())).collect();
        Answer { status: 200, chunks, ..Answer::default() }.header("content-type", "application/vnd.amazon.eventstream")
    };
    for dialect in [Dialect::Anthropic, Dialect::OpenAiChat] {
        let case = Case::with(only("bedrock"), dialect, "bedrock/eu.anthropic.claude-sonnet-5", true);
        for answer in [answer(), answer().split(told[0].len() + 5)] {
            let run = case.run([answer]);
            assert_eq!((run.status, run.native), (200, Some(false)), "{dialect:?}");
            let usage = run.record().usage.unwrap();
            assert_eq!((usage.input, usage.cache_read, usage.output), (6, 4, 5), "{dialect:?}");
            let is_whole = if dialect == Dialect::Anthropic { "event: message_stop" } else { "data: [DONE]" };
            assert!(run.body.contains("there") && run.body.contains(is_whole), "{dialect:?}: {}", run.body);
        }
    }
}
