//! A request as its tenant's ledger is told of it before it is sent, and what is owed when its client leaves.

use super::{Exchange, Task, meter::BYTES_PER_TOKEN, relay::Ended};
use crate::{
    chat::usage::Usage,
    dialect::surface::Operation,
    ledger::{Spent, cost, entry::Opening},
    units::Money,
    wire::digest::{hex, sha256},
};

/// No tokenizer cuts a whole prompt into shorter pieces; it is what a budget is held by.
const LEAST_BYTES_PER_TOKEN: u64 = 2;
/// Tokens of an answer to a request that names no limit, at a model of which none is known.
const USUAL_OUTPUT: u64 = 4_096;
/// Tokens of words in what is asked for a picture or a film: the rest of the body is pictures.
const MOST_WORDS: u64 = 1_000;
/// Of the digest of an end user's name: enough never to meet twice within a tenant.
const USER_BYTES: usize = 8;

impl Exchange {
    /// Nothing is held back for it.
    pub fn entry(&self) -> Opening {
        let call = &self.call;
        let first = self.plan.attempts.first();
        let (provider, model) = first.map(|attempt| (attempt.provider.clone(), attempt.model.clone())).unwrap_or_default();
        // What a tenant's own key is called with costs the operator nothing.
        let is_own = first.is_some_and(|attempt| attempt.own.is_some());
        let price = self.config.price(&provider, &model).filter(|_| !is_own);
        Opening {
            id: call.id.clone(),
            at: call.started,
            key: call.payer.key.clone(),
            tags: call.payer.tags.clone(),
            user: call.facts.user.as_deref().map(user).unwrap_or_default(),
            route: self.plan.route.clone(),
            provider,
            model,
            reserved: Money(0),
            prompt: price.map(|price| price.input.times(self.prompt_tokens())).unwrap_or_default(),
            tokens: 0,
            holds: vec![],
        }
    }

    /// The same for one under limits: the most it may cost is held back, and whether all of that is known.
    pub fn entry_under_limits(&self) -> (Opening, bool) {
        let mut opening = self.entry();
        let (mut worst, mut is_priced, mut most) = (Money(0), true, 0);
        for attempt in &self.plan.attempts {
            let asked = self.call.facts.max_output;
            let output = asked.into_iter().chain(attempt.max_output).min().unwrap_or(USUAL_OUTPUT);
            let input = within(self.body_bytes().div_ceil(LEAST_BYTES_PER_TOKEN), attempt.context);
            // What nobody asked for is seldom said: a minute's tokens would be gone at once.
            most = most.max(if asked.is_some() { output } else { output.min(USUAL_OUTPUT) });
            match self.config.price(&attempt.provider, &attempt.model) {
                Some(price) => worst = worst.max(cost::worst_case(price, input, output)),
                None => is_priced = false,
            }
        }
        opening.reserved = worst;
        opening.tokens = self.prompt_tokens().saturating_add(most);
        (opening, is_priced)
    }

    /// The client leaves a provider that is at work: what it was sent, and has said, is paid for. What it refused is not.
    pub(super) fn owe(&mut self) {
        if !self.is_under_way() || self.is_refused() {
            return;
        }
        let told = self.current.relay.as_mut().map(|relay| {
            drop(relay.end(Ended::Gone, &[], 0));
            relay.receipt()
        });
        let told = told.and_then(|receipt| Some((receipt.usage?, receipt.estimated)));
        let Some(attempt) = self.attempt_now() else { return };
        let (usage, estimated) = told.unwrap_or_else(|| {
            let words = self.input_tokens();
            let input = match self.call.task {
                Task::Operate(Operation::Image | Operation::Video) => words.min(MOST_WORDS),
                Task::Operate(_) | Task::Generate => within(words, attempt.context),
            };
            (Usage { input, ..Usage::default() }, true)
        });
        let own = Spent::of(usage, self.config.price(&attempt.provider, &attempt.model), estimated);
        self.after.spent = Some(self.after.spent.map_or(own, |before| before.plus(own)));
    }

    fn body_bytes(&self) -> u64 {
        u64::try_from(self.call.body.len()).unwrap_or(u64::MAX)
    }

    /// By the size of the body, for nobody has counted them: no more than the model has room for.
    fn prompt_tokens(&self) -> u64 {
        let context = self.plan.attempts.first().map_or(0, |attempt| attempt.context);
        within(self.body_bytes().div_ceil(BYTES_PER_TOKEN), context)
    }
}

/// No more than a model has room for, where that is known.
fn within(tokens: u64, context: u64) -> u64 {
    if context > 0 { tokens.min(context) } else { tokens }
}

/// An end user as ledgers name it: who reads them learns no name.
pub fn user(name: &str) -> String {
    hex(sha256([name.as_bytes()]).get(..USER_BYTES).unwrap_or_default())
}
