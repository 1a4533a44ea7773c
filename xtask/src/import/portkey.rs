//! Portkey's config objects: strategies nested in strategies.

use anyhow::Result;
use serde_json::{Map, Value, json};

use super::draft::{Draft, Wanted, checked, slug};
use super::object;
use super::source::Node;

const NAME: &str = "portkey";
const COMPARES: [&str; 10] = ["$eq", "$ne", "$gt", "$gte", "$lt", "$lte", "$in", "$nin", "$regex", "$exists"];
/// Ours for a target of theirs that is not there: it was left out, with its reason in the report.
const NOBODY: &str = "left out";

/// One object is one route, `portkey`, or that of its `name`.
pub fn import(root: Node<'_>, draft: &mut Draft) -> Result<()> {
    // As their API gives it.
    let config = root.get("config").filter(|config| config.value.is_object()).unwrap_or_else(|| root.clone());
    let name = root.any(&["name", "slug"]).or_else(|| config.get("name"));
    name.as_ref().inspect(|node| node.mapped("the route's name"));
    let name = name.and_then(|node| node.text().map(slug)).unwrap_or_else(|| NAME.to_owned());
    if config.any(&["targets", "provider", "virtual_key", "override_params", "api_key"]).is_none() {
        // It is laid over whatever a request asks for.
        draft.settings.extend(policies(&config, "settings"));
    } else if config.get("targets").is_some() {
        place(&config, &name, draft);
    } else if let Some(entry) = place_single(&config, &name, draft) {
        let mut route = policies(&config, &format!("routes.{name}"));
        route.insert("targets".to_owned(), json!([entry]));
        draft.routes.insert(name, route.into());
    }
    Ok(())
}

/// What stands for a node: a target, or `{"use": …}` of the route it became.
fn place(node: &Node<'_>, name: &str, draft: &mut Draft) -> Option<Value> {
    let targets = node.get("targets");
    let strategy = node.get("strategy");
    let mode = strategy.as_ref().and_then(|strategy| strategy.get("mode"));
    let Some(targets) = targets else {
        let entry = place_single(node, name, draft);
        for member in ["retry", "cache"] {
            node.get(member).inspect(|node| node.unmapped("said of a route, not of a target"));
        }
        return entry;
    };
    let mode_text = mode.as_ref().and_then(|mode| mode.text()).unwrap_or("single");
    let mut entries: Vec<(String, Value)> = vec![];
    let is_known = ["single", "fallback", "loadbalance", "conditional"].contains(&mode_text);
    for (at, item) in targets.items().into_iter().enumerate() {
        if mode_text == "single" && at > 0 {
            item.unmapped("`single` asks the first only");
            continue;
        }
        let called = item.get("name");
        called.as_ref().inspect(|node| node.mapped("the name of a route inside"));
        let inner = called.as_ref().and_then(|node| node.text()).map_or_else(|| at.to_string(), str::to_owned);
        let entry = place(&item, &slug(&format!("{name}-{inner}")), draft);
        let weight = item.get("weight");
        let entry = entry.map(|entry| match (weight.as_ref().and_then(whole), mode_text) {
            (Some(share), "loadbalance") => {
                weight.inspect(|node| node.mapped(&format!("routes.{name}: weight")));
                with(entry, "weight", share.into())
            }
            _ => entry,
        });
        entries.push((inner, entry.unwrap_or_else(|| NOBODY.into())));
    }
    let is_there = |entry: &&(String, Value)| entry.1 != json!(NOBODY);
    let mut list: Vec<Value> = entries.iter().filter(is_there).map(|(_, entry)| entry.clone()).collect();
    if list.is_empty() {
        node.unmapped("none of its targets could be mapped");
        return None;
    }
    let mut route = policies(node, &format!("routes.{name}"));
    match mode {
        Some(mode) if is_known => mode.mapped(&format!("routes.{name}")),
        Some(mode) => mode.unmapped("no such strategy: its targets are tried in order"),
        None => {}
    }
    match mode_text {
        "loadbalance" => drop(route.insert("strategy".to_owned(), "weighted".into())),
        "conditional" => {
            let rules = rules(strategy.as_ref(), name, &entries, draft);
            if !rules.is_empty() {
                route.insert("rules".to_owned(), rules.into());
            }
            let default = strategy.as_ref().and_then(|strategy| strategy.get("default"));
            let chosen = default.as_ref().and_then(|node| node.text());
            let chosen = entries.iter().filter(is_there).find(|(inner, _)| Some(inner.as_str()) == chosen);
            default.inspect(|node| {
                if chosen.is_some() { node.mapped(&format!("routes.{name}.targets")) } else { node.unmapped("names no target") }
            });
            list = chosen.map_or_else(|| list.into_iter().take(1).collect(), |(_, entry)| vec![entry.clone()]);
        }
        // The first that answers.
        _ => {}
    }
    if let Some(codes) = strategy.and_then(|strategy| strategy.get("on_status_codes")) {
        codes.ignored("what is the provider's fault falls back, what is the caller's does not: docs/failover.md");
    }
    route.insert("targets".to_owned(), list.into());
    draft.routes.insert(name.to_owned(), route.into());
    Some(json!({ "use": name }))
}

