//! Holds a gateway's own counts against what a provider says it was asked.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context, Result, bail};
use serde_json::Value;

const USAGE: &str = "\
usage: cargo xtask reconcile --usage FILE --export FILE [--export FILE …] [--tolerance PERCENT]

  --usage      what the gateway counted: /admin/v1/usage?provider=…&group_by=day,model, as json, jsonl or csv
  --export     what the provider counted: pages of OpenAI's usage API, of Anthropic's usage report, or CSV with the columns
               day, model, input, cache_read, cache_write, output and requests
  --tolerance  percent that two counts may differ by; 0 when left out";

/// What is compared, a day and model. `input` is what was not cached.
const CLASSES: [&str; 5] = ["requests", "input", "cache_read", "cache_write", "output"];

/// Day and model.
type Place = (String, String);
/// `None`: this side does not say.
type Counts = [Option<u64>; CLASSES.len()];
type Book = BTreeMap<Place, Counts>;

/// One count that is not the same on both sides.
#[derive(Debug, PartialEq, Eq)]
pub struct Difference {
    pub place: Place,
    pub class: &'static str,
    pub ours: u64,
    pub theirs: u64,
}

/// What became of a comparison.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    pub compared: usize,
    pub differences: Vec<Difference>,
}

/// Whether all agree.
pub fn reconcile(arguments: &[String]) -> Result<bool> {
    let (mut usage, mut exports, mut tolerance) = (None, vec![], 0.0);
    let mut rest = arguments.iter();
    while let Some(name) = rest.next() {
        let value = rest.next().with_context(|| USAGE)?;
        match name.as_str() {
            "--usage" => usage = Some(value),
            "--export" => exports.push(value),
            "--tolerance" => tolerance = value.parse().context("--tolerance takes a number")?,
            _ => bail!("{USAGE}"),
        }
    }
    let (Some(usage), false) = (usage, exports.is_empty()) else { bail!("{USAGE}") };
    let ours = read(usage)?;
    let mut theirs = Book::new();
    for export in exports {
        for (place, counts) in read(export)? {
            add(&mut theirs, place, counts);
        }
    }
    let outcome = compare(&ours, &theirs, tolerance);
    for Difference { place: (day, model), class, ours, theirs } in &outcome.differences {
        println!(
            "{day}  {model}  {class}: {ours} here, {theirs} at the provider ({:+})",
            i128::from(*ours) - i128::from(*theirs)
        );
    }
    println!("{} counts compared, {} differ by more than {tolerance} %", outcome.compared, outcome.differences.len());
    Ok(outcome.differences.is_empty())
}

fn read(path: &str) -> Result<Book> {
    let text = fs::read_to_string(Path::new(path)).with_context(|| format!("cannot read {path}"))?;
    parse(&text).with_context(|| format!("{path} is none of the layouts that are known"))
}

pub fn parse(text: &str) -> Result<Book> {
    if !text.trim_start().starts_with('{') {
        return read_csv(text);
    }
    let mut book = Book::new();
    // One document, or one object a line.
    for value in serde_json::Deserializer::from_str(text).into_iter::<Value>() {
        let value = value?;
        let Some(rows) = value.get("data").and_then(Value::as_array) else {
            read_row(&value, &mut book)?;
            continue;
        };
        for row in rows {
            match row.get("results").and_then(Value::as_array) {
                Some(results) => read_bucket(row, results, &mut book)?,
                None => read_row(row, &mut book)?,
            }
        }
    }
    Ok(book)
}

/// One of our own rows.
fn read_row(row: &Value, book: &mut Book) -> Result<()> {
    let name = |key: &str| row.get(key).and_then(Value::as_str).map(str::to_owned);
    let place = name("day").zip(name("model")).context("a row lacks `day` or `model`: ask with group_by=day,model")?;
    add(book, place, CLASSES.map(|class| row.get(class).and_then(Value::as_u64)));
    Ok(())
}

