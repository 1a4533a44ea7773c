//! Usage × price: exact integers.

use crate::{
    catalog::{Class, Price},
    chat::usage::{Service, Usage},
    units::Money,
};

/// What an answer costs, and by which of a price's rates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bill {
    pub cost: Money,
    pub tier: Tier,
}

/// Whose rates held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tier {
    /// The usual where the price has none for the one that served.
    pub service: Service,
    /// The rates are those of prompts with more tokens than this.
    pub above: u64,
}

impl Tier {
    /// `priority, above 272000`; nothing where the usual rates held.
    pub fn words(self) -> Option<String> {
        let service = (!self.service.is_standard()).then(|| self.service.name().to_owned());
        let above = (self.above > 0).then(|| format!("above {}", self.above));
        match (service, above) {
            (Some(service), Some(above)) => Some(format!("{service}, {above}")),
            (service, above) => service.or(above),
        }
    }
}

pub fn of(usage: &Usage, price: &Price) -> Money {
    bill(usage, price).cost
}

/// Each class at its own rate, the shares taken out of what they are shares of. A provider's share that is larger than its
/// whole counts as the whole.
pub fn bill(usage: &Usage, price: &Price) -> Bill {
    let (prompt, service) = (usage.prompt(), usage.service);
    let cost = counts(usage).into_iter().fold(seconds(usage, price), |sum, (class, count)| {
        if count == 0 { sum } else { sum.plus(price.rate(class, service, prompt).times(count)) }
    });
    let service = if price.has(service) { service } else { Service::Standard };
    Bill { cost, tier: Tier { service, above: price.length(prompt) } }
}

fn counts(usage: &Usage) -> [(Class, u64); 15] {
    let mut input = usage.input;
    let (input_audio, input_image) = (take(&mut input, usage.input_audio), take(&mut input, usage.input_image));
    let mut cache_read = usage.cache_read;
    let cache_read_audio = take(&mut cache_read, usage.cache_read_audio);
    let mut cache_write = usage.cache_write;
    let hour = take(&mut cache_write, usage.cache_write_1h);
    let mut output = usage.output;
    let reasoning = take(&mut output, usage.reasoning);
    let (output_audio, output_image) = (take(&mut output, usage.output_audio), take(&mut output, usage.output_image));
    [
        (Class::Input, input),
        (Class::InputAudio, input_audio),
        (Class::InputImage, input_image),
        (Class::CacheRead, cache_read),
        (Class::CacheReadAudio, cache_read_audio),
        (Class::CacheWrite, cache_write),
        (Class::CacheWriteHour, hour),
        (Class::Output, output),
        (Class::Reasoning, reasoning),
        (Class::OutputAudio, output_audio),
        (Class::OutputImage, output_image),
        (Class::Request, 1),
        (Class::Search, usage.searches),
        (Class::Image, usage.images),
        (Class::Character, usage.characters),
    ]
}

/// A share out of what is left of its whole.
fn take(whole: &mut u64, share: u64) -> u64 {
    let share = share.min(*whole);
    *whole -= share;
    share
}

/// The only count that is not whole: a part of a second costs its part, rounded up to a picodollar.
fn seconds(usage: &Usage, price: &Price) -> Money {
    let rate = price.rate(Class::Second, usage.service, usage.prompt());
    let (whole, part) = (usage.duration_ms / 1_000, usage.duration_ms % 1_000);
    rate.times(whole).plus(Money(rate.times(part).0.div_ceil(1_000)))
}

/// The most that a call can cost of so many tokens in and out: each of them of its dearest class, in the dearest tier, at
/// the dearest length that the prompt may reach. Searches and units other than tokens are not in it, but for the call itself.
pub fn worst_case(price: &Price, input_tokens: u64, max_output: u64) -> Money {
    let dearest = |classes: &[Class]| price.dearest(classes, input_tokens);
    let tokens = dearest(&INPUT).times(input_tokens).plus(dearest(&OUTPUT).times(max_output));
    tokens.plus(dearest(&[Class::Request]))
}

const INPUT: [Class; 7] = [
    Class::Input,
    Class::CacheRead,
    Class::CacheWrite,
    Class::CacheWriteHour,
    Class::InputAudio,
    Class::CacheReadAudio,
    Class::InputImage,
];
const OUTPUT: [Class; 4] = [Class::Output, Class::Reasoning, Class::OutputAudio, Class::OutputImage];
