//! Exchanges with each provider: what goes out to the byte, and what an answer of its own kind is read as.
//!
//! `tests/fixtures/providers/{provider}/{case}/` has `request.http` as a caller sends it, `answer.http`, and what must come
//! of them: `sent.http` and `read.json`. With `PORTOLAN_BLESS=1` those two are written anew, to be looked at.

use portolan::sorted::SortedMap;
use std::{fs, path::PathBuf, rc::Rc};

use portolan::{
    catalog::{self, MOCK},
    chat::{request::Part, response::StopReason, usage::Usage},
    config::{self, Documents, Snapshot},
    dialect::Dialect,
    exchange::authority::Sign,
};
use serde_json::{Value, json};

use super::{
    driver::{Case, Sent},
    script::Answer,
};
use crate::fold;

const SERVICE_ACCOUNT: &str = r#"{"type":"service_account","project_id":"acme","private_key_id":"k1","private_key":"-----BEGIN PRIVATE KEY-----\nMII\n-----END PRIVATE KEY-----\n","client_email":"gateway@acme.iam.gserviceaccount.com","token_uri":"https://oauth2.googleapis.com/token"}"#;

/// A value for each secret of a row, and for what its address wants to know.
fn secrets(row: &catalog::Provider) -> SortedMap<String, String> {
    let value = |name: &str| match name {
        "VERTEX_SERVICE_ACCOUNT" => SERVICE_ACCOUNT.to_owned(),
        "VERTEX_LOCATION" => "europe-west1".to_owned(),
        "AWS_REGION" => "eu-central-1".to_owned(),
        "AZURE_OPENAI_RESOURCE" | "VERTEX_PROJECT" => "acme".to_owned(),
        other => format!("value-of-{other}"),
    };
    let names = row.secrets.iter().take(1).copied().chain(row.placeholders());
    names.map(|name| (name.to_owned(), value(name))).collect()
}

pub fn only(name: &str) -> Rc<Snapshot> {
    Rc::new(config::build(&Documents::default(), &secrets(catalog::provider(name).unwrap())).unwrap())
}

/// First line, headers, body.
fn read_http(text: &str) -> (&str, Vec<(&str, &str)>, &str) {
    let (head, body) = text.split_once("\n\n").unwrap();
    let mut lines = head.lines();
    let first = lines.next().unwrap();
    (first, lines.map(|line| line.split_once(": ").unwrap()).collect(), body)
}

fn write_http(sent: &Sent) -> String {
    let mut out = format!("POST {}\n", sent.url);
    for (name, value) in &sent.headers {
        out.push_str(&format!("{name}: {}\n", value.replace(env!("CARGO_PKG_VERSION"), "VERSION")));
    }
    if let Some(Sign::Google(account)) = &sent.sign {
        out.push_str(&format!("(a token of {} from {})\n", account.email, account.token_uri));
    }
    out + "\n" + &sent.body + "\n"
}

fn tell(parts: &[Part], stop: StopReason, usage: Option<Usage>) -> Value {
    let (text, reasoning, _) = fold::texts(parts);
    let calls: Vec<Value> = fold::calls(parts).iter().map(|call| json!([call.id, call.name, call.arguments])).collect();
    json!({"text": text, "reasoning": reasoning, "calls": calls, "stop": format!("{stop:?}"), "usage": usage})
}

fn read(dialect: Dialect, is_stream: bool, body: &str) -> Value {
    let upstream = dialect.upstream();
    if !is_stream {
        let answer = upstream.read_response(body).unwrap();
        return tell(&answer.parts, answer.stop, answer.usage);
    }
    let folded = fold::fold(&fold::events(upstream, [body.as_bytes()]));
    assert!(folded.ended && folded.failed.is_none() && folded.malformed == 0, "{folded:?}");
    tell(&folded.parts, folded.stop.unwrap(), folded.usage)
}

fn asked(path: &str) -> Dialect {
    match path {
        "/v1/chat/completions" => Dialect::OpenAiChat,
        "/v1/messages" => Dialect::Anthropic,
        "/v1/responses" => Dialect::OpenAiResponses,
        other => unreachable!("{other}"),
    }
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/providers")
}

fn names(folder: &PathBuf) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = entries.collect();
    names.sort();
    names
}

#[test]
fn every_provider_has_its_transcript() {
    let told = names(&folder());
    let rows = catalog::providers().iter().filter(|row| row.name != MOCK && !row.speaks.is_empty());
    assert_eq!(told, rows.map(|row| row.name).collect::<Vec<_>>());
}

#[test]
fn what_goes_out_and_what_comes_back() {
    let bless = std::env::var("PORTOLAN_BLESS").is_ok();
    for name in names(&folder()) {
        for case in names(&folder().join(&name)) {
            let at = folder().join(&name).join(&case);
            let file = |file: &str| fs::read_to_string(at.join(file)).unwrap_or_default();
            let (request, answer) = (file("request.http"), file("answer.http"));
            let (line, headers, body) = read_http(&request);
            let (status, answer_headers, answer_body) = read_http(&answer);
            assert_eq!(status, "HTTP/1.1 200", "{name}/{case}");
            let case_of = Case::with(only(&name), asked(line.split(' ').nth(1).unwrap()), "x", false).body(body.trim_end());
            let case_of = headers.iter().fold(case_of, |case, (name, value)| case.header(name, value));
            let mut script = Answer { status: 200, chunks: [(0, answer_body.as_bytes().to_vec())].into(), ..Answer::default() };
            script = answer_headers.iter().fold(script, |script, (name, value)| script.header(name, value));
            let dialect = case_of.plan().attempts[0].dialect;
            let run = case_of.run([script]);
            assert_eq!(run.status, 200, "{name}/{case}: {}", run.body);
            let is_stream = answer_headers.iter().any(|(name, value)| *name == "content-type" && value.contains("stream"));
            let told = serde_json::to_string_pretty(&read(dialect, is_stream, answer_body)).unwrap() + "\n";
            let sent = write_http(&run.sends[0]);
            if bless {
                fs::write(at.join("sent.http"), &sent).unwrap();
                fs::write(at.join("read.json"), &told).unwrap();
            }
            assert_eq!(sent, file("sent.http"), "{name}/{case}");
            assert_eq!(told, file("read.json"), "{name}/{case}");
        }
    }
}
