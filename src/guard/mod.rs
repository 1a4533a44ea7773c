//! May this caller do this now?

mod entry;
mod key;
mod page;

pub use key::{digest, entry_name, is_well_formed, presented};
pub use page::{Header, check_operator_page, cors, preflight};

use crate::{
    config::{Provider, Resolved, Rules, Snapshot, Target, canonical_name},
    error::{Error, Kind},
    ledger::{DEFAULT_TENANT, Payer, record::short},
    units::Millis,
};

/// The caller who holds `GATEWAY_KEY`.
const OWNER: &str = "gateway";
/// Names shown to a caller who named another.
const MAX_SHOWN: usize = 10;

/// Who calls, as far as the gateway is concerned.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Caller {
    /// The digest of its key; empty of the secret one.
    pub id: String,
    pub name: String,
    pub tenant: Option<String>,
    pub tags: Vec<String>,
    /// Whether its requests may say how they are routed.
    pub overrides: bool,
    /// Whether providers must keep nothing of its requests.
    pub zdr: bool,
    pub rules: Rules,
    /// Models it may name: `openai/gpt-5.4`, `openai/*`. `None`: no such limit.
    models: Option<Vec<String>>,
    /// Routes it may use. `None`: no such limit.
    routes: Option<Vec<String>>,
}

/// What the gateway keeps to check a key against.
#[derive(Clone, Copy, Debug, Default)]
pub struct Locks<'a> {
    /// The secret `GATEWAY_KEY`.
    pub gateway_key: Option<&'a str>,
    /// The text of the KV entry `entry_name(key)`, if there is one.
    pub entry: Option<&'a str>,
    /// Whether any key is set up at all; only a refusal's wording depends on it.
    pub any_entries: bool,
}

/// The KV entry to read before `admit`; none when the key is the secret one, or cannot be any of ours.
pub fn needs_entry(key: &str, gateway_key: Option<&str>) -> Option<String> {
    (!key::is_same(key, gateway_key) && is_well_formed(key)).then(|| entry_name(key))
}

/// Whether the operator's token is presented; nobody is while there is none.
pub fn is_operator(headers: &[(String, String)], token: Option<&str>) -> bool {
    presented(headers, None).is_some_and(|presented| key::is_same(&presented, token))
}

/// Who is this?
pub fn admit(key: Option<&str>, locks: Locks<'_>, now: Millis) -> Result<Caller, Error> {
    if locks.gateway_key.is_none_or(|key| key.trim().is_empty()) && locks.entry.is_none() && !locks.any_entries {
        return Err(refused(
            "No gateway key is set: run `wrangler secret put GATEWAY_KEY`, then send that key as `Authorization: Bearer` or \
             `x-api-key`.",
        ));
    }
    let Some(key) = key else {
        return Err(refused("A gateway key is missing: send it as `Authorization: Bearer`, `x-api-key` or `x-goog-api-key`."));
    };
    if key::is_same(key, locks.gateway_key) {
        let name = OWNER.to_owned();
        return Ok(Caller { name, overrides: true, ..Caller::default() });
    }
    let Some(entry) = locks.entry.filter(|_| is_well_formed(key)) else {
        return Err(refused("This gateway key is not known: check that it is whole, or ask the operator for another."));
    };
    let entry = entry::read(entry).map_err(|error| {
        let message = "The gateway's entry of this key cannot be read: the operator must correct it.";
        Error::new(Kind::Internal, message).with_detail(format!("{}: {}", entry_name(key), error.message))
    })?;
    let name = &entry.name;
    if entry.disabled {
        return Err(refused(format!("The gateway key `{name}` is disabled: ask the operator.")));
    }
    if entry.expires.is_some_and(|expires| expires <= now) {
        return Err(refused(format!("The gateway key `{name}` has expired: ask the operator for another.")));
    }
    let canonical = |models: Vec<String>| models.iter().map(|name| canonical_name(name)).collect();
    Ok(Caller {
        id: digest(key),
        name: entry.name,
        tenant: entry.tenant,
        tags: entry.tags,
        overrides: entry.overrides,
        zdr: entry.zdr,
        rules: entry.rules,
        models: entry.models.map(canonical),
        routes: entry.routes,
    })
}

fn refused(message: impl Into<String>) -> Error {
    Error::new(Kind::Unauthenticated, message)
}

impl Caller {
    /// Whose account its requests are on.
    pub fn payer(&self) -> Payer {
        let tenant = self.tenant.as_deref().unwrap_or(DEFAULT_TENANT).to_owned();
        Payer { key: self.name.clone(), tenant, tags: self.tags.clone() }
    }

