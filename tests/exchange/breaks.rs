//! FAILOVER 5: a stream that broke, gone on with by another target wherever that was.

use portolan::{
    config::OnStreamBreak::Continue,
    dialect::{Dialect, Dialect::OpenAiCompletions},
};
use serde_json::Value;

use super::{
    retold::{Asks, CALLERS, FALLBACKS, TARGETS, WORDS, assert_one_answer, id, read, said, told, whole},
    script::{
        Ending::{Clean, Cut, Stall},
        stream,
    },
};

/// The way the second target goes on with an answer.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    Exactly,
    Anew,
    LastWords,
}

impl Way {
    fn words(self, said: &str) -> Vec<String> {
        let (all, rest) = (whole(), whole()[said.len()..].to_owned());
        let text = match self {
            // White space at the end is not sent along.
            Self::Exactly => all[said.trim_end().len()..].to_owned(),
            Self::Anew if said.len() >= 4 => all,
            Self::LastWords if said.trim_end().chars().count() >= 20 => {
                let said = said.trim_end();
                let at = said.char_indices().rev().nth(15).unwrap().0;
                all[at..].to_owned()
            }
            Self::Anew | Self::LastWords => rest,
        };
        // Cut anew, in other places than the words.
        let chars: Vec<char> = text.chars().collect();
        chars.chunks(5).map(|piece| piece.iter().collect()).collect()
    }
}

fn played(asks: Asks, first: &str, second: &str, way: Way) -> usize {
    let case = asks.case(&format!("{first},{second}"), Continue);
    let dialects: Vec<Dialect> = case.plan().attempts.iter().map(|attempt| attempt.dialect).collect();
    let frames = told(dialects[0], &id(dialects[0], "first"), &WORDS);
    let mut runs = 0;
    for cut in 1..frames.len() {
        let said = said(dialects[0], &frames[..cut]);
        // Before the first word nothing was committed; after the last the answer may be complete.
        if said.is_empty() || said.len() == whole().len() {
            continue;
        }
        let ending = [Cut, Clean, Stall][cut % 3];
        let words = way.words(&said);
        let rest = told(dialects[1], &id(dialects[1], "second"), &words.iter().map(String::as_str).collect::<Vec<_>>());
        // One half of the next event has come as well.
        let half = frames[cut].char_indices().nth(frames[cut].chars().count() / 2).unwrap().0;
        let mut sent = frames[..cut].to_vec();
        sent.extend((cut % 2 == 0).then(|| frames[cut][..half].to_owned()));
        let run = case.run([stream(&sent).ending(ending), stream(&rest)]);
        let what = format!("{asks:?} {first} {second} {way:?} cut at {cut}, {ending:?}:\n{}", run.body);
        let read = read(asks, &run.body);
        assert_eq!(read.text, whole(), "{what}");
        assert_eq!((read.ends, read.failed), (1, false), "{what}");
        assert_one_answer(asks, &read, &what);
        let record = run.record();
        assert_eq!((record.status, record.outcome, record.fault), (200, "ok", None), "{what}");
        assert_eq!(record.tries.len(), 2, "{what}");
        let outcome = match ending {
            Cut => "transient",
            Clean => "broken",
            Stall => "silent",
        };
        assert_eq!((record.tries[0].outcome, record.tries[1].outcome), (outcome, "ok"), "{what}");
        // The first told of the prompt's tokens, or they are estimated; the second of all of its own.
        let usage = record.usage.unwrap();
        assert!(usage.input > 10 && usage.output > 5, "{what}: {usage:?}");
        if asks.dialect != OpenAiCompletions || read.usage.is_some() {
            assert_eq!(read.usage.unwrap().total(), usage.total(), "{what}");
        }
        assert_eq!(run.learned().len(), 2, "{what}: {:?}", run.learned());
        let asked = &run.sends[1].body;
        let end = Value::from(said.trim_end()).to_string();
        assert!(asked.contains(end.trim_matches('"')), "{what}: {asked}");
        runs += 1;
    }
    runs
}

#[test]
fn another_target_goes_on_wherever_it_broke() {
    let mut runs = 0;
    for asks in CALLERS {
        for first in TARGETS {
            for second in FALLBACKS.into_iter().filter(|second| *second != first) {
                runs += played(asks, first, second, Way::Exactly);
                if first == TARGETS[0] {
                    runs += played(asks, first, second, Way::Anew) + played(asks, first, second, Way::LastWords);
                }
            }
        }
    }
    assert!(runs > 500, "{runs}");
}
