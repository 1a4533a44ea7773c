//! Reading an object of a document: every problem is kept with its path, and reading goes on.

use std::ops::RangeInclusive;

use serde_json::{Map, Number, Value};

use super::Problem;
use crate::{
    catalog::nearest,
    error::{Error, Failure},
    wire::fields::Fields,
};

/// Problems shown of one document; more would not help anybody.
const MAX_PROBLEMS: usize = 100;

pub(super) struct Problems {
    pub document: &'static str,
    pub list: Vec<Problem>,
}

impl Problems {
    pub(super) const fn new(document: &'static str) -> Self {
        Self { document, list: vec![] }
    }

    pub(super) fn add(&mut self, path: impl Into<String>, message: impl Into<String>) {
        if self.list.len() < MAX_PROBLEMS {
            self.list.push(Problem { document: self.document, path: path.into(), message: message.into() });
        }
    }

    /// What was read, or nothing and a problem more.
    fn keep<T>(&mut self, read: Result<Option<T>, Error>) -> Option<T> {
        match read {
            Ok(value) => value,
            Err(error) => {
                let Failure { param, message, .. } = error.into_failure();
                self.add(param.unwrap_or_default(), message);
                None
            }
        }
    }
}

/// One object. What nobody took when it is done is an unknown field.
pub(super) struct Reader<'p> {
    fields: Fields,
    taken: Vec<&'static str>,
    pub problems: &'p mut Problems,
}

impl Reader<'_> {
    /// Reads the object at `path`; anything else there is a problem.
    pub(super) fn over<T>(
        value: Value,
        path: impl Into<String>,
        problems: &mut Problems,
        read: impl FnOnce(&mut Reader<'_>) -> T,
    ) -> Option<T> {
        let fields = problems.keep(Fields::read(value, path).map(Some))?;
        let mut reader = Reader { fields, taken: vec![], problems };
        let out = read(&mut reader);
        reader.finish();
        Some(out)
    }

    pub(super) fn path_of(&self, key: &str) -> String {
        self.fields.path_of(key)
    }

    pub(super) fn path(&self) -> &str {
        self.fields.path()
    }

    pub(super) fn problem(&mut self, key: &str, message: impl Into<String>) {
        let path = self.path_of(key);
        self.problems.add(path, message);
    }

    pub(super) fn text(&mut self, key: &'static str) -> Option<String> {
        self.taken.push(key);
        let read = self.fields.take_str(key);
        self.problems.keep(read)
    }

    pub(super) fn flag(&mut self, key: &'static str) -> Option<bool> {
        self.taken.push(key);
        let read = self.fields.take_bool(key);
        self.problems.keep(read)
    }

    pub(super) fn number(&mut self, key: &'static str) -> Option<Number> {
        self.taken.push(key);
        let read = self.fields.take_number(key);
        self.problems.keep(read)
    }

    pub(super) fn whole(&mut self, key: &'static str, range: RangeInclusive<u64>) -> Option<u64> {
        self.taken.push(key);
        let value = self.fields.take(key)?;
        self.whole_of(key, &value, range)
    }

    /// The same of a value that could be something else too.
    pub(super) fn whole_of(&mut self, key: &'static str, value: &Value, range: RangeInclusive<u64>) -> Option<u64> {
        let found = value.as_u64().filter(|value| range.contains(value));
        if found.is_none() {
            let whole = if value.is_u64() { "" } else { "a whole number " };
            self.problem(key, format!("`{}` must be {whole}from {} to {}.", self.path_of(key), range.start(), range.end()));
        }
        found
    }

    pub(super) fn peek(&self, key: &str) -> Option<&Value> {
        self.fields.peek(key)
    }

    /// What may be of any kind.
    pub(super) fn value(&mut self, key: &'static str) -> Option<Value> {
        self.taken.push(key);
        self.fields.take(key)
    }

    pub(super) fn need(&mut self, key: &'static str, what: &str) -> Option<Value> {
        let value = self.value(key);
        if value.is_none() {
            self.problem(key, format!("`{}` is required: {what}.", self.path_of(key)));
        }
        value
    }

    pub(super) fn items(&mut self, key: &'static str) -> Option<Vec<Value>> {
        self.taken.push(key);
        let read = self.fields.take_array(key);
        self.problems.keep(read)
    }

    pub(super) fn strings(&mut self, key: &'static str) -> Option<Vec<String>> {
        let items = self.items(key)?;
        let mut out = vec![];
        for (i, item) in items.into_iter().enumerate() {
            if let Value::String(text) = item {
                out.push(text);
            } else {
                let path = format!("{}[{i}]", self.path_of(key));
                self.problems.add(path.clone(), format!("`{path}` must be a string."));
            }
        }
        Some(out)
    }

    /// An object whose keys are the operator's own.
    pub(super) fn map(&mut self, key: &'static str) -> Option<Map<String, Value>> {
        self.taken.push(key);
        let read = self.fields.take_fields(key);
        self.problems.keep(read).map(Fields::into_map)
    }

    pub(super) fn object<T>(&mut self, key: &'static str, read: impl FnOnce(&mut Reader<'_>) -> T) -> Option<T> {
        self.taken.push(key);
        let path = self.path_of(key);
        let value = self.fields.take(key)?;
        Reader::over(value, path, self.problems, read)
    }

    /// One of a few words.
    pub(super) fn choice<T: Copy>(&mut self, key: &'static str, choices: &[(&str, T)]) -> Option<T> {
        let word = self.text(key)?;
        let found = choices.iter().find(|(name, _)| *name == word).map(|(_, value)| *value);
        if found.is_none() {
            let known = choices.iter().map(|(name, _)| format!("`{name}`")).collect::<Vec<_>>().join(" or ");
            self.problem(key, format!("`{word}` is not supported; use {known}."));
        }
        found
    }

    /// Fields that do not go with what else is there; `why` follows the field's name.
    pub(super) fn refuse(&mut self, keys: &[&str], why: &str) {
        for key in keys {
            if self.fields.take(key).is_some() {
                self.problem(key, format!("`{}` {why}.", self.path_of(key)));
            }
        }
    }

    fn finish(self) {
        let path = self.fields.path().to_owned();
        for key in self.fields.into_map().keys().filter(|key| !self.taken.contains(&key.as_str())) {
            let at = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            let near = did_you_mean(key, self.taken.iter().copied());
            let known = self.taken.join(", ");
            self.problems.add(at.clone(), format!("`{at}` is an unknown field.{near} The fields here are: {known}."));
        }
    }
}

/// ` Did you mean `a` or `b`?`, or nothing.
pub(super) fn did_you_mean<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    let near: Vec<String> = nearest(name, known).into_iter().map(|near| format!("`{near}`")).collect();
    if near.is_empty() { String::new() } else { format!(" Did you mean {}?", near.join(" or ")) }
}
