//! A tenant's own keys as they are stored: sealed, with what may be known of each.

use serde_json::{Map, Value};

use crate::{
    error::{Error, Kind},
    units::Millis,
    wire::{
        base64,
        compose::{Members, json},
        fields::{Fields, must_be},
        json::json_text,
    },
};

/// Before the tenant's name, in KV.
const PREFIX: &str = "own-keys:";
/// Keys of one tenant. A request of it reads them all.
const MAX_KEYS: usize = 64;
/// Bytes of a tenant's name, as in the entry of a gateway key.
const MAX_TENANT: usize = 200;

/// One key, as it lies in KV.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    pub provider: String,
    pub sealed: Vec<u8>,
    pub fingerprint: String,
    pub set: Millis,
}

/// The KV name of a tenant's entry.
pub fn entry_name(tenant: &str) -> String {
    format!("{PREFIX}{tenant}")
}

/// What a key is sealed with, so that it opens for no other tenant and no other provider.
pub fn associated(tenant: &str, provider: &str) -> String {
    format!("{tenant}\n{provider}")
}

/// A tenant's name, as it stands in entries of gateway keys.
pub fn check_tenant(tenant: &str) -> Result<(), Error> {
    if (1..=MAX_TENANT).contains(&tenant.len()) && !tenant.chars().any(char::is_control) {
        return Ok(());
    }
    Err(must_be("tenant", &format!("the name of a tenant, 1 to {MAX_TENANT} bytes of plain text")))
}

/// The keys of an entry; an entry that is not there has none.
pub fn read(entry: Option<&str>) -> Result<Vec<Stored>, Error> {
    let Some(entry) = entry.filter(|entry| !entry.is_empty()) else { return Ok(vec![]) };
    let broken = || Error::new(Kind::Internal, "The entry of the tenant's own keys cannot be read: store them again.");
    let value: Value = serde_json::from_str(entry).map_err(|_| broken())?;
    let members = Fields::read(value, "")?.into_map();
    let one = |(provider, value): (String, Value)| {
        let mut fields = Fields::read(value, provider.as_str()).ok()?;
        let sealed = base64::decode(&fields.take_str("sealed").ok()??)?;
        let (fingerprint, set) = (fields.take_str("fingerprint").ok()??, fields.take_u64("set").ok()??);
        Some(Stored { provider, sealed, fingerprint, set: Millis(set) })
    };
    members.into_iter().map(one).collect::<Option<_>>().ok_or_else(broken)
}

/// An edit on its way to the tenant's object; without a key the provider's is taken away.
pub fn edit(provider: &str, stored: Option<&Stored>) -> String {
    let stored = stored.map(|Stored { provider: _, sealed, fingerprint, set }| {
        json!({"sealed": base64::encode(sealed), "fingerprint": fingerprint, "set": set.0})
    });
    json_text(&json!({"provider": provider, "stored": stored}))
}

/// The object's side: the entry after an edit.
pub fn edited(entry: &str, edit: &str) -> Result<String, Error> {
    let parsed = |text: &str| serde_json::from_str(text).unwrap_or_else(|_| Value::Object(Map::new()));
    let mut entry = Fields::read(parsed(entry), "")?.into_map();
    let mut edit = Fields::read(parsed(edit), "")?;
    let provider = edit.need_str("provider")?;
    match edit.take("stored") {
        Some(_) if !entry.contains_key(&provider) && entry.len() >= MAX_KEYS => {
            return Err(Error::invalid("provider", format!("A tenant has at most {MAX_KEYS} keys of its own.")));
        }
        Some(stored) => drop(entry.insert(provider, stored)),
        None => drop(entry.shift_remove(&provider)),
    }
    Ok(json_text(&Value::Object(entry)))
}

/// What an operator may know of them: never a key.
pub fn listed(tenant: &str, keys: &[Stored]) -> String {
    let line = |Stored { provider, sealed: _, fingerprint, set }: &Stored| json!({"provider": provider, "fingerprint": fingerprint, "set": set.0});
    let mut out = Map::new();
    out.put("tenant", tenant);
    out.put("data", keys.iter().map(line).collect::<Vec<_>>());
    json_text(&Value::Object(out))
}

/// `{"key": "sk-…"}`; a service account's file may stand there as it is.
pub fn key_of(body: &str) -> Result<String, Error> {
    let expected = || must_be("the body", "{\"key\": \"the provider's key\"}, and nothing besides");
    let mut fields = Fields::read(serde_json::from_str(body).map_err(|_| expected())?, "").map_err(|_| expected())?;
    let key = fields.take("key").ok_or_else(expected)?;
    let mut left = vec![];
    fields.leave(&mut left);
    match key {
        Value::String(key) if left.is_empty() => Ok(key.trim().to_owned()),
        Value::Object(file) if left.is_empty() => Ok(json_text(&Value::Object(file))),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {
            Err(expected())
        }
    }
}
