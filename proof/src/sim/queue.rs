//! What happens next: events by time, and by the order in which they were thought of.

use std::{cmp::Reverse, collections::BinaryHeap};

/// Indices are of the scenario's lists.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Event {
    Born(usize),
    Dies(usize),
    Arrives(usize),
    /// What the request waits for has come; `turn` tells a wait that is no longer waited for.
    Wakes {
        request: usize,
        turn: u32,
    },
    Leaves(usize),
    /// A request is still under way, which its isolate tells of.
    Beats {
        request: usize,
        isolate: usize,
    },
    /// An isolate tells what it has put off.
    Flushes(usize),
    ToObject {
        isolate: usize,
        report: String,
    },
    /// `None`: the call failed.
    ToIsolate {
        isolate: usize,
        life: u32,
        reply: Option<String>,
    },
    /// The object has stored its state, if it still lives.
    Stored {
        region: usize,
        life: u32,
        state: String,
    },
    Restarts(usize),
    /// The object's alarm: its view goes to KV.
    Publishes(usize),
    /// KV shows it.
    Published {
        region: usize,
        view: String,
    },
}

#[derive(Default)]
pub struct Queue {
    heap: BinaryHeap<Reverse<(u64, u64, Event)>>,
    count: u64,
}

impl Queue {
    pub fn add(&mut self, at: u64, event: Event) {
        self.count += 1;
        self.heap.push(Reverse((at, self.count, event)));
    }

    pub fn soonest(&mut self) -> Option<(u64, Event)> {
        self.heap.pop().map(|Reverse((at, _, event))| (at, event))
    }
}
