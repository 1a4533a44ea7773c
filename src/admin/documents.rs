//! The operator's documents by the operator's calls.

use serde_json::Value;

use super::written::{Change, Written, check, etag};
use crate::{
    config::{self, Documents, Problem},
    error::{Error, Kind},
    sorted::SortedMap,
    wire::compose::{self, json},
};

/// Bytes of a document that comes this way: it travels on to every region's object, whose rows hold two megabytes.
pub const MAX_DOCUMENT: u64 = 1 << 20;

/// Those that can be called for.
pub(super) const NAMES: [&str; 5] = ["routes", "providers", "settings", "prices", "budgets"];

/// One of them, when there is one of this name.
pub(super) fn named(name: &str) -> Option<&'static str> {
    NAMES.into_iter().find(|known| *known == name)
}

/// The text as it stands.
pub fn show(name: &str, documents: &Documents) -> Result<(String, String), Error> {
    let text = documents.text(name).ok_or_else(|| {
        Error::new(Kind::NotFound, format!("There is no document `{name}` yet: the defaults hold. PUT makes it."))
    })?;
    Ok((text.to_owned(), etag(text)))
}

/// Puts a text in a document's place.
pub fn set(name: &str, text: &str, documents: &mut Documents) {
    let slot = match name {
        "routes" => &mut documents.routes,
        "providers" => &mut documents.providers,
        "settings" => &mut documents.settings,
        "prices" => &mut documents.prices,
        _ => &mut documents.budgets,
    };
    *slot = Some(text.to_owned());
}

/// Another text of a document: nothing is written unless it goes with the others. `Err` within: what is wrong with them.
/// `is_dry`: nothing is written at all, and nobody need have seen what is there.
pub fn put(
    name: &'static str,
    text: &str,
    documents: &Documents,
    if_match: Option<&str>,
    secrets: &SortedMap<String, String>,
    is_dry: bool,
) -> Result<Result<Written, Value>, Error> {
    let was = documents.text(name);
    check(if_match, was, !is_dry)?;
    let is_new = was.is_none();
    let change = Change { name: name.to_owned(), text: Some(text.to_owned()), was: was.map(str::to_owned) };
    let mut documents = documents.clone();
    set(name, text, &mut documents);
    Ok(match config::build(&documents, secrets) {
        Ok(snapshot) => {
            let mut body = json!({"document": name, "config": &snapshot.version, "warnings": &snapshot.warnings});
            if is_dry {
                compose::put(&mut body, "dry_run", true);
            }
            let status = if is_new && !is_dry { 201 } else { 200 };
            let changes = if is_dry { vec![] } else { vec![change] };
            Ok(Written { status, body, etag: Some(etag(text)), changes })
        }
        Err(problems) => Err(refused(name, &problems)),
    })
}

fn refused(name: &str, problems: &[Problem]) -> Value {
    let list = |p: &Problem| json!({"document": p.document, "path": &p.path, "message": &p.message});
    let message = format!("With this `{name}` the documents do not hold together; nothing was written.");
    json!({"error": {"message": message}, "problems": problems.iter().map(list).collect::<Vec<_>>()})
}
