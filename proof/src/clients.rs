//! What real clients send: every recorded request is known by its path, read, and written for every provider.

use std::{fs, path::Path};

use anyhow::{Context, Result, ensure};
use portolan::dialect::surface::{self, Line, Surface};
use serde_json::Value;

use crate::{
    counts::Counts,
    pins::{Tally, mark},
    recording::{read_json, text},
    requests::{self, Sent},
};

const HEAD: &str = "What requests of real clients cannot carry: client > to | paths | requests.";

pub fn run(folder: &Path) -> Result<Counts> {
    let folder = if folder.join("recordings").is_dir() { folder.join("recordings") } else { folder.to_owned() };
    let mut files: Vec<_> = fs::read_dir(&folder)?.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.retain(|path| path.extension().is_some_and(|end| end == "json"));
    files.sort();
    ensure!(!files.is_empty(), "no recordings in {}", folder.display());
    let (mut counts, mut tally, mut skipped, mut names) = (Counts::default(), Tally::default(), 0, vec![]);
    for path in &files {
        let client = read_json(path)?;
        let name = path.file_stem().and_then(|name| name.to_str()).context("a file without name")?;
        names.push(name.to_owned());
        for (number, request) in client["requests"].as_array().into_iter().flatten().enumerate() {
            match check(name, request, &mut tally) {
                Some(wrong) => {
                    let asked = format!("{} {}", text(&request["method"]), text(&request["path"]));
                    counts.add(&format!("{name} {number}: {asked} ({})", text(&request["case"])), &wrong);
                }
                None => skipped += 1,
            }
        }
    }
    match tally.compare("clients.txt", HEAD, &mark(names.iter().map(String::as_str)))? {
        Some(differences) => counts.add("pinned/clients.txt", &differences),
        None => println!("pinned/clients.txt was made with other recordings: its counts are not compared"),
    }
    println!("\n{} clients; {skipped} requests whose body was not kept, or is no JSON", files.len());
    Ok(counts)
}

/// What is wrong with a request; `None` when its body was not kept.
fn check(client: &str, request: &Value, tally: &mut Tally) -> Option<Vec<String>> {
    let (method, path) = (text(&request["method"]), text(&request["path"]));
    let headers: Vec<(String, String)> = request["headers"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|header| (text(&header[0]).to_lowercase(), text(&header[1]).to_owned()))
        .collect();
    let asked = surface::read(Line { method, path, query: text(&request["query"]), headers: &headers });
    let Surface::Generate { dialect, .. } = asked else {
        if matches!(asked, Surface::Unknown(_) | Surface::WrongMethod { .. }) {
            tally.add(format!("no such path: {method} {}", generic(path)));
        }
        return Some(vec![]);
    };
    let body = Some(&request["body"]).filter(|body| body.is_object())?.to_string();
    let found = requests::check(&Sent { dialect, body: &body, model: model(path) }, true)?;
    // By target, once for each set of paths: what this client cannot say there.
    let mut places: Vec<&String> = found.dropped.iter().map(|(place, _)| place).collect();
    places.dedup();
    for place in places {
        let paths: Vec<&str> = found.dropped.iter().filter(|(at, _)| at == place).map(|(_, path)| path.as_str()).collect();
        for path in paths {
            tally.add(format!("{client}: {place} | {path}"));
        }
    }
    let refused = found.refused.map(|why| format!("refused: {why}"));
    Some(found.wrong.into_iter().chain(refused).collect())
}

/// The model that Gemini's paths name.
fn model(path: &str) -> &str {
    path.rsplit_once("models/").map_or("", |(_, rest)| rest.split(':').next().unwrap_or_default())
}

/// A path with its names left out.
fn generic(path: &str) -> String {
    let model = model(path);
    if model.is_empty() { path.to_owned() } else { path.replace(model, "{model}") }
}
