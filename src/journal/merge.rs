//! Pages of several tenants as one.

use super::{Cursor, Question};
use crate::wire::json::quoted;

/// One record, as it stands in a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Row<'a> {
    place: u64,
    id: &'a str,
    record: &'a str,
}

/// What one tenant's catalog answered: a line a row, newest first, and a last line that says what is behind them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<'a> {
    rows: Vec<Row<'a>>,
    /// The newest place of the journal, whatever was asked for.
    newest: u64,
    /// What is below was not looked at; 0: nothing is.
    end: u64,
}

/// The last line of a page.
pub fn written(newest: u64, end: u64) -> String {
    format!(".{newest} {end}")
}

impl<'a> Page<'a> {
    pub fn read(text: &'a str) -> Option<Self> {
        let (rows, last) = text.rsplit_once('.').filter(|(rows, _)| rows.is_empty() || rows.ends_with('\n'))?;
        let (newest, end) = last.split_once(' ')?;
        let row = |line: &'a str| {
            // Rows cross with commas between.
            let mut parts = line.trim_start_matches(',').splitn(3, ' ');
            Some(Row { place: parts.next()?.parse().ok()?, id: parts.next()?, record: parts.next()? })
        };
        let rows = rows.lines().map(row).collect::<Option<Vec<_>>>()?;
        Some(Self { rows, newest: newest.parse().ok()?, end: end.parse().ok()? })
    }
}

/// The answer: the newest rows of all pages, and where it goes on. `until`: what came later was not asked for, and comes with
/// what is newer; `None` when only one journal was asked, which knows itself what is newest.
pub fn merged(question: &Question, pages: &[Page<'_>], silent: &[&str], until: Option<u64>) -> String {
    // What is below the end of one page may be missing of all.
    let end = pages.iter().map(|page| page.end).max().unwrap_or_default();
    let may_go_on = pages.iter().any(|page| page.rows.len() >= question.limit);
    let mut rows: Vec<Row<'_>> = pages.iter().flat_map(|page| &page.rows).copied().filter(|row| row.place >= end).collect();
    rows.sort_by(|one, other| (other.place, other.id).cmp(&(one.place, one.id)));
    let is_cut = rows.len() > question.limit || may_go_on;
    rows.truncate(question.limit);
    let below = |row: &Row<'_>| Cursor { place: row.place, id: row.id.to_owned() };
    let next = match rows.last() {
        Some(last) if is_cut => Some(below(last)),
        _ => (end > 0).then(|| Cursor { place: end, id: String::new() }),
    };
    // A catalog that has just begun a life may not know of what another object has.
    let known = pages.iter().flat_map(|page| page.rows.iter().map(|row| row.place).chain([page.newest]));
    let newest = until.unwrap_or_else(|| known.max().unwrap_or_default());
    let newest = Cursor { place: newest.saturating_add(1).max(question.after.unwrap_or_default()), id: String::new() };
    let next = next.map_or_else(|| "null".to_owned(), |next| quoted(&next.write()));
    let silent: Vec<String> = silent.iter().map(|tenant| quoted(tenant)).collect();
    let records: Vec<&str> = rows.iter().map(|row| row.record).collect();
    let (records, silent, newest) = (records.join(","), silent.join(","), quoted(&newest.write()));
    format!(r#"{{"data":[{records}],"next":{next},"newest":{newest},"unreachable":[{silent}]}}"#)
}
