//! One row a provider, sorted by name.

use super::{Auth, Provider, Quirk};
use crate::dialect::Dialect;

const CHAT: &[Dialect] = &[Dialect::OpenAiChat];

pub(super) static PROVIDERS: &[Provider] = &[
    Provider {
        name: "anthropic",
        aliases: &[],
        base_url: "https://api.anthropic.com",
        speaks: &[Dialect::Anthropic],
        auth: Auth::Header("x-api-key"),
        secrets: &["ANTHROPIC_API_KEY"],
        // Required; the version whose bodies the dialect writes.
        headers: &[("anthropic-version", "2023-06-01")],
        quirks: &[],
    },
    Provider {
        name: "bytedance",
        aliases: &["ark", "byteplus", "doubao", "volcengine"],
        // Accounts of BytePlus set https://ark.ap-southeast.bytepluses.com/api/v3 in `providers`.
        base_url: "https://ark.cn-beijing.volces.com/api/v3",
        speaks: CHAT,
        auth: Auth::Bearer,
        secrets: &["ARK_API_KEY"],
        headers: &[],
        quirks: &[],
    },
    Provider {
        name: "deepseek",
        aliases: &[],
        base_url: "https://api.deepseek.com",
        speaks: CHAT,
        auth: Auth::Bearer,
        secrets: &["DEEPSEEK_API_KEY"],
        headers: &[],
        // Knows `max_tokens` only and ignores the other: the caller's limit would not hold.
        quirks: &[Quirk::Rename("max_completion_tokens", "max_tokens")],
    },
    Provider {
        name: "google",
        aliases: &["gemini", "google-ai-studio"],
        base_url: "https://generativelanguage.googleapis.com",
        speaks: &[Dialect::Gemini],
        auth: Auth::Header("x-goog-api-key"),
        secrets: &["GEMINI_API_KEY", "GOOGLE_API_KEY"],
        headers: &[],
        quirks: &[],
    },
    Provider {
        name: "groq",
        aliases: &[],
        base_url: "https://api.groq.com/openai/v1",
        speaks: CHAT,
        auth: Auth::Bearer,
        secrets: &["GROQ_API_KEY"],
        headers: &[],
        quirks: &[],
    },
    Provider {
        name: "mistral",
        aliases: &[],
        base_url: "https://api.mistral.ai/v1",
        speaks: CHAT,
        auth: Auth::Bearer,
        secrets: &["MISTRAL_API_KEY"],
        headers: &[],
        // Answers 422 `extra_forbidden` to any field it does not know. Usage comes unasked in a stream's last chunk.
        quirks: &[
            Quirk::Rename("max_completion_tokens", "max_tokens"),
            Quirk::Rename("seed", "random_seed"),
            Quirk::Remove("stream_options"),
            Quirk::Remove("user"),
        ],
    },
    Provider {
        name: "mock",
        aliases: &[],
        // Answered inside the gateway: nothing is sent anywhere.
        base_url: "mock:",
        speaks: &Dialect::ALL,
        auth: Auth::None,
        secrets: &[],
        headers: &[],
        quirks: &[],
    },
    Provider {
        name: "openai",
        aliases: &[],
        base_url: "https://api.openai.com/v1",
        speaks: CHAT,
        auth: Auth::Bearer,
        secrets: &["OPENAI_API_KEY"],
        headers: &[],
        quirks: &[],
    },
    Provider {
        name: "openrouter",
        aliases: &[],
        base_url: "https://openrouter.ai/api/v1",
        speaks: CHAT,
        auth: Auth::Bearer,
        secrets: &["OPENROUTER_API_KEY"],
        headers: &[],
        quirks: &[],
    },
    Provider {
        name: "xai",
        aliases: &[],
        base_url: "https://api.x.ai/v1",
        speaks: CHAT,
        auth: Auth::Bearer,
        secrets: &["XAI_API_KEY"],
        headers: &[],
        quirks: &[],
    },
];
