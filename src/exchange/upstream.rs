//! Attempt + body → the call to a provider: where, with which credential, edited or translated.

use super::{
    Call, Task,
    authority::{self, Authority, Sign, Subject},
    hosting, operate, retention,
};
use crate::{
    catalog::{self, Hosting, MOCK, Quirk},
    config::{self, Snapshot},
    dialect::Dialect,
    error::{Error, Kind},
    mock::{self, Script},
    plan::{
        Attempt, seed,
        wishes::{OTHER_MODELS, PROVIDER},
    },
    units::Millis,
    wire::{
        json::{self, Edit, Outline, Piece},
        sigv4,
    },
};

/// What is sent, and to whom.
pub enum Sendable {
    Http {
        url: String,
        headers: Vec<(String, String)>,
        body: Vec<Piece>,
        sign: Option<Sign>,
    },
    /// For the Worker's binding to Workers AI.
    WorkersAi {
        model: String,
        body: Vec<Piece>,
    },
    /// The built-in provider's answer.
    Script(Script),
}

/// A caller's headers that a provider of the same dialect must see.
const fn carried(dialect: Dialect) -> &'static [&'static str] {
    match dialect {
        Dialect::OpenAiChat | Dialect::OpenAiResponses | Dialect::OpenAiCompletions => &["openai-beta"],
        Dialect::Anthropic => &["anthropic-version", "anthropic-beta"],
        Dialect::Gemini | Dialect::Converse | Dialect::Cohere | Dialect::WorkersAi => &[],
    }
}

pub struct Built {
    pub target: Sendable,
    pub dropped: Vec<String>,
}

/// `tries`: how many there were before.
pub fn build(
    call: &Call,
    attempt: &Attempt,
    credential: usize,
    config: &Snapshot,
    (tries, now): (usize, Millis),
) -> Result<Built, Error> {
    let provider = config.providers.get(&attempt.provider).ok_or_else(|| gone(&attempt.provider))?;
    if provider.kind.name == MOCK {
        let body = std::str::from_utf8(&call.body).unwrap_or_default();
        // A second try must be able to end differently.
        let script = mock::answer(
            call.caller,
            &attempt.model,
            (body, &call.facts),
            seed::fold(call.seed, &format!("try {tries}")),
            call.started.0 / 1000,
        );
        return Ok(Built { target: Sendable::Script(script), dropped: vec![] });
    }
    if let (Task::Operate(operation), Some(endpoint)) = (call.task, attempt.endpoint) {
        let mut sent = operate::write(operation, call, (endpoint, &attempt.model))?;
        if attempt.zdr {
            sent.body = retention::seal(call, attempt, provider, sent.body, &mut sent.dropped)?;
        }
        let url = format!("{}{}", provider.base_url, sent.path);
        let target = addressed(call, attempt, (provider, credential), (url, sent.body), now);
        return Ok(Built { target, dropped: sent.dropped });
    }
    let (mut body, mut dropped) =
        if call.is_verbatim(attempt) { edit(call, attempt, provider)? } else { translate(call, attempt, provider)? };
    if attempt.zdr {
        body = retention::seal(call, attempt, provider, body, &mut dropped)?;
    }
    let hosting = provider.kind.hosting;
    if hosting == Hosting::WorkersAi {
        return Ok(Built { target: Sendable::WorkersAi { model: attempt.model.clone(), body }, dropped });
    }
    let url = format!("{}{}", provider.base_of(attempt.dialect), hosting::path(hosting, attempt, call.facts.stream));
    Ok(Built { target: addressed(call, attempt, (provider, credential), (url, body), now), dropped })
}

/// A call with its headers and its credential.
fn addressed(
    call: &Call,
    attempt: &Attempt,
    (provider, credential): (&config::Provider, usize),
    (url, body): (String, Vec<Piece>),
    now: Millis,
) -> Sendable {
    let index = attempt.credentials.get(credential).copied().unwrap_or_default();
    let digest = if authority::signs_bodies(provider, index) {
        sigv4::body_digest(body.iter().map(|piece| bytes(piece, &call.body)))
    } else {
        String::new()
    };
    let subject = Subject { method: "POST", url: &url, body_sha256: &digest };
    let Authority { headers: proof, sign } = authority::authorize(provider, index, subject, now);
    let mut headers = headers(call, attempt, provider);
    headers.extend(proof);
    Sendable::Http { url, headers, body, sign }
}

fn bytes<'a>(piece: &'a Piece, original: &'a [u8]) -> &'a [u8] {
    match piece {
        Piece::Kept(range) => original.get(range.clone()).unwrap_or_default(),
        Piece::New(text) => text.as_bytes(),
    }
}

