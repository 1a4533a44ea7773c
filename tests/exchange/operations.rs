//! Embeddings, ranking, moderation and token counts on their way: planned, tried and failed over like any other call.

use portolan::dialect::{
    Dialect,
    surface::Operation::{self, CountTokens, Embed, Image, Moderate, Rerank, Video},
};
use serde_json::{Value, json};

use super::{
    driver::Case,
    script::{Answer, error, json as answered},
};

const VECTORS: &str = r#"{"object":"list","model":"e","data":[{"object":"embedding","index":0,"embedding":[0.5,-1.0]}],"usage":{"prompt_tokens":3,"total_tokens":3}}"#;
const GOOGLE: &str = r#"{"embedding":{"values":[0.5,-1.0]}}"#;
const RANKS: &str = r#"{"results":[{"index":1,"relevance_score":0.9}],"usage":{"total_tokens":7}}"#;

fn run(operation: Operation, dialect: Dialect, body: &str, answers: impl IntoIterator<Item = Answer>) -> super::driver::Run {
    Case::operation(operation, dialect, body).run(answers)
}

#[test]
fn each_goes_where_it_is_offered_and_comes_back_in_the_callers_words() {
    for (operation, dialect, body, answer, url, sent, told) in [
        (
            Embed,
            Dialect::OpenAiChat,
            r#"{"model":"alpha/small","input":"Hello","odd":1.0}"#,
            VECTORS,
            "https://alpha.example/v1/embeddings",
            json!({"model": "small", "input": "Hello", "odd": 1.0}),
            serde_json::from_str::<Value>(VECTORS).unwrap(),
        ),
        (
            Embed,
            Dialect::OpenAiChat,
            r#"{"model":"google/gemini-embedding-001","input":["Hello"],"dimensions":2}"#,
            GOOGLE,
            "https://generativelanguage.googleapis.com/v1beta/models/gemini-embedding-001:embedContent",
            Value::Null,
            json!([0.5, -1.0]),
        ),
        (
            Rerank,
            Dialect::OpenAiChat,
            r#"{"model":"beta/small","query":"q","documents":["a","b"]}"#,
            RANKS,
            "https://beta.example/v1/rerank",
            json!({"model": "small", "query": "q", "documents": ["a", "b"]}),
            serde_json::from_str(RANKS).unwrap(),
        ),
        (
            CountTokens,
            Dialect::Anthropic,
            r#"{"model":"gamma/claude","messages":[{"role":"user","content":"Hello"}]}"#,
            r#"{"input_tokens":9}"#,
            "https://gamma.example/v1/messages/count_tokens",
            json!({"model": "claude", "messages": [{"role": "user", "content": "Hello"}]}),
            json!({"input_tokens": 9}),
        ),
    ] {
        let run = run(operation, dialect, body, [answered(200, answer)]);
        let what = format!("{operation:?} {}", run.body);
        assert_eq!((run.status, run.sends[0].url.as_str()), (200, url), "{what}");
        let body: Value = serde_json::from_str(&run.sends[0].body).unwrap();
        assert!(sent.is_null() || body == sent, "{what}: {body}");
        let said: Value = serde_json::from_str(&run.body).unwrap();
        assert!(said == told || said["data"][0]["embedding"] == told, "{what}");
        assert_eq!((run.record().task, run.record().outcome), (operation.name(), "ok"), "{what}");
    }
}

#[test]
fn a_failure_moves_on_and_a_verdict_is_told() {
    let body = r#"{"model":"alpha/small,beta/small","input":"Hello"}"#;
    let moved =
        run(Embed, Dialect::OpenAiChat, body, [error(503, "down", "Down."), error(503, "down", "Down."), answered(200, VECTORS)]);
    assert_eq!((moved.status, moved.hosts().as_str()), (200, "alpha alpha beta"));
    assert_eq!(moved.record().usage.unwrap().input, 3);
    let refused = run(Embed, Dialect::OpenAiChat, body, [error(400, "invalid_value", "No such dimension.")]);
    assert_eq!(refused.status, 400);
    assert!(refused.body.contains("No such dimension."), "{}", refused.body);
    // An error with status 200 is no answer.
    let odd = run(Embed, Dialect::OpenAiChat, body, [error(200, "overloaded", "Busy."), answered(200, VECTORS)]);
    assert_eq!((odd.status, odd.hosts().as_str()), (200, "alpha beta"));
}

