//! What makes a provider let a call in.

use crate::{
    catalog::{Auth, Hosting},
    config::{Provider, ServiceAccount},
    units::Millis,
    wire::sigv4,
};

/// The service's name in Amazon's signatures.
const SERVICE: &str = "bedrock";
/// Where nobody says which region it is.
const DEFAULT_REGION: &str = "us-east-1";

/// What is left to do before a call can be sent, for it takes the platform's cryptography.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sign {
    /// Trade the account's signed claim for a token, and send it as `authorization: Bearer`. Good for most of an hour.
    Google(ServiceAccount),
}

/// What is to be let in.
#[derive(Clone, Copy, Default)]
pub(super) struct Subject<'a> {
    pub method: &'a str,
    pub url: &'a str,
    /// Of the body; empty where nothing is signed over it.
    pub body_sha256: &'a str,
}

/// Headers to add, and what is left to do by whoever sends.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Authority {
    pub headers: Vec<(String, String)>,
    pub sign: Option<Sign>,
}

/// Whether a call is let in by a header alone, whatever stands in it.
pub(super) fn is_plain(provider: &Provider) -> bool {
    provider.kind.hosting != Hosting::WorkersAi && provider.kind.auth != Auth::Google && !signs_bodies(provider, 0)
}

/// Whether the provider wants a signature over the body: then its digest is needed.
pub(super) fn signs_bodies(provider: &Provider, index: usize) -> bool {
    let value = provider.credentials.get(index).map_or("", |secret| &secret.value);
    provider.kind.auth == Auth::AwsV4 && value.contains(':')
}

pub(super) fn authorize(provider: &Provider, index: usize, subject: Subject<'_>, now: Millis) -> Authority {
    let Some(secret) = provider.credentials.get(index) else { return Authority::default() };
    let value = &secret.value;
    let bearer = || ("authorization".to_owned(), format!("Bearer {value}"));
    let headers = match provider.kind.auth {
        Auth::Bearer => vec![bearer()],
        Auth::Header(name) => vec![(name.to_owned(), value.clone())],
        Auth::None => vec![],
        Auth::Google => {
            // Read once already when the configuration was; where it may ask was decided then.
            let account = ServiceAccount::read(value, true).ok();
            return Authority { headers: vec![], sign: account.map(Sign::Google) };
        }
        Auth::AwsV4 => signed(value, subject, now).unwrap_or_else(|| vec![bearer()]),
    };
    Authority { headers, sign: None }
}

/// For an access key id, its secret and perhaps a token, with colons between them; anything else is a bearer token.
fn signed(value: &str, subject: Subject<'_>, now: Millis) -> Option<Vec<(String, String)>> {
    let (access_key, rest) = value.split_once(':')?;
    let (secret_key, session_token) = rest.split_once(':').map_or((rest, None), |(key, token)| (key, Some(token)));
    let keys = sigv4::Keys { access_key, secret_key, session_token };
    let Subject { method, url, body_sha256 } = subject;
    let headers = &[("content-type", "application/json")];
    let call = sigv4::Call { method, url, headers, body_sha256, region: region(url), service: SERVICE };
    Some(sigv4::sign(&call, &keys, now))
}

/// `eu-west-1` of `bedrock-runtime.eu-west-1.amazonaws.com`, of a private link's name too.
fn region(url: &str) -> &str {
    let host = url.split('/').nth(2).unwrap_or_default();
    let mut labels = host.split('.').skip_while(|label| !label.starts_with("bedrock-runtime"));
    labels.nth(1).unwrap_or(DEFAULT_REGION)
}
