//! What a provider does with a request, given what is wrong with it at the time.

use std::collections::{BTreeMap, VecDeque};

use portolan::plan::outcome::Transport;

use super::{
    bytes::{self, Words},
    scenario::{Arrival, Fault, Flaw, Place, Provider, Scenario, Tongue, Trouble},
    worlds::Dice,
};

/// Whose fault it was, known for certain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Truth {
    Good,
    /// It answers, perhaps too late.
    Slow,
    /// The provider failed.
    Failed,
    /// It took the request and fell silent, before any content or after it.
    Silent,
    Limited,
    /// The credential, or its account.
    Rejected,
    ModelGone,
    RegionBlocked,
    TooLong,
    Caller,
}

impl Truth {
    /// Health may hear ill of the provider.
    pub const fn may_hurt(self) -> bool {
        match self {
            Self::Good | Self::RegionBlocked | Self::TooLong | Self::Caller => false,
            Self::Slow | Self::Failed | Self::Silent | Self::Limited | Self::Rejected | Self::ModelGone => true,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    Clean,
    Cut,
    Stall,
}

#[derive(Clone, Debug)]
pub struct Answer {
    /// Until the head; `None`: never.
    pub head_after: Option<u64>,
    pub refusal: Option<Transport>,
    pub status: u16,
    pub headers: Vec<(String, String)>,
    /// Each with the wait before it.
    pub chunks: VecDeque<(u64, Vec<u8>)>,
    pub ending: Ending,
    pub truth: Truth,
    /// Chunks after which the answer is whole.
    pub whole_after: usize,
    /// Chunks that the gateway has read.
    pub read: usize,
    pub provider: usize,
}

/// Providers that can take only so many a second.
#[derive(Default)]
pub struct Load(BTreeMap<(usize, u64), u64>);

impl Load {
    fn count(&mut self, provider: usize, now: u64) -> u64 {
        let count = self.0.entry((provider, now / 1_000)).or_default();
        *count += 1;
        *count
    }
}

const OVERLOADED: Words = words(503, ["server_error", "overloaded_error", "UNAVAILABLE"], "The server is overloaded.");
const BROKEN: Words = words(500, ["server_error", "api_error", "INTERNAL"], "Something went wrong.");
const LIMITED: Words = words(429, ["rate_limit_exceeded", "rate_limit_error", "RESOURCE_EXHAUSTED"], "Rate limit reached.");
const QUOTA: Words =
    words(402, ["insufficient_quota", "billing_error", "FAILED_PRECONDITION"], "Your credit balance is too low.");
const REVOKED: Words = words(401, ["invalid_api_key", "authentication_error", "UNAUTHENTICATED"], "Incorrect API key provided.");
const GONE: Words = words(404, ["model_not_found", "not_found_error", "NOT_FOUND"], "The model does not exist.");
const BLOCKED: Words = words(
    403,
    ["unsupported_country_region_territory", "unsupported_country_region_territory", "unsupported_country_region_territory"],
    "Country, region, or territory not supported",
);
const INVALID: Words =
    words(400, ["invalid_request_error", "invalid_request_error", "INVALID_ARGUMENT"], "`temperature` must be a number.");
const FILTERED: Words =
    words(400, ["content_filter", "invalid_request_error", "INVALID_ARGUMENT"], "Blocked by the content filtering policy.");
const TOO_LONG: Words = words(
    400,
    ["context_length_exceeded", "invalid_request_error", "INVALID_ARGUMENT"],
    "prompt is too long: 210000 tokens > 200000 maximum",
);

const fn words(status: u16, names: [&'static str; 3], message: &'static str) -> Words {
    let [openai, anthropic, gemini] = names;
    Words { status, openai, anthropic, gemini, message }
}

/// One send: where to, for whom, which try of that request, and when.
pub struct Sent<'a> {
    pub place: Place,
    pub arrival: &'a Arrival,
    pub nth: usize,
    pub now: u64,
}

pub fn answer(scenario: &Scenario, load: &mut Load, sent: &Sent<'_>) -> Answer {
    let Some(provider) = scenario.providers.get(sent.place.provider) else {
        return refused(Tongue::OpenAi, &GONE, (1, Truth::ModelGone));
    };
    let mut dice = Dice::new(scenario.seed, &format!("answer {} {}", sent.arrival.number, sent.nth));
    let count = load.count(sent.place.provider, sent.now);
    let mut slow = 1;
    let mut broken = None;
    for fault in scenario.active(&sent.place, sent.now) {
        match fault.trouble {
            Trouble::Slow { factor } => slow = slow.max(factor),
            Trouble::Cut { percent } | Trouble::Stall { percent } | Trouble::InBand { percent } | Trouble::Html { percent } => {
                if dice.percent(percent) {
                    broken = Some(fault.trouble);
                }
            }
            Trouble::Down
            | Trouble::Silent
            | Trouble::Errors { .. }
            | Trouble::Limited { .. }
            | Trouble::RegionBlocked
            | Trouble::ModelGone
            | Trouble::Quota
            | Trouble::Revoked
            | Trouble::Cold { .. } => {
                if let Some(answer) = refuses(provider, fault, count, &mut dice) {
                    return Answer { provider: sent.place.provider, ..answer };
                }
            }
        }
    }
    let answer = match sent.arrival.flaw {
        Some(Flaw::Invalid) => refused(provider.tongue, &INVALID, (20, Truth::Caller)),
        Some(Flaw::Filtered) => refused(provider.tongue, &FILTERED, (20, Truth::Caller)),
        Some(Flaw::TooLong) if sent.place.provider.is_multiple_of(2) => refused(provider.tongue, &TOO_LONG, (20, Truth::TooLong)),
        Some(Flaw::TooLong) | None => {
            let first_ms = dice.between(provider.first_ms / 2, provider.first_ms * 3 / 2) * slow;
            let truth = if slow > 1 { Truth::Slow } else { Truth::Good };
            let timing = (first_ms, provider.gap_ms * slow);
            let good = Answer { truth, ..served(provider.tongue, sent, timing) };
            spoilt(good, broken, provider.tongue, &mut dice)
        }
    };
    Answer { provider: sent.place.provider, ..answer }
}

/// Faults that leave no answer.
fn refuses(provider: &Provider, fault: &Fault, count: u64, dice: &mut Dice) -> Option<Answer> {
    let soon = dice.between(5, 60);
    let plain = |words: &Words, truth| Some(refused(provider.tongue, words, (soon, truth)));
    match fault.trouble {
        Trouble::Down => match dice.below(4) {
            0 => Some(failed(soon, Transport::Refused)),
            1 => Some(failed(soon * 4, Transport::Reset)),
            2 => plain(&BROKEN, Truth::Failed),
            _ => plain(&OVERLOADED, Truth::Failed),
        },
        Trouble::Silent => Some(Answer { head_after: None, truth: Truth::Silent, ..failed(0, Transport::Reset) }),
        Trouble::Errors { percent } if dice.percent(percent) => plain(&BROKEN, Truth::Failed),
        Trouble::Cold { per_second } if count > per_second => plain(&OVERLOADED, Truth::Failed),
        Trouble::Limited { retry_after_s } => {
            let mut answer = refused(provider.tongue, &LIMITED, (soon, Truth::Limited));
            answer.headers.extend(retry_after_s.map(|seconds| ("retry-after".to_owned(), seconds.to_string())));
            Some(answer)
        }
        Trouble::RegionBlocked => plain(&BLOCKED, Truth::RegionBlocked),
        Trouble::ModelGone => plain(&GONE, Truth::ModelGone),
        Trouble::Quota => plain(&QUOTA, Truth::Rejected),
        Trouble::Revoked => plain(&REVOKED, Truth::Rejected),
        Trouble::Errors { .. }
        | Trouble::Cold { .. }
        | Trouble::Slow { .. }
        | Trouble::Cut { .. }
        | Trouble::Stall { .. }
        | Trouble::InBand { .. }
        | Trouble::Html { .. } => None,
    }
}

fn blank() -> Answer {
    Answer {
        head_after: Some(1),
        refusal: None,
        status: 200,
        headers: vec![],
        chunks: VecDeque::new(),
        ending: Ending::Clean,
        truth: Truth::Failed,
        whole_after: usize::MAX,
        read: 0,
        provider: 0,
    }
}

fn typed(content_type: &str) -> Vec<(String, String)> {
    vec![("content-type".to_owned(), content_type.to_owned())]
}

fn failed(after: u64, transport: Transport) -> Answer {
    Answer { head_after: Some(after), refusal: Some(transport), ..blank() }
}

fn refused(tongue: Tongue, words: &Words, (after, truth): (u64, Truth)) -> Answer {
    let chunks = [(1, bytes::refusal(tongue, words).into_bytes())].into();
    let headers = typed("application/json");
    Answer { head_after: Some(after), status: words.status, headers, chunks, truth, ..blank() }
}

fn served(tongue: Tongue, sent: &Sent<'_>, (first_ms, gap_ms): (u64, u64)) -> Answer {
    let count = u64::try_from(sent.arrival.words).unwrap_or(1);
    let (provider, words) = (sent.place.provider, sent.arrival.words);
    if !sent.arrival.stream {
        let chunks = [(1, bytes::whole(tongue, provider, words).into_bytes())].into();
        let head_after = Some(first_ms + gap_ms * count);
        return Answer { head_after, headers: typed("application/json"), chunks, whole_after: 1, ..blank() };
    }
    let (frames, whole_after) = bytes::stream(tongue, provider, words);
    let wait = |at: usize| if at == 0 { first_ms / 2 } else { gap_ms };
    let chunks = frames.into_iter().enumerate().map(|(at, frame)| (wait(at), frame.into_bytes())).collect();
    Answer { head_after: Some(first_ms / 2), headers: typed("text/event-stream"), chunks, whole_after, ..blank() }
}

/// A good answer that goes wrong on the way.
fn spoilt(mut answer: Answer, trouble: Option<Trouble>, tongue: Tongue, dice: &mut Dice) -> Answer {
    let Some(trouble) = trouble else { return answer };
    if matches!(trouble, Trouble::Html { .. }) {
        let page = b"<html><body>We will be back soon.</body></html>".to_vec();
        return Answer { head_after: answer.head_after, headers: typed("text/html"), chunks: [(1, page)].into(), ..blank() };
    }
    let keep = dice.index(answer.chunks.len());
    let is_stream = answer.headers.iter().any(|(_, value)| value.contains("event-stream"));
    answer.chunks.truncate(keep);
    if matches!(trouble, Trouble::InBand { .. }) && is_stream {
        // Whatever was said before: the provider takes it back.
        answer.whole_after = usize::MAX;
        answer.chunks.push_back((1, bytes::refusal_event(tongue, &OVERLOADED).into_bytes()));
    } else {
        answer.ending = if matches!(trouble, Trouble::Stall { .. }) { Ending::Stall } else { Ending::Cut };
    }
    // What was said before it fell silent may have been all of it.
    let is_whole = keep >= answer.whole_after;
    answer.truth = if !is_whole && answer.ending == Ending::Stall { Truth::Silent } else { Truth::Failed };
    answer
}
