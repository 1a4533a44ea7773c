//! Frames of a caller's stream, numbered, and the items they tell.

use serde_json::{Map, Value};

use super::{
    envelope::{Envelope, Status, Told},
    response::sealed_item,
};
use crate::{
    dialect::Asked,
    wire::{
        compose::{Members, json},
        json::json_text,
        sse,
    },
};

/// Items of one answer: far more than any has.
const MAX_ITEMS: usize = 4096;

pub(super) struct Wire {
    pub(super) envelope: Envelope,
    model: Option<String>,
    /// The number of the next event.
    next: u64,
    started: bool,
    /// The item that the provider's own events have opened, for the next that is to be added.
    given: Option<usize>,
    /// The items so far, each as it is at its end.
    pub(super) output: Vec<Value>,
}

impl Wire {
    pub(super) fn new(asked: &Asked<'_>) -> Self {
        Self { envelope: Envelope::new(asked), model: None, next: 0, started: false, given: None, output: vec![] }
    }

    /// The model as the provider names it first.
    pub(super) fn name(&mut self, model: Option<&str>) {
        if !self.started {
            self.model = model.map(str::to_owned);
        }
    }

    pub(super) fn emit(&mut self, kind: &str, members: Value, out: &mut String) {
        let mut event = Map::new();
        event.put("type", kind);
        event.put("sequence_number", self.next);
        self.next += 1;
        if let Value::Object(members) = members {
            event.extend(members);
        }
        sse::write(out, Some(kind), &json_text(&Value::Object(event)));
    }

    /// An event about an item.
    pub(super) fn tell(&mut self, kind: &str, item: usize, members: Value, out: &mut String) {
        let id = self.output.get(item).and_then(|item| item.get("id")).cloned().unwrap_or_default();
        let mut event = json!({"item_id": id, "output_index": item});
        if let (Some(event), Value::Object(members)) = (event.as_object_mut(), members) {
            event.extend(members);
        }
        self.emit(kind, event, out);
    }

    pub(super) fn response(&self, status: Status<'_>, usage: Value) -> Value {
        let told = Told { model: self.model.as_deref(), service_tier: None };
        let output = if matches!(status, Status::InProgress) { json!([]) } else { self.output.clone().into() };
        self.envelope.write(told, status, output, usage)
    }

    pub(super) fn start(&mut self, out: &mut String) {
        if !std::mem::replace(&mut self.started, true) {
            let response = self.response(Status::InProgress, Value::Null);
            self.emit("response.created", json!({"response": &response}), out);
            self.emit("response.in_progress", json!({"response": response}), out);
        }
    }

    pub(super) fn item_id(&self, kind: &str) -> String {
        self.envelope.item_id(kind, self.output.len())
    }

    pub(super) fn add(&mut self, item: Value, out: &mut String) -> usize {
        let index = self.output.len();
        self.emit("response.output_item.added", json!({"output_index": index, "item": &item}), out);
        if let Some(given) = self.given.take() {
            return given;
        }
        self.output.push(item);
        index
    }

    /// Follows an event of the provider's own; the item that it ended.
    pub(super) fn adopt(&mut self, event: &Value) -> Option<usize> {
        if let Some(number) = event.get("sequence_number").and_then(Value::as_u64) {
            self.next = number + 1;
        }
        if let Some(response) = event.get("response") {
            self.started = true;
            let stamp = &mut self.envelope.stamp;
            if let Some(id) = response.get("id").and_then(Value::as_str) {
                id.clone_into(&mut stamp.id);
            }
            stamp.created = response.get("created_at").and_then(Value::as_u64).unwrap_or(stamp.created);
        }
        let place = event.get("output_index").and_then(Value::as_u64).and_then(|place| usize::try_from(place).ok())?;
        let item = event.get("item").filter(|_| place < MAX_ITEMS)?;
        if self.output.len() <= place {
            self.output.resize(place + 1, Value::Null);
        }
        if let Some(slot) = self.output.get_mut(place) {
            *slot = item.clone();
        }
        let ended = event.get("type").and_then(Value::as_str) == Some("response.output_item.done");
        self.given = (!ended).then_some(place);
        ended.then_some(place)
    }

    /// The item in its last form.
    pub(super) fn done(&mut self, index: usize, item: Value, out: &mut String) {
        self.emit("response.output_item.done", json!({"output_index": index, "item": &item}), out);
        if let Some(slot) = self.output.get_mut(index) {
            *slot = item;
        }
    }

    pub(super) fn add_whole(&mut self, item: &Value, out: &mut String) {
        let index = self.add(item.clone(), out);
        self.done(index, item.clone(), out);
    }

    /// A proof in an item of its own.
    pub(super) fn carry(&mut self, sealed: &str, out: &mut String) {
        let item = sealed_item(&self.item_id("rs"), sealed);
        self.add_whole(&item, out);
    }

    pub(super) fn end_item(&mut self, index: usize, status: &str, out: &mut String) {
        if let Some(mut item) = self.output.get(index).cloned() {
            item["status"] = status.into();
            self.done(index, item, out);
        }
    }
}
