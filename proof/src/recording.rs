//! A folder of recorded exchanges, as its `index.json` lists them.

use std::{fs, path::Path};

use anyhow::{Context, Result};
use portolan::{dialect::Dialect, wire::framing::Framing};
use serde_json::Value;

use crate::base64;

pub struct Recording {
    /// The path in its folder.
    pub name: String,
    pub provider: String,
    pub api: String,
    pub model: String,
    pub status: u16,
    pub kind: Kind,
    /// The body of the answer as it went over the wire.
    pub body: Vec<u8>,
    /// Sizes of the network reads in which it came.
    pub sizes: Vec<usize>,
    /// The body of the request, where it was recorded and is JSON.
    pub request: Option<String>,
    /// The path and query of the request.
    pub target: String,
    /// What a reader of the provider's own API sees; `Null` where nobody worked that out.
    pub derived: Value,
    /// It failed, by its status or inside an answer.
    pub failed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Whole,
    Events,
    AmazonEvents,
    Other,
}

/// Characters of long media that a recorder kept at least.
const ELIDED_AFTER: usize = 128;

/// All recordings, in the order of the index.
pub fn read_all(folder: &Path) -> Result<Vec<Recording>> {
    let index = read_json(&folder.join("index.json"))?;
    let entries = index.as_array().or_else(|| index["cases"].as_array()).context("index.json lists nothing")?;
    entries.iter().map(|entry| read(folder, text(&entry["path"]))).collect()
}

fn read(folder: &Path, name: &str) -> Result<Recording> {
    let case = read_json(&folder.join(name))?;
    let (request, response) = (&case["request"], &case["response"]);
    let kind = match text(&response["kind"]) {
        "json" => Kind::Whole,
        "sse" => Kind::Events,
        "aws-eventstream" => Kind::AmazonEvents,
        _ => Kind::Other,
    };
    let body = match (kind, &response["body"]) {
        (Kind::AmazonEvents, body) => base64::decode(text(body)).with_context(|| format!("{name}: not base64"))?,
        (_, Value::String(text)) if kind != Kind::Whole => shortened(text).into_bytes(),
        (_, body) => format!("{}{}", text(&response["body_prefix"]), shortened(&body.to_string())).into_bytes(),
    };
    let sizes = case["chunk_sizes"].as_array().map(Vec::as_slice).unwrap_or_default();
    Ok(Recording {
        name: name.to_owned(),
        provider: text(&case["provider"]).to_owned(),
        api: text(&case["api"]).to_owned(),
        model: text(&case["model"]).to_owned(),
        status: response["status"].as_u64().and_then(|status| u16::try_from(status).ok()).unwrap_or(0),
        kind,
        body,
        sizes: sizes.iter().filter_map(|size| usize::try_from(size.as_u64()?).ok()).collect(),
        request: (request["kind"] == "json").then(|| shortened(&request["body"].to_string())),
        target: target(text(&request["url"])),
        derived: case["derived"].clone(),
        failed: case["derived"]["error"] == true
            || case["features"].as_array().into_iter().flatten().any(|f| text(f).starts_with("error-")),
    })
}

/// The recorder cut long media and marked where, which makes them no base64 any more: the mark goes, and what follows it.
fn shortened(text: &str) -> String {
    let is_base64 = |b: u8| b.is_ascii_alphanumeric() || b"+/=-_".contains(&b);
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(at) = rest.find("...") {
        let (before, after) = rest.split_at(at);
        out.push_str(before);
        let is_cut = before.len() >= ELIDED_AFTER && before.bytes().rev().take(ELIDED_AFTER).all(is_base64);
        let end = if is_cut { after.find('"').unwrap_or(after.len()) } else { 3 };
        let run = before.bytes().rev().take_while(|b| is_base64(*b)).count();
        if is_cut {
            out.truncate(out.len() - run % 4);
        } else {
            out.push_str("...");
        }
        rest = after.get(end..).unwrap_or_default();
    }
    out + rest
}

/// What follows the host of an address.
fn target(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/").to_owned()
}

impl Recording {
    /// The dialect it is written in; `None` for what the gateway does not speak as chat.
    pub fn dialect(&self) -> Option<Dialect> {
        let dialect = match self.api.as_str() {
            "openai.chat" => Dialect::OpenAiChat,
            "openai.responses" => Dialect::OpenAiResponses,
            "openai.completions" => Dialect::OpenAiCompletions,
            "anthropic.messages" => Dialect::Anthropic,
            "gemini.generate" => Dialect::Gemini,
            "bedrock.converse" => Dialect::Converse,
            "cohere.chat_v2" => Dialect::Cohere,
            // Claude alone: its bodies are Anthropic's. The older ones are prompts.
            "bedrock.invoke" if self.model.contains("anthropic.claude") && self.has_messages() => Dialect::Anthropic,
            _ => return None,
        };
        Dialect::ALL.contains(&dialect).then_some(dialect)
    }

    fn has_messages(&self) -> bool {
        self.request.as_ref().is_some_and(|body| body.contains("\"messages\""))
    }

    pub const fn framing(&self) -> Framing {
        match self.kind {
            Kind::AmazonEvents => Framing::EventStream,
            Kind::Whole | Kind::Events | Kind::Other => Framing::Sse,
        }
    }

    /// The body's text; not of Amazon's frames.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The answer as its network reads.
    pub fn reads(&self) -> Vec<&[u8]> {
        let (mut pieces, mut rest) = (vec![], self.body.as_slice());
        for size in &self.sizes {
            let (piece, left) = rest.split_at((*size).min(rest.len()));
            pieces.push(piece);
            rest = left;
        }
        pieces.push(rest);
        pieces
    }
}

pub fn read_json(path: &Path) -> Result<Value> {
    let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
    serde_json::from_str(&text).with_context(|| path.display().to_string())
}

pub fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
