//! Names that callers choose: of models and routes, in bodies, paths and headers. None is a path, a header or a member.

use std::rc::Rc;

use portolan::{
    catalog,
    config::{self, Documents, Snapshot, secret_names},
    dialect::{
        Dialect,
        surface::{self, Line, Surface},
    },
    error::Kind,
    exchange::Sendable,
    sorted::SortedMap,
    wire::json::quoted,
};

use crate::exchange::{driver::Case, script::error, transcripts::only};

/// What is tried as a model's name, after the provider's.
const NAMES: [&str; 34] = [
    "..",
    ".",
    "...",
    "../admin",
    "x/../../admin",
    "..\\admin",
    "x\\..\\admin",
    "%2e%2e",
    "%2e%2e%2fadmin",
    "..%2fadmin",
    "%252e%252e/admin",
    "..;/admin",
    "/admin",
    "//evil.example/x",
    "https://evil.example/x",
    "@evil.example",
    ":8080/x",
    "x?key=1",
    "x#y",
    "x&y=1",
    "x;y",
    "x:generateContent",
    "x:streamGenerateContent?alt=sse#",
    "x%00",
    "x%0d%0aset-cookie:a=b",
    "x\"y",
    "x'y",
    "<script>",
    "{model}",
    "${OPENAI_API_KEY}",
    "模型",
    "__proto__",
    "constructor",
    "toString",
];

/// The URL of the first call for a body's model; `None` where the name is refused.
fn url(config: &Rc<Snapshot>, dialect: Dialect, model: &str, stream: bool) -> Option<(String, String)> {
    let text = format!(
        r#"{{"model":{},"max_tokens":9,"stream":{stream},"messages":[{{"role":"user","content":"Hello"}}]}}"#,
        quoted(model)
    );
    let case = Case::with(Rc::clone(config), dialect, "x", stream).body(&text);
    match case.try_plan() {
        Ok(_) => {
            let sent = case.run([error(400, "no", "No.")]).sends.remove(0);
            Some((sent.url, format!("{:?}", sent.headers)))
        }
        Err(error) => {
            assert!(matches!(error.kind, Kind::ModelNotFound | Kind::InvalidRequest), "{model}: {error:?}");
            None
        }
    }
}

/// Nothing of the name is more than one segment below the provider's base, at any provider.
#[test]
fn a_models_name_is_one_segment_of_a_path() {
    let mut tried = 0;
    for provider in catalog::providers().iter().filter(|row| row.name != catalog::MOCK) {
        let config = only(provider.name);
        let Some(known) = config.providers.get(provider.name) else { continue };
        for (dialect, stream) in [(Dialect::OpenAiChat, false), (Dialect::OpenAiChat, true), (Dialect::Anthropic, false)] {
            let plain = url(&config, dialect, &format!("{}/probe", provider.name), stream);
            let Some((plain, _)) = plain else { continue };
            for name in NAMES {
                // As the provider's own house and as others' models at it, which other paths are for.
                for model in [format!("{}/{name}", provider.name), format!("{}/claude-{name}", provider.name)] {
                    let Some((url, headers)) = url(&config, dialect, &model, stream) else { continue };
                    tried += 1;
                    assert!(!headers.contains("evil.example") && !headers.contains("set-cookie"), "{model}: {headers}");
                    if url.starts_with("AI.run ") {
                        continue;
                    }
                    let base = origin(&known.base_url);
                    let path = url.strip_prefix(base).unwrap_or_else(|| panic!("{model}: {url} is not at {base}"));
                    assert!(path.starts_with('/'), "{model}: {url}");
                    assert!(url.bytes().all(|b| b.is_ascii_graphic() && !b"\\\"<>{}#".contains(&b)), "{model}: {url}");
                    assert!(path.split(['/', '?']).all(|step| !matches!(step, "." | "..")), "{model}: {url}");
                    let query = |url: &str| url.split_once('?').map(|(_, query)| query.to_owned());
                    if !url.contains("claude") {
                        assert_eq!(query(&url), query(&plain), "{model}: {url}");
                        assert_eq!(steps(&url), steps(&plain), "{model}: {url}");
                    }
                }
            }
        }
    }
    assert!(tried > 500, "{tried}");
}

fn origin(url: &str) -> &str {
    let end = url.match_indices('/').nth(2).map_or(url.len(), |(at, _)| at);
    &url[..end]
}

fn steps(url: &str) -> usize {
    url.split('?').next().unwrap_or_default().matches('/').count()
}

#[test]
fn steps_up_are_no_models() {
    let config = everything();
    for name in [
        "..",
        ".",
        "../admin",
        "x/../y",
        "..\\admin",
        "%2e%2e",
        "..%2fadmin",
        "%252e%252e%252fx",
        "..;/x",
        "x\0",
        "x\ny",
        "x y",
        "",
    ] {
        for provider in ["bedrock", "google", "vertex", "openai", "workers-ai"] {
            let error = config.resolve(&format!("{provider}/{name}")).unwrap_err();
            assert!(matches!(error.kind, Kind::ModelNotFound | Kind::InvalidRequest), "{provider}/{name:?}");
        }
    }
    for name in [
        "openai/gpt..5",
        "bedrock/eu.anthropic.claude",
        "workers-ai/@cf/meta/llama",
        "openrouter/a/b:free",
        "bedrock/arn:aws:x/y",
    ] {
        assert!(config.resolve(name).is_ok(), "{name}");
    }
}

