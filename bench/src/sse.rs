//! What a stream of events held, counted exactly while it arrives.

use memchr::memmem;

use crate::script::{Dialect, MARKER};

/// The counts of one stream.
#[derive(Default, Debug, Clone, PartialEq, Eq)]
pub struct Counts {
    pub events: u64,
    /// Pieces of the answer's text: each one the upstream sends carries one marker.
    pub pieces: u64,
    pub finishes: u64,
    pub usages: u64,
    pub ends: u64,
    pub errors: u64,
    /// Events after the terminal one, and a tail that is no whole event.
    pub strays: u64,
}

/// The counts a stream must have.
#[derive(Debug, Clone)]
pub struct Expected {
    pub pieces: u64,
    pub usages: u64,
    /// Known when events pass as they came; a translation may cut them otherwise.
    pub events: Option<u64>,
}

pub struct Counter {
    dialect: Dialect,
    pending: Vec<u8>,
    counts: Counts,
}

impl Counter {
    pub fn new(dialect: Dialect) -> Self {
        Self { dialect, pending: Vec::new(), counts: Counts::default() }
    }

    pub fn feed(&mut self, bytes: &[u8]) {
        self.pending.extend_from_slice(bytes);
        let mut start = 0;
        while let Some(length) = memmem::find(self.pending.get(start..).unwrap_or_default(), b"\n\n") {
            let event = self.pending.get(start..start + length).unwrap_or_default();
            count(&mut self.counts, self.dialect, event);
            start += length + 2;
        }
        self.pending.drain(..start);
    }

    /// Whether a piece of text has come.
    pub fn has_piece(&self) -> bool {
        self.counts.pieces > 0
    }

    pub fn finish(self) -> Counts {
        let tail = u64::from(!self.pending.is_empty());
        Counts { strays: self.counts.strays + tail, ..self.counts }
    }
}

fn count(counts: &mut Counts, dialect: Dialect, event: &[u8]) {
    let has = |mark: &str| memmem::find(event, mark.as_bytes()).is_some();
    counts.events += 1;
    counts.strays += u64::from(counts.ends > 0);
    let pieces = u64::try_from(memmem::find_iter(event, MARKER).count()).unwrap_or_default();
    counts.pieces += pieces;
    // A piece is the common case and nothing else; only what remains is looked at closely.
    if pieces > 0 {
        return;
    }
    counts.errors += u64::from(has("\"error\":"));
    match dialect {
        Dialect::OpenAi => {
            counts.ends += u64::from(event == b"data: [DONE]");
            counts.finishes += u64::from(has("\"finish_reason\":\"stop\""));
            counts.usages += u64::from(has("\"usage\":{"));
        }
        Dialect::Anthropic => {
            counts.ends += u64::from(event.starts_with(b"event: message_stop"));
            counts.finishes += u64::from(has("\"stop_reason\":\"end_turn\""));
            counts.usages += u64::from(has("message_delta") && has("\"usage\":{"));
        }
    }
}

impl Expected {
    /// Nothing when the stream was whole, otherwise what was wrong with it.
    pub fn objection(&self, counts: &Counts) -> Option<String> {
        let whole = counts.pieces == self.pieces
            && counts.usages == self.usages
            && (counts.ends, counts.finishes, counts.errors, counts.strays) == (1, 1, 0, 0)
            && self.events.is_none_or(|events| events == counts.events);
        (!whole).then(|| format!("expected {self:?} with one finish and one end, got {counts:?}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &str = concat!(
        "data: {\"choices\":[{\"delta\":{\"role\":\"assistant\"},\"finish_reason\":null}],\"usage\":null}\n\n",
        "data: {\"choices\":[{\"delta\":{\"content\":\"@@ a\"}}]}\n\n",
        "data: {\"choices\":[{\"delta\":{\"content\":\"@@ b\"}}]}\n\n",
        "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n",
        "data: {\"choices\":[],\"usage\":{\"total_tokens\":3}}\n\n",
        "data: [DONE]\n\n",
    );

    fn counts(dialect: Dialect, text: &str, step: usize) -> Counts {
        let mut counter = Counter::new(dialect);
        text.as_bytes().chunks(step).for_each(|bytes| counter.feed(bytes));
        counter.finish()
    }

    #[test]
    fn counts_do_not_depend_on_where_the_bytes_are_cut() {
        let expected = Counts { events: 6, pieces: 2, finishes: 1, usages: 1, ends: 1, errors: 0, strays: 0 };
        for step in [1, 2, 7, 100, 10_000] {
            assert_eq!(counts(Dialect::OpenAi, STREAM, step), expected, "{step}");
        }
    }

    #[test]
    fn whole_streams_only_are_accepted() {
        let expected = Expected { pieces: 2, usages: 1, events: Some(6) };
        for (name, text, whole) in [
            ("whole", STREAM.to_owned(), true),
            ("piece missing", STREAM.replace("@@ b", "b"), false),
            ("no end", STREAM.replace("data: [DONE]\n\n", ""), false),
            ("cut within an event", STREAM.replace("[DONE]\n\n", "[DONE]"), false),
            ("no usage", STREAM.replace("\"usage\":{", "\"other\":{"), false),
            ("event twice", STREAM.replace("data: {\"choices\":[],", "data: {}\n\ndata: {\"choices\":[],"), false),
            ("something after the end", format!("{STREAM}data: {{}}\n\n"), false),
            ("error within", STREAM.replace("{\"choices\":[],", "{\"error\":{},"), false),
        ] {
            assert_eq!(expected.objection(&counts(Dialect::OpenAi, &text, 64)).is_none(), whole, "{name}");
        }
    }
}