#[test]
fn where_tokens_are_not_counted_they_are_estimated_and_the_answer_says_so() {
    let ask =
        |model: &str| format!(r#"{{"model":"{model}","messages":[{{"role":"user","content":"How many tokens are these?"}}]}}"#);
    for (model, answers) in [
        // It speaks as OpenAI does, and is not OpenAI.
        ("alpha/small", vec![]),
        ("mock/echo", vec![]),
        ("gamma/claude", vec![error(404, "not_found_error", "Not found.")]),
    ] {
        let run = run(CountTokens, Dialect::Anthropic, &ask(model), answers);
        let count = serde_json::from_str::<Value>(&run.body).unwrap()["input_tokens"].as_u64().unwrap();
        assert!((6..=20).contains(&count), "{model}: {}", run.body);
        assert_eq!((run.status, run.header("x-portolan-estimated")), (200, Some("true")), "{model}");
        assert_eq!((run.record().status, run.record().outcome), (200, "ok"), "{model}");
    }
    let native = run(CountTokens, Dialect::Anthropic, &ask("gamma/claude"), [answered(200, r#"{"input_tokens":9}"#)]);
    assert_eq!(native.header("x-portolan-estimated"), None);
}

#[test]
fn who_does_not_offer_it_is_not_asked() {
    for (operation, body, target) in [
        (Moderate, r#"{"model":"alpha/small","input":"x"}"#, "alpha/small"),
        (Rerank, r#"{"model":"gamma/claude","query":"q","documents":["a"]}"#, "gamma/claude"),
        (Embed, r#"{"model":"mock/echo","input":"x"}"#, "mock/echo"),
    ] {
        let case = Case::operation(operation, Dialect::OpenAiChat, body);
        let error = case.try_plan().unwrap_err();
        assert_eq!(error.status, 400);
        assert!(error.message.contains(target) && error.message.contains("does not do this"), "{}", error.message);
    }
}

const FORM: &str = "--b\r\nContent-Disposition: form-data; name=\"prompt\"\r\n\r\nmodel? a --b dog\r\n--b\r\nContent-Disposition: form-data; name=\"input_reference\"; filename=\"model\"\r\nContent-Type: image/png\r\n\r\n\u{1}\u{2}name=\"model\"\r\n--b\r\ncontent-disposition: form-data; name=\"model\"\r\n\r\nalpha/dream\r\n--b--\r\n";

#[test]
fn a_form_passes_but_for_its_model() {
    let job = r#"{"id":"video_1","object":"video","status":"queued","model":"dream"}"#;
    let case = Case::operation_of(Video, Dialect::OpenAiChat, FORM, "multipart/form-data; boundary=b");
    let run = case.run([answered(200, job)]);
    assert_eq!((run.status, run.body.as_str()), (200, job));
    let sent = &run.sends[0];
    assert_eq!(sent.url, "https://alpha.example/v1/videos");
    assert_eq!(sent.header("content-type"), Some("multipart/form-data; boundary=b"));
    assert_eq!(sent.body, FORM.replace("alpha/dream", "dream"));
    // Who keeps it is found by its id.
    assert_eq!(run.record().response_id.as_deref(), Some("video_1"));
    let picture = r#"{"created":1,"data":[{"b64_json":"AAAA"}],"usage":{"input_tokens":5,"output_tokens":9,"total_tokens":14}}"#;
    let run = run_of(Image, r#"{"model":"alpha/paint","prompt":"x","odd":1.0}"#, picture);
    assert_eq!((run.sends[0].body.as_str(), run.body.as_str()), (r#"{"model":"paint","prompt":"x","odd":1.0}"#, picture));
    assert_eq!(run.record().usage.unwrap().output, 9);
}

fn run_of(operation: Operation, body: &str, answer: &str) -> super::driver::Run {
    run(operation, Dialect::OpenAiChat, body, [answered(200, answer)])
}

#[test]
fn a_form_without_its_model_is_refused() {
    for (form, of_type) in [
        (FORM.replace("name=\"model\"\r\n\r\n", "name=\"mode\"\r\n\r\n"), "multipart/form-data; boundary=b"),
        (FORM.to_owned(), "multipart/form-data; boundary=c"),
        (String::new(), "multipart/form-data; boundary=b"),
        ("--b".to_owned(), "multipart/form-data; boundary=\"b\""),
        (FORM.to_owned(), "multipart/form-data"),
    ] {
        let error = portolan::exchange::operate::facts(Video, Dialect::OpenAiChat, form.as_bytes(), of_type).unwrap_err();
        assert_eq!(error.status, 400, "{form} {of_type}");
    }
}
