//! `docs/dialects.md` says of requests, providers and errors what the code does: its tables are made here.

use portolan::{
    catalog::{self, Operation},
    chat::{
        profile::Profile,
        request::{
            CacheHint, Citation, Effort, Format, Message, Part, Reasoning, Request, Role, Source, Tool, ToolCall, ToolChoice,
            ToolResult,
        },
    },
    dialect::Dialect,
    error::{Error, Kind},
};
use serde_json::{Number, Value, json};

const DOC: &str = include_str!("../docs/dialects.md");

/// Those that providers speak and that differ: Workers AI takes what OpenAI's chat takes.
const TO: [Dialect; 7] = [
    Dialect::OpenAiChat,
    Dialect::OpenAiResponses,
    Dialect::Anthropic,
    Dialect::Gemini,
    Dialect::Converse,
    Dialect::Cohere,
    Dialect::OpenAiCompletions,
];
/// Words of one dialect for something larger: told as a whole.
const WHOLE: [&str; 7] = ["json_schema", "format", "responseJsonSchema", "metadata", "requestMetadata", "textFormat", "tools"];

fn question() -> Request {
    let turn = Message { role: Role::User, parts: vec![Part::text("q")] };
    Request { model: "m".to_owned(), messages: vec![turn], max_tokens: Some(5000), ..Request::default() }
}

fn tool() -> Tool {
    let parameters = Some(json!({"type": "object", "properties": {"x": {"type": "string"}}, "required": ["x"]}));
    Tool::Function { name: "f".to_owned(), description: None, parameters, strict: None, cache: None }
}

fn equipped() -> Request {
    Request { tools: vec![tool()], ..question() }
}

fn number(text: &str) -> Option<Number> {
    text.parse().ok()
}

/// A name, a request without, and with.
fn settings() -> Vec<(&'static str, Request, Request)> {
    let word = || Some("k".to_owned());
    let schema = || json!({"type": "object", "properties": {"x": {"type": "string"}}, "required": ["x"]});
    let plain: Vec<(&str, Request)> = vec![
        ("max_tokens 5000", question()),
        ("temperature 1.5", Request { temperature: number("1.5"), ..question() }),
        ("top_p 0.9", Request { top_p: number("0.9"), ..question() }),
        ("top_k 40", Request { top_k: number("40"), ..question() }),
        ("presence_penalty 1.5", Request { presence_penalty: number("1.5"), ..question() }),
        ("frequency_penalty 0.5", Request { frequency_penalty: number("0.5"), ..question() }),
        ("seed 7", Request { seed: number("7"), ..question() }),
        ("stop, six of them", Request { stop: ["a", "b", "c", "d", "e", "f"].map(str::to_owned).to_vec(), ..question() }),
        ("n 2", Request { n: Some(2), ..question() }),
        ("logprobs, top_logprobs 2", Request { logprobs: true, top_logprobs: Some(2), ..question() }),
        ("user `k`", Request { user: word(), ..question() }),
        ("service_tier `default`", Request { service_tier: Some("default".to_owned()), ..question() }),
        ("service_tier `flex`", Request { service_tier: Some("flex".to_owned()), ..question() }),
        ("service_tier `priority`", Request { service_tier: Some("priority".to_owned()), ..question() }),
        ("verbosity `low`", Request { verbosity: Some("low".to_owned()), ..question() }),
        ("store true", Request { store: Some(true), ..question() }),
        ("metadata", Request { metadata: Some(json!({"a": "b"})), ..question() }),
        ("cache_key `k`", Request { cache_key: word(), ..question() }),
        ("modalities text, image", Request { modalities: vec!["text".to_owned(), "image".to_owned()], ..question() }),
        ("format: JSON", Request { format: Some(Format::Json), ..question() }),
        (
            "format: a schema",
            Request {
                format: Some(Format::Schema { name: None, description: None, schema: schema(), strict: None }),
                ..question()
            },
        ),
        ("reasoning off", Request { reasoning: Some(Reasoning::Off), ..question() }),
        ("reasoning, effort `medium`", Request { reasoning: Some(Reasoning::Effort(Effort::Medium)), ..question() }),
        ("reasoning, budget 3000", Request { reasoning: Some(Reasoning::Budget(3000)), ..question() }),
        ("reasoning as the model likes", Request { reasoning: Some(Reasoning::Adaptive), ..question() }),
    ];
    let with_tool: Vec<(&str, Request)> = vec![
        ("tool_choice auto", Request { tool_choice: Some(ToolChoice::Auto), ..equipped() }),
        ("tool_choice none", Request { tool_choice: Some(ToolChoice::None), ..equipped() }),
        ("tool_choice required", Request { tool_choice: Some(ToolChoice::Required), ..equipped() }),
        ("tool_choice, the one `f`", Request { tool_choice: Some(ToolChoice::Function("f".to_owned())), ..equipped() }),
        (
            "tool_choice, some of them",
            Request { tool_choice: Some(ToolChoice::Among { names: vec!["f".to_owned()], required: false }), ..equipped() },
        ),
        ("parallel_tool_calls false", Request { parallel_tool_calls: Some(false), ..equipped() }),
    ];
    let without_limit = || Request { max_tokens: None, ..question() };
    let base = |name: &str| if name.starts_with("max_tokens") { without_limit() } else { question() };
    let plain = plain.into_iter().map(|(name, with)| (name, base(name), with));
    plain.chain(with_tool.into_iter().map(|(name, with)| (name, equipped(), with))).collect()
}

