//! OpenRouter: requests and presets with `models` and `provider`, and its list of models.

use anyhow::Result;
use serde_json::{Map, json};

use super::draft::{Draft, slug};
use super::litellm::per_million;
use super::source::Node;

const NAME: &str = "openrouter";
/// By the token.
const PRICES: [(&str, &str); 5] = [
    ("prompt", "input"),
    ("completion", "output"),
    ("input_cache_read", "cache_read"),
    ("input_cache_write", "cache_write"),
    ("internal_reasoning", "reasoning"),
];
/// What a model takes.
const SUPPORTS: [(&str, &str); 3] = [("tools", "tools"), ("structured_outputs", "json_schema"), ("reasoning", "reasoning")];
const TAKES: [(&str, &str); 4] = [("image", "vision"), ("audio", "audio"), ("video", "video"), ("file", "files")];

/// Members that are no parameters of the model.
const TAKEN: [&str; 11] =
    ["model", "models", "provider", "route", "messages", "prompt", "input", "stream", "name", "slug", "config"];

pub fn import(root: Node<'_>, draft: &mut Draft) -> Result<()> {
    if let Some(list) = root.get("data").filter(|list| list.value.is_array()) {
        list.items().iter().for_each(|model| listed(model, draft));
        return Ok(());
    }
    if root.value.is_array() {
        root.items().iter().for_each(|request| asked(request, draft));
    } else {
        asked(&root, draft);
    }
    Ok(())
}

/// One request, or preset, is one route.
fn asked(request: &Node<'_>, draft: &mut Draft) {
    let named = request.any(&["name", "slug"]);
    let base = named.as_ref().and_then(|node| node.text()).map_or_else(|| NAME.to_owned(), slug);
    let numbered = (2..).map(|number| format!("{base}-{number}"));
    let name = std::iter::once(base.clone()).chain(numbered).find(|name| !draft.routes.contains_key(name)).unwrap_or(base);
    named.inspect(|node| node.mapped(&format!("routes.{name}")));
    // As presets hold it.
    let body = request.get("config").unwrap_or_else(|| request.clone());
    let mut models = vec![];
    let first = body.get("model").into_iter();
    for node in first.chain(body.get("models").into_iter().flat_map(|list| list.items())) {
        let Some(model) = node.text() else { continue };
        node.mapped(&format!("routes.{name}.targets"));
        if !models.contains(&model) {
            models.push(model);
        }
    }
    if models.is_empty() {
        return request.unmapped("names no model");
    }
    let mut params = Map::new();
    if let Some(provider) = body.get("provider").filter(|provider| provider.value.is_object()) {
        provider.mapped(&format!("routes.{name}: params.override.provider, which OpenRouter gets as it stands"));
        params.insert("override".to_owned(), json!({ "provider": provider.value }));
    }
    body.get("route").inspect(|node| node.mapped("the order of the targets"));
    for member in ["messages", "prompt", "input"] {
        body.get(member).inspect(|node| node.ignored("content of a request is no configuration"));
    }
    body.get("stream").inspect(|node| node.ignored("callers say it"));
    let default = draft.params_but(&body, &TAKEN, &format!("routes.{name}: params.default"));
    if !default.is_empty() {
        params.insert("default".to_owned(), default.into());
    }
    let targets = models.iter().map(|model| {
        let model = format!("{NAME}/{model}");
        if params.is_empty() { json!(model) } else { json!({ "model": model, "params": params }) }
    });
    draft.routes.insert(name, json!({ "targets": targets.collect::<Vec<_>>() }));
}

fn listed(model: &Node<'_>, draft: &mut Draft) {
    let Some((node, id)) = model.get("id").and_then(|node| Some((node.clone(), node.text()?))) else {
        return model.unmapped("has no `id`");
    };
    let to = "providers.openrouter.models";
    node.mapped(to);
    let top = model.get("top_provider");
    let whole =
        |node: Option<Node<'_>>| node.and_then(|node| node.value.as_u64().filter(|n| *n > 0).inspect(|_| node.mapped(to)));
    if let Some(context) = whole(model.get("context_length")) {
        draft.model(NAME, id, "context", context.into());
    }
    if let Some(most) = whole(top.as_ref().and_then(|top| top.get("max_completion_tokens"))) {
        draft.model(NAME, id, "max_output", most.into());
    }
    let parameters = model.get("supported_parameters");
    let modalities = model.get("architecture").and_then(|architecture| architecture.get("input_modalities"));
    let mut supports = vec![];
    for (list, table) in [(parameters, &SUPPORTS[..]), (modalities, &TAKES[..])] {
        for item in list.into_iter().flat_map(|list| list.items()) {
            if let Some((_, ours)) = table.iter().find(|(theirs, _)| Some(*theirs) == item.text()) {
                item.mapped(to);
                supports.push(*ours);
            }
        }
    }
    // None is what is said of a model that takes text only.
    draft.model(NAME, id, "supports", json!(supports));
    price(model, id, draft);
    model.ignored("described, not configured");
}

fn price(model: &Node<'_>, id: &str, draft: &mut Draft) {
    let Some(pricing) = model.get("pricing") else { return };
    let one = |name: &str| {
        let node = pricing.get(name)?;
        let one = node.text().and_then(|text| text.parse::<f64>().ok()).or(node.number())?;
        (one.is_finite() && (0.0..0.1).contains(&one)).then_some((node, one))
    };
    let (Some(_), Some(_)) = (one("prompt"), one("completion")) else {
        return pricing.unmapped("no price for a token: it is that of the model it chooses");
    };
    let mut price = Map::new();
    for (theirs, ours) in PRICES {
        if let Some((node, one)) = one(theirs) {
            node.mapped("providers.openrouter.models: price");
            price.insert(ours.to_owned(), per_million(one));
        }
    }
    for (name, node) in pricing.members() {
        let is_nothing = node.text().is_some_and(|text| text.trim_matches(|c| c == '0' || c == '.').is_empty());
        if is_nothing {
            node.ignored("costs nothing");
        } else if name != "discount" {
            node.unmapped("a price of what is not counted in tokens: see docs/prices.md");
        }
    }
    draft.model(NAME, id, "price", price.into());
}
