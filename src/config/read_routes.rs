//! `routes`, read.

use std::rc::Rc;

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::{
    Choice, Condition, Place, Policy, Requires, Route, Rule, Snapshot, Strategy, Target,
    nesting::{Uses, nest},
    price::read_max_price,
    provider::MAX_TOKENS,
    read_condition::{read_condition, read_session},
    read_policy::{read_policy, read_regions},
    reader::{Problems, Reader},
    settings::{read_some_retry, read_timeouts},
};
use crate::{
    sorted::SortedMap,
    wire::json::{Edit, json_text},
};

/// Routes of one operator.
const MAX_ROUTES: usize = 5_000;
/// Targets of one route; a plan tries four of them.
const MAX_TARGETS: usize = 32;
/// Rules of one route, each tried on every request until one holds.
const MAX_RULES: usize = 64;
const MAX_WEIGHT: u32 = 1_000_000;
/// Members that `params` may touch in one target.
const MAX_PARAMS: usize = 64;
/// What the gateway itself decides, in any dialect: not for `params`.
const FIXED_PARAMS: [&str; 5] = ["model", "messages", "contents", "stream", "stream_options"];

/// What a route may lean on, and what it leads to.
struct Around<'a> {
    snapshot: &'a Snapshot,
    /// Path and name of each other route it uses.
    uses: Uses,
}

/// Fills `snapshot.routes`; the providers are there already.
pub(super) fn read_routes(document: Map<String, Value>, snapshot: &mut Snapshot, problems: &mut Problems) {
    if document.len() > MAX_ROUTES {
        problems.add("", format!("At most {MAX_ROUTES} routes."));
        return;
    }
    // All names are known before the first is used, those too that cannot be read.
    Rc::make_mut(&mut snapshot.routes).extend(document.keys().map(|name| (name.clone(), Route::default())));
    let mut uses = SortedMap::new();
    for (name, value) in document {
        if let Err(message) = super::check_public_name(&name) {
            problems.add(name, message);
            continue;
        }
        let mut around = Around { snapshot, uses: vec![] };
        let route = Reader::over(value, name.clone(), problems, |reader| read_route(reader, &mut around));
        let used = around.uses;
        let Some(route) = route.flatten() else { continue };
        warn(&name, &route, snapshot);
        uses.insert(name.clone(), used);
        Rc::make_mut(&mut snapshot.routes).insert(name, route);
    }
    // One that cannot be read would make others look wrong.
    if problems.list.is_empty() {
        nest(&uses, snapshot, problems);
    }
}

fn warn(name: &str, route: &Route, snapshot: &mut Snapshot) {
    for place in route.places() {
        if let Place::Target(target) = place
            && snapshot.off.contains_key(&target.provider)
        {
            let warning = format!("Route `{name}` skips `{}`: {}.", target.name(), snapshot.why_off(&target.provider));
            snapshot.warnings.push(warning);
        }
    }
    if route.choices.iter().all(|choice| choice.when.is_some()) {
        let warning = format!("Route `{name}` refuses requests that fit the `when` of none of its targets.");
        snapshot.warnings.push(warning);
    }
}

