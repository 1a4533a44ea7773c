//! Requests made up at random, in the order that `chat::request` promises.

use portolan::chat::request::{
    CacheHint, Effort, Format, Message, Part, Reasoning, Request, Role, Source, Tool, ToolChoice, ToolResult,
};
use serde_json::{Value, json};

use crate::{
    arbitrary::{PIXEL, call, fraction, name, object, perhaps, signature, small, text},
    random::Random,
};

pub fn request(random: &mut Random) -> Request {
    let stream = random.once_in(2);
    let tools = tools(random);
    let names: Vec<&str> = tools.iter().filter_map(tool_name).collect();
    let tool_choice = if names.is_empty() { None } else { choice(random, &names) };
    let logprobs = random.once_in(8);
    Request {
        model: "some-model".to_owned(),
        stream,
        include_usage: stream,
        messages: messages(random, !tools.is_empty()),
        tool_choice,
        parallel_tool_calls: perhaps(random, 6, |_| false).filter(|_| !tools.is_empty()),
        max_tokens: perhaps(random, 2, |random| 2000 + small(random)),
        temperature: perhaps(random, 3, fraction).flatten(),
        top_p: perhaps(random, 5, fraction).flatten(),
        top_k: perhaps(random, 8, |random| (1 + small(random)).into()),
        presence_penalty: perhaps(random, 8, fraction).flatten(),
        frequency_penalty: perhaps(random, 8, fraction).flatten(),
        seed: perhaps(random, 8, |random| small(random).into()),
        stop: perhaps(random, 5, |_| vec!["###".to_owned(), "END".to_owned()]).unwrap_or_default(),
        format: perhaps(random, 6, format),
        reasoning: perhaps(random, 4, reasoning),
        show_reasoning: perhaps(random, 8, |random| random.once_in(2)),
        user: perhaps(random, 8, |_| "user-1".to_owned()),
        n: perhaps(random, 10, |_| 2),
        logprobs,
        top_logprobs: if logprobs { perhaps(random, 2, |_| 3) } else { None },
        service_tier: perhaps(random, 10, |_| "flex".to_owned()),
        verbosity: perhaps(random, 10, |_| "low".to_owned()),
        store: perhaps(random, 10, |random| random.once_in(2)),
        metadata: perhaps(random, 10, |_| json!({"team": "blue"})),
        cache_key: perhaps(random, 10, |_| "key-1".to_owned()),
        tools,
        ..Request::default()
    }
}

fn tool_name(tool: &Tool) -> Option<&str> {
    match tool {
        Tool::Function { name, .. } | Tool::Custom { name, .. } => Some(name),
        Tool::Opaque { .. } => None,
    }
}

fn tools(random: &mut Random) -> Vec<Tool> {
    let mut tools = vec![];
    if random.once_in(2) {
        for number in 0..=random.below(3) {
            let name = format!("{}{number}", name(random));
            let description = perhaps(random, 2, text);
            if random.once_in(10) {
                tools.push(Tool::Custom { name, description, format: None });
                continue;
            }
            let parameters = Some(schema(random));
            tools.push(Tool::Function { name, description, parameters, strict: None, cache: perhaps(random, 8, cache) });
        }
    }
    tools
}

fn schema(random: &mut Random) -> Value {
    let properties: serde_json::Map<String, Value> =
        (0..random.below(4)).map(|i| (format!("z{i}"), json!({"type": "string"}))).collect();
    json!({"type": "object", "properties": properties})
}

fn choice(random: &mut Random, names: &[&str]) -> Option<ToolChoice> {
    let one = names.first().copied().unwrap_or_default().to_owned();
    random
        .pick(&[
            None,
            Some(ToolChoice::Auto),
            Some(ToolChoice::None),
            Some(ToolChoice::Required),
            Some(ToolChoice::Function(one)),
        ])
        .cloned()
        .flatten()
}

fn format(random: &mut Random) -> Format {
    if random.once_in(3) {
        return Format::Json;
    }
    Format::Schema {
        name: Some("answer".to_owned()),
        description: None,
        schema: schema(random),
        strict: perhaps(random, 2, |_| true),
    }
}

fn reasoning(random: &mut Random) -> Reasoning {
    let all = [
        Reasoning::Off,
        Reasoning::Effort(Effort::Low),
        Reasoning::Effort(Effort::Medium),
        Reasoning::Effort(Effort::High),
        Reasoning::Budget(1024),
        Reasoning::Adaptive,
    ];
    random.pick(&all).cloned().unwrap_or(Reasoning::Off)
}

fn cache(random: &mut Random) -> CacheHint {
    CacheHint { ttl: perhaps(random, 2, |_| "1h".to_owned()) }
}

/// Turns that alternate and begin and end with the user's; calls are answered in the turn after.
fn messages(random: &mut Random, tools: bool) -> Vec<Message> {
    let mut messages = vec![];
    if random.once_in(2) {
        messages.push(Message { role: Role::System, parts: vec![said(random)] });
    }
    let (mut number, mut open) = (0, vec![]);
    for _ in 0..=random.below(4) {
        messages.push(Message { role: Role::User, parts: user_parts(random, &mut open) });
        let mut parts = vec![];
        if random.once_in(4) {
            let signature = perhaps(random, 2, signature);
            parts.push(Part::Reasoning { text: text(random), signature });
        }
        parts.push(Part::text(text(random)));
        for _ in 0..if tools { random.below(3) } else { 0 } {
            number += 1;
            let mut call = call(random, number);
            call.signature = perhaps(random, 5, signature);
            open.push(call.clone());
            parts.push(Part::ToolCall(call));
        }
        messages.push(Message { role: Role::Assistant, parts });
    }
    messages.push(Message { role: Role::User, parts: user_parts(random, &mut open) });
    messages
}

fn said(random: &mut Random) -> Part {
    Part::Text { text: text(random), cache: perhaps(random, 8, cache), citations: vec![] }
}

fn user_parts(random: &mut Random, open: &mut Vec<portolan::chat::request::ToolCall>) -> Vec<Part> {
    let mut parts = vec![];
    for call in open.drain(..) {
        let mut told = vec![Part::text(if random.once_in(3) { object(random).to_string() } else { text(random) })];
        if random.once_in(6) {
            told.push(image());
        }
        let result = ToolResult {
            id: call.id,
            name: call.name,
            parts: told,
            is_error: random.once_in(6),
            cache: perhaps(random, 10, cache),
        };
        parts.push(Part::ToolResult(result));
    }
    if parts.is_empty() || random.once_in(2) {
        parts.push(said(random));
    }
    if random.once_in(6) {
        parts.push(image());
    }
    if random.once_in(10) {
        let source = Source::Inline { media_type: "application/pdf".to_owned(), data: "JVBERi0xLjcK".to_owned() };
        parts.push(Part::File { source, name: Some("a.pdf".to_owned()), cache: None });
    }
    if random.once_in(14) {
        let source = Source::Inline { media_type: "audio/wav".to_owned(), data: "UklGRiQAAABXQVZF".to_owned() };
        parts.push(Part::Audio { source, transcript: None });
    }
    parts
}

fn image() -> Part {
    let source = Source::Inline { media_type: "image/png".to_owned(), data: PIXEL.to_owned() };
    Part::Image { source, detail: None, cache: None }
}
