//! The chain of audit entries in a tenant's object.

use std::cell::{Cell, OnceCell};

use js_sys::Reflect;
use serde_json::Value;
use wasm_bindgen::JsValue;
use worker::{Env, console_error};

use crate::{
    audit::{
        self, Entry, Head, Kind, Pending, Published, Row, State, Verifier,
        report::{self, Page},
    },
    shell::{
        bindings::{self, sql},
        clock, edge, store,
    },
    units::Millis,
};

/// Rows that cross at once.
const ROWS: u64 = 1_000;
/// Rows checked in one turn: some tenths of a second, in which nothing else of the tenant is served.
const TURN_ROWS: u64 = 20_000;
/// Rows dropped in one turn.
const DROP_ROWS: u64 = 50_000;
/// A chain that grows is looked at once in this time: whether there is too much of it, or a head to publish.
const LOOK_MS: u64 = 3_600_000;
/// More is to be dropped.
const SOON_MS: u64 = 1_000;

/// Bound to an R2 bucket where there is one.
pub const BUCKET: &str = "AUDIT";
/// Names in the table `about`.
const TENANT: &str = "tenant";
const PENDING: &str = "audit_pending";

/// One tenant's chain. What it remembers is only what spares it a look.
#[derive(Default)]
pub struct Chain {
    tenant: OnceCell<String>,
    /// Something was added that the alarm is not set for.
    has_grown: Cell<bool>,
    /// Until then the alarm is set or not wanted.
    armed: Cell<Millis>,
}

impl Chain {
    /// Adds the digests of closed requests, `(id, digest)`, in the turn in which they were closed.
    pub fn append_requests(&self, state: &JsValue, closed: &[(String, String)], now: Millis) -> Result<(), JsValue> {
        let bodies = closed.iter().map(|(id, digest)| (Kind::Request, audit::request(id, digest)));
        self.append(state, bodies.collect(), now)
    }

    /// Adds entries: one statement for all of them.
    fn append(&self, state: &JsValue, new: Vec<(Kind, String)>, now: Millis) -> Result<(), JsValue> {
        if new.is_empty() {
            return Ok(());
        }
        let tenant = self.tenant(state)?;
        let entries = audit::extend(self.head(state)?, tenant, new, now);
        let rows = audit::write_rows(&entries);
        let add = "INSERT INTO audit (seq, time, kind, body, hash) \
                   SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4 FROM json_each(?)";
        sql(state, add, &[rows.into()])?;
        self.has_grown.set(true);
        Ok(())
    }

    /// Answers a question, or notes a change.
    pub fn answer(&self, state: &JsValue, path: &str, message: &str) -> Result<String, JsValue> {
        let tenant = self.tenant(state)?;
        match path {
            "note" => {
                self.append(state, vec![(Kind::Change, message.to_owned())], clock::now())?;
                Ok(String::new())
            }
            "page" | "lines" => {
                let Page { after, limit } = Page::read(message);
                let entries = self.page(state, after, limit)?;
                Ok(if path == "lines" { report::lines(&entries) } else { report::page(&entries, limit) })
            }
            "head" => Ok(report::head(tenant, self.head(state)?, &self.noted(state)?)),
            "verify" => self.verify(state, message),
            _ => Err(format!("nothing is known of audit/{path}").into()),
        }
    }

    /// Whose chain it is. An alarm may not say: then the table does.
    pub(super) fn tenant(&self, state: &JsValue) -> Result<&str, JsValue> {
        if let Some(tenant) = self.tenant.get() {
            return Ok(tenant);
        }
        sql(state, "CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, value TEXT NOT NULL)", &[])?;
        sql(
            state,
            "CREATE TABLE IF NOT EXISTS audit (seq INTEGER PRIMARY KEY, time INTEGER NOT NULL, kind TEXT NOT NULL, \
             body TEXT NOT NULL, hash TEXT NOT NULL)",
            &[],
        )?;
        sql(state, "CREATE INDEX IF NOT EXISTS audit_seldom ON audit (kind, seq) WHERE kind <> 'request'", &[])?;
        let member = |value: &JsValue, name: &str| Reflect::get(value, &name.into()).unwrap_or_default();
        let named = member(&member(state, "id"), "name").as_string();
        if let Some(name) = named {
            self.keep(state, TENANT, &name)?;
        }
        let tenant = self.kept(state, TENANT)?;
        Ok(self.tenant.get_or_init(|| tenant))
    }

    fn kept(&self, state: &JsValue, name: &str) -> Result<String, JsValue> {
        sql(state, "SELECT value FROM about WHERE name = ?", &[name.into()])
    }

    fn keep(&self, state: &JsValue, name: &str, value: &str) -> Result<(), JsValue> {
        sql(state, "INSERT OR REPLACE INTO about VALUES (?, ?)", &[name.into(), value.into()]).map(drop)
    }

