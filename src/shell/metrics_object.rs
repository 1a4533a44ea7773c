//! The sum of what all isolates count: one object, told by each isolate every ten seconds at most.

use std::cell::Cell;

use wasm_bindgen::{JsValue, prelude::wasm_bindgen};
use worker::{
    Env, console_error,
    wasm_bindgen_futures::JsFuture,
    web_sys::{Request, Response},
};

use super::{
    bindings::{self, Object},
    clock, edge,
    head::Head,
    isolate, outward,
    serve::text,
    store,
};
use crate::{
    error::{Error, Kind},
    metrics::{self, Grain, KEPT, METRICS_PATH, MINUTE_MS, Message, Question, Report, Table},
    units::Millis,
};

/// Minutes that an isolate's last number is kept: a message that failed is told again within seconds.
const NUMBERS: u64 = 60;

#[wasm_bindgen]
pub struct MetricsObject {
    state: JsValue,
    env: Env,
    has_tables: Cell<bool>,
    /// The minute up to which all is in rows.
    rolled: Cell<u64>,
    is_armed: Cell<bool>,
}

#[wasm_bindgen(wasm_bindgen_futures = worker::wasm_bindgen_futures)]
impl MetricsObject {
    #[wasm_bindgen(constructor)]
    pub fn new(state: JsValue, env: Env) -> Self {
        Self { state, env, has_tables: Cell::new(false), rolled: Cell::new(0), is_armed: Cell::new(false) }
    }

    pub async fn fetch(&self, request: Request) -> Result<Response, JsValue> {
        self.open()?;
        if request.method() == "POST" {
            let message = JsFuture::from(request.text()?).await?.as_string().unwrap_or_default();
            self.hear(&message)?;
            if !self.is_armed.replace(true) {
                // Then the minute is over.
                bindings::wake_within(&self.state, MINUTE).await?;
            }
            return Ok(text(200, "text/plain", ""));
        }
        Ok(text(200, "text/plain", &self.rows(&request.url())?))
    }

    pub async fn alarm(&self) -> Result<(), JsValue> {
        self.open()?;
        self.is_armed.set(false);
        self.roll_up()?;
        self.export().await?;
        if !self.run("SELECT 1 FROM told WHERE text <> '' LIMIT 1", &[])?.is_empty() {
            self.is_armed.set(true);
            bindings::wake_within(&self.state, MINUTE).await?;
        }
        Ok(())
    }
}

pub const VERSION: &str = env!("CARGO_PKG_VERSION");
const MINUTE: f64 = 60_000.0;

impl MetricsObject {
    fn run(&self, statement: &str, values: &[JsValue]) -> Result<String, JsValue> {
        bindings::sql(&self.state, statement, values)
    }

    fn open(&self) -> Result<(), JsValue> {
        if self.has_tables.replace(true) {
            return Ok(());
        }
        self.run(
            "CREATE TABLE IF NOT EXISTS told \
             (isolate TEXT PRIMARY KEY, number INTEGER NOT NULL, minute INTEGER NOT NULL, text TEXT NOT NULL) WITHOUT ROWID",
            &[],
        )?;
        self.run(
            "CREATE TABLE IF NOT EXISTS rows \
             (grain INTEGER, minute INTEGER, text TEXT NOT NULL, PRIMARY KEY (grain, minute)) WITHOUT ROWID",
            &[],
        )?;
        // When counting began.
        self.run(
            "INSERT INTO rows SELECT -1, ?, '' WHERE NOT EXISTS (SELECT 1 FROM rows WHERE grain = -1)",
            &[number(metrics::minute(clock::now()))],
        )?;
        Ok(())
    }

    /// Takes in what an isolate tells, once: one row, whatever it counted.
    fn hear(&self, message: &str) -> Result<(), JsValue> {
        let message = Message::read(message).ok_or("not a message of this version")?;
        self.roll_up()?;
        self.run(
            "INSERT INTO told VALUES (?, ?, ?, ?) ON CONFLICT (isolate) DO UPDATE SET number = excluded.number, \
             minute = excluded.minute, text = told.text || excluded.text WHERE excluded.number > told.number",
            &[message.isolate.into(), number(message.number), number(metrics::minute(clock::now())), message.table.into()],
        )?;
        Ok(())
    }

    /// Adds what was told in minutes that are over to the rows they belong to.
    fn roll_up(&self) -> Result<(), JsValue> {
        let now = clock::now();
        let minute = metrics::minute(now);
        if self.rolled.replace(minute) == minute {
            return Ok(());
        }
        let waiting = self.run(&format!("{WAITING} AND minute < ?"), &[number(minute)])?;
        bindings::stored_together(&self.state, || {
            for (told_at, table) in &metrics::rolled_up(&waiting) {
                for grain in KEPT {
                    self.add(grain, *told_at, table, minute)?;
                }
            }
            self.run("UPDATE told SET text = '' WHERE text <> '' AND minute < ?", &[number(minute)])?;
            self.run("DELETE FROM told WHERE minute < ?", &[number(minute.saturating_sub(NUMBERS))])
        })?;
        Ok(())
    }

