//! One row a provider, sorted by name.

use super::{AI_BINDING, ANTHROPIC_VERSION, Auth, Hosting, Provider, Quirk};
use crate::dialect::Dialect::{
    self, Anthropic, Cohere, Converse, Gemini, OpenAiChat, OpenAiCompletions, OpenAiResponses, WorkersAi,
};

const CHAT: &[Dialect] = &[OpenAiChat];
const CHAT_AND_RESPONSES: &[Dialect] = &[OpenAiChat, OpenAiResponses];
const CHAT_AND_COMPLETIONS: &[Dialect] = &[OpenAiChat, OpenAiCompletions];
const ALL_OF_OPENAI: &[Dialect] = &[OpenAiChat, OpenAiResponses, OpenAiCompletions];
const RESPONSES: &[Dialect] = &[OpenAiResponses];
const COMPLETIONS: &[Dialect] = &[OpenAiCompletions];

/// OpenAI's models that answer on one path only, by its own list of models.
const OPENAI_MODELS: &[(&str, &[Dialect])] = &[
    ("*codex*", RESPONSES),
    ("o*-pro*", RESPONSES),
    ("gpt-*-pro*", RESPONSES),
    ("*deep-research*", RESPONSES),
    ("computer-use-*", RESPONSES),
    ("gpt-daybreak-*", RESPONSES),
    ("*-instruct*", COMPLETIONS),
    ("*babbage-*", COMPLETIONS),
    ("*davinci-*", COMPLETIONS),
];

/// Knows `max_tokens` only and ignores the other: the caller's limit would not hold.
const OLD_LIMIT: Quirk = Quirk::Rename("max_completion_tokens", "max_tokens");

/// What most have in common.
const COMMON: Provider = Provider {
    name: "",
    aliases: &[],
    base_url: "",
    hosting: Hosting::Plain,
    speaks: CHAT,
    models: &[],
    bases: &[],
    lookalikes: &[],
    sells: &[],
    auth: Auth::Bearer,
    secrets: &[],
    headers: &[],
    quirks: &[],
};

