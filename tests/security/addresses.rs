//! Where documents may make the gateway send: nowhere inside, in any spelling.

use portolan::config::{self, Documents, is_private_host, read_public_url};

/// What one host is called by who wants to get inside.
#[test]
fn names_that_lead_inside_are_told_by_their_looks() {
    for host in [
        // Names whose labels are the address: whoever runs the zone, somebody looks it up.
        "127.0.0.1.nip.io",
        "app.10.0.0.1.sslip.io",
        "10-0-0-1.sslip.io",
        "www.192-168-0-1.example.com",
        "127.0.0.1.example.com",
        "ip-10-0-3-7.eu-west-1.example.com",
        "169.254.169.254.xip.io",
        "169-254-169-254.lab.example",
        "7f000001.nip.io",
        "8.8.8.8.nip.io",
        "--1.sslip.io",
        // Public names of this machine.
        "localtest.me",
        "a.b.localtest.me",
        "LVH.me",
        "lvh.me.",
        "vcap.me",
        "local.gd",
        "7f000001.c0a80001.rbndr.us",
        "make-1.2.3.4-rebind-169.254-169.254-rr.1u.ms",
        // Metadata of machines.
        "metadata.google.internal",
        "metadata.google.internal.",
        "instance-data",
        "instance-data.ec2.internal",
        "metadata.azure.internal",
        "metadata.tencentyun.com",
        "metadata.packet.net",
        "100.100.100.200",
        "169.254.170.2",
        "fd00:ec2::254",
        "[fd00:ec2::254]",
        // Names of networks.
        "kubernetes.default.svc",
        "kubernetes.default.svc.cluster.local",
        "vault.service.consul",
        "git.corp",
        "router.home",
        "lab.test",
        "a.onion",
        // Empty labels.
        "localhost..",
        ".localhost",
        "lab..example",
        "..",
        ".",
        // Addresses for protocols, documents and nobody.
        "[2001::1]",
        "[2001:db8::1]",
        "[100::1]",
        "[3fff::1]",
        "[5f00::1]",
        "[::ffff:0:127.0.0.1]",
        "[64:ff9b::169.254.169.254]",
        "[2002:a9fe:a9fe::]",
        // What no host is.
        "127.0.0.1%00.example.com",
        "127.0.0.1\t",
        "１２７.0.0.1",
        "localhost%2e",
    ] {
        assert!(is_private_host(host), "{host} leads inside");
    }
    for host in [
        "nip.io.example.com",
        "notnip.io",
        "my-lvh.me",
        "8-8-8-8.example.com",
        "ec2-54-12-3-4.compute-1.amazonaws.com",
        "bedrock-runtime.eu-west-1.amazonaws.com",
        "europe-west1-aiplatform.googleapis.com",
        "acme-10.openai.azure.com",
        "api-v1-2-3.lab.example",
        "10-0-0.lab.example",
        "test.example",
        "home.example.com",
        "xn--bcher-kva.example",
        "[2606:4700::6812:1]",
        "[2a00:1450:4001::200a]",
        "[2001:4860:4860::8888]",
    ] {
        assert!(!is_private_host(host), "{host} is public");
    }
}

