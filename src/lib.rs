//! Portolan: an AI gateway that is one Cloudflare Worker. This page is its map.
//!
//! # The one path
//!
//! ```text
//!  client ─▶ shell ─▶ guard ─▶ dialect ─▶ plan ─▶ exchange ─▶ ledger ─▶ shell ─▶ client, journal, health
//!            bytes    who?     facts of   ordered  send, read,  usage →
//!            in       may      the body   attempts relay bytes  cost → record
//!                     they?
//! ```
//!
//! Each room takes values and returns values: what a step needs is in its signature, and nothing later is known earlier.
//! `shell::serve` walks this path, and is the place to start reading. Its heart is a loop: ask the [`exchange`] for the
//! next [`exchange::Step`], do it, and tell it what came of it.
//!
//! A request of the provider's own dialect travels verbatim: its body is edited as text ([`wire::json`]), and what is not
//! edited keeps its bytes. Any other is read into the canonical form ([`chat`]) and written again; what could not be carried
//! along is named in `x-portolan-dropped` and in the record.
//!
//! Until the first content of an answer nothing has reached the client, and a failure moves on to the next try, unseen.
//! After it, a failure becomes an error in the client's dialect, or another target goes on where it broke: a stream never
//! ends cleanly unless the answer was whole. [`exchange::relay`] holds that line.
//!
//! # The rooms
//!
//! ```text
//!  wire      bytes only: JSON text and its edits, events of streams, URLs, signatures; knows no AI
//!  chat      the canonical form between two dialects; no wire names
//!  dialect   wire ↔ chat, one folder a dialect; also which path asks for what (`surface`); knows no providers
//!  catalog   data: rows of providers, models and prices, and of what providers offer besides chat
//!  operation embeddings, rerank, moderation, counting tokens: their bodies between callers and providers; estimates
//!  features  what routing may ask of a request: sizes, kinds, language, complexity
//!  config    the operator's documents, read and cross-checked into one snapshot
//!  guard     who calls, and may they? keys and what each may name
//!  plan      which targets, in which order, and why; health and breakers; what a failure means, and whose fault it is
//!  cache     answers that are kept where the operator asks for it: which, under which name, in which form
//!  mock      the built-in provider: deterministic answers, and faults on demand
//!  exchange  the life of one request: tries, hedging, failover, the way back of a stream and its going on elsewhere
//!  ledger    usage × price, and the one line a request is remembered by
//!  journal   which records are asked for, what each object selects, how long they stay
//!  metrics   what all requests come to: counters and spreads of times, for the dashboard, Prometheus and OTLP
//!  account   limits and budgets: leases in the isolate, the exact count in the tenant's object
//!  audit     a chain of hashes over what operators changed and requests cost, and its verifier
//!  telemetry what is told outside as it comes to be: spans for a collector, records for a webhook, and their queues
//!  admin     the operator's calls: what is said of configuration and health, plans explained, simulated, made again
//!  shell     wasm only: awaits, converts, stores; performs what the others decide
//!  error     one error for the whole house: what the caller is told, and whose fault it is
//!  sorted    a map in order, of little code
//!  units     numbers that cannot be mixed up: milliseconds, money
//! ```
//!
//! Who may use whom is a table in `tests/architecture.rs`, which fails when a room reaches further. `error`,
//! `sorted` and `units` are free to all; `wire` and `chat` use no other room, and nobody uses `shell`.
//!
//! In the shell a file that ends in `_object` is a Durable Object: `health_object` is the truth about health in one region,
//! `journal_object` keeps a tenant's records, `metrics_object` adds up what isolates counted, `tenant_object` has one
//! tenant's ledger, limits and audit chain, which `till` tells of requests. `store` reads configuration and keys from KV,
//! `news` brings what was written of late and KV may not show yet; `settle` ends each request exactly once, also when its
//! client leaves, and hands its record to `sinks`. Its JavaScript only moves bytes, where a crossing a chunk would cost more
//! than the work.
//!
//! # Absent on purpose
//!
//! - In the core, which is everything but the shell: no `async`, no clock and no dice. `now` and `seed` are arguments, so
//!   the same inputs give the same plan on any machine, for ever.
//! - No storage trait, and hence nothing to stub: state goes in as a value and comes out as a value.
//! - No `unsafe`, no `unwrap`, no `panic!`: outside bytes end in an [`error::Error`], or in an
//!   [`plan::outcome::Outcome`] with somebody to blame.
//! - In the dialects no knowledge of providers, in the rows of the catalog no code, in the shell no choice of target.
//! - In the whole no middleware, no plug-in registry and no macro of our own.
//! - In records, headers that are ours, and health: no prompt, no answer, no secret.
//!
//! # How to add …
//!
//! - **a provider**: a row in `catalog/providers.rs`, rows for its models in `catalog/models.rs`, what they take in
//!   `catalog/profiles.rs`, what it offers besides chat in `catalog/operations.rs`, its row in `docs/dialects.md`, and a
//!   transcript under `tests/fixtures/providers`; an oddity of its bodies is a
//!   [`catalog::Quirk`], one of its paths a [`catalog::Hosting`]. An operator needs no row: a name, a kind and a URL in `providers` will do.
//! - **a model or a price**: a row in `catalog/models.rs`, and what it asks by tier or length in `catalog/rates.rs`; or, without a new build, an entry in `providers` or `prices`.
//! - **a dialect**: a variant of [`dialect::Dialect`], whereupon the compiler names each match that lacks it; an entry in
//!   `Dialect::ALL`; a folder that implements [`dialect::Upstream`], and [`dialect::Caller`] if clients speak it too; rows in
//!   `tests/switching.rs`, and a column in `docs/dialects.md`, whose tables are checked against the code.
//! - **an operation at a provider**: a row in `catalog/operations.rs`; a shape of its own is a [`catalog::Style`], whereupon
//!   the compiler names each match that lacks it.
//! - **a strategy**: a variant of [`config::Strategy`] with its name, an entry in `Strategy::ALL`, an arm in
//!   [`plan::strategy::order`], a word in `schema/routes.json`, rows in `tests/plan` and `docs/configuration.md`.
//! - **a subject of conditions**: a variant of [`config::Subject`], whereupon the compiler names each match that lacks it; a
//!   row in `config/read_condition.rs`, a property in `schema/routes.json`, a row in `docs/configuration.md`.
//! - **a provider's way to refuse**: a row in `plan/rules.rs`, and the words it was seen in as a row in `tests/plan`.
//! - **a path**: an arm in [`dialect::surface::read`] with a row in `tests/surface.rs`; `shell::serve` must then answer it.
//! - **a binding**: a file in `shell/`, and its lines in `wrangler.toml`. Nothing else.

pub mod account;
pub mod admin;
pub mod audit;
pub mod cache;
pub mod catalog;
pub mod chat;
pub mod config;
pub mod dialect;
pub mod error;
pub mod exchange;
pub mod features;
pub mod guard;
pub mod journal;
pub mod ledger;
pub mod metrics;
pub mod mock;
pub mod operation;
pub mod plan;
#[cfg(target_arch = "wasm32")]
mod shell;
pub mod sorted;
pub mod telemetry;
pub mod units;
pub mod wire;
