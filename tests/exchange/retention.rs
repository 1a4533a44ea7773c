//! Zero data retention on the wire: what each provider is told, and what it is not sent at all.

use std::rc::Rc;

use portolan::{
    catalog::{
        self,
        retention::{Asked, all_flags, all_keeps},
    },
    config::{self, Documents, Snapshot},
    dialect::{
        Dialect::{self, Anthropic, Gemini, OpenAiChat, OpenAiCompletions, OpenAiResponses},
        surface::{Operation, Place},
    },
    exchange::{Task, forward},
    sorted::SortedMap,
};
use serde_json::{Map, Value, json};

use super::{
    driver::Case,
    script::{Answer, error, json as answered, served, stream, told},
};

/// Every provider of the catalog, marked as keeping nothing, and a house that is not.
fn gateway(routes: &str, settings: &str) -> Rc<Snapshot> {
    let mut secrets = SortedMap::new();
    let mut providers = Map::new();
    for row in catalog::providers().iter().filter(|row| row.name != catalog::MOCK) {
        let names = row.secrets.iter().copied().chain(row.placeholders());
        secrets.extend(names.map(|name| (name.to_owned(), "value".to_owned())));
        providers.insert(row.name.to_owned(), json!({"zdr": true}));
    }
    providers.insert("lab".to_owned(), json!({"kind": "openai", "base_url": "https://lab.example/v1", "zdr": true}));
    providers.insert("shop".to_owned(), json!({"kind": "openai", "base_url": "https://shop.example/v1"}));
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let providers = Some(serde_json::to_string(&providers).unwrap());
    let documents = Documents { providers, routes: some(routes), settings: some(settings), ..Documents::default() };
    Rc::new(config::build(&documents, &secrets).unwrap())
}

fn question(dialect: Dialect) -> Value {
    match dialect {
        OpenAiResponses => json!({"input": "Hello"}),
        OpenAiCompletions => json!({"prompt": "Hello"}),
        Gemini => json!({"contents": [{"role": "user", "parts": [{"text": "Hello"}]}]}),
        OpenAiChat | Anthropic | Dialect::Converse | Dialect::Cohere | Dialect::WorkersAi => {
            json!({"max_tokens": 9, "messages": [{"role": "user", "content": "Hello"}]})
        }
    }
}

/// The same with more members, for this model.
fn case(config: &Rc<Snapshot>, dialect: Dialect, model: &str, more: &Value) -> Case {
    let mut body = question(dialect);
    let all = body.as_object_mut().unwrap();
    all.extend(more.as_object().unwrap().clone());
    let mut place = Place::default();
    if dialect == Gemini {
        place.model = Some(model.to_owned());
    } else {
        all.insert("model".to_owned(), model.into());
    }
    let case = Case { place, ..Case::with(Rc::clone(config), dialect, model, false) };
    case.body(&serde_json::to_string(&body).unwrap())
}

fn refusal() -> Answer {
    error(400, "bad", "No.")
}

/// What was sent first.
fn sent(case: &Case) -> Value {
    serde_json::from_str(&case.run([refusal()]).sends[0].body).unwrap()
}

/// The members that matter here.
fn told_of(sent: &Value) -> Value {
    json!([sent["store"], sent["provider"]])
}

const DENY: &str = r#"{"data_collection":"deny","zdr":true}"#;

#[test]
fn each_provider_is_told_in_its_own_words_whoever_asks() {
    let config = gateway("", "");
    let deny: Value = serde_json::from_str(DENY).unwrap();
    let no = |_: &str| json!([false, null]);
    let nothing = json!([null, null]);
    let denied = json!([null, deny]);
    let both = json!([false, deny]);
    for (dialect, model, expected) in [
        // Verbatim.
        (OpenAiChat, "openai/gpt-5.4", no("")),
        (OpenAiResponses, "openai/gpt-5.4", no("")),
        (OpenAiChat, "azure-openai/mine", no("")),
        (OpenAiResponses, "azure-openai/mine", no("")),
        (OpenAiResponses, "bytedance/seed", no("")),
        (OpenAiResponses, "byteplus/seed", no("")),
        (OpenAiResponses, "fireworks/m", no("")),
        (OpenAiResponses, "groq/m", no("")),
        (OpenAiResponses, "huggingface/m", no("")),
        (OpenAiResponses, "xai/grok", no("")),
        (Gemini, "google/gemini-2.5-pro", no("")),
        (OpenAiChat, "openrouter/a/b", denied.clone()),
        (OpenAiCompletions, "openrouter/a/b", denied.clone()),
        (Anthropic, "openrouter/a/b", denied.clone()),
        (OpenAiResponses, "openrouter/a/b", both),
        // Translated.
        (Anthropic, "openai/gpt-5.4", no("")),
        (OpenAiChat, "openai/gpt-5-codex", no("")),
        (Gemini, "openai/gpt-5.4", no("")),
        (OpenAiChat, "google/gemini-2.5-pro", no("")),
        (Gemini, "openrouter/a/b", denied),
        // A server that speaks as OpenAI does.
        (OpenAiChat, "lab/m", no("")),
        // What the account or the contract decides, a request cannot say.
        (OpenAiChat, "groq/m", nothing.clone()),
        (OpenAiChat, "mistral/m", nothing.clone()),
        (Anthropic, "anthropic/claude", nothing),
    ] {
        let case = case(&config, dialect, model, &json!({})).header("x-portolan-zdr", "required");
        assert_eq!(told_of(&sent(&case)), expected, "{} {model}", dialect.name());
    }
}

