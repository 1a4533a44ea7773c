//! Secrets of the Secrets Store: while it fails, what it gave before is used, and not for ever.

use portolan::{
    config::{Given, Secrets},
    units::Millis,
};

const NAME: &str = "LAB_KEY";

#[test]
fn a_store_that_fails_is_said_and_outlived_for_a_while() {
    let mut given = Given::default();
    for (at, answer, found, warning) in [
        (0, Err("Secret not found"), None, Some("`LAB_KEY`: Secret not found")),
        (1, Ok("first"), Some("first"), None),
        (60_000, Ok("second"), Some("second"), None),
        (600_000, Err("away"), Some("second"), Some("`LAB_KEY`; what it gave before is used for ten minutes: away")),
        (659_999, Err("away"), Some("second"), Some("ten minutes")),
        (660_000, Err("away"), None, Some("`LAB_KEY`: away")),
        (660_001, Ok(""), None, None),
        (660_002, Err("away"), None, Some("`LAB_KEY`: away")),
    ] {
        let mut secrets = Secrets::default();
        let answer = answer.map(str::to_owned).map_err(str::to_owned);
        secrets.add(NAME, answer, &mut given, Millis(at));
        assert_eq!(secrets.found.get(NAME).map(String::as_str), found, "at {at}");
        let warnings: Vec<String> = secrets.warnings().collect();
        assert_eq!(warnings.len(), usize::from(warning.is_some()), "at {at}: {warnings:?}");
        assert!(warnings.iter().all(|words| words.contains(warning.unwrap())), "at {at}: {warnings:?}");
    }
}

#[test]
fn what_the_store_gave_is_asked_again_after_a_minute() {
    let (mut given, mut secrets) = (Given::default(), Secrets::default());
    secrets.add(NAME, Ok("text".to_owned()), &mut given, Millis(1_000));
    for (at, known) in [(1_000, true), (60_999, true), (61_000, false)] {
        assert_eq!(given.fresh(NAME, Millis(at)).is_some(), known, "at {at}");
    }
    assert_eq!(given.fresh("OTHER", Millis(1_000)), None);
}

#[test]
fn words_of_the_platform_are_cut() {
    let mut secrets = Secrets::default();
    secrets.add(NAME, Err("x".repeat(5_000)), &mut Given::default(), Millis(0));
    assert!(secrets.warnings().all(|words| words.len() < 400));
}
