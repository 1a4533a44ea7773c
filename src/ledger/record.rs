//! One request, one line. Ids, decisions, times, counts and money; never content.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::{
    chat::{Dialect, usage::Usage},
    error::{Error, Kind},
    ledger::Payer,
    units::{Millis, Money},
    wire::{name::recorded, trace::Trace},
};

/// One upstream send and how it ended.
#[derive(Clone, Debug, Serialize)]
pub struct Try {
    pub provider: String,
    pub model: String,
    /// Why this target was tried.
    pub reason: String,
    /// The HTTP status, or 0 when none came.
    pub status: u16,
    /// [`OK`], the class of the failure, or [`HEDGED`].
    pub outcome: &'static str,
    /// When it was sent, after the request came.
    pub at_ms: u64,
    /// To the whole answer, or to the first content of a stream.
    pub ms: u64,
    /// When the stream that it began was over, after the request came; absent where `ms` says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_ms: Option<u64>,
    /// Picodollars that a cancelled try cost at least: its input, estimated. Not in the request's cost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wasted: Option<Money>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credential: Option<&'static str>,
    /// How many were sent before it: what its span is named by.
    #[serde(skip)]
    pub number: usize,
}

/// The provider was called with the tenant's own key, and bills the tenant.
pub const OWN_CREDENTIAL: &str = "tenant";
/// The answer was in the response cache.
pub const GIVEN: &str = "hit";
/// The outcome of a try, and of a request, that went well.
pub const OK: &str = "ok";
/// Of a request that was passed on as it came.
pub const FORWARDED: &str = "forwarded";
/// Of a try that was cancelled, for another one answered first.
pub const HEDGED: &str = "hedged";
/// What the reason of a try begins with that was sent while another was awaited.
pub const HEDGE: &str = "hedge, ";

#[derive(Clone, Debug, Serialize)]
pub struct Record {
    pub time: Millis,
    pub id: String,
    /// The trace that it belongs to, and its own span there.
    pub trace_id: String,
    pub span_id: String,
    /// The caller's span.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent_span_id: Option<String>,
    /// What the caller decided of the trace.
    #[serde(skip)]
    pub sampled: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_request_id: Option<String>,
    /// The gateway key's name.
    pub key: String,
    pub tenant: String,
    pub dialect: &'static str,
    /// `generate`, `embed`, …; empty for what was passed on or refused.
    pub task: &'static str,
    /// The model as the caller named it, where that can be a name at all: it may be anything.
    pub asked: String,
    pub route: String,
    /// Which of the route's rules held.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    pub provider: Option<String>,
    pub model: Option<String>,
    /// Whose: `tenant`, or absent for the operator's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credential: Option<&'static str>,
    /// The model as the provider named it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answered_by: Option<String>,
    /// Under which the provider may keep the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_id: Option<String>,
    pub stream: bool,
    /// `hit` or `miss`, where there is a response cache.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache: Option<&'static str>,
    pub status: u16,
    /// `ok`, or what went wrong last.
    pub outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<&'static str>,
    /// For the operator: what the caller was not told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    pub tries: Vec<Try>,
    /// What was to be tried, with the reason, where the tries do not show it; of a refusal its words.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub plan: Vec<String>,
    /// Candidates that were left out, with the reason.
    pub skipped: Vec<String>,
    /// What the decision was made of, so that it can be made again. Absent: nothing but what stands here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inputs: Option<Map<String, Value>>,
    pub first_ms: Option<u64>,
    /// How long some provider was waited for, each millisecond once: of a stream until its first content.
    pub upstream_ms: u64,
    /// The gateway's own time until the answer began.
    pub gateway_ms: u64,
    /// Pauses before another try, and for a target to come back.
    #[serde(skip_serializing_if = "is_none")]
    pub waited_ms: u64,
    pub total_ms: u64,
    pub usage: Option<Usage>,
    /// The provider's own numbers, as it wrote them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub raw_usage: Option<Value>,
    /// The provider reported no usage; the counts are reckoned from sizes.
    pub estimated: bool,
    /// Picodollars.
    pub cost: Option<Money>,
    /// Whose rates it was paid by: a tier of service, a length of the prompt. Absent: the usual ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tier: Option<String>,
    pub dropped: Vec<String>,
    pub malformed: u32,
    /// Version of the configuration and of the health view the decision was made on.
    pub config: String,
    pub health: u64,
    pub region: String,
}

