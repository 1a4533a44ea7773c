//! What goes to a provider as it came: its own paths (`/passthrough/…`) and what it keeps (`/v1/responses/{id}`).

use serde_json::Value;

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
    wire::percent,
};

/// A call whose body and answer nobody reads.
#[derive(Debug, PartialEq, Eq)]
pub struct Forward {
    pub provider: String,
    pub url: String,
    pub headers: Vec<(String, String)>,
}

impl Forward {
    /// Whether it costs the operator nothing: what a provider keeps is looked at and deleted for nothing, and what a tenant's
    /// own key is called with is the tenant's to pay.
    pub fn is_free(&self, config: &Snapshot, is_stored: bool, method: &str) -> bool {
        let is_own = config.providers.get(&self.provider).is_some_and(|provider| provider.own.is_some());
        is_own || is_stored && ["GET", "HEAD", "DELETE"].contains(&method)
    }
}

/// Headers of one connection and of the gateway's own: they end here, in both directions.
const OURS: [&str; 17] = [
    "accept-encoding",
    "alt-svc",
    "connection",
    "content-length",
    "expect",
    "host",
    "http2-settings",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
    "x-request-id",
];
/// Of a request besides: the caller's credentials and address, what else its own tracing says, and what would make it
/// another's, another method or path.
const NOT_SENT: [&str; 24] = [
    "api-key",
    "authorization",
    "baggage",
    "client-ip",
    "cookie",
    "fastly-client-ip",
    "forwarded",
    "origin",
    "referer",
    "tracestate",
    "true-client-ip",
    "x-api-key",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-goog-api-key",
    "x-goog-user-project",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-original-host",
    "x-original-url",
    "x-real-ip",
    "x-rewrite-url",
    "x-amz-security-token",
];
/// Of an answer besides: a browser obeys them for the gateway's whole origin, or goes elsewhere; and `content-encoding`,
/// which the platform has undone.
const NOT_TOLD: [&str; 21] = [
    "age",
    "cache-control",
    "cdn-cache-control",
    "clear-site-data",
    "content-encoding",
    "content-location",
    "content-security-policy",
    "expect-ct",
    "expires",
    "location",
    "nel",
    "public-key-pins",
    "refresh",
    "report-to",
    "reporting-endpoints",
    "server",
    "service-worker-allowed",
    "sourcemap",
    "strict-transport-security",
    "www-authenticate",
    "x-content-type-options",
];
/// Beginnings of names that say where the caller is, or whose account the operator has; and of the gateway's own.
const OURS_BY_PREFIX: [&str; 14] = [
    "access-control-",
    "anthropic-organization",
    "anthropic-ratelimit-",
    "cdn-loop",
    "cf-",
    "openai-organization",
    "openai-project",
    "sec-",
    "set-cookie",
    "x-amzn-",
    "x-forwarded-",
    "x-ms-client-principal",
    "x-portolan-",
    "x-ratelimit-",
];
/// What an answer says of itself, so that a browser which is led here by a link runs nothing of it as the gateway's page.
/// No cache on the way keeps it either: those who ask differ in more than the URL.
const INERT: [(&str, &str); 2] =
    [("content-security-policy", "sandbox; default-src 'none'"), ("cache-control", "private, no-store")];

/// Headers that pass: those of one connection also as `connection` names them.
fn passing<'a>(headers: &'a [(String, String)], not: &[&str]) -> impl Iterator<Item = (String, String)> {
    let of_connection: Vec<&'a str> =
        headers.iter().filter(|(name, _)| name == "connection").flat_map(|(_, value)| value.split(',')).map(str::trim).collect();
    headers
        .iter()
        .filter(move |(name, _)| {
            let name = name.as_str();
            let is_theirs = !OURS.contains(&name) && !not.contains(&name);
            is_theirs
                && !OURS_BY_PREFIX.iter().any(|prefix| name.starts_with(prefix))
                && !of_connection.iter().any(|one| one.eq_ignore_ascii_case(name))
        })
        .cloned()
}

