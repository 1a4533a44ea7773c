//! LiteLLM's `config.yaml`.

mod settings;

use std::collections::BTreeMap;

use anyhow::Result;
use serde_json::{Map, Value, json};

use self::settings::{common, general, library_settings};
use super::draft::{Draft, Wanted, checked, slug};
use super::object;
use super::source::Node;

/// Members of `litellm_params` that are members of a request.
const BODY: [&str; 14] = [
    "temperature",
    "top_p",
    "top_k",
    "max_tokens",
    "max_completion_tokens",
    "seed",
    "stop",
    "presence_penalty",
    "frequency_penalty",
    "reasoning_effort",
    "thinking",
    "response_format",
    "service_tier",
    "dimensions",
];
/// `model_info` to what a model supports.
const SUPPORTS: [(&str, &str); 6] = [
    ("supports_function_calling", "tools"),
    ("supports_vision", "vision"),
    ("supports_response_schema", "json_schema"),
    ("supports_reasoning", "reasoning"),
    ("supports_audio_input", "audio"),
    ("supports_pdf_input", "files"),
];
/// Prices by the token.
const PRICES: [(&str, &str); 4] = [
    ("input_cost_per_token", "input"),
    ("output_cost_per_token", "output"),
    ("cache_read_input_token_cost", "cache_read"),
    ("cache_creation_input_token_cost", "cache_write"),
];

/// The deployments of one name.
struct Group {
    targets: Vec<Value>,
    /// Of more than one, by weight.
    shares: bool,
}

pub fn import(root: Node<'_>, draft: &mut Draft) -> Result<()> {
    let (router, library) = (root.get("router_settings"), root.get("litellm_settings"));
    let strategy = strategy(router.as_ref());
    let mut groups: Vec<(String, Group)> = vec![];
    let list: Vec<Node<'_>> = root.get("model_list").into_iter().flat_map(|list| list.items()).collect();
    let called = |entry: &Node<'_>| entry.get("model_name").and_then(|name| name.text().map(slug));
    for entry in &list {
        let shares = strategy == "weighted" && list.iter().filter(|other| called(other) == called(entry)).count() > 1;
        deployment(entry, shares, draft, &mut groups);
    }
    let mut fallbacks: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut filtered = vec![];
    let mut everywhere = vec![];
    for settings in [router.as_ref(), library.as_ref()].into_iter().flatten() {
        chains(settings, &groups, &mut fallbacks, &mut filtered);
        for name in settings.get("default_fallbacks").into_iter().flat_map(|list| list.items()) {
            known(&name, &groups, "behind the targets of every route").into_iter().for_each(|name| everywhere.push(name));
        }
        common(settings, draft);
    }
    routes(groups, &fallbacks, &filtered, &everywhere, strategy, draft);
    if let Some(aliases) = router.as_ref().and_then(|router| router.get("model_group_alias")) {
        alias(&aliases, draft);
    }
    if let Some(library) = library {
        library_settings(&library, draft);
    }
    general(&root, draft);
    Ok(())
}

