//! Configuration documents of a development start, and the local KV namespace that holds them.

use std::fs;
use std::io::{ErrorKind, Write};
use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value, json};

use crate::env_file::Values;
use crate::run;

const DOCUMENTS: [&str; 4] = ["routes", "providers", "settings", "prices"];

/// Makes local KV hold exactly the documents of a folder, with private upstreams allowed.
pub fn load(folder: &Path) -> Result<()> {
    let mut put = Map::new();
    for document in DOCUMENTS {
        if let Some(text) = read_if_there(&folder.join(format!("{document}.json")))? {
            put.insert(document.to_owned(), Value::String(text));
        }
    }
    let settings = put.get("settings").and_then(Value::as_str);
    if let Some(allowed) = allow_private_upstreams(settings) {
        put.insert("settings".to_owned(), Value::String(allowed));
    }
    let names: Vec<_> = put.keys().map(String::as_str).collect();
    println!("  documents from {}: {}", folder.display(), names.join(", "));
    // The last good copy of another folder's document must not outlive it.
    let delete: Vec<String> = DOCUMENTS
        .into_iter()
        .filter(|document| !put.contains_key(*document))
        .map(str::to_owned)
        .chain(DOCUMENTS.map(|document| format!("{document}@good")))
        .collect();
    change_local_kv(&json!({ "put": put, "delete": delete })).map(|_| ())
}

/// Allows private upstreams in the documents that local KV holds already.
pub fn allow_in_place() -> Result<()> {
    let held = change_local_kv(&json!({ "get": ["settings"] }))?;
    let settings = held.get("settings").and_then(Value::as_str);
    match allow_private_upstreams(settings) {
        Some(allowed) => change_local_kv(&json!({ "put": { "settings": allowed } })).map(|_| ()),
        None => Ok(()),
    }
}

/// The local secrets of a folder's `secrets.json`.
pub fn secrets(folder: &Path) -> Result<Values> {
    let path = folder.join("secrets.json");
    let Some(text) = read_if_there(&path)? else {
        return Ok(Values::new());
    };
    serde_json::from_str(&text).with_context(|| format!("{}: an object of name and text is wanted", path.display()))
}

/// The settings with private upstreams allowed; `None` when they say so or otherwise themselves, and when they are no
/// object: the Worker says best what is wrong with them.
fn allow_private_upstreams(settings: Option<&str>) -> Option<String> {
    const FLAG: &str = "allow_private_upstreams";
    let mut settings: Map<String, Value> = match settings {
        Some(text) => serde_json::from_str(text).ok()?,
        None => Map::new(),
    };
    if settings.contains_key(FLAG) {
        return None;
    }
    settings.insert(FLAG.to_owned(), Value::Bool(true));
    Some(format!("{:#}", Value::Object(settings)))
}

fn read_if_there(path: &Path) -> Result<Option<String>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| path.display().to_string()),
    }
}

fn change_local_kv(change: &Value) -> Result<Value> {
    let mut child = run::command("node")?
        .arg("xtask/src/local_kv.mjs")
        .env("CLOUDFLARE_CF_FETCH_ENABLED", "false")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot start node")?;
    let mut stdin = child.stdin.take().context("node has no standard input")?;
    stdin.write_all(change.to_string().as_bytes())?;
    drop(stdin);
    let output = child.wait_with_output()?;
    if !output.status.success() {
        bail!("the local KV namespace cannot be read or written");
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

#[cfg(test)]
mod tests {
    use super::allow_private_upstreams;

    #[test]
    fn private_upstreams_are_allowed_unless_the_settings_decide() {
        for (settings, expected) in [
            (None, Some(r#"{"allow_private_upstreams":true}"#)),
            (Some("{}"), Some(r#"{"allow_private_upstreams":true}"#)),
            (Some(r#"{"z":1,"a":2}"#), Some(r#"{"z":1,"a":2,"allow_private_upstreams":true}"#)),
            (Some(r#"{"allow_private_upstreams":false}"#), None),
            (Some(r#"{"allow_private_upstreams":true}"#), None),
            (Some("[]"), None),
            (Some("{"), None),
        ] {
            let allowed = allow_private_upstreams(settings).map(|text| text.split_whitespace().collect::<String>());
            assert_eq!(allowed.as_deref(), expected, "{settings:?}");
        }
    }
}
