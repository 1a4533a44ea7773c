//! Limits, sampling and thinking, as Converse takes them.

use portolan::chat::{
    Dialect,
    profile::{Profile, Thinking},
    request::{Effort, Part, Reasoning, Request, Role, Signature, ToolCall, ToolResult},
};
use serde_json::{Number, Value, json};

use super::{around, asking, message, written};

fn number(text: &str) -> Option<Number> {
    Some(serde_json::from_str(text).unwrap())
}

#[test]
fn limits_and_sampling_have_their_places() {
    let request = Request {
        max_tokens: Some(10),
        temperature: number("0.5"),
        top_p: number("0.9"),
        top_k: number("40"),
        stop: vec!["END".to_owned(), " ".to_owned()],
        ..asking()
    };
    let expected = json!({
        "inferenceConfig": {"temperature": 0.5, "topP": 0.9, "maxTokens": 10, "stopSequences": ["END"]},
        "additionalModelRequestFields": {"top_k": 40},
        "additionalModelResponseFieldPaths": ["/stop_sequence"],
    });
    assert_eq!(around(&request, &Profile::DEFAULT), (expected, vec!["stop".to_owned()]));
    let (body, dropped) = around(&request, &Profile { sampling: false, max_output: Some(5), ..Profile::DEFAULT });
    assert_eq!(body["inferenceConfig"], json!({"maxTokens": 5, "stopSequences": ["END"]}));
    assert_eq!(dropped, ["max_tokens", "temperature", "top_p", "top_k", "stop"]);
    let (body, dropped) = around(&Request { temperature: number("1.7"), ..asking() }, &Profile::DEFAULT);
    assert_eq!((body, dropped), (json!({"inferenceConfig": {"temperature": 1}}), vec!["temperature".to_owned()]));
}

#[test]
fn thinking_is_said_as_the_model_takes_it() {
    use Reasoning::{Adaptive, Budget, Off};
    let effort = Reasoning::Effort;
    let enabled = |tokens: u64| json!({"type": "enabled", "budget_tokens": tokens});
    let (adaptive, disabled) = (json!({"type": "adaptive"}), json!({"type": "disabled"}));
    for (thinking, asked, expected, word) in [
        (Thinking::Budget, Budget(2000), enabled(2000), None),
        (Thinking::Budget, Budget(5), enabled(1024), None),
        (Thinking::Budget, effort(Effort::Medium), enabled(4096), None),
        (Thinking::Budget, Adaptive, enabled(16_384), None),
        (Thinking::Budget, Off, disabled.clone(), None),
        (Thinking::Effort, effort(Effort::Minimal), adaptive.clone(), Some("low")),
        (Thinking::Effort, effort(Effort::Max), adaptive.clone(), Some("max")),
        (Thinking::Effort, Budget(4096), adaptive.clone(), Some("medium")),
        (Thinking::Effort, Budget(60_000), adaptive.clone(), Some("high")),
        (Thinking::Effort, Adaptive, adaptive, None),
        (Thinking::Effort, Budget(0), disabled.clone(), None),
        (Thinking::Switch, effort(Effort::Low), json!({"type": "enabled"}), None),
        (Thinking::Switch, Off, disabled, None),
    ] {
        let request = Request { reasoning: Some(asked.clone()), ..asking() };
        let (body, dropped) = around(&request, &Profile { thinking, ..Profile::DEFAULT });
        assert_eq!(body["additionalModelRequestFields"]["thinking"], expected, "{thinking:?} {asked:?}");
        assert_eq!(body["outputConfig"]["effort"].as_str(), word, "{thinking:?} {asked:?}");
        assert!(dropped.is_empty(), "{thinking:?} {asked:?}: {dropped:?}");
    }
    for (asked, lost) in [(Off, &[][..]), (Adaptive, &["reasoning".to_owned()])] {
        let request = Request { reasoning: Some(asked), ..asking() };
        assert_eq!(around(&request, &Profile { thinking: Thinking::None, ..Profile::DEFAULT }), (json!({}), lost.to_vec()));
    }
    let request = Request { reasoning: Some(Adaptive), show_reasoning: Some(true), ..asking() };
    let (body, _) = around(&request, &Profile::DEFAULT);
    assert_eq!(body["additionalModelRequestFields"]["thinking"]["display"], "summarized");
}

#[test]
fn a_budget_leaves_room_for_the_answer() {
    for (budget, max_tokens, most, expected, lost) in [
        (2000, Some(4000), None, (Some(2000), Some(4000)), &[][..]),
        (2000, Some(1000), None, (Some(2000), Some(3000)), &["max_tokens"]),
        (2000, None, None, (Some(2000), None), &[]),
        (2000, None, Some(1500), (Some(1024), None), &["reasoning"]),
        (9000, Some(8000), Some(8000), (Some(4000), Some(8000)), &["reasoning"]),
        (2000, Some(500), Some(1000), (None, Some(500)), &["reasoning"]),
    ] {
        let request = Request { reasoning: Some(Reasoning::Budget(budget)), max_tokens, ..asking() };
        let profile = Profile { thinking: Thinking::Budget, max_output: most, ..Profile::DEFAULT };
        let (body, dropped) = around(&request, &profile);
        let tokens = body["additionalModelRequestFields"]["thinking"]["budget_tokens"].as_u64();
        assert_eq!((tokens, body["inferenceConfig"]["maxTokens"].as_u64()), expected, "{budget} {max_tokens:?} {most:?}");
        assert_eq!(dropped, lost, "{budget} {max_tokens:?} {most:?}");
    }
}

