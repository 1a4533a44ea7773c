//! What a record keeps of what planning was given: what it looked at, and of that only what is not usual.

use serde_json::{Map, Value};

use super::{
    super::{Ask, Plan, Wishes, health::View, of_own_key, standings, wishes::Sort},
    HELD, OWN_KEYS, SORTS, word,
};
use crate::{
    chat::request::Effort,
    config::{Condition, Hedge, MaxPrice, Place, Route, Snapshot, Strategy, Subject},
    dialect::Facts,
    error::Error,
    features::Features,
    wire::{compose::Members, name::recorded},
};

/// Characters of a caller's own value: names and labels fit, prompts do not.
const MAX_VALUE: usize = 128;

/// Of a plain request on a plain route there is nothing, or next to nothing.
pub fn keep(ask: Ask<'_>, config: &Snapshot, health: &View, planned: Result<&Plan, &Error>) -> Map<String, Value> {
    let mut looks = Looks::default();
    for (_, name) in ask.named() {
        if let Some(route) = config.routes.get(name) {
            looks.add(route, config);
        }
    }
    let mut out = Map::new();
    facts(ask, &looks, &mut out);
    let by_country = looks.at(&Subject::Country);
    // A provider may not serve there.
    let is_blocked = |cell: &str| cell.split_once('@').is_some_and(|(_, colo)| colo == ask.origin.colo);
    let by_colo = looks.at(&Subject::Colo) || health.cells().any(|(cell, _)| is_blocked(cell));
    for (key, value, is_looked_at) in [("country", ask.origin.country, by_country), ("colo", ask.origin.colo, by_colo)] {
        if is_looked_at && !value.is_empty() {
            out.put(key, value);
        }
    }
    if looks.at(&Subject::KeyTags) && !ask.key.tags.is_empty() {
        out.put("tags", ask.key.tags);
    }
    if let Some(providers) = ask.key.providers {
        out.put("providers", providers);
    }
    let header = |name: &str| ask.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str());
    let headers = looks.subjects.iter().filter_map(|subject| {
        let Subject::Header(name) = subject else { return None };
        Some((name.as_str(), header(name)?))
    });
    texts("headers", headers, &mut out);
    wishes(ask.wishes, &looks, &mut out);
    if let Some(conversation) = ask.conversation().filter(|_| looks.by_session || ask.wishes.sort.is_some()) {
        out.put("conversation", format!("{conversation:016x}"));
    }
    if let Some(features) = ask.features {
        out.put("features", self::features(features));
    }
    let by_numbers = looks.by_numbers || matches!(ask.wishes.sort, Some(Sort::Latency | Sort::Throughput));
    let own: Map<String, Value> = config.own_keys().map(|(provider, own)| (provider.to_owned(), own.into())).collect();
    if !own.is_empty() {
        out.put(OWN_KEYS, own);
    }
    let is_asked = |cell: &str| planned.map_or(true, |plan| plan.looked_at(cell)) && is_ours(cell, config);
    let health = standings::write(health, is_asked, by_numbers);
    if !health.is_empty() {
        out.put("health", health);
    }
    out
}

/// What the routes that a caller names look at besides its body: where it comes in, its headers and its key's tags.
pub fn looked_at<'a>(ask: Ask<'a>, config: &'a Snapshot) -> Vec<(&'a str, &'a str)> {
    let mut looks = Looks::default();
    for (_, name) in ask.named() {
        if let Some(route) = config.routes.get(name) {
            looks.add(route, config);
        }
    }
    let origin = ask.origin;
    let places = [
        (Subject::Region, "region", origin.region),
        (Subject::Country, "country", origin.country),
        (Subject::Colo, "colo", origin.colo),
    ];
    let mut out: Vec<(&str, &str)> =
        places.into_iter().filter(|(subject, ..)| looks.at(subject)).map(|(_, name, value)| (name, value)).collect();
    for subject in &looks.subjects {
        if let Subject::Header(name) = subject {
            out.extend(ask.headers.iter().filter(|(n, _)| n == name).map(|(name, value)| (name.as_str(), value.as_str())));
        }
    }
    if looks.at(&Subject::KeyTags) {
        out.extend(ask.key.tags.iter().map(|tag| ("tag", tag.as_str())));
    }
    out
}

