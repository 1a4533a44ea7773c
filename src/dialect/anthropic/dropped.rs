//! Paths of what could not be carried, as they are reported.

/// Any element as `[]`, each path once.
pub(super) fn tidy(paths: &[String]) -> Vec<String> {
    let mut out: Vec<String> = vec![];
    for path in paths {
        let path = without_numbers(path);
        if !out.contains(&path) {
            out.push(path);
        }
    }
    out
}

fn without_numbers(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for (i, piece) in path.split('[').enumerate() {
        if i == 0 {
            out.push_str(piece);
            continue;
        }
        out.push('[');
        let is_element = piece.split_once(']').is_some_and(|(number, _)| number.bytes().all(|b| b.is_ascii_digit()));
        out.push_str(if is_element { piece.trim_start_matches(|c: char| c.is_ascii_digit()) } else { piece });
    }
    out
}
