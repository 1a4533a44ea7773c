//! What a webhook is told of a budget.

use super::{Alert, period};
use crate::{
    units::Millis,
    wire::{
        compose::json,
        digest::{hex, sha256},
        json::json_text,
    },
};

impl Alert {
    /// The id of the event, the same whenever it is told, and a Standard Webhooks payload.
    pub fn notice(&self, tenant: &str, now: Millis) -> (String, String) {
        let Self { subject, budget, from, percent, spent } = self;
        let named = format!("{tenant}\n{subject}\n{}\n{}\n{}\n{percent}", budget.per.name(), from.0, budget.limit.0);
        let digest = hex(&sha256([named.as_bytes()]));
        let id = format!("budget_{}", digest.get(..32).unwrap_or_default());
        let mut data = json!({
            "tenant": tenant,
            "subject": subject.as_str(),
            "percent": *percent,
            "spent_usd": spent.dollars(),
            "budget_usd": budget.limit.dollars(),
            "per": budget.per.name(),
            "soft": budget.soft,
            "from": from.timestamp(),
        });
        if let (Some(data), Some(ends)) = (data.as_object_mut(), period::ends(budget.per, *from)) {
            data.insert("to".to_owned(), ends.timestamp().into());
        }
        let body = json_text(&json!({"type": "budget.threshold", "timestamp": now.timestamp(), "data": data}));
        (id, body)
    }
}
