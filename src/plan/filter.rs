//! What cannot serve a request at all, and why.

use super::{
    ask::Ask,
    reason::{Skipped, Why},
};
use crate::{
    catalog::{self, Feature, Supports, retention},
    config::{MaxPrice, Model, Provider, Snapshot, Target},
    dialect::{Dialect, surface::Operation},
    units::Money,
};

/// How far the estimate of a request's tokens may be above the provider's own count: what 19 in 20 requests stay within
/// (docs/tokens.md). A target is left out only if the request does not fit even so; what does not fit after all, the
/// provider refuses, and the next larger window is tried.
const ESTIMATE_SLACK_PERCENT: u64 = 40;

/// What is asked of every target, whatever route leads to it.
#[derive(Clone, Copy)]
pub(super) struct Demand<'a> {
    pub ask: Ask<'a>,
    pub config: &'a Snapshot,
    /// A schema is written into the prompt where a model cannot be held to it.
    pub schema_may_go: bool,
}

impl Demand<'_> {
    /// Whether nothing may be kept of what a target is sent: the strictest wins. `zdr` is what `settings` and the routes that
    /// lead to it say.
    pub(super) const fn keeps_nothing(&self, target: &Target, zdr: bool) -> bool {
        zdr || self.ask.wishes.zdr || target.requires.zdr
    }

    /// Why a target cannot serve; `zdr`: it may keep nothing. What nobody knows of a model it passes, but for what is
    /// required of it by name.
    pub(super) fn why_not(&self, target: &Target, zdr: bool) -> Option<Why> {
        let Self { ask, config, .. } = *self;
        let Some(provider) = config.providers.get(&target.provider) else {
            return Some(Why::NoCredential(config.off.get(&target.provider).cloned().unwrap_or_default()));
        };
        let unknown = Model::default();
        let model = config.model(&target.provider, &target.model).unwrap_or(&unknown);
        let is_ours = |list: &[String]| names(list, &provider.name, config);
        let denied = ask.key.providers.is_some_and(|list| !is_ours(list));
        denied
            .then_some(Why::NotForKey)
            .or_else(|| self.not_able(target, provider, model))
            .or_else(|| self.not_wanted(provider))
            .or_else(|| self.keeps_data(provider, model).filter(|_| zdr))
            .or_else(|| {
                let is_here = |regions: &[String]| regions.is_empty() || regions.iter().any(|region| region == ask.origin.region);
                let region = ask.origin.region;
                (!is_here(&target.regions) || !is_here(&provider.regions)).then(|| Why::Elsewhere { region: region.to_owned() })
            })
            .or_else(|| model.supports.and_then(|supports| self.lacks(supports)))
            .or_else(|| self.too_long(model))
            .or_else(|| too_dear(model, least(target.max_price, ask.wishes.max_price)))
            .or_else(|| unproven(target, model))
    }

    fn not_able(&self, target: &Target, provider: &Provider, model: &Model) -> Option<Why> {
        let ask = self.ask;
        match ask.operation {
            // Where tokens are not counted they are estimated.
            Some(operation) if operation != Operation::CountTokens && provider.offers(operation).is_none() => {
                Some(Why::NoOperation)
            }
            None if model.max_output == Some(0) || provider.dialects(&target.model).next().is_none() => Some(Why::NoText),
            Some(_) | None if ask.facts.continues.is_some() && !may_continue(ask, target, provider) => Some(Why::NotKept),
            Some(_) | None => None,
        }
    }

    fn not_wanted(&self, provider: &Provider) -> Option<Why> {
        let wishes = self.ask.wishes;
        let names = |list: &[String]| names(list, &provider.name, self.config);
        let strict = wishes.allow_fallbacks == Some(false) && !wishes.order.is_empty();
        let unwanted =
            names(&wishes.ignore) || (!wishes.only.is_empty() && !names(&wishes.only)) || (strict && !names(&wishes.order));
        unwanted.then_some(Why::Unwanted)
    }

    fn keeps_data(&self, provider: &Provider, model: &Model) -> Option<Why> {
        let by_nature = self.ask.operation.is_some_and(retention::is_kept_by_nature);
        (by_nature || !model.zdr.unwrap_or(provider.zdr)).then_some(if by_nature { Why::KeepsJobs } else { Why::KeepsData })
    }

    fn lacks(&self, supports: Supports) -> Option<Why> {
        let features = self.ask.features;
        let asks = |of: fn(&crate::features::Features) -> bool| features.is_some_and(of);
        let lacking = [
            (self.ask.facts.tools && !supports.tools, Feature::Tools),
            (!supports.vision && asks(|f| f.images), Feature::Vision),
            (!supports.audio && asks(|f| f.audio), Feature::Audio),
            (!supports.video && asks(|f| f.video), Feature::Video),
            (!supports.files && asks(|f| f.files), Feature::Files),
            (!supports.json_schema && !self.schema_may_go && asks(|f| f.json_schema), Feature::JsonSchema),
        ];
        lacking.into_iter().find(|(lacks, _)| *lacks).map(|(_, feature)| Why::Lacks(feature))
    }

    fn too_long(&self, model: &Model) -> Option<Why> {
        let context = model.context.filter(|context| *context > 0)?;
        let input = self.ask.features?.input_tokens;
        let output = self.ask.facts.max_output.unwrap_or(0);
        let output = model.max_output.map_or(output, |most| output.min(most));
        let least = (input.saturating_mul(100) / (100 + ESTIMATE_SLACK_PERCENT)).saturating_add(output);
        (least > context).then(|| Why::TooLong { tokens: input.saturating_add(output), context })
    }
}

