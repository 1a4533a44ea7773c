//! Health as it travels and is kept: numbers in a row.
//!
//! By hand, for what would be derived for these is a tenth of the module, and says each name a thousand times over the wire.
//! A row may end early: the rest is 0.

use std::{rc::Rc, vec::IntoIter};

use serde_json::{Map, Value};

use super::{
    breaker::{Batch, Bucket, Cell, Outage, Permit, State},
    health::{Health, Numbers, Standing, Tuning, View},
    history::History,
    latency::{Latency, Spread},
    operator::{Action, Mark, Marks},
    report::{Reply, Report, Told},
};
use crate::{sorted::SortedMap, units::Millis, wire::compose::Members};

/// Of what is written below. What another version wrote is not read: it would be misread.
const FORM: u64 = 2;
const OTHER_FORM: &str = "not in the form of this version";

fn row(numbers: impl IntoIterator<Item = u64>) -> Value {
    let mut row: Vec<u64> = vec![];
    row.extend(numbers);
    let used = row.iter().rposition(|number| *number > 0).map_or(0, |last| last + 1);
    row.truncate(used);
    Value::Array(row.into_iter().map(Value::from).collect())
}

/// What is left of a row.
struct Row(IntoIter<Value>);

impl Row {
    fn of(value: Value) -> Self {
        let Value::Array(numbers) = value else { return Self(vec![].into_iter()) };
        Self(numbers.into_iter())
    }

    fn is_over(&self) -> bool {
        self.0.len() == 0
    }

    fn u64(&mut self) -> u64 {
        self.0.next().and_then(|number| number.as_u64()).unwrap_or(0)
    }

    fn u32(&mut self) -> u32 {
        u32::try_from(self.u64()).unwrap_or(u32::MAX)
    }

    fn u16(&mut self) -> u16 {
        u16::try_from(self.u64()).unwrap_or(u16::MAX)
    }

    fn u8(&mut self) -> u8 {
        u8::try_from(self.u64()).unwrap_or(u8::MAX)
    }

    fn at(&mut self) -> Millis {
        Millis(self.u64())
    }

    fn batch(&mut self) -> Batch {
        Batch {
            good: self.u32(),
            bad: self.u32(),
            row: self.u32(),
            first_ms: self.u64(),
            timed: self.u32(),
            floor_ms: self.u64(),
        }
    }

    fn numbers(&mut self) -> Numbers {
        Numbers { p50_ms: self.u64(), p95_ms: self.u64(), samples: self.u64(), failed_permille: self.u16() }
    }

    /// The rest of it.
    fn spread(mut self) -> Spread {
        let mut spread = Spread::default();
        while !self.is_over() {
            let bucket = self.u8();
            spread.put(bucket, self.u32());
        }
        spread
    }
}

fn batch(batch: &Batch) -> [u64; 6] {
    let Batch { good, bad, row, first_ms, timed, floor_ms } = *batch;
    [good.into(), bad.into(), row.into(), first_ms, timed.into(), floor_ms]
}

fn numbers(numbers: &Numbers) -> [u64; 4] {
    [numbers.p50_ms, numbers.p95_ms, numbers.samples, numbers.failed_permille.into()]
}

fn put_spread(out: &mut Vec<u64>, spread: &Spread) {
    spread.counts.iter().for_each(|(bucket, count)| out.extend([u64::from(*bucket), u64::from(*count)]));
}

fn cell(cell: &Cell) -> Value {
    let state = match cell.state {
        State::Up => [0; 5],
        State::Open { until } => [1, until.0, 0, 0, 0],
        State::Half { since, permit, good } => {
            let (holder, expires) = permit.map_or((0, 0), |permit| (permit.holder, permit.expires.0));
            [2, since.0, good.into(), holder, expires]
        }
        State::Ramp { step, since, good } => [3, since.0, good.into(), step.into(), 0],
    };
    let Latency { quick_us, base_us, samples, at, faded, ref spread } = cell.latency;
    let mut out = vec![cell.row.into()];
    out.extend(state);
    out.extend([cell.outage.since.0, cell.outage.trips.into(), cell.cool_until.0, cell.touched.0]);
    out.extend([quick_us, base_us, samples.into(), at.0, faded.0]);
    out.extend(numbers(&cell.shown));
    out.extend([cell.shown_at.0, u64::try_from(cell.buckets.len()).unwrap_or(0)]);
    cell.buckets.iter().for_each(|bucket| out.extend([bucket.number, bucket.good.into(), bucket.bad.into()]));
    put_spread(&mut out, spread);
    row(out)
}