/// A span of time of a provider's report.
fn read_bucket(bucket: &Value, results: &[Value], book: &mut Book) -> Result<()> {
    let start = bucket.get("starting_at").and_then(Value::as_str).and_then(|time| time.get(..10)).map(str::to_owned);
    let unix = bucket.get("start_time").and_then(Value::as_u64);
    let day = start.or_else(|| unix.map(day_of)).context("a bucket lacks its start")?;
    for result in results {
        let count = |key: &str| result.get(key).and_then(Value::as_u64);
        let model = result.get("model").and_then(Value::as_str).context("a result names no model: ask grouped by model")?;
        let cached = count("input_cached_tokens");
        let written = |key: &str| result.get("cache_creation").and_then(|parts| parts.get(key)).and_then(Value::as_u64);
        let cache_write = match (written("ephemeral_5m_input_tokens"), written("ephemeral_1h_input_tokens")) {
            (None, None) => count("cache_creation_input_tokens"),
            (short, long) => Some(short.unwrap_or_default() + long.unwrap_or_default()),
        };
        // OpenAI counts what was cached within the input, Anthropic beside it.
        let input = count("uncached_input_tokens").or_else(|| Some(count("input_tokens")? - cached.unwrap_or_default()));
        let cache_read = count("cache_read_input_tokens").or(cached);
        let counts = [count("num_model_requests"), input, cache_read, cache_write, count("output_tokens")];
        add(book, (day.clone(), model.to_owned()), counts);
    }
    Ok(())
}

fn day_of(seconds: u64) -> String {
    portolan::units::Millis(seconds.saturating_mul(1000)).date()
}

fn read_csv(text: &str) -> Result<Book> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let columns = reader.headers()?.clone();
    let column = |name: &str| columns.iter().position(|column| column.trim().eq_ignore_ascii_case(name));
    let (day, model) = column("day").zip(column("model")).context("the CSV lacks the column `day` or `model`")?;
    let classes = CLASSES.map(column);
    let mut book = Book::new();
    for row in reader.records() {
        let row = row?;
        let cell = |at: usize| row.get(at).unwrap_or_default().trim().to_owned();
        let counts = classes.map(|at| cell(at?).parse().ok());
        add(&mut book, (cell(day), cell(model)), counts);
    }
    Ok(book)
}

fn add(book: &mut Book, place: Place, counts: Counts) {
    let kept = book.entry(place).or_insert([None; CLASSES.len()]);
    for (kept, count) in kept.iter_mut().zip(counts) {
        *kept = match (*kept, count) {
            (Some(one), Some(other)) => Some(one + other),
            (one, other) => one.or(other),
        };
    }
}

/// Where one side is silent about a class, nothing is compared; where it is silent about a day or model, that is none.
pub fn compare(ours: &Book, theirs: &Book, tolerance: f64) -> Outcome {
    let known: Vec<&str> = ours.keys().map(|(_, model)| model.as_str()).collect();
    let mut same = Book::new();
    for ((day, model), counts) in theirs {
        add(&mut same, (day.clone(), undated(model, &known)), *counts);
    }
    let said = |book: &Book, class: usize| book.values().any(|counts| counts.get(class).is_some_and(Option::is_some));
    let places: std::collections::BTreeSet<&Place> = ours.keys().chain(same.keys()).collect();
    let mut outcome = Outcome::default();
    for place in places {
        for (at, class) in CLASSES.into_iter().enumerate() {
            if !said(ours, at) || !said(&same, at) {
                continue;
            }
            let count = |book: &Book| book.get(place).and_then(|counts| *counts.get(at)?).unwrap_or_default();
            let (ours, theirs) = (count(ours), count(&same));
            outcome.compared += 1;
            if !is_near(ours, theirs, tolerance) {
                outcome.differences.push(Difference { place: place.clone(), class, ours, theirs });
            }
        }
    }
    outcome
}

fn is_near(ours: u64, theirs: u64, tolerance: f64) -> bool {
    #[expect(clippy::as_conversions, reason = "a share in percent; counts this large are no matter of a token")]
    let (gap, whole) = (ours.abs_diff(theirs) as f64, theirs.max(ours) as f64);
    gap * 100.0 <= tolerance * whole
}

