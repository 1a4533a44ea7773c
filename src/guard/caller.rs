//! Who calls, and what it may use.

use crate::{
    config::{Provider, Resolved, Rules, Snapshot, Target, canonical_name},
    dialect::{Dialect, Endpoint},
    error::{Error, Kind},
    ledger::{DEFAULT_TENANT, Payer},
    wire::name::short,
};

/// Names shown to a caller who named another.
const MAX_SHOWN: usize = 10;

/// Who calls, as far as the gateway is concerned.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Caller {
    /// Whom its limits and its spending are counted for: the digest of its key, or of the first one where it came from
    /// others by rotation. Empty of the secret key.
    pub id: String,
    pub name: String,
    pub tenant: Option<String>,
    pub tags: Vec<String>,
    /// Whether its requests may say how they are routed.
    pub overrides: bool,
    /// Whether providers must keep nothing of its requests.
    pub zdr: bool,
    pub rules: Rules,
    /// Providers that alone may serve it: what others of a route's targets are, they are left out of its plans.
    pub providers: Option<Vec<String>>,
    pub(super) scopes: Scopes,
}

/// What it may name. `None`: no such limit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Scopes {
    /// `openai/gpt-5.4`, `openai/*`
    pub models: Option<Vec<String>>,
    pub routes: Option<Vec<String>>,
    pub dialects: Option<Vec<String>>,
    pub endpoints: Option<Vec<String>>,
}

impl Caller {
    /// Whose account its requests are on.
    pub fn payer(&self) -> Payer {
        let tenant = self.tenant.as_deref().unwrap_or(DEFAULT_TENANT).to_owned();
        Payer { key: self.name.clone(), tenant, tags: self.tags.clone() }
    }

    /// Whether it holds the secret key: the operator.
    pub const fn is_owner(&self) -> bool {
        self.id.is_empty()
    }

    /// May it use providers' own paths? They reach all that the operator's accounts hold, whichever tenant put it there: a
    /// key of a tenant may when its list of endpoints says so.
    pub fn permit_passthrough(&self) -> Result<(), Error> {
        let tenant = self.tenant.as_ref().filter(|_| self.scopes.endpoints.is_none());
        if let Some(tenant) = tenant {
            let name = &self.name;
            let message = format!(
                "The gateway key `{name}` is of the tenant `{tenant}`, and a provider's own paths would show it what is others'. \
                 The operator can allow it by `endpoints` in the key's entry."
            );
            return Err(Error::new(Kind::Forbidden, message));
        }
        self.permit_all()
    }

    /// May it come in by this door, speaking so? No dialect where none is spoken.
    pub fn enter(&self, endpoint: Endpoint, dialect: Option<Dialect>) -> Result<(), Error> {
        let Scopes { dialects, endpoints, .. } = &self.scopes;
        let named = [(endpoints, Some(endpoint.name())), (dialects, dialect.map(Dialect::name))];
        for (list, name) in named {
            if let (Some(list), Some(name)) = (list, name)
                && !list.iter().any(|listed| listed == name)
            {
                return Err(self.refuse(name, &[list]));
            }
        }
        Ok(())
    }

    /// May it use what no list of models, routes or dialects can speak of?
    pub fn permit_all(&self) -> Result<(), Error> {
        let Scopes { models, routes, dialects, .. } = &self.scopes;
        if models.is_none() && routes.is_none() && dialects.is_none() {
            return Ok(());
        }
        let name = &self.name;
        let message =
            format!("The gateway key `{name}` is limited to models, routes or dialects, and what passes here is not looked at.");
        Err(Error::new(Kind::Forbidden, message))
    }

    /// May it be served by this provider, without a plan?
    pub fn permit_provider(&self, provider: &str) -> Result<(), Error> {
        let Some(list) = self.providers.as_ref().filter(|_| !self.is_served_by(provider)) else { return Ok(()) };
        Err(self.refuse(provider, &[list]))
    }

    fn is_served_by(&self, provider: &str) -> bool {
        let is = |name: &String| name == provider || canonical_name(&format!("{name}/")).strip_suffix('/') == Some(provider);
        self.providers.as_ref().is_none_or(|list| list.iter().any(is))
    }

