//! A provider's stream, read: items in, blocks out.
//!
//! What a server tells only at the end of a piece (LM Studio: no deltas of arguments) is told then, and what it tells
//! only at the end of the whole, then.

use serde_json::Value;

use super::{
    item::{self, PARAGRAPH},
    items, piece,
    response::{is_failed, read_stop},
    stream_items::{Item, Kind, Piece},
    text, usage,
};
use crate::{
    chat::{
        event::{Block, Delta, Event, UpstreamError},
        request::{Part, Source, ToolCall},
    },
    dialect::{EventReader, openai_chat::error},
    wire::sse::Frame,
};

/// Some end like chat does (OpenRouter).
const DONE: &str = "[DONE]";

#[derive(Default)]
pub(super) struct Reader {
    started: bool,
    /// Seen from its beginning: what was not told piece by piece was not told at all.
    whole: bool,
    /// The number of the next block.
    next: usize,
    items: Vec<Item>,
    calls: bool,
    raw_usage: Option<Value>,
    /// After its end or failure nothing counts any more.
    done: bool,
}

impl EventReader for Reader {
    fn read(&mut self, frame: &Frame<'_>, out: &mut Vec<Event>) {
        let Some(data) = frame.data.as_deref().map(str::trim).filter(|data| !data.is_empty() && !self.done) else { return };
        if data == DONE {
            return;
        }
        match serde_json::from_str::<Value>(data) {
            Ok(event) if event.is_object() => {
                let kind = text(&event, "type").or(frame.event.as_deref()).unwrap_or_default().to_owned();
                self.event(&kind, &event, out);
            }
            Err(_) if frame.event.as_deref() == Some("error") => self.fail(error::read(0, data), out),
            Ok(_) | Err(_) => out.push(Event::Malformed),
        }
    }

    fn close(&mut self, _out: &mut Vec<Event>) {}

    /// The reason and the end are one event.
    fn has_stopped(&self) -> bool {
        self.done
    }

    fn raw_usage(&self) -> Option<&Value> {
        self.raw_usage.as_ref()
    }
}

impl Reader {
    fn event(&mut self, kind: &str, event: &Value, out: &mut Vec<Event>) {
        let delta = || text(event, "delta").unwrap_or_default();
        match kind.strip_prefix("response.").unwrap_or(kind) {
            "created" | "in_progress" | "queued" => {
                self.whole = true;
                self.start(event.get("response"), out);
            }
            "output_item.added" => {
                if let Some(item) = event.get("item") {
                    self.added(event, item, out);
                }
            }
            "output_text.delta" => {
                let logprobs = piece::read_logprobs(event);
                let logprobs = (!logprobs.is_empty()).then_some(Delta::Logprobs(logprobs));
                let said = Some(Delta::Text(delta().to_owned())).filter(|_| !delta().is_empty());
                self.say(event, Block::Text, said.into_iter().chain(logprobs), out);
            }
            "refusal.delta" => self.say(event, Block::Refusal, [Delta::Refusal(delta().to_owned())], out),
            "output_text.annotation.added" => {
                let citation = event.get("annotation").map(|annotation| Delta::Citation(piece::read_citation(annotation)));
                self.say(event, Block::Text, citation, out);
            }
            "output_text.done" => self.said(event, &Block::Text, "text", out),
            "refusal.done" => self.said(event, &Block::Refusal, "refusal", out),
            "function_call_arguments.delta" | "custom_tool_call_input.delta" => self.argue(event, delta(), out),
            "function_call_arguments.done" => self.argued(event, "arguments", out),
            "custom_tool_call_input.done" => self.argued(event, "input", out),
            "reasoning_summary_text.delta" => self.think(event, Kind::Summary, "summary_index", delta(), out),
            "reasoning_text.delta" => self.think(event, Kind::Thoughts, "content_index", delta(), out),
            "output_item.done" => {
                if let Some(item) = event.get("item") {
                    let at = self.find(event);
                    self.item_done(at, item, out);
                }
            }
            "completed" | "incomplete" | "failed" | "cancelled" => self.finish(event.get("response").unwrap_or(event), kind, out),
            "error" => self.fail(error::of_value(0, event), out),
            // An error without a type (OpenRouter, proxies).
            _ if event.get("error").is_some_and(Value::is_object) => self.fail(error::of_value(0, event), out),
            _ => {}
        }
    }

