//! Calls and their results: which call is still open, under which id it was written. A history may hold as many as fit in a
//! body, so nothing here looks through all of them for one.

use std::collections::{HashMap, HashSet, VecDeque};

/// Stands for a result that the caller cut from the history: a call without one is refused.
pub(super) const NO_RESULT: &str = "No result: the tool was not run.";

/// Calls without a result yet, in order.
#[derive(Default)]
pub(super) struct Open {
    calls: Vec<Option<String>>,
    /// Places of those of an id.
    places: HashMap<String, VecDeque<usize>>,
    left: usize,
}

impl Open {
    /// `written` is the id as the provider sees it.
    pub(super) fn push(&mut self, given: &str, written: String) {
        self.places.entry(given.to_owned()).or_default().push_back(self.calls.len());
        self.calls.push(Some(written));
        self.left += 1;
    }

    /// The first open call of the id is answered.
    pub(super) fn take(&mut self, given: &str) -> Option<String> {
        let place = self.places.get_mut(given)?.pop_front()?;
        let written = self.calls.get_mut(place)?.take()?;
        self.left = self.left.saturating_sub(1);
        Some(written)
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.left == 0
    }

    /// Those left, as written.
    pub(super) fn drain(&mut self) -> Vec<String> {
        self.places.clear();
        self.left = 0;
        std::mem::take(&mut self.calls).into_iter().flatten().collect()
    }
}

/// Ids already written, for they must be unique in a request.
#[derive(Default)]
pub(super) struct Used {
    ids: HashSet<String>,
    /// The last number given to a namesake, by what stands before it.
    numbers: HashMap<String, u32>,
}

impl Used {
    /// `plain` itself the first time, then with a number after `stem`.
    pub(super) fn unique(&mut self, plain: &str, stem: &str) -> String {
        let mut written = plain.to_owned();
        while !self.ids.insert(written.clone()) {
            let number = self.numbers.entry(stem.to_owned()).or_insert(1);
            *number = number.saturating_add(1);
            written = format!("{stem}{number}");
        }
        written
    }
}
