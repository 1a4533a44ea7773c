//! Whose account a request is on.

/// The tenant of keys that name none.
pub const DEFAULT_TENANT: &str = "default";

/// Who pays for a request: what spending is reported by, and what limits are for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Payer {
    /// The gateway key's name.
    pub key: String,
    pub tenant: String,
    pub tags: Vec<String>,
}

impl Payer {
    /// Nobody but the gateway itself.
    pub fn gateway(key: &str) -> Self {
        Self { key: key.to_owned(), tenant: DEFAULT_TENANT.to_owned(), tags: vec![] }
    }
}
