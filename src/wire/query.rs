//! Queries of URLs, as forms write them.

use super::percent;
use crate::error::Error;

/// Names that something may be asked of at once.
const MAX_NAMES: usize = 100;

/// Each name with its value, decoded; of a name alone the value is empty.
pub fn pairs(query: &str) -> impl Iterator<Item = (&str, String)> {
    query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (name, percent::decoded(&value.replace('+', " ")))
    })
}

/// Several names, with commas between.
pub fn names(word: &str, value: &str) -> Result<Vec<String>, Error> {
    let names: Vec<String> = value.split(',').map(str::to_owned).collect();
    if names.len() > MAX_NAMES {
        return Err(Error::invalid(word, format!("`{word}` may name at most {MAX_NAMES}.")));
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::{MAX_NAMES, names, pairs};

    #[test]
    fn queries_are_read_as_forms_write_them() {
        for (query, read) in [
            ("", &[][..]),
            ("&&", &[]),
            ("a=1&b=x%20y+z&&a=2", &[("a", "1"), ("b", "x y z"), ("a", "2")]),
            ("dry_run&a=b=c", &[("dry_run", ""), ("a", "b=c")]),
            ("a=%2B%26%", &[("a", "+&%")]),
        ] {
            let found: Vec<(&str, String)> = pairs(query).collect();
            assert_eq!(found.iter().map(|(name, value)| (*name, value.as_str())).collect::<Vec<_>>(), read, "{query}");
        }
    }

    #[test]
    fn lists_have_an_end() {
        assert_eq!(names("key", "a,,b").unwrap(), ["a", "", "b"]);
        assert!(names("key", &",".repeat(MAX_NAMES - 1)).is_ok());
        assert_eq!(names("key", &",".repeat(MAX_NAMES)).unwrap_err().param.as_deref(), Some("key"));
    }
}