#[test]
fn every_row_reaches_the_wire() {
    let config = gateway("", "");
    for flag in all_flags() {
        let sent = match flag.asked {
            Asked::Text(dialect) => {
                sent(&case(&config, dialect, &format!("{}/m", flag.kind), &json!({})).header("x-portolan-zdr", "required"))
            }
            Asked::Besides(operation) => {
                let body = json!({"model": format!("{}/m", flag.kind), "input": "a", "query": "a", "documents": ["a"]});
                let body = serde_json::to_string(&body).unwrap();
                let case = Case { config: Rc::clone(&config), ..Case::operation(operation, OpenAiChat, &body) };
                sent(&case.header("x-portolan-zdr", "required"))
            }
        };
        let value: Value = serde_json::from_str(flag.value).unwrap();
        assert_eq!(sent[flag.member], value, "{flag:?}");
        assert!(flag.source.starts_with("https://") && flag.date.len() == 7, "{flag:?}");
        assert!(catalog::provider(flag.kind).is_some_and(|row| row.name == flag.kind), "{flag:?}");
    }
    assert!(all_flags().is_sorted_by_key(|flag| flag.kind));
}

#[test]
fn whoever_requires_it_and_nobody_else_has_it_told() {
    let routes = r#"{
        "strict": {"targets": ["openai/gpt-5.4"], "zdr": true},
        "target": {"targets": [{"model": "openai/gpt-5.4", "requires": {"zdr": true}}]},
        "loose": {"targets": ["openai/gpt-5.4"], "zdr": false},
        "stores": {"targets": [{"model": "openai/gpt-5.4", "params": {"override": {"store": true}}}]}
    }"#;
    let plain = gateway(routes, "");
    let everywhere = gateway(routes, r#"{"zdr":true}"#);
    let deny = json!({"provider": {"data_collection": "deny"}});
    for (what, config, model, more, header, expected) in [
        ("nobody", &plain, "openai/gpt-5.4", json!({}), false, json!(null)),
        ("nobody, and the caller stores", &plain, "openai/gpt-5.4", json!({"store": true}), false, json!(true)),
        ("the request", &plain, "openai/gpt-5.4", json!({}), true, json!(false)),
        ("over the caller's own", &plain, "openai/gpt-5.4", json!({"store": true}), true, json!(false)),
        ("OpenRouter's word", &plain, "openai/gpt-5.4", deny, false, json!(false)),
        ("the route", &plain, "strict", json!({}), false, json!(false)),
        ("the target", &plain, "target", json!({}), false, json!(false)),
        ("settings", &everywhere, "openai/gpt-5.4", json!({}), false, json!(false)),
        ("settings, over a route's no", &everywhere, "loose", json!({}), false, json!(false)),
        ("over `params`", &plain, "stores", json!({}), true, json!(false)),
        ("without, `params` hold", &plain, "stores", json!({}), false, json!(true)),
    ] {
        let case = case(config, OpenAiChat, model, &more);
        let case = if header { case.header("x-portolan-zdr", "required") } else { case };
        assert_eq!(sent(&case)["store"], expected, "{what}");
    }
}

