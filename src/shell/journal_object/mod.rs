//! Records of one tenant in SQLite: what is told by isolates is taken in, and what is asked is answered. Never content.
//!
//! A tenant's first object is its catalog, which is told and asked; the others are told and asked by it.

mod calls;

use std::cell::{Cell, RefCell};

pub use calls::{deliver, find, list, note, owner};
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};
use worker::{
    Env, console_error,
    wasm_bindgen_futures::JsFuture,
    web_sys::{Request, Response},
};

use super::{
    bindings::{self, Object},
    clock,
    serve::text,
    tenant_object,
};
use crate::journal::{self, KEEP, OLD, Policy, Question, STORE, Shard, Stored, TABLES, TEXTS};

const BINDING: &str = "JOURNAL";
/// Answers that providers keep, each with whose it is: nobody can go on with one that is forgotten. OpenAI keeps them for 30
/// days; a row has a hundred bytes.
const MAX_KEPT: u32 = 500_000;
/// Between two looks for what is old: nothing old is shown meanwhile.
const TIDY_MS: f64 = 6.0 * 3_600_000.0;

/// Of a catalog only.
const CATALOG: [&str; 4] = [
    "CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS kept (response TEXT, tenant TEXT, provider TEXT, PRIMARY KEY (response, tenant))",
    "CREATE TABLE IF NOT EXISTS shards (number INTEGER PRIMARY KEY, first INTEGER NOT NULL, last INTEGER NOT NULL, \
     bytes INTEGER NOT NULL)",
    "INSERT INTO shards SELECT 0, 0, 0, 0 WHERE NOT EXISTS (SELECT 1 FROM shards)",
];
/// Names in the table `about`.
const TENANT: &str = "tenant";
const POLICY: &str = "policy";
const LISTED: &str = "listed";

#[wasm_bindgen]
pub struct JournalObject {
    state: JsValue,
    env: Env,
    /// This life of the object has seen its tables.
    has_tables: Cell<bool>,
    /// What this object itself has.
    stored: Cell<Stored>,
    catalog: RefCell<Option<Catalog>>,
}

/// What a catalog knows in this life.
#[derive(Default)]
struct Catalog {
    tenant: String,
    shards: Vec<Shard>,
    policy: Option<Policy>,
    /// The newest place given.
    newest: u64,
    is_listed: bool,
    is_armed: bool,
}

#[wasm_bindgen(wasm_bindgen_futures = worker::wasm_bindgen_futures)]
impl JournalObject {
    #[wasm_bindgen(constructor)]
    pub fn new(state: JsValue, env: Env) -> Self {
        Self { state, env, has_tables: Cell::default(), stored: Cell::default(), catalog: RefCell::default() }
    }

    /// A message by POST or a question by GET. A catalog is told `append/{policy}`, and asked `list/{until}?{query}`, `id/{id}`
    /// and `owner/{response}`; any object `records/{place}`, `rows/{floor}/{until}/{limit}?{query}`, `one/{id}`,
    /// `old/{floor}` and `empty`.
    pub async fn fetch(&self, request: Request) -> Result<Response, JsValue> {
        let url = request.url();
        let path = url.split_once("://object/").map_or("", |(_, path)| path);
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let (what, rest) = path.split_once('/').unwrap_or((path, ""));
        let answer = match what {
            "append" => {
                // It does not enter the module: SQL reads it.
                let message = JsFuture::from(request.text()?).await?;
                self.append(rest, message).await?;
                String::new()
            }
            "records" => {
                let message = JsFuture::from(request.text()?).await?;
                self.store(rest.parse().unwrap_or_default(), &message)?.write()
            }
            "list" => self.list(rest, query).await?,
            "rows" => self.rows(rest, query)?,
            "id" => self.find(rest).await?,
            "one" => self.one(rest)?,
            "old" => {
                self.drop_old(rest.parse().unwrap_or_default())?;
                String::new()
            }
            "owner" => self.owner(rest)?,
            "empty" => {
                self.has_tables.set(false);
                bindings::empty(&self.state).await?;
                String::new()
            }
            _ => return Err(format!("nothing is known of {what}").into()),
        };
        Ok(text(200, "application/json", &answer))
    }