fn read_route(reader: &mut Reader<'_>, around: &mut Around<'_>) -> Option<Route> {
    let found_before = reader.problems.list.len();
    let strategy = reader.choice("strategy", &Strategy::ALL.map(|strategy| (strategy.name(), strategy)));
    // Of one that is not supported, nothing else can be said.
    let known = (reader.problems.list.len() == found_before).then_some(strategy.unwrap_or_default());
    let sticky_by = reader.text("sticky_by").and_then(|name| {
        let session = read_session(&name);
        session.inspect_err(|message| reader.problem("sticky_by", message)).ok()
    });
    if sticky_by.is_some() && known.is_some_and(|strategy| strategy != Strategy::Sticky) {
        reader.problem("sticky_by", "This has no effect here: set \"strategy\": \"sticky\" or remove it.");
    }
    let policy = Policy {
        retry: reader.object("retry", read_some_retry).unwrap_or_default(),
        timeouts: reader.object("timeouts", read_timeouts).unwrap_or_default(),
        ..read_policy(reader)
    };
    if policy.zdr == Some(true) && policy.cache.flatten().is_some() {
        reader.problem("cache", "Where `zdr` is true nothing is kept: leave `cache` out.");
    }
    let rules = read_rules(reader, around);
    let default = reader.text("default");
    let items = reader.items("targets");
    let choices = match (default, items) {
        (Some(_), Some(_)) => {
            reader.problem("default", "Either `default` or `targets`: both say where requests go that no rule takes.");
            return None;
        }
        (Some(_), None) if rules.is_empty() => {
            reader.problem("default", "This follows `rules`, and there are none: list it in `targets`.");
            return None;
        }
        (Some(default), None) => {
            if strategy.is_some() {
                reader.problem("strategy", "A strategy orders `targets`, and there are none: set it in the routes used.");
            }
            let path = reader.path_of("default");
            vec![Choice { place: read_use(&default, path, around, reader.problems)?, weight: 1, when: None }]
        }
        (None, Some(items)) if !items.is_empty() => read_choices(items, known, reader, around)?,
        (None, _) if rules.is_empty() => {
            reader.problem("targets", format!("`{}` needs at least one target.", reader.path_of("targets")));
            return None;
        }
        (None, _) => {
            let path = reader.path_of("default");
            reader.problem("default", format!("`{path}` is required: where requests go that no rule takes."));
            return None;
        }
    };
    Some(Route { rules, strategy: strategy.unwrap_or_default(), choices, policy, sticky_by, ..Route::default() })
}

fn read_rules(reader: &mut Reader<'_>, around: &mut Around<'_>) -> Vec<Rule> {
    let Some(items) = reader.items("rules") else { return vec![] };
    if !(1..=MAX_RULES).contains(&items.len()) {
        reader.problem("rules", format!("`{}` must hold 1 to {MAX_RULES} rules.", reader.path_of("rules")));
    }
    let base = reader.path_of("rules");
    let rules = items.into_iter().take(MAX_RULES).enumerate().filter_map(|(i, item)| {
        Reader::over(item, format!("{base}[{i}]"), reader.problems, |reader| {
            let when = read_when(reader);
            let then = reader.text("use");
            if when.is_none() {
                reader.problem("when", "A rule needs `when`, such as {\"has_images\": true}.");
            }
            if then.is_none() {
                reader.problem("use", "A rule needs `use`: the name of a route, or a model such as \"openai/gpt-5.4\".");
            }
            let path = reader.path_of("use");
            Some(Rule { when: when?, then: read_use(&then?, path, around, reader.problems)? })
        })
        .flatten()
    });
    rules.collect()
}

fn read_when(reader: &mut Reader<'_>) -> Option<Condition> {
    let path = reader.path_of("when");
    reader.value("when").map(|value| read_condition(value, &path, reader.problems))
}

/// A route, or else a model.
fn read_use(name: &str, path: String, around: &mut Around<'_>, problems: &mut Problems) -> Option<Place> {
    if around.snapshot.routes.contains_key(name) {
        around.uses.push((path, name.to_owned()));
        return Some(Place::Route(name.to_owned()));
    }
    let (provider, model) = around.snapshot.locate(name).map_err(|message| problems.add(path, message)).ok()?;
    Some(Place::Target(Box::new(Target::of(provider, model))))
}

