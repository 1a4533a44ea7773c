//! How a provider wraps a dialect: the path below its base URL, and what its body has more or less.

use std::borrow::Cow;

use super::Call;
use crate::{
    catalog::Hosting,
    dialect::Dialect,
    plan::Attempt,
    wire::{
        json::{Edit, quoted},
        percent,
    },
};

const VERTEX_VERSION: &str = "vertex-2023-10-16";
const BEDROCK_VERSION: &str = "bedrock-2023-05-31";
/// What Claude's betas are called in a header; Amazon wants them in the body.
const BETAS: &str = "anthropic-beta";

/// The path, and the query.
pub(super) fn path(hosting: Hosting, attempt: &Attempt, stream: bool) -> String {
    let plain = attempt.dialect.upstream().path(&attempt.model, stream);
    let model = || percent::encoded(&attempt.model);
    match (hosting, attempt.dialect) {
        (Hosting::Vertex, Dialect::Gemini) => {
            format!("/publishers/google{}", plain.strip_prefix("/v1beta").unwrap_or(&plain))
        }
        (Hosting::Vertex, Dialect::Anthropic) => {
            // `@` is a letter of Google's model names, and stays one.
            let model = model().replace("%40", "@");
            format!("/publishers/anthropic/models/{model}:{}", if stream { "streamRawPredict" } else { "rawPredict" })
        }
        (Hosting::Vertex, Dialect::OpenAiChat | Dialect::OpenAiResponses | Dialect::OpenAiCompletions) => {
            format!("/endpoints/openapi{plain}")
        }
        (Hosting::Bedrock, Dialect::Anthropic) => {
            format!("/model/{}/{}", model(), if stream { "invoke-with-response-stream" } else { "invoke" })
        }
        (Hosting::Bedrock | Hosting::Vertex | Hosting::Plain | Hosting::WorkersAi, _) => plain,
    }
}

/// What a body of the dialect is made to say here.
pub(super) fn edits(hosting: Hosting, attempt: &Attempt, call: &Call) -> Vec<Edit> {
    let remove = |key: &'static str| Edit::Remove(Cow::Borrowed(key));
    let version = |version: &str| Edit::Set(Cow::Borrowed("anthropic_version"), quoted(version));
    match (hosting, attempt.dialect) {
        (Hosting::Vertex, Dialect::Anthropic) => vec![remove("model"), version(VERTEX_VERSION)],
        (Hosting::Bedrock, Dialect::Anthropic) => {
            let mut edits = vec![remove("model"), remove("stream"), version(BEDROCK_VERSION)];
            if let Some(betas) = call.header(BETAS).filter(|_| attempt.dialect == call.dialect) {
                let names = betas.split(',').map(str::trim).filter(|name| !name.is_empty()).map(quoted);
                let names: Vec<String> = names.collect();
                edits.push(Edit::Set(Cow::Borrowed("anthropic_beta"), format!("[{}]", names.join(","))));
            }
            edits
        }
        // The model is an argument beside the body.
        (Hosting::WorkersAi, _) => vec![remove("model")],
        (Hosting::Bedrock | Hosting::Vertex | Hosting::Plain, _) => vec![],
    }
}

/// Headers of the caller that have no place in a request here.
pub(super) const fn carries(hosting: Hosting) -> bool {
    match hosting {
        Hosting::Plain | Hosting::Vertex => true,
        Hosting::Bedrock | Hosting::WorkersAi => false,
    }
}
