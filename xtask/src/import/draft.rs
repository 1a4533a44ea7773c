//! Our documents, while they are made.

use std::collections::BTreeMap;
use std::fmt::Write;

use anyhow::{Result, bail};
use portolan::catalog;
use serde_json::{Map, Value, json};

use super::is_refused;
use super::source::Node;

/// Other gateways' words for providers of ours; the catalog's own names and aliases are known besides.
const KINDS: [(&str, &str); 18] = [
    ("aws-bedrock", "bedrock"),
    ("bedrock-converse", "bedrock"),
    ("cohere-chat", "cohere"),
    ("custom-openai", LOOKALIKE),
    ("gcp-vertex-anthropic", "vertex"),
    ("gcp-vertex-gemini", "vertex"),
    ("google-ai-studio-gemini", "google"),
    ("hosted-vllm", LOOKALIKE),
    ("lm-studio", LOOKALIKE),
    ("mistral-ai", "mistral"),
    ("mistralai", "mistral"),
    ("ollama", LOOKALIKE),
    ("ollama-chat", LOOKALIKE),
    ("openai-like", LOOKALIKE),
    ("sglang", LOOKALIKE),
    ("text-completion-openai", "openai"),
    ("tgi", LOOKALIKE),
    ("vllm", LOOKALIKE),
];
/// Speaks as OpenAI does, at an address of its own.
const LOOKALIKE: &str = "openai@";
/// Texts that begin like this are keys wherever they stand.
const KEY_BEGINNINGS: [&str; 11] = ["sk-", "pk-", "gsk_", "xai-", "AIza", "AKIA", "Bearer ", "hf_", "r8_", "nvapi-", "ghp_"];
/// Words in the names of members that hold keys.
const KEY_WORDS: [&str; 7] = ["key", "token", "secret", "password", "authorization", "credential", "cookie"];
/// Members that sound like one of these and are none.
const NO_KEYS: [&str; 5] = ["max_tokens", "max_completion_tokens", "budget_tokens", "prompt_cache_key", "max_output_tokens"];
/// `params` cannot set what is the gateway's.
const OURS: [&str; 5] = ["model", "messages", "contents", "stream", "stream_options"];

#[derive(Default)]
pub struct Draft {
    pub routes: Map<String, Value>,
    pub providers: Map<String, Value>,
    pub settings: Map<String, Value>,
    pub budgets: Map<String, Value>,
    pub prices: Map<String, Value>,
    /// What the operator must know besides.
    pub notes: Vec<String>,
    /// Names of secrets, and where they were.
    secrets: Vec<(String, String)>,
    /// Literal keys of the source, and their names from now on.
    literals: BTreeMap<String, String>,
    /// Provider by kind, address and keys.
    known: BTreeMap<(String, Option<String>, Vec<String>), String>,
}

/// The provider of a target, as a source names it.
pub struct Wanted<'a> {
    pub word: &'a str,
    pub base_url: Option<String>,
    /// As `${NAME}`.
    pub keys: Vec<String>,
}

pub fn kind(word: &str) -> Option<&'static str> {
    let word = word.to_ascii_lowercase().replace('_', "-");
    let synonym = KINDS.iter().find(|(other, _)| *other == word).map(|(_, kind)| *kind);
    synonym.or_else(|| catalog::provider(&word).map(|provider| provider.name))
}

/// The name of a route: theirs may hold what ours may not.
pub fn slug(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '-' };
    name.chars().take(200).map(plain).collect()
}

pub fn is_key_member(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    !NO_KEYS.contains(&lower.as_str()) && KEY_WORDS.iter().any(|word| lower.contains(word))
}

fn looks_like_key(text: &str) -> bool {
    KEY_BEGINNINGS.iter().any(|begin| text.starts_with(begin))
}

fn secret_name(text: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
    text.chars().map(plain).collect()
}

fn host(url: &str) -> Option<&str> {
    url.split("//").nth(1)?.split(['/', ':']).next()
}