fn strategy(router: Option<&Node<'_>>) -> &'static str {
    let Some(node) = router.and_then(|router| router.get("routing_strategy")) else { return "weighted" };
    let (strategy, how) = match node.text().unwrap_or_default() {
        "simple-shuffle" => ("weighted", "strategy `weighted`"),
        "latency-based-routing" => ("least_latency", "strategy `least_latency`"),
        "cost-based-routing" => ("least_cost", "strategy `least_cost`"),
        "least-busy" | "usage-based-routing" | "usage-based-routing-v2" => {
            ("weighted", "strategy `weighted`, the nearest: load is not routed by")
        }
        _ => {
            node.unmapped("no such strategy: routes became `weighted`");
            return "weighted";
        }
    };
    node.mapped(how);
    strategy
}

fn deployment(entry: &Node<'_>, shares: bool, draft: &mut Draft, groups: &mut Vec<(String, Group)>) {
    let (Some(name), Some(params)) = (entry.get("model_name"), entry.get("litellm_params")) else {
        return entry.unmapped("needs `model_name` and `litellm_params`");
    };
    let Some(model) = params.get("model") else { return entry.unmapped("names no model") };
    let written = model.text().unwrap_or_default();
    // Without a provider LiteLLM knows the model by name, nearly always OpenAI's.
    let custom = params.get("custom_llm_provider").and_then(|node| node.text());
    let (word, own) = match (custom, written.split_once('/')) {
        (Some(custom), _) => (custom, written),
        (None, Some((word, own))) => (word, own),
        (None, None) => (portolan::catalog::bare_model(written).map_or("openai", |known| known.provider), written),
    };
    let own = own.strip_prefix("converse/").unwrap_or(own);
    let base = params.any(&["api_base", "base_url"]);
    let base_url = base.as_ref().and_then(|node| node.text());
    if base_url.is_some_and(|url| url.starts_with("os.environ/")) {
        return entry.unmapped("its address is in an environment variable: write it into the file and import again");
    }
    if let Err(why) = checked(word, base_url) {
        return entry.unmapped(&why);
    }
    let keys = keys(&params, word, base_url, draft);
    let provider = match draft.provider(Wanted { word, base_url: base_url.map(str::to_owned), keys }) {
        Ok(provider) => provider,
        Err(why) => return entry.unmapped(&why),
    };
    if let Some(base) = base {
        base.mapped(&format!("providers.{provider}.base_url"));
    }
    params.get("custom_llm_provider").inspect(|node| node.mapped(&format!("providers.{provider}")));
    params.get("api_version").inspect(|node| node.ignored("the v1 address of Azure needs none"));
    let public = name.text().unwrap_or_default();
    if public.contains('*') || own.contains('*') {
        let how = format!("any model works as `{provider}/…`, without a route");
        name.mapped(&how);
        return model.mapped(&how);
    }
    let route = slug(public);
    if route != public {
        draft.notes.push(format!("`{public}` is now called `{route}`: names of routes have no slash"));
    }
    name.mapped(&format!("routes.{route}"));
    model.mapped(&format!("routes.{route}.targets"));
    info(entry, &params, &provider, own, draft);
    let target = target(shares, (entry, &params), format!("{provider}/{own}"), draft, &route);
    match groups.iter_mut().find(|(known, _)| *known == route) {
        Some((_, group)) => group.targets.push(target),
        None => groups.push((route, Group { targets: vec![target], shares })),
    }
}

/// `os.environ/NAME`, or a literal that gets a name.
fn keys(params: &Node<'_>, word: &str, base_url: Option<&str>, draft: &mut Draft) -> Vec<String> {
    let Some(node) = params.get("api_key") else { return vec![] };
    let Some(text) = node.text().filter(|text| !text.is_empty()) else { return vec![] };
    let key = match text.strip_prefix("os.environ/") {
        Some(name) => draft.env(name, &node),
        None => draft.literal(text, word, base_url, &node),
    };
    node.mapped(&format!("the secret {key}"));
    vec![key]
}

fn target(shares: bool, (entry, params): (&Node<'_>, &Node<'_>), model: String, draft: &Draft, route: &str) -> Value {
    let mut out = Map::new();
    out.insert("model".to_owned(), model.into());
    if let Some((node, weight)) = weight(entry, params).filter(|_| shares) {
        node.mapped(&format!("routes.{route}: weight"));
        out.insert("weight".to_owned(), weight.into());
    }
    for name in ["weight", "rpm", "tpm", "max_parallel_requests"] {
        for node in [params.get(name), entry.get(name)].into_iter().flatten() {
            node.unmapped("a provider's own limits are not counted: its 429 cools it; a weight only shares among several");
        }
    }
    let mut timeouts = Map::new();
    for (theirs, ours) in [("timeout", "total_ms"), ("stream_timeout", "first_token_ms")] {
        if let Some((node, ms)) = params.get(theirs).and_then(|node| Some((node.clone(), milliseconds(&node)?))) {
            node.mapped(&format!("routes.{route}: timeouts.{ours}"));
            timeouts.insert(ours.to_owned(), ms.into());
        }
    }
    let mut body = Map::new();
    for name in BODY {
        if let Some(member) = params.get(name) {
            member.mapped(&format!("routes.{route}: params.default.{name}"));
            body.insert(name.to_owned(), member.value.clone());
        }
    }
    if let Some(extra) = params.get("extra_body") {
        body.extend(draft.params(&extra, &format!("routes.{route}: params.default")));
    }
    if !timeouts.is_empty() {
        out.insert("timeouts".to_owned(), timeouts.into());
    }
    if !body.is_empty() {
        out.insert("params".to_owned(), json!({ "default": body }));
    }
    out.into()
}

/// What shuffles them: `weight`, else `rpm`, else `tpm`.
fn weight<'a>(entry: &Node<'a>, params: &Node<'a>) -> Option<(Node<'a>, u64)> {
    let of = |node: Node<'a>| {
        let weight = node.value.as_u64().filter(|weight| *weight <= 1_000_000)?;
        Some((node, weight))
    };
    ["weight", "rpm", "tpm"].iter().find_map(|name| params.get(name).or_else(|| entry.get(name)).and_then(of))
}

