//! The providers of a simulation: the mock in each one's dialect, with the faults that were asked for.

use serde_json::Value;

use crate::{
    dialect::{Caller, Dialect, Facts, openai_chat::OpenAiChat},
    error::{Error, Kind},
    exchange::Call,
    mock::{self, Chunk, Ending, Script},
    plan::{Attempt, outcome::Transport, seed},
    sorted::SortedMap,
    units::Millis,
    wire::{
        compose::json,
        fields::{Fields, must_be},
        json::{Edit, Outline, join, json_text},
    },
};

/// Targets with faults: a plan has four.
const MAX_TARGETS: usize = 16;
/// Faults of one target: more than it is ever tried.
const MAX_FAULTS: usize = 16;
/// A text as long as asked for, whatever the prompt: so that faults in its middle find one.
const USUAL_ANSWER: &str = "lorem";
const CONNECTIONS: [(&str, Transport); 4] =
    [("reset", Transport::Reset), ("refused", Transport::Refused), ("dns", Transport::Dns), ("tls", Transport::Tls)];
/// What is asked of the mock where it stands in for a dialect that it cannot read.
const SOME_REQUEST: &str = r#"{"model":"m","messages":[{"role":"user","content":"Hello"}]}"#;

/// What one try meets.
#[derive(Clone, Debug)]
struct Fault {
    /// The mock's model with its options.
    model: String,
    /// No answer at all.
    connection: Option<Transport>,
    code: Option<String>,
    message: Option<String>,
}

#[derive(Debug, Default)]
pub(super) struct Faults {
    /// By target, in the order of its tries; the last one holds on.
    by_target: SortedMap<String, Vec<Fault>>,
    met: SortedMap<String, usize>,
}

impl Faults {
    /// `{"openai/gpt-5.4": [{"fail": 503}, {"cut": 40}]}`
    pub fn read(value: Option<Value>) -> Result<Self, Error> {
        let list = match value {
            None => return Ok(Self::default()),
            Some(Value::Object(list)) if list.len() <= MAX_TARGETS => list,
            Some(_) => return Err(must_be("faults", "an object of at most 16 targets, each with a list of faults")),
        };
        let mut faults = Self::default();
        for (target, said) in list {
            let path = format!("faults.{target}");
            let said = if let Value::Array(said) = said { said } else { vec![said] };
            if !(1..=MAX_FAULTS).contains(&said.len()) {
                return Err(must_be(&path, "a list of 1 to 16 faults, such as [{\"fail\": 503}]"));
            }
            let read = said.into_iter().enumerate().map(|(i, fault)| read_fault(fault, format!("{path}[{i}]")));
            faults.by_target.insert(target, read.collect::<Result<_, _>>()?);
        }
        Ok(faults)
    }

    /// Targets that faults were named for and that were never tried.
    pub fn unused(&self) -> Vec<String> {
        self.by_target.keys().filter(|target| !self.met.contains_key(*target)).cloned().collect()
    }

    /// Whether anything was asked of this target.
    pub fn names(&self, attempt: &Attempt) -> bool {
        self.by_target.contains_key(&attempt.cell())
    }

    /// What the target answers to a body in its dialect.
    pub fn answer(&mut self, call: &Call, attempt: &Attempt, body: &str, now: Millis) -> Result<Script, Transport> {
        let target = attempt.cell();
        let tries = self.met.or_default(target.clone());
        let faults = self.by_target.get(&target).map(Vec::as_slice).unwrap_or_default();
        let fault = faults.get(*tries).or(faults.last());
        let seed = seed::fold(call.seed, &format!("{target} {tries}"));
        *tries += 1;
        if let Some(transport) = fault.and_then(|fault| fault.connection) {
            return Err(transport);
        }
        let model = fault.map_or(USUAL_ANSWER, |fault| &fault.model);
        let mut script = match attempt.dialect.caller() {
            Some(caller) => spoken(caller, model, (body, call.facts.stream), seed, now),
            None => foreign(attempt.dialect, model, seed, now),
        };
        if let Some(fault) = fault.filter(|fault| fault.code.is_some() || fault.message.is_some()) {
            let caller = attempt.dialect.caller().unwrap_or(&OpenAiChat);
            let mut error = Error::new(Kind::InvalidRequest, fault.message.clone().unwrap_or_default());
            error.status = script.status;
            error.code.clone_from(&fault.code);
            script.chunks = vec![Chunk { after_ms: 0, bytes: caller.write_error(&error, "simulated").into_bytes() }];
        }
        Ok(script)
    }
}

