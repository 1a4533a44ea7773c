//! Standard Webhooks: what proves to a receiver that a call is ours.
//!
//! <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>

use super::{base64, digest::hmac};
use crate::units::Millis;

/// What a secret begins with, so that nobody takes it for another.
const PREFIX: &str = "whsec_";
/// Bytes of a key, by the specification.
const KEY_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// For an operator whose secret is no key.
pub const UNUSABLE: &str =
    "`WEBHOOK_SECRET` must be `whsec_` and the base64 of 24 to 64 random bytes: `echo whsec_$(openssl rand -base64 32)`.";

/// What stands in a secret: one key, or several with spaces between, of which a receiver may hold any while it changes.
pub struct Keys(Vec<Vec<u8>>);

/// Pauses between tries, as the specification proposes: some three days in all.
const PAUSES_S: [u64; 9] = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];

/// After how many milliseconds a call that failed is made again, when so many tries were made before it; `None`: not at all.
pub fn again_after(tries: usize) -> Option<u64> {
    PAUSES_S.get(tries).map(|seconds| seconds.saturating_mul(1000))
}

impl Keys {
    /// `None` is [`UNUSABLE`].
    pub fn read(secret: &str) -> Option<Self> {
        let key = |word: &str| base64::decode(word.strip_prefix(PREFIX)?).filter(|key| KEY_BYTES.contains(&key.len()));
        let keys = secret.split_ascii_whitespace().map(key).collect::<Option<Vec<_>>>()?;
        (!keys.is_empty()).then_some(Self(keys))
    }

    /// The headers of one call. `id` names the event and stays the same when it is sent again; it has no `.`.
    pub fn headers(&self, id: &str, body: &str, now: Millis) -> [(&'static str, String); 3] {
        let seconds = (now.0 / 1000).to_string();
        let signed = [id, ".", &seconds, ".", body].map(str::as_bytes);
        let sign = |key: &Vec<u8>| format!("v1,{}", base64::encode(&hmac(key, &signed)));
        let signatures: Vec<String> = self.0.iter().map(sign).collect();
        [("webhook-id", id.to_owned()), ("webhook-timestamp", seconds), ("webhook-signature", signatures.join(" "))]
    }
}
