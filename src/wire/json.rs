//! A body as an outline: the members of its top-level object in order, each value as its exact text.
//!
//! What is not edited keeps its bytes, whether we know the field or not. Duplicate keys are refused: two readers of one
//! body must not disagree on which model was authorised.

use std::{borrow::Cow, collections::HashSet, ops::Range};

pub use portolan_scan::names_any;
use portolan_scan::{Fault, Scanner};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::{Error, Kind};

/// Members of a top-level object; providers know some fifty.
const MAX_MEMBERS: usize = 1024;

/// Characters of a member's name that an error repeats.
const MAX_ECHO: usize = 100;

struct Member<'a> {
    key: Cow<'a, str>,
    /// From the key's quote to the end of the value.
    whole: Range<usize>,
    value: Range<usize>,
}

pub struct Outline<'a> {
    text: &'a str,
    members: Vec<Member<'a>>,
}

/// One change to a top-level member. A value is JSON text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    Set(Cow<'static, str>, String),
    /// Only where the member is not there yet.
    Default(Cow<'static, str>, String),
    Remove(Cow<'static, str>),
    /// Gives a member another name, unless that name is taken: then the member goes.
    Rename(Cow<'static, str>, Cow<'static, str>),
}

/// A stretch of an edited body: a range of the original's bytes, or new text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    Kept(Range<usize>),
    New(String),
}

impl<'a> Outline<'a> {
    pub fn read(bytes: &'a [u8]) -> Result<Self, Error> {
        let text = std::str::from_utf8(bytes).map_err(|_| not_json("it is not UTF-8", 0))?;
        let mut scanner = Scanner::new(bytes);
        let outline = Self { text, members: members(text, &mut scanner).map_err(|f| not_json(f.what, f.at))? };
        scanner.skip_space();
        if scanner.peek().is_some() {
            return Err(not_json("there is text after the object", scanner.at));
        }
        let mut seen = HashSet::with_capacity(outline.members.len());
        for member in &outline.members {
            // Go's readers take `Model` for `model`, and the last of the two.
            let key = member.key.as_ref();
            let folded = if key.bytes().any(|b| b.is_ascii_uppercase() || !b.is_ascii()) { folded(key) } else { key.into() };
            if !seen.insert(folded) {
                let key: String = key.chars().take(MAX_ECHO).collect();
                return Err(Error::invalid(&key, format!("`{key}` is there twice")));
            }
        }
        Ok(outline)
    }

