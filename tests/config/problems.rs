//! What is wrong with a document is said at once, at its path, with the way out.

use super::problems;

#[test]
fn every_problem_has_its_path_and_says_what_to_do() {
    let lab = |field: &str| format!(r#"{{"lab":{{"kind":"openai","base_url":"https://lab.example/v1",{field}}}}}"#);
    for (document, text, path, part) in [
        ("routes", "", "", "not valid JSON"),
        ("routes", "[]", "", "must be a JSON object"),
        ("routes", "{} x", "", "not valid JSON"),
        ("routes", r#"{"a":{"targets":["mock/echo"]},"a":{"targets":["mock/echo"]}}"#, "a", "there twice"),
        ("settings", r#"{"retry":{"attempts":1,"attempts":2}}"#, "retry.attempts", "there twice"),
        ("routes", r#"{"a":[]}"#, "a", "must be an object"),
        ("routes", r#"{"a":{}}"#, "a.targets", "at least one target"),
        ("routes", r#"{"a":{"targets":[]}}"#, "a.targets", "at least one target"),
        ("routes", r#"{"a":{"targets":["mock/echo"],"stratgy":"weighted"}}"#, "a.stratgy", "Did you mean `strategy`?"),
        ("routes", r#"{"a":{"targets":["mock/echo"],"stratgy":null}}"#, "a.stratgy", "unknown field"),
        ("routes", r#"{"a":{"targets":["mock/echo"],"strategy":"fastest"}}"#, "a.strategy", "use `priority` or `weighted` or"),
        ("routes", r#"{"a":{"targets":[{"model":"mock/echo","weight":2}],"strategy":"fastest"}}"#, "a.strategy", "or `sticky`"),
        ("routes", r#"{"a":{"targets":[{"model":"mock/echo","weight":2}]}}"#, "a.targets[0].weight", "weighted"),
        ("routes", r#"{"a":{"strategy":"weighted","targets":[{"model":"mock/echo","weight":0}]}}"#, "a.targets", "above 0"),
        (
            "routes",
            r#"{"a":{"strategy":"weighted","targets":[{"model":"mock/echo","weight":0.5}]}}"#,
            "a.targets[0].weight",
            "whole",
        ),
        ("routes", r#"{"a":{"targets":[7]}}"#, "a.targets[0]", "must be an object"),
        ("routes", r#"{"a":{"targets":[{}]}}"#, "a.targets[0].model", "required"),
        ("routes", r#"{"a":{"targets":["opnai/x"]}}"#, "a.targets[0]", "Did you mean `openai`?"),
        ("routes", r#"{"a":{"targets":[{"provider":"antropic","model":"x"}]}}"#, "a.targets[0].provider", "`anthropic`"),
        ("routes", r#"{"a":{"targets":["gpt-5.5-prro"]}}"#, "a.targets[0]", "no route or model"),
        ("routes", r#"{"a":{"targets":["mock/echo","mock/echo"]}}"#, "a.targets[1]", "twice"),
        ("routes", r#"{"a":{"targets":["mock/echo"],"retry":{"attempts":5}}}"#, "a.retry.attempts", "from 1 to 4"),
        ("routes", r#"{"a":{"targets":["mock/echo"],"timeouts":{"idle_ms":0}}}"#, "a.timeouts.idle_ms", "from 1 to"),
        (
            "routes",
            r#"{"a":{"targets":[{"model":"mock/echo","params":{"override":{"model":"x"}}}]}}"#,
            "a.targets[0].params.override",
            "`model` is the gateway's",
        ),
        (
            "routes",
            r#"{"a":{"targets":[{"model":"mock/echo","params":{"drop":["messages"]}}]}}"#,
            "a.targets[0].params.drop",
            "`messages`",
        ),
        (
            "routes",
            r#"{"a":{"targets":[{"model":"mock/echo","params":{"drop":["n"],"default":{"n":1}}}]}}"#,
            "a.targets[0].params.default",
            "named twice",
        ),
        ("routes", r#"{"a/b":{"targets":["mock/echo"]}}"#, "a/b", "letters, digits"),
        ("routes", r#"{"a,b":{"targets":["mock/echo"]}}"#, "a,b", "letters, digits"),
        ("providers", r#"{"lab":{}}"#, "lab.kind", "One of: anthropic"),
        ("providers", r#"{"lab":{"kind":"opnai"}}"#, "lab.kind", "Did you mean `openai`"),
        ("providers", r#"{"lab":{"kind":"mock"}}"#, "lab.kind", "not a known kind"),
        ("providers", r#"{"groq":{"kind":"openai"}}"#, "groq.kind", "leave `kind` out"),
        ("providers", r#"{"gemini":{}}"#, "gemini", "write `google`"),
        ("providers", r#"{"mock":{}}"#, "mock", "built in"),
        ("providers", &lab(r#""keys":["sk-secret-1234"]"#), "lab.keys[0]", "wrangler secret put"),
        ("providers", &lab(r#""keys":["${GATEWAY_KEY}"]"#), "lab.keys[0]", "goes to nobody"),
        ("providers", &lab(r#""keys":["${ENCRYPTION_SECRET}"]"#), "lab.keys[0]", "goes to nobody"),
        ("providers", &lab(r#""keys":["${ENCRYPTION_SECRET_PREVIOUS}"]"#), "lab.keys[0]", "goes to nobody"),
        ("providers", &lab(r#""keys":["${WEBHOOK_SECRET}"]"#), "lab.keys[0]", "goes to nobody"),
        ("providers", &lab(r#""keys":["${A B}"]"#), "lab.keys[0]", "wrangler secret put"),
        ("providers", &lab(r#""keys":[1]"#), "lab.keys[0]", "must be a string"),
        ("providers", &lab(r#""regions":["europe"]"#), "lab.regions[0]", "wnam, enam"),
        ("providers", &lab(r#""regions":[]"#), "lab.regions", "leave it out"),
        ("providers", &lab(r#""zdr":"yes""#), "lab.zdr", "true or false"),
        ("providers", &lab(r#""dialects":["anthropic"]"#), "lab.dialects[0]", "it may: openai-chat, openai-responses"),
        ("providers", &lab(r#""dialects":[]"#), "lab.dialects", "At least one"),
        ("providers", r#"{"openai":{"dialects":["openai-chat"]}}"#, "openai.dialects", "own name"),
        ("providers", &lab(r#""models":{"x":{"zdr":1}}"#), "lab.models.x.zdr", "true or false"),
        ("providers", &lab(r#""models":{"x":{"context":0}}"#), "lab.models.x.context", "from 1 to"),
        ("providers", &lab(r#""models":{"x":{"supports":["magic"]}}"#), "lab.models.x.supports[0]", "`magic` is not a feature"),
        ("providers", &lab(r#""models":{"x":{"price":{"input":1}}}"#), "lab.models.x.price", "`input` and `output`"),
        ("prices", r#"{"nobody/x":{"input":1,"output":1}}"#, "nobody/x", "no provider `nobody`"),
        ("prices", r#"{"openai/x":{"input":-1,"output":1}}"#, "openai/x.input", "at most six decimals"),
        ("prices", r#"{"openai/x":{"input":"1","output":1}}"#, "openai/x.input", "must be a number"),
        ("budgets", r#"{"tags":{"a b":{}}}"#, "tags.a b", "letters, digits"),
        ("budgets", r#"{"tags":{"a":{"budgets":[{"per":"day"}]}}}"#, "tags.a.budgets[0].usd", "is required"),
        ("budgets", r#"{"tags":{"a":{"budgets":[{"usd":-1,"per":"day"}]}}}"#, "tags.a.budgets[0].usd", "must be dollars"),
        ("budgets", r#"{"tags":{"a":{"limits":{"concurrent":0}}}}"#, "tags.a.limits.concurrent", "from 1 to"),
        ("settings", r#"{"max_body_bytes":1}"#, "max_body_bytes", "from 1024"),
        ("settings", r#"{"retri":{}}"#, "retri", "Did you mean `retry`?"),
        ("settings", r#"{"cors":{"origins":["app.example"]}}"#, "cors.origins[0]", "must be an origin"),
        ("settings", r#"{"allow_private_upstreams":"yes"}"#, "allow_private_upstreams", "true or false"),
        ("settings", r#"{"audit":{"webhook":"http://hooks.example/a"}}"#, "audit.webhook", "https://"),
        ("settings", r#"{"audit":{"webhook":"https://10.0.0.1/a?b=c"}}"#, "audit.webhook", "a private address"),
        ("settings", r#"{"audit":{"webhook":"https://hooks.example/a?b c"}}"#, "audit.webhook", "plain ASCII"),
        ("settings", r#"{"audit":{"max_entries":999}}"#, "audit.max_entries", "from 1000"),
        ("settings", r#"{"journal":{"days":0}}"#, "journal.days", "from 1"),
        ("settings", r#"{"journal":{"max_mb":102401}}"#, "journal.max_mb", "to 102400"),
        ("settings", r#"{"journal":{"enabled":"no"}}"#, "journal.enabled", "true or false"),
        ("settings", r#"{"probes":{"active":1}}"#, "probes.active", "true or false"),
        ("settings", r#"{"budgets":{"on_error":"ask"}}"#, "budgets.on_error", "refuse"),
        ("settings", r#"{"on_stream_break":"stop"}"#, "on_stream_break", "`continue`"),
        ("settings", r#"{"breaker":{"failure_percent":101}}"#, "breaker.failure_percent", "from 1 to 100"),
    ] {
        let found = problems(&[(document, text)]);
        let hit = found.iter().any(|p| p.document == document && p.path == path && p.message.contains(part));
        assert!(hit, "{text}\nshould have {part:?} at {path:?}: {found:#?}");
        assert!(!found.iter().any(|p| p.message.contains("sk-secret")), "a literal key is repeated: {found:?}");
        let paths: Vec<&str> = found.iter().map(|p| p.path.as_str()).collect();
        // The number itself and the price it leaves without are two facts.
        assert!(paths.len() == 1 || document == "prices", "one fault, one problem: {found:#?}");
    }
}

#[test]
fn all_problems_come_at_once_and_none_because_of_another() {
    let found = problems(&[
        ("settings", r#"{"a":1,"retry":{"attempts":9}}"#),
        ("providers", r#"{"lab":{"kind":"openai","base_url":"ftp://x"}}"#),
        ("routes", r#"{"a":{"targets":["lab/x","nobody/x"],"b":1}}"#),
    ]);
    let paths: Vec<(&str, &str)> = found.iter().map(|p| (p.document, p.path.as_str())).collect();
    assert_eq!(
        paths,
        [
            ("settings", "retry.attempts"),
            ("settings", "a"),
            ("providers", "lab.base_url"),
            ("routes", "a.targets[1]"),
            ("routes", "a.b"),
        ]
    );
    let unreadable = problems(&[("providers", "{"), ("routes", r#"{"a":{"targets":["lab/x"]}}"#)]);
    assert_eq!(unreadable.iter().map(|p| p.document).collect::<Vec<_>>(), ["providers"]);
}
