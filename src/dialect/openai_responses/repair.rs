//! Bodies of this dialect whose history was partly written by other providers.
//!
//! A route may answer one turn from elsewhere and the next from a provider of Responses, which refuses thoughts it did not
//! write. They are taken out, its own are unwrapped; all else keeps its bytes.

use serde_json::Value;

use super::{
    item,
    seal::{self, Seal},
    text,
};
use crate::{
    chat::Dialect,
    wire::json::{Edit, Outline, json_text},
};

pub(super) fn repairs(body: &Outline<'_>) -> Option<Edit> {
    let input = body.get("input").filter(|input| seal::is_suspect(input))?;
    let Ok(Value::Array(list)) = serde_json::from_str::<Value>(input) else { return None };
    let mut changed = false;
    let kept: Vec<Value> = list
        .into_iter()
        .filter_map(|item| match sealed(&item) {
            None => Some(item),
            Some(seal) => {
                changed = true;
                unsealed(seal)
            }
        })
        .collect();
    changed.then(|| Edit::Set("input".into(), json_text(&Value::Array(kept))))
}

fn sealed(item: &Value) -> Option<Seal> {
    if text(item, "type") != Some("reasoning") {
        return None;
    }
    seal::open(text(item, "encrypted_content")?)
}

fn unsealed(seal: Seal) -> Option<Value> {
    match seal {
        Seal::Own(signature) if signature.dialect == Dialect::OpenAiResponses => item::restored(&signature.value),
        Seal::Own(_) | Seal::Unsigned | Seal::Call { .. } | Seal::Hidden { .. } => None,
    }
}