    fn start(&mut self, response: Option<&Value>, out: &mut Vec<Event>) {
        if !std::mem::replace(&mut self.started, true) {
            let word = |key: &str| response.and_then(|response| text(response, key)).map(str::to_owned);
            out.push(Event::Start { id: word("id"), model: word("model") });
        }
    }

    /// The item an event is about, by its place; without one, the last.
    fn find(&mut self, event: &Value) -> usize {
        let last = self.items.last().map_or(0, |item| item.output_index);
        let place = event.get("output_index").and_then(Value::as_u64).unwrap_or(last);
        self.item_at(place)
    }

    fn item_at(&mut self, place: u64) -> usize {
        if let Some(at) = self.items.iter().position(|item| item.output_index == place) {
            return at;
        }
        self.items.push(Item::new(place));
        self.items.len() - 1
    }

    fn added(&mut self, event: &Value, item: &Value, out: &mut Vec<Event>) {
        self.whole |= !self.started;
        let at = self.find(event);
        if matches!(text(item, "type"), Some("function_call" | "custom_tool_call")) {
            // Some put a placeholder where the arguments will be.
            let call = ToolCall { arguments: String::new(), ..item::read_call(item) };
            self.piece(at, Kind::Call, 0, Block::ToolCall(call), out);
        }
    }

    fn open(&mut self, block: Block, out: &mut Vec<Event>) -> usize {
        self.start(None, out);
        self.calls |= matches!(block, Block::ToolCall(_));
        let index = self.next;
        self.next += 1;
        out.push(Event::BlockStart { choice: 0, index, block });
        index
    }

    /// The piece of an item that an event is about, its block opened where it is not yet.
    fn piece(&mut self, at: usize, kind: Kind, place: u64, block: Block, out: &mut Vec<Event>) -> usize {
        let open = |item: &Item| item.pieces.iter().find(|p| p.kind == kind && p.place == place).map(|p| p.block);
        if let Some(block) = self.items.get(at).and_then(open) {
            return block;
        }
        let block = self.open(block, out);
        if let Some(item) = self.items.get_mut(at) {
            item.pieces.push(Piece { kind, place, block, told: false, cited: false, weighed: false });
        }
        block
    }

    fn state(&mut self, at: usize, block: usize) -> Option<&mut Piece> {
        self.items.get_mut(at)?.pieces.iter_mut().find(|piece| piece.block == block)
    }

    fn push(&mut self, at: usize, index: usize, delta: Delta, out: &mut Vec<Event>) {
        if let Some(piece) = self.state(at, index) {
            match delta {
                Delta::Citation(_) => piece.cited = true,
                Delta::Logprobs(_) => piece.weighed = true,
                Delta::Text(_) | Delta::Reasoning(_) | Delta::Refusal(_) | Delta::Arguments(_) => piece.told = true,
                Delta::Signature(_) | Delta::Audio(_) => {}
            }
        }
        out.push(Event::BlockDelta { index, delta });
    }

    fn say(&mut self, event: &Value, block: Block, deltas: impl IntoIterator<Item = Delta>, out: &mut Vec<Event>) {
        let at = self.find(event);
        if self.items.get(at).is_none_or(|item| item.ended) {
            return;
        }
        let place = event.get("content_index").and_then(Value::as_u64).unwrap_or(0);
        let kind = if block == Block::Refusal { Kind::Refusal } else { Kind::Text };
        for delta in deltas {
            let index = self.piece(at, kind, place, block.clone(), out);
            self.push(at, index, delta, out);
        }
    }

