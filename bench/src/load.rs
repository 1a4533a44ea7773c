//! The load generator: a closed loop of connections whose every answer is checked.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use memchr::memmem;

use crate::clock::now;
use crate::cpu;
use crate::script::{Dialect, MARKER};
use crate::sse::{Counter, Expected};
use crate::wire::{Framing, Wire, framing};

/// Longer than any answer takes: a hanging gateway fails the run instead of stopping it.
const PATIENCE: Duration = Duration::from_secs(30);
/// The time a server gets to accept the connections, outside the measured window.
const ACCEPT: Duration = Duration::from_millis(30);
const STACK: usize = 256 * 1024;
/// As much of an unexpected answer as a message repeats.
const EXCERPT: usize = 300;

/// What must come back.
#[derive(Clone, Debug)]
pub enum Answer {
    Whole,
    Stream { dialect: Dialect, expected: Expected },
}

/// One request, ready to send, and where it goes.
#[derive(Clone)]
pub struct Target {
    pub address: SocketAddr,
    pub request: Vec<u8>,
    pub answer: Answer,
}

#[derive(Clone, Copy, Debug)]
pub enum Length {
    /// Requests begin until the time is up, and all that began are finished and counted.
    For(Duration),
    /// So many requests on each connection.
    Times(usize),
}

#[derive(Clone, Copy, Debug)]
pub struct Shape {
    pub connections: u32,
    pub length: Length,
    /// Connections begin spread over this time; in step, their events would share wakes.
    pub spread: Duration,
}

/// What one window measured. Times are in nanoseconds.
#[derive(Default)]
pub struct Window {
    pub requests: u64,
    pub elapsed: Duration,
    pub cpu: Duration,
    pub totals: Vec<u64>,
    /// Until the first piece of text of each stream.
    pub firsts: Vec<u64>,
}

/// Runs one window and takes the CPU time that a process spent on it.
pub fn run(target: &Target, shape: Shape, pid: Option<u32>) -> io::Result<Window> {
    let wires = (0..shape.connections).map(|_| connect(target.address)).collect::<io::Result<Vec<Wire>>>()?;
    thread::sleep(ACCEPT);
    let gate = Barrier::new(wires.len() + 1);
    thread::scope(|scope| {
        let gate = &gate;
        let workers = (0..).zip(wires).map(|(index, wire)| {
            let delay = shape.spread * index / shape.connections.max(1);
            thread::Builder::new().stack_size(STACK).spawn_scoped(scope, move || {
                gate.wait();
                thread::sleep(delay);
                work(wire, target, shape.length)
            })
        });
        // A thread missing here would leave the others at the gate for ever.
        let workers: Vec<_> = workers.filter_map(Result::ok).collect();
        if workers.len() < gate_size(shape) {
            eprintln!("bench: the system gives no more threads");
            std::process::exit(1);
        }
        let before = spent(pid, cpu::spent)?;
        let start = now();
        gate.wait();
        let mut window = Window::default();
        let mut failure = None;
        for worker in workers {
            match worker.join() {
                Ok(Ok(tally)) => window.add(tally),
                Ok(Err(error)) => failure = Some(error),
                Err(_) => failure = Some(io::Error::other("a connection's thread died")),
            }
        }
        window.elapsed = start.elapsed();
        window.cpu = spent(pid, cpu::spent_at_rest)?.saturating_sub(before);
        failure.map_or(Ok(window), Err)
    })
}

/// One request on a connection of its own.
pub fn probe(target: &Target) -> io::Result<()> {
    exchange(&mut connect(target.address)?, target).map(drop)
}

pub fn connect(address: SocketAddr) -> io::Result<Wire> {
    Wire::new(TcpStream::connect(address)?, Some(PATIENCE))
}

fn gate_size(shape: Shape) -> usize {
    usize::try_from(shape.connections).unwrap_or(usize::MAX)
}

fn spent(pid: Option<u32>, read: fn(u32) -> io::Result<Duration>) -> io::Result<Duration> {
    pid.map_or(Ok(Duration::ZERO), read)
}

impl Window {
    fn add(&mut self, tally: Window) {
        self.requests += tally.requests;
        self.totals.extend(tally.totals);
        self.firsts.extend(tally.firsts);
    }
}

fn work(mut wire: Wire, target: &Target, length: Length) -> io::Result<Window> {
    let start = now();
    let mut tally = Window::default();
    loop {
        let over = match length {
            Length::For(time) => start.elapsed() >= time,
            Length::Times(count) => tally.totals.len() >= count,
        };
        if over {
            return Ok(tally);
        }
        let (total, first) = exchange(&mut wire, target)?;
        tally.requests += 1;
        tally.totals.push(nanoseconds(total));
        tally.firsts.extend(first.map(nanoseconds));
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// Sends the request, reads the answer, and checks it. Returns the time it took, and the time to the first piece of text.
pub fn exchange(wire: &mut Wire, target: &Target) -> io::Result<(Duration, Option<Duration>)> {
    let start = now();
    wire.send(&target.request)?;
    let head = wire.head()?.ok_or_else(|| io::Error::other("connection closed instead of an answer"))?;
    let framing = framing(&head);
    if head.split(' ').nth(1) != Some("200") {
        return Err(refused(wire, &head, &framing));
    }
    match &target.answer {
        Answer::Whole => read_whole(wire, &framing).map(|()| (start.elapsed(), None)),
        Answer::Stream { dialect, expected } => {
            let mut counter = Counter::new(*dialect);
            let first = read_stream(wire, &framing, &mut counter, start)?;
            let total = start.elapsed();
            match expected.objection(&counter.finish()) {
                Some(objection) => Err(io::Error::other(objection)),
                None => Ok((total, first)),
            }
        }
    }
}

fn read_stream(wire: &mut Wire, framing: &Framing, counter: &mut Counter, start: Instant) -> io::Result<Option<Duration>> {
    let mut first = None;
    wire.body(framing, &mut |bytes| {
        counter.feed(bytes);
        if first.is_none() && counter.has_piece() {
            first = Some(start.elapsed());
        }
    })?;
    Ok(first)
}

fn read_whole(wire: &mut Wire, framing: &Framing) -> io::Result<()> {
    let mut body = Vec::new();
    wire.body(framing, &mut |bytes| body.extend_from_slice(bytes))?;
    if memmem::find_iter(&body, MARKER).count() == 1 && body.ends_with(b"}") {
        return Ok(());
    }
    Err(io::Error::other(format!("not the upstream's answer: {}", excerpt(&body))))
}

fn refused(wire: &mut Wire, head: &str, framing: &Framing) -> io::Error {
    let mut body = Vec::new();
    let read = wire.body(framing, &mut |bytes| body.extend_from_slice(bytes));
    let broken = read.err().map(|error| format!(" ({error})")).unwrap_or_default();
    io::Error::other(format!("{}{broken}: {}", head.lines().next().unwrap_or_default(), excerpt(&body)))
}

fn excerpt(body: &[u8]) -> String {
    String::from_utf8_lossy(body.get(..EXCERPT).unwrap_or(body)).into_owned()
}
