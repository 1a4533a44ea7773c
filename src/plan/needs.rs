//! Whether planning needs more of a request than its outline tells.

use super::Wishes;
use crate::{
    catalog::Supports,
    config::{Condition, Place, Route, Snapshot, Strategy, Subject, Target},
    dialect::{Facts, RICH},
    wire::json::names_any,
};

/// Whether planning looks at what only the canonical request tells: a parse of the whole body, which most routes save.
///
/// One target needs none, for there is nothing to choose: what it cannot take, its provider refuses.
pub fn needs_features(facts: &Facts, wishes: &Wishes, config: &Snapshot, body: &[u8]) -> bool {
    let name = wishes.route.as_deref().unwrap_or(&facts.model);
    let route = config.routes.get(name);
    if wishes.models.is_empty() && route.map_or_else(|| !name.contains(','), is_plain) {
        return false;
    }
    let others = wishes.models.iter().map(String::as_str);
    let named: Vec<_> = std::iter::once(name).chain(others).filter_map(|name| config.resolve(name).ok()).collect();
    let mut found = Found::default();
    for resolved in &named {
        found.enter(&resolved.config, config);
    }
    let by_session = found.sticky && wishes.session.is_none() && facts.user.is_none();
    found.conditions || by_session || found.priced || wishes.by_price() || found.differs(facts, config, body)
}

/// One target, whatever is asked.
fn is_plain(route: &Route) -> bool {
    let single =
        matches!(route.choices.as_slice(), [choice] if choice.when.is_none() && matches!(choice.place, Place::Target(_)));
    route.rules.is_empty() && single
}

/// What the routes that a request may come to look at.
#[derive(Default)]
struct Found<'a> {
    conditions: bool,
    priced: bool,
    sticky: bool,
    targets: Vec<&'a Target>,
    seen: Vec<&'a str>,
}

impl<'a> Found<'a> {
    fn enter(&mut self, route: &'a Route, config: &'a Snapshot) {
        let mut open = vec![route];
        while let Some(route) = open.pop() {
            let looks = |when: &Condition| when.looks_at(Subject::is_feature);
            let (rules, choices) = (&route.rules, &route.choices);
            self.conditions |= rules.iter().any(|rule| looks(&rule.when));
            self.conditions |= choices.iter().filter_map(|choice| choice.when.as_ref()).any(looks);
            if choices.len() > 1 {
                self.priced |= matches!(route.strategy, Strategy::LeastCost | Strategy::Balanced);
                self.sticky |= route.strategy == Strategy::Sticky;
            }
            for place in route.places() {
                match place {
                    Place::Target(target) => self.targets.push(target),
                    Place::Route(name) if self.seen.contains(&name.as_str()) => {}
                    Place::Route(name) => {
                        self.seen.push(name);
                        open.extend(config.routes.get(name));
                    }
                }
            }
        }
    }

    /// Whether some of the targets may be unable to take this request.
    fn differs(&self, facts: &Facts, config: &Snapshot, body: &[u8]) -> bool {
        if self.targets.len() < 2 {
            return false;
        }
        // A token is a byte at least. Not so for what is named by its address only, which the estimate guesses at anyway.
        let most = u64::try_from(body.len()).unwrap_or(u64::MAX).saturating_add(facts.max_output.unwrap_or(0));
        let models = || self.targets.iter().filter_map(|target| config.model(&target.provider, &target.model));
        let sees_all = |s: Supports| s.vision && s.audio && s.video && s.files && s.json_schema;
        models().any(|model| model.context.is_some_and(|context| context > 0 && context < most))
            || (models().any(|model| model.supports.is_some_and(|supports| !sees_all(supports)))
                && names_any(std::str::from_utf8(body).unwrap_or_default(), &RICH))
    }
}
