//! What is asked for: method, path and headers to a surface.

use portolan::dialect::{
    Dialect::{Anthropic, OpenAiChat, OpenAiCompletions},
    surface::{
        Surface::{self, Admin, Generate, Hello, Live, Models, Preflight, Ready, Root, Unknown, Upgrade, WrongMethod},
        read,
    },
};

fn at(method: &str, path: &str, headers: &[&str]) -> Surface {
    let headers: Vec<_> = headers.iter().map(|name| ((*name).to_owned(), "x".to_owned())).collect();
    read(method, path, &headers)
}

fn models(dialect: portolan::dialect::Dialect, id: &str) -> Surface {
    Models { dialect, id: (!id.is_empty()).then(|| id.to_owned()) }
}

#[test]
fn every_path_says_what_is_asked_and_in_which_dialect() {
    const VERSION: &[&str] = &["anthropic-version"];
    let admin = |path: &str| Admin(path.to_owned());
    for (method, path, headers, expected) in [
        // Base URLs are entered with and without a version, and with the provider's own.
        ("POST", "/v1/chat/completions", &[][..], Generate(OpenAiChat)),
        ("POST", "/chat/completions", &[], Generate(OpenAiChat)),
        ("POST", "/api/v3/chat/completions", &[], Generate(OpenAiChat)),
        ("POST", "/openai/v1/chat/completions", &[], Generate(OpenAiChat)),
        ("POST", "/openai/chat/completions", &[], Generate(OpenAiChat)),
        ("POST", "/v1/chat/completions/", &[], Generate(OpenAiChat)),
        ("POST", "/v1/completions", &[], Generate(OpenAiCompletions)),
        ("GET", "/openai/v1/completions", &[], WrongMethod { dialect: OpenAiCompletions, allowed: "POST" }),
        ("POST", "/v1/messages", &[], Generate(Anthropic)),
        ("POST", "/v1/messages", VERSION, Generate(Anthropic)),
        ("POST", "/messages", &[], Generate(Anthropic)),
        ("POST", "/anthropic/v1/messages", &[], Generate(Anthropic)),
        // The path decides over a header.
        ("POST", "/v1/chat/completions", VERSION, Generate(OpenAiChat)),
        ("GET", "/v1/chat/completions", &[], WrongMethod { dialect: OpenAiChat, allowed: "POST" }),
        ("DELETE", "/v1/messages", VERSION, WrongMethod { dialect: Anthropic, allowed: "POST" }),
        ("GET", "/v1/models", &[], models(OpenAiChat, "")),
        ("GET", "/v1/models/", &[], models(OpenAiChat, "")),
        ("GET", "/models", &[], models(OpenAiChat, "")),
        ("GET", "/v1/models", VERSION, models(Anthropic, "")),
        ("GET", "/anthropic/v1/models", &[], models(Anthropic, "")),
        ("GET", "/openai/v1/models", VERSION, models(OpenAiChat, "")),
        ("GET", "/v1/models/openai/gpt-5.4", &[], models(OpenAiChat, "openai/gpt-5.4")),
        // SDKs write a slash inside a name so.
        ("GET", "/v1/models/openai%2Fgpt-5.4", &[], models(OpenAiChat, "openai/gpt-5.4")),
        ("GET", "/v1/models/mock%2fflaky%3Ffail=503", VERSION, models(Anthropic, "mock/flaky?fail=503")),
        ("GET", "/v1/models/100%", &[], models(OpenAiChat, "100%")),
        ("POST", "/v1/models", &[], WrongMethod { dialect: OpenAiChat, allowed: "GET" }),
        ("GET", "/", &[], Root),
        ("HEAD", "/", &[], Root),
        ("GET", "/anthropic/", &[], Root),
        ("GET", "/livez", &[], Live),
        ("HEAD", "/livez", &[], Live),
        ("GET", "/readyz", &[], Ready),
        ("POST", "/api/hello", &[], Hello),
        ("HEAD", "/anthropic/api/hello", &[], Hello),
        ("OPTIONS", "/v1/chat/completions", &[], Preflight),
        ("OPTIONS", "/", &[], Preflight),
        ("GET", "/admin/v1/config", &[], admin("/config")),
        ("PUT", "/admin/v1/config/routes", &[], admin("/config/routes")),
        ("GET", "/admin/v1", &[], admin("")),
        ("GET", "/admin/v10/config", &[], Unknown(OpenAiChat)),
        ("GET", "/admin/v1config", &[], Unknown(OpenAiChat)),
        ("GET", "/v1/chat/completions", &["upgrade"], Upgrade(OpenAiChat)),
        ("GET", "/v1/responses", &["upgrade"], Upgrade(OpenAiChat)),
        ("GET", "/anthropic/v1/x", &["upgrade"], Upgrade(Anthropic)),
        ("POST", "/v1/nothing", &[], Unknown(OpenAiChat)),
        ("POST", "/v1/nothing", VERSION, Unknown(Anthropic)),
        ("POST", "/v1", &[], Unknown(OpenAiChat)),
        ("POST", "/", &[], Unknown(OpenAiChat)),
        ("POST", "/v1/chat/completions/x", &[], Unknown(OpenAiChat)),
        ("POST", "/v1/v1/messages", &[], Unknown(OpenAiChat)),
        ("POST", "/anthropical/v1/messages", &[], Unknown(OpenAiChat)),
        ("GET", "", &[], Unknown(OpenAiChat)),
        ("GET", "//", &[], Unknown(OpenAiChat)),
    ] {
        assert_eq!(at(method, path, headers), expected, "{method} {path} {headers:?}");
    }
}
