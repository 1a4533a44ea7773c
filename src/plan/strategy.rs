//! The order of candidates: the strategy's, then what health says of it.

use super::{
    health::{Numbers, Standing},
    reason::Reason,
    seed::{below, fold, mix},
};
use crate::{config::Strategy, units::Money};

/// What strategies go by, of one candidate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// 0: only when the others cannot.
    pub weight: u64,
    /// A hash of its name, the same wherever it stands.
    pub identity: u64,
    /// Of this request, estimated.
    pub cost: Option<Money>,
    pub numbers: Numbers,
}

/// What decides where figures do not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Chance {
    pub seed: u64,
    /// Of the caller's conversation.
    pub session: Option<u64>,
}

/// Samples before a time to the first token means anything.
const MIN_SAMPLES: u64 = 5;
/// Of a hundred requests so many go to a target of which too little is known: enough to learn of it, and few enough to
/// bear if it is slow.
const EXPLORED_PERCENT: u64 = 10;
/// Beyond ten times the best, one figure must not drown the others.
const MAX_RATIO: u64 = 10_000;
/// Of a ratio, and of failures.
const PERMILLE: u64 = 1_000;

/// Candidates as indices, best first, each with why it is where it is. The same figures and the same chance give the same
/// order for ever.
pub fn order(strategy: Strategy, figures: &[Figures], chance: Chance) -> Vec<(usize, Reason)> {
    let tie = |of: &Figures| chance.session.map_or(0, |session| mix(session ^ of.identity));
    match strategy {
        Strategy::Priority => (0..figures.len()).map(|index| (index, Reason::Priority { place: 0 })).collect(),
        Strategy::Weighted => {
            let weights: Vec<u64> = figures.iter().map(|of| of.weight).collect();
            draw(&weights, chance.seed).into_iter().map(|index| (index, Reason::Weighted { place: 0 })).collect()
        }
        Strategy::Sticky => {
            let session = chance.session.unwrap_or(chance.seed);
            sorted(figures, |of| (distance(session, of), 0), |_| Reason::Sticky { place: 0 })
        }
        Strategy::LeastCost => {
            sorted(figures, |of| (of.cost.map_or(u64::MAX, |cost| cost.0), tie(of)), |of| Reason::LeastCost { cost: of.cost })
        }
        Strategy::LeastLatency => least_latency(figures, chance),
        Strategy::Balanced => {
            let best = Best::of(figures);
            let reason = |of: &Figures| Reason::Balanced { score: best.score(of), cost: of.cost, p50_ms: of.p50_ms() };
            sorted(figures, |of| (best.score(of), tie(of)), reason)
        }
    }
}

impl Figures {
    fn p50_ms(&self) -> Option<u64> {
        (self.numbers.samples >= MIN_SAMPLES).then_some(self.numbers.p50_ms)
    }
}

/// By key, the smallest first; equal ones as written.
///
/// An insertion sort: there are some dozens at most, and the library's sort is kilobytes for each type of key.
fn sorted(
    figures: &[Figures],
    key: impl Fn(&Figures) -> (u64, u64),
    reason: impl Fn(&Figures) -> Reason,
) -> Vec<(usize, Reason)> {
    let keys: Vec<(u64, u64)> = figures.iter().map(key).collect();
    let mut order: Vec<(usize, Reason)> = Vec::with_capacity(keys.len());
    for ((index, own), of) in keys.iter().enumerate().zip(figures) {
        let at = order.iter().position(|(other, _)| keys.get(*other).is_some_and(|key| key > own));
        order.insert(at.unwrap_or(order.len()), (index, reason(of)));
    }
    order
}

/// Weighted: drawn without replacement, each in proportion to its weight; weight 0 comes last, as written.
pub fn draw(weights: &[u64], seed: u64) -> Vec<usize> {
    let (mut urn, last): (Vec<_>, Vec<_>) = weights.iter().copied().enumerate().partition(|(_, weight)| *weight > 0);
    let mut drawn = Vec::with_capacity(weights.len());
    let mut seed = seed;
    while !urn.is_empty() {
        seed = mix(seed);
        let total = urn.iter().map(|(_, weight)| *weight).sum();
        let mut left = below(seed, total);
        let hit = urn.iter().position(|(_, weight)| {
            let here = left < *weight;
            left = left.saturating_sub(*weight);
            here
        });
        drawn.push(urn.remove(hit.unwrap_or(0)).0);
    }
    drawn.extend(last.into_iter().map(|(index, _)| index));
    drawn
}

/// Weighted rendezvous: -log2 of a number that session and target alone decide, over the weight. The least wins with a
/// chance in proportion to its weight, and a target that comes or goes moves only its own share of the sessions.
///
/// Schindelhauer and Schomaker, Weighted Distributed Hash Tables, 2005.
fn distance(session: u64, of: &Figures) -> u64 {
    /// Keeps whole numbers apart after the division by a weight of up to a million.
    const SCALE: u32 = 24;
    (bits(mix(session ^ of.identity)) << SCALE).checked_div(of.weight).unwrap_or(u64::MAX)
}

