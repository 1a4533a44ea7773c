//! The development server: `wrangler dev` with keys, documents and secrets that work at once.

use std::env;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};

use crate::secrets::Secrets;
use crate::server::{self, Server};
use crate::tools::Tools;
use crate::{build, documents, run, secrets, tools};

const DEFAULT_PORT: u16 = 8787;
/// workerd starts in about two seconds; a loaded machine may take ten times that.
const START_LIMIT: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(100);

/// Runs the server until it is told to stop.
pub fn dev(arguments: &[String]) -> Result<()> {
    let config = config_folder(arguments)?;
    let port = port()?;
    check_free(port)?;
    let tools = tools::ensure()?;
    build::with_tools(&tools)?;
    match &config {
        Some(folder) => documents::load(folder)?,
        None => documents::allow_in_place()?,
    }
    let secrets = secrets::gather(config.as_deref())?;
    let stop = stop_signals()?;
    let mut server = Server::start(&mut wrangler(&tools, port, &secrets.file)?)?;
    let ended = serve(&mut server, port, &secrets, &stop);
    server.stop()?;
    std::fs::remove_file(&secrets.file).context("remove the secrets file")?;
    ended
}

/// The folder of `--config DIR`.
fn config_folder(arguments: &[String]) -> Result<Option<PathBuf>> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        [] => Ok(None),
        ["--config", folder] => {
            let folder = env::current_dir()?.join(folder);
            if !folder.is_dir() {
                bail!("--config {}: no such folder", folder.display());
            }
            Ok(Some(folder))
        }
        _ => bail!("usage: cargo xtask dev [--config DIR]"),
    }
}

fn port() -> Result<u16> {
    match env::var("PORT") {
        Ok(port) => port.parse().with_context(|| format!("PORT={port} is no port number")),
        Err(_) => Ok(DEFAULT_PORT),
    }
}

fn check_free(port: u16) -> Result<()> {
    let free = TcpListener::bind(("127.0.0.1", port));
    free.map(drop).map_err(|error| anyhow!("port {port} cannot be used ({error}): stop what has it, or choose another with PORT"))
}

/// Ctrl-C and the signals that end a process become messages.
fn stop_signals() -> Result<mpsc::Receiver<()>> {
    let (sender, receiver) = mpsc::channel();
    ctrlc::set_handler(move || {
        // Nobody listens any more when the command is ending anyway.
        let _ = sender.send(());
    })?;
    Ok(receiver)
}

fn wrangler(tools: &Tools, port: u16, secrets: &Path) -> Result<Command> {
    let mut command = run::command(tools.node_bin("wrangler"))?;
    command
        .args(["dev", "--local", "--ip", "127.0.0.1", "--port", &port.to_string()])
        .args(["--persist-to", ".wrangler/state", "--show-interactive-dev-session=false"])
        .arg("--env-file")
        .arg(secrets)
        .envs(tools::QUIET_WRANGLER)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    Ok(command)
}

fn serve(server: &mut Server, port: u16, secrets: &Secrets, stop: &mpsc::Receiver<()>) -> Result<()> {
    let start = Instant::now();
    while !server::answers(port, "/livez") {
        if stop.recv_timeout(POLL).is_ok() {
            return Ok(());
        }
        if !server.is_running()? || start.elapsed() > START_LIMIT {
            server.show_what_it_said();
            bail!("the server did not start");
        }
    }
    server.let_it_speak();
    greet(port, secrets);
    while stop.recv_timeout(POLL).is_err() {
        if !server.is_running()? {
            bail!("the server ended by itself");
        }
    }
    Ok(())
}

fn greet(port: u16, secrets: &Secrets) {
    let Secrets { gateway_key, admin_token, .. } = secrets;
    println!(
        r#"
Portolan listens on http://127.0.0.1:{port} (Ctrl-C ends it)

gateway key: {gateway_key}
admin token: {admin_token}

curl http://127.0.0.1:{port}/v1/chat/completions -H "Authorization: Bearer {gateway_key}" -H "Content-Type: application/json" -d '{{"model":"mock/echo","messages":[{{"role":"user","content":"Hello"}}]}}'
"#
    );
}

#[cfg(test)]
mod tests {
    use super::config_folder;

    #[test]
    fn dev_takes_one_folder_or_nothing() {
        for (arguments, expected) in [
            (vec![], Some(false)),
            (vec!["--config", "/"], Some(true)),
            (vec!["--config", "/no/such/folder"], None),
            (vec!["--config"], None),
            (vec!["--port", "1"], None),
        ] {
            let arguments: Vec<String> = arguments.into_iter().map(str::to_owned).collect();
            let found = config_folder(&arguments).ok().map(|folder| folder.is_some());
            assert_eq!(found, expected, "{arguments:?}");
        }
    }
}
