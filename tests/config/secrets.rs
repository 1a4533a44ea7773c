//! Which secrets turn on what, and what else an address wants to know.

use portolan::sorted::SortedMap;

use portolan::{
    config::{self, House, ServiceAccount, Snapshot},
    dialect::Dialect,
    units::Millis,
};

use super::documents;

const KEY: &str = r#"{"client_email":"g@acme.iam.gserviceaccount.com","private_key":"-----BEGIN PRIVATE KEY-----\nMII\n-----END PRIVATE KEY-----\n","private_key_id":"k1","token_uri":"https://oauth2.googleapis.com/token"}"#;

fn built(providers: &str, secrets: &[(&str, &str)]) -> Snapshot {
    let parts: Vec<(&str, &str)> = [("providers", providers)].into_iter().filter(|(_, text)| !text.is_empty()).collect();
    let secrets: SortedMap<_, _> = secrets.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    config::build(&documents(&parts), &secrets).unwrap()
}

#[test]
fn addresses_are_filled_in_from_variables() {
    for (secrets, provider, expected) in [
        (
            vec![("AZURE_OPENAI_API_KEY", "k"), ("AZURE_OPENAI_RESOURCE", "acme")],
            "azure-openai",
            "https://acme.openai.azure.com/openai/v1",
        ),
        (
            vec![("AZURE_API_KEY", "k"), ("AZURE_OPENAI_RESOURCE", " acme ")],
            "azure-openai",
            "https://acme.openai.azure.com/openai/v1",
        ),
        (
            vec![("AWS_BEARER_TOKEN_BEDROCK", "k"), ("AWS_REGION", "eu-west-1")],
            "bedrock",
            "https://bedrock-runtime.eu-west-1.amazonaws.com",
        ),
        (
            vec![("VERTEX_SERVICE_ACCOUNT", KEY), ("VERTEX_PROJECT", "p"), ("VERTEX_LOCATION", "us-east5")],
            "vertex",
            "https://us-east5-aiplatform.googleapis.com/v1/projects/p/locations/us-east5",
        ),
        (
            vec![("GOOGLE_SERVICE_ACCOUNT", KEY), ("VERTEX_PROJECT", "p"), ("VERTEX_LOCATION", "global")],
            "vertex",
            "https://aiplatform.googleapis.com/v1/projects/p/locations/global",
        ),
        (
            vec![("VERTEX_SERVICE_ACCOUNT", KEY), ("VERTEX_PROJECT", "p"), ("VERTEX_LOCATION", "eu")],
            "vertex",
            "https://aiplatform.eu.rep.googleapis.com/v1/projects/p/locations/eu",
        ),
        (vec![("AI", "binding")], "workers-ai", "workers-ai:"),
    ] {
        let snapshot = built("", &secrets);
        assert_eq!(snapshot.providers.get(provider).map(|p| p.base_url.as_str()), Some(expected), "{:?}", snapshot.warnings);
        assert!(snapshot.warnings.is_empty(), "{:?}", snapshot.warnings);
        let names = config::secret_names(&documents(&[]));
        assert!(secrets.iter().all(|(name, _)| names.iter().any(|n| n == name)), "{names:?}");
    }
}

