//! Whether planning needs more of a request than its outline tells.

use super::Wishes;
use crate::{
    catalog::Supports,
    config::{Place, Resolved, Route, Snapshot, Strategy, Target},
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
    named.iter().any(|resolved| resolved.config.needs_features)
        || by_session
        || found.priced
        || wishes.by_price()
        || (found.targets.len() > 1 && may_be_too_long(facts, &named, body.len()))
        || found.differs(config, body)
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
    priced: bool,
    sticky: bool,
    targets: Vec<&'a Target>,
    seen: Vec<&'a str>,
}

impl<'a> Found<'a> {
    fn enter(&mut self, route: &'a Route, config: &'a Snapshot) {
        let mut open = vec![route];
        while let Some(route) = open.pop() {
            if route.choices.len() > 1 {
                self.priced |= matches!(route.strategy, Strategy::LeastCost | Strategy::Balanced);
                self.sticky |= route.strategy == Strategy::Sticky && route.sticky_by.is_none();
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

    /// Whether some of the targets are known to be unable to take what this request may have.
    fn differs(&self, config: &Snapshot, body: &[u8]) -> bool {
        let takes_all = |s: Supports| s.vision && s.audio && s.video && s.files && s.json_schema;
        let models = self.targets.iter().filter_map(|target| config.model(&target.provider, &target.model));
        let lacks = models.filter_map(|model| model.supports).any(|supports| !takes_all(supports));
        self.targets.len() > 1 && lacks && names_any(std::str::from_utf8(body).unwrap_or_default(), &RICH)
    }
}

/// Whether the smallest window may be too small. A token is a byte at least; not so for what is named by its address only,
/// but there the estimate is a guess as well.
fn may_be_too_long(facts: &Facts, named: &[Resolved<'_>], bytes: usize) -> bool {
    let most = u64::try_from(bytes).unwrap_or(u64::MAX).saturating_add(facts.max_output.unwrap_or(0));
    named.iter().filter_map(|resolved| resolved.config.min_context).any(|context| context > 0 && context < most)
}