fn place_single(node: &Node<'_>, name: &str, draft: &mut Draft) -> Option<Value> {
    let mode = node.get("strategy").and_then(|strategy| strategy.get("mode"));
    mode.inspect(|mode| mode.mapped("a single target"));
    target(node, name, draft)
}

fn whole(node: &Node<'_>) -> Option<u64> {
    // Shares such as 0.7: a thousandth is the least that is kept.
    let share = (node.number()? * 1_000.0).round();
    format!("{share}").parse().ok().filter(|share| *share <= 1_000_000)
}

fn with(entry: Value, member: &str, value: Value) -> Value {
    let mut out = object(if entry.is_object() { entry } else { json!({ "model": entry }) });
    out.insert(member.to_owned(), value);
    out.into()
}

/// What holds for a whole route.
fn policies(node: &Node<'_>, to: &str) -> Map<String, Value> {
    let mut out = Map::new();
    if let Some(retry) = node.get("retry") {
        if let Some((count, attempts)) = retry.get("attempts").and_then(|node| Some((node.clone(), node.value.as_u64()?))) {
            count.mapped(&format!("{to}.retry.attempts: targets tried, 4 at most"));
            out.insert("retry".to_owned(), json!({ "attempts": attempts.saturating_add(1).clamp(1, 4) }));
        }
        retry
            .any(&["on_status_codes"])
            .inspect(|node| node.ignored("which failures are tried again is known by their kind: docs/failover.md"));
        retry.any(&["use_retry_after_header"]).inspect(|node| node.ignored("`Retry-After` is always heeded"));
    }
    if let Some((node, ms)) = node.get("request_timeout").and_then(|node| Some((node.clone(), node.value.as_u64()?))) {
        node.mapped(&format!("{to}.timeouts.total_ms"));
        out.insert("timeouts".to_owned(), json!({ "total_ms": ms.clamp(1, 3_600_000) }));
    }
    if let Some(cache) = node.get("cache") {
        let age = cache.any(&["max_age", "maxAge"]);
        let seconds = age.as_ref().and_then(|age| age.value.as_u64()).unwrap_or(3_600).clamp(60, 604_800);
        let mode = cache.get("mode").unwrap_or_else(|| cache.clone());
        if mode.text() == Some("simple") {
            mode.mapped(&format!("{to}.cache"));
            age.inspect(|age| age.mapped(&format!("{to}.cache.ttl_s, 60 to 604800")));
            out.insert("cache".to_owned(), json!({ "ttl_s": seconds }));
        } else {
            cache.unmapped("only the very same request is answered from the cache");
        }
    }
    if let Some(params) = node.get("override_params") {
        params.unmapped("here it would hold for all targets: write it into each");
    }
    out
}

