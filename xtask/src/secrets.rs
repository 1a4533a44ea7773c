//! The Worker's secrets in development.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::env_file::{self, Values};
use crate::{documents, run};

pub const GATEWAY_KEY: &str = "GATEWAY_KEY";
pub const ADMIN_TOKEN: &str = "ADMIN_TOKEN";

/// Where the made keys are kept from start to start.
const KEYS_FILE: &str = ".portolan/keys.env";
/// What the Worker of this start gets.
const SECRETS_FILE: &str = ".portolan/secrets.env";

/// The secrets of one start, and the file that wrangler reads them from.
pub struct Secrets {
    pub file: PathBuf,
    pub gateway_key: String,
    pub admin_token: String,
}

/// Gathers the secrets: the environment wins, then the folder's `secrets.json`, `.dev.vars`, and the made keys.
pub fn gather(config: Option<&Path>) -> Result<Secrets> {
    let root = run::root()?;
    let folder = config.map(documents::secrets).transpose()?.unwrap_or_default();
    let values = merge([made_keys(&root.join(KEYS_FILE))?, env_file::read(&root.join(".dev.vars"))?, folder, from_environment()]);
    let file = root.join(SECRETS_FILE);
    env_file::write(&file, &values)?;
    let value = |name: &str| values.get(name).cloned().context("a key is missing");
    Ok(Secrets { file, gateway_key: value(GATEWAY_KEY)?, admin_token: value(ADMIN_TOKEN)? })
}

/// Later sources win.
fn merge(sources: [Values; 4]) -> Values {
    sources.into_iter().flatten().collect()
}

fn from_environment() -> Values {
    [GATEWAY_KEY, ADMIN_TOKEN]
        .into_iter()
        .filter_map(|name| Some((name.to_owned(), env::var(name).ok()?)))
        .filter(|(_, value)| !value.is_empty())
        .collect()
}

fn made_keys(path: &Path) -> Result<Values> {
    let kept = env_file::read(path)?;
    if kept.contains_key(GATEWAY_KEY) && kept.contains_key(ADMIN_TOKEN) {
        return Ok(kept);
    }
    let made = Values::from([(GATEWAY_KEY.to_owned(), format!("pk-{}", random_hex()?)), (ADMIN_TOKEN.to_owned(), random_hex()?)]);
    env_file::write(path, &made)?;
    Ok(made)
}

fn random_hex() -> Result<String> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).context("no random bytes")?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::{Values, merge};

    #[test]
    fn the_environment_wins_over_the_folder_over_the_users_file_over_made_keys() {
        let source =
            |names: &[&str], value: &str| -> Values { names.iter().map(|name| ((*name).to_owned(), value.to_owned())).collect() };
        let merged = merge([
            source(&["A", "B", "C", "D"], "made"),
            source(&["B", "C", "D"], "file"),
            source(&["C", "D"], "folder"),
            source(&["D"], "environment"),
        ]);
        let values: Vec<_> = merged.values().map(String::as_str).collect();
        assert_eq!(values, ["made", "file", "folder", "environment"]);
    }
}
