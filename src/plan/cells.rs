//! Under which names health is kept.

/// The name under which a target's health is kept.
pub fn cell(provider: &str, model: &str) -> String {
    format!("{provider}/{model}")
}

/// The name under which a credential's cooldown is kept: the operator's by its place, a tenant's by its fingerprint.
pub fn credential_cell(provider: &str, own: Option<&str>, index: usize) -> String {
    own.map_or_else(|| format!("{provider}#{index}"), |own| format!("{provider}{OWN}{own}"))
}

/// Before a fingerprint in the name of a cell.
const OWN: &str = "#own-";

/// Whether a cell is of a tenant's own key: `openai#own-1f…`, `openai#own-1f…/gpt-5.4`.
pub(super) fn is_own_key(cell: &str) -> bool {
    of_own_key(cell).is_some()
}

/// The fingerprint of the key that a cell is of. Names of models may hold anything.
pub(super) fn of_own_key(cell: &str) -> Option<&str> {
    let (_, kind) = cell.split_at_checked(cell.find(['/', '#', '@'])?)?;
    kind.strip_prefix(OWN)?.split('/').next()
}

/// The name under which is kept that a model is limited, or not there, for a tenant's own key.
pub(super) fn own_cell(provider: &str, own: &str, model: &str) -> String {
    format!("{provider}{OWN}{own}/{model}")
}

/// The name under which is kept that a provider does not serve where a request came in.
pub fn place_cell(provider: &str, colo: &str) -> String {
    format!("{provider}@{colo}")
}
