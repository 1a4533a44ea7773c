//! TensorZero's `tensorzero.toml`.

use anyhow::Result;
use serde_json::{Map, Value, json};

use super::draft::{Draft, Wanted, checked, slug};
use super::source::Node;

/// Members of a variant that are members of a request.
const BODY: [&str; 9] = [
    "temperature",
    "top_p",
    "max_tokens",
    "seed",
    "presence_penalty",
    "frequency_penalty",
    "stop_sequences",
    "reasoning_effort",
    "service_tier",
];

pub fn import(root: Node<'_>, draft: &mut Draft) -> Result<()> {
    for (name, model) in root.get("models").into_iter().flat_map(|models| models.members()) {
        as_route(&name, &model, draft);
    }
    let models: Vec<String> = draft.routes.keys().cloned().collect();
    for (name, function) in root.get("functions").into_iter().flat_map(|functions| functions.members()) {
        self::function(&name, &function, &models, draft);
    }
    for (name, why) in [
        ("metrics", "feedback and evaluation are not a gateway's"),
        ("evaluations", "feedback and evaluation are not a gateway's"),
        ("tools", "tools come with the request"),
        ("clickhouse", "records are kept by Durable Objects"),
        ("postgres", "records are kept by Durable Objects"),
        ("object_storage", "content is not stored"),
    ] {
        root.get(name).inspect(|node| node.ignored(why));
    }
    if let Some(gateway) = root.get("gateway") {
        gateway.get("bind_address").inspect(|node| node.ignored("the platform listens"));
        gateway.get("debug").inspect(|node| node.ignored("content is never logged"));
        gateway
            .get("observability")
            .inspect(|node| node.ignored("records are kept by Durable Objects, spans are said in `settings`"));
    }
    root.get("rate_limiting").inspect(|node| node.unmapped("write limits into `budgets` or a key: docs/limits.md"));
    Ok(())
}

/// A model, with its providers in the order of `routing`.
fn as_route(name: &str, model: &Node<'_>, draft: &mut Draft) {
    let route = slug(name);
    let Some(providers) = model.get("providers") else { return model.unmapped("has no providers") };
    let mut targets = vec![];
    let Some(routing) = model.get("routing") else { return model.unmapped("has no `routing`") };
    for item in routing.items() {
        let Some(provider) = item.text().and_then(|own| providers.get(own)) else {
            item.unmapped("names no provider of the model");
            continue;
        };
        if let Some(target) = target(&provider, &route, draft) {
            item.mapped(&format!("routes.{route}.targets"));
            targets.push(target);
        } else {
            item.unmapped("its provider could not be mapped");
        }
    }
    providers.ignored("not named in `routing`, or the provider's own affair");
    if targets.is_empty() {
        return;
    }
    let mut out = Map::from_iter([("targets".to_owned(), Value::Array(targets))]);
    timeouts(model, &mut out, &format!("routes.{route}"));
    retries(model, &mut out, &route);
    draft.routes.insert(route, out.into());
}

fn target(provider: &Node<'_>, route: &str, draft: &mut Draft) -> Option<Value> {
    let kind = provider.get("type")?;
    let word = kind.text()?;
    let base = provider.any(&["api_base", "endpoint"]);
    let model = provider.any(&["model_name", "deployment_id", "model_id", "endpoint_id"]);
    let refuse = |why: &str| {
        provider.unmapped(why);
        None
    };
    let base_url = base.as_ref().and_then(|node| node.text());
    if base_url.is_some_and(|url| url.starts_with("env::") || url.starts_with("dynamic::")) {
        return refuse("its address is not in the file: write it there and import again");
    }
    let Some(model) = model else { return refuse("names no model") };
    let own = model.text()?;
    if let Err(why) = checked(word, base_url) {
        return refuse(&why);
    }
    let mut keys = vec![];
    if let Some(node) = provider.get("api_key_location") {
        let locations =
            if node.value.is_object() { node.members().into_iter().map(|(_, node)| node).collect() } else { vec![node] };
        for node in locations {
            match node.text().and_then(|text| text.split_once("::")) {
                Some(("env", name)) => {
                    let key = draft.env(name, &node);
                    node.mapped(&format!("the secret {key}"));
                    keys.push(key);
                }
                Some(("dynamic", _)) => node.unmapped("a caller's own key: tenants bring theirs, see docs/secrets.md"),
                _ if node.text() == Some("none") => node.mapped("no key"),
                _ => node.unmapped("not a place that a Worker can read"),
            }
        }
    }
    let found = match draft.provider(Wanted { word, base_url: base_url.map(str::to_owned), keys }) {
        Ok(found) => found,
        Err(why) => return refuse(&why),
    };
    kind.mapped(&format!("provider `{found}`"));
    base.inspect(|node| node.mapped(&format!("providers.{found}.base_url")));
    model.mapped(&format!("routes.{route}.targets"));
    for (name, why) in [("region", "set AWS_REGION"), ("location", "set VERTEX_LOCATION"), ("project_id", "set VERTEX_PROJECT")] {
        if let Some(node) = provider.get(name) {
            node.unmapped(&format!("{why} as a variable of the Worker: it is one for all"));
        }
    }
    let mut out = Map::from_iter([("model".to_owned(), format!("{found}/{own}").into())]);
    timeouts(provider, &mut out, &format!("routes.{route}: targets"));
    // Before its rest is left to `routing`'s own word.
    for name in ["extra_body", "extra_headers", "credential_location", "timeouts", "api_type"] {
        provider.get(name).inspect(|node| node.unmapped("of this provider: see `params` of a target in docs/configuration.md"));
    }
    if out.len() == 1 { out.remove("model") } else { Some(out.into()) }
}

