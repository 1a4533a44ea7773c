//! What conditions find in a request.

use std::borrow::Cow;

use super::Ask;
use crate::{
    config::{Datum, Subject},
    units::Millis,
};

const MS_PER_HOUR: u64 = 3_600_000;

/// What is there of a subject. Features nobody read are missing.
pub(super) fn look<'a>(ask: Ask<'a>, now: Millis, subject: &Subject) -> Datum<'a> {
    match subject {
        Subject::Model => text(&ask.facts.model),
        Subject::Dialect => Datum::Text(Cow::Borrowed(ask.dialect.name())),
        Subject::Stream => Datum::Flag(ask.facts.stream),
        Subject::MaxOutputTokens => ask.facts.max_output.map_or(Datum::Missing, number),
        Subject::Region => text(ask.origin.region),
        Subject::Country => text(ask.origin.country),
        Subject::Colo => text(ask.origin.colo),
        Subject::HourUtc => number(now.0 / MS_PER_HOUR % 24),
        Subject::KeyName => text(ask.key.name),
        Subject::KeyTags => Datum::List(ask.key.tags),
        Subject::Header(name) => found(ask.headers, name),
        Subject::Metadata(name) => found(&ask.wishes.metadata, name),
        Subject::User => ask.facts.user.as_deref().map_or(Datum::Missing, text),
        Subject::InputTokens
        | Subject::Messages
        | Subject::Tools
        | Subject::HasImages
        | Subject::HasAudio
        | Subject::HasFiles
        | Subject::HasVideo
        | Subject::JsonSchema
        | Subject::ReasoningEffort
        | Subject::Complexity
        | Subject::Language => feature(ask, subject),
    }
}

fn feature<'a>(ask: Ask<'a>, subject: &Subject) -> Datum<'a> {
    let Some(features) = ask.features else { return Datum::Missing };
    match subject {
        Subject::InputTokens => number(features.input_tokens),
        Subject::Messages => number(features.messages),
        Subject::Tools => number(features.tools),
        Subject::HasImages => Datum::Flag(features.images),
        Subject::HasAudio => Datum::Flag(features.audio),
        Subject::HasFiles => Datum::Flag(features.files),
        Subject::HasVideo => Datum::Flag(features.video),
        Subject::JsonSchema => Datum::Flag(features.json_schema),
        Subject::ReasoningEffort => features.reasoning_effort.map_or(Datum::Missing, Datum::Effort),
        Subject::Complexity => Datum::Number(f64::from(features.complexity) / 1_000.0),
        Subject::Language => text(features.language),
        Subject::Model
        | Subject::Dialect
        | Subject::Stream
        | Subject::MaxOutputTokens
        | Subject::Region
        | Subject::Country
        | Subject::Colo
        | Subject::HourUtc
        | Subject::KeyName
        | Subject::KeyTags
        | Subject::Header(_)
        | Subject::Metadata(_)
        | Subject::User => Datum::Missing,
    }
}

fn text(text: &str) -> Datum<'_> {
    if text.is_empty() { Datum::Missing } else { Datum::Text(Cow::Borrowed(text)) }
}

/// Beyond four milliards they are all the same.
fn number<'a>(number: u64) -> Datum<'a> {
    Datum::Number(f64::from(u32::try_from(number).unwrap_or(u32::MAX)))
}

fn found<'a>(pairs: &'a [(String, String)], name: &str) -> Datum<'a> {
    pairs.iter().find(|(known, _)| known == name).map_or(Datum::Missing, |(_, value)| Datum::Text(Cow::Borrowed(value)))
}
