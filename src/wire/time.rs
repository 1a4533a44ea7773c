//! Times as text, RFC 3339.

use crate::units::Millis;

const MS_PER_SECOND: u64 = 1000;

/// RFC 3339: `2026-12-31T23:59:59.5+01:00`. Fractions of a second are dropped: earlier is safer.
pub fn read(text: &str) -> Option<Millis> {
    let (date, time) = text.split_at_checked(10)?;
    let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
    let (clock, rest) = time.strip_prefix(['T', 't', ' '])?.split_at_checked(8)?;
    let [hour, minute, second] = numbers(clock, ':', [2, 2, 2])?;
    let zone = rest.strip_prefix('.').map_or(rest, |part| part.trim_start_matches(|c: char| c.is_ascii_digit()));
    let ahead_minutes = match zone {
        "Z" | "z" => 0,
        _ => {
            let [hours, minutes] = numbers(zone.get(1..)?, ':', [2, 2])?;
            let minutes = hours * 60 + minutes;
            if zone.starts_with('-') { -minutes } else { zone.starts_with('+').then_some(minutes)? }
        }
    };
    let is_time = (1..=days_in(year, month)?).contains(&day) && hour < 24 && minute < 60 && second <= 60;
    let minutes = (days_before(year, month, day) * 24 + hour) * 60 + minute - ahead_minutes;
    let seconds = u64::try_from(minutes * 60 + second).ok()?;
    is_time.then(|| Millis(seconds.saturating_mul(MS_PER_SECOND)))
}

/// Numbers of just these widths.
fn numbers<const N: usize>(text: &str, between: char, widths: [usize; N]) -> Option<[i64; N]> {
    let mut out = [0; N];
    let mut parts = text.split(between);
    for (slot, width) in out.iter_mut().zip(widths) {
        let part = parts.next().filter(|part| part.len() == width && part.bytes().all(|b| b.is_ascii_digit()))?;
        *slot = part.parse().ok()?;
    }
    parts.next().is_none().then_some(out)
}

fn days_in(year: i64, month: i64) -> Option<i64> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 => Some(if leap { 29 } else { 28 }),
        4 | 6 | 9 | 11 => Some(30),
        1..=12 => Some(31),
        _ => None,
    }
}

/// Days from 1970-01-01, by years that begin in March: https://howardhinnant.github.io/date_algorithms.html#days_from_civil
const fn days_before(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + (153 * month + 2) / 5 + day - 1 - 719_468
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn a_time_is_read_as_it_is_written() {
        for written in ["1970-01-01T00:00:00Z", "2000-02-29T23:59:59Z", "2026-11-23T17:01:03Z", "2100-03-01T00:00:00Z"] {
            assert_eq!(read(written).map(|time| time.timestamp()).as_deref(), Some(written));
        }
    }
}
