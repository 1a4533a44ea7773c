//! An exported audit chain, verified without the gateway: `audit verify FILE [--head NUMBER-HASH] [--heads FILE]`.

use std::{env, fs, process::ExitCode};

use anyhow::{Context, Result, bail};
use portolan::audit::{Head, State, Verdict, Verifier, read_head, read_line, write_head};

const USAGE: &str = "\
usage: cargo xtask audit verify FILE [--head NUMBER-HASH]... [--heads FILE]

  FILE     an export: one entry a line, from /admin/v1/audit?format=jsonl
  --head   a published head that the chain must contain
  --heads  a file of them, one a line: NUMBER-HASH, or the JSON in which it was published";

fn main() -> ExitCode {
    match verified(env::args().skip(1)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn verified(mut arguments: impl Iterator<Item = String>) -> Result<bool> {
    let (mut file, mut heads) = (None, vec![]);
    if arguments.next().as_deref() != Some("verify") {
        bail!("{USAGE}");
    }
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().context(USAGE);
        match argument.as_str() {
            "--head" => heads.push(head(&value()?)?),
            "--heads" => {
                let path = value()?;
                let text = fs::read_to_string(&path).with_context(|| path.clone())?;
                for line in text.lines().filter(|line| !line.trim().is_empty()) {
                    heads.push(head(line)?);
                }
            }
            _ if file.is_none() && !argument.starts_with('-') => file = Some(argument),
            _ => bail!("{USAGE}"),
        }
    }
    let file = file.context(USAGE)?;
    let text = fs::read_to_string(&file).with_context(|| file.clone())?;
    Ok(told(&text, &heads))
}

fn head(text: &str) -> Result<Head> {
    read_head(text).with_context(|| format!("`{text}` is no head: NUMBER-HASH, or the JSON in which it was published"))
}

/// Says what the chain is like; whether it holds.
fn told(text: &str, heads: &[Head]) -> bool {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let mut entries = vec![];
    for (number, line) in lines {
        let Some(entry) = read_line(line) else {
            println!("broken: line {} is no entry of an audit chain", number + 1);
            return false;
        };
        entries.push(entry);
    }
    let Some(tenant) = entries.first().map(|entry| entry.tenant.clone()) else {
        println!("broken: there is no entry");
        return false;
    };
    let mut verifier = Verifier::new(&tenant, heads, State::default());
    let stopped = entries.iter().position(|entry| !verifier.take(entry));
    let Verdict { checked, first, head, heads, heads_before, broken } = verifier.finish();
    if let Some((seq, broken)) = broken {
        let line = stopped.map_or_else(String::new, |at| format!(" (entry {} of the file)", at + 1));
        println!("broken: {}{line}", broken.words(seq));
        return false;
    }
    println!("ok: {checked} entries of `{tenant}`, {first} to {}; head {}", head.seq, write_head(head));
    println!("    {heads} published heads are as they were published; {heads_before} are of entries dropped since");
    true
}
