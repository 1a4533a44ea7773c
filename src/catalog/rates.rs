//! What models cost besides the usual: longer prompts, tiers of service, and classes with a price of their own.
//!
//! As the tables name it: what a tier does not name costs as without it. Several models share a row. Searches of the web are
//! priced where their provider counts them; cache writes kept for twelve hours, prices by the hour of the day and by the
//! resolution of a picture are not here.

use super::{
    Class::{
        self, CacheRead, CacheReadAudio, CacheWrite, CacheWriteHour, Input, InputAudio, InputImage, Output, Reasoning, Search,
    },
    Rate, Source,
};
use crate::{
    chat::usage::Service::{self, Batch, Flex, Priority, Standard},
    units::Money,
};

pub(super) static LITELLM: Source = Source {
    name: "BerriAI/litellm 1.109.1",
    url: "https://github.com/BerriAI/litellm/blob/main/model_prices_and_context_window.json",
    date: "2026-11",
};

pub(super) static MODELS_DEV: Source =
    Source { name: "anomalyco/models.dev f3fc692", url: "https://models.dev", date: "2026-07-02" };

/// The mock's: it costs nothing.
pub(super) static MADE_UP: Source = Source { name: "built in", url: "", date: "" };

const fn rate(service: Service, above: u32, class: Class, amount: u64) -> Rate {
    Rate { service, above, class, amount: Money(amount) }
}

