//! Prices as operators write them, money per million tokens or per unit, and as they are kept: picodollars.

use std::rc::Rc;

use serde_json::{Map, Number, Value};

use super::{
    MaxPrice, Snapshot,
    reader::{Problems, Reader},
};
use crate::{
    catalog::{Class, Price, Rate, Told},
    chat::usage::Service,
    sorted::SortedMap,
    units::{Decimal, Millis, Money},
};

/// A dollar per million tokens is 10^6 picodollars a token.
const DECIMALS: i32 = 6;
/// Dollars per million tokens; the dearest models ask hundreds.
const MAX_DOLLARS: u64 = 100_000;
/// A dollar is 10^12 picodollars.
const DOLLAR_DECIMALS: i32 = 12;
/// Picodollars of a budget: a million dollars; sums of them stay below what SQLite's integers hold.
const MAX_SUM: u64 = 1_000_000_000_000_000_000;

/// Lengths of one tier.
const MAX_LENGTHS: usize = 8;
/// The member of `prices` that is no model.
const CURRENCIES: &str = "currencies";

/// What a unit of a currency was worth, and when.
#[derive(Clone, Debug)]
pub(super) struct Currency {
    usd: Decimal,
    /// `CNY at 0.1402 USD of 2026-11-01`
    words: String,
}

/// All members of a price. `known`: currencies that the document tells for all of its prices.
pub(super) fn read_price(reader: &mut Reader<'_>, known: &SortedMap<String, Currency>) -> Option<Price> {
    let found_before = reader.problems.list.len();
    let currency = read_currency(reader, known);
    let mut rates = vec![];
    read_lengths(reader, Service::Standard, currency.as_ref(), &mut rates);
    for service in [Service::Batch, Service::Flex, Service::Priority] {
        reader.object(service.name(), |reader| read_lengths(reader, service, currency.as_ref(), &mut rates));
    }
    let source = reader.text("source").unwrap_or_else(|| "configuration".to_owned());
    if source.len() > MAX_SOURCE {
        reader.problem("source", format!("At most {MAX_SOURCE} characters."));
    }
    let date = reader.text("date").unwrap_or_default();
    check_date(reader, "date", &date);
    let is_usual = |rate: &Rate| rate.service.is_standard() && rate.above == 0;
    let is_by_unit = rates.iter().any(|rate| is_usual(rate) && rate.class.is_unit());
    let mut of = |class: Class| {
        let at = rates.iter().position(|rate| is_usual(rate) && rate.class == class)?;
        Some(rates.remove(at).amount)
    };
    let (input, output) = (of(Class::Input), of(Class::Output));
    let cached = (of(Class::CacheRead), of(Class::CacheWrite));
    let told = Told { source, date, quoted: currency.map(|currency| currency.words), rates };
    match (input, output) {
        (Some(input), Some(output)) => Some(Price::told(input, output, cached, told)),
        (None, None) if is_by_unit => Some(Price::told(Money(0), Money(0), cached, told)),
        (_, _) if reader.problems.list.len() > found_before => None,
        (_, _) => {
            let path = reader.path().to_owned();
            let units = "or a price by `request`, `search`, `image`, `second` or `character`";
            reader
                .problems
                .add(path.clone(), format!("`{path}` needs `input` and `output`, dollars per million tokens, {units}."));
            None
        }
    }
}

/// The rates of a tier, and those of its lengths.
fn read_lengths(reader: &mut Reader<'_>, service: Service, currency: Option<&Currency>, rates: &mut Vec<Rate>) {
    read_rates(reader, (service, 0), currency, rates);
    let lengths = reader.map("above").unwrap_or_default();
    let path = reader.path_of("above");
    if lengths.len() > MAX_LENGTHS {
        reader.problem("above", format!("At most {MAX_LENGTHS} lengths."));
        return;
    }
    for (length, value) in lengths {
        let path = format!("{path}.{length}");
        let above = length.parse::<u32>().ok().filter(|above| *above > 0 && above.to_string() == length);
        if above.is_none() {
            reader.problems.add(path.clone(), format!("`{length}` must be a number of tokens, such as \"200000\"."));
        }
        let above = above.unwrap_or(u32::MAX);
        Reader::over(value, path, reader.problems, |reader| read_rates(reader, (service, above), currency, rates));
    }
}

fn read_rates(reader: &mut Reader<'_>, (service, above): (Service, u32), currency: Option<&Currency>, rates: &mut Vec<Rate>) {
    for class in Class::ALL {
        if let Some(amount) = read_rate(reader, class, currency) {
            rates.push(Rate { service, above, class, amount });
        }
    }
}