#[test]
fn what_is_missing_is_named() {
    for (secrets, provider, missing, warning) in [
        (vec![], "azure-openai", "AZURE_OPENAI_API_KEY", None),
        (vec![("AZURE_OPENAI_RESOURCE", "acme")], "azure-openai", "AZURE_OPENAI_API_KEY", None),
        (vec![("AZURE_OPENAI_API_KEY", "k")], "azure-openai", "AZURE_OPENAI_RESOURCE", Some("`AZURE_OPENAI_RESOURCE`")),
        // A variable never chooses another host.
        (
            vec![("AZURE_OPENAI_API_KEY", "k"), ("AZURE_OPENAI_RESOURCE", "evil.example/")],
            "azure-openai",
            "AZURE_OPENAI_RESOURCE",
            Some("plain name"),
        ),
        (vec![("AWS_REGION", "x"), ("AWS_ACCESS_KEY_ID", "k")], "bedrock", "AWS_SECRET_ACCESS_KEY", None),
        (
            vec![("AWS_ACCESS_KEY_ID", "k"), ("AWS_SECRET_ACCESS_KEY", "k")],
            "bedrock",
            "AWS_REGION",
            Some("`AWS_REGION` is missing"),
        ),
        (
            vec![("VERTEX_SERVICE_ACCOUNT", KEY), ("VERTEX_LOCATION", "global")],
            "vertex",
            "VERTEX_PROJECT",
            Some("`VERTEX_PROJECT`"),
        ),
        (
            vec![("VERTEX_SERVICE_ACCOUNT", "ya29.token"), ("VERTEX_PROJECT", "p"), ("VERTEX_LOCATION", "global")],
            "vertex",
            "VERTEX_SERVICE_ACCOUNT",
            Some("JSON key of a service account"),
        ),
        (vec![], "workers-ai", "AI", None),
    ] {
        let snapshot = built("", &secrets);
        assert!(!snapshot.providers.contains_key(provider), "{provider}");
        assert_eq!(snapshot.off.get(provider).unwrap().first().map(String::as_str), Some(missing), "{provider}");
        let said = snapshot.warnings.join(" ");
        assert_eq!(said.contains(provider), warning.is_some(), "{provider}: {said}");
        assert!(said.contains(warning.unwrap_or_default()), "{provider}: {said}");
        let error = snapshot.resolve(&format!("{provider}/some-model")).unwrap_err();
        let command = if missing == "AI" { "[ai]".to_owned() } else { format!("wrangler secret put {missing}") };
        assert!(error.message.contains(&command), "{}", error.message);
    }
}

#[test]
fn an_address_of_ones_own_needs_no_variables() {
    let providers = r#"{
        "azure-openai":{"base_url":"https://own.openai.azure.com/openai/v1"},
        "azure-two":{"kind":"azure-openai","base_url":"https://two.openai.azure.com/openai/v1","keys":["${TWO}"]},
        "deepseek":{"base_url":"https://proxy.example/deepseek"},
        "minimax":{"base_url":"https://api.minimaxi.com/anthropic"},
        "aws-two":{"kind":"bedrock","base_url":"https://bedrock-runtime.us-east-2.amazonaws.com","keys":["${TWO}"]}}"#;
    let names = ["AZURE_API_KEY", "TWO", "DEEPSEEK_API_KEY", "MINIMAX_API_KEY", "MOONSHOT_API_KEY"];
    let snapshot = built(providers, &names.map(|name| (name, "k")));
    let speaks = |name: &str, model: &str| snapshot.providers.get(name).unwrap().dialects(model).collect::<Vec<_>>();
    let (chat, claude) = (Dialect::OpenAiChat, Dialect::Anthropic);
    assert_eq!(snapshot.providers.get("azure-openai").unwrap().base_url, "https://own.openai.azure.com/openai/v1");
    assert_eq!(snapshot.providers.get("azure-openai").unwrap().house, House::Moved);
    assert_eq!(speaks("azure-two", "gpt-5-codex"), [Dialect::OpenAiResponses], "Azure, wherever it is");
    assert_eq!(speaks("aws-two", "anthropic.claude-sonnet-5"), [claude, Dialect::Converse]);
    // What is spoken elsewhere is not known to be spoken there too.
    assert_eq!(speaks("deepseek", "deepseek-v4-pro"), [chat]);
    assert_eq!(snapshot.providers.get("deepseek").unwrap().base_of(chat), "https://proxy.example/deepseek");
    assert_eq!(speaks("minimax", "MiniMax-M3"), [claude]);
    assert_eq!(speaks("moonshot", "kimi-k3"), [chat, claude]);
    assert_eq!(snapshot.providers.get("moonshot").unwrap().base_of(claude), "https://api.moonshot.ai/anthropic");
}

