//! A stream's events ⇄ the whole answer they tell.

use super::{
    event::{Block, Delta, Event, Finish, UpstreamError},
    request::{Part, Source},
    response::{Choice, Response, TokenLogprob},
};
use crate::units::Money;

/// Answers to one question: more than any provider gives.
const MAX_CHOICES: usize = 128;

/// Reads the events of a whole stream as one answer; its failure, where it reported one.
pub fn fold(events: impl IntoIterator<Item = Event>) -> Result<Response, UpstreamError> {
    let mut response = Response::default();
    // Where each block went: its choice, and its place there.
    let mut blocks: Vec<(usize, usize)> = vec![];
    for event in events {
        match event {
            Event::Start { id, model } => (response.id, response.model) = (id, model),
            Event::BlockStart { choice, block, .. } => {
                let place = parts(&mut response, choice).map_or(0, |parts| {
                    parts.push(part(block));
                    parts.len().saturating_sub(1)
                });
                blocks.push((choice, place));
            }
            Event::BlockDelta { index, delta } => {
                let Some(&(choice, place)) = blocks.get(index) else { continue };
                if let Delta::Logprobs(tokens) = delta {
                    logprobs(&mut response, choice).into_iter().for_each(|all| all.extend(tokens.iter().cloned()));
                } else if let Some(part) = parts(&mut response, choice).and_then(|parts| parts.get_mut(place)) {
                    extend(part, delta);
                }
            }
            Event::Usage(usage) => response.usage = Some(usage),
            Event::Stop { choice: 0, reason, sequence } => (response.stop, response.stop_sequence) = (reason, sequence),
            Event::Stop { choice, reason, sequence } => {
                if let Some(more) = further(&mut response, choice) {
                    (more.stop, more.stop_sequence) = (reason, sequence);
                }
            }
            Event::Failed(error) => return Err(error),
            Event::BlockEnd { .. } | Event::End | Event::Malformed => {}
        }
    }
    Ok(response)
}

/// The events that tell an answer, and how they end.
pub fn unfold(response: &Response, cost: Option<Money>) -> (Vec<Event>, Finish) {
    let mut events = vec![Event::Start { id: response.id.clone(), model: response.model.clone() }];
    let mut next = 0;
    let first = (0, &response.parts, &response.logprobs);
    let others = response.more.iter().enumerate().map(|(i, choice)| (i + 1, &choice.parts, &choice.logprobs));
    for (choice, parts, logprobs) in std::iter::once(first).chain(others) {
        let mut logprobs = Some(logprobs.clone()).filter(|tokens| !tokens.is_empty());
        for part in parts {
            let Some((block, mut deltas)) = blocks(part) else { continue };
            if block == Block::Text {
                deltas.extend(logprobs.take().map(Delta::Logprobs));
            }
            events.push(Event::BlockStart { choice, index: next, block });
            events.extend(deltas.into_iter().map(|delta| Event::BlockDelta { index: next, delta }));
            events.push(Event::BlockEnd { index: next });
            next += 1;
        }
    }
    let finish = Finish {
        stop: response.stop,
        stop_sequence: response.stop_sequence.clone(),
        more: response.more.iter().enumerate().map(|(i, choice)| (i + 1, choice.stop)).collect(),
        usage: response.usage.unwrap_or_default(),
        cost,
    };
    (events, finish)
}

fn further(response: &mut Response, choice: usize) -> Option<&mut Choice> {
    let place = choice.checked_sub(1)?;
    if response.more.len() <= place && place < MAX_CHOICES {
        response.more.resize(place + 1, Choice::default());
    }
    response.more.get_mut(place)
}

fn parts(response: &mut Response, choice: usize) -> Option<&mut Vec<Part>> {
    if choice == 0 { Some(&mut response.parts) } else { further(response, choice).map(|more| &mut more.parts) }
}

