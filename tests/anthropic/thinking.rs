use portolan::chat::{
    Dialect,
    profile::{self, Profile},
    request::{Effort, Part, Reasoning, Request},
};
use serde_json::{Value, json};

use super::{NOTHING, asking, assistant, call, result, said, signature, text, thought, told, user, written};

const BUDGET: Profile = Profile { thinking: profile::Thinking::Budget, ..Profile::DEFAULT };

#[test]
fn thinking_gets_a_budget_and_room_beside_it() {
    let rows = [
        (Reasoning::Effort(Effort::Minimal), None, 1024, 4096, NOTHING.to_vec()),
        (Reasoning::Effort(Effort::Low), Some(2000), 1024, 2000, vec![]),
        (Reasoning::Effort(Effort::Medium), None, 4096, 8192, vec![]),
        (Reasoning::Effort(Effort::High), Some(1000), 16_384, 17_384, vec!["max_tokens"]),
        (Reasoning::Effort(Effort::Max), Some(64_000), 31_999, 64_000, vec![]),
        (Reasoning::Budget(10), Some(1024), 1024, 2048, vec!["max_tokens"]),
        (Reasoning::Budget(5000), Some(5001), 5000, 5001, vec![]),
    ];
    for (reasoning, limit, budget, max_tokens, lost) in rows {
        let request = Request { reasoning: Some(reasoning.clone()), max_tokens: limit, ..asking(vec![user(vec![text("u")])]) };
        let (body, dropped) = told(&request, &BUDGET);
        assert_eq!(body["thinking"], json!({"type": "enabled", "budget_tokens": budget}), "{reasoning:?}");
        assert_eq!(body["max_tokens"], max_tokens, "{reasoning:?}");
        assert_eq!(dropped, lost, "{reasoning:?}");
    }
    for (reasoning, thinking) in [(Reasoning::Off, "disabled"), (Reasoning::Adaptive, "adaptive")] {
        let (body, dropped) = written(&Request { reasoning: Some(reasoning), ..asking(vec![user(vec![text("u")])]) });
        assert_eq!((&body["thinking"], dropped), (&json!({"type": thinking}), vec![]));
    }
}

#[test]
fn thinking_is_off_where_the_history_forbids_it() {
    let proven = || thought("t", Some(signature(Dialect::Anthropic, "S")));
    let hidden = Part::RedactedReasoning { data: "r".to_owned(), dialect: Dialect::Anthropic };
    let the_call = || Part::ToolCall(call("c", "{}"));
    let loops = |before: Vec<Part>| {
        vec![user(vec![text("u")]), assistant([before, vec![the_call()]].concat()), user(vec![result("c", "f", vec![text("r")])])]
    };
    let ends = |parts: Vec<Part>| vec![user(vec![text("u")]), assistant(parts)];
    for (messages, reasoning, is_on) in [
        (loops(vec![proven()]), Reasoning::Budget(2000), true),
        (loops(vec![hidden]), Reasoning::Budget(2000), true),
        (loops(vec![]), Reasoning::Budget(2000), false),
        (loops(vec![text("t"), proven()]), Reasoning::Budget(2000), false),
        (loops(vec![thought("t", Some(signature(Dialect::Gemini, "S")))]), Reasoning::Effort(Effort::Low), false),
        (loops(vec![]), Reasoning::Adaptive, true),
        // The loop is over: the user speaks.
        ([loops(vec![]), ends(vec![text("a")]), vec![user(vec![text("u")])]].concat(), Reasoning::Budget(2000), true),
        // An answer to go on with.
        (ends(vec![text("a")]), Reasoning::Budget(2000), false),
        (ends(vec![text("a")]), Reasoning::Adaptive, false),
    ] {
        let profile = if reasoning == Reasoning::Adaptive { Profile::DEFAULT } else { BUDGET };
        let request = Request { reasoning: Some(reasoning), max_tokens: Some(9000), ..asking(messages) };
        let (body, dropped) = told(&request, &profile);
        assert_eq!(!body["thinking"].is_null(), is_on, "{request:?}");
        assert_eq!(!dropped.contains(&"reasoning".to_owned()), is_on, "{request:?}");
    }
    // Without thinking, the last turn may hold no thoughts.
    let (body, _) = written(&asking(ends(vec![proven(), text("a")])));
    assert_eq!(body["messages"][1]["content"], json!([said("a")]));
    let (body, _) = written(&asking(ends(vec![proven()])));
    assert_eq!(body["messages"], json!([{"role": "user", "content": [said("u")]}]));
}

