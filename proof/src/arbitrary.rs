//! Canonical values made up at random: only such as a reader may hand out.

use portolan::chat::{
    Dialect,
    event::{Block, Delta, Event},
    fold,
    request::{Citation, Part, Signature, Source, ToolCall},
    response::{Response, StopReason, TokenLogprob},
    usage::Usage,
};
use serde_json::{Map, Number, Value, json};

use crate::random::Random;

const WORDS: [&str; 14] =
    ["a", "Hello", " there", "\n", "é", "日本", "😀", "\u{2028}", "\"quoted\"", "\\", "data: ", "[DONE]", "</s>", "{\"a\":1}"];
const NAMES: [&str; 5] = ["look_up", "get-weather", "f", "Search_2", "run"];
const STOPS: [StopReason; 6] = [
    StopReason::End,
    StopReason::StopSequence,
    StopReason::Length,
    StopReason::ToolCalls,
    StopReason::ContentFilter,
    StopReason::Pause,
];
/// The smallest PNG there is.
pub const PIXEL: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==";

/// Some words; never blank, for blank texts may be left out by any dialect.
pub fn text(random: &mut Random) -> String {
    let words = (0..=random.below(5)).filter_map(|_| random.pick(&WORDS).copied()).collect::<String>();
    if words.trim().is_empty() { format!("x{words}") } else { words }
}

pub fn name(random: &mut Random) -> String {
    random.pick(&NAMES).copied().unwrap_or("f").to_owned()
}

/// An object, as arguments and schemas are.
pub fn object(random: &mut Random) -> Value {
    let members = (0..random.below(4)).map(|i| (format!("k{i}"), json_value(random, 2)));
    Value::Object(members.collect::<Map<_, _>>())
}

/// Any JSON, not too deep.
pub fn json_value(random: &mut Random, depth: usize) -> Value {
    match random.below(if depth == 0 { 6 } else { 8 }) {
        0 => Value::Null,
        1 => random.once_in(2).into(),
        2 => small(random).into(),
        3 => json!(-1.5e-3),
        4 => text(random).into(),
        5 => name(random).into(),
        6 => (0..random.below(4)).map(|_| json_value(random, depth - 1)).collect(),
        _ => (0..random.below(4)).map(|i| (format!("k{i}"), json_value(random, depth - 1))).collect::<Map<_, _>>().into(),
    }
}

pub fn small(random: &mut Random) -> u64 {
    random.next() % 5000
}

pub fn fraction(random: &mut Random) -> Option<Number> {
    // Not 1, which is the default and may go unsaid.
    let tenths = [0.1, 0.2, 0.5, 0.7, 0.9];
    random.pick(&tenths).copied().and_then(Number::from_f64)
}

/// Once in so many times.
pub fn perhaps<T>(random: &mut Random, times: usize, make: impl FnOnce(&mut Random) -> T) -> Option<T> {
    if random.once_in(times) { Some(make(random)) } else { None }
}

/// Dialects whose providers prove their thoughts.
const SIGNING: [Dialect; 4] = [Dialect::Anthropic, Dialect::Gemini, Dialect::OpenAiResponses, Dialect::Converse];

pub fn signature(random: &mut Random) -> Signature {
    let dialect = random.pick(&SIGNING).copied().unwrap_or(Dialect::Anthropic);
    Signature { dialect, value: format!("c2ln{:08x}", small(random)) }
}

/// A call whose id no other call has.
pub fn call(random: &mut Random, number: usize) -> ToolCall {
    let arguments = if random.once_in(5) { String::new() } else { object(random).to_string() };
    ToolCall { id: format!("call_{number:04}{:04x}", small(random)), name: name(random), arguments, ..ToolCall::default() }
}

fn citation(random: &mut Random) -> Citation {
    Citation {
        url: Some(format!("https://example.com/{}", small(random))),
        title: perhaps(random, 2, text),
        quote: None,
        start: None,
        end: None,
        native: None,
    }
}

/// What a model may answer.
pub fn response(random: &mut Random) -> Response {
    let parts = parts(random);
    let calls = parts.iter().any(|part| matches!(part, Part::ToolCall(_)));
    let mut stop = random.pick(&STOPS).copied().unwrap_or_default();
    if calls || stop == StopReason::ToolCalls {
        stop = if calls { StopReason::ToolCalls } else { StopReason::End };
    }
    let stop_sequence = (stop == StopReason::StopSequence).then(|| "###".to_owned());
    let says = parts.iter().any(|part| matches!(part, Part::Text { .. }));
    let logprobs = perhaps(random, 6, logprobs).filter(|_| says).unwrap_or_default();
    Response {
        id: perhaps(random, 2, |random| format!("id-{}", small(random))),
        model: Some("some-model".to_owned()),
        parts,
        stop,
        stop_sequence,
        logprobs,
        usage: Some(usage(random)),
        ..Response::default()
    }
}

