//! What mutation begins with: bodies and streams of our own making, in every dialect.

use portolan::{chat::profile::Profile, dialect::Dialect};

use super::targets::Kind;
use crate::{answers::callers, arbitrary, arbitrary_request, random::Random, stream};

/// Of each dialect.
const SEEDS: usize = 24;

pub fn of(kind: Kind, random: &mut Random) -> Vec<Vec<u8>> {
    let mut seeds: Vec<Vec<u8>> = vec![b"{}".to_vec(), b"data: {}\n\n".to_vec()];
    for _ in 0..SEEDS {
        seeds.extend(
            match kind {
                Kind::Request => Dialect::ALL.map(|dialect| request(dialect, random)).to_vec(),
                Kind::Answer => callers()
                    .map(|(to, caller)| {
                        let facts = stream::facts();
                        caller.write_response(&arbitrary::response(random), &stream::asked(to, &facts), None)
                    })
                    .collect(),
                Kind::Stream => callers()
                    .map(|(to, caller)| {
                        let response = arbitrary::response(random);
                        let events = arbitrary::events(random, &response);
                        stream::rewritten(to, caller, &events)
                    })
                    .collect::<Vec<_>>(),
            }
            .into_iter()
            .map(String::into_bytes),
        );
    }
    seeds
}

fn request(dialect: Dialect, random: &mut Random) -> String {
    dialect.upstream().write_request(&arbitrary_request::request(random), &Profile::DEFAULT).value
}
