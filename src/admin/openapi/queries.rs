//! What queries may say. A parameter that is not here is an error.

use super::kinds::Member;

pub(super) const DRY_RUN: Member =
    ("dry_run", "flag", "Say what would come of it, and write nothing. `If-Match` is not needed then.");
pub(super) const DOCUMENT: Member = ("document!", "document", "Which document.");
pub(super) const AGAINST: Member =
    ("against", "/^([0-9]+|current)$/", "What it is compared with: a version or `current`; the one before unless it says.");
pub(super) const CHAIN: Member =
    ("tenant", "tenant", "Whose chain: `default` unless it says, `@operator` for what is no tenant's.");
pub(super) const WHOSE: Member = ("tenant", "tenant", "Whose it is, where that is known: one journal is asked instead of all.");

pub(super) const REQUESTS: &[Member] = &[
    ("tenant", "/./", "Names of tenants, at most 100, with commas between; all unless it says."),
    ("key", "names", "Of gateway keys."),
    ("route", "names", "Of routes."),
    ("provider", "names", "Of providers."),
    ("model", "names", "Of models as asked for, served or answered."),
    ("status", "/^[0-9x,-]+$/", "`200`, `4xx` or `400-499`, with commas between."),
    ("outcome", "names", "Of outcomes."),
    ("min_ms", "0..9223372036854775807", "At least so many milliseconds in all."),
    ("max_ms", "0..9223372036854775807", "At most so many milliseconds in all."),
    ("min_first_ms", "0..9223372036854775807", "At least so many milliseconds to the first token."),
    ("min_cost_usd", "usd", "It cost at least so much."),
    ("failover", "flag", "Whether more than one target was tried."),
    ("fault", "names", "Whose fault it was."),
    ("id", "/./", "A part of the gateway's, the caller's or the provider's id."),
    ("from", "moment", "When it came, at the earliest."),
    ("to", "moment", "When it came; that itself is left out."),
    ("before", "/^c[0-9a-f]+-[A-Za-z0-9_]*$/", "What a page's `next` said."),
    ("after", "/^c[0-9a-f]+-[A-Za-z0-9_]*$/", "What a page's `newest` said: what came since."),
    ("limit", "1..500", "Records of a page; 50 unless it says."),
];
pub(super) const METRICS: &[Member] = &[
    ("window", "1h|24h|7d|30d", "1h unless it says."),
    ("group_by", "label,", "With commas between."),
    ("route", "names", ""),
    ("provider", "names", ""),
    ("model", "names", ""),
    ("region", "names", ""),
    ("operation", "names", ""),
    ("outcome", "names", ""),
];
pub(super) const HEALTH: &[Member] = &[
    ("region", "region", "All unless it says."),
    ("history", "true|false|1|0", "Also what changed, newest first, 500 a region."),
];
pub(super) const USAGE: &[Member] = &[
    ("key", "names", ""),
    ("tenant", "names", ""),
    ("tag", "names", ""),
    ("user", "names", ""),
    ("route", "names", ""),
    ("provider", "names", ""),
    ("model", "names", ""),
    ("from", "moment", "Its hour is the first; 30 days before `to` unless it says."),
    ("to", "moment", "Its hour is the last; now unless it says."),
    ("group_by", "dimension,", "With commas between."),
    ("format", "json|csv|jsonl", "json unless it says."),
];
pub(super) const AUDIT: &[Member] = &[
    CHAIN,
    ("after", "count", "The number of an entry: those after it."),
    ("limit", "1..1000", "Entries of a page; 100 unless it says."),
    ("format", "json|jsonl", "`jsonl`: all of the chain as a stream."),
];
pub(super) const VERIFY: &[Member] = &[CHAIN, ("head", "/^[0-9]+-[0-9a-f]{64}$/", "NUMBER-HASH that was kept elsewhere.")];
pub(super) const KEYS: &[Member] = &[
    ("limit", "1..100", "Keys of a page; 50 unless it says."),
    ("cursor", "text", "What the page before said."),
    ("tenant", "text", "Of one tenant."),
];
