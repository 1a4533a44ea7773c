//! What models take where those of one dialect differ: provider, pattern of the name, profile. The first match holds.
//!
//! Facts: BerriAI/litellm 1.109.1 (`supports_assistant_prefill`, `supports_sampling_params`, `supports_tool_choice`,
//! `supports_response_schema`) of 2026-11, anomalyco/models.dev (`temperature`), and the providers' own references.

use super::pattern::matches;
use crate::chat::profile::{History, Profile, Thinking};

const ALL: Profile = Profile::DEFAULT;
const BUDGET: Profile = Profile { thinking: Thinking::Budget, ..ALL };

/// Claude before its fourth generation.
const CLAUDE_3: Profile = Profile { thinking: Thinking::None, json_schema: false, ..ALL };
const CLAUDE_4: Profile = Profile { thinking: Thinking::Budget, json_schema: false, ..ALL };
const CLAUDE_4_5: Profile = Profile { json_schema: true, ..CLAUDE_4 };
const CLAUDE_4_6: Profile = Profile { prefill: false, ..ALL };
/// And whatever comes after it, as far as anybody knows.
const CLAUDE: Profile = Profile { sampling: false, ..CLAUDE_4_6 };

const GEMINI_2: Profile = Profile { thinking: Thinking::None, ..ALL };
const GEMINI_NO_SAMPLING: Profile = Profile { sampling: false, ..ALL };

/// OpenAI's chat to the letter, for models that do not think or are not told how.
const BARE: Profile = Profile { thinking: Thinking::None, history: History::Bare, ..ALL };
const BARE_NO_SCHEMA: Profile = Profile { json_schema: false, ..BARE };
const BARE_EFFORT: Profile = Profile { thinking: Thinking::Effort, ..BARE };
const BARE_REASONING: Profile = Profile { sampling: false, ..BARE_EFFORT };
const GPT_5: Profile = Profile { custom_tools: true, ..BARE_REASONING };

/// Those that take `reasoning_content` back, and some need it.
const CONTENT: Profile = Profile { history: History::Content, ..BARE };
const CONTENT_EFFORT: Profile = Profile { thinking: Thinking::Effort, ..CONTENT };
const SWITCH: Profile = Profile { thinking: Thinking::Switch, ..CONTENT };
const SWITCH_NO_SCHEMA: Profile = Profile { json_schema: false, ..SWITCH };
const SEED_2: Profile = Profile { tool_choice: false, ..SWITCH };
/// `tool_choice: required` is refused, and any temperature but 1 while it thinks.
const KIMI: Profile = Profile { tool_choice: false, sampling: false, ..SWITCH };
const KIMI_PLAIN: Profile = Profile { tool_choice: false, ..CONTENT };

/// Not Claude; few of these can be made to call a tool.
const CONVERSE: Profile = Profile { thinking: Thinking::None, ..ALL };
const CONVERSE_NO_CHOICE: Profile = Profile { tool_choice: false, ..CONVERSE };

type Row = (&'static [&'static str], &'static str, Profile);

const OPENAI: &[&str] = &["openai", "azure-openai"];
const HOSTS_OF_CLAUDE: &[&str] = &["anthropic", "bedrock", "vertex"];
const HOSTS_OF_GEMINI: &[&str] = &["google", "vertex"];
const ARK: &[&str] = &["bytedance", "byteplus"];

