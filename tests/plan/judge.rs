//! Statuses and words of every provider, and the class they fall under.

use portolan::{
    chat::event::UpstreamError,
    plan::outcome::{Class, Effect, Outcome, of_answer},
    units::Millis,
};

pub const NOW: Millis = Millis(1_800_000_000_000);
/// Unstated words.
pub const NO: &str = "";

pub fn error(code: &str, kind: &str, message: &str) -> UpstreamError {
    let word = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    UpstreamError { message: message.to_owned(), kind: word(kind), code: word(code), ..UpstreamError::default() }
}

pub fn answer(status: u16, headers: &[(&str, &str)], error: &UpstreamError) -> Outcome {
    let headers: Vec<_> = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    of_answer(status, &headers, error, NOW)
}

/// (provider and rule, status, code, kind, message, class)
type Row = (&'static str, u16, &'static str, &'static str, &'static str, Class);

fn check(rows: &[Row]) {
    for (rule, status, code, kind, message, class) in rows {
        assert_eq!(answer(*status, &[], &error(code, kind, message)).class, *class, "{rule}");
    }
}

#[test]
fn a_model_that_is_gone_is_told_from_a_bad_request() {
    use Class::{Caller, ModelGone};
    check(&[
        (
            "OpenAI",
            404,
            "model_not_found",
            "invalid_request_error",
            "The model `gpt-9` does not exist or you do not have access to it.",
            ModelGone,
        ),
        (
            "OpenAI Responses",
            400,
            "model_not_found",
            "invalid_request_error",
            "The requested model 'gpt-9' does not exist.",
            ModelGone,
        ),
        (
            "OpenAI project",
            403,
            "model_not_found",
            "invalid_request_error",
            "Project `proj_x` does not have access to model `gpt-9`",
            ModelGone,
        ),
        ("Azure", 404, "DeploymentNotFound", NO, "The API deployment for this resource does not exist.", ModelGone),
        ("Anthropic", 404, NO, "not_found_error", "model: claude-9", ModelGone),
        (
            "Gemini",
            404,
            NO,
            "NOT_FOUND",
            "models/gemini-9 is not found for API version v1beta, or is not supported for generateContent.",
            ModelGone,
        ),
        ("Mistral", 400, "1500", "invalid_model", "Invalid model: mistral-9", ModelGone),
        (
            "Groq, retired",
            400,
            "model_decommissioned",
            "invalid_request_error",
            "The model `x` has been decommissioned and is no longer supported.",
            ModelGone,
        ),
        ("DeepSeek", 400, "invalid_request_error", "invalid_request_error", "Model Not Exist", ModelGone),
        ("OpenRouter", 400, "400", NO, "acme/x is not a valid model ID", ModelGone),
        ("OpenRouter, no provider", 404, "404", NO, "No endpoints found for acme/x.", ModelGone),
        ("Ark", 404, "InvalidEndpointOrModel.NotFound", "NotFound", "The model or endpoint ep-1 does not exist", ModelGone),
        ("Ark, not activated", 404, "ModelNotOpen", "NotFound", "Your account has not activated the model", ModelGone),
        ("Bedrock", 400, NO, "ValidationException", "The provided model identifier is invalid.", ModelGone),
        ("Ollama", 404, NO, "api_error", "model \"llama9\" not found, try pulling it first", ModelGone),
        ("Cohere", 404, NO, NO, "model 'command-9' not found, make sure the correct model ID was used", ModelGone),
        ("a path nobody knows", 404, NO, NO, "404 page not found", ModelGone),
        ("a file the caller named", 404, NO, "invalid_request_error", "No such File object: file-1", Caller),
        ("quoted words are the caller's", 400, NO, "invalid_request_error", "Invalid value: 'model not found'.", Caller),
    ]);
    assert_eq!(
        answer(
            404,
            &[],
            &UpstreamError { param: Some("model".into()), ..error(NO, "invalid_request_error", "This is not a chat model") }
        )
        .class,
        ModelGone
    );
}

