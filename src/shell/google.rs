//! Google's way in: a service account's signed claim, traded for a token of an hour. Neither key nor token is told to anybody.

use js_sys::{Promise, Uint8Array};
use serde_json::Value;
use wasm_bindgen::{JsCast, JsValue, prelude::wasm_bindgen};
use worker::web_sys::Request;

use super::{clock, edge, isolate};
use crate::{config::ServiceAccount, exchange::Head, plan::outcome::Transport, wire::json::Piece};

#[wasm_bindgen(module = "/src/shell/google.js")]
extern "C" {
    fn sign(pem: &str, text: &str) -> Promise;
}

/// The end of a token's life is not used: clocks differ, and Google's own libraries renew theirs 3:45 before.
const SPARE_MS: u64 = 225_000;
/// Google answers within a second. What takes longer is down, and another target may still serve in time.
const MAX_WAIT_MS: u64 = 5_000;
/// Bytes of an answer with a token: Google's have one or two thousand.
const MAX_ANSWER: u64 = 64 << 10;

/// Sends a call with a token; once more with a new one, where a remembered one was refused.
pub async fn send(
    request: &Request,
    account: &ServiceAccount,
    ms: u64,
    send_with: impl AsyncFn((String, String), u64) -> Result<Head, Transport>,
) -> Result<Head, Transport> {
    let started = clock::now();
    let left = || ms.saturating_sub(clock::now().since(started)).max(1);
    let header = |token: &str| ("authorization".to_owned(), format!("Bearer {token}"));
    if let Some(token) = isolate::token(account, started) {
        let head = send_with(header(&token), ms).await?;
        if head.status != 401 {
            return Ok(head);
        }
        isolate::forget_token(account);
    }
    let token = ask(request, account, left()).await?;
    send_with(header(&token), left()).await
}

/// A new token.
async fn ask(request: &Request, account: &ServiceAccount, ms: u64) -> Result<String, Transport> {
    let asked = clock::now();
    let claim = account.claim(asked);
    let signature = edge::settled(sign(&account.private_key_pem, &claim)).await;
    let signature: Uint8Array = signature.dyn_into().map_err(|_| Transport::Rejected)?;
    let form = ServiceAccount::grant(&claim, &signature.to_vec());
    let call = edge::Call::new(request);
    let answer = post(&call, &account.token_uri, form, ms.min(MAX_WAIT_MS)).await;
    call.cancel();
    let (status, body) = match answer {
        Ok(answer) => answer,
        Err(Transport::ClientGone) => return Err(Transport::ClientGone),
        // The deadline of the try, not the endpoint's.
        Err(Transport::Timeout(phase)) if ms <= MAX_WAIT_MS => return Err(Transport::Timeout(phase)),
        Err(_) => return Err(Transport::NoToken),
    };
    let granted: Value = serde_json::from_slice(&body).unwrap_or_default();
    match (status, granted.get("access_token").and_then(Value::as_str)) {
        (200..300, Some(token)) => {
            let lasts_s = granted.get("expires_in").and_then(Value::as_u64).unwrap_or_default();
            let until = asked.plus(lasts_s.saturating_mul(1000).saturating_sub(SPARE_MS));
            isolate::remember_token(account, token, until);
            Ok(token.to_owned())
        }
        // `invalid_grant` and its like: RFC 6749, section 5.2.
        (400 | 401 | 403, _) => Err(Transport::Rejected),
        _ => Err(Transport::NoToken),
    }
}

async fn post(call: &edge::Call, url: &str, form: String, ms: u64) -> Result<(u16, Vec<u8>), Transport> {
    let headers = [("content-type", "application/x-www-form-urlencoded"), ("accept", "application/json")];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let sent = clock::now();
    let head = call.fetch(url, &headers, &JsValue::NULL, &[Piece::New(form)], ms).await?;
    let left = ms.saturating_sub(clock::now().since(sent)).max(1);
    Ok((head.status, call.whole(left, MAX_ANSWER).await?.to_vec()))
}
