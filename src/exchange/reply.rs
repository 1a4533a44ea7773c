//! An answer as a value: what the shell turns into a response.

use super::Call;
use crate::{
    cache::{HEADER, Standing, Stored},
    chat::event::Stamp,
    dialect::{Caller, Dialect, Facts, surface::Kept},
    error::{Blame, Error, Kind},
    plan::Attempt,
    units::Money,
    wire::name::short,
};

pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Body,
}

pub enum Body {
    Text(String),
    /// The bytes that were read last from the provider, as they are.
    Upstream,
}

/// Milliseconds in the second that OpenAI's `created` counts in.
const MS_PER_SECOND: u64 = 1000;

pub fn stamp(call: &Call, attempt: &Attempt) -> Stamp {
    let id = call.id.trim_start_matches(ID_PREFIX);
    let id = match call.dialect {
        Dialect::OpenAiChat => format!("chatcmpl-{id}"),
        Dialect::OpenAiResponses => format!("{MINTED}{id}"),
        Dialect::OpenAiCompletions => format!("cmpl-{id}"),
        Dialect::Anthropic => format!("msg_{id}"),
        Dialect::Gemini | Dialect::Converse | Dialect::Cohere | Dialect::WorkersAi => id.to_owned(),
    };
    Stamp { id, created: call.started.0 / MS_PER_SECOND, model: attempt.model.clone() }
}

/// What the id of a translated response begins with: nobody keeps it.
const MINTED: &str = "resp_portolan_";

/// Whether an id is that of a translated response.
pub fn is_minted(id: &str) -> bool {
    id.starts_with(MINTED)
}

/// Refuses a body that has to be unpacked before it can be read: it would be counted at its packed size.
pub fn check_encoding(headers: &[(String, String)]) -> Result<(), Error> {
    let packed =
        headers.iter().find(|(name, value)| name == "content-encoding" && !value.trim().eq_ignore_ascii_case("identity"));
    match packed {
        Some((_, encoding)) => {
            let message = format!("The body is packed (`content-encoding: {}`): send it as it is.", short(encoding));
            Err(Error::new(Kind::InvalidRequest, message))
        }
        None => Ok(()),
    }
}

/// Refuses to go on from what nobody keeps, or nobody keeps for this tenant. `may_guess`: the operator, who may name what
/// the gateway has not seen.
pub fn check_continues(facts: &Facts, is_kept: bool, may_guess: bool) -> Result<(), Error> {
    let Some(id) = facts.continues.as_deref() else { return Ok(()) };
    let lost = |kind| Error::new(kind, not_kept(Kept::Responses, id)).with_param("previous_response_id");
    match (is_minted(id), is_kept || may_guess) {
        (true, _) => Err(lost(Kind::InvalidRequest)),
        (false, true) => Ok(()),
        (false, false) => Err(lost(Kind::NotFound)),
    }
}

/// Why nothing is found under a response's id.
pub fn not_kept(what: Kept, id: &str) -> String {
    if what == Kept::Videos {
        "No provider here is known to keep a video of this id.".to_owned()
    } else if is_minted(id) {
        "This response was translated from another provider's, and is kept nowhere: send the whole conversation as `input`."
            .to_owned()
    } else {
        "No provider here is known to keep a response of this id: send the whole conversation as `input`.".to_owned()
    }
}

/// A stored answer as the answer to this request. Its bytes are the body. `said`: what the caller calls the request.
pub fn replayed(
    stored: &Stored,
    (id, route): (&str, &str),
    (said, traced): (Option<&str>, Option<(String, String)>),
    took_ms: u64,
) -> Reply {
    let own = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    let cost = Money(0).dollars();
    let timing = format!("gateway;dur={took_ms}");
    let mut headers: Vec<(String, String)> = [
        ("x-request-id", id),
        ("request-id", id),
        (HEADER, Standing::Hit.name()),
        ("x-portolan-route", route),
        ("x-portolan-provider", &stored.provider),
        ("x-portolan-model", &stored.model),
        ("x-portolan-reason", "given before"),
        ("x-portolan-cost", &cost),
        ("server-timing", &timing),
        ("content-type", &stored.content_type),
        ("cache-control", "no-cache"),
    ]
    .map(own)
    .to_vec();
    headers.extend(said.map(|said| ("x-client-request-id".to_owned(), short(said))));
    headers.extend(traced);
    headers.iter_mut().for_each(|(_, value)| super::story::clean(value));
    Reply { status: 200, headers, body: Body::Upstream }
}

/// What every id of a request begins with.
pub const ID_PREFIX: &str = "req_";

/// Whose fault an error is, and when to come again. The SDKs of OpenAI and Anthropic come again after a 429 by themselves,
/// unless they are told that it is of no use.
pub fn advice(error: &Error) -> Vec<(String, String)> {
    let mut headers = vec![("x-portolan-error".to_owned(), error.blame.name().to_owned())];
    if let Some((seconds, ms)) = error.retry_after_seconds().zip(error.retry_after_ms) {
        headers.push(("retry-after".to_owned(), seconds.to_string()));
        headers.push(("retry-after-ms".to_owned(), ms.to_string()));
    } else if error.blame == Blame::Caller && error.status == 429 {
        headers.push(("x-should-retry".to_owned(), "false".to_owned()));
    }
    headers
}

/// An error before there is an exchange.
pub fn error(caller: &dyn Caller, error: &Error, request_id: &str) -> Reply {
    let mut headers = vec![
        ("content-type".to_owned(), "application/json".to_owned()),
        ("x-request-id".to_owned(), request_id.to_owned()),
        ("request-id".to_owned(), request_id.to_owned()),
    ];
    headers.extend(advice(error));
    Reply { status: error.status, headers, body: Body::Text(caller.write_error(error, request_id)) }
}
