//! What is asked of the journal: filters, a place to go on from, and how many.

use super::place;
use crate::{
    error::Error,
    units::{DAY_MS, Millis, Money},
    wire::{
        fields::must_be,
        query::{names, pairs},
        time,
    },
};

/// Records of a page that names no number.
const PAGE: usize = 50;
/// Records of one page: about a megabyte.
const MAX_PAGE: usize = 500;
/// Bytes of one value.
const MAX_VALUE: usize = 8_192;
/// The clocks of isolates and objects are this near to each other, and more.
const CLOCKS_MS: u64 = 60_000;
/// A record comes when its request is over, and later when the journal could not be reached.
const LATEST_MS: u64 = DAY_MS;
/// SQLite's whole numbers end here.
const MAX_NUMBER: u64 = i64::MAX.unsigned_abs();

/// A place in the journal of all tenants. Requests of two tenants may have the same: then their ids decide.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    pub place: u64,
    pub id: String,
}

impl Cursor {
    pub fn write(&self) -> String {
        format!("c{:x}-{}", self.place, self.id)
    }

    fn read(text: &str) -> Option<Self> {
        let (place, id) = text.strip_prefix('c')?.split_once('-')?;
        let is_ours = id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        let place = u64::from_str_radix(place, 16).ok().filter(|place| is_ours && *place <= MAX_NUMBER)?;
        Some(Self { place, id: id.to_owned() })
    }
}

/// What a query says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// Empty: all there are.
    pub tenants: Vec<String>,
    pub limit: usize,
    /// Below this one.
    pub before: Option<Cursor>,
    /// From this place on.
    pub after: Option<u64>,
    pub(super) conditions: Vec<String>,
    /// For each `?` of those.
    pub(super) bound: Vec<String>,
    low: u64,
    high: u64,
}

/// Parameters that are names, and the columns that may have one of them.
const NAMES: [(&str, &[&str]); 6] = [
    ("key", &["key"]),
    ("route", &["route"]),
    ("provider", &["provider"]),
    ("model", &["model", "asked", "answered"]),
    ("outcome", &["outcome"]),
    ("fault", &["fault"]),
];
/// Parameters that are limits of numbers.
const LIMITS: [(&str, &str); 4] =
    [("min_ms", "ms >="), ("max_ms", "ms <="), ("min_first_ms", "first_ms >="), ("min_cost_usd", "cost >=")];
const KNOWN: &str = "tenant, key, route, provider, model, status, outcome, fault, min_ms, max_ms, min_first_ms, min_cost_usd, \
     failover, id, from, to, before, after, limit";

impl Question {
    pub fn read(query: &str) -> Result<Self, Error> {
        let mut asked = Self {
            tenants: vec![],
            limit: PAGE,
            before: None,
            after: None,
            conditions: vec![],
            bound: vec![],
            low: 0,
            high: MAX_NUMBER,
        };
        for (name, value) in pairs(query) {
            if value.len() > MAX_VALUE {
                return Err(Error::invalid(name, format!("`{name}` may have at most {MAX_VALUE} bytes.")));
            }
            asked.take(name, &value)?;
        }
        Ok(asked)
    }

