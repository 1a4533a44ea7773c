//! What callers under limits are told with every answer.

use super::{Meter, Numbers};
use crate::units::{Millis, Money};

const SECOND_MS: u64 = 1_000;
const KEY: &str = "key:";

/// Of each limit the subject that has the least left; of budgets only the key's own, for others' spending is not its holder's
/// to know. Anthropic's SDKs know names of their own.
pub fn headers(standing: &[(String, Numbers)], for_anthropic: bool, now: Millis) -> Vec<(String, String)> {
    let mut out = vec![];
    let tightest = |meter: fn(&Numbers) -> Option<Meter>| {
        standing.iter().filter_map(|(_, numbers)| meter(numbers)).min_by_key(|meter| (meter.left, meter.limit))
    };
    let meters = [("requests", tightest(|numbers| numbers.requests)), ("tokens", tightest(|numbers| numbers.tokens))];
    for (what, meter) in meters {
        let Some(Meter { limit, left, reset_ms }) = meter else { continue };
        let mut put = |name: String, value: String| out.push((name, value));
        put(format!("x-ratelimit-limit-{what}"), limit.to_string());
        put(format!("x-ratelimit-remaining-{what}"), left.to_string());
        put(format!("x-ratelimit-reset-{what}"), duration(reset_ms));
        if for_anthropic {
            put(format!("anthropic-ratelimit-{what}-limit"), limit.to_string());
            put(format!("anthropic-ratelimit-{what}-remaining"), left.to_string());
            // Whole seconds: rather late than early.
            put(format!("anthropic-ratelimit-{what}-reset"), now.plus(reset_ms).plus(SECOND_MS - 1).timestamp());
        }
    }
    let own = standing.iter().find(|(subject, _)| subject.starts_with(KEY)).and_then(|(_, numbers)| numbers.money);
    out.extend(own.map(|left| ("x-portolan-budget-remaining".to_owned(), Money(left).dollars())));
    out
}

/// As OpenAI writes it: `350ms`, `1.5s`, `6m0s`.
fn duration(ms: u64) -> String {
    let (minutes, rest) = (ms / 60_000, ms % 60_000);
    match (minutes, rest) {
        (0, 0) => "0s".to_owned(),
        (0, 1..SECOND_MS) => format!("{rest}ms"),
        (0, _) => format!("{}s", seconds(rest)),
        (minutes, _) => format!("{minutes}m{}s", seconds(rest)),
    }
}

fn seconds(ms: u64) -> String {
    let (whole, part) = (ms / SECOND_MS, ms % SECOND_MS);
    if part == 0 { whole.to_string() } else { format!("{whole}.{part:03}").trim_end_matches('0').to_owned() }
}
