//! The documents of the operator, read and checked: nothing that does not cross-check ever takes effect.

use std::rc::Rc;

mod condition;
mod given;
mod host;
mod limits;
mod nesting;
pub mod news;
mod otlp;
pub mod own_entry;
mod own_key;
mod parse;
mod price;
mod provider;
mod read_condition;
mod read_policy;
mod read_routes;
mod reader;
mod resolve;
mod route;
mod secrets;
mod service_account;
mod settings;
mod write_price;

pub use condition::{Check, Condition, Datum, Literal, Pattern, Subject};
pub use given::{Given, Secrets};
pub use host::{is_private_host, read_public_url};
pub use limits::{Budget, Budgets, Limits, Period, Rules, read_rules};
pub use otlp::{Otlp, OtlpHeader, WHOLE_SAMPLE};
pub use own_key::{OwnKey, fingerprint};
pub use price::read_amount;
pub use provider::{Credential, House, Model, Provider};
pub use read_condition::REGIONS;
use reader::Problems;
pub use resolve::{ListedModel, Resolved};
pub use route::{
    Cache, Choice, Hedge, Lossy, MaxPrice, OnContentFilter, OnStreamBreak, Place, Policy, Requires, Route, Rule, Strategy,
    Target, WhenAllUnavailable,
};
pub use secrets::secret_names;
use serde_json::Map;
pub use service_account::ServiceAccount;
pub use settings::{Audit, Breaker, OnError, Retry, Settings, SomeRetry, SomeTimeouts, Timeouts};
use sha2::{Digest, Sha256};
pub use write_price::{money, write_price};

use crate::{
    catalog::{self, Price},
    sorted::SortedMap,
};

/// What stands in KV, as text; a document that is not there is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Documents {
    pub routes: Option<String>,
    pub providers: Option<String>,
    pub settings: Option<String>,
    pub prices: Option<String>,
    pub budgets: Option<String>,
}

/// One thing wrong with a document, for the operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub document: &'static str,
    /// `smart.targets[1].weight`
    pub path: String,
    pub message: String,
}

/// The configuration in force: checked, indexed, with every default filled in.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// Hex of a digest of the documents: the same documents, the same version, on any machine.
    pub version: String,
    pub routes: Rc<SortedMap<String, Route>>,
    /// Those that can be called. One whose secret is missing is in `off`.
    pub providers: SortedMap<String, Provider>,
    /// Providers without their secret, with the names it may have.
    pub off: SortedMap<String, Vec<String>>,
    /// Of those that are off, the ones that lack nothing but a key: a tenant's own turns them on for it.
    keyless: Rc<SortedMap<String, Provider>>,
    pub settings: Settings,
    pub budgets: Rc<Budgets>,
    /// What the operator should know, though it hinders nothing.
    pub warnings: Vec<String>,
}

const SETTINGS: &str = "settings";
const PROVIDERS: &str = "providers";
const PRICES: &str = "prices";
const ROUTES: &str = "routes";
const BUDGETS: &str = "budgets";
/// Bytes of the digest that make a version: enough never to meet twice, short enough to read out.
const VERSION_BYTES: usize = 8;
/// Names of routes, providers and models.
const MAX_NAME: usize = 200;

impl Documents {
    /// In the order they are read: each may lean on those before it.
    pub fn by_name(&self) -> [(&'static str, Option<&str>); 5] {
        [
            (SETTINGS, self.settings.as_deref()),
            (PROVIDERS, self.providers.as_deref()),
            (PRICES, self.prices.as_deref()),
            (ROUTES, self.routes.as_deref()),
            (BUDGETS, self.budgets.as_deref()),
        ]
    }

    /// One of them.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.by_name().into_iter().find(|(known, _)| *known == name).and_then(|(_, text)| text)
    }

    fn version(&self) -> String {
        let mut digest = Sha256::new();
        for (name, text) in self.by_name() {
            // A length before each text: no two sets of documents run together to the same bytes.
            let length = text.map_or_else(|| "absent".to_owned(), |text| text.len().to_string());
            digest.update(format!("{name} {length}\n"));
            digest.update(text.unwrap_or_default());
        }
        digest.finalize().iter().take(VERSION_BYTES).map(|byte| format!("{byte:02x}")).collect()
    }
}

