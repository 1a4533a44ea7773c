//! What is common to tables of prices: whose they are, and what could not be read of them.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value};

use super::{litellm, models_dev};

/// How a table is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// One object, `provider/model` or `model` to dollars for one of each.
    LiteLlm,
    /// Providers with their models, dollars per million tokens.
    ModelsDev,
}

/// Prices by the gateway's own names, as they stand in a `prices` document.
#[derive(Debug, Default)]
pub struct Table {
    pub prices: BTreeMap<String, Map<String, Value>>,
    /// Whole entries, by reason.
    pub left_out: BTreeMap<String, Vec<String>>,
    /// Members of entries that were read, by reason.
    pub unread: BTreeMap<String, Vec<String>>,
}

impl Layout {
    /// `None`: whichever it looks like.
    pub fn named(name: &str) -> Result<Option<Self>> {
        match name {
            "litellm" => Ok(Some(Self::LiteLlm)),
            "models.dev" => Ok(Some(Self::ModelsDev)),
            "auto" => Ok(None),
            other => bail!("`{other}` is no layout: litellm, models.dev or auto"),
        }
    }
}

/// Adds what a table says. What an earlier one said of a model stays, unless that was nothing.
pub fn read(text: &str, layout: Option<Layout>, date: Option<&str>, table: &mut Table) -> Result<()> {
    let value: Value = serde_json::from_str(text).context("the table is not JSON")?;
    let mut top = value.as_object().cloned().context("the table is not a JSON object")?;
    // Copies that say what they were cut from.
    let about = top.shift_remove("x-source");
    let top = match top.get("models").or_else(|| top.get("providers")).filter(|_| about.is_some()) {
        Some(Value::Object(inner)) => inner.clone(),
        Some(_) | None => top,
    };
    let is_nested = |entry: &Value| entry.get("models").is_some_and(Value::is_object);
    let looks = if top.values().any(is_nested) { Layout::ModelsDev } else { Layout::LiteLlm };
    let name = |default: &str| {
        let of = |key: &str| about.as_ref()?.get(key)?.as_str().map(str::to_owned);
        [of("repo").unwrap_or_else(|| default.to_owned()), of("package").or_else(|| of("commit")).unwrap_or_default()].join(" ")
    };
    let mut own = Table::default();
    let source = match layout.unwrap_or(looks) {
        Layout::LiteLlm => {
            litellm::read(&top, &mut own);
            name("https://github.com/BerriAI/litellm")
        }
        Layout::ModelsDev => {
            models_dev::read(&top, &mut own);
            name("https://models.dev")
        }
    };
    for (model, mut price) in own.prices {
        price.insert("source".to_owned(), source.trim().into());
        if let Some(date) = date {
            price.insert("date".to_owned(), date.into());
        }
        // Nothing at all is also what tables say of what they do not know.
        if table.prices.get(&model).is_none_or(|known| is_free(known) && !is_free(&price)) {
            table.prices.insert(model, price);
        }
    }
    for (from, to) in [(own.left_out, &mut table.left_out), (own.unread, &mut table.unread)] {
        for (reason, names) in from {
            to.entry(reason).or_default().extend(names);
        }
    }
    Ok(())
}

fn is_free(price: &Map<String, Value>) -> bool {
    ["input", "output"].iter().all(|key| price.get(*key).and_then(Value::as_f64) == Some(0.0))
}

impl Table {
    pub fn leave_out(&mut self, reason: impl Into<String>, entry: &str) {
        self.left_out.entry(reason.into()).or_default().push(entry.to_owned());
    }

    pub fn keep_unread(&mut self, reason: impl Into<String>, entry: &str) {
        self.unread.entry(reason.into()).or_default().push(entry.to_owned());
    }
}
