//! What is measured: one row a measure.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::load::{Answer, Length, Shape, Target};
use crate::script::{self, Dialect};
use crate::seeing::SEEING;
use crate::sse::Expected;

/// The key of the caller; workerd hands the same one to the gateway.
pub const GATEWAY_KEY: &str = "pk-bench-4f1d2c3b5a69788796a5b4c3d2e1f00f";
/// Below this a request is text; above, one picture in base64, as large bodies are.
const PICTURE: usize = 4_000_000;
const KB: usize = 1000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    Request,
    /// One event that the upstream sent.
    Chunk,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Direct,
    Floor,
    Gateway,
}

pub struct Scenario {
    pub name: &'static str,
    pub title: &'static str,
    pub unit: Unit,
    pub body_bytes: usize,
    pub upstream: Dialect,
    pub pieces: Option<u32>,
    pub pause_ms: u32,
    /// Whether the caller asks for usage; where it does not, the gateway must ask and take it out again.
    pub usage: bool,
    pub connections: u32,
    /// Rounds of `--quick` and of a full run.
    pub rounds: (usize, usize),
    pub goal: Option<&'static str>,
}

const ONE: Scenario = Scenario {
    name: "",
    title: "",
    unit: Unit::Request,
    body_bytes: KB,
    upstream: Dialect::OpenAi,
    pieces: None,
    pause_ms: 0,
    usage: true,
    connections: 8,
    rounds: (9, 15),
    goal: None,
};
const STREAM: Scenario = Scenario { unit: Unit::Chunk, pieces: Some(100), ..ONE };
const PACED: Scenario = Scenario { pause_ms: 10, connections: 32, ..STREAM };
const TURN: Scenario = Scenario { body_bytes: 8 * KB, pieces: Some(500), unit: Unit::Request, rounds: (0, 5), ..PACED };

pub const REQUEST: &str = "request_1kb";
pub const CHUNK: &str = "stream_paced";
pub const TTFT: &str = "ttft";
pub const COLD: &str = "cold";

pub const CPU: [Scenario; 13] = [
    Scenario { name: REQUEST, title: "1 KB request, 1 KB answer", goal: Some("1.6"), ..ONE },
    Scenario { name: "request_100kb", title: "100 KB request", body_bytes: 100 * KB, rounds: (7, 15), ..ONE },
    Scenario { name: "request_1mb", title: "1 MB request", body_bytes: 1000 * KB, connections: 4, goal: Some("2.5"), ..ONE },
    Scenario { name: "request_8mb", title: "8 MB request", body_bytes: 8000 * KB, connections: 2, goal: Some("2.9"), ..ONE },
    Scenario {
        name: "request_1kb_translated",
        title: "1 KB request, OpenAI to Anthropic",
        upstream: Dialect::Anthropic,
        rounds: (5, 15),
        ..ONE
    },
    Scenario { name: CHUNK, title: "stream, paced 10 ms", goal: Some("1.5"), ..PACED },
    Scenario { name: "stream_burst_100", title: "stream, burst of 100", goal: Some("1.7"), ..STREAM },
    Scenario {
        name: "stream_burst_1000",
        title: "stream, burst of 1000",
        pieces: Some(1000),
        rounds: (7, 15),
        goal: Some("2.0"),
        ..STREAM
    },
    Scenario { name: "stream_edited_paced", title: "stream, usage taken out, paced", usage: false, rounds: (3, 9), ..PACED },
    Scenario {
        name: "translated_paced",
        title: "translated stream, paced 10 ms",
        upstream: Dialect::Anthropic,
        rounds: (5, 15),
        goal: Some("2.4"),
        ..PACED
    },
    Scenario {
        name: "translated_burst_100",
        title: "translated stream, burst of 100",
        upstream: Dialect::Anthropic,
        goal: Some("4.3"),
        ..STREAM
    },
    Scenario { name: "turn", title: "turn: 8 KB, 500 chunks, 10 ms", ..TURN },
    Scenario { name: "turn_translated", title: "the same turn, translated", upstream: Dialect::Anthropic, ..TURN },
];

