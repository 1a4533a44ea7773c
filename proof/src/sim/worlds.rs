//! Worlds made up from a seed: anything that can go wrong, at once.

use portolan::{
    dialect::Dialect,
    plan::seed::{below, fold, mix},
};

use super::scenario::{Arrival, Fault, Flaw, Life, Network, Provider, Route, Scenario, Tongue, Trouble};

/// Chance by name and number.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64, name: &str) -> Self {
        Self(fold(seed, name))
    }

    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 = mix(self.0);
        below(self.0, bound)
    }

    pub fn index(&mut self, bound: usize) -> usize {
        usize::try_from(self.below(u64::try_from(bound).unwrap_or(0))).unwrap_or(0)
    }

    pub fn between(&mut self, least: u64, most: u64) -> u64 {
        least + self.below(most.saturating_sub(least) + 1)
    }

    pub fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    pub fn pick<T: Copy>(&mut self, items: &[T], usual: T) -> T {
        items.get(self.index(items.len())).copied().unwrap_or(usual)
    }

    /// The wait until the next of a Poisson stream: -mean × ln(u), by halving: no floating point, hence the same anywhere.
    pub fn gap(&mut self, mean_ms: u64) -> u64 {
        // The sum of halvings is geometric; a uniform rest makes it exponential to within a few percent.
        let mut halves = 0;
        while halves < 10 && self.percent(50) {
            halves += 1;
        }
        mean_ms * 693 * halves / 1_000 + self.below((mean_ms * 693 / 1_000).max(1))
    }
}

/// A world of about so many requests. One in three has a single outage and nothing else: there it shows how a provider
/// returns.
pub fn make(seed: u64, requests: usize) -> Scenario {
    let mut dice = Dice::new(seed, "world");
    if dice.percent(33) { plain(seed, requests, &mut dice) } else { wild(seed, requests, &mut dice) }
}

fn plain(seed: u64, requests: usize, dice: &mut Dice) -> Scenario {
    let from = dice.between(20_000, 60_000);
    let until = from + dice.between(15_000, 120_000);
    let end = until + 170_000;
    let regions = 1 + dice.index(2);
    let trouble = dice.pick(&[Trouble::Down, Trouble::Silent], Trouble::Down);
    let region = dice.percent(50).then(|| dice.index(regions));
    let fault = Fault { trouble, provider: 0, model: None, key: None, region, from, until };
    let network = Network { lost_percent: dice.pick(&[0, 0, 5], 0), min_ms: 5, max_ms: dice.between(20, 200), kv_ms: 10_000 };
    let is_calm = network.lost_percent == 0;
    let mut scenario = Scenario {
        seed,
        regions,
        providers: (0..3).map(|_| provider(dice)).collect(),
        models: 1,
        routes: vec![Route { targets: vec![(0, 0), (1, 0), (2, 0)], weighted: false }],
        faults: vec![fault],
        lives: lives(dice, regions, end, !is_calm),
        restarts: (0..if is_calm { 0 } else { 2 }).map(|_| (dice.index(regions), dice.below(end))).collect(),
        arrivals: vec![],
        network,
    };
    scenario.arrivals = arrivals(&scenario, requests, end);
    scenario
}

fn wild(seed: u64, requests: usize, dice: &mut Dice) -> Scenario {
    let regions = 1 + dice.index(3);
    let end = dice.between(60_000, 420_000);
    let providers: Vec<Provider> = (0..2 + dice.index(3)).map(|_| provider(dice)).collect();
    let models = 1 + dice.index(2);
    let routes = (0..1 + dice.index(3)).map(|_| route(dice, providers.len(), models)).collect();
    let faults = (0..dice.index(9)).map(|_| fault(dice, (providers.len(), models, regions), end)).collect();
    let is_calm = dice.percent(40);
    let network = Network {
        lost_percent: if is_calm { 0 } else { dice.between(0, 20) },
        min_ms: dice.between(2, 20),
        max_ms: dice.between(20, 400),
        kv_ms: dice.between(500, 60_000),
    };
    let mut scenario = Scenario {
        seed,
        regions,
        providers,
        models,
        routes,
        faults,
        lives: lives(dice, regions, end, !is_calm),
        restarts: (0..if is_calm { 0 } else { dice.index(6) }).map(|_| (dice.index(regions), dice.below(end))).collect(),
        arrivals: vec![],
        network,
    };
    scenario.arrivals = arrivals(&scenario, requests, end);
    scenario
}