/// -log2(x / 2^64), in steps of 2^-24. Whole numbers only: the logarithm of floating point is not the same on every machine.
fn bits(x: u64) -> u64 {
    const STEPS: u32 = 24;
    let x = x.max(1);
    let zeros = x.leading_zeros();
    // From 1 to 2, with 63 binary places.
    let mut mantissa = u128::from(x << zeros);
    let mut log = 0_u64;
    for _ in 0..STEPS {
        let square = (mantissa * mantissa) >> 63;
        let carry = square >> 64;
        mantissa = if carry > 0 { square >> 1 } else { square };
        log = (log << 1) | u64::from(carry > 0);
    }
    (u64::from(zeros + 1) << STEPS) - log
}

/// By the median time to the first token. Those of which too little is known come last, but one of them goes first in a
/// bounded share of requests.
fn least_latency(figures: &[Figures], chance: Chance) -> Vec<(usize, Reason)> {
    let tie = |of: &Figures| chance.session.map_or(0, |session| mix(session ^ of.identity));
    let reason = |of: &Figures| Reason::LeastLatency { p50_ms: of.p50_ms() };
    let mut order = sorted(figures, |of| (of.p50_ms().unwrap_or(u64::MAX), tie(of)), reason);
    let known = figures.iter().filter(|of| of.p50_ms().is_some()).count();
    let unknown = order.len() - known;
    if known > 0 && unknown > 0 && below(fold(chance.seed, "explore"), 100) < EXPLORED_PERCENT {
        let which = below(fold(chance.seed, "explored"), u64::try_from(unknown).unwrap_or(1));
        let (index, _) = order.remove(known + usize::try_from(which).unwrap_or(0));
        order.insert(0, (index, Reason::Explored));
    }
    order
}

/// The best figures among the candidates, against which each is measured.
struct Best {
    cost: u64,
    dearest: u64,
    p50_ms: u64,
}

impl Best {
    fn of(figures: &[Figures]) -> Self {
        let costs = || figures.iter().filter_map(|of| of.cost.map(|cost| cost.0.max(1)));
        let p50_ms = figures.iter().filter_map(Figures::p50_ms).min().unwrap_or(1).max(1);
        Self { cost: costs().min().unwrap_or(1), dearest: costs().max().unwrap_or(1), p50_ms }
    }

    /// The mean of cost and latency, each as a multiple of the best one's, over the share that succeeds; in thousandths.
    ///
    /// What nobody knows the price of counts as the dearest; what has too few samples counts as the quickest, and so gets
    /// its samples.
    fn score(&self, of: &Figures) -> u64 {
        let ratio = |value: u64, best: u64| (value.saturating_mul(PERMILLE) / best).clamp(PERMILLE, MAX_RATIO);
        let cost = ratio(of.cost.map_or(self.dearest, |cost| cost.0), self.cost);
        let latency = ratio(of.p50_ms().unwrap_or(self.p50_ms), self.p50_ms);
        let good = PERMILLE.saturating_sub(u64::from(of.numbers.failed_permille)).max(PERMILLE / 10);
        (cost + latency) / 2 * PERMILLE / good
    }
}

/// Candidates after health: those that may be tried, best first, and those that may not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Arranged {
    pub usable: Vec<usize>,
    pub excluded: Vec<usize>,
}

/// Health goes before strategy. Up, within its share of the traffic, or to be probed: keeps its place; outside its share:
/// behind all of those; drained: behind these; open or cooling: out. What the operator shut is in neither list.
///
/// A probe keeps its place instead of going first, for it may be silent: no request that a better target would serve at
/// once should wait for it.
pub fn arrange(order: &[usize], standing: impl Fn(usize) -> Standing, seed: u64) -> Arranged {
    let mut arranged = Arranged::default();
    let (mut behind, mut drained) = (vec![], vec![]);
    for &index in order {
        let within = |percent: u8| below(fold(seed, "share") ^ u64::try_from(index).unwrap_or(0), 100) < u64::from(percent);
        match standing(index) {
            Standing::Up | Standing::Probe => arranged.usable.push(index),
            Standing::Ramping { percent } | Standing::Degraded { percent } if within(percent) => arranged.usable.push(index),
            Standing::Ramping { .. } | Standing::Degraded { .. } => behind.push(index),
            Standing::Drained => drained.push(index),
            Standing::Open { .. } | Standing::Cooling { .. } => arranged.excluded.push(index),
            Standing::Shut { .. } => {}
        }
    }
    arranged.usable.append(&mut behind);
    arranged.usable.append(&mut drained);
    arranged
}