#[test]
fn a_bad_request_is_the_caller_s() {
    use Class::Caller;
    check(&[
        ("OpenAI", 400, NO, "invalid_request_error", "Missing required parameter: 'messages'.", Caller),
        ("Anthropic", 400, NO, "invalid_request_error", "messages: roles must alternate", Caller),
        ("Gemini", 400, NO, "INVALID_ARGUMENT", "Invalid JSON payload received.", Caller),
        ("Mistral", 422, NO, NO, "Input should be a valid list", Caller),
        ("Anthropic, bytes", 413, NO, "request_too_large", "Request exceeds the maximum size", Caller),
        ("Groq, tools", 400, "tool_use_failed", "invalid_request_error", "Failed to call a function.", Caller),
        ("Ark", 400, "InvalidParameter", "BadRequest", "A parameter is not valid", Caller),
        (
            "max_tokens",
            400,
            NO,
            "invalid_request_error",
            "max_tokens is too large: 100000. This model supports at most 16384 completion tokens.",
            Caller,
        ),
        ("quoted words prove nothing", 400, NO, "invalid_request_error", "Unknown name \"API key not valid\" at 'tools'", Caller),
        ("nor do they choose the class", 400, NO, "invalid_request_error", "Unknown role 'content policy'", Caller),
        ("nor words in the middle", 400, NO, "invalid_request_error", "Bad tool name incorrect api key provided", Caller),
        ("of no known shape", 418, NO, NO, NO, Caller),
    ]);
}

#[test]
fn too_long_is_known_in_every_wording() {
    for (rule, status, code, message) in [
        ("OpenAI", 400, "context_length_exceeded", "This model's maximum context length is 128000 tokens."),
        ("code alone", 400, "context_length_exceeded", NO),
        ("Anthropic", 400, NO, "prompt is too long: 210000 tokens > 200000 maximum"),
        ("Anthropic, sum", 400, NO, "input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000"),
        ("Gemini", 400, NO, "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576)."),
        ("Mistral", 400, NO, "Prompt contains 40000 tokens, too large for model with 32768 maximum context length"),
        ("xAI", 400, NO, "This model's maximum prompt length is 131072 but the request contains 140000 tokens."),
        ("Groq", 400, NO, "Please reduce the length of the messages or completion."),
        (
            "Groq by the minute",
            413,
            "rate_limit_exceeded",
            "Request too large for model `x` in organization `o` on tokens per minute (TPM): Limit 6000, Requested 9000",
        ),
        (
            "OpenAI by the minute",
            429,
            "rate_limit_exceeded",
            "Request too large for gpt-4o in organization org-x on tokens per min (TPM)",
        ),
        ("Bedrock", 400, NO, "Input is too long for requested model."),
        ("Cohere", 400, NO, "too many tokens: total number of tokens in the prompt cannot exceed 4081"),
        ("Moonshot", 400, NO, "Invalid request: Your request exceeded model token limit: 8192"),
        ("Alibaba", 400, NO, "Range of input length should be [1, 30720]"),
        ("Ark", 400, "InvalidParameter", "Total tokens of image and text exceed max message tokens"),
        ("llama.cpp", 400, NO, "the request exceeds the available context size"),
        ("llama.cpp's embeddings", 500, NO, "input (4098 tokens) is too large to process. increase the physical batch size"),
        (
            "Workers AI",
            413,
            "5021",
            "The estimated number of input and maximum output tokens (9000) exceeded this model context window limit (8000).",
        ),
        ("z.ai", 400, "1261", "Prompt exceeds max length"),
    ] {
        let outcome = answer(status, &[], &error(code, "invalid_request_error", message));
        assert_eq!(outcome.class, Class::TooLong, "{rule}");
        assert!(outcome.needs_larger_window() && outcome.effect() == Effect::None, "{rule}");
    }
}