/// Dollars exactly; of another currency what it is worth, to the nearest picodollar.
fn read_rate(reader: &mut Reader<'_>, class: Class, currency: Option<&Currency>) -> Option<Money> {
    let (key, decimals) = (class.name(), if class.is_by_million() { DECIMALS } else { DOLLAR_DECIMALS });
    let number = reader.number(key)?;
    let most = MAX_DOLLARS * 10_u64.pow(decimals.unsigned_abs());
    let read = Decimal::read(&number.to_string()).filter(|read| read.nearest(decimals).is_some_and(|amount| amount <= most));
    let amount = match currency {
        None => read.and_then(|read| read.whole(decimals)),
        Some(currency) => read.and_then(|read| read.times(currency.usd)?.nearest(decimals)),
    };
    if amount.is_none() {
        let money = if currency.is_none() { "dollars" } else { "money" };
        let unit = if class.is_by_million() { " per million tokens" } else { "" };
        let places = if class.is_by_million() { "six" } else { "twelve" };
        reader.problem(key, format!("`{number}` must be {money}{unit}: 0 to {MAX_DOLLARS}, with at most {places} decimals."));
    }
    amount.map(Money)
}

/// One that nobody knows the worth of is a problem, and reading goes on.
fn read_currency(reader: &mut Reader<'_>, known: &SortedMap<String, Currency>) -> Option<Currency> {
    let code = reader.text("currency");
    let own = reader.value("rate");
    let Some(code) = code.filter(|code| code != "USD") else {
        if own.is_some() {
            reader.problem("rate", "A rate goes with a `currency` that is not USD.");
        }
        return None;
    };
    let unknown = || Currency { usd: Decimal::ONE, words: String::new() };
    if !is_currency(&code) {
        reader.problem("currency", format!("`{code}` must be a currency's three letters, such as CNY."));
        return Some(unknown());
    }
    if let Some(own) = own {
        let path = reader.path_of("rate");
        let read = Reader::over(own, path, reader.problems, |reader| read_worth(&code, reader)).flatten();
        return Some(read.unwrap_or_else(unknown));
    }
    if !known.contains_key(&code) {
        let message = format!(
            "What is `{code}` worth? Add `\"rate\": {{\"usd\": …, \"date\": …}}` here, or `{code}` to `{CURRENCIES}` in `prices`."
        );
        reader.problem("currency", message);
    }
    Some(known.get(&code).cloned().unwrap_or_else(unknown))
}

fn read_worth(code: &str, reader: &mut Reader<'_>) -> Option<Currency> {
    for (key, what) in [("usd", "the dollars that one of it is worth"), ("date", "when it was worth that, as 2026-11-01")] {
        if reader.peek(key).is_none() {
            reader.need(key, what);
        }
    }
    let (number, date) = (reader.number("usd"), reader.text("date"));
    let number = number?.to_string();
    let usd = Decimal::read(&number).filter(|usd| usd.nearest(DOLLAR_DECIMALS).is_some_and(|worth| worth > 0));
    if usd.is_none() {
        reader.problem("usd", format!("`{number}` must be dollars, above 0."));
    }
    let date = date?;
    check_date(reader, "date", &date);
    Some(Currency { usd: usd?, words: format!("{code} at {number} USD of {date}") })
}

fn is_currency(code: &str) -> bool {
    code.len() == 3 && code.bytes().all(|b| b.is_ascii_uppercase())
}

/// Characters of a source: an address fits.
const MAX_SOURCE: usize = 500;

fn check_date(reader: &mut Reader<'_>, key: &str, date: &str) {
    if !date.is_empty() && Millis::of_date(date).is_none() {
        reader.problem(key, format!("`{date}` must be a date such as 2026-11-01."));
    }
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
fn decimal(number: &Number, decimals: i32) -> Option<u64> {
    Decimal::read(&number.to_string())?.whole(decimals)
}

/// `prices`: overrides by `provider/model`, and what currencies are worth.
pub(super) fn read_prices(mut document: Map<String, Value>, snapshot: &mut Snapshot, problems: &mut Problems) {
    let mut known = SortedMap::new();
    if let Some(currencies) = document.shift_remove(CURRENCIES) {
        read_currencies(currencies, &mut known, problems);
    }
    for (name, value) in document {
        let price = Reader::over(value, name.clone(), problems, |reader| read_price(reader, &known)).flatten();
        match snapshot.locate(&name) {
            Err(message) => problems.add(name, message),
            Ok((provider, model)) => {
                let known =
                    snapshot.providers.get_mut(&provider).or_else(|| Rc::make_mut(&mut snapshot.keyless).get_mut(&provider));
                let entry = known.map(|provider| Rc::make_mut(&mut provider.models).or_default(model));
                if let (Some(entry), Some(price)) = (entry, price) {
                    entry.price = Some(price);
                }
            }
        }
    }
}

fn read_currencies(document: Value, known: &mut SortedMap<String, Currency>, problems: &mut Problems) {
    let Value::Object(currencies) = document else {
        return problems.add(CURRENCIES, format!("`{CURRENCIES}` must be an object of currencies."));
    };
    for (code, value) in currencies {
        let path = format!("{CURRENCIES}.{code}");
        if !is_currency(&code) || code == "USD" {
            problems.add(path, format!("`{code}` must be the three letters of a currency other than USD."));
            continue;
        }
        let read = Reader::over(value, path, problems, |reader| read_worth(&code, reader)).flatten();
        known.extend(read.map(|currency| (code, currency)));
    }
}
