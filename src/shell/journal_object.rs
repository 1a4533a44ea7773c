//! Records in SQLite: one row a request. Never content.

use std::cell::Cell;

use js_sys::Array;
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};
use worker::{
    Env, console_error,
    wasm_bindgen_futures::JsFuture,
    web_sys::{Request, Response},
};

use super::{
    bindings::{self, Object},
    serve::text,
};

/// Rows kept: some days of a busy gateway, some tens of megabytes.
const MAX_ROWS: u32 = 50_000;
/// Answers that providers keep, each with whose it is: nobody can go on with one that is forgotten. OpenAI keeps them for 30
/// days; a row has a hundred bytes.
const MAX_KEPT: u32 = 500_000;
/// Rows of one page.
const MAX_PAGE: u32 = 500;
/// Rows of a page that names no number.
const PAGE: u32 = 50;
/// After all times there are.
const END_OF_TIME: &str = "1e300";

#[wasm_bindgen]
pub struct JournalObject {
    state: JsValue,
    /// This life of the object has seen its table.
    has_table: Cell<bool>,
}

#[wasm_bindgen(wasm_bindgen_futures = worker::wasm_bindgen_futures)]
impl JournalObject {
    #[wasm_bindgen(constructor)]
    pub fn new(state: JsValue) -> Self {
        Self { state, has_table: Cell::new(false) }
    }

    pub async fn fetch(&self, request: Request) -> Result<Response, JsValue> {
        if !self.has_table.replace(true) {
            self.run("CREATE TABLE IF NOT EXISTS requests (id TEXT PRIMARY KEY, time REAL NOT NULL, record TEXT NOT NULL)", &[])?;
            self.run("CREATE INDEX IF NOT EXISTS requests_time ON requests (time)", &[])?;
            self.run(
                "CREATE TABLE IF NOT EXISTS kept (response TEXT, tenant TEXT, provider TEXT, PRIMARY KEY (response, tenant))",
                &[],
            )?;
        }
        let answer = if request.method() == "POST" {
            let records = JsFuture::from(request.text()?).await?;
            self.append(&records.as_string().unwrap_or_default())?;
            String::new()
        } else {
            format!("[{}]", self.select(&request.url())?)
        };
        Ok(text(200, "application/json", &answer))
    }
}

impl JournalObject {
    fn run(&self, statement: &str, values: &[JsValue]) -> Result<String, JsValue> {
        bindings::sql(&self.state, statement, &values.iter().collect::<Array>())
    }

    /// The records that a URL's query asks for, with commas between.
    fn select(&self, url: &str) -> Result<String, JsValue> {
        let (_, query) = url.split_once('?').unwrap_or_default();
        // Ids and numbers: nothing in them is ever escaped.
        let value =
            |name: &str| query.split('&').filter_map(|pair| pair.split_once('=')).find(|(n, _)| *n == name).map(|(_, v)| v);
        if let Some(id) = value("id") {
            return self.run("SELECT record FROM requests WHERE id = ?", &[id.into()]);
        }
        if let Some(response) = value("response") {
            return self.run(
                "SELECT json_object('tenant', tenant, 'provider', provider) FROM kept WHERE response = ?",
                &[response.into()],
            );
        }
        let limit = value("limit").and_then(|n| n.parse().ok()).unwrap_or(PAGE).min(MAX_PAGE);
        let before = value("before").filter(|n| n.bytes().all(|b| b.is_ascii_digit() || b == b'.')).unwrap_or(END_OF_TIME);
        self.run(
            "SELECT record FROM requests WHERE time < CAST(? AS REAL) ORDER BY time DESC, rowid DESC LIMIT ?",
            &[before.into(), limit.into()],
        )
    }

    fn append(&self, records: &str) -> Result<(), JsValue> {
        // One crossing for all of them.
        self.run(
            "INSERT OR IGNORE INTO requests SELECT value ->> 'id', value ->> 'time', value FROM json_each(?)",
            &[records.into()],
        )?;
        self.run(
            "INSERT OR REPLACE INTO kept SELECT value ->> 'response_id', value ->> 'tenant', value ->> 'provider' \
             FROM json_each(?) WHERE value ->> 'response_id' IS NOT NULL",
            &[records.into()],
        )?;
        self.run("DELETE FROM kept WHERE rowid <= (SELECT MAX(rowid) FROM kept) - ?", &[MAX_KEPT.into()])?;
        self.run("DELETE FROM requests WHERE rowid <= (SELECT MAX(rowid) FROM requests) - ?", &[MAX_ROWS.into()])?;
        Ok(())
    }
}

const JOURNAL: Object<'static> = Object { binding: "JOURNAL", name: "default", hint: "" };

/// Appends records, each the JSON text of one.
pub async fn append(env: &Env, records: &[String]) {
    if let Err(error) = JOURNAL.ask(env, "", &format!("[{}]", records.join(","))).await {
        console_error!("{} records did not reach the journal: {error}", records.len());
    }
}

/// A JSON array of records, newest first.
pub async fn list(env: &Env, query: &str) -> Result<String, String> {
    JOURNAL.ask(env, &format!("?{query}"), "").await
}
