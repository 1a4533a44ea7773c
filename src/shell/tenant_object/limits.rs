//! Limits and budgets of a tenant: kept in memory, stored by subject with what the ledger stores of the same message.

use serde_json::Value;
use wasm_bindgen::JsValue;

use super::{TenantObject, ledger::json};
use crate::{
    account::{Account, Heard, Message, Told},
    ledger::{
        book::Posting,
        entry::{Closing, Entry, Opening},
    },
    units::Millis,
};

pub const TABLES: [&str; 1] = ["CREATE TABLE IF NOT EXISTS sheets (subject TEXT PRIMARY KEY, state TEXT NOT NULL) WITHOUT ROWID"];

/// Requests under way that hold some of an allowance, each with when it was last heard of.
const HOLDING: &str = "SELECT json_array(json(opening), alive) FROM open WHERE opening ->> '$.holds' IS NOT NULL";
const SHEETS: &str = "SELECT json_array(subject, state) FROM sheets WHERE subject IN (SELECT value FROM json_each(?))";
const STORE: &str = "INSERT OR REPLACE INTO sheets SELECT value ->> 0, value ->> 1 FROM json_each(?)";

impl TenantObject {
    /// What limits and budgets make of it; stored, and answered.
    pub(super) fn hear_limits(
        &self,
        posting: &Posting,
        message: Option<&Message>,
        alive: &[String],
        now: Millis,
    ) -> Result<String, JsValue> {
        let (closed, withdrawn) = (ended(&posting.closed), ended(&posting.withdrawn));
        let told = Told { message, opened: &posting.opened, closed: &closed, withdrawn: &withdrawn, alive };
        let holds = |opening: &Opening| !opening.holds.is_empty();
        let concerns = message.is_some() || posting.opened.iter().any(holds) || closed.iter().any(|(opening, _)| holds(opening));
        if !concerns && self.account.borrow().is_none() {
            return Ok("{}".to_owned());
        }
        let mut kept = self.account.borrow_mut();
        let account = match &mut *kept {
            Some(account) => account,
            None => kept.insert(self.restored()?),
        };
        let unknown = account.unknown(told);
        if !unknown.is_empty() {
            let states = self.sheets(&unknown)?;
            for subject in unknown {
                let state = states.iter().find(|pair| pair.get(0).and_then(Value::as_str) == Some(&subject));
                account.know(&subject, state.and_then(|pair| pair.get(1)?.as_str()));
            }
        }
        let Heard { reply, opened, states, alerts } = account.hear(told, now);
        self.open(&opened, now)?;
        if !states.is_empty() {
            self.run(STORE, &[json(&states)?])?;
        }
        self.announce(&alerts, now)?;
        Ok(serde_json::to_string(&reply).map_err(|error| error.to_string())?)
    }

    /// As the tables have it, at the beginning of a life.
    fn restored(&self) -> Result<Account, JsValue> {
        let mut account = Account::default();
        for row in self.rows(HOLDING, &[])? {
            let opening = row.get(0).cloned().and_then(|opening| serde_json::from_value(opening).ok());
            let heard = row.get(1).and_then(Value::as_u64).unwrap_or_default();
            if let Some(opening) = opening {
                account.restore(opening, Millis(heard));
            }
        }
        Ok(account)
    }

    fn sheets(&self, subjects: &[String]) -> Result<Vec<Value>, JsValue> {
        self.rows(SHEETS, &[json(subjects)?])
    }

    fn rows(&self, statement: &str, values: &[JsValue]) -> Result<Vec<Value>, JsValue> {
        let rows = self.run(statement, values)?;
        Ok(serde_json::from_str(&format!("[{rows}]")).map_err(|error| error.to_string())?)
    }
}

fn ended(entries: &[Entry]) -> Vec<(&Opening, &Closing)> {
    entries.iter().filter_map(|Entry { open, close }| Some((open, close.as_ref()?))).collect()
}
