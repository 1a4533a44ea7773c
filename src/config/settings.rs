//! `settings`: the defaults of all routes.

use serde_json::{Map, Value};

use super::{
    Policy,
    host::read_public_url,
    otlp::{Otlp, read_otlp},
    read_policy::read_policy,
    reader::{Problems, Reader},
};

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

impl Timeouts {
    /// Of all attempts together.
    pub const fn total(&self, stream: bool) -> u64 {
        if stream { self.total_ms } else { self.non_stream_total_ms }
    }
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
    /// Longest pause while the outage is young.
    pub early_max_open_ms: Option<u64>,
    /// How long an outage is young.
    pub early_ms: Option<u64>,
    /// Longest pause after that.
    pub max_open_ms: Option<u64>,
    pub ramp_ms: Option<u64>,
}

/// What becomes of the chains of audit entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audit {
    /// Where the heads of chains are told, each day.
    pub webhook: Option<String>,
    /// Of one tenant; of more than that the oldest are dropped.
    pub max_entries: u64,
}

/// Some hundreds of megabytes of the ten gigabytes that an object may have.
const AUDIT_ENTRIES: u64 = 1_000_000;
/// Less than that would be gone before a day's head is told.
const MIN_AUDIT_ENTRIES: u64 = 1_000;
/// Half of what an object may have.
const MAX_AUDIT_ENTRIES: u64 = 10_000_000;

/// What becomes of the records of requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Journal {
    pub enabled: bool,
    pub days: u64,
    /// Of one tenant.
    pub max_mb: u64,
}

/// Ten years.
const MAX_DAYS: u64 = 3_650;
/// Some hundred objects.
const MAX_JOURNAL_MB: u64 = 102_400;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Of routes that do not say it. Its `retry` and `timeouts` are empty: they stand beside it, whole.
    pub policy: Policy,
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
    /// Targets that are shut and get no requests are tried with the cheapest call.
    pub active_probes: bool,
    pub audit: Audit,
    pub journal: Journal,
    pub on_error: OnError,
    /// Where it is told that budgets came to their thresholds.
    pub budgets_webhook: Option<String>,
    /// Where records are told, as they come to be.
    pub records_webhook: Option<String>,
    pub otlp: Option<Otlp>,
}

/// What becomes of requests under limits or budgets while their tenant's object cannot be reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnError {
    /// A budget that holds only while all is well would be none.
    #[default]
    Refuse,
    Allow,
}

