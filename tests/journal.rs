//! The journal: what its queries mean, that its pages hold together, and how long records stay.

mod database;

use std::collections::BTreeSet;

use database::Sqlite;
use portolan::{
    journal::{Outbox, Page, Policy, Question, Shard, Stored, doomed, merged, place, rolls, visited, written},
    units::{DAY_MS, Millis},
};
use serde_json::{Value, json};

/// Any day.
const NOW: Millis = Millis(1_795_000_000_000);

fn record(id: &str, more: &Value) -> Value {
    let mut record = json!({
        "time": NOW.0, "id": id, "key": "app", "tenant": "default", "dialect": "openai-chat", "task": "generate", "asked": "smart",
        "route": "smart", "provider": "openai", "model": "gpt-5", "stream": false, "status": 200, "outcome": "ok",
        "tries": [{"provider": "openai", "model": "gpt-5", "outcome": "ok"}], "first_ms": 300, "total_ms": 900, "cost": 5_000_000_000_u64,
    });
    for (name, value) in more.as_object().unwrap() {
        record[name.as_str()] = value.clone();
    }
    record
}

/// One of each kind.
fn some() -> Vec<Value> {
    let two = json!([
        {"provider": "openai", "model": "gpt-5", "outcome": "transient"}, {"provider": "acme", "model": "m", "outcome": "ok"}
    ]);
    let again = json!([{"provider": "openai", "model": "gpt-5"}, {"provider": "openai", "model": "gpt-5"}]);
    let hedged = json!([
        {"provider": "openai", "model": "gpt-5", "outcome": "hedged"}, {"provider": "acme", "model": "m", "outcome": "ok"}
    ]);
    vec![
        record("req_plain", &json!({})),
        record("req_slow", &json!({"total_ms": 9_000, "first_ms": 4_000, "client_request_id": "ticket-17", "tries": hedged})),
        record("req_dear", &json!({"cost": 60_000_000_000_u64, "response_id": "resp_abc", "key": "batch, nightly"})),
        record("req_other", &json!({"provider": "acme", "model": "m", "answered_by": "m-2026", "tries": two})),
        record("req_again", &json!({"tries": again, "time": NOW.0 - 5_000})),
        record(
            "req_limited",
            &json!({"status": 429, "outcome": "refused", "fault": "caller", "provider": null, "tries": [], "cost": null}),
        ),
        record(
            "req_broken",
            &json!({"status": 502, "outcome": "transient", "fault": "provider", "route": "other", "first_ms": null}),
        ),
    ]
}

fn ids(rows: &str) -> Vec<String> {
    rows.lines().map(|line| line.trim_start_matches(',').split(' ').nth(1).unwrap().to_owned()).collect()
}

#[test]
fn filters_find_what_they_name() {
    let sqlite = Sqlite::start();
    sqlite.prepare("t");
    sqlite.store("t", place(NOW), &some());
    let all = "req_broken req_limited req_again req_other req_dear req_slow req_plain";
    for (query, found) in [
        ("", all),
        ("key=app", "req_broken req_limited req_again req_other req_slow req_plain"),
        ("key=batch%2C+nightly", ""),
        ("route=other", "req_broken"),
        ("provider=acme,none", "req_other"),
        ("model=m", "req_other"),
        ("model=m-2026", "req_other"),
        ("model=smart", all),
        ("model=gpt-5&provider=acme", ""),
        ("status=200", "req_again req_other req_dear req_slow req_plain"),
        ("status=4xx", "req_limited"),
        ("status=4xx,502", "req_broken req_limited"),
        ("status=200-299,500-599", "req_broken req_again req_other req_dear req_slow req_plain"),
        ("outcome=refused,transient", "req_broken req_limited"),
        ("fault=provider", "req_broken"),
        ("min_ms=9000", "req_slow"),
        ("max_ms=8999&status=5xx", "req_broken"),
        ("min_first_ms=301", "req_slow"),
        ("min_cost_usd=0.06", "req_dear"),
        ("min_cost_usd=0.060000000001", ""),
        ("failover=true", "req_other"),
        ("failover=false&status=5xx", "req_broken"),
        ("id=req_s", "req_slow"),
        ("id=ticket", "req_slow"),
        ("id=resp_abc", "req_dear"),
        ("id=%25", ""),
        ("to=1795000000000", "req_again"),
        ("from=1795000000000&key=app&status=200", "req_other req_slow req_plain"),
        ("from=2026-11-18T11:06:40Z&id=again", ""),
        ("limit=2", "req_broken req_limited"),
    ] {
        let question = Question::read(query).unwrap();
        let rows = sqlite.rows("t", &question, u64::MAX / 2, question.limit);
        assert_eq!(ids(&rows).join(" "), found, "{query}");
    }
}