fn provider(dice: &mut Dice) -> Provider {
    let tongue = dice.pick(&[Tongue::OpenAi, Tongue::OpenAi, Tongue::Anthropic, Tongue::Gemini], Tongue::OpenAi);
    Provider { tongue, keys: 1 + dice.index(2), first_ms: dice.between(100, 1_500), gap_ms: dice.between(5, 120) }
}

fn route(dice: &mut Dice, providers: usize, models: usize) -> Route {
    let mut targets: Vec<(usize, usize)> = vec![];
    for _ in 0..1 + dice.index(5) {
        let target = (dice.index(providers), dice.index(models));
        if !targets.contains(&target) {
            targets.push(target);
        }
    }
    Route { targets, weighted: dice.percent(25) }
}

fn fault(dice: &mut Dice, (providers, models, regions): (usize, usize, usize), end: u64) -> Fault {
    let percent = dice.between(10, 100);
    let wait = dice.percent(60).then(|| dice.between(1, 60));
    let all = [
        Trouble::Down,
        Trouble::Down,
        Trouble::Silent,
        Trouble::Errors { percent },
        Trouble::Errors { percent },
        Trouble::Limited { retry_after_s: wait },
        Trouble::Limited { retry_after_s: wait },
        Trouble::Slow { factor: dice.between(2, 30) },
        Trouble::Cut { percent },
        Trouble::Stall { percent },
        Trouble::InBand { percent },
        Trouble::Html { percent },
        Trouble::RegionBlocked,
        Trouble::ModelGone,
        Trouble::Quota,
        Trouble::Revoked,
        Trouble::Cold { per_second: dice.between(1, 5) },
    ];
    let trouble = dice.pick(&all, Trouble::Down);
    let from = dice.below(end);
    let of_key = matches!(trouble, Trouble::Limited { .. } | Trouble::Quota | Trouble::Revoked) && dice.percent(70);
    Fault {
        trouble,
        provider: dice.index(providers),
        model: (dice.percent(40) || trouble == Trouble::ModelGone).then(|| dice.index(models)),
        key: of_key.then(|| dice.index(2)),
        region: (dice.percent(40) || trouble == Trouble::RegionBlocked).then(|| dice.index(regions)),
        from,
        until: from + dice.between(1_000, 150_000),
    }
}

/// Slots in each region; when one dies, the platform starts the next.
fn lives(dice: &mut Dice, regions: usize, end: u64, may_die: bool) -> Vec<Life> {
    let mut lives = vec![];
    for region in 0..regions {
        for _ in 0..1 + dice.index(5) {
            let mut from = 0;
            while from <= end {
                let lasts = if may_die && dice.percent(70) { dice.between(5_000, 200_000) } else { u64::MAX / 2 };
                lives.push(Life { region, from, until: from + lasts });
                from += lasts;
            }
        }
    }
    lives
}

fn arrivals(scenario: &Scenario, requests: usize, end: u64) -> Vec<Arrival> {
    let mut dice = Dice::new(scenario.seed, "traffic");
    let mut all = vec![];
    let share = requests / scenario.regions.max(1);
    for region in 0..scenario.regions {
        // One region is busy, another nearly asleep.
        let count = share * usize::try_from(dice.between(20, 180)).unwrap_or(100) / 100;
        let mean = end / u64::try_from(count.max(1)).unwrap_or(1);
        let mut at = 0;
        for _ in 0..count {
            at += dice.gap(mean);
            all.push(arrival(&mut dice, scenario, region, at));
        }
    }
    all.sort_by_key(|arrival| arrival.at);
    for (number, arrival) in all.iter_mut().enumerate() {
        arrival.number = u64::try_from(number).unwrap_or(0);
    }
    all
}

fn arrival(dice: &mut Dice, scenario: &Scenario, region: usize, at: u64) -> Arrival {
    let dialects = [Dialect::OpenAiChat, Dialect::OpenAiChat, Dialect::OpenAiResponses, Dialect::Anthropic, Dialect::Gemini];
    let flaws = [Flaw::Invalid, Flaw::Filtered, Flaw::TooLong];
    Arrival {
        number: 0,
        at,
        region,
        route: dice.index(scenario.routes.len()),
        dialect: dice.pick(&dialects, Dialect::OpenAiChat),
        stream: dice.percent(70),
        words: 1 + dice.index(12),
        flaw: dice.percent(4).then(|| dice.pick(&flaws, Flaw::Invalid)),
        leaves_after: dice.percent(5).then(|| dice.between(1, 20_000)),
    }
}