#[test]
fn an_object_of_the_callers_keeps_its_other_members() {
    let config = gateway("", "");
    let theirs = json!({"provider": {"order": ["a"], "data_collection": "allow", "zdr": false}});
    let case = case(&config, OpenAiChat, "openrouter/a/b", &theirs).header("x-portolan-zdr", "required");
    let run = case.run([refusal()]);
    let sent: Value = serde_json::from_str(&run.sends[0].body).unwrap();
    assert_eq!(sent["provider"], json!({"order": ["a"], "data_collection": "deny", "zdr": true}));
    let stored = self::case(&config, OpenAiChat, "openai/gpt-5.4", &json!({"store": true, "odd": 1.0}))
        .header("x-portolan-zdr", "required");
    let run = stored.run([served()]);
    assert_eq!(run.header("x-portolan-dropped"), Some("store"), "overruled, and said so");
    assert!(run.sends[0].body.contains(r#""odd":1.0"#), "{}", run.sends[0].body);
}

#[test]
fn every_try_of_a_request_is_told() {
    let config = gateway("", "");
    let model = "openai/gpt-5.4,google/gemini-2.5-pro,openrouter/a/b";
    let case = case(&config, OpenAiChat, model, &json!({"stream": true})).header("x-portolan-zdr", "required");
    let failing = || error(500, "oops", "Oops.").header("x-should-retry", "false");
    let run = case.run([failing(), failing(), stream(told())]);
    let bodies: Vec<Value> = run.sends.iter().map(|sent| serde_json::from_str(&sent.body).unwrap()).collect();
    assert_eq!(
        (&bodies[0]["store"], &bodies[1]["store"], &bodies[2]["provider"]["zdr"]),
        (&json!(false), &json!(false), &json!(true))
    );
}

#[test]
fn what_has_to_be_kept_is_refused_before_anything_is_sent() {
    let config = gateway("", "");
    let mut seen = vec![];
    for (dialect, model, more, member) in [
        (OpenAiResponses, "openai/gpt-5.4", json!({"previous_response_id": "resp_1"}), "previous_response_id"),
        (OpenAiResponses, "openai/gpt-5.4", json!({"previous_response_id": 7}), "previous_response_id"),
        (OpenAiResponses, "openai/gpt-5.4", json!({"conversation": "conv_1"}), "conversation"),
        (OpenAiResponses, "openai/gpt-5.4", json!({"background": true}), "background"),
        (OpenAiResponses, "xai/grok", json!({"background": true}), "background"),
        (OpenAiResponses, "bytedance/seed", json!({"caching": {"type": "enabled"}}), "caching"),
        (Anthropic, "anthropic/claude", json!({"container": "c_1"}), "container"),
        (Gemini, "google/gemini-2.5-pro", json!({"cachedContent": "cachedContents/1"}), "cachedContent"),
        (Gemini, "google/gemini-2.5-pro", json!({"cached_content": "cachedContents/1"}), "cached_content"),
    ] {
        seen.push((dialect, member));
        let run = case(&config, dialect, model, &more).header("x-portolan-zdr", "required").run([]);
        assert_eq!(run.status, 400, "{member}");
        assert!(run.body.contains(&format!("`{member}` needs ")) && run.body.contains("zero data retention"), "{}", run.body);
        let without = case(&config, dialect, model, &more).run([refusal()]);
        assert_eq!(without.sends.len(), 1, "{member} is the provider's to take where nobody requires anything");
    }
    for keeps in all_keeps() {
        assert!(seen.contains(&(keeps.dialect, keeps.member)), "{keeps:?} has no row above");
    }
    for (dialect, model, more) in [
        (OpenAiResponses, "openai/gpt-5.4", json!({"background": false, "previous_response_id": null})),
        (OpenAiResponses, "bytedance/seed", json!({"caching": {"type": "disabled"}})),
    ] {
        let run = case(&config, dialect, model, &more).header("x-portolan-zdr", "required").run([refusal()]);
        assert_eq!(run.sends.len(), 1, "{more}");
    }
}

#[test]
fn what_is_asked_besides_chat_is_held_to_it_too() {
    let config = gateway("", "");
    let of = |operation: Operation, model: &str, more: &str, zdr: bool| {
        let body = format!(r#"{{"model":"{model}","input":"a","prompt":"a"{more}}}"#);
        let case =
            Case { config: Rc::clone(&config), task: Task::Operate(operation), ..Case::operation(operation, OpenAiChat, &body) };
        if zdr { case.header("x-portolan-zdr", "required") } else { case }
    };
    for (operation, model, more, zdr, refused) in [
        (Operation::Embed, "shop/m", "", false, None),
        (Operation::Embed, "shop/m", "", true, Some("not marked as keeping nothing")),
        (Operation::Embed, "shop/m", r#","provider":{"zdr":true}"#, false, Some("not marked as keeping nothing")),
        (Operation::Embed, "shop/m", r#","provider":{"data_collection":"deny"}"#, false, Some("not marked as keeping nothing")),
        (Operation::Embed, "lab/m", "", true, None),
        (Operation::Image, "shop/m", "", true, Some("not marked as keeping nothing")),
        (Operation::Image, "lab/m", "", true, None),
        (Operation::Video, "lab/m", "", false, None),
        (Operation::Video, "lab/m", "", true, Some("keeps what it makes until it is fetched")),
    ] {
        let case = of(operation, model, more, zdr);
        match (case.try_plan(), refused) {
            (Ok(_), None) => assert_eq!(case.run([answered(400, "{}")]).sends.len(), 1),
            (Err(error), Some(words)) => assert!(error.message.contains(words) && error.status == 400, "{}", error.message),
            (plan, _) => panic!("{operation:?} {model} {more} {zdr}: {plan:?}"),
        }
    }
    let wrong = of(Operation::Embed, "lab/m", "", false).header("x-portolan-zdr", "maybe").try_plan();
    assert_eq!(wrong.unwrap_err().param.as_deref(), Some("x-portolan-zdr"), "not understood is not passed over");
}

#[test]
fn what_passes_unseen_does_not_pass() {
    for (method, is_stored, zdr, passes) in [
        ("POST", false, false, true),
        ("POST", false, true, false),
        ("GET", false, true, false),
        ("DELETE", false, true, false),
        ("GET", true, false, true),
        ("GET", true, true, false),
        ("POST", true, true, false),
        ("DELETE", true, true, true),
    ] {
        let permitted = forward::permit(method, is_stored, zdr);
        assert_eq!(permitted.is_ok(), passes, "{method} {is_stored} {zdr}");
        if let Err(error) = permitted {
            assert!(error.status == 403 && error.message.contains("Zero data retention"), "{}", error.message);
        }
    }
}
