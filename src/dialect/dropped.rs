//! Paths of what a writer cannot say, each once.

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
