//! Worlds in which policies are compared: one kind of incident each, at a primary that two others stand behind.

use portolan::dialect::Dialect;

use super::{
    scenario::{Arrival, Fault, Life, Network, Provider, Route, Scenario, Tongue, Trouble},
    worlds::Dice,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Outage,
    Silence,
    BrownOut,
    Limit,
    Regional,
    Flapping,
}

impl Kind {
    pub const ALL: [Self; 6] = [Self::Outage, Self::Silence, Self::BrownOut, Self::Limit, Self::Regional, Self::Flapping];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Outage => "outage",
            Self::Silence => "silence",
            Self::BrownOut => "brown-out",
            Self::Limit => "rate limit",
            Self::Regional => "one region",
            Self::Flapping => "flapping",
        }
    }
}

pub const REGIONS: usize = 2;
/// Isolates in a region.
const ISOLATES: usize = 6;
/// Between requests in a region.
const GAP_MS: u64 = 100;
const END_MS: u64 = 240_000;
/// A provider that is back takes this many a second at first, of twenty.
const COLD_PER_SECOND: u64 = 10;
const COLD_MS: u64 = 10_000;

/// A world and the incident in it.
pub struct Incident {
    pub kind: Kind,
    pub scenario: Scenario,
    pub from: u64,
    pub heals: u64,
    /// Regions that are struck.
    pub regions: usize,
}

pub fn make(seed: u64, kind: Kind) -> Incident {
    let mut dice = Dice::new(seed, kind.name());
    let from = 40_000 + dice.below(1_000);
    let heals = from + dice.between(45_000, 90_000);
    let fault = |trouble, (from, until)| Fault { trouble, provider: 0, model: None, key: None, region: None, from, until };
    let cold = fault(Trouble::Cold { per_second: COLD_PER_SECOND }, (heals, heals + COLD_MS));
    let (faults, heals) = match kind {
        Kind::Outage => (vec![fault(Trouble::Down, (from, heals)), cold], heals),
        Kind::Silence => (vec![fault(Trouble::Silent, (from, heals)), cold], heals),
        Kind::BrownOut => (vec![fault(Trouble::Errors { percent: 30 }, (from, heals))], heals),
        Kind::Limit => (vec![fault(Trouble::Limited { retry_after_s: Some(10) }, (from, heals))], heals),
        Kind::Regional => (vec![Fault { region: Some(0), ..fault(Trouble::Down, (from, heals)) }], heals),
        Kind::Flapping => {
            let down = |nth: u64| fault(Trouble::Down, (from + nth * 25_000, from + nth * 25_000 + 10_000));
            ((0..4).map(down).collect(), from + 85_000)
        }
    };
    let provider = |first_ms| Provider { tongue: Tongue::OpenAi, keys: 1, first_ms, gap_ms: 20 };
    let mut scenario = Scenario {
        seed,
        regions: REGIONS,
        providers: vec![provider(500), provider(600), provider(900)],
        models: 1,
        routes: vec![Route { targets: vec![(0, 0), (1, 0), (2, 0)], weighted: false }],
        faults,
        lives: lives(&mut dice),
        restarts: vec![(0, dice.below(END_MS)), (1, dice.below(END_MS))],
        arrivals: vec![],
        network: Network { lost_percent: 1, min_ms: 5, max_ms: 60, kv_ms: 5_000 },
    };
    scenario.arrivals = arrivals(&mut dice);
    Incident { kind, scenario, from, heals, regions: if kind == Kind::Regional { 1 } else { REGIONS } }
}

fn lives(dice: &mut Dice) -> Vec<Life> {
    let mut lives = vec![];
    for region in 0..REGIONS {
        for _ in 0..ISOLATES {
            let mut from = 0;
            while from <= END_MS {
                let until = from + dice.between(40_000, 400_000);
                lives.push(Life { region, from, until });
                from = until;
            }
        }
    }
    lives
}

fn arrivals(dice: &mut Dice) -> Vec<Arrival> {
    let mut all = vec![];
    for region in 0..REGIONS {
        let mut at = dice.gap(GAP_MS);
        while at < END_MS {
            let stream = dice.percent(90);
            let words = 1 + dice.index(10);
            let dialect = Dialect::OpenAiChat;
            all.push(Arrival { number: 0, at, region, route: 0, dialect, stream, words, flaw: None, leaves_after: None });
            at += dice.gap(GAP_MS);
        }
    }
    all.sort_by_key(|arrival| arrival.at);
    for (number, arrival) in (0..).zip(all.iter_mut()) {
        arrival.number = number;
    }
    all
}
