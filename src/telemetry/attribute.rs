//! Attributes as OTLP writes them in JSON.

use serde_json::{Map, Value};

use crate::wire::compose::{Members, json};

/// Attributes of one span; what is not there is left out.
#[derive(Default)]
pub(super) struct Attributes(Vec<Value>);

impl Attributes {
    pub fn text(&mut self, key: &str, value: &str) {
        if !value.is_empty() {
            self.put(key, "stringValue", Value::from(value));
        }
    }

    pub fn some(&mut self, key: &str, value: Option<&str>) {
        self.text(key, value.unwrap_or_default());
    }

    /// 64 bits do not fit a number of JavaScript's: OTLP writes them as text.
    pub fn count(&mut self, key: &str, value: u64) {
        self.put(key, "intValue", Value::from(value.to_string()));
    }

    pub fn flag(&mut self, key: &str, value: bool) {
        if value {
            self.put(key, "boolValue", Value::from(true));
        }
    }

    /// Of exact decimal text.
    pub fn decimal(&mut self, key: &str, text: &str) {
        self.put(key, "doubleValue", Value::from(text.parse::<f64>().unwrap_or_default()));
    }

    pub fn into_value(self) -> Value {
        Value::Array(self.0)
    }

    fn put(&mut self, key: &str, kind: &str, value: Value) {
        let mut of_kind = Map::new();
        of_kind.put(kind, value);
        self.0.push(json!({"key": key, "value": Value::Object(of_kind)}));
    }
}
