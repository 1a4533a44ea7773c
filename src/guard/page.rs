//! Web pages: which may read answers, and that none makes an operator's browser call for it.

use crate::error::{Error, Kind};

/// A header to add.
pub type Header = (&'static str, String);

/// Seconds for which a browser need not ask again.
const MAX_AGE_S: &str = "600";
/// Every method that a path for callers takes.
const METHODS: &str = "GET, POST, PUT, PATCH, DELETE";

/// What an answer says to browsers, of pages that the operator listed: `origins`. None listed: nothing.
pub fn cors(origins: &[String], origin: Option<&str>) -> Vec<Header> {
    let exposed = ("access-control-expose-headers", "*".to_owned());
    if origins.iter().any(|listed| listed == "*") {
        return vec![("access-control-allow-origin", "*".to_owned()), exposed];
    }
    if origins.is_empty() {
        return vec![];
    }
    // Also where it is nobody's: a cache must not give one page's answer to another.
    let mut headers = vec![("vary", "origin".to_owned())];
    if let Some(origin) = origin.filter(|origin| origins.iter().any(|listed| listed == origin)) {
        headers.extend([("access-control-allow-origin", origin.to_owned()), exposed]);
    }
    headers
}

/// The answer to a browser that asks whether a page may send what it wants to send.
pub fn preflight(origins: &[String], origin: Option<&str>, asked: Option<&str>) -> Vec<Header> {
    let mut headers = cors(origins, origin);
    if headers.iter().any(|(name, _)| *name == "access-control-allow-origin") {
        // `*` does not cover `authorization`, so they are named: as asked, where that is a list of names.
        let is_list = |text: &&str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_, ".contains(&b));
        headers.push(("access-control-allow-headers", asked.filter(is_list).unwrap_or("*").to_owned()));
        headers.push(("access-control-allow-methods", METHODS.to_owned()));
        headers.push(("access-control-max-age", MAX_AGE_S.to_owned()));
    }
    headers
}

/// Refuses an administrative call that a page of another site has the browser make, and the forms such a page can send.
/// The token is in a header, which no page can add; this holds also where one has got hold of it. `own` is the origin that
/// the request came to.
pub fn check_operator_page(method: &str, own: &str, headers: &[(String, String)]) -> Result<(), Error> {
    let get = |name: &str| headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.trim());
    let (site, origin) = (get("sec-fetch-site"), get("origin"));
    let is_foreign = site.is_some_and(|site| !matches!(site, "same-origin" | "none"))
        || origin.is_some_and(|origin| !origin.eq_ignore_ascii_case(own));
    if is_foreign {
        return Err(Error::new(Kind::Forbidden, "Administrative calls are not taken from pages of other sites."));
    }
    if !matches!(method, "POST" | "PUT" | "PATCH") {
        return Ok(());
    }
    let content_type = get("content-type").unwrap_or_default().split(';').next().unwrap_or_default().trim();
    let is = |name: &str| content_type.eq_ignore_ascii_case(name);
    // What `curl -d` calls everything, unless told otherwise: from a browser it is a form.
    let is_form = is("application/x-www-form-urlencoded") && (site.is_some() || origin.is_some());
    if is_form || is("text/plain") || is("multipart/form-data") {
        return Err(Error::new(Kind::InvalidRequest, "Send `content-type: application/json`: forms are not taken here."));
    }
    Ok(())
}
