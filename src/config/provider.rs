//! `providers`: the catalog, extended and overridden.

use std::{fmt, rc::Rc};

use serde_json::{Map, Value};

use super::{
    Snapshot,
    host::read_base_url,
    price::read_price,
    read_policy::read_regions,
    reader::{Problems, Reader, did_you_mean},
    secrets::{OWN_SECRETS, is_secret_name, store_one_of},
};
use crate::{
    catalog::{self, Endpoint, Feature, Hosting, MOCK, Operation, Price, Style, Supports},
    chat::profile::{History, Profile, Thinking},
    dialect::Dialect,
    sorted::SortedMap,
};

/// A provider that can be called.
#[derive(Clone, Debug)]
pub struct Provider {
    pub name: String,
    /// The catalog row whose way of speaking it has.
    pub kind: &'static catalog::Provider,
    /// Without a slash at the end.
    pub base_url: String,
    pub house: House,
    /// Empty: called without a credential.
    pub credentials: Vec<Credential>,
    /// The fingerprint of the tenant's own key, where that is its credential.
    pub own: Option<String>,
    /// It keeps nothing of a request, by the operator's word.
    pub zdr: bool,
    /// Only for requests that come in there; empty: everywhere.
    pub regions: Vec<String>,
    /// What a lookalike speaks, where the operator says it.
    spoken: Vec<Dialect>,
    /// All models known of it: catalog, `providers` and `prices` together. Others may exist.
    pub models: Rc<SortedMap<String, Model>>,
}

/// Whose address it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum House {
    /// The catalog's.
    Usual,
    /// The operator's, for a provider of the catalog.
    Moved,
    /// Another provider's, that only speaks like the one of the catalog.
    Lookalike,
}

/// One secret of a provider; several rotate. For Amazon an access key id, its secret and a token may stand in one, with
/// colons between them.
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
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Model {
    pub context: Option<u64>,
    pub max_output: Option<u64>,
    pub supports: Option<Supports>,
    pub price: Option<Price>,
    /// As of its provider.
    pub zdr: Option<bool>,
}

/// Providers of one operator.
const MAX_PROVIDERS: usize = 200;
/// Windows are some millions of tokens.
pub(super) const MAX_TOKENS: u64 = 1_000_000_000;

/// Fills `snapshot.providers` and `snapshot.off`.
pub(super) fn read_providers(
    document: Map<String, Value>,
    snapshot: &mut Snapshot,
    secrets: &SortedMap<String, String>,
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
        snapshot.switch(draft, secrets);
        if let Some(missing) = snapshot.off.get(&name) {
            snapshot.warnings.push(format!("Provider `{name}` is off: {}.", store_one_of(missing)));
        }
    }
}

fn check_name(name: &str) -> Result<(), String> {
    super::check_public_name(name)?;
    match catalog::provider(name) {
        Some(row) if row.name == MOCK => Err(format!("`{name}` is built in and cannot be changed.")),
        Some(row) if row.name != name => Err(format!("`{name}` is an alias of `{0}`: write `{0}`.", row.name)),
        _ => Ok(()),
    }
}

/// A provider before its secrets are looked up.
pub(super) struct Draft {
    pub provider: Provider,
    /// All that are there are used; or, for usual names, the first.
    pub secrets: Vec<String>,
    pub usual: bool,
}

impl Draft {
    fn of(row: &'static catalog::Provider) -> Self {
        let provider = Provider {
            name: row.name.to_owned(),
            kind: row,
            base_url: row.base_url.to_owned(),
            house: House::Usual,
            credentials: vec![],
            own: None,
            zdr: row.name == MOCK,
            regions: vec![],
            spoken: vec![],
            models: Rc::new(known_models(row)),
        };
        Self { provider, secrets: row.secrets.iter().map(|s| (*s).to_owned()).collect(), usual: true }
    }
}

fn known_models(row: &catalog::Provider) -> SortedMap<String, Model> {
    let is_sold = |maker: &str| maker == row.name || row.sells.contains(&maker);
    let models = catalog::models().iter().filter(|model| is_sold(model.provider));
    let mut known = SortedMap::new();
    known.extend(models.map(|model| (sold_as(row, model.name), Model::of(model))));
    known
}

/// Google writes `claude-opus-4-5@20251101` where Anthropic writes `claude-opus-4-5-20251101`.
fn sold_as(row: &catalog::Provider, name: &str) -> String {
    let is_date = |text: &str| text.len() == 8 && text.bytes().all(|b| b.is_ascii_digit());
    let split = name.rsplit_once('-').filter(|(_, date)| row.hosting == Hosting::Vertex && is_date(date));
    split.map_or_else(|| name.to_owned(), |(head, date)| format!("{head}@{date}"))
}

impl Model {
    fn of(row: &catalog::Model) -> Self {
        Self {
            context: Some(row.context),
            max_output: Some(row.max_output),
            supports: Some(row.supports),
            price: row.price.clone(),
            zdr: None,
        }
    }
}

impl Provider {
    /// Whether it is the built-in one, under whatever name.
    pub fn is_mock(&self) -> bool {
        self.kind.name == MOCK
    }

    /// What a model is spoken to in here, the preferred first.
    pub fn dialects(&self, model: &str) -> impl Iterator<Item = Dialect> {
        let is_known = self.house != House::Lookalike || self.kind.lookalikes.is_empty();
        let usual = if is_known { self.kind.dialects(model) } else { self.kind.lookalikes };
        let spoken = if self.spoken.is_empty() { usual } else { &self.spoken };
        let is_here = |dialect: &Dialect| self.house == House::Usual || own_base(self.kind, *dialect).is_none();
        spoken.iter().copied().filter(is_here)
    }

