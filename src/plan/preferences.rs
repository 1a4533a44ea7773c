//! OpenRouter's `provider` object: https://openrouter.ai/docs/features/provider-routing

use serde_json::{Number, Value};

use super::wishes::{PROVIDER, Sort, Wishes, strings};
use crate::{
    config::read_amount,
    error::Error,
    units::Money,
    wire::fields::{Fields, must_be},
};

/// Reads it into `wishes`; what of it is not known here is named in `wishes.ignored`.
pub(super) fn read(value: Value, wishes: &mut Wishes) -> Result<(), Error> {
    let mut fields = Fields::read(value, PROVIDER)?;
    wishes.order = names(&mut fields, "order")?;
    wishes.only = names(&mut fields, "only")?;
    wishes.ignore = names(&mut fields, "ignore")?;
    wishes.allow_fallbacks = fields.take_bool("allow_fallbacks")?;
    wishes.require_parameters = fields.take_bool("require_parameters")?.unwrap_or_default();
    wishes.zdr |= fields.take_bool("zdr")?.unwrap_or_default();
    let path = fields.path_of("data_collection");
    match fields.take_str("data_collection")?.as_deref() {
        None | Some("allow") => {}
        Some("deny") => wishes.zdr = true,
        Some(_) => return Err(must_be(&path, "`allow` or `deny`")),
    }
    wishes.sort = sort(&mut fields)?;
    if let Some(mut ceiling) = fields.take_fields("max_price")? {
        wishes.max_price.input = dollars(&mut ceiling, "prompt")?;
        wishes.max_price.output = dollars(&mut ceiling, "completion")?;
        ceiling.leave(&mut wishes.ignored);
    }
    fields.leave(&mut wishes.ignored);
    Ok(())
}

fn names(fields: &mut Fields, key: &str) -> Result<Vec<String>, Error> {
    let path = fields.path_of(key);
    let Some(value) = fields.take(key) else { return Ok(vec![]) };
    strings(&value).ok_or_else(|| must_be(&path, "an array of at most 100 names of providers"))
}

/// A word, or an object with it in `by`.
fn sort(fields: &mut Fields) -> Result<Option<Sort>, Error> {
    let path = fields.path_of("sort");
    let Some(value) = fields.take("sort") else { return Ok(None) };
    let word = value.as_str().or_else(|| value.get("by").and_then(Value::as_str));
    match word {
        Some("price") => Ok(Some(Sort::Price)),
        Some("latency") => Ok(Some(Sort::Latency)),
        Some("throughput") => Ok(Some(Sort::Throughput)),
        Some(_) | None => Err(must_be(&path, "`price`, `latency` or `throughput`")),
    }
}

/// Dollars per million tokens, a number or its text.
fn dollars(fields: &mut Fields, key: &str) -> Result<Option<Money>, Error> {
    let path = fields.path_of(key);
    let Some(value) = fields.take(key) else { return Ok(None) };
    let number = match &value {
        Value::Number(number) => Some(number.clone()),
        Value::String(text) => text.trim().parse::<Number>().ok(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    };
    let amount = number.and_then(|number| read_amount(&number));
    amount.map(Some).ok_or_else(|| must_be(&path, "dollars per million tokens, with at most six decimals"))
}
