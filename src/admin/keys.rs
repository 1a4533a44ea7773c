//! Gateway keys by the operator's calls.

use serde_json::{Map, Value};

use super::written::{Change, Written, check, etag};
use crate::{
    error::{Error, Kind},
    guard::{self, Entry, OWN_MEMBERS},
    ledger::DEFAULT_TENANT,
    units::Millis,
    wire::{
        compose::{Members, json},
        fields::{Fields, unknown},
        json::json_text,
        query::pairs,
    },
};

/// How long a key goes on beside the one that replaces it.
const OVERLAP_S: u64 = 86_400;
/// A month: whoever has not changed over by then has forgotten it.
const MAX_OVERLAP_S: u64 = 2_592_000;
const MS_PER_SECOND: u64 = 1000;
/// Keys of one page, and where no number is named. Each is one read of KV.
const MAX_PAGE: u64 = 100;
const PAGE: u64 = 50;

/// A call below `/keys`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyCall<'a> {
    List,
    Create,
    Show(&'a str),
    Replace(&'a str),
    Patch(&'a str),
    Delete(&'a str),
    Rotate(&'a str),
    Disable(&'a str),
    Enable(&'a str),
}

impl<'a> KeyCall<'a> {
    /// What it is called in the audit chain.
    pub const fn action(&self) -> &'static str {
        match self {
            Self::List | Self::Show(_) => "read",
            Self::Create => "create",
            Self::Replace(_) => "put",
            Self::Patch(_) => "patch",
            Self::Delete(_) => "delete",
            Self::Rotate(_) => "rotate",
            Self::Disable(_) => "disable",
            Self::Enable(_) => "enable",
        }
    }

    /// The key it is about.
    pub const fn id(&self) -> Option<&'a str> {
        match self {
            Self::List | Self::Create => None,
            Self::Show(id)
            | Self::Replace(id)
            | Self::Patch(id)
            | Self::Delete(id)
            | Self::Rotate(id)
            | Self::Disable(id)
            | Self::Enable(id) => Some(id),
        }
    }
}

/// What comes with a call.
#[derive(Clone, Copy, Debug)]
pub struct Given<'a> {
    pub body: &'a str,
    pub if_match: Option<&'a str>,
    /// 32 bytes for a key that may be made.
    pub random: &'a [u8],
    pub now: Millis,
}

/// What a call on keys comes to; `current` is the entry's text.
pub fn call(call: KeyCall<'_>, current: Option<&str>, given: Given<'_>) -> Result<Written, Error> {
    let Some(id) = call.id() else { return create(members(given.body)?, Map::new(), given) };
    let text = current.ok_or_else(|| Error::new(Kind::NotFound, "There is no gateway key of this id."))?;
    check(given.if_match, current, false)?;
    let name = guard::name_of_id(id);
    let change = |text: Option<String>| Change { name: name.clone(), text, was: current.map(str::to_owned) };
    match call {
        KeyCall::Delete(_) => {
            let body = json!({"id": id, "deleted": true});
            return Ok(Written { changes: vec![change(None)], ..Written::shown(body, None) });
        }
        KeyCall::Show(_) => return Ok(Written::shown(described(id, text, given.now), Some(etag(text)))),
        KeyCall::Replace(_) if read(text).is_err() => {
            // One that cannot be read is replaced all the same.
            let text = checked(&members(given.body)?)?;
            return Ok(stored(id, text, change, given.now));
        }
        KeyCall::List
        | KeyCall::Create
        | KeyCall::Replace(_)
        | KeyCall::Patch(_)
        | KeyCall::Rotate(_)
        | KeyCall::Disable(_)
        | KeyCall::Enable(_) => {}
    }
    let (mut entry, own) = halves(read(text)?);
    match call {
        KeyCall::Replace(_) => entry = members(given.body)?,
        KeyCall::Patch(_) => merge(&mut entry, members(given.body)?),
        KeyCall::Disable(_) => entry.put("disabled", true),
        KeyCall::Enable(_) => {
            entry.swap_remove("disabled");
        }
        KeyCall::Rotate(_) => return rotate(id, entry, own, given, change),
        KeyCall::List | KeyCall::Create | KeyCall::Show(_) | KeyCall::Delete(_) => {}
    }
    entry.extend(own);
    Ok(stored(id, checked(&entry)?, change, given.now))
}

fn stored(id: &str, text: String, change: impl Fn(Option<String>) -> Change, now: Millis) -> Written {
    let (body, etag) = (described(id, &text, now), etag(&text));
    Written { changes: vec![change(Some(text))], ..Written::shown(body, Some(etag)) }
}

/// A new key: the one answer that has it.
fn create(mut entry: Map<String, Value>, own: Map<String, Value>, given: Given<'_>) -> Result<Written, Error> {
    let key = guard::mint(given.random);
    let id = guard::digest(&key);
    entry.put("hint", guard::hint(&key));
    entry.put("created", given.now.timestamp());
    entry.extend(own);
    let text = checked(&entry)?;
    let mut body = Map::new();
    body.put("key", key);
    if let Value::Object(described) = described(&id, &text, given.now) {
        body.extend(described);
    }
    let etag = Some(etag(&text));
    let change = Change { name: guard::name_of_id(&id), text: Some(text), was: None };
    Ok(Written { status: 201, body: Value::Object(body), etag, changes: vec![change] })
}

/// Another key with the same entry and on the same account; the old one ends after the overlap.
fn rotate(
    id: &str,
    entry: Map<String, Value>,
    mut own: Map<String, Value>,
    given: Given<'_>,
    change: impl Fn(Option<String>) -> Change,
) -> Result<Written, Error> {
    let mut said = if given.body.trim().is_empty() { Fields::new(Map::new(), String::new()) } else { body(given.body)? };
    let overlap_s = said.take_u64("overlap_s")?.unwrap_or(OVERLAP_S);
    if let Some(key) = said.into_map().keys().next() {
        return Err(Error::invalid(key, format!("`{key}` is an unknown field. The field here is: overlap_s.")));
    }
    if overlap_s > MAX_OVERLAP_S {
        return Err(Error::invalid("overlap_s", format!("`overlap_s` must be from 0 to {MAX_OVERLAP_S} seconds.")));
    }
    let mut old = entry.clone();
    old.extend(own.clone());
    let read = guard::read_entry(&json_text(&Value::Object(old.clone())))?;
    let conflict = |message: String| Err(Error::new(Kind::InvalidRequest, message).with_status(409));
    if let Some(next) = &read.rotated_to {
        return conflict(format!("It was rotated already, to {next}: rotate that one."));
    }
    if read.disabled || read.is_expired(given.now) {
        return conflict("It is disabled or has expired: make a new one, or enable it first.".to_owned());
    }
    own.retain(|name, _| name == "account");
    own.put("account", read.account.as_deref().unwrap_or(id));
    own.put("rotated_from", id);
    let mut made = create(entry, own, given)?;
    let ends = given.now.plus(overlap_s.saturating_mul(MS_PER_SECOND));
    let ends = read.expires.map_or(ends, |expires| expires.min(ends));
    old.put("expires", ends.timestamp());
    old.put("rotated_to", made.body.get("id").and_then(Value::as_str).unwrap_or_default());
    let old = checked(&old)?;
    if let Value::Object(body) = &mut made.body {
        body.put("replaces", described(id, &old, given.now));
    }
    made.changes.push(change(Some(old)));
    Ok(made)
}

fn body(text: &str) -> Result<Fields, Error> {
    let value =
        serde_json::from_str(text).map_err(|error| Error::invalid("", format!("The body is not valid JSON: {error}.")))?;
    Fields::read(value, "")
}

/// What an operator says of an entry; the rest is the gateway's.
fn members(text: &str) -> Result<Map<String, Value>, Error> {
    let members = body(text)?.into_map();
    match OWN_MEMBERS.into_iter().find(|name| members.contains_key(*name)) {
        Some(name) => Err(guard::unknown(name)),
        None => Ok(members),
    }
}

fn read(text: &str) -> Result<Map<String, Value>, Error> {
    guard::read_entry(text).and_then(|_| body(text)).map(Fields::into_map).map_err(|error| {
        Error::new(Kind::InvalidRequest, format!("Its entry cannot be read: {} Replace it whole by PUT.", error.message))
            .with_status(409)
    })
}

/// The text to keep, if it can be read.
fn checked(entry: &Map<String, Value>) -> Result<String, Error> {
    let text = json_text(&Value::Object(entry.clone()));
    guard::read_entry(&text).map(|_| text)
}

/// What the operator wrote, and what the gateway did.
fn halves(mut entry: Map<String, Value>) -> (Map<String, Value>, Map<String, Value>) {
    let mut own = Map::new();
    for name in OWN_MEMBERS {
        if let Some(value) = entry.shift_remove(name) {
            own.insert(name.to_owned(), value);
        }
    }
    (entry, own)
}

/// https://www.rfc-editor.org/rfc/rfc7396
fn merge(into: &mut Map<String, Value>, patch: Map<String, Value>) {
    for (name, value) in patch {
        if value.is_null() {
            into.shift_remove(&name);
            continue;
        }
        let Value::Object(patch) = value else {
            into.insert(name, value);
            continue;
        };
        let mut inner = match into.shift_remove(&name) {
            Some(Value::Object(inner)) => inner,
            Some(_) | None => Map::new(),
        };
        merge(&mut inner, patch);
        into.insert(name, Value::Object(inner));
    }
}

fn state(entry: &Entry, now: Millis) -> &'static str {
    if entry.disabled {
        "disabled"
    } else if entry.is_expired(now) {
        "expired"
    } else {
        "active"
    }
}

/// A key as it is shown: its id and state, what the gateway wrote, and the entry as it can be written back.
fn described(id: &str, text: &str, now: Millis) -> Value {
    let mut out = Map::new();
    out.put("id", id);
    match guard::read_entry(text) {
        Ok(entry) => {
            out.put("state", state(&entry, now));
            out.put("account", entry.account.as_deref().unwrap_or(id));
        }
        Err(error) => {
            out.put("state", "unreadable");
            out.put("problem", error.message.as_str());
        }
    }
    let (entry, own) = halves(body(text).map(Fields::into_map).unwrap_or_default());
    out.extend(own.into_iter().filter(|(name, _)| name != "account"));
    out.put("entry", entry);
    Value::Object(out)
}

/// Which keys are listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    pub limit: u64,
    pub cursor: String,
    tenant: Option<String>,
}

impl Page {
    pub fn read(query: &str) -> Result<Self, Error> {
        let mut page = Self { limit: PAGE, cursor: String::new(), tenant: None };
        for (name, value) in pairs(query) {
            match name {
                "limit" => {
                    let wrong = || Error::invalid("limit", format!("`limit` must be from 1 to {MAX_PAGE}."));
                    page.limit = value.parse().ok().filter(|limit| (1..=MAX_PAGE).contains(limit)).ok_or_else(wrong)?;
                }
                "cursor" => page.cursor = value,
                "tenant" => page.tenant = Some(value),
                _ => return Err(unknown(name)),
            }
        }
        Ok(page)
    }

    /// The list; of each key its KV name and its entry.
    pub fn listed(&self, found: &[(String, Option<String>)], cursor: Option<&str>, now: Millis) -> String {
        let rows = found.iter().filter_map(|(name, text)| {
            let (id, text) = (guard::id_of_name(name)?, text.as_deref()?);
            let read = guard::read_entry(text).ok();
            let tenant = read.as_ref().and_then(|entry| entry.tenant.as_deref()).unwrap_or(DEFAULT_TENANT);
            if self.tenant.as_deref().is_some_and(|wanted| wanted != tenant) {
                return None;
            }
            let mut row = Map::new();
            row.put("id", id);
            row.put("state", read.as_ref().map_or("unreadable", |entry| state(entry, now)));
            if let Some(entry) = &read {
                row.put("name", &entry.name);
                row.put("tenant", tenant);
                row.put("tags", entry.tags.as_slice());
                row.put("hint", entry.hint.as_deref());
                row.put("expires", entry.expires.map(Millis::timestamp));
                row.put("created", entry.created.map(Millis::timestamp));
                row.put("rotated_from", entry.rotated_from.as_deref());
                row.put("rotated_to", entry.rotated_to.as_deref());
            }
            Some(Value::Object(row))
        });
        json_text(&json!({"data": rows.collect::<Vec<_>>(), "cursor": cursor}))
    }
}