/// Providers bill the dated snapshot behind a name: `gpt-5.4-2026-03-05` is `gpt-5.4` where only that was asked for.
fn undated(model: &str, known: &[&str]) -> String {
    let is_date = |rest: &str| !rest.is_empty() && rest.chars().all(|c| c.is_ascii_digit() || c == '-');
    let base = known.iter().find(|name| model.strip_prefix(**name).and_then(|rest| rest.strip_prefix('-')).is_some_and(is_date));
    match base {
        Some(name) if !known.contains(&model) => (*name).to_owned(),
        _ => model.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{compare, parse};

    const OURS: &str = concat!(
        r#"{"day":"2026-11-01","model":"gpt-5.4","requests":5,"input":200,"cache_read":800,"cache_write":0,"output":500}"#,
        "\n",
        r#"{"day":"2026-11-02","model":"gpt-5.4","requests":1,"input":10,"cache_read":0,"cache_write":0,"output":5}"#,
    );

    fn openai(results: &str) -> String {
        format!(r#"{{"object":"page","data":[{{"object":"bucket","start_time":1793491200,"results":[{results}]}}]}}"#)
    }

    #[test]
    fn pages_of_openai_agree_with_our_own_rows() {
        let rows = [
            r#"{"model":"gpt-5.4-2026-03-05","input_tokens":600,"input_cached_tokens":500,"output_tokens":300,"num_model_requests":3}"#,
            r#"{"model":"gpt-5.4","input_tokens":400,"input_cached_tokens":300,"output_tokens":200,"num_model_requests":2}"#,
        ];
        let theirs = parse(&openai(&rows.join(","))).unwrap();
        let ours = parse(OURS.lines().next().unwrap()).unwrap();
        let outcome = compare(&ours, &theirs, 0.0);
        assert_eq!((outcome.differences, outcome.compared), (vec![], 4), "requests, input, cache_read and output");
    }

    #[test]
    fn what_differs_is_named() {
        let row =
            r#"{"model":"gpt-5.4","input_tokens":1000,"input_cached_tokens":800,"output_tokens":501,"num_model_requests":5}"#;
        let theirs = parse(&openai(row)).unwrap();
        let ours = parse(OURS).unwrap();
        let named = |tolerance: f64| -> Vec<(String, &str, u64, u64)> {
            let differences = compare(&ours, &theirs, tolerance).differences;
            differences.into_iter().map(|d| (d.place.0, d.class, d.ours, d.theirs)).collect()
        };
        let day = |day: &str| day.to_owned();
        // The second day is not in the export at all.
        let missing =
            [(day("2026-11-02"), "requests", 1, 0), (day("2026-11-02"), "input", 10, 0), (day("2026-11-02"), "output", 5, 0)];
        assert_eq!(named(0.0), [&[(day("2026-11-01"), "output", 500, 501)], missing.as_slice()].concat());
        assert_eq!(named(1.0), missing);
    }

    #[test]
    fn anthropic_s_report_and_csv_are_read() {
        let report = r#"{"data":[{"starting_at":"2026-11-01T00:00:00Z","ending_at":"2026-11-02T00:00:00Z","results":[
            {"model":"claude-opus-4-6","uncached_input_tokens":7,"cache_read_input_tokens":3,"output_tokens":2,
             "cache_creation":{"ephemeral_5m_input_tokens":4,"ephemeral_1h_input_tokens":1}}]}],"has_more":false}"#;
        let csv = "Day,Model,input,cache_read,cache_write,output\n2026-11-01,claude-opus-4-6,7,3,5,2\n";
        let (report, csv) = (parse(report).unwrap(), parse(csv).unwrap());
        assert_eq!(report, csv);
        let outcome = compare(&csv, &report, 0.0);
        assert_eq!((outcome.compared, outcome.differences.len()), (4, 0));
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        for text in
            [r#"{"data":[{"model":"x"}]}"#, r#"{"data":[{"start_time":1,"results":[{"input_tokens":1}]}]}"#, "a,b\n1,2\n", "{"]
        {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
