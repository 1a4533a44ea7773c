//! Gateway keys and documents by the operator's calls: what is written, and upon what.

use portolan::{
    admin::{
        documents,
        keys::{Given, KeyCall, Page, call},
        written::Written,
    },
    config::{Documents, news::digest_of},
    error::Error,
    guard::{Locks, admit, digest, is_id, is_well_formed},
    sorted::SortedMap,
    units::Millis,
};
use serde_json::{Value, json};

use super::openapi::hold;

/// 2026-11-23T00:00:00Z
const NOW: Millis = Millis(1_795_392_000_000);
const ID: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
const RANDOM: [u8; 32] = [7; 32];

fn done(what: KeyCall<'_>, current: Option<&str>, body: &str) -> Result<Written, Error> {
    let done = call(what, current, Given { body, if_match: None, random: &RANDOM, now: NOW })?;
    let component = match what {
        KeyCall::Create | KeyCall::Rotate(_) => "NewKey",
        KeyCall::Delete(_) => return Ok(done),
        KeyCall::List | KeyCall::Show(_) | KeyCall::Replace(_) | KeyCall::Patch(_) | KeyCall::Disable(_) | KeyCall::Enable(_) => {
            "Key"
        }
    };
    hold(component, &done.body);
    Ok(done)
}

fn text_of(written: &Written, at: usize) -> Value {
    serde_json::from_str(written.changes[at].text.as_deref().unwrap()).unwrap()
}

