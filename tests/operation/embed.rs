//! Embeddings: what is asked of each provider, and what its answer becomes.

use portolan::catalog::{
    Operation,
    Style::{self, Cohere, Gemini, Jina, Mistral, Nvidia, OpenAi, Perplexity, Vertex, Voyage},
};
use serde_json::{Value, json};

use super::{json, read, sent};

/// 1.0 and -2.5, then 0.1, as little-endian floats.
const BASE64: &str = "AACAPwAAIMA=";
const TENTH: &str = "zczMPQ==";

fn asked(styles: (Style, Style), body: &str, model: &str) -> Result<(String, String, Vec<String>), String> {
    sent(Operation::Embed, styles, body, model).map_err(|error| error.message.clone())
}

#[test]
fn a_body_of_the_provider_s_own_style_keeps_its_bytes() {
    let gemini_batch = r#"{"requests": [ {"model":"models/old", "content":{"parts":[{"text":"a"}]}, "odd": 1} ]}"#;
    for (style, body, model, path, expected) in [
        (
            OpenAi,
            r#"{ "model":"a/x" , "input":[[1,2]], "odd":1.0}"#,
            "x",
            "/it",
            r#"{ "model":"x" , "input":[[1,2]], "odd":1.0}"#,
        ),
        (OpenAi, r#"{"input": "a","model":"x"}"#, "x", "/it", r#"{"input": "a","model":"x"}"#),
        (
            Gemini,
            r#"{"content": {"parts":[{"text":"a"}]}}"#,
            "e1",
            "/v1beta/models/e1:embedContent",
            r#"{"content": {"parts":[{"text":"a"}]}}"#,
        ),
        (
            Gemini,
            gemini_batch,
            "models/new",
            "/v1beta/models/new:batchEmbedContents",
            r#"{"requests": [{"model":"models/new", "content":{"parts":[{"text":"a"}]}, "odd": 1}]}"#,
        ),
        (Gemini, gemini_batch, "old", "/v1beta/models/old:batchEmbedContents", gemini_batch),
    ] {
        let (found_path, found, dropped) = asked((style, style), body, model).unwrap();
        assert_eq!((found_path.as_str(), found.as_str()), (path, expected));
        assert!(dropped.is_empty());
    }
}

#[test]
fn an_openai_caller_reaches_every_style() {
    let body = r#"{"model":"x","input":["a","b"],"encoding_format":"base64","dimensions":256,"user":"u","input_type":"query"}"#;
    for (to, expected, dropped) in [
        (
            Mistral,
            json!({"model": "m", "input": ["a", "b"], "encoding_format": "base64", "output_dimension": 256}),
            vec!["user", "input_type"],
        ),
        (
            Voyage,
            json!({"model": "m", "input": ["a", "b"], "encoding_format": "base64", "output_dimension": 256, "input_type": "query"}),
            vec!["user"],
        ),
        (
            Jina,
            json!({"task": "retrieval.query", "model": "m", "input": ["a", "b"], "embedding_type": "base64", "dimensions": 256}),
            vec!["user"],
        ),
        (
            Nvidia,
            json!({"model": "m", "input": ["a", "b"], "encoding_format": "base64", "dimensions": 256, "user": "u", "input_type": "query"}),
            vec![],
        ),
        (Perplexity, json!({"model": "m", "input": ["a", "b"], "dimensions": 256}), vec!["user", "input_type"]),
        (
            Cohere,
            json!({"model": "m", "texts": ["a", "b"], "input_type": "search_query", "embedding_types": ["float"], "output_dimension": 256}),
            vec!["user"],
        ),
        (
            Gemini,
            json!({"requests": [
                {"model": "models/m", "content": {"parts": [{"text": "a"}]}, "taskType": "RETRIEVAL_QUERY", "outputDimensionality": 256},
                {"model": "models/m", "content": {"parts": [{"text": "b"}]}, "taskType": "RETRIEVAL_QUERY", "outputDimensionality": 256},
            ]}),
            vec!["user"],
        ),
        (
            Vertex,
            json!({"instances": [{"content": "a", "task_type": "RETRIEVAL_QUERY"}, {"content": "b", "task_type": "RETRIEVAL_QUERY"}],
                   "parameters": {"outputDimensionality": 256}}),
            vec!["user"],
        ),
    ] {
        let (_, found, found_dropped) = asked((OpenAi, to), body, "m").unwrap();
        assert_eq!(json(&found), expected, "{to:?}");
        assert_eq!(found_dropped, dropped, "{to:?}");
    }
}

#[test]
fn what_a_provider_insists_on_is_said_and_what_it_lacks_is_told() {
    let plain = r#"{"model":"x","input":"a"}"#;
    for (to, body, pointer, value, dropped) in [
        (Cohere, plain, "/input_type", json!("search_document"), vec![]),
        (Nvidia, plain, "/input_type", json!("passage"), vec![]),
        (Voyage, plain, "/input_type", Value::Null, vec![]),
        (Voyage, r#"{"input":"a","encoding_format":"float"}"#, "/encoding_format", Value::Null, vec![]),
        (Voyage, r#"{"input":"a","input_type":"CLUSTERING"}"#, "/input_type", Value::Null, vec!["input_type"]),
        (Cohere, r#"{"input":"a","input_type":"text-matching"}"#, "/input_type", json!("search_document"), vec!["input_type"]),
        (Cohere, r#"{"input":"a","input_type":"image"}"#, "/input_type", json!("image"), vec![]),
        (Nvidia, r#"{"input":"a","input_type":"CLASSIFICATION"}"#, "/input_type", json!("passage"), vec!["input_type"]),
        // Forms and words only they know reach them as they are.
        (Perplexity, r#"{"input":"a","encoding_format":"base64_binary"}"#, "/encoding_format", json!("base64_binary"), vec![]),
        (Voyage, r#"{"input":"a","truncation":false}"#, "/truncation", json!(false), vec![]),
        (Cohere, r#"{"input":"a","truncate":"END"}"#, "/truncate", Value::Null, vec!["truncate"]),
        (Gemini, plain, "/content/parts/0/text", json!("a"), vec![]),
    ] {
        let (_, found, found_dropped) = asked((OpenAi, to), body, "m").unwrap();
        assert_eq!(json(&found).pointer(pointer).cloned().unwrap_or_default(), value, "{to:?} {body}");
        assert_eq!(found_dropped, dropped, "{to:?} {body}");
    }
}

#[test]
fn a_gemini_caller_reaches_every_style() {
    let single = r#"{"model":"models/g","content":{"role":"user","parts":[{"text":"a"},{"text":"b"}]},"taskType":"RETRIEVAL_QUERY","title":"t","outputDimensionality":8}"#;
    let batch = r#"{"requests":[
        {"model":"models/g","content":{"parts":[{"text":"a"}]},"embed_content_config":{"output_dimensionality":8,"auto_truncate":true}},
        {"model":"models/g","content":{"parts":[{"text":"b"}]},"output_dimensionality":8}]}"#;
    for (to, body, expected, dropped) in [
        (OpenAi, single, json!({"model": "m", "input": "a\nb", "dimensions": 8}), vec!["taskType", "title"]),
        (
            OpenAi,
            batch,
            json!({"model": "m", "input": ["a", "b"], "dimensions": 8}),
            vec!["requests[].embedContentConfig.auto_truncate"],
        ),
        (Voyage, single, json!({"model": "m", "input": "a\nb", "output_dimension": 8, "input_type": "query"}), vec!["title"]),
        (
            Cohere,
            single,
            json!({"model": "m", "texts": ["a\nb"], "input_type": "search_query", "embedding_types": ["float"], "output_dimension": 8}),
            vec!["title"],
        ),
        (
            Vertex,
            single,
            json!({"instances": [{"content": "a\nb", "task_type": "RETRIEVAL_QUERY", "title": "t"}], "parameters": {"outputDimensionality": 8}}),
            vec![],
        ),
    ] {
        let (_, found, found_dropped) = asked((Gemini, to), body, "m").unwrap();
        assert_eq!(json(&found), expected, "{to:?}");
        assert_eq!(found_dropped, dropped, "{to:?}");
    }
}

#[test]
fn what_cannot_be_asked_is_refused_clearly() {
    let many = |count: usize| json!({"model": "x", "input": vec!["a"; count]}).to_string();
    for (styles, body, said) in [
        ((OpenAi, Gemini), r#"{"model":"x","input":[1,2,3]}"#.to_owned(), "token numbers"),
        ((OpenAi, Cohere), r#"{"model":"x","input":[[1],[2]]}"#.to_owned(), "token numbers"),
        ((OpenAi, Mistral), r#"{"model":"x","input":[[1],[2]]}"#.to_owned(), "check_embedding_ctx_length"),
        ((OpenAi, Gemini), many(101), "at most 100"),
        ((OpenAi, Cohere), many(97), "at most 96"),
        ((OpenAi, Voyage), many(1001), "at most 1000"),
        ((OpenAi, Cohere), r#"{"model":"x","input":[]}"#.to_owned(), "empty"),
        ((OpenAi, Cohere), r#"{"model":"x","input":["a",1]}"#.to_owned(), "array of strings"),
        ((OpenAi, Cohere), r#"{"model":"x"}"#.to_owned(), "`input` is required"),
        (
            (Gemini, OpenAi),
            r#"{"content":{"parts":[{"inlineData":{"mimeType":"image/png","data":"AA=="}}]}}"#.to_owned(),
            "embeds text only",
        ),
        (
            (Gemini, OpenAi),
            r#"{"requests":[{"content":{"parts":[{"text":"a"}]}},{"content":{"parts":[{"text":"b"}]},"taskType":"CLUSTERING"}]}"#
                .to_owned(),
            "must be the same",
        ),
        ((Gemini, OpenAi), r#"{"requests":[]}"#.to_owned(), "must not be empty"),
        ((Gemini, OpenAi), r#"{"taskType":"CLUSTERING"}"#.to_owned(), "`content` is required"),
    ] {
        let error = asked(styles, &body, "m").unwrap_err();
        assert!(error.contains(said), "{styles:?}: {error}");
    }
    assert!(asked((OpenAi, Gemini), &many(100), "m").is_ok(), "the limit itself is allowed");
    assert!(asked((OpenAi, OpenAi), &many(5000), "m").is_ok(), "its own provider may judge");
    let later = asked((OpenAi, Vertex), &many(1), "gemini-embedding-2").unwrap();
    assert_eq!(later.0, "/publishers/google/models/gemini-embedding-2:embedContent");
    assert!(asked((OpenAi, Vertex), &many(2), "gemini-embedding-2").is_err());
}

/// An answer of each style to the texts `a` and `b`: 1.0 and -2.5, then 0.1, six tokens.
fn answer(style: Style) -> String {
    match style {
        Gemini => r#"{"embeddings":[{"values":[1.0,-2.5]},{"values":[0.1]}],"usageMetadata":{"promptTokenCount":6}}"#.to_owned(),
        Vertex => r#"{"predictions":[{"embeddings":{"values":[1.0,-2.5],"statistics":{"token_count":4}}},
            {"embeddings":{"values":[0.1],"statistics":{"token_count":2}}}],"metadata":{"billableCharacterCount":2}}"#
            .to_owned(),
        Cohere => r#"{"id":"i","texts":["a","b"],"embeddings":{"float":[[1.0,-2.5],[0.1]]},"meta":{"billed_units":{"input_tokens":6}}}"#
            .to_owned(),
        Voyage => format!(
            r#"{{"object":"list","data":[{{"embedding":"{TENTH}","index":1}},{{"embedding":"{BASE64}","index":0}}],"model":"v","usage":{{"total_tokens":6}}}}"#
        ),
        OpenAi | Mistral | Jina | Nvidia | Perplexity | Style::Anthropic | Style::Converse | Style::Fireworks => r#"{"object":"list","data":[{"index":1,"embedding":[0.1]},{"index":0,"embedding":[1.0,-2.5]}],"model":"o","usage":{"prompt_tokens":6,"total_tokens":6}}"#
            .to_owned(),
    }
}

#[test]
fn every_answer_reaches_an_openai_caller_in_the_form_asked_for() {
    for to in [Gemini, Vertex, Cohere, Voyage, Mistral, Jina, Nvidia] {
        for (form, vectors) in [("base64", json!([BASE64, TENTH])), ("float", json!([[1.0, -2.5], [0.1]]))] {
            let body = json!({"model": "x", "input": ["a", "b"], "encoding_format": form}).to_string();
            let found = read(Operation::Embed, (OpenAi, to), &body, &answer(to)).unwrap();
            assert_eq!(found.usage.map(|usage| (usage.input, usage.output)), Some((6, 0)), "{to:?}");
            assert!(!found.estimated && found.raw_usage.is_some(), "{to:?}");
            let written = json(&found.body.unwrap());
            let [first, second] = [0, 1].map(|at| &written["data"][at]);
            assert_eq!(json!([first["embedding"], second["embedding"]]), vectors, "{to:?} {form}");
            assert_eq!((&first["index"], &second["index"], &first["object"]), (&json!(0), &json!(1), &json!("embedding")));
            assert_eq!(written["usage"], json!({"prompt_tokens": 6, "total_tokens": 6}), "{to:?}");
            assert_eq!(written["object"], "list");
            assert!(written["model"].is_string());
        }
    }
}

#[test]
fn every_answer_reaches_a_gemini_caller() {
    let batch = r#"{"requests":[{"content":{"parts":[{"text":"a"}]}},{"content":{"parts":[{"text":"b"}]}}]}"#;
    for to in [OpenAi, Vertex, Cohere, Voyage, Mistral] {
        let found = read(Operation::Embed, (Gemini, to), batch, &answer(to)).unwrap();
        let expected = json!({"embeddings": [{"values": [1.0, -2.5]}, {"values": [0.1]}],
            "usageMetadata": {"promptTokenCount": 6, "totalTokenCount": 6}});
        assert_eq!(json(&found.body.unwrap()), expected, "{to:?}");
    }
    let single = r#"{"content":{"parts":[{"text":"a"}]}}"#;
    let one = r#"{"data":[{"embedding":[0.25]}],"usage":{"total_tokens":1}}"#;
    let found = read(Operation::Embed, (Gemini, OpenAi), single, one).unwrap();
    assert_eq!(json(&found.body.unwrap())["embedding"], json!({"values": [0.25]}));
}

#[test]
fn an_answer_of_the_caller_s_style_passes_unless_its_form_is_another() {
    let floats = r#"{"object":"list", "data":[{"embedding":[1.0,-2.5]}],"odd":1}"#;
    let base64 = format!(r#"{{"data":[{{"embedding":"{BASE64}"}}], "odd":1}}"#);
    for (asked, answer, expected) in [
        (r#"{"input":"a"}"#, floats, None),
        (r#"{"input":"a","encoding_format":"float"}"#, floats, None),
        (r#"{"input":"a","encoding_format":"base64"}"#, base64.as_str(), None),
        (r#"{"input":"a","encoding_format":"other"}"#, base64.as_str(), None),
        (r#"{"input":"a","encoding_format":"base64"}"#, floats, Some(json!(BASE64))),
        (r#"{"input":"a"}"#, base64.as_str(), Some(json!([1.0, -2.5]))),
    ] {
        let found = read(Operation::Embed, (OpenAi, OpenAi), asked, answer).unwrap();
        let body = found.body.map(|body| json(&body));
        assert_eq!(body.as_ref().map(|body| body["data"][0]["embedding"].clone()), expected, "{asked}");
        assert!(body.is_none_or(|body| body["odd"] == 1), "the rest stays");
        assert!(found.estimated && found.usage.is_some_and(|usage| usage.input == 1), "nobody counted");
    }
}

#[test]
fn packed_bytes_become_numbers() {
    // 1, -1 and 127, a byte each: read as floats they would be garbage without an error.
    let answer = r#"{"data":[{"embedding":"Af9/","index":0}],"usage":{"prompt_tokens":1}}"#;
    let found = read(Operation::Embed, (OpenAi, Perplexity), r#"{"input":"a"}"#, answer).unwrap();
    assert_eq!(json(&found.body.unwrap())["data"][0]["embedding"], json!([1, -1, 127]));
    let asked = r#"{"input":"a","encoding_format":"base64_int8"}"#;
    let found = read(Operation::Embed, (OpenAi, Perplexity), asked, answer).unwrap();
    assert_eq!(json(&found.body.unwrap())["data"][0]["embedding"], "Af9/", "a form the caller knows");
}

#[test]
fn an_answer_that_would_misplace_vectors_is_an_error() {
    let two = r#"{"input":["a","b"]}"#;
    for (to, answer) in [
        (Gemini, r#"{"embeddings":[{"values":[1.0]}]}"#),
        (Gemini, "{}"),
        (Cohere, r#"{"embeddings":{"int8":[[1],[2]]}}"#),
        (Mistral, r#"{"data":[{"index":0,"embedding":{"a":1}},{"index":1,"embedding":[1.0]}]}"#),
        (Voyage, r#"{"data":[{"embedding":"AAA="},{"embedding":"!"}]}"#),
        (Mistral, "[1]"),
    ] {
        let body = r#"{"input":["a","b"],"encoding_format":"float"}"#;
        assert!(read(Operation::Embed, (OpenAi, to), body, answer).is_err(), "{to:?} {answer}");
    }
    assert!(read(Operation::Embed, (OpenAi, Gemini), two, &answer(Gemini)).is_ok());
}

#[test]
fn a_failure_told_with_status_200_is_one() {
    for styles in [(OpenAi, OpenAi), (OpenAi, Cohere), (Gemini, OpenAi)] {
        let answer = r#"{"error":{"message":"No provider available","code":502},"user_id":"u"}"#;
        let error = read(Operation::Embed, styles, r#"{"input":"a"}"#, answer).unwrap_err();
        assert!(error.contains("No provider available"), "{styles:?}: {error}");
    }
}

#[test]
fn an_own_answer_that_is_not_understood_passes() {
    let found = read(Operation::Embed, (OpenAi, OpenAi), r#"{"input":"a"}"#, r#"{"vectors":[[1]]}"#).unwrap();
    assert_eq!((found.body, found.estimated), (None, true));
}
