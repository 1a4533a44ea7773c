//! A verifier of forty lines of Python, written after docs/audit.md: it says what ours says.

use std::{env, fs, process::Command};

use portolan::audit::{Entry, Head, verify, write_head, write_line};

use super::{TENANT, chain, deeds, pruned};

/// What the other says, and what ours does.
fn both(what: &str, entries: &[Entry], heads: &[Head]) -> (String, String) {
    let file = env::temp_dir().join(format!("portolan-audit-{}.jsonl", std::process::id()));
    let lines: Vec<String> = entries.iter().map(write_line).collect();
    fs::write(&file, lines.join("\n")).unwrap();
    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/verify_audit.py");
    let run = Command::new("python3").arg(program).arg(&file).args(heads.iter().map(|head| write_head(*head))).output().unwrap();
    fs::remove_file(&file).unwrap();
    let said = String::from_utf8(run.stdout).unwrap();
    let verdict = verify(TENANT, entries, heads);
    let ours = match &verdict.broken {
        Some((seq, broken)) => format!("{seq} {}\n", broken.name()),
        None => format!("ok {}\n", verdict.checked),
    };
    assert_eq!(run.status.code(), Some(i32::from(!verdict.is_ok())), "{what}: {}", String::from_utf8_lossy(&run.stderr));
    (said, ours)
}

#[test]
fn the_documentation_is_enough_to_write_a_verifier() {
    let honest = chain(TENANT, 9);
    let kept = pruned();
    for (what, entries, heads) in [
        ("whole", &honest[..], vec![honest[8].head(), honest[3].head()]),
        ("after retention", &kept, vec![]),
        ("a part after a known head", &honest[4..], vec![honest[3].head()]),
        ("a part after nothing", &honest[4..], vec![]),
        ("beheaded", &kept[1..], vec![]),
        ("the tail is missing", &honest[..7], vec![honest[8].head()]),
        ("nothing is left", &[], vec![honest[8].head(), honest[3].head()]),
        ("another head", &honest, vec![chain("other", 9)[4].head()]),
    ] {
        let (said, ours) = both(what, entries, &heads);
        assert_eq!(said, ours, "{what}");
    }
    for (what, deed, _, _) in deeds() {
        let mut entries = honest.clone();
        deed(&mut entries);
        let (said, ours) = both(what, &entries, &[]);
        assert_eq!(said, ours, "{what}");
    }
}