/// Each with what a URL parser makes of it that is not the same as ours: then ours must refuse it.
#[test]
fn urls_that_two_readers_could_read_differently_are_refused() {
    for (url, part) in [
        ("https://api.example@169.254.169.254/", "user name"),
        ("https://api.example:443@169.254.169.254/", "user name"),
        ("https://api.example%40169.254.169.254/", "host and port"),
        ("https://%31%32%37.0.0.1/", "host and port"),
        ("https://api.example\\.evil.example/", "plain ASCII"),
        ("https://api.example\t/", "plain ASCII"),
        ("https://api\n.example/", "plain ASCII"),
        (" https://api.example", "plain ASCII"),
        ("https:// 127.0.0.1", "plain ASCII"),
        ("https://127。0。0。1", "plain ASCII"),
        ("https://ⓛocalhost", "plain ASCII"),
        ("https://api.example/#@169.254.169.254", "fragment"),
        ("https:/\\169.254.169.254", "must be a URL"),
        ("https:169.254.169.254", "must be a URL"),
        ("//169.254.169.254", "must be a URL"),
        ("HTTPS://api.example", "small letters"),
        ("http://api.example", "https://"),
        ("http://127.0.0.1:8787", "private address"),
        ("https://127.1:8787", "private address"),
        ("https://[fe80::1%25eth0]/", "private address"),
        ("https://[::1", "host and port"),
        ("https://api.example:22:22/", "host and port"),
        ("https://api.example:+80/", "host and port"),
        ("https://api.example:65536/", "host and port"),
        ("https://api.example:/", "host and port"),
        ("file:///etc/passwd", "host and port"),
        ("gopher://127.0.0.1:6379/_", "private address"),
        ("https://api.example/v1/../admin", "`..`"),
        ("https://api.example/v1/%2e%2E/admin", "`..`"),
        ("https://api.example/v1/..%2fadmin", "`..`"),
        ("https://api.example/v1/%252e%252e/admin", "`..`"),
        ("https://api.example/..;/admin", "`..`"),
        ("https://metadata.google.internal/computeMetadata/v1/", "private address"),
        ("https://127.0.0.1.nip.io/v1", "private address"),
    ] {
        let error = read_public_url(url, false).unwrap_err();
        assert!(error.contains(part), "{url:?}: {error}");
    }
    let long = format!("https://api.example/{}", "a".repeat(3_000));
    assert!(read_public_url(&long, false).unwrap_err().contains("2048 bytes"));
    for url in ["https://hooks.example/services/T0/B0/x", "https://hooks.example:8443/in?sig=a%2Fb&v=1", "https://hooks.example/"]
    {
        assert_eq!(read_public_url(url, false).as_deref(), Ok(url));
    }
}

/// What the operator allows is addresses, not odd spellings.
#[test]
fn private_addresses_are_the_operators_to_allow() {
    for (url, is_allowed) in [
        ("http://127.0.0.1:11434/v1", true),
        ("http://ollama.lab.internal:11434/v1", true),
        ("https://10.0.0.1.nip.io/v1", true),
        ("http://user@127.0.0.1/v1", false),
        ("http://127.0.0.1/v1\\..", false),
        ("http://public.example/v1", false),
        ("ftp://127.0.0.1/", false),
    ] {
        assert_eq!(read_public_url(url, true).is_ok(), is_allowed, "{url}");
        assert!(read_public_url(url, false).is_err(), "{url}");
    }
}

/// A problem is shown on `/readyz` to anybody: it names the place, and no secret.
#[test]
fn a_refused_document_repeats_no_secret() {
    const CANARY: &str = "sk-canary-0123456789abcdef0123456789abcdef";
    for providers in [
        format!(r#"{{"lab":{{"kind":"openai","base_url":"https://lab.example/v1","keys":["{CANARY}"]}}}}"#),
        format!(r#"{{"lab":{{"kind":"openai","base_url":"https://user:{CANARY}@lab.example/v1"}}}}"#),
        format!(r#"{{"lab":{{"kind":"openai","base_url":"https://lab.example/v1?key={CANARY}"}}}}"#),
        format!(r#"{{"lab":{{"kind":"openai","base_url":"https://lab.example/v1","api_key":"{CANARY}"}}}}"#),
        format!(r#"{{"lab":{{"kind":"openai","base_url":"https://lab.example/v1","keys":"{CANARY}"}}}}"#),
    ] {
        let documents = Documents { providers: Some(providers.clone()), ..Documents::default() };
        let problems = config::build(&documents, &[].into()).unwrap_err();
        assert!(!problems.is_empty() && !format!("{problems:?}").contains(CANARY), "{providers}: {problems:?}");
    }
}
