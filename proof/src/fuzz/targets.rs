//! What is fuzzed: one target for each reader.

use portolan::dialect::Dialect;

use super::check;
use crate::answers::callers;

/// What the inputs of a target look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Request,
    Answer,
    Stream,
}

pub struct Target {
    pub name: String,
    pub kind: Kind,
    dialect: Dialect,
    run: Run,
}

/// A number for how the input was taken, or what went wrong.
type Run = fn(Dialect, &[u8]) -> Result<u64, String>;

impl Target {
    pub fn run(&self, input: &[u8]) -> Result<u64, String> {
        (self.run)(self.dialect, input)
    }
}

pub fn all() -> Vec<Target> {
    let of = |name: &str, kind: Kind, dialect: Dialect, run: Run| Target {
        name: if name.ends_with('-') { format!("{name}{}", dialect.name()) } else { name.to_owned() },
        kind,
        dialect,
        run,
    };
    let mut targets = vec![
        of("outline", Kind::Request, Dialect::OpenAiChat, |_, input| check::outline(input)),
        of("frames", Kind::Stream, Dialect::OpenAiChat, |_, input| check::frames(input)),
        of("amazon", Kind::Stream, Dialect::Anthropic, |_, input| check::amazon(input)),
    ];
    for dialect in Dialect::ALL {
        targets.push(of("stream-", Kind::Stream, dialect, check::stream));
        targets.push(of("relay-", Kind::Stream, dialect, check::relay));
        targets.push(of("response-", Kind::Answer, dialect, check::response));
    }
    targets.extend(callers().map(|(dialect, _)| of("request-", Kind::Request, dialect, check::request)));
    targets
}