/// That the plan was made later than the request came.
pub fn keep_held(inputs: &mut Map<String, Value>, held_ms: u64) {
    if held_ms > 0 {
        inputs.put(HELD, held_ms);
    }
}

/// What the routes that lead on from one another look at.
#[derive(Default)]
struct Looks<'a> {
    subjects: Vec<&'a Subject>,
    by_numbers: bool,
    by_session: bool,
    seen: Vec<&'a str>,
}

impl<'a> Looks<'a> {
    fn add(&mut self, route: &'a Route, config: &'a Snapshot) {
        self.by_numbers |= matches!(route.strategy, Strategy::LeastLatency | Strategy::Balanced);
        self.by_numbers |= route.policy.hedge.flatten() == Some(Hedge::P95);
        self.by_session |= !matches!(route.strategy, Strategy::Priority | Strategy::Weighted);
        self.subjects.extend(&route.sticky_by);
        let conditions = route.rules.iter().map(|rule| &rule.when);
        for condition in conditions.chain(route.choices.iter().filter_map(|choice| choice.when.as_ref())) {
            self.subjects_of(condition);
        }
        for place in route.places() {
            if let Place::Route(name) = place
                && !self.seen.contains(&name.as_str())
                && let Some(next) = config.routes.get(name)
            {
                self.seen.push(name);
                self.add(next, config);
            }
        }
    }

    fn subjects_of(&mut self, condition: &'a Condition) {
        match condition {
            Condition::All(all) | Condition::Any(all) => all.iter().for_each(|one| self.subjects_of(one)),
            Condition::Not(one) => self.subjects_of(one),
            Condition::Test(subject, _) => self.subjects.push(subject),
        }
    }

    fn at(&self, subject: &Subject) -> bool {
        self.subjects.contains(&subject)
    }
}

/// Not that of another's key.
fn is_ours(cell: &str, config: &Snapshot) -> bool {
    let (provider, _) = cell.split_once(['/', '#', '@']).unwrap_or((cell, ""));
    let own = config.providers.get(provider).and_then(|provider| provider.own.as_deref());
    match of_own_key(cell) {
        Some(key) => own == Some(key),
        // The operator's credentials are not asked.
        None => own.is_none() || !cell.strip_prefix(provider).is_some_and(|rest| rest.starts_with('#')),
    }
}

impl Plan {
    /// Whether a cell is that of a candidate, or of one of its credentials.
    fn looked_at(&self, cell: &str) -> bool {
        let is_of = |provider: &str, model: &str| match cell.split_once(['#', '@']) {
            Some((house, _)) => house == provider,
            None => cell.strip_prefix(provider).and_then(|rest| rest.strip_prefix('/')) == Some(model),
        };
        self.attempts.iter().any(|a| is_of(&a.provider, &a.model))
            || self.skipped.iter().filter_map(|s| s.target.split_once('/')).any(|(provider, model)| is_of(provider, model))
    }
}

fn facts(ask: Ask<'_>, looks: &Looks<'_>, out: &mut Map<String, Value>) {
    // How the answer is delivered is no matter of planning, and the record has the rest.
    let Facts { model, stream: _, wants_usage: _, tools, max_output, user, array: _, continues, foreign, custom_tools } =
        ask.facts;
    // The record names it as well, but cuts it.
    if model.chars().count() > MAX_VALUE {
        out.put("model", model);
    }
    let flags = [("tools", *tools), ("continues", continues.is_some()), ("foreign", *foreign), ("custom_tools", *custom_tools)];
    for (key, _) in flags.into_iter().filter(|(_, flag)| *flag) {
        out.put(key, true);
    }
    if let Some(tokens) = max_output {
        out.put("max_output", *tokens);
    }
    if let Some(owner) = ask.owner {
        out.put("owner", owner);
    }
    let user = user.as_deref().filter(|_| looks.at(&Subject::User));
    texts("user", user.into_iter().map(|user| ("", user)), out);
}

