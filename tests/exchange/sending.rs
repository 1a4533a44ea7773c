//! What goes to a provider: where, with which headers, and the body byte for byte.

use std::rc::Rc;

use portolan::{
    chat::profile::{History, Thinking},
    config::{self, Documents},
    dialect::{Dialect, Facts, surface::Operation},
    exchange::forward,
    plan::{self, Ask, health::View},
    wire::sigv4,
};
use serde_json::{Value, json};

use super::{
    driver::{Case, START, gateway},
    script::{MESSAGE, error, json, message, served, stream, told},
    transcripts::only,
};

/// Odd numbers, odd order, odd spacing, members nobody knows: all of it the caller's.
const ODD: &str = "{ \"zz\" : 1e2,\t\"model\":\"alpha/small\", \"n\":10000000000000000000001,\n\"messages\":[{\"role\":\"user\",\"content\":\"h\\u00e9\"}],\"future\":{\"b\":1,\"a\":[ ]} }";

#[test]
fn a_body_of_the_same_dialect_keeps_every_byte_but_the_models() {
    let run = Case::chat("x").body(ODD).run([served()]);
    assert_eq!(run.sends[0].body, ODD.replace("\"alpha/small\"", "\"small\""));
    // With no edit at all: the very bytes.
    let config = gateway(r#"{"small":{"targets":["alpha/small"]}}"#, "");
    let body = ODD.replace("alpha/small", "small");
    let run = Case::with(config, Dialect::OpenAiChat, "x", false).body(&body).run([served()]);
    assert_eq!(run.sends[0].body, body);
}

#[test]
fn each_edit_touches_its_own_member_only() {
    let config = gateway(
        r#"{"tuned":{"targets":[{"model":"alpha/small","params":{"override":{"temperature":0},"default":{"n":2,"top_p":0.5},"drop":["future"]}}]}}"#,
        "",
    );
    let body = ODD.replace("alpha/small", "tuned");
    let run = Case::with(config, Dialect::OpenAiChat, "x", false).body(&body).run([served()]);
    let sent: serde_json::Map<String, Value> = serde_json::from_str(&run.sends[0].body).unwrap();
    assert_eq!((&sent["temperature"], &sent["top_p"], sent.contains_key("future")), (&json!(0), &json!(0.5), false));
    assert!(run.sends[0].body.contains("\"zz\" : 1e2,"), "{}", run.sends[0].body);
    assert!(run.sends[0].body.contains("\"n\":10000000000000000000001"), "{}", run.sends[0].body);
    assert!(run.sends[0].body.contains("h\\u00e9"), "{}", run.sends[0].body);
}

#[test]
fn each_attempt_starts_from_the_callers_own_body() {
    let failing = error(500, "oops", "Oops.").header("x-should-retry", "false");
    let run = Case::chat("alpha/small,gamma/claude,beta/large").run([failing.clone(), failing, served()]);
    let model = |at: usize| serde_json::from_str::<Value>(&run.sends[at].body).unwrap()["model"].clone();
    assert_eq!((model(0), model(1), model(2)), (json!("small"), json!("claude"), json!("large")));
    let original = Case::chat("alpha/small,gamma/claude,beta/large").body;
    assert_eq!(run.sends[2].body, original.replace("alpha/small,gamma/claude,beta/large", "large"));
}

#[test]
fn usage_is_asked_for_where_the_caller_did_not() {
    let with = |options: &str| {
        let case = Case::chat_stream("alpha/small");
        let body = case.body.replace("\"stream\":true", &format!("\"stream\":true{options}"));
        let run = case.body(&body).run([stream(told())]);
        let sent: Value = serde_json::from_str(&run.sends[0].body).unwrap();
        (sent["stream_options"]["include_usage"].clone(), run.native, run.body.contains("prompt_tokens"))
    };
    assert_eq!(with(""), (json!(true), Some(false), false), "asked for, and hidden");
    assert_eq!(with(r#","stream_options":{"include_usage":false}"#), (json!(true), Some(false), false));
    assert_eq!(with(r#","stream_options":{"include_usage":true}"#), (json!(true), Some(true), true), "the caller's own");
    let run = Case::chat("alpha/small").run([served()]);
    assert!(!run.sends[0].body.contains("stream_options"), "without stream it would be refused");
    let run = Case::of(Dialect::Anthropic, "gamma/claude", true).run([stream(message())]);
    assert!(!run.sends[0].body.contains("stream_options") && run.native == Some(true));
}

#[test]
fn urls_and_headers_are_the_providers() {
    let beta = "interleaved-thinking-2025-05-14";
    for (rule, dialect, model, is_stream, url, present, absent) in [
        (
            "chat",
            Dialect::OpenAiChat,
            "alpha/small",
            false,
            "https://alpha.example/v1/chat/completions",
            vec![("authorization", "Bearer value-of-ALPHA_KEY"), ("accept", "application/json"), ("openai-beta", "x=1")],
            vec!["x-api-key", "anthropic-version", "cookie", "x-request-id", "x-forwarded-for"],
        ),
        (
            "Anthropic, the caller's version and betas",
            Dialect::Anthropic,
            "gamma/claude",
            true,
            "https://gamma.example/v1/messages",
            vec![
                ("x-api-key", "value-of-GAMMA_KEY"),
                ("anthropic-version", "2026-10-21"),
                ("anthropic-beta", beta),
                ("accept", "text/event-stream"),
            ],
            vec!["authorization", "cookie"],
        ),
        (
            "translated: the version its bodies are written in, no betas",
            Dialect::OpenAiChat,
            "gamma/claude",
            false,
            "https://gamma.example/v1/messages",
            vec![("x-api-key", "value-of-GAMMA_KEY"), ("anthropic-version", "2023-06-01")],
            vec!["authorization", "anthropic-beta", "openai-beta", "cookie"],
        ),
    ] {
        let case = Case::of(dialect, model, is_stream)
            .header("authorization", "Bearer the-callers-own-key")
            .header("x-api-key", "the-callers-own-key")
            .header("cookie", "secret=1")
            .header("x-forwarded-for", "10.0.0.1")
            .header("x-request-id", "mine")
            .header("openai-beta", "x=1")
            .header("anthropic-version", "2026-10-21")
            .header("anthropic-beta", beta)
            .header("traceparent", "00-1-2-01");
        let answer = match (is_stream, model) {
            (true, _) => stream(message()),
            (false, "gamma/claude") => json(200, MESSAGE),
            (false, _) => served(),
        };
        let run = case.run([answer]);
        let sent = &run.sends[0];
        assert_eq!(sent.url, url, "{rule}");
        for (name, value) in present.into_iter().chain([("traceparent", "00-1-2-01"), ("content-type", "application/json")]) {
            assert_eq!(sent.header(name), Some(value), "{rule}: {name}");
        }
        for name in absent {
            assert_eq!(sent.header(name), None, "{rule}: {name}");
        }
        assert!(!format!("{sent:?}").contains("the-callers-own-key"), "{rule}");
        let mut names: Vec<_> = sent.headers.iter().map(|(name, _)| name).collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), sent.headers.len(), "{rule}: each header once");
    }
}

#[test]
fn what_cannot_be_carried_is_said() {
    let body = r#"{"model":"gamma/claude","logit_bias":{"1":2},"messages":[{"role":"user","content":"Hello"}]}"#;
    let run = Case::chat("x").body(body).run([json(200, MESSAGE)]);
    assert_eq!(run.header("x-portolan-dropped"), Some("logit_bias"));
    assert_eq!(run.record().dropped, ["logit_bias"]);
    let verbatim = body.replace("gamma/claude", "alpha/small");
    let run = Case::chat("x").body(&verbatim).run([served()]);
    assert_eq!((run.header("x-portolan-dropped"), run.record().dropped.len()), (None, 0));
    // Of the attempt that served, not of the one before.
    let failing = error(500, "oops", "Oops.").header("x-should-retry", "false");
    let both = body.replace("gamma/claude", "gamma/claude,alpha/small");
    let run = Case::chat("x").body(&both).run([failing, served()]);
    assert_eq!(run.header("x-portolan-dropped"), None);
}

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
    let ollama = &config.providers["ollama"];
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