    /// How it does what is asked besides generating, and where.
    pub fn offers(&self, operation: Operation) -> Option<Endpoint> {
        if self.house != House::Lookalike || self.kind.lookalikes.is_empty() {
            return catalog::operation(self.kind.name, operation);
        }
        // Servers that speak as OpenAI does embed as it does; what they rank, they rank as most do.
        match operation {
            Operation::Embed | Operation::Image => catalog::operation(self.kind.name, operation),
            // OpenAI's own is gone since 2026-09-24; others go on speaking its way.
            Operation::Video => Some(Endpoint { style: Style::OpenAi, path: "/videos" }),
            Operation::Rerank => Some(Endpoint { style: Style::Jina, path: "/rerank" }),
            Operation::Moderate | Operation::CountTokens => None,
        }
    }

    /// Where a dialect is spoken.
    pub fn base_of(&self, dialect: Dialect) -> &str {
        own_base(self.kind, dialect).filter(|_| self.house == House::Usual).unwrap_or(&self.base_url)
    }

    /// What a model takes.
    pub fn profile(&self, model: &str) -> Profile {
        let known = self.models.get(model);
        let supports = known.and_then(|known| known.supports);
        let mut profile = catalog::profile(self.kind, model);
        if self.house == House::Lookalike && !self.kind.lookalikes.is_empty() {
            // Whether it thinks nobody knows, and some refuse to be told: `supports` says it.
            profile = Profile { thinking: Thinking::None, history: History::Bare, ..profile };
            if supports.is_some_and(|supports| supports.reasoning) {
                profile.thinking = Thinking::Effort;
            }
        }
        if let Some(supports) = supports {
            profile.json_schema &= supports.json_schema;
            if !supports.reasoning {
                profile.thinking = Thinking::None;
            }
        }
        Profile { max_output: known.and_then(|known| known.max_output), ..profile }
    }
}

fn own_base(row: &catalog::Provider, dialect: Dialect) -> Option<&'static str> {
    row.bases.iter().find(|(d, _)| *d == dialect).map(|(_, base)| *base)
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
    let (zdr, regions, dialects) = (reader.flag("zdr"), read_regions(reader), reader.strings("dialects"));
    let row = kind?;
    let is_elsewhere = base_url.is_some() && row.name != name;
    if row.hosting == Hosting::WorkersAi && base_url.is_some() {
        reader.problem("base_url", format!("`{name}` is reached through its binding and has no `base_url`."));
    }
    let mut draft = Draft::of(row);
    name.clone_into(&mut draft.provider.name);
    if let Some(url) = base_url {
        draft.provider.base_url = url?;
        draft.provider.house = if is_elsewhere { House::Lookalike } else { House::Moved };
    }
    if is_elsewhere {
        // Another house: what is known of the catalog's says nothing of it, and its secret is none of its business.
        draft.provider.models = Rc::default();
        draft.secrets.clear();
    }
    draft.provider.zdr = zdr.unwrap_or_default();
    draft.provider.regions = regions;
    if let Some(words) = dialects {
        draft.provider.spoken = read_spoken(&words, &draft.provider, reader);
    }
    if let Some(keys) = keys {
        draft.secrets = keys;
        draft.usual = false;
    }
    let known = Rc::make_mut(&mut draft.provider.models);
    for (model, value) in models {
        let path = format!("{models_path}.{model}");
        let entry = known.or_default(model);
        Reader::over(value, path, reader.problems, |reader| read_model(reader, entry));
    }
    Some(draft)
}

fn read_kind(name: &str, reader: &mut Reader<'_>) -> Option<&'static catalog::Provider> {
    let word = reader.text("kind");
    let usable = || catalog::providers().iter().filter(|row| row.name != MOCK).map(|row| row.name);
    if catalog::provider(name).is_some_and(|own| word.as_deref().is_some_and(|word| word != own.name)) {
        reader.problem("kind", format!("`{name}` is built in and speaks its own way: leave `kind` out, or choose another name."));
        return None;
    }
    let row = catalog::provider(word.as_deref().unwrap_or(name)).filter(|row| row.name != MOCK);
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

/// What a server at the operator's own address speaks, of what its kind does.
fn read_spoken(words: &[String], provider: &Provider, reader: &mut Reader<'_>) -> Vec<Dialect> {
    if provider.house != House::Lookalike {
        reader.problem("dialects", "Only a provider with its own name and `base_url` says what it speaks.");
        return vec![];
    }
    if words.is_empty() {
        reader.problem("dialects", "At least one dialect; leave it out for the usual ones.");
    }
    let kind = provider.kind;
    let own = |dialect: &Dialect| own_base(kind, *dialect).is_none();
    let known: Vec<Dialect> = kind.lookalikes.iter().chain(kind.speaks).copied().filter(own).collect();
    let mut spoken = vec![];
    for (i, word) in words.iter().enumerate() {
        let found = known.iter().find(|dialect| dialect.name() == word).copied();
        if found.is_none() {
            let names: Vec<&str> = Dialect::ALL.into_iter().filter(|d| known.contains(d)).map(Dialect::name).collect();
            let message = format!("The kind `{}` does not speak `{word}` there; it may: {}.", kind.name, names.join(", "));
            reader.problem(&format!("dialects[{i}]"), message);
        }
        spoken.extend(found.filter(|dialect| !spoken.contains(dialect)));
    }
    spoken
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
    model.zdr = reader.flag("zdr").or(model.zdr);
    if let Some(price) = reader.object("price", |reader| read_price(reader, &SortedMap::new())) {
        model.price = price.or_else(|| model.price.take());
    }
}
