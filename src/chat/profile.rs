//! What a target takes where targets of one dialect differ: data from the catalog, applied by a dialect's writer.

/// One model of one provider. The default takes what most of its dialect take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Profile {
    pub thinking: Thinking,
    /// `temperature`, `top_p` and `top_k`.
    pub sampling: bool,
    /// A last turn of the assistant, to be gone on with.
    pub prefill: bool,
    /// A schema for the answer.
    pub json_schema: bool,
    /// Calls of tools can be forced.
    pub tool_choice: bool,
    /// What of earlier thoughts may come back in the history of a chat.
    pub history: History,
    /// Images named by their URL.
    pub image_urls: bool,
    /// Tools that take any text, in dialects that have a word for them. Few providers do: elsewhere a function stands in.
    pub custom_tools: bool,
    /// Longest answer, in tokens.
    pub max_output: Option<u64>,
}

/// How a model is told to think.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Thinking {
    /// It cannot, or not on demand.
    None,
    /// By a number of tokens (Claude up to 4.5, Gemini 2.5).
    Budget,
    /// By a word, thinking as much as it finds right (Claude from 4.6, Gemini 3, OpenAI).
    Effort,
    /// By a switch (`thinking: {type}`: DeepSeek, GLM, Doubao, Kimi).
    Switch,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum History {
    /// Refused: nothing but what OpenAI's own chat knows.
    Bare,
    /// `reasoning_content`.
    Content,
    /// `reasoning_content`, and `reasoning_details` with what only the provider reads.
    Details,
}

impl Profile {
    pub const DEFAULT: Self = Self {
        thinking: Thinking::Effort,
        sampling: true,
        prefill: true,
        json_schema: true,
        tool_choice: true,
        history: History::Details,
        image_urls: true,
        custom_tools: false,
        max_output: None,
    };
}

impl Default for Profile {
    fn default() -> Self {
        Self::DEFAULT
    }
}
