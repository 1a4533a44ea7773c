//! `settings`: the defaults of all routes.

/// How long to wait for what. All are milliseconds, and all are on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// Streams only: a provider sends the headers of a whole answer when it is done.
    pub headers_ms: u64,
    /// Streams only.
    pub first_token_ms: u64,
    /// Streams only.
    pub idle_ms: u64,
    /// A stream, all attempts together.
    pub total_ms: u64,
    /// A call without stream, all attempts together.
    pub non_stream_total_ms: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    /// Targets tried at most.
    pub attempts: u64,
    /// After this no new attempt begins.
    pub total_ms: u64,
}

/// What the operator says of the breaker; the rest is `plan::health`'s own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Breaker {
    pub window_ms: Option<u64>,
    /// Requests in the window before a share of failures counts.
    pub min_requests: Option<u64>,
    pub failure_percent: Option<u64>,
    pub consecutive_failures: Option<u64>,
    pub open_ms: Option<u64>,
    /// Longest pause in the first ten minutes of an outage.
    pub max_open_ms: Option<u64>,
    /// Longest pause after that.
    pub long_open_ms: Option<u64>,
    pub ramp_ms: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    pub allow_private_upstreams: bool,
    pub timeouts: Timeouts,
    /// `first_token_ms` of models that think before they speak.
    pub reasoning_first_token_ms: u64,
    pub retry: Retry,
    pub breaker: Breaker,
    pub max_body_bytes: u64,
    /// Origins of web pages that may call; none by default.
    pub cors_origins: Vec<String>,
    /// One JSON line a request on the console.
    pub log_console: bool,
}
