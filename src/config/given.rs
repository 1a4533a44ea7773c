//! Secrets as they were found, and those that the Secrets Store would not give.

use crate::{sorted::SortedMap, units::Millis};

/// A secret of the Secrets Store is used so long before the store is asked again. Its own edits take as long to be seen.
const FRESH_MS: u64 = 60_000;
/// While the store fails, what it gave before is used: a provider is not off for a store's bad minute. Not for longer: a
/// secret that was taken out of the store must end.
const STALE_MS: u64 = 600_000;
/// Characters of the platform's words.
const MAX_WORDS: usize = 200;

/// What the Secrets Store gave before, and when.
#[derive(Default)]
pub struct Given {
    texts: SortedMap<String, (String, Millis)>,
}

/// What documents may name.
#[derive(Default)]
pub struct Secrets {
    /// By name: as they were stored.
    pub found: SortedMap<String, String>,
    failed: Vec<(String, String)>,
}

impl Given {
    pub fn fresh(&self, name: &str, now: Millis) -> Option<String> {
        self.within(name, now, FRESH_MS)
    }

    fn within(&self, name: &str, now: Millis, ms: u64) -> Option<String> {
        self.texts.get(name).filter(|(_, at)| now.since(*at) < ms).map(|(text, _)| text.clone())
    }
}

impl Secrets {
    /// Adds what the Secrets Store said of a name: its text, or the platform's words.
    pub fn add(&mut self, name: &str, answer: Result<String, String>, given: &mut Given, now: Millis) {
        let text = match answer {
            Ok(text) => {
                given.texts.insert(name.to_owned(), (text.clone(), now));
                Some(text)
            }
            Err(words) => {
                self.failed.push((name.to_owned(), words.chars().take(MAX_WORDS).collect()));
                given.within(name, now, STALE_MS)
            }
        };
        self.found.extend(text.filter(|text| !text.is_empty()).map(|text| (name.to_owned(), text)));
    }

    /// What the operator should know.
    pub fn warnings(&self) -> impl Iterator<Item = String> {
        self.failed.iter().map(|(name, words)| {
            let until = if self.found.contains_key(name) { "; what it gave before is used for ten minutes" } else { "" };
            format!("The Secrets Store did not give the secret bound as `{name}`{until}: {words}")
        })
    }
}
