//! What would become of a request if things went wrong: the plan, carried out by the real exchange in virtual time.

use std::rc::Rc;

use serde_json::Value;

use super::{
    drive::{Driver, Run},
    explain,
    faults::Faults,
    question::{Asked, Question},
};
use crate::{
    config::Snapshot,
    error::Error,
    exchange::{Call, Exchange, Task},
    plan::{Plan, inputs},
    wire::{
        compose::{Members, json},
        json::json_text,
    },
};

/// Bytes of the simulated answer that are shown.
const MAX_SHOWN: usize = 64 << 10;
/// Steps that are shown: each try has a handful.
const MAX_STEPS_SHOWN: usize = 500;

/// The answer to `POST /admin/v1/simulate`.
pub fn simulate(asked: &Asked<'_>) -> Result<String, Error> {
    let mut question = Question::read(asked)?;
    let mut faults = Faults::read(question.more.take("faults"))?;
    let leaves_ms = question.more.take_u64("client_leaves_ms")?;
    if question.task != Task::Generate {
        return Err(Error::invalid("path", "Only generating is simulated; `explain` knows the plan of everything else."));
    }
    let started = question.inputs.now;
    let planned = held(&mut question, asked.config);
    let inputs = &question.inputs;
    let mut out = explain::told(&question, asked.config, planned.as_ref());
    if let Ok(plan) = planned {
        let held_ms = inputs.now.since(started);
        let mut kept = inputs::keep(inputs.ask(), asked.config, &inputs.health, Ok(&plan));
        inputs::keep_held(&mut kept, held_ms);
        let call = Call { started, ..question.call() };
        let mut exchange = Exchange::new(call, Rc::clone(asked.config), plan).made_of(kept);
        exchange.held(held_ms);
        let body = Rc::clone(&question.body);
        let mut driver = Driver {
            faults: &mut faults,
            body: std::str::from_utf8(&body).unwrap_or_default(),
            started,
            leaves_at: leaves_ms.map(|ms| started.plus(ms)),
        };
        let run = driver.run(&mut exchange, inputs.now);
        let record = exchange.record(started.plus(run.took_ms));
        out.put("answer", answer(&run, record.outcome));
        out.put("steps", run.steps.into_iter().take(MAX_STEPS_SHOWN).collect::<Vec<_>>());
        // By its text, as the journal has it.
        let text = serde_json::to_string(&record).unwrap_or_default();
        out.put("record", serde_json::from_str::<Value>(&text).unwrap_or_default());
        out.put("unused_faults", faults.unused());
    }
    question.end()?;
    Ok(json_text(&Value::Object(out)))
}

/// The plan, once something is usable where the route says to wait for it. Health changes meanwhile only by the clock.
fn held(question: &mut Question, config: &Snapshot) -> Result<Plan, Error> {
    let started = question.inputs.now;
    loop {
        let plan = question.plan(config)?;
        let Some(wait) = plan.wait else { return Ok(plan) };
        question.inputs.now = question.inputs.now.plus(wait.pause(started, question.inputs.now)?);
    }
}

/// What the client would get.
fn answer(run: &Run, outcome: &str) -> Value {
    let headers: serde_json::Map<String, Value> =
        run.headers.iter().map(|(name, value)| (name.clone(), Value::String(value.clone()))).collect();
    let shown = run.body.get(..MAX_SHOWN).unwrap_or(&run.body);
    json!({
        "status": run.status,
        "outcome": outcome,
        "total_ms": run.took_ms,
        "bytes": run.body.len(),
        "headers": headers,
        "body": String::from_utf8_lossy(shown).into_owned(),
    })
}