/// Reads and cross-checks the documents; all problems at once.
pub fn build(documents: &Documents, secrets: &SortedMap<String, String>) -> Result<Snapshot, Vec<Problem>> {
    let mut snapshot = Snapshot {
        version: documents.version(),
        routes: Rc::default(),
        providers: SortedMap::new(),
        off: SortedMap::new(),
        keyless: Rc::default(),
        settings: Settings::default(),
        budgets: Rc::default(),
        warnings: vec![],
    };
    let mut parsed = vec![];
    let mut all = vec![];
    for (name, text) in documents.by_name() {
        let mut problems = Problems::new(name);
        parsed.push((text.map_or_else(|| Some(Map::new()), |text| parse::parse(text, &mut problems)), problems));
    }
    // One that cannot be read at all would make the others look wrong: they are checked against each other later.
    let is_readable = parsed.iter().all(|(document, _)| document.is_some());
    for (document, mut problems) in parsed {
        if let Some(document) = document.filter(|_| is_readable) {
            match problems.document {
                SETTINGS => {
                    snapshot.settings = settings::read_settings(document, &mut problems);
                    snapshot.fill_otlp(secrets);
                }
                PROVIDERS => provider::read_providers(document, &mut snapshot, secrets, &mut problems),
                PRICES => price::read_prices(document, &mut snapshot, &mut problems),
                BUDGETS => limits::read_budgets(document, &mut snapshot, &mut problems),
                _ => read_routes::read_routes(document, &mut snapshot, &mut problems),
            }
        }
        all.extend(problems.list);
    }
    if all.is_empty() { Ok(snapshot) } else { Err(all) }
}

impl Snapshot {
    /// What is known of a model; `None` for one nobody described.
    pub fn model(&self, provider: &str, model: &str) -> Option<&Model> {
        let models = &self.providers.get(provider)?.models;
        // The mock takes its faults as a query of the name: `flaky?fail=503`.
        models.get(model).or_else(|| models.get(model.split_once('?')?.0))
    }

    /// Everything a route may lead to, in the order it is written; `seen` keeps nested routes from being read twice.
    pub fn targets<'a>(&'a self, route: &'a Route) -> Vec<&'a Target> {
        let (mut targets, mut seen, mut open) = (vec![], vec![], vec![route.places()]);
        while let Some(places) = open.last_mut() {
            match places.next() {
                Some(Place::Target(target)) => targets.push(&**target),
                Some(Place::Route(name)) if seen.contains(&name) => {}
                Some(Place::Route(name)) => {
                    seen.push(name);
                    open.extend(self.routes.get(name).map(Route::places));
                }
                None => {
                    open.pop();
                }
            }
        }
        targets
    }

    /// How long a target may take, under routes that say `outer`.
    pub fn timeouts(&self, target: &Target, outer: SomeTimeouts) -> Timeouts {
        let supports = self.model(&target.provider, &target.model).and_then(|model| model.supports);
        let reasoning = supports.is_some_and(|supports| supports.reasoning);
        target.timeouts.or(outer).over(&self.settings, reasoning)
    }

    pub fn price(&self, provider: &str, model: &str) -> Option<&Price> {
        self.model(provider, model)?.price.as_ref()
    }
}

/// Names of routes and providers: plain enough for a header, a path and a list with commas.
fn check_public_name(name: &str) -> Result<(), String> {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    if (1..=MAX_NAME).contains(&name.len()) && name.bytes().all(is_plain) {
        return Ok(());
    }
    Err(format!("`{name}` must be a name of letters, digits, `-`, `_` and `.`, at most {MAX_NAME} long."))
}

/// A name as allow-lists mean it: an alias becomes its provider, a bare model of the catalog gets its provider.
pub fn canonical_name(name: &str) -> String {
    match name.split_once('/') {
        Some((provider, model)) => {
            let canonical = catalog::provider(provider).map_or(provider, |row| row.name);
            format!("{canonical}/{model}")
        }
        None => catalog::bare_model(name).map_or_else(|| name.to_owned(), |model| format!("{}/{name}", model.provider)),
    }
}
