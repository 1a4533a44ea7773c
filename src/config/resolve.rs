//! From the name a caller uses to a route.

use std::borrow::Cow;

use super::{
    Choice, MAX_NAME, Model, Place, Route, Snapshot, Target, reader::did_you_mean, secrets::store_one_of, settings::MAX_ATTEMPTS,
};
use crate::{
    catalog::{self, Price, Supports},
    error::{Error, Kind},
    wire::percent,
};

/// What a caller's model name stands for.
#[derive(Clone, Debug, PartialEq)]
pub struct Resolved<'a> {
    /// The route's name, or the name asked for.
    pub route: String,
    /// A route of the operator; otherwise the caller named the targets.
    pub is_route: bool,
    pub config: Cow<'a, Route>,
}

/// One line of `GET /v1/models`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedModel {
    /// `openai/gpt-5.4`, or a route's name.
    pub id: String,
    /// The provider; `portolan` for a route.
    pub owner: String,
    pub context: Option<u64>,
    pub max_output: Option<u64>,
    pub supports: Option<Supports>,
    pub price: Option<Price>,
}

/// Owner of routes in `GET /v1/models`.
const OURSELVES: &str = "portolan";
/// A name asked for is repeated in errors and records.
const MAX_ASKED: usize = 1024;

impl Snapshot {
    /// A route, `provider/model`, several of these separated by commas, or a bare model of the catalog.
    pub fn resolve(&self, name: &str) -> Result<Resolved<'_>, Error> {
        if name.is_empty() || name.len() > MAX_ASKED || name.chars().any(char::is_control) {
            return Err(Error::invalid("model", "`model` must name a route or a model such as `openai/gpt-5.4`."));
        }
        if let Some(route) = self.routes.get(name) {
            let callable = self.callable(&self.targets(route).iter().map(|t| t.provider.as_str()).collect::<Vec<_>>());
            callable.map_err(|why| not_found(format!("No target of the route `{name}` can be called: {why}.")))?;
            return Ok(Resolved { route: name.to_owned(), is_route: true, config: Cow::Borrowed(route) });
        }
        let named: Vec<&str> = name.split(',').map(str::trim).collect();
        if named.len() > usize::try_from(MAX_ATTEMPTS).unwrap_or_default() {
            return Err(Error::invalid("model", format!("`model` may list at most {MAX_ATTEMPTS} models.")));
        }
        let mut found: Vec<(String, String)> = vec![];
        for one in named {
            let one = self.locate(one).map_err(not_found)?;
            if !found.contains(&one) {
                found.push(one);
            }
        }
        let callable = self.callable(&found.iter().map(|(provider, _)| provider.as_str()).collect::<Vec<_>>());
        callable.map_err(|why| not_found(format!("`{name}` cannot be called: {why}.")))?;
        Ok(Resolved { route: name.to_owned(), is_route: false, config: Cow::Owned(self.ad_hoc(found)) })
    }

    /// What a caller names without a route of the operator's: the defaults, over these targets.
    fn ad_hoc(&self, named: Vec<(String, String)>) -> Route {
        let targets: Vec<Target> = named.into_iter().map(|(provider, model)| Target::of(provider, model)).collect();
        let min_context = targets.iter().filter_map(|target| self.window(target)).min();
        Route { choices: targets.into_iter().map(Choice::of).collect(), min_context, ..Route::default() }
    }

    /// Whether one of them is on; otherwise why the first is not.
    fn callable(&self, providers: &[&str]) -> Result<(), String> {
        if providers.iter().any(|name| self.providers.contains_key(*name)) {
            return Ok(());
        }
        Err(providers.first().map(|name| self.why_off(name)).unwrap_or_default())
    }

    /// `the provider `groq` is off, its secret is missing; run …`
    pub(super) fn why_off(&self, provider: &str) -> String {
        let names = self.off.get(provider).map(Vec::as_slice).unwrap_or_default();
        format!("the provider `{provider}` is off, {}", store_one_of(names))
    }

    /// Provider and model of a name that is not a route, or what is wrong with it.
    pub(super) fn locate(&self, name: &str) -> Result<(String, String), String> {
        if let Some((provider, model)) = name.split_once('/') {
            return self.locate_at(provider, model);
        }
        if let Some(model) = catalog::bare_model(name) {
            return Ok((model.provider.to_owned(), model.name.to_owned()));
        }
        let bare = catalog::models().iter().map(|model| model.name).filter(|name| catalog::bare_model(name).is_some());
        let known = self.routes.keys().map(String::as_str).chain(bare);
        Err(format!("There is no route or model `{name}`.{} Other models are named `provider/model`.", did_you_mean(name, known)))
    }

    pub(super) fn locate_at(&self, provider: &str, model: &str) -> Result<(String, String), String> {
        let is_ours = |name: &str| self.providers.contains_key(name) || self.off.contains_key(name);
        let canonical = if is_ours(provider) { Some(provider) } else { catalog::provider(provider).map(|row| row.name) };
        let Some(canonical) = canonical.filter(|name| is_ours(name)) else {
            let aliases = catalog::providers().iter().flat_map(|row| row.aliases).copied();
            let known = self.providers.keys().chain(self.off.keys()).map(String::as_str).chain(aliases);
            return Err(format!("There is no provider `{provider}`.{}", did_you_mean(provider, known)));
        };
        // Models stand in paths, where `..` is a step up, however it is escaped.
        let is_dots = model.chars().all(|c| c == '.') || percent::climbs(model);
        if is_dots || model.len() > MAX_NAME || model.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err(format!("`{provider}/` must be followed by the provider's own name of the model."));
        }
        Ok((canonical.to_owned(), model.to_owned()))
    }

    /// The first target of a request that no rule takes.
    fn usual<'a>(&'a self, route: &'a Route) -> Option<&'a Target> {
        let mut place = &route.choices.first()?.place;
        while let Place::Route(name) = place {
            place = &self.routes.get(name)?.choices.first()?.place;
        }
        let Place::Target(target) = place else { return None };
        Some(target)
    }

    /// What callers may name: routes first, then the known models of each provider that is on.
    pub fn model_list(&self) -> Vec<ListedModel> {
        let routes = self.routes.iter().map(|(name, route)| {
            let first = self.usual(route).and_then(|target| self.model(&target.provider, &target.model));
            // What a route's first target costs is not what the route costs.
            listed(name.clone(), OURSELVES, Model { price: None, ..first.cloned().unwrap_or_default() })
        });
        let models = self.providers.values().flat_map(|provider| {
            let lines = provider.models.iter();
            lines.map(|(name, model)| listed(format!("{}/{name}", provider.name), &provider.name, model.clone()))
        });
        routes.chain(models).collect()
    }
}

fn listed(id: String, owner: &str, model: Model) -> ListedModel {
    let Model { context, max_output, supports, price, zdr: _ } = model;
    ListedModel { id, owner: owner.to_owned(), context, max_output, supports, price }
}

fn not_found(message: String) -> Error {
    Error::new(Kind::ModelNotFound, message).with_param("model")
}
