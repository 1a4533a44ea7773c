//! A request as an operator writes it down, to ask what would become of it.

use std::rc::Rc;

use serde_json::Value;

use crate::{
    config::Snapshot,
    dialect::{
        Caller, Dialect, Endpoint,
        surface::{self, Line, Place, Surface},
    },
    error::Error,
    exchange::{Call, Task, operate, reply},
    features,
    guard::{self, Locks},
    plan::{
        self, Wishes,
        health::View,
        inputs::{Inputs, Origin},
        seed,
        standings::{self, nothing_left},
    },
    units::Millis,
    wire::{
        fields::{Fields, must_be},
        json::{Outline, json_text},
    },
};

/// Headers of a request; real ones have some thirty.
const MAX_HEADERS: usize = 128;
/// Well formed, and nobody's: who holds it is said beside it.
const SOME_KEY: &str = "pk-explained-explained";

/// What the gateway knows when it is asked.
pub struct Asked<'a> {
    /// The operator's own words.
    pub text: &'a str,
    pub config: &'a Rc<Snapshot>,
    /// Where nobody says how the targets are.
    pub health: View,
    pub origin: Origin,
    pub now: Millis,
    pub id: String,
}

/// Whose keys the request would be called with: the tenant of the `key` in a question.
pub fn tenant_asked(text: &str) -> Option<String> {
    let question: Value = serde_json::from_str(text).ok()?;
    Some(question.get("key")?.get("tenant")?.as_str()?.to_owned())
}

/// The request that was meant.
pub(super) struct Question {
    pub inputs: Inputs,
    pub task: Task,
    pub id: String,
    pub body: Rc<Vec<u8>>,
    pub caller: &'static dyn Caller,
    pub key: guard::Caller,
    /// What is said besides: the faults of a simulation.
    pub more: Fields,
}

impl Question {
    /// Reads a question; what only a simulation takes stays in `more`.
    pub fn read(asked: &Asked<'_>) -> Result<Self, Error> {
        let whole = Outline::read(asked.text.as_bytes())?;
        let body = whole.get("body").unwrap_or_default().to_owned();
        let value: Value = serde_json::from_str(asked.text).map_err(|_| must_be("", "a JSON object"))?;
        let mut fields = Fields::read(value, "")?;
        let Some(Value::Object(_)) = fields.take("body") else {
            return Err(Error::invalid("body", "`body` is required: the request's own body, a JSON object."));
        };
        let headers = headers(&mut fields)?;
        let now = fields.take_u64("at")?.map_or(asked.now, Millis);
        let (dialect, task, place) = place(&mut fields, &headers)?;
        let caller = dialect.caller().ok_or_else(|| must_be("dialect", "one that callers speak"))?;
        let (facts, wishes) = match task {
            Task::Generate => {
                let outline = Outline::read(body.as_bytes())?;
                (caller.facts(&outline)?, Wishes::read(&outline, &headers)?)
            }
            Task::Operate(operation) => (
                operate::facts(operation, dialect, body.as_bytes(), "application/json")?,
                Wishes::besides(body.as_bytes(), &headers)?,
            ),
        };
        let facts = place.fill(facts);
        reply::check_continues(&facts, true, true)?;
        let id = fields.take_str("request_id")?.unwrap_or_else(|| asked.id.clone());
        let key = holder(&mut fields, now)?;
        let wishes = wishes.strictly(key.zdr);
        let health = match fields.take("health") {
            Some(Value::Object(list)) => standings::read(list, "health", now)?,
            Some(_) => return Err(must_be("health", "an object of cells, such as {\"openai/gpt-5.4\": \"open\"}")),
            None => asked.health.clone(),
        };
        let operation = match task {
            Task::Generate => None,
            Task::Operate(operation) => Some(operation),
        };
        let mut inputs = Inputs {
            dialect,
            operation,
            facts,
            owner: fields.take_str("owner")?,
            features: None,
            origin: origin(&mut fields, &asked.origin)?,
            key: key.name.clone(),
            tags: key.tags.clone(),
            providers: key.providers.clone(),
            headers,
            wishes,
            conversation: None,
            health,
            own_keys: vec![],
            now,
            seed: seed::hash(&id),
        };
        if task == Task::Generate && plan::needs_features(&inputs.facts, &inputs.wishes, asked.config, body.as_bytes()) {
            inputs.features = caller.read_request(&body).ok().map(|request| features::of(&request.value));
        }
        Ok(Self { inputs, task, id, body: Rc::new(body.into_bytes()), caller, key, more: fields })
    }

    /// The plan, as the same request would get it.
    pub fn plan(&self, config: &Snapshot) -> Result<plan::Plan, Error> {
        self.key.enter(Endpoint::generate(self.inputs.dialect), Some(self.inputs.dialect))?;
        self.key.permit_each(self.inputs.ask().named(), config)?;
        self.inputs.plan(config)
    }

