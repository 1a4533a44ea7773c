//! What is asked for: method, path and headers to a surface.

use portolan::dialect::{
    Dialect::{self, Anthropic, Gemini, OpenAiChat, OpenAiCompletions, OpenAiResponses},
    Endpoint,
    surface::{
        Kept, Line,
        Operation::{CountTokens, Embed, Image, Moderate, Rerank, Video},
        Place,
        Surface::{self, Admin, Hello, Live, Metrics, Models, Preflight, Ready, Root, Unknown, Upgrade, WrongMethod},
        read,
    },
};

fn at(method: &str, target: &str, headers: &[&str]) -> Surface {
    let headers: Vec<_> = headers.iter().map(|name| ((*name).to_owned(), "x".to_owned())).collect();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    read(Line { method, path, query, headers: &headers })
}

const fn generate(dialect: Dialect) -> Surface {
    Surface::Generate { dialect, place: Place { model: None, stream: false, array: false } }
}

fn models(dialect: Dialect, id: &str) -> Surface {
    Models { dialect, id: (!id.is_empty()).then(|| id.to_owned()) }
}

#[test]
fn every_path_says_what_is_asked_and_in_which_dialect() {
    const VERSION: &[&str] = &["anthropic-version"];
    let admin = |path: &str| Admin(path.to_owned());
    for (method, path, headers, expected) in [
        // Base URLs are entered with and without a version, and with the provider's own.
        ("POST", "/v1/chat/completions", &[][..], generate(OpenAiChat)),
        ("POST", "/chat/completions", &[], generate(OpenAiChat)),
        ("POST", "/api/v3/chat/completions", &[], generate(OpenAiChat)),
        ("POST", "/openai/v1/chat/completions", &[], generate(OpenAiChat)),
        ("POST", "/openai/chat/completions", &[], generate(OpenAiChat)),
        ("POST", "/v1/chat/completions/", &[], generate(OpenAiChat)),
        ("POST", "/v1/messages", &[], generate(Anthropic)),
        ("POST", "/v1/messages", VERSION, generate(Anthropic)),
        ("POST", "/messages", &[], generate(Anthropic)),
        ("POST", "/anthropic/v1/messages", &[], generate(Anthropic)),
        // The path decides over a header.
        ("POST", "/v1/chat/completions", VERSION, generate(OpenAiChat)),
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
        ("GET", "/metrics", &[], Metrics),
        ("HEAD", "/metrics", &[], Metrics),
        ("POST", "/metrics", &[], Unknown(Dialect::OpenAiChat)),
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
        ("GET", "//", &[], Root),
        ("POST", "//v1/chat/completions", &[], generate(OpenAiChat)),
        ("GET", "//admin/v1/config", &[], admin("/config")),
        ("POST", "/v1/responses", &[], generate(OpenAiResponses)),
        ("POST", "/responses", &[], generate(OpenAiResponses)),
        ("POST", "/openai/v1/responses", &[], generate(OpenAiResponses)),
        ("POST", "/v1/completions", &[], generate(OpenAiCompletions)),
        // Google's key says whose list is wanted, and the prefix does.
        ("GET", "/v1beta/models", &["x-goog-api-key"], models(Gemini, "")),
        ("GET", "/v1/models?key=pk", &[], models(Gemini, "")),
        ("GET", "/gemini/v1beta/models/gemini-2.5-pro", &[], models(Gemini, "gemini-2.5-pro")),
        ("GET", "/v1/responses/resp_1", &[], stored("resp_1", "")),
        ("DELETE", "/responses/resp_1", &[], stored("resp_1", "")),
        ("GET", "/v1/responses/resp_1/input_items", &[], stored("resp_1", "/input_items")),
        ("POST", "/v1/responses/resp_1/cancel", &[], stored("resp_1", "/cancel")),
        ("POST", "/v1/responses/resp_1", &[], WrongMethod { dialect: OpenAiResponses, allowed: "GET, DELETE" }),
        ("GET", "/v1/videos/video_1", &[], video("video_1", "")),
        ("GET", "/v1/videos/video_1/content?variant=video", &[], video("video_1", "/content")),
        ("POST", "/v1/videos/video_1/content", &[], WrongMethod { dialect: OpenAiChat, allowed: "GET" }),
        ("GET", "/v1/responses/resp_1/else", &[], Unknown(OpenAiResponses)),
        ("POST", "/passthrough/openai/v1/fine_tuning/jobs", &[], passthrough("openai", "/v1/fine_tuning/jobs")),
        ("GET", "/passthrough/my-lab/a%2Fb", &[], passthrough("my-lab", "/a%2Fb")),
        ("GET", "/passthrough/openai", &[], Unknown(OpenAiChat)),
    ] {
        assert_eq!(at(method, path, headers), expected, "{method} {path} {headers:?}");
    }
}

fn stored(id: &str, rest: &str) -> Surface {
    Surface::Stored { what: Kept::Responses, id: id.to_owned(), rest: rest.to_owned() }
}