    /// Rows that a condition picks.
    fn rows(&self, state: &JsValue, rest: &str, values: &[JsValue]) -> Result<Vec<Row>, JsValue> {
        let text = sql(state, &format!("SELECT json_array(seq, time, kind, body, hash) FROM audit {rest}"), values)?;
        Ok(audit::read_rows(&text))
    }

    fn row(&self, state: &JsValue, rest: &str, values: &[JsValue]) -> Result<Option<Row>, JsValue> {
        Ok(self.rows(state, rest, values)?.into_iter().next())
    }

    fn head(&self, state: &JsValue) -> Result<Head, JsValue> {
        let last = self.row(state, "ORDER BY seq DESC LIMIT 1", &[])?;
        Ok(last.map_or_else(|| Head::genesis(self.tenant.get().map_or("", String::as_str)), |row| row.head()))
    }

    /// The newest entry of a seldom kind.
    fn newest(&self, state: &JsValue, kind: Kind) -> Result<Option<Row>, JsValue> {
        self.row(state, "WHERE kind <> 'request' AND kind = ? ORDER BY seq DESC LIMIT 1", &[kind.name().into()])
    }

    /// What is noted of the last publication.
    fn noted(&self, state: &JsValue) -> Result<Value, JsValue> {
        let row = self.newest(state, Kind::Head)?;
        Ok(row.and_then(|row| serde_json::from_str(&row.body).ok()).unwrap_or_default())
    }

    fn page(&self, state: &JsValue, after: u64, limit: u64) -> Result<Vec<Entry>, JsValue> {
        let rows = self.rows(state, "WHERE seq > ? ORDER BY seq LIMIT ?", &[number(after), number(limit)])?;
        let before = match rows.first() {
            None | Some(Row { seq: 1, .. }) => None,
            Some(first) => {
                let before = self.row(state, "WHERE seq = ?", &[number(first.seq.saturating_sub(1))])?;
                // It was dropped, and the last checkpoint says what it was.
                let dropped =
                    || Ok::<_, JsValue>(self.newest(state, Kind::Checkpoint)?.and_then(|row| audit::read_checkpoint(&row.body)));
                match before {
                    Some(before) => Some(before.head()),
                    None => dropped()?,
                }
            }
        };
        Ok(audit::linked(self.tenant.get().map_or("", String::as_str), before, rows))
    }

    /// One turn of a verification, which goes on with the state that it gives.
    fn verify(&self, state: &JsValue, message: &str) -> Result<String, JsValue> {
        let tenant = self.tenant(state)?;
        let (mut come, published) = report::read_turn(message);
        if let Some(last) = come.last
            && self.row(state, "WHERE seq = ?", &[number(last.seq)])?.is_none()
        {
            // Dropped meanwhile: from the beginning, then.
            come = State::default();
        }
        let mut after = come.last.map_or(0, |last| last.seq);
        let mut verifier = Verifier::new(tenant, &published, come);
        let mut left = TURN_ROWS;
        loop {
            let entries = self.page(state, after, ROWS)?;
            let goes_on = entries.iter().all(|entry| verifier.take(entry));
            let Some(last) = entries.last().filter(|_| goes_on) else { break };
            after = last.seq;
            left = left.saturating_sub(ROWS);
            if left == 0 {
                return Ok(match verifier.pause() {
                    Ok(state) => report::turn(&state),
                    Err(_) => String::new(),
                });
            }
        }
        Ok(report::verdict(tenant, &verifier.finish(), &self.noted(state)?))
    }

    /// After a turn: wants the alarm for what was added.
    pub async fn arm(&self, state: &JsValue) -> Result<(), JsValue> {
        let now = clock::now();
        if !self.has_grown.get() || now < self.armed.get() {
            return Ok(());
        }
        self.has_grown.set(false);
        let due = self.due(state)?.unwrap_or_else(|| now.plus(LOOK_MS));
        self.wake(state, due.since(now).clamp(SOON_MS, LOOK_MS), now).await
    }

    async fn wake(&self, state: &JsValue, ms: u64, now: Millis) -> Result<(), JsValue> {
        self.armed.set(now.plus(ms));
        let ms = f64::from(u32::try_from(ms).unwrap_or(u32::MAX));
        Ok(bindings::wake_within(state, ms).await?)
    }

    /// When a head is to be published.
    fn due(&self, state: &JsValue) -> Result<Option<Millis>, JsValue> {
        let head = self.newest(state, Kind::Head)?;
        let covered = head.as_ref().and_then(|row| audit::read_head(&row.body)).map_or(0, |head| head.seq);
        let oldest =
            self.row(state, "WHERE seq > ? AND kind IN ('change', 'request') ORDER BY seq LIMIT 1", &[number(covered)])?;
        Ok(audit::due(self.tenant(state)?, oldest.map(|row| row.time), head.map(|row| row.time)))
    }

