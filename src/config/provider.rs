//! `providers`: the catalog, extended and overridden.

use std::{collections::BTreeMap, fmt};

use serde_json::{Map, Value};

use super::{
    Documents, Snapshot,
    host::read_base_url,
    price::read_price,
    reader::{Problems, Reader, did_you_mean},
};
use crate::catalog::{self, Auth, Feature, Price, Supports};

/// A provider that can be called.
#[derive(Clone, Debug)]
pub struct Provider {
    pub name: String,
    /// The catalog row whose way of speaking it has.
    pub kind: &'static catalog::Provider,
    /// Without a slash at the end.
    pub base_url: String,
    /// Empty: called without a credential.
    pub credentials: Vec<Credential>,
    /// All models known of it: catalog, `providers` and `prices` together. Others may exist.
    pub models: BTreeMap<String, Model>,
}

/// One secret of a provider; several rotate.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential {
    /// The secret's name: `OPENAI_API_KEY`.
    pub name: String,
    pub value: String,
}

impl fmt::Debug for Credential {
    /// Never the value.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credential({})", self.name)
    }
}

/// What is known of a model; `None` is "nobody said".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Model {
    pub context: Option<u64>,
    pub max_output: Option<u64>,
    pub supports: Option<Supports>,
    pub price: Option<Price>,
}

/// The gateway's own secrets: an edit of a document must not be able to send them anywhere.
const OWN_SECRETS: [&str; 2] = ["GATEWAY_KEY", "ADMIN_TOKEN"];
/// Longer names are no names of secrets.
const MAX_SECRET_NAME: usize = 128;
/// Secrets read for one set of documents; a Worker may have so many variables.
const MAX_SECRETS: usize = 128;
/// Providers of one operator.
const MAX_PROVIDERS: usize = 200;
/// Windows are some millions of tokens.
const MAX_TOKENS: u64 = 1_000_000_000;

/// Names of the secrets that these documents may need, for the shell to read. Of a document that is no JSON too: the
/// next one may be, with the same names.
pub fn secret_names(documents: &Documents) -> Vec<String> {
    let usual = catalog::providers().iter().flat_map(|p| p.secrets).map(|s| (*s).to_owned());
    let text = documents.providers.as_deref().unwrap_or_default();
    let named = text.split("${").skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name.to_owned());
    let mut names: Vec<String> = vec![];
    for name in usual.chain(named.filter(|name| is_secret_name(name))).take(MAX_SECRETS) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

fn is_secret_name(name: &str) -> bool {
    (1..=MAX_SECRET_NAME).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && !OWN_SECRETS.contains(&name)
}

/// Fills `snapshot.providers` and `snapshot.off`.
pub(super) fn read_providers(
    document: Map<String, Value>,
    snapshot: &mut Snapshot,
    secrets: &BTreeMap<String, String>,
    problems: &mut Problems,
) {
    if document.len() > MAX_PROVIDERS {
        problems.add("", format!("At most {MAX_PROVIDERS} providers."));
        return;
    }
    let named: Vec<String> = document.keys().cloned().collect();
    for row in catalog::providers().iter().filter(|row| !named.iter().any(|name| name == row.name)) {
        snapshot.switch(Draft::of(row), secrets);
    }
    for (name, value) in document {
        if let Err(message) = check_name(&name) {
            problems.add(name, message);
            continue;
        }
        let allow_private = snapshot.settings.allow_private_upstreams;
        let draft = Reader::over(value, name.clone(), problems, |reader| read_provider(&name, reader, allow_private));
        let Some(draft) = draft.flatten() else {
            // Known all the same, so that what names it does not look wrong too.
            snapshot.off.insert(name, vec![]);
            continue;
        };
        if let Some(missing) = snapshot.switch(draft, secrets) {
            snapshot.warnings.push(format!("Provider `{name}` is off: {}.", store_one_of(&missing)));
        }
    }
}

/// `run `wrangler secret put OPENAI_API_KEY``
pub(super) fn store_one_of(names: &[String]) -> String {
    let commands: Vec<String> = names.iter().map(|name| format!("`wrangler secret put {name}`")).collect();
    format!("its secret is missing; run {}", commands.join(" or "))
}

fn check_name(name: &str) -> Result<(), String> {
    super::check_public_name(name)?;
    match catalog::provider(name) {
        Some(row) if row.auth == Auth::None => Err(format!("`{name}` is built in and cannot be changed.")),
        Some(row) if row.name != name => Err(format!("`{name}` is an alias of `{0}`: write `{0}`.", row.name)),
        _ => Ok(()),
    }
}

/// A provider before its secrets are looked up.
struct Draft {
    provider: Provider,
    /// All that are there are used; or, for usual names, the first.
    secrets: Vec<String>,
    usual: bool,
}

impl Draft {
    fn of(row: &'static catalog::Provider) -> Self {
        let provider = Provider {
            name: row.name.to_owned(),
            kind: row,
            base_url: row.base_url.to_owned(),
            credentials: vec![],
            models: known_models(row),
        };
        Self { provider, secrets: row.secrets.iter().map(|s| (*s).to_owned()).collect(), usual: true }
    }
}

