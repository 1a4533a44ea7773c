//! The region's own probe of a target that is shut and that nobody asks.

use std::{cell::RefCell, rc::Rc};

use js_sys::Uint8Array;
use wasm_bindgen::JsValue;
use worker::{Env, web_sys::Request};

use super::{
    clock,
    drive::{self, Ways},
    edge,
    settle::{Lessons, Settlement},
    sinks,
};
use crate::{
    config::Snapshot,
    exchange::{Lesson, Side, probe as ping},
    plan::{health::View, seed},
};

/// Calls it, keeps the record, and says what is to be learned.
pub async fn probe(env: &Env, region: &str, config: &Rc<Snapshot>, view: &View, cell: &str) -> Vec<Lesson> {
    let id = edge::random_id();
    let chance = (format!("req_{id}"), clock::now(), seed::hash(&id));
    let Some(exchange) = ping::begin(cell, region, config, view, chance) else { return vec![] };
    // Nobody's request, which nobody calls back.
    let Ok(request) = Request::new_with_str("https://probe/") else { return vec![] };
    let body: JsValue = Uint8Array::from(exchange.call().body.as_slice()).into();
    let lessons = Lessons::default();
    let settlement = RefCell::new(Settlement::apart(exchange, Rc::clone(&lessons)));
    drop(drive::drive(Ways { request: &request, env, body: &body, settlement: &settlement }, Side::First).await);
    drop(settlement);
    sinks::hand_in(env).await;
    lessons.take()
}