#[test]
fn a_model_that_adapts_is_told_an_effort() {
    let rows = [
        (Reasoning::Adaptive, json!({"type": "adaptive"}), Value::Null),
        (Reasoning::Off, json!({"type": "disabled"}), Value::Null),
        (Reasoning::Budget(0), json!({"type": "disabled"}), Value::Null),
        (Reasoning::Effort(Effort::Minimal), json!({"type": "adaptive"}), json!("low")),
        (Reasoning::Effort(Effort::Medium), json!({"type": "adaptive"}), json!("medium")),
        (Reasoning::Effort(Effort::XHigh), json!({"type": "adaptive"}), json!("xhigh")),
        (Reasoning::Effort(Effort::Max), json!({"type": "adaptive"}), json!("max")),
        (Reasoning::Budget(1024), json!({"type": "adaptive"}), json!("low")),
        (Reasoning::Budget(4096), json!({"type": "adaptive"}), json!("medium")),
        (Reasoning::Budget(31_999), json!({"type": "adaptive"}), json!("high")),
    ];
    for (reasoning, thinking, effort) in rows {
        let (body, dropped) = written(&Request { reasoning: Some(reasoning.clone()), ..asking(vec![user(vec![text("u")])]) });
        assert_eq!((&body["thinking"], &body["output_config"]["effort"]), (&thinking, &effort), "{reasoning:?}");
        assert_eq!((&body["max_tokens"], dropped), (&json!(100), vec![]), "{reasoning:?}");
    }
}

#[test]
fn a_model_that_cannot_think_is_not_told_to() {
    let bare = Profile { thinking: profile::Thinking::None, ..Profile::DEFAULT };
    for (reasoning, lost) in
        [(Reasoning::Adaptive, vec!["reasoning"]), (Reasoning::Effort(Effort::Low), vec!["reasoning"]), (Reasoning::Off, vec![])]
    {
        let (body, dropped) = told(&Request { reasoning: Some(reasoning), ..asking(vec![user(vec![text("u")])]) }, &bare);
        assert_eq!((&body["thinking"], &body["output_config"]), (&Value::Null, &Value::Null));
        assert_eq!(dropped, lost);
    }
}

#[test]
fn thoughts_are_shown_as_asked() {
    for (reasoning, show, display, lost) in [
        (Some(Reasoning::Adaptive), Some(true), json!("summarized"), vec![]),
        (Some(Reasoning::Adaptive), Some(false), json!("omitted"), vec![]),
        (Some(Reasoning::Adaptive), None, Value::Null, vec![]),
        (Some(Reasoning::Off), Some(true), Value::Null, vec!["show_reasoning"]),
        (None, Some(true), Value::Null, vec!["show_reasoning"]),
        (None, Some(false), Value::Null, vec![]),
    ] {
        let (body, dropped) =
            written(&Request { reasoning: reasoning.clone(), show_reasoning: show, ..asking(vec![user(vec![text("u")])]) });
        assert_eq!(
            (&body["thinking"]["display"], dropped),
            (&display, lost.into_iter().map(str::to_owned).collect()),
            "{reasoning:?}"
        );
    }
}

/// The most a model can write bounds the answer and the thoughts before it.
#[test]
fn an_answer_is_no_longer_than_the_model_can_write() {
    let rows = [
        (None, None, Some(64_000), 64_000, None, NOTHING.to_vec()),
        (None, Some(100_000), Some(64_000), 64_000, None, vec!["max_tokens"]),
        (None, None, None, 4096, None, vec![]),
        (Some(Reasoning::Effort(Effort::Max)), None, Some(64_000), 64_000, Some(31_999), vec![]),
        (Some(Reasoning::Effort(Effort::High)), Some(100), Some(8192), 8192, Some(4096), vec!["max_tokens"]),
        (Some(Reasoning::Budget(20_000)), Some(100), Some(8192), 8192, Some(4096), vec!["max_tokens", "reasoning"]),
        // Too little for any thought.
        (Some(Reasoning::Effort(Effort::Low)), None, Some(1024), 1024, None, vec!["reasoning"]),
    ];
    for (reasoning, limit, most, max_tokens, budget, lost) in rows {
        let request = Request { reasoning, max_tokens: limit, ..asking(vec![user(vec![text("u")])]) };
        let (body, dropped) = told(&request, &Profile { max_output: most, ..BUDGET });
        assert_eq!(body["max_tokens"], max_tokens, "{request:?}");
        assert_eq!(body["thinking"]["budget_tokens"].as_u64(), budget, "{request:?}");
        assert_eq!(dropped, lost, "{request:?}");
    }
}
