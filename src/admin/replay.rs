//! A decision of the past, made again from what its record kept.

use serde_json::{Map, Value};

use crate::{
    config::Snapshot,
    dialect::{Dialect, Facts, surface::Operation},
    error::{Error, Kind},
    ledger::record,
    plan::{
        Plan, Wishes, cell,
        health::View,
        inputs::{Inputs, Origin},
        seed,
    },
    units::Millis,
    wire::{
        compose::{Members, json},
        fields::Fields,
        json::json_text,
    },
};

/// What every request to generate is called in records.
const GENERATE: &str = "generate";

/// The configuration that a record's decision was made on; `None` where no decision was made.
pub fn version(record: &Value) -> Option<&str> {
    let text = |key: &str| record.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    text("task")?;
    text("config")
}

/// The answer to `GET /admin/v1/requests/{id}/replay`.
pub fn replay(record: Value, config: &Snapshot) -> Result<String, Error> {
    let mut record = Fields::read(record, "")?;
    let rule = record.take_str("rule")?;
    let told = Decision { rule, attempts: recorded(&mut record)?, skipped: texts(&mut record, "skipped")? };
    let inputs = read(&mut record)?;
    let (was_cut, kept) = (inputs.1, inputs.0);
    let made = decided(kept.plan(config));
    let mut differences = vec![];
    compare("rule", told.rule.as_slice(), made.rule.as_slice(), &mut differences);
    compare("attempts", &told.attempts, &made.attempts, &mut differences);
    compare("skipped", &told.skipped, &made.skipped, &mut differences);
    let mut out = Map::new();
    out.put("same", differences.is_empty());
    out.put("id", record.take("id"));
    out.put("config", &config.version);
    out.put("seed", format!("{:016x}", kept.seed));
    out.put("recorded", told.into_json());
    out.put("recomputed", made.into_json());
    out.put("differences", differences);
    if was_cut {
        out.put("note", "Values of this request were cut when it was recorded: a rule that reads them may decide otherwise.");
    }
    Ok(json_text(&Value::Object(out)))
}

/// What was to be tried, and what was left out: a line each.
struct Decision {
    rule: Option<String>,
    attempts: Vec<String>,
    skipped: Vec<String>,
}

impl Decision {
    fn into_json(self) -> Value {
        json!({"rule": self.rule, "attempts": self.attempts, "skipped": self.skipped})
    }
}

fn decided(planned: Result<Plan, Error>) -> Decision {
    let refused = |error: &Error| Decision { rule: None, attempts: vec![record::refusal(error)], skipped: vec![] };
    let plan = match planned {
        Ok(plan) => plan,
        Err(error) => return refused(&error),
    };
    // Such a plan is waited with, and when that was in vain the request is refused.
    let in_vain = plan.wait.and_then(|wait| wait.pause(Millis(0), Millis(u64::MAX)).err());
    if let Some(error) = in_vain {
        return refused(&error);
    }
    let skipped = plan.skipped.iter().map(ToString::to_string).collect();
    Decision { attempts: plan.told(), skipped, rule: plan.rule }
}

/// A plan with one attempt that was tried stands in the tries alone.
fn recorded(record: &mut Fields) -> Result<Vec<String>, Error> {
    let plan = texts(record, "plan")?;
    if !plan.is_empty() {
        return Ok(plan);
    }
    let Some(mut first) = record.take_objects("tries")?.into_iter().next() else { return Ok(vec![]) };
    let target = cell(&first.need_str("provider")?, &first.need_str("model")?);
    Ok(vec![format!("{target}: {}", first.need_str("reason")?)])
}

/// What the plan was made of, and whether anything of that was cut.
fn read(record: &mut Fields) -> Result<(Inputs, bool), Error> {
    let not_made = || Error::new(Kind::NotFound, "Nothing was decided for this request: it was passed on, or refused before.");
    let task = record.take_str("task")?.unwrap_or_default();
    let operation = Operation::ALL.into_iter().find(|operation| operation.name() == task);
    if operation.is_none() && task != GENERATE {
        return Err(not_made());
    }
    let dialect = record.need_str("dialect")?;
    let dialect = Dialect::ALL.into_iter().find(|known| known.name() == dialect).ok_or_else(not_made)?;
    let facts =
        Facts { model: record.need_str("asked")?, stream: record.take_bool("stream")?.unwrap_or_default(), ..Facts::default() };
    let id = record.peek("id").and_then(Value::as_str).unwrap_or_default();
    let seed = seed::hash(id);
    let region = record.take_str("region")?.unwrap_or_default();
    let mut inputs = Inputs {
        dialect,
        operation,
        facts,
        owner: None,
        features: None,
        origin: Origin { region, ..Origin::default() },
        key: record.take_str("key")?.unwrap_or_default(),
        tags: vec![],
        providers: None,
        headers: vec![],
        wishes: Wishes::NONE,
        conversation: None,
        health: View::default(),
        own_keys: vec![],
        now: Millis(record.take_u64("time")?.unwrap_or_default()),
        seed,
    };
    let kept = record.take_fields("inputs")?.map(Fields::into_map).unwrap_or_default();
    let was_cut = kept.contains_key("cut");
    inputs.add(kept)?;
    Ok((inputs, was_cut))
}

fn texts(record: &mut Fields, key: &str) -> Result<Vec<String>, Error> {
    let items = record.take_array(key)?.unwrap_or_default();
    Ok(items.iter().filter_map(|item| item.as_str().map(str::to_owned)).collect())
}

/// Line by line: `attempts[1]`, as it was and as it is.
fn compare(what: &str, told: &[String], made: &[String], differences: &mut Vec<Value>) {
    for at in 0..told.len().max(made.len()) {
        let (was, is) = (told.get(at), made.get(at));
        if was != is {
            differences.push(json!({"path": format!("{what}[{at}]"), "recorded": was.cloned(), "recomputed": is.cloned()}));
        }
    }
}
