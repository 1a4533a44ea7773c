//! Where the gateway may send: public hosts over https, unless the operator says otherwise.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::wire::percent;

/// Names that are somebody's own network: RFC 6761, 6762, 7686, 8375 and 9476, ICANN's `internal` and what it never
/// delegates for it is used inside, Kubernetes' and Consul's.
const PRIVATE_SUFFIXES: [&str; 16] = [
    "localhost",
    "local",
    "internal",
    "localdomain",
    "home.arpa",
    "lan",
    "intranet",
    "test",
    "invalid",
    "onion",
    "alt",
    "corp",
    "home",
    "private",
    "svc",
    "consul",
];
/// Public names that lead inside: whatever stands before them says where to, or they are this machine, or its metadata.
const INWARD_NAMES: [&str; 15] = [
    "nip.io",
    "sslip.io",
    "xip.io",
    "traefik.me",
    "local.gd",
    "localho.st",
    "localtest.me",
    "lvh.me",
    "vcap.me",
    "lacolhost.com",
    // Made for it: they answer with one address first and with another then.
    "rbndr.us",
    "1u.ms",
    "metadata.tencentyun.com",
    "metadata.packet.net",
    "metadata.platformequinix.com",
];
/// Bytes of a URL; webhooks' carry a signature of some hundred.
const MAX_URL: usize = 2_048;

/// A base URL without its closing slashes, or what is wrong with it.
pub(super) fn read_base_url(url: &str, allow_private: bool) -> Result<String, String> {
    if url.contains('?') {
        return Err("must have no query".to_owned());
    }
    read_public_url(url.trim_end_matches('/'), allow_private)
}

/// The URL of anything that is called because a document says so; or what is wrong with it, to follow its name.
pub fn read_public_url(url: &str, allow_private: bool) -> Result<String, String> {
    let Some((scheme, rest)) = url.split_once("://") else {
        return Err("must be a URL such as https://lab.example/v1".to_owned());
    };
    if url.len() > MAX_URL {
        return Err(format!("must be at most {MAX_URL} bytes long"));
    }
    if url.bytes().any(|b| !b.is_ascii_graphic() || b == b'\\') {
        return Err("must be plain ASCII without spaces; write an international name as `xn--…`".to_owned());
    }
    if url.contains('#') {
        return Err("must have no fragment".to_owned());
    }
    if percent::climbs(rest) {
        return Err("must have no `..` in its path".to_owned());
    }
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    if authority.contains('@') {
        return Err("must have no user name or password; put the key into `keys`".to_owned());
    }
    let host = host_of(authority).ok_or("has no valid host and port")?;
    let private = is_private_host(host);
    if private && !allow_private {
        return Err(format!(
            "names `{host}`, a private address or a name that leads to one; set \"allow_private_upstreams\": true in `settings` if you mean it"
        ));
    }
    match scheme {
        "https" => {}
        "http" if private => {}
        "http" => return Err("must begin with https://".to_owned()),
        _ => return Err("must begin with https:// (in small letters)".to_owned()),
    }
    Ok(url.to_owned())
}

/// The host of `host`, `host:port`, `[v6]` or `[v6]:port`, brackets kept.
fn host_of(authority: &str) -> Option<&str> {
    let end = if authority.starts_with('[') { authority.find(']')? + 1 } else { authority.find(':').unwrap_or(authority.len()) };
    let (host, port) = authority.split_at_checked(end)?;
    let port_is_fine = match port.strip_prefix(':') {
        None => port.is_empty(),
        Some(digits) => digits.bytes().all(|b| b.is_ascii_digit()) && digits.parse::<u16>().is_ok_and(|port| port > 0),
    };
    let bytes_are_fine =
        host.starts_with('[') || host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_'));
    (!host.is_empty() && port_is_fine && bytes_are_fine).then_some(host)
}