#[test]
fn with_thinking_only_the_default_sampling_is_taken() {
    let request = Request {
        reasoning: Some(Reasoning::Adaptive),
        temperature: number("0.5"),
        top_p: number("0.5"),
        top_k: number("5"),
        ..asking()
    };
    let (body, dropped) = around(&request, &Profile::DEFAULT);
    assert_eq!(
        (body.get("inferenceConfig"), dropped),
        (None, vec!["temperature".to_owned(), "top_p".to_owned(), "top_k".to_owned()])
    );
    let request = Request { temperature: number("1"), top_p: number("0.95"), top_k: None, ..request };
    let (body, dropped) = around(&request, &Profile::DEFAULT);
    assert_eq!((&body["inferenceConfig"], dropped.len()), (&json!({"temperature": 1, "topP": 0.95}), 0));
}

/// A tool loop whose calls lack their proven thoughts cannot be gone on with under a budget.
#[test]
fn a_loop_without_its_thoughts_goes_on_without_thinking() {
    let result =
        ToolResult { id: "1".to_owned(), name: String::new(), parts: vec![Part::text("r")], is_error: false, cache: None };
    let loop_with = |thoughts: Vec<Part>| {
        let call = Part::ToolCall(ToolCall { id: "1".to_owned(), name: "f".to_owned(), ..ToolCall::default() });
        let messages = vec![
            message(Role::User, vec![Part::text("q")]),
            message(Role::Assistant, [thoughts, vec![call]].concat()),
            message(Role::User, vec![Part::ToolResult(result.clone())]),
        ];
        let request = Request { messages, reasoning: Some(Reasoning::Budget(2000)), ..Request::default() };
        let (body, dropped) = written(&request, &Profile { thinking: Thinking::Budget, ..Profile::DEFAULT });
        (body["additionalModelRequestFields"]["thinking"]["budget_tokens"].as_u64(), dropped)
    };
    let signature = Some(Signature { dialect: Dialect::Converse, value: "c2ln".to_owned() });
    assert_eq!(loop_with(vec![Part::Reasoning { text: "hm".to_owned(), signature }]), (Some(2000), vec![]));
    assert_eq!(loop_with(vec![]), (None, vec!["reasoning".to_owned()]));
}

#[test]
fn an_answer_begun_by_the_caller_goes_where_it_is_taken() {
    let messages = vec![message(Role::User, vec![Part::text("q")]), message(Role::Assistant, vec![Part::text("It")])];
    let request = Request { messages, ..Request::default() };
    let turns = |request: &Request, profile: &Profile| {
        let (body, dropped) = written(request, profile);
        (body["messages"].as_array().unwrap().len(), dropped)
    };
    assert_eq!(turns(&request, &Profile::DEFAULT), (2, vec![]));
    assert_eq!(turns(&request, &Profile { prefill: false, ..Profile::DEFAULT }), (1, vec!["messages[]".to_owned()]));
    let request = Request { reasoning: Some(Reasoning::Adaptive), ..request };
    assert_eq!(turns(&request, &Profile::DEFAULT), (2, vec!["reasoning".to_owned()]));
}

#[test]
fn what_stands_beside_is_carried_or_reported() {
    let request = Request {
        service_tier: Some("flex".to_owned()),
        metadata: Some(json!({"team": "a-b", "n": "1"})),
        store: Some(false),
        verbosity: Some("medium".to_owned()),
        n: Some(1),
        parallel_tool_calls: Some(false),
        modalities: vec!["text".to_owned()],
        ..asking()
    };
    let expected = json!({"serviceTier": {"type": "flex"}, "requestMetadata": {"team": "a-b", "n": "1"}});
    assert_eq!(around(&request, &Profile::DEFAULT), (expected, vec![]));
    let lost = Request {
        service_tier: Some("scale".to_owned()),
        metadata: Some(json!({"a": "ü"})),
        presence_penalty: number("1"),
        frequency_penalty: number("1"),
        seed: number("1"),
        user: Some("u".to_owned()),
        n: Some(2),
        logprobs: true,
        top_logprobs: Some(2),
        verbosity: Some("low".to_owned()),
        store: Some(true),
        cache_key: Some("k".to_owned()),
        modalities: vec!["audio".to_owned()],
        ..asking()
    };
    let (body, dropped) = around(&lost, &Profile::DEFAULT);
    let words = "service_tier metadata presence_penalty frequency_penalty seed user n logprobs top_logprobs verbosity store \
                 cache_key modalities";
    assert_eq!((body, dropped.join(" ")), (Value::Object(serde_json::Map::new()), words.to_owned()));
}
