//! Paths of what cannot be carried, each once.

#[derive(Default)]
pub(super) struct Dropped(Vec<String>);

impl Dropped {
    pub(super) fn add(&mut self, path: &str) {
        if !self.0.iter().any(|known| known == path) {
            self.0.push(path.to_owned());
        }
    }

    pub(super) fn add_if(&mut self, is_lost: bool, path: &str) {
        if is_lost {
            self.add(path);
        }
    }

    pub(super) fn part(&mut self, what: &str) {
        self.add(&format!("messages[].parts[].{what}"));
    }

    pub(super) fn into_paths(self) -> Vec<String> {
        self.0
    }
}

/// A caller may invent as many members as fit in a body, and as long ones. So many are named, in headers and records.
const MAX_PATHS: usize = 128;
const MAX_PATH: usize = 200;

/// What a reader left, with any element as `[]`.
pub(super) fn tidy(paths: &[String]) -> Vec<String> {
    let mut out = Dropped::default();
    for path in paths {
        if out.0.len() == MAX_PATHS {
            break;
        }
        out.add(&without_numbers(path));
    }
    out.0
}

fn without_numbers(path: &str) -> String {
    let mut out = String::new();
    for (i, piece) in path.split('[').enumerate() {
        if i > 0 {
            out.push('[');
        }
        let is_element = i > 0 && piece.split_once(']').is_some_and(|(number, _)| number.bytes().all(|b| b.is_ascii_digit()));
        out.push_str(if is_element { piece.trim_start_matches(|c: char| c.is_ascii_digit()) } else { piece });
    }
    if let Some((end, _)) = out.char_indices().nth(MAX_PATH) {
        out.truncate(end);
        out.push('…');
    }
    out
}
