//! The source as a tree whose every leaf gets one fate: nothing is lost in silence.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::Value;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// To what.
    Mapped(String),
    /// Why.
    Ignored(String),
    /// Why.
    Unmapped(String),
}

impl Fate {
    /// Its place in the report, and its words.
    fn told(&self) -> (usize, &str) {
        match self {
            Self::Unmapped(why) => (0, why),
            Self::Ignored(why) => (1, why),
            Self::Mapped(to) => (2, to),
        }
    }
}

/// The fates, by path.
#[derive(Default)]
pub struct Ledger {
    fates: RefCell<BTreeMap<String, Fate>>,
}

impl Ledger {
    /// What nobody looked at is unmapped.
    pub fn finish(&self, root: &Value) {
        Node::root(root, self).unmapped("no importer knows it");
    }

    /// The first word stands: an importer is more exact of a part before it speaks of the whole.
    fn set(&self, path: String, fate: Fate) {
        self.fates.borrow_mut().entry(path).or_insert(fate);
    }

    #[cfg(test)]
    pub fn fates(&self) -> BTreeMap<String, Fate> {
        self.fates.borrow().clone()
    }

    pub fn report(&self) -> String {
        let fates = self.fates.borrow();
        let mut out = String::new();
        for (rank, title) in ["Not mapped: look at each", "Left out on purpose", "Mapped"].into_iter().enumerate() {
            let told = fates.iter().filter(|(_, fate)| fate.told().0 == rank);
            let lines: Vec<_> = told.map(|(path, fate)| format!("  {path}: {}", fate.told().1)).collect();
            let _ = writeln!(out, "{title} ({}):", lines.len());
            for line in lines {
                let _ = writeln!(out, "{line}");
            }
        }
        out
    }
}

#[derive(Clone)]
pub struct Node<'a> {
    pub value: &'a Value,
    pub path: String,
    ledger: &'a Ledger,
}

impl<'a> Node<'a> {
    pub fn root(value: &'a Value, ledger: &'a Ledger) -> Self {
        Self { value, path: String::new(), ledger }
    }

    fn child(&self, value: &'a Value, step: &str) -> Self {
        let path = if self.path.is_empty() { step.trim_start_matches('.').to_owned() } else { format!("{}{step}", self.path) };
        Self { value, path, ledger: self.ledger }
    }

    pub fn get(&self, key: &str) -> Option<Self> {
        Some(self.child(self.value.get(key)?, &step(key)))
    }

    /// The first of several names of the same.
    pub fn any(&self, keys: &[&str]) -> Option<Self> {
        keys.iter().find_map(|key| self.get(key))
    }

    pub fn members(&self) -> Vec<(String, Self)> {
        let members = self.value.as_object().into_iter().flatten();
        members.map(|(key, value)| (key.clone(), self.child(value, &step(key)))).collect()
    }

    pub fn items(&self) -> Vec<Self> {
        let items = self.value.as_array().into_iter().flatten().enumerate();
        items.map(|(at, value)| self.child(value, &format!("[{at}]"))).collect()
    }

    pub fn text(&self) -> Option<&'a str> {
        self.value.as_str()
    }

    pub fn number(&self) -> Option<f64> {
        self.value.as_f64()
    }

    pub fn mapped(&self, to: &str) {
        self.leaves(&mut |path| self.ledger.set(path, Fate::Mapped(to.to_owned())));
    }

    pub fn ignored(&self, why: &str) {
        self.leaves(&mut |path| self.ledger.set(path, Fate::Ignored(why.to_owned())));
    }

    pub fn unmapped(&self, why: &str) {
        self.leaves(&mut |path| self.ledger.set(path, Fate::Unmapped(why.to_owned())));
    }

    fn leaves(&self, each: &mut dyn FnMut(String)) {
        let (members, items) = (self.members(), self.items());
        if members.is_empty() && items.is_empty() {
            each(self.path.clone());
        }
        for node in members.into_iter().map(|(_, node)| node).chain(items) {
            node.leaves(each);
        }
    }
}

/// `.name`, or `["…"]` where a name is not plain, so that no two leaves have the same path.
fn step(key: &str) -> String {
    let is_plain = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    if is_plain { format!(".{key}") } else { format!("[{}]", Value::from(key)) }
}