impl OnError {
    pub(super) const ALL: [(&'static str, Self); 2] = [("refuse", Self::Refuse), ("allow", Self::Allow)];
}

/// An hour: longer than any answer takes.
pub(super) const MAX_MS: u64 = 3_600_000;
/// A plan never holds more (DECISIONS: six connections an invocation may have open).
pub(super) const MAX_ATTEMPTS: u64 = 4;
const MIN_BODY_BYTES: u64 = 1 << 10;
/// The isolate has 128 MiB, and a body is held more than once.
const MAX_BODY_BYTES: u64 = 48 << 20;
const MAX_ORIGINS: usize = 100;
const MAX_COUNT: u64 = 1_000_000;

impl Default for Settings {
    fn default() -> Self {
        Self {
            policy: Policy::default(),
            allow_private_upstreams: false,
            timeouts: Timeouts {
                headers_ms: 30_000,
                first_token_ms: 12_000,
                idle_ms: 20_000,
                total_ms: 600_000,
                non_stream_total_ms: 300_000,
            },
            reasoning_first_token_ms: 60_000,
            // Two silent models that think, and the next still gets its chance.
            retry: Retry { attempts: MAX_ATTEMPTS, total_ms: 150_000 },
            breaker: Breaker::default(),
            max_body_bytes: 32 << 20,
            cors_origins: vec![],
            log_console: true,
            active_probes: false,
            audit: Audit { webhook: None, max_entries: AUDIT_ENTRIES },
            journal: Journal { enabled: true, days: 30, max_mb: 1_024 },
            on_error: OnError::default(),
            budgets_webhook: None,
            records_webhook: None,
            otlp: None,
        }
    }
}

pub(super) fn read_settings(document: Map<String, Value>, problems: &mut Problems) -> Settings {
    Reader::over(Value::Object(document), "", problems, |reader| {
        let mut settings = Settings::default();
        settings.allow_private_upstreams = reader.flag("allow_private_upstreams").unwrap_or_default();
        settings.timeouts = reader.object("timeouts", read_all_timeouts).unwrap_or(settings.timeouts);
        settings.reasoning_first_token_ms =
            reader.whole("reasoning_first_token_ms", 1..=MAX_MS).unwrap_or(settings.reasoning_first_token_ms);
        settings.retry = reader.object("retry", read_some_retry).unwrap_or_default().over(settings.retry);
        settings.policy = read_policy(reader);
        settings.active_probes = reader.object("probes", |reader| reader.flag("active")).flatten().unwrap_or_default();
        settings.breaker = reader.object("breaker", read_breaker).unwrap_or_default();
        settings.max_body_bytes =
            reader.whole("max_body_bytes", MIN_BODY_BYTES..=MAX_BODY_BYTES).unwrap_or(settings.max_body_bytes);
        settings.cors_origins = reader.object("cors", read_origins).unwrap_or_default();
        let allow_private = settings.allow_private_upstreams;
        let budgets = |reader: &mut Reader<'_>| (reader.choice("on_error", &OnError::ALL), read_webhook(reader, allow_private));
        let (on_error, webhook) = reader.object("budgets", budgets).unwrap_or_default();
        (settings.on_error, settings.budgets_webhook) = (on_error.unwrap_or_default(), webhook);
        settings.audit = reader.object("audit", |reader| read_audit(reader, allow_private)).unwrap_or(settings.audit);
        settings.records_webhook = reader.object("records", |reader| read_webhook(reader, allow_private)).flatten();
        settings.otlp = reader.object("otlp", |reader| read_otlp(reader, allow_private)).flatten();
        settings.journal = reader.object("journal", read_journal).unwrap_or(settings.journal);
        settings.log_console = reader.object("log", |reader| reader.flag("console")).flatten().unwrap_or(true);
        settings
    })
    .unwrap_or_default()
}

/// The members of `timeouts` that a route or a target may set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SomeTimeouts {
    pub headers_ms: Option<u64>,
    pub first_token_ms: Option<u64>,
    pub idle_ms: Option<u64>,
    pub total_ms: Option<u64>,
}

/// The members of `retry` that a route may set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SomeRetry {
    pub attempts: Option<u64>,
    pub total_ms: Option<u64>,
}

pub(super) fn read_timeouts(reader: &mut Reader<'_>) -> SomeTimeouts {
    SomeTimeouts {
        headers_ms: reader.whole("headers_ms", 1..=MAX_MS),
        first_token_ms: reader.whole("first_token_ms", 1..=MAX_MS),
        idle_ms: reader.whole("idle_ms", 1..=MAX_MS),
        total_ms: reader.whole("total_ms", 1..=MAX_MS),
    }
}

fn read_all_timeouts(reader: &mut Reader<'_>) -> Timeouts {
    let default = Settings::default().timeouts;
    let some = read_timeouts(reader);
    let non_stream_total_ms = reader.whole("non_stream_total_ms", 1..=MAX_MS);
    Timeouts {
        headers_ms: some.headers_ms.unwrap_or(default.headers_ms),
        first_token_ms: some.first_token_ms.unwrap_or(default.first_token_ms),
        idle_ms: some.idle_ms.unwrap_or(default.idle_ms),
        total_ms: some.total_ms.unwrap_or(default.total_ms),
        non_stream_total_ms: non_stream_total_ms.unwrap_or(default.non_stream_total_ms),
    }
}

impl SomeTimeouts {
    /// What is said here, over what is said further out.
    #[must_use]
    pub fn or(self, outer: Self) -> Self {
        Self {
            headers_ms: self.headers_ms.or(outer.headers_ms),
            first_token_ms: self.first_token_ms.or(outer.first_token_ms),
            idle_ms: self.idle_ms.or(outer.idle_ms),
            total_ms: self.total_ms.or(outer.total_ms),
        }
    }

