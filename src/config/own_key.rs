//! A tenant's own key for a provider: used in place of the operator's, for that tenant alone.

use std::{fmt, ops::RangeInclusive};

use sha2::{Digest, Sha256};

use super::{Credential, Provider, ServiceAccount, Snapshot};
use crate::{
    catalog::{self, Auth},
    error::{Error, Kind},
};

/// Shorter ones could be found from their fingerprint. A service account's file has some 2 400 bytes.
const KEY_BYTES: RangeInclusive<usize> = 16..=8_192;
/// Bytes of a digest that tell one key from another, and no more.
const FINGERPRINT_BYTES: usize = 8;
/// In the place of the name of a missing secret: there is a key, and it cannot be opened.
pub(super) const UNOPENED: &str = "of the tenant's own that can be opened";

/// What a tenant's own key for a provider came to.
#[derive(Clone, PartialEq, Eq)]
pub struct OwnKey {
    pub provider: String,
    /// Tells it from the tenant's other keys, and nothing of it.
    pub fingerprint: String,
    /// `None`: there is one, but it cannot be opened.
    pub value: Option<String>,
}

impl fmt::Debug for OwnKey {
    /// Never the value.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OwnKey({} {})", self.provider, self.fingerprint)
    }
}

/// Of the same key two tenants, or two providers, have different ones.
pub fn fingerprint(tenant: &str, provider: &str, key: &str) -> String {
    let digest = Sha256::digest(format!("{tenant}\n{provider}\n{key}"));
    digest.iter().take(FINGERPRINT_BYTES).map(|byte| format!("{byte:02x}")).collect()
}

impl Snapshot {
    /// The configuration as a tenant with keys of its own has it. Where it has one, the operator's is not used: a key that
    /// fails must not spend the operator's money.
    pub fn with_own(&self, keys: &[OwnKey]) -> Self {
        let mut snapshot = self.clone();
        for key in keys {
            let Some(mut provider) = snapshot.takes_own(&key.provider).cloned() else { continue };
            match &key.value {
                Some(value) => {
                    provider.credentials = vec![Credential { name: key.fingerprint.clone(), value: value.clone() }];
                    provider.own = Some(key.fingerprint.clone());
                    snapshot.off.remove(&key.provider);
                    snapshot.providers.insert(key.provider.clone(), provider);
                }
                None => {
                    snapshot.providers.remove(&key.provider);
                    snapshot.off.insert(key.provider.clone(), vec![UNOPENED.to_owned()]);
                }
            }
        }
        snapshot
    }

    /// Providers to which the tenant has keys, with their fingerprints; empty of one that cannot be opened.
    pub fn own_keys(&self) -> impl Iterator<Item = (&str, &str)> {
        let used = self.providers.values().filter_map(|p| Some((p.name.as_str(), p.own.as_deref()?)));
        let unopened = self.off.iter().filter(|(_, missing)| missing.iter().any(|name| name == UNOPENED));
        used.chain(unopened.map(|(name, _)| (name.as_str(), "")))
    }

    /// A provider that a key can be brought to.
    fn takes_own(&self, name: &str) -> Option<&Provider> {
        let provider = self.providers.get(name).or_else(|| self.keyless.get(name));
        provider.filter(|provider| provider.kind.auth != Auth::None)
    }

    /// The provider's own name of what an operator calls it, where a tenant may bring a key to it.
    pub fn own_key_provider(&self, name: &str) -> Result<&str, Error> {
        let aliased = catalog::provider(name).map_or(name, |row| row.name);
        if let Some(provider) = self.takes_own(name).or_else(|| self.takes_own(aliased)) {
            return Ok(&provider.name);
        }
        let is_on = |name: &str| self.providers.contains_key(name);
        let words = if is_on(name) || is_on(aliased) {
            format!("The provider `{name}` takes no key.")
        } else if let Some(missing) = self.off.get(name).or_else(|| self.off.get(aliased)) {
            let missing = missing.join("` or `");
            format!("The provider `{name}` lacks more than a key: its address needs `{missing}`, which is the operator's to set.")
        } else {
            format!("There is no provider `{name}`: its name is that of `providers` or of the catalog.")
        };
        Err(Error::new(Kind::NotFound, words))
    }

    /// Whether a text can be a key of this provider. What is wrong is said without repeating any of it.
    pub fn check_own_key(&self, provider: &str, key: &str) -> Result<(), Error> {
        let wrong = |words: String| Err(Error::invalid("key", words));
        if !KEY_BYTES.contains(&key.len()) {
            return wrong(format!("`key` must have {} to {} bytes.", KEY_BYTES.start(), KEY_BYTES.end()));
        }
        if self.takes_own(provider).is_some_and(|provider| provider.kind.auth == Auth::Google) {
            let read = ServiceAccount::read(key, self.settings.allow_private_upstreams);
            return read.map(drop).or_else(|what| wrong(format!("`key` {what}.")));
        }
        // It becomes the value of a header.
        if !key.bytes().all(|b| b.is_ascii_graphic()) {
            return wrong("`key` must be the provider's key alone: visible ASCII without spaces or line breaks.".to_owned());
        }
        Ok(())
    }
}