    /// The whole body.
    pub const fn text(&self) -> &'a str {
        self.text
    }

    /// The exact text of a member's value; `null` counts as absent.
    pub fn get(&self, key: &str) -> Option<&'a str> {
        let member = self.member(key)?;
        self.text.get(member.value.clone()).filter(|text| *text != "null")
    }

    /// A member's value as a type; an error names the member.
    pub fn parse<T: DeserializeOwned>(&self, key: &str, expected: &str) -> Result<Option<T>, Error> {
        let Some(text) = self.get(key) else { return Ok(None) };
        serde_json::from_str(text).map(Some).map_err(|_| Error::invalid(key, format!("`{key}` must be {expected}")))
    }

    fn member(&self, key: &str) -> Option<&Member<'a>> {
        self.members.iter().find(|m| m.key == key)
    }

    /// The body after the edits, as pieces. No edits, or none that changes anything: one piece, the whole original.
    pub fn edit(&self, edits: &[Edit]) -> Vec<Piece> {
        let mut draft =
            Draft { members: self.members.iter().map(|m| Some(vec![Piece::Kept(m.whole.clone())])).collect(), new: vec![] };
        for edit in edits {
            self.apply(edit, &mut draft);
        }
        self.assemble(draft)
    }

    fn apply(&self, edit: &Edit, draft: &mut Draft) {
        let index = |key: &str| self.members.iter().position(|m| m.key == key);
        match edit {
            Edit::Set(key, value) => match index(key) {
                Some(i) => self.set_value(draft, i, value),
                None => self.add(draft, key.clone(), value),
            },
            Edit::Default(key, value) => {
                if index(key).is_none() && !draft.new.iter().any(|(k, _)| k == key) {
                    self.add(draft, key.clone(), value);
                }
            }
            Edit::Remove(key) => {
                draft.new.retain(|(k, _)| k != key);
                if let Some(slot) = index(key).and_then(|i| draft.members.get_mut(i)) {
                    *slot = None;
                }
            }
            Edit::Rename(from, to) => {
                let Some(i) = index(from) else { return };
                let taken = index(to).is_some();
                self.drop_twin(draft, to);
                let (Some(member), Some(slot)) = (self.members.get(i), draft.members.get_mut(i)) else { return };
                let colon = member.whole.start..member.value.start;
                let after_key =
                    self.text.get(colon).and_then(|t| t.rfind(':')).map_or(member.value.start, |c| member.whole.start + c);
                *slot = (!taken).then(|| vec![Piece::New(quoted(to)), Piece::Kept(after_key..member.value.end)]);
            }
        }
    }

    fn add(&self, draft: &mut Draft, key: Cow<'static, str>, value: &str) {
        self.drop_twin(draft, &key);
        draft.put_new(key, value);
    }

    /// A reader without regard for case would take a member of the caller's for the one that is put beside it.
    fn drop_twin(&self, draft: &mut Draft, key: &str) {
        let is_twin = |member: &Member<'_>| member.key != key && folded(&member.key) == folded(key);
        if let Some(slot) = self.members.iter().position(is_twin).and_then(|i| draft.members.get_mut(i)) {
            *slot = None;
        }
    }

    fn set_value(&self, draft: &mut Draft, index: usize, value: &str) {
        let (Some(member), Some(slot)) = (self.members.get(index), draft.members.get_mut(index)) else { return };
        if self.text.get(member.value.clone()) == Some(value) {
            return;
        }
        *slot = Some(vec![Piece::Kept(member.whole.start..member.value.start), Piece::New(value.to_owned())]);
    }

    fn assemble(&self, draft: Draft) -> Vec<Piece> {
        let open = self.members.first().map_or_else(|| self.text.find('{').map_or(0, |at| at + 1), |m| m.whole.start);
        let close = self.members.last().map_or(open, |m| m.whole.end);
        let mut out = Pieces(vec![]);
        out.kept(0..open);
        let mut count = 0;
        for (key, value) in &draft.new {
            out.text(&format!("{}{}:{value}", if count > 0 { "," } else { "" }, quoted(key)));
            count += 1;
        }
        let mut last_end = None;
        for (member, slot) in self.members.iter().zip(draft.members) {
            let Some(pieces) = slot else { continue };
            match last_end {
                // The separator as it was, when its two neighbours are the same.
                Some(end) if self.is_separator(end, member.whole.start) => out.kept(end..member.whole.start),
                _ if count > 0 => out.text(","),
                _ => {}
            }
            for piece in pieces {
                out.push(piece);
            }
            last_end = Some(member.whole.end);
            count += 1;
        }
        out.kept(close..self.text.len());
        out.0
    }

    fn is_separator(&self, start: usize, end: usize) -> bool {
        self.text.get(start..end).is_some_and(|text| text.trim() == ",")
    }
}

#[derive(Default)]
struct Draft {
    members: Vec<Option<Vec<Piece>>>,
    new: Vec<(Cow<'static, str>, String)>,
}

impl Draft {
    fn put_new(&mut self, key: Cow<'static, str>, value: &str) {
        match self.new.iter_mut().find(|(k, _)| *k == key) {
            Some((_, old)) => value.clone_into(old),
            None => self.new.push((key, value.to_owned())),
        }
    }
}

/// Pieces in order, neighbours joined.
struct Pieces(Vec<Piece>);

impl Pieces {
    fn push(&mut self, piece: Piece) {
        match piece {
            Piece::Kept(range) => self.kept(range),
            Piece::New(text) => self.text(&text),
        }
    }

