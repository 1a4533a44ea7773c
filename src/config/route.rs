//! `routes`: public model names and what stands behind them.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::{
    Condition, Snapshot, SomeRetry, SomeTimeouts,
    reader::{Problems, Reader},
    settings::{read_some_retry, read_timeouts},
};
use crate::{
    units::Money,
    wire::json::{Edit, json_text},
};

/// In which order targets are tried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Strategy {
    #[default]
    Priority,
    Weighted,
    LeastCost,
    LeastLatency,
    /// Cost, latency and reliability in one score.
    Balanced,
    /// The same session, the same target.
    Sticky,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WhenAllUnavailable {
    #[default]
    TryAnyway,
    Fail,
    /// For the first that is back, at most so long.
    Wait {
        ms: u64,
    },
}

/// After the commit point.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnStreamBreak {
    /// The stream ends with an error frame.
    #[default]
    Error,
    /// Another target goes on where it broke.
    Continue,
    /// Nothing is sent before the answer is whole.
    Atomic,
}

/// What follows when a provider's content filter refuses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnContentFilter {
    #[default]
    Error,
    /// The next target is asked.
    Fallback,
}

/// A second target is started when the first token is late.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hedge {
    /// Later than 95 of 100 of the target's own.
    P95,
    AfterMs(u64),
}

/// What becomes of a request that a target cannot take whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lossy {
    /// It is sent, and what is missing is reported.
    #[default]
    Report,
    /// It goes to a target that takes all of it, or to none.
    Refuse,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Route {
    /// The first that holds says where to go on; without any, `choices`.
    pub rules: Vec<Rule>,
    pub strategy: Strategy,
    pub choices: Vec<Choice>,
    pub policy: Policy,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    pub when: Condition,
    pub then: Place,
}

/// Where a rule leads.
#[derive(Clone, Debug, PartialEq)]
pub enum Place {
    Route(String),
    Target(Box<Target>),
}

/// One entry of `targets`.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    pub place: Place,
    /// 0: only when the others cannot.
    pub weight: u32,
    /// It stands here only while this holds.
    pub when: Option<Condition>,
}

/// How a route is carried out, as far as it says. What it does not say, the route that leads here does, then `settings`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    pub retry: SomeRetry,
    pub timeouts: SomeTimeouts,
    pub when_all_unavailable: Option<WhenAllUnavailable>,
    pub on_stream_break: Option<OnStreamBreak>,
    pub on_content_filter: Option<OnContentFilter>,
    pub hedge: Option<Hedge>,
    pub lossy: Option<Lossy>,
    /// Only targets that keep nothing.
    pub zdr: Option<bool>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Target {
    /// Canonical name: a key of `Snapshot::providers`, or of `off`.
    pub provider: String,
    /// As the provider knows it.
    pub model: String,
    /// `params`, for the body as it is sent to this target.
    pub edits: Vec<Edit>,
    pub timeouts: SomeTimeouts,
    /// Only for requests that come in there; empty: everywhere.
    pub regions: Vec<String>,
    pub max_price: MaxPrice,
    pub requires: Requires,
}

/// Picodollars a token; a target that costs more, or nobody knows what, is left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MaxPrice {
    pub input: Option<Money>,
    pub output: Option<Money>,
}

/// What a target must be known to be, whatever the request asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Requires {
    pub zdr: bool,
    pub tools: bool,
    pub vision: bool,
    pub json_schema: bool,
    pub min_context: Option<u64>,
}

/// Routes of one operator.
const MAX_ROUTES: usize = 5_000;
/// Targets of one route; a plan tries four of them.
const MAX_TARGETS: usize = 32;
const MAX_WEIGHT: u32 = 1_000_000;
/// Members that `params` may touch in one target.
const MAX_PARAMS: usize = 64;
/// What the gateway itself decides, in any dialect: not for `params`.
const FIXED_PARAMS: [&str; 5] = ["model", "messages", "contents", "stream", "stream_options"];

impl Strategy {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Priority => "priority",
            Self::Weighted => "weighted",
            Self::LeastCost => "least_cost",
            Self::LeastLatency => "least_latency",
            Self::Balanced => "balanced",
            Self::Sticky => "sticky",
        }
    }
}

