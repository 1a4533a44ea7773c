//! What can be a name, of a model, a route or an id: never a sentence.

/// Characters of a name as records repeat it: names and ids fit, prompts do not.
const MAX_CHARS: usize = 128;

/// What stands in a record for a text that is no name: somebody may have put anything there, a prompt by mistake.
pub const NO_NAME: &str = "(no name)";

/// Letters, digits and what stands between them: no spaces, no quotes, no brackets. `a/b, c/d` is two names.
pub fn is_name(text: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "-_.:/@+~=?&%,*$#!^|;()".contains(c);
    text.replace(", ", ",").chars().all(is_part)
}

/// The path of a member as far as a record repeats it: its names may be the caller's own.
pub fn recorded_path(path: &str) -> String {
    if is_name(&path.replace("[]", "")) { path.to_owned() } else { NO_NAME.to_owned() }
}

/// A text of somebody else's as far as a record repeats it.
pub fn recorded(text: &str) -> String {
    if is_name(text) { text.chars().take(MAX_CHARS).collect() } else { NO_NAME.to_owned() }
}

/// A caller's own text as far as it is repeated to that caller.
pub fn short(text: &str) -> String {
    text.chars().take(MAX_CHARS).collect()
}