/// The kind of a provider and its address as ours want it, or why there can be none.
pub fn checked(word: &str, base_url: Option<&str>) -> std::result::Result<(&'static str, Option<String>), String> {
    let Some(kind) = kind(word) else { return Err(format!("no provider of the catalog is called `{word}`")) };
    let (kind, needs_url) = if kind == LOOKALIKE { ("openai", true) } else { (kind, false) };
    if needs_url && base_url.is_none() {
        return Err(format!("`{word}` needs an address of its own"));
    }
    let base_url = base_url.map(|url| normal_url(kind, word, url));
    match base_url.as_deref().and_then(is_refused) {
        Some(why) => Err(format!("its address cannot be used by a Worker: {why}")),
        None => Ok((kind, base_url)),
    }
}

impl Draft {
    /// A secret of the environment: `${NAME}`.
    pub fn env(&mut self, name: &str, node: &Node<'_>) -> String {
        self.secrets.push((name.to_owned(), node.path.clone()));
        format!("${{{name}}}")
    }

    /// A key that stands in the source: it gets a name, and is written nowhere. One for an address of its own is not called as
    /// the catalog's secret is, for that would turn the catalog's provider on, with another's key.
    pub fn literal(&mut self, key: &str, word: &str, base_url: Option<&str>, node: &Node<'_>) -> String {
        if let Some(name) = self.literals.get(key) {
            return format!("${{{name}}}");
        }
        let usual = kind(word).and_then(catalog::provider).and_then(|provider| provider.secrets.first());
        let first = match (base_url.and_then(host), usual) {
            (Some(host), _) => format!("{}_API_KEY", secret_name(host)),
            (None, Some(usual)) => (*usual).to_owned(),
            (None, None) => format!("{}_API_KEY", secret_name(word)),
        };
        let is_taken = |name: &String| self.secrets.iter().any(|(other, _)| other == name);
        let numbered = (2..).map(|number| format!("{first}_{number}"));
        let name = std::iter::once(first.clone()).chain(numbered).find(|name| !is_taken(name)).unwrap_or(first);
        self.literals.insert(key.to_owned(), name.clone());
        self.env(&name, node)
    }

    /// A provider of that kind, at that address, with those keys: its name, or why there can be none.
    pub fn provider(&mut self, wanted: Wanted<'_>) -> std::result::Result<String, String> {
        let Wanted { word, base_url, mut keys } = wanted;
        let (kind, base_url) = checked(word, base_url.as_deref())?;
        let row = catalog::provider(kind);
        let base_url = base_url.filter(|url| row.is_none_or(|row| row.base_url != url));
        let is_usual = |key: &String| row.is_some_and(|row| row.secrets.iter().any(|name| format!("${{{name}}}") == *key));
        if base_url.is_none() && keys.len() == 1 && keys.iter().all(is_usual) {
            keys.clear();
        }
        let identity = (kind.to_owned(), base_url.clone(), keys.clone());
        if let Some(name) = self.known.get(&identity) {
            return Ok(name.clone());
        }
        let name = self.free_name(kind, base_url.as_deref(), &keys);
        let mut entry = Map::new();
        if name != kind {
            entry.insert("kind".to_owned(), kind.into());
        }
        if let Some(url) = base_url {
            entry.insert("base_url".to_owned(), url.into());
        }
        if !keys.is_empty() {
            entry.insert("keys".to_owned(), keys.into());
        }
        if !entry.is_empty() {
            self.providers.insert(name.clone(), Value::Object(entry));
        }
        self.known.insert(identity, name.clone());
        Ok(name)
    }

    fn free_name(&self, kind: &str, base_url: Option<&str>, keys: &[String]) -> String {
        let is_plain = base_url.is_none() && keys.is_empty();
        let first = match base_url.and_then(host) {
            Some(host) => slug(&format!("{kind}-{}", host.split('.').next().unwrap_or(host))),
            None => kind.to_owned(),
        };
        // That of the catalog keeps its name, whoever comes first.
        let is_free = |name: &String| is_plain || (name != kind && !self.known.values().any(|other| other == name));
        let numbered = (2..).map(|number| format!("{first}-{number}"));
        std::iter::once(first.clone()).chain(numbered).find(is_free).unwrap_or(first)
    }

    /// What a model of a provider is and costs.
    pub fn model(&mut self, provider: &str, model: &str, member: &str, value: Value) {
        let entry = self.providers.entry(provider.to_owned()).or_insert_with(|| json!({}));
        if let Some(entry) = entry.as_object_mut() {
            let models = entry.entry("models").or_insert_with(|| json!({}));
            let known = models.as_object_mut().map(|models| models.entry(model.to_owned()).or_insert_with(|| json!({})));
            if let Some(known) = known.and_then(Value::as_object_mut) {
                known.insert(member.to_owned(), value);
            }
        }
    }

