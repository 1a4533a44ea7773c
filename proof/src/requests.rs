//! What is checked of a recorded request: it is read, and what is written of it holds the rules of each dialect.

use portolan::{
    chat::{profile::Profile, request::Request},
    dialect::{Dialect, Translated},
    wire::json::{Outline, join},
};
use serde_json::Value;

use crate::rules;

/// A body as it was sent, and in which dialect.
pub struct Sent<'a> {
    pub dialect: Dialect,
    pub body: &'a str,
    /// The model named beside the body, where the body names none.
    pub model: &'a str,
}

/// Members of Responses that name what a provider keeps.
const STORED: [&str; 3] = ["previous_response_id", "prompt", "conversation"];

/// What came out of one request.
#[derive(Default)]
pub struct Findings {
    pub wrong: Vec<String>,
    /// What could not be carried: on which way, and the path.
    pub dropped: Vec<(String, String)>,
    /// The caller's dialect cannot read it, and why.
    pub refused: Option<String>,
}

/// Checks a request; of one that its provider refused, `lawful` is false and the rules are not held against it.
pub fn check(sent: &Sent<'_>, lawful: bool) -> Option<Findings> {
    let caller = sent.dialect.caller()?;
    let mut found = Findings::default();
    let read = match caller.read_request(sent.body) {
        Ok(read) => read,
        // What only the provider that keeps it can serve is refused elsewhere, and said so.
        Err(error) if STORED.contains(&error.param.as_deref().unwrap_or_default()) => {
            found.dropped.push((format!("{} > refused", sent.dialect.name()), error.param.clone().unwrap_or_default()));
            return Some(found);
        }
        Err(error) => {
            found.refused = Some(format!("{} ({})", error.message, error.param.clone().unwrap_or_default()));
            return Some(found);
        }
    };
    found.wrong.extend(facts_differ(sent, &read.value));
    paths(&format!("{} >", sent.dialect.name()), &read, &mut found);
    let mut request = read.value;
    if request.model.is_empty() {
        sent.model.clone_into(&mut request.model);
    }
    for to in Dialect::ALL {
        let written = to.upstream().write_request(&request, &Profile::DEFAULT);
        let place = format!("{} > {}", sent.dialect.name(), to.name());
        if lawful {
            found.wrong.extend(rules::broken(to, &written.value).into_iter().map(|rule| format!("{place}: {rule}")));
        }
        paths(&place, &written, &mut found);
        readable(to, &place, &written.value, &mut found);
    }
    found.wrong.extend(edited(sent));
    Some(found)
}

/// Each path is reported once, and is a path.
fn paths<T>(place: &str, translated: &Translated<T>, found: &mut Findings) {
    let mut seen: Vec<&String> = vec![];
    for path in &translated.dropped {
        if seen.contains(&path) {
            found.wrong.push(format!("{place}: `{path}` is reported twice"));
            continue;
        }
        seen.push(path);
        if path.is_empty() || path.contains(' ') || path.replace("[]", "").contains('[') {
            found.wrong.push(format!("{place}: `{path}` is no path: a field, with `[]` for any element"));
        }
        found.dropped.push((place.to_owned(), path.clone()));
    }
}

/// What we write, callers of that dialect may have written.
fn readable(to: Dialect, place: &str, body: &str, found: &mut Findings) {
    let Some(caller) = to.caller() else { return };
    if let Err(error) = caller.read_request(body) {
        found.wrong.push(format!("{place}: written, and then refused: {}", error.message));
    }
}

/// Routing sees the same request as the reader.
fn facts_differ(sent: &Sent<'_>, request: &Request) -> Vec<String> {
    let facts =
        Outline::read(sent.body.as_bytes()).and_then(|outline| sent.dialect.caller().map(|c| c.facts(&outline)).transpose());
    match facts {
        Err(error) => vec![format!("facts: {}", error.message)],
        Ok(None) => vec![],
        Ok(Some(facts)) => {
            let pairs = [
                ("model", request.model.is_empty() || facts.model.is_empty() || facts.model == request.model),
                ("stream", facts.stream == request.stream),
                ("tools", facts.tools != request.tools.is_empty()),
                ("max_output", facts.max_output == request.max_tokens),
                ("user", facts.user == request.user),
            ];
            pairs.into_iter().filter(|(_, same)| !same).map(|(name, _)| format!("facts and reader disagree on {name}")).collect()
        }
    }
}

/// The caller's own body for a provider of its dialect: JSON, with another model, and otherwise what it was.
fn edited(sent: &Sent<'_>) -> Vec<String> {
    let Ok(outline) = Outline::read(sent.body.as_bytes()) else { return vec!["no outline".to_owned()] };
    let edits = sent.dialect.upstream().edits(&outline, "another-model", true);
    let text = join(sent.body, &outline.edit(&edits));
    let (Ok(before), Ok(after)) = (serde_json::from_str::<Value>(sent.body), serde_json::from_str::<Value>(&text)) else {
        return vec!["edited, it is not JSON".to_owned()];
    };
    let empty = serde_json::Map::new();
    let (before, after) = (before.as_object().unwrap_or(&empty), after.as_object().unwrap_or(&empty));
    let mut wrong = vec![];
    for key in before.keys().filter(|key| !edits.iter().any(|edit| format!("{edit:?}").contains(&format!("\"{key}\"")))) {
        if before.get(key) != after.get(key) {
            wrong.push(format!("the edits change `{key}` too"));
        }
    }
    wrong
}
