//! Providers whose embeddings are OpenAI's but for names: a caller's body is edited into theirs, so what it says beyond
//! OpenAI's words reaches them too.

use super::{
    super::{Sent, edited, text},
    asked::{Asked, Inputs, read_openai},
    purpose,
    write::only_text,
};
use crate::{
    catalog::Style,
    error::Error,
    wire::json::{Edit, Outline, quoted},
};

/// What a provider calls what OpenAI calls otherwise.
struct Like {
    dimensions: &'static str,
    encoding: Encoding,
    purpose: Option<&'static str>,
    /// Whether it takes `user`; some refuse what they do not know.
    user: bool,
}

enum Encoding {
    /// Takes both words, under this name.
    Named(&'static str),
    /// Takes `base64` and nothing else.
    Base64,
    /// Numbers are not to be had: it sends packed bytes, whatever is asked.
    Bytes,
}

const OPENAI: Like = Like { dimensions: "dimensions", encoding: Encoding::Named("encoding_format"), purpose: None, user: true };

const fn like(style: Style) -> Like {
    match style {
        // https://docs.voyageai.com/reference/embeddings-api
        Style::Voyage => {
            Like { dimensions: "output_dimension", encoding: Encoding::Base64, purpose: Some("input_type"), user: false }
        }
        // https://api.jina.ai/redoc
        Style::Jina => Like { encoding: Encoding::Named("embedding_type"), purpose: Some("task"), user: false, ..OPENAI },
        // https://docs.mistral.ai/api: 422 for any other field.
        Style::Mistral => Like { dimensions: "output_dimension", user: false, ..OPENAI },
        // https://docs.nvidia.com/nim/nemo-retriever/text-embedding: asymmetric models insist on `input_type`.
        Style::Nvidia => Like { purpose: Some("input_type"), ..OPENAI },
        // https://docs.perplexity.ai/api-reference/embeddings-post
        Style::Perplexity => Like { encoding: Encoding::Bytes, user: false, ..OPENAI },
        Style::OpenAi | Style::Anthropic | Style::Gemini | Style::Vertex | Style::Converse | Style::Cohere | Style::Fireworks => {
            OPENAI
        }
    }
}

/// A body of OpenAI's, edited.
pub(super) fn from_openai(to: Style, body: &Outline<'_>, model: &str) -> Result<Sent, Error> {
    let asked = read_openai(body)?;
    only_text(&asked, to)?;
    let mut dropped = vec![];
    let edits = edits(to, body, model, &mut dropped);
    Ok(edited(body, &edits, dropped))
}

fn edits(to: Style, body: &Outline<'_>, model: &str, dropped: &mut Vec<String>) -> Vec<Edit> {
    let like = like(to);
    let mut edits = vec![Edit::Set("model".into(), quoted(model))];
    if like.dimensions != OPENAI.dimensions {
        edits.push(Edit::Rename("dimensions".into(), like.dimensions.into()));
    }
    if !like.user && body.get("user").is_some() {
        edits.push(Edit::Remove("user".into()));
        dropped.push("user".to_owned());
    }
    let encoding = text(body, "encoding_format");
    match (like.encoding, encoding.as_deref()) {
        (Encoding::Named("encoding_format"), _) | (Encoding::Base64, Some("base64")) => {}
        (Encoding::Named(name), _) => edits.push(Edit::Rename("encoding_format".into(), name.into())),
        (Encoding::Base64 | Encoding::Bytes, None | Some("float")) | (Encoding::Bytes, Some("base64")) => {
            edits.push(Edit::Remove("encoding_format".into()));
        }
        // A form of its own.
        (Encoding::Base64 | Encoding::Bytes, Some(_)) => {}
    }
    edits.extend(purpose_edits(to, like.purpose, text(body, "input_type").as_deref(), dropped));
    edits
}

fn purpose_edits(to: Style, member: Option<&'static str>, said: Option<&str>, dropped: &mut Vec<String>) -> Vec<Edit> {
    let Some(member) = member else {
        dropped.extend(said.map(|_| "input_type".to_owned()));
        return said.map(|_| Edit::Remove("input_type".into())).into_iter().collect();
    };
    let word = match said {
        None => return purpose::default(to).map(|word| Edit::Default(member.into(), quoted(word))).into_iter().collect(),
        Some(said) if purpose::is_known(said) => purpose::word(said, to).map(str::to_owned),
        // A word only this provider may know.
        Some(said) => Some(said.to_owned()),
    };
    if word.is_none() {
        dropped.push("input_type".to_owned());
    }
    let mut edits = vec![];
    let word = word.or(purpose::default(to).map(str::to_owned));
    if member != "input_type" || word.is_none() {
        edits.push(Edit::Remove("input_type".into()));
    }
    edits.extend(word.map(|word| Edit::Set(member.into(), quoted(&word))));
    edits
}

/// The same from a caller of another style.
pub(super) fn write(to: Style, asked: &Asked, model: &str) -> (String, Vec<String>) {
    let like = like(to);
    let [purpose_name, ..] = asked.names;
    let mut dropped = asked.dropped.clone();
    let mut members = vec![format!("\"model\":{}", quoted(model))];
    if let Inputs::Texts(texts) = &asked.inputs {
        members.push(match texts.as_slice() {
            [one] if asked.single => format!("\"input\":{}", quoted(one)),
            all => format!("\"input\":[{}]", all.iter().map(|text| quoted(text)).collect::<Vec<_>>().join(",")),
        });
    }
    members.extend(asked.dimensions.map(|count| format!("{}:{count}", quoted(like.dimensions))));
    let word = asked.purpose.as_deref().and_then(|said| purpose::word(said, to));
    if asked.purpose.is_some() && word.is_none() {
        dropped.push(purpose_name.to_owned());
    }
    if let (Some(member), Some(word)) = (like.purpose, word.or(purpose::default(to))) {
        members.push(format!("{}:{}", quoted(member), quoted(word)));
    }
    (format!("{{{}}}", members.join(",")), dropped)
}