    /// Drops what is old.
    pub async fn alarm(&self) -> Result<(), JsValue> {
        self.know("")?;
        self.with(|catalog| catalog.is_armed = false);
        self.tidy().await?;
        self.arm().await
    }
}

/// As any object.
impl JournalObject {
    fn run(&self, statement: &str, values: &[JsValue]) -> Result<String, JsValue> {
        bindings::sql(&self.state, statement, values)
    }

    fn prepare(&self) -> Result<(), JsValue> {
        if self.has_tables.replace(true) {
            return Ok(());
        }
        TABLES.iter().try_for_each(|table| self.run(table, &[]).map(drop))?;
        let stored = self.run("SELECT count(*) || ' 0 ' || ifnull(min(seq), 0) || ' ' || ifnull(max(seq), 0) FROM facts", &[])?;
        self.stored.set(Stored::read(&stored).unwrap_or_default());
        Ok(())
    }

    /// Takes records in, from a place on or later.
    fn store(&self, place: u64, message: &JsValue) -> Result<Stored, JsValue> {
        self.prepare()?;
        let stored = self.stored.get();
        let place = place.max(stored.last.saturating_add(1));
        self.run(STORE, &[message.clone(), place.to_string().into()])?;
        self.run(TEXTS, std::slice::from_ref(message))?;
        let last = self.run("SELECT ifnull(max(seq), 0) FROM facts", &[])?.parse().unwrap_or_default();
        // An estimate where some were there already, and counted anew in the next life.
        let added = if last < place { 0 } else { last - place + 1 };
        let first = if stored.rows == 0 { place } else { stored.first };
        let stored = Stored { rows: stored.rows.saturating_add(added), bytes: bindings::size(&self.state), first, last };
        self.stored.set(stored);
        Ok(stored)
    }

    fn rows(&self, asked: &str, query: &str) -> Result<String, JsValue> {
        self.prepare()?;
        let question = Question::read(query).map_err(|error| error.message.clone())?;
        let mut numbers = asked.split('/').map(|number| number.parse::<u64>().unwrap_or_default());
        let mut next = || numbers.next().unwrap_or_default();
        let (floor, until, limit) = (next(), next(), next());
        let (statement, bound) = question.statement(floor, until, usize::try_from(limit).unwrap_or_default());
        let bound: Vec<JsValue> = bound.iter().map(|text| JsValue::from_str(text)).collect();
        self.run(&statement, &bound)
    }

    fn one(&self, id: &str) -> Result<String, JsValue> {
        self.prepare()?;
        self.run("SELECT record FROM facts JOIN texts USING (seq) WHERE id = ?", &[id.into()])
    }
}

/// As a catalog.
impl JournalObject {
    fn with<T>(&self, work: impl FnOnce(&mut Catalog) -> T) -> T {
        work(self.catalog.borrow_mut().get_or_insert_default())
    }

    /// Reads what the tables know. `tenant` is told with the first records.
    fn know(&self, tenant: &str) -> Result<(), JsValue> {
        if self.catalog.borrow().is_none() {
            CATALOG.iter().try_for_each(|table| self.run(table, &[]).map(drop))?;
            // Of the one journal that all tenants once had.
            self.run("DROP TABLE IF EXISTS requests", &[])?;
            self.prepare()?;
            let shards =
                self.run("SELECT number || ' ' || first || ' ' || last || ' ' || bytes FROM shards ORDER BY number", &[])?;
            let shards = journal::read_shards(&shards);
            let policy = Policy::read(&self.about(POLICY)?);
            let closed = shards.iter().map(|shard| shard.last).max().unwrap_or_default();
            let newest = self.stored.get().last.max(closed);
            let (known, is_listed) = (self.about(TENANT)?, !self.about(LISTED)?.is_empty());
            self.with(|catalog| {
                *catalog = Catalog { tenant: known, shards, policy, newest, is_listed, is_armed: false };
            });
        }
        if !tenant.is_empty() && self.with(|catalog| catalog.tenant != tenant) {
            self.note(TENANT, tenant)?;
            self.with(|catalog| tenant.clone_into(&mut catalog.tenant));
        }
        Ok(())
    }

