//! Reports of spending, gathered from tenants' objects.

use futures::future::join_all;
use worker::{Env, web_sys::Response};

use super::{bindings, edge, head::Head, tenant_object};
use crate::{
    error::{Error, Kind},
    ledger::report::{Question, Report},
};

/// Tenants of one report that names none: each is a call, and a request may make a thousand.
const MAX_TENANTS: usize = 500;
/// Names of a page of KV's list, its most.
const PAGE: f64 = 1_000.0;
/// Objects that are asked at once.
const AT_ONCE: usize = 6;

pub async fn report(env: &Env, head: &Head) -> Result<Response, Error> {
    let question = Question::read(&head.query, head.started)?;
    let mut tenants = question.tenants().to_vec();
    if tenants.is_empty() {
        tenants = all(env).await?;
    }
    let mut report = Report::default();
    let path = format!("usage?{}", head.query);
    for tenants in tenants.chunks(AT_ONCE) {
        let answers = join_all(tenants.iter().map(|tenant| tenant_object::ask(env, tenant, &path, ""))).await;
        tenants.iter().zip(&answers).for_each(|(tenant, rows)| report.add(&question, tenant, rows.as_deref().ok()));
    }
    let headers = [("content-type".to_owned(), question.format.content_type().to_owned())];
    Ok(edge::response(200, &headers, &report.written(&question).into()))
}

/// Tenants that ever sent a request.
pub(super) async fn all(env: &Env) -> Result<Vec<String>, Error> {
    let failed = |error| Error::new(Kind::Internal, "The tenants could not be listed.").with_detail(error);
    let mut tenants = vec![];
    let mut cursor = String::new();
    loop {
        let (names, next) = bindings::names(env, tenant_object::LISTED, PAGE, &cursor).await.map_err(failed)?;
        tenants.extend(names.lines().filter_map(|name| name.strip_prefix(tenant_object::LISTED)).map(str::to_owned));
        if tenants.len() > MAX_TENANTS {
            let words = format!("There are more than {MAX_TENANTS} tenants: name some of them as `tenant=…`.");
            return Err(Error::invalid("tenant", words));
        }
        match next {
            Some(next) => cursor = next,
            None => return Ok(tenants),
        }
    }
}