/// A name and a history that holds it.
fn parts() -> Vec<(&'static str, Vec<Message>)> {
    let said = |role, part: Part| {
        let ask = Message { role: Role::User, parts: vec![Part::text("q")] };
        match role {
            Role::User => vec![Message { role, parts: vec![Part::text("q"), part] }],
            Role::Assistant | Role::System => {
                vec![ask.clone(), Message { role, parts: vec![Part::text("a"), part] }, ask]
            }
        }
    };
    let user = |part| said(Role::User, part);
    let model = |part| said(Role::Assistant, part);
    let inline = |media_type: &str| Source::Inline { media_type: media_type.to_owned(), data: "aGk=".to_owned() };
    let url = || Source::Url("https://a.example/b.png".to_owned());
    let hint = || Some(CacheHint { ttl: None });
    let call = || ToolCall { id: "c1".to_owned(), name: "f".to_owned(), ..ToolCall::default() };
    let called = |result: ToolResult| {
        let mut all = said(Role::User, Part::text("q"));
        all.push(Message { role: Role::Assistant, parts: vec![Part::ToolCall(call())] });
        all.push(Message { role: Role::User, parts: vec![Part::ToolResult(result)] });
        all
    };
    let result = |parts, is_error| ToolResult { id: "c1".to_owned(), name: "f".to_owned(), parts, is_error, cache: None };
    let image = |source| Part::Image { source, detail: None, cache: None };
    let file = |media_type| Part::File { source: inline(media_type), name: None, cache: None };
    let citation = Citation { url: Some("https://a.example".to_owned()), ..Citation::default() };
    vec![
        ("a text marked for the cache", user(Part::Text { text: "t".to_owned(), cache: hint(), citations: vec![] })),
        ("an instruction in the middle", said(Role::System, Part::text("i"))),
        ("an image, inline", user(image(inline("image/png")))),
        ("an image by its URL", user(image(url()))),
        ("an image's detail", user(Part::Image { source: inline("image/png"), detail: Some("high".to_owned()), cache: None })),
        ("a PDF, inline", user(file("application/pdf"))),
        ("a text file, inline", user(file("text/plain"))),
        ("sound, inline", user(Part::Audio { source: inline("audio/wav"), transcript: None })),
        ("a film, inline", user(Part::Video { source: inline("video/mp4"), fps: None })),
        ("thoughts without a proof", model(Part::Reasoning { text: "t".to_owned(), signature: None })),
        ("a refusal", model(Part::Refusal { text: "no".to_owned() })),
        ("cited text of the model", model(Part::Text { text: "t".to_owned(), cache: None, citations: vec![citation] })),
        ("an image the model made", model(image(inline("image/png")))),
        ("a call and its result", called(result(vec![Part::text("r")], false))),
        ("a result that is an error", called(result(vec![Part::text("r")], true))),
        ("a result with an image", called(result(vec![Part::text("r"), image(inline("image/png"))], false))),
    ]
}

fn told(value: &Value) -> String {
    match value {
        Value::String(text) if text.len() < 20 => format!(" {text}"),
        Value::Bool(_) | Value::Number(_) => format!(" {value}"),
        Value::Array(items) if items.iter().all(Value::is_string) => {
            let words: Vec<&str> = items.iter().filter_map(Value::as_str).collect();
            format!(" {}", words.join(" "))
        }
        Value::Null | Value::String(_) | Value::Array(_) | Value::Object(_) => String::new(),
    }
}

/// What stands in `new` and not in `base`.
fn added(base: Option<&Value>, new: &Value, path: &str, out: &mut Vec<String>) {
    if base == Some(new) {
        return;
    }
    let name = path.rsplit('.').next().unwrap_or_default();
    match new.as_object().filter(|members| !WHOLE.contains(&name) && !members.is_empty()) {
        Some(members) => {
            for (key, value) in members {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                added(base.and_then(|base| base.get(key)), value, &path, out);
            }
        }
        None if path == "stream_options" => {}
        None => out.push(format!("`{path}{}`", told(new))),
    }
}