/// Latency is measured far from saturation; rounds of three windows each.
pub const LATENCY: [Scenario; 2] = [
    Scenario { name: "answer", title: "1 KB answer, 1 connection", connections: 1, rounds: (4, 9), ..ONE },
    Scenario {
        name: TTFT,
        title: "first token (upstream's: 20 ms), 4 streams",
        pieces: Some(1),
        connections: 4,
        rounds: (4, 9),
        ..PACED
    },
];

impl Scenario {
    pub fn rounds(&self, quick: bool) -> usize {
        if quick { self.rounds.0 } else { self.rounds.1 }
    }

    pub fn shape(&self, quick: bool) -> Shape {
        let pause = Duration::from_millis(self.pause_ms.into());
        let paced = !pause.is_zero() && self.name != TTFT;
        let length = match (paced, quick) {
            (true, true) => Length::Times(1),
            (true, false) => Length::Times(if self.unit == Unit::Chunk { 2 } else { 1 }),
            // Most of such a window is the upstream's own waiting: longer ones, for enough samples.
            (false, true) if self.name == TTFT => Length::For(Duration::from_millis(800)),
            (false, true) => Length::For(Duration::from_millis(300)),
            (false, false) => Length::For(Duration::from_millis(1200)),
        };
        Shape { connections: self.connections, length, spread: pause }
    }

    /// Units of cost within one answer.
    pub fn units(&self) -> u64 {
        match (self.unit, self.pieces) {
            (Unit::Chunk, Some(pieces)) => script::events(self.upstream, pieces),
            (Unit::Chunk, None) | (Unit::Request, _) => 1,
        }
    }

    /// The request, and what must come back from that side.
    pub fn target(&self, side: Side, address: SocketAddr) -> Target {
        let path = match side {
            Side::Gateway => "/v1/chat/completions".to_owned(),
            Side::Direct | Side::Floor => format!("{}{}", self.prefix(), self.endpoint()),
        };
        let body = self.body();
        let mut request = format!(
            "POST {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {GATEWAY_KEY}\r\naccept: application/json\r\n\
            content-type: application/json\r\nuser-agent: OpenAI/Python 1.60.0\r\ncontent-length: {}\r\n\r\n",
            body.len()
        )
        .into_bytes();
        request.extend_from_slice(body.as_bytes());
        Target { address, request, answer: self.answer(side) }
    }

    fn answer(&self, side: Side) -> Answer {
        let Some(pieces) = self.pieces else {
            return Answer::Whole;
        };
        let events = script::events(self.upstream, pieces);
        let (dialect, events, usages) = match side {
            Side::Direct | Side::Floor => (self.upstream, Some(events), 1),
            Side::Gateway => {
                let kept = if self.usage { events } else { events - 1 };
                (Dialect::OpenAi, (self.upstream == Dialect::OpenAi).then_some(kept), u64::from(self.usage))
            }
        };
        Answer::Stream { dialect, expected: Expected { pieces: pieces.into(), usages, events } }
    }

    fn prefix(&self) -> String {
        self.pieces.map(|pieces| format!("/n{pieces}/p{}", self.pause_ms)).unwrap_or_default()
    }

    fn endpoint(&self) -> &'static str {
        match self.upstream {
            Dialect::OpenAi => "/v1/chat/completions",
            Dialect::Anthropic => "/v1/messages",
        }
    }

    fn provider(&self) -> String {
        let dialect = match self.upstream {
            Dialect::OpenAi => "openai",
            Dialect::Anthropic => "anthropic",
        };
        format!("bench-{dialect}{}", self.prefix().replace('/', "-"))
    }

    fn body(&self) -> String {
        let mut body = json!({
            "model": format!("{}/m", self.provider()),
            "messages": [{"role": "system", "content": "You are a helpful assistant."}, {"role": "user", "content": self.content()}],
            "temperature": 0.7,
            "max_tokens": 1024
        });
        if let (Some(fields), Some(_)) = (body.as_object_mut(), self.pieces) {
            fields.insert("stream".to_owned(), json!(true));
            if self.usage {
                fields.insert("stream_options".to_owned(), json!({"include_usage": true}));
            }
        }
        body.to_string()
    }

    fn content(&self) -> Value {
        if self.body_bytes >= PICTURE {
            let url = format!("data:image/png;base64,{}", "iVBORw0KGgoAAAANSUhE".repeat(self.body_bytes / 20));
            return json!([{"type": "text", "text": "What is this?"}, {"type": "image_url", "image_url": {"url": url}}]);
        }
        let line = "He said \"not yet\", looked at the sea, and went on: the tide was an hour off, and the boat was not his.\n";
        json!(line.repeat(self.body_bytes.saturating_sub(250) / (line.len() + 3)))
    }
}

