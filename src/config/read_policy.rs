//! What routes and `settings` say of how a request is carried out, by the same names.

use serde_json::Value;

use super::{
    Cache, Hedge, Lossy, OnContentFilter, OnStreamBreak, Policy, WhenAllUnavailable, read_condition::REGIONS, reader::Reader,
    settings::MAX_MS,
};

/// A caller waits for a target to come back no longer than for a slow first token.
const MAX_WAIT_MS: u64 = 30_000;
/// The first pause of a breaker.
const WAIT_MS: u64 = 5_000;

/// All but `retry` and `timeouts`, which `settings` keeps whole.
pub(super) fn read_policy(reader: &mut Reader<'_>) -> Policy {
    let breaks = [("error", OnStreamBreak::Error), ("continue", OnStreamBreak::Continue), ("atomic", OnStreamBreak::Atomic)];
    let filtered = [("error", OnContentFilter::Error), ("fallback", OnContentFilter::Fallback)];
    Policy {
        when_all_unavailable: read_unavailable(reader),
        on_stream_break: reader.choice("on_stream_break", &breaks),
        on_content_filter: reader.choice("on_content_filter", &filtered),
        hedge: read_hedge(reader),
        lossy: reader.choice("lossy", &[("report", Lossy::Report), ("refuse", Lossy::Refuse)]),
        zdr: reader.flag("zdr"),
        cache: read_cache(reader),
        ..Policy::default()
    }
}

fn read_unavailable(reader: &mut Reader<'_>) -> Option<WhenAllUnavailable> {
    const KEY: &str = "when_all_unavailable";
    if !matches!(reader.peek(KEY), Some(Value::Object(_))) {
        let wait = WhenAllUnavailable::Wait { ms: WAIT_MS };
        let words = [("try_anyway", WhenAllUnavailable::TryAnyway), ("fail", WhenAllUnavailable::Fail), ("wait", wait)];
        return reader.choice(KEY, &words);
    }
    let ms = reader.object(KEY, |reader| {
        let ms = reader.need("wait_ms", "how long to wait, in milliseconds")?;
        reader.whole_of("wait_ms", &ms, 1..=MAX_WAIT_MS)
    });
    ms.flatten().map(|ms| WhenAllUnavailable::Wait { ms })
}

/// `{"after": "p95"}`, `{"after": 1500}`, or `false`.
fn read_hedge(reader: &mut Reader<'_>) -> Option<Option<Hedge>> {
    const KEY: &str = "hedge";
    if reader.peek(KEY).is_some_and(Value::is_boolean) {
        if reader.flag(KEY)? {
            reader.problem(KEY, "Say when, such as {\"after\": \"p95\"}, or false.");
        }
        return Some(None);
    }
    let hedge = reader.object(KEY, |reader| {
        let after = reader.need("after", "\"p95\", or milliseconds")?;
        if after == "p95" {
            return Some(Hedge::P95);
        }
        reader.whole_of("after", &after, 1..=MAX_MS).map(Hedge::AfterMs)
    });
    hedge.flatten().map(Some)
}

/// Seconds that an answer is kept: KV's least.
const MIN_CACHE_S: u64 = 60;
/// A week: what is older was said by a model that may be gone.
const MAX_CACHE_S: u64 = 604_800;

/// `{"ttl_s": 300}`, or `false`.
fn read_cache(reader: &mut Reader<'_>) -> Option<Option<Cache>> {
    const KEY: &str = "cache";
    if reader.peek(KEY).is_some_and(Value::is_boolean) {
        if reader.flag(KEY)? {
            reader.problem(KEY, "Say for how long, such as {\"ttl_s\": 300}, or false.");
        }
        return Some(None);
    }
    let cache = reader.object(KEY, |reader| {
        let ttl_s = reader.need("ttl_s", "how long an answer is kept, in seconds")?;
        reader.whole_of("ttl_s", &ttl_s, MIN_CACHE_S..=MAX_CACHE_S).map(|ttl_s| Cache { ttl_s })
    });
    let cache = cache.flatten()?;
    Some(Some(cache))
}

/// Places of the platform, where requests come in.
pub(super) fn read_regions(reader: &mut Reader<'_>) -> Vec<String> {
    let Some(regions) = reader.strings("regions") else { return vec![] };
    if regions.is_empty() {
        reader.problem("regions", "At least one region; leave it out for all of them.");
    }
    for (i, region) in regions.iter().enumerate() {
        if !REGIONS.contains(&region.as_str()) {
            let message = format!("`{region}` is not a region; they are: {}.", REGIONS.join(", "));
            reader.problem(&format!("regions[{i}]"), message);
        }
    }
    regions
}
