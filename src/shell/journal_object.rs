//! Records in SQLite: one row a request. Never content.

use serde::Deserialize;
use serde_json::value::RawValue;
use wasm_bindgen::JsValue;
use worker::{
    DurableObject, Env, Method, Request, RequestInit, Response, Result, SqlStorage, SqlStorageValue, State, Stub, console_error,
    durable_object, wasm_bindgen,
};

/// Rows kept: some days of a busy gateway, some tens of megabytes.
const MAX_ROWS: i64 = 50_000;
/// Rows of one page.
const MAX_PAGE: u64 = 500;

#[durable_object]
pub struct JournalObject {
    state: State,
}

#[derive(Deserialize)]
struct Row {
    record: String,
}

/// The part of a record that is searched.
#[derive(Deserialize)]
struct Keys {
    id: String,
    time: f64,
}

impl DurableObject for JournalObject {
    fn new(state: State, _env: Env) -> Self {
        Self { state }
    }

    async fn fetch(&self, mut request: Request) -> Result<Response> {
        let sql = self.state.storage().sql();
        sql.exec("CREATE TABLE IF NOT EXISTS requests (id TEXT PRIMARY KEY, time REAL NOT NULL, record TEXT NOT NULL)", None)?;
        sql.exec("CREATE INDEX IF NOT EXISTS requests_time ON requests (time)", None)?;
        if request.method() == Method::Post {
            append_rows(&sql, &request.text().await?)?;
            return Response::empty();
        }
        let url = request.url()?;
        let query = |name: &str| url.query_pairs().find(|(n, _)| n == name).map(|(_, value)| value.into_owned());
        let rows: Vec<Row> = match query("id") {
            Some(id) => sql.exec("SELECT record FROM requests WHERE id = ?", vec![SqlStorageValue::String(id)])?.to_array()?,
            None => {
                let limit = query("limit").and_then(|n| n.parse().ok()).unwrap_or(50_u64).min(MAX_PAGE);
                let before = query("before").and_then(|n| n.parse().ok()).unwrap_or(f64::MAX);
                let bindings = vec![SqlStorageValue::Float(before), SqlStorageValue::String(limit.to_string())];
                sql.exec(
                    "SELECT record FROM requests WHERE time < ? ORDER BY time DESC, rowid DESC LIMIT CAST(? AS INTEGER)",
                    bindings,
                )?
                .to_array()?
            }
        };
        let list: Vec<String> = rows.into_iter().map(|row| row.record).collect();
        Response::ok(format!("[{}]", list.join(",")))
    }
}

fn append_rows(sql: &SqlStorage, text: &str) -> Result<()> {
    let records: Vec<&RawValue> = serde_json::from_str(text)?;
    for record in records {
        let keys: Keys = serde_json::from_str(record.get())?;
        let row = vec![
            SqlStorageValue::String(keys.id),
            SqlStorageValue::Float(keys.time),
            SqlStorageValue::String(record.get().to_owned()),
        ];
        sql.exec("INSERT OR IGNORE INTO requests VALUES (?, ?, ?)", row)?;
    }
    let limit = vec![SqlStorageValue::String(MAX_ROWS.to_string())];
    sql.exec("DELETE FROM requests WHERE rowid <= (SELECT MAX(rowid) FROM requests) - CAST(? AS INTEGER)", limit)?;
    Ok(())
}

fn stub(env: &Env) -> Result<Stub> {
    env.durable_object("JOURNAL")?.get_by_name("default")
}

/// Appends records, each the JSON text of one.
pub async fn append(env: &Env, records: &[String]) {
    if let Err(error) = send(env, &format!("[{}]", records.join(","))).await {
        console_error!("{} records did not reach the journal: {error}", records.len());
    }
}

async fn send(env: &Env, text: &str) -> Result<()> {
    let mut init = RequestInit::new();
    init.with_method(Method::Post).with_body(Some(JsValue::from_str(text)));
    stub(env)?.fetch_with_request(Request::new_with_init("https://journal/", &init)?).await?;
    Ok(())
}

/// A JSON array of records, newest first.
pub async fn list(env: &Env, query: &str) -> Result<String> {
    stub(env)?.fetch_with_str(&format!("https://journal/?{query}")).await?.text().await
}