/// `timeouts.non_streaming.total_ms`, `timeouts.streaming.ttft_ms` and `.total_ms`.
fn timeouts(node: &Node<'_>, out: &mut Map<String, Value>, to: &str) {
    let Some(timeouts) = node.get("timeouts") else { return };
    let mut ours = Map::new();
    for (group, theirs, name) in [
        ("non_streaming", "total_ms", "total_ms"),
        ("streaming", "total_ms", "total_ms"),
        ("streaming", "ttft_ms", "first_token_ms"),
    ] {
        let found = timeouts.get(group).and_then(|group| group.get(theirs));
        if let Some((node, ms)) =
            found.and_then(|node| Some((node.clone(), node.value.as_u64().filter(|ms| (1..=3_600_000).contains(ms))?)))
        {
            node.mapped(&format!("{to}.timeouts.{name}: the longer of streams and whole answers"));
            let known = ours.get(name).and_then(Value::as_u64).unwrap_or(0);
            ours.insert(name.to_owned(), ms.max(known).into());
        }
    }
    if !ours.is_empty() {
        out.insert("timeouts".to_owned(), ours.into());
    }
}

fn retries(node: &Node<'_>, out: &mut Map<String, Value>, route: &str) {
    let Some(retries) = node.get("retries") else { return };
    if let Some((node, count)) = retries.get("num_retries").and_then(|node| Some((node.clone(), node.value.as_u64()?))) {
        node.mapped(&format!("routes.{route}.retry.attempts: targets tried, 4 at most"));
        out.insert("retry".to_owned(), json!({ "attempts": count.saturating_add(1).clamp(1, 4) }));
    }
    retries.get("max_delay_s").inspect(|node| node.ignored("pauses follow `Retry-After` and the gateway's own rule"));
}

/// A function is a route over its variants.
fn function(name: &str, function: &Node<'_>, models: &[String], draft: &mut Draft) {
    let plain = slug(name);
    let route = if models.contains(&plain) { format!("{plain}-function") } else { plain };
    let variants = function.get("variants").map(|variants| variants.members()).unwrap_or_default();
    let (mut targets, mut last) = (vec![], vec![]);
    let mut policy = Map::new();
    for (name, variant) in variants {
        let kind = variant.get("type");
        if kind.as_ref().is_some_and(|kind| kind.text() != Some("chat_completion")) {
            variant.unmapped("several inferences of one request: there are routes only");
            continue;
        }
        kind.inspect(|node| node.mapped(&format!("routes.{route}")));
        let Some((node, model)) = variant.get("model").and_then(|node| Some((node.clone(), node.text()?))) else {
            variant.unmapped("names no model");
            continue;
        };
        let Some(mut target) = place(model, models, draft) else {
            variant.unmapped("its model is not in the file, and no provider of the catalog has it");
            continue;
        };
        node.mapped(&format!("routes.{route}: variant {name}"));
        body(&variant, &mut target, &route);
        retries(&variant, &mut policy, &route);
        timeouts(&variant, &mut policy, &format!("routes.{route}"));
        let weight = variant.get("weight").and_then(|node| Some((node.clone(), node.number()?)));
        match weight {
            // A variant without a weight is only fallen back to.
            None => last.push(target),
            Some((node, share)) => {
                node.mapped(&format!("routes.{route}: weight"));
                let share: u64 = format!("{}", (share * 1_000.0).round()).parse().unwrap_or(1_000);
                target.insert("weight".to_owned(), share.min(1_000_000).into());
                targets.push(target);
            }
        }
    }
    for name in ["type", "description"] {
        function.get(name).inspect(|node| node.ignored("a route has neither"));
    }
    for name in ["system_schema", "user_schema", "assistant_schema", "output_schema", "schemas", "tools", "tool_choice"] {
        function.get(name).inspect(|node| node.unmapped("templates, schemas and tools come with the request"));
    }
    let is_weighted = !targets.is_empty();
    targets.extend(last.into_iter().map(|mut target| {
        if is_weighted {
            target.insert("weight".to_owned(), 0.into());
        }
        target
    }));
    if targets.is_empty() {
        return function.unmapped("none of its variants could be mapped");
    }
    if is_weighted {
        policy.insert("strategy".to_owned(), "weighted".into());
    }
    policy.insert("targets".to_owned(), json!(targets));
    draft.notes.push(format!(
        "function `{name}` is the model `{route}`: callers send whole messages, for templates are not filled in here"
    ));
    draft.routes.insert(route, policy.into());
}

/// A model of the file, or `provider::model`.
fn place(model: &str, models: &[String], draft: &mut Draft) -> Option<Map<String, Value>> {
    let own = slug(model);
    if models.contains(&own) {
        return Some(Map::from_iter([("use".to_owned(), own.into())]));
    }
    let (word, name) = model.split_once("::")?;
    let provider = draft.provider(Wanted { word, base_url: None, keys: vec![] }).ok()?;
    Some(Map::from_iter([("model".to_owned(), format!("{provider}/{name}").into())]))
}

fn body(variant: &Node<'_>, target: &mut Map<String, Value>, route: &str) {
    let mut default = Map::new();
    for (name, member) in BODY.into_iter().filter_map(|name| Some((name, variant.get(name)?))) {
        if target.contains_key("use") {
            member.unmapped("of a target that is another route: write it into that one's targets");
        } else {
            member.mapped(&format!("routes.{route}: params.default"));
            let name = if name == "stop_sequences" { "stop" } else { name };
            default.insert(name.to_owned(), member.value.clone());
        }
    }
    if !default.is_empty() {
        target.insert("params".to_owned(), json!({ "default": default }));
    }
    for name in ["system_template", "user_template", "assistant_template", "templates", "json_mode"] {
        variant.get(name).inspect(|node| node.unmapped("templates and schemas come with the request"));
    }
}
