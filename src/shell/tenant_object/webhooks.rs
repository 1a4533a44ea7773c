//! What the operator's webhook is still to be told: kept until it was, or until it is given up.

use serde::Deserialize;
use wasm_bindgen::JsValue;
use worker::console_error;

use super::{TenantObject, ledger::time};
use crate::{
    account::Alert,
    shell::{bindings, clock, store},
    units::Millis,
    wire::webhook,
};

pub const TABLE: &str = "CREATE TABLE IF NOT EXISTS deliveries (id TEXT PRIMARY KEY, body TEXT NOT NULL, \
     tries INTEGER NOT NULL, due INTEGER NOT NULL) WITHOUT ROWID";

/// What is new is told so soon.
const SOON_MS: f64 = 100.0;
/// Events of one alarm; the rest are at the next.
const MAX_SENT: u32 = 50;

#[derive(Deserialize)]
struct Row {
    id: String,
    body: String,
    tries: usize,
}

impl TenantObject {
    /// Keeps events in the turn in which they came to be. The same one twice is one.
    pub(super) fn announce(&self, alerts: &[Alert], now: Millis) -> Result<(), JsValue> {
        if alerts.is_empty() {
            return Ok(());
        }
        let tenant = self.chain.tenant(&self.state)?;
        for alert in alerts {
            let (id, body) = alert.notice(tenant, now);
            let due = time(now);
            self.run("INSERT OR IGNORE INTO deliveries VALUES (?, ?, 0, ?)", &[id.into(), body.into(), due])?;
        }
        bindings::arm(&self.state, SOON_MS);
        Ok(())
    }

    /// Sends what is due, and wants the alarm for what is left.
    pub(super) async fn deliver(&self) -> Result<(), JsValue> {
        let now = clock::now();
        let due = "SELECT json_object('id', id, 'body', body, 'tries', tries) FROM deliveries WHERE due <= ? LIMIT ?";
        let rows = self.run(due, &[time(now), MAX_SENT.into()])?;
        let rows: Vec<Row> = serde_json::from_str(&format!("[{rows}]")).map_err(|error| error.to_string())?;
        if !rows.is_empty() {
            let webhook = store::config(&self.env, now).await.snapshot.settings.budgets_webhook.clone();
            for row in rows {
                self.send(webhook.as_deref(), &row).await?;
            }
        }
        let left = self.run("SELECT min(due) FROM deliveries", &[])?;
        let Ok(next) = left.parse::<u64>() else { return Ok(()) };
        let ms = u32::try_from(Millis(next).since(clock::now())).unwrap_or(u32::MAX);
        Ok(bindings::wake_within(&self.state, f64::from(ms).max(SOON_MS)).await?)
    }

    async fn send(&self, webhook: Option<&str>, row: &Row) -> Result<(), JsValue> {
        let Row { id, body, tries } = row;
        let now = clock::now();
        let failed = match webhook {
            // Nobody wants to know.
            None => return self.forget(id),
            Some(url) => self.call(url, id, body, now).await,
        };
        let Err(error) = failed else { return self.forget(id) };
        match webhook::again_after(*tries) {
            Some(ms) => {
                console_error!("the webhook was not told of {id}, and will be again: {error}");
                let again = "UPDATE deliveries SET tries = tries + 1, due = ? WHERE id = ?";
                self.run(again, &[time(now.plus(ms)), id.into()]).map(drop)
            }
            None => {
                console_error!("the webhook was not told of {id}, and will not be any more: {error}");
                self.forget(id)
            }
        }
    }

    async fn call(&self, url: &str, id: &str, body: &str, now: Millis) -> Result<(), String> {
        let keys = store::webhook_keys(&self.env, now).await?;
        bindings::deliver(url, &keys.headers(id, body, now), body).await
    }

    fn forget(&self, id: &str) -> Result<(), JsValue> {
        self.run("DELETE FROM deliveries WHERE id = ?", &[id.into()]).map(drop)
    }
}