/// What the provider wants different, and what of the body is lost thereby.
fn adapt(call: &Call, attempt: &Attempt, provider: &config::Provider, body: &Outline<'_>) -> (Vec<Edit>, Vec<String>) {
    let mut edits = vec![];
    let mut dropped = vec![];
    if matches!(attempt.dialect, Dialect::OpenAiChat | Dialect::WorkersAi) {
        edits = catalog::edits(provider.kind.quirks, body);
        dropped.extend(provider.kind.quirks.iter().filter_map(|quirk| match quirk {
            // How a stream reports is no loss.
            Quirk::Remove("stream_options") | Quirk::Rename(..) | Quirk::Flag(..) => None,
            Quirk::Remove(key) => body.get(key).map(|_| (*key).to_owned()),
        }));
    }
    edits.extend(hosting::edits(provider.kind.hosting, attempt, call));
    edits.extend(attempt.edits.iter().cloned());
    (edits, dropped)
}

/// Whose own word for the routing `provider` is.
const OPENROUTER: &str = "openrouter";

/// What a caller says of the routing, and what is not the provider's to see: further models (a key is admitted to each it
/// names here, and to none behind that), and OpenRouter's `provider` anywhere else.
fn is_for_routing(name: &str, text: &str, provider: &config::Provider) -> bool {
    name != PROVIDER || (text.starts_with('{') && provider.kind.name != OPENROUTER)
}

fn edit(call: &Call, attempt: &Attempt, provider: &config::Provider) -> Result<(Vec<Piece>, Vec<String>), Error> {
    let outline = Outline::read(&call.body)?;
    let report_usage = call.facts.stream && !call.facts.wants_usage;
    let upstream = attempt.dialect.upstream();
    let mut edits = upstream.edits(&outline, &attempt.model, report_usage);
    edits.extend(upstream.repairs(&outline, &attempt.profile));
    let routing = OTHER_MODELS.into_iter().chain([PROVIDER]);
    let is_there = |name: &&str| outline.get(name).is_some_and(|text| is_for_routing(name, text, provider));
    let others: Vec<&'static str> = routing.filter(is_there).collect();
    edits.extend(others.iter().map(|name| Edit::Remove((*name).into())));
    let (more, mut dropped) = adapt(call, attempt, provider, &outline);
    edits.extend(more);
    dropped.extend(others.into_iter().map(str::to_owned));
    Ok((outline.edit(&edits), dropped))
}

fn translate(call: &Call, attempt: &Attempt, provider: &config::Provider) -> Result<(Vec<Piece>, Vec<String>), Error> {
    let text = std::str::from_utf8(&call.body).unwrap_or_default();
    let read = call.caller.read_request(text)?;
    let mut request = read.value;
    request.model.clone_from(&attempt.model);
    // Gemini says it in the path.
    request.stream = call.facts.stream;
    let written = attempt.dialect.upstream().write_request(&request, &attempt.profile);
    let mut dropped = read.dropped;
    dropped.extend(written.dropped.iter().map(|path| call.caller.spelled(path)));
    let outline = Outline::read(written.value.as_bytes())?;
    let (edits, more) = adapt(call, attempt, provider, &outline);
    dropped.extend(more);
    let mut seen = vec![];
    dropped.retain(|path| {
        !seen.contains(path) && {
            seen.push(path.clone());
            true
        }
    });
    let body = if edits.is_empty() { written.value } else { json::join(&written.value, &outline.edit(&edits)) };
    Ok((vec![Piece::New(body)], dropped))
}

fn headers(call: &Call, attempt: &Attempt, provider: &config::Provider) -> Vec<(String, String)> {
    let accept = match (call.facts.stream, provider.kind.hosting) {
        (false, _) => "application/json",
        (true, Hosting::Bedrock) => "application/vnd.amazon.eventstream",
        (true, Hosting::Plain | Hosting::Vertex | Hosting::WorkersAi) => "text/event-stream",
    };
    // A form's boundary stands in its type.
    let content_type = call.content_type();
    let mut headers = vec![
        ("content-type".to_owned(), content_type.to_owned()),
        ("accept".to_owned(), accept.to_owned()),
        ("accept-encoding".to_owned(), "identity".to_owned()),
        ("user-agent".to_owned(), concat!("portolan/", env!("CARGO_PKG_VERSION")).to_owned()),
    ];
    if attempt.dialect == call.dialect && hosting::carries(provider.kind.hosting) {
        let carried = carried(call.dialect).iter().filter_map(|name| Some(((*name).to_owned(), call.header(name)?.to_owned())));
        headers.extend(carried);
    }
    let is_anthropic = attempt.dialect == Dialect::Anthropic && provider.kind.hosting == Hosting::Plain;
    let required = is_anthropic.then_some(&catalog::ANTHROPIC_VERSION);
    for (name, value) in provider.kind.headers.iter().chain(required) {
        if !headers.iter().any(|(n, _)| n == name) {
            headers.push(((*name).to_owned(), (*value).to_owned()));
        }
    }
    headers
}

fn gone(provider: &str) -> Error {
    Error::new(Kind::Internal, format!("Provider `{provider}` is planned but not configured."))
}