#[test]
fn refused_content_refused_places_and_empty_accounts() {
    use Class::{ContentFilter, Credential, Limited, Quota, RegionBlocked, Transient};
    check(&[
        (
            "Azure",
            400,
            "content_filter",
            NO,
            "The response was filtered due to the prompt triggering Azure OpenAI's content management policy.",
            ContentFilter,
        ),
        (
            "OpenAI images",
            400,
            "content_policy_violation",
            "invalid_request_error",
            "Your request was rejected as a result of our safety system.",
            ContentFilter,
        ),
        ("Anthropic", 400, NO, "invalid_request_error", "Output blocked by content filtering policy", ContentFilter),
        ("Ark", 400, "SensitiveContentDetected.SevereViolation", "BadRequest", "The request failed", ContentFilter),
        ("Ark video", 400, "InputImageSensitiveContentDetected", "BadRequest", "The request failed", ContentFilter),
        ("Alibaba", 400, "DataInspectionFailed", NO, "Input data may contain inappropriate content.", ContentFilter),
        (
            "OpenRouter",
            403,
            "403",
            NO,
            "Your chosen model requires moderation and your input was flagged for violence",
            ContentFilter,
        ),
        ("xAI", 403, NO, NO, "Content violates usage guidelines. Failed check: SAFETY_CHECK_TYPE_X", ContentFilter),
        (
            "OpenAI",
            403,
            "unsupported_country_region_territory",
            "request_forbidden",
            "Country, region, or territory not supported",
            RegionBlocked,
        ),
        ("Gemini", 400, NO, "FAILED_PRECONDITION", "User location is not supported for the API use.", RegionBlocked),
        ("Anthropic", 403, NO, "forbidden", "Request not allowed", RegionBlocked),
        ("Groq", 403, NO, NO, "Access denied. Please check your network settings.", RegionBlocked),
        ("law", 451, NO, NO, NO, RegionBlocked),
        (
            "OpenAI",
            429,
            "insufficient_quota",
            "insufficient_quota",
            "You exceeded your current quota, please check your plan and billing details.",
            Quota,
        ),
        (
            "OpenAI, words alone",
            429,
            NO,
            NO,
            "You exceeded your current quota, please check your plan and billing details.",
            Quota,
        ),
        (
            "Gemini says the same of a minute",
            429,
            "429",
            "RESOURCE_EXHAUSTED",
            "You exceeded your current quota, please check your plan and billing details.",
            Limited,
        ),
        ("DeepSeek", 402, "invalid_request_error", "unknown_error", "Insufficient Balance", Quota),
        ("Anthropic", 400, NO, "invalid_request_error", "Your credit balance is too low to access the Anthropic API.", Quota),
        ("Anthropic", 402, NO, "billing_error", "Billing", Quota),
        ("Ark", 403, "AccountOverdueError", "Forbidden", "Your account has an overdue balance", Quota),
        ("Ark, quota", 429, "QuotaExceeded", "TooManyRequests", "The quota is used up", Quota),
        ("Moonshot", 429, NO, "exceeded_current_quota_error", "Your account is suspended", Quota),
        ("Alibaba", 400, "Arrearage", NO, "Access denied, please make sure your account is in good standing.", Quota),
        ("xAI", 403, NO, NO, "Your newly created team doesn't have any credits yet.", Quota),
        ("OpenAI", 401, "invalid_api_key", "invalid_request_error", "Incorrect API key provided: sk-abc", Credential),
        ("Mistral", 401, NO, NO, "Invalid API Key", Credential),
        ("Anthropic", 401, NO, "authentication_error", "invalid x-api-key", Credential),
        ("Anthropic", 403, NO, "permission_error", "Your API key does not have permission", Credential),
        (
            "Gemini's 400",
            400,
            "API_KEY_INVALID",
            "INVALID_ARGUMENT",
            "API key not valid. Please pass a valid API key.",
            Credential,
        ),
        (
            "Gemini's 400, words alone",
            400,
            "400",
            "INVALID_ARGUMENT",
            "API key not valid. Please pass a valid API key.",
            Credential,
        ),
        ("xAI's 400", 400, "invalid-argument", NO, "Incorrect API key provided: xa***yz.", Credential),
        ("Ark", 401, "AuthenticationError", "Unauthorized", "The API key doesn't exist", Credential),
        ("Ark", 403, "AccessDenied", "Forbidden", "No access", Credential),
        ("Voyage", 401, NO, NO, "Provided API key is invalid.", Credential),
        ("limit", 429, "rate_limit_exceeded", "tokens", "Rate limit reached for gpt-4o", Limited),
        ("Anthropic", 429, NO, "rate_limit_error", "This request would exceed your rate limit", Limited),
        ("Azure's gateway", 429, NO, NO, "Rate limit is exceeded. Try again in 4 seconds.", Limited),
        ("Bedrock as 400", 400, NO, "ThrottlingException", "Too many requests", Limited),
        ("Ark's overload is no limit", 429, "ServerOverloaded", "TooManyRequests", "The service is overloaded", Transient),
        ("Moonshot's neither", 429, NO, "engine_overloaded_error", "The engine is currently overloaded", Transient),
        ("Anthropic, no wait named", 529, NO, "overloaded_error", "Overloaded", Transient),
    ]);
}

