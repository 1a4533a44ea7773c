//! `settings.otlp`: where traces and metrics go.

use std::fmt;

use serde_json::Value;

use super::{
    Settings, Snapshot,
    host::read_base_url,
    reader::Reader,
    secrets::{OWN_SECRETS, is_secret_name},
};
use crate::{sorted::SortedMap, units::Decimal};

/// A collector that speaks OTLP over HTTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Otlp {
    /// Without a closing slash: `/v1/traces` and `/v1/metrics` follow.
    pub endpoint: String,
    pub headers: Vec<OtlpHeader>,
    pub traces: bool,
    pub metrics: bool,
    /// Of a million traces that nobody has decided on, how many are told.
    pub sample: u64,
    /// Whether errors and failovers are told that the sample would leave out.
    pub keep_errors: bool,
}

/// A header of each call to the collector.
#[derive(Clone, PartialEq, Eq)]
pub struct OtlpHeader {
    /// In small letters.
    pub name: String,
    /// With its secrets.
    pub value: String,
}

impl fmt::Debug for OtlpHeader {
    /// Never the value.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OtlpHeader({})", self.name)
    }
}

/// All traces.
pub const WHOLE_SAMPLE: u64 = 1_000_000;
/// Of a trace's id its last seven bytes are random: <https://www.w3.org/TR/trace-context-2/#random-trace-id-flag>
const RANDOM_DIGITS: usize = 14;
const RANDOM_BITS: u32 = 56;
/// Decimals of a share of that.
const SAMPLE_DECIMALS: i32 = 6;
/// A key, a tenant and a data set are three.
const MAX_HEADERS: usize = 16;
/// Bytes of a value before its secrets are filled in.
const MAX_VALUE: usize = 1_024;
/// Of the call itself: not the operator's to set.
const OURS: [&str; 9] =
    ["connection", "content-encoding", "content-length", "content-type", "host", "te", "trailer", "transfer-encoding", "upgrade"];

pub(super) fn read_otlp(reader: &mut Reader<'_>, allow_private: bool) -> Option<Otlp> {
    let endpoint = read_endpoint(reader, allow_private);
    let headers = read_headers(reader);
    let traces = reader.flag("traces").unwrap_or(true);
    let metrics = reader.flag("metrics").unwrap_or(true);
    let sample = match reader.number("sample") {
        None => WHOLE_SAMPLE,
        Some(share) => {
            let read = Decimal::read(&share.to_string()).and_then(|share| share.whole(SAMPLE_DECIMALS));
            read.filter(|share| *share <= WHOLE_SAMPLE).unwrap_or_else(|| {
                reader.problem("sample", "`otlp.sample` must be a share from 0 to 1 with at most six decimals.");
                0
            })
        }
    };
    let keep_errors = reader.flag("keep_errors").unwrap_or(true);
    Some(Otlp { endpoint: endpoint?, headers, traces, metrics, sample, keep_errors })
}

fn read_endpoint(reader: &mut Reader<'_>, allow_private: bool) -> Option<String> {
    let what = "the collector's base URL, such as https://collector.example:4318";
    if reader.peek("endpoint").is_none() {
        return reader.need("endpoint", what).and(None);
    }
    let url = reader.text("endpoint")?;
    match read_base_url(&url, allow_private) {
        Ok(url) => Some(url),
        Err(wrong) => {
            reader.problem("endpoint", format!("The address {wrong}."));
            None
        }
    }
}

fn read_headers(reader: &mut Reader<'_>) -> Vec<OtlpHeader> {
    let given = reader.map("headers").unwrap_or_default();
    if given.len() > MAX_HEADERS {
        reader.problem("headers", format!("At most {MAX_HEADERS} headers."));
    }
    let mut headers: Vec<OtlpHeader> = vec![];
    for (name, value) in given {
        let name = name.to_ascii_lowercase();
        match checked(&name, &value) {
            _ if headers.iter().any(|header| header.name == name) => {
                reader.problem(&format!("headers.{name}"), "The header is there twice: keep one of them.");
            }
            Ok(value) => headers.push(OtlpHeader { name, value }),
            Err(problem) => reader.problem(&format!("headers.{name}"), problem),
        }
    }
    headers
}

/// The value as it stands in the document, or what is wrong. It is never repeated: it may be a key.
fn checked(name: &str, value: &Value) -> Result<String, String> {
    let is_token = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b));
    if !is_token || OURS.contains(&name) {
        return Err(format!("`{name}` is no name of a header that can be set here."));
    }
    let Some(text) = value.as_str().filter(|text| text.len() <= MAX_VALUE && is_plain(text)) else {
        return Err(format!("The value must be plain ASCII text of at most {MAX_VALUE} bytes; secrets go in as \"${{NAME}}\"."));
    };
    for secret in text.split("${").skip(1) {
        match secret.split_once('}') {
            Some((secret, _)) if OWN_SECRETS.contains(&secret) => {
                return Err(format!("`{secret}` is the gateway's own secret and goes to nobody."));
            }
            Some((secret, _)) if is_secret_name(secret) => {}
            _ => return Err("`${` must be followed by the name of a secret and `}`.".to_owned()),
        }
    }
    Ok(text.to_owned())
}

impl Settings {
    /// Where traces go.
    pub fn traces(&self) -> Option<&Otlp> {
        self.otlp.as_ref().filter(|otlp| otlp.traces)
    }
}

impl Otlp {
    /// Whether a trace is told from its beginning: as the caller decided, and otherwise by its own id, which any other that
    /// samples by the same share decides alike.
    pub fn samples(&self, trace_id: &str, decided: Option<bool>) -> bool {
        let random = || {
            let tail = trace_id.get(trace_id.len().saturating_sub(RANDOM_DIGITS)..).unwrap_or_default();
            u128::from(u64::from_str_radix(tail, 16).unwrap_or_default())
        };
        let left_out = u128::from(WHOLE_SAMPLE.saturating_sub(self.sample));
        decided.unwrap_or_else(|| self.sample > 0 && random() * u128::from(WHOLE_SAMPLE) >= left_out << RANDOM_BITS)
    }
}

fn is_plain(text: &str) -> bool {
    text.bytes().all(|b| (b' '..=b'~').contains(&b))
}

impl Snapshot {
    /// Puts the secrets into the collector's headers. Without them nothing is sent to it.
    pub(super) fn fill_otlp(&mut self, secrets: &SortedMap<String, String>) {
        let Some(otlp) = &mut self.settings.otlp else { return };
        let mut missing = vec![];
        for header in &mut otlp.headers {
            let mut parts = header.value.split("${");
            let mut value = parts.next().unwrap_or_default().to_owned();
            for (name, rest) in parts.filter_map(|part| part.split_once('}')) {
                match secrets.get(name).map(|secret| secret.trim()).filter(|secret| !secret.is_empty() && is_plain(secret)) {
                    Some(secret) => value.push_str(secret),
                    None => missing.push(name.to_owned()),
                }
                value.push_str(rest);
            }
            header.value = value;
        }
        if !missing.is_empty() {
            let names = missing.join("`, `");
            self.warnings.push(format!(
                "Nothing goes to the collector of `otlp`: the secret `{names}` is missing or no plain text; run `wrangler secret put`."
            ));
            self.settings.otlp = None;
        }
    }
}
