//! Files of `NAME=value` lines, read and written as wrangler reads them.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::{Context, Result, bail};
use regex_lite::Regex;

pub type Values = BTreeMap<String, String>;

/// The pattern of the `dotenv` package, which wrangler reads `.dev.vars` with.
const LINE: &str = r#"(?m)^\s*(?:export\s+)?([\w.-]+)(?:\s*=\s*?|:\s+?)(\s*'(?:\\'|[^'])*'|\s*"(?:\\"|[^"])*"|\s*`(?:\\`|[^`])*`|[^#\r\n]+)?\s*(?:#.*)?$"#;

/// Reads a file; one that is not there holds nothing.
pub fn read(path: &Path) -> Result<Values> {
    match fs::read_to_string(path) {
        Ok(text) => parse(&text),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Values::new()),
        Err(error) => Err(error).with_context(|| path.display().to_string()),
    }
}

/// Writes a file that only its owner can read.
pub fn write(path: &Path, values: &Values) -> Result<()> {
    let mut text = String::new();
    for (name, value) in values {
        text.push_str(&format!("{name}={}\n", quote(name, value)?));
    }
    private_file(path, &text)
}

fn private_file(path: &Path, text: &str) -> Result<()> {
    let named = || path.display().to_string();
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(named)?;
    }
    // A mode is only given to a new file.
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error).with_context(named),
        Ok(()) | Err(_) => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).with_context(named)?;
    file.write_all(text.as_bytes()).with_context(named)
}

fn parse(text: &str) -> Result<Values> {
    let line = Regex::new(LINE)?;
    let text = text.replace("\r\n", "\n");
    Ok(line
        .captures_iter(&text)
        .filter_map(|found| {
            let name = found.get(1)?.as_str();
            let value = found.get(2).map_or("", |value| value.as_str());
            Some((name.to_owned(), unquote(value.trim())))
        })
        .collect())
}

fn unquote(value: &str) -> String {
    let inner = |quote: char| value.strip_prefix(quote)?.strip_suffix(quote);
    if let Some(inner) = inner('"') {
        return inner.replace("\\n", "\n").replace("\\r", "\r");
    }
    inner('\'').or_else(|| inner('`')).unwrap_or(value).to_owned()
}

/// A value as wrangler's `--env-file` reads it back: `$` would be expanded there.
fn quote(name: &str, value: &str) -> Result<String> {
    let Some(quote) = ['\'', '`'].into_iter().find(|quote| !value.contains(*quote)) else {
        bail!("secret {name} holds both ' and `: no local secrets file can say that");
    };
    if value.contains("\\$") {
        bail!("secret {name} holds \\$: no local secrets file can say that");
    }
    Ok(format!("{quote}{}{quote}", value.replace('$', "\\$")))
}

#[cfg(test)]
mod tests {
    use super::{Values, parse, quote};

    fn pairs(values: Values) -> Vec<(String, String)> {
        values.into_iter().collect()
    }

    #[test]
    fn lines_are_read_as_dotenv_does() {
        for (text, expected) in [
            ("A=1", vec![("A", "1")]),
            ("export A = b c # note", vec![("A", "b c")]),
            ("# A=1\n\nB=\"x#y\"", vec![("B", "x#y")]),
            ("A='it is $HOME'\r\nB=`a'b`", vec![("A", "it is $HOME"), ("B", "a'b")]),
            ("A=\"one\\ntwo\"\nB='one\\ntwo'", vec![("A", "one\ntwo"), ("B", "one\\ntwo")]),
            ("KEY='{\n  \"a\": 1\n}'\nB=2", vec![("B", "2"), ("KEY", "{\n  \"a\": 1\n}")]),
            ("A=", vec![("A", "")]),
            ("sk=a=b==", vec![("sk", "a=b==")]),
        ] {
            let expected: Vec<_> = expected.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
            assert_eq!(pairs(parse(text).unwrap()), expected, "{text}");
        }
    }

    #[test]
    fn a_written_value_is_read_back_except_for_the_escaped_dollar() {
        for value in ["plain", "", "two words # no note", "{\"key\": \"-----\\n\"}\n", "it's", "a \"b\""] {
            let line = format!("A={}", quote("A", value).unwrap());
            assert_eq!(pairs(parse(&line).unwrap()), [("A".to_owned(), value.to_owned())]);
        }
        assert_eq!(quote("A", "pa$$word").unwrap(), "'pa\\$\\$word'");
        assert!(quote("A", "'`").is_err());
    }
}
