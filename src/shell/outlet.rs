//! Responses that outlive the calls they are fed from: they begin before anything is decided, or go on with another target.

use std::{cell::RefCell, future::Future, pin::Pin, rc::Rc};

use futures::future::{Either, select};
use js_sys::{Array, Promise, Uint8Array};
use wasm_bindgen::{JsCast, JsValue, prelude::wasm_bindgen};
use worker::{
    Env,
    web_sys::{Request, Response},
};

use super::{
    clock,
    drive::{self, Driven, Ways},
    edge,
    serve::conclude,
    settle::Settlement,
    tap::Tap,
};
use crate::exchange::{
    Opening, Relaying,
    relay::Ended,
    reply::{Body, Reply},
};

#[wasm_bindgen(module = "/src/shell/relay.js")]
extern "C" {
    pub type Outlet;
    #[wasm_bindgen(constructor)]
    fn new(request: &Request, heartbeat: &str, beat_ms: f64) -> Outlet;
    #[wasm_bindgen(method)]
    fn open(this: &Outlet) -> JsValue;
    #[wasm_bindgen(method)]
    fn feed(this: &Outlet, call: &edge::Call, first: &Uint8Array, tap: Tap, times: &Array) -> Promise;
    #[wasm_bindgen(method)]
    fn close(this: &Outlet, last: &JsValue) -> Promise;
}

type Driving = Pin<Box<dyn Future<Output = (Settlement, Driven)>>>;

/// An answer that may be long in coming: once nothing was said for as long as clients and proxies bear, the response
/// begins, and signs of life with it. Until then errors keep their status.
pub async fn patient(request: &Request, env: &Env, settlement: RefCell<Settlement>, body: &JsValue) -> Response {
    let Opening { headers, opened, idle_ms, heartbeat } = settlement.borrow_mut().exchange(|e| e.opening(clock::now()));
    let beat_ms = edge::beat_ms(idle_ms);
    let outlet = Outlet::new(request, heartbeat, beat_ms);
    let done = settlement.borrow_mut().release();
    let (client, its_env, its_body) = (stand_in(&outlet), env.clone(), body.clone());
    let driving: Driving = Box::pin(async move {
        let ways = Ways { request: &client, env: &its_env, body: &its_body, settlement: &settlement };
        let driven = drive::begin(ways).await;
        (settlement.into_inner(), driven)
    });
    match select(driving, Box::pin(edge::pause_for(beat_ms))).await {
        Either::Left(((mut settlement, driven), _)) => {
            settlement.restore(done);
            conclude(request, env, settlement, driven)
        }
        Either::Right(((), driving)) => {
            opened.set(true);
            let readable = outlet.open();
            let env = env.clone();
            if let Some(done) = done {
                drop(done.send(Box::pin(async move {
                    let (settlement, driven) = driving.await;
                    go_on(&outlet, &env, settlement, driven).await;
                })));
            }
            edge::response(200, &headers, &readable)
        }
    }
}

/// A stream that another target may have to go on with.
pub fn follow(request: &Request, env: &Env, mut settlement: Settlement, call: edge::Call, relaying: Box<Relaying>) -> Response {
    let heartbeat = relaying.relay.heartbeat();
    let outlet = Outlet::new(request, heartbeat, edge::beat_ms(relaying.rest.idle_ms));
    let (readable, env) = (outlet.open(), env.clone());
    let response = edge::response(200, &relaying.headers, &readable);
    if let Some(done) = settlement.release() {
        drop(done.send(Box::pin(async move { go_on(&outlet, &env, settlement, Driven::Stream(call, relaying)).await })));
    }
    response
}

/// Calls are made for the outlet as they are for a request: all they want of it is its signal.
fn stand_in(outlet: &Outlet) -> Request {
    let outlet: &JsValue = outlet.as_ref();
    outlet.clone().unchecked_into()
}

/// Feeds the response until it has its end.
async fn go_on(outlet: &Outlet, env: &Env, mut settlement: Settlement, mut driven: Driven) {
    let client = stand_in(outlet);
    let last = loop {
        match driven {
            Driven::Stream(call, relaying) => {
                if let Some(trap) = feed(outlet, &mut settlement, &call, *relaying).await {
                    break trap.into();
                }
            }
            Driven::Last(bytes) => break Uint8Array::from(bytes.as_slice()).into(),
            Driven::Answer(Reply { body: Body::Text(text), .. }, _) => break JsValue::from_str(&text),
            Driven::Answer(Reply { body: Body::Upstream, .. }, bytes) => break bytes,
            Driven::Idle | Driven::Lost => break JsValue::from_str(""),
        }
        // Bodies that are sent from here on are the exchange's own.
        let held = RefCell::new(settlement);
        let side = held.borrow_mut().exchange(|e| e.side());
        driven = drive::drive(Ways { request: &client, env, body: &JsValue::NULL, settlement: &held }, side).await;
        settlement = held.into_inner();
    };
    edge::settled(outlet.close(&last)).await;
    settlement.finish().await;
}

/// One call's stream; what to send last where our own code died at it.
async fn feed(outlet: &Outlet, settlement: &mut Settlement, call: &edge::Call, relaying: Relaying) -> Option<Uint8Array> {
    let Relaying { relay, rest, .. } = relaying;
    let trap = Uint8Array::from(relay.trap_frames());
    let relay = Rc::new(RefCell::new(relay));
    settlement.watch(Some(Rc::clone(&relay)));
    let first = Uint8Array::from(rest.first.as_slice());
    let how = edge::settled(outlet.feed(call, &first, Tap::new(Rc::clone(&relay)), &edge::deadlines(&rest))).await;
    settlement.watch(None);
    let how = Ended::read(&how.as_string().unwrap_or_default());
    match relay.try_borrow_mut() {
        Ok(mut relay) if how != Ended::Trap => {
            settlement.exchange(|e| e.ended(&mut relay, how, clock::now()));
            None
        }
        Ok(_) | Err(_) => {
            settlement.exchange(|e| e.trapped());
            Some(trap)
        }
    }
}
