//! Usage × price: exact integers.

use crate::{catalog::Price, chat::usage::Usage, units::Money};

pub fn of(usage: &Usage, price: &Price) -> Money {
    let cached = price.cache_read.times(usage.cache_read).plus(price.cache_write.times(usage.cache_write));
    price.input.times(usage.input).plus(cached).plus(price.output.times(usage.output))
}