#[test]
fn statuses_alone_have_a_class() {
    use Class::{Broken, Caller, Credential, Limited, ModelGone, Quota, Transient};
    for (status, class) in [
        (301, Broken),
        (400, Caller),
        (401, Credential),
        (402, Quota),
        (403, Credential),
        (404, ModelGone),
        (405, Caller),
        (408, Transient),
        (409, Transient),
        (413, Caller),
        (422, Caller),
        (425, Transient),
        (429, Limited),
        (498, Transient),
        (499, Broken),
        (500, Transient),
        (501, Transient),
        (502, Transient),
        (503, Transient),
        (504, Transient),
        (520, Transient),
        (524, Transient),
        (527, Transient),
        (529, Transient),
    ] {
        assert_eq!(answer(status, &[], &error(NO, NO, NO)).class, class, "{status}");
    }
}

#[test]
fn a_page_is_no_verdict_of_an_api() {
    use Class::{Broken, Caller, Credential, Limited, Transient};
    let page = "<html><title>Attention</title>prompt is too long, context window, model: not found</html>";
    for (status, class) in [
        (400, Broken),
        (403, Broken),
        (404, Broken),
        (401, Credential),
        (413, Caller),
        (429, Limited),
        (502, Transient),
        (520, Transient),
    ] {
        assert_eq!(answer(status, &[], &error(NO, NO, page)).class, class, "{status}");
        let headers = [("content-type", "Text/HTML; charset=utf-8")];
        assert_eq!(answer(status, &headers, &error(NO, NO, "prompt is too long")).class, class, "{status} by its header");
    }
}

#[test]
fn an_error_inside_a_200_is_judged_by_its_words() {
    use Class::{Broken, Caller, ContentFilter, Credential, Limited, Quota, TooLong, Transient};
    check(&[
        ("Anthropic", 0, NO, "overloaded_error", "Overloaded", Transient),
        ("Anthropic", 0, NO, "api_error", "Internal server error", Transient),
        ("Anthropic", 0, NO, "rate_limit_error", "Slow down", Limited),
        ("Anthropic", 0, NO, "invalid_request_error", "prompt is too long: 2 tokens > 1 maximum", TooLong),
        ("OpenRouter's number", 200, "502", NO, "Provider returned error", Transient),
        ("OpenRouter's 429", 200, "429", NO, "acme/x is temporarily rate-limited upstream", Limited),
        ("Groq", 0, "tool_use_failed", "invalid_request_error", "Failed to call a function", Caller),
        ("OpenAI Responses", 0, "server_error", NO, "The server had an error", Transient),
        ("OpenAI", 0, "insufficient_quota", "insufficient_quota", NO, Quota),
        ("Gemini", 0, "503", "UNAVAILABLE", "The model is overloaded.", Transient),
        ("Gemini, word alone", 0, NO, "UNAVAILABLE", "The model is overloaded.", Transient),
        ("Gemini", 0, NO, "UNAUTHENTICATED", "Request had invalid authentication credentials.", Credential),
        ("Cohere", 0, NO, "ERROR_TOXIC", "The answer was broken off.", ContentFilter),
        ("nobody knows", 0, "weird", NO, "Something", Broken),
        ("nothing said", 200, NO, NO, NO, Broken),
    ]);
    let named = UpstreamError { status: 400, ..error("tool_use_failed", "invalid_request_error", "Failed") };
    assert_eq!((answer(200, &[], &named).class, answer(200, &[], &named).status), (Caller, 400));
}
