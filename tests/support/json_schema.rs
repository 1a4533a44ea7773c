//! JSON Schema, as far as ours go: what of a value is not as a schema says.

use regex_lite::Regex;
use serde_json::{Map, Value};

pub struct Schema<'a> {
    pub root: &'a Value,
    /// A member that is not described is wrong, also where the schema leaves it open; and texts are held to their patterns.
    pub is_closed: bool,
}

/// `header.` of the pattern `^header\.`
fn prefix(pattern: &str) -> String {
    pattern.trim_start_matches('^').replace('\\', "")
}

fn members(value: &Value) -> &Map<String, Value> {
    value.as_object().unwrap()
}

fn below(at: &str, key: &str) -> String {
    format!("{at}/{key}")
}

fn is_of(kind: &str, value: &Value) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "null" => value.is_null(),
        other => unreachable!("type {other}"),
    }
}

impl Schema<'_> {
    /// The first thing that is wrong, and where.
    pub fn fault(&self, schema: &Value, value: &Value, at: &str) -> Option<String> {
        let is_open = schema.get("additionalProperties").is_none() && self.is_closed && schema.get("properties").is_some();
        let closed = is_open.then(|| self.others(schema, value, &Value::Bool(false), at)).flatten();
        closed.or_else(|| members(schema).iter().find_map(|(word, rule)| self.word(schema, (word, rule), value, at)))
    }

    fn word(&self, schema: &Value, (word, rule): (&str, &Value), value: &Value, at: &str) -> Option<String> {
        let wrong = |is_right: bool| (!is_right).then(|| format!("{at}: {word} {rule}: {value}"));
        let size = |found: Option<usize>, test: fn(u64, u64) -> bool| {
            wrong(found.is_none_or(|found| test(u64::try_from(found).unwrap(), rule.as_u64().unwrap())))
        };
        let number = |test: fn(f64, f64) -> bool| wrong(value.as_f64().is_none_or(|found| test(found, rule.as_f64().unwrap())));
        let (object, array, text) = (value.as_object(), value.as_array(), value.as_str());
        match word {
            "$ref" => self.fault(self.root.pointer(rule.as_str().unwrap().trim_start_matches('#')).unwrap(), value, at),
            "type" => {
                let one = std::slice::from_ref(rule);
                let kinds = rule.as_array().map_or(one, Vec::as_slice);
                wrong(kinds.iter().any(|kind| is_of(kind.as_str().unwrap(), value)))
            }
            "anyOf" => wrong(rule.as_array().unwrap().iter().any(|rule| self.fault(rule, value, at).is_none())),
            "enum" => wrong(rule.as_array().unwrap().contains(value)),
            "required" => object
                .and_then(|object| wrong(rule.as_array().unwrap().iter().all(|key| object.contains_key(key.as_str().unwrap())))),
            "properties" => object.and_then(|object| {
                members(rule).iter().find_map(|(key, rule)| self.fault(rule, object.get(key)?, &below(at, key)))
            }),
            "additionalProperties" => self.others(schema, value, rule, at),
            "patternProperties" => object.and_then(|object| {
                let fits = |(start, rule)| {
                    let mut those = object.iter().filter(|(key, _)| key.starts_with(&prefix(start)));
                    those.find_map(|(key, member)| self.fault(rule, member, &below(at, key)))
                };
                members(rule).iter().map(|(start, rule)| (start.as_str(), rule)).find_map(fits)
            }),
            "dependentRequired" => object.and_then(|object| {
                let has = |key: &Value| object.contains_key(key.as_str().unwrap());
                let holds =
                    |(key, others): (&String, &Value)| !object.contains_key(key) || others.as_array().unwrap().iter().all(has);
                wrong(members(rule).iter().all(holds))
            }),
            "items" => array.and_then(|items| {
                items.iter().enumerate().find_map(|(i, item)| self.fault(rule, item, &below(at, &i.to_string())))
            }),
            "pattern" if self.is_closed => {
                wrong(text.is_none_or(|text| Regex::new(rule.as_str().unwrap()).unwrap().is_match(text)))
            }
            "minProperties" => size(object.map(Map::len), |found, least| found >= least),
            "maxProperties" => size(object.map(Map::len), |found, most| found <= most),
            "minLength" => size(text.map(str::len), |found, least| found >= least),
            "maxLength" => size(text.map(str::len), |found, most| found <= most),
            "minItems" => size(array.map(Vec::len), |found, least| found >= least),
            "maxItems" => size(array.map(Vec::len), |found, most| found <= most),
            "exclusiveMinimum" => number(|found, least| found > least),
            "minimum" => number(|found, least| found >= least),
            "maximum" => number(|found, most| found <= most),
            "$schema" | "$defs" | "title" | "description" | "default" | "pattern" | "propertyNames" | "format" => None,
            other => unreachable!("no test knows `{other}`"),
        }
    }

    /// Members that neither `properties` nor `patternProperties` speak of.
    fn others(&self, schema: &Value, value: &Value, rule: &Value, at: &str) -> Option<String> {
        let is_known = |key: &str| {
            schema.get("properties").is_some_and(|p| p.get(key).is_some())
                || schema.get("patternProperties").is_some_and(|p| members(p).keys().any(|start| key.starts_with(&prefix(start))))
        };
        value.as_object()?.iter().filter(|(key, _)| !is_known(key)).find_map(|(key, member)| {
            let at = below(at, key);
            match rule.as_bool() {
                Some(true) => None,
                Some(false) => Some(format!("{at} is not described")),
                None => self.fault(rule, member, &at),
            }
        })
    }
}