/// What is known of a request that was refused before it had a plan.
pub struct Early {
    pub id: String,
    pub trace: Trace,
    pub time: Millis,
    pub dialect: Dialect,
    pub payer: Payer,
    /// Empty when the body could not be read.
    pub asked: String,
    pub region: String,
    /// When it was planning that refused.
    pub unplanned: Option<Unplanned>,
}

/// Whose answer was given again, and what it had used.
pub struct Given {
    pub provider: String,
    pub model: String,
    pub answered_by: Option<String>,
    pub usage: Option<Usage>,
    pub estimated: bool,
    pub stream: bool,
}

/// What a plan was to be made of when there was none.
pub struct Unplanned {
    pub task: &'static str,
    pub stream: bool,
    pub inputs: Map<String, Value>,
}

impl Record {
    pub fn refused(mut who: Early, error: &Error, config: &str, now: Millis) -> Self {
        let fault = Some(error.blame.name());
        let unplanned = who.unplanned.take();
        let record = Self { status: error.status, outcome: "refused", fault, ..Self::bare(who, config, now) };
        match (unplanned, error.kind) {
            (Some(Unplanned { task, stream, inputs }), _) => {
                Self { task, stream, plan: vec![refusal(error)], inputs: Some(inputs), ..record }
            }
            // Which limit it was. Of what could not be read the words may be the caller's own.
            (None, Kind::RateLimited | Kind::TokensLimited) => Self { plan: vec![refusal(error)], ..record },
            (None, _) => record,
        }
    }

    /// A call that was passed on as it came: its answer is the provider's affair.
    pub fn forwarded(who: Early, (provider, status): (&str, u16), config: &str, now: Millis) -> Self {
        let provider = Some(provider.to_owned());
        let upstream_ms = now.since(who.time);
        Self { status, outcome: FORWARDED, provider, upstream_ms, gateway_ms: 0, ..Self::bare(who, config, now) }
    }

    /// An answer that was given from the response cache: nobody was asked, and it cost nothing.
    pub fn cached(who: Early, task: &'static str, route: &str, answer: Given, config: &str, now: Millis) -> Self {
        let Given { provider, model, answered_by, usage, estimated, stream } = answer;
        Self {
            task,
            route: recorded(route),
            provider: Some(provider),
            model: Some(model),
            answered_by: answered_by.map(|name| recorded(&name)),
            usage,
            estimated,
            stream,
            cost: Some(Money(0)),
            cache: Some(GIVEN),
            status: 200,
            outcome: OK,
            ..Self::bare(who, config, now)
        }
    }

    fn bare(who: Early, config: &str, now: Millis) -> Self {
        Self {
            time: who.time,
            id: who.id,
            sampled: who.trace.is_sampled(),
            trace_id: who.trace.trace_id,
            span_id: who.trace.span_id,
            parent_span_id: who.trace.parent,
            client_request_id: None,
            key: who.payer.key,
            tenant: who.payer.tenant,
            dialect: who.dialect.name(),
            task: "",
            asked: recorded(&who.asked),
            route: String::new(),
            rule: None,
            provider: None,
            model: None,
            credential: None,
            answered_by: None,
            response_id: None,
            stream: false,
            cache: None,
            status: 0,
            outcome: "",
            fault: None,
            detail: None,
            tries: vec![],
            plan: vec![],
            skipped: vec![],
            inputs: None,
            first_ms: None,
            upstream_ms: 0,
            gateway_ms: now.since(who.time),
            waited_ms: 0,
            total_ms: now.since(who.time),
            usage: None,
            raw_usage: None,
            estimated: false,
            cost: None,
            tier: None,
            dropped: vec![],
            malformed: 0,
            config: config.to_owned(),
            health: 0,
            region: who.region,
        }
    }
}

#[cfg_attr(not(target_arch = "wasm32"), expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so"))]
const fn is_none(ms: &u64) -> bool {
    *ms == 0
}

/// Characters of a refusal in a record: its reason fits.
const MAX_REFUSAL: usize = 128;

/// A refusal as a plan's only line.
pub fn refusal(error: &Error) -> String {
    format!("refused: {}", error.message.chars().take(MAX_REFUSAL).collect::<String>())
}
