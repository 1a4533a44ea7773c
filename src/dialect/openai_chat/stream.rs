//! A provider's stream, read: chunks in, blocks out.

use serde_json::Value;

use super::{
    error, items,
    reasoning::{self, google_signature},
    response::{arguments, first_choice, is_error, made_up_id, read_image},
    stop::{self, Stop},
    text, usage,
};
use crate::{
    chat::{
        event::{Block, Delta, Event, UpstreamError},
        request::{Part, Signature, Source, ToolCall},
        response::StopReason,
        usage::Usage,
    },
    dialect::EventReader,
    wire::sse::Frame,
};

const DONE: &str = "[DONE]";

#[derive(Default)]
pub struct Reader {
    started: bool,
    id: Option<String>,
    /// The number of the next block.
    next: usize,
    open: Option<Open>,
    calls: Vec<Call>,
    usage: Option<Usage>,
    stop: Option<StopReason>,
    /// After `[DONE]` or a failure nothing counts any more.
    done: bool,
}

/// The block that text goes on in. Blocks of calls stay open beside it, for their pieces may interleave.
struct Open {
    index: usize,
    kind: Kind,
    /// The detail that a thought belongs to, and whether it is complete.
    detail: Option<u64>,
    signed: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Reasoning,
    Refusal,
}

/// A call whose pieces are arriving. Its block opens when id and name are known.
#[derive(Default)]
struct Call {
    key: Option<u64>,
    id: Option<String>,
    name: String,
    held: String,
    signature: Option<Signature>,
    block: Option<usize>,
}

impl EventReader for Reader {
    fn read(&mut self, frame: &Frame<'_>, out: &mut Vec<Event>) {
        let Some(data) = frame.data.as_deref().map(str::trim).filter(|data| !data.is_empty() && !self.done) else { return };
        if data == DONE {
            if self.stop.is_none() && (self.next > 0 || !self.calls.is_empty()) {
                self.stop("", out);
            }
            self.end(out);
            return;
        }
        let told = frame.event.as_deref() == Some("error");
        match serde_json::from_str::<Value>(data) {
            Ok(value) if told || is_error(&value) => {
                self.count(&value, None, out);
                self.fail(error::of_value(0, &value), out);
            }
            Ok(value) if value.is_object() => self.chunk(&value, out),
            Err(_) if told => self.fail(error::read(0, data), out),
            Ok(_) | Err(_) => out.push(Event::Malformed),
        }
    }

    fn close(&mut self, out: &mut Vec<Event>) {
        // Cerebras and Perplexity end without `[DONE]`.
        if self.stop.is_some() && !self.done {
            self.end(out);
        }
    }
}

impl Reader {
    fn chunk(&mut self, chunk: &Value, out: &mut Vec<Event>) {
        let choice = first_choice(chunk);
        self.start(chunk, choice.is_some(), out);
        if let Some(choice) = choice {
            // Perplexity repeats the whole message beside the delta; one that comes alone is the answer.
            let alone = choice.get("message").filter(|_| self.next == 0 && self.calls.is_empty());
            if let Some(delta) = choice.get("delta").or(alone) {
                self.delta(delta, out);
            }
        }
        self.count(chunk, choice, out);
        let Some(choice) = choice else { return };
        if is_error(choice) {
            self.fail(error::of_value(0, choice), out);
        } else if let Some(reason) = text(choice, "finish_reason").filter(|_| self.stop.is_none()) {
            self.stop(reason, out);
        }
    }

    /// Azure's preamble has neither id nor model nor choice: the answer starts after it.
    fn start(&mut self, chunk: &Value, has_choice: bool, out: &mut Vec<Event>) {
        let id = text(chunk, "id");
        if self.started || (id.is_none() && !has_choice) {
            return;
        }
        self.started = true;
        self.id = id.map(str::to_owned);
        out.push(Event::Start { id: self.id.clone(), model: text(chunk, "model").map(str::to_owned) });
    }