    /// May it use all that a request names? With each name the place it stands in.
    pub fn permit_each<'a>(&self, names: impl Iterator<Item = (&'static str, &'a str)>, config: &Snapshot) -> Result<(), Error> {
        for (place, name) in names {
            self.permit_name(name, config).map_err(|error| error.with_param(place))?;
        }
        Ok(())
    }

    /// What it may not name it is not told of either: whether there is such a thing, and what has a name like it.
    fn permit_name(&self, name: &str, config: &Snapshot) -> Result<(), Error> {
        let permitted = config.resolve(name).and_then(|resolved| self.permit(&resolved, config));
        let Scopes { models, routes, .. } = &self.scopes;
        let canonical = canonical_name(name);
        let is_listed = || {
            let is_model = || models.iter().flatten().any(|listed| covers(listed, &canonical));
            routes.iter().flatten().any(|listed| listed == name) || is_model()
        };
        if self.is_open() || is_listed() || permitted.is_ok() {
            return permitted;
        }
        Err(self.may_not_name(name))
    }

    const fn is_open(&self) -> bool {
        self.scopes.models.is_none() && self.scopes.routes.is_none()
    }

    /// Is this one of the names that it is shown?
    pub fn sees(&self, name: &str, config: &Snapshot) -> bool {
        if self.is_open() && self.providers.is_none() {
            return true;
        }
        let is_served = |resolved: &Resolved<'_>| config.targets(&resolved.config).iter().any(|t| self.is_served_by(&t.provider));
        config.resolve(name).is_ok_and(|resolved| is_served(&resolved) && self.permit(&resolved, config).is_ok())
    }

    /// May it use what it named? A route on its list covers the route's targets. Otherwise every target must be a model
    /// on its list, and a key with a list of routes only names no models itself.
    pub fn permit(&self, resolved: &Resolved<'_>, config: &Snapshot) -> Result<(), Error> {
        let Scopes { models, routes, .. } = &self.scopes;
        let asked = &resolved.route;
        let is_listed = |list: &Option<Vec<String>>| list.as_ref().is_some_and(|names| names.contains(asked));
        let covered = match (models, routes) {
            (None, None) => true,
            _ if resolved.is_route && routes.is_some() => is_listed(routes),
            (Some(models), _) => config.targets(&resolved.config).iter().all(|target| is_allowed(models, target, config)),
            (None, Some(_)) => false,
        };
        if covered { Ok(()) } else { Err(self.may_not_name(asked)) }
    }

    fn may_not_name(&self, asked: &str) -> Error {
        let Scopes { models, routes, .. } = &self.scopes;
        let lists: Vec<&Vec<String>> = routes.iter().chain(models).collect();
        self.refuse(asked, &lists).with_param("model")
    }

    /// Tells what its own lists have, and nothing else.
    fn refuse(&self, asked: &str, lists: &[&Vec<String>]) -> Error {
        let may: Vec<String> = lists.iter().copied().flatten().take(MAX_SHOWN).map(|name| format!("`{name}`")).collect();
        let hint = if may.is_empty() { "nothing".to_owned() } else { may.join(", ") };
        let message = format!("The gateway key `{}` may not use `{}`; it may use: {hint}.", self.name, short(asked));
        Error::new(Kind::Forbidden, message)
    }
}

/// The mock's faults are no part of its model's name; at any other a question mark is.
fn is_allowed(models: &[String], target: &Target, config: &Snapshot) -> bool {
    let is_mock = config.providers.get(&target.provider).is_some_and(Provider::is_mock);
    let name = target.name();
    let name = name.split_once('?').filter(|_| is_mock).map_or(name.as_str(), |(name, _)| name);
    models.iter().any(|model| covers(model, name))
}

/// `openai/gpt-5.4`, or all of a provider's as `openai/*`.
fn covers(model: &str, name: &str) -> bool {
    match model.strip_suffix('*') {
        Some(prefix) => name.starts_with(prefix),
        None => model == name,
    }
}
