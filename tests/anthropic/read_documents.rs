use portolan::chat::request::{CacheHint, Message, Part, Source};
use serde_json::{Value, json};

use super::{file, image, inline, read, text, user};

fn of(block: Value) -> (Vec<Message>, Vec<String>) {
    let read = read(json!({"messages": [{"role": "user", "content": [block]}]}));
    (read.value.messages, read.dropped)
}

fn titled(source: Source, title: &str, cache: Option<CacheHint>) -> Part {
    Part::File { source, name: Some(title.to_owned()), cache }
}

#[test]
fn documents_of_every_source_are_files() {
    let picture = json!({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AA=="}});
    let said = |text: &str| json!({"type": "text", "text": text});
    let made = |content: Value| json!({"type": "content", "content": content});
    let document = |source: Value| json!({"type": "document", "source": source});
    let mark = || Some(CacheHint { ttl: Some("1h".to_owned()) });
    for (block, parts, lost) in [
        (
            document(json!({"type": "base64", "media_type": "application/pdf", "data": "AA=="})),
            vec![file(inline("application/pdf", "AA=="))],
            vec![],
        ),
        (
            document(json!({"type": "url", "url": "https://a/b.pdf"})),
            vec![file(Source::Url("https://a/b.pdf".to_owned()))],
            vec![],
        ),
        (document(made(json!("hi"))), vec![file(inline("text/plain", "aGk="))], vec![]),
        (document(made(json!([said("h"), said("i")]))), vec![file(inline("text/plain", "aAoKaQ=="))], vec![]),
        // With images in it, it is its blocks.
        (
            json!({"type": "document", "title": "T", "source": made(json!([said("h"), picture])), "cache_control": {"type": "ephemeral", "ttl": "1h"}}),
            vec![text("T"), text("h"), Part::Image { source: inline("image/png", "AA=="), detail: None, cache: mark() }],
            vec![],
        ),
        // What is said about it is said before it.
        (
            json!({"type": "document", "title": "T", "context": "C", "source": {"type": "text", "media_type": "text/plain", "data": "hi"}, "cache_control": {"type": "ephemeral", "ttl": "1h"}, "citations": {"enabled": false}}),
            vec![text("C"), titled(inline("text/plain", "aGk="), "T", mark())],
            vec![],
        ),
        (
            json!({"type": "document", "source": {"type": "url", "url": "https://a"}, "citations": {"enabled": true}}),
            vec![file(Source::Url("https://a".to_owned()))],
            vec!["messages[].content[].citations"],
        ),
    ] {
        let (messages, dropped) = of(block.clone());
        assert_eq!(messages, [user(parts)], "{block}");
        assert_eq!(dropped, lost, "{block}");
    }
}

#[test]
fn found_passages_are_text_with_their_source() {
    let block = |citing: Value| json!({"type": "search_result", "source": "https://a", "title": "T", "content": [{"type": "text", "text": "one"}, {"type": "text", "text": "two"}], "citations": citing});
    let passage = "<search_result source=\"https://a\" title=\"T\">\none\ntwo\n</search_result>";
    for (citing, lost) in [(json!({"enabled": true}), vec!["messages[].content[].citations"]), (Value::Null, vec![])] {
        let (messages, dropped) = of(block(citing));
        assert_eq!((messages, dropped), (vec![user(vec![text(passage)])], lost.into_iter().map(str::to_owned).collect()));
    }
    // Also as what a tool found.
    let (messages, _) = of(json!({"type": "tool_result", "tool_use_id": "c", "content": [block(Value::Null)]}));
    let Part::ToolResult(result) = &messages[0].parts[0] else { unreachable!() };
    assert_eq!(result.parts, [text(passage)]);
}

#[test]
fn a_source_of_tomorrow_is_carried_whole() {
    for block in [
        json!({"type": "document", "source": {"type": "of_2030", "x": 1}}),
        json!({"type": "image", "source": {"type": "content", "content": "x"}}),
    ] {
        let (messages, _) = of(block.clone());
        assert!(matches!(&messages[0].parts[0], Part::Opaque { value, .. } if *value == block), "{block}");
    }
    let (messages, _) = of(json!({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AA=="}}));
    assert_eq!(messages, [user(vec![image(inline("image/png", "AA=="))])]);
}