#[test]
fn a_new_key_is_shown_once_and_lets_its_holder_in() {
    let made = done(KeyCall::Create, None, r#"{"name":"alice","tenant":"acme","models":["openai/*"]}"#).unwrap();
    let key = made.body["key"].as_str().unwrap();
    assert!(key.starts_with("pk-v1_") && key.len() == 55 && is_well_formed(key), "{key}");
    assert_eq!((made.status, made.body["id"].as_str()), (201, Some(digest(key).as_str())));
    assert_eq!(made.changes[0].name, format!("key:{}", digest(key)));
    let stored = made.changes[0].text.as_deref().unwrap();
    assert!(!stored.contains(key) && stored.contains(&key[51..]), "{stored}");
    assert_eq!(text_of(&made, 0)["created"], "2026-11-23T00:00:00Z");
    let caller = admit(Some(key), Locks { entry: Some(stored), ..Locks::default() }, NOW).unwrap();
    assert_eq!((caller.name.as_str(), caller.tenant.as_deref(), caller.id), ("alice", Some("acme"), digest(key)));
    let shown = done(KeyCall::Show(&digest(key)), Some(stored), "").unwrap();
    assert!(!shown.text().contains(key) && shown.changes.is_empty());
    assert_eq!(shown.etag, made.etag);
    assert_eq!(shown.body["entry"], json!({"name": "alice", "tenant": "acme", "models": ["openai/*"]}));
}

#[test]
fn entries_are_changed_and_what_cannot_be_read_is_refused() {
    let current =
        r#"{"name":"ci","tags":["a"],"limits":{"concurrent":5,"requests_per_minute":9},"hint":"abcd","account":"first"}"#;
    for (what, body, expected) in [
        (
            KeyCall::Patch(ID),
            r#"{"tags":null,"limits":{"concurrent":null},"zdr":true}"#,
            Ok(json!({"name": "ci", "limits": {"requests_per_minute": 9}, "zdr": true, "hint": "abcd", "account": "first"})),
        ),
        (KeyCall::Replace(ID), r#"{"name":"new"}"#, Ok(json!({"name": "new", "hint": "abcd", "account": "first"}))),
        (
            KeyCall::Disable(ID),
            "",
            Ok(json!({"name": "ci", "tags": ["a"], "limits": {"concurrent": 5, "requests_per_minute": 9},
                "hint": "abcd", "account": "first", "disabled": true})),
        ),
        (KeyCall::Patch(ID), r#"{"name":null}"#, Err((400, "`name` is required"))),
        (KeyCall::Patch(ID), r#"{"zz":1}"#, Err((400, "`zz` is an unknown field. The fields here are: name, tenant"))),
        (KeyCall::Replace(ID), r#"{"name":"x","account":"other"}"#, Err((400, "`account` is an unknown field"))),
        (KeyCall::Patch(ID), r#"{"limits":{"concurrent":0}}"#, Err((400, "`limits.concurrent` must be from 1"))),
        (KeyCall::Patch(ID), "[]", Err((400, "must be an object"))),
        (KeyCall::Create, r#"{"name":"x","endpoints":["embed"]}"#, Err((400, "`embed` is none of them"))),
        (KeyCall::Create, "{", Err((400, "not valid JSON"))),
        (KeyCall::Rotate(ID), r#"{"overlap":1}"#, Err((400, "The field here is: overlap_s."))),
        (KeyCall::Rotate(ID), r#"{"overlap_s":2592001}"#, Err((400, "from 0 to 2592000"))),
    ] {
        match (done(what, Some(current), body), expected) {
            (Ok(written), Ok(entry)) => {
                assert_eq!(text_of(&written, 0), entry, "{what:?} {body}");
                assert_eq!(written.changes[0].was.as_deref(), Some(current));
            }
            (Err(error), Err((status, part))) => {
                assert!(error.status == status && error.message.contains(part), "{what:?} {body}: {}", error.message);
            }
            (got, expected) => unreachable!("{what:?} {body}: {got:?} {expected:?}"),
        }
    }
    let enabled = done(KeyCall::Enable(ID), Some(r#"{"name":"ci","disabled":true}"#), "").unwrap();
    assert_eq!((text_of(&enabled, 0), &enabled.body["state"]), (json!({"name": "ci"}), &json!("active")));
    let deleted = done(KeyCall::Delete(ID), Some("not an entry"), "").unwrap();
    assert_eq!((deleted.changes[0].text.as_deref(), deleted.changes[0].name.as_str()), (None, &*format!("key:{ID}")));
    assert_eq!(done(KeyCall::Show(ID), None, "").unwrap_err().status, 404);
    // One that was broken by hand is shown as it is, and can be replaced or deleted.
    assert_eq!(done(KeyCall::Show(ID), Some("{"), "").unwrap().body["state"], "unreadable");
    assert_eq!(done(KeyCall::Patch(ID), Some("{"), "{}").unwrap_err().status, 409);
    assert!(done(KeyCall::Replace(ID), Some("{"), r#"{"name":"ci"}"#).is_ok());
}

#[test]
fn a_rotated_key_stays_on_its_account_and_the_old_one_ends() {
    let first = r#"{"name":"ci","models":["openai/*"],"hint":"abcd","created":"2026-01-01T00:00:00Z"}"#;
    let made = done(KeyCall::Rotate(ID), Some(first), r#"{"overlap_s":60}"#).unwrap();
    let next = made.body["id"].as_str().unwrap();
    assert!(is_id(next) && made.status == 201);
    let (new, old) = (text_of(&made, 0), text_of(&made, 1));
    assert_eq!((&new["account"], &new["rotated_from"], &new["models"]), (&json!(ID), &json!(ID), &json!(["openai/*"])));
    assert_eq!((&old["rotated_to"], &old["expires"]), (&json!(next), &json!("2026-11-23T00:01:00Z")));
    assert_eq!((made.changes[1].name.as_str(), made.changes[1].was.as_deref()), (&*format!("key:{ID}"), Some(first)));
    assert_eq!(made.body["replaces"]["id"], ID);
    // Through a second rotation too.
    let again = call(
        KeyCall::Rotate(next),
        made.changes[0].text.as_deref(),
        Given { body: "", if_match: None, random: &[8; 32], now: NOW },
    )
    .unwrap();
    assert_eq!((&text_of(&again, 0)["account"], &text_of(&again, 0)["rotated_from"]), (&json!(ID), &json!(next)));
    assert_eq!(text_of(&again, 1)["expires"], "2026-11-24T00:00:00Z", "a day, where nothing is said");
    // Its own end is kept where that is sooner.
    let short = r#"{"name":"ci","expires":"2026-11-23T00:00:30Z"}"#;
    let made = done(KeyCall::Rotate(ID), Some(short), r#"{"overlap_s":60}"#).unwrap();
    assert_eq!(text_of(&made, 1)["expires"], "2026-11-23T00:00:30Z");
    for (current, part) in [
        (made.changes[1].text.as_deref().unwrap(), "rotated already"),
        (r#"{"name":"ci","disabled":true}"#, "is disabled"),
        (r#"{"name":"ci","expires":1}"#, "has expired"),
    ] {
        let error = done(KeyCall::Rotate(ID), Some(current), "").unwrap_err();
        assert!(error.status == 409 && error.message.contains(part), "{}", error.message);
    }
}

#[test]
fn what_was_not_read_is_not_overwritten() {
    let current = r#"{"name":"ci"}"#;
    let tag = format!("\"{}\"", digest_of(Some(current)));
    let documents = Documents { routes: Some("{}".to_owned()), ..Documents::default() };
    let routes = format!("\"{}\"", digest_of(Some("{}")));
    let secrets = SortedMap::new();
    for (if_match, key, present, absent) in [
        (None, Ok(()), Err(428), Ok(())),
        (Some("*"), Ok(()), Ok(()), Err(412)),
        (Some(&*tag), Ok(()), Err(412), Err(412)),
        (Some(&*routes), Err(412), Ok(()), Err(412)),
        (Some(&*format!("\"x\", W/{tag}")), Ok(()), Err(412), Err(412)),
        (Some("x"), Err(412), Err(412), Err(412)),
    ] {
        let given = Given { body: "{}", if_match, random: &RANDOM, now: NOW };
        let status = |result: Result<(), Error>| result.map_err(|error| error.status);
        assert_eq!(status(call(KeyCall::Patch(ID), Some(current), given).map(drop)), key, "{if_match:?}");
        let put = |name| status(documents::put(name, "{}", &documents, if_match, &secrets, false).map(drop));
        assert_eq!((put("routes"), put("settings")), (present, absent), "{if_match:?}");
    }
}

#[test]
fn documents_are_written_only_if_they_hold_together() {
    let documents = Documents { routes: Some(r#"{"a":{"targets":["mock/echo"]}}"#.to_owned()), ..Documents::default() };
    let put = |name, text: &str| documents::put(name, text, &documents, Some("*"), &SortedMap::new(), false).unwrap();
    let good = put("routes", r#"{"b":{"targets":["mock/lorem"]}}"#).unwrap();
    assert_eq!(
        (good.status, good.changes[0].name.as_str(), good.changes[0].was.as_deref()),
        (200, "routes", documents.routes.as_deref())
    );
    for (text, path) in
        [(r#"{"b":{"targets":[]}}"#, "b.targets"), (r#"{"b":{"targets":["nobody/x"]}}"#, "b.targets[0]"), ("{", "")]
    {
        let problems = put("routes", text).unwrap_err();
        assert_eq!(problems["problems"][0]["path"], path, "{problems}");
    }
    assert_eq!(documents::show("routes", &documents).unwrap().0, documents.routes.as_deref().unwrap());
    assert_eq!(documents::show("prices", &documents).unwrap_err().status, 404);
}

#[test]
fn a_list_tells_keys_apart_and_gives_none_away() {
    let row = |id: &str, text: &str| (format!("key:{id}"), Some(text.to_owned()));
    let rows = [
        row("a", r#"{"name":"one","tenant":"acme","hint":"wxyz","expires":1}"#),
        row("b", r#"{"name":"two","disabled":true}"#),
        row("c", "{"),
        ("key:gone".to_owned(), None),
    ];
    for (query, ids, states) in [
        ("", vec!["a", "b", "c"], vec!["expired", "disabled", "unreadable"]),
        ("tenant=acme", vec!["a"], vec!["expired"]),
        ("tenant=default&limit=100", vec!["b", "c"], vec!["disabled", "unreadable"]),
    ] {
        let told: Value = serde_json::from_str(&Page::read(query).unwrap().listed(&rows, Some("next"), NOW)).unwrap();
        let column = |name: &str| -> Vec<String> {
            told["data"].as_array().unwrap().iter().map(|row| row[name].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!((column("id"), column("state")), (own(&ids), own(&states)), "{query}");
        assert_eq!(told["cursor"], "next");
    }
    for query in ["limit=0", "limit=101", "limit=x", "limit", "tenants=acme"] {
        assert_eq!(Page::read(query).unwrap_err().status, 400, "{query}");
    }
    assert_eq!(Page::read("limit=3&cursor=a%3D").unwrap().cursor, "a=");
}

fn own(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}
