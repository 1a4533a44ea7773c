//! The chain of a tenant: what was done to it, and what its verifier says.

mod rows;
mod twin;

use portolan::{
    audit::{
        Broken, Change, Entry, Head, Kind, Published, State, UNKNOWN, Verdict, Verifier, append, checkpoint, digest, due,
        fingerprint, read_head, read_line, request, verify, write_head, write_line,
    },
    units::Millis,
};

const TENANT: &str = "acme";
/// 2026-11-23T10:05:07Z
const NOW: Millis = Millis(1_795_428_307_000);

fn chain(tenant: &str, length: u64) -> Vec<Entry> {
    let mut head = Head::genesis(tenant);
    let kinds = [Kind::Change, Kind::Request, Kind::Head];
    let link = |(number, kind): (u64, Kind)| {
        let body = request(&format!("req_{number}"), &digest(&number.to_string()));
        let entry = append(head, tenant, (kind, body), NOW.plus(number));
        head = entry.head();
        entry
    };
    (0..length).zip(kinds.into_iter().cycle()).map(link).collect()
}

/// Nine entries of which the first four were dropped.
fn pruned() -> Vec<Entry> {
    let mut entries = chain(TENANT, 8);
    let said = checkpoint(5, &entries[3].hash);
    entries.push(append(entries[7].head(), TENANT, (Kind::Checkpoint, said), NOW));
    entries.split_off(4)
}

fn said(entries: &[Entry], published: &[Head]) -> Option<(u64, Broken)> {
    verify(TENANT, entries, published).broken
}

#[test]
fn a_chain_that_nobody_touched_holds() {
    let (nine, kept) = (chain(TENANT, 9), pruned());
    for (entries, published, (checked, first, last), (heads, heads_before)) in [
        (&[][..], vec![], (0, 1, 0), (0, 0)),
        (&nine, vec![], (9, 1, 9), (0, 0)),
        (&nine, vec![nine[8].head(), nine[2].head()], (9, 1, 9), (2, 0)),
        (&kept, vec![], (5, 5, 9), (0, 0)),
        (&kept, vec![nine[1].head(), nine[3].head(), nine[6].head()], (5, 5, 9), (1, 2)),
        // A part of an export, after an entry whose head is known.
        (&nine[6..], vec![nine[5].head()], (3, 7, 9), (0, 1)),
    ] {
        let verdict = verify(TENANT, entries, &published);
        let head = entries.last().map_or_else(|| Head::genesis(TENANT), Entry::head);
        assert_eq!(verdict, Verdict { checked, first, head, heads, heads_before, broken: None });
        assert_eq!(verdict.head.seq, last);
    }
}

type Deed = fn(&mut Vec<Entry>);

