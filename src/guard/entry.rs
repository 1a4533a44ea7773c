//! The KV entry of a gateway key.

use serde_json::Value;

use crate::{
    config::{Rules, read_rules},
    dialect::Endpoint,
    error::Error,
    units::Millis,
    wire::{fields::Fields, time},
};

/// Items of one list; an entry is read on every request of its key.
const MAX_ITEMS: usize = 100;
/// Names appear in records and headers.
const MAX_NAME: usize = 200;

/// What an operator writes into an entry.
pub const MEMBERS: [&str; 14] = [
    "name",
    "tenant",
    "tags",
    "routes",
    "models",
    "providers",
    "dialects",
    "endpoints",
    "expires",
    "disabled",
    "overrides",
    "zdr",
    "limits",
    "budgets",
];
/// What the gateway itself writes there.
pub const OWN_MEMBERS: [&str; 5] = ["account", "hint", "created", "rotated_from", "rotated_to"];

/// What is kept of a key besides its digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub name: String,
    pub tenant: Option<String>,
    pub tags: Vec<String>,
    pub routes: Option<Vec<String>>,
    pub models: Option<Vec<String>>,
    pub providers: Option<Vec<String>>,
    pub dialects: Option<Vec<String>>,
    pub endpoints: Option<Vec<String>>,
    pub expires: Option<Millis>,
    pub disabled: bool,
    pub overrides: bool,
    pub zdr: bool,
    pub rules: Rules,
    /// Whom its limits and its spending are counted for: the first of the keys that came from one another by rotation.
    pub account: Option<String>,
    /// The key's last characters, to tell it from others by.
    pub hint: Option<String>,
    pub created: Option<Millis>,
    pub rotated_from: Option<String>,
    pub rotated_to: Option<String>,
}

impl Entry {
    pub fn is_expired(&self, now: Millis) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }
}

/// Unknown fields are refused: a limit nobody enforces would be worse than none.
pub fn read_entry(text: &str) -> Result<Entry, Error> {
    let value: Value = serde_json::from_str(text).map_err(|_| Error::invalid("", "It is not valid JSON."))?;
    let mut fields = Fields::read(value, "")?;
    let entry = Entry {
        name: fields.need_str("name")?,
        tenant: fields.take_str("tenant")?,
        tags: strings(&mut fields, "tags")?.unwrap_or_default(),
        routes: strings(&mut fields, "routes")?,
        models: strings(&mut fields, "models")?,
        providers: strings(&mut fields, "providers")?,
        dialects: words(&mut fields, "dialects", Endpoint::dialects())?,
        endpoints: words(&mut fields, "endpoints", Endpoint::ALL.into_iter().map(Endpoint::name))?,
        expires: instant(&mut fields, "expires")?,
        disabled: fields.take_bool("disabled")?.unwrap_or_default(),
        overrides: fields.take_bool("overrides")?.unwrap_or(true),
        zdr: required(&mut fields, "zdr")?,
        rules: rules(&mut fields)?,
        account: fields.take_str("account")?,
        hint: fields.take_str("hint")?,
        created: instant(&mut fields, "created")?,
        rotated_from: fields.take_str("rotated_from")?,
        rotated_to: fields.take_str("rotated_to")?,
    };
    if let Some(key) = fields.into_map().keys().next() {
        return Err(unknown(key));
    }
    let named = [("name", &entry.name)].into_iter().chain(entry.tenant.iter().map(|tenant| ("tenant", tenant)));
    for (key, text) in named.chain(entry.tags.iter().map(|tag| ("tags", tag))) {
        if text.is_empty() || text.len() > MAX_NAME || text.chars().any(char::is_control) {
            return Err(Error::invalid(key, format!("`{key}` must be plain text, 1 to {MAX_NAME} bytes long.")));
        }
    }
    // Names with it are the gateway's own: `@operator` has an audit chain.
    if entry.tenant.as_ref().is_some_and(|tenant| tenant.starts_with('@')) {
        return Err(Error::invalid("tenant", "`tenant` must not begin with `@`."));
    }
    Ok(entry)
}

/// True, or the word that a request's header says.
fn required(fields: &mut Fields, key: &str) -> Result<bool, Error> {
    match fields.take(key) {
        None | Some(Value::Bool(false)) => Ok(false),
        Some(Value::Bool(true)) => Ok(true),
        Some(Value::String(word)) if word == "required" => Ok(true),
        Some(_) => Err(Error::invalid(key, format!("`{key}` must be true, false or \"required\""))),
    }
}

/// A member that an entry does not have.
pub fn unknown(key: &str) -> Error {
    Error::invalid(key, format!("`{key}` is an unknown field. The fields here are: {}.", MEMBERS.join(", ")))
}

fn rules(fields: &mut Fields) -> Result<Rules, Error> {
    let members = ["limits", "budgets"].into_iter().filter_map(|key| Some((key.to_owned(), fields.take(key)?)));
    read_rules(members.collect()).map_err(|problems| {
        let first = problems.into_iter().next();
        first.map_or_else(|| Error::invalid("", "It cannot be read."), |problem| Error::invalid(problem.path, problem.message))
    })
}

fn strings(fields: &mut Fields, key: &str) -> Result<Option<Vec<String>>, Error> {
    let wrong = || Error::invalid(key, format!("`{key}` must be a list of at most {MAX_ITEMS} strings."));
    let Some(items) = fields.take_array(key)? else { return Ok(None) };
    if items.len() > MAX_ITEMS {
        return Err(wrong());
    }
    items.iter().map(|item| item.as_str().map(str::to_owned).ok_or_else(wrong)).collect::<Result<_, _>>().map(Some)
}

/// Strings of which each is one of a few words.
fn words(
    fields: &mut Fields,
    key: &str,
    known: impl Iterator<Item = &'static str> + Clone,
) -> Result<Option<Vec<String>>, Error> {
    let found = strings(fields, key)?;
    let odd = found.iter().flatten().find(|word| !known.clone().any(|known| known == word.as_str()));
    if let Some(odd) = odd {
        let known: Vec<&str> = known.collect();
        return Err(Error::invalid(key, format!("`{key}` may name {}; `{odd}` is none of them.", known.join(", "))));
    }
    Ok(found)
}

fn instant(fields: &mut Fields, key: &str) -> Result<Option<Millis>, Error> {
    let Some(value) = fields.take(key) else { return Ok(None) };
    let time = value.as_u64().map(Millis).or_else(|| value.as_str().and_then(time::read));
    let message = || format!("`{key}` must be a time such as \"2026-12-31T23:59:59Z\", or milliseconds since 1970.");
    time.map(Some).ok_or_else(|| Error::invalid(key, message()))
}