/// Headers of a provider's answer that the caller may see.
pub fn answered(headers: &[(String, String)]) -> Vec<(String, String)> {
    let inert = INERT.map(|(name, value)| (name.to_owned(), value.to_owned()));
    passing(headers, &NOT_TOLD).chain(inert).collect()
}

/// Refuses an answer that leads elsewhere. A client that followed it would take its gateway key along, and where it leads
/// is the provider's own business.
pub fn check(forward: &Forward, status: u16) -> Result<(), Error> {
    match status {
        // Nothing has changed since the caller asked last.
        304 | 200..300 | 400..600 => Ok(()),
        300..400 => {
            let message =
                format!("`{}` answered with a redirect ({status}), which the gateway does not follow.", forward.provider);
            Err(Error::new(Kind::BadGateway, message))
        }
        _ => Err(Error::new(Kind::BadGateway, format!("`{}` answered with no HTTP status that there is.", forward.provider))),
    }
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
    if percent::climbs(path) {
        return Err(Error::new(Kind::InvalidRequest, "A path with `..` in it is not passed on: write out where it leads."));
    }
    let base = provider.base_url.trim_end_matches('/');
    let origin_end = base.match_indices('/').nth(2).map_or(base.len(), |(at, _)| at);
    let (origin, below) = base.split_at(origin_end);
    let is_whole = !below.is_empty() && path.strip_prefix(below).is_some_and(|rest| rest.starts_with('/'));
    let url = if is_whole { format!("{origin}{path}") } else { format!("{base}{path}") };
    Ok(build(provider, url, query, headers))
}

/// Who of the providers keeps what a tenant asks for: of the records under its id, those of that tenant.
pub fn keeper(records: &str, tenant: &str) -> Option<String> {
    let records: Vec<Value> = serde_json::from_str(records).ok()?;
    let of = |record: &Value, name: &str| record.get(name).and_then(Value::as_str).map(str::to_owned);
    records.iter().find(|record| of(record, "tenant").as_deref() == Some(tenant)).and_then(|record| of(record, "provider"))
}

/// What a provider keeps under an id. `owner`: who is known to keep it for the caller's tenant. `may_guess`: the operator,
/// who may ask for what the gateway has not seen.
pub fn stored(
    config: &Snapshot,
    (owner, may_guess): (Option<&str>, bool),
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
    let only = || speakers().next().filter(|_| may_guess && speakers().nth(1).is_none());
    let Some(provider) = known.or_else(only).filter(|_| is_id(id) && !super::reply::is_minted(id)) else {
        return Err(Error::new(Kind::NotFound, super::reply::not_kept(what, id)));
    };
    let url = format!("{}/{}/{id}{rest}", provider.base_url.trim_end_matches('/'), what.name());
    Ok(build(provider, url, query, headers))
}

/// Bytes of an id: some providers pack their own routing into it.
const MAX_ID: usize = 512;

/// Whether this can be an id. `..` would be a step up in the path, and anything odder could be one in a query.
pub fn is_id(id: &str) -> bool {
    id.len() <= MAX_ID
        && !id.bytes().all(|b| b == b'.')
        && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'))
}

fn build(provider: &Provider, url: String, query: &str, caller: &[(String, String)]) -> Forward {
    // The gateway key may be in the query (`?key=`).
    let query: Vec<&str> = query.split('&').filter(|pair| !pair.is_empty() && !pair.starts_with("key=")).collect();
    let url = if query.is_empty() { url } else { format!("{url}?{}", query.join("&")) };
    let mut headers: Vec<(String, String)> = passing(caller, &NOT_SENT).collect();
    headers.push(("accept-encoding".to_owned(), "identity".to_owned()));
    for (name, value) in provider.kind.headers {
        if !headers.iter().any(|(n, _)| n == name) {
            headers.push(((*name).to_owned(), (*value).to_owned()));
        }
    }
    headers.extend(authority::authorize(provider, 0, Subject::default(), Millis(0)).headers);
    Forward { provider: provider.name.clone(), url, headers }
}