    /// A text that was told at its end only.
    fn said(&mut self, event: &Value, block: &Block, key: &str, out: &mut Vec<Event>) {
        let at = self.find(event);
        let place = event.get("content_index").and_then(Value::as_u64).unwrap_or(0);
        let kind = if *block == Block::Refusal { Kind::Refusal } else { Kind::Text };
        let is_known = self.items.get(at).is_some_and(|item| item.has_told(kind, Some(place)));
        if let Some(said) = text(event, key).filter(|_| self.whole && !is_known).map(str::to_owned) {
            let delta = if *block == Block::Refusal { Delta::Refusal(said) } else { Delta::Text(said) };
            self.say(event, block.clone(), [delta], out);
        }
    }

    /// A call that was told whole only.
    fn call(&mut self, at: usize, item: &Value, out: &mut Vec<Event>) {
        let mut call = item::read_call(item);
        let said = std::mem::take(&mut call.arguments);
        let index = self.piece(at, Kind::Call, 0, Block::ToolCall(call), out);
        if !said.is_empty() {
            self.push(at, index, Delta::Arguments(said), out);
        }
    }

    fn argue(&mut self, event: &Value, said: &str, out: &mut Vec<Event>) {
        let at = self.find(event);
        let Some(item) = self.items.get(at).filter(|item| !item.ended) else { return };
        // Without the call's name there is nothing to open: the item's end will tell all of it.
        let Some(index) = item.pieces.iter().find(|piece| piece.kind == Kind::Call).map(|piece| piece.block) else { return };
        if !said.is_empty() {
            self.push(at, index, Delta::Arguments(said.to_owned()), out);
        }
    }

    fn argued(&mut self, event: &Value, key: &str, out: &mut Vec<Event>) {
        let at = self.find(event);
        if !self.items.get(at).is_some_and(|item| item.has_told(Kind::Call, None)) {
            self.argue(event, text(event, key).unwrap_or_default(), out);
        }
    }

    /// A summary and the thoughts themselves are one to the reader: whichever is told first.
    fn think(&mut self, event: &Value, kind: Kind, place: &str, said: &str, out: &mut Vec<Event>) {
        let at = self.find(event);
        let Some(item) = self.items.get(at).filter(|item| !item.ended && !said.is_empty()) else { return };
        let place = event.get(place).and_then(Value::as_u64).unwrap_or(0);
        let before = item.pieces.first().map(|piece| (piece.kind, piece.place, piece.told));
        if before.is_some_and(|(first, _, _)| first != kind) {
            return;
        }
        let index = match item.pieces.first() {
            Some(piece) => piece.block,
            None => self.piece(at, kind, place, Block::Reasoning, out),
        };
        let is_next = before.is_some_and(|(_, last, told)| told && last != place);
        if let Some(piece) = self.state(at, index) {
            piece.place = place;
        }
        let said = if is_next { format!("{PARAGRAPH}{said}") } else { said.to_owned() };
        self.push(at, index, Delta::Reasoning(said), out);
    }

    /// What the whole item tells beyond what was told of it; then its blocks end.
    fn item_done(&mut self, at: usize, item: &Value, out: &mut Vec<Event>) {
        if self.items.get(at).is_none_or(|item| item.ended) {
            return;
        }
        match text(item, "type") {
            Some("message") => self.message_done(at, item, out),
            Some("function_call" | "custom_tool_call") => {
                let known = self.items.get(at).is_some_and(|item| item.has_told(Kind::Call, None));
                if !known {
                    self.call(at, item, out);
                }
            }
            Some("reasoning") => self.thought(at, item, out),
            Some("image_generation_call") => match item::read_image(item) {
                Some(Part::Image { source: Source::Inline { media_type, data }, .. }) => {
                    self.piece(at, Kind::Other, 0, Block::Image { media_type, data }, out);
                }
                Some(_) | None => self.opaque(at, item, out),
            },
            Some(_) => self.opaque(at, item, out),
            None => {}
        }
        if let Some(item) = self.items.get_mut(at) {
            item.ended = true;
            out.extend(item.pieces.iter().map(|piece| Event::BlockEnd { index: piece.block }));
        }
    }

    fn opaque(&mut self, at: usize, item: &Value, out: &mut Vec<Event>) {
        let block = Block::Opaque { dialect: super::Dialect::OpenAiResponses, value: item.clone() };
        self.piece(at, Kind::Other, 0, block, out);
    }

