use serde_json::{Map, Value, json};

use super::layout::{Layout, Table, read};
use super::{changes, check};

fn table(layout: Option<Layout>, value: &Value) -> Table {
    let mut table = Table::default();
    read(&value.to_string(), layout, Some("2026-12-01"), &mut table).unwrap_or_else(|error| unreachable!("{error:#}"));
    table
}

fn lite() -> Value {
    json!({
        "sample_spec": {"litellm_provider": "one of many", "input_cost_per_token": 0.0},
        "gpt-4o": {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 2e-06, "output_cost_per_token": 1e-05,
            "cache_read_input_token_cost": 1.25e-06, "cache_read_input_token_cost_priority": 2.125e-06,
            "input_cost_per_token_batches": 1.25e-06, "output_cost_per_token_batches": 5e-06,
            "cache_read_input_token_cost_batches": 1.25e-06, "input_cost_per_token_priority": 4.25e-06, "output_cost_per_token_priority": 1.7e-05},
        "claude-next": {"litellm_provider": "anthropic", "mode": "chat", "input_cost_per_token": 2.9999999999999997e-06,
            "output_cost_per_token": 1.5e-05, "cache_creation_input_token_cost_above_1hr": 6e-06,
            "input_cost_per_token_above_200k_tokens": 6e-06, "cache_creation_input_token_cost_above_1hr_above_200k_tokens": 1.2e-05,
            "search_context_cost_per_query": {"search_context_size_medium": 0.01}, "input_cost_per_token_ultrafast": 1e-05},
        "dashscope/steps": {"litellm_provider": "dashscope", "mode": "chat", "tiered_pricing": [
            {"range": [0, 32000.0], "input_cost_per_token": 4e-07, "output_cost_per_token": 1e-06},
            {"range": [32000.0, 128000.0], "input_cost_per_token": 8e-07, "output_cost_per_token": 2e-06}]},
        "rerank-next": {"litellm_provider": "cohere", "mode": "rerank", "input_cost_per_query": 0.002,
            "input_cost_per_token": 0.0, "output_cost_per_token": 0.0},
        "xai/painter": {"litellm_provider": "xai", "mode": "image_generation", "input_cost_per_image": 0.02},
        "1024-x-1024/dall-e-2": {"litellm_provider": "openai", "mode": "image_generation", "input_cost_per_pixel": 1.9e-08},
        "voyage/embedder": {"litellm_provider": "voyage", "mode": "embedding", "input_cost_per_token": 6e-08},
        "runway/film": {"litellm_provider": "runwayml", "output_cost_per_second": 0.05},
        "gemini/shapeless": {"litellm_provider": "gemini", "mode": "chat"}
    })
}

fn dev() -> Value {
    json!({
        "google": {"name": "Google", "models": {
            "gemini-next": {"cost": {"input": 1.25, "output": 10.0, "cache_read": 0.125, "reasoning": 10.0, "input_audio": 3,
                "tiers": [{"tier": {"size": 200000}, "input": 2.5, "output": 15}, {"tier": {"type": "hour", "size": 9}, "input": 1}]}},
            "gemini-free": {"cost": {"input": 0, "output": 0}},
            "gemini-none": {}}},
        "lmstudio": {"name": "x", "models": {"a": {"cost": {"input": 1, "output": 1}}}},
        "perplexity": {"name": "x", "models": {"sonar-next": {"cost": {"input": 2, "output": 8, "citation": 2}}}}
    })
}

#[test]
fn litellm_is_read_by_class_tier_and_length() {
    let table = table(None, &lite());
    let source = "https://github.com/BerriAI/litellm";
    for (name, expected) in [
        (
            "openai/gpt-4o",
            json!({"input": 2, "output": 10, "cache_read": 1.25, "batch": {"input": 1.25, "output": 5, "cache_read": 1.25},
                "priority": {"input": 4.25, "output": 17, "cache_read": 2.125}}),
        ),
        (
            "anthropic/claude-next",
            json!({"input": 3, "output": 15, "cache_write_1h": 6, "search": 0.01, "above": {"200000": {"input": 6, "cache_write_1h": 12}}}),
        ),
        ("qwen/steps", json!({"input": 0.4, "output": 1, "above": {"32000": {"input": 0.8, "output": 2}}})),
        ("cohere/rerank-next", json!({"search": 0.002})),
        ("xai/painter", json!({"image": 0.02})),
        ("voyage/embedder", json!({"input": 0.06, "output": 0})),
    ] {
        let mut found = table.prices.get(name).cloned().unwrap_or_default();
        assert_eq!(found.remove("source"), Some(source.into()), "{name}");
        assert_eq!(found.remove("date"), Some("2026-12-01".into()), "{name}");
        assert_eq!(Value::Object(found), expected, "{name}");
    }
    assert_eq!(table.prices.len(), 6);
    let left: Vec<(&str, usize)> = table.left_out.iter().map(|(reason, names)| (reason.as_str(), names.len())).collect();
    assert_eq!(left, [("no price", 1), ("price by region, size or quality", 1), ("provider `runwayml` has no name here", 1)]);
    assert_eq!(table.unread.keys().collect::<Vec<_>>(), ["`input_cost_per_token_ultrafast`"]);
}

