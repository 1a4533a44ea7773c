//! Secrets: which there may be, and which provider they turn on.

use std::rc::Rc;

use super::{
    Credential, Documents, Provider, Snapshot,
    own_key::UNOPENED,
    provider::{Draft, House},
    service_account::ServiceAccount,
};
use crate::{
    catalog::{self, AI_BINDING, Auth, Hosting},
    sorted::SortedMap,
};

/// The gateway's own secrets: an edit of a document must not be able to send them anywhere.
pub(super) const OWN_SECRETS: [&str; 5] =
    ["GATEWAY_KEY", "ADMIN_TOKEN", "ENCRYPTION_SECRET", "ENCRYPTION_SECRET_PREVIOUS", "WEBHOOK_SECRET"];
/// Longer names are no names of secrets.
const MAX_SECRET_NAME: usize = 128;
/// Secrets that one set of documents may name; a Worker may have so many variables.
const MAX_SECRETS: usize = 128;
/// What belongs to an `AWS_ACCESS_KEY_ID`: needed, and only for temporary keys.
const AWS_KEY_ID: &str = "AWS_ACCESS_KEY_ID";
const AWS_KEY: &str = "AWS_SECRET_ACCESS_KEY";
const AWS_TOKEN: &str = "AWS_SESSION_TOKEN";
/// Names of the secrets that these documents may need, for the shell to read. Of a document that is no JSON too: the
/// next one may be, with the same names.
pub fn secret_names(documents: &Documents) -> Vec<String> {
    let rows = catalog::providers().iter();
    let usual = rows.flat_map(|row| row.secrets.iter().copied().chain(row.placeholders())).chain([AWS_KEY, AWS_TOKEN]);
    let texts = [&documents.providers, &documents.settings].into_iter().flatten();
    let places = texts.flat_map(|text| text.split("${").skip(1));
    let named = places.filter_map(|rest| Some(rest.split_once('}')?.0.to_owned()));
    let mut names: Vec<String> = vec![];
    for name in usual.map(str::to_owned).chain(named.filter(|name| is_secret_name(name)).take(MAX_SECRETS)) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

pub(super) fn is_secret_name(name: &str) -> bool {
    (1..=MAX_SECRET_NAME).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && !OWN_SECRETS.contains(&name)
}

/// `run `wrangler secret put OPENAI_API_KEY``
pub(super) fn store_one_of(names: &[String]) -> String {
    if names.iter().any(|name| name == AI_BINDING) {
        return format!("its binding is missing; add `[ai]` with `binding = \"{AI_BINDING}\"` to wrangler.toml");
    }
    if names.iter().any(|name| name == UNOPENED) {
        return "the tenant's own key for it cannot be opened: the operator must store it again".to_owned();
    }
    let commands: Vec<String> = names.iter().map(|name| format!("`wrangler secret put {name}`")).collect();
    format!("its secret is missing; run {}", commands.join(" or "))
}

impl Snapshot {
    /// On, if a secret is there or none is needed; otherwise off, with the names it may have.
    pub(super) fn switch(&mut self, mut draft: Draft, secrets: &SortedMap<String, String>) {
        let found = |name: &str| secrets.get(name).map(|value| value.trim()).filter(|value| !value.is_empty());
        let mut incomplete = None;
        let credentials = draft.secrets.iter().filter_map(|name| match complete(name, found(name)?, &found) {
            Ok(value) => Some(Credential { name: name.clone(), value }),
            Err(missing) => {
                incomplete = Some(missing);
                None
            }
        });
        let credentials: Vec<Credential> = credentials.take(if draft.usual { 1 } else { MAX_SECRETS }).collect();
        let name = draft.provider.name.clone();
        if credentials.is_empty() && !draft.secrets.is_empty() {
            let missing = incomplete.map_or(draft.secrets, |missing: &str| vec![missing.to_owned()]);
            if draft.provider.kind.auth != Auth::None
                && let Ok(base_url) = filled(&draft.provider, &found)
            {
                draft.provider.base_url = base_url;
                Rc::make_mut(&mut self.keyless).insert(name.clone(), draft.provider);
            }
            self.off.insert(name, missing);
            return;
        }
        match filled(&draft.provider, &found) {
            Ok(base_url) => draft.provider.base_url = base_url,
            Err(missing) => {
                // Its key was stored: somebody means to use it.
                self.warnings.push(format!("Provider `{name}` has its key, but `{missing}` is missing or no plain name."));
                self.off.insert(name, vec![missing.to_owned()]);
                return;
            }
        }
        let (key, allow_private) = (draft.provider.kind.auth, self.settings.allow_private_upstreams);
        if let Some(what) =
            credentials.iter().filter(|_| key == Auth::Google).find_map(|c| ServiceAccount::read(&c.value, allow_private).err())
        {
            self.warnings.push(format!("Provider `{name}` is off: the secret {what}."));
            self.off.insert(name, draft.secrets);
            return;
        }
        // A binding is no secret: there is nothing to send.
        draft.provider.credentials = if key == Auth::None { vec![] } else { credentials };
        self.providers.insert(name, draft.provider);
    }
}

/// A credential whole: what belongs to it is joined to it. Or the name of what is missing.
fn complete<'a>(name: &str, value: &str, found: &impl Fn(&str) -> Option<&'a str>) -> Result<String, &'static str> {
    if name != AWS_KEY_ID {
        return Ok(value.to_owned());
    }
    let key = found(AWS_KEY).ok_or(AWS_KEY)?;
    let token = found(AWS_TOKEN).map(|token| format!(":{token}")).unwrap_or_default();
    Ok(format!("{value}:{key}{token}"))
}

/// The base URL with its placeholders filled in, or the name of one that cannot be.
fn filled<'a>(provider: &Provider, found: &impl Fn(&str) -> Option<&'a str>) -> Result<String, &'static str> {
    let mut url = provider.base_url.clone();
    if provider.house != House::Usual {
        return Ok(url);
    }
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    for name in provider.kind.placeholders() {
        let value = found(name).filter(|value| value.bytes().all(is_plain)).ok_or(name)?;
        url = url.replace(&format!("${{{name}}}"), value);
    }
    if provider.kind.hosting == Hosting::Vertex {
        // https://cloud.google.com/vertex-ai/generative-ai/docs/learn/locations
        url = url.replace("//global-aiplatform.", "//aiplatform.");
        for area in ["us", "eu"] {
            url = url.replace(&format!("//{area}-aiplatform.googleapis.com"), &format!("//aiplatform.{area}.rep.googleapis.com"));
        }
    }
    Ok(url)
}
