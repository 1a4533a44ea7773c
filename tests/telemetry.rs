//! Tests of the room `telemetry`.

use portolan::{
    telemetry::{Answer, Queue, Verdict, deliveries, judge},
    units::Millis,
};

#[test]
fn an_answer_says_whether_it_is_worth_another_try() {
    let partial = |body: &str| (200, "", body.to_owned());
    for ((status, retry_after, body), first, second) in [
        ((200, "", String::new()), Verdict::Taken { rejected: 0 }, Verdict::Taken { rejected: 0 }),
        (partial("no json"), Verdict::Taken { rejected: 0 }, Verdict::Taken { rejected: 0 }),
        (partial(r#"{"partialSuccess":{}}"#), Verdict::Taken { rejected: 0 }, Verdict::Taken { rejected: 0 }),
        (partial(r#"{"partialSuccess":{"rejectedSpans":"3"}}"#), Verdict::Taken { rejected: 3 }, Verdict::Taken { rejected: 3 }),
        (
            partial(r#"{"partialSuccess":{"rejectedDataPoints":4}}"#),
            Verdict::Taken { rejected: 4 },
            Verdict::Taken { rejected: 4 },
        ),
        ((0, "", String::new()), Verdict::Again(1_000), Verdict::Lost { rest_ms: 10_000 }),
        ((429, "", String::new()), Verdict::Again(1_000), Verdict::Lost { rest_ms: 10_000 }),
        ((429, "3", String::new()), Verdict::Again(3_000), Verdict::Lost { rest_ms: 10_000 }),
        ((503, "60", String::new()), Verdict::Lost { rest_ms: 60_000 }, Verdict::Lost { rest_ms: 60_000 }),
        ((503, "99999999999999999999", String::new()), Verdict::Again(1_000), Verdict::Lost { rest_ms: 10_000 }),
        ((502, "9000", String::new()), Verdict::Lost { rest_ms: 300_000 }, Verdict::Lost { rest_ms: 300_000 }),
        ((504, "soon", String::new()), Verdict::Again(1_000), Verdict::Lost { rest_ms: 10_000 }),
        ((500, "", String::new()), Verdict::Lost { rest_ms: 0 }, Verdict::Lost { rest_ms: 0 }),
        ((400, "1", String::new()), Verdict::Lost { rest_ms: 0 }, Verdict::Lost { rest_ms: 0 }),
        ((302, "", String::new()), Verdict::Lost { rest_ms: 0 }, Verdict::Lost { rest_ms: 0 }),
    ] {
        let answer = Answer { status, retry_after: retry_after.to_owned(), body };
        assert_eq!((judge(&answer, 1), judge(&answer, 2)), (first, second), "{answer:?}");
    }
}

#[test]
fn a_queue_never_grows_beyond_its_room_and_counts_what_it_loses() {
    let mut queue = Queue::default();
    (0..5_000).for_each(|item| queue.push(item));
    assert_eq!((queue.take_lost(), queue.take_lost()), (5_000 - 1_024, 0));
    let first = queue.take(Millis(0));
    assert_eq!((first.len(), first[0]), (256, 0));
    assert_eq!(queue.take(Millis(39_999)), Vec::<i32>::new(), "one at a time");
    (0..256).for_each(|item| queue.push(item));
    // What has no room any more is the end of the batch that came back.
    queue.put_back(first, Millis(10_000));
    assert_eq!((queue.take_lost(), queue.take(Millis(9_999))), (256, vec![]));
    queue.take(Millis(10_000));
    assert!(!queue.is_due(Millis(10_001)));
    // Whoever took it was never heard of again.
    assert!(queue.is_due(Millis(50_000)));
    assert_eq!(queue.take(Millis(50_000)).len(), 256);
    queue.sent();
    assert!(!queue.is_empty() && queue.is_due(Millis(50_000)));
    queue.take(Millis(50_000));
    queue.gave_up(Millis(60_000));
    assert!(!queue.is_due(Millis(59_999)) && queue.is_due(Millis(60_000)));
}

#[test]
fn a_delivery_has_the_records_as_they_are() {
    let body = deliveries(&[r#"{"id":"a"}"#.to_owned(), r#"{"id":"b"}"#.to_owned()], 3, Millis(1_700_000_000_000));
    let expected =
        r#"{"type":"records.created","timestamp":"2023-11-14T22:13:20Z","data":{"lost":3,"records":[{"id":"a"},{"id":"b"}]}}"#;
    assert_eq!(body, expected);
}