fn video(id: &str, rest: &str) -> Surface {
    Surface::Stored { what: Kept::Videos, id: id.to_owned(), rest: rest.to_owned() }
}

fn passthrough(provider: &str, path: &str) -> Surface {
    Surface::Passthrough { provider: provider.to_owned(), path: path.to_owned() }
}

#[test]
fn gemini_says_model_and_verb_in_the_path() {
    let place = |model: &str| Place { model: Some(model.to_owned()), ..Place::default() };
    let generate = |place| Surface::Generate { dialect: Gemini, place };
    let operate = |operation, place| Surface::Operate { operation, dialect: Gemini, place };
    let flash = || place("gemini-2.5-flash");
    for (path, expected) in [
        ("/v1beta/models/gemini-2.5-flash:generateContent", generate(flash())),
        ("/v1/models/gemini-2.5-flash:generateContent", generate(flash())),
        ("/models/gemini-2.5-flash:generateContent", generate(flash())),
        ("/gemini/v1beta/models/gemini-2.5-flash:generateContent", generate(flash())),
        ("/genai/v1/models/gemini-2.5-flash:generateContent?key=k", generate(flash())),
        ("/v1beta/models/anthropic%2Fclaude-opus-4-6:generateContent", generate(place("anthropic/claude-opus-4-6"))),
        ("/v1beta/models/anthropic/claude-opus-4-6:generateContent", generate(place("anthropic/claude-opus-4-6"))),
        ("/v1beta/anthropic/claude-opus-4-6:generateContent", generate(place("anthropic/claude-opus-4-6"))),
        // Bedrock's names have a colon of their own.
        ("/v1beta/models/bedrock/x.y-v1:0:generateContent", generate(place("bedrock/x.y-v1:0"))),
        ("/v1beta1/projects/p/locations/global/publishers/google/models/gemini-2.5-flash:generateContent", generate(flash())),
        ("/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse", generate(Place { stream: true, ..flash() })),
        ("/v1beta/models/gemini-2.5-flash:streamGenerateContent?key=k", generate(Place { stream: true, array: true, ..flash() })),
        ("/v1beta/models/gemini-2.5-flash:countTokens", operate(CountTokens, flash())),
        ("/v1beta/models/gemini-embedding-001:embedContent", operate(Embed, place("gemini-embedding-001"))),
        ("/v1/models/gemini-embedding-001:batchEmbedContents", operate(Embed, place("gemini-embedding-001"))),
        ("/v1beta/models/gemini-2.5-flash:dance", WrongMethod { dialect: Gemini, allowed: "GET" }),
        // Named by nobody: whoever reads the request says so.
        ("/v1beta/models/:generateContent", generate(place(""))),
    ] {
        assert_eq!(at("POST", path, &[]), expected, "{path}");
    }
    assert_eq!(at("GET", "/v1beta/models/m:generateContent", &[]), WrongMethod { dialect: Gemini, allowed: "POST" });
}

#[test]
fn operations_have_paths_of_their_own() {
    for (path, operation, dialect) in [
        ("/v1/messages/count_tokens", CountTokens, Anthropic),
        ("/anthropic/v1/messages/count_tokens", CountTokens, Anthropic),
        ("/v1/responses/input_tokens", CountTokens, OpenAiResponses),
        ("/v1/embeddings", Embed, OpenAiChat),
        ("/embeddings", Embed, OpenAiChat),
        ("/v1/moderations", Moderate, OpenAiChat),
        ("/v1/rerank", Rerank, OpenAiChat),
        ("/v2/rerank", Rerank, OpenAiChat),
        ("/v1/images/generations", Image, OpenAiChat),
        ("/v1/videos", Video, OpenAiChat),
    ] {
        assert_eq!(at("POST", path, &[]), Surface::Operate { operation, dialect, place: Place::default() }, "{path}");
        assert_eq!(at("GET", path, &[]), WrongMethod { dialect, allowed: "POST" }, "{path}");
    }
}

