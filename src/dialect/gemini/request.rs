//! The request's body.

use serde_json::{Map, Value};

use super::{contents, thinking};
use crate::{
    chat::{
        Dialect,
        profile::Profile,
        request::{Format, Request, Tool, ToolChoice},
    },
    dialect::Translated,
    wire::{
        compose::{Members, json},
        json::json_text,
    },
};

/// Google takes no more.
const MAX_STOPS: usize = 5;

/// What could not be said, each once. Turns are not numbered: those of the caller's dialect are counted otherwise.
#[derive(Default)]
pub struct Dropped(Vec<String>);

impl Dropped {
    pub fn add(&mut self, path: &str) {
        if !self.0.iter().any(|seen| seen == path) {
            self.0.push(path.to_owned());
        }
    }

    pub fn add_if(&mut self, is_lost: bool, path: &str) {
        if is_lost {
            self.add(path);
        }
    }
}

pub fn write(request: &Request, profile: &Profile) -> Translated<String> {
    let (mut body, mut dropped) = (Map::new(), Dropped::default());
    let (mut system, contents) = contents::write(request, profile, &mut dropped);
    if let Some(Format::Schema { description, schema, .. }) = request.format.as_ref().filter(|_| !profile.json_schema) {
        instruct(&mut system, description.as_deref(), schema);
    }
    if let Some(system) = system {
        body.put("systemInstruction", system);
    }
    body.put("contents", contents);
    write_tools(request, profile, &mut body, &mut dropped);
    let config = generation_config(request, profile, &mut dropped);
    if !config.is_empty() {
        body.put("generationConfig", config);
    }
    match request.service_tier.as_deref() {
        None | Some("auto") => {}
        Some("default") => body.put("serviceTier", "standard"),
        Some(tier @ ("flex" | "priority")) => body.put("serviceTier", tier),
        Some(_) => dropped.add("service_tier"),
    }
    dropped.add_if(request.user.is_some(), "user");
    dropped.add_if(request.verbosity.as_deref().is_some_and(|word| word != "medium"), "verbosity");
    dropped.add_if(request.store == Some(true), "store");
    dropped.add_if(request.metadata.is_some(), "metadata");
    dropped.add_if(request.cache_key.is_some(), "cache_key");
    Translated { value: json_text(&Value::Object(body)), dropped: dropped.0 }
}

/// The schema as an instruction, where the model cannot be held to it.
fn instruct(system: &mut Option<Value>, description: Option<&str>, schema: &Value) {
    let about = description.map(|text| format!(" {text}")).unwrap_or_default();
    let text =
        format!("Answer with one JSON object that matches this JSON Schema, and nothing else.{about}\n{}", json_text(schema));
    let part = json!({ "text": text });
    match system.as_mut().and_then(|system| system.get_mut("parts")).and_then(Value::as_array_mut) {
        Some(parts) => parts.push(part),
        None => *system = Some(json!({ "parts": [part] })),
    }
}

fn write_tools(request: &Request, profile: &Profile, body: &mut Map<String, Value>, dropped: &mut Dropped) {
    let (mut functions, mut tools) = (vec![], vec![]);
    for tool in &request.tools {
        match tool {
            Tool::Function { name, description, parameters, strict, cache } => {
                functions.push(declaration(name, description.as_deref(), parameters.as_ref()));
                dropped.add_if(*strict == Some(true), "tools[].strict");
                dropped.add_if(cache.is_some(), "tools[].cache");
            }
            Tool::Opaque { dialect: Dialect::Gemini, value } => tools.push(value.clone()),
            Tool::Custom { name, description, format } => {
                let stand_in = Tool::stand_in(name, description.as_deref(), format.as_ref());
                if let Tool::Function { name, description, parameters, .. } = &stand_in {
                    functions.push(declaration(name, description.as_deref(), parameters.as_ref()));
                }
            }
            Tool::Opaque { .. } => dropped.add("tools[].opaque"),
        }
    }
    let has_functions = !functions.is_empty();
    if has_functions {
        tools.insert(0, json!({ "functionDeclarations": functions }));
    }
    if !tools.is_empty() {
        body.put("tools", tools);
    }
    dropped.add_if(has_functions && request.parallel_tool_calls == Some(false), "parallel_tool_calls");
    if let Some(choice) = request.tool_choice.as_ref().filter(|_| has_functions) {
        let is_forced = !matches!(choice, ToolChoice::Auto | ToolChoice::None);
        if is_forced && !profile.tool_choice {
            return dropped.add("tool_choice");
        }
        body.put("toolConfig", json!({ "functionCallingConfig": calling(choice) }));
    }
}

