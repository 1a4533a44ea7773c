//! In the operator's object: texts that documents had.

use serde_json::Value;
use wasm_bindgen::JsValue;

use crate::{
    admin::versions::{MAX_VERSIONS, is_new},
    shell::bindings::sql,
    wire::json::json_text,
};

const TABLE: &str = "CREATE TABLE IF NOT EXISTS versions (id INTEGER PRIMARY KEY AUTOINCREMENT, document TEXT NOT NULL, \
                     digest TEXT NOT NULL, at INTEGER NOT NULL, by TEXT NOT NULL, bytes INTEGER NOT NULL, text TEXT NOT NULL)";
const INDEX: &str = "CREATE INDEX IF NOT EXISTS versions_of ON versions (document, id)";
const LATEST: &str = "SELECT json_array(digest, at) FROM versions WHERE document = ? ORDER BY id DESC LIMIT 8";
const ADD: &str = "INSERT INTO versions (document, digest, at, by, bytes, text) SELECT value ->> 'document', value ->> 'digest', \
                   value ->> 'at', value ->> 'by', value ->> 'bytes', value ->> 'text' FROM json_each(?)";
const DROP: &str = "DELETE FROM versions WHERE document = ?1 AND id NOT IN \
                    (SELECT id FROM versions WHERE document = ?1 ORDER BY id DESC LIMIT CAST(?2 AS INTEGER))";
const LIST: &str = "SELECT json_object('version', CAST(id AS TEXT), 'document', document, 'at', at, 'bytes', bytes, 'by', by, \
                    'digest', digest) FROM versions WHERE document = ? ORDER BY id DESC";
const TEXT: &str = "SELECT text FROM versions WHERE document = ?1 AND id = CAST(?2 AS INTEGER)";
/// The one before.
const BEFORE: &str =
    "SELECT CAST(id AS TEXT) FROM versions WHERE document = ?1 AND id < CAST(?2 AS INTEGER) ORDER BY id DESC LIMIT 1";

/// `note` with items, or a question with a document and a version in two lines.
pub fn answer(state: &JsValue, path: &str, message: &str) -> Result<String, JsValue> {
    sql(state, TABLE, &[])?;
    sql(state, INDEX, &[])?;
    let (document, version) = message.split_once('\n').unwrap_or((message, ""));
    match path {
        "note" => note(state, message),
        "list" => Ok(format!("[{}]", sql(state, LIST, &[document.into()])?)),
        "text" => sql(state, TEXT, &[document.into(), version.into()]),
        "before" => sql(state, BEFORE, &[document.into(), version.into()]),
        _ => Err(format!("nothing is known of versions/{path}").into()),
    }
}

fn note(state: &JsValue, items: &str) -> Result<String, JsValue> {
    let items: Vec<Value> = serde_json::from_str(items).unwrap_or_default();
    for item in items {
        let document = JsValue::from_str(item.get("document").and_then(Value::as_str).unwrap_or_default());
        let latest = format!("[{}]", sql(state, LATEST, std::slice::from_ref(&document))?);
        if is_new(&item, &serde_json::from_str(&latest).unwrap_or_default()) {
            let row = Value::Array(vec![item]);
            sql(state, ADD, &[json_text(&row).into()])?;
            sql(state, DROP, &[document, MAX_VERSIONS.to_string().into()])?;
        }
    }
    Ok(String::new())
}
