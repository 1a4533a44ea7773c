//! What it costs to see: the same request to three gateways, of which one tells nothing, one what is told by default, and
//! one everything to everybody.

use std::io;
use std::net::SocketAddr;
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::cpu;
use crate::load::{self, Length, Shape};
use crate::runtime::Runtime;
use crate::scenario::{CPU, Side};
use crate::stats::{lower_quartile, median, real};

pub const SEEING: &str = "seeing";
/// Rounds of `--quick` and of a full run.
const ROUNDS: (usize, usize) = (3, 9);
const LOAD: (Duration, Duration) = (Duration::from_millis(1000), Duration::from_millis(2000));
/// What was noted goes out together after a second: it belongs to the window in which it was noted.
const HANDED_IN: Duration = Duration::from_millis(2000);

/// Where the stand-ins of collector and webhook are, at the scripted upstream.
pub const RECEIVED: [&str; 3] = ["/v1/traces", "/v1/metrics", "/records"];

/// The gateways that are compared: in the same process, each with settings and objects of its own.
pub const GATEWAYS: [&str; 3] = ["off", "default", "all"];

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
    // The first round only warms up.
    for round in 0..=rounds {
        for turn in 0..GATEWAYS.len() {
            let index = (round + turn) % GATEWAYS.len();
            let Some(address) = runtime.seeing.get(index) else { continue };
            let target = scenario.target(Side::Gateway, *address);
            let before = cpu::spent(runtime.pid())?;
            let window = load::run(&target, shape, None)?;
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
    fn ratio_is_to_the_gateway_that_tells_nothing() {
        let seen = Seen { cpu: [vec![10.0, 20.0], vec![11.0, 22.0], vec![15.0, 30.0]], ..Seen::default() };
        for (index, expected) in [(0, 1.0), (1, 1.1), (2, 1.5)] {
            assert!((seen.ratio(index) - expected).abs() < 1e-9, "{index}");
        }
    }
}
