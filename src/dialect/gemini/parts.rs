//! Parts of one content, as they are written.

use serde_json::{Map, Value};

use crate::{
    chat::request::ToolCall,
    wire::compose::{Members, json},
};

/// A signature waits for the part that it belongs to.
#[derive(Default)]
pub(super) struct Parts {
    pub all: Vec<Value>,
    signature: Option<String>,
}

impl Parts {
    pub fn push(&mut self, mut part: Value) {
        if let Some(signature) = self.signature.take() {
            sign(&mut part, &signature);
        }
        self.all.push(part);
    }

    /// The signature of what follows, or of nothing visible.
    pub fn proof(&mut self, signature: String) {
        self.flush();
        self.signature = Some(signature);
    }

    /// A signature without a part of its own comes on an empty text, as Google sends it.
    pub fn flush(&mut self) {
        if self.signature.is_some() {
            self.push(json!({ "text": "" }));
        }
    }

    /// An empty text says nothing but that a signature is not that of the next part.
    pub fn text(&mut self, text: &str) {
        if text.is_empty() { self.flush() } else { self.push(json!({ "text": text })) }
    }

    pub fn thought(&mut self, text: &str, signature: Option<&str>) {
        self.flush();
        let mut part = json!({ "text": text, "thought": true });
        if let Some(signature) = signature {
            sign(&mut part, signature);
        }
        self.all.push(part);
    }

    /// Puts the signature on the thought that was just written, or on one of its own.
    pub fn sign_thought(&mut self, signature: &str) {
        let is_open = |part: &Value| part.get("thought").is_some() && part.get("thoughtSignature").is_none();
        match self.all.last_mut().filter(|part| is_open(part)) {
            Some(part) => sign(part, signature),
            None => self.thought("", Some(signature)),
        }
    }

    pub fn call(&mut self, call: &ToolCall, signature: Option<String>) {
        self.flush();
        self.signature = signature;
        self.push(json!({ "functionCall": named(&call.id, &call.name, "args", arguments(call)) }));
    }
}

fn sign(part: &mut Value, signature: &str) {
    if let Value::Object(fields) = part {
        fields.put("thoughtSignature", signature);
    }
}

/// A call or its result: the id only where there is one.
pub(super) fn named(id: &str, name: &str, key: &str, value: Value) -> Value {
    let mut fields = Map::new();
    if !id.is_empty() {
        fields.put("id", id);
    }
    fields.put("name", name);
    fields.put(key, value);
    Value::Object(fields)
}

/// An object, always: what is none is wrapped where the model can still read it.
fn arguments(call: &ToolCall) -> Value {
    let text = call.json_arguments();
    object(&text).unwrap_or_else(|| json!({ "_raw": text }))
}

pub(super) fn object(text: &str) -> Option<Value> {
    serde_json::from_str(text).ok().filter(Value::is_object)
}