fn logprobs(random: &mut Random) -> Vec<TokenLogprob> {
    let token = |random: &mut Random| {
        let token = text(random);
        TokenLogprob { bytes: Some(token.clone().into_bytes()), token, logprob: -0.25, top: vec![] }
    };
    (0..=random.below(3)).map(|_| token(random)).collect()
}

fn parts(random: &mut Random) -> Vec<Part> {
    let mut parts = vec![];
    if random.once_in(3) {
        let signature = perhaps(random, 2, signature);
        parts.push(Part::Reasoning { text: text(random), signature });
    }
    if random.once_in(8) {
        parts.push(Part::RedactedReasoning { data: "cmVkYWN0ZWQ=".to_owned(), dialect: Dialect::Anthropic });
    }
    if !random.once_in(4) {
        let citations = perhaps(random, 5, |random| vec![citation(random)]).unwrap_or_default();
        parts.push(Part::Text { text: text(random), cache: None, citations });
    }
    if random.once_in(12) {
        let source = Source::Inline { media_type: "image/png".to_owned(), data: PIXEL.to_owned() };
        parts.push(Part::Image { source, detail: None, cache: None });
    }
    if random.once_in(12) {
        return vec![Part::Refusal { text: text(random) }];
    }
    for number in 0..random.below(4) {
        let mut call = call(random, number);
        call.signature = perhaps(random, 5, signature);
        parts.push(Part::ToolCall(call));
    }
    if parts.is_empty() { vec![Part::text(text(random))] } else { parts }
}

fn usage(random: &mut Random) -> Usage {
    let output = small(random);
    Usage {
        input: small(random),
        cache_read: small(random),
        cache_write: perhaps(random, 3, small).unwrap_or(0),
        output,
        reasoning: random.next() % (output + 1),
        ..Usage::default()
    }
}

/// The stream that tells an answer: its deltas in pieces, and blocks of parallel calls open together at times.
pub fn events(random: &mut Random, response: &Response) -> Vec<Event> {
    let (told, finish) = fold::unfold(response, None);
    let mut out = vec![];
    let together = random.once_in(3);
    let mut held = vec![];
    for event in told {
        match event {
            Event::BlockDelta { index, delta } => {
                out.extend(pieces(random, delta).into_iter().map(|delta| Event::BlockDelta { index, delta }));
            }
            Event::BlockEnd { .. } if together && is_call(&out) => held.push(event),
            Event::Start { .. }
            | Event::BlockStart { .. }
            | Event::BlockEnd { .. }
            | Event::Usage(_)
            | Event::Stop { .. }
            | Event::End
            | Event::Failed(_)
            | Event::Malformed => out.push(event),
        }
    }
    out.append(&mut held);
    let sequence = finish.stop_sequence;
    out.push(Event::Stop { choice: 0, reason: finish.stop, sequence });
    out.extend(response.usage.map(Event::Usage));
    out.push(Event::End);
    out
}

fn is_call(events: &[Event]) -> bool {
    let opened =
        events.iter().rev().find_map(|event| if let Event::BlockStart { block, .. } = event { Some(block) } else { None });
    matches!(opened, Some(Block::ToolCall(_)))
}

fn pieces(random: &mut Random, delta: Delta) -> Vec<Delta> {
    let mut cut = |text: &str| {
        let chars: Vec<char> = text.chars().collect();
        let size = 1 + random.below(6);
        chars.chunks(size).map(|piece| piece.iter().collect::<String>()).collect::<Vec<_>>()
    };
    match delta {
        Delta::Text(text) => cut(&text).into_iter().map(Delta::Text).collect(),
        Delta::Reasoning(text) => cut(&text).into_iter().map(Delta::Reasoning).collect(),
        Delta::Refusal(text) => cut(&text).into_iter().map(Delta::Refusal).collect(),
        Delta::Arguments(text) => cut(&text).into_iter().map(Delta::Arguments).collect(),
        Delta::Signature(_) | Delta::Citation(_) | Delta::Logprobs(_) | Delta::Audio(_) => vec![delta],
    }
}
