//! Where the gateway may send.

use portolan::config::is_private_host;

use super::problems;

#[test]
fn private_hosts_are_known_in_every_spelling() {
    for host in [
        "localhost",
        "LOCALHOST",
        "localhost.",
        "a.localhost",
        "printer.local",
        "metadata.google.internal",
        "db",
        "metadata",
        "10.0.0.1",
        "127.0.0.1",
        "127.1",
        "0",
        "0.0.0.0",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "0177.0.0.1",
        "017700000001",
        "169.254.169.254",
        "0xa9fea9fe",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "100.64.0.1",
        "100.127.255.255",
        "192.0.0.1",
        "198.18.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "127.0.0.1.",
        "1.2.3.4.5",
        "999.1.1.1",
        "0x",
        "1.2.3.0x100",
        "[::1]",
        "::1",
        "[::]",
        "[fc00::1]",
        "[fdff::1]",
        "[fe80::1]",
        "[fec0::1]",
        "[ff02::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:a00:1]",
        "[::127.0.0.1]",
        "[64:ff9b::10.0.0.1]",
        "[64:ff9b:1::1]",
        "[2002:7f00:1::]",
        "[fe80::1%25eth0]",
        "[::1",
        "",
        "exa mple.com",
        "127。0。0。1",
        "ex%61mple.com",
        "home.arpa",
        "nas.home.arpa",
    ] {
        assert!(is_private_host(host), "{host} is private");
    }
    for host in [
        "api.openai.com",
        "API.OPENAI.COM",
        "api.openai.com.",
        "8.8.8.8",
        "134744072",
        "172.15.0.1",
        "172.32.0.1",
        "100.63.0.1",
        "100.128.0.1",
        "169.253.0.1",
        "192.169.0.1",
        "11.0.0.1",
        "223.255.255.255",
        "localhost.example.com",
        "notlocalhost.io",
        "internal.example.com",
        "mylocal.com",
        "[2606:4700::1111]",
        "2606:4700::1111",
        "[::ffff:8.8.8.8]",
        "[64:ff9b::8.8.8.8]",
        "x.ai",
        "1e100.net",
    ] {
        assert!(!is_private_host(host), "{host} is public");
    }
}

#[test]
fn base_urls_lead_out_unless_the_operator_says_otherwise() {
    // What is wrong: without, and with `allow_private_upstreams`.
    for (url, strict, allowed) in [
        ("https://lab.example/v1", None, None),
        ("https://lab.example:8443", None, None),
        ("https://[2606:4700::1]:8443/v1", None, None),
        ("http://lab.example/v1", Some("https://"), Some("https://")),
        ("http://127.0.0.1:8080/v1", Some("private address"), None),
        ("https://10.1.2.3", Some("private address"), None),
        ("http://[::1]:8080", Some("private address"), None),
        ("http://0x7f.1/", Some("private address"), None),
        ("https://user:pass@lab.example", Some("user name"), Some("user name")),
        ("https://lab.example@127.0.0.1", Some("user name"), Some("user name")),
        ("https://lab.example/v1#x", Some("fragment"), Some("fragment")),
        ("https://lab.example/v1?x=1", Some("query"), Some("query")),
        ("https://lab.example\\\\@127.0.0.1", Some("plain ASCII"), Some("plain ASCII")),
        ("https://lab.exämple", Some("xn--"), Some("xn--")),
        ("https://lab.example:0", Some("host and port"), Some("host and port")),
        ("https://lab.example:99999", Some("host and port"), Some("host and port")),
        ("https:///v1", Some("host and port"), Some("host and port")),
        ("https://lab%2eexample", Some("host and port"), Some("host and port")),
        ("ftp://lab.example", Some("https://"), Some("https://")),
        ("lab.example", Some("must be a URL"), Some("must be a URL")),
        ("mock:", Some("must be a URL"), Some("must be a URL")),
    ] {
        for (allow, expected) in [(false, strict), (true, allowed)] {
            let providers = format!(r#"{{"lab":{{"kind":"openai","base_url":"{url}"}}}}"#);
            let settings = format!(r#"{{"allow_private_upstreams":{allow}}}"#);
            let found = problems(&[("providers", &providers), ("settings", &settings)]);
            let message = found.iter().map(|p| p.message.as_str()).collect::<String>();
            match expected {
                None => assert_eq!(message, "", "{url}"),
                Some(part) => assert!(message.contains(part), "{url} ({allow}): {message:?}"),
            }
        }
    }
}