fn read_fault(value: Value, path: String) -> Result<Fault, Error> {
    let mut fields = Fields::read(value, path.clone())?;
    let connection = match fields.take_str("connection")? {
        None => None,
        Some(word) => {
            let known = CONNECTIONS.iter().find(|(name, _)| *name == word).map(|(_, transport)| *transport);
            Some(known.ok_or_else(|| must_be(&fields.path_of("connection"), "one of reset, refused, dns, tls"))?)
        }
    };
    let (code, message) = (fields.take_str("code")?, fields.take_str("message")?);
    let mut model = fields.take_str("answer")?.unwrap_or_else(|| USUAL_ANSWER.to_owned());
    let mut mark = '?';
    for (key, value) in fields.into_map() {
        let text = value.as_str().map_or_else(|| json_text(&value), str::to_owned);
        let text = match text.as_str() {
            "true" => "1",
            "false" => "0",
            other => other,
        };
        model.push_str(&format!("{mark}{key}={text}"));
        mark = '&';
    }
    mock::check(&model).map_err(|error| Error::invalid(path.as_str(), format!("`{path}`: {}", error.message)))?;
    let is_said = (code.is_some() || message.is_some()) && !model.contains("fail=");
    if is_said {
        return Err(Error::invalid(path.as_str(), format!("`{path}`: `code` and `message` go with `fail`.")));
    }
    Ok(Fault { model, connection, code, message })
}

/// By a dialect that the mock speaks.
fn spoken(caller: &dyn Caller, model: &str, (body, stream): (&str, bool), seed: u64, now: Millis) -> Script {
    // Where the path names the model, the body does not.
    let named = Outline::read(body.as_bytes()).ok().map(|outline| {
        let edit = Edit::Default("model".into(), "\"m\"".to_owned());
        join(body, &outline.edit(&[edit]))
    });
    let body = named.as_deref().unwrap_or(body);
    let facts = Outline::read(body.as_bytes()).and_then(|outline| caller.facts(&outline)).unwrap_or_default();
    let facts = Facts { stream, array: false, ..facts };
    mock::answer(caller, model, (body, &facts), seed, now.0 / 1000)
}

/// By one that it only knows from the other side: the same text, whole. Providers may ignore that a stream was asked for.
fn foreign(dialect: Dialect, model: &str, seed: u64, now: Millis) -> Script {
    let mut script = mock::answer(&OpenAiChat, model, (SOME_REQUEST, &Facts::default()), seed, now.0 / 1000);
    if script.status != 200 || script.ending != Ending::Clean {
        return script;
    }
    for chunk in &mut script.chunks {
        // What a fault has broken is broken in any dialect.
        let Ok(value) = serde_json::from_slice::<Value>(&chunk.bytes) else { continue };
        let Some(text) = value.pointer("/choices/0/message/content").and_then(Value::as_str) else { continue };
        let count = |key: &str| value.get("usage").and_then(|usage| usage.get(key)).and_then(Value::as_u64).unwrap_or_default();
        let (input, output) = (count("prompt_tokens"), count("completion_tokens"));
        let answer = match dialect {
            Dialect::Converse => json!({
                "output": {"message": {"role": "assistant", "content": [{"text": text}]}},
                "stopReason": "end_turn",
                "usage": {"inputTokens": input, "outputTokens": output, "totalTokens": input + output},
            }),
            Dialect::Cohere => json!({
                "id": "simulated",
                "message": {"role": "assistant", "content": [{"type": "text", "text": text}]},
                "finish_reason": "COMPLETE",
                "usage": {"tokens": {"input_tokens": input, "output_tokens": output}},
            }),
            Dialect::WorkersAi => json!({
                "response": text,
                "usage": {"prompt_tokens": input, "completion_tokens": output, "total_tokens": input + output},
            }),
            Dialect::OpenAiChat
            | Dialect::OpenAiResponses
            | Dialect::OpenAiCompletions
            | Dialect::Anthropic
            | Dialect::Gemini => continue,
        };
        chunk.bytes = json_text(&answer).into_bytes();
    }
    script
}
