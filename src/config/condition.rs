//! Conditions of rules and targets: what they look at, and when they hold.

use std::borrow::Cow;

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
    Text(Cow<'a, str>),
    List(&'a [String]),
}

#[derive(Clone, Debug, PartialEq)]
pub enum Check {
    Exists(bool),
    Is(bool),
    Eq(Literal),
    Ne(Literal),
    Gt(f64),
    Gte(f64),
    Lt(f64),
    Lte(f64),
    In(Vec<Literal>),
    Nin(Vec<Literal>),
}

#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    Flag(bool),
    Number(f64),
    Text(String),
}

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
}
