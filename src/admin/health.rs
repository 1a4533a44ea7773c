//! The operator's calls about health: what a region knows, and the operator's word on it.

use serde_json::{Map, Value};

use crate::{
    audit::Change,
    error::Error,
    plan::{
        health::{Health, Standing},
        history::Change as Passed,
        operator::{self, Action},
        region,
        standings::nothing_left,
    },
    units::Millis,
    wire::{
        compose::{Members, json, put},
        fields::{Fields, must_be, unknown},
        json::json_text,
        percent,
        query::pairs,
    },
};

/// A word on a provider, one of its models (`provider/model`) or of its credentials (`provider#n`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    pub target: String,
    pub action: Action,
    pub for_ms: u64,
    /// Where it holds; everywhere unless it says so.
    pub region: Option<&'static str>,
}

impl Order {
    /// Of what follows `/health/` in the path, and the body.
    pub fn read(target: &str, body: &str) -> Result<Self, Error> {
        let body = serde_json::from_str(body).map_err(|_| must_be("the body", "JSON"))?;
        let mut fields = Fields::read(body, "")?;
        let action = fields.need_str("action")?;
        let action = Action::ALL.into_iter().find(|known| known.name() == action);
        let action = action.ok_or_else(|| must_be("action", "one of drain, force_open, force_close, reset"))?;
        let for_ms = fields.take_u64("for_ms")?.unwrap_or(operator::USUAL_MS);
        if !(1..=operator::MAX_MS).contains(&for_ms) {
            return Err(must_be("for_ms", "a number of milliseconds, 30 days at most"));
        }
        let region = fields.take_str("region")?.map(|name| region_of(&name)).transpose()?;
        nothing_left(fields)?;
        let target = percent::decoded(target);
        if target.is_empty() || target.len() > MAX_TARGET {
            return Err(must_be("the path", "`provider`, `provider/model` or `provider%23n` (credential n, from 0)"));
        }
        Ok(Self { target, action, for_ms, region })
    }

    /// For the regions' objects.
    pub fn message(&self) -> String {
        let body = json_text(&json!({"action": self.action.name(), "for_ms": self.for_ms}));
        format!("{}\n{body}", percent::encoded(&self.target))
    }

    /// What the audit chain is told.
    pub fn change(&self) -> Change {
        let place = self.region.unwrap_or("all regions");
        let action = format!("{} for {} ms in {place}", self.action.name(), self.for_ms);
        Change { action, what: "health", name: self.target.clone(), ..Change::default() }
    }

    /// An object's side.
    pub fn obey(message: &str, health: &mut Health, now: Millis) -> Result<(), Error> {
        let (target, body) = message.split_once('\n').unwrap_or_default();
        let Self { target, action, for_ms, .. } = Self::read(target, body)?;
        health.order(&target, action, for_ms, now);
        Ok(())
    }
}

/// Bytes of a target's name: the longest model of any catalog has a third.
const MAX_TARGET: usize = 256;

fn region_of(name: &str) -> Result<&'static str, Error> {
    let known = region::ALL.into_iter().find(|region| *region == name);
    known.ok_or_else(|| must_be("region", &format!("one of {}", region::ALL.join(", "))))
}

/// The regions a query asks for, all unless it names one, and whether it asks for what was, too.
pub fn asked(query: &str) -> Result<(Vec<&'static str>, bool), Error> {
    let (mut regions, mut history) = (region::ALL.to_vec(), false);
    for (name, value) in pairs(query) {
        match (name, value.as_str()) {
            ("region", name) => regions = vec![region_of(name)?],
            ("history", "true" | "1") => history = true,
            ("history", "false" | "0") => history = false,
            ("history", _) => return Err(must_be("history", "true or false")),
            (name, _) => return Err(unknown(name)),
        }
    }
    Ok((regions, history))
}

/// What the object of one region knows, in words.
pub fn describe(health: &Health, now: Millis) -> String {
    json_text(&told(health, now))
}

/// The same, and its cells' changes of state.
pub fn describe_history(health: &mut Health, now: Millis) -> String {
    let mut out = told(health, now);
    put(&mut out, "history", health.changes(now).map(passed).collect::<Vec<_>>());
    json_text(&out)
}

fn passed(change: &Passed) -> Value {
    let mut out = json!({"at": change.at.0, "cell": change.cell.as_str(), "from": change.from(), "to": change.to()});
    if let Some(until) = change.until {
        put(&mut out, "until", until.0);
    }
    if !change.why.is_empty() {
        put(&mut out, "why", change.why.as_str());
    }
    out
}

fn told(health: &Health, now: Millis) -> Value {
    let view = health.snapshot(now);
    let (mut cells, mut words) = (Map::new(), Map::new());
    for cell in health.names() {
        let numbers = health.numbers(cell, now);
        let mut out = said(view.standing(cell, now));
        for (key, number) in [("p50_ms", numbers.p50_ms), ("p95_ms", numbers.p95_ms), ("samples", numbers.samples)] {
            if number > 0 {
                out.put(key, number);
            }
        }
        out.put("failed_permille", numbers.failed_permille);
        cells.insert(cell.to_owned(), Value::Object(out));
    }
    for (target, action, until) in health.orders(now) {
        words.insert(target.to_owned(), json!({"action": action.name(), "until": until.0}));
    }
    json!({"cells": cells, "operator": words})
}

fn said(standing: Standing) -> Map<String, Value> {
    let mut out = Map::new();
    out.put("standing", standing.name());
    match standing {
        Standing::Up | Standing::Probe | Standing::Drained => {}
        Standing::Degraded { percent } | Standing::Ramping { percent } => out.put("percent", percent),
        Standing::Open { until } | Standing::Cooling { until } | Standing::Shut { until } => out.put("until", until.0),
    }
    out
}

/// The answers of several regions; `None`: its object could not be asked.
pub fn gathered(answers: &[(&str, Option<String>)]) -> String {
    let (mut regions, mut silent) = (Map::new(), vec![]);
    for (region, answer) in answers {
        match answer.as_ref().and_then(|text| serde_json::from_str::<Value>(text).ok()) {
            Some(answer) => drop(regions.insert((*region).to_owned(), answer)),
            None => silent.push(*region),
        }
    }
    let mut out = json!({"regions": regions});
    if let (Value::Object(out), false) = (&mut out, silent.is_empty()) {
        out.put("unreachable", silent);
    }
    json_text(&out)
}
