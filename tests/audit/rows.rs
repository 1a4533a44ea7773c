//! A chain in a table: written, read again, and cut at its beginning.

use portolan::audit::{
    Broken, Entry, Head, Kind, Pending, State, UNKNOWN, Verifier, append, checkpoint, extend, first_kept, linked,
    read_checkpoint, read_rows, report, verify, write_rows,
};

use super::{NOW, TENANT, chain, pruned};
use crate::admin::openapi::hold;

/// As the table's own query gives it: arrays with commas between.
fn stored(entries: &[Entry]) -> String {
    let rows = write_rows(entries);
    rows[1..rows.len() - 1].to_owned()
}

#[test]
fn rows_become_the_entries_they_were() {
    let (nine, kept) = (chain(TENANT, 9), pruned());
    let dropped = Head { seq: 4, hash: kept[0].previous };
    for (entries, before) in [(&nine[..], None), (&nine[3..6], Some(nine[2].head())), (&kept, Some(dropped)), (&[], None)] {
        assert_eq!(linked(TENANT, before, read_rows(&stored(entries))), entries);
    }
    // What is not the row before says nothing.
    for before in [None, Some(nine[2].head()), Some(nine[7].head())] {
        assert_eq!(linked(TENANT, before, read_rows(&stored(&nine[4..])))[0].previous, UNKNOWN);
    }
    let bodies = (0..9).map(|number: u64| (Kind::Change, number.to_string()));
    assert_eq!(verify(TENANT, &extend(Head::genesis(TENANT), TENANT, bodies.collect(), NOW), &[]).checked, 9);
}

#[test]
fn a_table_with_nonsense_in_it_is_a_broken_chain() {
    let nine = chain(TENANT, 9);
    let text = stored(&nine);
    let hash = nine[4].head();
    let hash = portolan::wire::digest::hex(&hash.hash);
    for (what, text, found) in [
        ("a hash in capitals", text.replace(&hash, &hash.to_uppercase()), (5, Broken::Changed)),
        ("no hash", text.replace(&format!("\"{hash}\""), "null"), (5, Broken::Changed)),
        ("a time that is none", text.replace("[5,1795428307004,", "[5,\"now\","), (5, Broken::Changed)),
        ("a time before all", text.replace("[5,1795428307004,", "[5,-1,"), (5, Broken::Changed)),
        ("a number that is none", text.replace("[5,1795428307004,", "[5.5,1795428307004,"), (0, Broken::OutOfOrder { after: 4 })),
    ] {
        let entries = linked(TENANT, None, read_rows(&text));
        assert_eq!(entries.len(), 9, "{what}");
        assert_eq!(verify(TENANT, &entries, &[]).broken, Some(found), "{what}");
    }
}

#[test]
fn the_oldest_are_dropped_when_there_are_a_tenth_too_many() {
    for (first, last, max, kept) in [
        (1, 0, 10, None),
        (1, 10, 10, None),
        (1, 11, 10, None),
        (1, 12, 10, Some(3)),
        (990, 1_000, 10, None),
        (900, 1_000, 10, Some(991)),
    ] {
        assert_eq!(first_kept(first, last, max), kept, "{first} {last} {max}");
    }
    let before = Head { seq: 4, hash: [7; 32] };
    assert_eq!(read_checkpoint(&checkpoint(5, &before.hash)), Some(before));
    for wrong in ["", "{}", r#"{"first":0,"previous":""}"#, r#"{"first":5}"#] {
        assert_eq!(read_checkpoint(wrong), None, "{wrong}");
    }
}

/// Each time that it was dropped from, and however often.
#[test]
fn a_chain_that_is_dropped_from_again_and_again_holds() {
    let mut kept = chain(TENANT, 3);
    for round in 0..40 {
        let head = kept.last().unwrap().head();
        kept.push(append(head, TENANT, (Kind::Request, "{}".to_owned()), NOW));
        if let Some(first) = first_kept(kept[0].seq, head.seq + 1, 5) {
            let before = kept.iter().find(|entry| entry.seq + 1 == first).unwrap().hash;
            let head = kept.last().unwrap().head();
            kept.push(append(head, TENANT, (Kind::Checkpoint, checkpoint(first, &before)), NOW));
            kept.retain(|entry| entry.seq >= first);
        }
        let verdict = verify(TENANT, &kept, &[]);
        assert_eq!(verdict.broken, None, "{round}");
        assert!(kept.len() <= 6, "{round}: {}", kept.len());
    }
}

#[test]
fn questions_and_answers_cross_as_they_were_meant() {
    let nine = chain(TENANT, 9);
    let page = report::Page { after: 17, limit: 50 };
    assert_eq!(report::Page::read(&page.write()), page);
    let mut verifier = Verifier::new(TENANT, &[], State::default());
    assert!(nine[..4].iter().all(|entry| verifier.take(entry)));
    let state = verifier.pause().unwrap();
    let next = report::next_turn(&report::turn(&state)).unwrap();
    let published = vec![nine[2].head(), nine[8].head()];
    assert_eq!(report::read_turn(&report::ask_turn(&next, &published)), (state, published.clone()));
    assert_eq!(report::read_turn("{}"), (State::default(), vec![]));

    let text = |entries: &[Entry]| report::verdict(TENANT, &verify(TENANT, entries, &published), &serde_json::Value::Null);
    assert_eq!(report::next_turn(&text(&nine)), None);
    let said: serde_json::Value = serde_json::from_str(&text(&nine)).unwrap();
    assert_eq!((&said["ok"], &said["entries"], &said["first"]), (&true.into(), &9.into(), &1.into()));
    assert!(said.get("broken").is_none());
    hold("Verdict", &said);
    let said: serde_json::Value = serde_json::from_str(&text(&nine[..5])).unwrap();
    assert_eq!((&said["ok"], &said["broken"]["seq"]), (&false.into(), &9.into()));
    assert_eq!(said["broken"]["what"], "truncated");
    hold("Verdict", &said);
    let head = report::head(TENANT, nine[8].head(), &serde_json::Value::Null);
    hold("AuditHead", &serde_json::from_str(&head).unwrap());

    assert_eq!(report::lines(&nine).lines().count(), 9);
    for (limit, next) in [(9, serde_json::Value::from(9)), (10, serde_json::Value::Null)] {
        let said: serde_json::Value = serde_json::from_str(&report::page(&nine, limit)).unwrap();
        assert_eq!((said["data"].as_array().unwrap().len(), &said["next"]), (9, &next));
        hold("AuditPage", &said);
    }
}

#[test]
fn a_publication_that_has_begun_is_remembered() {
    let pending = Pending { head: chain(TENANT, 3)[2].head(), at: NOW, told: vec!["bucket".to_owned()] };
    assert_eq!(Pending::read(&pending.write()), Some(pending.clone()));
    for (after, wait) in [(0, 5_000), (7_000, 7_000), (9_000_000, 300_000)] {
        assert_eq!(pending.again(NOW.plus(after)), NOW.plus(after + wait), "{after}");
    }
    assert_eq!(Pending::read(""), None);
}
