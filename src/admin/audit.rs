//! The operator's calls about the chains of audit entries: which chain, which part of it.

use crate::{
    audit::{Head, read_head, report::Page},
    error::Error,
    ledger::DEFAULT_TENANT,
    wire::{
        fields::{must_be, unknown},
        query::pairs,
    },
};

/// Entries of a page that names no number.
const PAGE: u64 = 100;
/// Entries of one page: about half a megabyte.
const MAX_PAGE: u64 = 1_000;
/// Bytes of a tenant's name, as in a key's entry.
const MAX_TENANT: usize = 200;

/// What a query says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    pub tenant: String,
    pub page: Page,
    /// All lines, as a stream.
    pub is_export: bool,
    /// A head that the caller kept, for the chain to be compared with.
    pub head: Option<Head>,
}

impl Question {
    pub fn read(query: &str) -> Result<Self, Error> {
        let mut asked =
            Self { tenant: DEFAULT_TENANT.to_owned(), page: Page { after: 0, limit: PAGE }, is_export: false, head: None };
        for (name, value) in pairs(query) {
            let number = || value.parse::<u64>().ok();
            match name {
                "tenant" if !value.is_empty() && value.len() <= MAX_TENANT => asked.tenant = value,
                "tenant" => return Err(must_be("tenant", "the name of a tenant, or @operator")),
                "after" => asked.page.after = number().ok_or_else(|| must_be("after", "the number of an entry"))?,
                "limit" => {
                    let limit = number().filter(|limit| (1..=MAX_PAGE).contains(limit));
                    asked.page.limit = limit.ok_or_else(|| must_be("limit", &format!("a number from 1 to {MAX_PAGE}")))?;
                }
                "format" if value == "jsonl" || value == "json" => asked.is_export = value == "jsonl",
                "format" => return Err(must_be("format", "json or jsonl")),
                "head" => asked.head = Some(read_head(&value).ok_or_else(|| must_be("head", "NUMBER-HASH of an entry"))?),
                _ => return Err(unknown(name)),
            }
        }
        Ok(asked)
    }
}

#[cfg(test)]
mod tests {
    use super::{MAX_TENANT, PAGE, Page, Question};
    use crate::audit::Head;

    #[test]
    fn queries_name_a_chain_and_a_part_of_it() {
        let usual = Question { tenant: "default".to_owned(), page: Page { after: 0, limit: PAGE }, is_export: false, head: None };
        let hash = "0".repeat(64);
        let head = Some(Head { seq: 7, hash: [0; 32] });
        for (query, asked) in [
            (String::new(), usual.clone()),
            ("tenant=%40operator&".to_owned(), Question { tenant: "@operator".to_owned(), ..usual.clone() }),
            ("after=7&limit=9".to_owned(), Question { page: Page { after: 7, limit: 9 }, ..usual.clone() }),
            ("format=jsonl".to_owned(), Question { is_export: true, ..usual.clone() }),
            (format!("head=7-{hash}"), Question { head, ..usual }),
        ] {
            assert_eq!(Question::read(&query), Ok(asked), "{query}");
        }
        let long = format!("tenant={}", "a".repeat(MAX_TENANT + 1));
        for query in ["tenant=", &long, "after=-1", "limit=0", "limit=1001", "limit=x", "format=csv", "head=7", "tenants=a"] {
            assert!(Question::read(query).is_err(), "{query}");
        }
    }
}
