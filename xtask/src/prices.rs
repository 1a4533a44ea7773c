//! `cargo xtask prices import`: public price tables to a `prices` document, and what it would change.

mod changes;
mod layout;
mod litellm;
mod models_dev;
mod rates;

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use portolan::config::{self, Documents};
use portolan::sorted::SortedMap;
use serde_json::{Map, Value};

use self::layout::{Layout, Table};

const USAGE: &str = "usage: cargo xtask prices import --from FILE [--from FILE]… [--layout litellm|models.dev|auto] \
[--date YYYY-MM-DD] [--all] [--current prices.json] [--out prices.json]";

/// What the command line asks for.
#[derive(Default)]
struct Asked {
    from: Vec<String>,
    layout: Option<Layout>,
    date: Option<String>,
    current: Option<String>,
    out: Option<String>,
    /// Models that nobody knew, too.
    all: bool,
}

pub fn prices(arguments: &[String]) -> Result<()> {
    let Some(("import", rest)) = arguments.split_first().map(|(name, rest)| (name.as_str(), rest)) else { bail!(USAGE) };
    let asked = read_arguments(rest)?;
    let current = match &asked.current {
        Some(path) => read_object(Path::new(path))?,
        None => Map::new(),
    };
    let mut table = Table::default();
    for path in &asked.from {
        let text = fs::read_to_string(path).with_context(|| path.clone())?;
        let before = table.prices.len();
        layout::read(&text, asked.layout, asked.date.as_deref(), &mut table).with_context(|| path.clone())?;
        println!("{path}: {} prices", table.prices.len() - before);
    }
    let overlay = changes::overlay(&table, &current, asked.all);
    check(&overlay)?;
    print!("{}", changes::report(&table, &current));
    if let Some(out) = &asked.out {
        fs::write(out, format!("{:#}\n", Value::Object(overlay.clone()))).with_context(|| out.clone())?;
        println!("{} entries written to {out}", overlay.len());
    }
    Ok(())
}

fn read_arguments(arguments: &[String]) -> Result<Asked> {
    let mut asked = Asked::default();
    let mut rest = arguments.iter();
    while let Some(name) = rest.next() {
        if name == "--all" {
            asked.all = true;
            continue;
        }
        let value = rest.next().with_context(|| format!("`{name}` wants a value\n{USAGE}"))?;
        match name.as_str() {
            "--from" => asked.from.push(value.clone()),
            "--layout" => asked.layout = Layout::named(value)?,
            "--date" => asked.date = Some(value.clone()),
            "--current" => asked.current = Some(value.clone()),
            "--out" => asked.out = Some(value.clone()),
            other => bail!("`{other}` is not known\n{USAGE}"),
        }
    }
    if asked.from.is_empty() {
        bail!("which table?\n{USAGE}");
    }
    Ok(asked)
}

fn read_object(path: &Path) -> Result<Map<String, Value>> {
    let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
    serde_json::from_str(&text).with_context(|| format!("{}: a JSON object is wanted", path.display()))
}

/// As the gateway reads it: what it would refuse is not written.
fn check(overlay: &Map<String, Value>) -> Result<()> {
    let document = Documents { prices: Some(Value::Object(overlay.clone()).to_string()), ..Documents::default() };
    config::build(&document, &SortedMap::new()).map(|_| ()).map_err(|problems| {
        let list: Vec<String> = problems.iter().map(|problem| format!("{}: {}", problem.path, problem.message)).collect();
        anyhow::anyhow!("the document would be refused:\n{}", list.join("\n"))
    })
}

#[cfg(test)]
#[path = "prices/tests.rs"]
mod tests;
