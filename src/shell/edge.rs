//! Rust's side of `edge.js`: coarse helpers that move bytes.

use std::{cell::RefCell, rc::Rc};

use js_sys::{Array, JsString, Promise, Uint8Array};
use wasm_bindgen::{JsCast, JsValue, prelude::wasm_bindgen};
use worker::{
    wasm_bindgen_futures::JsFuture,
    web_sys::{Request, Response},
};

use super::tap::Tap;
use crate::{
    exchange::{Head, Rest, SETTLE_MS, relay::Relay},
    mock::{Ending, Script},
    plan::outcome::{Phase, Transport},
    wire::json::Piece,
};

#[wasm_bindgen(module = "/src/shell/edge.js")]
extern "C" {
    pub fn head(request: &Request) -> String;
    fn body(request: &Request, limit: f64) -> Promise;
    #[wasm_bindgen(js_name = randomId)]
    pub fn random_id() -> String;
    fn sleep(ms: f64) -> Promise;
    #[wasm_bindgen(js_name = randomBytes)]
    pub fn random_bytes(count: u32) -> Vec<u8>;
    fn respond(status: u16, headers: &str, content: &JsValue) -> Response;

    type Timer;
    #[wasm_bindgen(constructor)]
    fn begin(ms: f64) -> Timer;
    #[wasm_bindgen(method, getter)]
    fn over(this: &Timer) -> Promise;
    #[wasm_bindgen(method)]
    fn stop(this: &Timer);

    pub type Call;
    #[wasm_bindgen(constructor)]
    pub fn new(request: &Request) -> Call;
    #[wasm_bindgen(method)]
    fn send(this: &Call, url: &str, method: &str, headers: &str, original: &JsValue, pieces: &Array, ms: f64) -> Promise;
    #[wasm_bindgen(method)]
    fn run(this: &Call, ai: &JsValue, model: &str, original: &JsValue, pieces: &Array, ms: f64) -> Promise;
    #[wasm_bindgen(method)]
    fn play(this: &Call, delay: f64, status: u16, headers: &str, waits: &Array, chunks: &Array, ending: &str, ms: f64)
    -> Promise;
    #[wasm_bindgen(method)]
    fn pass(this: &Call, request: &Request, url: &str, headers: &str, ms: f64) -> Promise;
    /// The body of the answer, unread.
    #[wasm_bindgen(method, getter)]
    pub fn body(this: &Call) -> JsValue;
    #[wasm_bindgen(method, js_name = readAll)]
    fn read_all(this: &Call, ms: f64, limit: f64) -> Promise;
    #[wasm_bindgen(method, js_name = readChunk)]
    fn read_chunk(this: &Call, ms: f64) -> Promise;
    #[wasm_bindgen(method)]
    pub fn cancel(this: &Call);
    #[wasm_bindgen(method, getter)]
    fn done(this: &Call) -> Promise;
}

#[wasm_bindgen(module = "/src/shell/relay.js")]
extern "C" {
    fn relay(
        call: &Call,
        native: bool,
        first: &Uint8Array,
        tap: Tap,
        trap: &Uint8Array,
        heartbeat: &str,
        times: &Array,
    ) -> JsValue;
}

/// Milliseconds between two looks at a native stream's metering branch: each look is a wake.
const METER_EVERY_MS: f64 = 1000.0;
/// Bytes of a native stream's end that are read for its usage and terminal marker: several times the largest seen.
const TAIL_BYTES: f64 = 16384.0;
/// A comment is sent to a client who heard nothing for so long, or for half of the deadline that ends the silence: it
/// keeps proxies from giving up, and shows who has left.
const HEARTBEAT_MS: f64 = 10_000.0;

/// A promise that the helpers never let fail: what goes wrong comes as a word.
pub async fn settled(promise: Promise) -> JsValue {
    JsFuture::from(promise).await.unwrap_or(JsValue::from_str("reset"))
}

pub fn number(value: u64) -> f64 {
    f64::from(u32::try_from(value).unwrap_or(u32::MAX))
}

pub async fn pause(ms: u64) {
    pause_for(number(ms)).await;
}

pub async fn pause_for(ms: f64) {
    settled(sleep(ms)).await;
}

/// A pause that leaves nothing behind when it is given up before its time.
pub struct Nap(Timer);

impl Nap {
    pub fn begin(ms: u64) -> Self {
        Self(Timer::begin(number(ms)))
    }

    pub async fn over(&self) {
        settled(self.0.over()).await;
    }
}

impl Drop for Nap {
    fn drop(&mut self) {
        self.0.stop();
    }
}

/// The whole body of a request; `None` when it is longer than `limit`.
pub async fn read_body(request: &Request, limit: u64) -> Option<Uint8Array> {
    settled(body(request, number(limit))).await.dyn_into().ok()
}

pub fn response(status: u16, headers: &[(String, String)], content: &JsValue) -> Response {
    // No browser is to take an answer for what it does not say it is.
    respond(status, &format!("{}x-content-type-options: nosniff\n", lines(headers)), content)
}

/// A header list as one text, which crosses in one piece.
fn lines(headers: &[(String, String)]) -> String {
    headers.iter().map(|(name, value)| format!("{name}: {value}\n")).collect()
}

