//! A request as its tenant's ledger is told of it before it is sent.

use super::Exchange;
use crate::{
    ledger::entry::Opening,
    units::Money,
    wire::digest::{hex, sha256},
};

/// Bytes of English text in a token.
const BYTES_PER_TOKEN: u64 = 4;
/// Of the digest of an end user's name: enough never to meet twice within a tenant.
const USER_BYTES: usize = 8;

impl Exchange {
    /// Nothing is held back for it.
    pub fn entry(&self) -> Opening {
        let call = &self.call;
        let first = self.plan.attempts.first();
        let (provider, model) = first.map(|attempt| (attempt.provider.clone(), attempt.model.clone())).unwrap_or_default();
        let price = self.config.price(&provider, &model);
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

    /// By the size of the body, for nobody has counted them: no more than the model has room for.
    fn prompt_tokens(&self) -> u64 {
        let tokens = u64::try_from(self.call.body.len()).unwrap_or(u64::MAX).div_ceil(BYTES_PER_TOKEN);
        let room = self.plan.attempts.first().map(|attempt| attempt.context).filter(|context| *context > 0);
        tokens.min(room.unwrap_or(u64::MAX))
    }
}

/// An end user as ledgers name it: who reads them learns no name.
pub fn user(name: &str) -> String {
    hex(sha256([name.as_bytes()]).get(..USER_BYTES).unwrap_or_default())
}