/// Seconds of theirs.
fn milliseconds(node: &Node<'_>) -> Option<u64> {
    let ms = (node.number()? * 1_000.0).round();
    format!("{ms}").parse().ok().filter(|ms| (1..=3_600_000).contains(ms))
}

/// Dollars for one to dollars for a million, with six decimals.
pub fn per_million(one: f64) -> Value {
    let micro = (one * 1e12).round() / 1e6;
    json!(micro)
}

fn info(entry: &Node<'_>, params: &Node<'_>, provider: &str, model: &str, draft: &mut Draft) {
    let info = entry.get("model_info");
    let find = |name: &str| info.as_ref().and_then(|info| info.get(name)).or_else(|| params.get(name));
    let to = format!("providers.{provider}.models");
    for (theirs, ours) in [("max_input_tokens", "context"), ("max_output_tokens", "max_output")] {
        if let Some((node, count)) = find(theirs).and_then(|node| Some((node.clone(), node.value.as_u64().filter(|n| *n > 0)?))) {
            node.mapped(&to);
            draft.model(provider, model, ours, count.into());
        }
    }
    let mut supports = vec![];
    for (theirs, ours) in SUPPORTS {
        if let Some(node) = find(theirs) {
            node.mapped(&to);
            if node.value == &json!(true) {
                supports.push(ours);
            }
        }
    }
    if !supports.is_empty() {
        draft.model(provider, model, "supports", json!(supports));
    }
    let has = |name: &str| find(name).is_some_and(|node| node.number().is_some());
    if has("input_cost_per_token") && has("output_cost_per_token") {
        let mut price = Map::new();
        for (theirs, ours) in PRICES {
            if let Some((node, one)) = find(theirs).and_then(|node| Some((node.clone(), node.number()?))) {
                node.mapped(&to);
                price.insert(ours.to_owned(), per_million(one));
            }
        }
        draft.model(provider, model, "price", price.into());
    }
    for (name, why) in [
        ("mode", "what a model does is known by the path that is called"),
        ("base_model", "a deployment is best named as its model"),
        ("id", "targets are known by their names"),
    ] {
        if let Some(node) = info.as_ref().and_then(|info| info.get(name)) {
            node.ignored(why);
        }
    }
}

fn known(node: &Node<'_>, groups: &[(String, Group)], how: &str) -> Option<String> {
    let name = slug(node.text()?);
    if groups.iter().any(|(known, _)| *known == name) {
        node.mapped(how);
        return Some(name);
    }
    node.unmapped("no model of the list has this name");
    None
}

