//! What a table would change of the prices that are built in or stand in a document, and the document that does it.

use std::collections::BTreeMap;
use std::fmt::Write;

use portolan::catalog;
use portolan::config::write_price;
use portolan::units::Millis;
use serde_json::{Map, Value};

use super::layout::Table;

/// Names that are shown of a long list.
const SHOWN: usize = 5;
/// Members of an entry that are no money.
const WORDS: [&str; 4] = ["source", "date", "currency", "rate"];
const TIERS: [&str; 3] = ["batch.", "flex.", "priority."];
/// The member of a document that is no model.
const CURRENCIES: &str = "currencies";

/// What holds of a model now, as it would stand in a document.
fn known(name: &str, current: &Map<String, Value>) -> Option<Map<String, Value>> {
    if let Some(own) = current.get(name) {
        return own.as_object().cloned();
    }
    let (provider, model) = name.split_once('/')?;
    let row = catalog::provider(provider)?;
    let makers = std::iter::once(row.name).chain(row.sells.iter().copied());
    let price = makers.filter_map(|maker| catalog::model(maker, model)).find_map(|model| model.price.as_ref())?;
    let mut out = write_price(price);
    out.insert("date".to_owned(), price.date().into());
    Some(out)
}

/// The current document with what the table says otherwise. `all`: of models that nobody knew, too. What the table says as it
/// was is in it where the table is the younger of the two: then it is not old any more.
pub fn overlay(table: &Table, current: &Map<String, Value>, all: bool) -> Map<String, Value> {
    let mut out = current.clone();
    for (name, price) in &table.prices {
        let is_wanted = match known(name, current) {
            Some(known) => !difference(&known, price).is_empty() || is_younger(price, &known),
            None => all,
        };
        if is_wanted {
            out.insert(name.clone(), Value::Object(price.clone()));
        }
    }
    out
}

fn is_younger(price: &Map<String, Value>, known: &Map<String, Value>) -> bool {
    let date = |price: &Map<String, Value>| price.get("date").and_then(Value::as_str).and_then(Millis::of_date);
    date(price).is_some_and(|date_of| date(known).is_none_or(|known| known < date_of))
}

/// Path, what it was and what it is, where these differ. In another currency all of it does.
fn difference(known: &Map<String, Value>, price: &Map<String, Value>) -> Vec<(String, Option<f64>, Option<f64>)> {
    let (was, is) = (flat(known), flat(price));
    let same_money = known.get("currency").is_none_or(|code| code == "USD");
    let paths: BTreeMap<&String, ()> = was.keys().chain(is.keys()).map(|path| (path, ())).collect();
    let rows = paths.keys().map(|path| ((*path).clone(), was.get(*path).copied(), is.get(*path).copied()));
    // A tier that says what holds without it says nothing.
    let usual = |path: &str| TIERS.iter().find_map(|tier| was.get(path.strip_prefix(tier)?)).copied();
    rows.filter(|(path, was, is)| !same_money || (was != is && (was.is_some() || usual(path) != *is))).collect()
}

/// `batch.above.200000.input` and the like.
fn flat(price: &Map<String, Value>) -> BTreeMap<String, f64> {
    let mut out = BTreeMap::new();
    let mut open = vec![(String::new(), price)];
    while let Some((path, map)) = open.pop() {
        for (key, value) in map.iter().filter(|(key, _)| !WORDS.contains(&key.as_str())) {
            let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            match (value.as_f64(), value.as_object()) {
                (Some(number), _) => drop(out.insert(path, number)),
                (None, Some(inner)) => open.push((path, inner)),
                (None, None) => {}
            }
        }
    }
    out
}

fn line(path: &str, was: Option<f64>, is: Option<f64>) -> String {
    match (was, is) {
        (Some(was), Some(is)) if was > 0.0 => format!("{path} {was} → {is} ({:+.1} %)", (is - was) / was * 100.0),
        (Some(was), Some(is)) => format!("{path} {was} → {is}"),
        (None, Some(is)) => format!("{path} {is}, new"),
        (Some(was), None) => format!("{path} {was}, no more"),
        (None, None) => path.to_owned(),
    }
}

/// What the import found, for who decides whether to put the document in force.
pub fn report(table: &Table, current: &Map<String, Value>) -> String {
    let mut out = String::new();
    let (mut new, mut changed, mut same, mut confirmed) = (vec![], vec![], 0, 0);
    for (name, price) in &table.prices {
        let Some(known) = known(name, current) else {
            new.push(name.clone());
            continue;
        };
        let rows = difference(&known, price);
        if rows.is_empty() {
            same += 1;
            confirmed += usize::from(is_younger(price, &known));
            continue;
        }
        let rows: Vec<String> = rows.into_iter().map(|(path, was, is)| line(&path, was, is)).collect();
        changed.push(format!("{name}: {}", rows.join(", ")));
    }
    let gone = gone(table, current);
    let _ = writeln!(out, "unchanged: {same}, of which {confirmed} are confirmed by a younger date");
    section(&mut out, "changed", &changed, usize::MAX);
    section(&mut out, "new", &new, SHOWN);
    section(&mut out, "gone: known here, in no table", &gone, usize::MAX);
    for (what, reasons) in [("not taken", &table.left_out), ("not read", &table.unread)] {
        for (reason, names) in reasons {
            section(&mut out, &format!("{what}, {reason}"), names, SHOWN);
        }
    }
    out
}

/// Models of the catalog and of the document, of providers that the tables have, that no table names any more.
pub fn gone(table: &Table, current: &Map<String, Value>) -> Vec<String> {
    let rows = catalog::models().iter().map(|row| format!("{}/{}", row.provider, row.name));
    let own = current.keys().filter(|name| *name != CURRENCIES).cloned();
    let provider = |name: &str| name.split('/').next().unwrap_or_default().to_owned();
    let has: Vec<String> = table.prices.keys().map(|name| provider(name)).collect();
    let mut gone: Vec<String> = rows.chain(own).filter(|name| !table.prices.contains_key(name)).collect();
    gone.retain(|name| has.contains(&provider(name)));
    gone.sort();
    gone.dedup();
    gone
}

fn section(out: &mut String, title: &str, names: &[String], shown: usize) {
    let _ = writeln!(out, "{title}: {}", names.len());
    for name in names.iter().take(shown) {
        let _ = writeln!(out, "  {name}");
    }
    if names.len() > shown {
        let _ = writeln!(out, "  and {} more", names.len() - shown);
    }
}