    fn take(&mut self, name: &str, value: &str) -> Result<(), Error> {
        if let Some((word, columns)) = NAMES.iter().find(|(word, _)| *word == name) {
            let names = names(word, value)?;
            let marks = vec!["?"; names.len()].join(", ");
            let any: Vec<String> = columns.iter().map(|column| format!("{column} IN ({marks})")).collect();
            columns.iter().for_each(|_| self.bound.extend(names.iter().cloned()));
            self.conditions.push(format!("({})", any.join(" OR ")));
            return Ok(());
        }
        if let Some((word, test)) = LIMITS.iter().find(|(word, _)| *word == name) {
            let number = if *word == "min_cost_usd" { Money::of_dollars(value).map(|cost| cost.0) } else { value.parse().ok() };
            let what = if *word == "min_cost_usd" { "dollars such as 0.05" } else { "a whole number of milliseconds" };
            let number = number.filter(|number| *number <= MAX_NUMBER).ok_or_else(|| must_be(name, what))?;
            self.conditions.push(format!("{test} {number}"));
            return Ok(());
        }
        match name {
            "tenant" => self.tenants = tenants(value)?,
            "status" => self.conditions.push(statuses(value)?),
            "failover" => self.conditions.push(failover(value)?),
            "id" if value.is_empty() => return Err(must_be(name, "a part of an id")),
            "id" => {
                let columns = ["id", "client", "response"].map(|column| format!("instr(facts.{column}, ?)"));
                self.conditions.push(format!("({})", columns.join(" OR ")));
                self.bound.extend(columns.iter().map(|_| value.to_owned()));
            }
            "from" => {
                let from = moment(value, name)?;
                self.conditions.push(format!("time >= {}", from.0));
                self.low = self.low.max(place(Millis(from.0.saturating_sub(CLOCKS_MS))));
            }
            "to" => {
                let to = moment(value, name)?;
                self.conditions.push(format!("time < {}", to.0));
                self.high = self.high.min(place(to.plus(LATEST_MS)));
            }
            "before" => self.before = Some(cursor(value, name)?),
            "after" => self.after = Some(cursor(value, name)?.place),
            "limit" => {
                let limit = value.parse().ok().filter(|limit| (1..=MAX_PAGE).contains(limit));
                self.limit = limit.ok_or_else(|| must_be(name, &format!("a number from 1 to {MAX_PAGE}")))?;
            }
            _ => return Err(Error::invalid(name, format!("`{name}` is not known here; use {KNOWN}."))),
        }
        Ok(())
    }

    /// The first and the last place where something asked for can stand.
    pub fn places(&self) -> (u64, u64) {
        let high = self.before.as_ref().map_or(self.high, |before| self.high.min(before.place));
        (self.low.max(self.after.unwrap_or_default()), high)
    }
}

/// What begins with `@` is no tenant of requests.
fn tenants(value: &str) -> Result<Vec<String>, Error> {
    let mut names = names("tenant", value)?;
    if names.iter().any(|name| name.is_empty() || name.starts_with('@')) {
        return Err(must_be("tenant", "names of tenants, with commas between"));
    }
    names.sort_unstable();
    names.dedup();
    Ok(names)
}

/// `200`, `4xx`, `400-499`, several with commas.
fn statuses(value: &str) -> Result<String, Error> {
    let wrong = || must_be("status", "statuses such as 200, 4xx or 400-499, with commas between");
    let number = |text: &str| text.parse::<u16>().ok().filter(|status| *status <= 999);
    let mut ranges = vec![];
    for part in &names("status", value)? {
        let range = match (part.strip_suffix("xx"), part.split_once('-')) {
            (Some(class), _) if class.len() == 1 => number(class).map(|class| (class * 100, class * 100 + 99)),
            (_, Some((low, high))) => number(low).zip(number(high)),
            _ => number(part).map(|status| (status, status)),
        };
        ranges.push(range.filter(|(low, high)| low <= high).ok_or_else(wrong)?);
    }
    let any: Vec<String> = ranges.iter().map(|(low, high)| format!("status BETWEEN {low} AND {high}")).collect();
    // These have an index of their own.
    let failed = if ranges.iter().all(|(low, _)| *low >= 400) { " AND failed = 1" } else { "" };
    Ok(format!("({}){failed}", any.join(" OR ")))
}

fn failover(value: &str) -> Result<String, Error> {
    match value {
        "true" => Ok("failover = 1".to_owned()),
        "false" => Ok("failover = 0".to_owned()),
        _ => Err(must_be("failover", "true or false")),
    }
}

/// A day, a time, or milliseconds since 1970.
fn moment(value: &str, name: &str) -> Result<Millis, Error> {
    let number = || value.parse().ok().map(Millis);
    let day = || Millis::of_date(value);
    let found = time::read(value).or_else(number).or_else(day).filter(|at| at.0 <= MAX_NUMBER);
    found
        .ok_or_else(|| must_be(name, "a day such as 2026-11-01, a time such as 2026-11-01T12:00:00Z, or milliseconds since 1970"))
}

fn cursor(value: &str, name: &str) -> Result<Cursor, Error> {
    Cursor::read(value).ok_or_else(|| must_be(name, "what `next` or `newest` of a page said"))
}
