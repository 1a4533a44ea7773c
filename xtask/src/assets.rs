//! What is served beside the Worker: the dashboard's files, the documents' schemas and the description of the admin API.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

/// What `wrangler.toml` names.
const FOLDER: &str = "build/assets";
const DASHBOARD: &str = "src/dashboard";
/// The platform looks for it at the top.
const HEADERS: &str = "_headers";

/// Puts them together anew: they are few and small, and one that is gone must be gone there too.
pub fn assemble(root: &Path) -> Result<()> {
    let folder = root.join(FOLDER);
    if folder.is_dir() {
        fs::remove_dir_all(&folder).context(FOLDER)?;
    }
    let dashboard = folder.join("dashboard");
    copy(&root.join(DASHBOARD), &dashboard)?;
    fs::rename(dashboard.join(HEADERS), folder.join(HEADERS)).context(HEADERS)?;
    copy(&root.join("schema"), &dashboard.join("schema"))?;
    fs::copy(root.join(crate::openapi::FILE), folder.join(crate::openapi::FILE)).context(crate::openapi::FILE)?;
    Ok(())
}

pub fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).with_context(|| to.display().to_string())?;
    for entry in fs::read_dir(from).with_context(|| from.display().to_string())? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), &target).with_context(|| target.display().to_string())?;
        }
    }
    Ok(())
}
