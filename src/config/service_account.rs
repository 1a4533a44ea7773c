//! A Google service account's key, and what is signed with it to be let in.

use std::fmt;

use serde_json::Value;

use super::host::{is_private_host, read_base_url};
use crate::{
    units::Millis,
    wire::{
        compose::json,
        json::{json_text, quoted},
    },
};

/// Whoever has its key may ask for tokens in its name.
#[derive(Clone, PartialEq, Eq)]
pub struct ServiceAccount {
    pub email: String,
    key_id: Option<String>,
    /// PKCS #8, as PEM.
    pub private_key_pem: String,
    /// Where the signed claim is traded for a token.
    pub token_uri: String,
}

/// All that Google Cloud offers; what the account may do is said in its roles.
const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";
/// The longest that Google grants.
const LIFETIME_S: u64 = 3600;
const DEFAULT_TOKEN_URI: &str = "https://oauth2.googleapis.com/token";
const GRANT: &str = "urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer";
const BASE64_URL: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

impl fmt::Debug for ServiceAccount {
    /// Never the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ServiceAccount({})", self.email)
    }
}

impl ServiceAccount {
    /// Reads the JSON file that Google hands out, or says what is wrong with it; never what is in it.
    pub fn read(text: &str, allow_private: bool) -> Result<Self, &'static str> {
        let Ok(Value::Object(mut file)) = serde_json::from_str(text) else {
            return Err("is not the JSON key of a service account");
        };
        let mut take = |key: &str| match file.remove(key) {
            Some(Value::String(text)) if !text.is_empty() => Some(text),
            Some(_) | None => None,
        };
        let email = take("client_email").ok_or("has no `client_email`: it is not the JSON key of a service account")?;
        let private_key_pem = take("private_key").ok_or("has no `private_key`")?;
        let token_uri = take("token_uri").unwrap_or_else(|| DEFAULT_TOKEN_URI.to_owned());
        if !may_ask(&token_uri, allow_private) {
            return Err("has a `token_uri` that is not Google's");
        }
        Ok(Self { email, key_id: take("private_key_id"), private_key_pem, token_uri })
    }

    /// What is to be signed with RSASSA-PKCS1-v1_5 and SHA-256 (RFC 7515, RFC 7523).
    pub fn claim(&self, now: Millis) -> String {
        let issued = now.0 / 1000;
        let id = self.key_id.as_ref().map(|id| format!(r#","kid":{}"#, quoted(id))).unwrap_or_default();
        let header = format!(r#"{{"alg":"RS256","typ":"JWT"{id}}}"#);
        let claims = json!({
            "iss": &self.email,
            "scope": SCOPE,
            "aud": &self.token_uri,
            "iat": issued,
            "exp": issued + LIFETIME_S,
        });
        format!("{}.{}", base64_url(header.as_bytes()), base64_url(json_text(&claims).as_bytes()))
    }

    /// The form that is posted to `token_uri` for a claim and its signature.
    pub fn grant(claim: &str, signature: &[u8]) -> String {
        format!("grant_type={GRANT}&assertion={claim}.{}", base64_url(signature))
    }
}

/// A token is never asked for where the key's owner did not get it.
fn may_ask(uri: &str, allow_private: bool) -> bool {
    let Ok(uri) = read_base_url(uri, allow_private) else { return false };
    let authority = uri.split('/').nth(2).unwrap_or_default();
    let host = authority.split(':').next().unwrap_or_default();
    host.ends_with(".googleapis.com") || (allow_private && is_private_host(host))
}

/// RFC 4648, section 5, without padding.
fn base64_url(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let bits = three.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
        for at in 0..=three.len() {
            let digit = usize::try_from(bits >> (18 - 6 * at) & 63).ok().and_then(|digit| BASE64_URL.get(digit));
            out.extend(digit.map(|digit| char::from(*digit)));
        }
    }
    out
}
