//! The order of candidates: the strategy's, then what health says of it.

use super::{
    health::Standing,
    seed::{below, fold, mix},
};
use crate::config::Strategy;

/// Candidates as indices, best first. Weighted: drawn without replacement, each in proportion to its weight; weight 0
/// comes last, as written. The same seed gives the same order for ever.
pub fn order(strategy: Strategy, weights: &[u64], seed: u64) -> Vec<usize> {
    match strategy {
        Strategy::Weighted => draw(weights, seed),
        Strategy::Priority | Strategy::LeastCost | Strategy::LeastLatency | Strategy::Balanced | Strategy::Sticky => {
            (0..weights.len()).collect()
        }
    }
}

fn draw(weights: &[u64], seed: u64) -> Vec<usize> {
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
