//! A server process with all it starts: one process group, so nothing outlives it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

/// After this a group that was asked to end is killed.
const GRACE: Duration = Duration::from_secs(5);
const POLL: Duration = Duration::from_millis(50);

/// What the server has said; `None` once its lines go to the terminal.
type Said = Arc<Mutex<Option<Vec<String>>>>;

pub struct Server {
    child: Child,
    group: Pid,
    said: Said,
}

impl Server {
    /// Starts a command whose output is piped; its lines are kept until `let_it_speak`.
    pub fn start(command: &mut Command) -> Result<Self> {
        let mut child = command.process_group(0).spawn().context("cannot start the server")?;
        let group = Pid::from_raw(i32::try_from(child.id())?);
        let said = Said::new(Mutex::new(Some(Vec::new())));
        if let Some(output) = child.stdout.take() {
            follow(output, &said);
        }
        if let Some(errors) = child.stderr.take() {
            follow(errors, &said);
        }
        Ok(Self { child, group, said })
    }

    pub fn is_running(&mut self) -> Result<bool> {
        Ok(self.child.try_wait()?.is_none())
    }

    /// From here on its lines go to the terminal.
    pub fn let_it_speak(&self) {
        *self.said.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    pub fn show_what_it_said(&self) {
        let said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        for line in said.iter().flatten() {
            eprintln!("{line}");
        }
    }

    /// Ends the whole group.
    pub fn stop(&mut self) -> Result<()> {
        self.signal(Signal::SIGTERM);
        let start = Instant::now();
        while self.is_running()? && start.elapsed() < GRACE {
            thread::sleep(POLL);
        }
        self.signal(Signal::SIGKILL);
        self.child.wait()?;
        Ok(())
    }

    fn signal(&self, signal: Signal) {
        // A group that has ended already is what this is for.
        let _ = killpg(self.group, signal);
    }
}

fn follow(source: impl Read + Send + 'static, said: &Said) {
    let said = Arc::clone(said);
    thread::spawn(move || {
        for line in BufReader::new(source).lines().map_while(Result::ok) {
            match said.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
                Some(kept) => kept.push(line),
                None if is_worth_showing(&line) => println!("{line}"),
                None => {}
            }
        }
    });
}

/// wrangler's own line for each request says less than the gateway's record of it.
fn is_worth_showing(line: &str) -> bool {
    !["[wrangler:info]", "Logs were written to"].iter().any(|noise| line.contains(noise))
}

/// Whether an HTTP server answers on loopback, whatever it says.
pub fn answers(port: u16, path: &str) -> bool {
    let ask = || -> std::io::Result<bool> {
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(1))?;
        stream.set_read_timeout(Some(Duration::from_secs(2)))?;
        write!(stream, "GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n")?;
        let mut start = [0; 5];
        stream.read_exact(&mut start)?;
        Ok(&start == b"HTTP/")
    };
    ask().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::is_worth_showing;

    #[test]
    fn the_workers_lines_are_shown_and_wranglers_request_lines_are_not() {
        for (line, expected) in [("[wrangler:info] GET /livez 200 OK (5ms)", false), (r#"{"level":"info"}"#, true)] {
            assert_eq!(is_worth_showing(line), expected, "{line}");
        }
    }
}
