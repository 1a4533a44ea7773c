//! Routes that lead to routes: without circles, not too deep, and what each comes to in all.

use std::rc::Rc;

use super::{Place, Route, Snapshot, Subject, Target, reader::Problems};
use crate::sorted::SortedMap;

/// Routes inside each other. A plan walks them on each request; who needs more has lost the thread.
pub(super) const MAX_NESTING: usize = 8;

/// Path and name of each other route that one uses.
pub(super) type Uses = Vec<(String, String)>;

/// What a route comes to, with all it may lead to.
#[derive(Clone, Copy)]
struct Sum {
    needs_features: bool,
    min_context: Option<u64>,
}

/// Settles routes that use none, then those that use only settled ones, and so on. What is left leads in a circle, or on
/// and on.
pub(super) fn nest(uses: &SortedMap<String, Uses>, snapshot: &mut Snapshot, problems: &mut Problems) {
    // In order, as those below.
    let mut open: Vec<&String> = uses.keys().collect();
    for _ in 0..=MAX_NESTING {
        let ready =
            |name: &&String| uses.get(*name).is_some_and(|used| used.iter().all(|(_, to)| open.binary_search(&to).is_err()));
        let settled: Vec<&String> = open.iter().copied().filter(ready).collect();
        for name in &settled {
            let sum = snapshot.routes.get(*name).map(|route| snapshot.sum(route));
            if let (Some(sum), Some(route)) = (sum, Rc::make_mut(&mut snapshot.routes).get_mut(*name)) {
                (route.needs_features, route.min_context) = (sum.needs_features, sum.min_context);
            }
        }
        open.retain(|name| settled.binary_search(name).is_err());
    }
    let mut told: Vec<&String> = vec![];
    for name in &open {
        if let Some(circle) = circle(name, uses).filter(|circle| circle.iter().all(|(_, at)| !told.contains(at))) {
            told.extend(circle.iter().map(|(_, at)| *at));
            let names: Vec<String> = circle.iter().map(|(_, at)| format!("`{at}`")).collect();
            let path = circle.first().map(|(path, _)| (*path).clone()).unwrap_or_default();
            problems.add(path, format!("Routes must not lead in a circle: `{name}` → {}.", names.join(" → ")));
        }
    }
    if told.is_empty() {
        // Only the first step too deep: all that lead to it are no more wrong than it is.
        let is_first =
            |name: &&&String| uses.get(**name).is_some_and(|used| used.iter().all(|(_, to)| open.binary_search(&to).is_err()));
        for name in open.iter().filter(is_first) {
            problems.add((*name).clone(), format!("Routes stand at most {MAX_NESTING} deep inside each other."));
        }
    }
}

/// The way from a route back to itself, as path and name of each step.
fn circle<'a>(start: &str, uses: &'a SortedMap<String, Uses>) -> Option<Vec<(&'a String, &'a String)>> {
    let steps = |name: &str| uses.get(name).map(|used| used.iter()).unwrap_or_default();
    let (mut seen, mut way, mut open) = (SortedMap::new(), vec![], vec![steps(start)]);
    while let Some(rest) = open.last_mut() {
        match rest.next() {
            Some((path, to)) if to == start => {
                way.push((path, to));
                return Some(way);
            }
            Some((path, to)) if seen.insert(to, ()).is_none() => {
                way.push((path, to));
                open.push(steps(to));
            }
            Some(_) => {}
            None => {
                open.pop();
                way.pop();
            }
        }
    }
    None
}

impl Snapshot {
    /// Of a route whose own routes are settled.
    fn sum(&self, route: &Route) -> Sum {
        let conditions = route.rules.iter().map(|rule| &rule.when).chain(route.choices.iter().filter_map(|c| c.when.as_ref()));
        let mut sum = Sum { needs_features: false, min_context: None };
        for condition in conditions {
            sum.needs_features |= condition.looks_at(Subject::is_feature);
        }
        for place in route.places() {
            let context = match place {
                Place::Target(target) => self.window(target),
                Place::Route(name) => {
                    let nested = self.routes.get(name);
                    sum.needs_features |= nested.is_some_and(|nested| nested.needs_features);
                    nested.and_then(|nested| nested.min_context)
                }
            };
            sum.min_context = [sum.min_context, context].into_iter().flatten().min();
        }
        sum
    }

    /// Tokens of a target's window, as far as it is known.
    pub(super) fn window(&self, target: &Target) -> Option<u64> {
        self.model(&target.provider, &target.model)?.context
    }
}
