//! Whom limits and budgets are for.

use std::borrow::Cow;

use crate::{
    config::{Budgets, Rules},
    ledger::Payer,
};

/// Characters of a digest in a name: enough never to meet twice within a tenant.
const DIGEST: usize = 16;
const KEY: &str = "key:";
const TENANT: &str = "tenant:";
const TAG: &str = "tag:";
const USER: &str = "user:";

/// One of those a request is counted for, all of them within its tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject<'a> {
    /// `key:<digest>`, `tenant:<name>`, `tag:<name>` or `user:<digest>`.
    pub id: String,
    pub rules: &'a Rules,
}

/// Who calls.
#[derive(Clone, Copy, Debug)]
pub struct Who<'a> {
    /// The digest of the gateway key; empty of the secret one.
    pub key: &'a str,
    /// Those of the key's own entry.
    pub rules: &'a Rules,
    pub payer: &'a Payer,
    /// The end user as the request names it, and a digest of that.
    pub user: Option<(&'a str, &'a str)>,
}

/// Those that have rules. None: nobody is asked anything on the way.
pub fn subjects<'a>(who: Who<'a>, budgets: &'a Budgets) -> Vec<Subject<'a>> {
    let mut out = vec![];
    let mut add = |kind: &str, name: &str, rules: Option<&'a Rules>| {
        if let Some(rules) = rules.filter(|rules| !rules.is_empty()) {
            out.push(Subject { id: format!("{kind}{name}"), rules });
        }
    };
    let short = |digest: &'a str| digest.get(..DIGEST).unwrap_or(digest);
    add(KEY, short(who.key), Some(who.rules));
    add(TENANT, &who.payer.tenant, budgets.tenant(&who.payer.tenant));
    for (at, tag) in who.payer.tags.iter().enumerate() {
        // Named twice it is still one.
        if !who.payer.tags.iter().take(at).any(|before| before == tag) {
            add(TAG, tag, budgets.tag(tag));
        }
    }
    if let Some((name, digest)) = who.user {
        add(USER, short(digest), budgets.user(name));
    }
    out
}

/// A subject as its callers are told of it: not by digests.
pub(super) fn told(id: &str) -> Cow<'static, str> {
    match id.split_once(':') {
        Some(("key", _)) => Cow::Borrowed("this gateway key"),
        Some(("tenant", name)) => Cow::Owned(format!("the tenant `{name}`")),
        Some(("tag", name)) => Cow::Owned(format!("the tag `{name}`")),
        Some(_) | None => Cow::Borrowed("this end user"),
    }
}
