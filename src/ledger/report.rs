//! Spending, by whatever it is asked by: the question, what a tenant's object is asked, and the answer of them all.

use serde_json::{Map, Value};

use crate::{
    error::Error,
    sorted::SortedMap,
    units::{Millis, Money},
    wire::{
        compose::{IntoJson, Members},
        json::json_text,
        query::{names, pairs},
        time,
    },
};

const MS_PER_HOUR: u64 = 3_600_000;
const HOURS_PER_DAY: u64 = 24;
/// What is asked where no beginning is named.
const USUAL_HOURS: u64 = 30 * HOURS_PER_DAY;
/// Rows of one report: a year of days for some dozens of models and keys.
pub const MAX_ROWS: usize = 20_000;

/// What can be asked by: the word, and what it is in the table of sums.
const DIMENSIONS: [(&str, &str); 10] = [
    ("tenant", "''"),
    ("key", "key"),
    ("tag", "coalesce(tag.value, '')"),
    ("user", "user"),
    ("route", "route"),
    ("provider", "provider"),
    ("model", "model"),
    ("hour", "strftime('%Y-%m-%dT%H:00:00Z', hour * 3600, 'unixepoch')"),
    ("day", "strftime('%Y-%m-%d', hour * 3600, 'unixepoch')"),
    ("month", "strftime('%Y-%m', hour * 3600, 'unixepoch')"),
];
const TENANT: &str = "tenant";
const TAG: &str = "tag";
/// Dimensions that are names, and may be asked for.
const NAMED: usize = 7;

/// What is summed up.
const SUMS: [&str; 10] =
    ["requests", "errors", "failovers", "input", "cache_read", "cache_write", "output", "cost", "unpriced", "estimated"];
const COST: &str = "cost";
/// The same in dollars, exactly.
const DOLLARS: &str = "cost_usd";

/// How a report is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Json,
    Csv,
    JsonLines,
}

impl Format {
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Csv => "text/csv; charset=utf-8",
            Self::JsonLines => "application/x-ndjson",
        }
    }
}

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// Hours since 1970; the last one is left out.
    from: u64,
    to: u64,
    /// Dimension and the names that count.
    only: Vec<(&'static str, Vec<String>)>,
    by: Vec<&'static str>,
    pub format: Format,
}

/// One row: its names, and its sums.
type Rows = SortedMap<Vec<String>, [u64; SUMS.len()]>;

/// What tenants' objects answered, together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    rows: Rows,
    is_cut: bool,
    silent: Vec<String>,
}

impl Question {
    /// `key=…&tenant=…&from=…&to=…&group_by=key,day&format=csv`; names may be several, with commas between.
    pub fn read(query: &str, now: Millis) -> Result<Self, Error> {
        let (mut from, mut to, mut only, mut by, mut format) = (None, None, vec![], vec![], Format::Json);
        for (name, value) in pairs(query) {
            let found = DIMENSIONS.iter().take(NAMED).find(|(word, _)| *word == name).map(|(word, _)| *word);
            match (name, found) {
                (_, Some(word)) => only.push((word, names(word, &value)?)),
                ("from", _) => from = Some(hour(&value, "from")?),
                ("to", _) => to = Some(hour(&value, "to")?),
                ("group_by", _) => by = dimensions(&value)?,
                ("format", _) => format = read_format(&value)?,
                _ => {
                    let known = "key, tenant, tag, user, route, provider, model, from, to, group_by, format";
                    return Err(Error::invalid(name, format!("`{name}` is not known here; use {known}.")));
                }
            }
        }
        // The hour that has begun counts, at either end.
        let to = to.map_or(now.0 / MS_PER_HOUR + 1, |at: Millis| at.0.div_ceil(MS_PER_HOUR));
        let from = from.map_or(to.saturating_sub(USUAL_HOURS), |at: Millis| at.0 / MS_PER_HOUR);
        if from >= to {
            return Err(Error::invalid("from", "`from` must be before `to`."));
        }
        Ok(Self { from, to, only, by, format })
    }

    /// Tenants that are asked for by name; empty: all there are.
    pub fn tenants(&self) -> &[String] {
        self.only.iter().find(|(word, _)| *word == TENANT).map_or(&[], |(_, names)| names)
    }

    /// What one tenant's object is to select, and the texts to bind. Each row comes as one JSON object.
    pub fn statement(&self) -> (String, Vec<String>) {
        let column = |word: &str| DIMENSIONS.iter().find(|(known, _)| *known == word).map_or("''", |(_, column)| *column);
        let named = self.by.iter().map(|word| format!("'{word}', {}", column(word)));
        let sums = SUMS.iter().map(|sum| format!("'{sum}', sum({sum})"));
        let members = named.chain(sums).collect::<Vec<_>>().join(", ");
        // A request with several tags counts for each.
        let tags = if self.by.contains(&TAG) { " LEFT JOIN json_each(usage.tags) AS tag" } else { "" };
        let mut bound = vec![];
        let mut conditions = vec![format!("hour >= {} AND hour < {}", self.from, self.to)];
        for (word, names) in self.only.iter().filter(|(word, _)| *word != TENANT) {
            let marks = vec!["?"; names.len()].join(", ");
            bound.extend(names.iter().cloned());
            conditions.push(if *word == TAG {
                format!("EXISTS (SELECT 1 FROM json_each(usage.tags) AS own WHERE own.value IN ({marks}))")
            } else {
                format!("{} IN ({marks})", column(word))
            });
        }
        let groups: Vec<&str> = self.by.iter().map(|word| column(word)).collect();
        // Without a group there is one sum, and none of nothing.
        let group = if groups.is_empty() { "HAVING count(*) > 0".to_owned() } else { format!("GROUP BY {}", groups.join(", ")) };
        let conditions = conditions.join(" AND ");
        let limit = MAX_ROWS + 1;
        (format!("SELECT json_object({members}) FROM usage{tags} WHERE {conditions} {group} LIMIT {limit}"), bound)
    }
}

