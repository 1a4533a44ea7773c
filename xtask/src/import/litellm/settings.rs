//! What LiteLLM says for all models at once.

use serde_json::json;

use super::milliseconds;
use crate::import::draft::Draft;
use crate::import::source::Node;

const STATE: &str = "Portolan keeps its state in Durable Objects and KV: there is no database to name";
const SINKS: &str = "where records go is said in `settings`: see docs/traces.md and docs/records.md";

/// What the router and the library both may say.
pub fn common(settings: &Node<'_>, draft: &mut Draft) {
    if let Some((node, retries)) = settings.get("num_retries").and_then(|node| Some((node.clone(), node.value.as_u64()?))) {
        node.mapped("settings.retry.attempts: targets tried, 4 at most; one that fails for a moment is tried twice anyway");
        draft.setting("retry", "attempts", retries.saturating_add(1).min(4));
    }
    for (theirs, ours) in [
        ("timeout", &["total_ms", "non_stream_total_ms"][..]),
        ("request_timeout", &["total_ms", "non_stream_total_ms"]),
        ("stream_timeout", &["first_token_ms"]),
    ] {
        if let Some((node, ms)) = settings.get(theirs).and_then(|node| Some((node.clone(), milliseconds(&node)?))) {
            node.mapped("settings.timeouts");
            ours.iter().for_each(|ours| draft.setting("timeouts", ours, ms));
        }
    }
    if let Some((node, fails)) = settings.get("allowed_fails").and_then(|node| Some((node.clone(), node.value.as_u64()?))) {
        node.mapped("settings.breaker.consecutive_failures");
        draft.setting("breaker", "consecutive_failures", fails.saturating_add(1).min(1_000_000));
    }
    if let Some((node, ms)) = settings.get("cooldown_time").and_then(|node| Some((node.clone(), milliseconds(&node)?))) {
        node.mapped("settings.breaker.open_ms");
        draft.setting("breaker", "open_ms", ms);
    }
    for name in
        ["redis_host", "redis_port", "redis_url", "redis_password", "cache_responses", "enable_pre_call_checks", "set_verbose"]
    {
        settings
            .get(name)
            .inspect(|node| node.ignored(if name.starts_with("redis") { STATE } else { "always on, or of no use here" }));
    }
}

pub fn library_settings(library: &Node<'_>, draft: &mut Draft) {
    if let Some(node) = library.get("drop_params").filter(|node| node.value.is_boolean()) {
        node.mapped("settings.lossy");
        let lossy = if node.value == &json!(true) { "report" } else { "refuse" };
        draft.settings.insert("lossy".to_owned(), lossy.into());
    }
    if let Some(node) = library.get("cache") {
        let args = library.get("cache_params");
        let ttl = args.as_ref().and_then(|args| args.get("ttl"));
        let seconds = ttl.as_ref().and_then(|ttl| ttl.value.as_u64()).unwrap_or(600).clamp(60, 604_800);
        if node.value == &json!(true) {
            draft.settings.insert("cache".to_owned(), json!({ "ttl_s": seconds }));
            ttl.inspect(|ttl| ttl.mapped("settings.cache.ttl_s, 60 at least"));
        }
        node.mapped("settings.cache");
        args.inspect(|args| args.ignored("answers are kept in KV, sealed"));
    }
    if let Some((node, usd)) = library.get("max_end_user_budget").and_then(|node| Some((node.clone(), node.number()?))) {
        node.mapped("budgets.users.*");
        draft.budgets.insert("users".to_owned(), json!({ "*": { "budgets": [{ "usd": usd, "per": "total" }] } }));
    }
    for name in ["success_callback", "failure_callback", "callbacks", "service_callbacks"] {
        library.get(name).inspect(|node| node.unmapped(SINKS));
    }
    for name in ["set_verbose", "json_logs", "turn_off_message_logging", "redact_user_api_key_info", "telemetry"] {
        library.get(name).inspect(|node| node.ignored("content is never logged, and a record is one JSON line"));
    }
}

pub fn general(root: &Node<'_>, draft: &mut Draft) {
    if let Some(general) = root.get("general_settings") {
        if let Some(key) = general.get("master_key") {
            key.ignored("set the secrets GATEWAY_KEY and ADMIN_TOKEN with new values: it was both");
            draft.notes.push("callers need a gateway key of Portolan: docs/keys.md".to_owned());
        }
        for name in ["database_url", "database_connection_pool_limit", "store_model_in_db", "salt_key"] {
            general.get(name).inspect(|node| node.ignored(STATE));
        }
        for name in ["alerting", "alerting_threshold"] {
            general.get(name).inspect(|node| node.unmapped("`settings.budgets.webhook` is told of budgets"));
        }
    }
    if let Some(variables) = root.get("environment_variables") {
        variables.unmapped("set those that are needed as secrets or [vars] of the Worker");
    }
}
