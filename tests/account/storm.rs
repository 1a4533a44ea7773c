//! The bounds, with many isolates at once: whatever is late, lost or dead.

use portolan::{
    config::{Budget, Limits, Period, Rules},
    units::Money,
};

use super::world::{Life, Nature, World};

pub fn limits(requests: u64, tokens: u64, concurrent: u64) -> Rules {
    let some = |limit: u64| (limit > 0).then_some(limit);
    let limits = Limits { requests_per_minute: some(requests), tokens_per_minute: some(tokens), concurrent: some(concurrent) };
    Rules { limits, budgets: vec![] }
}

pub fn budget(pico: u64) -> Rules {
    let budget = Budget { per: Period::Month, limit: Money(pico), soft: false, unpriced: false, alerts: vec![50, 80, 100] };
    Rules { limits: Limits::default(), budgets: vec![budget] }
}

/// From calm to a world in which little arrives.
fn natures() -> Vec<Nature> {
    let calm = Nature::default();
    vec![
        Nature { seed: 1, ..calm.clone() },
        Nature { seed: 2, isolates: 1, rate: 5, ..calm.clone() },
        Nature { seed: 3, isolates: 60, latency_ms: 2_000, ..calm.clone() },
        Nature { seed: 4, lost: 15, forgets: 10, latency_ms: 400, ..calm.clone() },
        Nature { seed: 5, lost: 5, forgets: 30, deaths: 20, isolates: 20, ..calm },
    ]
}

#[test]
fn no_sixty_seconds_have_more_requests_than_the_limit() {
    for nature in natures() {
        for limit in [1, 50, 1_000] {
            let (seed, rate, faultless) = (nature.seed, nature.rate, nature.lost + nature.deaths == 0);
            let mut world = World::new(nature.clone(), &[("key:a", limits(limit, 0, 0))]);
            world.run();
            let most = world.most(|_| 1);
            assert!(most <= limit, "{most} of {limit}, seed {seed}");
            // Nor are far fewer let through than there may be.
            if faultless && rate * 60 > limit * 3 / 2 {
                assert!(most * 100 >= limit * 90, "only {most} of {limit}, seed {seed}");
            }
        }
    }
}

#[test]
fn of_several_limits_each_holds() {
    for nature in natures() {
        let rules = [("key:a", limits(300, 0, 0)), ("tag:b", limits(0, 0, 20)), ("tenant:c", limits(400, 150_000, 0))];
        let mut world = World::new(nature, &rules);
        world.run();
        assert!(world.most(|_| 1) <= 300);
        assert!(world.most(|life| life.took) <= 150_000);
        assert!(crowd(&world) <= 20);
    }
}

#[test]
fn tokens_exceed_the_limit_by_what_requests_under_way_were_underestimated() {
    for takes in [100, 300] {
        for nature in natures() {
            let limit = 60_000;
            let mut world = World::new(Nature { takes, ..nature }, &[("key:a", limits(0, limit, 0))]);
            world.run();
            if takes == 100 {
                assert!(world.most(|life| life.took) <= limit);
            }
            let went = world.went();
            for (place, last) in went.iter().enumerate().step_by(7) {
                let at = last.went.unwrap();
                let minute: Vec<&&Life> =
                    went[..=place].iter().rev().take_while(|life| life.went.unwrap() + 60_000 > at).collect();
                let took: u64 = minute.iter().map(|life| life.took).sum();
                let is_open = |life: &&&&Life| life.settled.is_none_or(|settled| settled > at);
                let beyond = minute.iter().filter(is_open).map(|life| life.took.saturating_sub(life.opening.tokens)).sum::<u64>();
                assert!(took <= limit + beyond, "{took} of {limit} and {beyond}");
            }
        }
    }
}

/// The most that were under way at once.
fn crowd(world: &World) -> i64 {
    let went = world.went();
    let mut steps: Vec<(u64, i64)> = went.iter().map(|life| (life.went.unwrap(), 1)).collect();
    steps.extend(went.iter().filter_map(|life| Some((life.ended?.max(life.went?), -1))));
    steps.sort_unstable();
    let (mut there, mut most) = (0, 0);
    for (_, step) in steps {
        there += step;
        most = most.max(there);
    }
    most
}

#[test]
fn no_more_are_under_way_than_may_be() {
    for nature in natures() {
        for (limit, life_ms) in [(1_i64, 2_000), (30, 3_000), (60, 20_000)] {
            let mut world =
                World::new(Nature { life_ms, seconds: 60, ..nature.clone() }, &[("key:a", limits(0, 0, limit.unsigned_abs()))]);
            world.run();
            let crowd = crowd(&world);
            assert!(crowd <= limit, "{crowd} of {limit}, seed {}", nature.seed);
            assert!(crowd > 0);
        }
    }
}

#[test]
fn a_budget_is_never_exceeded_where_the_worst_case_is_one() {
    for nature in natures() {
        let limit = 400_000;
        let mut world = World::new(nature.clone(), &[("tenant:a", budget(limit))]);
        world.run();
        let spent = world.spent();
        assert!(spent <= limit, "{spent}, seed {}", nature.seed);
        if nature.rate >= 20 {
            let is_used = |percent| world.alerts.contains(&("tenant:a".to_owned(), percent));
            assert!(spent * 10 >= limit * 9, "only {spent}, seed {}", nature.seed);
            assert!(is_used(50) && is_used(80));
        }
        // Each threshold once.
        let mut alerts = world.alerts.clone();
        alerts.sort();
        alerts.dedup();
        assert_eq!(alerts.len(), world.alerts.len());
    }
}