    /// Who holds the secret key: the operator.
    pub fn is_owner(&self) -> bool {
        self.id.is_empty()
    }

    /// May it use providers' own paths? They reach all that the operator's accounts hold, whichever tenant put it there.
    pub fn permit_passthrough(&self) -> Result<(), Error> {
        if let Some(tenant) = &self.tenant {
            let message = format!(
                "The gateway key `{}` is of the tenant `{tenant}`, and a provider's own paths would show it what is others'.",
                self.name
            );
            return Err(Error::new(Kind::Forbidden, message));
        }
        self.permit_all()
    }

    /// May it use what no list of models or routes can speak of?
    pub fn permit_all(&self) -> Result<(), Error> {
        if self.models.is_none() && self.routes.is_none() {
            return Ok(());
        }
        let message = format!("The gateway key `{}` is limited to models or routes, and this path names neither.", self.name);
        Err(Error::new(Kind::Forbidden, message))
    }

    /// May it use all that a request names? With each name the place it stands in.
    pub fn permit_each<'a>(&self, names: impl Iterator<Item = (&'static str, &'a str)>, config: &Snapshot) -> Result<(), Error> {
        for (place, name) in names {
            let permitted = match config.resolve(name) {
                Ok(resolved) => self.permit(&resolved, config),
                // What there is besides its lists is not told: neither by another refusal, nor by names that are near.
                Err(error) => Err(if self.is_listed(name) { error } else { self.may_not(name) }),
            };
            permitted.map_err(|error| error.with_param(place))?;
        }
        Ok(())
    }

    /// Whether it may name this at all: for lists of what there is.
    pub fn may_name(&self, name: &str, config: &Snapshot) -> bool {
        let resolved = || config.resolve(name).is_ok_and(|resolved| self.permit(&resolved, config).is_ok());
        (self.models.is_none() && self.routes.is_none()) || resolved()
    }

    /// Whether a name that leads nowhere stands on its lists, or it has none.
    fn is_listed(&self, name: &str) -> bool {
        let canonical = canonical_name(name);
        match (&self.models, &self.routes) {
            (None, None) => true,
            (models, routes) => {
                models.iter().any(|models| models.iter().any(|model| is_covered(model, &canonical)))
                    || routes.iter().any(|routes| routes.iter().any(|route| route == name))
            }
        }
    }

    /// May it use what it named? A route on its list covers the route's targets. Otherwise every target must be a model
    /// on its list, and a key with a list of routes only names no models itself.
    pub fn permit(&self, resolved: &Resolved<'_>, config: &Snapshot) -> Result<(), Error> {
        let asked = &resolved.route;
        let is_listed = |list: &Option<Vec<String>>| list.as_ref().is_some_and(|names| names.contains(asked));
        let covered = match (&self.models, &self.routes) {
            (None, None) => true,
            _ if resolved.is_route && self.routes.is_some() => is_listed(&self.routes),
            (Some(models), _) => config.targets(&resolved.config).iter().all(|target| is_allowed(models, target, config)),
            (None, Some(_)) => false,
        };
        if covered { Ok(()) } else { Err(self.may_not(asked)) }
    }

    fn may_not(&self, asked: &str) -> Error {
        let lists = [self.routes.as_ref(), self.models.as_ref()];
        let may: Vec<String> = lists.into_iter().flatten().flatten().take(MAX_SHOWN).map(|name| format!("`{name}`")).collect();
        let hint = if may.is_empty() { "nothing".to_owned() } else { may.join(", ") };
        let message = format!("The gateway key `{}` may not use `{}`; it may use: {hint}.", self.name, short(asked));
        Error::new(Kind::Forbidden, message).with_param("model")
    }
}

/// The mock's faults are no part of its model's name; at any other a question mark is.
fn is_allowed(models: &[String], target: &Target, config: &Snapshot) -> bool {
    let is_mock = config.providers.get(&target.provider).is_some_and(Provider::is_mock);
    let name = target.name();
    let name = name.split_once('?').filter(|_| is_mock).map_or(name.as_str(), |(name, _)| name);
    models.iter().any(|model| is_covered(model, name))
}

/// `openai/gpt-5.4`, or all of a provider's as `openai/*`.
fn is_covered(model: &str, name: &str) -> bool {
    match model.strip_suffix('*') {
        Some(prefix) => name.starts_with(prefix),
        None => model == name,
    }
}
