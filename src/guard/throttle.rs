//! Addresses that guess.

use std::net::{IpAddr, Ipv6Addr};

use crate::{
    error::{Blame, Error, Kind},
    sorted::SortedMap,
    units::Millis,
};

/// Wrong keys of one address in one window and one isolate. More than a misconfigured client sends before somebody looks,
/// and nothing against 2^256.
pub const MAX_FAILED: u32 = 30;
pub const WINDOW_MS: u64 = 60_000;
/// Addresses remembered: some hundred kilobytes. Beyond it the longest silent is forgotten.
pub const MAX_ADDRESSES: usize = 4_096;
/// A customer of IPv6 has so many bits of an address at least: the rest is theirs to choose.
const IPV6_PREFIX: u32 = 64;

/// What was tried: one does not shut the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Door {
    Gateway,
    Admin,
}

#[derive(Clone, Copy, Debug)]
struct Tries {
    since: Millis,
    failed: u32,
}

#[derive(Debug, Default)]
pub struct Throttle {
    addresses: SortedMap<(Door, u128), Tries>,
}

/// An address as it counts. What is none counts as one: nobody gets around this by leaving it out.
fn counted(address: &str) -> u128 {
    match address.trim().parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => address.to_ipv6_mapped().to_bits(),
        Ok(IpAddr::V6(address)) => match address.to_ipv4_mapped() {
            Some(_) => address.to_bits(),
            None => Ipv6Addr::from_bits(address.to_bits() >> IPV6_PREFIX << IPV6_PREFIX).to_bits(),
        },
        Err(_) => 0,
    }
}

impl Throttle {
    /// May this address try another one?
    pub fn check(&self, door: Door, address: &str, now: Millis) -> Result<(), Error> {
        let tries = self.addresses.get(&(door, counted(address)));
        let Some(tries) = tries.filter(|tries| tries.failed >= MAX_FAILED && now.since(tries.since) < WINDOW_MS) else {
            return Ok(());
        };
        let wait = WINDOW_MS.saturating_sub(now.since(tries.since));
        let message = "Too many wrong keys came from this address: wait, then send one that is right.";
        Err(Error::new(Kind::RateLimited, message).with_blame(Blame::Caller).with_wait(Some(wait)))
    }

    /// It was wrong.
    pub fn failed(&mut self, door: Door, address: &str, now: Millis) {
        let key = (door, counted(address));
        if !self.addresses.contains_key(&key) && self.addresses.len() >= MAX_ADDRESSES {
            self.make_room(now);
        }
        let tries = self.addresses.or_insert(key, Tries { since: now, failed: 0 });
        if now.since(tries.since) >= WINDOW_MS {
            *tries = Tries { since: now, failed: 0 };
        }
        tries.failed = tries.failed.saturating_add(1);
    }

    fn make_room(&mut self, now: Millis) {
        self.addresses.retain(|_, tries| now.since(tries.since) < WINDOW_MS);
        // Those that are shut stay so while there is another: they would come back open.
        for spares_shut in [true, false] {
            if self.addresses.len() >= MAX_ADDRESSES {
                let may_go = |tries: &Tries| !spares_shut || tries.failed < MAX_FAILED;
                let oldest = self.addresses.values().filter(|tries| may_go(tries)).map(|tries| tries.since).min();
                self.addresses.retain(|_, tries| !may_go(tries) || Some(tries.since) != oldest);
            }
        }
    }

    pub const fn len(&self) -> usize {
        self.addresses.len()
    }

    pub const fn is_empty(&self) -> bool {
        self.addresses.is_empty()
    }
}
