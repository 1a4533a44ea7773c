//! The KV entry of a gateway key.

use serde_json::Value;

use crate::{
    config::{Rules, read_rules},
    error::Error,
    units::Millis,
    wire::{fields::Fields, time},
};

/// Items of one list; an entry is read on every request of its key.
const MAX_ITEMS: usize = 100;
/// Names appear in records and headers.
const MAX_NAME: usize = 200;

/// What is kept of a key besides its digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub name: String,
    pub tenant: Option<String>,
    pub tags: Vec<String>,
    pub models: Option<Vec<String>>,
    pub routes: Option<Vec<String>>,
    pub expires: Option<Millis>,
    pub disabled: bool,
    pub overrides: bool,
    pub zdr: bool,
    pub rules: Rules,
}

/// Unknown fields are refused: a limit nobody enforces would be worse than none.
pub(super) fn read(text: &str) -> Result<Entry, Error> {
    let value: Value = serde_json::from_str(text).map_err(|_| Error::invalid("", "it is not valid JSON"))?;
    let mut fields = Fields::read(value, "")?;
    let entry = Entry {
        name: fields.need_str("name")?,
        tenant: fields.take_str("tenant")?,
        tags: strings(&mut fields, "tags")?.unwrap_or_default(),
        models: strings(&mut fields, "models")?,
        routes: strings(&mut fields, "routes")?,
        expires: expires(&mut fields)?,
        disabled: fields.take_bool("disabled")?.unwrap_or_default(),
        overrides: fields.take_bool("overrides")?.unwrap_or(true),
        zdr: required(&mut fields, "zdr")?,
        rules: rules(&mut fields)?,
    };
    if let Some(key) = fields.into_map().keys().next() {
        let known = "name, tenant, tags, models, routes, expires, disabled, overrides, zdr, limits, budgets";
        return Err(Error::invalid(key, format!("`{key}` is not supported (yet); the fields are: {known}")));
    }
    let named = [&entry.name].into_iter().chain(&entry.tenant).chain(&entry.tags);
    for text in named {
        if text.is_empty() || text.len() > MAX_NAME || text.chars().any(char::is_control) {
            return Err(Error::invalid("name", format!("names and tags must be plain text, 1 to {MAX_NAME} bytes long")));
        }
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

fn rules(fields: &mut Fields) -> Result<Rules, Error> {
    let members = ["limits", "budgets"].into_iter().filter_map(|key| Some((key.to_owned(), fields.take(key)?)));
    read_rules(members.collect()).map_err(|problems| {
        let first = problems.into_iter().next();
        first.map_or_else(|| Error::invalid("", "it cannot be read"), |problem| Error::invalid(problem.path, problem.message))
    })
}

fn strings(fields: &mut Fields, key: &str) -> Result<Option<Vec<String>>, Error> {
    let wrong = || Error::invalid(key, format!("`{key}` must be a list of at most {MAX_ITEMS} strings"));
    let Some(items) = fields.take_array(key)? else { return Ok(None) };
    if items.len() > MAX_ITEMS {
        return Err(wrong());
    }
    items.iter().map(|item| item.as_str().map(str::to_owned).ok_or_else(wrong)).collect::<Result<_, _>>().map(Some)
}

fn expires(fields: &mut Fields) -> Result<Option<Millis>, Error> {
    let Some(value) = fields.take("expires") else { return Ok(None) };
    let time = value.as_u64().map(Millis).or_else(|| value.as_str().and_then(time::read));
    let message = "`expires` must be a time such as \"2026-12-31T23:59:59Z\", or milliseconds since 1970";
    time.map(Some).ok_or_else(|| Error::invalid("expires", message))
}