fn read_cell(value: Value) -> Cell {
    let mut row = Row::of(value);
    let failures = row.u32();
    let (kind, since, good, third, fourth) = (row.u64(), row.at(), row.u32(), row.u64(), row.at());
    let state = match kind {
        1 => State::Open { until: since },
        2 => {
            let permit = (fourth > Millis(0)).then_some(Permit { holder: third, expires: fourth });
            State::Half { since, permit, good }
        }
        3 => State::Ramp { step: u8::try_from(third).unwrap_or(u8::MAX), since, good },
        _ => State::Up,
    };
    let outage = Outage { since: row.at(), trips: row.u32() };
    let (cool_until, touched) = (row.at(), row.at());
    let (quick_us, base_us, samples, at, faded) = (row.u64(), row.u64(), row.u32(), row.at(), row.at());
    let (shown, shown_at, mut left) = (row.numbers(), row.at(), row.u64());
    let mut buckets = vec![];
    while left > 0 && !row.is_over() {
        buckets.push(Bucket { number: row.u64(), good: row.u32(), bad: row.u32() });
        left -= 1;
    }
    let latency = Latency { quick_us, base_us, samples, at, faded, spread: row.spread() };
    Cell { buckets, row: failures, state, outage, cool_until, latency, touched, shown, shown_at, cause: String::new() }
}

fn told(told: &Told) -> Value {
    let mut out: Vec<u64> = vec![];
    out.extend(batch(&told.batch));
    out.extend([told.cool_until.unwrap_or_default().0, told.open_until.unwrap_or_default().0, told.probing.into()]);
    out.push(told.probed.is_some().into());
    out.extend(batch(&told.probed.unwrap_or_default()));
    put_spread(&mut out, &told.times);
    row(out)
}

fn read_told(value: Value) -> Told {
    let mut row = Row::of(value);
    let batch = row.batch();
    let time = |at: Millis| (at > Millis(0)).then_some(at);
    let (cool_until, open_until) = (time(row.at()), time(row.at()));
    let (probing, is_probed, probed) = (row.u64() > 0, row.u64() > 0, row.batch());
    Told { batch, cool_until, open_until, probing, probed: is_probed.then_some(probed), times: row.spread() }
}

fn mark(mark: &Mark) -> Value {
    let action = Action::ALL.iter().position(|action| *action == mark.action);
    row([u64::try_from(action.unwrap_or(0)).unwrap_or(0), mark.until.0, mark.reset.0])
}

fn read_mark(value: Value) -> Mark {
    let mut row = Row::of(value);
    let action = usize::try_from(row.u64()).ok().and_then(|kind| Action::ALL.get(kind).copied());
    Mark { action: action.unwrap_or(Action::Reset), until: row.at(), reset: row.at() }
}

/// The usual ones need no words.
fn tuning(tuning: &Tuning) -> Value {
    if *tuning == Tuning::default() {
        return row([]);
    }
    row([
        tuning.window_ms,
        tuning.min_requests,
        tuning.open_percent,
        tuning.in_a_row.into(),
        tuning.open_ms,
        tuning.early_max_open_ms,
        tuning.early_ms,
        tuning.max_open_ms,
        tuning.jitter_percent.into(),
        tuning.probes_to_close.into(),
        tuning.ramp_ms,
        tuning.ramp_min_ms,
        tuning.ramp_successes.into(),
        tuning.degraded_percent,
        tuning.slow_factor,
        tuning.slow_floor_ms,
        tuning.lease_ms,
        tuning.probe_ms,
        tuning.held_ms,
        tuning.sync_ms,
        tuning.gap_ms,
    ])
}

fn read_tuning(value: Option<Value>) -> Tuning {
    let mut row = Row::of(value.unwrap_or_default());
    if row.is_over() {
        return Tuning::default();
    }
    Tuning {
        window_ms: row.u64(),
        min_requests: row.u64(),
        open_percent: row.u64(),
        in_a_row: row.u32(),
        open_ms: row.u64(),
        early_max_open_ms: row.u64(),
        early_ms: row.u64(),
        max_open_ms: row.u64(),
        jitter_percent: row.u8(),
        probes_to_close: row.u32(),
        ramp_ms: row.u64(),
        ramp_min_ms: row.u64(),
        ramp_successes: row.u32(),
        degraded_percent: row.u64(),
        slow_factor: row.u64(),
        slow_floor_ms: row.u64(),
        lease_ms: row.u64(),
        probe_ms: row.u64(),
        held_ms: row.u64(),
        sync_ms: row.u64(),
        gap_ms: row.u64(),
    }
}

/// Nothing is said of what there is nothing of.
fn put_rows(out: &mut Map<String, Value>, key: &str, rows: Map<String, Value>) {
    if !rows.is_empty() {
        out.put(key, rows);
    }
}

fn table<T>(rows: &SortedMap<String, T>, write: impl Fn(&T) -> Value) -> Map<String, Value> {
    let mut table = Map::new();
    for (key, item) in rows {
        table.insert(key.clone(), write(item));
    }
    table
}

fn read_table<T>(from: &mut Map<String, Value>, key: &str, read: impl Fn(Value) -> T) -> SortedMap<String, T> {
    let mut out = SortedMap::new();
    if let Some(Value::Object(rows)) = from.swap_remove(key) {
        out.extend(rows.into_iter().map(|(key, value)| (key, read(value))));
    }
    out
}

