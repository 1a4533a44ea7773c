//! Configuration, its versions, health and tenants' own keys.

use super::kinds::Object;

pub(super) const OBJECTS: &[Object] = &[
    (
        "Error",
        "",
        &[("error", "@Fault", ""), ("problems?", "@Problem[]", "Of documents that do not hold together: all that is wrong.")],
    ),
    ("Fault", "", &[("message", "text", "What to do."), ("path?", "text?", "Where in the body or the query.")]),
    ("Problem", "", &[("document", "text", ""), ("path", "text", "Such as `smart.targets[0]`."), ("message", "text", "")]),
    (
        "Config",
        "What is in force.",
        &[
            ("ok", "flag", "Whether all documents are."),
            ("config", "digest", "The version of all of them together."),
            ("problems", "@Problem[]", "Of documents that are not: the last good ones hold."),
            ("warnings", "text[]", "What may want attention."),
            ("providers", "text[]", "Those that are on."),
            ("off", "text[]{}", "Those that are not, with the secrets that each lacks."),
        ],
    ),
    (
        "Written",
        "A document that was written, or would be.",
        &[
            ("document", "document", ""),
            ("config", "digest", "The version of all documents together."),
            ("warnings", "text[]", "What may want attention."),
            ("dry_run?", "flag", "Nothing was written."),
            ("in_force?", "@InForce", "Absent of what was not written."),
        ],
    ),
    ("Versions", "Newest first, the last 100.", &[("data", "@Version[]", "")]),
    (
        "Version",
        "A text of a document that was in force.",
        &[
            ("version", "/^[0-9]+$/", "A number that only rises."),
            ("document", "document", ""),
            ("at", "at", "When an isolate first saw it."),
            ("bytes", "bytes", ""),
            ("by", "api|kv", "`kv`: an edit past this API."),
            ("digest", "digest", "Its `ETag`, without the quotes."),
            ("current", "flag", "It is what is in force."),
        ],
    ),
    (
        "Diff",
        "What makes one text of the other, in an order in which it can be done (RFC 6902).",
        &[
            ("document", "document", ""),
            ("from", "/^([0-9]+|current)$/?", "null: it is the first one."),
            ("to", "/^[0-9]+$/", ""),
            ("changes", "@Edit[]", ""),
        ],
    ),
    (
        "Edit",
        "",
        &[
            ("path", "text", "A JSON pointer."),
            ("op", "add|remove|replace", ""),
            ("was?", "any", "Of `remove` and `replace`."),
            ("is?", "any", "Of `add` and `replace`."),
        ],
    ),
    (
        "Health",
        "What each region knows.",
        &[("regions", "@RegionHealth{}", "By region."), ("unreachable?", "region[]", "Those whose object did not answer.")],
    ),
    (
        "RegionHealth",
        "",
        &[
            ("cells", "@Cell{}", "By `provider/model`, `provider#n` (its nth credential, from 0) or `provider@colo`."),
            ("operator", "@Word{}", "The operator's words that hold, by target."),
            ("history?", "@StateChange[]", "Newest first, at most 500."),
        ],
    ),
    (
        "Cell",
        "",
        &[
            ("standing", "standing", ""),
            ("percent?", "percent", "Of its traffic that it gets, where that is not all of it."),
            ("until?", "at", "When it is tried again."),
            ("p50_ms?", "ms", "To the first content."),
            ("p95_ms?", "ms", "To the first content."),
            ("samples?", "count", "That these are of."),
            ("failed_permille", "0..1000", "Of its last requests, in thousandths."),
        ],
    ),
    ("Word", "", &[("action", "drain|force_open|force_close", ""), ("until", "at", "")]),
    (
        "StateChange",
        "",
        &[
            ("at", "at", ""),
            ("cell", "text", ""),
            ("from", "state", ""),
            ("to", "state", ""),
            ("until?", "at", "When that ends by its time."),
            ("why?", "text", "Where it is known."),
        ],
    ),
    ("OwnKeys", "What may be known of a tenant's own keys.", &[("tenant", "text", ""), ("data", "@OwnKeyLine[]", "")]),
    (
        "OwnKeyLine",
        "",
        &[
            ("provider", "text", ""),
            ("fingerprint", "text", "Tells keys apart, and says nothing of them."),
            ("set", "at", "When it was brought."),
        ],
    ),
];
