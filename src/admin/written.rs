//! What a write through the admin API comes to, and what it may be made upon.

use serde_json::Value;

use crate::{
    config::news::digest_of,
    error::{Error, Kind},
    guard,
    ledger::DEFAULT_TENANT,
    wire::json::json_text,
};

/// An answer, and what is to be written before it is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    pub status: u16,
    pub body: Value,
    pub etag: Option<String>,
    pub changes: Vec<Change>,
}

/// One name of KV.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    pub name: String,
    /// `None`: to be deleted.
    pub text: Option<String>,
    pub was: Option<String>,
}

impl Change {
    /// What is changed, its name, and the tenant whose it is; `None`: all tenants'.
    pub fn subject(&self) -> (&'static str, &str, Option<String>) {
        let Some(id) = guard::id_of_name(&self.name) else { return ("document", &self.name, None) };
        let entry = self.text.as_deref().or(self.was.as_deref()).and_then(|text| guard::read_entry(text).ok());
        ("key", id, Some(entry.and_then(|entry| entry.tenant).unwrap_or_else(|| DEFAULT_TENANT.to_owned())))
    }
}

impl Written {
    pub(super) const fn shown(body: Value, etag: Option<String>) -> Self {
        Self { status: 200, body, etag, changes: vec![] }
    }

    pub fn text(&self) -> String {
        json_text(&self.body)
    }
}

/// The tag of what stands in KV.
pub(super) fn etag(text: &str) -> String {
    format!("\"{}\"", digest_of(Some(text)))
}

/// Whether the caller saw what it is about to change; `need`: it must say so.
pub(super) fn check(if_match: Option<&str>, current: Option<&str>, need: bool) -> Result<(), Error> {
    let Some(said) = if_match else {
        if !need || current.is_none() {
            return Ok(());
        }
        let message = "Send `If-Match` with the `ETag` of what you read: somebody may have changed it since.";
        return Err(Error::new(Kind::InvalidRequest, message).with_status(428));
    };
    let tag = current.map(etag);
    let is_same = |one: &str| (one == "*" && tag.is_some()) || Some(one.strip_prefix("W/").unwrap_or(one)) == tag.as_deref();
    if said.split(',').any(|one| is_same(one.trim())) {
        return Ok(());
    }
    let message = "It was changed since it was read: read it again, and send `If-Match` with its new `ETag`.";
    Err(Error::new(Kind::InvalidRequest, message).with_status(412))
}
