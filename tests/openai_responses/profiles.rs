use portolan::chat::{
    profile::{Profile, Thinking},
    request::{Effort, Format, Part, Reasoning, Request, Source, ToolChoice},
};
use serde_json::{Number, Value, json};

use super::{NOTHING, asking, function, write, write_for};

#[test]
fn a_profile_is_respected() {
    let image = Part::Image { source: Source::Url("https://a".to_owned()), detail: None, cache: None };
    let full = Request {
        temperature: Some(Number::from(1)),
        top_p: Some(Number::from(1)),
        max_tokens: Some(1000),
        reasoning: Some(Reasoning::Budget(3000)),
        format: Some(Format::Schema { name: None, description: None, schema: json!({}), strict: None }),
        tools: vec![function("f", None)],
        tool_choice: Some(ToolChoice::Function("f".to_owned())),
        ..asking(vec![image, Part::text("hi")])
    };
    let default = Profile::DEFAULT;
    for (profile, path, member, expected) in [
        (default, None, "reasoning", json!({"effort": "medium"})),
        (Profile { sampling: false, ..default }, Some("temperature top_p"), "temperature", Value::Null),
        (Profile { max_output: Some(100), ..default }, Some("max_tokens"), "max_output_tokens", json!(100)),
        (Profile { thinking: Thinking::None, ..default }, Some("reasoning"), "include", Value::Null),
        (Profile { json_schema: false, ..default }, Some("format.schema"), "text", json!({"format": {"type": "json_object"}})),
        (Profile { tool_choice: false, ..default }, Some("tool_choice"), "tool_choice", Value::Null),
        (
            Profile { image_urls: false, ..default },
            Some("messages[].parts[].image"),
            "input",
            json!([{"type": "message", "role": "user", "content": "hi"}]),
        ),
    ] {
        let (written, dropped) = write_for(&full, &profile);
        assert_eq!(dropped.join(" "), path.unwrap_or_default(), "{profile:?}");
        assert_eq!(written.get(member).cloned().unwrap_or_default(), expected, "{profile:?}");
    }
}

#[test]
fn efforts_and_budgets_become_words() {
    for (reasoning, effort, encrypted) in [
        (None, None, true),
        (Some(Reasoning::Off), Some("none"), false),
        (Some(Reasoning::Budget(0)), Some("none"), false),
        (Some(Reasoning::Budget(1024)), Some("low"), true),
        (Some(Reasoning::Budget(4096)), Some("medium"), true),
        (Some(Reasoning::Budget(16_384)), Some("high"), true),
        (Some(Reasoning::Effort(Effort::Minimal)), Some("minimal"), true),
        (Some(Reasoning::Effort(Effort::XHigh)), Some("xhigh"), true),
        (Some(Reasoning::Effort(Effort::Max)), Some("max"), true),
        (Some(Reasoning::Adaptive), None, true),
    ] {
        let (written, dropped) = write(&Request { reasoning: reasoning.clone(), ..asking(vec![Part::text("hi")]) });
        assert_eq!(written["reasoning"]["effort"].as_str(), effort, "{reasoning:?}");
        assert_eq!(written.get("include").is_some(), encrypted, "{reasoning:?}");
        assert_eq!(dropped, NOTHING);
    }
}