    fn message_done(&mut self, at: usize, item: &Value, out: &mut Vec<Event>) {
        if !self.whole {
            return;
        }
        let content = items(item, "content");
        for (place, part) in content.iter().enumerate() {
            // Bedrock counts the only part as its second.
            let place = if content.len() == 1 { None } else { u64::try_from(place).ok() };
            let kind = if text(part, "type") == Some("refusal") { Kind::Refusal } else { Kind::Text };
            let (said, cited, weighed) = self.items.get(at).map(|item| item.told(kind, place)).unwrap_or_default();
            let (block, key) = if kind == Kind::Refusal { (Block::Refusal, "refusal") } else { (Block::Text, "text") };
            let mut deltas = vec![];
            if let Some(text) = text(part, key).filter(|_| !said).map(str::to_owned) {
                deltas.push(if kind == Kind::Refusal { Delta::Refusal(text) } else { Delta::Text(text) });
            }
            if !cited {
                deltas.extend(piece::read_citations(part).into_iter().map(Delta::Citation));
            }
            let logprobs = piece::read_logprobs(part);
            if !weighed && !logprobs.is_empty() {
                deltas.push(Delta::Logprobs(logprobs));
            }
            for delta in deltas {
                let known = self.items.get(at).and_then(|item| item.block(kind, place));
                let index = known.unwrap_or_else(|| self.piece(at, kind, place.unwrap_or(0), block.clone(), out));
                self.push(at, index, delta, out);
            }
        }
    }

    fn thought(&mut self, at: usize, item: &Value, out: &mut Vec<Event>) {
        let known = self.items.get(at).and_then(|item| item.pieces.first()).map(|piece| piece.block);
        match item::read_reasoning(item) {
            Some(Part::RedactedReasoning { data, dialect }) => {
                self.piece(at, Kind::Other, 0, Block::RedactedReasoning { data, dialect }, out);
            }
            Some(Part::Reasoning { text, signature }) => {
                let index = known.unwrap_or_else(|| self.piece(at, Kind::Summary, 0, Block::Reasoning, out));
                if known.is_none() && !text.is_empty() && self.whole {
                    self.push(at, index, Delta::Reasoning(text), out);
                }
                if let Some(signature) = signature {
                    self.push(at, index, Delta::Signature(signature), out);
                }
            }
            Some(_) | None => {}
        }
    }

    fn finish(&mut self, response: &Value, kind: &str, out: &mut Vec<Event>) {
        self.count(response, out);
        if is_failed(response) || kind.ends_with("failed") {
            return self.fail(error::of_value(0, response), out);
        }
        if kind.ends_with("cancelled") {
            let message = "The provider cancelled this answer.".to_owned();
            return self.fail(UpstreamError { message, ..UpstreamError::default() }, out);
        }
        self.start(Some(response), out);
        for (place, item) in items(response, "output").iter().enumerate() {
            let place = u64::try_from(place).unwrap_or(u64::MAX);
            let is_known = self.items.iter().any(|item| item.output_index == place);
            if is_known || self.whole {
                let at = self.item_at(place);
                self.item_done(at, item, out);
            }
        }
        for item in self.items.iter_mut().filter(|item| !item.ended) {
            item.ended = true;
            out.extend(item.pieces.iter().map(|piece| Event::BlockEnd { index: piece.block }));
        }
        out.push(Event::Stop { choice: 0, reason: read_stop(response, self.calls), sequence: None });
        out.push(Event::End);
        self.done = true;
    }

    fn count(&mut self, response: &Value, out: &mut Vec<Event>) {
        if let Some(reported) = response.get("usage").filter(|usage| usage.is_object()) {
            self.raw_usage = Some(reported.clone());
            out.extend(usage::read(reported, text(response, "service_tier")).map(Event::Usage));
        }
    }

    fn fail(&mut self, mut error: UpstreamError, out: &mut Vec<Event>) {
        // The event's own type says nothing.
        error.kind = error.kind.filter(|kind| !kind.is_empty() && kind != "error");
        self.done = true;
        out.push(Event::Failed(error));
    }
}