/// What can be done to nine entries, and where it shows.
fn deeds() -> [(&'static str, Deed, u64, Broken); 18] {
    [
        ("a body", |all| all[4].body.push(' '), 5, Broken::Changed),
        ("a time", |all| all[4].time = Millis(0), 5, Broken::Changed),
        ("a kind", |all| all[4].kind = "request ".to_owned(), 5, Broken::Changed),
        ("a hash", |all| all[8].hash[31] ^= 1, 9, Broken::Changed),
        ("a hash made to fit", |all| change(&mut all[4]), 6, Broken::Unlinked),
        ("a link", |all| all[4].previous[0] ^= 1, 5, Broken::Unlinked),
        ("the first link", |all| all[0].previous[0] ^= 1, 1, Broken::Unlinked),
        ("a number", |all| all[4].seq = 50, 50, Broken::Missing { after: 4 }),
        ("one out", |all| drop(all.remove(4)), 6, Broken::Missing { after: 4 }),
        ("three out", |all| drop(all.drain(3..6)), 7, Broken::Missing { after: 3 }),
        ("one out, numbers closed up", |all| close_up(all, 4), 5, Broken::Unlinked),
        ("one twice", |all| all.insert(5, all[4].clone()), 5, Broken::OutOfOrder { after: 5 }),
        ("an old one again", |all| all.push(all[1].clone()), 2, Broken::OutOfOrder { after: 9 }),
        ("two swapped", |all| all.swap(4, 5), 6, Broken::Missing { after: 4 }),
        ("the contents of two swapped", |all| swap_contents(all, 4, 5), 5, Broken::Changed),
        ("one of another tenant", |all| all[4] = chain("other", 5).remove(4), 5, Broken::Foreign("other".to_owned())),
        ("another tenant's, renamed", |all| rename(&mut all[4]), 5, Broken::Unlinked),
        ("the beginning", |all| drop(all.drain(..2)), 3, Broken::Beheaded),
    ]
}

#[test]
fn what_was_done_to_a_chain_is_named() {
    for (what, deed, seq, broken) in deeds() {
        let mut entries = chain(TENANT, 9);
        deed(&mut entries);
        assert_eq!(said(&entries, &[]), Some((seq, broken.clone())), "{what}");
        assert!(broken.words(seq).contains(&seq.to_string()) || matches!(broken, Broken::Missing { .. }), "{what}");
    }
}

fn change(entry: &mut Entry) {
    entry.body.push(' ');
    entry.hash = entry.digest();
}

fn close_up(all: &mut Vec<Entry>, at: usize) {
    all.remove(at);
    for entry in &mut all[at..] {
        entry.seq -= 1;
        entry.hash = entry.digest();
    }
}

fn swap_contents(all: &mut [Entry], one: usize, other: usize) {
    let (first, second) = (all[one].clone(), all[other].clone());
    all[one] = Entry { seq: first.seq, previous: first.previous, ..second.clone() };
    all[other] = Entry { seq: second.seq, previous: all[one].hash, ..first };
}

fn rename(entry: &mut Entry) {
    *entry = Entry { tenant: TENANT.to_owned(), ..chain("other", 5).remove(4) };
    entry.hash = entry.digest();
}

/// What a chain cannot tell of itself, a head tells that was kept elsewhere.
#[test]
fn published_heads_find_what_was_made_to_fit() {
    let honest = chain(TENANT, 9);
    let mut rewritten = honest[..3].to_vec();
    for number in 3..9 {
        let fits = append(rewritten[number - 1].head(), TENANT, (Kind::Change, "{}".to_owned()), NOW);
        rewritten.push(fits);
    }
    let published = |seq: usize| honest[seq - 1].head();
    for (what, entries, heads, found) in [
        ("the tail", &honest[..7], vec![published(3), published(9)], Some((9, Broken::Truncated { last: 7 }))),
        ("all of it", &[][..], vec![published(2)], Some((2, Broken::Truncated { last: 0 }))),
        ("the tail, unpublished", &honest[..7], vec![published(7)], None),
        ("rewritten", &rewritten, vec![published(3), published(6)], Some((6, Broken::Rewritten))),
        ("rewritten, unpublished", &rewritten, vec![published(3)], None),
        ("of another chain", &honest, vec![chain("other", 9)[4].head()], Some((5, Broken::Rewritten))),
        ("before the beginning", &honest[4..], vec![rewritten[3].head()], Some((5, Broken::Rewritten))),
    ] {
        assert_eq!(said(entries, &heads), found, "{what}");
    }
}

#[test]
fn only_a_checkpoint_lets_a_chain_begin_late() {
    let kept = pruned();
    let mut other = kept.clone();
    other[4].body = checkpoint(4, &kept[0].previous);
    other[4].hash = other[4].digest();
    let mut unknown = kept.clone();
    unknown[0].previous = UNKNOWN;
    for (what, entries, found) in [
        ("as it was dropped", kept.clone(), None),
        ("one more is gone", kept[1..].to_vec(), Some((6, Broken::Beheaded))),
        ("without its checkpoint", kept[..4].to_vec(), Some((5, Broken::Beheaded))),
        ("a checkpoint of something else", other, Some((5, Broken::Beheaded))),
        ("nothing says what was before", unknown, Some((5, Broken::Beheaded))),
    ] {
        assert_eq!(said(&entries, &[]), found, "{what}");
    }
}

/// With the last head known, whatever is done to the lines of an export is found.
#[test]
fn no_change_of_any_byte_goes_unnoticed() {
    for entries in [chain(TENANT, 5), pruned()] {
        let head = [entries[4].head()];
        assert_eq!(said(&entries, &head), None);
        for (at, entry) in entries.iter().enumerate() {
            let line = write_line(entry);
            for byte in 0..line.len() {
                for bit in [1, 2, 16] {
                    let mut bytes = line.clone().into_bytes();
                    bytes[byte] ^= bit;
                    let changed = String::from_utf8(bytes).ok().and_then(|line| read_line(&line));
                    // No line, or one that says the same: a digit of a number cannot.
                    let Some(changed) = changed.filter(|changed| changed != entry) else { continue };
                    let mut all = entries.clone();
                    all[at] = changed;
                    assert!(said(&all, &head).is_some(), "byte {byte} of {line}");
                }
            }
        }
    }
}

#[test]
fn no_deletion_insertion_or_swap_goes_unnoticed() {
    for entries in [chain(TENANT, 9), pruned()] {
        let head = [entries.last().unwrap().head()];
        for one in 0..entries.len() {
            let mut all = entries.clone();
            all.remove(one);
            assert!(said(&all, &head).is_some(), "without {one}");
            for other in 0..=entries.len() {
                let mut all = entries.clone();
                all.insert(other, entries[one].clone());
                assert!(said(&all, &head).is_some(), "{one} again at {other}");
                let mut all = entries.clone();
                let before = other.checked_sub(1).map_or_else(|| Head::genesis(TENANT), |before| entries[before].head());
                all.insert(other, append(before, TENANT, (Kind::Change, "{}".to_owned()), NOW));
                // At the end it is the next one.
                assert_eq!(said(&all, &head).is_none(), other == entries.len(), "a new one at {other}");
                if other < entries.len() && other != one {
                    let mut all = entries.clone();
                    all.swap(one, other);
                    assert!(said(&all, &head).is_some(), "{one} for {other}");
                }
            }
        }
    }
}

/// Two chains of the same entries: where one text ends and the next begins is part of the hash.
#[test]
fn no_two_entries_run_together() {
    let entry = append(Head::genesis(TENANT), TENANT, (Kind::Change, "{}".to_owned()), NOW);
    for (tenant, kind, body) in
        [("acm", "echange", "{}"), ("acmec", "hange", "{}"), ("acme", "change{", "}"), ("acme", "", "change{}")]
    {
        let other = Entry { tenant: tenant.to_owned(), kind: kind.to_owned(), body: body.to_owned(), ..entry.clone() };
        assert_ne!(other.digest(), entry.hash, "{tenant} {kind} {body}");
    }
    assert_ne!(Head::genesis("a").hash, Head::genesis("b").hash);
}

/// A page at a time gives what one pass gives.
#[test]
fn a_verification_goes_on_where_it_paused() {
    let whole = chain(TENANT, 9);
    let mut changed = whole.clone();
    changed[6].body.push(' ');
    let heads = [whole[2].head(), whole[7].head()];
    for entries in [whole, changed, pruned()] {
        for page in 1..=9 {
            let mut state = State::default();
            let mut broken = None;
            for entries in entries.chunks(page) {
                let mut verifier = Verifier::new(TENANT, &heads, State::read(&state.write()));
                let _ = entries.iter().all(|entry| verifier.take(entry));
                match verifier.pause() {
                    Ok(next) => state = next,
                    Err(found) => broken = broken.or(Some(found)),
                }
                if broken.is_some() {
                    break;
                }
            }
            let verdict = Verifier::new(TENANT, &heads, state).finish();
            let once = verify(TENANT, &entries, &heads);
            assert_eq!(broken.clone().or(verdict.broken.clone()), once.broken, "{page}");
            if broken.is_none() {
                assert_eq!(verdict, once, "{page}");
            }
        }
    }
}

#[test]
fn lines_and_heads_are_read_as_they_are_written() {
    let entry = Entry { body: r#"{"name":"a\"\u00fc\nä"}"#.to_owned(), ..chain(TENANT, 1).remove(0) };
    let line = write_line(&entry);
    assert_eq!(read_line(&line), Some(entry.clone()));
    for wrong in [
        String::new(),
        "[]".to_owned(),
        line.replace("\"seq\":1", "\"seq\":1.0"),
        line.replace("\"seq\":1", "\"seq\":-1"),
        line.replace("\"seq\":1", "\"seq\":\"1\""),
        line.replace("\"kind\":", "\"Kind\":"),
        line.replace("{\"tenant\"", "{\"more\":1,\"tenant\""),
        line.replace("\"hash\":\"", "\"hash\":\"0"),
    ] {
        assert_eq!(read_line(&wrong), None, "{wrong}");
    }
    let head = entry.head();
    let published = Published { tenant: TENANT, head, now: NOW };
    for text in [write_head(head), format!(" {}\n", write_head(head)), published.message(), published.note(vec![])] {
        assert_eq!(read_head(&text), Some(head), "{text}");
    }
    for wrong in ["", "1", "1-", "1-abc", "x-00", "{}", "{\"seq\":1}", "[1]", "1"] {
        assert_eq!(read_head(wrong), None, "{wrong}");
    }
}

/// Made with Python's hashlib after the words of docs/audit.md.
#[test]
fn the_format_is_the_one_that_is_documented() {
    let entry = append(Head::genesis("acme"), "acme", (Kind::Change, r#"{"a":"ü"}"#.to_owned()), NOW);
    assert_eq!(write_head(Head::genesis("acme")), "0-0d1b01432740b491afbd89a7f08944513a5f38bd24e1da12fa2a6c53868f639e");
    assert_eq!(write_head(entry.head()), "1-d2f1b3c3d6a6644d14206beb09dd8600a21e9d692f7ee3fc9252eba413522c14");
}

#[test]
fn a_head_is_due_at_first_and_then_each_day_that_something_was_added() {
    let later = NOW.plus(3_600_000);
    assert_eq!(due(TENANT, None, None), None);
    assert_eq!(due(TENANT, None, Some(NOW)), None);
    assert_eq!(due(TENANT, Some(NOW), None), Some(NOW.plus(10_000)));
    for tenant in [TENANT, "other", "@operator"] {
        let next = due(tenant, Some(later), Some(NOW)).unwrap();
        assert_eq!((next.date().as_str(), NOW.date().as_str()), ("2026-11-24", "2026-11-23"), "{tenant}");
        assert!(next.since(NOW.midnight_after()) < 600_000, "{tenant}");
    }
}

#[test]
fn what_is_published_has_a_place_and_a_name_of_its_own() {
    let head = chain("a/b", 3)[2].head();
    let published = Published { tenant: "a/b", head, now: NOW };
    assert_eq!(published.keys(), ["heads/a%2Fb/2026-11-23.json", "heads/a%2Fb/2026-11-23-3.json"]);
    assert!(published.id().len() == 37 && !published.id().contains('.'));
    assert_eq!(published.id(), Published { now: NOW.plus(1), ..published }.id());
    assert!(published.message().contains(r#""timestamp":"2026-11-23T10:05:07Z""#), "{}", published.message());
}

#[test]
fn a_change_names_who_and_what_and_no_content() {
    let change = Change {
        by: fingerprint("hunter2-hunter2"),
        action: "put".to_owned(),
        what: "document",
        name: "settings".to_owned(),
        before: None,
        after: Some(digest("{}")),
        request: "req_1".to_owned(),
    };
    let body: serde_json::Value = serde_json::from_str(&change.body()).unwrap();
    assert_eq!(body["by"], "token:d7fcbf3f");
    assert_eq!(body["before"], serde_json::Value::Null);
    assert_eq!(body["after"], digest("{}"));
    let long = Change { name: "é".repeat(9_000), ..change };
    assert!(long.body().len() < 1_000);
}
