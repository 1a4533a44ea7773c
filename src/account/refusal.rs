//! Why a request may not go on, and what its caller is told.

use super::{period, subject::told};
use crate::{
    config::Period,
    error::{Blame, Error, Kind},
    units::{Millis, Money},
};

/// A spent budget, in OpenAI's word: its clients do not retry this one.
const QUOTA: &str = "insufficient_quota";

/// Which of a subject's rules it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    Requests,
    Tokens,
    Concurrent,
    Budget(Period),
    /// A budget, and nobody knows what the request costs.
    Unpriced,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub subject: String,
    pub what: What,
    /// The rule's own number; picodollars of a budget.
    pub limit: u64,
    /// What the request needs of it.
    pub need: u64,
    /// When to come again. `None`: the same request would be refused again.
    pub wait_ms: Option<u64>,
}

impl Refusal {
    /// In words for its caller; `now` tells when a budget begins anew.
    pub fn error(&self, now: Millis) -> Error {
        let (whose, limit, need) = (told(&self.subject), self.limit, self.need);
        let is_too_large = need > limit;
        let refused = |kind, message: String| Error::new(kind, message).with_blame(Blame::Caller);
        let mut error = match self.what {
            What::Requests => {
                refused(Kind::RateLimited, format!("Rate limit reached: {whose} has {limit} requests in any 60 seconds."))
            }
            What::Concurrent => {
                refused(Kind::RateLimited, format!("Rate limit reached: {whose} has {limit} requests under way at once."))
            }
            What::Tokens if is_too_large => refused(
                Kind::TokensLimited,
                format!(
                    "Request too large: {whose} has {limit} tokens in any 60 seconds, and this one may take {need}. Shorten the \
                     prompt, or ask for a shorter answer."
                ),
            ),
            What::Tokens => {
                refused(Kind::TokensLimited, format!("Rate limit reached: {whose} has {limit} tokens in any 60 seconds."))
            }
            What::Unpriced => {
                let text = "is under a budget, and no price is known of a model this request may go to, or it passes unread and \
                            nobody knows its cost. The operator can set one in `prices`, or say `\"unpriced\": \"allow\"` of \
                            the budget.";
                quota(format!("Not sent: {whose} {text}"))
            }
            What::Budget(per) if self.wait_ms.is_some() => {
                refused(Kind::RateLimited, format!("{} is held by requests under way.", budget(&whose, per, limit)))
            }
            What::Budget(per) => {
                let ends = period::ends(per, now).map(|end| format!(" It begins anew at {}.", end.timestamp()));
                let cost = Money(need).dollars();
                quota(format!(
                    "{} does not cover this request, which may cost up to ${cost}.{}",
                    budget(&whose, per, limit),
                    ends.unwrap_or_default()
                ))
            }
        };
        error.retry_after_ms = self.wait_ms;
        error
    }
}

fn budget(whose: &str, per: Period, limit: u64) -> String {
    let per = match per {
        Period::Day => " a day",
        Period::Week => " a week",
        Period::Month => " a month",
        Period::Total => "",
    };
    format!("The budget of {whose}, ${}{per},", Money(limit).dollars())
}

fn quota(message: String) -> Error {
    let mut error = Error::new(Kind::RateLimited, message).with_blame(Blame::Caller);
    error.code = Some(QUOTA.to_owned());
    error
}
