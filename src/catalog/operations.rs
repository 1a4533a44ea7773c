//! Which provider offers what besides chat: one row an operation.

pub use crate::dialect::surface::Operation;

/// The shape of an operation's bodies, named for who made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Style {
    OpenAi,
    Anthropic,
    Gemini,
    /// Google's other door: `:predict` of older embedders, and counting without a wrapper.
    Vertex,
    /// Amazon Bedrock, counting only.
    Converse,
    Cohere,
    Voyage,
    /// The `/v1/rerank` that most callers and providers speak.
    Jina,
    Mistral,
    Nvidia,
    Perplexity,
    Fireworks,
}

/// Where a provider offers an operation: below its base URL, `{model}` standing for the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Endpoint {
    pub style: Style,
    pub path: &'static str,
}

/// What a provider of this kind offers; `None` where it does not.
pub fn operation(kind: &str, operation: Operation) -> Option<Endpoint> {
    let row = ROWS.iter().find(|row| row.0 == kind && row.1 == operation)?;
    Some(Endpoint { style: row.2, path: row.3 })
}

/// Kind, operation, style, path. DeepSeek, Groq, Cerebras and Moonshot offer none of these.
static ROWS: &[(&str, Operation, Style, &str)] = &[
    ("anthropic", Operation::CountTokens, Style::Anthropic, "/v1/messages/count_tokens"),
    ("azure-openai", Operation::Embed, Style::OpenAi, "/embeddings"),
    ("bedrock", Operation::CountTokens, Style::Converse, "/model/{model}/count-tokens"),
    ("bytedance", Operation::Embed, Style::OpenAi, "/embeddings"),
    ("bytedance", Operation::Image, Style::OpenAi, "/images/generations"),
    ("byteplus", Operation::Embed, Style::OpenAi, "/embeddings"),
    ("byteplus", Operation::Image, Style::OpenAi, "/images/generations"),
    ("cohere", Operation::Embed, Style::Cohere, "/v2/embed"),
    ("cohere", Operation::Rerank, Style::Cohere, "/v2/rerank"),
    ("fireworks", Operation::Embed, Style::OpenAi, "/embeddings"),
    ("fireworks", Operation::Rerank, Style::Fireworks, "/rerank"),
    ("google", Operation::CountTokens, Style::Gemini, "/v1beta/models/{model}:countTokens"),
    ("google", Operation::Embed, Style::Gemini, "/v1beta/models/{model}:embedContent"),
    ("jina", Operation::Embed, Style::Jina, "/embeddings"),
    ("jina", Operation::Rerank, Style::Jina, "/rerank"),
    ("mistral", Operation::Embed, Style::Mistral, "/embeddings"),
    ("mistral", Operation::Moderate, Style::Mistral, "/moderations"),
    ("nvidia", Operation::Embed, Style::Nvidia, "/embeddings"),
    ("openai", Operation::CountTokens, Style::OpenAi, "/responses/input_tokens"),
    ("openai", Operation::Embed, Style::OpenAi, "/embeddings"),
    ("openai", Operation::Image, Style::OpenAi, "/images/generations"),
    ("openai", Operation::Moderate, Style::OpenAi, "/moderations"),
    ("openrouter", Operation::Embed, Style::OpenAi, "/embeddings"),
    ("openrouter", Operation::Rerank, Style::Jina, "/rerank"),
    ("perplexity", Operation::Embed, Style::Perplexity, "/v1/embeddings"),
    ("qwen", Operation::Embed, Style::OpenAi, "/embeddings"),
    ("sambanova", Operation::Embed, Style::OpenAi, "/embeddings"),
    ("together", Operation::Embed, Style::OpenAi, "/embeddings"),
    ("together", Operation::Image, Style::OpenAi, "/images/generations"),
    ("together", Operation::Rerank, Style::Jina, "/rerank"),
    ("vertex", Operation::CountTokens, Style::Vertex, "/publishers/google/models/{model}:countTokens"),
    ("vertex", Operation::Embed, Style::Vertex, "/publishers/google/models/{model}:predict"),
    ("voyage", Operation::Embed, Style::Voyage, "/embeddings"),
    ("voyage", Operation::Rerank, Style::Voyage, "/rerank"),
    ("xai", Operation::Image, Style::OpenAi, "/images/generations"),
    ("zhipu", Operation::Embed, Style::OpenAi, "/embeddings"),
    ("zhipu", Operation::Rerank, Style::Jina, "/rerank"),
];