    fn about(&self, name: &str) -> Result<String, JsValue> {
        self.run("SELECT value FROM about WHERE name = ?", &[name.into()])
    }

    fn note(&self, name: &str, value: &str) -> Result<(), JsValue> {
        self.run("INSERT OR REPLACE INTO about VALUES (?, ?)", &[name.into(), value.into()]).map(drop)
    }

    /// Asks an object of the same tenant.
    async fn ask(&self, number: u64, path: &str, message: &JsValue) -> Result<String, JsValue> {
        let name = self.with(|catalog| format!("@{number}/{}", catalog.tenant));
        let answer = Object { binding: BINDING, name: &name, hint: "" }.tell(&self.env, path, message).await;
        answer.map_err(JsValue::from)
    }

    async fn append(&self, policy: &str, message: JsValue) -> Result<(), JsValue> {
        let tenant = self.run("SELECT ? ->> 'tenant'", std::slice::from_ref(&message))?;
        self.know(&tenant)?;
        let policy = Policy::read(&policy.replace('-', " ")).ok_or("no policy")?;
        let is_new = self.with(|catalog| catalog.policy.replace(policy) != Some(policy));
        if is_new {
            self.note(POLICY, &policy.write())?;
        }
        let kept = self.run(KEEP, &[tenant.as_str().into(), message.clone()]);
        kept.and_then(|_| self.run("DELETE FROM kept WHERE rowid <= (SELECT MAX(rowid) FROM kept) - ?", &[MAX_KEPT.into()]))?;
        let (active, place) = self.with(|catalog| {
            let place = journal::place(clock::now()).max(catalog.newest.saturating_add(1));
            (catalog.shards.last().map_or(0, |shard| shard.number), place)
        });
        let stored = if active == 0 {
            self.store(place, &message)?
        } else {
            let told = self.ask(active, &format!("records/{place}"), &message).await?;
            Stored::read(&told).ok_or("no answer of a journal")?
        };
        self.with(|catalog| catalog.newest = catalog.newest.max(stored.last));
        if journal::rolls(policy, stored, clock::now()) {
            self.roll(active, stored)?;
            self.tidy().await?;
        } else if is_new {
            self.tidy().await?;
        }
        self.list_tenant(&tenant).await;
        self.arm().await
    }

    /// From now on the next object takes records in.
    fn roll(&self, active: u64, stored: Stored) -> Result<(), JsValue> {
        // Two that came at once both saw that it is full.
        if self.with(|catalog| catalog.shards.last().is_none_or(|shard| shard.number != active)) {
            return Ok(());
        }
        let closed = Shard { number: active, first: stored.first, last: stored.last, bytes: stored.bytes };
        let numbers = [closed.number, closed.first, closed.last, closed.bytes].map(|number| JsValue::from(number.to_string()));
        let close = "INSERT OR REPLACE INTO shards SELECT CAST(? AS INTEGER), CAST(? AS INTEGER), CAST(? AS INTEGER), \
                     CAST(? AS INTEGER)";
        let next = closed.number.saturating_add(1);
        bindings::stored_together(&self.state, || {
            self.run(close, &numbers)?;
            self.run("INSERT INTO shards VALUES (CAST(? AS INTEGER), 0, 0, 0)", &[next.to_string().into()])
        })?;
        self.with(|catalog| {
            catalog.shards.pop();
            catalog.shards.extend([closed, Shard { number: next, ..Shard::default() }]);
        });
        Ok(())
    }