fn declaration(name: &str, description: Option<&str>, parameters: Option<&Value>) -> Value {
    let mut function = Map::new();
    function.put("name", name);
    if let Some(description) = description.filter(|text| !text.is_empty()) {
        function.put("description", description);
    }
    // A function without parameters has no schema: an object without properties is refused.
    if let Some(schema) = parameters.filter(|schema| has_properties(schema)) {
        function.put("parametersJsonSchema", schema.clone());
    }
    Value::Object(function)
}

fn has_properties(schema: &Value) -> bool {
    let Value::Object(schema) = schema else { return false };
    let is_empty = |key: &str| schema.get(key).and_then(Value::as_object).is_some_and(Map::is_empty);
    let says_more = |key: &String| !matches!(key.as_str(), "type" | "additionalProperties" | "required" | "$schema" | "strict");
    schema.keys().any(|key| says_more(key) && !(key == "properties" && is_empty(key)))
}

fn calling(choice: &ToolChoice) -> Value {
    match choice {
        ToolChoice::Auto => json!({ "mode": "AUTO" }),
        ToolChoice::None => json!({ "mode": "NONE" }),
        ToolChoice::Required => json!({ "mode": "ANY" }),
        ToolChoice::Among { names, required } => {
            json!({ "mode": if *required { "ANY" } else { "VALIDATED" }, "allowedFunctionNames": names })
        }
        ToolChoice::Function(name) => json!({ "mode": "ANY", "allowedFunctionNames": [name] }),
    }
}

fn generation_config(request: &Request, profile: &Profile, dropped: &mut Dropped) -> Map<String, Value> {
    let mut config = Map::new();
    let mut put = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            config.put(key, value);
        }
    };
    let number = |number: &Option<serde_json::Number>| number.clone().map(Value::Number);
    put("maxOutputTokens", request.max_tokens.map(|tokens| tokens.min(profile.max_output.unwrap_or(tokens)).into()));
    let sampling = [
        ("temperature", "temperature", &request.temperature),
        ("topP", "top_p", &request.top_p),
        ("topK", "top_k", &request.top_k),
    ];
    for (key, path, value) in sampling {
        dropped.add_if(value.is_some() && !profile.sampling, path);
        put(key, number(value).filter(|_| profile.sampling));
    }
    put("presencePenalty", number(&request.presence_penalty));
    put("frequencyPenalty", number(&request.frequency_penalty));
    put("candidateCount", request.n.filter(|n| *n > 1).map(Value::from));
    put("responseLogprobs", request.logprobs.then_some(Value::Bool(true)));
    put("logprobs", request.top_logprobs.filter(|_| request.logprobs).map(Value::from));
    let modalities: Vec<String> = request.modalities.iter().map(|word| word.to_ascii_uppercase()).collect();
    put("responseModalities", (!modalities.is_empty()).then(|| json!(modalities)));
    // 32 bits on this side.
    let fits = |seed: &serde_json::Number| seed.as_i64().is_some_and(|seed| i32::try_from(seed).is_ok());
    let seed = request.seed.clone().filter(fits);
    dropped.add_if(request.seed.is_some() && seed.is_none(), "seed");
    put("seed", seed.map(Value::Number));
    let stops: Vec<&String> = request.stop.iter().take(MAX_STOPS).collect();
    put("stopSequences", (!stops.is_empty()).then(|| json!(stops)));
    dropped.add_if(request.stop.len() > MAX_STOPS, "stop[]");
    match &request.format {
        None => {}
        Some(Format::Json) => put("responseMimeType", Some("application/json".into())),
        Some(Format::Schema { schema, .. }) => {
            put("responseMimeType", Some("application/json".into()));
            put("responseJsonSchema", profile.json_schema.then(|| schema.clone()));
            dropped.add_if(!profile.json_schema, "format.schema");
        }
    }
    let (thinking, says_less) = thinking::config(request, profile.thinking);
    put("thinkingConfig", thinking);
    dropped.add_if(says_less, if request.reasoning.is_some() { "reasoning" } else { "show_reasoning" });
    config
}
