//! Limit headers: how long a provider asks to be left alone. Every form seen, none trusted beyond a day.

use crate::units::Millis;

/// No limit of any provider is longer; what says more is a clock error or an attack.
pub const MAX_WAIT_MS: u64 = 24 * 3_600_000;

const SECOND_MS: u64 = 1_000;
const MINUTE_MS: u64 = 60 * SECOND_MS;
const HOUR_MS: u64 = 60 * MINUTE_MS;
const DAY_MS: u64 = 24 * HOUR_MS;
/// Numbers from here on are no durations but times since the epoch: 2001 in seconds, 2001 in milliseconds.
const EPOCH_SECONDS: u64 = 1_000_000_000;
const EPOCH_MS: u64 = EPOCH_SECONDS * 1_000;

/// The first header of this (lower-case) name.
pub fn get<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.trim())
}

/// The wait that the headers of a refusal ask for. What is said outright wins; the larger of two, for Azure sends
/// `retry-after-ms: 0` beside `retry-after: 1`. Otherwise the limit that is exhausted and resets last.
pub fn wait_ms(headers: &[(String, String)], now: Millis) -> Option<u64> {
    let stated = [
        get(headers, "retry-after").and_then(|text| decimal(text, SECOND_MS).or_else(|| until(http_date(text)?, now))),
        get(headers, "retry-after-ms").and_then(|text| decimal(text, 1)),
        get(headers, "x-ms-retry-after-ms").and_then(|text| decimal(text, 1)),
    ];
    let stated = stated.into_iter().flatten().max();
    let wait = stated.filter(|ms| *ms > 0).or_else(|| exhausted(headers, now)).or(stated)?;
    Some(wait.min(MAX_WAIT_MS))
}

/// Of the limits with nothing left, the reset that comes last. `…-remaining-requests` and `…-requests-remaining` both
/// have their reset under the same name with the word changed.
fn exhausted(headers: &[(String, String)], now: Millis) -> Option<u64> {
    let is_empty = |value: &str| {
        let below = value.trim().strip_prefix('-');
        decimal(value, 1) == Some(0) || below.is_some_and(|value| decimal(value, 1).is_some())
    };
    headers
        .iter()
        .filter(|(name, value)| name.contains("ratelimit") && name.contains("remaining") && is_empty(value))
        .filter_map(|(name, _)| reset_ms(get(headers, &name.replacen("remaining", "reset", 1))?, now))
        .max()
}

/// A reset in any form: seconds, seconds or milliseconds since the epoch, `1m30s`, `12ms`, RFC 3339.
fn reset_ms(text: &str, now: Millis) -> Option<u64> {
    if let Some(ms) = decimal(text, SECOND_MS) {
        return match ms / SECOND_MS {
            whole if whole >= EPOCH_MS => until(Millis(whole), now),
            whole if whole >= EPOCH_SECONDS => until(Millis(ms), now),
            _ => Some(ms),
        };
    }
    duration(text).or_else(|| until(rfc3339(text)?, now))
}

fn until(time: Millis, now: Millis) -> Option<u64> {
    Some(time.since(now))
}

/// A decimal number of units, rounded up to whole milliseconds.
fn decimal(text: &str, unit_ms: u64) -> Option<u64> {
    let (whole, part) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(part) {
        return None;
    }
    let whole = whole.parse::<u64>().ok()?.saturating_mul(unit_ms);
    // Nine digits are nanoseconds; the rest cannot matter.
    let part = part.get(..9).unwrap_or(part);
    let scale = 10_u64.checked_pow(u32::try_from(part.len()).ok()?)?;
    let numerator = if part.is_empty() { 0 } else { part.parse::<u64>().ok()? };
    Some(whole.saturating_add(numerator.saturating_mul(unit_ms).div_ceil(scale)))
}

/// Go's form: `6h0m0s`, `1m0.052s`, `17.379s`, `26ms`.
pub fn duration(text: &str) -> Option<u64> {
    let mut rest = text.trim();
    let mut total = 0_u64;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let (number, from) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit() && c != '.')?);
        let (unit, after) = from.split_at(from.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(from.len()));
        let ms = match unit {
            "d" => decimal(number, DAY_MS)?,
            "h" => decimal(number, HOUR_MS)?,
            "m" => decimal(number, MINUTE_MS)?,
            "s" => decimal(number, SECOND_MS)?,
            "ms" => decimal(number, 1)?,
            "us" | "µs" => decimal(number, 1)?.div_ceil(1_000),
            "ns" => decimal(number, 1)?.div_ceil(1_000_000),
            _ => return None,
        };
        total = total.saturating_add(ms);
        rest = after;
    }
    Some(total)
}

/// RFC 3339: `2026-11-23T07:00:00Z`, with fraction and offset.
pub fn rfc3339(text: &str) -> Option<Millis> {
    let (date, time) = text.trim().split_once(['T', 't', ' '])?;
    let mut date = date.splitn(3, '-');
    let (year, month, day) = (number(date.next()?)?, number(date.next()?)?, number(date.next()?)?);
    let zone = time.find(['Z', 'z', '+', '-'])?;
    let (clock, zone) = time.split_at(zone);
    let local = days(year, month, day)?.checked_mul(DAY_MS)?.checked_add(clock_ms(clock)?)?;
    let sign = zone.chars().next()?;
    if matches!(sign, 'Z' | 'z') {
        return (zone.len() == 1).then_some(Millis(local));
    }
    let offset = clock_ms(&format!("{}:00", zone.get(1..)?))?;
    // Ahead of Greenwich means earlier there.
    if sign == '+' { local.checked_sub(offset).map(Millis) } else { Some(Millis(local.saturating_add(offset))) }
}

/// The three forms of RFC 9110 5.6.7: the day comes before the year in all of them, the month is a word.
pub fn http_date(text: &str) -> Option<Millis> {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (mut numbers, mut month, mut clock) = (vec![], None, None);
    for word in text.split([' ', ',', '-']).filter(|word| !word.is_empty()) {
        if word.contains(':') {
            clock = Some(clock_ms(word)?);
        } else if let Some(value) = number(word) {
            numbers.push(value);
        } else if month.is_none() {
            month = (1..).zip(MONTHS).find(|(_, name)| *name == word).map(|(at, _)| at);
        }
    }
    let [day, year] = numbers.as_slice() else { return None };
    // RFC 850 has two digits; none of these dates is of the last century.
    let year = if *year < 100 { year + 2000 } else { *year };
    Some(Millis(days(year, month?, *day)?.checked_mul(DAY_MS)?.checked_add(clock?)?))
}

fn number(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

/// `08:49:37.25`; a leap second is allowed.
fn clock_ms(text: &str) -> Option<u64> {
    let mut parts = text.splitn(3, ':');
    let (hours, minutes, seconds) = (number(parts.next()?)?, number(parts.next()?)?, decimal(parts.next()?, SECOND_MS)?);
    (hours < 24 && minutes < 60 && seconds <= 61 * SECOND_MS).then(|| hours * HOUR_MS + minutes * MINUTE_MS + seconds)
}

/// Days since 1970-01-01 of a Gregorian date, by whole years of leap rules.
fn days(year: u64, month: u64, day: u64) -> Option<u64> {
    // Later years would overflow nothing, but mean nothing either.
    if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    // Years begin in March, so that the leap day is the last one.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let before = year * 365 + year / 4 - year / 100 + year / 400;
    let days = before + (month * 153 + 2) / 5 + day - 1;
    // The days from year 0's March to 1970-01-01.
    days.checked_sub(719_468)
}
