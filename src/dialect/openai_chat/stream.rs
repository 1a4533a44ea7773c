//! A provider's stream, read: chunks in, blocks out.

use serde_json::Value;

use super::{
    citations, error, items,
    response::{is_error, number},
    stream_choice::{Choice, Out},
    text, usage,
};
use crate::{
    chat::{
        event::{Event, UpstreamError},
        usage::Usage,
    },
    dialect::EventReader,
    sorted::SortedMap,
    wire::sse::Frame,
};

const DONE: &str = "[DONE]";

/// Answers to one question: OpenAI gives no more.
const MAX_CHOICES: usize = 128;

#[derive(Default)]
pub struct Reader {
    started: bool,
    id: Option<String>,
    /// The number of the next block.
    next: usize,
    /// By their number.
    choices: SortedMap<usize, Choice>,
    usage: Option<Usage>,
    raw_usage: Option<Value>,
    /// After `[DONE]` or a failure nothing counts any more.
    done: bool,
}

impl EventReader for Reader {
    fn read(&mut self, frame: &Frame<'_>, out: &mut Vec<Event>) {
        let Some(data) = frame.data.as_deref().map(str::trim).filter(|data| !data.is_empty() && !self.done) else { return };
        if data == DONE {
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
        if self.has_stopped() && !self.done {
            self.end(out);
        }
    }

    fn has_stopped(&self) -> bool {
        !self.choices.is_empty() && self.choices.values().all(Choice::has_stopped)
    }

    fn raw_usage(&self) -> Option<&Value> {
        self.raw_usage.as_ref()
    }
}

impl Reader {
    fn chunk(&mut self, chunk: &Value, out: &mut Vec<Event>) {
        let choices: Vec<(usize, &Value)> = items(chunk, "choices")
            .iter()
            .filter_map(|choice| Some((usize::try_from(number(choice)).ok()?, choice)))
            .filter(|(place, _)| *place < MAX_CHOICES)
            .collect();
        self.start(chunk, !choices.is_empty(), out);
        for (place, choice) in &choices {
            let (known, mut to) = self.choice(*place, out);
            // Perplexity repeats the whole message beside the delta; one that comes alone is the answer.
            let alone = choice.get("message").filter(|_| known.is_fresh());
            if let Some(delta) = choice.get("delta").or(alone) {
                known.delta(delta, choice, &mut to);
            } else {
                known.continuation(choice, &mut to);
            }
            // Beside every chunk: the last lists count.
            let sources = citations::sources(chunk);
            if !sources.is_empty() {
                known.sources = sources;
            }
        }
        self.count(chunk, choices.first().map(|(_, choice)| *choice), out);
        for (place, choice) in choices {
            if is_error(choice) {
                return self.fail(error::of_value(0, choice), out);
            }
            let (known, mut to) = self.choice(place, out);
            let reason = text(choice, "finish_reason").filter(|_| !known.has_stopped());
            if let Some(failed) = reason.and_then(|reason| known.stop(reason, &mut to)) {
                return self.fail(failed, out);
            }
        }
    }

    fn choice<'a>(&'a mut self, place: usize, out: &'a mut Vec<Event>) -> (&'a mut Choice, Out<'a>) {
        let known = self.choices.or_default(place);
        (known, Out { choice: place, next: &mut self.next, id: self.id.as_deref(), events: out })
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
        let Some((usage, raw)) = usage::find(chunk, choice) else { return };
        if choice.is_some() && self.usage == Some(usage) {
            return;
        }
        self.usage = Some(usage);
        self.raw_usage = Some(raw.clone());
        out.push(Event::Usage(usage));
    }

    fn end(&mut self, out: &mut Vec<Event>) {
        for place in self.choices.keys().copied().collect::<Vec<_>>() {
            let (known, mut to) = self.choice(place, out);
            known.end(&mut to);
        }
        self.done = true;
        out.push(Event::End);
    }

    fn fail(&mut self, error: UpstreamError, out: &mut Vec<Event>) {
        self.done = true;
        out.push(Event::Failed(error));
    }
}
