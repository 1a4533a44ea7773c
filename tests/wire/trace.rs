//! `traceparent`, read as strictly as it is written.

use portolan::wire::trace::{Trace, is_traceparent, try_span};

const ID: &str = "req_0123456789ab4def8123456789abcdef";
const GOOD: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

#[test]
fn a_valid_header_is_followed_and_any_other_is_as_none() {
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let parent = "00f067aa0ba902b7";
    for (text, sampled) in [
        (GOOD.to_owned(), Some(true)),
        (format!("00-{trace}-{parent}-00"), Some(false)),
        (format!("00-{trace}-{parent}-02"), Some(false)),
        (format!("00-{trace}-{parent}-ff"), Some(true)),
        (format!("cc-{trace}-{parent}-01"), Some(true)),
        (format!("cc-{trace}-{parent}-01-what-comes-later"), Some(true)),
        (format!("cc-{trace}-{parent}-01-"), Some(true)),
        (format!("cc-{trace}-{parent}-01.more"), None),
        (format!("00-{trace}-{parent}-01-"), None),
        (format!("00-{trace}-{parent}-01-more"), None),
        (format!("ff-{trace}-{parent}-01"), None),
        (format!("0-{trace}-{parent}-01"), None),
        (format!("00-{trace}-{parent}-1"), None),
        (format!("00-{trace}-{parent}"), None),
        (format!("00-{trace}-{parent}-0g"), None),
        (format!("00-{trace}-{parent}-01 "), None),
        (format!(" 00-{trace}-{parent}-01"), None),
        (format!("00-{}-{parent}-01", trace.to_uppercase()), None),
        (format!("00-{trace}-{}-01", parent.to_uppercase()), None),
        (format!("00-{}-{parent}-01", "0".repeat(32)), None),
        (format!("00-{trace}-{}-01", "0".repeat(16)), None),
        (format!("00-{}-{parent}0-01", &trace[1..]), None),
        (format!("00_{trace}_{parent}_01"), None),
        (format!("{GOOD}, {GOOD}"), None),
        (format!("00-{}\u{e4}-{parent}-01", &trace[2..]), None),
        (String::new(), None),
        ("00-1-2-01".to_owned(), None),
    ] {
        let read = Trace::of(ID, Some(&text));
        assert_eq!(read.is_sampled(), sampled, "{text}");
        assert_eq!(is_traceparent(&text), sampled.is_some(), "{text}");
        let expected = sampled.map_or(&ID[4..], |_| trace);
        assert_eq!((read.trace_id.as_str(), read.parent.as_deref()), (expected, sampled.map(|_| parent)), "{text}");
        assert_eq!(read.span_id, "8123456789abcdef", "of the request's own id, whatever the caller says");
    }
}

#[test]
fn what_goes_on_names_the_span_and_no_flag_that_is_not_known() {
    for (text, sampled, header) in [
        (Some(GOOD), true, "00-4bf92f3577b34da6a3ce929d0e0e4736-8123456789abcdf0-01"),
        (
            Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-fe"),
            false,
            "00-4bf92f3577b34da6a3ce929d0e0e4736-8123456789abcdf0-02",
        ),
        (None, true, "00-0123456789ab4def8123456789abcdef-8123456789abcdf0-03"),
        (None, false, "00-0123456789ab4def8123456789abcdef-8123456789abcdf0-02"),
    ] {
        let trace = Trace::of(ID, text);
        let written = trace.header(&try_span(&trace.span_id, 0), sampled);
        assert_eq!(written, header);
        assert_eq!(Trace::of("req_x", Some(&written)).is_sampled(), Some(sampled));
    }
}

#[test]
fn spans_of_a_request_are_its_own() {
    let trace = Trace::of("another kind of id", None);
    assert_eq!((trace.trace_id.len(), trace.span_id.len()), (32, 16));
    assert_eq!(trace, Trace::of("another kind of id", None));
    assert_ne!(trace.trace_id, Trace::of("another kind of ID", None).trace_id);
    let mut spans: Vec<String> = (0..8).map(|n| try_span("ffffffffffffffff", n)).chain([trace.span_id]).collect();
    spans.sort();
    spans.dedup();
    assert_eq!((spans.len(), spans.iter().all(|s| s.len() == 16)), (9, true));
}