fn logprobs(response: &mut Response, choice: usize) -> Option<&mut Vec<TokenLogprob>> {
    if choice == 0 { Some(&mut response.logprobs) } else { further(response, choice).map(|more| &mut more.logprobs) }
}

fn part(block: Block) -> Part {
    match block {
        Block::Text => Part::text(""),
        Block::Reasoning => Part::Reasoning { text: String::new(), signature: None },
        Block::RedactedReasoning { data, dialect } => Part::RedactedReasoning { data, dialect },
        Block::Refusal => Part::Refusal { text: String::new() },
        Block::ToolCall(call) => Part::ToolCall(call),
        Block::Image { media_type, data } => {
            Part::Image { source: Source::Inline { media_type, data }, detail: None, cache: None }
        }
        Block::Audio { media_type } => {
            Part::Audio { source: Source::Inline { media_type, data: String::new() }, transcript: None }
        }
        Block::Opaque { dialect, value } => Part::Opaque { dialect, value },
    }
}

fn extend(part: &mut Part, delta: Delta) {
    match (part, delta) {
        (Part::Text { text, .. }, Delta::Text(more))
        | (Part::Reasoning { text, .. }, Delta::Reasoning(more))
        | (Part::Refusal { text }, Delta::Refusal(more)) => text.push_str(&more),
        (Part::Text { citations, .. }, Delta::Citation(citation)) => citations.push(citation),
        (Part::Reasoning { signature, .. }, Delta::Signature(proof)) => *signature = Some(proof),
        (Part::ToolCall(call), Delta::Arguments(more)) => call.arguments.push_str(&more),
        (Part::ToolCall(call), Delta::Signature(proof)) => call.signature = Some(proof),
        (Part::Audio { source: Source::Inline { data, .. }, .. }, Delta::Audio(more)) => data.push_str(&more),
        (Part::Audio { transcript, .. }, Delta::Text(more)) => transcript.get_or_insert_default().push_str(&more),
        // Readers make no other pair; a text's signature has no place in a whole answer.
        (
            _,
            Delta::Text(_)
            | Delta::Reasoning(_)
            | Delta::Refusal(_)
            | Delta::Arguments(_)
            | Delta::Signature(_)
            | Delta::Citation(_)
            | Delta::Logprobs(_)
            | Delta::Audio(_),
        ) => {}
    }
}

fn blocks(part: &Part) -> Option<(Block, Vec<Delta>)> {
    Some(match part {
        Part::Text { text, citations, .. } => {
            let citations = citations.iter().cloned().map(Delta::Citation);
            (Block::Text, std::iter::once(Delta::Text(text.clone())).chain(citations).collect())
        }
        Part::Reasoning { text, signature } => {
            let signature = signature.clone().map(Delta::Signature);
            (Block::Reasoning, std::iter::once(Delta::Reasoning(text.clone())).chain(signature).collect())
        }
        Part::RedactedReasoning { data, dialect } => (Block::RedactedReasoning { data: data.clone(), dialect: *dialect }, vec![]),
        Part::Refusal { text } => (Block::Refusal, vec![Delta::Refusal(text.clone())]),
        Part::ToolCall(call) => {
            let mut call = call.clone();
            let arguments = std::mem::take(&mut call.arguments);
            (Block::ToolCall(call), vec![Delta::Arguments(arguments)])
        }
        Part::Image { source: Source::Inline { media_type, data }, .. } => {
            (Block::Image { media_type: media_type.clone(), data: data.clone() }, vec![])
        }
        Part::Audio { source: Source::Inline { media_type, data }, transcript } => {
            let said = transcript.clone().map(Delta::Text);
            (Block::Audio { media_type: media_type.clone() }, said.into_iter().chain([Delta::Audio(data.clone())]).collect())
        }
        Part::Opaque { dialect, value } => (Block::Opaque { dialect: *dialect, value: value.clone() }, vec![]),
        // No answer holds these.
        Part::Image { .. } | Part::Audio { .. } | Part::File { .. } | Part::Video { .. } | Part::ToolResult(_) => return None,
    })
}
