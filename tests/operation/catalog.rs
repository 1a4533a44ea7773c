//! Which provider offers what.

use portolan::{
    catalog::{self, Operation, Style},
    operation::facts,
    wire::json::Outline,
};

#[test]
fn providers_offer_what_their_documents_say() {
    for (kind, operation, offered) in [
        ("openai", Operation::Embed, Some((Style::OpenAi, "/embeddings"))),
        ("openai", Operation::Moderate, Some((Style::OpenAi, "/moderations"))),
        ("openai", Operation::CountTokens, Some((Style::OpenAi, "/responses/input_tokens"))),
        ("openai", Operation::Rerank, None),
        ("google", Operation::Embed, Some((Style::Gemini, "/v1beta/models/{model}:embedContent"))),
        ("cohere", Operation::Rerank, Some((Style::Cohere, "/v2/rerank"))),
        ("anthropic", Operation::CountTokens, Some((Style::Anthropic, "/v1/messages/count_tokens"))),
        ("anthropic", Operation::Embed, None),
        ("deepseek", Operation::Embed, None),
        ("nobody", Operation::Embed, None),
    ] {
        let found = catalog::operation(kind, operation).map(|endpoint| (endpoint.style, endpoint.path));
        assert_eq!(found, offered, "{kind} {}", operation.name());
    }
}

#[test]
fn facts_name_model_and_user() {
    for (operation, style, body, model, user) in [
        (Operation::Embed, Style::OpenAi, r#"{"model":"m","input":"a","user":"ann"}"#, Ok("m"), Some("ann")),
        (Operation::Embed, Style::Gemini, r#"{"content":{"parts":[{"text":"a"}]}}"#, Ok(""), None),
        (Operation::Embed, Style::OpenAi, r#"{"input":"a"}"#, Err("model"), None),
        (Operation::Embed, Style::OpenAi, r#"{"model":7}"#, Err("model"), None),
        (Operation::Moderate, Style::OpenAi, r#"{"input":"a"}"#, Ok("omni-moderation-latest"), None),
        (
            Operation::CountTokens,
            Style::Anthropic,
            r#"{"model":"c","messages":[],"metadata":{"user_id":"bob"}}"#,
            Ok("c"),
            Some("bob"),
        ),
    ] {
        let found = facts(operation, style, &Outline::read(body.as_bytes()).unwrap());
        match (found, model) {
            (Ok(facts), Ok(model)) => assert_eq!((facts.model.as_str(), facts.user.as_deref()), (model, user), "{body}"),
            (Err(error), Err(param)) => assert_eq!(error.param.as_deref(), Some(param), "{body}"),
            (found, _) => assert!(found.is_err() && model.is_err(), "{body}: {found:?}"),
        }
    }
}
