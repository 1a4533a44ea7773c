//! Tests of the room `catalog`: what every row must hold to.

use portolan::{
    catalog::{self, Auth, Quirk, nearest},
    dialect::Dialect,
    wire::json::Edit,
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
        assert!(!row.speaks.is_empty(), "{} speaks nothing", row.name);
        if row.name == catalog::MOCK {
            assert_eq!((row.base_url, row.auth, row.speaks), ("mock:", Auth::None, Dialect::ALL.as_slice()));
            continue;
        }
        assert!(row.base_url.starts_with("https://") && !row.base_url.ends_with('/'), "{}", row.base_url);
        assert!(!row.secrets.is_empty(), "{} has no secret", row.name);
        for secret in row.secrets {
            assert!(secret.ends_with("_API_KEY"), "{secret}");
        }
    }
}

#[test]
fn models_are_sorted_unique_and_sold_by_a_known_provider() {
    let rows = catalog::models();
    assert!(rows.is_sorted_by(|a, b| (a.provider, a.name) < (b.provider, b.name)));
    for row in rows {
        assert!(catalog::providers().iter().any(|p| p.name == row.provider), "{}", row.provider);
        assert!(row.context >= 8_192 && row.context <= 10_000_000, "{} has a window of {}", row.name, row.context);
        assert!(row.max_output >= 1_024 && row.max_output <= row.context, "{} answers {}", row.name, row.max_output);
    }
    for provider in catalog::providers().iter().filter(|p| p.name != "openrouter") {
        assert!(rows.iter().any(|row| row.provider == provider.name), "{} has no model", provider.name);
    }
}

#[test]
fn prices_are_plausible_and_say_where_they_are_from() {
    for row in catalog::models() {
        let Some(price) = row.price else { continue };
        let name = row.name;
        assert!(!price.source.is_empty() && price.date.len() >= "2026-11".len(), "{name}");
        assert!(price.output.0 <= DEAREST && price.input <= price.output, "{name}: {price:?}");
        assert!(price.cache_read <= price.input && price.cache_write.0 <= 2 * price.input.0, "{name}: {price:?}");
        let is_free = row.provider == catalog::MOCK || name.starts_with("gemma-");
        assert_eq!(price.input.0 == 0, is_free, "{name}: {price:?}");
        // Three cents per million tokens is the least that any of these asks.
        assert!(is_free || price.input.0 >= 30_000, "{name}: is {price:?} per token, not per thousand?");
    }
    let known = |name| catalog::bare_model(name).and_then(|m| m.price).map(|p| (p.input.0, p.output.0, p.cache_read.0));
    assert_eq!(known("gpt-4o"), Some((2_500_000, 10_000_000, 1_250_000)));
    assert_eq!(known("claude-haiku-4-5"), Some((1_000_000, 5_000_000, 100_000)));
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
    for row in catalog::models() {
        assert_eq!(catalog::models().iter().filter(|m| m.name == row.name).count(), 1, "{} is ambiguous", row.name);
    }
}

#[test]
fn quirks_are_edits() {
    let quirks = [Quirk::Rename("max_completion_tokens", "max_tokens"), Quirk::Remove("user")];
    let edits = [Edit::Rename("max_completion_tokens".into(), "max_tokens".into()), Edit::Remove("user".into())];
    assert_eq!(catalog::edits(&quirks), edits);
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
