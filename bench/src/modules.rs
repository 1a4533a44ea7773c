//! The built Worker: its modules, and what they weigh.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Script,
    Wasm,
}

/// One module, named by its path from the folder that was built.
pub struct Module {
    pub name: String,
    pub kind: Kind,
    pub bytes: Vec<u8>,
}

/// Sizes after gzip, as the platform counts them.
#[derive(Clone, Copy)]
pub struct Sizes {
    pub wasm: u64,
    pub wasm_gzip: u64,
    pub upload_gzip: u64,
}

/// Files served beside the Worker, which are no modules of it.
const ASSETS: &str = "assets";

/// All modules of a folder, the entry first.
pub fn read(folder: &Path) -> io::Result<Vec<Module>> {
    let mut modules = Vec::new();
    collect(folder, folder, &mut modules)?;
    modules.sort_by(|left, right| (left.name != "index.js", &left.name).cmp(&(right.name != "index.js", &right.name)));
    match modules.first() {
        Some(entry) if entry.name == "index.js" => Ok(modules),
        Some(_) | None => Err(io::Error::other(format!("{} has no index.js: build the Worker first", folder.display()))),
    }
}

fn collect(root: &Path, folder: &Path, modules: &mut Vec<Module>) -> io::Result<()> {
    for entry in fs::read_dir(folder).map_err(|error| io::Error::other(format!("{}: {error}", folder.display())))? {
        let path: PathBuf = entry?.path();
        if path.is_dir() {
            if path.file_name() == Some(OsStr::new(ASSETS)) {
                continue;
            }
            collect(root, &path, modules)?;
            continue;
        }
        let Some(kind) = kind(&path) else { continue };
        let name = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().into_owned();
        modules.push(Module { name, kind, bytes: fs::read(&path)? });
    }
    Ok(())
}

fn kind(path: &Path) -> Option<Kind> {
    match path.extension().and_then(OsStr::to_str)? {
        "js" | "mjs" => Some(Kind::Script),
        "wasm" => Some(Kind::Wasm),
        _ => None,
    }
}

pub fn sizes(modules: &[Module]) -> io::Result<Sizes> {
    let mut sizes = Sizes { wasm: 0, wasm_gzip: 0, upload_gzip: 0 };
    for module in modules {
        let gzip = gzip(&module.bytes)?;
        sizes.upload_gzip += gzip;
        if module.kind == Kind::Wasm {
            sizes.wasm += u64::try_from(module.bytes.len()).unwrap_or(u64::MAX);
            sizes.wasm_gzip += gzip;
        }
    }
    Ok(sizes)
}

fn gzip(bytes: &[u8]) -> io::Result<u64> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes)?;
    Ok(u64::try_from(encoder.finish()?.len()).unwrap_or(u64::MAX))
}
