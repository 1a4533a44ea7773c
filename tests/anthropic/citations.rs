use portolan::{
    chat::{
        Dialect,
        event::{Block, Delta, Event},
        request::{Citation, Part},
        response::{Response, StopReason},
    },
    dialect::{Asked, Caller, Facts, Upstream, anthropic::Anthropic},
};
use serde_json::{Value, json};

use super::{asking, assistant, read, stamp, text, user, written};

fn found() -> Value {
    json!({"type": "web_search_result_location", "cited_text": "It is.", "url": "https://a/b", "title": "A", "encrypted_index": "Eo8="})
}

fn native(value: Value, url: Option<&str>, title: Option<&str>, quote: &str) -> Citation {
    Citation {
        url: url.map(str::to_owned),
        title: title.map(str::to_owned),
        quote: Some(quote.to_owned()),
        native: Some((Dialect::Anthropic, value)),
        ..Citation::default()
    }
}

fn foreign() -> Citation {
    Citation {
        url: Some("https://c/d".to_owned()),
        title: Some("C".to_owned()),
        start: Some(3),
        end: Some(9),
        native: Some((Dialect::OpenAiChat, json!({"type": "url_citation"}))),
        ..Citation::default()
    }
}

fn cited(citations: Vec<Citation>) -> Part {
    Part::Text { text: "It is so.".to_owned(), cache: None, citations }
}

fn answer(parts: Vec<Part>) -> Value {
    let asked = Asked { stamp: stamp(), facts: &Facts::default(), body: &[] };
    let response = Response { parts, ..Response::default() };
    serde_json::from_str::<Value>(&Anthropic.write_response(&response, &asked, None)).unwrap()["content"].take()
}

#[test]
fn citations_of_each_kind_are_read_and_go_back_as_they_were() {
    let place = json!({"type": "char_location", "cited_text": "q", "document_index": 0, "document_title": "D", "start_char_index": 1, "end_char_index": 2, "file_id": null});
    let page = json!({"type": "page_location", "cited_text": "q", "document_index": 0, "document_title": null, "start_page_number": 1, "end_page_number": 2});
    let passage = json!({"type": "search_result_location", "cited_text": "q", "source": "https://e", "title": "E", "search_result_index": 0, "start_block_index": 0, "end_block_index": 1});
    let kept = json!({"type": "search_result_location", "cited_text": "q", "source": "shelf 4", "title": null, "search_result_index": 0, "start_block_index": 0, "end_block_index": 1});
    for (value, citation) in [
        (found(), native(found(), Some("https://a/b"), Some("A"), "It is.")),
        (place.clone(), native(place, None, Some("D"), "q")),
        (page.clone(), native(page, None, None, "q")),
        (passage.clone(), native(passage, Some("https://e"), Some("E"), "q")),
        (kept.clone(), native(kept, None, None, "q")),
    ] {
        let block = json!({"type": "text", "text": "It is so.", "citations": [value]});
        let part = cited(vec![citation]);
        let response = Anthropic.read_response(&json!({"content": [block]}).to_string()).unwrap();
        assert_eq!(response.parts, std::slice::from_ref(&part));
        assert_eq!(answer(response.parts), json!([block]));
        let history = read(
            json!({"messages": [{"role": "user", "content": "u"}, {"role": "assistant", "content": [block]}, {"role": "user", "content": "v"}]}),
        );
        assert_eq!(history.value.messages[1], assistant(vec![part]));
        assert_eq!(history.dropped, Vec::<String>::new());
        let (body, dropped) = written(&history.value);
        assert_eq!((&body["messages"][1]["content"], dropped), (&json!([block]), vec![]));
    }
    let nothing = json!({"content": [{"type": "text", "text": "a", "citations": null}]}).to_string();
    assert_eq!(Anthropic.read_response(&nothing).unwrap().parts, [text("a")]);
}

/// What every SDK of this dialect parses, told apart by an index that Anthropic never leaves empty.
#[test]
fn citations_of_other_providers_reach_the_client_and_come_back_but_never_reach_anthropic() {
    let content = answer(vec![cited(vec![foreign()])]);
    let expected = json!({"type": "web_search_result_location", "cited_text": "", "url": "https://c/d", "title": "C", "encrypted_index": "", "start_index": 3, "end_index": 9});
    assert_eq!(content, json!([{"type": "text", "text": "It is so.", "citations": [expected]}]));
    let passage = Citation { url: None, ..foreign() };
    let expected = json!({"type": "search_result_location", "cited_text": "", "source": "C", "search_result_index": 0, "start_block_index": 0, "end_block_index": 0, "title": "C", "encrypted_index": "", "start_index": 3, "end_index": 9});
    let bare = answer(vec![cited(vec![passage.clone()])]);
    assert_eq!(bare[0]["citations"], json!([expected]));
    let back = read(json!({"messages": [{"role": "user", "content": "u"}, {"role": "assistant", "content": bare}]}));
    assert_eq!(back.value.messages[1], assistant(vec![cited(vec![Citation { native: None, ..passage }])]));
    let back = read(json!({"messages": [{"role": "user", "content": "u"}, {"role": "assistant", "content": content}]}));
    assert_eq!(back.value.messages[1], assistant(vec![cited(vec![Citation { native: None, ..foreign() }])]));
    let mixed = vec![user(vec![text("u")]), assistant(vec![cited(vec![foreign(), native(found(), None, None, "q")])])];
    let (body, dropped) = written(&asking(mixed));
    assert_eq!(body["messages"][1]["content"], json!([{"type": "text", "text": "It is so.", "citations": [found()]}]));
    assert_eq!(dropped, ["messages[].parts[].citations"]);
}

#[test]
fn citations_in_streams() {
    let frames = [
        json!({"type": "content_block_start", "index": 0, "content_block": {"citations": [], "type": "text", "text": ""}}),
        json!({"type": "content_block_delta", "index": 0, "delta": {"type": "citations_delta", "citation": found()}}),
        json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "It is so."}}),
        json!({"type": "content_block_stop", "index": 0}),
    ];
    let bytes: String = frames.iter().map(|frame| format!("event: x\ndata: {frame}\n\n")).collect();
    let citation = || native(found(), Some("https://a/b"), Some("A"), "It is.");
    let events = crate::fold::events(&Anthropic, [bytes.as_bytes()]);
    assert_eq!(
        events,
        [
            Event::BlockStart { choice: 0, index: 0, block: Block::Text },
            Event::BlockDelta { index: 0, delta: Delta::Citation(citation()) },
            Event::BlockDelta { index: 0, delta: Delta::Text("It is so.".to_owned()) },
            Event::BlockEnd { index: 0 },
        ]
    );
    let (mut writer, mut out) =
        (Anthropic.event_writer(&Asked { stamp: stamp(), facts: &Facts::default(), body: &[] }), String::new());
    events.iter().for_each(|event| writer.write(event, &mut out));
    for frame in &frames[1..] {
        assert!(out.contains(&format!("data: {frame}\n")), "{frame}\n{out}");
    }
    let whole = crate::fold::fold(&crate::fold::events(&Anthropic, [out.as_bytes()]));
    assert_eq!((whole.parts, whole.stop), (vec![cited(vec![citation()])], None::<StopReason>));
}