/// `fallbacks` and its relatives: a list of objects, name to names.
fn chains(settings: &Node<'_>, groups: &[(String, Group)], all: &mut BTreeMap<String, Vec<String>>, filtered: &mut Vec<String>) {
    for (theirs, how) in [
        ("fallbacks", "behind the route's own targets"),
        (
            "context_window_fallbacks",
            "behind the route's own targets: what is too long goes to a larger window, and other failures go there too",
        ),
        (
            "content_policy_fallbacks",
            "behind the route's own targets, with on_content_filter `fallback`: other failures go there too",
        ),
    ] {
        let lists = settings.get(theirs).into_iter().flat_map(|list| list.items());
        for (name, names) in lists.flat_map(|item| item.members()) {
            let from = slug(&name);
            if !groups.iter().any(|(known, _)| *known == from) {
                names.unmapped("no model of the list has the name that falls back");
                continue;
            }
            let chain = all.entry(from.clone()).or_default();
            chain.extend(names.items().iter().filter_map(|name| known(name, groups, how)));
            if theirs.starts_with("content") {
                filtered.push(from);
            }
        }
    }
}

/// Each group a route. One that falls back leads to its deployments first, which stand in a route of their own, for routes
/// lead in no circle: what falls back to a group gets its deployments, not its fallbacks.
fn routes(
    groups: Vec<(String, Group)>,
    fallbacks: &BTreeMap<String, Vec<String>>,
    filtered: &[String],
    everywhere: &[String],
    strategy: &str,
    draft: &mut Draft,
) {
    let names: Vec<String> = groups.iter().map(|(name, _)| name.clone()).collect();
    let chain = |name: &String| {
        let mut chain: Vec<String> = vec![];
        for next in fallbacks.get(name).into_iter().flatten().chain(everywhere) {
            if next != name && !chain.contains(next) {
                chain.push(next.clone());
            }
        }
        chain
    };
    let pool = |name: &String| if chain(name).is_empty() { name.clone() } else { free(&format!("{name}-deployments"), &names) };
    for (name, group) in groups {
        let mut route = Map::new();
        if group.shares || group.targets.len() > 1 {
            route.insert("strategy".to_owned(), strategy.into());
        }
        let targets = group.targets.into_iter().map(tidy);
        route.insert("targets".to_owned(), Value::Array(targets.collect()));
        let chain = chain(&name);
        if !chain.is_empty() {
            let inner = pool(&name);
            let uses = std::iter::once(inner.clone()).chain(chain.iter().map(&pool)).map(|name| json!({ "use": name }));
            let mut outer = object(json!({ "targets": uses.collect::<Vec<_>>() }));
            if filtered.contains(&name) {
                outer.insert("on_content_filter".to_owned(), "fallback".into());
            }
            draft.routes.insert(inner, route.into());
            route = outer;
        }
        draft.routes.insert(name, route.into());
    }
}

fn free(name: &str, taken: &[String]) -> String {
    let numbered = (2..).map(|number| format!("{name}-{number}"));
    std::iter::once(name.to_owned()).chain(numbered).find(|name| !taken.contains(name)).unwrap_or_default()
}

/// A target that says nothing else is a name.
fn tidy(mut target: Value) -> Value {
    let only = target.as_object_mut().filter(|members| members.len() == 1).and_then(|members| members.remove("model"));
    only.unwrap_or(target)
}

fn alias(aliases: &Node<'_>, draft: &mut Draft) {
    for (alias, node) in aliases.members() {
        let group = node.get("model").unwrap_or_else(|| node.clone());
        let (name, target) = (slug(&alias), group.text().map(slug).unwrap_or_default());
        if draft.routes.contains_key(&name) || !draft.routes.contains_key(&target) {
            node.unmapped("its name is taken, or what it stands for is no model of the list");
            continue;
        }
        group.mapped(&format!("routes.{name}"));
        node.get("hidden").inspect(|node| node.ignored("routes are listed to whoever may call them"));
        draft.routes.insert(name, json!({ "targets": [{ "use": target }] }));
    }
}
