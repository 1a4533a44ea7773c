//! Calls in a provider's stream, put together from their pieces.

use serde_json::Value;

use super::{
    reasoning::google_signature,
    response::{arguments, made_up_id},
    stream_choice::Out,
    text,
};
use crate::chat::{
    event::{Block, Delta},
    request::{Signature, ToolCall},
};

/// The calls of one answer.
#[derive(Default)]
pub struct Calls {
    calls: Vec<Call>,
    /// The one whose block may open now.
    ready: Option<usize>,
}

/// A call whose pieces are arriving. Its block opens when id and name are known.
#[derive(Default)]
struct Call {
    key: Option<u64>,
    id: Option<String>,
    name: String,
    custom: bool,
    held: String,
    signature: Option<Signature>,
    block: Option<usize>,
}

impl Calls {
    pub const fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }

    /// Takes a piece in; whether a block is to be opened for it.
    pub fn piece(&mut self, piece: &Value, function: &Value, out: &mut Out<'_>) -> bool {
        let (key, id) = (piece.get("index").and_then(Value::as_u64), text(piece, "id"));
        let (name, more) = (text(function, "name"), arguments(function).unwrap_or_default());
        let signature = google_signature(piece);
        let place = match self.find(key, id, name) {
            Some(place) => place,
            None if id.is_none() && name.is_none() && more.is_empty() => return false,
            None => {
                self.calls.push(Call { key, ..Call::default() });
                self.calls.len() - 1
            }
        };
        let Some(call) = self.calls.get_mut(place) else { return false };
        if call.id.is_none() {
            call.id = id.map(str::to_owned);
        }
        if call.name.is_empty() {
            name.unwrap_or_default().clone_into(&mut call.name);
        }
        call.custom |= piece.get("custom").is_some_and(Value::is_object);
        if let Some(index) = call.block {
            if !more.is_empty() {
                out.delta(index, Delta::Arguments(more));
            }
            if let Some(signature) = signature {
                out.delta(index, Delta::Signature(signature));
            }
            return false;
        }
        call.held.push_str(&more);
        call.signature = signature.or(call.signature.take());
        let is_ready = call.id.is_some() && !call.name.is_empty();
        self.ready = is_ready.then_some(place);
        is_ready
    }

    /// Which call a piece belongs to; `None` for a new one. Google numbers parallel calls all 0, Mistral leaves the
    /// number out, others repeat id and name in each piece.
    fn find(&self, key: Option<u64>, id: Option<&str>, name: Option<&str>) -> Option<usize> {
        if let Some(key) = key {
            let place = self.calls.iter().rposition(|call| call.key == Some(key))?;
            let known = self.calls.get(place)?.id.as_deref();
            let is_other = name.is_some() && id.is_some() && known.is_some() && id != known;
            return (!is_other).then_some(place);
        }
        if id.is_some() {
            return self.calls.iter().rposition(|call| call.id.as_deref() == id);
        }
        let last = self.calls.len().checked_sub(1)?;
        let is_other = name.is_some() && self.calls.get(last).is_some_and(|call| !call.name.is_empty());
        (!is_other).then_some(last)
    }

    /// Opens the block of the call that is ready.
    pub fn open(&mut self, out: &mut Out<'_>) {
        if let Some(place) = self.ready.take() {
            self.begin(place, out);
        }
    }

    fn begin(&mut self, place: usize, out: &mut Out<'_>) {
        let Some(call) = self.calls.get_mut(place).filter(|call| call.block.is_none()) else { return };
        let id = call.id.clone().unwrap_or_else(|| made_up_id(out.id, (out.choice, place)));
        let index = out.begin(Block::ToolCall(ToolCall {
            id,
            name: call.name.clone(),
            arguments: String::new(),
            custom: call.custom,
            signature: call.signature.take(),
            cache: None,
        }));
        call.block = Some(index);
        let held = std::mem::take(&mut call.held);
        if !held.is_empty() {
            out.delta(index, Delta::Arguments(held));
        }
    }

    /// Opens what waits and ends all; whether there was any.
    pub fn close(&mut self, out: &mut Out<'_>) -> bool {
        for place in 0..self.calls.len() {
            self.begin(place, out);
        }
        let blocks: Vec<usize> = std::mem::take(&mut self.calls).into_iter().filter_map(|call| call.block).collect();
        blocks.iter().for_each(|index| out.end(*index));
        !blocks.is_empty()
    }
}