impl Target {
    pub fn of(provider: String, model: String) -> Self {
        Self { provider, model, ..Self::default() }
    }

    /// `openai/gpt-5.4`
    pub fn name(&self) -> String {
        format!("{}/{}", self.provider, self.model)
    }
}

impl Choice {
    /// Always there, at the usual weight.
    pub fn of(target: Target) -> Self {
        Self { place: Place::Target(Box::new(target)), weight: 1, when: None }
    }
}

impl Policy {
    /// What is said here, over what is said further out.
    #[must_use]
    pub fn or(self, outer: Self) -> Self {
        Self {
            retry: self.retry.or(outer.retry),
            timeouts: self.timeouts.or(outer.timeouts),
            when_all_unavailable: self.when_all_unavailable.or(outer.when_all_unavailable),
            on_stream_break: self.on_stream_break.or(outer.on_stream_break),
            on_content_filter: self.on_content_filter.or(outer.on_content_filter),
            hedge: self.hedge.or(outer.hedge),
            lossy: self.lossy.or(outer.lossy),
            zdr: self.zdr.or(outer.zdr),
        }
    }
}

impl Route {
    /// What a caller names without a route of the operator's: the defaults, over these targets.
    pub(super) fn ad_hoc(named: Vec<(String, String)>) -> Self {
        let choices = named.into_iter().map(|(provider, model)| Choice::of(Target::of(provider, model))).collect();
        Self { choices, ..Self::default() }
    }

    /// Where it may lead, in the order it is written: rules, then targets.
    pub fn places(&self) -> impl Iterator<Item = &Place> {
        self.rules.iter().map(|rule| &rule.then).chain(self.choices.iter().map(|choice| &choice.place))
    }
}

/// Fills `snapshot.routes`; the providers are there already.
pub(super) fn read_routes(document: Map<String, Value>, snapshot: &mut Snapshot, problems: &mut Problems) {
    if document.len() > MAX_ROUTES {
        problems.add("", format!("At most {MAX_ROUTES} routes."));
        return;
    }
    for (name, value) in document {
        if let Err(message) = super::check_public_name(&name) {
            problems.add(name, message);
            continue;
        }
        let route = Reader::over(value, name.clone(), problems, |reader| read_route(reader, snapshot));
        let Some(route) = route.flatten() else { continue };
        for place in route.places() {
            if let Place::Target(target) = place
                && snapshot.off.contains_key(&target.provider)
            {
                let warning = format!("Route `{name}` skips `{}`: {}.", target.name(), snapshot.why_off(&target.provider));
                snapshot.warnings.push(warning);
            }
        }
        snapshot.routes.insert(name, route);
    }
}

fn read_route(reader: &mut Reader<'_>, snapshot: &Snapshot) -> Option<Route> {
    let strategies = [Strategy::Priority, Strategy::Weighted].map(|strategy| (strategy.name(), strategy));
    let found_before = reader.problems.list.len();
    let chosen = reader.choice("strategy", &strategies);
    let strategy = chosen.unwrap_or_default();
    // Of one that is not supported, nothing else can be said.
    let known = (reader.problems.list.len() == found_before).then_some(strategy);
    let policy = read_policy(reader);
    let items = reader.items("targets");
    reader.later(&["rules", "default"], "list the targets in `targets`");
    let Some(items) = items.filter(|items| !items.is_empty()) else {
        reader.problem("targets", format!("`{}` needs at least one target.", reader.path_of("targets")));
        return None;
    };
    if items.len() > MAX_TARGETS {
        reader.problem("targets", format!("At most {MAX_TARGETS} targets in a route."));
        return None;
    }
    let mut choices: Vec<Choice> = vec![];
    for (i, item) in items.into_iter().enumerate() {
        let path = reader.path_of(&format!("targets[{i}]"));
        let Some(choice) = read_choice(item, &path, known, (snapshot, &mut *reader.problems)) else { continue };
        if let Place::Target(target) = &choice.place
            && choices.iter().any(|other| other.place == choice.place)
        {
            reader.problems.add(path, format!("`{}` is there twice; give it one weight, or other `params`.", target.name()));
        }
        choices.push(choice);
    }
    if !choices.is_empty() && choices.iter().all(|choice| choice.weight == 0) {
        reader.problem("targets", "At least one target needs a weight above 0.");
    }
    Some(Route { rules: vec![], strategy, choices, policy })
}