fn form() -> Map<String, Value> {
    let mut out = Map::new();
    out.put("f", FORM);
    out
}

fn read_form(value: Value) -> Result<Map<String, Value>, &'static str> {
    let Value::Object(map) = value else { return Err(OTHER_FORM) };
    if number(&map, "f") == FORM { Ok(map) } else { Err(OTHER_FORM) }
}

fn number(from: &Map<String, Value>, key: &str) -> u64 {
    from.get(key).and_then(Value::as_u64).unwrap_or(0)
}

impl From<Health> for Value {
    fn from(health: Health) -> Self {
        let mut out = form();
        out.put("t", tuning(&health.tuning));
        put_rows(&mut out, "c", table(&health.cells, cell));
        put_rows(&mut out, "m", table(&health.marks.by_target, mark));
        out.put("h", health.history.packed());
        Self::Object(out)
    }
}

impl TryFrom<Value> for Health {
    type Error = &'static str;

    fn try_from(value: Value) -> Result<Self, Self::Error> {
        let mut from = read_form(value)?;
        let (cells, by_target) = (read_table(&mut from, "c", read_cell), read_table(&mut from, "m", read_mark));
        let history = History::unpacked(from.get("h"));
        Ok(Self { tuning: read_tuning(from.swap_remove("t")), cells, marks: Marks { by_target }, history })
    }
}

fn standing(standing: &Standing) -> Value {
    let (kind, value) = standing.numbers();
    row([kind, value])
}

fn read_standing(value: Value) -> Standing {
    let mut row = Row::of(value);
    let kind = row.u64();
    Standing::of_numbers(kind, row.u64())
}

fn read_numbers(value: Value) -> Numbers {
    Row::of(value).numbers()
}

impl From<View> for Value {
    fn from(view: View) -> Self {
        let mut out = form();
        put_rows(&mut out, "c", table(&view.cells, standing));
        put_rows(&mut out, "m", table(&view.marks.by_target, mark));
        put_rows(&mut out, "n", table(&view.numbers, |of| row(numbers(of))));
        Self::Object(out)
    }
}

impl TryFrom<Value> for View {
    type Error = &'static str;

    fn try_from(value: Value) -> Result<Self, Self::Error> {
        let mut from = read_form(value)?;
        let (cells, by_target) = (read_table(&mut from, "c", read_standing), read_table(&mut from, "m", read_mark));
        let numbers = Rc::new(read_table(&mut from, "n", read_numbers));
        Ok(Self { cells, marks: Marks { by_target }, numbers })
    }
}

impl From<Report> for Value {
    fn from(report: Report) -> Self {
        let mut out = form();
        out.put("i", report.isolate);
        out.put("v", report.version);
        out.put("n", report.numbers_at.0);
        out.put("r", report.reset_at.0);
        out.put("t", tuning(&report.tuning));
        out.put("w", report.wants);
        put_rows(&mut out, "c", table(&report.cells, told));
        Self::Object(out)
    }
}

impl TryFrom<Value> for Report {
    type Error = &'static str;

    fn try_from(value: Value) -> Result<Self, Self::Error> {
        let mut from = read_form(value)?;
        let wants = from.swap_remove("w").unwrap_or_default();
        let wants = wants.as_array().into_iter().flatten().filter_map(|cell| cell.as_str().map(str::to_owned));
        Ok(Self {
            isolate: number(&from, "i"),
            version: number(&from, "v"),
            numbers_at: Millis(number(&from, "n")),
            reset_at: Millis(number(&from, "r")),
            wants: wants.collect(),
            tuning: read_tuning(from.swap_remove("t")),
            cells: read_table(&mut from, "c", read_told),
        })
    }
}

impl From<Reply> for Value {
    fn from(reply: Reply) -> Self {
        let mut out = form();
        out.put("v", reply.version);
        out.put("a", reply.numbers_at.0);
        out.put("e", reply.news);
        if let Some(view) = reply.view {
            out.put("s", Self::from(view));
        }
        put_rows(&mut out, "n", table(&reply.numbers, |of| row(numbers(of))));
        put_rows(&mut out, "p", table(&reply.permits, |until| Self::from(until.0)));
        Self::Object(out)
    }
}

impl TryFrom<Value> for Reply {
    type Error = &'static str;

    fn try_from(value: Value) -> Result<Self, Self::Error> {
        let mut from = read_form(value)?;
        Ok(Self {
            version: number(&from, "v"),
            numbers_at: Millis(number(&from, "a")),
            news: number(&from, "e"),
            view: from.swap_remove("s").map(View::try_from).transpose()?,
            numbers: read_table(&mut from, "n", read_numbers),
            permits: read_table(&mut from, "p", |until| Millis(until.as_u64().unwrap_or(0))),
        })
    }
}
