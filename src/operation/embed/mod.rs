//! Text → vectors.
//!
//! Providers whose bodies are OpenAI's but for a few names are rows of `like`; the others have a writer and a reader.
//! Vectors travel as the text they came in, and become numbers only where their form changes.

mod answer;
mod asked;
mod like;
mod purpose;
mod vector;
mod write;

use answer::Vectors;
use asked::Asked;

use super::{Answer, Sent, counted, estimate, prompt, untranslatable, with_model};
use crate::{
    catalog::{Operation, Style},
    chat::event::UpstreamError,
    error::Error,
    wire::json::Outline,
};

pub(super) fn write(from: Style, to: Style, body: &Outline<'_>, model: &str) -> Result<Sent, Error> {
    match (from, to) {
        (Style::Gemini, Style::Gemini) => Ok(write::gemini_own(body, model)),
        (Style::OpenAi, Style::OpenAi) => Ok(with_model(body, model)),
        (Style::OpenAi, Style::Voyage | Style::Jina | Style::Mistral | Style::Nvidia | Style::Perplexity) => {
            like::from_openai(to, body, model)
        }
        (Style::OpenAi, Style::Gemini | Style::Vertex | Style::Cohere) => write::write(to, &asked::read_openai(body)?, model),
        (Style::Gemini, _) => write::write(to, &asked::read_gemini(body)?, model),
        (
            Style::OpenAi
            | Style::Anthropic
            | Style::Vertex
            | Style::Converse
            | Style::Cohere
            | Style::Voyage
            | Style::Jina
            | Style::Mistral
            | Style::Nvidia
            | Style::Perplexity
            | Style::Fireworks,
            _,
        ) => Err(untranslatable(Operation::Embed)),
    }
}

pub(super) fn read(
    (from, to): (Style, Style),
    body: &Outline<'_>,
    answer: &Outline<'_>,
    model: &str,
) -> Result<Answer, UpstreamError> {
    let guess = || asked(from, body).map_or(0, |asked| tokens(&asked));
    let found = match answer::read(to, answer) {
        // What is not translated need not be understood.
        Err(_) if from == to => return Ok(counted(None, None, guess)),
        found => found?,
    };
    let mut out = counted(found.tokens, found.raw_usage.clone(), guess);
    out.body = if from == to {
        own(from, body, answer, &found)
    } else {
        let asked = asked(from, body).map_err(|_| super::unreadable("is to a question that cannot be read again"))?;
        Some(translated(from, &asked, &found, out.usage.unwrap_or(prompt(0)).input, model)?)
    };
    Ok(out)
}

fn asked(from: Style, body: &Outline<'_>) -> Result<Asked, Error> {
    if from == Style::Gemini { asked::read_gemini(body) } else { asked::read_openai(body) }
}

/// An estimate of what was asked.
fn tokens(asked: &Asked) -> u64 {
    match &asked.inputs {
        asked::Inputs::Texts(texts) => texts.iter().map(|text| estimate::of_text(text)).sum(),
        asked::Inputs::Tokens(count) => *count,
    }
}

/// An answer of the caller's own style passes, unless its vectors are in another form than was asked for: OpenAI's SDKs
/// ask for base64 unasked, and the one for Node decodes whatever comes.
fn own(style: Style, body: &Outline<'_>, answer: &Outline<'_>, found: &Vectors<'_>) -> Option<String> {
    if style != Style::OpenAi {
        return None;
    }
    let form = asked::form(body)?;
    answer::in_form(answer, found, form)
}

fn translated(from: Style, asked: &Asked, found: &Vectors<'_>, tokens: u64, model: &str) -> Result<String, UpstreamError> {
    if asked.count().is_some_and(|count| count != found.vectors.len()) {
        return Err(super::unreadable("holds another number of vectors than was asked for"));
    }
    let written = if from == Style::Gemini {
        answer::write_gemini(found, asked.single, tokens)
    } else {
        answer::write_openai(found, asked.form, tokens, model)
    };
    written.ok_or_else(|| super::unreadable("holds a vector that cannot be read"))
}
