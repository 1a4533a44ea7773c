//! What calls take. A member that is not here is an error.

use super::kinds::Object;

pub(super) const OBJECTS: &[Object] = &[
    (
        "HealthOrder",
        "`null` counts as absent.",
        &[
            ("action", "drain|force_open|force_close|reset", ""),
            ("for_ms?", "1..2592000000?", "How long it holds, in milliseconds; an hour unless it says."),
            ("region?", "region?", "Where; everywhere unless it says."),
        ],
    ),
    ("Rotation", "", &[("overlap_s?", "0..2592000?", "For so long the old key lives on, in seconds; a day unless it says.")]),
    ("OwnKey", "", &[("key", "own-key", "The provider's key; a service account's file may stand here as it is.")]),
    (
        "Asking",
        "A request as it would be sent, and what is assumed. `null` counts as absent.",
        &[
            ("body", "object", "The request's own body."),
            ("headers?", "text{}?", "At most 128."),
            ("dialect?", "openai-chat|openai-responses|openai-completions|anthropic?", "Whose usual path it is sent to."),
            ("path?", "text?", "The path it is sent to, instead."),
            ("at?", "count?", "When it comes, in milliseconds since 1970; now unless it says."),
            ("request_id?", "text?", "Its id, which draws depend on."),
            ("key?", "@KeyEntry?", "Of the gateway key; `GATEWAY_KEY` unless it says."),
            ("origin?", "@Origin?", ""),
            ("owner?", "text?", "The provider that keeps the stored response it goes on from."),
            ("health?", "object?", "By cell: a standing, or one with numbers. What is known now unless it says."),
        ],
    ),
    (
        "Simulating",
        "A request, and what goes wrong.",
        &[
            ("...", "Asking", ""),
            ("faults?", "object?", "By target, at most 16: what its tries meet, one after the other."),
            ("client_leaves_ms?", "count?", "When the client leaves, in milliseconds after it came."),
        ],
    ),
    (
        "Origin",
        "Where a request comes in.",
        &[
            ("region?", "text?", ""),
            ("country?", "text?", "ISO 3166, two letters."),
            ("colo?", "text?", "A data centre's three letters."),
        ],
    ),
];
