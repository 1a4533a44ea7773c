//! JSON text to a value, refusing what two readers could read differently.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::reader::Problems;

/// Far more than a large operation needs, far less than an isolate's memory.
const MAX_DOCUMENT: usize = 4 << 20;

/// The document's top-level object. Duplicate keys are a problem each.
pub(super) fn parse(text: &str, problems: &mut Problems) -> Option<Map<String, Value>> {
    if text.len() > MAX_DOCUMENT {
        problems.add("", format!("The document is larger than {MAX_DOCUMENT} bytes."));
        return None;
    }
    let mut twice = vec![];
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = Checked { path: String::new(), twice: &mut twice }.deserialize(&mut reader);
    let value = value.and_then(|value| reader.end().map(|()| value));
    for path in twice {
        let message = format!("`{path}` is there twice: keep one of them.");
        problems.add(path, message);
    }
    match value {
        Ok(Value::Object(map)) => Some(map),
        Ok(_) => {
            problems.add("", "The document must be a JSON object.");
            None
        }
        Err(error) => {
            problems.add("", format!("The document is not valid JSON: {error}."));
            None
        }
    }
}

/// Builds a value and notes the paths of keys seen twice in one object.
struct Checked<'t> {
    path: String,
    twice: &'t mut Vec<String>,
}

impl<'de> DeserializeSeed<'de> for Checked<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Checked<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut out = vec![];
        while let Some(item) =
            items.next_element_seed(Checked { path: format!("{}[{}]", self.path, out.len()), twice: self.twice })?
        {
            out.push(item);
        }
        Ok(Value::Array(out))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut out = Map::new();
        while let Some(key) = members.next_key::<String>()? {
            let path = if self.path.is_empty() { key.clone() } else { format!("{}.{key}", self.path) };
            let value = members.next_value_seed(Checked { path: path.clone(), twice: self.twice })?;
            if out.insert(key, value).is_some() {
                self.twice.push(path);
            }
        }
        Ok(Value::Object(out))
    }
}