#[test]
fn a_record_comes_back_as_it_was_and_once() {
    let sqlite = Sqlite::start();
    sqlite.prepare("t");
    let records = some();
    let last = sqlite.store("t", place(NOW), &records);
    // Told again with what is new.
    let more = [&records[..], &[record("req_new", &json!({}))]].concat();
    sqlite.store("t", last + 1, &more);
    let question = Question::read("").unwrap();
    let rows = sqlite.rows("t", &question, u64::MAX / 2, 50);
    assert_eq!(ids(&rows).len(), records.len() + 1);
    let texts: Vec<Value> =
        rows.lines().rev().map(|line| serde_json::from_str(line.splitn(3, ' ').nth(2).unwrap()).unwrap()).collect();
    assert_eq!(texts, more);
    sqlite.drop_old("t", last);
    assert_eq!(ids(&sqlite.rows("t", &question, u64::MAX / 2, 50)), ["req_new", "req_broken"]);
    assert_eq!(sqlite.run("t", "SELECT count(*) FROM texts", &[]), [json!(2)]);
}

#[test]
fn no_filter_reads_texts_or_sorts_what_is_not_shown() {
    let sqlite = Sqlite::start();
    sqlite.prepare("t");
    sqlite.store("t", place(NOW), &some());
    for (query, index) in [
        ("", "SEARCH facts USING INTEGER PRIMARY KEY"),
        ("provider=a&min_ms=5&before=cff-x", "SEARCH facts USING INTEGER PRIMARY KEY"),
        ("model=a,b&id=7&min_cost_usd=1", "SEARCH facts USING INTEGER PRIMARY KEY"),
        ("key=app&from=2026-11-01", "SEARCH facts USING INDEX facts_key (key=? AND rowid>? AND rowid<?)"),
        ("fault=provider", "SEARCH facts USING INDEX facts_fault (fault=? AND rowid>? AND rowid<?)"),
        ("status=429", "SEARCH facts USING INDEX facts_failed (failed=? AND rowid>? AND rowid<?)"),
        ("status=200,429", "SEARCH facts USING INTEGER PRIMARY KEY"),
        ("failover=true", "SEARCH facts USING INDEX facts_failover (failover=? AND rowid>? AND rowid<?)"),
    ] {
        let question = Question::read(query).unwrap();
        let plan = sqlite.plan("t", &question);
        assert!(plan.contains(index), "{query}: {plan}");
        // A text is fetched by its place, of a row that is shown.
        assert!(plan.contains("SEARCH texts USING INTEGER PRIMARY KEY"), "{query}: {plan}");
        assert!(!plan.contains("SCAN"), "{query}: {plan}");
        assert!(!plan.contains("TEMP B-TREE"), "{query}: {plan}");
    }
}

#[test]
fn bad_parameters_are_named() {
    for (query, path) in [
        ("limit=0", "limit"),
        ("limit=501", "limit"),
        ("limit=1;DROP TABLE facts", "limit"),
        ("status=20x", "status"),
        ("status=500-400", "status"),
        ("status=", "status"),
        ("status=4xx) OR (1=1", "status"),
        ("min_ms=-1", "min_ms"),
        ("max_ms=fast", "max_ms"),
        ("max_ms=9223372036854775808", "max_ms"),
        ("min_cost_usd=$5", "min_cost_usd"),
        ("min_cost_usd=", "min_cost_usd"),
        ("failover=maybe", "failover"),
        ("id=", "id"),
        ("from=yesterday", "from"),
        ("to=2026-13-01", "to"),
        ("before=1795000000000", "before"),
        ("after=c12-x' OR 1", "after"),
        ("tenant=", "tenant"),
        ("tenant=a,@operator", "tenant"),
        ("colour=red", "colour"),
        ("response=x", "response"),
    ] {
        assert_eq!(Question::read(query).unwrap_err().param.as_deref(), Some(path), "{query}");
    }
    let long = format!("id={}", "x".repeat(8_193));
    assert_eq!(Question::read(&long).unwrap_err().param.as_deref(), Some("id"));
    let many = format!("key={}", vec!["k"; 101].join(","));
    assert_eq!(Question::read(&many).unwrap_err().param.as_deref(), Some("key"));
}

