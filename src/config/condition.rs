//! Conditions of rules and targets: what they look at, and when they hold.

use std::{borrow::Cow, cmp::Ordering};

use regex_lite::Regex;

use crate::chat::request::Effort;

/// A condition of `when`.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    All(Vec<Self>),
    Any(Vec<Self>),
    Not(Box<Self>),
    Test(Subject, Check),
}

/// What a condition looks at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    Model,
    Dialect,
    Stream,
    InputTokens,
    MaxOutputTokens,
    Messages,
    Tools,
    HasImages,
    HasAudio,
    HasFiles,
    HasVideo,
    JsonSchema,
    ReasoningEffort,
    Complexity,
    Language,
    Region,
    Country,
    Colo,
    HourUtc,
    KeyName,
    KeyTags,
    Header(String),
    Metadata(String),
    User,
}

/// What is there of a subject.
#[derive(Clone, Debug, PartialEq)]
pub enum Datum<'a> {
    Missing,
    Flag(bool),
    Number(f64),
    Effort(Effort),
    Text(Cow<'a, str>),
    /// Equal to each of its items.
    List(&'a [String]),
}

#[derive(Clone, Debug, PartialEq)]
pub enum Check {
    Exists(bool),
    Eq(Literal),
    Ne(Literal),
    Gt(Literal),
    Gte(Literal),
    Lt(Literal),
    Lte(Literal),
    In(Vec<Literal>),
    Nin(Vec<Literal>),
    Regex(Pattern),
}

#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    Flag(bool),
    Number(f64),
    Effort(Effort),
    Text(String),
}

/// A regular expression, compiled once.
#[derive(Clone, Debug)]
pub struct Pattern(pub(super) Regex);

/// Bytes of a text that a pattern is searched in: the time of a search grows with them and with the pattern.
const MAX_SEARCHED: usize = 2_048;

impl Subject {
    /// It is read from the canonical request, which costs a parse.
    pub const fn is_feature(&self) -> bool {
        match self {
            Self::InputTokens
            | Self::Messages
            | Self::Tools
            | Self::HasImages
            | Self::HasAudio
            | Self::HasFiles
            | Self::HasVideo
            | Self::JsonSchema
            | Self::ReasoningEffort
            | Self::Complexity
            | Self::Language => true,
            Self::Model
            | Self::Dialect
            | Self::Stream
            | Self::MaxOutputTokens
            | Self::Region
            | Self::Country
            | Self::Colo
            | Self::HourUtc
            | Self::KeyName
            | Self::KeyTags
            | Self::Header(_)
            | Self::Metadata(_)
            | Self::User => false,
        }
    }
}

impl Condition {
    /// Whether it looks at anything for which `is` is true.
    pub fn looks_at(&self, is: fn(&Subject) -> bool) -> bool {
        match self {
            Self::All(all) | Self::Any(all) => all.iter().any(|one| one.looks_at(is)),
            Self::Not(one) => one.looks_at(is),
            Self::Test(subject, _) => is(subject),
        }
    }

    /// What `look` finds nothing of fails every test but `exists: false`, `ne` and `nin`.
    pub fn holds<'a>(&self, look: &dyn Fn(&Subject) -> Datum<'a>) -> bool {
        match self {
            Self::All(all) => all.iter().all(|one| one.holds(look)),
            Self::Any(any) => any.iter().any(|one| one.holds(look)),
            Self::Not(one) => !one.holds(look),
            Self::Test(subject, check) => check.passes(&look(subject)),
        }
    }
}

impl Check {
    fn passes(&self, datum: &Datum<'_>) -> bool {
        match self {
            Self::Exists(wanted) => datum.is_there() == *wanted,
            Self::Eq(literal) => datum.is(literal),
            Self::Ne(literal) => !datum.is(literal),
            Self::Gt(literal) => datum.compared(literal).is_some_and(Ordering::is_gt),
            Self::Gte(literal) => datum.compared(literal).is_some_and(Ordering::is_ge),
            Self::Lt(literal) => datum.compared(literal).is_some_and(Ordering::is_lt),
            Self::Lte(literal) => datum.compared(literal).is_some_and(Ordering::is_le),
            Self::In(literals) => literals.iter().any(|literal| datum.is(literal)),
            Self::Nin(literals) => !literals.iter().any(|literal| datum.is(literal)),
            Self::Regex(pattern) => match datum {
                Datum::Text(text) => pattern.is_in(text),
                Datum::List(items) => items.iter().any(|item| pattern.is_in(item)),
                Datum::Missing | Datum::Flag(_) | Datum::Number(_) | Datum::Effort(_) => false,
            },
        }
    }
}

impl Datum<'_> {
    const fn is_there(&self) -> bool {
        match self {
            Self::Missing => false,
            Self::List(items) => !items.is_empty(),
            Self::Flag(_) | Self::Number(_) | Self::Effort(_) | Self::Text(_) => true,
        }
    }

    fn is(&self, literal: &Literal) -> bool {
        if let (Self::List(items), Literal::Text(text)) = (self, literal) {
            return items.contains(text);
        }
        self.compared(literal).is_some_and(Ordering::is_eq)
    }

    /// `None`: they are not of one kind. Headers and metadata are texts that may spell a number or a flag.
    fn compared(&self, literal: &Literal) -> Option<Ordering> {
        match (self, literal) {
            (Self::Flag(a), Literal::Flag(b)) => Some(a.cmp(b)),
            (Self::Number(a), Literal::Number(b)) => a.partial_cmp(b),
            (Self::Effort(a), Literal::Effort(b)) => Some(a.cmp(b)),
            (Self::Text(a), Literal::Text(b)) => Some((**a).cmp(b.as_str())),
            (Self::Text(a), Literal::Number(b)) => a.trim().parse::<f64>().ok()?.partial_cmp(b),
            (Self::Text(a), Literal::Flag(b)) => Some(a.trim().parse::<bool>().ok()?.cmp(b)),
            _ => None,
        }
    }
}

impl Pattern {
    fn is_in(&self, text: &str) -> bool {
        let end = text.floor_char_boundary(MAX_SEARCHED);
        self.0.is_match(text.get(..end).unwrap_or(text))
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}
