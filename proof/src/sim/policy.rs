//! What decides about health: ours, or a rival's. Everything else of a request is the same for all.

use portolan::{
    exchange::Lesson,
    plan::health::{Standing, View},
    units::Millis,
};

pub trait Policy {
    fn born(&mut self, isolate: usize, region: usize);

    fn died(&mut self, isolate: usize);

    /// What planning sees.
    fn view(&self, isolate: usize, now: Millis) -> View;

    /// A probe that a plan is going to make; whether it may.
    fn take(&mut self, _isolate: usize, _cell: &str, _now: Millis) -> bool {
        false
    }

    fn learn(&mut self, isolate: usize, lesson: Lesson, now: Millis, seed: u64);

    /// What an isolate has to tell its region's object.
    fn due(&mut self, _isolate: usize, _now: Millis) -> Option<String> {
        None
    }

    /// The object's reply, or that there was none.
    fn told(&mut self, _isolate: usize, _reply: Option<&str>, _now: Millis) {}

    /// The object's side: the reply, and its state when that must be stored before the reply goes out.
    fn absorb(&mut self, _region: usize, _report: &str, _now: Millis) -> Option<(String, Option<String>)> {
        None
    }

    /// The object begins a new life with what it had stored.
    fn restart(&mut self, _region: usize, _stored: Option<&str>) {}

    /// The object's view, for KV.
    fn published(&self, _region: usize, _now: Millis) -> Option<String> {
        None
    }

    /// An isolate begins with what KV has.
    fn warm(&mut self, _isolate: usize, _view: &str) {}

    /// What the region as a whole holds of a cell.
    fn regional(&self, _region: usize, _cell: &str, _now: Millis) -> Option<Standing> {
        None
    }
}
