//! A caller's prompt, read as one turn of a user.

use serde_json::Value;

use crate::{
    chat::request::{Message, Part, Request, Role},
    dialect::{Translated, dropped, openai_chat::request::read_parameters},
    error::{Error, Kind},
    wire::fields::{Fields, missing, must_be},
};

pub fn read(body: &str) -> Result<Translated<Request>, Error> {
    let value = serde_json::from_str::<Value>(body)
        .map_err(|e| Error::new(Kind::InvalidRequest, format!("The body is not valid JSON: {e}.")))?;
    let mut top = Fields::read(value, "")?;
    let mut dropped = vec![];
    let prompt = read_prompt(&mut top)?;
    let turn = Message { role: Role::User, parts: vec![Part::text(prompt)] };
    let mut request = Request { model: top.need_str("model")?, messages: vec![turn], ..Request::default() };
    read_parameters(&mut top, &mut request, &mut dropped)?;
    request.top_logprobs = top.take_u64("logprobs")?;
    request.logprobs = request.top_logprobs.is_some();
    request.top_logprobs = request.top_logprobs.filter(|top| *top > 0);
    // What only says the default is not a loss.
    for (key, default) in [("echo", Value::from(false)), ("best_of", Value::from(1)), ("suffix", Value::from(""))] {
        if top.peek(key) == Some(&default) {
            top.take(key);
        }
    }
    top.leave(&mut dropped);
    Ok(Translated { value: request, dropped: dropped::tidy(&dropped) })
}

/// A list of prompts asks for several answers at once, which no other dialect has.
fn read_prompt(top: &mut Fields) -> Result<String, Error> {
    let refused = |what: &str| {
        let message =
            format!("`prompt` is {what}: this model's provider takes one text only. Send one request a prompt, as text.");
        Err(Error::invalid("prompt", message))
    };
    let prompt = match top.take("prompt") {
        None => return Err(missing("prompt")),
        Some(Value::String(text)) => text,
        Some(Value::Array(list)) => match list.as_slice() {
            [Value::String(text)] => text.clone(),
            [Value::String(_), ..] => return refused("a list of several texts"),
            [Value::Number(_) | Value::Array(_), ..] => return refused("made of tokens"),
            [] | [Value::Null | Value::Bool(_) | Value::Object(_), ..] => {
                return Err(must_be("prompt", "a string or an array of strings"));
            }
        },
        Some(_) => return Err(must_be("prompt", "a string or an array of strings")),
    };
    // Nobody else goes on from nothing.
    if prompt.is_empty() { Err(must_be("prompt", "a text that is not empty")) } else { Ok(prompt) }
}
