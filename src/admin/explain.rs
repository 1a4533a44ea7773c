//! What would become of a request: its plan, sent nowhere.

use serde_json::{Map, Value};

use super::question::{Asked, Question};
use crate::{
    config::{Lossy, OnContentFilter, OnStreamBreak, Snapshot, Timeouts},
    error::Error,
    exchange::{Call, Task, upstream},
    plan::{Attempt, Plan, inputs},
    wire::{
        compose::{Members, json},
        json::json_text,
    },
};

/// The answer to `POST /admin/v1/explain`; an error for a question that cannot be understood.
pub fn explain(asked: &Asked<'_>) -> Result<String, Error> {
    let question = Question::read(asked)?;
    let planned = question.plan(asked.config);
    let told = told(&question, asked.config, planned.as_ref());
    question.end()?;
    Ok(json_text(&Value::Object(told)))
}

/// The question, and the plan or the refusal.
pub(super) fn told(question: &Question, config: &Snapshot, planned: Result<&Plan, &Error>) -> Map<String, Value> {
    let inputs = &question.inputs;
    let mut out = Map::new();
    out.put("request_id", &question.id);
    out.put("seed", format!("{:016x}", inputs.seed));
    out.put("at", inputs.now.0);
    out.put("config", &config.version);
    out.put("health_version", inputs.health.version());
    out.put("dialect", inputs.dialect.name());
    out.put("task", question.task.name());
    out.put("model", &inputs.facts.model);
    out.put("stream", inputs.facts.stream);
    out.put("inputs", inputs::keep(inputs.ask(), config, &inputs.health, planned));
    match planned {
        Ok(plan) => put_plan(plan, &question.call(), config, &mut out),
        Err(error) => out.put("refused", refusal(error)),
    }
    out
}

/// What the caller would be told instead of an answer.
fn refusal(error: &Error) -> Value {
    json!({
        "status": error.status,
        "fault": error.blame.name(),
        "message": &error.message,
        "param": error.param.as_deref(),
        "retry_after_s": error.retry_after_seconds(),
    })
}

fn put_plan(plan: &Plan, call: &Call, config: &Snapshot, out: &mut Map<String, Value>) {
    out.put("route", &plan.route);
    out.put("rule", plan.rule.as_deref());
    out.put("attempts", plan.attempts.iter().map(|a| attempt(a, plan, call, config)).collect::<Vec<_>>());
    let skipped = plan.skipped.iter().map(|s| json!({"target": &s.target, "why": s.why.to_string()}));
    out.put("skipped", skipped.collect::<Vec<_>>());
    out.put(
        "policy",
        json!({
            "waits": plan.wait.is_some(),
            "retry_total_ms": plan.retry_total_ms,
            "total_ms": plan.total_ms,
            "on_stream_break": match plan.on_stream_break {
                OnStreamBreak::Error => "error",
                OnStreamBreak::Continue => "continue",
                OnStreamBreak::Atomic => "atomic",
            },
            "on_content_filter": match plan.on_content_filter {
                OnContentFilter::Error => "error",
                OnContentFilter::Fallback => "fallback",
            },
            "lossy": match plan.lossy {
                Lossy::Report => "report",
                Lossy::Refuse => "refuse",
            },
            "hedge_after_ms": plan.hedge_after_ms,
        }),
    );
}

fn attempt(attempt: &Attempt, plan: &Plan, call: &Call, config: &Snapshot) -> Value {
    let Timeouts { headers_ms, first_token_ms, idle_ms, total_ms, non_stream_total_ms } = attempt.timeouts;
    let timeouts = if call.facts.stream {
        json!({"headers_ms": headers_ms, "first_token_ms": first_token_ms, "idle_ms": idle_ms, "total_ms": total_ms})
    } else {
        json!({"total_ms": non_stream_total_ms})
    };
    let carried = if call.task == Task::Generate && call.is_verbatim(attempt) { "verbatim" } else { "translated" };
    let mut out = Map::new();
    out.put("target", attempt.cell());
    out.put("provider", &attempt.provider);
    out.put("model", &attempt.model);
    out.put("reason", attempt.reason.to_string());
    out.put("dialect", attempt.dialect.name());
    out.put("body", carried);
    // The call is made up to the last byte and then forgotten: what of the request it cannot carry is only known so.
    if call.task == Task::Generate || attempt.endpoint.is_some() {
        match upstream::build(call, attempt, 0, config, (0, call.started)) {
            Ok(mut built) => {
                plan.account(&mut built.dropped);
                out.put("dropped", built.dropped);
            }
            Err(error) => out.put("cannot_be_sent", &error.message),
        }
    } else {
        // Nobody is asked then: the gateway estimates.
        out.put("answered", "here");
    }
    out.put("timeouts", timeouts);
    out.put("credentials", attempt.credentials.len());
    out.put("context", Some(attempt.context).filter(|tokens| *tokens > 0));
    out.put("max_output", attempt.max_output);
    Value::Object(out)
}