/// Gemini's callers name the model in the path, where it arrives escaped.
#[test]
fn escapes_of_a_path_are_undone_once() {
    for (path, expected) in [
        ("/v1beta/models/google%2Fgemini-2.5-pro:generateContent", "google/gemini-2.5-pro"),
        ("/v1beta/models/..%2F..%2Fadmin:generateContent", "../../admin"),
        ("/v1beta/models/%252e%252e:generateContent", "%2e%2e"),
        ("/v1beta/models/a%00b:generateContent", "a\0b"),
        ("/v1beta/models/a%0d%0ab:generateContent", "a\r\nb"),
        ("/v1beta/models/a%ff:generateContent", "a\u{fffd}"),
    ] {
        let found = surface::read(Line { method: "POST", path, query: "", headers: &[] });
        let Surface::Generate { place, .. } = found else { panic!("{path}: {found:?}") };
        assert_eq!(place.model.as_deref(), Some(expected), "{path}");
    }
}

fn everything() -> Snapshot {
    let secrets: SortedMap<_, _> =
        secret_names(&Documents::default()).into_iter().map(|name| (name, "us-east-1".to_owned())).collect();
    config::build(&Documents::default(), &secrets).unwrap()
}

/// Names that mean something to JavaScript mean nothing here: as routes, providers, models, labels.
#[test]
fn names_of_javascripts_own_are_names_like_any_other() {
    let config = everything();
    for name in ["__proto__", "constructor", "toString", "hasOwnProperty", "valueOf", "prototype", "__defineGetter__"] {
        let error = config.resolve(name).unwrap_err();
        assert_eq!(error.kind, Kind::ModelNotFound, "{name}");
        assert_eq!(config.resolve(&format!("{name}/x")).unwrap_err().kind, Kind::ModelNotFound, "{name}");
        let routes = format!(r#"{{"{name}":{{"targets":["mock/echo"]}}}}"#);
        let documents = Documents { routes: Some(routes), ..Documents::default() };
        let own = config::build(&documents, &[].into()).unwrap();
        assert!(own.resolve(name).unwrap().is_route, "{name}");
        assert!(own.resolve("constructor2").is_err());
        // A secret of that name is none: the environment is an object of JavaScript.
        let providers = format!(r#"{{"lab":{{"kind":"openai","base_url":"https://lab.example/v1","keys":["${{{name}}}"]}}}}"#);
        let documents = Documents { providers: Some(providers), ..Documents::default() };
        let off = config::build(&documents, &[].into()).unwrap();
        assert!(off.off.contains_key("lab") && !off.providers.contains_key("lab"), "{name}");
    }
}

/// No two spellings of one name: what a key is admitted to is what is called.
#[test]
fn names_are_compared_as_they_are() {
    let routes = r#"{"smart":{"targets":["mock/echo"]},"Smart":{"targets":["mock/lorem"]}}"#;
    let documents = Documents { routes: Some(routes.to_owned()), ..Documents::default() };
    let config = config::build(&documents, &[].into()).unwrap();
    for name in ["SMART", "smart ", " smart", "smart\u{200b}", "ｓｍａｒｔ", "smart\0", "sm\u{61}\u{301}rt", "smart/", "smart?x"]
    {
        assert!(config.resolve(name).is_err(), "{name:?}");
    }
    assert_ne!(config.resolve("smart").unwrap().config, config.resolve("Smart").unwrap().config);
    for odd in ["ſmart", "smart\u{301}", "a/b", "a b", "a,b", "", "a\n", "<b>", "ａ"] {
        let documents =
            Documents { routes: Some(format!(r#"{{{}:{{"targets":["mock/echo"]}}}}"#, quoted(odd))), ..Documents::default() };
        assert!(config::build(&documents, &[].into()).is_err(), "{odd:?} is no route's name");
    }
}

/// The name goes to the binding as it is, and nothing else does.
#[test]
fn the_binding_gets_a_name_and_no_path() {
    let config = only("workers-ai");
    for (name, is_fine) in
        [("@cf/meta/llama", true), ("../../accounts/x", false), ("@cf/../../x", false), ("@cf/x\r\nhost: y", false)]
    {
        let case = Case::with(Rc::clone(&config), Dialect::OpenAiChat, "x", false).body(&format!(
            r#"{{"model":{},"messages":[{{"role":"user","content":"Hello"}}]}}"#,
            quoted(&format!("workers-ai/{name}"))
        ));
        assert_eq!(case.try_plan().is_ok(), is_fine, "{name}");
    }
    let _: fn(String, Vec<_>) -> Sendable = |model, body| Sendable::WorkersAi { model, body };
}
