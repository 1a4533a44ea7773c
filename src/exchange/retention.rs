//! Where nothing may be kept: what a provider is told, on every call and whoever wrote its body.

use serde_json::Value;

use super::{Call, Task};
use crate::{
    catalog::retention::{self, Asked, Flag},
    config::Provider,
    error::Error,
    plan::Attempt,
    wire::json::{Edit, Outline, Piece, join, json_text},
};

/// The body as it is sent to a provider that is to keep nothing; an error for one that it would have to keep. This comes
/// last of all that is done to a body: neither the caller nor a route's `params` may undo it.
///
/// Members of the caller's that were overruled are added to `dropped`.
pub(super) fn seal(
    call: &Call,
    attempt: &Attempt,
    provider: &Provider,
    body: Vec<Piece>,
    dropped: &mut Vec<String>,
) -> Result<Vec<Piece>, Error> {
    let asked = match call.task {
        Task::Generate => Asked::Text(attempt.dialect),
        Task::Operate(operation) => Asked::Besides(operation),
    };
    let flags: Vec<&Flag> = retention::flags(provider.kind.name, asked).collect();
    let may_ask_to_keep = match asked {
        Asked::Text(dialect) => retention::keeps(dialect).next().is_some(),
        Asked::Besides(_) => false,
    };
    if flags.is_empty() && !may_ask_to_keep {
        return Ok(body);
    }
    let original = std::str::from_utf8(&call.body).unwrap_or_default();
    let text = join(original, &body);
    let outline = Outline::read(text.as_bytes())?;
    if let Asked::Text(dialect) = asked {
        for keeps in retention::keeps(dialect) {
            let said = outline.get(keeps.member).map(compact);
            if said.is_some_and(|said| !keeps.harmless.contains(&said.as_str())) {
                let member = keeps.member;
                let message = format!("`{member}` needs {}, and zero data retention is required: leave it out.", keeps.what);
                return Err(Error::invalid(member, message));
            }
        }
    }
    let mut edits = vec![];
    for flag in flags {
        let (value, overruled) = merged(outline.get(flag.member), flag.value);
        if overruled && !dropped.iter().any(|path| path == flag.member) {
            dropped.push(flag.member.to_owned());
        }
        edits.push(Edit::Set(flag.member.into(), value));
    }
    Ok(vec![Piece::New(join(&text, &outline.edit(&edits)))])
}

/// Ours over theirs, member by member where both are objects; and whether theirs said otherwise.
fn merged(theirs: Option<&str>, ours: &str) -> (String, bool) {
    let Some(theirs) = theirs else { return (ours.to_owned(), false) };
    let read = |text: &str| serde_json::from_str::<Value>(text).ok();
    match (read(theirs), read(ours)) {
        (Some(Value::Object(mut theirs)), Some(Value::Object(ours))) => {
            let mut overruled = false;
            for (key, value) in ours {
                overruled |= theirs.get(&key).is_some_and(|said| *said != value);
                theirs.insert(key, value);
            }
            (json_text(&Value::Object(theirs)), overruled)
        }
        _ => (ours.to_owned(), compact(theirs) != ours),
    }
}

/// A value without its spaces.
fn compact(text: &str) -> String {
    serde_json::from_str::<Value>(text).map_or_else(|_| text.to_owned(), |value| json_text(&value))
}
