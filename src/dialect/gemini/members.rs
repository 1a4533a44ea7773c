//! The members of an object in either of the two spellings that protobuf's JSON takes: `topP` and `top_p`.

use serde_json::{Map, Number, Value};

use crate::{
    error::Error,
    wire::fields::{Fields, must_be},
};

pub(super) struct Members(Fields);

impl Members {
    pub fn read(value: Value, path: impl Into<String>) -> Result<Self, Error> {
        Fields::read(value, path).map(Self)
    }

    /// The name as it stands here.
    fn name(&self, key: &str) -> String {
        if self.0.peek(key).is_some() { key.to_owned() } else { snake(key) }
    }

    pub fn has(&self, key: &str) -> bool {
        self.0.peek(&self.name(key)).is_some()
    }

    pub fn path(&self) -> &str {
        self.0.path()
    }

    pub fn path_of(&self, key: &str) -> String {
        self.0.path_of(&self.name(key))
    }

    pub fn take(&mut self, key: &str) -> Option<Value> {
        self.0.take(&self.name(key))
    }

    pub fn text(&mut self, key: &str) -> Result<Option<String>, Error> {
        self.0.take_str(&self.name(key))
    }

    pub fn flag(&mut self, key: &str) -> Result<Option<bool>, Error> {
        self.0.take_bool(&self.name(key))
    }

    /// Protobuf's JSON takes numbers as strings, too.
    pub fn number(&mut self, key: &str) -> Result<Option<Number>, Error> {
        let path = self.path_of(key);
        match self.take(key) {
            None => Ok(None),
            Some(Value::Number(number)) => Ok(Some(number)),
            Some(value) => value.as_str().and_then(|text| text.parse().ok()).map(Some).ok_or_else(|| must_be(&path, "a number")),
        }
    }

    pub fn whole(&mut self, key: &str) -> Result<Option<i64>, Error> {
        let path = self.path_of(key);
        let whole = |number: Number| {
            let text = number.to_string();
            text.strip_suffix(".0").unwrap_or(&text).parse().map_err(|_| must_be(&path, "a whole number"))
        };
        self.number(key)?.map(whole).transpose()
    }

    pub fn count(&mut self, key: &str) -> Result<Option<u64>, Error> {
        let path = self.path_of(key);
        self.whole(key)?.map(|n| u64::try_from(n).map_err(|_| must_be(&path, "a whole number, 0 or more"))).transpose()
    }

    /// A value of an enumeration: its name in capitals, or its number.
    pub fn word(&mut self, key: &str, numbers: &[&str]) -> Result<Option<String>, Error> {
        let path = self.path_of(key);
        let Some(value) = self.take(key) else { return Ok(None) };
        word(&value, numbers).map(Some).ok_or_else(|| must_be(&path, "one of its names"))
    }

    /// One item may stand without its array.
    pub fn list(&mut self, key: &str) -> Vec<Value> {
        match self.take(key) {
            None => vec![],
            Some(Value::Array(items)) => items,
            Some(item) => vec![item],
        }
    }

    pub fn texts(&mut self, key: &str) -> Result<Vec<String>, Error> {
        let path = self.path_of(key);
        let text = |value: Value| value.as_str().map(str::to_owned).ok_or_else(|| must_be(&path, "an array of strings"));
        self.list(key).into_iter().map(text).collect()
    }

    pub fn object(&mut self, key: &str) -> Result<Option<Self>, Error> {
        let path = self.path_of(key);
        self.take(key).map(|value| Self::read(value, path)).transpose()
    }

    pub fn objects(&mut self, key: &str) -> Result<Vec<Self>, Error> {
        let path = self.path_of(key);
        self.list(key).into_iter().enumerate().map(|(i, item)| Self::read(item, format!("{path}[{i}]"))).collect()
    }

    pub fn leave(self, dropped: &mut Vec<String>) {
        self.0.leave(dropped);
    }

    pub fn into_map(self) -> Map<String, Value> {
        self.0.into_map()
    }
}

pub(super) fn word(value: &Value, numbers: &[&str]) -> Option<String> {
    let number = || numbers.get(usize::try_from(value.as_u64()?).ok()?).copied();
    value.as_str().map(str::to_ascii_uppercase).or_else(|| number().map(str::to_owned))
}

/// `max_output_tokens` for `maxOutputTokens`.
pub(super) fn snake(key: &str) -> String {
    let mut out = String::with_capacity(key.len() + 4);
    for letter in key.chars() {
        if letter.is_ascii_uppercase() {
            out.push('_');
        }
        out.push(letter.to_ascii_lowercase());
    }
    out
}

/// `maxOutputTokens` for `max_output_tokens`.
pub(super) fn camel(key: &str) -> String {
    let mut words = key.split('_');
    let mut out = words.next().unwrap_or_default().to_owned();
    for word in words {
        let mut letters = word.chars();
        out.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        out.push_str(letters.as_str());
    }
    out
}
