//! What vectors are for: each provider has its own words, and few have all.

use crate::catalog::Style;

/// A row a purpose; an empty word is one the provider does not have. Columns: Gemini and Vertex, Cohere, Jina, Voyage,
/// NVIDIA.
static WORDS: [[&str; 5]; 8] = [
    ["RETRIEVAL_DOCUMENT", "search_document", "retrieval.passage", "document", "passage"],
    ["RETRIEVAL_QUERY", "search_query", "retrieval.query", "query", "query"],
    ["SEMANTIC_SIMILARITY", "", "text-matching", "", ""],
    ["CLASSIFICATION", "classification", "classification", "", ""],
    ["CLUSTERING", "clustering", "separation", "", ""],
    // These are searched with, too.
    ["QUESTION_ANSWERING", "search_query", "retrieval.query", "query", "query"],
    ["FACT_VERIFICATION", "search_query", "retrieval.query", "query", "query"],
    ["CODE_RETRIEVAL_QUERY", "search_query", "retrieval.query", "query", "query"],
];

/// The provider's word for a purpose that may be named in any provider's words.
pub(super) fn word(said: &str, to: Style) -> Option<&'static str> {
    let column = column(to)?;
    let row = WORDS.iter().find(|row| row.contains(&said) && !said.is_empty())?;
    row.get(column).copied().filter(|word| !word.is_empty())
}

/// Whether anybody has this word.
pub(super) fn is_known(said: &str) -> bool {
    !said.is_empty() && WORDS.iter().any(|row| row.contains(&said))
}

/// What a provider that insists on a purpose is told when none was said.
pub(super) const fn default(to: Style) -> Option<&'static str> {
    match to {
        Style::Cohere => Some("search_document"),
        Style::Nvidia => Some("passage"),
        Style::OpenAi
        | Style::Anthropic
        | Style::Gemini
        | Style::Vertex
        | Style::Converse
        | Style::Voyage
        | Style::Jina
        | Style::Mistral
        | Style::Perplexity
        | Style::Fireworks => None,
    }
}

const fn column(style: Style) -> Option<usize> {
    match style {
        Style::Gemini | Style::Vertex => Some(0),
        Style::Cohere => Some(1),
        Style::Jina => Some(2),
        Style::Voyage => Some(3),
        Style::Nvidia => Some(4),
        Style::OpenAi | Style::Anthropic | Style::Converse | Style::Mistral | Style::Perplexity | Style::Fireworks => None,
    }
}