fn read_policy(reader: &mut Reader<'_>) -> Policy {
    let unavailable = [("try_anyway", WhenAllUnavailable::TryAnyway), ("fail", WhenAllUnavailable::Fail)];
    Policy {
        retry: reader.object("retry", read_some_retry).unwrap_or_default(),
        timeouts: reader.object("timeouts", read_timeouts).unwrap_or_default(),
        when_all_unavailable: reader.choice("when_all_unavailable", &unavailable),
        on_stream_break: reader.choice("on_stream_break", &[("error", OnStreamBreak::Error)]),
        lossy: reader.choice("lossy", &[("report", Lossy::Report), ("refuse", Lossy::Refuse)]),
        ..Policy::default()
    }
}

fn read_choice(item: Value, path: &str, strategy: Option<Strategy>, around: (&Snapshot, &mut Problems)) -> Option<Choice> {
    let (snapshot, problems) = around;
    if let Value::String(name) = item {
        let found = snapshot.locate(&name).map_err(|message| problems.add(path, message)).ok()?;
        return Some(Choice::of(Target::of(found.0, found.1)));
    }
    Reader::over(item, path, problems, |reader| {
        let (model, provider) = (reader.text("model"), reader.text("provider"));
        let weight = reader.whole("weight", 0..=u64::from(MAX_WEIGHT)).and_then(|weight| u32::try_from(weight).ok());
        if weight.is_some() && strategy == Some(Strategy::Priority) {
            reader.problem("weight", "A weight has no effect here: set \"strategy\": \"weighted\" or remove it.");
        }
        let edits = reader.object("params", read_params).unwrap_or_default();
        let timeouts = reader.object("timeouts", read_timeouts).unwrap_or_default();
        reader.later(&["use", "when"], "name a model; routes do not nest");
        reader.later(&["regions", "max_price", "requires"], "leave it out, and list only targets that qualify");
        let Some(model) = model else {
            reader.problem("model", format!("`{}` is required, such as \"openai/gpt-5.4\".", reader.path_of("model")));
            return None;
        };
        let (key, found) = match provider {
            Some(provider) => ("provider", snapshot.locate_at(&provider, &model)),
            None => ("model", snapshot.locate(&model)),
        };
        let (provider, model) = found.map_err(|message| reader.problem(key, message)).ok()?;
        let target = Target { edits, timeouts, ..Target::of(provider, model) };
        Some(Choice { weight: weight.unwrap_or(1), ..Choice::of(target) })
    })
    .flatten()
}

fn read_params(reader: &mut Reader<'_>) -> Vec<Edit> {
    let (set, default) = (reader.map("override").unwrap_or_default(), reader.map("default").unwrap_or_default());
    let drop = reader.strings("drop").unwrap_or_default();
    let named = drop.iter().map(|key| ("drop", key));
    let named = named.chain(default.keys().map(|key| ("default", key))).chain(set.keys().map(|key| ("override", key)));
    let named: Vec<(&str, String)> = named.map(|(part, key)| (part, key.clone())).collect();
    if named.len() > MAX_PARAMS {
        reader.problem("override", format!("At most {MAX_PARAMS} members in `params`."));
    }
    for (i, (part, key)) in named.iter().enumerate() {
        if FIXED_PARAMS.contains(&key.as_str()) {
            reader.problem(part, format!("`{key}` is the gateway's to set and cannot stand in `params`."));
        }
        if named.iter().take(i).any(|(_, other)| other == key) {
            reader.problem(part, format!("`{key}` is named twice in `params`: keep one."));
        }
    }
    let removed = drop.into_iter().map(|key| Edit::Remove(Cow::Owned(key)));
    let defaults = default.into_iter().map(|(key, value)| Edit::Default(Cow::Owned(key), json_text(&value)));
    let set = set.into_iter().map(|(key, value)| Edit::Set(Cow::Owned(key), json_text(&value)));
    removed.chain(defaults).chain(set).collect()
}