#[rustfmt::skip]
pub(super) static CLAUDE_FABLE_5: &[Rate] = &[
    rate(Standard, 0, CacheWriteHour, 20_000_000), rate(Standard, 0, Search, 10_000_000_000),
    rate(Batch, 0, Input, 5_000_000), rate(Batch, 0, Output, 25_000_000), rate(Batch, 0, CacheRead, 500_000), rate(Batch, 0, CacheWrite, 6_250_000),
];
#[rustfmt::skip]
pub(super) static CLAUDE_FABLE_5_1: &[Rate] = &[
    rate(Standard, 0, CacheWriteHour, 20_000_000), rate(Standard, 0, Search, 10_000_000_000),
    rate(Batch, 0, Input, 5_000_000), rate(Batch, 0, Output, 25_000_000), rate(Batch, 0, CacheRead, 125_000), rate(Batch, 0, CacheWrite, 6_250_000),
];
#[rustfmt::skip]
pub(super) static CLAUDE_HAIKU_4_5: &[Rate] = &[
    rate(Standard, 0, CacheWriteHour, 2_000_000),
    rate(Batch, 0, Input, 500_000), rate(Batch, 0, Output, 2_500_000), rate(Batch, 0, CacheRead, 50_000), rate(Batch, 0, CacheWrite, 625_000),
];
#[rustfmt::skip]
pub(super) static CLAUDE_HAIKU_5_5: &[Rate] = &[
    rate(Standard, 0, CacheWriteHour, 200_000), rate(Standard, 0, Search, 10_000_000_000),
    rate(Standard, 100_000, Input, 500_000), rate(Standard, 100_000, Output, 2_500_000), rate(Standard, 100_000, CacheRead, 50_000), rate(Standard, 100_000, CacheWrite, 625_000), rate(Standard, 100_000, CacheWriteHour, 1_000_000),
    rate(Batch, 0, Input, 50_000), rate(Batch, 0, Output, 250_000), rate(Batch, 0, CacheRead, 5_000), rate(Batch, 0, CacheWrite, 62_500),
    rate(Batch, 100_000, Input, 250_000), rate(Batch, 100_000, Output, 1_250_000), rate(Batch, 100_000, CacheRead, 25_000), rate(Batch, 100_000, CacheWrite, 312_500),
];
#[rustfmt::skip]
pub(super) static CLAUDE_OPUS_4_5: &[Rate] = &[
    rate(Standard, 0, CacheWriteHour, 10_000_000), rate(Standard, 0, Search, 10_000_000_000),
    rate(Batch, 0, Input, 2_500_000), rate(Batch, 0, Output, 12_500_000), rate(Batch, 0, CacheRead, 250_000), rate(Batch, 0, CacheWrite, 3_125_000),
];
#[rustfmt::skip]
pub(super) static CLAUDE_OPUS_5_5: &[Rate] = &[
    rate(Standard, 0, CacheWriteHour, 8_000_000), rate(Standard, 0, Search, 10_000_000_000),
    rate(Batch, 0, Input, 2_000_000), rate(Batch, 0, Output, 10_000_000), rate(Batch, 0, CacheRead, 100_000), rate(Batch, 0, CacheWrite, 2_500_000),
];
#[rustfmt::skip]
pub(super) static CLAUDE_SONNET_4_5: &[Rate] = &[
    rate(Standard, 0, CacheWriteHour, 6_000_000), rate(Standard, 0, Search, 10_000_000_000),
    rate(Batch, 0, Input, 1_500_000), rate(Batch, 0, Output, 7_500_000), rate(Batch, 0, CacheRead, 150_000), rate(Batch, 0, CacheWrite, 1_875_000),
];
#[rustfmt::skip]
pub(super) static CLAUDE_SONNET_5: &[Rate] = &[
    rate(Standard, 0, CacheWriteHour, 4_000_000), rate(Standard, 0, Search, 10_000_000_000),
    rate(Batch, 0, Input, 1_000_000), rate(Batch, 0, Output, 5_000_000), rate(Batch, 0, CacheRead, 100_000), rate(Batch, 0, CacheWrite, 1_250_000),
];
#[rustfmt::skip]
pub(super) static CLAUDE_SONNET_5_5: &[Rate] = &[
    rate(Standard, 0, CacheWriteHour, 4_000_000), rate(Standard, 0, Search, 10_000_000_000),
    rate(Batch, 0, Input, 1_000_000), rate(Batch, 0, Output, 5_000_000), rate(Batch, 0, CacheRead, 50_000), rate(Batch, 0, CacheWrite, 1_250_000),
];
#[rustfmt::skip]
pub(super) static AMAZON_NOVA_2_LITE_V1_0: &[Rate] = &[
    rate(Batch, 0, Input, 150_000), rate(Batch, 0, Output, 1_250_000),
    rate(Priority, 0, Input, 525_000), rate(Priority, 0, Output, 4_375_000), rate(Priority, 0, CacheRead, 131_250),
];
#[rustfmt::skip]
pub(super) static AMAZON_NOVA_MICRO_V1_0: &[Rate] = &[
    rate(Batch, 0, Input, 17_500), rate(Batch, 0, Output, 70_000),
];
#[rustfmt::skip]
pub(super) static AMAZON_NOVA_PRO_V1_0: &[Rate] = &[
    rate(Batch, 0, Input, 400_000), rate(Batch, 0, Output, 1_600_000),
    rate(Flex, 0, Input, 400_000), rate(Flex, 0, Output, 1_600_000), rate(Flex, 0, CacheRead, 100_000),
    rate(Priority, 0, Input, 1_400_000), rate(Priority, 0, Output, 5_600_000), rate(Priority, 0, CacheRead, 350_000),
];
#[rustfmt::skip]
pub(super) static ANTHROPIC_CLAUDE_HAIKU_4_5_20251001_V1_0: &[Rate] = &[
    rate(Standard, 0, CacheWriteHour, 2_000_000),
    rate(Batch, 0, Input, 500_000), rate(Batch, 0, Output, 2_500_000),
];
#[rustfmt::skip]
pub(super) static ANTHROPIC_CLAUDE_OPUS_4_8: &[Rate] = &[
    rate(Standard, 0, CacheWriteHour, 10_000_000),
];
#[rustfmt::skip]
pub(super) static ANTHROPIC_CLAUDE_SONNET_4_6: &[Rate] = &[
    rate(Standard, 0, CacheWriteHour, 6_000_000),
];
#[rustfmt::skip]
pub(super) static ANTHROPIC_CLAUDE_SONNET_5: &[Rate] = &[
    rate(Standard, 0, CacheWriteHour, 4_000_000),
];
#[rustfmt::skip]
pub(super) static OPENAI_GPT_OSS_120B_1_0: &[Rate] = &[
    rate(Batch, 0, Input, 75_000), rate(Batch, 0, Output, 300_000),
    rate(Flex, 0, Input, 75_000), rate(Flex, 0, Output, 300_000),
    rate(Priority, 0, Input, 262_500), rate(Priority, 0, Output, 1_050_000),
];
#[rustfmt::skip]
pub(super) static US_ANTHROPIC_CLAUDE_HAIKU_4_5_20251001_V1_0: &[Rate] = &[
    rate(Standard, 0, CacheWriteHour, 2_200_000),
    rate(Batch, 0, Input, 550_000), rate(Batch, 0, Output, 2_750_000),
];
#[rustfmt::skip]
pub(super) static US_ANTHROPIC_CLAUDE_OPUS_4_8: &[Rate] = &[
    rate(Standard, 0, CacheWriteHour, 11_000_000),
];
#[rustfmt::skip]
pub(super) static US_ANTHROPIC_CLAUDE_SONNET_4_6: &[Rate] = &[
    rate(Standard, 0, CacheWriteHour, 6_600_000),
];
#[rustfmt::skip]
pub(super) static US_ANTHROPIC_CLAUDE_SONNET_5: &[Rate] = &[
    rate(Standard, 0, CacheWriteHour, 4_400_000),
];
#[rustfmt::skip]
pub(super) static US_META_LLAMA4_MAVERICK_17B_INSTRUCT_V1_0: &[Rate] = &[
    rate(Batch, 0, Input, 120_000), rate(Batch, 0, Output, 485_000),
];
#[rustfmt::skip]
pub(super) static DOUBAO_SEED_2_0_CODE_PREVIEW_260215: &[Rate] = &[
    rate(Standard, 32_000, Input, 700_000), rate(Standard, 32_000, Output, 3_500_000),
    rate(Standard, 128_000, Input, 1_400_000), rate(Standard, 128_000, Output, 7_000_000),
];
#[rustfmt::skip]
pub(super) static DOUBAO_SEED_2_0_LITE_260215: &[Rate] = &[
    rate(Standard, 32_000, Input, 130_000), rate(Standard, 32_000, Output, 780_000),
    rate(Standard, 128_000, Input, 260_000), rate(Standard, 128_000, Output, 1_600_000),
];
#[rustfmt::skip]
pub(super) static DOUBAO_SEED_2_0_MINI_260215: &[Rate] = &[
    rate(Standard, 32_000, Input, 58_000), rate(Standard, 32_000, Output, 580_000),
    rate(Standard, 128_000, Input, 120_000), rate(Standard, 128_000, Output, 1_200_000),
];
#[rustfmt::skip]
pub(super) static DOUBAO_SEED_2_1_LITE_260915: &[Rate] = &[
    rate(Standard, 0, InputAudio, 1_725_000), rate(Standard, 0, CacheReadAudio, 345_000),
];
#[rustfmt::skip]
pub(super) static EMBED_V4_0: &[Rate] = &[
    rate(Standard, 0, InputImage, 470_000),
];
#[rustfmt::skip]
pub(super) static RERANK_V3_5: &[Rate] = &[
    rate(Standard, 0, Search, 2_000_000_000),
];
#[rustfmt::skip]
pub(super) static RERANK_V4_0_PRO: &[Rate] = &[
    rate(Standard, 0, Search, 2_500_000_000),
];
#[rustfmt::skip]
pub(super) static DEEPSEEK_V4P1_FLASH: &[Rate] = &[
    rate(Priority, 0, Input, 375_000), rate(Priority, 0, Output, 1_500_000), rate(Priority, 0, CacheRead, 7_500),
];
#[rustfmt::skip]
pub(super) static GLM_5P3: &[Rate] = &[
    rate(Priority, 0, Input, 1_750_000), rate(Priority, 0, Output, 5_500_000), rate(Priority, 0, CacheRead, 325_000),
];
#[rustfmt::skip]
pub(super) static KIMI_K3: &[Rate] = &[
    rate(Priority, 0, Input, 3_750_000), rate(Priority, 0, Output, 18_750_000), rate(Priority, 0, CacheRead, 375_000),
];
#[rustfmt::skip]
pub(super) static MINIMAX_M3: &[Rate] = &[
    rate(Priority, 0, Input, 450_000), rate(Priority, 0, Output, 1_800_000), rate(Priority, 0, CacheRead, 90_000),
];
#[rustfmt::skip]
pub(super) static QWEN3P8_MAX: &[Rate] = &[
    rate(Priority, 0, Input, 3_000_000), rate(Priority, 0, Output, 9_000_000), rate(Priority, 0, CacheRead, 375_000),
];
#[rustfmt::skip]
pub(super) static GEMINI_2_5_FLASH: &[Rate] = &[
    rate(Standard, 0, InputAudio, 1_000_000), rate(Standard, 0, CacheReadAudio, 100_000),
    rate(Batch, 0, Input, 150_000), rate(Batch, 0, Output, 1_250_000), rate(Batch, 0, InputAudio, 500_000),
    rate(Flex, 0, Input, 150_000), rate(Flex, 0, Output, 1_250_000), rate(Flex, 0, InputAudio, 500_000),
    rate(Priority, 0, Input, 540_000), rate(Priority, 0, Output, 4_500_000), rate(Priority, 0, CacheRead, 54_000), rate(Priority, 0, InputAudio, 1_800_000), rate(Priority, 0, CacheReadAudio, 180_000),
];
#[rustfmt::skip]
pub(super) static GEMINI_2_5_FLASH_LITE: &[Rate] = &[
    rate(Standard, 0, InputAudio, 300_000), rate(Standard, 0, CacheReadAudio, 30_000),
    rate(Batch, 0, Input, 50_000), rate(Batch, 0, Output, 200_000), rate(Batch, 0, InputAudio, 150_000),
    rate(Flex, 0, Input, 50_000), rate(Flex, 0, Output, 200_000), rate(Flex, 0, InputAudio, 150_000),
    rate(Priority, 0, Input, 180_000), rate(Priority, 0, Output, 720_000), rate(Priority, 0, CacheRead, 18_000), rate(Priority, 0, InputAudio, 540_000), rate(Priority, 0, CacheReadAudio, 54_000),
];
#[rustfmt::skip]
pub(super) static GEMINI_2_5_PRO: &[Rate] = &[
    rate(Standard, 200_000, Input, 2_500_000), rate(Standard, 200_000, Output, 15_000_000), rate(Standard, 200_000, CacheRead, 250_000),
    rate(Batch, 0, Input, 625_000), rate(Batch, 0, Output, 5_000_000),
    rate(Batch, 200_000, Input, 1_250_000), rate(Batch, 200_000, Output, 7_500_000),
    rate(Flex, 0, Input, 625_000), rate(Flex, 0, Output, 5_000_000),
    rate(Priority, 0, Input, 2_250_000), rate(Priority, 0, Output, 18_000_000), rate(Priority, 0, CacheRead, 225_000),
    rate(Priority, 200_000, Input, 4_500_000), rate(Priority, 200_000, Output, 27_000_000), rate(Priority, 200_000, CacheRead, 450_000),
];
#[rustfmt::skip]
pub(super) static GEMINI_3_FLASH_PREVIEW: &[Rate] = &[
    rate(Standard, 0, InputAudio, 1_000_000), rate(Standard, 0, CacheReadAudio, 100_000),
    rate(Batch, 0, Input, 250_000), rate(Batch, 0, Output, 1_500_000), rate(Batch, 0, InputAudio, 500_000),
    rate(Flex, 0, Input, 250_000), rate(Flex, 0, Output, 1_500_000), rate(Flex, 0, InputAudio, 500_000),
    rate(Priority, 0, Input, 900_000), rate(Priority, 0, Output, 5_400_000), rate(Priority, 0, CacheRead, 90_000), rate(Priority, 0, InputAudio, 1_800_000), rate(Priority, 0, CacheReadAudio, 180_000),
];
#[rustfmt::skip]
pub(super) static GEMINI_3_1_FLASH_LITE: &[Rate] = &[
    rate(Standard, 0, InputAudio, 500_000), rate(Standard, 0, CacheReadAudio, 50_000),
    rate(Batch, 0, Input, 125_000), rate(Batch, 0, Output, 750_000), rate(Batch, 0, CacheRead, 12_500), rate(Batch, 0, InputAudio, 250_000), rate(Batch, 0, CacheReadAudio, 25_000),
    rate(Flex, 0, Input, 125_000), rate(Flex, 0, Output, 750_000), rate(Flex, 0, CacheRead, 12_500), rate(Flex, 0, InputAudio, 250_000), rate(Flex, 0, CacheReadAudio, 25_000),
    rate(Priority, 0, Input, 450_000), rate(Priority, 0, Output, 2_700_000), rate(Priority, 0, CacheRead, 45_000), rate(Priority, 0, InputAudio, 900_000), rate(Priority, 0, CacheReadAudio, 90_000),
];
#[rustfmt::skip]
pub(super) static GEMINI_3_1_PRO_PREVIEW: &[Rate] = &[
    rate(Standard, 200_000, Input, 4_000_000), rate(Standard, 200_000, Output, 18_000_000), rate(Standard, 200_000, CacheRead, 400_000),
    rate(Batch, 0, Input, 1_000_000), rate(Batch, 0, Output, 6_000_000),
    rate(Batch, 200_000, Input, 2_000_000), rate(Batch, 200_000, Output, 9_000_000),
    rate(Flex, 0, Input, 1_000_000), rate(Flex, 0, Output, 6_000_000),
    rate(Priority, 0, Input, 3_600_000), rate(Priority, 0, Output, 21_600_000), rate(Priority, 0, CacheRead, 360_000),
    rate(Priority, 200_000, Input, 7_200_000), rate(Priority, 200_000, Output, 32_400_000), rate(Priority, 200_000, CacheRead, 720_000),
];
#[rustfmt::skip]
pub(super) static GEMINI_3_5_FLASH: &[Rate] = &[
    rate(Batch, 0, Input, 750_000), rate(Batch, 0, Output, 4_500_000), rate(Batch, 0, CacheRead, 75_000),
    rate(Flex, 0, Input, 750_000), rate(Flex, 0, Output, 4_500_000), rate(Flex, 0, CacheRead, 80_000),
    rate(Priority, 0, Input, 2_700_000), rate(Priority, 0, Output, 16_200_000), rate(Priority, 0, CacheRead, 270_000),
];
#[rustfmt::skip]
pub(super) static GEMINI_3_5_FLASH_LITE: &[Rate] = &[
    rate(Batch, 0, Input, 150_000), rate(Batch, 0, Output, 1_250_000), rate(Batch, 0, CacheRead, 20_000),
    rate(Flex, 0, Input, 150_000), rate(Flex, 0, Output, 1_250_000), rate(Flex, 0, CacheRead, 20_000),
    rate(Priority, 0, Input, 540_000), rate(Priority, 0, Output, 4_500_000), rate(Priority, 0, CacheRead, 50_000),
];
#[rustfmt::skip]
pub(super) static GEMINI_3_6_FLASH: &[Rate] = &[
    rate(Batch, 0, Input, 375_000), rate(Batch, 0, Output, 1_875_000), rate(Batch, 0, CacheRead, 37_500),
    rate(Flex, 0, Input, 375_000), rate(Flex, 0, Output, 1_875_000), rate(Flex, 0, CacheRead, 37_500),
    rate(Priority, 0, Input, 1_350_000), rate(Priority, 0, Output, 6_750_000), rate(Priority, 0, CacheRead, 135_000),
];
#[rustfmt::skip]
pub(super) static GEMINI_4_ARGON: &[Rate] = &[
    rate(Batch, 0, Input, 1_000_000), rate(Batch, 0, Output, 5_000_000), rate(Batch, 0, CacheRead, 50_000),
    rate(Flex, 0, Input, 1_000_000), rate(Flex, 0, Output, 5_000_000), rate(Flex, 0, CacheRead, 50_000),
    rate(Priority, 0, Input, 3_600_000), rate(Priority, 0, Output, 18_000_000), rate(Priority, 0, CacheRead, 180_000),
];
#[rustfmt::skip]
pub(super) static GEMINI_EMBEDDING_001: &[Rate] = &[
    rate(Batch, 0, Input, 75_000),
];
#[rustfmt::skip]
pub(super) static GEMINI_EMBEDDING_2: &[Rate] = &[
    rate(Standard, 0, InputAudio, 6_500_000), rate(Standard, 0, InputImage, 450_000),
    rate(Batch, 0, Input, 100_000), rate(Batch, 0, InputAudio, 3_250_000), rate(Batch, 0, InputImage, 225_000),
];
#[rustfmt::skip]
pub(super) static GEMINI_FLASH_LATEST: &[Rate] = &[
    rate(Batch, 0, Input, 375_000), rate(Batch, 0, Output, 1_875_000),
    rate(Flex, 0, Input, 375_000), rate(Flex, 0, Output, 1_875_000), rate(Flex, 0, CacheRead, 37_500),
    rate(Priority, 0, Input, 1_350_000), rate(Priority, 0, Output, 6_750_000), rate(Priority, 0, CacheRead, 135_000),
];
#[rustfmt::skip]
pub(super) static GEMINI_FLASH_LITE_LATEST: &[Rate] = &[
    rate(Batch, 0, Input, 150_000), rate(Batch, 0, Output, 1_250_000),
    rate(Flex, 0, Input, 150_000), rate(Flex, 0, Output, 1_250_000), rate(Flex, 0, CacheRead, 20_000),
    rate(Priority, 0, Input, 540_000), rate(Priority, 0, Output, 4_500_000), rate(Priority, 0, CacheRead, 50_000),
];
#[rustfmt::skip]
pub(super) static GEMINI_PRO_LATEST: &[Rate] = &[
    rate(Standard, 200_000, Input, 4_000_000), rate(Standard, 200_000, Output, 18_000_000), rate(Standard, 200_000, CacheRead, 400_000),
    rate(Batch, 0, Input, 1_000_000), rate(Batch, 0, Output, 6_000_000),
    rate(Flex, 0, Input, 1_000_000), rate(Flex, 0, Output, 6_000_000),
    rate(Priority, 0, Input, 3_600_000), rate(Priority, 0, Output, 21_600_000), rate(Priority, 0, CacheRead, 360_000),
    rate(Priority, 200_000, Input, 7_200_000), rate(Priority, 200_000, Output, 32_400_000), rate(Priority, 200_000, CacheRead, 720_000),
];
#[rustfmt::skip]
pub(super) static MINIMAX_MINIMAX_M3: &[Rate] = &[
    rate(Standard, 512_000, Input, 600_000), rate(Standard, 512_000, Output, 2_400_000), rate(Standard, 512_000, CacheRead, 120_000),
];
#[rustfmt::skip]
pub(super) static GPT_4_1: &[Rate] = &[
    rate(Batch, 0, Input, 1_000_000), rate(Batch, 0, Output, 4_000_000),
    rate(Priority, 0, Input, 3_500_000), rate(Priority, 0, Output, 14_000_000), rate(Priority, 0, CacheRead, 875_000),
];
#[rustfmt::skip]
pub(super) static GPT_4_1_MINI: &[Rate] = &[
    rate(Batch, 0, Input, 200_000), rate(Batch, 0, Output, 800_000),
    rate(Priority, 0, Input, 700_000), rate(Priority, 0, Output, 2_800_000), rate(Priority, 0, CacheRead, 175_000),
];
#[rustfmt::skip]
pub(super) static GPT_4O: &[Rate] = &[
    rate(Batch, 0, Input, 1_250_000), rate(Batch, 0, Output, 5_000_000),
    rate(Priority, 0, Input, 4_250_000), rate(Priority, 0, Output, 17_000_000), rate(Priority, 0, CacheRead, 2_125_000),
];
#[rustfmt::skip]
pub(super) static GPT_4O_MINI: &[Rate] = &[
    rate(Batch, 0, Input, 75_000), rate(Batch, 0, Output, 300_000),
    rate(Priority, 0, Input, 250_000), rate(Priority, 0, Output, 1_000_000), rate(Priority, 0, CacheRead, 125_000),
];
#[rustfmt::skip]
pub(super) static GPT_5: &[Rate] = &[
    rate(Batch, 0, Input, 625_000), rate(Batch, 0, Output, 5_000_000), rate(Batch, 0, CacheRead, 62_500),
    rate(Flex, 0, Input, 625_000), rate(Flex, 0, Output, 5_000_000), rate(Flex, 0, CacheRead, 62_500),
    rate(Priority, 0, Input, 2_500_000), rate(Priority, 0, Output, 20_000_000), rate(Priority, 0, CacheRead, 250_000),
];
#[rustfmt::skip]
pub(super) static GPT_5_MINI: &[Rate] = &[
    rate(Batch, 0, Input, 125_000), rate(Batch, 0, Output, 1_000_000), rate(Batch, 0, CacheRead, 12_500),
    rate(Flex, 0, Input, 125_000), rate(Flex, 0, Output, 1_000_000), rate(Flex, 0, CacheRead, 12_500),
    rate(Priority, 0, Input, 450_000), rate(Priority, 0, Output, 3_600_000), rate(Priority, 0, CacheRead, 45_000),
];
#[rustfmt::skip]
pub(super) static GPT_5_NANO: &[Rate] = &[
    rate(Batch, 0, Input, 25_000), rate(Batch, 0, Output, 200_000), rate(Batch, 0, CacheRead, 2_500),
    rate(Flex, 0, Input, 25_000), rate(Flex, 0, Output, 200_000), rate(Flex, 0, CacheRead, 2_500),
];
#[rustfmt::skip]
pub(super) static GPT_5_PRO: &[Rate] = &[
    rate(Batch, 0, Input, 7_500_000), rate(Batch, 0, Output, 60_000_000),
];
#[rustfmt::skip]
pub(super) static GPT_5_2: &[Rate] = &[
    rate(Batch, 0, Input, 875_000), rate(Batch, 0, Output, 7_000_000), rate(Batch, 0, CacheRead, 87_500),
    rate(Flex, 0, Input, 875_000), rate(Flex, 0, Output, 7_000_000), rate(Flex, 0, CacheRead, 87_500),
    rate(Priority, 0, Input, 3_500_000), rate(Priority, 0, Output, 28_000_000), rate(Priority, 0, CacheRead, 350_000),
];
#[rustfmt::skip]
pub(super) static GPT_5_2_PRO: &[Rate] = &[
    rate(Batch, 0, Input, 10_500_000), rate(Batch, 0, Output, 84_000_000),
];
#[rustfmt::skip]
pub(super) static GPT_5_3_CODEX: &[Rate] = &[
    rate(Priority, 0, Input, 3_500_000), rate(Priority, 0, Output, 28_000_000), rate(Priority, 0, CacheRead, 350_000),
];
#[rustfmt::skip]
pub(super) static GPT_5_4: &[Rate] = &[
    rate(Standard, 272_000, Input, 5_000_000), rate(Standard, 272_000, Output, 22_500_000), rate(Standard, 272_000, CacheRead, 500_000),
    rate(Batch, 0, Input, 1_250_000), rate(Batch, 0, Output, 7_500_000), rate(Batch, 0, CacheRead, 130_000),
    rate(Batch, 272_000, Input, 2_500_000), rate(Batch, 272_000, Output, 11_250_000), rate(Batch, 272_000, CacheRead, 250_000),
    rate(Flex, 0, Input, 1_250_000), rate(Flex, 0, Output, 7_500_000), rate(Flex, 0, CacheRead, 130_000),
    rate(Flex, 272_000, Input, 2_500_000), rate(Flex, 272_000, Output, 11_250_000), rate(Flex, 272_000, CacheRead, 250_000),
    rate(Priority, 0, Input, 5_000_000), rate(Priority, 0, Output, 30_000_000), rate(Priority, 0, CacheRead, 500_000),
];
#[rustfmt::skip]
pub(super) static GPT_5_4_MINI: &[Rate] = &[
    rate(Batch, 0, Input, 375_000), rate(Batch, 0, Output, 2_250_000), rate(Batch, 0, CacheRead, 37_500),
    rate(Flex, 0, Input, 375_000), rate(Flex, 0, Output, 2_250_000), rate(Flex, 0, CacheRead, 37_500),
    rate(Priority, 0, Input, 1_500_000), rate(Priority, 0, Output, 9_000_000), rate(Priority, 0, CacheRead, 150_000),
];
#[rustfmt::skip]
pub(super) static GPT_5_4_NANO: &[Rate] = &[
    rate(Batch, 0, Input, 100_000), rate(Batch, 0, Output, 625_000), rate(Batch, 0, CacheRead, 10_000),
    rate(Flex, 0, Input, 100_000), rate(Flex, 0, Output, 625_000), rate(Flex, 0, CacheRead, 10_000),
];
#[rustfmt::skip]
pub(super) static GPT_5_4_PRO: &[Rate] = &[
    rate(Standard, 272_000, Input, 60_000_000), rate(Standard, 272_000, Output, 270_000_000),
    rate(Batch, 0, Input, 15_000_000), rate(Batch, 0, Output, 90_000_000),
    rate(Batch, 272_000, Input, 30_000_000), rate(Batch, 272_000, Output, 135_000_000),
    rate(Flex, 0, Input, 15_000_000), rate(Flex, 0, Output, 90_000_000),
    rate(Flex, 272_000, Input, 30_000_000), rate(Flex, 272_000, Output, 135_000_000),
];
#[rustfmt::skip]
pub(super) static GPT_5_5: &[Rate] = &[
    rate(Standard, 272_000, Input, 10_000_000), rate(Standard, 272_000, Output, 45_000_000), rate(Standard, 272_000, CacheRead, 1_000_000),
    rate(Batch, 0, Input, 2_500_000), rate(Batch, 0, Output, 15_000_000), rate(Batch, 0, CacheRead, 250_000),
    rate(Batch, 272_000, Input, 5_000_000), rate(Batch, 272_000, Output, 22_500_000), rate(Batch, 272_000, CacheRead, 500_000),
    rate(Flex, 0, Input, 2_500_000), rate(Flex, 0, Output, 15_000_000), rate(Flex, 0, CacheRead, 250_000),
    rate(Flex, 272_000, Input, 5_000_000), rate(Flex, 272_000, Output, 22_500_000), rate(Flex, 272_000, CacheRead, 500_000),
    rate(Priority, 0, Input, 12_500_000), rate(Priority, 0, Output, 75_000_000), rate(Priority, 0, CacheRead, 1_250_000),
];
#[rustfmt::skip]
pub(super) static GPT_5_5_PRO: &[Rate] = &[
    rate(Standard, 272_000, Input, 60_000_000), rate(Standard, 272_000, Output, 270_000_000),
    rate(Batch, 0, Input, 15_000_000), rate(Batch, 0, Output, 90_000_000),
    rate(Batch, 272_000, Input, 30_000_000), rate(Batch, 272_000, Output, 135_000_000),
    rate(Flex, 0, Input, 15_000_000), rate(Flex, 0, Output, 90_000_000),
];
#[rustfmt::skip]
pub(super) static GPT_5_6: &[Rate] = &[
    rate(Standard, 272_000, Input, 8_000_000), rate(Standard, 272_000, Output, 30_000_000), rate(Standard, 272_000, CacheRead, 800_000), rate(Standard, 272_000, CacheWrite, 10_000_000),
    rate(Batch, 0, Input, 2_000_000), rate(Batch, 0, Output, 10_000_000), rate(Batch, 0, CacheRead, 200_000), rate(Batch, 0, CacheWrite, 2_500_000),
    rate(Batch, 272_000, Input, 4_000_000), rate(Batch, 272_000, Output, 15_000_000), rate(Batch, 272_000, CacheRead, 400_000), rate(Batch, 272_000, CacheWrite, 5_000_000),
    rate(Flex, 0, Input, 2_000_000), rate(Flex, 0, Output, 10_000_000), rate(Flex, 0, CacheRead, 200_000), rate(Flex, 0, CacheWrite, 2_500_000),
    rate(Flex, 272_000, Input, 4_000_000), rate(Flex, 272_000, Output, 15_000_000), rate(Flex, 272_000, CacheRead, 400_000), rate(Flex, 272_000, CacheWrite, 5_000_000),
    rate(Priority, 0, Input, 8_000_000), rate(Priority, 0, Output, 40_000_000), rate(Priority, 0, CacheRead, 800_000), rate(Priority, 0, CacheWrite, 10_000_000),
    rate(Priority, 272_000, Input, 16_000_000), rate(Priority, 272_000, Output, 60_000_000), rate(Priority, 272_000, CacheRead, 1_600_000), rate(Priority, 272_000, CacheWrite, 20_000_000),
];
#[rustfmt::skip]
pub(super) static GPT_5_6_LUNA: &[Rate] = &[
    rate(Standard, 272_000, Input, 400_000), rate(Standard, 272_000, Output, 1_800_000), rate(Standard, 272_000, CacheRead, 40_000), rate(Standard, 272_000, CacheWrite, 500_000),
    rate(Batch, 0, Input, 100_000), rate(Batch, 0, Output, 600_000), rate(Batch, 0, CacheRead, 10_000), rate(Batch, 0, CacheWrite, 125_000),
    rate(Batch, 272_000, Input, 200_000), rate(Batch, 272_000, Output, 900_000), rate(Batch, 272_000, CacheRead, 20_000), rate(Batch, 272_000, CacheWrite, 250_000),
    rate(Flex, 0, Input, 100_000), rate(Flex, 0, Output, 600_000), rate(Flex, 0, CacheRead, 10_000), rate(Flex, 0, CacheWrite, 125_000),
    rate(Flex, 272_000, Input, 200_000), rate(Flex, 272_000, Output, 900_000), rate(Flex, 272_000, CacheRead, 20_000), rate(Flex, 272_000, CacheWrite, 250_000),
    rate(Priority, 0, Input, 400_000), rate(Priority, 0, Output, 2_400_000), rate(Priority, 0, CacheRead, 40_000), rate(Priority, 0, CacheWrite, 500_000),
    rate(Priority, 272_000, Input, 800_000), rate(Priority, 272_000, Output, 3_600_000), rate(Priority, 272_000, CacheRead, 80_000), rate(Priority, 272_000, CacheWrite, 1_000_000),
];
#[rustfmt::skip]
pub(super) static GPT_5_6_TERRA: &[Rate] = &[
    rate(Standard, 272_000, Input, 4_000_000), rate(Standard, 272_000, Output, 18_000_000), rate(Standard, 272_000, CacheRead, 400_000), rate(Standard, 272_000, CacheWrite, 5_000_000),
    rate(Batch, 0, Input, 1_000_000), rate(Batch, 0, Output, 6_000_000), rate(Batch, 0, CacheRead, 100_000), rate(Batch, 0, CacheWrite, 1_250_000),
    rate(Batch, 272_000, Input, 2_000_000), rate(Batch, 272_000, Output, 9_000_000), rate(Batch, 272_000, CacheRead, 200_000), rate(Batch, 272_000, CacheWrite, 2_500_000),
    rate(Flex, 0, Input, 1_000_000), rate(Flex, 0, Output, 6_000_000), rate(Flex, 0, CacheRead, 100_000), rate(Flex, 0, CacheWrite, 1_250_000),
    rate(Flex, 272_000, Input, 2_000_000), rate(Flex, 272_000, Output, 9_000_000), rate(Flex, 272_000, CacheRead, 200_000), rate(Flex, 272_000, CacheWrite, 2_500_000),
    rate(Priority, 0, Input, 4_000_000), rate(Priority, 0, Output, 24_000_000), rate(Priority, 0, CacheRead, 400_000), rate(Priority, 0, CacheWrite, 5_000_000),
    rate(Priority, 272_000, Input, 8_000_000), rate(Priority, 272_000, Output, 36_000_000), rate(Priority, 272_000, CacheRead, 800_000), rate(Priority, 272_000, CacheWrite, 10_000_000),
];
#[rustfmt::skip]
pub(super) static GPT_6_ASTRA: &[Rate] = &[
    rate(Standard, 272_000, Input, 20_000_000), rate(Standard, 272_000, Output, 75_000_000), rate(Standard, 272_000, CacheRead, 2_000_000), rate(Standard, 272_000, CacheWrite, 25_000_000),
    rate(Batch, 0, Input, 5_000_000), rate(Batch, 0, Output, 25_000_000), rate(Batch, 0, CacheRead, 500_000), rate(Batch, 0, CacheWrite, 6_250_000),
    rate(Batch, 272_000, Input, 10_000_000), rate(Batch, 272_000, Output, 37_500_000), rate(Batch, 272_000, CacheRead, 1_000_000), rate(Batch, 272_000, CacheWrite, 12_500_000),
    rate(Flex, 0, Input, 5_000_000), rate(Flex, 0, Output, 25_000_000), rate(Flex, 0, CacheRead, 500_000), rate(Flex, 0, CacheWrite, 6_250_000),
    rate(Flex, 272_000, Input, 10_000_000), rate(Flex, 272_000, Output, 37_500_000), rate(Flex, 272_000, CacheRead, 1_000_000), rate(Flex, 272_000, CacheWrite, 12_500_000),
    rate(Priority, 0, Input, 20_000_000), rate(Priority, 0, Output, 100_000_000), rate(Priority, 0, CacheRead, 2_000_000), rate(Priority, 0, CacheWrite, 25_000_000),
    rate(Priority, 272_000, Input, 40_000_000), rate(Priority, 272_000, Output, 150_000_000), rate(Priority, 272_000, CacheRead, 4_000_000), rate(Priority, 272_000, CacheWrite, 50_000_000),
];
#[rustfmt::skip]
pub(super) static GPT_6_LUNA: &[Rate] = &[
    rate(Standard, 272_000, Input, 200_000), rate(Standard, 272_000, Output, 750_000), rate(Standard, 272_000, CacheRead, 20_000), rate(Standard, 272_000, CacheWrite, 250_000),
    rate(Batch, 0, Input, 50_000), rate(Batch, 0, Output, 250_000), rate(Batch, 0, CacheRead, 5_000), rate(Batch, 0, CacheWrite, 62_500),
    rate(Batch, 272_000, Input, 100_000), rate(Batch, 272_000, Output, 375_000), rate(Batch, 272_000, CacheRead, 10_000), rate(Batch, 272_000, CacheWrite, 125_000),
    rate(Flex, 0, Input, 50_000), rate(Flex, 0, Output, 250_000), rate(Flex, 0, CacheRead, 5_000), rate(Flex, 0, CacheWrite, 62_500),
    rate(Flex, 272_000, Input, 100_000), rate(Flex, 272_000, Output, 375_000), rate(Flex, 272_000, CacheRead, 10_000), rate(Flex, 272_000, CacheWrite, 125_000),
    rate(Priority, 0, Input, 200_000), rate(Priority, 0, Output, 1_000_000), rate(Priority, 0, CacheRead, 20_000), rate(Priority, 0, CacheWrite, 250_000),
    rate(Priority, 272_000, Input, 400_000), rate(Priority, 272_000, Output, 1_500_000), rate(Priority, 272_000, CacheRead, 40_000), rate(Priority, 272_000, CacheWrite, 500_000),
];
#[rustfmt::skip]
pub(super) static GPT_6_SOL: &[Rate] = &[
    rate(Standard, 272_000, Input, 4_000_000), rate(Standard, 272_000, Output, 15_000_000), rate(Standard, 272_000, CacheRead, 400_000), rate(Standard, 272_000, CacheWrite, 5_000_000),
    rate(Batch, 0, Input, 1_000_000), rate(Batch, 0, Output, 5_000_000), rate(Batch, 0, CacheRead, 100_000), rate(Batch, 0, CacheWrite, 1_250_000),
    rate(Batch, 272_000, Input, 2_000_000), rate(Batch, 272_000, Output, 7_500_000), rate(Batch, 272_000, CacheRead, 200_000), rate(Batch, 272_000, CacheWrite, 2_500_000),
    rate(Flex, 0, Input, 1_000_000), rate(Flex, 0, Output, 5_000_000), rate(Flex, 0, CacheRead, 100_000), rate(Flex, 0, CacheWrite, 1_250_000),
    rate(Flex, 272_000, Input, 2_000_000), rate(Flex, 272_000, Output, 7_500_000), rate(Flex, 272_000, CacheRead, 200_000), rate(Flex, 272_000, CacheWrite, 2_500_000),
    rate(Priority, 0, Input, 4_000_000), rate(Priority, 0, Output, 20_000_000), rate(Priority, 0, CacheRead, 400_000), rate(Priority, 0, CacheWrite, 5_000_000),
    rate(Priority, 272_000, Input, 8_000_000), rate(Priority, 272_000, Output, 30_000_000), rate(Priority, 272_000, CacheRead, 800_000), rate(Priority, 272_000, CacheWrite, 10_000_000),
];
#[rustfmt::skip]
pub(super) static GPT_6_1_SOL: &[Rate] = &[
    rate(Standard, 272_000, Input, 4_000_000), rate(Standard, 272_000, Output, 15_000_000), rate(Standard, 272_000, CacheRead, 200_000), rate(Standard, 272_000, CacheWrite, 5_000_000),
    rate(Batch, 0, Input, 1_000_000), rate(Batch, 0, Output, 5_000_000), rate(Batch, 0, CacheRead, 50_000), rate(Batch, 0, CacheWrite, 1_250_000),
    rate(Batch, 272_000, Input, 2_000_000), rate(Batch, 272_000, Output, 7_500_000), rate(Batch, 272_000, CacheRead, 100_000), rate(Batch, 272_000, CacheWrite, 2_500_000),
    rate(Flex, 0, Input, 1_000_000), rate(Flex, 0, Output, 5_000_000), rate(Flex, 0, CacheRead, 50_000), rate(Flex, 0, CacheWrite, 1_250_000),
    rate(Flex, 272_000, Input, 2_000_000), rate(Flex, 272_000, Output, 7_500_000), rate(Flex, 272_000, CacheRead, 100_000), rate(Flex, 272_000, CacheWrite, 2_500_000),
    rate(Priority, 0, Input, 4_000_000), rate(Priority, 0, Output, 20_000_000), rate(Priority, 0, CacheRead, 200_000), rate(Priority, 0, CacheWrite, 5_000_000),
    rate(Priority, 272_000, Input, 8_000_000), rate(Priority, 272_000, Output, 30_000_000), rate(Priority, 272_000, CacheRead, 400_000), rate(Priority, 272_000, CacheWrite, 10_000_000),
];
#[rustfmt::skip]
pub(super) static GPT_6_1_TERRA: &[Rate] = &[
    rate(Standard, 272_000, Input, 2_000_000), rate(Standard, 272_000, Output, 7_500_000), rate(Standard, 272_000, CacheRead, 100_000), rate(Standard, 272_000, CacheWrite, 2_500_000),
    rate(Batch, 0, Input, 500_000), rate(Batch, 0, Output, 2_500_000), rate(Batch, 0, CacheRead, 25_000), rate(Batch, 0, CacheWrite, 625_000),
    rate(Batch, 272_000, Input, 1_000_000), rate(Batch, 272_000, Output, 3_750_000), rate(Batch, 272_000, CacheRead, 50_000), rate(Batch, 272_000, CacheWrite, 1_250_000),
    rate(Flex, 0, Input, 500_000), rate(Flex, 0, Output, 2_500_000), rate(Flex, 0, CacheRead, 25_000), rate(Flex, 0, CacheWrite, 625_000),
    rate(Flex, 272_000, Input, 1_000_000), rate(Flex, 272_000, Output, 3_750_000), rate(Flex, 272_000, CacheRead, 50_000), rate(Flex, 272_000, CacheWrite, 1_250_000),
    rate(Priority, 0, Input, 2_000_000), rate(Priority, 0, Output, 10_000_000), rate(Priority, 0, CacheRead, 100_000), rate(Priority, 0, CacheWrite, 2_500_000),
    rate(Priority, 272_000, Input, 4_000_000), rate(Priority, 272_000, Output, 15_000_000), rate(Priority, 272_000, CacheRead, 200_000), rate(Priority, 272_000, CacheWrite, 5_000_000),
];
#[rustfmt::skip]
pub(super) static O3: &[Rate] = &[
    rate(Batch, 0, Input, 1_000_000), rate(Batch, 0, Output, 4_000_000),
    rate(Flex, 0, Input, 1_000_000), rate(Flex, 0, Output, 4_000_000), rate(Flex, 0, CacheRead, 250_000),
    rate(Priority, 0, Input, 3_500_000), rate(Priority, 0, Output, 14_000_000), rate(Priority, 0, CacheRead, 875_000),
];
#[rustfmt::skip]
pub(super) static O3_PRO: &[Rate] = &[
    rate(Batch, 0, Input, 10_000_000), rate(Batch, 0, Output, 40_000_000),
];
#[rustfmt::skip]
pub(super) static TEXT_EMBEDDING_3_LARGE: &[Rate] = &[
    rate(Batch, 0, Input, 65_000),
];
#[rustfmt::skip]
pub(super) static TEXT_EMBEDDING_3_SMALL: &[Rate] = &[
    rate(Batch, 0, Input, 10_000),
];
#[rustfmt::skip]
pub(super) static SONAR_DEEP_RESEARCH: &[Rate] = &[
    rate(Standard, 0, Reasoning, 3_000_000),
];
#[rustfmt::skip]
pub(super) static GROK_4_20: &[Rate] = &[
    rate(Standard, 200_000, Input, 2_500_000), rate(Standard, 200_000, Output, 5_000_000), rate(Standard, 200_000, CacheRead, 400_000),
    rate(Batch, 0, Input, 1_000_000), rate(Batch, 0, Output, 2_000_000), rate(Batch, 0, CacheRead, 160_000),
    rate(Batch, 200_000, Input, 2_000_000), rate(Batch, 200_000, Output, 4_000_000), rate(Batch, 200_000, CacheRead, 320_000),
];
#[rustfmt::skip]
pub(super) static GROK_4_5: &[Rate] = &[
    rate(Standard, 200_000, Input, 4_000_000), rate(Standard, 200_000, Output, 12_000_000), rate(Standard, 200_000, CacheRead, 600_000),
];
#[rustfmt::skip]
pub(super) static GROK_4_6: &[Rate] = &[
    rate(Standard, 200_000, Input, 4_000_000), rate(Standard, 200_000, Output, 12_000_000), rate(Standard, 200_000, CacheRead, 1_000_000),
];
#[rustfmt::skip]
pub(super) static GROK_4_7: &[Rate] = &[
    rate(Standard, 200_000, Input, 4_000_000), rate(Standard, 200_000, Output, 12_000_000), rate(Standard, 200_000, CacheRead, 1_000_000),
    rate(Batch, 0, Input, 1_600_000), rate(Batch, 0, Output, 4_800_000), rate(Batch, 0, CacheRead, 400_000),
    rate(Batch, 200_000, Input, 3_200_000), rate(Batch, 200_000, Output, 9_600_000), rate(Batch, 200_000, CacheRead, 800_000),
];
#[rustfmt::skip]
pub(super) static GROK_BUILD_0_1: &[Rate] = &[
    rate(Standard, 200_000, Input, 2_000_000), rate(Standard, 200_000, Output, 4_000_000), rate(Standard, 200_000, CacheRead, 400_000),
];
