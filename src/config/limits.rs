//! What a key, a tenant, a tag or an end user may use: how much a minute, how much at once, for how much money.

use std::rc::Rc;

use serde_json::{Map, Value};

use super::{
    Problem, Snapshot, check_public_name,
    price::read_dollars,
    reader::{Problems, Reader},
};
use crate::{sorted::SortedMap, units::Money};

/// A minute's requests or tokens, and calls at once. More than any gateway serves.
const MAX_RATE: u64 = 1_000_000_000_000;
/// Budgets of one subject: one a period, with room for a second one of each.
const MAX_BUDGETS: usize = 8;
/// Shares of a budget that are told of, in percent; above 100 for soft ones.
const ALERTS: std::ops::RangeInclusive<u64> = 1..=1_000;
const MAX_ALERTS: usize = 10;
/// Subjects of one kind that are named in `budgets`.
const MAX_NAMED: usize = 10_000;
/// Whoever has no entry of their own; each has it for itself.
const EACH: &str = "*";

/// What becomes of a request that may go to a model without a price; it is refused where nothing is said.
const UNPRICED: [(&str, bool); 2] = [("refuse", false), ("allow", true)];

/// How much may be used at any time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// In any 60 seconds.
    pub requests_per_minute: Option<u64>,
    /// In any 60 seconds, prompt and answer together.
    pub tokens_per_minute: Option<u64>,
    /// Requests under way at once.
    pub concurrent: Option<u64>,
}

/// The time a budget is for; by the calendar, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Period {
    Day,
    /// From Monday.
    Week,
    Month,
    /// For ever.
    Total,
}

/// Money for a period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Budget {
    pub per: Period,
    pub limit: Money,
    /// Only told of, never refused.
    pub soft: bool,
    /// What no price is known of may go on, and counts as nothing.
    pub unpriced: bool,
    /// Percent of the limit at which it is told.
    pub alerts: Vec<u64>,
}

/// All that holds for one subject.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    pub limits: Limits,
    pub budgets: Vec<Budget>,
}

/// The document `budgets`: by name, with `*` for all others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Budgets {
    tenants: SortedMap<String, Rules>,
    tags: SortedMap<String, Rules>,
    users: SortedMap<String, Rules>,
}

impl Period {
    pub const ALL: [(&'static str, Self); 4] =
        [("day", Self::Day), ("week", Self::Week), ("month", Self::Month), ("total", Self::Total)];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Total => "total",
        }
    }
}

impl Rules {
    pub fn is_empty(&self) -> bool {
        self.limits == Limits::default() && self.budgets.is_empty()
    }
}

impl Budgets {
    pub fn tenant(&self, name: &str) -> Option<&Rules> {
        of(&self.tenants, name)
    }

    pub fn tag(&self, name: &str) -> Option<&Rules> {
        of(&self.tags, name)
    }

    pub fn user(&self, name: &str) -> Option<&Rules> {
        of(&self.users, name)
    }
}

fn of<'a>(named: &'a SortedMap<String, Rules>, name: &str) -> Option<&'a Rules> {
    named.get(name).or_else(|| named.get(EACH))
}

/// `limits` and `budgets` of a gateway key's entry, under its own names.
pub fn read_rules(members: Map<String, Value>) -> Result<Rules, Vec<Problem>> {
    let mut problems = Problems::new("key");
    let rules = Reader::over(Value::Object(members), "", &mut problems, rules).unwrap_or_default();
    if problems.list.is_empty() { Ok(rules) } else { Err(problems.list) }
}

pub(super) fn read_budgets(document: Map<String, Value>, snapshot: &mut Snapshot, problems: &mut Problems) {
    let read = Reader::over(Value::Object(document), "", problems, |reader| Budgets {
        tenants: named(reader, "tenants"),
        tags: named(reader, "tags"),
        users: named(reader, "users"),
    });
    snapshot.budgets = Rc::new(read.unwrap_or_default());
}

fn named(reader: &mut Reader<'_>, kind: &'static str) -> SortedMap<String, Rules> {
    let mut out = SortedMap::new();
    let Some(members) = reader.map(kind) else { return out };
    if members.len() > MAX_NAMED {
        reader.problem(kind, format!("at most {MAX_NAMED} may be named."));
    }
    for (name, value) in members {
        let path = format!("{}.{name}", reader.path_of(kind));
        // An end user is whatever a caller's application calls it.
        if kind != "users"
            && name != EACH
            && let Err(message) = check_public_name(&name)
        {
            reader.problems.add(path.clone(), message);
        }
        if let Some(rules) = Reader::over(value, path, reader.problems, rules) {
            out.insert(name, rules);
        }
    }
    out
}

fn rules(reader: &mut Reader<'_>) -> Rules {
    let limits = reader.object("limits", |reader| Limits {
        requests_per_minute: reader.whole("requests_per_minute", 1..=MAX_RATE),
        tokens_per_minute: reader.whole("tokens_per_minute", 1..=MAX_RATE),
        concurrent: reader.whole("concurrent", 1..=MAX_RATE),
    });
    let items = reader.items("budgets").unwrap_or_default();
    if items.len() > MAX_BUDGETS {
        reader.problem("budgets", format!("at most {MAX_BUDGETS} budgets."));
    }
    let mut budgets = vec![];
    for (i, item) in items.into_iter().enumerate() {
        let path = format!("{}[{i}]", reader.path_of("budgets"));
        budgets.extend(Reader::over(item, path, reader.problems, budget).flatten());
    }
    Rules { limits: limits.unwrap_or_default(), budgets }
}

/// `{"usd": 500, "per": "month", "alerts": [50, 80, 100]}`
fn budget(reader: &mut Reader<'_>) -> Option<Budget> {
    for (key, what) in [("usd", "dollars"), ("per", "day, week, month or total")] {
        if reader.peek(key).is_none() {
            reader.problem(key, format!("`{}` is required: {what}.", reader.path_of(key)));
        }
    }
    let limit = read_dollars(reader, "usd");
    let per = reader.choice("per", &Period::ALL);
    let soft = reader.flag("soft").unwrap_or_default();
    let unpriced = reader.choice("unpriced", &UNPRICED).unwrap_or_default();
    let items = reader.items("alerts").unwrap_or_default();
    if items.len() > MAX_ALERTS {
        reader.problem("alerts", format!("at most {MAX_ALERTS} thresholds."));
    }
    let alerts = items.iter().filter_map(|item| reader.whole_of("alerts", item, ALERTS)).collect();
    Some(Budget { per: per?, limit: limit?, soft, unpriced, alerts })
}