/// Everything that can be measured, by name.
pub fn names() -> impl Iterator<Item = &'static str> {
    CPU.iter().chain(&LATENCY).map(|scenario| scenario.name).chain([COLD, SEEING])
}

/// The gateway's own documents: one provider for each way the upstream is asked.
pub fn documents(upstream: SocketAddr) -> Value {
    let mut providers = Map::new();
    for scenario in CPU.iter().chain(&LATENCY) {
        let (kind, version) = match scenario.upstream {
            Dialect::OpenAi => ("openai", "/v1"),
            Dialect::Anthropic => ("anthropic", ""),
        };
        let provider = json!({
            "kind": kind,
            "base_url": format!("http://{upstream}{}{version}", scenario.prefix()),
            "keys": ["${BENCH_KEY}"],
            // A window that even the largest body fits, however tokens are estimated.
            "models": {"m": {"context": 20_000_000, "max_output": 8192, "price": {"input": 1, "output": 2}}}
        });
        providers.insert(scenario.provider(), provider);
    }
    json!({"providers": providers, "settings": {"allow_private_upstreams": true}, "routes": {}})
}

#[cfg(test)]
mod tests {
    use portolan::sorted::SortedMap;

    use super::*;
    use crate::{load, upstream};

    #[test]
    fn bodies_have_the_size_they_are_named_for() {
        for scenario in CPU.iter().chain(&LATENCY) {
            let (size, named) = (scenario.body().len(), scenario.body_bytes);
            assert!(size.abs_diff(named) * 5 <= named, "{}: {size} instead of {named}", scenario.name);
        }
    }

    #[test]
    fn gateway_accepts_the_documents_and_the_key() {
        let documents = documents(SocketAddr::from(([127, 0, 0, 1], 8080)));
        let text = |name: &str| Some(documents[name].to_string());
        let texts = portolan::config::Documents {
            routes: text("routes"),
            providers: text("providers"),
            settings: text("settings"),
            ..portolan::config::Documents::default()
        };
        let secrets = SortedMap::from([("BENCH_KEY".to_owned(), "sk-bench".to_owned())]);
        let snapshot = portolan::config::build(&texts, &secrets).unwrap();
        for scenario in CPU.iter().chain(&LATENCY) {
            assert!(snapshot.model(&scenario.provider(), "m").is_some(), "{}", scenario.name);
        }
        assert!(portolan::guard::is_well_formed(GATEWAY_KEY));
    }

    #[test]
    fn upstream_answers_every_scenario_as_it_is_expected_to() {
        let address = upstream::start().unwrap();
        for scenario in CPU.iter().chain(&LATENCY).filter(|scenario| scenario.pause_ms == 0) {
            let target = scenario.target(Side::Direct, address);
            load::probe(&target).unwrap_or_else(|error| panic!("{}: {error}", scenario.name));
        }
    }

    #[test]
    fn every_answer_of_a_window_is_counted() {
        let address = upstream::start().unwrap();
        let target = STREAM.target(Side::Direct, address);
        let shape = Shape { connections: 3, length: Length::Times(2), spread: Duration::ZERO };
        let window = load::run(&target, shape, None).unwrap();
        assert_eq!((window.requests, window.totals.len(), window.firsts.len()), (6, 6, 6));
    }

    #[test]
    fn wrong_answer_fails_the_window() {
        let address = upstream::start().unwrap();
        let shape = Shape { connections: 1, length: Length::Times(1), spread: Duration::ZERO };
        let short = Target {
            answer: Scenario { pieces: Some(99), ..STREAM }.answer(Side::Direct),
            ..STREAM.target(Side::Direct, address)
        };
        assert!(load::run(&short, shape, None).is_err());
        let lost = Target {
            request: b"POST /v1/none HTTP/1.1\r\ncontent-length: 2\r\n\r\n{}".to_vec(),
            ..ONE.target(Side::Direct, address)
        };
        assert!(load::run(&lost, shape, None).is_err());
    }
}