fn known_models(row: &catalog::Provider) -> BTreeMap<String, Model> {
    let models = catalog::models().iter().filter(|model| model.provider == row.name);
    let mut known = BTreeMap::new();
    known.extend(models.map(|model| (model.name.to_owned(), Model::of(model))));
    known
}

impl Model {
    const fn of(row: &catalog::Model) -> Self {
        Self { context: Some(row.context), max_output: Some(row.max_output), supports: Some(row.supports), price: row.price }
    }
}

impl Snapshot {
    /// On, if a secret is there or none is needed; otherwise off, and the names it may have.
    fn switch(&mut self, draft: Draft, secrets: &BTreeMap<String, String>) -> Option<Vec<String>> {
        let found = draft.secrets.iter().filter_map(|name| {
            let value = secrets.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())?;
            Some(Credential { name: name.clone(), value: value.to_owned() })
        });
        let credentials: Vec<Credential> = found.take(if draft.usual { 1 } else { MAX_SECRETS }).collect();
        if credentials.is_empty() && !draft.secrets.is_empty() {
            self.off.insert(draft.provider.name, draft.secrets.clone());
            return Some(draft.secrets);
        }
        self.providers.insert(draft.provider.name.clone(), Provider { credentials, ..draft.provider });
        None
    }
}

fn read_provider(name: &str, reader: &mut Reader<'_>, allow_private: bool) -> Option<Draft> {
    let kind = read_kind(name, reader);
    let url = reader.text("base_url");
    let base_url = url.as_deref().map(|url| {
        let read = read_base_url(url, allow_private);
        read.inspect_err(|what| reader.problem("base_url", format!("`{}` {what}.", reader.path_of("base_url")))).ok()
    });
    let keys = read_keys(reader);
    let models = reader.map("models").unwrap_or_default();
    let models_path = reader.path_of("models");
    reader.later(&["regions"], "requests go out from wherever the Worker runs");
    let row = kind?;
    let is_elsewhere = base_url.is_some() && row.name != name;
    let mut draft = Draft::of(row);
    name.clone_into(&mut draft.provider.name);
    if let Some(url) = base_url {
        draft.provider.base_url = url?;
    }
    if is_elsewhere {
        // Another house: what is known of the catalog's says nothing of it, and its secret is none of its business.
        draft.provider.models.clear();
        draft.secrets.clear();
    }
    if let Some(keys) = keys {
        draft.secrets = keys;
        draft.usual = false;
    }
    for (model, value) in models {
        let path = format!("{models_path}.{model}");
        let entry = draft.provider.models.entry(model).or_default();
        Reader::over(value, path, reader.problems, |reader| read_model(reader, entry));
    }
    Some(draft)
}

fn read_kind(name: &str, reader: &mut Reader<'_>) -> Option<&'static catalog::Provider> {
    let word = reader.text("kind");
    let usable = || catalog::providers().iter().filter(|row| row.auth != Auth::None).map(|row| row.name);
    if catalog::provider(name).is_some_and(|own| word.as_deref().is_some_and(|word| word != own.name)) {
        reader.problem("kind", format!("`{name}` is built in and speaks its own way: leave `kind` out, or choose another name."));
        return None;
    }
    let row = catalog::provider(word.as_deref().unwrap_or(name)).filter(|row| row.auth != Auth::None);
    if row.is_none() {
        let kinds = usable().collect::<Vec<_>>().join(", ");
        let message = match &word {
            None => format!("`{}` is required: whose way of speaking is it? One of: {kinds}.", reader.path_of("kind")),
            Some(word) => {
                format!("`{word}` is not a known kind.{} The kinds are: {kinds}.", did_you_mean(word, usable()))
            }
        };
        reader.problem("kind", message);
    }
    row
}

/// Names of secrets. A literal key is refused, and never repeated.
fn read_keys(reader: &mut Reader<'_>) -> Option<Vec<String>> {
    let keys = reader.strings("keys")?;
    let mut names = vec![];
    for (i, key) in keys.iter().enumerate() {
        let name = key.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
        match name {
            Some(name) if OWN_SECRETS.contains(&name) => {
                reader.problem(&format!("keys[{i}]"), format!("`{name}` is the gateway's own secret and goes to nobody."));
            }
            Some(name) if is_secret_name(name) => names.push(name.to_owned()),
            _ => reader.problem(
                &format!("keys[{i}]"),
                "A key never stands in a document: store it with `wrangler secret put NAME` and write \"${NAME}\" here.",
            ),
        }
    }
    Some(names)
}

fn read_model(reader: &mut Reader<'_>, model: &mut Model) {
    model.context = reader.whole("context", 1..=MAX_TOKENS).or(model.context);
    model.max_output = reader.whole("max_output", 1..=MAX_TOKENS).or(model.max_output);
    if let Some(words) = reader.strings("supports") {
        let features = words.iter().enumerate().filter_map(|(i, word)| {
            let feature = Feature::ALL.into_iter().find(|feature| feature.name() == word);
            if feature.is_none() {
                let known = Feature::ALL.map(Feature::name).join(", ");
                reader.problem(&format!("supports[{i}]"), format!("`{word}` is not a feature; they are: {known}."));
            }
            feature
        });
        model.supports = Some(Supports::of(&features.collect::<Vec<_>>()));
    }
    if let Some(price) = reader.object("price", read_price) {
        model.price = price.or(model.price);
    }
}
