//! Routes that lead to routes, flattened: candidates in the order the strategies have them.

use super::{
    filter::{Demand, names},
    health::View,
    look::look,
    reason::{Reason, Skipped, Why},
    seed::{fold, hash, mix},
    strategy::{Chance, Figures, order},
};
use crate::{
    config::{Condition, Datum, Place, Policy, Route, SomeTimeouts, Strategy, Subject, Target},
    units::{Millis, Money},
};

/// Routes entered for one request: rules may lead on and on, and a route may stand in many.
const MAX_ROUTES: usize = 64;
/// Targets looked at for one request. A plan tries four of them.
const MAX_LOOKED_AT: usize = 256;
/// Tokens of a prompt nobody has counted.
const USUAL_INPUT: u64 = 1_000;
/// Tokens of an answer: what most chats stay below, where the caller allows so many.
const USUAL_OUTPUT: u64 = 500;

/// A target that may serve, as the routes that lead to it have it.
pub(super) struct Candidate<'a> {
    pub target: &'a Target,
    pub timeouts: SomeTimeouts,
    /// Of the innermost strategy that had a choice.
    pub reason: Option<Reason>,
    /// Nothing may be kept: somebody who has a say requires it.
    pub zdr: bool,
}

/// What routing goes by.
#[derive(Clone, Copy)]
pub(super) struct World<'a> {
    pub demand: Demand<'a>,
    pub health: &'a View,
    pub now: Millis,
    pub seed: u64,
}

pub(super) struct Gathered<'a> {
    world: World<'a>,
    pub candidates: Vec<Candidate<'a>>,
    /// Of candidates, the best first.
    pub order: Vec<usize>,
    pub skipped: Vec<Skipped>,
    /// Which rules held: `auto.rules[1] → cheap`.
    pub rule: Option<String>,
    /// How the plan as a whole is carried out: as the first route says, then as the one its rule chose.
    pub policy: Policy,
    /// One of them wants it, or `settings` does: no route further in may take that back.
    zdr: bool,
    entered: usize,
}

/// From where a place is reached.
#[derive(Clone, Copy)]
struct Way {
    timeouts: SomeTimeouts,
    zdr: bool,
    /// Nothing else was to be chosen: its policy is the plan's.
    only: bool,
    seed: u64,
}

/// One entry of a route's `targets`, with what it led to.
struct Item {
    weight: u64,
    identity: u64,
    /// In `order`.
    start: usize,
    end: usize,
}

impl<'a> Gathered<'a> {
    pub(super) fn new(world: World<'a>) -> Self {
        let policy = Policy::default();
        Self { world, candidates: vec![], order: vec![], skipped: vec![], rule: None, policy, zdr: false, entered: 0 }
    }

    /// Adds what the caller's `model` leads to.
    pub(super) fn add_main(&mut self, route: &'a Route, name: &str) {
        let zdr = self.world.demand.config.settings.policy.zdr == Some(true);
        let way = Way { timeouts: SomeTimeouts::default(), zdr, only: true, seed: self.world.seed };
        self.enter(route, name, way);
    }

    /// Adds what another name of the caller's leads to, behind what is there.
    pub(super) fn add_other(&mut self, route: &'a Route, name: &str) {
        let zdr = self.zdr;
        let seed = fold(self.world.seed, name);
        self.enter(route, name, Way { timeouts: SomeTimeouts::default(), zdr, only: false, seed });
    }

    fn enter(&mut self, route: &'a Route, name: &str, way: Way) {
        self.entered += 1;
        if self.entered > MAX_ROUTES {
            return self.skip(name, Why::TooMany);
        }
        let zdr = way.zdr || route.policy.zdr == Some(true);
        if way.only {
            self.policy = self.policy.or(route.policy);
            self.zdr |= zdr;
        }
        let way = Way { timeouts: route.policy.timeouts.or(way.timeouts), zdr, ..way };
        if !route.rules.is_empty() {
            if let Some((index, rule)) = route.rules.iter().enumerate().find(|(_, rule)| self.holds(&rule.when)) {
                self.tell(&format!("{name}.rules[{index}]"), &rule.then);
                return self.reach(&rule.then, way);
            }
            match route.choices.as_slice() {
                [choice] => self.tell(&format!("{name}.default"), &choice.place),
                _ => self.note(format!("{name}: no rule holds")),
            }
        }
        self.choose(route, way);
    }

    fn choose(&mut self, route: &'a Route, way: Way) {
        let way = Way { only: way.only && route.choices.len() == 1, ..way };
        let begin = self.order.len();
        let mut items = vec![];
        for choice in &route.choices {
            if choice.when.as_ref().is_some_and(|when| !self.holds(when)) {
                let name = name_of(&choice.place);
                self.skip(&name, Why::ConditionFails);
                continue;
            }
            let start = self.order.len();
            self.reach(&choice.place, way);
            let end = self.order.len();
            if route.strategy != Strategy::Priority && end > start {
                items.push(Item { weight: u64::from(choice.weight), identity: identity(&choice.place), start, end });
            }
        }
        if items.len() > 1 {
            self.arrange(route, &items, begin, way.seed);
        }
    }

    fn reach(&mut self, place: &'a Place, way: Way) {
        match place {
            Place::Route(name) => {
                if let Some(route) = self.world.demand.config.routes.get(name) {
                    self.enter(route, name, Way { seed: fold(way.seed, name), ..way });
                }
            }
            Place::Target(target) if self.candidates.len() + self.skipped.len() >= MAX_LOOKED_AT => {
                if !self.skipped.iter().any(|skipped| skipped.why == Why::TooMany) {
                    self.skip(&target.name(), Why::TooMany);
                }
            }
            Place::Target(target) => {
                let zdr = self.world.demand.keeps_nothing(target, way.zdr);
                match self.world.demand.why_not(target, zdr) {
                    Some(why) => self.skip(&target.name(), why),
                    None => {
                        self.order.push(self.candidates.len());
                        self.candidates.push(Candidate { target, timeouts: way.timeouts, reason: None, zdr });
                    }
                }
            }
        }
    }