fn read_choices(
    items: Vec<Value>,
    strategy: Option<Strategy>,
    reader: &mut Reader<'_>,
    around: &mut Around<'_>,
) -> Option<Vec<Choice>> {
    if items.len() > MAX_TARGETS {
        reader.problem("targets", format!("At most {MAX_TARGETS} targets in a route."));
        return None;
    }
    let mut choices: Vec<Choice> = vec![];
    for (i, item) in items.into_iter().enumerate() {
        let path = reader.path_of(&format!("targets[{i}]"));
        let Some(choice) = read_choice(item, &path, strategy, around, reader.problems) else { continue };
        if choices.iter().any(|other| other.place == choice.place && other.when == choice.when) {
            let name = match &choice.place {
                Place::Route(name) => name.clone(),
                Place::Target(target) => target.name(),
            };
            reader.problems.add(path, format!("`{name}` is there twice; give it one weight, or other `params`."));
        }
        choices.push(choice);
    }
    if !choices.is_empty() && choices.iter().all(|choice| choice.weight == 0) {
        reader.problem("targets", "At least one target needs a weight above 0.");
    }
    Some(choices)
}

fn read_choice(
    item: Value,
    path: &str,
    strategy: Option<Strategy>,
    around: &mut Around<'_>,
    problems: &mut Problems,
) -> Option<Choice> {
    if let Value::String(name) = item {
        let found = around.snapshot.locate(&name).map_err(|message| {
            let is_route = around.snapshot.routes.contains_key(&name);
            let nested = format!("`{name}` is a route: write {{\"use\": \"{name}\"}}.");
            problems.add(path, if is_route { nested } else { message });
        });
        let (provider, model) = found.ok()?;
        return Some(Choice::of(Target::of(provider, model)));
    }
    Reader::over(item, path, problems, |reader| {
        let weight = reader.whole("weight", 0..=u64::from(MAX_WEIGHT)).and_then(|weight| u32::try_from(weight).ok());
        if weight.is_some() && strategy.is_some_and(|strategy| strategy != Strategy::Weighted) {
            reader.problem("weight", "A weight has no effect here: set \"strategy\": \"weighted\" or remove it.");
        }
        let when = read_when(reader);
        let place = if reader.peek("use").is_some() {
            let own = ["model", "provider", "params", "timeouts", "regions", "max_price", "requires"];
            reader.refuse(&own, "does not go with `use`: it is said at the targets of that route");
            let (name, path) = (reader.text("use")?, reader.path_of("use"));
            read_use(&name, path, around, reader.problems)?
        } else {
            Place::Target(Box::new(read_target(reader, around.snapshot)?))
        };
        Some(Choice { place, weight: weight.unwrap_or(1), when })
    })
    .flatten()
}

fn read_target(reader: &mut Reader<'_>, snapshot: &Snapshot) -> Option<Target> {
    let (model, provider) = (reader.text("model"), reader.text("provider"));
    let rest = Target {
        edits: reader.object("params", read_params).unwrap_or_default(),
        timeouts: reader.object("timeouts", read_timeouts).unwrap_or_default(),
        regions: read_regions(reader),
        max_price: reader.object("max_price", read_max_price).unwrap_or_default(),
        requires: reader.object("requires", read_requires).unwrap_or_default(),
        ..Target::default()
    };
    let Some(model) = model else {
        reader.problem("model", format!("`{}` is required, such as \"openai/gpt-5.4\".", reader.path_of("model")));
        return None;
    };
    let (key, found) = match provider {
        Some(provider) => ("provider", snapshot.locate_at(&provider, &model)),
        None => ("model", snapshot.locate(&model)),
    };
    let (provider, model) = found.map_err(|message| reader.problem(key, message)).ok()?;
    Some(Target { provider, model, ..rest })
}

fn read_requires(reader: &mut Reader<'_>) -> Requires {
    let mut flag = |key| reader.flag(key).unwrap_or_default();
    let (zdr, tools, vision, json_schema) = (flag("zdr"), flag("tools"), flag("vision"), flag("json_schema"));
    Requires { zdr, tools, vision, json_schema, min_context: reader.whole("min_context", 1..=MAX_TOKENS) }
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