pub(super) static PROVIDERS: &[Provider] = &[
    Provider {
        name: "anthropic",
        base_url: "https://api.anthropic.com",
        speaks: &[Anthropic],
        auth: Auth::Header("x-api-key"),
        secrets: &["ANTHROPIC_API_KEY"],
        headers: &[ANTHROPIC_VERSION],
        ..COMMON
    },
    Provider {
        name: "azure-openai",
        aliases: &["azure"],
        base_url: "https://${AZURE_OPENAI_RESOURCE}.openai.azure.com/openai/v1",
        speaks: CHAT_AND_RESPONSES,
        // Deployments have names of the operator's own; those that keep the model's are known.
        models: OPENAI_MODELS,
        sells: &["openai"],
        auth: Auth::Header("api-key"),
        secrets: &["AZURE_OPENAI_API_KEY", "AZURE_API_KEY"],
        ..COMMON
    },
    Provider {
        name: "bedrock",
        aliases: &["amazon-bedrock", "aws-bedrock"],
        base_url: "https://bedrock-runtime.${AWS_REGION}.amazonaws.com",
        hosting: Hosting::Bedrock,
        speaks: &[Converse],
        models: &[("*anthropic.claude-*", &[Anthropic, Converse])],
        auth: Auth::AwsV4,
        secrets: &["AWS_BEARER_TOKEN_BEDROCK", "AWS_ACCESS_KEY_ID"],
        ..COMMON
    },
    Provider {
        name: "bytedance",
        aliases: &["ark", "doubao", "volcengine"],
        base_url: "https://ark.cn-beijing.volces.com/api/v3",
        speaks: CHAT_AND_RESPONSES,
        secrets: &["ARK_API_KEY"],
        ..COMMON
    },
    Provider {
        // Its keys are refused at the Chinese address, and the other way round.
        name: "byteplus",
        aliases: &["modelark"],
        base_url: "https://ark.ap-southeast.bytepluses.com/api/v3",
        speaks: CHAT_AND_RESPONSES,
        secrets: &["BYTEPLUS_API_KEY"],
        ..COMMON
    },
    Provider {
        name: "cerebras",
        base_url: "https://api.cerebras.ai/v1",
        speaks: CHAT_AND_COMPLETIONS,
        secrets: &["CEREBRAS_API_KEY"],
        // 400 to each: https://inference-docs.cerebras.ai/resources/openai
        quirks: &[
            Quirk::Remove("frequency_penalty"),
            Quirk::Remove("logit_bias"),
            Quirk::Remove("presence_penalty"),
            Quirk::Remove("service_tier"),
        ],
        ..COMMON
    },
    Provider {
        name: "cohere",
        base_url: "https://api.cohere.com",
        speaks: &[Cohere, OpenAiChat],
        bases: &[(OpenAiChat, "https://api.cohere.com/compatibility/v1")],
        secrets: &["COHERE_API_KEY", "CO_API_KEY"],
        quirks: &[OLD_LIMIT],
        ..COMMON
    },
    Provider {
        name: "deepseek",
        base_url: "https://api.deepseek.com",
        speaks: &[OpenAiChat, Anthropic, OpenAiCompletions],
        bases: &[
            (Anthropic, "https://api.deepseek.com/anthropic"),
            // In beta, for filling in the middle.
            (OpenAiCompletions, "https://api.deepseek.com/beta"),
        ],
        secrets: &["DEEPSEEK_API_KEY"],
        quirks: &[OLD_LIMIT],
        ..COMMON
    },
    Provider {
        name: "fireworks",
        aliases: &["fireworks-ai"],
        base_url: "https://api.fireworks.ai/inference/v1",
        speaks: ALL_OF_OPENAI,
        secrets: &["FIREWORKS_API_KEY", "FIREWORKS_AI_API_KEY"],
        quirks: &[OLD_LIMIT],
        ..COMMON
    },
    Provider {
        name: "google",
        aliases: &["gemini", "google-ai-studio"],
        base_url: "https://generativelanguage.googleapis.com",
        speaks: &[Gemini],
        auth: Auth::Header("x-goog-api-key"),
        secrets: &["GEMINI_API_KEY", "GOOGLE_API_KEY"],
        ..COMMON
    },
    Provider {
        name: "groq",
        base_url: "https://api.groq.com/openai/v1",
        speaks: CHAT_AND_RESPONSES,
        secrets: &["GROQ_API_KEY"],
        ..COMMON
    },
    Provider {
        name: "huggingface",
        aliases: &["hf"],
        base_url: "https://router.huggingface.co/v1",
        speaks: CHAT_AND_RESPONSES,
        secrets: &["HF_TOKEN", "HUGGINGFACE_API_KEY"],
        ..COMMON
    },
    Provider {
        name: "jina",
        aliases: &["jina-ai"],
        base_url: "https://api.jina.ai/v1",
        speaks: &[],
        secrets: &["JINA_API_KEY", "JINA_AI_API_KEY"],
        ..COMMON
    },
    Provider {
        name: "minimax",
        // Its own advice: in OpenAI's chat the thoughts stand inside the text, and cannot be given back.
        base_url: "https://api.minimax.io/anthropic",
        speaks: &[Anthropic, OpenAiChat],
        bases: &[(OpenAiChat, "https://api.minimax.io/v1")],
        secrets: &["MINIMAX_API_KEY"],
        ..COMMON
    },
    Provider {
        name: "mistral",
        base_url: "https://api.mistral.ai/v1",
        secrets: &["MISTRAL_API_KEY"],
        // Answers 422 `extra_forbidden` to any field it does not know. Usage comes unasked in a stream's last chunk.
        quirks: &[OLD_LIMIT, Quirk::Rename("seed", "random_seed"), Quirk::Remove("stream_options"), Quirk::Remove("user")],
        ..COMMON
    },
    Provider {
        name: "mock",
        // Answered inside the gateway: nothing is sent anywhere.
        base_url: "mock:",
        speaks: &Dialect::ALL,
        auth: Auth::None,
        ..COMMON
    },
    Provider {
        name: "moonshot",
        aliases: &["kimi", "moonshotai"],
        base_url: "https://api.moonshot.ai/v1",
        speaks: &[OpenAiChat, Anthropic],
        bases: &[(Anthropic, "https://api.moonshot.ai/anthropic")],
        secrets: &["MOONSHOT_API_KEY"],
        quirks: &[OLD_LIMIT],
        ..COMMON
    },
    Provider {
        name: "nvidia",
        aliases: &["nim"],
        base_url: "https://integrate.api.nvidia.com/v1",
        secrets: &["NVIDIA_API_KEY", "NVIDIA_NIM_API_KEY"],
        quirks: &[OLD_LIMIT],
        ..COMMON
    },
    Provider {
        name: "openai",
        base_url: "https://api.openai.com/v1",
        speaks: CHAT_AND_RESPONSES,
        models: OPENAI_MODELS,
        // Ollama, vLLM, llama.cpp and many more: stored responses and built-in tools are rarely theirs.
        lookalikes: CHAT_AND_COMPLETIONS,
        secrets: &["OPENAI_API_KEY"],
        ..COMMON
    },
    Provider {
        name: "openrouter",
        base_url: "https://openrouter.ai/api/v1",
        speaks: &[OpenAiChat, OpenAiResponses, OpenAiCompletions, Anthropic],
        bases: &[(Anthropic, "https://openrouter.ai/api")],
        secrets: &["OPENROUTER_API_KEY"],
        ..COMMON
    },
    Provider {
        name: "perplexity",
        base_url: "https://api.perplexity.ai",
        secrets: &["PERPLEXITY_API_KEY", "PERPLEXITYAI_API_KEY"],
        quirks: &[OLD_LIMIT],
        ..COMMON
    },
    Provider {
        name: "qwen",
        aliases: &["alibaba", "dashscope"],
        // Keys of mainland China need https://dashscope.aliyuncs.com/compatible-mode/v1 in `providers`.
        base_url: "https://dashscope-intl.aliyuncs.com/compatible-mode/v1",
        secrets: &["DASHSCOPE_API_KEY"],
        quirks: &[OLD_LIMIT, Quirk::Flag("thinking", "enable_thinking")],
        ..COMMON
    },
    Provider {
        name: "sambanova",
        base_url: "https://api.sambanova.ai/v1",
        secrets: &["SAMBANOVA_API_KEY"],
        quirks: &[OLD_LIMIT],
        ..COMMON
    },
    Provider {
        name: "together",
        aliases: &["together-ai", "togetherai"],
        base_url: "https://api.together.ai/v1",
        speaks: CHAT_AND_COMPLETIONS,
        secrets: &["TOGETHER_API_KEY", "TOGETHERAI_API_KEY"],
        quirks: &[OLD_LIMIT],
        ..COMMON
    },
    Provider {
        name: "vertex",
        aliases: &["google-vertex", "vertex-ai"],
        base_url: "https://${VERTEX_LOCATION}-aiplatform.googleapis.com/v1/projects/${VERTEX_PROJECT}/locations/${VERTEX_LOCATION}",
        hosting: Hosting::Vertex,
        speaks: &[Gemini],
        models: &[("claude-*", &[Anthropic]), ("*-maas", CHAT)],
        sells: &["google", "anthropic"],
        auth: Auth::Google,
        secrets: &["VERTEX_SERVICE_ACCOUNT", "GOOGLE_SERVICE_ACCOUNT"],
        ..COMMON
    },
    Provider {
        name: "voyage",
        aliases: &["voyageai"],
        base_url: "https://api.voyageai.com/v1",
        speaks: &[],
        secrets: &["VOYAGE_API_KEY"],
        ..COMMON
    },
    Provider {
        name: "workers-ai",
        aliases: &["cloudflare"],
        // Asked through the binding: nothing is sent anywhere by us.
        base_url: "workers-ai:",
        hosting: Hosting::WorkersAi,
        speaks: &[WorkersAi],
        auth: Auth::None,
        secrets: &[AI_BINDING],
        quirks: &[OLD_LIMIT, Quirk::Remove("stream_options")],
        ..COMMON
    },
    Provider {
        name: "xai",
        base_url: "https://api.x.ai/v1",
        speaks: CHAT_AND_RESPONSES,
        models: &[("*-multi-agent*", RESPONSES)],
        secrets: &["XAI_API_KEY"],
        ..COMMON
    },
    Provider {
        name: "zhipu",
        aliases: &["glm", "z-ai", "zai"],
        // Keys of mainland China need https://open.bigmodel.cn/api/paas/v4 in `providers`.
        base_url: "https://api.z.ai/api/paas/v4",
        speaks: &[OpenAiChat, Anthropic],
        bases: &[(Anthropic, "https://api.z.ai/api/anthropic")],
        secrets: &["ZAI_API_KEY", "ZHIPU_API_KEY"],
        quirks: &[OLD_LIMIT],
        ..COMMON
    },
];