    pub fn call(&self) -> Call {
        Call {
            id: self.id.clone(),
            dialect: self.inputs.dialect,
            task: self.task,
            caller: self.caller,
            facts: self.inputs.facts.clone(),
            body: Rc::clone(&self.body),
            headers: self.inputs.headers.clone(),
            started: self.inputs.now,
            seed: self.inputs.seed,
            payer: self.key.payer(),
            region: self.inputs.origin.region.clone(),
            colo: self.inputs.origin.colo.clone(),
        }
    }

    /// Nothing may be left that would have meant something.
    pub fn end(self) -> Result<(), Error> {
        nothing_left(self.more)
    }
}

fn headers(fields: &mut Fields) -> Result<Vec<(String, String)>, Error> {
    let said = fields.take_fields("headers")?.map(Fields::into_map).unwrap_or_default();
    if said.len() > MAX_HEADERS {
        return Err(must_be("headers", "an object of at most 128 headers"));
    }
    let pair = |(name, value): (String, Value)| {
        let text = value.as_str().ok_or_else(|| must_be(&format!("headers.{name}"), "a string"))?.to_owned();
        Ok((name.to_ascii_lowercase(), text))
    };
    said.into_iter().map(pair).collect()
}

/// `path`, or the usual one of `dialect`.
fn place(fields: &mut Fields, headers: &[(String, String)]) -> Result<(Dialect, Task, Place), Error> {
    let (path, name) = (fields.take_str("path")?, fields.take_str("dialect")?);
    let path = match (path, name) {
        (Some(path), _) => path,
        (None, name) => {
            let name = name.unwrap_or_else(|| Dialect::OpenAiChat.name().to_owned());
            let known = PATHS.iter().find(|(dialect, _)| dialect.name() == name).map(|(_, path)| (*path).to_owned());
            let names: Vec<&str> = PATHS.iter().map(|(dialect, _)| dialect.name()).collect();
            let wrong = || must_be("dialect", &format!("one of {}; Gemini's requests need `path`", names.join(", ")));
            known.ok_or_else(wrong)?
        }
    };
    let (path, query) = path.split_once('?').unwrap_or((&path, ""));
    match surface::read(Line { method: "POST", path, query, headers }) {
        Surface::Generate { dialect, place } => Ok((dialect, Task::Generate, place)),
        Surface::Operate { operation, dialect, place } => Ok((dialect, Task::Operate(operation), place)),
        Surface::Stored { .. }
        | Surface::Passthrough { .. }
        | Surface::Models { .. }
        | Surface::Hello
        | Surface::Root
        | Surface::Live
        | Surface::Ready
        | Surface::Metrics
        | Surface::Admin(_)
        | Surface::Upgrade(_)
        | Surface::Preflight
        | Surface::WrongMethod { .. }
        | Surface::Unknown(_) => {
            let message = format!("Nothing is planned for POST {path}: name a path such as /v1/chat/completions.");
            Err(Error::invalid("path", message))
        }
    }
}

const PATHS: [(Dialect, &str); 4] = [
    (Dialect::OpenAiChat, "/v1/chat/completions"),
    (Dialect::OpenAiResponses, "/v1/responses"),
    (Dialect::OpenAiCompletions, "/v1/completions"),
    (Dialect::Anthropic, "/v1/messages"),
];

/// `key` is the entry of a gateway key as KV holds it; without it the holder of `GATEWAY_KEY` asks.
fn holder(fields: &mut Fields, now: Millis) -> Result<guard::Caller, Error> {
    let Some(entry) = fields.take("key") else {
        let locks = Locks { gateway_key: Some(SOME_KEY), ..Locks::default() };
        return guard::admit(Some(SOME_KEY), locks, now);
    };
    let entry = json_text(&entry);
    let locks = Locks { entry: Some(&entry), any_entries: true, ..Locks::default() };
    guard::admit(Some(SOME_KEY), locks, now).map_err(|error| {
        let words = error.detail.clone().unwrap_or_else(|| error.message.clone());
        Error::invalid("key", format!("`key` must be a key's entry, such as {{\"name\": \"ci\"}}: {words}"))
    })
}

fn origin(fields: &mut Fields, usual: &Origin) -> Result<Origin, Error> {
    let Some(mut said) = fields.take_fields("origin")? else { return Ok(usual.clone()) };
    let origin = Origin {
        region: said.take_str("region")?.unwrap_or_else(|| usual.region.clone()),
        country: said.take_str("country")?.unwrap_or_default(),
        colo: said.take_str("colo")?.unwrap_or_default(),
    };
    nothing_left(said)?;
    Ok(origin)
}
