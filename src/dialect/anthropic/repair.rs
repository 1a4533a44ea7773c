//! Bodies of this dialect whose history was partly written by other providers.
//!
//! A route may answer one turn from elsewhere and the next from Anthropic, where thoughts without its own signature are
//! refused, and so are citations of what it never searched. They are taken out; all else keeps its bytes.

use std::borrow::Cow;

use serde_json::Value;

use super::{citation, seal};
use crate::wire::json::{Edit, Outline, json_text};

pub(super) fn repairs(body: &Outline<'_>) -> Vec<Edit> {
    let Some(text) = body.get("messages").filter(|text| is_suspect(text)) else { return vec![] };
    let Ok(Value::Array(mut messages)) = serde_json::from_str(text) else { return vec![] };
    let mut changed = false;
    for content in messages.iter_mut().filter_map(content) {
        let before = content.len();
        content.retain(|block| !is_foreign(block));
        changed |= content.len() != before;
        for block in content {
            changed |= forget_citations(block);
        }
    }
    if !changed {
        return vec![];
    }
    // What is left without a block would be refused; its neighbours of one role are merged by the server.
    messages.retain_mut(|message| content(message).is_none_or(|content| !content.is_empty()));
    let lacks_thoughts = lacks_thoughts(&messages);
    let mut edits = vec![Edit::Set(Cow::Borrowed("messages"), json_text(&Value::Array(messages)))];
    if lacks_thoughts && has_budget(body) {
        // The second may ask to clear thoughts, which is refused where there is no thinking.
        edits.extend(["thinking", "context_management"].map(|key| Edit::Remove(Cow::Borrowed(key))));
    }
    edits
}

/// Cheap, for it looks at every body: no parsing unless one of our marks is there.
fn is_suspect(text: &str) -> bool {
    const MARKS: [&str; 6] = [
        r#""portolan:"#,
        r#""portolan-call:"#,
        r#""signature":"""#,
        r#""signature": """#,
        r#""encrypted_index":"""#,
        r#""encrypted_index": """#,
    ];
    MARKS.iter().any(|mark| text.contains(mark))
}

/// Takes another provider's citations out of a text; whether there were any.
fn forget_citations(block: &mut Value) -> bool {
    let Value::Object(map) = block else { return false };
    let Some(Value::Array(citations)) = map.get_mut("citations") else { return false };
    let before = citations.len();
    citations.retain(|cited| !citation::is_foreign(cited));
    let (is_changed, is_bare) = (citations.len() != before, citations.is_empty());
    if is_changed && is_bare {
        map.shift_remove("citations");
    }
    is_changed
}

fn content(message: &mut Value) -> Option<&mut Vec<Value>> {
    message.get_mut("content")?.as_array_mut()
}

fn is_foreign(block: &Value) -> bool {
    let word = |key: &str| block.get(key).and_then(Value::as_str);
    match word("type") {
        Some("thinking") => word("signature").is_none_or(|signature| signature.is_empty() || seal::is_sealed(signature)),
        Some("redacted_thinking") => word("data").is_some_and(seal::is_sealed),
        _ => false,
    }
}

/// With a budget, a turn whose calls are being answered must begin with its thoughts.
fn lacks_thoughts(messages: &[Value]) -> bool {
    let [.., assistant, user] = messages else { return false };
    let blocks = |message: &Value| message.get("content").and_then(Value::as_array).cloned().unwrap_or_default();
    let kind = |block: &Value| block.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
    blocks(user).iter().any(|block| kind(block) == "tool_result")
        && blocks(assistant).first().is_some_and(|first| !matches!(kind(first).as_str(), "thinking" | "redacted_thinking"))
}

fn has_budget(body: &Outline<'_>) -> bool {
    let thinking = body.get("thinking").and_then(|text| serde_json::from_str::<Value>(text).ok());
    thinking.is_some_and(|thinking| thinking.get("type").and_then(Value::as_str) == Some("enabled"))
}