/// Whether a caller's list names this provider, by its name here or by one of the catalog's aliases. OpenRouter's names may
/// say more after a slash (`deepinfra/turbo`).
pub(super) fn names(list: &[String], provider: &str, config: &Snapshot) -> bool {
    list.iter().any(|name| {
        let name = name.split('/').next().unwrap_or_default();
        let is_ours = || config.providers.keys().chain(config.off.keys()).any(|known| known.eq_ignore_ascii_case(name));
        let alias = || catalog::provider(&name.to_ascii_lowercase()).is_some_and(|row| row.name == provider);
        name.eq_ignore_ascii_case(provider) || (alias() && !is_ours())
    })
}

/// Only the provider that keeps a response can go on from it; where nobody knows which, any that keeps responses may be asked.
fn may_continue(ask: Ask<'_>, target: &Target, provider: &Provider) -> bool {
    provider.dialects(&target.model).any(|d| d == Dialect::OpenAiResponses)
        && ask.dialect == Dialect::OpenAiResponses
        && ask.owner.is_none_or(|owner| owner == target.provider)
}

fn least(one: MaxPrice, other: MaxPrice) -> MaxPrice {
    let least = |a: Option<Money>, b: Option<Money>| match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (one, other) => one.or(other),
    };
    MaxPrice { input: least(one.input, other.input), output: least(one.output, other.output) }
}

fn too_dear(model: &Model, ceiling: MaxPrice) -> Option<Why> {
    if ceiling == MaxPrice::default() {
        return None;
    }
    let Some(price) = &model.price else { return Some(Why::NoPrice) };
    let above = |price: Money, most: Option<Money>| most.is_some_and(|most| price > most);
    (above(price.input, ceiling.input) || above(price.output, ceiling.output)).then_some(Why::TooDear)
}

fn unproven(target: &Target, model: &Model) -> Option<Why> {
    let requires = target.requires;
    let has = |of: fn(&Supports) -> bool| model.supports.as_ref().is_some_and(of);
    let what = [
        (requires.tools && !has(|s| s.tools), "tools"),
        (requires.vision && !has(|s| s.vision), "vision"),
        (requires.json_schema && !has(|s| s.json_schema), "json_schema"),
        (requires.min_context.is_some_and(|least| model.context.is_none_or(|context| context < least)), "min_context"),
    ];
    what.into_iter().find(|(lacks, _)| *lacks).map(|(_, what)| Why::Unproven(what))
}

/// Whether a schema alone left something out: then it is better served without.
pub(super) fn only_schema_left_out(skipped: &[Skipped]) -> bool {
    skipped.iter().any(|skipped| skipped.why == Why::Lacks(Feature::JsonSchema))
}
