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
    error::Error,
    exchange::{Exchange, Task},
    plan::inputs,
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
    let planned = question.plan(asked.config);
    let mut out = explain::told(&question, asked.config, planned.as_ref());
    if let Ok(plan) = planned {
        let inputs = &question.inputs;
        let kept = inputs::keep(inputs.ask(), asked.config, &inputs.health, Ok(&plan));
        let mut exchange = Exchange::new(question.call(), Rc::clone(asked.config), plan).made_of(kept);
        let body = Rc::clone(&question.body);
        let mut driver = Driver {
            faults: &mut faults,
            body: std::str::from_utf8(&body).unwrap_or_default(),
            started: inputs.now,
            leaves_at: leaves_ms.map(|ms| inputs.now.plus(ms)),
        };
        let run = driver.run(&mut exchange);
        let record = exchange.record(inputs.now.plus(run.took_ms));
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
