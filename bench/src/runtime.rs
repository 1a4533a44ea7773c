//! Bare workerd: its configuration, written out, and its process.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::clock::now;
use crate::manifest::Manifest;
use crate::modules::{Kind, Module};
use crate::scenario::GATEWAY_KEY;
use crate::seeing::{GATEWAYS, settings};

const FLOOR: &str = include_str!("../workers/floor.js");
const KV: &str = include_str!("../workers/kv.js");
/// Nobody's: the receiver does not check.
const WEBHOOK_SECRET: &str = "whsec_cG9ydG9sYW4tYmVuY2gtd2ViaG9vay1zZWNyZXQ=";
/// The longest that a cold workerd may take to listen, on a busy machine.
const START: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(2);

/// Everything a process of workerd is made from.
pub struct Recipe {
    pub binary: PathBuf,
    pub folder: PathBuf,
    /// The prefix of a command that pins it to the first core; empty where that is not possible.
    pub pin: Vec<String>,
    pub manifest: Manifest,
    pub modules: Vec<Module>,
    pub documents: Value,
    pub upstream: SocketAddr,
}

/// Which Workers a process serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Serving {
    Both,
    Floor,
    Gateway,
    /// Gateways that differ in what they tell.
    Seeing,
}

/// A running workerd; it ends with this value.
pub struct Runtime {
    child: Child,
    pub floor: SocketAddr,
    pub gateway: SocketAddr,
    /// One for each of `GATEWAYS`.
    pub seeing: Vec<SocketAddr>,
}

impl Runtime {
    pub fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        // Nothing is left to do when it has ended by itself.
        let _ended = self.child.kill().and_then(|()| self.child.wait());
    }
}

impl Recipe {
    /// Writes what the configuration embeds.
    pub fn lay_out(&self) -> io::Result<()> {
        write(&self.folder.join("floor.js"), FLOOR.as_bytes())?;
        write(&self.folder.join("kv.js"), KV.as_bytes())?;
        self.modules.iter().try_for_each(|module| write(&self.folder.join("gateway").join(&module.name), &module.bytes))
    }

