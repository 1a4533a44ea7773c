//! Tests of the dialect Bedrock Converse.

#[path = "converse/answers.rs"]
mod answers;
#[path = "converse/requests.rs"]
mod requests;
#[path = "converse/settings.rs"]
mod settings;
#[path = "converse/streams.rs"]
mod streams;
#[path = "converse/turns.rs"]
mod turns;

use portolan::{
    chat::{
        profile::Profile,
        request::{Message, Part, Request, Role},
    },
    dialect::{Upstream, converse::Converse},
};
use serde_json::{Value, json};

fn message(role: Role, parts: Vec<Part>) -> Message {
    Message { role, parts }
}

/// A request of one question.
fn asking() -> Request {
    Request { messages: vec![message(Role::User, vec![Part::text("Hi")])], ..Request::default() }
}

fn written(request: &Request, profile: &Profile) -> (Value, Vec<String>) {
    let written = Converse.write_request(request, profile);
    (serde_json::from_str(&written.value).unwrap(), written.dropped)
}

/// Its body without the one question.
fn around(request: &Request, profile: &Profile) -> (Value, Vec<String>) {
    let (mut body, dropped) = written(request, profile);
    let messages = body.as_object_mut().unwrap().remove("messages");
    assert_eq!(messages, Some(json!([{"role": "user", "content": [{"text": "Hi"}]}])));
    (body, dropped)
}

#[test]
fn the_model_is_one_segment_of_the_path() {
    for (model, stream, path) in [
        ("us.amazon.nova-2-lite-v1:0", false, "/model/us.amazon.nova-2-lite-v1%3A0/converse"),
        (
            "arn:aws:bedrock:eu-west-1:123456789012:inference-profile/a/b",
            true,
            "/model/arn%3Aaws%3Abedrock%3Aeu-west-1%3A123456789012%3Ainference-profile%2Fa%2Fb/converse-stream",
        ),
    ] {
        assert_eq!(Converse.path(model, stream), path);
    }
}
