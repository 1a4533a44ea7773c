//! Answers, from chat to wire: whole ones and streams.

use serde_json::{Map, Value};

use super::{answer::Answers, error, part};
use crate::{
    chat::{
        event::{Event, Finish, Stamp},
        fold::unfold,
        response::Response,
    },
    dialect::{Asked, EventWriter},
    error::Error,
    units::Money,
    wire::{
        compose::Members,
        json::{Outline, json_text},
        sse::Frame,
    },
};

pub(super) fn write(response: &Response, asked: &Asked<'_>, cost: Option<Money>) -> String {
    let (events, finish) = unfold(response, cost);
    let mut answers = Answers::new(shows_thoughts(asked.body), true);
    for event in &events {
        answers.note(event);
    }
    let mut usage = part::write_usage(&finish.usage, finish.cost);
    if let (Some(tier), Value::Object(fields)) = (&response.service_tier, &mut usage) {
        let tier = if tier == "default" { "standard" } else { tier };
        fields.put("serviceTier", tier);
    }
    let name = Name::new(&asked.stamp).told(response.id.as_deref(), response.model.as_deref());
    json_text(&name.frame(answers.finish(&finish), Some(usage)))
}

/// A body that is not at hand is none that we must read.
fn shows_thoughts(body: &[u8]) -> bool {
    if body.is_empty() {
        return true;
    }
    let Ok(outline) = Outline::read(body) else { return false };
    let config = outline.get("generationConfig").or_else(|| outline.get("generation_config"));
    let config: Option<Value> = config.and_then(|text| serde_json::from_str(text).ok());
    let either = |value: &Value, key: &str, other: &str| value.get(key).or_else(|| value.get(other)).cloned();
    let thinking = config.and_then(|config| either(&config, "thinkingConfig", "thinking_config"));
    thinking.and_then(|thinking| either(&thinking, "includeThoughts", "include_thoughts")) == Some(Value::Bool(true))
}

/// What every chunk says of its answer.
struct Name {
    id: String,
    model: String,
}

impl Name {
    fn new(stamp: &Stamp) -> Self {
        Self { id: stamp.id.clone(), model: stamp.model.clone() }
    }

    fn told(mut self, id: Option<&str>, model: Option<&str>) -> Self {
        for (place, told) in [(&mut self.id, id), (&mut self.model, model)] {
            if let Some(told) = told.filter(|told| !told.is_empty()) {
                told.clone_into(place);
            }
        }
        self
    }

    fn frame(&self, candidates: Vec<Value>, usage: Option<Value>) -> Value {
        let mut frame = Map::new();
        frame.put("candidates", candidates);
        if let Some(usage) = usage {
            frame.put("usageMetadata", usage);
        }
        frame.put("modelVersion", self.model.as_str());
        frame.put("responseId", self.id.as_str());
        Value::Object(frame)
    }
}

pub(super) struct Writer {
    name: Name,
    answers: Answers,
    form: Form,
}

enum Form {
    Events,
    /// One JSON array, piece by piece.
    Array {
        begun: bool,
    },
}

impl Writer {
    pub fn new(asked: &Asked<'_>) -> Self {
        let form = if asked.facts.array { Form::Array { begun: false } } else { Form::Events };
        Self { name: Name::new(&asked.stamp), answers: Answers::new(shows_thoughts(asked.body), false), form }
    }

    fn emit(&mut self, frame: &Value, out: &mut String) {
        let (before, after) = match &mut self.form {
            Form::Events => ("data: ", "\r\n\r\n"),
            Form::Array { begun } => (if std::mem::replace(begun, true) { ",\r\n" } else { "[" }, ""),
        };
        out.push_str(before);
        out.push_str(&json_text(frame));
        out.push_str(after);
    }

    fn end(&self, out: &mut String) {
        match self.form {
            Form::Events => {}
            Form::Array { .. } => out.push(']'),
        }
    }
}

impl EventWriter for Writer {
    fn write(&mut self, event: &Event, out: &mut String) {
        if let Event::Start { id, model } = event {
            let name = std::mem::replace(&mut self.name, Name { id: String::new(), model: String::new() });
            self.name = name.told(id.as_deref(), model.as_deref());
        }
        if let Some(candidate) = self.answers.note(event).and_then(|choice| self.answers.take(choice)) {
            let frame = self.name.frame(vec![candidate], None);
            self.emit(&frame, out);
        }
    }

    fn finish(&mut self, finish: &Finish, out: &mut String) {
        let usage = part::write_usage(&finish.usage, finish.cost);
        let frame = self.name.frame(self.answers.finish(finish), Some(usage));
        self.emit(&frame, out);
        self.end(out);
    }

    /// In an array the error is its last item.
    fn fail(&mut self, error: &Error, out: &mut String) {
        self.emit(&error::write(error, None), out);
        self.end(out);
    }

    fn adopt(&mut self, _frame: &Frame<'_>) {
        if let Form::Array { begun } = &mut self.form {
            *begun = true;
        }
    }
}
