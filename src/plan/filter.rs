//! What cannot serve a request at all, and why.

use super::{
    ask::Ask,
    reason::{Skipped, Why},
};
use crate::{
    config::{Place, Policy, Provider, Route, Snapshot, Target},
    dialect::{Dialect, surface::Operation},
};

/// A target that may serve, as the routes that lead to it have it.
pub(super) struct Candidate<'a> {
    pub target: &'a Target,
    pub weight: u32,
    pub policy: Policy,
}

/// Hard filters: what cannot serve this request at all.
pub(super) fn filter<'a>(ask: Ask<'_>, route: &'a Route, config: &Snapshot, skipped: &mut Vec<Skipped>) -> Vec<Candidate<'a>> {
    let mut kept: Vec<Candidate<'a>> = vec![];
    for choice in &route.choices {
        let Place::Target(target) = &choice.place else { continue };
        let supports = config.model(&target.provider, &target.model).and_then(|m| m.supports);
        let why = if !config.providers.contains_key(&target.provider) {
            Some(Why::NoCredential(config.off.get(&target.provider).cloned().unwrap_or_default()))
        } else if ask.operation.is_some_and(|operation| !offers(operation, target, config)) {
            Some(Why::NoOperation)
        } else if ask.operation.is_none() && !writes_text(target, config) {
            Some(Why::NoText)
        } else if ask.facts.tools && supports.is_some_and(|s| !s.tools) {
            Some(Why::NoTools)
        } else if ask.facts.continues.is_some() && !may_continue(ask, target, config) {
            Some(Why::NotKept)
        } else {
            None
        };
        match why {
            Some(why) => skipped.push(Skipped { target: target.name(), why }),
            None => kept.push(Candidate { target, weight: choice.weight, policy: route.policy }),
        }
    }
    kept
}

fn writes_text(target: &Target, config: &Snapshot) -> bool {
    let answers = config.model(&target.provider, &target.model).and_then(|m| m.max_output) != Some(0);
    answers && config.providers.get(&target.provider).is_some_and(|p| p.dialects(&target.model).next().is_some())
}

/// Where tokens are not counted they are estimated.
fn offers(operation: Operation, target: &Target, config: &Snapshot) -> bool {
    let offers = |p: &Provider| p.offers(operation).is_some();
    operation == Operation::CountTokens || config.providers.get(&target.provider).is_some_and(offers)
}

/// Only the provider that keeps a response can go on from it; where nobody knows which, any that keeps responses may be asked.
fn may_continue(ask: Ask<'_>, target: &Target, config: &Snapshot) -> bool {
    let speaks = |p: &Provider| p.dialects(&target.model).any(|d| d == Dialect::OpenAiResponses);
    config.providers.get(&target.provider).is_some_and(speaks)
        && ask.dialect == Dialect::OpenAiResponses
        && ask.owner.is_none_or(|owner| owner == target.provider)
}
