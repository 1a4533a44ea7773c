//! The measuring: sides in turn, in short windows, so that what the machine does besides falls on all of them.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use crate::clock::now;
use crate::cpu;
use crate::load::{self, Length, Shape};
use crate::runtime::{Recipe, Runtime, Serving};
use crate::scenario::{Scenario, Side, Unit};
use crate::stats::{Pairs, real};

/// Before the first round, both sides run this long unmeasured: compilers warm up, caches fill.
const WARM_UP: Duration = Duration::from_millis(400);

/// CPU in microseconds a unit, and requests a second, round by round.
pub struct Cost {
    pub cpu: Pairs,
    pub rate: Pairs,
}

/// Times in milliseconds, all rounds together.
pub struct Delay {
    pub direct: Vec<f64>,
    pub floor: Vec<f64>,
    pub gateway: Vec<f64>,
}

/// A fresh process until its first answer: CPU, and the first request alone, in milliseconds.
pub struct ColdStart {
    pub cpu: Pairs,
    pub first: Pairs,
}

/// The running parts of one bench.
pub struct Stage {
    pub upstream: SocketAddr,
    pub runtime: Runtime,
    pub quick: bool,
}

impl Stage {
    fn address(&self, side: Side) -> SocketAddr {
        match side {
            Side::Direct => self.upstream,
            Side::Floor => self.runtime.floor,
            Side::Gateway => self.runtime.gateway,
        }
    }

    pub fn cost(&self, scenario: &Scenario) -> io::Result<Cost> {
        for side in [Side::Floor, Side::Gateway] {
            self.warm_up(scenario, side)?;
        }
        let none = || Pairs { floor: Vec::new(), gateway: Vec::new() };
        let mut cost = Cost { cpu: none(), rate: none() };
        for round in 0..scenario.rounds(self.quick) {
            let order = if round % 2 == 0 { [Side::Floor, Side::Gateway] } else { [Side::Gateway, Side::Floor] };
            for side in order {
                let window = self.window(scenario, side)?;
                let units = real(window.requests * scenario.units());
                let spent = window.cpu.as_secs_f64() * 1e6 / units;
                let rate = real(window.requests) / window.elapsed.as_secs_f64();
                let (spents, rates) = match side {
                    Side::Gateway => (&mut cost.cpu.gateway, &mut cost.rate.gateway),
                    Side::Floor | Side::Direct => (&mut cost.cpu.floor, &mut cost.rate.floor),
                };
                spents.push(spent);
                rates.push(rate);
            }
        }
        Ok(cost)
    }

    pub fn delay(&self, scenario: &Scenario) -> io::Result<Delay> {
        let mut delay = Delay { direct: Vec::new(), floor: Vec::new(), gateway: Vec::new() };
        for side in [Side::Direct, Side::Floor, Side::Gateway] {
            self.warm_up(scenario, side)?;
        }
        for round in 0..scenario.rounds(self.quick) {
            let mut order = [Side::Direct, Side::Floor, Side::Gateway];
            if round % 2 == 1 {
                order.reverse();
            }
            for side in order {
                let window = self.window(scenario, side)?;
                let times = if window.firsts.is_empty() { &window.totals } else { &window.firsts };
                let kept = match side {
                    Side::Direct => &mut delay.direct,
                    Side::Floor => &mut delay.floor,
                    Side::Gateway => &mut delay.gateway,
                };
                kept.extend(times.iter().map(|nanoseconds| real(*nanoseconds) / 1e6));
            }
        }
        Ok(delay)
    }

    fn window(&self, scenario: &Scenario, side: Side) -> io::Result<load::Window> {
        let target = scenario.target(side, self.address(side));
        let window = load::run(&target, scenario.shape(self.quick), Some(self.runtime.pid()));
        window.map_err(|error| io::Error::new(error.kind(), format!("{side:?}: {error}")))
    }

    fn warm_up(&self, scenario: &Scenario, side: Side) -> io::Result<()> {
        let target = scenario.target(side, self.address(side));
        let shape = Shape { connections: 2, length: Length::For(WARM_UP), spread: Duration::ZERO };
        let run = load::probe(&target).and_then(|()| load::run(&target, shape, None));
        run.map(drop).map_err(|error| io::Error::new(error.kind(), format!("{side:?}: {error}")))
    }
}

/// Starts fresh processes, the floor's and the gateway's in turn.
pub fn cold_start(recipe: &Recipe, scenario: &Scenario, rounds: usize) -> io::Result<ColdStart> {
    let none = || Pairs { floor: Vec::new(), gateway: Vec::new() };
    let mut cold = ColdStart { cpu: none(), first: none() };
    for _ in 0..rounds {
        let (spent, first) = first_answer(recipe, scenario, Side::Floor)?;
        cold.cpu.floor.push(spent);
        cold.first.floor.push(first);
        let (spent, first) = first_answer(recipe, scenario, Side::Gateway)?;
        cold.cpu.gateway.push(spent);
        cold.first.gateway.push(first);
    }
    Ok(cold)
}

fn first_answer(recipe: &Recipe, scenario: &Scenario, side: Side) -> io::Result<(f64, f64)> {
    let serving = if side == Side::Floor { Serving::Floor } else { Serving::Gateway };
    let runtime = recipe.start(serving)?;
    let address = if side == Side::Floor { runtime.floor } else { runtime.gateway };
    let target = scenario.target(side, address);
    let mut wire = load::connect(address)?;
    let start = now();
    load::exchange(&mut wire, &target)?;
    let first = start.elapsed().as_secs_f64() * 1e3;
    Ok((cpu::spent(runtime.pid())?.as_secs_f64() * 1e3, first))
}

/// The unit of a cost, in words.
pub fn unit(unit: Unit) -> &'static str {
    match unit {
        Unit::Request => "request",
        Unit::Chunk => "chunk",
    }
}
