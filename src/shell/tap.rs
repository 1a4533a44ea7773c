//! What the pump in `edge.js` calls, synchronously, with bytes.

use std::{cell::RefCell, rc::Rc};

use wasm_bindgen::prelude::wasm_bindgen;

use crate::exchange::relay::{Ended, Relay};

/// A relay as JS sees it.
#[wasm_bindgen]
pub struct Tap(Rc<RefCell<Relay>>);

impl Tap {
    pub const fn new(relay: Rc<RefCell<Relay>>) -> Self {
        Self(relay)
    }
}

#[wasm_bindgen]
impl Tap {
    /// Chunk in, bytes for the client out.
    pub fn push(&self, bytes: &[u8]) -> Vec<u8> {
        self.0.borrow_mut().push(bytes)
    }

    /// Whether nothing that comes still counts.
    pub fn over(&self) -> bool {
        self.0.borrow().is_over()
    }

    /// Whether the answer is complete but for its end. `tail`: the end of what passed natively.
    pub fn told(&self, tail: &[u8]) -> bool {
        self.0.borrow().is_told(tail)
    }

    /// The last bytes for the client. `tail`: the end of what passed natively; `passed`: how many bytes in all.
    pub fn end(&self, how: &str, tail: &[u8], passed: u32) -> Vec<u8> {
        self.0.borrow_mut().end(Ended::read(how), tail, u64::from(passed))
    }
}
