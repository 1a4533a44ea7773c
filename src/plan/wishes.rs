//! What a caller says of the routing of one request, in its body or in headers.

use serde_json::Value;

use crate::{
    config::MaxPrice,
    error::{Error, Kind},
    units::Money,
    wire::{
        fields::must_be,
        json::{Outline, json_text, names_any},
    },
};

/// OpenRouter's `provider` object, `models`, `fallbacks` and our own headers. Nothing said: the route's own ways.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wishes {
    /// `x-portolan-route`: instead of the body's `model`.
    pub route: Option<String>,
    /// `models`, `fallbacks`: to be tried after `model`.
    pub models: Vec<String>,
    /// Providers to try first, in this order.
    pub order: Vec<String>,
    /// Providers that alone may serve.
    pub only: Vec<String>,
    pub ignore: Vec<String>,
    /// False: only those of `order`, or the first target and nothing else.
    pub allow_fallbacks: Option<bool>,
    /// Only targets that take every parameter sent.
    pub require_parameters: bool,
    /// `data_collection: "deny"` or `zdr`: only targets that keep nothing.
    pub zdr: bool,
    pub sort: Option<Sort>,
    pub max_price: MaxPrice,
    /// `x-portolan-metadata`, and the body's own labels.
    pub metadata: Vec<(String, String)>,
    /// `x-portolan-timeout-ms`: for the whole request.
    pub timeout_ms: Option<u64>,
    /// What the caller calls its conversation: for stickiness.
    pub session: Option<String>,
    /// Members of the body that are said of the routing and are obeyed: meant for the gateway, and not lost.
    pub obeyed: Vec<&'static str>,
    /// Those that are not, or not in this part: `provider.quantizations`.
    pub ignored: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    Price,
    Latency,
    /// No rates are kept: the latency's order, for what is quick to begin is seldom slow to go on.
    Throughput,
}

/// Further models that a caller names, in OpenRouter's word and in LiteLLM's.
pub const OTHER_MODELS: [&str; 2] = ["models", "fallbacks"];
/// OpenRouter's member for the routing.
pub const PROVIDER: &str = "provider";

const ROUTE_HEADER: &str = "x-portolan-route";
const METADATA_HEADER: &str = "x-portolan-metadata";
const TIMEOUT_HEADER: &str = "x-portolan-timeout-ms";
const ZDR_HEADER: &str = "x-portolan-zdr";
const SESSION_HEADER: &str = "x-portolan-session";

/// A plan has four attempts; a longer list only helps where most of it is left out.
const MAX_MODELS: usize = 16;
/// Names of providers in one list: more than there are.
const MAX_NAMES: usize = 100;
/// Bytes of the header: it is read on every request that has it.
const MAX_METADATA: usize = 4_096;
/// OpenAI takes sixteen labels.
const MAX_LABELS: usize = 16;
/// As for the configuration's deadlines: an hour is longer than any answer takes.
const MAX_TIMEOUT_MS: u64 = 3_600_000;
/// What names a conversation in the body: OpenAI's, OpenRouter's.
const SESSION_MEMBERS: [&str; 2] = ["prompt_cache_key", "session_id"];
/// The same among the labels.
const SESSION_LABELS: [&str; 4] = ["session_id", "session", "conversation_id", "thread_id"];

impl Wishes {
    pub const NONE: Self = Self {
        route: None,
        models: vec![],
        order: vec![],
        only: vec![],
        ignore: vec![],
        allow_fallbacks: None,
        require_parameters: false,
        zdr: false,
        sort: None,
        max_price: MaxPrice { input: None::<Money>, output: None },
        metadata: vec![],
        timeout_ms: None,
        session: None,
        obeyed: vec![],
        ignored: vec![],
    };

    /// Reads what the caller says; an error for what cannot be meant.
    pub fn read(body: &Outline<'_>, headers: &[(String, String)]) -> Result<Self, Error> {
        let mut wishes = Self::of_headers(headers)?;
        wishes.read_body(body)?;
        Ok(wishes)
    }

    fn of_headers(headers: &[(String, String)]) -> Result<Self, Error> {
        let mut wishes = Self::NONE;
        let ours = headers.iter().filter(|(name, _)| name.starts_with("x-portolan-"));
        for (name, value) in ours {
            wishes.read_header(name, value.trim())?;
        }
        Ok(wishes)
    }

    /// The same of what is asked besides generating. Of its body only what is to be kept of it: its other members are the
    /// provider's.
    pub fn besides(body: &[u8], headers: &[(String, String)]) -> Result<Self, Error> {
        let mut wishes = Self::of_headers(headers)?;
        // A form has no such member, and most bodies neither.
        let text = std::str::from_utf8(body).unwrap_or_default();
        if names_any(text, &[PROVIDER])
            && let Ok(outline) = Outline::read(body)
            && let Some(text) = outline.get(PROVIDER).filter(|text| text.starts_with('{'))
        {
            let value = serde_json::from_str(text).map_err(|_| must_be(PROVIDER, "an object"))?;
            let mut said = Self::NONE;
            super::preferences::read(value, &mut said)?;
            wishes.zdr |= said.zdr;
        }
        Ok(wishes)
    }

    /// Whoever else has a say requires that nothing is kept. Nobody can take that back.
    #[must_use]
    pub const fn strictly(mut self, zdr: bool) -> Self {
        self.zdr |= zdr;
        self
    }