fn wishes(wishes: &Wishes, looks: &Looks<'_>, out: &mut Map<String, Value>) {
    let Wishes {
        route,
        models,
        order,
        only,
        ignore,
        allow_fallbacks,
        require_parameters,
        zdr,
        sort,
        max_price,
        metadata,
        timeout_ms,
        // The conversation is kept as a hash; what is obeyed and what is not is no matter of planning.
        session: _,
        obeyed: _,
        ignored: _,
    } = wishes;
    let mut said = Map::new();
    // Those were found, and are names; these are whatever the caller wrote.
    if !models.is_empty() {
        said.put("models", models);
    }
    for (key, names) in [("order", order), ("only", only), ("ignore", ignore)] {
        if !names.is_empty() {
            said.put(key, names.iter().map(|name| recorded(name)).collect::<Vec<_>>());
        }
    }
    for (key, flag) in [("require_parameters", *require_parameters), ("zdr", *zdr)] {
        if flag {
            said.put(key, flag);
        }
    }
    let MaxPrice { input, output } = max_price;
    for (key, number) in
        [("max_input_price", input.map(|m| m.0)), ("max_output_price", output.map(|m| m.0)), ("timeout_ms", *timeout_ms)]
    {
        if let Some(number) = number {
            said.put(key, number);
        }
    }
    if let Some(flag) = allow_fallbacks {
        said.put("allow_fallbacks", *flag);
    }
    for (key, word) in [("route", route.as_deref()), ("sort", sort.map(|sort| word(&SORTS, &sort)))] {
        if let Some(word) = word {
            said.put(key, word);
        }
    }
    let labels = metadata.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let is_read = |name: &str| looks.subjects.iter().any(|s| matches!(s, Subject::Metadata(known) if known == name));
    texts("metadata", labels.filter(|(name, _)| is_read(name)), &mut said);
    if !said.is_empty() {
        out.put("wishes", said);
    }
}

fn features(features: &Features) -> Map<String, Value> {
    let Features {
        input_tokens,
        messages,
        tools,
        images,
        audio,
        files,
        video,
        json_schema,
        reasoning_effort,
        language,
        complexity,
        // With the conversation.
        opening: _,
    } = features;
    let mut out = Map::new();
    let counts = [("input_tokens", *input_tokens), ("messages", *messages), ("tools", *tools)];
    for (key, number) in counts.into_iter().chain([("complexity", u64::from(*complexity))]).filter(|(_, n)| *n > 0) {
        out.put(key, number);
    }
    let flags = [("images", images), ("audio", audio), ("files", files), ("video", video), ("json_schema", json_schema)];
    for (key, _) in flags.into_iter().filter(|(_, flag)| **flag) {
        out.put(key, true);
    }
    if let Some(effort) = reasoning_effort {
        out.put("reasoning_effort", word(&Effort::WORDS, effort));
    }
    if !language.is_empty() {
        out.put("language", *language);
    }
    out
}

/// A caller's own values by their names, each cut; one without a name stands for itself. Which were cut is said.
fn texts<'a>(key: &str, pairs: impl Iterator<Item = (&'a str, &'a str)>, out: &mut Map<String, Value>) {
    let mut kept = Map::new();
    for (name, value) in pairs {
        let short: String = value.chars().take(MAX_VALUE).collect();
        if short.len() < value.len() {
            out.put("cut", true);
        }
        kept.put(name, short);
    }
    match kept.shift_remove("") {
        Some(value) => out.put(key, value),
        None if kept.is_empty() => {}
        None => out.put(key, kept),
    }
}
