//! What is owed for a request whose client left: what a provider was sent and has said, never nothing and never more.

use portolan::{
    dialect::{Dialect, surface::Operation},
    exchange::{Hedging, Side, Step},
    ledger::record::Record,
    wire::multipart,
};

use super::{
    driver::{Case, START, gateway},
    script::{Answer, Ending::Stall, block_start, error, message_start, role, says, served, silent, stream, usage},
};

/// Tokens of `Hello` in a conversation, reckoned.
const HELLO: u64 = 9;

/// Input and output tokens, cost in millionths of a dollar times a million tokens, and whether it is estimated.
type Bill = Option<(u64, u64, u64, bool)>;

fn bill(record: &Record) -> Bill {
    let usage = record.usage?;
    Some((usage.prompt(), usage.output, record.cost.unwrap().0 / 1_000, record.estimated))
}

#[test]
fn what_was_sent_to_a_provider_is_paid_whenever_the_client_leaves() {
    let (chat, chat_stream) = (|| Case::chat("alpha/small"), || Case::chat_stream("alpha/small"));
    let message = || Case::of(Dialect::Anthropic, "gamma/claude", true);
    let bytes = u64::try_from(chat_stream().body.len()).unwrap();
    let begun = |frames: &[String]| stream(frames).wait(frames.len() - 1, 0).ending(Stall);
    let late = |status, frames: Answer| Answer { status, ..frames.wait(0, 5_000) };
    let rows: [(&str, Case, Vec<Answer>, Bill); 9] = [
        ("nobody has answered", chat(), vec![silent()], Some((HELLO, 0, HELLO * 1_250, true))),
        ("the same of a stream", chat_stream(), vec![silent()], Some((HELLO, 0, HELLO * 1_250, true))),
        ("the answer is on its way", chat(), vec![late(200, served())], Some((HELLO, 0, HELLO * 1_250, true))),
        ("a stream began, and says nothing", chat_stream(), vec![begun(&[role()])], {
            let input = bytes.div_ceil(4);
            Some((input, 0, input * 1_250, true))
        }),
        ("a stream in the middle", chat_stream(), vec![begun(&[role(), says("Hi "), says("there")])], {
            let input = bytes.div_ceil(4);
            Some((input, 2, input * 1_250 + 20_000, true))
        }),
        // 6 tokens, 4 of the cache, and one of the answer.
        (
            "the prompt was counted",
            message(),
            vec![begun(&[message_start(), block_start()])],
            Some((10, 1, 6 * 3_000 + 4 * 300 + 15_000, false)),
        ),
        ("it refuses", chat(), vec![late(503, error(503, "x", "Down."))], None),
        ("it has refused, and is asked again", chat(), vec![error(503, "x", "Down.").header("retry-after", "2")], None),
        (
            "only the second is at work",
            Case::chat("alpha/small,beta/large"),
            vec![error(401, "x", "No."), silent()],
            Some((HELLO, 0, HELLO * 2_000, true)),
        ),
    ];
    for (what, case, answers, owed) in rows {
        let run = Case { leaves_at: Some(1_000), ..case }.run(answers);
        let record = run.record();
        assert_eq!((record.outcome, bill(record)), ("gone", owed), "{what}");
    }
}

#[test]
fn what_was_said_before_another_target_went_on_is_paid_as_well() {
    let case = Case { on_break: portolan::config::OnStreamBreak::Continue, ..Case::chat_stream("alpha/small,beta/large") };
    let begun = stream([role(), says("Hi "), usage()]).ending(super::script::Ending::Cut);
    let alone = case.clone().run([begun.clone(), stream([role(), says("there"), super::script::stop(), usage()])]);
    let run = Case { leaves_at: Some(1_000), ..case }.run([begun, silent()]);
    let (tokens, _, cost, estimated) = bill(run.record()).unwrap();
    assert_eq!(run.record().outcome, "gone");
    // The first's 10 in (4 of them cached) and 5 out, and the second's prompt.
    assert!(
        tokens > 10 + HELLO && cost == 6 * 1_250 + 4 * 125 + 5 * 10_000 + (tokens - 10) * 2_000 && estimated,
        "{tokens} {cost}"
    );
    assert!(bill(alone.record()).unwrap().2 > cost);
}

#[test]
fn each_of_two_at_work_is_paid() {
    let route = r#"{"two": {"targets": ["alpha/small", "beta/large"], "hedge": {"after": 1000}}}"#;
    let mut exchange = Case::with(gateway(route, ""), Dialect::OpenAiChat, "two", true).exchange();
    assert!(matches!(exchange.next(START), Step::Send(_)));
    assert_eq!(exchange.hedge(START.plus(1_000)), Hedging::Begun);
    exchange.turn(Side::Second);
    assert!(matches!(exchange.next(START.plus(1_000)), Step::Send(_)));
    exchange.close(START.plus(1_500));
    let record = exchange.record(START.plus(1_500));
    assert_eq!(bill(&record), Some((2 * HELLO, 0, HELLO * (1_250 + 2_000), true)));
}

#[test]
fn what_was_never_sent_costs_nothing() {
    let mut exchange = Case::chat("alpha/small").exchange();
    exchange.close(START.plus(10));
    assert_eq!(bill(&exchange.record(START.plus(10))), None);
}

/// A picture to be changed is no prompt of millions of tokens.
#[test]
fn the_bytes_of_a_picture_are_no_words() {
    let picture = "x".repeat(1 << 20);
    let body = format!(
        "--b\r\ncontent-disposition: form-data; name=\"model\"\r\n\r\nalpha/small\r\n--b\r\ncontent-disposition: form-data; \
         name=\"image\"; filename=\"a.png\"\r\n\r\n{picture}\r\n--b--\r\n"
    );
    let of_type = "multipart/form-data; boundary=b";
    assert!(multipart::boundary(of_type).is_some());
    let case = Case::operation_of(Operation::Image, Dialect::OpenAiChat, &body, of_type);
    let run = Case { leaves_at: Some(1_000), ..case }.run([silent()]);
    assert_eq!(bill(run.record()), Some((1_000, 0, 1_250_000, true)));
}