#[rustfmt::skip]
static PROFILES: &[Row] = &[
    (HOSTS_OF_CLAUDE, "*claude-3-7*", CLAUDE_4),
    (HOSTS_OF_CLAUDE, "*claude-3*", CLAUDE_3),
    (HOSTS_OF_CLAUDE, "*claude-opus-4-1*", CLAUDE_4_5),
    (HOSTS_OF_CLAUDE, "*claude-*-4-5*", CLAUDE_4_5),
    (HOSTS_OF_CLAUDE, "*claude-*-4-6*", CLAUDE_4_6),
    (HOSTS_OF_CLAUDE, "*claude-*-4-7*", CLAUDE),
    (HOSTS_OF_CLAUDE, "*claude-*-4-8*", CLAUDE),
    (HOSTS_OF_CLAUDE, "*claude-*-4-9*", CLAUDE),
    (HOSTS_OF_CLAUDE, "*claude-opus-4*", CLAUDE_4),
    (HOSTS_OF_CLAUDE, "*claude-sonnet-4*", CLAUDE_4),
    (HOSTS_OF_CLAUDE, "*claude*", CLAUDE),
    // Another maker's models behind Anthropic's dialect.
    (&["anthropic"], "*", CLAUDE_4),
    (HOSTS_OF_GEMINI, "gemini-1*", GEMINI_2),
    (HOSTS_OF_GEMINI, "gemini-2.0*", GEMINI_2),
    (HOSTS_OF_GEMINI, "gemini-2.5*", BUDGET),
    (HOSTS_OF_GEMINI, "gemini-3.5-flash-lite*", GEMINI_NO_SAMPLING),
    (HOSTS_OF_GEMINI, "gemini-3.6-flash*", GEMINI_NO_SAMPLING),
    (HOSTS_OF_GEMINI, "gemini-3.7-flash*", GEMINI_NO_SAMPLING),
    (HOSTS_OF_GEMINI, "gemini-3.8-flash*", GEMINI_NO_SAMPLING),
    (HOSTS_OF_GEMINI, "gemma-3*", GEMINI_2),
    (&["vertex"], "*-maas", BARE),
    (OPENAI, "*gpt-3.5*", BARE_NO_SCHEMA),
    (OPENAI, "gpt-4", BARE_NO_SCHEMA),
    (OPENAI, "gpt-4-*", BARE_NO_SCHEMA),
    (OPENAI, "*gpt-4*", BARE),
    (OPENAI, "*gpt-oss*", BARE_EFFORT),
    (OPENAI, "*gpt-*", GPT_5),
    (OPENAI, "o1*", BARE_REASONING),
    (OPENAI, "o3*", BARE_REASONING),
    (OPENAI, "o4*", BARE_REASONING),
    (OPENAI, "codex-*", BARE_REASONING),
    (OPENAI, "*", BARE_EFFORT),
    (&["xai"], "grok-4.20*", CONTENT),
    (&["xai"], "grok-code*", CONTENT),
    (&["xai"], "grok-3", CONTENT),
    (&["xai"], "grok-2*", CONTENT),
    (&["xai"], "*", CONTENT_EFFORT),
    (ARK, "*seed-2*", SEED_2),
    (ARK, "*", SWITCH),
    (&["deepseek", "zhipu"], "*", SWITCH_NO_SCHEMA),
    (&["moonshot"], "moonshot-v1*", KIMI_PLAIN),
    (&["moonshot"], "*", KIMI),
    (&["qwen"], "*", SWITCH),
    (&["fireworks"], "*", CONTENT_EFFORT),
    (&["openrouter"], "*", ALL),
    (&["minimax"], "*", Profile { json_schema: false, ..BUDGET }),
    (&["cohere"], "command-a-reasoning*", BUDGET),
    (&["cohere"], "command-a-plus*", BUDGET),
    (&["cohere"], "*", Profile { thinking: Thinking::None, ..ALL }),
    (&["mistral"], "mistral-small-*", BARE_EFFORT),
    (&["mistral"], "mistral-medium-*", BARE_EFFORT),
    (&["mistral"], "mistral-large-4*", BARE_EFFORT),
    (&["perplexity"], "sonar-*", BARE_EFFORT),
    (&["groq", "cerebras", "together", "nvidia", "sambanova", "huggingface"], "*gpt-oss*", BARE_EFFORT),
    (&["groq"], "*", BARE_NO_SCHEMA),
    (&["workers-ai"], "*", BARE_NO_SCHEMA),
    (&["bedrock"], "*meta.llama*", CONVERSE_NO_CHOICE),
    (&["bedrock"], "*deepseek.*", CONVERSE_NO_CHOICE),
    (&["bedrock"], "*", CONVERSE),
    (&["cerebras", "mistral", "together", "nvidia", "sambanova", "huggingface", "perplexity"], "*", BARE),
];

/// Images stand inside the request there: https://platform.claude.com/docs/en/build-with-claude/vision
static NO_IMAGE_URLS: &[(&str, &str)] = &[("bedrock", "*"), ("vertex", "claude-*")];

/// Whether a last turn of the assistant is over there, though it is taken: OpenAI's models begin a new one.
pub fn closes_turns(provider: &str) -> bool {
    OPENAI.contains(&provider)
}

pub(super) fn of(provider: &str, model: &str) -> Profile {
    let is_meant = |row: &&Row| row.0.contains(&provider) && matches(row.1, model);
    let profile = PROFILES.iter().find(is_meant).map_or(ALL, |row| row.2);
    let inlines = NO_IMAGE_URLS.iter().any(|(name, pattern)| *name == provider && matches(pattern, model));
    Profile { image_urls: !inlines, ..profile }
}