    fn kept(&mut self, range: Range<usize>) {
        if range.is_empty() {
            return;
        }
        match self.0.last_mut() {
            Some(Piece::Kept(last)) if last.end == range.start => last.end = range.end,
            _ => self.0.push(Piece::Kept(range)),
        }
    }

    fn text(&mut self, text: &str) {
        match self.0.last_mut() {
            Some(Piece::New(last)) => last.push_str(text),
            _ => self.0.push(Piece::New(text.to_owned())),
        }
    }
}

/// A name as a reader without regard for case has it; Unicode folds two more letters into ASCII.
fn folded(key: &str) -> Cow<'_, str> {
    key.to_ascii_lowercase().replace('\u{17f}', "s").replace('\u{212a}', "k").into()
}

/// The pieces as one text, for what is not sent as pieces.
pub fn join(original: &str, pieces: &[Piece]) -> String {
    pieces
        .iter()
        .map(|piece| match piece {
            Piece::Kept(range) => original.get(range.clone()).unwrap_or_default(),
            Piece::New(text) => text,
        })
        .collect()
}

/// The texts of an array's items; `None` for a text that is no array. A vector of a million numbers needs no tree.
pub fn items(text: &str) -> Option<Vec<&str>> {
    let mut scanner = Scanner::new(text.as_bytes());
    scanner.skip_space();
    scanner.expect(b'[', "expected an array").ok()?;
    let mut items = vec![];
    scanner.skip_space();
    if scanner.peek() == Some(b']') {
        return Some(items);
    }
    loop {
        scanner.skip_space();
        let start = scanner.at;
        scanner.value().ok()?;
        items.push(text.get(start..scanner.at)?);
        scanner.skip_space();
        if scanner.peek() == Some(b']') {
            return Some(items);
        }
        scanner.expect(b',', "expected a comma or the end").ok()?;
    }
}

/// A value as JSON. Not its `Display`: that one is slower, and brings a second serializer and a pretty one along.
pub fn json_text(value: &Value) -> String {
    // Cannot fail: all keys are strings.
    serde_json::to_string(value).unwrap_or_default()
}

/// `text` as a JSON string.
pub fn quoted(text: &str) -> String {
    json_text(&Value::from(text))
}

fn members<'a>(text: &'a str, scanner: &mut Scanner<'_>) -> Result<Vec<Member<'a>>, Fault> {
    scanner.skip_space();
    scanner.expect(b'{', "the body must be a JSON object")?;
    let mut members = Vec::with_capacity(16);
    scanner.skip_space();
    if scanner.peek() == Some(b'}') {
        scanner.at += 1;
        return Ok(members);
    }
    loop {
        scanner.skip_space();
        let start = scanner.at;
        scanner.string()?;
        let key = text.get(start..scanner.at).and_then(unquote).ok_or(scanner.fault("bad key"))?;
        scanner.skip_space();
        scanner.expect(b':', "expected a colon")?;
        scanner.skip_space();
        let value = scanner.at;
        scanner.value()?;
        members.push(Member { key, whole: start..scanner.at, value: value..scanner.at });
        if members.len() > MAX_MEMBERS {
            return Err(scanner.fault("too many members"));
        }
        scanner.skip_space();
        if scanner.peek() == Some(b'}') {
            scanner.at += 1;
            return Ok(members);
        }
        scanner.expect(b',', "expected a comma or the end")?;
    }
}

fn unquote(text: &str) -> Option<Cow<'_, str>> {
    let inner = text.get(1..text.len().checked_sub(1)?)?;
    if inner.contains('\\') { serde_json::from_str(text).ok().map(Cow::Owned) } else { Some(Cow::Borrowed(inner)) }
}

fn not_json(what: &str, at: usize) -> Error {
    Error::new(Kind::InvalidRequest, format!("The body is not a valid JSON object: {what} (byte {at})."))
}
