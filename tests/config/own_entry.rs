//! A tenant's own keys as they are stored, edited and told.

use portolan::{
    config::own_entry::{Stored, associated, check_tenant, edit, edited, entry_name, key_of, listed, read},
    units::Millis,
};

use crate::admin::openapi::hold;

fn stored(provider: &str, sealed: &[u8]) -> Stored {
    Stored { provider: provider.to_owned(), sealed: sealed.to_vec(), fingerprint: "5f0e5f0e5f0e5f0e".to_owned(), set: Millis(7) }
}

#[test]
fn an_entry_is_edited_one_key_at_a_time() {
    type Step = (&'static str, Option<&'static [u8]>, &'static [&'static str]);
    let steps: [Step; 6] = [
        ("openai", Some(b"\x01first"), &["openai"]),
        ("google", Some(b"\x01second"), &["openai", "google"]),
        ("openai", Some(b"\x01third"), &["openai", "google"]),
        ("nobody", None, &["openai", "google"]),
        ("openai", None, &["google"]),
        ("google", None, &[]),
    ];
    let mut entry = String::new();
    for (provider, sealed, expected) in steps {
        let key = sealed.map(|sealed| stored(provider, sealed));
        entry = edited(&entry, &edit(provider, key.as_ref())).unwrap();
        let keys = read(Some(&entry)).unwrap();
        assert_eq!(keys.iter().map(|key| key.provider.as_str()).collect::<Vec<_>>(), expected);
        assert!(key.is_none_or(|key| keys.contains(&key)), "{entry}");
    }
    assert_eq!(read(None).unwrap(), []);
    assert_eq!(read(Some("")).unwrap(), []);
}

#[test]
fn an_entry_holds_so_many_and_no_more() {
    let mut entry = String::new();
    for n in 0..64 {
        let name = format!("lab{n}");
        entry = edited(&entry, &edit(&name, Some(&stored(&name, b"x")))).unwrap();
    }
    let one_more = |name: &str| edited(&entry, &edit(name, Some(&stored(name, b"y"))));
    assert!(one_more("lab7").is_ok());
    assert!(one_more("lab64").unwrap_err().message.contains("at most 64"));
}

#[test]
fn an_entry_that_was_tampered_with_is_not_guessed_at() {
    for entry in ["{", "[]", "7", r#"{"openai":{}}"#, r#"{"openai":{"sealed":"***","fingerprint":"a","set":1}}"#] {
        let error = read(Some(entry)).unwrap_err();
        assert!(error.status >= 400 && !error.message.contains("***"), "{entry}: {}", error.message);
    }
}

#[test]
fn nothing_of_a_key_is_told() {
    let told = listed("acme", &[stored("openai", b"\x01sealed-bytes")]);
    hold("OwnKeys", &serde_json::from_str(&told).unwrap());
    assert_eq!(told, r#"{"tenant":"acme","data":[{"provider":"openai","fingerprint":"5f0e5f0e5f0e5f0e","set":7}]}"#);
}

#[test]
fn a_body_is_a_key_and_nothing_besides() {
    for (body, key) in [
        (r#"{"key": " sk-canary-key-0001 "}"#, Some("sk-canary-key-0001")),
        (r#"{"key": {"client_email": "a@b", "private_key": "p"}}"#, Some(r#"{"client_email":"a@b","private_key":"p"}"#)),
        (r#"{"key": "sk-canary-key-0001", "tenant": "other"}"#, None),
        (r#"{"key": ["sk-canary-key-0001"]}"#, None),
        (r#"{"key": null}"#, None),
        (r#"{"keys": "sk-canary-key-0001"}"#, None),
        (r#""sk-canary-key-0001""#, None),
        ("sk-canary-key-0001", None),
        ("", None),
    ] {
        match key_of(body) {
            Ok(found) => assert_eq!(Some(found.as_str()), key, "{body}"),
            Err(error) => assert!(key.is_none() && !error.message.contains("canary"), "{body}: {}", error.message),
        }
    }
}

#[test]
fn tenants_do_not_run_together() {
    assert_ne!(entry_name("a"), entry_name("a:b"));
    for (tenant, fits) in [("acme", true), ("Straße 7", true), ("", false), ("a\nb", false), (&"x".repeat(201), false)] {
        assert_eq!(check_tenant(tenant).is_ok(), fits, "{tenant}");
    }
    assert_ne!(associated("a", "b-c"), associated("a-b", "c"));
}
