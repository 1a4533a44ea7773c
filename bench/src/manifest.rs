//! What wrangler.toml says the Worker needs, so that the bench runs it with the same bindings.

use std::fs;
use std::io;
use std::path::Path;

use toml::{Table, Value};

pub struct Manifest {
    pub compatibility_date: String,
    pub compatibility_flags: Vec<String>,
    pub kv: Vec<String>,
    /// Binding and class of each Durable Object.
    pub objects: Vec<(String, String)>,
    pub vars: Vec<(String, String)>,
}

pub fn read(path: &Path) -> io::Result<Manifest> {
    let text = fs::read_to_string(path)?;
    let table: Table = text.parse().map_err(|error| io::Error::other(format!("{}: {error}", path.display())))?;
    Ok(parse(&table))
}

fn parse(table: &Table) -> Manifest {
    let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
    let rows = |value: Option<&Value>| value.and_then(Value::as_array).cloned().unwrap_or_default();
    let objects: Vec<(String, String)> = rows(table.get("durable_objects").and_then(|objects| objects.get("bindings")))
        .iter()
        .map(|row| (text(row.get("name")), text(row.get("class_name"))))
        .collect();
    let object = |binding: &str, class: &str| (binding.to_owned(), class.to_owned());
    Manifest {
        compatibility_date: text(table.get("compatibility_date")),
        compatibility_flags: rows(table.get("compatibility_flags")).iter().map(|flag| text(Some(flag))).collect(),
        kv: rows(table.get("kv_namespaces")).iter().map(|row| text(row.get("binding"))).collect(),
        objects: if objects.is_empty() {
            vec![
                object("HEALTH", "HealthObject"),
                object("JOURNAL", "JournalObject"),
                object("TENANT", "TenantObject"),
                object("METRICS", "MetricsObject"),
            ]
        } else {
            objects
        },
        vars: table
            .get("vars")
            .and_then(Value::as_table)
            .map(|vars| vars.iter().map(|(name, value)| (name.clone(), text(Some(value)))).collect())
            .unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bindings_are_those_of_the_file() {
        let text = "compatibility_date = '2026-04-01'\ncompatibility_flags = ['a', 'b']\n[[kv_namespaces]]\nbinding = 'CONFIG'\n\
            [[durable_objects.bindings]]\nname = 'HEALTH'\nclass_name = 'H'\n[vars]\nLOG = 'on'\n";
        let manifest = parse(&text.parse().unwrap());
        assert_eq!(manifest.compatibility_date, "2026-04-01");
        assert_eq!(manifest.compatibility_flags, ["a", "b"]);
        assert_eq!(manifest.kv, ["CONFIG"]);
        assert_eq!(manifest.objects, [("HEALTH".to_owned(), "H".to_owned())]);
        assert_eq!(manifest.vars, [("LOG".to_owned(), "on".to_owned())]);
    }
}
