//! Typed `take_*` over a JSON map: every error carries its path, and what is left over is what was not understood.

use serde_json::{Map, Number, Value};

use crate::error::Error;

pub struct Fields {
    map: Map<String, Value>,
    path: String,
}

impl Fields {
    pub const fn new(map: Map<String, Value>, path: String) -> Self {
        Self { map, path }
    }

    /// The object at `path`; anything else is the caller's error.
    pub fn read(value: Value, path: impl Into<String>) -> Result<Self, Error> {
        let path = path.into();
        let Value::Object(map) = value else { return Err(must_be(&path, "an object")) };
        Ok(Self { map, path })
    }

    /// `messages[2].content`
    pub fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    pub fn path(&self) -> &str {
        &self.path
    }

    /// A member, `null` counting as absent.
    pub fn take(&mut self, key: &str) -> Option<Value> {
        self.map.shift_remove(key).filter(|v| !v.is_null())
    }

    /// A member in either of two spellings.
    pub fn take_either(&mut self, key: &str, other: &str) -> Option<Value> {
        let (first, second) = (self.take(key), self.take(other));
        first.or(second)
    }

    pub fn peek(&self, key: &str) -> Option<&Value> {
        self.map.get(key).filter(|v| !v.is_null())
    }

    pub fn take_str(&mut self, key: &str) -> Result<Option<String>, Error> {
        match self.take(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(must_be(&self.path_of(key), "a string")),
        }
    }

    pub fn need_str(&mut self, key: &str) -> Result<String, Error> {
        self.take_str(key)?.ok_or_else(|| missing(&self.path_of(key)))
    }

    pub fn take_bool(&mut self, key: &str) -> Result<Option<bool>, Error> {
        match self.take(key) {
            None => Ok(None),
            Some(Value::Bool(value)) => Ok(Some(value)),
            Some(_) => Err(must_be(&self.path_of(key), "true or false")),
        }
    }

    pub fn take_number(&mut self, key: &str) -> Result<Option<Number>, Error> {
        match self.take(key) {
            None => Ok(None),
            Some(Value::Number(value)) => Ok(Some(value)),
            Some(_) => Err(must_be(&self.path_of(key), "a number")),
        }
    }

    pub fn take_u64(&mut self, key: &str) -> Result<Option<u64>, Error> {
        match self.take(key) {
            None => Ok(None),
            Some(value) => value.as_u64().map(Some).ok_or_else(|| must_be(&self.path_of(key), "a whole number, 0 or more")),
        }
    }

    pub fn take_array(&mut self, key: &str) -> Result<Option<Vec<Value>>, Error> {
        match self.take(key) {
            None => Ok(None),
            Some(Value::Array(items)) => Ok(Some(items)),
            Some(_) => Err(must_be(&self.path_of(key), "an array")),
        }
    }

    pub fn take_fields(&mut self, key: &str) -> Result<Option<Self>, Error> {
        let path = self.path_of(key);
        self.take(key).map(|value| Self::read(value, path)).transpose()
    }

    /// The items of an array member, each an object with its own path.
    pub fn take_objects(&mut self, key: &str) -> Result<Vec<Self>, Error> {
        let path = self.path_of(key);
        let items = self.take_array(key)?.unwrap_or_default();
        items.into_iter().enumerate().map(|(i, item)| Self::read(item, format!("{path}[{i}]"))).collect()
    }

    /// Paths of the members nobody took; `null`s say nothing and are not listed.
    pub fn leave(self, dropped: &mut Vec<String>) {
        for (key, value) in &self.map {
            if !value.is_null() {
                dropped.push(self.path_of(key));
            }
        }
    }

    pub fn into_map(self) -> Map<String, Value> {
        self.map
    }
}

pub fn must_be(path: &str, expected: &str) -> Error {
    let name = if path.is_empty() { "The body" } else { path };
    Error::invalid(path, format!("`{name}` must be {expected}."))
}

/// A member or a parameter that means nothing.
pub fn unknown(path: &str) -> Error {
    Error::invalid(path, format!("`{path}` is not known here."))
}

pub fn missing(path: &str) -> Error {
    Error::invalid(path, format!("`{path}` is required."))
}