impl Report {
    /// Adds what a tenant's object answered: its rows with commas between; `None` when it did not.
    pub fn add(&mut self, question: &Question, tenant: &str, answer: Option<&str>) {
        let rows: Option<Vec<Map<String, Value>>> = answer.and_then(|rows| serde_json::from_str(&format!("[{rows}]")).ok());
        let Some(rows) = rows else {
            self.silent.push(tenant.to_owned());
            return;
        };
        for row in rows {
            let name = |word: &&str| match *word {
                TENANT => tenant.to_owned(),
                word => row.get(word).and_then(Value::as_str).unwrap_or_default().to_owned(),
            };
            let names: Vec<String> = question.by.iter().map(name).collect();
            if self.rows.len() >= MAX_ROWS && !self.rows.contains_key(&names) {
                self.is_cut = true;
                return;
            }
            let kept = self.rows.or_insert(names, [0; SUMS.len()]);
            for (kept, sum) in kept.iter_mut().zip(SUMS) {
                *kept = kept.saturating_add(row.get(sum).and_then(Value::as_u64).unwrap_or_default());
            }
        }
    }

    pub fn written(&self, question: &Question) -> String {
        match question.format {
            Format::Json => self.json(question),
            Format::Csv => self.csv(question),
            Format::JsonLines => self.objects(question).map(|row| format!("{}\n", json_text(&Value::Object(row)))).collect(),
        }
    }

    fn objects<'a>(&'a self, question: &'a Question) -> impl Iterator<Item = Map<String, Value>> {
        self.rows.iter().map(|(names, sums)| {
            let mut row = Map::new();
            question.by.iter().zip(names).for_each(|(word, name)| row.put(word, name.as_str()));
            put_sums(&mut row, sums);
            row
        })
    }

    fn json(&self, question: &Question) -> String {
        let hour = |hours: u64| Millis(hours.saturating_mul(MS_PER_HOUR)).timestamp();
        let mut total = [0_u64; SUMS.len()];
        for sums in self.rows.values() {
            total.iter_mut().zip(sums).for_each(|(total, sum)| *total = total.saturating_add(*sum));
        }
        let mut out = Map::new();
        out.put("from", hour(question.from));
        out.put("to", hour(question.to));
        out.put("group_by", question.by.iter().map(|word| (*word).into_json()).collect::<Vec<Value>>());
        out.put("data", self.objects(question).map(Value::Object).collect::<Vec<_>>());
        // Of requests with several tags it would count some of them twice.
        if !question.by.contains(&TAG) {
            let mut sum = Map::new();
            put_sums(&mut sum, &total);
            out.put("total", Value::Object(sum));
        }
        out.put("truncated", self.is_cut);
        if !self.silent.is_empty() {
            out.put("unreachable", &self.silent);
        }
        json_text(&Value::Object(out))
    }

    fn csv(&self, question: &Question) -> String {
        let columns = question.by.iter().copied().chain(SUMS).chain([DOLLARS]);
        let mut out = columns.collect::<Vec<_>>().join(",");
        out.push_str("\r\n");
        for row in self.objects(question) {
            let cells = row.values().map(|value| value.as_str().map_or_else(|| value.to_string(), cell));
            out.push_str(&cells.collect::<Vec<_>>().join(","));
            out.push_str("\r\n");
        }
        out
    }
}

fn put_sums(row: &mut Map<String, Value>, sums: &[u64; SUMS.len()]) {
    let mut dollars = String::new();
    for (sum, value) in SUMS.iter().zip(sums) {
        row.put(sum, *value);
        if *sum == COST {
            dollars = Money(*value).dollars();
        }
    }
    row.put(DOLLARS, dollars);
}

/// A cell of RFC 4180. What a spreadsheet would take for a formula is marked as text.
fn cell(text: &str) -> String {
    let marked = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() };
    if marked.contains([',', '"', '\r', '\n']) { format!("\"{}\"", marked.replace('"', "\"\"")) } else { marked }
}

fn dimensions(value: &str) -> Result<Vec<&'static str>, Error> {
    let mut by = vec![];
    for word in value.split(',').filter(|word| !word.is_empty()) {
        let known = DIMENSIONS.iter().find(|(known, _)| *known == word);
        let (known, _) = known.ok_or_else(|| {
            let words: Vec<&str> = DIMENSIONS.iter().map(|(word, _)| *word).collect();
            Error::invalid("group_by", format!("`{word}` is nothing to group by; use {}.", words.join(", ")))
        })?;
        if !by.contains(known) {
            by.push(*known);
        }
    }
    Ok(by)
}

fn read_format(value: &str) -> Result<Format, Error> {
    match value {
        "json" => Ok(Format::Json),
        "csv" => Ok(Format::Csv),
        "jsonl" => Ok(Format::JsonLines),
        _ => Err(Error::invalid("format", "`format` must be json, csv or jsonl.")),
    }
}

/// A day, a time, or milliseconds since 1970.
fn hour(value: &str, name: &str) -> Result<Millis, Error> {
    let number = || value.parse().ok().map(Millis);
    let day = || time::read(&format!("{value}T00:00:00Z"));
    let message = "a day such as 2026-11-01, a time such as 2026-11-01T12:00:00Z, or milliseconds since 1970";
    time::read(value).or_else(day).or_else(number).ok_or_else(|| Error::invalid(name, format!("`{name}` must be {message}.")))
}
