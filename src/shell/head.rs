//! A request's head.

use worker::web_sys::Request;

use super::{clock, edge};
use crate::{
    exchange::traced::TRACEPARENT,
    plan::{self, Origin},
    units::Millis,
    wire::trace::Trace,
};

/// A request's head, read in one piece.
pub struct Head {
    pub method: String,
    /// Where the request came to: `https://gateway.example`.
    pub site: String,
    pub path: String,
    pub query: String,
    pub region: String,
    country: String,
    pub colo: String,
    pub headers: Vec<(String, String)>,
    pub id: String,
    pub seed: u64,
    pub started: Millis,
}

impl Head {
    pub fn read(request: &Request) -> Self {
        let text = edge::head(request);
        let mut lines = text.split('\n');
        let method = lines.next().unwrap_or_default().to_owned();
        let url = lines.next().unwrap_or_default();
        let after_host = url.splitn(4, '/').nth(3).unwrap_or_default();
        let site = url.split('/').take(3).collect::<Vec<_>>().join("/");
        let (path, query) = after_host.split_once('?').unwrap_or((after_host, ""));
        let (path, query) = (format!("/{path}"), query.to_owned());
        let place = lines.next().unwrap_or_default();
        let region = plan::region::of(place).to_owned();
        let mut place = place.split('\t').skip(1).map(str::to_owned);
        let (country, colo) = (place.next().unwrap_or_default(), place.next().unwrap_or_default());
        let (id, seed) = clock::identify();
        Self { method, site, path, query, region, country, colo, headers: edge::pairs(lines), id, seed, started: clock::now() }
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// Its place in the caller's trace, or in one of its own.
    pub fn trace(&self) -> Trace {
        Trace::of(&self.id, self.header(TRACEPARENT))
    }

    /// Whose address the request came from, as the platform saw it.
    pub fn address(&self) -> &str {
        self.header("cf-connecting-ip").unwrap_or_default()
    }

    pub fn origin(&self) -> Origin<'_> {
        Origin { region: &self.region, country: &self.country, colo: &self.colo }
    }
}
