//! The journal's own statements in a real SQLite.

use std::{
    cell::RefCell,
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use portolan::journal::{OLD, Question, STORE, TABLES, TEXTS};
use serde_json::{Value, json};

pub struct Sqlite {
    child: Child,
    pipes: RefCell<(ChildStdin, BufReader<ChildStdout>)>,
}

impl Drop for Sqlite {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Sqlite {
    pub fn start() -> Self {
        let program = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/journal/sqlite.py");
        let mut child = Command::new("python3").arg(program).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let pipes = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        Self { child, pipes: RefCell::new(pipes) }
    }

    pub fn run(&self, object: &str, statement: &str, bound: &[String]) -> Vec<Value> {
        let (input, output) = &mut *self.pipes.borrow_mut();
        writeln!(input, "{}", json!([object, statement, bound])).unwrap();
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        serde_json::from_str(&line)
            .unwrap_or_else(|_| Value::Array(vec![format!("failed: {statement}").into()]))
            .as_array()
            .unwrap()
            .clone()
    }

    pub fn prepare(&self, object: &str) {
        TABLES.iter().for_each(|table| drop(self.run(object, table, &[])));
    }

    /// As the object does.
    pub fn store(&self, object: &str, place: u64, records: &[Value]) -> u64 {
        let message = json!({"tenant": object, "records": records, "kept": []}).to_string();
        self.run(object, STORE, &[message.clone(), place.to_string()]);
        self.run(object, TEXTS, &[message]);
        self.run(object, "SELECT ifnull(max(seq), 0) FROM facts", &[]).first().and_then(Value::as_u64).unwrap()
    }

    pub fn drop_old(&self, object: &str, floor: u64) {
        OLD.iter().for_each(|delete| drop(self.run(object, delete, &[floor.to_string()])));
    }

    /// The lines of a page.
    pub fn rows(&self, object: &str, question: &Question, until: u64, limit: usize) -> String {
        let (statement, bound) = question.statement(0, until, limit);
        self.run(object, &statement, &bound).iter().map(|row| row.as_str().unwrap().to_owned()).collect::<Vec<_>>().join(",")
    }

    pub fn plan(&self, object: &str, question: &Question) -> String {
        let (statement, bound) = question.statement(0, u64::MAX / 2, 50);
        let steps = self.run(object, &format!("EXPLAIN QUERY PLAN {statement}"), &bound);
        steps.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("; ")
    }
}