#[test]
fn a_binding_has_no_address() {
    let found = super::problems(&[("providers", r#"{"workers-ai":{"base_url":"https://api.cloudflare.com"}}"#)]);
    assert!(found.iter().any(|p| p.message.contains("reached through its binding")), "{found:?}");
}

#[test]
fn who_sells_the_models_of_others_knows_them() {
    let snapshot = built(
        "",
        &[
            ("AZURE_OPENAI_API_KEY", "k"),
            ("AZURE_OPENAI_RESOURCE", "acme"),
            ("VERTEX_SERVICE_ACCOUNT", KEY),
            ("VERTEX_PROJECT", "p"),
            ("VERTEX_LOCATION", "global"),
        ],
    );
    let price = |provider, model| snapshot.price(provider, model).map(|price| price.input.0);
    assert_eq!(price("azure-openai", "gpt-4o"), Some(2_500_000));
    assert_eq!(price("vertex", "gemini-2.5-flash"), Some(300_000));
    assert_eq!(price("vertex", "claude-haiku-4-5@20251001"), Some(1_000_000));
    assert_eq!(price("vertex", "claude-haiku-4-5-20251001"), None, "not its name there");
    // A bare name is its maker's.
    assert!(snapshot.resolve("gpt-4o").unwrap_err().message.contains("OPENAI_API_KEY"));
}

#[test]
fn a_service_account_claims_what_google_wants() {
    let account = ServiceAccount::read(KEY, false).unwrap();
    let claim = account.claim(Millis(1_800_000_000_999));
    let (header, claims) = claim.split_once('.').unwrap();
    // As Python's `base64.urlsafe_b64encode` has it, without padding.
    assert_eq!(header, "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6ImsxIn0");
    let expected = "eyJpc3MiOiJnQGFjbWUuaWFtLmdzZXJ2aWNlYWNjb3VudC5jb20iLCJzY29wZSI6Imh0dHBzOi8vd3d3Lmdvb2dsZWFwaXMuY29tL2F1dGgvY2xvdWQtcGxhdGZvcm0iLCJhdWQiOiJodHRwczovL29hdXRoMi5nb29nbGVhcGlzLmNvbS90b2tlbiIsImlhdCI6MTgwMDAwMDAwMCwiZXhwIjoxODAwMDAzNjAwfQ";
    assert_eq!(claims, expected);
    assert_eq!(
        ServiceAccount::grant("a.b", &[0xfb, 0xff, 0x00, 0x01]),
        "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=a.b.-_8AAQ"
    );
    assert!(!format!("{account:?}").contains("PRIVATE"), "no key in a debug line");
}

#[test]
fn a_token_is_asked_for_at_googles_only() {
    for (uri, allow_private, is_fine) in [
        ("https://oauth2.googleapis.com/token", false, true),
        ("https://sts.googleapis.com/v1/token", false, true),
        ("http://oauth2.googleapis.com/token", false, false),
        ("https://oauth2.googleapis.com.evil.example/token", false, false),
        ("https://evilgoogleapis.com/token", false, false),
        ("https://evil.example/oauth2.googleapis.com", false, false),
        ("https://oauth2.googleapis.com@evil.example/token", false, false),
        ("https://evil.example\\\\.googleapis.com/", false, false),
        ("http://127.0.0.1:8080/token", false, false),
        ("http://127.0.0.1:8080/token", true, true),
        ("https://evil.example/token", true, false),
        ("ftp", true, false),
    ] {
        let text = KEY.replace("https://oauth2.googleapis.com/token", uri);
        assert_eq!(ServiceAccount::read(&text, allow_private).is_ok(), is_fine, "{uri} {allow_private}");
    }
    for text in ["", "[]", "{}", r#"{"client_email":"a@b"}"#, r#"{"client_email":"","private_key":"x"}"#] {
        assert!(ServiceAccount::read(text, true).is_err(), "{text}");
    }
    assert!(ServiceAccount::read(r#"{"client_email":"a@b","private_key":"x"}"#, false).is_ok(), "the usual place");
}