#[test]
fn models_dev_is_read_with_its_lengths() {
    let table = table(None, &dev());
    let mut found = table.prices["google/gemini-next"].clone();
    assert_eq!(found.remove("source"), Some("https://models.dev".into()));
    found.remove("date");
    let expected = json!({"input": 1.25, "output": 10, "cache_read": 0.125, "input_audio": 3, "above": {"200000": {"input": 2.5, "output": 15}}});
    assert_eq!(Value::Object(found), expected, "thoughts cost as any output does");
    assert!(table.prices.contains_key("google/gemini-free"), "free is a price");
    assert_eq!(table.left_out.keys().collect::<Vec<_>>(), ["no price", "provider `lmstudio` has no name here"]);
    assert_eq!(table.unread.keys().collect::<Vec<_>>(), ["`citation`", "a tier that is no length"]);
}

#[test]
fn a_layout_is_seen_or_told_and_copies_name_their_source() {
    let copy = json!({"x-source": {"repo": "a/b", "package": "b 1.2"}, "models": lite()});
    assert_eq!(table(None, &copy).prices["xai/painter"]["source"], "a/b b 1.2");
    let copy = json!({"x-source": {"repo": "a/c", "commit": "f00"}, "providers": dev()});
    assert_eq!(table(Some(Layout::ModelsDev), &copy).prices["google/gemini-free"]["source"], "a/c f00");
    assert!(table(Some(Layout::LiteLlm), &dev()).prices.is_empty());
    assert!(Layout::named("csv").is_err());
    assert!(read("[]", None, None, &mut Table::default()).is_err());
}

#[test]
fn the_first_table_wins_unless_it_says_nothing() {
    let mut first = lite();
    first["gemini/unknown"] = json!({"litellm_provider": "gemini", "input_cost_per_token": 0.0, "output_cost_per_token": 0.0});
    let mut both = table(None, &first);
    let other = json!({"xai": {"models": {"painter": {"cost": {"input": 1, "output": 2}}, "writer": {"cost": {"input": 1, "output": 2}}}},
        "google": {"models": {"unknown": {"cost": {"input": 1, "output": 2}}}}});
    read(&other.to_string(), None, None, &mut both).unwrap_or_else(|error| unreachable!("{error:#}"));
    assert_eq!((&both.prices["xai/painter"]["image"], &both.prices["xai/writer"]["input"]), (&json!(0.02), &json!(1)));
    assert_eq!(both.prices["google/unknown"]["input"], 1, "nothing is also said of what is not known");
}

#[test]
fn an_overlay_holds_what_is_other_and_is_taken_by_the_gateway() {
    let table = table(None, &lite());
    let none = Map::new();
    let overlay = changes::overlay(&table, &none, false);
    assert_eq!(overlay.keys().collect::<Vec<_>>(), ["openai/gpt-4o"], "the only one that is known here");
    assert_eq!(changes::overlay(&table, &none, true).len(), 6);
    assert!(check(&changes::overlay(&table, &none, true)).is_ok());
    assert!(check(&Map::from_iter([("openai/x".to_owned(), json!({"input": 1}))])).is_err());
    let report = changes::report(&table, &none);
    assert!(report.contains("changed: 1\n  openai/gpt-4o: input 2.5 → 2 (-20.0 %)\n"), "{report}");
    assert!(report.contains("new: 5\n") && report.contains("openai/gpt-5.4\n"), "{report}");
    assert!(!report.contains("groq/"), "of providers that are in no table nothing is gone: {report}");
}

#[test]
fn a_current_document_is_kept_and_compared_with() {
    let table = table(None, &lite());
    let current = json!({"currencies": {"CNY": {"usd": 0.14, "date": "2026-11-01"}},
        "voyage/embedder": {"input": 0.06, "output": 0, "date": "2026-11-01"},
        "xai/painter": {"image": 0.02, "date": "2027-01-01"}, "xai/mine": {"input": 1, "output": 1}});
    let current = current.as_object().cloned().unwrap_or_default();
    let overlay = changes::overlay(&table, &current, false);
    assert_eq!(overlay["voyage/embedder"]["date"], "2026-12-01", "the same, and younger");
    assert_eq!(overlay["xai/painter"]["date"], "2027-01-01", "the same, and older");
    assert_eq!((&overlay["xai/mine"], &overlay["currencies"]), (&current["xai/mine"], &current["currencies"]));
    let report = changes::report(&table, &current);
    assert!(report.contains("unchanged: 2, of which 1 are confirmed"), "{report}");
    assert!(changes::gone(&table, &current).contains(&"xai/mine".to_owned()));
}
