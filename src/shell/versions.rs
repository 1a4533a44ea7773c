//! The texts that documents had: told to the operator's object, and asked of it.

use worker::{Env, console_error, web_sys::Response};

use super::{
    admin::told,
    admin_write::{learn, shown, unstored},
    clock,
    head::Head,
    isolate, store, tenant_object,
};
use crate::{
    admin::versions::{self, Asked},
    audit::OPERATOR,
    config::Documents,
    error::{Blame, Error, Kind},
};

/// Documents that are in force now. What cannot be told is told with the next change.
pub async fn note(env: &Env, replaced: Option<&Documents>, current: &Documents) {
    let is_ours = |name: &str, text: &str| isolate::with(|i| i.news.borrow().text(name).flatten().as_deref() == Some(text));
    let Some(items) = versions::news(replaced, current, is_ours, clock::now()) else { return };
    if let Err(error) = tenant_object::ask(env, OPERATOR, "versions/note", &items).await {
        console_error!("the operator's object could not be told of the documents in force: {error}");
    }
}

/// `GET /admin/v1/config/versions`
pub async fn list(env: &Env, head: &Head) -> Response {
    let found = async {
        let asked = Asked::read(&head.query, &["document"])?;
        let current = current(env, head).await?;
        let rows = ask(env, "list", asked.document).await?;
        Ok(versions::listed(&rows, current.text(asked.document)))
    };
    told(found.await)
}

/// `GET /admin/v1/config/versions/{version}`
pub async fn show(env: &Env, head: &Head, version: &str) -> Response {
    let found = async {
        let asked = Asked::read(&head.query, &["document"])?;
        text(env, asked.document, version).await
    };
    shown(found.await)
}

/// `GET /admin/v1/config/versions/{version}/diff`
pub async fn diff(env: &Env, head: &Head, version: &str) -> Response {
    let found = async {
        let asked = Asked::read(&head.query, &["document", "against"])?;
        let (is, _) = text(env, asked.document, version).await?;
        let (from, was) = if asked.is_against_current() {
            (asked.against, current(env, head).await?.text(asked.document).map(str::to_owned))
        } else {
            let before = match asked.against {
                Some(against) => against,
                None => ask(env, "before", &format!("{}\n{version}", asked.document)).await?,
            };
            if before.is_empty() {
                (None, None)
            } else {
                let text = text(env, asked.document, &before).await?.0;
                (Some(before), Some(text))
            }
        };
        Ok(versions::diff(asked.document, (from.as_deref(), was.as_deref()), (version, &is)))
    };
    told(found.await)
}

/// The text of a version, with its tag.
pub async fn text(env: &Env, document: &str, version: &str) -> Result<(String, String), Error> {
    versions::shown(ask(env, "text", &format!("{document}\n{version}")).await?)
}

async fn current(env: &Env, head: &Head) -> Result<Documents, Error> {
    learn(env, head).await;
    store::documents(env).await.map_err(|error| unstored(&error))
}

async fn ask(env: &Env, what: &str, message: &str) -> Result<String, Error> {
    let answer = tenant_object::ask(env, OPERATOR, &format!("versions/{what}"), message).await;
    answer.map_err(|error| {
        let words = format!("The object that keeps versions does not answer: {error}. Try again.");
        Error::new(Kind::Unavailable, words).with_blame(Blame::Gateway)
    })
}
