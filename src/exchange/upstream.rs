//! Attempt + body → the call to a provider: where, with which credential, edited or translated.

use super::{Call, Sendable};
use crate::{
    catalog::{self, Auth},
    config::{self, Snapshot},
    dialect::Dialect,
    error::{Error, Kind},
    mock,
    plan::{Attempt, seed},
    wire::json::{self, Edit, Outline, Piece},
};

/// A caller's headers that a provider of the same dialect must see.
const fn carried(dialect: Dialect) -> &'static [&'static str] {
    match dialect {
        Dialect::OpenAiChat | Dialect::OpenAiResponses | Dialect::OpenAiCompletions => &["openai-beta"],
        Dialect::Anthropic => &["anthropic-version", "anthropic-beta"],
        Dialect::Gemini | Dialect::Converse | Dialect::Cohere => &[],
    }
}

pub struct Built {
    pub target: Sendable,
    pub dropped: Vec<String>,
}

pub fn build(call: &Call, attempt: &Attempt, credential: usize, config: &Snapshot, tries: usize) -> Result<Built, Error> {
    let provider = config.providers.get(&attempt.provider).ok_or_else(|| gone(&attempt.provider))?;
    if provider.kind.name == "mock" {
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
    let (body, dropped) =
        if call.is_verbatim(attempt) { (edit(call, attempt, provider)?, vec![]) } else { translate(call, attempt, provider)? };
    let path = attempt.dialect.upstream().path(&attempt.model, call.facts.stream);
    let url = format!("{}{path}", provider.base_url.trim_end_matches('/'));
    Ok(Built { target: Sendable::Http { url, headers: headers(call, attempt, provider, credential), body }, dropped })
}

fn edit(call: &Call, attempt: &Attempt, provider: &config::Provider) -> Result<Vec<Piece>, Error> {
    let outline = Outline::read(&call.body)?;
    let report_usage = call.facts.stream && !call.facts.wants_usage;
    let upstream = attempt.dialect.upstream();
    let mut edits = upstream.edits(&outline, &attempt.model, report_usage);
    edits.extend(upstream.repairs(&outline, &attempt.profile));
    edits.extend(catalog::edits(provider.kind.quirks));
    edits.extend(attempt.edits.iter().cloned());
    Ok(outline.edit(&edits))
}

fn translate(call: &Call, attempt: &Attempt, provider: &config::Provider) -> Result<(Vec<Piece>, Vec<String>), Error> {
    let text = std::str::from_utf8(&call.body).unwrap_or_default();
    let read = call.caller.read_request(text)?;
    let mut request = read.value;
    request.model.clone_from(&attempt.model);
    // Gemini says it in the path.
    request.stream = call.facts.stream;
    if attempt.dialect == Dialect::Anthropic {
        // Required there: as much as the model can.
        request.max_tokens = request.max_tokens.or(attempt.max_output);
    }
    let written = attempt.dialect.upstream().write_request(&request, &attempt.profile);
    let mut dropped = read.dropped;
    dropped.extend(written.dropped.iter().map(|path| call.caller.spelled(path)));
    let mut seen = vec![];
    dropped.retain(|path| {
        !seen.contains(path) && {
            seen.push(path.clone());
            true
        }
    });
    let mut edits: Vec<Edit> = catalog::edits(provider.kind.quirks);
    edits.extend(attempt.edits.iter().cloned());
    let body = if edits.is_empty() {
        written.value
    } else {
        json::join(&written.value, &Outline::read(written.value.as_bytes())?.edit(&edits))
    };
    Ok((vec![Piece::New(body)], dropped))
}

fn headers(call: &Call, attempt: &Attempt, provider: &config::Provider, credential: usize) -> Vec<(String, String)> {
    let accept = if call.facts.stream { "text/event-stream" } else { "application/json" };
    let mut headers = vec![
        ("content-type".to_owned(), "application/json".to_owned()),
        ("accept".to_owned(), accept.to_owned()),
        ("accept-encoding".to_owned(), "identity".to_owned()),
        ("user-agent".to_owned(), concat!("portolan/", env!("CARGO_PKG_VERSION")).to_owned()),
    ];
    if attempt.dialect == call.dialect {
        let carried = carried(call.dialect).iter().filter_map(|name| Some(((*name).to_owned(), call.header(name)?.to_owned())));
        headers.extend(carried);
    }
    for (name, value) in provider.kind.headers {
        if !headers.iter().any(|(n, _)| n == name) {
            headers.push(((*name).to_owned(), (*value).to_owned()));
        }
    }
    if let Some(parent) = call.header("traceparent") {
        headers.push(("traceparent".to_owned(), parent.to_owned()));
    }
    let index = attempt.credentials.get(credential).copied().unwrap_or_default();
    headers.extend(self::credential(provider, index));
    headers
}

/// The header that carries a provider's credential.
pub(super) fn credential(provider: &config::Provider, index: usize) -> Option<(String, String)> {
    let secret = &provider.credentials.get(index)?.value;
    match provider.kind.auth {
        Auth::Bearer => Some(("authorization".to_owned(), format!("Bearer {secret}"))),
        Auth::Header(name) => Some((name.to_owned(), secret.clone())),
        Auth::None => None,
    }
}

fn gone(provider: &str) -> Error {
    Error::new(Kind::Internal, format!("Provider `{provider}` is planned but not configured."))
}
