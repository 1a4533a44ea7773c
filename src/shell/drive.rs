//! An exchange's steps, done: up to a committed stream, or an answer.

use std::{cell::RefCell, pin::pin};

use futures::future::{Either, select};
use js_sys::Uint8Array;
use wasm_bindgen::JsValue;
use worker::{Env, web_sys::Request};

use super::{bindings, clock, edge, google, settle::Settlement, till::Gate};
use crate::{
    catalog::AI_BINDING,
    exchange::{
        Exchange, Head, Hedging, Received, Relaying, Send, Sendable, Side, Step, authority::Sign, relay::Ended, reply::Reply,
    },
    plan::outcome::Transport,
};

/// Bytes of a provider's whole answer: more than any text or inline image. Held twice, here and in JavaScript, it is half
/// of the 128 MiB that an isolate has.
const MAX_ANSWER: u64 = 32 << 20;

/// What every call of one request needs.
#[derive(Clone, Copy)]
pub struct Ways<'a> {
    pub request: &'a Request,
    pub env: &'a Env,
    /// The caller's, kept in JS for sending.
    pub body: &'a JsValue,
    pub settlement: &'a RefCell<Settlement>,
}

impl Ways<'_> {
    fn exchange<T>(&self, side: Side, work: impl FnOnce(&mut Exchange) -> T) -> T {
        self.settlement.borrow_mut().exchange(|e| {
            e.turn(side);
            work(e)
        })
    }
}

/// What an exchange came to, as far as the shell is concerned.
pub enum Driven {
    /// A stream is committed, on this call.
    Stream(edge::Call, Box<Relaying>),
    /// An answer, and the body it may stand for.
    Answer(Reply, JsValue),
    /// The end of an answer that has begun.
    Last(Vec<u8>),
    /// The other call decides.
    Idle,
    Lost,
}

/// From the beginning to a committed stream, or an answer.
pub async fn begin(ways: Ways<'_>) -> Driven {
    let may_hedge = ways.settlement.borrow_mut().exchange(|e| e.may_hedge());
    let driven = if may_hedge { race(ways).await } else { drive(ways, Side::First).await };
    let gate = ways.settlement.borrow().gate();
    match gate {
        Some(gate) => pass(ways, &gate, driven).await,
        None => driven,
    }
}

/// Nothing of an answer goes out before the ledger has the request's beginning.
async fn pass(ways: Ways<'_>, gate: &Gate, driven: Driven) -> Driven {
    let Err(error) = gate.pass(ways.env).await else { return driven };
    let now = clock::now();
    if let Driven::Stream(call, relaying) = driven {
        call.cancel();
        let mut relay = relaying.relay;
        drop(relay.end(Ended::Gone, &[], 0));
        ways.exchange(Side::First, |e| e.relayed(&mut relay, now));
    }
    let step = ways.settlement.borrow_mut().exchange(|e| {
        e.turn_away(&error, now);
        e.next(now)
    });
    match step {
        Step::Reply(reply) => Driven::Answer(reply, JsValue::NULL),
        Step::Send(_) | Step::Wait(_) | Step::Read { .. } | Step::Relay(_) | Step::Last(_) | Step::Idle => Driven::Lost,
    }
}

/// One call, and once it is late a second one. Dropping the loser cancels it.
async fn race(ways: Ways<'_>) -> Driven {
    let mut first = pin!(drive(ways, Side::First));
    loop {
        match ways.exchange(Side::First, |e| e.hedge(clock::now())) {
            Hedging::Never => return first.await,
            Hedging::After(ms) => {
                if let Either::Left((driven, _)) = select(first.as_mut(), pin!(edge::pause(ms))).await {
                    return driven;
                }
            }
            Hedging::Begun => break,
        }
    }
    match select(first, pin!(drive(ways, Side::Second))).await {
        Either::Left((Driven::Idle, second)) => second.await,
        Either::Right((Driven::Idle, first)) => first.await,
        Either::Left((driven, _)) | Either::Right((driven, _)) => driven,
    }
}

/// A call that is cancelled with what waits for it.
struct Upstream(Option<edge::Call>);

impl Upstream {
    /// For the relay, which goes on after the response was returned.
    fn handed_over(mut self) -> Option<edge::Call> {
        self.0.take()
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        if let Some(call) = &self.0 {
            call.cancel();
        }
    }
}

/// The heart: do what the exchange says, tell it what came of it.
pub async fn drive(ways: Ways<'_>, side: Side) -> Driven {
    let mut upstream = Upstream(None);
    let mut answer = JsValue::NULL;
    loop {
        let step = ways.exchange(side, |e| e.next(clock::now()));
        match step {
            Step::Send(sending) => {
                let next = Upstream(Some(edge::Call::new(ways.request)));
                if let Some(call) = &next.0 {
                    let head = send(ways, call, &sending).await;
                    ways.exchange(side, |e| e.answered(clock::now(), head));
                }
                upstream = next;
            }
            Step::Read { whole: true, timeout_ms } => {
                let Some(call) = &upstream.0 else { return Driven::Lost };
                let got = call.whole(timeout_ms, MAX_ANSWER).await;
                ways.exchange(side, |e| match &got {
                    Ok(bytes) => e.received(clock::now(), Received::Bytes(&bytes.to_vec())),
                    Err(transport) => e.received(clock::now(), Received::Failed(*transport)),
                });
                answer = got.map_or(JsValue::NULL, Uint8Array::into);
            }
            Step::Read { whole: false, timeout_ms } => {
                let Some(call) = &upstream.0 else { return Driven::Lost };
                let got = call.chunk(timeout_ms).await;
                ways.exchange(side, |e| match &got {
                    Ok(Some(bytes)) => e.received(clock::now(), Received::Bytes(bytes)),
                    Ok(None) => e.received(clock::now(), Received::End),
                    Err(transport) => e.received(clock::now(), Received::Failed(*transport)),
                });
            }
            Step::Wait(ms) => edge::pause(ms).await,
            Step::Relay(relaying) => return upstream.handed_over().map_or(Driven::Lost, |call| Driven::Stream(call, relaying)),
            Step::Reply(reply) => return Driven::Answer(reply, answer),
            Step::Last(bytes) => return Driven::Last(bytes),
            Step::Idle => return Driven::Idle,
        }
    }
}

/// One call to a provider, until the head of its answer.
async fn send(ways: Ways<'_>, call: &edge::Call, send: &Send) -> Result<Head, Transport> {
    let Ways { request, env, body, .. } = ways;
    let ms = send.timeout_ms;
    match &send.target {
        Sendable::Http { url, headers, body: pieces, sign: None } => call.fetch(url, headers, body, pieces, ms).await,
        Sendable::Http { url, headers, body: pieces, sign: Some(Sign::Google(account)) } => {
            let send_with = async |token, ms| {
                let headers = [headers.as_slice(), &[token]].concat();
                call.fetch(url, &headers, body, pieces, ms).await
            };
            google::send(request, account, ms, send_with).await
        }
        Sendable::WorkersAi { model, body: pieces } => {
            call.ask(&bindings::binding(env, AI_BINDING), model, body, pieces, ms).await
        }
        Sendable::Script(script) => call.script(script, ms).await,
    }
}
