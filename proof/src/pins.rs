//! What is known to be lost: reasons written by hand, and counts that a run must meet exactly.

use std::{collections::BTreeMap, env, fs, path::Path, path::PathBuf};

use anyhow::{Context, Result};

fn place(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("pinned").join(file)
}

/// The rows of a pinned file: fields between bars, comments and blank lines left out.
fn rows(file: &str) -> Result<Vec<Vec<String>>> {
    let text = fs::read_to_string(place(file)).with_context(|| format!("pinned/{file}"))?;
    let lines = text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
    Ok(lines.map(|line| line.split('|').map(|field| field.trim().to_owned()).collect()).collect())
}

/// Losses with a reason: `from > to | what | why`, where `*` stands for any dialect.
pub struct Declared(Vec<Vec<String>>);

impl Declared {
    pub fn read(file: &str) -> Result<Self> {
        let rows = rows(file)?;
        let bad = rows.iter().find(|row| row.len() != 3 || row.iter().any(String::is_empty));
        anyhow::ensure!(bad.is_none(), "pinned/{file}: {bad:?} must be `where | what | why`");
        Ok(Self(rows))
    }

    pub fn has(&self, place: &str, what: &str) -> bool {
        self.0.iter().any(|row| matches!(row.as_slice(), [at, lost, _] if matches(at, place) && lost == what))
    }

    /// Rows that no run has used.
    pub fn unused(&self, used: &[(String, String)]) -> Vec<String> {
        let is_used = |row: &&Vec<String>| matches!(row.as_slice(), [at, lost, _] if used.iter().any(|(place, what)| matches(at, place) && lost == what));
        self.0.iter().filter(|row| !is_used(row)).map(|row| row.join(" | ")).collect()
    }
}

/// Whether `* > anthropic` covers `gemini > anthropic`.
fn matches(pattern: &str, place: &str) -> bool {
    let (pattern, place): (Vec<&str>, Vec<&str>) = (pattern.split(' ').collect(), place.split(' ').collect());
    pattern.len() == place.len() && pattern.iter().zip(&place).all(|(p, w)| *p == "*" || p == w)
}

/// Counts by name: `name | count`. Those of one set of data say nothing about another.
#[derive(Default)]
pub struct Tally(BTreeMap<String, usize>);

impl Tally {
    pub fn add(&mut self, name: impl Into<String>) {
        *self.0.entry(name.into()).or_default() += 1;
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Where this run differs from the pinned one; `None` when that was made with other data. With `UPDATE=1` in the
    /// environment the file is written again.
    pub fn compare(&self, file: &str, head: &str, data: &str) -> Result<Option<Vec<String>>> {
        if env::var_os("UPDATE").is_some_and(|update| update == "1") {
            return self.write(file, head, data).map(|()| Some(vec![]));
        }
        let pinned = rows(file)?;
        let mut known = BTreeMap::new();
        for row in &pinned {
            if let [name @ .., count] = row.as_slice() {
                known.insert(name.join(" | "), count.clone());
            }
        }
        if known.remove("data").as_deref() != Some(data) {
            return Ok(None);
        }
        let mut out = vec![];
        for (name, count) in &self.0 {
            match known.remove(name) {
                Some(pinned) if pinned == count.to_string() => {}
                Some(pinned) => out.push(format!("{name}: {count} times, {pinned} pinned")),
                None => out.push(format!("{name}: {count} times, and new")),
            }
        }
        out.extend(known.into_iter().map(|(name, count)| format!("{name}: gone, {count} pinned")));
        Ok(Some(out))
    }

    fn write(&self, file: &str, head: &str, data: &str) -> Result<()> {
        let mut text = format!("# {}\n# Written by a run with UPDATE=1; read the difference before you commit it.\n", head);
        text.push_str(&format!("data | {data}\n"));
        let mut above = "";
        for (name, count) in &self.0 {
            let group = name.split(['|', ':']).next().unwrap_or_default();
            if group != above {
                text.push('\n');
                above = group;
            }
            text.push_str(&format!("{name} | {count}\n"));
        }
        fs::write(place(file), text).with_context(|| format!("pinned/{file}"))
    }
}

/// A mark of a set of data: the same names give the same mark.
pub fn mark<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let (mut hash, mut count) = (crate::random::Random::new(0), 0);
    for name in names {
        let mut own = crate::random::Random::named(name);
        hash = crate::random::Random::new(hash.next() ^ own.next());
        count += 1;
    }
    format!("{count} files, {:016x}", hash.next())
}