    /// Starts a process with empty storage and waits until it listens.
    pub fn start(&self, serving: Serving) -> io::Result<Runtime> {
        let (floor, gateway) = (free_address()?, free_address()?);
        let seeing = match serving {
            Serving::Seeing => GATEWAYS.iter().map(|_| free_address()).collect::<io::Result<Vec<_>>>()?,
            Serving::Both | Serving::Floor | Serving::Gateway => Vec::new(),
        };
        let storage = self.storage();
        if storage.exists() {
            fs::remove_dir_all(&storage)?;
        }
        fs::create_dir_all(&storage)?;
        let config = self.folder.join("config.capnp");
        fs::write(&config, self.config(serving, floor, gateway, &seeing))?;
        let log = self.folder.join("workerd.log");
        let mut command = self.pin.iter().map(String::as_str).chain([self.binary.to_str().unwrap_or_default(), "serve"]);
        let child = Command::new(command.next().unwrap_or_default())
            .args(command)
            .arg(&config)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(&log)?)
            .spawn()?;
        let awaited = match (serving, seeing.last()) {
            (Serving::Floor, _) => floor,
            (Serving::Seeing, Some(last)) => *last,
            (Serving::Both | Serving::Gateway | Serving::Seeing, _) => gateway,
        };
        let mut runtime = Runtime { child, floor, gateway, seeing };
        wait(&mut runtime.child, awaited, &log)?;
        Ok(runtime)
    }

    fn storage(&self) -> PathBuf {
        self.folder.join("objects")
    }

    fn config(&self, serving: Serving, floor: SocketAddr, gateway: SocketAddr, seeing: &[SocketAddr]) -> String {
        let mut sockets = String::new();
        // The stand-in for KV is ours and not the gateway's: a cold start has it on both sides.
        let mut services = String::from("    (name = \"kv\", worker = .kv),\n");
        let mut workers = self.kv("kv", &self.documents);
        if matches!(serving, Serving::Both | Serving::Floor) {
            services += "    (name = \"floor\", worker = .floor),\n";
            workers += &self.floor();
            sockets += &socket("floor", floor);
        }
        if serving != Serving::Floor {
            let storage = quote(&self.storage().to_string_lossy());
            services += &format!("    (name = \"objects\", disk = (path = {storage}, writable = true)),\n");
        }
        if matches!(serving, Serving::Both | Serving::Gateway) {
            services += "    (name = \"gateway\", worker = .gateway),\n";
            workers += &self.gateway("gateway", "kv");
            sockets += &socket("gateway", gateway);
        }
        for (name, address) in GATEWAYS.iter().zip(seeing) {
            let (kv, mut documents) = (format!("{name}Kv"), self.documents.clone());
            if let Some(documents) = documents.as_object_mut() {
                documents.insert("settings".to_owned(), settings(name, self.upstream));
            }
            services += &format!("    (name = \"{kv}\", worker = .{kv}),\n    (name = \"{name}\", worker = .{name}),\n");
            workers += &self.kv(&kv, &documents);
            workers += &self.gateway(name, &kv);
            sockets += &socket(name, *address);
        }
        format!(
            "using Workerd = import \"/workerd/workerd.capnp\";\n\nconst config :Workerd.Config = (\n  services = [\n\
            {services}    (name = \"internet\", network = (allow = [\"public\", \"private\", \"local\"])),\n  ],\n  \
            sockets = [\n{sockets}  ],\n);\n{workers}"
        )
    }

    fn floor(&self) -> String {
        let upstream = quote(&format!("http://{}", self.upstream));
        self.worker(
            "floor",
            "(name = \"floor.js\", esModule = embed \"floor.js\")",
            &format!("(name = \"UPSTREAM\", text = {upstream})"),
            "",
        )
    }

    fn kv(&self, name: &str, documents: &Value) -> String {
        let documents = quote(&documents.to_string());
        self.worker(
            name,
            "(name = \"kv.js\", esModule = embed \"kv.js\")",
            &format!("(name = \"DOCUMENTS\", json = {documents})"),
            "",
        )
    }

    fn gateway(&self, worker: &str, kv: &str) -> String {
        let modules = self.modules.iter().map(|module| {
            let kind = match module.kind {
                Kind::Script => "esModule",
                Kind::Wasm => "wasm",
            };
            format!("(name = {}, {kind} = embed {})", quote(&module.name), quote(&format!("gateway/{}", module.name)))
        });
        let mut bindings: Vec<String> =
            self.manifest.kv.iter().map(|name| format!("(name = {}, kvNamespace = {})", quote(name), quote(kv))).collect();
        let secrets = [("GATEWAY_KEY", GATEWAY_KEY), ("BENCH_KEY", "sk-bench"), ("WEBHOOK_SECRET", WEBHOOK_SECRET)];
        let vars = self.manifest.vars.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        bindings.extend(vars.chain(secrets).map(|(name, value)| format!("(name = {}, text = {})", quote(name), quote(value))));
        let mut namespaces = Vec::new();
        for (name, class) in &self.manifest.objects {
            bindings.push(format!("(name = {}, durableObjectNamespace = {})", quote(name), quote(class)));
            namespaces.push(format!(
                "(className = {}, uniqueKey = {}, enableSql = true)",
                quote(class),
                quote(&format!("{worker}{class}"))
            ));
        }
        let objects = format!(
            "  durableObjectNamespaces = [{}],\n  durableObjectStorage = (localDisk = \"objects\"),\n",
            namespaces.join(", ")
        );
        self.worker(worker, &modules.collect::<Vec<_>>().join(", "), &bindings.join(", "), &objects)
    }

    fn worker(&self, name: &str, modules: &str, bindings: &str, rest: &str) -> String {
        let flags: Vec<String> = self.manifest.compatibility_flags.iter().map(|flag| quote(flag)).collect();
        format!(
            "\nconst {name} :Workerd.Worker = (\n  modules = [{modules}],\n  bindings = [{bindings}],\n{rest}  \
            compatibilityDate = {},\n  compatibilityFlags = [{}],\n);\n",
            quote(&self.manifest.compatibility_date),
            flags.join(", ")
        )
    }
}

fn socket(name: &str, address: SocketAddr) -> String {
    format!("    (name = \"{name}\", address = \"{address}\", http = (), service = \"{name}\"),\n")
}

/// A string literal of Cap'n Proto.
fn quote(text: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' | '\\' => quoted.extend(['\\', letter]),
            control if control.is_ascii_control() => {
                // Writing to a string cannot fail.
                let _written = write!(quoted, "\\x{:02x}", u32::from(control));
            }
            plain => quoted.push(plain),
        }
    }
    quoted + "\""
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    path.parent().map_or(Ok(()), fs::create_dir_all)?;
    fs::write(path, bytes)
}

/// A port that was free a moment ago: workerd cannot say which one it took.
fn free_address() -> io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}

fn wait(child: &mut Child, address: SocketAddr, log: &Path) -> io::Result<()> {
    let start = now();
    while TcpStream::connect(address).is_err() {
        let ended = child.try_wait()?;
        if ended.is_some() || start.elapsed() > START {
            let text = fs::read_to_string(log).unwrap_or_default();
            let tail = text.lines().rev().take(20).collect::<Vec<_>>().into_iter().rev().collect::<Vec<_>>().join("\n");
            return Err(io::Error::other(format!("workerd does not listen; it said:\n{tail}")));
        }
        thread::sleep(POLL);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_text_keeps_quotes_and_newlines() {
        assert_eq!(quote("{\"a\":\"b\\n\"}\n"), r#""{\"a\":\"b\\n\"}\x0a""#);
    }
}