/// Whose client, what it posts to, and whose words it is answered in.
#[test]
fn what_real_clients_call_is_there() {
    const ANTHROPIC: &[&str] = &["anthropic-version"];
    const GOOGLE: &[&str] = &["x-goog-api-key"];
    const MODEL: &str = "gemini-2.5-flash";
    let operate = |operation, dialect| Surface::Operate { operation, dialect, place: Place::default() };
    let place = |stream, array| Place { model: Some(MODEL.to_owned()), stream, array };
    let google = |stream, array| Surface::Generate { dialect: Gemini, place: place(stream, array) };
    let ask = |operation| Surface::Operate { operation, dialect: Gemini, place: place(false, false) };
    let mut rows = vec![
        ("POST", "/v1/chat/completions".to_owned(), &[][..], generate(OpenAiChat)),
        ("POST", "/v1/responses".to_owned(), &[], generate(OpenAiResponses)),
        // Codex and Copilot try a socket first, and go on without one.
        ("GET", "/v1/responses".to_owned(), &["upgrade"], Upgrade(OpenAiChat)),
        ("POST", "/v1/embeddings".to_owned(), &[], operate(Embed, OpenAiChat)),
        ("POST", "/v1/messages".to_owned(), ANTHROPIC, generate(Anthropic)),
        ("POST", "/v1/messages?beta=true".to_owned(), ANTHROPIC, generate(Anthropic)),
        ("POST", "/v1/messages/count_tokens".to_owned(), ANTHROPIC, operate(CountTokens, Anthropic)),
        ("POST", "/v1/messages/count_tokens?beta=true".to_owned(), ANTHROPIC, operate(CountTokens, Anthropic)),
        // One path, three lists.
        ("GET", "/v1/models".to_owned(), &[], models(OpenAiChat, "")),
        ("GET", "/v1/models?limit=1000".to_owned(), ANTHROPIC, models(Anthropic, "")),
        ("GET", "/v1/models".to_owned(), GOOGLE, models(Gemini, "")),
        ("GET", "/v1beta/models?pageSize=50&key=k".to_owned(), &[], models(Gemini, "")),
        ("GET", format!("/v1/models/{MODEL}"), &[], models(OpenAiChat, MODEL)),
        ("GET", format!("/v1/models/{MODEL}"), ANTHROPIC, models(Anthropic, MODEL)),
        ("GET", format!("/v1/models/{MODEL}"), GOOGLE, models(Gemini, MODEL)),
        ("GET", format!("/v1beta/models/{MODEL}"), GOOGLE, models(Gemini, MODEL)),
        ("HEAD", "/api/hello".to_owned(), &[], Hello),
        // Base URLs entered without a version.
        ("POST", "/chat/completions".to_owned(), &[], generate(OpenAiChat)),
        ("POST", "/responses".to_owned(), &[], generate(OpenAiResponses)),
        ("POST", "/embeddings".to_owned(), &[], operate(Embed, OpenAiChat)),
        ("POST", "/messages".to_owned(), ANTHROPIC, generate(Anthropic)),
        ("GET", "/models".to_owned(), &[], models(OpenAiChat, "")),
        // Good to have.
        ("POST", "/v1/completions".to_owned(), &[], generate(OpenAiCompletions)),
        ("OPTIONS", "/v1/messages".to_owned(), &[], Preflight),
    ];
    // Google's SDKs say `v1` since their third version; aichat neither asks for events nor sends a header.
    for version in ["/v1beta", "/v1", ""] {
        let at = |verb: &str| format!("{version}/models/{MODEL}:{verb}");
        rows.push(("POST", at("generateContent"), GOOGLE, google(false, false)));
        rows.push(("POST", at("generateContent?key=k"), &[], google(false, false)));
        rows.push(("POST", at("streamGenerateContent?alt=sse"), GOOGLE, google(true, false)));
        rows.push(("POST", at("streamGenerateContent?key=k"), &[], google(true, true)));
        rows.push(("POST", at("countTokens"), GOOGLE, ask(CountTokens)));
        rows.push(("POST", at("embedContent"), GOOGLE, ask(Embed)));
        rows.push(("POST", at("batchEmbedContents"), GOOGLE, ask(Embed)));
    }
    for (method, target, headers, expected) in rows {
        assert_eq!(at(method, &target, headers), expected, "{method} {target} {headers:?}");
    }
}

#[test]
fn every_door_is_found_by_a_path() {
    let mut found: Vec<&str> = vec![];
    for (method, path, expected) in [
        ("POST", "/v1/chat/completions", Some("chat")),
        ("POST", "/v1/responses", Some("responses")),
        ("POST", "/v1/completions", Some("completions")),
        ("POST", "/v1/messages", Some("messages")),
        ("POST", "/v1beta/models/gemini-2.5-pro:streamGenerateContent", Some("generate_content")),
        ("POST", "/v1/embeddings", Some("embeddings")),
        ("POST", "/v1/rerank", Some("rerank")),
        ("POST", "/v1/moderations", Some("moderations")),
        ("POST", "/v1/messages/count_tokens", Some("count_tokens")),
        ("POST", "/v1/images/generations", Some("images")),
        ("POST", "/v1/videos", Some("videos")),
        ("GET", "/v1/models", Some("models")),
        ("POST", "/passthrough/openai/v1/files", Some("passthrough")),
        ("GET", "/v1/responses/resp_1", Some("stored")),
        ("GET", "/v1/videos/video_1/content", Some("stored")),
        ("GET", "/livez", None),
        ("GET", "/admin/v1/keys", None),
        ("GET", "/v1/chat/completions", None),
    ] {
        let endpoint = at(method, path, &[]).endpoint().map(Endpoint::name);
        assert_eq!(endpoint, expected, "{method} {path}");
        found.extend(endpoint);
    }
    assert!(Endpoint::ALL.iter().all(|endpoint| found.contains(&endpoint.name())), "{found:?}");
}
