//! What was written of late holds until KV shows it, or something later.

use portolan::{
    config::news::{Item, News, SETTLED_MS, answer, digest_of, read_items},
    units::Millis,
};

const AT: Millis = Millis(1_000_000);

fn item(text: Option<&str>, was: Option<&str>, number: u64) -> Item {
    let mut item = Item::new("routes", text.map(str::to_owned), was, AT);
    item.number = number;
    item
}

fn told(number: u64, kept: &str, items: &[Item]) -> String {
    answer(number, kept, &items.iter().map(Item::write).collect::<Vec<_>>().join(","))
}

#[test]
fn kv_is_behind_while_it_shows_what_was_replaced() {
    // a → b → c, each by the operator's calls.
    let c = item(Some("c"), Some("b"), 2).after(Some(item(Some("b"), Some("a"), 1)));
    // a → nothing → b → a.
    let back = item(Some("a"), Some("b"), 3).after(Some(item(Some("b"), None, 2).after(Some(item(None, Some("a"), 1)))));
    for (what, item, shown, expected) in [
        ("the last", item(Some("b"), Some("a"), 1), Some("b"), Some("b")),
        ("the one before", item(Some("b"), Some("a"), 1), Some("a"), Some("b")),
        ("edited since", item(Some("b"), Some("a"), 1), Some("x"), Some("x")),
        ("deleted since", item(Some("b"), Some("a"), 1), None, None),
        ("older still", c.clone(), Some("a"), Some("c")),
        ("the one between", c.clone(), Some("b"), Some("c")),
        ("edited after two", c, Some("x"), Some("x")),
        ("new, and not there yet", item(Some("b"), None, 1), None, Some("b")),
        ("deleted, and still there", item(None, Some("a"), 1), Some("a"), None),
        ("deleted, and made anew by hand", item(None, Some("a"), 1), Some("b"), Some("b")),
        ("back where it was", back.clone(), Some("a"), Some("a")),
        ("back where it was, and behind", back.clone(), None, Some("a")),
        ("back where it was, and edited", back, Some("x"), Some("x")),
    ] {
        let mut news = News::default();
        assert_eq!(news.learn(&told(9, &item.number.to_string(), &[item]), AT), ["routes"], "{what}");
        assert_eq!(news.over("routes", shown.map(str::to_owned)).as_deref(), expected, "{what}");
        assert_eq!(news.over("prices", Some("x".to_owned())).as_deref(), Some("x"), "of another name");
        assert_eq!(news.number(), 9);
    }
}

#[test]
fn an_isolate_keeps_what_its_object_keeps() {
    let mut news = News::default();
    let shows = |news: &News, shown: &str| news.over("routes", Some(shown.to_owned()));
    news.take(item(Some("b"), Some("a"), 0));
    assert_eq!(shows(&news, "a").as_deref(), Some("b"), "its own, before anybody told it");
    assert!(news.learn(&told(4, "", &[]), AT).is_empty());
    assert_eq!(shows(&news, "a").as_deref(), Some("b"), "the object has not heard of it yet");
    assert!(news.learn(&told(5, "5", &[item(Some("b"), Some("a"), 5)]), AT).is_empty(), "its own is no news");
    assert!(news.learn(&told(6, "5,6", &[]), AT).is_empty());
    assert_eq!(shows(&news, "a").as_deref(), Some("b"));
    news.learn(&told(7, "6", &[]), AT);
    assert_eq!(shows(&news, "a").as_deref(), Some("a"), "the object has let it go");
    // What was never told is let go too, in time.
    news.take(item(Some("b"), Some("a"), 0));
    news.learn(&told(8, "", &[]), AT.plus(SETTLED_MS));
    assert_eq!(shows(&news, "a").as_deref(), Some("a"));
    for broken in ["", "[]", "{}", r#"{"number":99,"kept":[99],"items":7}"#] {
        assert!(news.learn(broken, AT).is_empty());
        assert_eq!(news.number(), 8, "{broken}");
    }
}

#[test]
fn an_object_lets_go_of_what_kv_shows() {
    let item = item(Some("b"), Some("a"), 1);
    let later = AT.plus(SETTLED_MS);
    for (shown, now, expected) in [
        (Some("b"), AT, false),
        (Some("b"), later, true),
        (Some("x"), later, true),
        (None, later, true),
        // However long it takes.
        (Some("a"), later.plus(SETTLED_MS), false),
    ] {
        assert_eq!(item.is_settled(shown, now), expected, "{shown:?}");
    }
}

#[test]
fn items_travel_as_they_are_and_stay_small() {
    let odd = item(Some("{\"a\":\"\\u0000\n,]\"}"), None, 3);
    assert_eq!(Item::read(&odd.write()), Some(odd.clone()));
    assert_eq!(read_items(&format!("[{},{}]", odd.write(), item(None, Some("a"), 4).write())).len(), 2);
    assert!(Item::read("").is_none() && Item::read("{}").is_none());
    let mut last = item(Some("0"), None, 1);
    for n in 1..1_000 {
        let was = (n - 1).to_string();
        last = item(Some(&n.to_string()), Some(&was), 1).after(Some(last));
    }
    assert!(last.write().len() < 2_000, "{}", last.write().len());
    let mut news = News::default();
    news.learn(&told(1, "1", &[last]), AT);
    assert_eq!(news.over("routes", Some("950".to_owned())).as_deref(), Some("999"), "the latest are known");
    assert_ne!(digest_of(None), digest_of(Some("")));
}
