//! What keeps the house in order: who may import whom, and what has no place in the core.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Room, and the rooms it may use. `error`, `sorted` and `units` are free to all; nobody uses `shell`.
const MAY_USE: &[(&str, &[&str])] = &[
    ("wire", &[]),
    ("chat", &[]),
    ("dialect", &["wire", "chat"]),
    // Quirks are edits of a body.
    ("catalog", &["dialect", "chat", "wire"]),
    // A provider's models have profiles.
    ("config", &["catalog", "dialect", "chat", "wire"]),
    // Counting tokens reads a chat's body; which shape a provider wants is a row of the catalog.
    ("operation", &["catalog", "dialect", "chat", "wire"]),
    // What is refused is reckoned from the operator's rules, and what is counted are the ledger's entries.
    ("account", &["config", "ledger", "wire"]),
    // What a key may be let into: doors and dialects.
    ("guard", &["account", "config", "ledger", "dialect", "wire"]),
    ("mock", &["dialect", "chat", "wire"]),
    // The facts of a body come from `dialect`, what a provider said from `chat`; `params` are edits.
    ("plan", &["features", "config", "catalog", "dialect", "chat", "wire"]),
    // Tokens are estimated as they are where nobody counts them.
    ("features", &["operation", "chat"]),
    ("ledger", &["chat", "catalog", "wire"]),
    // What is counted is what records tell; gauges are what the regions know of health.
    ("metrics", &["ledger", "plan", "wire"]),
    ("audit", &["wire"]),
    ("journal", &["wire"]),
    // Spans are made of records; where a provider lives is configuration.
    ("telemetry", &["ledger", "config", "wire"]),
    ("cache", &["config", "catalog", "dialect", "chat", "wire"]),
    // The mock is one more answer that the shell is told to fetch.
    ("exchange", &["account", "cache", "plan", "ledger", "mock", "operation", "config", "catalog", "dialect", "chat", "wire"]),
    // What is explained or simulated goes through the whole exchange.
    (
        "admin",
        &[
            "account", "audit", "exchange", "metrics", "plan", "ledger", "mock", "guard", "features", "config", "catalog",
            "dialect", "chat", "wire",
        ],
    ),
    (
        "shell",
        &[
            "account",
            "admin",
            "audit",
            "cache",
            "exchange",
            "journal",
            "plan",
            "ledger",
            "metrics",
            "mock",
            "operation",
            "guard",
            "features",
            "telemetry",
            "config",
            "catalog",
            "dialect",
            "chat",
            "wire",
        ],
    ),
];
const FREE: [&str; 3] = ["error", "sorted", "units"];
/// A file that nobody can take in at once hides its bugs. Tables of data are read a row at a time.
const MAX_LINES: usize = 400;
const TABLES: [&str; 3] = ["src/catalog/models.rs", "src/catalog/providers.rs", "src/catalog/rates.rs"];
/// Neither written by us nor kept.
const FOREIGN: [&str; 9] = [".git", ".tools", ".wrangler", ".portolan", "build", "node_modules", "target", "fixtures", "vendor"];

/// Files below a folder of the repository, with their path in it.
fn files(folder: &str) -> Vec<(String, String)> {
    fn walk(folder: &Path, out: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            match path.is_dir() {
                true if !FOREIGN.contains(&name) => walk(&path, out),
                true => {}
                false => out.push(path),
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths = vec![];
    walk(&root.join(folder), &mut paths);
    let name = |path: &Path| path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
    let mut files: Vec<_> = paths.iter().filter_map(|path| Some((name(path), fs::read_to_string(path).ok()?))).collect();
    files.sort();
    assert!(!files.is_empty(), "{folder}");
    files
}

fn rust(folder: &str) -> impl Iterator<Item = (String, String)> {
    files(folder).into_iter().filter(|(path, _)| path.ends_with(".rs"))
}

/// A line's code and its comment. What follows a colon is an address.
fn parts(line: &str) -> (&str, &str) {
    let start = line.match_indices("//").find(|(at, _)| !line[..*at].ends_with(':')).map_or(line.len(), |(at, _)| at);
    line.split_at(start)
}

/// Without comments, and without the tests inside a file.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]").next().unwrap_or_default();
    text.lines().map(|line| parts(line).0).collect::<Vec<_>>().join("\n")
}

/// `plan` of `plan::Plan`; `plan` and `units` of `{plan::{self, Plan}, units::Millis}`.
fn heads(path: &str) -> Vec<String> {
    let word = |text: &str| text.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let Some(group) = path.strip_prefix('{') else { return vec![word(path)] };
    let (mut depth, mut found) = (0, vec![word(group)]);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => found.push(word(&group[at + 1..])),
            _ => {}
        }
    }
    found.into_iter().filter(|head| !head.is_empty()).collect()
}