    /// Usage may come in any chunk, once or in each: the last one holds, nothing is summed. A chunk of its own is told
    /// even when it says nothing new: who did not ask for it must not get it.
    fn count(&mut self, chunk: &Value, choice: Option<&Value>, out: &mut Vec<Event>) {
        let Some(usage) = usage::find(chunk, choice).filter(|usage| choice.is_none() || self.usage != Some(*usage)) else {
            return;
        };
        self.usage = Some(usage);
        out.push(Event::Usage(usage));
    }

    fn end(&mut self, out: &mut Vec<Event>) {
        self.close_text(out);
        self.done = true;
        out.push(Event::End);
    }

    fn fail(&mut self, error: UpstreamError, out: &mut Vec<Event>) {
        self.done = true;
        out.push(Event::Failed(error));
    }

    fn stop(&mut self, reason: &str, out: &mut Vec<Event>) {
        for place in 0..self.calls.len() {
            self.open_call(place, out);
        }
        self.close_text(out);
        let blocks = std::mem::take(&mut self.calls).into_iter().filter_map(|call| call.block);
        let before = out.len();
        out.extend(blocks.map(|index| Event::BlockEnd { index }));
        match stop::read(reason, out.len() > before) {
            Stop::Failed => {
                let message = format!("The provider gave up on this answer ({reason}).");
                self.fail(UpstreamError { message, ..UpstreamError::default() }, out);
            }
            Stop::Reason(reason) => {
                self.stop = Some(reason);
                out.push(Event::Stop { choice: 0, reason, sequence: None });
            }
        }
    }

    fn delta(&mut self, delta: &Value, out: &mut Vec<Event>) {
        let mut told = false;
        for item in items(delta, "reasoning_details") {
            match reasoning::read_detail(item) {
                Some(Part::Reasoning { text, signature }) => {
                    told |= !text.is_empty();
                    self.thought(&text, signature, item.get("index").and_then(Value::as_u64), out);
                }
                Some(Part::RedactedReasoning { data, dialect }) => self.whole(Block::RedactedReasoning { data, dialect }, out),
                Some(Part::Opaque { dialect, value }) => self.whole(Block::Opaque { dialect, value }, out),
                Some(_) | None => {}
            }
        }
        if let Some(thought) = reasoning::plain(delta).filter(|_| !told) {
            self.thought(thought, None, None, out);
        }
        self.content(delta, out);
        if let Some(refusal) = text(delta, "refusal") {
            self.say(Kind::Refusal, Delta::Refusal(refusal.to_owned()), out);
        }
        for item in items(delta, "images") {
            self.image(item, out);
        }
        if let Some(signature) = google_signature(delta) {
            let kind = self.open.as_ref().map_or(Kind::Reasoning, |open| open.kind);
            self.say(kind, Delta::Signature(signature), out);
        }
        // Text may still follow the finish reason (OpenRouter's Gemini); calls that do are repetitions.
        if self.stop.is_some() {
            return;
        }
        for piece in items(delta, "tool_calls") {
            self.piece(piece, piece.get("function").unwrap_or(&Value::Null), out);
        }
        if let Some(function) = delta.get("function_call").filter(|call| call.is_object()) {
            self.piece(&Value::Null, function, out);
        }
    }

    /// A text, or Mistral's parts.
    fn content(&mut self, delta: &Value, out: &mut Vec<Event>) {
        if let Some(said) = text(delta, "content") {
            return self.say(Kind::Text, Delta::Text(said.to_owned()), out);
        }
        for item in items(delta, "content") {
            match text(item, "type") {
                Some("thinking") => self.thought(&reasoning::thinking(item), None, None, out),
                Some("image_url") => self.image(item, out),
                _ => {
                    if let Some(said) = text(item, "text") {
                        self.say(Kind::Text, Delta::Text(said.to_owned()), out);
                    }
                }
            }
        }
    }

