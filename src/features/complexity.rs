//! How hard a request is, as far as its surface tells: counts of what stands in it, weighed. `docs/complexity.md` tells how
//! far to trust it.

use super::{effort, scan::Scan};
use crate::chat::request::{Effort, Format, Message, Part, Reasoning, Request, Role, ToolResult};

/// What is read of the last user turn, so that a book costs no more than a letter: where a task is named is the front and
/// the end.
const FRONT_BYTES: usize = 3 * 1024;
const END_BYTES: usize = 1024;
/// A turn shorter than this ("And in French?") leans on the one before it; so many in all.
const FOLLOW_UP_BYTES: usize = 48;
const FOLLOW_UPS: usize = 3;
/// Of an application's instructions only the front is read: it names the task, the rest are rules for all tasks.
const SYSTEM_BYTES: usize = 1024;
/// Turns that are looked through for what was done so far.
const TURNS: usize = 512;
/// Tokens that any conversation may have before its length speaks of anything.
const USUAL_TOKENS: u64 = 1024;
/// Questions of one fact, and pleasantries, are short.
const FACT_WORDS: u32 = 24;
const CHAT_WORDS: u32 = 12;

/// Thousandths for one of what is counted, up to so many of it.
pub struct Weight {
    pub name: &'static str,
    pub each: i32,
    pub most: u32,
}

const fn weight(name: &'static str, each: i32, most: u32) -> Weight {
    Weight { name, each, most }
}

/// Kinds of counts; `WEIGHTS` has one of each.
pub const SIGNALS: usize = 25;

/// A request of which nothing is known.
pub const BASE: i32 = 100;

/// In the order of `Signals::counts`. A length is counted in quarters of a doubling, so that the first page tells more than
/// the tenth.
pub static WEIGHTS: [Weight; SIGNALS] = [
    // More said, more to be taken into account.
    weight("length", 6, 48),
    // Many long words: a specialist's field.
    weight("long words", 15, 5),
    // Several questions in one; the first is free.
    weight("questions", 10, 4),
    // Constraints that the answer is held to, each a way to fail.
    weight("constraints", 10, 8),
    // Steps, or cases, of a list.
    weight("list items", 8, 8),
    // Asks for thought: prove, compare, debug, step by step.
    weight("reasoning words", 60, 4),
    // Asks for something that must work as a whole.
    weight("building words", 35, 4),
    // Programming, by its words;
    weight("code words", 30, 4),
    // by its lines, in quarters of a doubling;
    weight("code lines", 8, 24),
    // by its names.
    weight("identifiers", 15, 6),
    // Something fails, and nobody knows why.
    weight("stack traces", 40, 2),
    // Mathematics, by its words
    weight("mathematical words", 40, 5),
    // and by its marks.
    weight("formulas", 12, 8),
    // Quantities to be kept apart, as in a word problem.
    weight("numbers", 8, 8),
    // Translating, summarizing, sorting into classes: small models do these well.
    weight("simple tasks", -60, 2),
    // Who, when, where, in a short question: known or not, never worked out.
    weight("questions of fact", -60, 1),
    // Nothing is asked.
    weight("pleasantries", -60, 2),
    // The conversation, in quarters of a doubling beyond a thousand tokens: what matters is harder to find.
    weight("context", 6, 32),
    // Turns of the user, in quarters of a doubling: what is not solved at once is hard.
    weight("turns", 8, 16),
    // Tools to choose from, in quarters of a doubling,
    weight("tools", 10, 20),
    // and used so far: an agent at work, whose next step hangs on the others.
    weight("tool results", 12, 24),
    // An answer that must fit a schema leaves less to chance, but is one more rule.
    weight("schema", 20, 1),
    // The caller says how much thought it is worth: minimal 0, low 1, to max 6;
    weight("effort", 45, 6),
    // or that it is worth none.
    weight("no thinking", -80, 1),
    // Pictures, documents, sound: to be perceived before anything is thought.
    weight("media", 50, 3),
];

/// What was counted.
pub struct Signals {
    pub counts: [u32; SIGNALS],
    pub language: &'static str,
    /// Letters looked at: bounded, whatever the request.
    pub read: u32,
}

impl Signals {
    /// From 0 to 1000.
    pub fn score(&self) -> u16 {
        let weighed = |(count, weight): (&u32, &Weight)| {
            i32::try_from(*count.min(&weight.most)).unwrap_or_default().saturating_mul(weight.each)
        };
        let sum: i32 = self.counts.iter().zip(&WEIGHTS).map(weighed).sum();
        u16::try_from(BASE.saturating_add(sum).clamp(0, 1000)).unwrap_or_default()
    }
}