fn allowed(room: &str) -> &'static [&'static str] {
    let row = MAY_USE.iter().find(|(name, _)| *name == room);
    assert!(row.is_some(), "the room `{room}` has no row in MAY_USE");
    row.unwrap().1
}

#[test]
fn every_room_uses_only_what_it_may() {
    for (path, text) in rust("src") {
        let text = code(&text);
        let steps: Vec<&str> = path.trim_end_matches("/mod.rs").split('/').skip(1).collect();
        let room = steps[0].trim_end_matches(".rs");
        for used in text.split("crate::").skip(1).flat_map(heads) {
            let fits = used == room
                || FREE.contains(&used.as_str())
                || (!FREE.contains(&room) && allowed(room).contains(&used.as_str()));
            assert!(fits, "{path}: `{room}` may not use `{used}`");
        }
        let climbed = (1..9).take_while(|count| text.contains(&"super::".repeat(*count))).count();
        assert!(climbed < steps.len(), "{path}: climbs out of its room; say `crate::`");
    }
}

#[test]
fn no_rooms_use_each_other() {
    fn visit(room: &str, above: &[&str]) {
        assert!(!above.contains(&room), "in a circle: {above:?} {room}");
        allowed(room).iter().for_each(|used| visit(used, &[above, &[room]].concat()));
    }
    MAY_USE.iter().for_each(|(room, _)| visit(room, &[]));
}

#[test]
fn no_file_outgrows_its_reader() {
    for (path, text) in ["src", "scan", "xtask", "bench", "proof"].into_iter().flat_map(files) {
        let is_code = [".rs", ".js", ".mjs"].iter().any(|end| path.ends_with(end));
        let lines = text.lines().count();
        assert!(!is_code || TABLES.contains(&path.as_str()) || lines <= MAX_LINES, "{path}: {lines} lines, {MAX_LINES} at most");
    }
}

#[test]
fn the_core_is_deaf_and_blind() {
    let senses =
        ["async ", ".await", "SystemTime", "Instant", "Date::now", "getrandom", "Math::random", "rand::", "thread::sleep"];
    for (path, text) in ["src", "scan"].into_iter().flat_map(rust).filter(|(path, _)| !path.starts_with("src/shell/")) {
        let text = code(&text);
        for sense in senses {
            assert!(!text.contains(sense), "{path}: `{sense}` belongs in the shell");
        }
    }
}

#[test]
fn imports_are_named_and_promises_numbered() {
    for (path, text) in ["src", "scan", "xtask", "bench", "proof", "tests"].into_iter().flat_map(rust) {
        let starred = code(&text).lines().any(|line| line.contains("use ") && line.trim_end().ends_with("::*;"));
        assert!(!starred, "{path}: name what you import");
        for (number, line) in text.lines().enumerate() {
            let promise = parts(line).1.split_once("TODO").map(|(_, rest)| rest);
            let is_numbered =
                |rest: &str| rest.split_once('#').is_some_and(|(_, rest)| rest.starts_with(|c: char| c.is_ascii_digit()));
            assert!(promise.is_none_or(is_numbered), "{path}:{}: which issue?", number + 1);
        }
    }
}

#[test]
fn the_repository_stands_alone() {
    let outside = [concat!("..", "/shared"), concat!("/work", "/shared")];
    for (path, text) in files("").into_iter().filter(|(path, _)| path != ".ci/run") {
        assert!(!outside.iter().any(|place| text.contains(place)), "{path}: names a place outside the repository");
    }
}