    /// Empties objects whose time is over. One that cannot be reached is tried again at the next look.
    async fn tidy(&self) -> Result<(), JsValue> {
        let now = clock::now();
        let Some((policy, shards)) = self.with(|catalog| Some((catalog.policy?, catalog.shards.clone()))) else { return Ok(()) };
        for number in journal::doomed(policy, &shards, now) {
            if number == 0 {
                self.run("DROP TABLE IF EXISTS texts", &[])?;
                self.run("DROP TABLE IF EXISTS facts", &[])?;
                self.has_tables.set(false);
            } else if let Err(error) = self.ask(number, "empty", &JsValue::from_str("all")).await {
                console_error!("a journal's old records could not be deleted: {error:?}");
                return Ok(());
            }
            self.run("DELETE FROM shards WHERE number = CAST(? AS INTEGER)", &[number.to_string().into()])?;
            self.with(|catalog| catalog.shards.retain(|shard| shard.number != number));
        }
        let active = self.with(|catalog| catalog.shards.last().map_or(0, |shard| shard.number));
        let floor = policy.floor(now);
        if active > 0 {
            if let Err(error) = self.ask(active, &format!("old/{floor}"), &JsValue::from_str("all")).await {
                console_error!("a journal's old records could not be deleted: {error:?}");
            }
            return Ok(());
        }
        self.drop_old(floor)
    }

    /// Of few rows those that are too old.
    fn drop_old(&self, floor: u64) -> Result<(), JsValue> {
        self.prepare()?;
        if self.stored.get().first < floor {
            OLD.iter().try_for_each(|delete| self.run(delete, &[floor.to_string().into()]).map(drop))?;
            self.has_tables.set(false);
        }
        Ok(())
    }

    async fn arm(&self) -> Result<(), JsValue> {
        if self.with(|catalog| std::mem::replace(&mut catalog.is_armed, true)) {
            return Ok(());
        }
        Ok(bindings::wake_within(&self.state, TIDY_MS).await?)
    }

    /// Also tenants that were refused everything are found by who asks for the records of all.
    async fn list_tenant(&self, tenant: &str) {
        if self.with(|catalog| std::mem::replace(&mut catalog.is_listed, true)) {
            return;
        }
        let listed = bindings::put(&self.env, &format!("{}{tenant}", tenant_object::LISTED), "{}").await;
        let noted = listed.map(|()| self.note(LISTED, "yes"));
        if !matches!(noted, Ok(Ok(()))) {
            self.with(|catalog| catalog.is_listed = false);
        }
    }

    /// A page, newest first: of the newest object, then of the one before.
    async fn list(&self, until: &str, query: &str) -> Result<String, JsValue> {
        self.know("")?;
        let question = Question::read(query).map_err(|error| error.message.clone())?;
        let until = until.parse::<u64>().unwrap_or(u64::MAX / 2);
        let (shards, policy, newest) = self.with(|catalog| (catalog.shards.clone(), catalog.policy, catalog.newest));
        let floor = policy.map_or(0, |policy| policy.floor(clock::now()));
        let (numbers, end) = journal::visited(&shards, &question, floor);
        let (mut page, mut count) = (String::new(), 0);
        for number in numbers {
            let left = question.limit.saturating_sub(count);
            if left == 0 {
                break;
            }
            let path = format!("{floor}/{until}/{left}");
            let rows = if number == 0 {
                self.rows(&path, query)?
            } else {
                self.ask(number, &format!("rows/{path}?{query}"), &JsValue::NULL).await?
            };
            count += rows.bytes().filter(|byte| *byte == b'\n').count();
            page.push_str(&rows);
        }
        page.push_str(&journal::written(newest, end));
        Ok(page)
    }

    async fn find(&self, id: &str) -> Result<String, JsValue> {
        self.know("")?;
        let shards = self.with(|catalog| catalog.shards.clone());
        for shard in shards.iter().rev() {
            let found = match shard.number {
                0 => self.one(id)?,
                number => self.ask(number, &format!("one/{id}"), &JsValue::NULL).await?,
            };
            if !found.is_empty() {
                return Ok(found);
            }
        }
        Ok(String::new())
    }

    fn owner(&self, response: &str) -> Result<String, JsValue> {
        self.know("")?;
        self.run("SELECT json_object('tenant', tenant, 'provider', provider) FROM kept WHERE response = ?", &[response.into()])
    }
}
