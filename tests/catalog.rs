//! Tests of the room `catalog`: what every row must hold to.

use portolan::{
    catalog::{self, Auth, Class, Hosting, Quirk, nearest},
    chat::{
        profile::{History, Profile},
        usage::Service,
    },
    dialect::Dialect,
    wire::json::{Outline, join},
};

/// A thousand dollars per million tokens: nothing sold by the token costs more.
const DEAREST: u64 = 1_000_000_000;

#[test]
fn providers_are_sorted_unique_and_reachable() {
    let rows = catalog::providers();
    assert!(rows.is_sorted_by(|a, b| a.name < b.name));
    let names: Vec<&str> = rows.iter().flat_map(|row| [&[row.name], row.aliases].concat()).collect();
    for row in rows {
        for name in [&[row.name], row.aliases].concat() {
            assert_eq!(names.iter().filter(|n| **n == name).count(), 1, "{name} is taken twice");
            assert_eq!(catalog::provider(name).map(|p| p.name), Some(row.name));
        }
        let embeds_only = ["jina", "voyage"].contains(&row.name);
        assert_eq!(row.speaks.is_empty(), embeds_only, "{} speaks nothing", row.name);
        if row.name == catalog::MOCK {
            assert_eq!((row.base_url, row.auth, row.speaks), ("mock:", Auth::None, Dialect::ALL.as_slice()));
            continue;
        }
        assert!(!row.secrets.is_empty(), "{} has no secret", row.name);
        for secret in row.secrets.iter().copied().chain(row.placeholders()) {
            assert!(secret.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_'), "{secret}");
        }
        if row.hosting == Hosting::WorkersAi {
            assert_eq!((row.base_url, row.secrets), ("workers-ai:", &[catalog::AI_BINDING][..]));
            continue;
        }
        let bases = row.bases.iter().map(|(_, base)| *base).chain([row.base_url]);
        for base in bases {
            assert!(base.starts_with("https://") && !base.ends_with('/'), "{base}");
        }
        for (dialect, _) in row.bases {
            assert!(row.speaks.contains(dialect) && row.speaks[0] != *dialect, "{}: {dialect:?}", row.name);
        }
        let patterned = row.models.iter().flat_map(|(_, dialects)| *dialects).chain(row.lookalikes);
        for (pattern, dialects) in row.models {
            assert!(pattern.contains('*') && !dialects.is_empty(), "{}: {pattern}", row.name);
        }
        assert!(patterned.count() > 0 || row.models.is_empty());
        assert!(row.sells.iter().all(|maker| catalog::provider(maker).is_some_and(|p| p.name == *maker)), "{}", row.name);
    }
}

#[test]
fn secrets_belong_to_one_provider() {
    let mut secrets: Vec<&str> = catalog::providers().iter().flat_map(|row| row.secrets).copied().collect();
    let count = secrets.len();
    secrets.sort_unstable();
    secrets.dedup();
    assert_eq!(secrets.len(), count, "a secret turns on one provider");
}

#[test]
fn a_models_name_says_what_it_speaks() {
    use Dialect::{Anthropic, Converse, Gemini, OpenAiChat, OpenAiCompletions, OpenAiResponses};
    for (provider, model, expected) in [
        ("openai", "gpt-4o", vec![OpenAiChat, OpenAiResponses]),
        ("openai", "gpt-5.4", vec![OpenAiChat, OpenAiResponses]),
        ("openai", "gpt-5.1-codex-max", vec![OpenAiResponses]),
        ("openai", "codex-mini-latest", vec![OpenAiResponses]),
        ("openai", "o1-pro-2025-03-19", vec![OpenAiResponses]),
        ("openai", "o3-pro", vec![OpenAiResponses]),
        ("openai", "o3", vec![OpenAiChat, OpenAiResponses]),
        ("openai", "gpt-5-pro-2025-10-06", vec![OpenAiResponses]),
        ("openai", "gpt-5.5-pro", vec![OpenAiResponses]),
        ("openai", "o4-mini-deep-research", vec![OpenAiResponses]),
        ("openai", "gpt-3.5-turbo-instruct", vec![OpenAiCompletions]),
        ("openai", "davinci-002", vec![OpenAiCompletions]),
        ("openai", "ft:babbage-002:org::id", vec![OpenAiCompletions]),
        ("azure-openai", "gpt-5-codex", vec![OpenAiResponses]),
        ("xai", "grok-4.20-multi-agent-0309", vec![OpenAiResponses]),
        ("bedrock", "eu.anthropic.claude-sonnet-5", vec![Anthropic, Converse]),
        ("bedrock", "amazon.nova-pro-v1:0", vec![Converse]),
        ("bedrock", "arn:aws:bedrock:us-east-1:1:application-inference-profile/x", vec![Converse]),
        ("vertex", "claude-opus-4-5@20251101", vec![Anthropic]),
        ("vertex", "gemini-2.5-pro", vec![Gemini]),
        ("vertex", "deepseek-ai/deepseek-v3.2-maas", vec![OpenAiChat]),
        ("jina", "jina-embeddings-v4", vec![]),
    ] {
        assert_eq!(catalog::provider(provider).unwrap().dialects(model), expected, "{provider}/{model}");
    }
}

/// Sampling, prefill, JSON schema, tool choice, URLs of images, custom tools: what is refused has a small letter.
fn said(profile: Profile) -> String {
    let letter = |yes: bool, letter: char| if yes { letter.to_ascii_uppercase() } else { letter };
    let flags = [
        letter(profile.sampling, 's'),
        letter(profile.prefill, 'p'),
        letter(profile.json_schema, 'j'),
        letter(profile.tool_choice, 't'),
        letter(profile.image_urls, 'u'),
        letter(profile.custom_tools, 'c'),
    ];
    format!("{:?} {} {:?}", profile.thinking, flags.iter().collect::<String>(), profile.history)
}

#[test]
fn profiles_are_as_the_providers_say() {
    for (provider, model, expected) in [
        ("anthropic", "claude-3-5-haiku-20241022", "None SPjTUc Details"),
        ("anthropic", "claude-3-7-sonnet-20250219", "Budget SPjTUc Details"),
        ("anthropic", "claude-sonnet-4-20250514", "Budget SPjTUc Details"),
        ("anthropic", "claude-haiku-4-5", "Budget SPJTUc Details"),
        ("anthropic", "claude-opus-4-5-20251101", "Budget SPJTUc Details"),
        ("anthropic", "claude-opus-4-6", "Effort SpJTUc Details"),
        ("anthropic", "claude-sonnet-4-6", "Effort SpJTUc Details"),
        ("anthropic", "claude-opus-4-7-20260416", "Effort spJTUc Details"),
        ("anthropic", "claude-opus-4-8", "Effort spJTUc Details"),
        ("anthropic", "claude-sonnet-5", "Effort spJTUc Details"),
        ("anthropic", "claude-fable-5", "Effort spJTUc Details"),
        ("anthropic", "glm-5.3", "Budget SPjTUc Details"),
        ("anthropic", "claude-haiku-9", "Effort spJTUc Details"),
        ("bedrock", "us.anthropic.claude-sonnet-4-20250514-v1:0", "Budget SPjTuc Details"),
        ("bedrock", "global.anthropic.claude-opus-4-8", "Effort spJTuc Details"),
        ("bedrock", "us.meta.llama4-maverick-17b-instruct-v1:0", "None SPJtuc Details"),
        ("bedrock", "amazon.nova-pro-v1:0", "None SPJTuc Details"),
        ("vertex", "claude-sonnet-4-5@20250929", "Budget SPJTuc Details"),
        ("vertex", "gemini-2.5-flash", "Budget SPJTUc Details"),
        ("google", "gemini-2.0-flash", "None SPJTUc Details"),
        ("google", "gemini-3.1-pro-preview", "Effort SPJTUc Details"),
        ("google", "gemini-3.8-flash", "Effort sPJTUc Details"),
        ("openai", "gpt-4o-mini", "None SPJTUc Bare"),
        ("openai", "gpt-4-turbo", "None SPjTUc Bare"),
        ("openai", "ft:gpt-4.1-mini:org::id", "None SPJTUc Bare"),
        ("openai", "gpt-5.4", "Effort sPJTUC Bare"),
        ("openai", "o3", "Effort sPJTUc Bare"),
        ("azure-openai", "gpt-6-sol", "Effort sPJTUC Bare"),
        ("azure-openai", "my-deployment", "Effort SPJTUc Bare"),
        ("mistral", "mistral-large-2512", "None SPJTUc Bare"),
        ("mistral", "mistral-medium-latest", "Effort SPJTUc Bare"),
        ("groq", "openai/gpt-oss-120b", "Effort SPJTUc Bare"),
        ("groq", "llama-3.3-70b-versatile", "None SPjTUc Bare"),
        ("cerebras", "gpt-oss-120b", "Effort SPJTUc Bare"),
        ("xai", "grok-4.3", "Effort SPJTUc Content"),
        ("xai", "grok-4.20-reasoning", "None SPJTUc Content"),
        ("deepseek", "deepseek-v4-pro", "Switch SPjTUc Content"),
        ("zhipu", "glm-5.3", "Switch SPjTUc Content"),
        ("bytedance", "doubao-seed-2-1-pro-260915", "Switch SPJtUc Content"),
        ("byteplus", "seed-1-8-251228", "Switch SPJTUc Content"),
        ("byteplus", "ep-20260101000000-abcde", "Switch SPJTUc Content"),
        ("moonshot", "kimi-k3", "Switch sPJtUc Content"),
        ("moonshot", "moonshot-v1-32k", "None SPJtUc Content"),
        ("qwen", "qwen3.8-max", "Switch SPJTUc Content"),
        ("minimax", "MiniMax-M3", "Budget SPjTUc Details"),
        ("openrouter", "anthropic/claude-opus-4.7", "Effort SPJTUc Details"),
        ("cohere", "command-a-reasoning-08-2025", "Budget SPJTUc Details"),
        ("cohere", "command-a-03-2025", "None SPJTUc Details"),
        ("perplexity", "sonar-deep-research", "Effort SPJTUc Bare"),
        ("workers-ai", "@cf/openai/gpt-oss-120b", "None SPjTUc Bare"),
    ] {
        assert_eq!(said(catalog::profile(catalog::provider(provider).unwrap(), model)), expected, "{provider}/{model}");
    }
}

/// Providers of OpenAI's chat would refuse what only some of them know.
#[test]
fn nobody_is_sent_a_history_by_default() {
    for row in
        catalog::providers().iter().filter(|row| row.speaks.first() == Some(&Dialect::OpenAiChat) && row.name != catalog::MOCK)
    {
        let details = catalog::profile(row, "some-model").history == History::Details;
        assert_eq!(details, row.name == "openrouter", "{}", row.name);
    }
}

#[test]
fn models_are_sorted_unique_and_sold_by_a_known_provider() {
    let rows = catalog::models();
    assert!(rows.is_sorted_by(|a, b| (a.provider, a.name) < (b.provider, b.name)));
    for row in rows {
        assert!(catalog::providers().iter().any(|p| p.name == row.provider), "{}", row.provider);
        let writes = row.max_output > 0;
        let least = if writes { 8_192 } else { 512 };
        assert!(row.context >= least && row.context <= 10_000_000, "{} has a window of {}", row.name, row.context);
        let other = ["embed", "rerank", "moderation", "voyage"].iter().any(|word| row.name.contains(word));
        assert_eq!(writes, !other, "{} answers {}", row.name, row.max_output);
        assert!(!writes || row.max_output >= 1_024 && row.max_output <= row.context, "{} answers {}", row.name, row.max_output);
    }
    // What these sell changes daily, has no price in the tables, or is known from its maker.
    let open = ["byteplus", "huggingface", "jina", "nvidia", "openrouter", "sambanova", "voyage"];
    for provider in catalog::providers().iter().filter(|p| !open.contains(&p.name) && p.sells.is_empty()) {
        assert!(rows.iter().any(|row| row.provider == provider.name), "{} has no model", provider.name);
    }
}

#[test]
fn prices_are_plausible_and_say_where_they_are_from() {
    for row in catalog::models() {
        let Some(price) = &row.price else { continue };
        let name = row.name;
        let is_dated = price.date().len() >= "2026-11".len() && price.url().is_some_and(|url| url.starts_with("https://"));
        assert!(!price.source().is_empty() && is_dated != (row.provider == catalog::MOCK), "{name}");
        let writes = row.max_output > 0;
        assert!(price.output.0 <= DEAREST && (price.input <= price.output || !writes), "{name}: {price:?}");
        assert!(price.cache_read <= price.input && price.cache_write.0 <= 2 * price.input.0, "{name}: {price:?}");
        let is_free = row.provider == catalog::MOCK
            || (row.provider == "google" && name.starts_with("gemma-"))
            || name.contains("moderation")
            || PAID_BY_SEARCH.contains(&name);
        assert_eq!(price.input.0 == 0, is_free, "{name}: {price:?}");
        // Nearly three cents per million tokens is the least that any of these asks for text, two for numbers.
        assert!(
            is_free || price.input.0 >= if writes { 29_000 } else { 20_000 },
            "{name}: is {price:?} per token, not per thousand?"
        );
    }
    let known = |name| catalog::bare_model(name).and_then(|m| m.price.as_ref()).map(|p| (p.input.0, p.output.0, p.cache_read.0));
    assert_eq!(known("gpt-4o"), Some((2_500_000, 10_000_000, 1_250_000)));
    assert_eq!(known("claude-haiku-4-5"), Some((1_000_000, 5_000_000, 100_000)));
}

/// A new row without a price would make budgets blind for it: find its price, or say here why it has none.
const UNPRICED: [(&str, &str); 0] = [];
/// No token of theirs costs anything.
const PAID_BY_SEARCH: [&str; 2] = ["rerank-v3.5", "rerank-v4.0-pro"];

#[test]
fn every_model_has_a_price_or_is_named_here() {
    let unpriced: Vec<_> = catalog::models().iter().filter(|m| m.price.is_none()).map(|m| (m.provider, m.name)).collect();
    assert_eq!(unpriced, UNPRICED);
    for name in PAID_BY_SEARCH {
        let price = catalog::bare_model(name).and_then(|m| m.price.as_ref()).unwrap();
        assert!(price.rate(Class::Search, Service::Standard, 0).0 >= 2_000_000_000, "{name}");
    }
}

#[test]
fn rates_of_the_catalog_are_plausible() {
    for row in catalog::models() {
        let price = row.price.as_ref().unwrap();
        let mut seen = vec![];
        for rate in price.rates() {
            let what = (rate.service, rate.above, rate.class);
            assert!(!seen.contains(&what), "{}: {what:?} is there twice", row.name);
            seen.push(what);
            assert!(u64::from(rate.above) < row.context, "{}: {what:?} is longer than its window", row.name);
            let usual = rate.service == Service::Standard && rate.above == 0;
            let four = [Class::Input, Class::Output, Class::CacheRead, Class::CacheWrite];
            assert!(!usual || !four.contains(&rate.class), "{}: {what:?} stands in the row itself", row.name);
            let (amount, base) = (rate.amount.0, price.rate(rate.class, Service::Standard, 0).0);
            let (least, most) = match rate.service {
                _ if usual => (1, u64::MAX),
                Service::Standard => (base, 6 * base),
                Service::Batch | Service::Flex => (base / 4, 5 * base),
                Service::Priority => (base, 10 * base),
            };
            assert!((least..=most).contains(&amount), "{}: {rate:?} where {base} is usual", row.name);
        }
    }
}

#[test]
fn a_rate_is_that_of_class_length_and_tier() {
    let price = |name| catalog::bare_model(name).and_then(|m| m.price.as_ref()).unwrap();
    let (sol, pro, opus, flash) =
        (price("gpt-5.6-sol"), price("gemini-2.5-pro"), price("claude-opus-4-6"), price("gemini-2.5-flash"));
    let long = 272_001;
    for (rule, price, class, service, prompt, amount) in [
        ("usual", sol, Class::Input, Service::Standard, 0, 4_000_000),
        ("as long as is usual", sol, Class::Input, Service::Standard, 272_000, 4_000_000),
        ("one token longer", sol, Class::Input, Service::Standard, long, 8_000_000),
        ("flex is half", sol, Class::Input, Service::Flex, 0, 2_000_000),
        ("flex and long", sol, Class::Output, Service::Flex, long, 15_000_000),
        ("priority and long", sol, Class::CacheRead, Service::Priority, long, 1_600_000),
        ("thoughts are output", sol, Class::Reasoning, Service::Batch, 0, 10_000_000),
        ("what is not told apart is input", sol, Class::InputAudio, Service::Priority, 0, 8_000_000),
        ("what it does not ask for", sol, Class::Search, Service::Standard, 0, 0),
        ("flex and long, of which nobody says: the dearer", pro, Class::Input, Service::Flex, 200_001, 2_500_000),
        ("for an hour", opus, Class::CacheWriteHour, Service::Standard, 0, 10_000_000),
        ("for five minutes", opus, Class::CacheWrite, Service::Standard, 0, 6_250_000),
        ("a search", opus, Class::Search, Service::Standard, 0, 10_000_000_000),
        ("sound is dearer than words", flash, Class::InputAudio, Service::Standard, 0, 1_000_000),
        ("sound in a batch", flash, Class::InputAudio, Service::Batch, 0, 500_000),
        ("sound that was cached", flash, Class::CacheReadAudio, Service::Standard, 0, 100_000),
        ("thoughts in a batch", flash, Class::Reasoning, Service::Batch, 0, 1_250_000),
    ] {
        assert_eq!(price.rate(class, service, prompt).0, amount, "{rule}");
    }
    assert_eq!((sol.length(272_000), sol.length(long)), (0, 272_000));
    assert_eq!((sol.has(Service::Flex), opus.has(Service::Flex)), (true, false));
}

#[test]
fn a_bare_name_is_exactly_one_model() {
    for (name, provider) in [
        ("gpt-4o", Some("openai")),
        ("o3", Some("openai")),
        ("claude-opus-4-6", Some("anthropic")),
        ("gemini-2.5-flash", Some("google")),
        ("doubao-seed-2-1-pro-260915", Some("bytedance")),
        ("grok-4.3", Some("xai")),
        ("gpt-9-imaginary", None),
        ("gpt-4", None),
        ("echo", None),
        ("", None),
    ] {
        assert_eq!(catalog::bare_model(name).map(|m| m.provider), provider, "{name}");
    }
    // What stands before a slash is a provider.
    for row in catalog::models().iter().filter(|row| !row.name.contains('/')) {
        assert_eq!(catalog::models().iter().filter(|m| m.name == row.name).count(), 1, "{} is ambiguous", row.name);
    }
}

#[test]
fn quirks_are_edits() {
    let quirks =
        [Quirk::Rename("max_completion_tokens", "max_tokens"), Quirk::Remove("user"), Quirk::Flag("thinking", "enable_thinking")];
    let edited = |body: &str| {
        let outline = Outline::read(body.as_bytes()).unwrap();
        join(body, &outline.edit(&catalog::edits(&quirks, &outline)))
    };
    for (body, expected) in [
        (r#"{"a":1}"#, r#"{"a":1}"#),
        (r#"{"max_completion_tokens":7,"user":"u"}"#, r#"{"max_tokens":7}"#),
        (r#"{"max_completion_tokens":7,"max_tokens":8}"#, r#"{"max_tokens":8}"#),
        (r#"{"a":1,"thinking":{"type":"enabled"}}"#, r#"{"enable_thinking":true,"a":1}"#),
        (r#"{"thinking":{ "type": "disabled" }}"#, r#"{"enable_thinking":false}"#),
        (r#"{"thinking":{"type":"disabled"},"enable_thinking":true}"#, r#"{"enable_thinking":true}"#),
    ] {
        assert_eq!(edited(body), expected);
    }
    let takes_only_max_tokens = |name| catalog::provider(name).is_some_and(|p| p.quirks.contains(&quirks[0]));
    for (name, expected) in [("mistral", true), ("deepseek", true), ("openai", false), ("groq", false)] {
        assert_eq!(takes_only_max_tokens(name), expected, "{name}");
    }
}

#[test]
fn the_nearest_names_are_offered() {
    let known = ["gpt-5.4", "gpt-5.4-mini", "claude-opus-4-6", "claude-opus-4-7", "gemini-2.5-pro", "openai"];
    for (name, expected) in [
        ("gpt-5.4-minni", vec!["gpt-5.4-mini"]),
        ("GPT-5.4", vec!["gpt-5.4", "gpt-5.4-mini"]),
        ("claude-opus", vec!["claude-opus-4-6", "claude-opus-4-7"]),
        ("claude-opus-46", vec!["claude-opus-4-6", "claude-opus-4-7"]),
        ("opnai", vec!["openai"]),
        ("llama", vec![]),
        ("", vec![]),
        ("é", vec![]),
    ] {
        assert_eq!(nearest(name, known.into_iter()), expected, "{name}");
    }
    let long = "x".repeat(1 << 20);
    assert!(nearest(&long, known.into_iter()).is_empty());
}

#[test]
fn the_manual_has_a_line_for_every_provider() {
    let manual = include_str!("../docs/configuration.md");
    for row in catalog::providers().iter().filter(|row| row.name != catalog::MOCK) {
        let line = manual.lines().find(|line| line.starts_with(&format!("| `{}` |", row.name)));
        let line = line.unwrap_or_else(|| unreachable!("{} has no line", row.name));
        let secrets = row.secrets.iter().filter(|name| row.hosting != Hosting::WorkersAi || **name != catalog::AI_BINDING);
        for word in row.aliases.iter().chain(secrets).copied().chain(row.placeholders()) {
            assert!(line.contains(&format!("`{word}`")), "{}: {word}", row.name);
        }
    }
}