pub fn signals(request: &Request, input_tokens: u64) -> Signals {
    let mut scan = Scan::new();
    for text in last_words(request) {
        let (front, end) = ends(text, FRONT_BYTES, END_BYTES);
        scan.text(front);
        if !end.is_empty() {
            scan.text(end);
        }
    }
    scan.end();
    let mut system = Scan::new();
    if let Some(text) = instructions(request) {
        system.text(ends(text, SYSTEM_BYTES, 0).0);
    }
    let past = Past::of(request);
    let few = |count: u32, limit: u32| if scan.words <= limit { count } else { 0 };
    let counts = [
        doublings(scan.words.into()),
        if scan.words < CHAT_WORDS { 0 } else { scan.long_words.saturating_mul(20) / scan.words },
        scan.questions.saturating_sub(1),
        scan.rules,
        scan.items,
        scan.reason.saturating_add(system.reason),
        scan.build,
        scan.code,
        doublings(scan.code_lines.into()),
        scan.names,
        scan.traces,
        scan.math,
        scan.symbols,
        scan.numbers,
        scan.simple.saturating_add(system.simple),
        few(scan.facts, FACT_WORDS).min(1),
        few(scan.chat, CHAT_WORDS),
        doublings(input_tokens / USUAL_TOKENS),
        doublings(past.turns.saturating_sub(1)),
        doublings(u64::try_from(request.tools.len()).unwrap_or(u64::MAX)),
        doublings(past.results),
        u32::from(matches!(request.format, Some(Format::Schema { .. }))),
        request.reasoning.as_ref().and_then(effort).map_or(0, steps),
        u32::from(matches!(request.reasoning, Some(Reasoning::Off | Reasoning::Budget(0) | Reasoning::Effort(Effort::Minimal)))),
        past.media,
    ];
    Signals { counts, language: scan.language.language(), read: scan.read.saturating_add(system.read) }
}

const fn steps(effort: Effort) -> u32 {
    match effort {
        Effort::Minimal => 0,
        Effort::Low => 1,
        Effort::Medium => 2,
        Effort::High => 4,
        Effort::XHigh => 5,
        Effort::Max => 6,
    }
}

/// Quarters of a doubling: 0 → 0, 1 → 1, 2 → 5, 3 → 7, 4 → 9.
fn doublings(count: u64) -> u32 {
    let Some(whole) = count.checked_ilog2() else { return 0 };
    let quarters = u32::try_from(count.saturating_mul(4) >> whole & 3).unwrap_or_default();
    1 + whole.saturating_mul(4) + quarters
}

/// What the user says last, with what it leans on; the later the earlier.
fn last_words(request: &Request) -> Vec<&str> {
    let mut texts = vec![];
    let (mut bytes, mut turns) = (0, 0);
    for message in request.messages.iter().rev().take(TURNS).filter(|message| message.role == Role::User) {
        // Applications add reminders in parts of their own; the user's words are mostly the longest.
        let said = message.parts.iter().take(TURNS).filter_map(text).max_by_key(|text| text.len());
        let Some(said) = said else { continue };
        texts.push(said);
        bytes += said.len();
        turns += 1;
        if bytes >= FOLLOW_UP_BYTES || turns == FOLLOW_UPS {
            break;
        }
    }
    texts
}

fn instructions(request: &Request) -> Option<&str> {
    let system = request.messages.iter().take(1).find(|message| message.role == Role::System)?;
    system.parts.iter().find_map(text)
}

fn text(part: &Part) -> Option<&str> {
    part.as_text().filter(|text| !text.trim_start().is_empty())
}

/// The front and the end, each of at most so many bytes, without overlap.
fn ends(text: &str, front: usize, end: usize) -> (&str, &str) {
    if text.len() <= front.saturating_add(end) {
        return (text, "");
    }
    let first = text.get(..text.floor_char_boundary(front)).unwrap_or_default();
    let last = text.get(text.ceil_char_boundary(text.len().saturating_sub(end))..).unwrap_or_default();
    (first, last)
}

/// What happened so far.
#[derive(Default)]
struct Past {
    /// In which the user said something.
    turns: u64,
    results: u64,
    /// Since the user said something.
    media: u32,
}

impl Past {
    fn of(request: &Request) -> Self {
        let mut past = Self::default();
        let mut is_current = true;
        for message in request.messages.iter().rev().take(TURNS).filter(|message| message.role == Role::User) {
            past.turn(message, &mut is_current);
        }
        past
    }

    fn turn(&mut self, message: &Message, is_current: &mut bool) {
        let parts = || message.parts.iter().take(TURNS);
        let says = parts().any(|part| text(part).is_some());
        self.turns += u64::from(says);
        for part in parts() {
            match part {
                Part::ToolResult(ToolResult { .. }) => self.results += 1,
                Part::Image { .. } | Part::File { .. } | Part::Audio { .. } | Part::Video { .. } => {
                    self.media += u32::from(*is_current);
                }
                Part::Text { .. }
                | Part::Reasoning { .. }
                | Part::RedactedReasoning { .. }
                | Part::Refusal { .. }
                | Part::ToolCall(_)
                | Part::Opaque { .. } => {}
            }
        }
        *is_current &= !says;
    }
}