    fn add(&self, grain: Grain, at: u64, table: &Table, now: u64) -> Result<(), JsValue> {
        let place = [number(grain.minutes), number(grain.begin(at))];
        let mut sum = Table::default();
        sum.read(&self.run("SELECT text FROM rows WHERE grain = ? AND minute = ?", &place)?);
        if grain.minutes == 0 {
            sum.forget_idle(clock::now());
        }
        sum.merge(table);
        let [grain_value, begin] = place;
        self.run("INSERT OR REPLACE INTO rows VALUES (?, ?, ?)", &[grain_value.clone(), begin, sum.write().into()])?;
        let oldest = number(now.saturating_sub(grain.kept));
        self.run("DELETE FROM rows WHERE grain = ? AND grain > 0 AND minute < ?", &[grain_value, oldest])?;
        Ok(())
    }

    /// Tells the operator's collector the sums of all minutes that are over, where there is one.
    async fn export(&self) -> Result<(), JsValue> {
        let now = clock::now();
        let settings = store::config(&self.env, now).await.snapshot.settings.clone();
        let Some(otlp) = settings.otlp.filter(|otlp| otlp.metrics) else { return Ok(()) };
        let mut sum = Table::default();
        sum.read(&self.run("SELECT text FROM rows WHERE grain = 0", &[])?);
        let since = self.run("SELECT minute FROM rows WHERE grain = -1", &[])?.parse().unwrap_or(0_u64);
        let body = metrics::export(&sum, Millis(since * MINUTE_MS), now, VERSION);
        match outward::collect(&otlp, METRICS_PATH, &body).await {
            Ok(rejected) => outward::complain("data points", rejected, "the collector of `otlp` took the rest"),
            // The next one tells all of it again.
            Err((why, _)) => console_error!("metrics did not reach the collector of `otlp`: {why}"),
        }
        Ok(())
    }

    /// The rows that a path asks for, `…/grain/from/to`, and what waits to be among them.
    fn rows(&self, url: &str) -> Result<String, JsValue> {
        let mut numbers = url.rsplit('/').map(|number| number.parse().unwrap_or(0_u64));
        let (to, from, grain) = (numbers.next(), numbers.next(), numbers.next());
        let span = [from, to].map(|minute| number(minute.unwrap_or(0)));
        let [begin, end] = &span;
        let kept = "SELECT '@' || minute || char(10) || text FROM rows WHERE minute >= ? AND minute < ? AND grain = ?";
        let kept = self.run(kept, &[begin.clone(), end.clone(), number(grain.unwrap_or(0))])?;
        let waiting = self.run(&format!("{WAITING} AND minute >= ? AND minute < ?"), &span)?;
        Ok(format!("{kept}{waiting}"))
    }
}

const WAITING: &str = "SELECT '@' || minute || char(10) || text FROM told WHERE text <> ''";

/// Minutes and numbers of calls are far from where floating point is not exact.
fn number(number: u64) -> JsValue {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX)).into()
}

const METRICS: Object<'static> = Object { binding: "METRICS", name: "default", hint: "" };

/// After a request: tells what is due, at the latest some seconds later.
pub async fn flush(env: &Env) {
    let Some(pause) = isolate::with(|i| i.metrics.borrow_mut().promise(clock::now())) else { return };
    edge::pause(pause).await;
    let Some((number, table)) = isolate::with(|i| i.metrics.borrow_mut().begin(clock::now())) else { return };
    let message = isolate::with(|i| Message::write(i.name.get_or_init(edge::random_id), number, &table));
    let told = METRICS.ask(env, "tell", &message).await;
    isolate::with(|i| match &told {
        Ok(_) => i.metrics.borrow_mut().acknowledged(number),
        Err(_) => i.metrics.borrow_mut().failed(number),
    });
    if let Err(error) = told {
        console_error!("metrics could not be told: {error}");
    }
}

/// The sum of all that was ever told.
pub async fn total(env: &Env) -> Result<Table, Error> {
    let rows = METRICS.ask(env, "rows/0/0/4000000000", "").await.map_err(|error| Error::new(Kind::Internal, error))?;
    Ok(metrics::sum_of(&rows))
}

/// The admin call.
pub async fn report(env: &Env, head: &Head) -> Result<String, Error> {
    let question = Question::read(&head.query, head.started)?;
    let pages = question.pages();
    let mut report = Report::new(question);
    for page in pages {
        let rows = METRICS.ask(env, &page, "").await.map_err(|error| Error::new(Kind::Internal, error))?;
        report.add(&rows);
    }
    Ok(report.written())
}