    fn read_header(&mut self, name: &str, value: &str) -> Result<(), Error> {
        match name {
            ROUTE_HEADER if value.is_empty() => return Err(must_be(name, "the name of a route or a model")),
            ROUTE_HEADER => self.route = Some(value.to_owned()),
            METADATA_HEADER => self.metadata = labels_of_header(value)?,
            TIMEOUT_HEADER => {
                let ms = value.parse().ok().filter(|ms| (1..=MAX_TIMEOUT_MS).contains(ms));
                let expected = || must_be(name, &format!("whole milliseconds from 1 to {MAX_TIMEOUT_MS}"));
                self.timeout_ms = Some(ms.ok_or_else(expected)?);
            }
            ZDR_HEADER if value.eq_ignore_ascii_case("required") => self.zdr = true,
            ZDR_HEADER => return Err(must_be(name, "`required`, or left out")),
            SESSION_HEADER if !value.is_empty() => self.session = Some(value.to_owned()),
            _ => {}
        }
        Ok(())
    }

    fn read_body(&mut self, body: &Outline<'_>) -> Result<(), Error> {
        for name in OTHER_MODELS {
            let Some(text) = body.get(name) else { continue };
            match serde_json::from_str::<Value>(text).ok().and_then(|value| strings(&value)) {
                Some(names) if self.models.len() + names.len() > MAX_MODELS => {
                    return Err(Error::invalid(name, format!("`{name}` may list at most {MAX_MODELS} models.")));
                }
                Some(names) => {
                    self.models.extend(names);
                    self.obeyed.push(name);
                }
                // LiteLLM's lists of objects: each would be a request of its own.
                None => self.ignored.push(name.to_owned()),
            }
        }
        // A string here is somebody else's member.
        if let Some(text) = body.get(PROVIDER).filter(|text| text.starts_with('{')) {
            let value = serde_json::from_str(text).map_err(|_| must_be(PROVIDER, "an object"))?;
            super::preferences::read(value, self)?;
            self.obeyed.push(PROVIDER);
        }
        for name in ["metadata", "labels"] {
            if let Some(text) = body.get(name).filter(|text| text.starts_with('{')) {
                self.add_labels(text);
            }
        }
        if self.session.is_none() {
            let plain = |name: &str| serde_json::from_str::<String>(body.get(name)?).ok().filter(|text| !text.is_empty());
            let label = |name: &&str| self.metadata.iter().find(|(label, _)| label == name).map(|(_, value)| value.clone());
            self.session = SESSION_MEMBERS.iter().find_map(|name| plain(name)).or_else(|| SESSION_LABELS.iter().find_map(label));
        }
        Ok(())
    }

    /// The body's own labels are the provider's to judge: what is odd about them is passed over. The header's win.
    fn add_labels(&mut self, text: &str) {
        let Ok(Value::Object(labels)) = serde_json::from_str(text) else { return };
        for (name, value) in labels {
            if self.metadata.len() < MAX_LABELS
                && let Value::String(value) = value
                && !self.metadata.iter().any(|(known, _)| *known == name)
            {
                self.metadata.push((name, value));
            }
        }
    }

    /// What is left for a key that may not choose: an explicit header is refused, what stands in a body out of habit is
    /// passed over. What only narrows (zero retention), only shortens or only labels is anybody's to say.
    pub fn within(mut self, may_choose: bool) -> Result<Self, Error> {
        if may_choose {
            return Ok(self);
        }
        if self.route.is_some() {
            let message = "This gateway key may not choose its route: leave the header out, or ask the operator for `overrides`.";
            return Err(Error::new(Kind::Forbidden, message).with_param(ROUTE_HEADER));
        }
        let mut ignored = std::mem::take(&mut self.obeyed).into_iter().map(str::to_owned).collect::<Vec<_>>();
        ignored.append(&mut self.ignored);
        let Self { zdr, metadata, timeout_ms, session, .. } = self;
        Ok(Self { zdr, metadata, timeout_ms, session, ignored, ..Self::NONE })
    }

    /// Whether this request's price decides, as far as the caller says.
    pub(super) fn by_price(&self) -> bool {
        self.sort == Some(Sort::Price)
    }

    /// What a caller named besides `model`, each with the place it stands in.
    pub fn named(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let route = self.route.iter().map(|name| (ROUTE_HEADER, name.as_str()));
        route.chain(self.models.iter().map(|name| ("models", name.as_str())))
    }
}

/// An array of plain texts.
pub(super) fn strings(value: &Value) -> Option<Vec<String>> {
    let items = value.as_array().filter(|items| items.len() <= MAX_NAMES)?;
    items.iter().map(|item| item.as_str().filter(|text| !text.is_empty()).map(str::to_owned)).collect()
}

fn labels_of_header(text: &str) -> Result<Vec<(String, String)>, Error> {
    let wrong = || must_be(METADATA_HEADER, &format!("a JSON object of at most {MAX_LABELS} strings in {MAX_METADATA} bytes"));
    if text.len() > MAX_METADATA {
        return Err(wrong());
    }
    let Ok(Value::Object(labels)) = serde_json::from_str(text) else { return Err(wrong()) };
    if labels.len() > MAX_LABELS {
        return Err(wrong());
    }
    let label = |(name, value): (String, Value)| match value {
        Value::String(text) => Some((name, text)),
        Value::Null => None,
        Value::Number(_) | Value::Bool(_) => Some((name, json_text(&value))),
        Value::Array(_) | Value::Object(_) => None,
    };
    let count = labels.len();
    let labels: Vec<_> = labels.into_iter().filter_map(label).collect();
    if labels.len() == count { Ok(labels) } else { Err(wrong()) }
}