    /// The alarm's part: publishes what is due, and drops what is too much.
    pub async fn look_after(&self, state: &JsValue, env: &Env) -> Result<(), JsValue> {
        let now = clock::now();
        let armed = self.armed.replace(Millis::default());
        if now < armed {
            // Somebody else's: ours is set again.
            return self.wake(state, armed.since(now).max(SOON_MS), now).await;
        }
        self.tenant(state)?;
        let settings = store::config(env, now).await.snapshot.settings.audit.clone();
        let due = self.due(state)?;
        let mut next = due;
        if due.is_some_and(|due| due <= now) {
            let places = Places { env, webhook: settings.webhook.as_deref() };
            next = match self.publish(state, &places, now).await? {
                Told::Everywhere => self.due(state)?,
                Told::NotBefore(again) => Some(again),
                // The entries that come wake it again.
                Told::Nowhere => None,
            };
        }
        if self.drop_oldest(state, settings.max_entries, now)? {
            next = Some(now.plus(SOON_MS));
        }
        match next {
            Some(next) => self.wake(state, next.since(now).clamp(SOON_MS, LOOK_MS), now).await,
            None => {
                self.armed.set(now.plus(LOOK_MS));
                Ok(())
            }
        }
    }

    async fn publish(&self, state: &JsValue, places: &Places<'_>, now: Millis) -> Result<Told, JsValue> {
        let wanted = places.wanted();
        if wanted.is_empty() {
            return Ok(Told::Nowhere);
        }
        let tenant = self.tenant(state)?;
        // What was begun is told to the end: a receiver that was away must not miss it.
        let mut pending = match Pending::read(&self.kept(state, PENDING)?) {
            Some(pending) => pending,
            None => Pending { head: self.head(state)?, at: now, told: vec![] },
        };
        for place in &wanted {
            if pending.told.iter().any(|told| told == place) {
                continue;
            }
            self.keep(state, PENDING, &pending.write())?;
            let published = Published { tenant, head: pending.head, now: pending.at };
            match places.tell(place, &published, now).await {
                Ok(()) => pending.told.push((*place).to_owned()),
                Err(error) => console_error!("the head of the audit chain of {tenant} did not reach the {place}: {error}"),
            }
        }
        let is_told = wanted.iter().all(|place| pending.told.iter().any(|told| told == place));
        if !is_told {
            self.keep(state, PENDING, &pending.write())?;
            return Ok(Told::NotBefore(pending.again(now)));
        }
        let note = Published { tenant, head: pending.head, now: pending.at }.note(pending.told);
        sql(state, "DELETE FROM about WHERE name = ?", &[PENDING.into()])?;
        self.append(state, vec![(Kind::Head, note)], now)?;
        self.has_grown.set(false);
        Ok(Told::Everywhere)
    }

    /// Drops what is more than `max`, with a checkpoint that says so. True: there is more of it.
    fn drop_oldest(&self, state: &JsValue, max: u64, now: Millis) -> Result<bool, JsValue> {
        let Some(oldest) = self.row(state, "ORDER BY seq LIMIT 1", &[])? else { return Ok(false) };
        let Some(first) = audit::first_kept(oldest.seq, self.head(state)?.seq, max) else { return Ok(false) };
        let turn = first.min(oldest.seq.saturating_add(DROP_ROWS));
        let Some(before) = self.row(state, "WHERE seq = ?", &[number(turn.saturating_sub(1))])? else { return Ok(false) };
        self.append(state, vec![(Kind::Checkpoint, audit::checkpoint(turn, &before.head().hash))], now)?;
        sql(state, "DELETE FROM audit WHERE seq < ?", &[number(turn)])?;
        Ok(turn < first)
    }
}

/// What came of publishing.
enum Told {
    Everywhere,
    NotBefore(Millis),
    Nowhere,
}

/// Where heads go.
struct Places<'a> {
    env: &'a Env,
    webhook: Option<&'a str>,
}

const R2: &str = "bucket";
const WEBHOOK: &str = "webhook";

impl Places<'_> {
    fn wanted(&self) -> Vec<&'static str> {
        let has_bucket = bindings::binding(self.env, BUCKET).is_object();
        let places = [(R2, has_bucket), (WEBHOOK, self.webhook.is_some())];
        places.into_iter().filter(|(_, is_wanted)| *is_wanted).map(|(place, _)| place).collect()
    }

    async fn tell(&self, place: &str, published: &Published<'_>, now: Millis) -> Result<(), String> {
        let message = published.message();
        if place == R2 {
            let head = audit::write_head(published.head);
            return bindings::write_once(self.env, BUCKET, &published.keys().join("\n"), &message, &head).await;
        }
        let keys = store::webhook_keys(self.env, now).await?;
        bindings::deliver(self.webhook.unwrap_or_default(), &keys.headers(&published.id(), &message, now), &message).await
    }
}

fn number(value: u64) -> JsValue {
    JsValue::from_f64(edge::number(value))
}
