//! `routes`: public model names and what stands behind them.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::{
    Retry, Snapshot, Timeouts,
    reader::{Problems, Reader},
    settings::{SomeTimeouts, read_retry, read_timeouts},
};
use crate::wire::json::{Edit, json_text};

/// In which order targets are tried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Strategy {
    #[default]
    Priority,
    Weighted,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WhenAllUnavailable {
    #[default]
    TryAnyway,
    Fail,
}

/// After the commit point.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnStreamBreak {
    /// The stream ends with an error frame.
    #[default]
    Error,
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

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    pub strategy: Strategy,
    pub targets: Vec<Target>,
    pub retry: Retry,
    /// For what all attempts share; each target has its own besides.
    pub timeouts: Timeouts,
    pub when_all_unavailable: WhenAllUnavailable,
    pub on_stream_break: OnStreamBreak,
    pub lossy: Lossy,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Canonical name: a key of `Snapshot::providers`, or of `off`.
    pub provider: String,
    /// As the provider knows it.
    pub model: String,
    /// 0: only when the others cannot.
    pub weight: u32,
    /// `params`, for the body as it is sent to this target.
    pub edits: Vec<Edit>,
    pub timeouts: Timeouts,
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
        }
    }
}

impl Target {
    /// `openai/gpt-5.4`
    pub fn name(&self) -> String {
        format!("{}/{}", self.provider, self.model)
    }
}

impl Route {
    /// What a caller names without a route of the operator's: the defaults, over these targets.
    pub(super) fn ad_hoc(named: Vec<(String, String)>, snapshot: &Snapshot) -> Self {
        let targets = named.into_iter().map(|(provider, model)| Draft::of(provider, model));
        let said = SomeTimeouts::default();
        Self {
            strategy: Strategy::Priority,
            targets: targets.map(|draft| draft.finish(said, snapshot)).collect(),
            retry: snapshot.settings.retry,
            timeouts: said.over(&snapshot.settings, false),
            when_all_unavailable: WhenAllUnavailable::default(),
            on_stream_break: OnStreamBreak::default(),
            lossy: Lossy::default(),
        }
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
        for target in &route.targets {
            if snapshot.off.contains_key(&target.provider) {
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
    let default = snapshot.settings.retry;
    let retry = reader.object("retry", |reader| read_retry(reader, default)).unwrap_or(default);
    let said = reader.object("timeouts", read_timeouts).unwrap_or_default();
    let unavailable = [("try_anyway", WhenAllUnavailable::TryAnyway), ("fail", WhenAllUnavailable::Fail)];
    let when_all_unavailable = reader.choice("when_all_unavailable", &unavailable).unwrap_or_default();
    let on_stream_break = reader.choice("on_stream_break", &[("error", OnStreamBreak::Error)]).unwrap_or_default();
    let lossy = reader.choice("lossy", &[("report", Lossy::Report), ("refuse", Lossy::Refuse)]).unwrap_or_default();
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
    let mut targets: Vec<Target> = vec![];
    for (i, item) in items.into_iter().enumerate() {
        let path = reader.path_of(&format!("targets[{i}]"));
        let Some(draft) = read_target(item, &path, known, (snapshot, &mut *reader.problems)) else { continue };
        let target = draft.finish(said, snapshot);
        if targets.iter().any(|t| (&t.provider, &t.model, &t.edits) == (&target.provider, &target.model, &target.edits)) {
            reader.problems.add(path, format!("`{}` is there twice; give it one weight, or other `params`.", target.name()));
        }
        targets.push(target);
    }
    if !targets.is_empty() && targets.iter().all(|target| target.weight == 0) {
        reader.problem("targets", "At least one target needs a weight above 0.");
    }
    let timeouts = said.over(&snapshot.settings, false);
    Some(Route { strategy, targets, retry, timeouts, when_all_unavailable, on_stream_break, lossy })
}

/// A target before the timeouts of its route are known.
struct Draft {
    provider: String,
    model: String,
    weight: u32,
    edits: Vec<Edit>,
    timeouts: SomeTimeouts,
}

impl Draft {
    fn of(provider: String, model: String) -> Self {
        Self { provider, model, weight: 1, edits: vec![], timeouts: SomeTimeouts::default() }
    }

    fn finish(self, route: SomeTimeouts, snapshot: &Snapshot) -> Target {
        let supports = snapshot.model(&self.provider, &self.model).and_then(|model| model.supports);
        let reasoning = supports.is_some_and(|supports| supports.reasoning);
        let timeouts = self.timeouts.or(route).over(&snapshot.settings, reasoning);
        Target { provider: self.provider, model: self.model, weight: self.weight, edits: self.edits, timeouts }
    }
}

fn read_target(item: Value, path: &str, strategy: Option<Strategy>, around: (&Snapshot, &mut Problems)) -> Option<Draft> {
    let (snapshot, problems) = around;
    if let Value::String(name) = item {
        let found = snapshot.locate(&name).map_err(|message| problems.add(path, message)).ok()?;
        return Some(Draft::of(found.0, found.1));
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
        Some(Draft { provider, model, weight: weight.unwrap_or(1), edits, timeouts })
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
