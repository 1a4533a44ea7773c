//! The scripted upstream: a provider that costs next to nothing, on loopback, one thread a connection.

use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::thread;

use crate::clock::now;
use crate::script::{self, Script};
use crate::seeing::{self, RECEIVED};
use crate::wire::{Wire, framing};

/// Threads that only read and write small buffers need little stack, and there may be hundreds.
const STACK: usize = 256 * 1024;

/// Starts an upstream that lives as long as the program.
pub fn start() -> io::Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    thread::Builder::new().name("upstream".to_owned()).spawn(move || {
        for stream in listener.incoming().flatten() {
            // A connection that breaks is the other side's to report.
            let spawned = thread::Builder::new().stack_size(STACK).spawn(move || drop(serve(stream)));
            if let Err(error) = spawned {
                eprintln!("upstream: {error}");
            }
        }
    })?;
    Ok(address)
}

fn serve(stream: TcpStream) -> io::Result<()> {
    let mut wire = Wire::new(stream, None)?;
    let mut scripts: HashMap<String, Script> = HashMap::new();
    while let Some(head) = wire.head()? {
        let path = head.split(' ').nth(1).unwrap_or_default();
        let receiver = RECEIVED.iter().position(|receiver| receiver.path == path);
        let (mut first, mut last, mut told) = (None, None, Vec::new());
        wire.body(&framing(&head), &mut |bytes| {
            first = first.or(bytes.first().copied());
            last = bytes.last().copied();
            if receiver.is_some() {
                told.extend_from_slice(bytes);
            }
        })?;
        if let Some(index) = receiver {
            seeing::count(index, &told);
            wire.send(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}")?;
            continue;
        }
        // A gateway that loses a body, or a part of it, must not look fast.
        if (first, last) != (Some(b'{'), Some(b'}')) {
            wire.send(&refusal("400 Bad Request", "the body is not a whole JSON object"))?;
            continue;
        }
        if !scripts.contains_key(path)
            && let Some(ask) = script::read_path(path)
        {
            scripts.insert(path.to_owned(), script::render(ask));
        }
        match scripts.get(path) {
            Some(script) => play(&mut wire, script)?,
            None => wire.send(&refusal("404 Not Found", path))?,
        }
    }
    Ok(())
}

/// Pieces leave at fixed times after the request, so that a late one does not delay the next.
fn play(wire: &mut Wire, script: &Script) -> io::Result<()> {
    let start = now();
    let mut due = script.pause;
    thread::sleep(due);
    for bytes in &script.opening {
        wire.send(bytes)?;
    }
    for _ in 0..script.pieces {
        due += script.pause;
        if !script.pause.is_zero() {
            thread::sleep(due.saturating_sub(start.elapsed()));
        }
        wire.send(&script.piece)?;
    }
    for bytes in &script.closing {
        wire.send(bytes)?;
    }
    Ok(())
}

fn refusal(status: &str, message: &str) -> Vec<u8> {
    let body = serde_json::json!({"error": {"message": message}}).to_string();
    format!("HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}", body.len()).into_bytes()
}