    /// Puts the items in the strategy's order; what an item led to stays together, and its first stands for it.
    fn arrange(&mut self, route: &Route, items: &[Item], begin: usize, seed: u64) {
        let strategy = route.strategy;
        let figures: Vec<Figures> = items
            .iter()
            .map(|item| {
                let first = self.order.get(item.start).copied().unwrap_or_default();
                Figures { weight: item.weight, identity: item.identity, ..self.figures(first, strategy) }
            })
            .collect();
        let chance = Chance { seed, session: self.session(route.sticky_by.as_ref()) };
        let mut arranged = Vec::with_capacity(self.order.len() - begin);
        for (index, reason) in order(strategy, &figures, chance) {
            let Some(item) = items.get(index) else { continue };
            let Some(led_to) = self.order.get(item.start..item.end) else { continue };
            for candidate in led_to {
                arranged.push(*candidate);
                if let Some(candidate) = self.candidates.get_mut(*candidate) {
                    candidate.reason.get_or_insert(reason);
                }
            }
        }
        self.order.truncate(begin);
        self.order.append(&mut arranged);
    }

    /// Puts all that is there in another order than the routes', as the caller wants it.
    pub(super) fn sort(&mut self, strategy: Strategy) {
        let figures: Vec<Figures> = self.order.iter().map(|index| self.figures(*index, strategy)).collect();
        let chance = Chance { seed: self.world.seed, session: self.session(None) };
        let before = std::mem::take(&mut self.order);
        for (index, reason) in order(strategy, &figures, chance) {
            let Some(candidate) = before.get(index) else { continue };
            self.order.push(*candidate);
            if let Some(candidate) = self.candidates.get_mut(*candidate) {
                candidate.reason = Some(reason);
            }
        }
    }

    /// Puts those of the caller's providers first, in the order they are named.
    pub(super) fn put_first(&mut self, providers: &[String]) {
        let config = self.world.demand.config;
        let mut rest = std::mem::take(&mut self.order);
        for provider in providers {
            let candidates = &mut self.candidates;
            let order = &mut self.order;
            rest.retain(|index| {
                let named =
                    candidates.get_mut(*index).filter(|c| names(std::slice::from_ref(provider), &c.target.provider, config));
                let is_named = named.is_some();
                if let Some(candidate) = named {
                    candidate.reason = Some(Reason::Wished { place: 0 });
                    order.push(*index);
                }
                !is_named
            });
        }
        self.order.append(&mut rest);
    }

    /// What a strategy asks of a candidate, and no more than it asks.
    fn figures(&self, index: usize, strategy: Strategy) -> Figures {
        let health = self.world.health;
        let Some(Candidate { target, .. }) = self.candidates.get(index) else { return Figures::default() };
        let by_cost = matches!(strategy, Strategy::LeastCost | Strategy::Balanced);
        let by_numbers = matches!(strategy, Strategy::LeastLatency | Strategy::Balanced);
        let numbers = || health.numbers(&super::cell(&target.provider, &target.model)).copied();
        Figures {
            weight: 1,
            identity: target_identity(target),
            cost: if by_cost { self.cost(target) } else { None },
            numbers: if by_numbers { numbers() } else { None }.unwrap_or_default(),
        }
    }

    /// Of this request at a target, estimated.
    fn cost(&self, target: &Target) -> Option<Money> {
        let ask = self.world.demand.ask;
        let model = self.world.demand.config.model(&target.provider, &target.model)?;
        let price = model.price.as_ref()?;
        let input = ask.features.map_or(USUAL_INPUT, |features| features.input_tokens);
        let most = ask.facts.max_output.into_iter().chain(model.max_output).min();
        let output = most.map_or(USUAL_OUTPUT, |most| most.min(USUAL_OUTPUT));
        Some(price.input.times(input).plus(price.output.times(output)))
    }

    /// The caller's conversation, as the route tells it or else as the request does. Two keys never share one.
    fn session(&self, by: Option<&Subject>) -> Option<u64> {
        let World { demand: Demand { ask, .. }, now, .. } = self.world;
        let told = match by.map(|subject| look(ask, now, subject)) {
            Some(Datum::Text(text)) => Some(hash(&text)),
            Some(_) | None => ask.conversation(),
        };
        told.map(|conversation| mix(hash(ask.key.name) ^ conversation))
    }

    fn holds(&self, when: &Condition) -> bool {
        let World { demand, now, .. } = self.world;
        when.holds(&|subject| look(demand.ask, now, subject))
    }

    fn skip(&mut self, target: &str, why: Why) {
        self.skipped.push(Skipped { target: target.to_owned(), why });
    }

    fn tell(&mut self, rule: &str, place: &Place) {
        self.note(format!("{rule} → {}", name_of(place)));
    }

    fn note(&mut self, words: String) {
        self.rule = Some(match self.rule.take() {
            Some(before) => format!("{before}; {words}"),
            None => words,
        });
    }
}

fn name_of(place: &Place) -> String {
    match place {
        Place::Route(name) => name.clone(),
        Place::Target(target) => target.name(),
    }
}

fn identity(place: &Place) -> u64 {
    match place {
        Place::Route(name) => hash(name),
        Place::Target(target) => target_identity(target),
    }
}

fn target_identity(target: &Target) -> u64 {
    fold(hash(&target.provider), &target.model)
}