/// A target without more.
fn target(node: &Node<'_>, name: &str, draft: &mut Draft) -> Option<Value> {
    let (provider, virtual_key) = (node.get("provider"), node.get("virtual_key"));
    let overrides = node.get("override_params");
    let model = overrides.as_ref().and_then(|params| params.get("model"));
    let written = provider.as_ref().and_then(|node| node.text());
    // `@slug` of their catalog of integrations, as a provider or before a model.
    let at = model.as_ref().and_then(|model| model.text()).and_then(|model| model.strip_prefix('@')?.split_once('/'));
    let word = written.map(|word| word.trim_start_matches('@')).or(at.map(|(slug, _)| slug));
    let word = word.or_else(|| guess(virtual_key.as_ref()?.text()?));
    let Some(word) = word else {
        node.unmapped("names no provider: virtual keys say nothing of theirs");
        return None;
    };
    let base = node.any(&["custom_host", "base_url"]);
    let base_url = base.as_ref().and_then(|node| node.text()).map(str::to_owned);
    if let Err(why) = checked(word, base_url.as_deref()) {
        node.unmapped(&why);
        return None;
    }
    let Some((node_of_model, model)) = model.and_then(|node| Some((node.clone(), node.text()?))) else {
        node.unmapped("names no model (`override_params.model`): a route's targets do");
        return None;
    };
    let mut keys = vec![];
    if let Some((node, key)) = node.get("api_key").and_then(|node| Some((node.clone(), node.text()?))) {
        let key = draft.literal(key, word, base_url.as_deref(), &node);
        node.mapped(&format!("the secret {key}"));
        keys.push(key);
    }
    if let Some((node, slug)) = virtual_key.and_then(|node| Some((node.clone(), node.text()?))) {
        let own = slug.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' });
        let key = draft.env(&format!("PORTKEY_{}", own.collect::<String>()), &node);
        node.mapped(&format!("the secret {key}: the provider's key that the virtual key stood for"));
        keys.push(key);
    }
    let found = draft.provider(Wanted { word, base_url, keys });
    let found = match found {
        Ok(found) => found,
        Err(why) => {
            node.unmapped(&why);
            return None;
        }
    };
    provider.inspect(|node| node.mapped(&format!("provider `{found}`")));
    base.inspect(|node| node.mapped(&format!("providers.{found}.base_url")));
    node_of_model.mapped(&format!("routes.{name}: targets"));
    let own = at.map_or(model, |(_, own)| own);
    let mut out = policies_of_target(node, name);
    out.insert("model".to_owned(), format!("{found}/{own}").into());
    let params = overrides.map(|params| draft.params(&params, &format!("routes.{name}: params.override"))).unwrap_or_default();
    if !params.is_empty() {
        out.insert("params".to_owned(), json!({ "override": params }));
    }
    if out.len() == 1 { out.remove("model") } else { Some(out.into()) }
}

fn policies_of_target(node: &Node<'_>, name: &str) -> Map<String, Value> {
    let mut out = Map::new();
    if let Some((node, ms)) = node.get("request_timeout").and_then(|node| Some((node.clone(), node.value.as_u64()?))) {
        node.mapped(&format!("routes.{name}: timeouts.total_ms"));
        out.insert("timeouts".to_owned(), json!({ "total_ms": ms.clamp(1, 3_600_000) }));
    }
    out
}

/// Virtual keys are often called after their provider: `openai-main-1a2b3c`.
fn guess(slug: &str) -> Option<&str> {
    let ends = slug.match_indices('-').map(|(at, _)| at).chain([slug.len()]).collect::<Vec<_>>();
    ends.into_iter().rev().filter_map(|end| slug.get(..end)).find(|word| super::draft::kind(word).is_some())
}

fn rules(strategy: Option<&Node<'_>>, name: &str, entries: &[(String, Value)], draft: &mut Draft) -> Vec<Value> {
    let mut out = vec![];
    for (at, rule) in
        strategy.and_then(|strategy| strategy.get("conditions")).into_iter().flat_map(|list| list.items()).enumerate()
    {
        let (Some(query), Some(then)) = (rule.get("query"), rule.get("then")) else {
            rule.unmapped("needs `query` and `then`");
            continue;
        };
        let entry = entries.iter().find(|(inner, entry)| Some(inner.as_str()) == then.text() && *entry != json!(NOBODY));
        let (Some((_, entry)), Some(when)) = (entry, condition(&query)) else {
            rule.unmapped("leads to no target, or asks what cannot be asked here");
            continue;
        };
        rule.mapped(&format!("routes.{name}.rules[{at}]"));
        let place = match entry.get("use").or_else(|| entry.as_str().map(|_| entry)) {
            Some(place) => place.clone(),
            None => {
                let inner = slug(&format!("{name}-rule-{at}"));
                draft.routes.insert(inner.clone(), json!({ "targets": [entry] }));
                inner.into()
            }
        };
        out.push(json!({ "when": when, "use": place }));
    }
    out
}

/// `metadata.x` and `params.model`, compared; `$and`, `$or`.
fn condition(query: &Node<'_>) -> Option<Value> {
    let mut out = Map::new();
    for (key, node) in query.members() {
        match key.as_str() {
            "$and" | "$or" => {
                let parts = node.items().iter().map(condition).collect::<Option<Vec<_>>>()?;
                out.insert(if key == "$and" { "all" } else { "any" }.to_owned(), parts.into());
            }
            "params.model" => drop(out.insert("model".to_owned(), compared(&node)?)),
            key if key.starts_with("metadata.") => drop(out.insert(key.to_owned(), compared(&node)?)),
            _ => return None,
        }
    }
    (!out.is_empty()).then(|| out.into())
}

fn compared(node: &Node<'_>) -> Option<Value> {
    if !node.value.is_object() {
        return Some(node.value.clone());
    }
    let mut out = Map::new();
    for (key, node) in node.members() {
        let known = COMPARES.iter().find(|known| **known == key)?;
        out.insert(known.trim_start_matches('$').to_owned(), node.value.clone());
    }
    Some(out.into())
}
