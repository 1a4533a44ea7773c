//! Bodies as providers send them, through the dialect's reader to their class.

use portolan::{
    chat::response::StopReason,
    dialect::{
        Upstream, anthropic::Anthropic, cohere::Cohere, converse::Converse, gemini::Gemini, openai_chat::OpenAiChat,
        workers_ai::WorkersAi,
    },
    plan::outcome::{Class, in_band},
};
use serde_json::json;

use super::judge::answer;

#[test]
fn bodies_as_providers_send_them() {
    use Class::{Caller, ContentFilter, Credential, Limited, ModelGone, Quota, TooLong, Transient};
    let (openai, anthropic, gemini): (&dyn Upstream, &dyn Upstream, &dyn Upstream) = (&OpenAiChat, &Anthropic, &Gemini);
    let workers_ai = &WorkersAi;
    let converse: &dyn Upstream = &Converse;
    let rows: &[(&str, &dyn Upstream, u16, &str, Class)] = &[
        (
            "OpenAI",
            openai,
            429,
            r#"{"error":{"message":"You exceeded your current quota.","type":"insufficient_quota","param":null,"code":"insufficient_quota"}}"#,
            Quota,
        ),
        (
            "Azure's filter",
            openai,
            400,
            r#"{"error":{"message":"filtered","type":null,"param":"prompt","code":"content_filter","status":400,"innererror":{"code":"ResponsibleAIPolicyViolation"}}}"#,
            ContentFilter,
        ),
        (
            "Azure's gateway",
            openai,
            401,
            r#"{"error":{"code":"401","message":"Access denied due to invalid subscription key"}}"#,
            Credential,
        ),
        (
            "Azure's limiter",
            openai,
            429,
            r#"{"statusCode":429,"message":"Rate limit is exceeded. Try again in 3 seconds."}"#,
            Limited,
        ),
        ("Mistral's detail", openai, 401, r#"{"detail":"Invalid API Key"}"#, Credential),
        ("Mistral's list", openai, 422, r#"{"detail":[{"loc":["body","messages"],"msg":"Field required"}]}"#, Caller),
        (
            "Mistral's model",
            openai,
            400,
            r#"{"object":"error","message":"Invalid model: x","type":"invalid_model","param":null,"code":"1500"}"#,
            ModelGone,
        ),
        (
            "xAI's wrong key",
            openai,
            400,
            r#"{"code":"Client specified an invalid argument","error":"Incorrect API key provided: xa***yz."}"#,
            Credential,
        ),
        (
            "OpenRouter",
            openai,
            429,
            r#"{"error":{"code":429,"message":"Provider returned error","metadata":{"provider_name":"P","raw":"m is temporarily rate-limited upstream"}},"user_id":"u"}"#,
            Limited,
        ),
        (
            "OpenRouter's window",
            openai,
            400,
            r#"{"error":{"code":400,"message":"Provider returned error","metadata":{"raw":"{\"error\":{\"message\":\"prompt is too long: 2 > 1\"}}"}}}"#,
            TooLong,
        ),
        ("OpenRouter inside a 200", openai, 0, r#"{"error":{"code":502,"message":"Upstream error"},"user_id":"u"}"#, Transient),
        (
            "Groq inside a 200",
            openai,
            0,
            r#"{"error":{"message":"Failed to call a function.","type":"invalid_request_error","code":"tool_use_failed","status_code":400}}"#,
            Caller,
        ),
        ("Perplexity", openai, 401, r#"{"error":{"message":"Invalid API key","type":"invalid_api_key","code":401}}"#, Credential),
        (
            "Workers AI",
            openai,
            400,
            r#"{"result":null,"success":false,"errors":[{"code":5007,"message":"No such model x"}],"messages":[]}"#,
            ModelGone,
        ),
        (
            "Workers AI's unsigned terms",
            workers_ai,
            403,
            r#"{"internalCode":5016,"message":"AiError","name":"AiError","description":"User has not agreed to Llama3.2 model terms"}"#,
            ModelGone,
        ),
        (
            "Workers AI's free share",
            workers_ai,
            429,
            r#"{"internalCode":3036,"message":"AiError","name":"AiError","description":"You have used up your daily free allocation of 10,000 neurons."}"#,
            Quota,
        ),
        (
            "Workers AI's overload",
            workers_ai,
            429,
            r#"{"internalCode":3040,"message":"AiError","name":"AiError","description":"No more data centers to forward the request to"}"#,
            Transient,
        ),
        (
            "Ark",
            openai,
            403,
            r#"{"error":{"code":"AccountOverdueError","message":"overdue. Request id: 02","param":"","type":"Forbidden"}}"#,
            Quota,
        ),
        (
            "Ark's overload",
            openai,
            429,
            r#"{"error":{"code":"ServerOverloaded","message":"busy","param":"","type":"TooManyRequests"}}"#,
            Transient,
        ),
        (
            "Cohere",
            openai,
            404,
            r#"{"id":"1","message":"model 'x' not found, make sure the correct model ID was used"}"#,
            ModelGone,
        ),
        ("nothing at all", openai, 404, "", ModelGone),
        ("a page", openai, 502, "<html>Bad gateway</html>", Transient),
        (
            "Anthropic",
            anthropic,
            529,
            r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"},"request_id":"req_1"}"#,
            Transient,
        ),
        (
            "Anthropic inside a 200",
            anthropic,
            0,
            r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#,
            Transient,
        ),
        (
            "Anthropic's model",
            anthropic,
            404,
            r#"{"type":"error","error":{"type":"not_found_error","message":"model: claude-9"}}"#,
            ModelGone,
        ),
        (
            "Anthropic's purse",
            anthropic,
            400,
            r#"{"type":"error","error":{"type":"invalid_request_error","message":"Your credit balance is too low to access the Anthropic API."}}"#,
            Quota,
        ),
        (
            "Gemini's wrong key",
            gemini,
            400,
            r#"{"error":{"code":400,"message":"API key not valid. Please pass a valid API key.","status":"INVALID_ARGUMENT","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"API_KEY_INVALID"}]}}"#,
            Credential,
        ),
        (
            "Gemini in an array",
            gemini,
            429,
            r#"[{"error":{"code":429,"message":"You exceeded your current quota","status":"RESOURCE_EXHAUSTED","details":[{"retryDelay":"47s"}]}}]"#,
            Limited,
        ),
        (
            "Gemini inside a 200",
            gemini,
            0,
            r#"{"error":{"code":503,"message":"The model is overloaded.","status":"UNAVAILABLE"}}"#,
            Transient,
        ),
        (
            "Bedrock's window",
            converse,
            400,
            r#"{"message":"The model returned the following errors: Input Tokens Exceeded: Number of input tokens exceeds maximum length. Please shorten it."}"#,
            TooLong,
        ),
        ("Bedrock's window at Claude", converse, 400, r#"{"message":"Input is too long for requested model."}"#, TooLong),
        ("Bedrock's output", converse, 400, r#"{"message":"maxTokens exceeds maximum length"}"#, Caller),
    ];
    for (rule, dialect, status, body, class) in rows {
        assert_eq!(answer(*status, &[], &dialect.read_error(*status, body)).class, *class, "{rule}");
    }
    let daily = r#"{"error":{"code":429,"message":"You exceeded your current quota","status":"RESOURCE_EXHAUSTED","details":[
        {"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[{"quotaId":"GenerateRequestsPerDayPerProjectPerModel-FreeTier"}]},
        {"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"17s"}]}}"#;
    assert_eq!(
        answer(429, &[], &gemini.read_error(429, daily)).wait_ms,
        Some(3_600_000),
        "a daily quota, whatever its RetryInfo"
    );
}

/// A reason to end that is a failure, or a verdict of its own.
#[test]
fn answers_that_ended_badly() {
    use Class::{Broken, Caller, Transient};
    let gemini = |word: &str| {
        let said = "Malformed function call: print(search(about=\"content policy\", context window))";
        json!({"candidates": [{"content": {"parts": []}, "finishReason": word, "finishMessage": said}]}).to_string()
    };
    let converse =
        |word: &str| json!({"output": {"message": {"role": "assistant", "content": []}}, "stopReason": word}).to_string();
    let cohere = |word: &str| json!({"id": "1", "message": {"role": "assistant"}, "finish_reason": word}).to_string();
    type Row<'a> = (&'a dyn Upstream, &'a dyn Fn(&str) -> String, &'a str, Class);
    let rows: &[Row<'_>] = &[
        (&Gemini, &gemini, "MALFORMED_FUNCTION_CALL", Broken),
        (&Gemini, &gemini, "MALFORMED_RESPONSE", Broken),
        (&Gemini, &gemini, "UNEXPECTED_TOOL_CALL", Broken),
        (&Gemini, &gemini, "TOO_MANY_TOOL_CALLS", Broken),
        (&Gemini, &gemini, "MISSING_THOUGHT_SIGNATURE", Caller),
        (&Converse, &converse, "malformed_model_output", Broken),
        (&Converse, &converse, "malformed_tool_use", Broken),
        (&Cohere, &cohere, "ERROR", Transient),
        (&Cohere, &cohere, "TIMEOUT", Transient),
        (&Cohere, &cohere, "USER_CANCEL", Broken),
    ];
    for (dialect, body, word, class) in rows {
        let error = dialect.read_response(&body(word)).unwrap_err();
        let outcome = in_band(&error);
        assert_eq!((outcome.class, outcome.status), (*class, 0), "{word}");
        assert_eq!(outcome.may_move_on(), *class != Caller, "{word}");
    }
    let toxic = Cohere.read_response(&cohere("ERROR_TOXIC")).unwrap();
    assert_eq!(toxic.stop, StopReason::ContentFilter, "a verdict on the content, as Gemini's SAFETY");
}
