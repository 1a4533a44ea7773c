//! Calls that are not chat: one small module each, over the same wire tools.
//!
//! A body of the provider's own style is edited and passes; any other is read for what it asks and written again.

pub mod count;
mod embed;
pub mod estimate;
pub mod media;
mod moderate;
mod rerank;

use serde_json::Value;

use crate::{
    catalog::{Endpoint, Operation, Style},
    chat::{Dialect, event::UpstreamError, usage::Usage},
    dialect::Facts,
    error::Error,
    wire::{
        fields::missing,
        json::{Edit, Outline, Piece, items, quoted},
        percent,
    },
};

/// What OpenAI takes where no model is named.
const DEFAULT_MODERATION: &str = "omni-moderation-latest";

/// A call as it goes to the provider.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sent {
    /// Below the provider's base URL.
    pub path: String,
    /// Of the caller's own body.
    pub body: Vec<Piece>,
    /// What the provider's style cannot say, named as the caller wrote it.
    pub dropped: Vec<String>,
}

/// A provider's answer, for the caller.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    /// `None`: it passes as it came.
    pub body: Option<String>,
    pub usage: Option<Usage>,
    /// The provider counted nothing; `usage` is the gateway's own guess.
    pub estimated: bool,
    /// The provider's own numbers.
    pub raw_usage: Option<Value>,
    /// Under which the provider keeps what it works on.
    pub id: Option<String>,
}

/// Whose words errors of this style are in.
pub const fn dialect(style: Style) -> Dialect {
    match style {
        Style::Anthropic => Dialect::Anthropic,
        Style::Gemini | Style::Vertex => Dialect::Gemini,
        Style::Converse => Dialect::Converse,
        Style::Cohere => Dialect::Cohere,
        Style::OpenAi | Style::Voyage | Style::Jina | Style::Mistral | Style::Nvidia | Style::Perplexity | Style::Fireworks => {
            Dialect::OpenAiChat
        }
    }
}

/// What routing needs. Gemini names the model in the path: then it is filled in afterwards.
pub fn facts(operation: Operation, caller: Style, body: &Outline<'_>) -> Result<Facts, Error> {
    let model: Option<String> = body.parse("model", "a string")?;
    let model = match (operation, caller) {
        (_, Style::Gemini | Style::Vertex) => String::new(),
        (Operation::Moderate, _) => model.unwrap_or_else(|| DEFAULT_MODERATION.to_owned()),
        (Operation::Embed | Operation::Rerank | Operation::CountTokens | Operation::Image | Operation::Video, _) => {
            model.ok_or_else(|| missing("model"))?
        }
    };
    let user = if caller == Style::Anthropic { inner(body, "metadata", "user_id") } else { body.get("user").map(str::to_owned) };
    let user = user.and_then(|text| serde_json::from_str(&text).ok());
    Ok(Facts { model, user, tools: body.get("tools").and_then(items).is_some_and(|tools| !tools.is_empty()), ..Facts::default() })
}

/// The call to the provider. Its own style: edited; another: made anew.
pub fn write(operation: Operation, from: Style, to: Endpoint, body: &[u8], model: &str) -> Result<Sent, Error> {
    let outline = Outline::read(body)?;
    let mut sent = match operation {
        Operation::Embed => embed::write(from, to.style, &outline, model)?,
        Operation::Rerank => rerank::write(from, to.style, &outline, model)?,
        Operation::Moderate => moderate::write(from, to.style, &outline, model)?,
        Operation::CountTokens => count::write(from, to.style, &outline, model)?,
        Operation::Image | Operation::Video => Sent { body: media::Body::Json(outline).with_model(model)?, ..Sent::default() },
    };
    // What a body decides of the path is its method.
    let template = match to.path.rsplit_once(':') {
        Some((place, _)) if !sent.path.is_empty() => format!("{place}:{}", sent.path),
        _ => to.path.to_owned(),
    };
    sent.path = template.replace("{model}", &percent::encoded(bare(model)));
    Ok(sent)
}

/// The provider's answer, for the caller who sent `asked`. `model` is named where the provider names none.
pub fn read(
    operation: Operation,
    (from, to): (Style, Style),
    asked: &[u8],
    answer: &[u8],
    model: &str,
) -> Result<Answer, UpstreamError> {
    let question = Outline::read(asked).map_err(|error| unreadable(&error.message))?;
    let outline = Outline::read(answer).map_err(|_| unreadable("is not a JSON object"))?;
    if outline.get("error").is_some() {
        // Some report a failure with status 200.
        return Err(dialect(to).upstream().read_error(0, outline.text()));
    }
    match operation {
        Operation::Embed => embed::read((from, to), &question, &outline, model),
        Operation::Rerank => rerank::read((from, to), &question, &outline, model),
        Operation::Moderate => moderate::read((from, to), &question, &outline, model),
        Operation::CountTokens => count::read((from, to), &outline),
        Operation::Image | Operation::Video => media::read(&outline),
    }
}

fn unreadable(what: &str) -> UpstreamError {
    UpstreamError { message: format!("The provider's answer {what}."), ..UpstreamError::default() }
}

/// A caller's own body with another model in it.
fn with_model(outline: &Outline<'_>, model: &str) -> Sent {
    edited(outline, &[Edit::Set("model".into(), quoted(model))], vec![])
}

fn edited(outline: &Outline<'_>, edits: &[Edit], dropped: Vec<String>) -> Sent {
    Sent { path: String::new(), body: outline.edit(edits), dropped }
}

fn made(body: String, dropped: Vec<String>) -> Sent {
    Sent { path: String::new(), body: vec![Piece::New(body)], dropped }
}

/// Google's models have a prefix that their paths hold already.
fn bare(model: &str) -> &str {
    model.strip_prefix("models/").unwrap_or(model)
}

/// The text of a member's member.
fn inner(outline: &Outline<'_>, key: &str, of: &str) -> Option<String> {
    let inner = Outline::read(outline.get(key)?.as_bytes()).ok()?;
    inner.get(of).map(str::to_owned)
}

fn number(outline: &Outline<'_>, key: &str) -> Option<u64> {
    outline.get(key)?.parse().ok()
}

fn text(outline: &Outline<'_>, key: &str) -> Option<String> {
    serde_json::from_str(outline.get(key)?).ok()
}

/// A member as a tree.
fn value(outline: &Outline<'_>, key: &str) -> Option<Value> {
    serde_json::from_str(outline.get(key)?).ok()
}

/// Tokens of the prompt, which is all these operations have.
fn prompt(count: u64) -> Usage {
    Usage { input: count, ..Usage::default() }
}

/// What the provider counted, or an estimate of what was asked.
fn counted(count: Option<u64>, raw_usage: Option<Value>, estimate: impl FnOnce() -> u64) -> Answer {
    let estimated = count.is_none();
    Answer { body: None, usage: Some(prompt(count.unwrap_or_else(estimate))), estimated, raw_usage, id: None }
}

fn untranslatable(operation: Operation) -> Error {
    Error::invalid("", format!("This provider's `{}` is of a form that this request cannot be translated to.", operation.name()))
}
