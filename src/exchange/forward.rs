//! What goes to a provider as it came: its own paths (`/passthrough/…`) and what it keeps (`/v1/responses/{id}`).

use super::authority::{self, Subject};
use crate::{
    catalog::{self, MOCK},
    config::{Provider, Snapshot},
    dialect::{
        Dialect,
        surface::{Kept, Operation},
    },
    error::{Error, Kind},
    units::Millis,
};

/// A call whose body and answer nobody reads.
#[derive(Debug, PartialEq, Eq)]
pub struct Forward {
    pub provider: String,
    pub url: String,
    pub headers: Vec<(String, String)>,
}

/// Headers of one connection, of the caller's credential, and of the gateway's own: they end here, in both directions.
const OURS: [&str; 22] = [
    "accept-encoding",
    "api-key",
    "authorization",
    "connection",
    "content-encoding",
    "content-length",
    "cookie",
    "expect",
    "host",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "set-cookie",
    "te",
    "trailer",
    "transfer-encoding",
    "true-client-ip",
    "upgrade",
    "x-api-key",
    "x-goog-api-key",
    "x-real-ip",
    "x-request-id",
];
/// Beginnings of names that say where the caller is, or whose account the operator has.
const OURS_BY_PREFIX: [&str; 9] = [
    "anthropic-organization",
    "anthropic-ratelimit-",
    "cf-",
    "openai-organization",
    "openai-project",
    "x-amzn-",
    "x-forwarded-",
    "x-portolan-",
    "x-ratelimit-",
];

fn is_theirs(name: &str) -> bool {
    !OURS.contains(&name) && !OURS_BY_PREFIX.iter().any(|prefix| name.starts_with(prefix))
}

/// Headers of a provider's answer that the caller may see.
pub fn answered(headers: &[(String, String)]) -> Vec<(String, String)> {
    headers.iter().filter(|(name, _)| is_theirs(name)).cloned().collect()
}

/// Where nothing may be kept: what passes unseen cannot be told so, and what a provider keeps can only be deleted.
pub fn permit(method: &str, deletes: bool, zdr: bool) -> Result<(), Error> {
    if !zdr || (deletes && method == "DELETE") {
        return Ok(());
    }
    let message = if deletes {
        "Zero data retention is required, and this is about what a provider keeps: only DELETE is answered."
    } else {
        "Zero data retention is required, and a call that passes as it is cannot be held to it: use the gateway's own paths."
    };
    Err(Error::new(Kind::Forbidden, message))
}

/// `/passthrough/{provider}/…`. A path that begins as the provider's base URL ends (`/v1/…`) replaces that end.
pub fn passthrough(
    config: &Snapshot,
    provider: &str,
    (path, query): (&str, &str),
    headers: &[(String, String)],
) -> Result<Forward, Error> {
    let name = catalog::provider(provider).map_or(provider, |row| row.name);
    let provider = config.providers.get(name).filter(|p| p.kind.name != MOCK).ok_or_else(|| {
        Error::new(Kind::NotFound, format!("There is no provider `{provider}` to pass this on to, or its secret is missing."))
    })?;
    if !authority::is_plain(provider) {
        let message = format!("Calls to `{name}` are made by the gateway alone and cannot be passed on as they are.");
        return Err(Error::new(Kind::InvalidRequest, message));
    }
    let base = provider.base_url.trim_end_matches('/');
    let origin_end = base.match_indices('/').nth(2).map_or(base.len(), |(at, _)| at);
    let (origin, below) = base.split_at(origin_end);
    let is_whole = !below.is_empty() && path.strip_prefix(below).is_some_and(|rest| rest.starts_with('/'));
    let url = if is_whole { format!("{origin}{path}") } else { format!("{base}{path}") };
    Ok(build(provider, url, query, headers))
}

/// What a provider keeps under an id. `owner`: who is known to keep it.
pub fn stored(
    config: &Snapshot,
    owner: Option<&str>,
    (what, id, rest): (Kept, &str, &str),
    query: &str,
    headers: &[(String, String)],
) -> Result<Forward, Error> {
    let keeps = |p: &Provider| match what {
        Kept::Responses => p.dialects("").any(|d| d == Dialect::OpenAiResponses),
        Kept::Videos => p.offers(Operation::Video).is_some(),
    };
    let speakers = || config.providers.values().filter(|p| p.kind.name != MOCK && keeps(p));
    let known = owner.and_then(|owner| config.providers.get(owner));
    let only = || speakers().next().filter(|_| speakers().nth(1).is_none());
    let Some(provider) = known.or_else(only).filter(|_| is_id(id) && !super::reply::is_minted(id)) else {
        return Err(Error::new(Kind::NotFound, super::reply::not_kept(what, id)));
    };
    let url = format!("{}/{}/{id}{rest}", provider.base_url.trim_end_matches('/'), what.name());
    Ok(build(provider, url, query, headers))
}

/// Whether this can be an id. `..` would be a step up in the path, and anything odder could be one in a query.
pub fn is_id(id: &str) -> bool {
    !id.bytes().all(|b| b == b'.') && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'))
}

fn build(provider: &Provider, url: String, query: &str, caller: &[(String, String)]) -> Forward {
    // The gateway key may be in the query (`?key=`).
    let query: Vec<&str> = query.split('&').filter(|pair| !pair.is_empty() && !pair.starts_with("key=")).collect();
    let url = if query.is_empty() { url } else { format!("{url}?{}", query.join("&")) };
    let mut headers: Vec<(String, String)> = caller.iter().filter(|(name, _)| is_theirs(name)).cloned().collect();
    headers.push(("accept-encoding".to_owned(), "identity".to_owned()));
    for (name, value) in provider.kind.headers {
        if !headers.iter().any(|(n, _)| n == name) {
            headers.push(((*name).to_owned(), (*value).to_owned()));
        }
    }
    headers.extend(authority::authorize(provider, 0, Subject::default(), Millis(0)).headers);
    Forward { provider: provider.name.clone(), url, headers }
}
