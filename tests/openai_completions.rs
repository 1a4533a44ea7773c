//! Tests of the room `openai_completions`.

use portolan::{
    chat::{
        event::Stamp,
        fold,
        profile::Profile,
        request::{Format, Message, Part, Request, Role, Tool},
        response::{Choice, Response, StopReason, TokenLogprob},
        usage::Usage,
    },
    dialect::{Asked, Caller, Facts, Upstream, openai_completions::OpenAiCompletions},
    error::{Error, Kind},
    wire::json::{Outline, join},
};
use serde_json::{Value, json};

use crate::fold::events;

fn read(members: &str) -> Result<(Request, Vec<String>), Error> {
    OpenAiCompletions.read_request(&format!(r#"{{"model":"m",{members}}}"#)).map(|read| (read.value, read.dropped))
}

fn turn(role: Role, text: &str) -> Message {
    Message { role, parts: vec![Part::text(text)] }
}

fn asked(prompt: &str) -> Request {
    Request { model: "m".into(), messages: vec![turn(Role::User, prompt)], ..Request::default() }
}

#[test]
fn a_prompt_is_one_turn_of_a_user() {
    for (members, expected, dropped) in [
        (r#""prompt":"Once""#, asked("Once"), vec![]),
        (r#""prompt":["Once"]"#, asked("Once"), vec![]),
        (
            r#""prompt":"Once","max_tokens":5,"temperature":0.5,"top_p":1,"n":2,"stop":"x","presence_penalty":1,"frequency_penalty":2,"seed":7,"user":"u""#,
            Request {
                max_tokens: Some(5),
                temperature: serde_json::Number::from_f64(0.5),
                top_p: Some(1.into()),
                n: Some(2),
                stop: vec!["x".into()],
                presence_penalty: Some(1.into()),
                frequency_penalty: Some(2.into()),
                seed: Some(7.into()),
                user: Some("u".into()),
                ..asked("Once")
            },
            vec![],
        ),
        (
            r#""prompt":"Once","stream":true,"stream_options":{"include_usage":true}"#,
            Request { stream: true, include_usage: true, ..asked("Once") },
            vec![],
        ),
        (r#""prompt":"Once","logprobs":3"#, Request { logprobs: true, top_logprobs: Some(3), ..asked("Once") }, vec![]),
        (r#""prompt":"Once","logprobs":0"#, Request { logprobs: true, ..asked("Once") }, vec![]),
        (r#""prompt":"Once","logprobs":null,"echo":false,"best_of":1,"suffix":"","n":1"#, asked("Once"), vec![]),
        (
            r#""prompt":"Once","echo":true,"best_of":3,"suffix":"end","logit_bias":{"1":2}"#,
            asked("Once"),
            vec!["echo", "best_of", "suffix", "logit_bias"],
        ),
    ] {
        let (request, lost) = read(members).unwrap();
        assert_eq!((request, lost), (expected, dropped.into_iter().map(str::to_owned).collect()), "{members}");
    }
    for (members, words) in [
        (r#""n":1"#, "required"),
        (r#""prompt":["a","b"]"#, "several texts"),
        (r#""prompt":[1,2]"#, "made of tokens"),
        (r#""prompt":[[1,2]]"#, "made of tokens"),
        (r#""prompt":[]"#, "must be"),
        (r#""prompt":{}"#, "must be"),
        (r#""prompt":"""#, "not empty"),
    ] {
        let error = read(members).unwrap_err();
        assert_eq!((error.status, error.param.as_deref()), (400, Some("prompt")), "{members}");
        assert!(error.message.contains(words), "{members}: {}", error.message);
    }
}

#[test]
fn facts_and_edits_are_those_of_chat() {
    let body = r#"{"model":"alias", "prompt":["a",[1]], "stream":true,"max_tokens":5}"#;
    let outline = Outline::read(body.as_bytes()).unwrap();
    let facts = OpenAiCompletions.facts(&outline).unwrap();
    assert_eq!(facts, Facts { model: "alias".into(), stream: true, max_output: Some(5), ..Facts::default() });
    let edited = join(body, &outline.edit(&OpenAiCompletions.edits(&outline, "m", true)));
    let expected = r#"{"stream_options":{"include_usage":true},"model":"m", "prompt":["a",[1]], "stream":true,"max_tokens":5}"#;
    assert_eq!((edited.as_str(), OpenAiCompletions.path("m", true).as_str()), (expected, "/completions"));
    assert!(OpenAiCompletions.facts(&Outline::read(b"{}").unwrap()).is_err());
    let error: Value =
        serde_json::from_str(&OpenAiCompletions.write_error(&Error::new(Kind::RateLimited, "Slow."), "req")).unwrap();
    assert_eq!(error["error"]["code"], "rate_limit_exceeded");
}

#[test]
fn turns_become_a_prompt_for_who_speaks_nothing_else() {
    let write = |request: &Request| {
        let written = OpenAiCompletions.write_request(request, &Profile::DEFAULT);
        (serde_json::from_str::<Value>(&written.value).unwrap(), written.dropped)
    };
    let said = |messages: Vec<Message>| Request { model: "m".into(), messages, ..Request::default() };
    let talk = || {
        vec![turn(Role::System, "Be brief."), turn(Role::User, "Hi"), turn(Role::Assistant, "Hello"), turn(Role::User, "And?")]
    };
    let begun = || [talk(), vec![turn(Role::Assistant, "Well")]].concat();
    for (messages, prompt) in [
        (vec![turn(Role::User, "Once")], "Once"),
        (vec![turn(Role::System, "Be brief."), turn(Role::User, "Once")], "Be brief.\n\nOnce"),
        (talk(), "Be brief.\n\nUser: Hi\n\nAssistant: Hello\n\nUser: And?\n\nAssistant:"),
        (begun(), "Be brief.\n\nUser: Hi\n\nAssistant: Hello\n\nUser: And?\n\nAssistant: Well"),
    ] {
        let (body, dropped) = write(&said(messages));
        assert_eq!((body, dropped), (json!({"model": "m", "prompt": prompt}), vec![]));
    }
    let request = Request {
        stream: true,
        max_tokens: Some(5),
        n: Some(2),
        logprobs: true,
        top_logprobs: Some(2),
        stop: ["a", "b", "c", "d", "e"].map(str::to_owned).to_vec(),
        tools: vec![Tool::Custom { name: "p".into(), description: None, format: None }],
        format: Some(Format::Json),
        store: Some(false),
        ..said(vec![Message {
            role: Role::User,
            parts: vec![
                Part::text("a"),
                Part::Reasoning { text: "hm".into(), signature: None },
                Part::Reasoning { text: "hm".into(), signature: None },
            ],
        }])
    };
    let (body, dropped) = write(&request);
    let expected = json!({
        "model": "m", "prompt": "a", "stream": true, "stream_options": {"include_usage": true}, "max_tokens": 5, "n": 2,
        "logprobs": 2, "stop": ["a", "b", "c", "d"],
    });
    assert_eq!(
        (body, dropped),
        (expected, ["messages[].parts[].reasoning", "stop[]", "tools", "format"].map(str::to_owned).to_vec())
    );
}

fn answer() -> Response {
    let token = |token: &str, top| TokenLogprob { token: token.into(), logprob: -0.5, bytes: None, top };
    Response {
        id: Some("cmpl-1".into()),
        model: Some("m".into()),
        parts: vec![Part::text("né on")],
        stop: StopReason::Length,
        logprobs: vec![token("né", vec![token("at", vec![])]), token(" on", vec![])],
        more: vec![Choice { parts: vec![Part::text("b")], ..Choice::default() }],
        usage: Some(Usage { input: 3, output: 2, ..Usage::default() }),
        ..Response::default()
    }
}

fn stamp() -> Stamp {
    Stamp { id: "cmpl-minted".into(), created: 7, model: "asked-for".into() }
}

#[test]
fn answers_are_text_completions() {
    let facts = Facts::default();
    let asked = Asked { stamp: stamp(), facts: &facts, body: &[] };
    let written: Value = serde_json::from_str(&OpenAiCompletions.write_response(&answer(), &asked, None)).unwrap();
    let logprobs = json!({"tokens": ["né", " on"], "token_logprobs": [-0.5, -0.5], "top_logprobs": [{"at": -0.5}, null], "text_offset": [0, 2]});
    assert_eq!(
        (&written["id"], &written["object"], &written["created"]),
        (&json!("cmpl-1"), &json!("text_completion"), &json!(7))
    );
    assert_eq!(
        written["choices"],
        json!([
            {"text": "né on", "index": 0, "logprobs": logprobs, "finish_reason": "length"},
            {"text": "b", "index": 1, "logprobs": null, "finish_reason": "stop"},
        ])
    );
    let mut again = OpenAiCompletions.read_response(&written.to_string()).unwrap();
    again.raw_usage = None;
    assert_eq!(again, answer());
    // Thoughts have no place, and another dialect's id is not this one's.
    let thinking = Response {
        id: Some("msg_1".into()),
        parts: vec![Part::Reasoning { text: "hm".into(), signature: None }, Part::text("a")],
        ..Response::default()
    };
    let written: Value = serde_json::from_str(&OpenAiCompletions.write_response(&thinking, &asked, None)).unwrap();
    assert_eq!(
        (&written["id"], &written["choices"][0]["text"], &written["model"]),
        (&json!("cmpl-minted"), &json!("a"), &json!("asked-for"))
    );
}

#[test]
fn streams_are_text_completions() {
    for wants_usage in [false, true] {
        let facts = Facts { wants_usage, ..Facts::default() };
        let mut writer = OpenAiCompletions.event_writer(&Asked { stamp: stamp(), facts: &facts, body: &[] });
        let (told, finish) = fold::unfold(&answer(), None);
        let mut out = String::new();
        told.iter().for_each(|event| writer.write(event, &mut out));
        writer.finish(&finish, &mut out);
        assert!(out.ends_with("data: [DONE]\n\n") && !out.contains("\"delta\""), "{out}");
        assert_eq!(out.contains("prompt_tokens"), wants_usage);
        assert!(out.contains("\"text_offset\":[0,2]"), "{out}");
        let whole = events(&OpenAiCompletions, [out.as_bytes()]);
        assert_eq!(events(&OpenAiCompletions, out.as_bytes().chunks(1)), whole);
        let read = fold::fold(whole).unwrap();
        assert_eq!(read, Response { usage: answer().usage.filter(|_| wants_usage), ..answer() });
    }
}

#[test]
fn a_broken_stream_never_looks_whole() {
    let facts = Facts::default();
    let mut writer = OpenAiCompletions.event_writer(&Asked { stamp: stamp(), facts: &facts, body: &[] });
    let mut out = String::new();
    writer.fail(&Error::new(Kind::BadGateway, "It broke."), &mut out);
    assert!(out.contains("\"It broke.\"") && out.contains("\"finish_reason\":\"error\"") && !out.contains("[DONE]"), "{out}");
    assert_eq!(
        fold::fold(events(&OpenAiCompletions, [out.as_bytes()])).map_err(|error| error.message),
        Err("It broke.".to_owned())
    );
    let cut = r#"data: {"id":"cmpl-1","choices":[{"text":"a","index":0,"finish_reason":null}]}"#;
    assert!(!events(&OpenAiCompletions, [cut.as_bytes()]).contains(&portolan::chat::event::Event::End));
}
