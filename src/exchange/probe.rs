//! A request of the gateway's own, to see whether a target is back.

use std::rc::Rc;

use super::{Call, Exchange, Lesson, Task};
use crate::{
    config::Snapshot,
    dialect::Dialect,
    ledger::Payer,
    plan::{
        self, Ask, Reason,
        health::{Health, View},
    },
    units::Millis,
    wire::json::{Outline, quoted},
};

/// The name of its key in records.
const KEY: &str = "probe";
/// OpenAI's Responses take no fewer.
const MAX_TOKENS: u32 = 16;

/// The cheapest call, in whatever dialect the target speaks. `None` where it cannot be called, or has a limit in force.
///
/// It is asked as Claude's clients ask, for that form alone says the same to all: others name the limit of tokens by the
/// model's age.
pub fn begin(
    cell: &str,
    region: &str,
    config: &Rc<Snapshot>,
    view: &View,
    (id, now, seed): (String, Millis, u64),
) -> Option<Exchange> {
    let model = quoted(cell);
    let body = format!(r#"{{"model":{model},"max_tokens":{MAX_TOKENS},"messages":[{{"role":"user","content":"ping"}}]}}"#);
    let dialect = Dialect::Anthropic;
    let caller = dialect.caller()?;
    let facts = caller.facts(&Outline::read(body.as_bytes()).ok()?).ok()?;
    let mut plan = plan::plan(Ask::generate(dialect, &facts), config, view, now, seed).ok()?;
    // A route may have the name of a target.
    plan.attempts.retain(|attempt| attempt.reason == Reason::Probe && attempt.cell() == cell);
    plan.attempts.first()?;
    let call = Call {
        id,
        dialect,
        task: Task::Generate,
        caller,
        facts,
        body: Rc::new(body.into_bytes()),
        headers: vec![],
        started: now,
        seed,
        payer: Payer::gateway(KEY),
        region: region.to_owned(),
        colo: String::new(),
    };
    Some(Exchange::new(call, Rc::clone(config), plan))
}

/// What the region learns from it.
pub fn learn(health: &mut Health, lesson: &Lesson, now: Millis, seed: u64) {
    match lesson {
        Lesson::Signal(cell, signal) => {
            health.report(cell, *signal, now, seed);
        }
        Lesson::Probed(cell, signal) => health.end_probe(cell, Some(*signal), now, seed),
        Lesson::Released(cell) => health.end_probe(cell, None, now, seed),
    }
}
