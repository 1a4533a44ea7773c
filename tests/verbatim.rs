//! Bodies of the caller's own dialect: what is not edited keeps its bytes.

use portolan::wire::json::{Edit, Outline, Piece, join};

const ODD: &str = "  {\"a\" : 1e2,\n \"model\": \"x\" , \"\\u00e9\":\"\\ud83d\\ude00\", \"n\":18446744073709551616123, \"deep\":{\"model\":\"no\",\"b\":[1,{\"c\":null}]}}\n";

fn edited(body: &str, edits: &[Edit]) -> String {
    join(body, &Outline::read(body.as_bytes()).unwrap().edit(edits))
}

#[test]
fn no_edit_is_the_very_bytes() {
    let pieces = Outline::read(ODD.as_bytes()).unwrap().edit(&[]);
    assert_eq!(pieces, [Piece::Kept(0..ODD.len())]);
    let same = Edit::Set("model".into(), "\"x\"".into());
    assert_eq!(Outline::read(ODD.as_bytes()).unwrap().edit(&[same]), [Piece::Kept(0..ODD.len())]);
}

#[test]
fn edits_change_their_member_and_nothing_else() {
    let (a, b) = (r#"{"a": 1, "b" : 2 ,"c":3}"#, "{}");
    let set = |k: &'static str, v: &str| Edit::Set(k.into(), v.into());
    let remove = |k: &'static str| Edit::Remove(k.into());
    for (body, edits, expected) in [
        (a, vec![set("b", "[9]")], r#"{"a": 1, "b" : [9] ,"c":3}"#),
        (a, vec![remove("a")], r#"{"b" : 2 ,"c":3}"#),
        (a, vec![remove("b")], r#"{"a": 1,"c":3}"#),
        (a, vec![remove("c")], r#"{"a": 1, "b" : 2}"#),
        (a, vec![remove("a"), remove("b"), remove("c")], "{}"),
        (a, vec![set("d", "4")], r#"{"d":4,"a": 1, "b" : 2 ,"c":3}"#),
        (a, vec![set("d", "4"), set("e", "5"), remove("a")], r#"{"d":4,"e":5,"b" : 2 ,"c":3}"#),
        (
            a,
            vec![Edit::Default("a".into(), "7".into()), Edit::Default("z".into(), "7".into())],
            r#"{"z":7,"a": 1, "b" : 2 ,"c":3}"#,
        ),
        (a, vec![Edit::Rename("b".into(), "bb".into())], r#"{"a": 1, "bb": 2 ,"c":3}"#),
        (a, vec![Edit::Rename("b".into(), "c".into())], r#"{"a": 1,"c":3}"#),
        // A reader without regard for case would take the caller's for what is put beside it.
        (r#"{"moDel":"dear","n":1}"#, vec![Edit::Set("model".into(), "\"cheap\"".into())], r#"{"model":"cheap","n":1}"#),
        (r#"{"a":1,"Stream":true}"#, vec![Edit::Default("stream".into(), "false".into())], r#"{"stream":false,"a":1}"#),
        (r#"{"a":1,"C":2}"#, vec![Edit::Rename("a".into(), "c".into())], r#"{"c":1}"#),
        (b, vec![set("a", "1")], r#"{"a":1}"#),
        (b, vec![set("a", "1"), set("b", "2")], r#"{"a":1,"b":2}"#),
    ] {
        let out = edited(body, &edits);
        assert_eq!(out, expected, "{edits:?}");
        assert!(Outline::read(out.as_bytes()).is_ok(), "{out}");
    }
}

#[test]
fn what_is_not_an_object_is_refused_with_its_place() {
    for (body, part) in [
        ("", "must be a JSON object"),
        ("[1]", "must be a JSON object"),
        ("{\"a\":1", "expected a comma or the end (byte 6)"),
        ("{\"a\":tru}", "expected a value"),
        ("{\"a\":01}", "expected a comma"),
        ("{\"a\":1.}", "expected a digit"),
        ("{\"a\":\"\\x\"}", "bad escape"),
        ("{\"a\":\"\\u12g4\"}", "bad \\u escape"),
        ("{\"a\":\"\n\"}", "control character"),
        ("{\"a\":1} x", "text after the object"),
        ("{\"a\":[1,]}", "expected a value"),
        ("{\"a\":{\"b\":1,}}", "expected a string"),
        ("{\"model\":1,\"\\u006dodel\":2}", "there twice"),
    ] {
        let error = Outline::read(body.as_bytes()).err().map(|e| e.message.clone()).unwrap_or_default();
        assert!(error.contains(part), "{body:?}: {error}");
    }
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(200), "]".repeat(200));
    assert!(Outline::read(deep.as_bytes()).err().is_some_and(|e| e.message.contains("deep")));
    assert!(Outline::read(b"{\"a\":\"\xff\"}").is_err());
}

#[test]
fn every_prefix_of_a_body_is_refused_and_none_panics() {
    for cut in 0..ODD.trim_end().len() {
        assert!(Outline::read(ODD.as_bytes().get(..cut).unwrap()).is_err(), "cut at {cut}");
    }
}

#[test]
fn a_name_is_seen_wherever_it_stands_and_not_inside_a_text() {
    use portolan::wire::json::names_any;
    for at in 0..200 {
        let body = format!("[{}{{\"images\":1}}]", " ".repeat(at));
        assert!(names_any(&body, &["x", "images"]), "{at}");
        assert!(!names_any(&body, &["image", "mages", "imagess"]), "{at}");
        let inside = format!("[\"{}say \\\"images\\\" twice\"]", "a".repeat(at));
        assert!(!names_any(&inside, &["images"]), "{inside}");
    }
    assert!(!names_any("\"images", &["images"]) && !names_any("", &["images"]));
}