/// Loopback, private, link-local, metadata, multicast and reserved addresses in every spelling a URL parser takes, names
/// of local networks, and whatever cannot be told.
pub fn is_private_host(host: &str) -> bool {
    let host = host.to_ascii_lowercase();
    let host = host.strip_suffix('.').unwrap_or(&host);
    if let Some(inner) = host.strip_prefix('[') {
        let address = inner.strip_suffix(']').and_then(|inner| inner.parse::<Ipv6Addr>().ok());
        return address.is_none_or(is_private_v6);
    }
    if let Ok(address) = host.parse::<IpAddr>() {
        return match address {
            IpAddr::V4(address) => is_private_v4(address),
            IpAddr::V6(address) => is_private_v6(address),
        };
    }
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_');
    if host.is_empty() || !host.bytes().all(is_plain) {
        return true;
    }
    let last = host.rsplit('.').next().unwrap_or_default();
    if last.starts_with(|c: char| c.is_ascii_digit()) {
        // The URL standard reads these as an address: https://url.spec.whatwg.org/#concept-ipv4-parser
        return loose_v4(host).is_none_or(is_private_v4);
    }
    let is_below = |suffix: &str| host.strip_suffix(suffix).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    // A single label is looked up in the local network.
    !host.contains('.') || PRIVATE_SUFFIXES.into_iter().chain(INWARD_NAMES).any(is_below) || spells_private(host)
}

/// Whether a name has a private address in it, as wildcard names and those of cloud machines have: `10.0.0.1.…`,
/// `ip-10-0-0-1.…`. Or an empty label, which resolvers read in ways of their own.
fn spells_private(host: &str) -> bool {
    let holds = |parts: Vec<&str>| {
        parts.windows(4).any(|four| {
            let octets: Option<Vec<u8>> = four.iter().map(|part| part.parse().ok()).collect();
            let octets = octets.and_then(|octets| <[u8; 4]>::try_from(octets).ok());
            octets.is_some_and(|octets| is_private_v4(Ipv4Addr::from(octets)))
        })
    };
    let mut labels = host.split('.');
    holds(host.split('.').collect()) || labels.any(|label| label.is_empty() || holds(label.split('-').collect()))
}

/// `0x7f.1`, `2130706433`, `0177.0.0.1`: one to four numbers, the last filling what is left.
fn loose_v4(host: &str) -> Option<Ipv4Addr> {
    let parts: Vec<u32> = host.split('.').map(loose_number).collect::<Option<_>>()?;
    let (last, leading) = parts.split_last()?;
    if leading.len() > 3 || leading.iter().any(|part| *part > 255) {
        return None;
    }
    let free_bits = 32 - 8 * u32::try_from(leading.len()).ok()?;
    if u64::from(*last) >= 1_u64 << free_bits {
        return None;
    }
    let high = leading.iter().fold(0_u64, |high, part| high << 8 | u64::from(*part)) << free_bits;
    u32::try_from(high).ok().map(|high| Ipv4Addr::from(high | last))
}

fn loose_number(text: &str) -> Option<u32> {
    if let Some(hex) = text.strip_prefix("0x") {
        return if hex.is_empty() { Some(0) } else { u32::from_str_radix(hex, 16).ok() };
    }
    match text.strip_prefix('0') {
        Some(octal) if !octal.is_empty() => u32::from_str_radix(octal, 8).ok(),
        _ => text.parse().ok(),
    }
}

/// https://www.iana.org/assignments/iana-ipv4-special-registry
fn is_private_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    match (a, b) {
        (0 | 10 | 127, _) | (169, 254) | (192, 168) => true,
        (100, b) => (64..128).contains(&b),
        (172, b) => (16..32).contains(&b),
        (192, 0) => c == 0,
        (198, b) => (18..20).contains(&b),
        (a, _) => a >= 224,
    }
}

/// https://www.iana.org/assignments/iana-ipv6-special-registry
fn is_private_v6(address: Ipv6Addr) -> bool {
    let [a, b, c, d, e, f, g, h] = address.segments();
    let v4 = |high: u16, low: u16| is_private_v4(Ipv4Addr::from(u32::from(high) << 16 | u32::from(low)));
    match (a, b) {
        // Unspecified, loopback, and addresses that carry an IPv4 one: mapped, compatible, translated.
        (0, 0) if (c, d) == (0, 0) => match (e, f) {
            (0, 0 | 0xffff) | (0xffff, 0) => v4(g, h),
            _ => true,
        },
        (0x64, 0xff9b) => (c, d, e, f) != (0, 0, 0, 0) || v4(g, h),
        (0x2002, _) => v4(b, c),
        // For protocols: Teredo carries addresses too. For documents, for nobody, for segment routing.
        (0x2001, ..0x200 | 0xdb8) | (0x100, 0) | (0x3fff, ..0x1000) | (0x5f00, _) => true,
        (0, _) => true,
        (a, _) => a & 0xfe00 == 0xfc00 || a & 0xffc0 == 0xfe80 || a & 0xffc0 == 0xfec0 || a >= 0xff00,
    }
}
