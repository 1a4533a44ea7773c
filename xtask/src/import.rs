//! `cargo xtask import`: another gateway's configuration to our documents, and what of it did not map.

mod draft;
mod litellm;
mod openrouter;
mod portkey;
mod source;
mod tensorzero;
#[cfg(test)]
mod tests;

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use portolan::config::{self, Documents};
use portolan::sorted::SortedMap;
use serde_json::{Map, Value};

use self::draft::Draft;
use self::source::{Ledger, Node};

const USAGE: &str = "usage: cargo xtask import litellm|portkey|openrouter|tensorzero FILE [--out DIR]";

/// By the name of the format.
type Importer = fn(Node<'_>, &mut Draft) -> Result<()>;
const FORMATS: [(&str, Importer); 4] = [
    ("litellm", litellm::import),
    ("portkey", portkey::import),
    ("openrouter", openrouter::import),
    ("tensorzero", tensorzero::import),
];

/// What came of a file.
pub struct Imported {
    /// By name, those that say something.
    pub documents: Vec<(&'static str, Value)>,
    pub report: String,
}

pub fn import(arguments: &[String]) -> Result<()> {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (format, file, out) = match arguments[..] {
        [format, file] => (format, file, None),
        [format, file, "--out", out] | [format, "--out", out, file] => (format, file, Some(out)),
        _ => bail!(USAGE),
    };
    let text = fs::read_to_string(file).with_context(|| file.to_owned())?;
    let imported = imported(format, &text).with_context(|| file.to_owned())?;
    match out {
        Some(out) => {
            fs::create_dir_all(out).with_context(|| out.to_owned())?;
            for (name, document) in &imported.documents {
                let path = Path::new(out).join(format!("{name}.json"));
                fs::write(&path, format!("{document:#}\n")).with_context(|| path.display().to_string())?;
                println!("{}", path.display());
            }
        }
        None => imported.documents.iter().for_each(|(name, document)| println!("{name}:\n{document:#}\n")),
    }
    print!("{}", imported.report);
    Ok(())
}

pub fn imported(format: &str, text: &str) -> Result<Imported> {
    let Some((_, importer)) = FORMATS.iter().find(|(name, _)| *name == format) else { bail!(USAGE) };
    let value = parsed(format, text)?;
    let (ledger, mut draft) = (Ledger::default(), Draft::default());
    importer(Node::root(&value, &ledger), &mut draft)?;
    ledger.finish(&value);
    let documents = draft.documents();
    check(&documents)?;
    draft.check_no_secret(&documents)?;
    Ok(Imported { report: format!("{}{}", draft.report(), ledger.report()), documents })
}

fn parsed(format: &str, text: &str) -> Result<Value> {
    let value: Value = match format {
        "litellm" => serde_norway::from_str(text).context("not YAML")?,
        "tensorzero" => toml::from_str(text).context("not TOML")?,
        _ => serde_json::from_str(text).context("not JSON")?,
    };
    Ok(value)
}

/// As the gateway itself would read them.
fn check(documents: &[(&'static str, Value)]) -> Result<()> {
    let text = |wanted: &str| documents.iter().find(|(name, _)| *name == wanted).map(|(_, document)| document.to_string());
    let all = Documents {
        routes: text("routes"),
        providers: text("providers"),
        settings: text("settings"),
        prices: text("prices"),
        budgets: text("budgets"),
    };
    let Err(problems) = config::build(&all, &SortedMap::new()) else { return Ok(()) };
    let lines = problems.iter().map(|problem| format!("  {} {}: {}", problem.document, problem.path, problem.message));
    bail!("what came of it is no valid configuration:\n{}", lines.collect::<Vec<_>>().join("\n"))
}

/// Why an address cannot be a provider's; nothing when it can.
fn is_refused(base_url: &str) -> Option<String> {
    let entry = serde_json::json!({"x": {"kind": "openai", "base_url": base_url}});
    let documents = Documents { providers: Some(entry.to_string()), ..Documents::default() };
    config::build(&documents, &SortedMap::new())
        .err()
        .map(|problems| problems.first().map(|p| p.message.clone()).unwrap_or_default())
}

fn object(value: Value) -> Map<String, Value> {
    if let Value::Object(map) = value { map } else { Map::new() }
}