/// Dice that fall alike each time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

/// Journals of some tenants, each over several objects, as catalogs keep them.
struct World<'a> {
    sqlite: &'a Sqlite,
    dice: Dice,
    now: Millis,
    /// Of each tenant.
    shards: Vec<Vec<Shard>>,
    newest: Vec<u64>,
    count: u64,
}

impl World<'_> {
    fn object(tenant: usize, number: u64) -> String {
        format!("{tenant}/{number}")
    }

    /// A batch of records of some tenant; now and then its object is full.
    fn add(&mut self) -> Vec<String> {
        let tenant = usize::try_from(self.dice.roll(3)).unwrap();
        self.now = self.now.plus(self.dice.roll(3));
        let active = self.shards[tenant].last().unwrap().number;
        let added: Vec<String> = (0..=self.dice.roll(5)).map(|at| format!("req_{:06}", self.count + at)).collect();
        self.count += u64::try_from(added.len()).unwrap();
        let records: Vec<Value> = added
            .iter()
            .map(|id| record(id, &json!({"tenant": tenant.to_string(), "key": if id.ends_with('7') { "b" } else { "a" }})))
            .collect();
        let from = place(self.now).max(self.newest[tenant] + 1);
        let last = self.sqlite.store(&Self::object(tenant, active), from, &records);
        self.newest[tenant] = last;
        let shard = self.shards[tenant].last_mut().unwrap();
        shard.first = if shard.first == 0 { from } else { shard.first };
        shard.last = last;
        if self.dice.roll(4) == 0 {
            self.shards[tenant].push(Shard { number: active + 1, ..Shard::default() });
            self.sqlite.prepare(&Self::object(tenant, active + 1));
        }
        added
    }

    fn page(&self, query: &str, until: u64) -> Value {
        let question = Question::read(query).unwrap();
        let texts: Vec<String> = (0..3)
            .map(|tenant| {
                let (numbers, end) = visited(&self.shards[tenant], &question, 0);
                let mut page = String::new();
                for number in numbers {
                    let left = question.limit.saturating_sub(page.lines().count());
                    page.push_str(&self.sqlite.rows(&Self::object(tenant, number), &question, until, left));
                }
                page + &written(self.newest[tenant], end)
            })
            .collect();
        let pages: Vec<Page<'_>> = texts.iter().map(|text| Page::read(text).unwrap()).collect();
        serde_json::from_str(&merged(&question, &pages, &["gone"], Some(until))).unwrap()
    }
}

