//! Signatures of webhooks: the vector of the Standard Webhooks libraries, and others made with Python's `hmac`.

use portolan::{units::Millis, wire::webhook::Keys};

const KEY: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX";
const LONGEST: &str = "whsec_ZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXp7fH1+f4CBgoOEhYaHiImKi4yNjo+QkZKTlJWWl5iZmpucnZ6foKGiow==";
/// 2026-11-23T10:05:07Z, and some milliseconds.
const NOW: Millis = Millis(1_795_428_307_999);

#[test]
fn calls_are_signed_as_the_specification_says() {
    let both = format!("{KEY} {LONGEST}");
    let (one, other) = ("v1,HeCPyMWmHaf7Tg9bbJ7BeQwyMwvM6NRAEabFJXGB7DY=", "v1,gy0kpwdoPBq6CIeVQVb/+aZS9Zd/2uYt+DfPaJNqZb8=");
    for (secret, id, body, now, seconds, signatures) in [
        (
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            r#"{"test": 2432232314}"#,
            Millis(1_614_265_330_000),
            "1614265330",
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        ),
        (KEY, "evt_1", r#"{"a":"ü"}"#, NOW, "1795428307", one),
        (LONGEST, "evt_1", r#"{"a":"ü"}"#, NOW, "1795428307", other),
        // While the receiver changes its key: either will do.
        (&both, "evt_1", r#"{"a":"ü"}"#, NOW, "1795428307", &format!("{one} {other}")),
    ] {
        let headers = Keys::read(secret).unwrap().headers(id, body, now);
        let expected = [("webhook-id", id), ("webhook-timestamp", seconds), ("webhook-signature", signatures)];
        assert_eq!(headers.each_ref().map(|(name, value)| (*name, value.as_str())), expected, "{secret}");
    }
}

#[test]
fn a_secret_that_is_no_key_signs_nothing() {
    for secret in [
        "",
        " ",
        "whsec_",
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYX",
        "whsec_not base64",
        // 23 bytes and 65.
        "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRY=",
        "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+P0A=",
        "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX hunter2",
    ] {
        assert!(Keys::read(secret).is_none(), "{secret}");
    }
}
