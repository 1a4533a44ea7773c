//! What it costs to see: the same request to three gateways, of which one tells nothing, one what is told by default, and
//! one everything to everybody.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use memchr::memmem;

use serde_json::{Value, json};

use crate::cpu;
use crate::load::{self, Length, Shape};
use crate::runtime::Runtime;
use crate::scenario::{CPU, Side};
use crate::stats::{lower_quartile, median, real};

pub const SEEING: &str = "seeing";
/// Rounds of `--quick` and of a full run.
const ROUNDS: (usize, usize) = (5, 21);
const LOAD: (Duration, Duration) = (Duration::from_millis(500), Duration::from_millis(800));
/// What was noted goes out together after a second: it belongs to the window in which it was noted.
const HANDED_IN: Duration = Duration::from_millis(1400);

/// A stand-in of what is told, at the scripted upstream.
pub struct Receiver {
    pub path: &'static str,
    /// What stands in a message once for each thing told.
    mark: &'static str,
    /// How many of them make one request; none where sums are told, once a minute.
    each: u64,
}

pub const RECEIVED: [Receiver; 3] = [
    // One span of the request, one of its only try.
    Receiver { path: "/v1/traces", mark: "\"spanId\":", each: 2 },
    Receiver { path: "/v1/metrics", mark: "\"resourceMetrics\":", each: 0 },
    Receiver { path: "/records", mark: "\"total_ms\":", each: 1 },
];
static TOLD: [AtomicU64; 3] = [const { AtomicU64::new(0) }; 3];

/// Counts what a receiver was told.
pub fn count(index: usize, message: &[u8]) {
    if let (Some(receiver), Some(told)) = (RECEIVED.get(index), TOLD.get(index)) {
        let found = memmem::find_iter(message, receiver.mark).fold(0, |count, _| count + 1);
        told.fetch_add(found, Ordering::Relaxed);
    }
}

/// A gateway that does not tell is not measured as one that does.
fn check_told(requests: u64, quick: bool) -> io::Result<()> {
    for (receiver, told) in RECEIVED.iter().zip(&TOLD) {
        let (told, expected) = (told.load(Ordering::Relaxed), (requests * receiver.each).max(u64::from(!quick)));
        if told < expected {
            return Err(io::Error::other(format!("{} was told {told} of {expected} for {requests} requests", receiver.path)));
        }
    }
    Ok(())
}

/// The gateways that are compared: in the same process, each with settings and objects of its own.
pub const GATEWAYS: [&str; 3] = ["off", "default", "all"];
const TELLS_ALL: usize = 2;

/// The settings of one of them.
pub fn settings(gateway: &str, upstream: SocketAddr) -> Value {
    let mut settings = json!({"allow_private_upstreams": true});
    let told = match gateway {
        "off" => json!({"log": {"console": false}, "journal": {"enabled": false}}),
        "all" => json!({
            "otlp": {"endpoint": format!("http://{upstream}")},
            "records": {"webhook": format!("http://{upstream}/records")}
        }),
        _ => json!({}),
    };
    if let (Some(settings), Value::Object(told)) = (settings.as_object_mut(), told) {
        settings.extend(told);
    }
    settings
}

/// CPU in microseconds a request, and the times of answers in milliseconds, of each gateway.
#[derive(Default)]
pub struct Seen {
    pub cpu: [Vec<f64>; 3],
    pub times: [Vec<f64>; 3],
}

impl Seen {
    /// The median of the rounds' own ratios to the gateway that tells nothing.
    pub fn ratio(&self, index: usize) -> f64 {
        let [off, ..] = &self.cpu;
        let ratios: Vec<f64> = self.cpu.get(index).into_iter().flatten().zip(off).map(|(cost, off)| cost / off).collect();
        median(&ratios)
    }

    /// The same of the lower quartiles: of a busy machine the truer one.
    pub fn ratio_of_quartiles(&self, index: usize) -> f64 {
        self.cost(index) / self.cost(0)
    }

    pub fn cost(&self, index: usize) -> f64 {
        self.cpu.get(index).map(|costs| lower_quartile(costs)).unwrap_or_default()
    }

    pub fn time(&self, index: usize) -> f64 {
        self.times.get(index).map(|times| median(times)).unwrap_or_default()
    }
}

pub fn measure(runtime: &Runtime, quick: bool) -> io::Result<Seen> {
    let [scenario, ..] = &CPU;
    let (rounds, length) = if quick { (ROUNDS.0, LOAD.0) } else { (ROUNDS.1, LOAD.1) };
    let shape = Shape { connections: scenario.connections, length: Length::For(length), spread: Duration::ZERO };
    let mut seen = Seen::default();
    let mut told_of = 0;
    // The first round only warms up.
    for round in 0..=rounds {
        for turn in 0..GATEWAYS.len() {
            let index = (round + turn) % GATEWAYS.len();
            let Some(address) = runtime.seeing.get(index) else { continue };
            let target = scenario.target(Side::Gateway, *address);
            let before = cpu::spent(runtime.pid())?;
            let window = load::run(&target, shape, None)?;
            told_of += if index == TELLS_ALL { window.requests } else { 0 };
            thread::sleep(HANDED_IN);
            let spent = cpu::spent_at_rest(runtime.pid())?.saturating_sub(before);
            if round == 0 {
                continue;
            }
            if let (Some(cpu), Some(times)) = (seen.cpu.get_mut(index), seen.times.get_mut(index)) {
                cpu.push(spent.as_secs_f64() * 1e6 / real(window.requests));
                times.extend(window.totals.iter().map(|nanoseconds| real(*nanoseconds) / 1e6));
            }
        }
    }
    check_told(told_of, quick)?;
    Ok(seen)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gateway_accepts_all_settings() {
        let upstream = SocketAddr::from(([127, 0, 0, 1], 8080));
        for gateway in GATEWAYS {
            let texts = portolan::config::Documents {
                settings: Some(settings(gateway, upstream).to_string()),
                ..portolan::config::Documents::default()
            };
            let snapshot = portolan::config::build(&texts, &portolan::sorted::SortedMap::default()).unwrap();
            assert_eq!(snapshot.settings.log_console, gateway != "off", "{gateway}");
            assert_eq!(snapshot.settings.otlp.is_some(), gateway == "all", "{gateway}");
        }
    }

    #[test]
    fn what_was_told_is_counted_and_missed() {
        assert!(check_told(1, false).is_err());
        for (index, message) in
            [(0, r#"{"spanId":"a","parentSpanId":""},{"spanId":"b","parentSpanId":"a"}"#), (2, r#"{"total_ms":1}"#)]
        {
            count(index, message.as_bytes());
        }
        assert!(check_told(1, false).is_err(), "no metrics yet");
        assert!(check_told(1, true).is_ok(), "too short for them");
        count(1, br#"{"resourceMetrics":[]}"#);
        assert!(check_told(1, false).is_ok());
        assert!(check_told(2, true).is_err());
    }

    #[test]
    fn ratio_is_to_the_gateway_that_tells_nothing() {
        let seen = Seen { cpu: [vec![10.0, 20.0], vec![11.0, 22.0], vec![15.0, 30.0]], ..Seen::default() };
        for (index, expected) in [(0, 1.0), (1, 1.1), (2, 1.5)] {
            assert!((seen.ratio(index) - expected).abs() < 1e-9, "{index}");
        }
    }
}
