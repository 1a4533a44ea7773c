//! Health in words: what an operator types, an explanation shows and a record keeps of a cell.

use serde_json::{Map, Value};

use super::{
    health::{Numbers, Standing, View},
    operator::{Action, Mark, Marks},
};
use crate::{
    error::Error,
    units::Millis,
    wire::{
        compose::Members,
        fields::{Fields, must_be, unknown},
    },
};

/// Cells in one such list: more than a plan ever looks at.
const MAX_LISTED: usize = 256;
/// What a request that names no share gets.
const USUAL_PERCENT: u64 = 50;
/// How long what is shut stays so, when nobody says.
const USUAL_SHUT_MS: u64 = 10_000;
const WORDS: &str = "one of up, degraded, ramping, probe, open, cooling, drained, shut";

/// The member that holds the operator's word on a target, instead of what was learned of it.
const OPERATOR: &str = "operator";

/// The operator's words, and the cells for which `is` is true: standings that are not plainly up, and numbers where they are wanted.
pub(super) fn write(view: &View, is: impl Fn(&str) -> bool, with_numbers: bool) -> Map<String, Value> {
    let mut out = Map::new();
    for (cell, standing) in view.cells().filter(|(cell, _)| is(cell)).take(MAX_LISTED) {
        let mut words = Map::new();
        put_standing(&mut words, standing);
        out.insert(cell.to_owned(), Value::Object(words));
    }
    for (target, mark) in view.marks.by_target.iter().filter(|(_, mark)| mark.action != Action::Reset).take(MAX_LISTED) {
        let mut words = Map::new();
        words.put(OPERATOR, mark.action.name());
        words.put("until", mark.until.0);
        out.insert(target.clone(), Value::Object(words));
    }
    for (cell, numbers) in view.numbers.iter().filter(|(cell, _)| with_numbers && is(cell)).take(MAX_LISTED) {
        let words = out.entry(cell.clone()).or_insert_with(|| Value::Object(Map::new()));
        if let Value::Object(words) = words {
            put_numbers(words, numbers);
        }
    }
    out
}

fn put_standing(words: &mut Map<String, Value>, standing: Standing) {
    words.put("standing", standing.name());
    match standing {
        Standing::Up | Standing::Probe | Standing::Drained => {}
        Standing::Degraded { percent } | Standing::Ramping { percent } => words.put("percent", percent),
        Standing::Open { until } | Standing::Cooling { until } | Standing::Shut { until } => words.put("until", until.0),
    }
}

fn put_numbers(words: &mut Map<String, Value>, numbers: &Numbers) {
    let Numbers { p50_ms, p95_ms, samples, failed_permille } = *numbers;
    for (key, number) in
        [("p50_ms", p50_ms), ("p95_ms", p95_ms), ("samples", samples), ("failed_permille", u64::from(failed_permille))]
    {
        if number > 0 {
            words.put(key, number);
        }
    }
}

/// The same list back: `{"openai/gpt-5.4": "open", "openai#0": {"standing": "cooling", "for_ms": 5000}}`.
pub fn read(list: Map<String, Value>, path: &str, now: Millis) -> Result<View, Error> {
    if list.len() > MAX_LISTED {
        return Err(Error::invalid(path, format!("`{path}` may list at most {MAX_LISTED} cells.")));
    }
    let (mut standings, mut numbers, mut marks) = (vec![], vec![], Marks::default());
    for (cell, words) in list {
        let is_word = words.get(OPERATOR).is_some();
        if !is_word && !cell.contains(['/', '#', '@']) {
            let message = format!("`{cell}` names no cell: write `provider/model`, or `provider#0` for a first credential.");
            return Err(Error::invalid(path, message));
        }
        let at = format!("{path}.{cell}");
        let words = if words.is_string() { Value::Object(Map::from_iter([("standing".to_owned(), words)])) } else { words };
        let mut fields = Fields::read(words, at)?;
        if let Some(action) = fields.take_str(OPERATOR)? {
            let known = Action::ALL.into_iter().find(|known| known.name() == action);
            let action = known.ok_or_else(|| must_be(&fields.path_of(OPERATOR), "drain, force_open or force_close"))?;
            let until = Millis(fields.take_u64("until")?.unwrap_or(u64::MAX));
            marks.by_target.insert(cell, Mark { action, until, reset: Millis(0) });
            nothing_left(fields)?;
            continue;
        }
        standings.push((cell.clone(), read_standing(&mut fields, now)?));
        numbers.extend(read_numbers(&mut fields)?.map(|numbers| (cell, numbers)));
        nothing_left(fields)?;
    }
    Ok(View { marks, ..View::of(standings).with_numbers(numbers) })
}

fn read_standing(fields: &mut Fields, now: Millis) -> Result<Standing, Error> {
    let path = fields.path_of("standing");
    let word = fields.take_str("standing")?.unwrap_or_else(|| Standing::Up.name().to_owned());
    let (percent, until, for_ms) = (fields.take_u64("percent")?, fields.take_u64("until")?, fields.take_u64("for_ms")?);
    let share = percent.unwrap_or(USUAL_PERCENT);
    let percent = u8::try_from(share).ok().filter(|percent| *percent <= 100);
    let percent = percent.ok_or_else(|| must_be(&fields.path_of("percent"), "a number from 0 to 100"))?;
    let until = until.map_or_else(|| now.plus(for_ms.unwrap_or(USUAL_SHUT_MS)), Millis);
    [
        Standing::Up,
        Standing::Degraded { percent },
        Standing::Ramping { percent },
        Standing::Probe,
        Standing::Open { until },
        Standing::Cooling { until },
        Standing::Drained,
        Standing::Shut { until },
    ]
    .into_iter()
    .find(|standing| standing.name() == word)
    .ok_or_else(|| must_be(&path, WORDS))
}

fn read_numbers(fields: &mut Fields) -> Result<Option<Numbers>, Error> {
    let failed = fields.take_u64("failed_permille")?.unwrap_or_default();
    let failed_permille = u16::try_from(failed).ok().filter(|failed| *failed <= 1000);
    let numbers = Numbers {
        p50_ms: fields.take_u64("p50_ms")?.unwrap_or_default(),
        p95_ms: fields.take_u64("p95_ms")?.unwrap_or_default(),
        samples: fields.take_u64("samples")?.unwrap_or_default(),
        failed_permille: failed_permille.ok_or_else(|| must_be(&fields.path_of("failed_permille"), "a number from 0 to 1000"))?,
    };
    Ok((numbers != Numbers::default()).then_some(numbers))
}

/// What nobody took was a slip of the pen, and would have meant something.
pub fn nothing_left(fields: Fields) -> Result<(), Error> {
    let mut left = vec![];
    fields.leave(&mut left);
    left.first().map_or(Ok(()), |path| Err(unknown(path)))
}