    /// `settings.group.member`
    pub fn setting(&mut self, group: &str, member: &str, value: impl Into<Value>) {
        let group = self.settings.entry(group.to_owned()).or_insert_with(|| json!({}));
        if let Some(group) = group.as_object_mut() {
            group.insert(member.to_owned(), value.into());
        }
    }

    /// Members of a body to `params.override` or `params.default`, without those that hold keys or are the gateway's.
    pub fn params(&self, node: &Node<'_>, to: &str) -> Map<String, Value> {
        self.params_but(node, &[], to)
    }

    /// The same without some.
    pub fn params_but(&self, node: &Node<'_>, but: &[&str], to: &str) -> Map<String, Value> {
        let mut out = Map::new();
        for (name, member) in node.members().into_iter().filter(|(name, _)| !but.contains(&name.as_str())) {
            if OURS.contains(&name.as_str()) {
                member.unmapped("the gateway's own member of a request: `params` cannot set it");
            } else if holds_key(&name, member.value) {
                member.unmapped("looks like a key: keys belong into a provider's `keys`");
            } else {
                member.mapped(&format!("{to}.{name}"));
                out.insert(name, member.value.clone());
            }
        }
        out
    }

    pub fn documents(&self) -> Vec<(&'static str, Value)> {
        let all = [
            ("routes", &self.routes),
            ("providers", &self.providers),
            ("settings", &self.settings),
            ("prices", &self.prices),
            ("budgets", &self.budgets),
        ];
        let said = all.into_iter().filter(|(_, document)| !document.is_empty());
        said.map(|(name, document)| (name, Value::Object(document.clone()))).collect()
    }

    /// The last door: whatever an importer did, no key of the source leaves with a document.
    pub fn check_no_secret(&self, documents: &[(&'static str, Value)]) -> Result<()> {
        for (name, document) in documents {
            if self.literals.keys().any(|key| says(document, key)) {
                bail!("a key of the source would stand in `{name}`: nothing was written");
            }
        }
        Ok(())
    }

    pub fn report(&self) -> String {
        let mut out = String::new();
        if !self.secrets.is_empty() {
            let _ = writeln!(out, "Secrets to set, each with its value on request:");
        }
        let mut told: Vec<&str> = vec![];
        for (name, path) in &self.secrets {
            if !told.contains(&name.as_str()) {
                let how = if self.literals.values().any(|other| other == name) { "a literal" } else { "an environment variable" };
                let _ = writeln!(out, "  npx wrangler secret put {name}    # {how}, at {path}");
                told.push(name);
            }
        }
        if !self.notes.is_empty() {
            let _ = writeln!(out, "To know:");
            for note in &self.notes {
                let _ = writeln!(out, "  {note}");
            }
        }
        out
    }
}

fn holds_key(name: &str, value: &Value) -> bool {
    let inside = |(name, value): (&String, &Value)| holds_key(name, value);
    is_key_member(name)
        || value.as_str().is_some_and(looks_like_key)
        || value.as_object().is_some_and(|members| members.iter().any(inside))
        || value.as_array().is_some_and(|items| items.iter().any(|item| holds_key("", item)))
}

/// A short key is only looked for as a whole: `none` stands in many a word.
fn says(value: &Value, key: &str) -> bool {
    const LONG: usize = 8;
    value.as_str().is_some_and(|text| text == key || (key.len() >= LONG && text.contains(key)))
        || value.as_object().is_some_and(|members| members.iter().any(|(name, value)| name == key || says(value, key)))
        || value.as_array().is_some_and(|items| items.iter().any(|item| says(item, key)))
}

/// As our providers want it.
fn normal_url(kind: &str, word: &str, url: &str) -> String {
    let url = url.trim_end_matches('/');
    let is_bare = url.split("//").nth(1).is_some_and(|rest| !rest.contains('/'));
    match (kind, is_bare) {
        ("azure-openai", true) => format!("{url}/openai/v1"),
        ("openai", true) if word.starts_with("ollama") => format!("{url}/v1"),
        _ => url.to_owned(),
    }
}
