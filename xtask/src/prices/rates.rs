//! Rates on their way from a table to a document: picodollars, by tier, length and class.

use std::collections::BTreeMap;

use portolan::catalog::Class;
use portolan::chat::usage::Service;
use portolan::config::money;
use portolan::units::{Decimal, Money};
use serde_json::{Map, Number, Value};

/// By tier, length and class, the last two in words that sort as they should be written.
#[derive(Debug, Default)]
pub struct Rates {
    rates: BTreeMap<(usize, u64, usize), Money>,
}

/// A number of dollars for one of a class, or for a million of it, to the nearest picodollar.
pub fn amount(number: &Number, millions: bool) -> Option<Money> {
    Decimal::read(&number.to_string())?.nearest(if millions { 6 } else { 12 }).map(Money)
}

impl Rates {
    pub fn put(&mut self, service: Service, above: u64, class: Class, amount: Money) {
        self.rates.insert((place(&Service::ALL, &service), above, place(&Class::ALL, &class)), amount);
    }

    pub fn usual(&self, class: Class) -> Option<Money> {
        self.rates.get(&(0, 0, place(&Class::ALL, &class))).copied()
    }

    pub fn remove(&mut self, class: Class) {
        let class = place(&Class::ALL, &class);
        self.rates.retain(|(_, _, known), _| *known != class);
    }

    /// Without what goes without saying: a class that costs as the one it stands for.
    fn drop_implied(&mut self) {
        for class in Class::ALL {
            let Some(other) = class.falls_back() else { continue };
            let implied = [Class::CacheWriteHour, Class::CacheReadAudio].contains(&class);
            if !implied && self.usual(class).is_some() && self.usual(class) == self.usual(other) {
                self.rates.remove(&(0, 0, place(&Class::ALL, &class)));
            }
        }
    }

    /// As it stands in a `prices` document; `None` where nothing has a price.
    pub fn write(mut self) -> Option<Map<String, Value>> {
        let tokens = [Class::Input, Class::Output].map(|class| self.usual(class));
        let units = Class::ALL.into_iter().any(|class| class.is_unit() && self.usual(class).is_some_and(|amount| amount.0 > 0));
        if tokens == [Some(Money(0)); 2] && units {
            self.remove(Class::Input);
            self.remove(Class::Output);
        } else if tokens.iter().any(Option::is_some) {
            // One that makes no tokens asks nothing for them.
            for class in [Class::Input, Class::Output] {
                if self.usual(class).is_none() {
                    self.put(Service::Standard, 0, class, Money(0));
                }
            }
        } else if !units {
            return None;
        }
        self.drop_implied();
        let mut out = Map::new();
        for ((service, above, class), amount) in self.rates {
            let (Some(service), Some(class)) = (Service::ALL.get(service), Class::ALL.get(class)) else { continue };
            let mut at = &mut out;
            if !service.is_standard() {
                at = inner(at, service.name())?;
            }
            if above > 0 {
                at = inner(inner(at, "above")?, &above.to_string())?;
            }
            at.insert(class.name().to_owned(), money(*class, amount));
        }
        Some(out)
    }
}

fn inner<'a>(map: &'a mut Map<String, Value>, key: &str) -> Option<&'a mut Map<String, Value>> {
    map.entry(key).or_insert_with(|| Value::Object(Map::new())).as_object_mut()
}

fn place<T: PartialEq>(all: &[T], one: &T) -> usize {
    all.iter().position(|known| known == one).unwrap_or_default()
}
