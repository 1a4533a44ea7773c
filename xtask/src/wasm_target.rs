//! The standard library for wasm32: there already, or from rustup, or built from Debian's source package.

use std::fs;
use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Result, bail};

use crate::{run, rust_src};

pub const TARGET: &str = "wasm32-unknown-unknown";

pub fn ensure() -> Result<()> {
    if is_installed()? {
        return Ok(());
    }
    run::step(&format!("install the Rust target {TARGET}"), || {
        if add_with_rustup()? {
            return Ok(());
        }
        println!("  rustup cannot add it; trying Debian's rust-src package");
        if let Err(error) = rust_src::install(&run::root()?, &library_folder()?) {
            eprintln!("  {error:#}");
        }
        if is_installed()? {
            return Ok(());
        }
        bail!("no standard library for {TARGET}: run `rustup target add {TARGET}`, then this again")
    })
}

fn is_installed() -> Result<bool> {
    let Ok(entries) = fs::read_dir(library_folder()?) else {
        return Ok(false);
    };
    Ok(entries.flatten().any(|entry| entry.file_name().to_string_lossy().starts_with("libstd-")))
}

fn library_folder() -> Result<PathBuf> {
    let printed = run::output(run::command("rustc")?.args(["--print", "target-libdir", "--target", TARGET]))?;
    Ok(PathBuf::from(printed.trim()))
}

fn add_with_rustup() -> Result<bool> {
    let added = run::command("rustup")?.args(["target", "add", TARGET]).stdout(Stdio::null()).status();
    Ok(added.is_ok_and(|status| status.success()) && is_installed()?)
}