fn cell(to: Dialect, base: &Request, with: &Request) -> String {
    let write = |request: &Request| to.upstream().write_request(request, &Profile::DEFAULT);
    let (base, with) = (write(base), write(with));
    let value = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    let mut out = vec![];
    added(Some(&value(&base.value)), &value(&with.value), "", &mut out);
    let lost: Vec<String> =
        with.dropped.iter().filter(|path| !base.dropped.contains(path)).map(|path| format!("**{path}**")).collect();
    out.extend(lost);
    if out.is_empty() { "(not said)".to_owned() } else { out.join(", ") }
}

fn part_cell(to: Dialect, messages: &[Message]) -> String {
    let request = Request { messages: messages.to_vec(), ..equipped() };
    let written = to.upstream().write_request(&request, &Profile::DEFAULT);
    // What Completions loses of any request with a tool is in the other table.
    let lost: Vec<String> =
        written.dropped.iter().filter(|path| path.starts_with("messages")).map(|path| format!("**{path}**")).collect();
    if lost.is_empty() { "yes".to_owned() } else { lost.join(", ") }
}

fn row(name: &str, cells: impl Iterator<Item = String>) -> String {
    let cells: Vec<String> = cells.collect();
    format!("| {name} | {} |", cells.join(" | "))
}

fn names(dialects: &[Dialect]) -> String {
    let names: Vec<&str> = dialects.iter().map(|dialect| dialect.name()).collect();
    names.join(", ")
}

fn provider_rows() -> impl Iterator<Item = String> {
    catalog::providers().iter().map(|provider| {
        let by_model: Vec<String> =
            provider.models.iter().map(|(pattern, dialects)| format!("`{pattern}`: {}", names(dialects))).collect();
        let speaks = if provider.speaks.is_empty() { "no chat".to_owned() } else { names(provider.speaks) };
        let offered = Operation::ALL.into_iter().filter(|operation| catalog::operation(provider.name, *operation).is_some());
        let offered: Vec<&str> = offered.map(Operation::name).collect();
        row(&format!("`{}`", provider.name), [speaks, by_model.join("; "), offered.join(", ")].into_iter())
    })
}

/// OpenAI's exception of a status, as its Python SDK has it; 4xx without a class of their own are `APIStatusError`.
const fn openai_class(status: u16) -> &'static str {
    match status {
        400 => "BadRequestError",
        401 => "AuthenticationError",
        403 => "PermissionDeniedError",
        404 => "NotFoundError",
        429 => "RateLimitError",
        500.. => "InternalServerError",
        _ => "APIStatusError",
    }
}

fn error_row(kind: Kind) -> String {
    let error = Error::new(kind, "m");
    let said = |dialect: Dialect| serde_json::from_str::<Value>(&dialect.caller().unwrap().write_error(&error, "id")).unwrap();
    let (openai, anthropic, gemini) = (said(Dialect::OpenAiChat), said(Dialect::Anthropic), said(Dialect::Gemini));
    let word = |value: &Value| value.as_str().map_or_else(|| "null".to_owned(), str::to_owned);
    let status = error.status;
    row(
        &format!("{kind:?}"),
        [
            status.to_string(),
            format!("{} / {}", word(&openai["error"]["type"]), word(&openai["error"]["code"])),
            openai_class(status).to_owned(),
            word(&anthropic["error"]["type"]),
            word(&gemini["error"]["status"]),
        ]
        .into_iter(),
    )
}

const KINDS: [Kind; 15] = [
    Kind::InvalidRequest,
    Kind::ContextTooLong,
    Kind::ContentFiltered,
    Kind::Unauthenticated,
    Kind::Forbidden,
    Kind::NotFound,
    Kind::ModelNotFound,
    Kind::MethodNotAllowed,
    Kind::TooLarge,
    Kind::UpgradeRequired,
    Kind::RateLimited,
    Kind::Internal,
    Kind::BadGateway,
    Kind::Unavailable,
    Kind::Timeout,
];

#[test]
fn the_tables_of_the_documentation_say_what_the_code_does() {
    let of_settings = settings().into_iter().map(|(name, base, with)| row(name, TO.into_iter().map(|to| cell(to, &base, &with))));
    let of_parts = parts().into_iter().map(|(name, messages)| row(name, TO.into_iter().map(|to| part_cell(to, &messages))));
    let all = of_settings.chain(of_parts).chain(provider_rows()).chain(KINDS.into_iter().map(error_row));
    let missing: Vec<String> = all.filter(|row| !DOC.contains(row)).collect();
    assert!(missing.is_empty(), "docs/dialects.md lacks:\n{}", missing.join("\n"));
}