fn ids_of(page: &Value) -> Vec<String> {
    page["data"].as_array().unwrap().iter().map(|record| record["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn pages_show_each_record_once_while_more_come() {
    let sqlite = Sqlite::start();
    for (seed, limit, filter) in [(1, 7, ""), (2, 1, ""), (3, 50, ""), (4, 5, "&key=b"), (5, 3, "&key=a")] {
        let mut world = World {
            sqlite: &sqlite,
            dice: Dice(seed),
            now: NOW.plus(seed * 1_000_000),
            shards: vec![vec![Shard::default()]; 3],
            newest: vec![0; 3],
            count: 0,
        };
        (0..3).for_each(|tenant| {
            sqlite.prepare(&World::object(tenant, 0));
            for number in 0..60 {
                for table in ["texts", "facts"] {
                    drop(sqlite.run(&World::object(tenant, number), &format!("DROP TABLE IF EXISTS {table}"), &[]));
                }
                sqlite.prepare(&World::object(tenant, number));
            }
        });
        let fits = |id: &String| filter.is_empty() || id.ends_with('7') == (filter == "&key=b");
        let before: BTreeSet<String> = (0..60).flat_map(|_| world.add()).filter(fits).collect();
        // What is newer than this is the tail's.
        world.now = world.now.plus(10);
        let until = place(world.now);
        let (mut seen, mut later, mut newest) = (vec![], BTreeSet::new(), String::new());
        let mut next = String::new();
        loop {
            let page = world.page(&format!("limit={limit}{filter}{next}"), if next.is_empty() { until } else { u64::MAX / 4 });
            if newest.is_empty() {
                page["newest"].as_str().unwrap().clone_into(&mut newest);
            }
            assert!(ids_of(&page).len() <= limit);
            assert_eq!(page["unreachable"], json!(["gone"]));
            seen.extend(ids_of(&page));
            world.now = world.now.plus(1);
            // No more than the tail shows at once.
            if later.len() < 100 {
                later.extend(world.add().into_iter().filter(fits));
            }
            match page["next"].as_str() {
                Some(cursor) => next = format!("&before={cursor}"),
                None => break,
            }
        }
        let unique: BTreeSet<String> = seen.iter().cloned().collect();
        assert_eq!(seen.len(), unique.len(), "{seed}: each once");
        assert_eq!(unique, before, "{seed}: all of them, and none that came later");
        // The tail: what came since, however often it is asked.
        let mut tail = BTreeSet::new();
        for _ in 0..4 {
            world.now = world.now.plus(10);
            let page = world.page(&format!("limit=500{filter}&after={newest}"), place(world.now));
            page["newest"].as_str().unwrap().clone_into(&mut newest);
            for id in ids_of(&page) {
                assert!(tail.insert(id.clone()), "{seed}: {id} came twice");
            }
            world.now = world.now.plus(1);
            later.extend(world.add().into_iter().filter(fits));
        }
        world.now = world.now.plus(10);
        let last = world.page(&format!("limit=500{filter}&after={newest}"), place(world.now));
        tail.extend(ids_of(&last));
        assert_eq!(tail, later, "{seed}: the tail");
    }
}

#[test]
fn a_page_ends_where_its_objects_were_not_looked_into() {
    let question = Question::read("limit=3").unwrap();
    let (one, other) = (format!("9 a {{}}\n,7 b {{}}\n{}", written(9, 6)), format!("8 c {{}}\n,5 d {{}}\n{}", written(8, 0)));
    let pages = [Page::read(&one).unwrap(), Page::read(&other).unwrap()];
    let page: Value = serde_json::from_str(&merged(&question, &pages, &[], Some(20))).unwrap();
    assert_eq!(page, json!({"data": [{}, {}, {}], "next": "c6-", "newest": "c15-", "unreachable": []}));
    for text in ["", "9 a {}\n", "x a {}\n.9 0", "9 a\n.9 0", ".9"] {
        assert_eq!(Page::read(text), None, "{text}");
    }
}

#[test]
fn objects_follow_each_other_and_go_when_their_time_is_over() {
    const MB: u64 = 1 << 20;
    let policy = Policy { days: 8, max_mb: 80 };
    assert_eq!(Policy::read(&policy.write()), Some(policy));
    let first = |age_ms: u64| place(Millis(NOW.0 - age_ms));
    for (rows, bytes, age_ms, expected) in [
        (1, MB, 0, false),
        (100, 10 * MB, 0, true),
        (4_999, MB, 7 * DAY_MS, false),
        (5_000, MB, DAY_MS + 1, true),
        (5_000, MB, DAY_MS - 1, false),
        (0, 10 * MB, 0, false),
    ] {
        let stored = Stored { rows, bytes, first: first(age_ms), last: first(0) };
        assert_eq!(Stored::read(&stored.write()), Some(stored));
        assert_eq!(rolls(policy, stored, NOW), expected, "{rows} {bytes} {age_ms}");
    }
    // However much the journal may have, an object is no larger than this.
    let large = Policy { days: 8, max_mb: 102_400 };
    assert!(rolls(large, Stored { rows: 1, bytes: 256 * MB, first: first(0), last: first(0) }, NOW));
    let shard = |number, age_days: u64, mb: u64| {
        let last = place(Millis(NOW.0 - age_days * DAY_MS));
        Shard { number, first: last - 10, last, bytes: mb * MB }
    };
    let active = shard(9, 0, 0);
    for (shards, expected) in [
        (vec![active], vec![]),
        (vec![shard(9, 20, 10)], vec![]),
        (vec![shard(3, 9, 10), shard(4, 7, 10), active], vec![3]),
        (vec![shard(1, 7, 10), shard(2, 6, 10), shard(3, 5, 50), active], vec![]),
        (vec![shard(1, 7, 10), shard(2, 6, 11), shard(3, 5, 50), active], vec![1]),
        (vec![shard(1, 7, 10), shard(2, 6, 61), shard(3, 5, 50), active], vec![1, 2]),
    ] {
        assert_eq!(doomed(policy, &shards, NOW), expected, "{shards:?}");
    }
}

#[test]
fn only_objects_that_may_have_it_are_looked_into() {
    let shards: Vec<Shard> =
        (0..40).map(|number| Shard { number, first: number * 100 + 1, last: number * 100 + 90, bytes: 1 }).collect();
    let asked = |query: &str, floor| visited(&shards, &Question::read(query).unwrap(), floor);
    assert_eq!(asked("", 0), ((24..40).rev().collect(), 2_391));
    assert_eq!(asked("", 3_795), (vec![39, 38], 0));
    assert_eq!(asked("after=cf3c-", 0), (vec![39], 0), "3900");
    assert_eq!(asked("before=c1f4-x", 0), (vec![39, 4, 3, 2, 1, 0], 0), "500; of the last one nothing is known");
}

#[test]
fn records_wait_are_told_again_and_are_given_up_only_when_there_are_too_many() {
    let mut outbox = Outbox::default();
    assert!(outbox.is_empty() && outbox.begin(NOW).is_empty());
    outbox.put("a", "{\"id\":1}".to_owned(), NOW);
    assert!(outbox.begin(NOW).is_empty(), "no policy yet");
    outbox.keep_for(Policy { days: 30, max_mb: 1_024 });
    outbox.put_kept("a", ("resp_1", "openai"), NOW);
    let batch = outbox.begin(NOW).remove(0);
    assert_eq!(batch.message, r#"{"tenant":"a","records":[{"id":1}],"kept":[["resp_1","openai"]]}"#);
    outbox.put("a", "{\"id\":2}".to_owned(), NOW);
    assert!(outbox.begin(NOW).is_empty(), "one call at a time");
    outbox.ended(&batch, false, NOW);
    assert!(outbox.begin(NOW).is_empty(), "not at once");
    let later = NOW.plus(1_000);
    let again = outbox.begin(later).remove(0);
    assert_eq!(again.message, r#"{"tenant":"a","records":[{"id":1},{"id":2}],"kept":[["resp_1","openai"]]}"#);
    outbox.ended(&batch, true, later);
    assert!(!outbox.is_empty(), "nothing follows from a call that is over");
    // The one who called was ended: after a while it is called again, and what the first call still says counts no more.
    let lost = later.plus(10_000);
    let third = outbox.begin(lost).remove(0);
    outbox.ended(&again, true, lost);
    assert!(!outbox.is_empty());
    outbox.ended(&third, true, lost);
    assert!(outbox.is_empty());
    // Many tenants: some at once, those who wait longest first.
    for number in 0..9 {
        outbox.put(&format!("t{}", 8 - number), "{}".to_owned(), NOW.plus(number));
    }
    let calls = |batches: &[portolan::journal::Batch]| batches.iter().map(|batch| batch.tenant.clone()).collect::<Vec<_>>();
    let batches = outbox.begin(lost);
    assert_eq!(calls(&batches), ["t8", "t7", "t6", "t5"]);
    batches.iter().for_each(|batch| outbox.ended(batch, true, lost));
    assert_eq!(calls(&outbox.begin(lost)), ["t4", "t3", "t2", "t1"]);
    // A call has at most about a megabyte, and all that waits four.
    let mut outbox = Outbox::default();
    outbox.keep_for(Policy { days: 30, max_mb: 1_024 });
    (0..50).for_each(|_| outbox.put("a", format!("\"{}\"", "x".repeat(99_998)), NOW));
    assert!(outbox.is_full());
    assert_eq!((outbox.take_lost(), outbox.take_lost()), (9, 0));
    let mut calls = vec![];
    for step in 0..9 {
        for batch in outbox.begin(NOW.plus(step)) {
            calls.push(batch.message.len() / 100_000);
            outbox.ended(&batch, true, NOW.plus(step));
        }
    }
    assert_eq!(calls, [10, 10, 10, 10, 1]);
    assert!(outbox.is_empty() && !outbox.is_full());
}
