//! Prices as operators write them, US dollars per million tokens, and as they are kept: picodollars a token.

use std::rc::Rc;

use serde_json::{Map, Number, Value};

use super::{
    MaxPrice, Snapshot,
    reader::{Problems, Reader},
};
use crate::{
    catalog::{Price, Told},
    units::Money,
};

/// A dollar per million tokens is 10^6 picodollars a token.
const DECIMALS: i64 = 6;
/// Dollars per million tokens; the dearest models ask hundreds.
const MAX_DOLLARS: u64 = 100_000;
/// A dollar is 10^12 picodollars.
const DOLLAR_DECIMALS: i64 = 12;
/// Picodollars of a budget: a million dollars; sums of them stay below what SQLite's integers hold.
const MAX_SUM: u64 = 1_000_000_000_000_000_000;

/// The members of a price. What cached tokens cost is the input's price where nothing is said.
pub(super) fn read_price(reader: &mut Reader<'_>) -> Option<Price> {
    let (input, output) = (member(reader, "input"), member(reader, "output"));
    let (cache_read, cache_write) = (member(reader, "cache_read"), member(reader, "cache_write"));
    let (Some(input), Some(output)) = (input, output) else {
        let path = reader.path().to_owned();
        reader.problems.add(path.clone(), format!("`{path}` needs `input` and `output`, dollars per million tokens."));
        return None;
    };
    Some(Price::told(input, output, (cache_read, cache_write), Told { source: "configuration".to_owned(), ..Told::default() }))
}

/// What a target may cost at most.
pub(super) fn read_max_price(reader: &mut Reader<'_>) -> MaxPrice {
    let found_before = reader.problems.list.len();
    let max = MaxPrice { input: member(reader, "input"), output: member(reader, "output") };
    if max == MaxPrice::default() && reader.problems.list.len() == found_before {
        let path = reader.path().to_owned();
        reader.problems.add(path.clone(), format!("`{path}` needs `input` or `output`, dollars per million tokens."));
    }
    max
}

/// Dollars, not per million tokens: sums of money.
pub(super) fn read_dollars(reader: &mut Reader<'_>, key: &'static str) -> Option<Money> {
    let number = reader.number(key)?;
    let amount = decimal(&number, DOLLAR_DECIMALS).filter(|amount| *amount <= MAX_SUM);
    if amount.is_none() {
        let range = format!("0 to {}, with at most twelve decimals", MAX_SUM / 10_u64.pow(12));
        reader.problem(key, format!("`{number}` must be dollars: {range}."));
    }
    amount.map(Money)
}

fn member(reader: &mut Reader<'_>, key: &'static str) -> Option<Money> {
    let number = reader.number(key)?;
    let amount = read_amount(&number);
    if amount.is_none() {
        let range = format!("0 to {MAX_DOLLARS}, with at most six decimals");
        reader.problem(key, format!("`{number}` must be dollars per million tokens: {range}."));
    }
    amount
}

/// Exactly, from the number's decimal text: no sum of money goes through floating point.
pub fn read_amount(number: &Number) -> Option<Money> {
    decimal(number, DECIMALS).filter(|amount| *amount <= MAX_DOLLARS * 1_000_000).map(Money)
}

/// The number times ten to the power of `decimals`, if that is whole.
fn decimal(number: &Number, decimals: i64) -> Option<u64> {
    let text = number.to_string();
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((&text, "0"));
    let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let part = part.trim_end_matches('0');
    let digits: u64 = format!("{whole}{part}").parse().ok()?;
    let shift = decimals + exponent.parse::<i64>().ok()? - i64::try_from(part.len()).ok()?;
    let factor = 10_u64.checked_pow(u32::try_from(shift.unsigned_abs()).ok()?);
    match (factor, digits) {
        (_, 0) => Some(0),
        (Some(factor), digits) if shift >= 0 => digits.checked_mul(factor),
        (Some(factor), digits) if digits.is_multiple_of(factor) => Some(digits / factor),
        _ => None,
    }
}

/// `prices`: overrides by `provider/model`.
pub(super) fn read_prices(document: Map<String, Value>, snapshot: &mut Snapshot, problems: &mut Problems) {
    for (name, value) in document {
        let price = Reader::over(value, name.clone(), problems, read_price).flatten();
        match snapshot.locate(&name) {
            Err(message) => problems.add(name, message),
            Ok((provider, model)) => {
                let known = snapshot.providers.get_mut(&provider).or_else(|| snapshot.keyless.get_mut(&provider));
                let entry = known.map(|provider| Rc::make_mut(&mut provider.models).or_default(model));
                if let (Some(entry), Some(price)) = (entry, price) {
                    entry.price = Some(price);
                }
            }
        }
    }
}
