//! Names of models by pattern.

/// Whether a name is of the pattern, in which `*` stands for anything.
pub(super) fn matches(pattern: &str, name: &str) -> bool {
    let Some((head, tail)) = pattern.split_once('*') else { return pattern == name };
    let Some(rest) = name.strip_prefix(head) else { return false };
    tail.is_empty() || (0..=rest.len()).filter_map(|at| rest.get(at..)).any(|rest| matches(tail, rest))
}