    /// Over the settings. A total named for a route holds with and without stream.
    pub fn over(self, settings: &Settings, reasoning: bool) -> Timeouts {
        let default = settings.timeouts;
        let patience =
            if reasoning { settings.reasoning_first_token_ms.max(default.first_token_ms) } else { default.first_token_ms };
        Timeouts {
            // Some send them with the first token only.
            headers_ms: self
                .headers_ms
                .unwrap_or_else(|| if reasoning { default.headers_ms.max(patience) } else { default.headers_ms }),
            first_token_ms: self.first_token_ms.unwrap_or(patience),
            idle_ms: self.idle_ms.unwrap_or(default.idle_ms),
            total_ms: self.total_ms.unwrap_or(default.total_ms),
            non_stream_total_ms: self.total_ms.unwrap_or(default.non_stream_total_ms),
        }
    }
}

impl SomeRetry {
    /// What is said here, over what is said further out.
    #[must_use]
    pub fn or(self, outer: Self) -> Self {
        Self { attempts: self.attempts.or(outer.attempts), total_ms: self.total_ms.or(outer.total_ms) }
    }

    pub fn over(self, default: Retry) -> Retry {
        Retry { attempts: self.attempts.unwrap_or(default.attempts), total_ms: self.total_ms.unwrap_or(default.total_ms) }
    }
}

pub(super) fn read_some_retry(reader: &mut Reader<'_>) -> SomeRetry {
    SomeRetry { attempts: reader.whole("attempts", 1..=MAX_ATTEMPTS), total_ms: reader.whole("total_ms", 1..=MAX_MS) }
}

fn read_breaker(reader: &mut Reader<'_>) -> Breaker {
    Breaker {
        window_ms: reader.whole("window_ms", 1..=MAX_MS),
        min_requests: reader.whole("min_requests", 1..=MAX_COUNT),
        failure_percent: reader.whole("failure_percent", 1..=100),
        consecutive_failures: reader.whole("consecutive_failures", 1..=MAX_COUNT),
        open_ms: reader.whole("open_ms", 1..=MAX_MS),
        early_max_open_ms: reader.whole("early_max_open_ms", 1..=MAX_MS),
        early_ms: reader.whole("early_ms", 1..=MAX_MS),
        max_open_ms: reader.whole("max_open_ms", 1..=MAX_MS),
        ramp_ms: reader.whole("ramp_ms", 1..=MAX_MS),
    }
}

fn read_audit(reader: &mut Reader<'_>, allow_private: bool) -> Audit {
    let webhook = read_webhook(reader, allow_private);
    let max_entries = reader.whole("max_entries", MIN_AUDIT_ENTRIES..=MAX_AUDIT_ENTRIES).unwrap_or(AUDIT_ENTRIES);
    Audit { webhook, max_entries }
}

fn read_journal(reader: &mut Reader<'_>) -> Journal {
    let usual = Settings::default().journal;
    Journal {
        enabled: reader.flag("enabled").unwrap_or(usual.enabled),
        days: reader.whole("days", 1..=MAX_DAYS).unwrap_or(usual.days),
        max_mb: reader.whole("max_mb", 1..=MAX_JOURNAL_MB).unwrap_or(usual.max_mb),
    }
}

fn read_webhook(reader: &mut Reader<'_>, allow_private: bool) -> Option<String> {
    let url = reader.text("webhook")?;
    if let Err(wrong) = read_public_url(&url, allow_private) {
        reader.problem("webhook", format!("The address {wrong}."));
        return None;
    }
    Some(url)
}

fn read_origins(reader: &mut Reader<'_>) -> Vec<String> {
    let origins = reader.strings("origins").unwrap_or_default();
    if origins.len() > MAX_ORIGINS {
        reader.problem("origins", format!("At most {MAX_ORIGINS} origins."));
    }
    for (i, origin) in origins.iter().enumerate() {
        if !is_origin(origin) {
            let message = format!("`{origin}` must be an origin such as https://app.example, without a path, or `*`.");
            reader.problem(&format!("origins[{i}]"), message);
        }
    }
    origins
}

fn is_origin(origin: &str) -> bool {
    let rest = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
    origin == "*"
        || rest.is_some_and(|host| {
            !host.is_empty() && host.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'/' | b'?' | b'#' | b'@' | b'*'))
        })
}
