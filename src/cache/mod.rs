//! The response cache: the one place where the gateway stores content, and only where the operator asks for it.
//!
//! This says whether a request may be answered from it, under which name, and what is stored; the shell seals and stores
//! it. An answer is found by an exact match alone: the same key, the same words, byte for byte.

mod key;
mod stored;

pub use stored::Stored;

use crate::{
    catalog::Operation,
    config::{Cache, Route, Snapshot},
    dialect::{Dialect, Facts},
    error::Error,
    wire::{fields::must_be, json::names_any},
};

/// The caller's own word on it.
pub const HEADER: &str = "x-portolan-cache";

/// Bytes of an answer that is kept: a hundred times a long one. KV takes 25 MiB, but an isolate has 128 for all its
/// requests, and holds an answer three times while it seals it.
pub const MAX_BYTES: usize = 1 << 20;

/// What a request is, as far as answering it from the cache goes.
#[derive(Clone, Copy)]
pub struct Question<'a> {
    /// The digest of the gateway key; empty of the secret one.
    pub key: &'a str,
    pub tenant: &'a str,
    pub dialect: Dialect,
    /// What is asked besides generating.
    pub operation: Option<Operation>,
    /// As the caller names it, and the header `x-portolan-route`.
    pub model: &'a str,
    pub facts: &'a Facts,
    /// Somebody requires that nothing is kept.
    pub zdr: bool,
    pub headers: &'a [(String, String)],
    /// What the route's rules look at besides body and headers: names and values.
    pub place: &'a [(&'a str, &'a str)],
    pub body: &'a [u8],
}

/// Where the answer to a request stands, or will.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    /// The name in KV; what is sealed there opens under this name only.
    pub name: String,
    pub ttl_s: u64,
    /// A stored answer may be given.
    pub reads: bool,
    /// A good answer is stored.
    pub writes: bool,
}

/// What the caller is told of it, in the header and in the record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Standing {
    #[default]
    Off,
    Miss,
    Hit,
}

impl Standing {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Miss => "miss",
            Self::Hit => "hit",
        }
    }
}

/// The slot of a request; `None` where there is no cache for it. An error for a word that cannot be meant.
pub fn slot(question: Question<'_>, config: &Snapshot) -> Result<Option<Slot>, Error> {
    let said = question.headers.iter().find(|(name, _)| name == HEADER).map(|(_, value)| value.trim().to_ascii_lowercase());
    let (reads, writes) = match said.as_deref() {
        None => (true, true),
        Some("no-store") => (true, false),
        Some("refresh") => (false, true),
        Some("off") => (false, false),
        Some(_) => return Err(must_be(HEADER, "`no-store`, `refresh` or `off`, or left out")),
    };
    let route = config.routes.get(question.model);
    let Some(Cache { ttl_s }) = rule(route, config).filter(|_| (reads || writes) && may_be_kept(question, route, config)) else {
        return Ok(None);
    };
    Ok(Some(Slot { name: key::name(question, &config.version), ttl_s, reads, writes }))
}

/// What the named route says, or else `settings`. Routes further in have no say: which of them serves is decided later.
pub fn rule(route: Option<&Route>, config: &Snapshot) -> Option<Cache> {
    route.and_then(|route| route.policy.cache).or(config.settings.policy.cache).flatten()
}

fn may_be_kept(question: Question<'_>, route: Option<&Route>, config: &Snapshot) -> bool {
    let strict = |zdr: Option<bool>| zdr == Some(true);
    let zdr = question.zdr || strict(config.settings.policy.zdr) || route.is_some_and(|route| strict(route.policy.zdr));
    let is_whole_answer = matches!(question.operation, None | Some(Operation::Embed));
    // What goes on from a stored response, or is fetched later, depends on more than its own words.
    let depends =
        question.facts.continues.is_some() || question.dialect == Dialect::OpenAiResponses && is_deferred(question.body);
    !zdr && is_whole_answer && !depends
}

fn is_deferred(body: &[u8]) -> bool {
    names_any(std::str::from_utf8(body).unwrap_or_default(), &["background"])
}

/// What hinders a cache that the documents ask for, for the operator.
pub fn warning(config: &Snapshot, has_namespace: bool, has_secret: bool) -> Option<String> {
    let wants = |cache: Option<Option<Cache>>| cache.flatten().is_some();
    let asked = wants(config.settings.policy.cache) || config.routes.values().any(|route| wants(route.policy.cache));
    let missing = match (has_namespace, has_secret) {
        (true, true) => return None,
        (false, true) => "no KV namespace is bound as `CACHE`",
        (true, false) => "the Worker secret `ENCRYPTION_SECRET` is missing",
        (false, false) => "no KV namespace is bound as `CACHE`, and the Worker secret `ENCRYPTION_SECRET` is missing",
    };
    asked.then(|| format!("`cache` is configured, and off: {missing}. See docs/privacy.md."))
}