    /// A signed thought is complete: what follows is another one, as is what names another detail.
    fn thought(&mut self, thought: &str, signature: Option<Signature>, detail: Option<u64>, out: &mut Vec<Event>) {
        if thought.is_empty() && signature.is_none() {
            return;
        }
        let ends = |open: &Open| open.signed || (detail.is_some() && open.detail.is_some() && detail != open.detail);
        if self.open.as_ref().is_some_and(|open| open.kind == Kind::Reasoning && ends(open)) {
            self.close_text(out);
        }
        if !thought.is_empty() {
            self.say(Kind::Reasoning, Delta::Reasoning(thought.to_owned()), out);
        }
        let signed = signature.is_some();
        if let Some(signature) = signature {
            self.say(Kind::Reasoning, Delta::Signature(signature), out);
        }
        if let Some(open) = &mut self.open {
            open.detail = detail;
            open.signed = signed;
        }
    }

    fn say(&mut self, kind: Kind, delta: Delta, out: &mut Vec<Event>) {
        let index = match &self.open {
            Some(open) if open.kind == kind => open.index,
            _ => {
                self.close_text(out);
                let block = match kind {
                    Kind::Text => Block::Text,
                    Kind::Reasoning => Block::Reasoning,
                    Kind::Refusal => Block::Refusal,
                };
                let index = self.begin(block, out);
                self.open = Some(Open { index, kind, detail: None, signed: false });
                index
            }
        };
        out.push(Event::BlockDelta { index, delta });
    }

    fn image(&mut self, item: &Value, out: &mut Vec<Event>) {
        // An image the provider only links to has no place in a stream of blocks.
        if let Some(Part::Image { source: Source::Inline { media_type, data }, .. }) = read_image(item) {
            self.whole(Block::Image { media_type, data }, out);
        }
    }

    fn whole(&mut self, block: Block, out: &mut Vec<Event>) {
        self.close_text(out);
        let index = self.begin(block, out);
        out.push(Event::BlockEnd { index });
    }

    fn begin(&mut self, block: Block, out: &mut Vec<Event>) -> usize {
        let index = self.next;
        self.next += 1;
        out.push(Event::BlockStart { choice: 0, index, block });
        index
    }

    fn close_text(&mut self, out: &mut Vec<Event>) {
        if let Some(open) = self.open.take() {
            out.push(Event::BlockEnd { index: open.index });
        }
    }

    fn piece(&mut self, piece: &Value, function: &Value, out: &mut Vec<Event>) {
        let (key, id) = (piece.get("index").and_then(Value::as_u64), text(piece, "id"));
        let (name, more) = (text(function, "name"), arguments(function).unwrap_or_default());
        let signature = google_signature(piece);
        let place = match self.find(key, id, name) {
            Some(place) => place,
            None if id.is_none() && name.is_none() && more.is_empty() => return,
            None => {
                self.calls.push(Call { key, ..Call::default() });
                self.calls.len() - 1
            }
        };
        let Some(call) = self.calls.get_mut(place) else { return };
        if call.id.is_none() {
            call.id = id.map(str::to_owned);
        }
        if call.name.is_empty() {
            name.unwrap_or_default().clone_into(&mut call.name);
        }
        if let Some(index) = call.block {
            if !more.is_empty() {
                out.push(Event::BlockDelta { index, delta: Delta::Arguments(more) });
            }
            out.extend(signature.map(|signature| Event::BlockDelta { index, delta: Delta::Signature(signature) }));
            return;
        }
        call.held.push_str(&more);
        call.signature = signature.or(call.signature.take());
        if call.id.is_some() && !call.name.is_empty() {
            self.open_call(place, out);
        }
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

    fn open_call(&mut self, place: usize, out: &mut Vec<Event>) {
        let made_up = made_up_id(self.id.as_deref(), place);
        let Some(call) = self.calls.get_mut(place).filter(|call| call.block.is_none()) else { return };
        let (name, held) = (call.name.clone(), std::mem::take(&mut call.held));
        let id = call.id.clone().unwrap_or(made_up);
        let signature = call.signature.take();
        self.close_text(out);
        let index =
            self.begin(Block::ToolCall(ToolCall { id, name, arguments: String::new(), signature, ..ToolCall::default() }), out);
        if let Some(call) = self.calls.get_mut(place) {
            call.block = Some(index);
        }
        if !held.is_empty() {
            out.push(Event::BlockDelta { index, delta: Delta::Arguments(held) });
        }
    }
}
