//! `settings.otlp`: what is read, what is refused, and where its secrets come from.

use portolan::config::{self, Otlp, Settings};

use super::{documents, problems, secrets};

fn settings(text: &str, known: &[&str]) -> (Settings, Vec<String>) {
    let snapshot = config::build(&documents(&[("settings", text)]), &secrets(known)).unwrap();
    (snapshot.settings, snapshot.warnings)
}

#[test]
fn a_collector_is_read_with_its_defaults() {
    for (text, traces, metrics, sample, keep_errors) in [
        ("", true, true, 1_000_000, true),
        (r#","sample":0.25,"keep_errors":false"#, true, true, 250_000, false),
        (r#","sample":0,"traces":false"#, false, true, 0, true),
        (r#","sample":1e-6,"metrics":false"#, true, false, 1, true),
        (r#","sample":1.0"#, true, true, 1_000_000, true),
    ] {
        let document = format!(r#"{{"otlp":{{"endpoint":"https://otel.example:4318/base/"{text}}}}}"#);
        let (settings, warnings) = settings(&document, &[]);
        let endpoint = "https://otel.example:4318/base".to_owned();
        assert_eq!(settings.otlp, Some(Otlp { endpoint, headers: vec![], traces, metrics, sample, keep_errors }), "{text}");
        assert_eq!(warnings, Vec::<String>::new());
    }
    assert_eq!(settings("{}", &[]).0.otlp, None);
    let (settings, _) = settings(r#"{"records":{"webhook":"https://hooks.example/records"}}"#, &[]);
    assert_eq!(settings.records_webhook.as_deref(), Some("https://hooks.example/records"));
}

#[test]
fn headers_get_their_secrets_and_never_show_them() {
    let text =
        r#"{"otlp":{"endpoint":"https://otel.example","headers":{"Authorization":"Basic ${OTLP_A}:${OTLP_B}!","x-set":"prod"}}}"#;
    let names = config::secret_names(&documents(&[("settings", text)]));
    assert!(["OTLP_A", "OTLP_B"].iter().all(|name| names.iter().any(|n| n == name)), "{names:?}");
    let mut known = secrets(&[]);
    for (name, value) in [("OTLP_A", " top \n"), ("OTLP_B", "${OTLP_A}")] {
        known.insert(name.to_owned(), value.to_owned());
    }
    let snapshot = config::build(&documents(&[("settings", text)]), &known).unwrap();
    let otlp = snapshot.settings.otlp.clone().unwrap();
    let headers: Vec<_> = otlp.headers.iter().map(|h| (h.name.as_str(), h.value.as_str())).collect();
    assert_eq!(headers, [("authorization", "Basic top:${OTLP_A}!"), ("x-set", "prod")]);
    assert!(!format!("{snapshot:?}").contains("top"));
    for value in ["", " ", "a\nb", "\u{e4}"] {
        known.insert("OTLP_B".to_owned(), value.to_owned());
        let snapshot = config::build(&documents(&[("settings", text)]), &known).unwrap();
        assert_eq!(snapshot.settings.otlp, None);
        assert!(snapshot.warnings.iter().any(|w| w.contains("`OTLP_B`")), "{:?}", snapshot.warnings);
    }
}

#[test]
fn what_cannot_be_a_collector_is_refused() {
    let many: Vec<String> = (0..17).map(|i| format!(r#""x-{i}":"v""#)).collect();
    let many = format!(r#""headers":{{{}}}"#, many.join(","));
    for (inside, path, words) in [
        ("", "otlp.endpoint", "required"),
        (r#""endpoint":"http://otel.example""#, "otlp.endpoint", "https://"),
        (r#""endpoint":"https://127.0.0.1:4318""#, "otlp.endpoint", "private"),
        (r#""endpoint":"https://otel.example?x=1""#, "otlp.endpoint", "query"),
        (r#""endpoint":"https://u:p@otel.example""#, "otlp.endpoint", "password"),
        (r#""sample":1.5"#, "otlp.sample", "from 0 to 1"),
        (r#""sample":-0.1"#, "otlp.sample", "from 0 to 1"),
        (r#""sample":0.1234567"#, "otlp.sample", "six decimals"),
        (r#""headers":{"content-type":"x"}"#, "otlp.headers.content-type", "no name of a header"),
        (r#""headers":{"a b":"x"}"#, "otlp.headers.a b", "no name of a header"),
        (r#""headers":{"x-a":"1","X-A":"2"}"#, "otlp.headers.x-a", "twice"),
        (r#""headers":{"x-a":7}"#, "otlp.headers.x-a", "plain ASCII"),
        (r#""headers":{"x-a":"a\nb"}"#, "otlp.headers.x-a", "plain ASCII"),
        (r#""headers":{"x-a":"${ADMIN_TOKEN}"}"#, "otlp.headers.x-a", "own secret"),
        (r#""headers":{"x-a":"${}"}"#, "otlp.headers.x-a", "name of a secret"),
        (r#""headers":{"x-a":"${A"}"#, "otlp.headers.x-a", "name of a secret"),
        (&many, "otlp.headers", "At most 16"),
    ] {
        let endpoint =
            if inside.contains("endpoint") || words == "required" { "" } else { r#","endpoint":"https://otel.example""# };
        let inside = format!("{inside}{endpoint}");
        let text = format!(r#"{{"otlp":{{{}}}}}"#, inside.trim_start_matches(','));
        let found = problems(&[("settings", &text)]);
        assert!(found.iter().any(|p| p.path == path && p.message.contains(words)), "{text}: {found:?}");
    }
    let found = problems(&[("settings", r#"{"records":{"webhook":"http://hooks.example"}}"#)]);
    assert!(found.iter().any(|p| p.path == "records.webhook"), "{found:?}");
}