/// `name: value` lines, names in lower case.
pub fn pairs<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<(String, String)> {
    lines.filter_map(|line| line.split_once(": ")).map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect()
}

impl Call {
    pub async fn fetch(
        &self,
        url: &str,
        headers: &[(String, String)],
        original: &JsValue,
        pieces: &[Piece],
        ms: u64,
    ) -> Result<Head, Transport> {
        let parts: Array = pieces.iter().map(piece).collect();
        read_head(&settled(self.send(url, "POST", &lines(headers), original, &parts, number(ms))).await, Phase::Headers)
    }

    /// The caller's own request, its body streaming through.
    pub async fn forward(&self, request: &Request, url: &str, headers: &[(String, String)], ms: u64) -> Result<Head, Transport> {
        read_head(&settled(self.pass(request, url, &lines(headers), number(ms))).await, Phase::Headers)
    }

    /// Workers AI, by its binding.
    pub async fn ask(&self, ai: &JsValue, model: &str, original: &JsValue, pieces: &[Piece], ms: u64) -> Result<Head, Transport> {
        let parts: Array = pieces.iter().map(piece).collect();
        read_head(&settled(self.run(ai, model, original, &parts, number(ms))).await, Phase::Headers)
    }

    pub async fn script(&self, script: &Script, ms: u64) -> Result<Head, Transport> {
        let waits: Array = script.chunks.iter().map(|c| JsValue::from(number(c.after_ms))).collect();
        let chunks: Array = script.chunks.iter().map(|c| JsValue::from(Uint8Array::from(c.bytes.as_slice()))).collect();
        let ending = match script.ending {
            Ending::Clean => "clean",
            Ending::Cut => "cut",
            Ending::Stall => "stall",
        };
        read_head(
            &settled(self.play(
                number(script.delay_ms),
                script.status,
                &lines(&script.headers),
                &waits,
                &chunks,
                ending,
                number(ms),
            ))
            .await,
            Phase::Headers,
        )
    }

    /// The whole body of the answer.
    pub async fn whole(&self, ms: u64, limit: u64) -> Result<Uint8Array, Transport> {
        let got = settled(self.read_all(number(ms), number(limit))).await;
        got.dyn_into().map_err(|word| transport(&word, Phase::Answer))
    }

    /// The next chunk of the answer; `None` at its end.
    pub async fn chunk(&self, ms: u64) -> Result<Option<Vec<u8>>, Transport> {
        let got = settled(self.read_chunk(number(ms))).await;
        if got.is_null() {
            return Ok(None);
        }
        got.dyn_into().map(|bytes: Uint8Array| Some(bytes.to_vec())).map_err(|word| transport(&word, Phase::FirstToken))
    }

    /// Hands the stream over: the readable for the response, and what resolves when it is over.
    pub fn start(&self, shared: &Rc<RefCell<Relay>>, rest: &Rest) -> (JsValue, Promise) {
        let every = METER_EVERY_MS.min(number(rest.idle_ms) / 2.0);
        let times = deadlines(rest);
        for time in [every, TAIL_BYTES, beat_ms(rest.idle_ms)] {
            times.push(&JsValue::from(time));
        }
        let native = shared.borrow().is_native();
        let trap = Uint8Array::from(shared.borrow().trap_frames());
        let tap = Tap::new(Rc::clone(shared));
        let heartbeat = shared.borrow().heartbeat();
        let readable = self::relay(self, native, &Uint8Array::from(rest.first.as_slice()), tap, &trap, heartbeat, &times);
        (readable, self.done())
    }
}

/// When a stream is given up, or taken to be complete: silence, the whole, silence once it told why it stopped.
pub fn deadlines(rest: &Rest) -> Array {
    let [idle, total, settle] = [rest.idle_ms, rest.total_ms, SETTLE_MS].map(number);
    [idle, total, settle.min(idle / 4.0)].into_iter().map(JsValue::from).collect()
}

/// Between two signs of life, where silence for so long would be ended.
pub fn beat_ms(idle_ms: u64) -> f64 {
    HEARTBEAT_MS.min(number(idle_ms) / 2.0)
}

fn piece(piece: &Piece) -> JsValue {
    match piece {
        Piece::New(text) => JsString::from(text.as_str()).into(),
        Piece::Kept(range) => [range.start, range.end]
            .into_iter()
            .map(|at| JsValue::from(u32::try_from(at).unwrap_or(u32::MAX)))
            .collect::<Array>()
            .into(),
    }
}

fn read_head(value: &JsValue, phase: Phase) -> Result<Head, Transport> {
    let text = value.as_string().unwrap_or_default();
    let mut lines = text.split('\n');
    match lines.next().and_then(|status| status.parse().ok()) {
        Some(status) => Ok(Head { status, headers: pairs(lines) }),
        None => Err(transport(value, phase)),
    }
}

fn transport(word: &JsValue, phase: Phase) -> Transport {
    match word.as_string().as_deref() {
        Some("timeout") => Transport::Timeout(phase),
        Some("gone") => Transport::ClientGone,
        Some("refused") => Transport::Refused,
        _ => Transport::Reset,
    }
}
