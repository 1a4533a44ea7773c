//! The table of verdicts: a provider's status and words → class. Data; the first row that fits wins.
//!
//! A caller may get its own text echoed in a 400. So what moves health on a 400 must be in the code, or open the message,
//! and whatever is quoted inside a message is taken out before it is read.

use super::outcome::Class;

pub(super) struct Row {
    /// Statuses the row is for; none: all. 0 is an event inside a 200 that names none.
    pub at: &'static [u16],
    pub test: Test,
    pub class: Class,
}

pub(super) enum Test {
    /// The provider's code or kind is one of these.
    Code(&'static [&'static str]),
    /// The provider's code or kind has one of these within.
    CodeHolds(&'static [&'static str]),
    /// The message begins with one of these.
    Opens(&'static [&'static str]),
    /// The message begins so and says one of these.
    OpensAndSays(&'static str, &'static [&'static str]),
    /// The message is one name, which is complained of, and this.
    NamesAndSays(&'static str),
    /// The message has one of these within.
    Says(&'static [&'static str]),
    /// The field complained of is this.
    Param(&'static str),
    /// No code, no kind: no API said this, but a server that does not know the path.
    Bare,
    Always,
}

const ANY: &[u16] = &[];
/// A refusal of the request: by status, or inside a stream.
const REFUSED: &[u16] = &[0, 400, 404, 422];

pub(super) const ROWS: &[Row] = &[
    // What the model said is no answer (Gemini, Bedrock), and the message quotes it: before any row that reads words.
    Row {
        at: &[0],
        test: Test::Code(&[
            "malformed_function_call",
            "malformed_response",
            "unexpected_tool_call",
            "too_many_tool_calls",
            "malformed_model_output",
            "malformed_tool_use",
        ]),
        class: Class::Broken,
    },
    // Google says the same with a 400 where it looks before it answers.
    Row { at: &[0], test: Test::Code(&["missing_thought_signature"]), class: Class::Caller },
    // The content is refused: Azure and OpenAI, Alibaba, Ark, z.ai, Cohere; OpenRouter, xAI and Anthropic in words.
    Row {
        at: ANY,
        test: Test::Code(&[
            "content_filter",
            "content_policy_violation",
            "moderation_blocked",
            "prohibited_content",
            "1301",
            "error_toxic",
        ]),
        class: Class::ContentFilter,
    },
    Row {
        at: ANY,
        test: Test::CodeHolds(&[
            "sensitivecontent",
            "inspectionfailed",
            "inspection_failed",
            "responsibleaipolicy",
            "contentfilter",
        ]),
        class: Class::ContentFilter,
    },
    Row {
        at: &[0, 400, 403],
        test: Test::Says(&[
            "content management policy",
            "content filtering policy",
            "content policy",
            "content violates usage guidelines",
            "input was flagged",
            "flagged by moderation",
            "rejected as a result of our safety system",
        ]),
        class: Class::ContentFilter,
    },
    // The place called from is refused: OpenAI, Google, Anthropic, Groq.
    Row { at: ANY, test: Test::Code(&["unsupported_country_region_territory"]), class: Class::RegionBlocked },
    Row { at: &[0, 403], test: Test::Says(BLOCKED), class: Class::RegionBlocked },
    Row { at: &[400], test: Test::Opens(BLOCKED), class: Class::RegionBlocked },
    Row {
        at: &[403],
        test: Test::Opens(&["request not allowed", "access denied. please check your network settings"]),
        class: Class::RegionBlocked,
    },
    Row { at: &[451], test: Test::Always, class: Class::RegionBlocked },
    // More than the window holds: each provider has its own words.
    Row {
        at: ANY,
        test: Test::Code(&[
            "context_length_exceeded",
            "context_window_exceeded",
            "model_context_window_exceeded",
            "exceed_context_size_error",
            "1261",
        ]),
        class: Class::TooLong,
    },
    Row {
        at: &[0, 400, 413, 422],
        test: Test::Says(&[
            "maximum context length",
            "maximum prompt length",
            "prompt is too long",
            "input is too long",
            "input token count",
            "exceed context limit",
            "context length exceeded",
            "context window",
            "available context size",
            "too many tokens",
            "reduce the length of",
            "exceeded model token limit",
            "range of input length should be",
            "exceed max message tokens",
            "input tokens exceeded",
            "input tokens exceeds maximum length",
            // Bedrock, of the models of others.
            "input tokens exceeded",
            "number of input tokens exceeds maximum length",
        ]),
        class: Class::TooLong,
    },
    // Larger than a minute's tokens at OpenAI (429) and Groq (413): no wait makes it fit.
    Row { at: &[0, 413, 429], test: Test::Opens(&["request too large for"]), class: Class::TooLong },
    // llama.cpp of a text to embed.
    Row { at: &[500], test: Test::OpensAndSays("input (", &["is too large to process"]), class: Class::TooLong },
    // The account is empty. Google's words for a limit by the minute are OpenAI's for an empty account: kind decides.
    Row { at: &[0, 429], test: Test::Code(&["resource_exhausted"]), class: Class::Limited },
    Row {
        at: ANY,
        test: Test::Code(&[
            "insufficient_quota",
            "insufficient_balance",
            "insufficient_balance_error",
            "exceeded_current_quota_error",
            "billing_error",
            "billing_not_active",
            "billing_hard_limit_reached",
            "payment_required",
            "accountoverdueerror",
            "accountoverdue",
            "arrearage",
            "quotaexceeded",
            "accountquotaexceeded",
            "setlimitexceeded",
            "allocationquota.freetieronly",
            "1113",
            // Workers AI: https://developers.cloudflare.com/workers-ai/platform/errors/
            "3036",
        ]),
        class: Class::Quota,
    },
    Row {
        at: &[0, 400, 402, 403, 429],
        test: Test::Opens(&[
            "your credit balance is too low",
            "insufficient balance",
            "insufficient credits",
            "you have reached your specified api usage limits",
            "you exceeded your current quota",
            "key limit exceeded",
        ]),
        class: Class::Quota,
    },
    Row {
        at: &[403, 429],
        test: Test::Says(&["used all available credits", "have any credits", "monthly spending limit"]),
        class: Class::Quota,
    },
    Row { at: &[402], test: Test::Always, class: Class::Quota },
    // One model of a provider is gone, or was never open to this account.
    Row {
        at: &[0, 400, 403, 404, 422],
        test: Test::Code(&[
            "model_not_found",
            "model_not_available",
            "model_decommissioned",
            "invalid_model",
            "deploymentnotfound",
            "modelnotopen",
            "model.accessdenied",
            "1211",
            "3041",
            "3042",
            "5007",
            "5016",
            "5018",
        ]),
        class: Class::ModelGone,
    },
    Row { at: &[0, 400, 403, 404], test: Test::CodeHolds(&["invalidendpointormodel"]), class: Class::ModelGone },
    Row { at: &[400, 404], test: Test::Param("model"), class: Class::ModelGone },
    Row {
        at: &[0, 400, 403, 404, 422],
        test: Test::Opens(&[
            "model not exist",
            "model not found",
            "invalid model",
            "unknown model",
            "no such model",
            "not found the model",
            "no endpoints found for",
            "unable to access model",
            "the provided model identifier is invalid",
            "you don't have access to the model",
        ]),
        class: Class::ModelGone,
    },
    Row { at: REFUSED, test: Test::OpensAndSays("the model ", GONE), class: Class::ModelGone },
    Row { at: REFUSED, test: Test::OpensAndSays("model ", GONE), class: Class::ModelGone },
    Row { at: REFUSED, test: Test::OpensAndSays("models/", GONE), class: Class::ModelGone },
    Row { at: &[403], test: Test::OpensAndSays("project ", &["does not have access to model"]), class: Class::ModelGone },
    Row {
        at: &[404],
        test: Test::Opens(&["model:", "the api deployment for this resource does not exist"]),
        class: Class::ModelGone,
    },
    Row { at: &[400], test: Test::NamesAndSays("is not a valid model id"), class: Class::ModelGone },
    Row { at: &[404], test: Test::Bare, class: Class::ModelGone },
    // The credential is refused; Google and xAI say so with a 400.
    Row {
        at: &[0, 400, 401, 403],
        test: Test::Code(&[
            "invalid_api_key",
            "api_key_invalid",
            "api_key_expired",
            "authentication_error",
            "authenticationerror",
            "unauthenticated",
            "unauthorized",
            "permission_error",
            "permission_denied",
            "account_deactivated",
            "accessdenied",
            "accessdeniedexception",
            "unrecognizedclientexception",
            "expiredtokenexception",
            "invalidsignatureexception",
        ]),
        class: Class::Credential,
    },
    Row {
        at: &[0, 400],
        test: Test::Opens(&["api key not valid", "api key expired", "incorrect api key", "invalid api key", "no api key"]),
        class: Class::Credential,
    },
    Row { at: &[401, 403], test: Test::Always, class: Class::Credential },
    // Overload is not a limit, whatever its status: Ark and Moonshot send it as 429.
    Row {
        at: &[0, 429],
        test: Test::Code(&[
            "serveroverloaded",
            "server_overloaded",
            "engine_overloaded_error",
            "overloaded_error",
            "overloaded",
            "modelnotreadyexception",
            "3040",
        ]),
        class: Class::Transient,
    },
    Row { at: &[429], test: Test::Always, class: Class::Limited },
    Row {
        at: &[0, 400],
        test: Test::Code(&["throttlingexception", "too_many_requests", "toomanyrequestsexception"]),
        class: Class::Limited,
    },
    Row { at: &[0], test: Test::CodeHolds(&["rate_limit", "ratelimit", "rate-limit", "throttling"]), class: Class::Limited },
    // 498: Groq's flex tier is full.
    Row { at: &[408, 409, 425, 498], test: Test::Always, class: Class::Transient },
    // Inside a 200 only the words are there.
    Row {
        at: &[0],
        test: Test::Code(&[
            // Cohere's, of an answer that its own servers broke off.
            "error",
            "server_error",
            "api_error",
            "internal_error",
            "internal_server_error",
            "internalserviceerror",
            "internalserverexception",
            "serviceunavailableexception",
            "modelstreamerrorexception",
            "modeltimeoutexception",
            "service_unavailable",
            "internal",
            "unavailable",
            "deadline_exceeded",
            "aborted",
            "timeout",
            "timeout_error",
        ]),
        class: Class::Transient,
    },
    Row {
        at: &[0],
        test: Test::Code(&[
            "invalid_request_error",
            "invalid_argument",
            "invalid-argument",
            "failed_precondition",
            "validationexception",
            "not_found_error",
            "request_too_large",
            "tool_use_failed",
            "badrequest",
        ]),
        class: Class::Caller,
    },
];

const BLOCKED: &[&str] = &[
    "country, region, or territory not supported",
    "unsupported country",
    "unsupported region",
    "user location is not supported",
    "not available in your country",
    "not available in your region",
    "not supported in your region",
];

const GONE: &[&str] = &[
    "does not exist",
    "not found",
    "has been decommissioned",
    "has been deprecated",
    "has been retired",
    "is not available",
    "has reached its end of life",
];

/// Words that make a limit the model's, whoever calls it.
pub(super) const WHOLE_MODEL_CODES: &[&str] = &["endpointrpm", "endpointtpm", "modelaccount"];
pub(super) const WHOLE_MODEL_WORDS: &[&str] =
    &["overloaded", "rate-limited upstream", "at capacity", "limit for this model", "model is busy"];
pub(super) const DAILY_WORDS: &[&str] = &["perday", "per day", "per_day"];
