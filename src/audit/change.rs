//! What an operator changed, in the words of an entry.

use crate::wire::{
    compose::json,
    digest::{hex, sha256},
    json::json_text,
};

/// An administrative change. Digests say what was there, never what it was: contents may be secret.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// The [`fingerprint`] of the admin token.
    pub by: String,
    /// `put`, `delete`, `rotate`, `disable`, … or the word on a target.
    pub action: String,
    /// `document`, `key`, `budget`, `secret`, `health`.
    pub what: &'static str,
    /// Which one: a document's name, the name of a key, a target.
    pub name: String,
    /// [`super::digest`] of what was there; `None`: nothing was, or it is not known. Never of a secret or a key itself: short
    /// ones could be guessed by it.
    pub before: Option<String>,
    pub after: Option<String>,
    /// The gateway's own id of the admin request.
    pub request: String,
}

/// Bytes of a name: the longest target or key has some two hundred.
const MAX_NAME: usize = 256;

impl Change {
    /// For the object that keeps the chain.
    pub fn body(&self) -> String {
        let name: String = self.name.chars().take(MAX_NAME).collect();
        json_text(&json!({
            "by": &self.by,
            "action": &self.action,
            "what": self.what,
            "name": name,
            "before": self.before.as_ref(),
            "after": self.after.as_ref(),
            "request": &self.request,
        }))
    }
}

/// Hex digits that tell one admin token from another.
const FINGERPRINT: usize = 8;

/// Which admin token it was: enough to tell two apart, too little to guess one by.
pub fn fingerprint(token: &str) -> String {
    let digest = hex(&sha256([b"portolan-admin\n".as_slice(), token.as_bytes()]));
    format!("token:{}", digest.get(..FINGERPRINT).unwrap_or_default())
}
