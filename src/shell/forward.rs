//! Calls that pass as they came: body and answer stream natively, and nobody looks inside.

use worker::{
    Context, Env,
    web_sys::{Request, Response},
};

use super::{
    cors, edge,
    head::Head,
    isolate::{self, Loaded},
    journal_object, own_keys,
    serve::{admit, caller_of, refuse, turn_away},
    settle, store,
    till::{Claim, Ticket},
};
use crate::{
    chat::event::UpstreamError,
    config::Snapshot,
    dialect::{Dialect, Endpoint, surface::Kept},
    error::Error,
    exchange::{
        self,
        forward::{self, Forward},
    },
    guard::Caller,
    ledger::{entry::Opening, record::Early},
    plan::{Wishes, outcome},
};

/// `/passthrough/{provider}/…`
pub async fn passthrough(
    request: &Request,
    env: &Env,
    context: &Context,
    head: &Head,
    (provider, path): (&str, &str),
) -> Response {
    let way = (Endpoint::Passthrough, Dialect::OpenAiChat, "passthrough");
    send(request, env, context, head, way, async |key: &Caller, config: &Snapshot| {
        key.permit_passthrough()?;
        forward::passthrough(config, provider, (path, &head.query), &head.headers)
    })
    .await
}

/// `/v1/responses/{id}…`, `/v1/videos/{id}…`
pub async fn stored(
    request: &Request,
    env: &Env,
    context: &Context,
    head: &Head,
    (what, id, rest): (Kept, &str, &str),
) -> Response {
    let way = (Endpoint::Stored, what.dialect(), what.name());
    send(request, env, context, head, way, async |key: &Caller, config: &Snapshot| {
        let owner = owner(env, id, key).await;
        forward::stored(config, (owner.as_deref(), key.is_owner()), (what, id, rest), &head.query, &head.headers)
    })
    .await
}

/// Longer than another isolate takes to tell the journal what it served.
const TOLD_MS: u64 = 1_500;

/// Who keeps a response for the caller's tenant: remembered here, or in the journal.
pub async fn owner(env: &Env, id: &str, key: &Caller) -> Option<String> {
    let tenant = key.payer().tenant;
    if let Some(provider) = isolate::owner(id, &tenant) {
        return Some(provider);
    }
    if !forward::is_id(id) {
        return None;
    }
    let found = journal_object::owner(env, &tenant, id).await.ok()?;
    let found = forward::keeper(&found, &tenant);
    if found.is_some() || key.is_owner() {
        return found;
    }
    // Who may not guess is not refused what was only just said; a guess costs this time too, whosever the id is.
    edge::pause(TOLD_MS).await;
    forward::keeper(&journal_object::owner(env, &tenant, id).await.ok()?, &tenant)
}

async fn send(
    request: &Request,
    env: &Env,
    context: &Context,
    head: &Head,
    (endpoint, dialect, what): (Endpoint, Dialect, &'static str),
    plan: impl AsyncFnOnce(&Caller, &Snapshot) -> Result<Forward, Error>,
) -> Response {
    let loaded = store::current(env, context, &head.region, head.started).await;
    let permitted = |key: &Caller| key.permit_all().and_then(|()| key.enter(endpoint, None));
    let response = match admit(env, head).await.and_then(|key| permitted(&key).map(|()| key)) {
        Ok(key) => sent(request, env, context, (head, &loaded, key), (endpoint, dialect, what), plan).await,
        Err(error) => refuse(caller_of(dialect), &error, &head.id),
    };
    cors::with_cors(response, &loaded, head.header("origin"))
}

async fn sent(
    request: &Request,
    env: &Env,
    context: &Context,
    (head, loaded, key): (&Head, &Loaded, Caller),
    (endpoint, dialect, what): (Endpoint, Dialect, &'static str),
    plan: impl AsyncFnOnce(&Caller, &Snapshot) -> Result<Forward, Error>,
) -> Response {
    let theirs = own_keys::theirs(env, context, loaded.clone(), key.tenant.as_deref(), head.started).await;
    let loaded = match theirs {
        Ok(loaded) => loaded,
        Err(error) => return refuse(caller_of(dialect), &error, &head.id),
    };
    let config = &loaded.snapshot;
    let zdr = key.zdr || config.settings.policy.zdr == Some(true);
    let permitted = Wishes::besides(&[], &head.headers)
        .and_then(|wishes| forward::permit(&head.method, endpoint == Endpoint::Stored, wishes.strictly(zdr).zdr));
    let early = Early {
        id: head.id.clone(),
        trace: head.trace(),
        time: head.started,
        dialect,
        payer: key.payer(),
        asked: what.to_owned(),
        region: head.region.clone(),
        unplanned: None,
    };
    let planned = match permitted {
        Ok(()) => plan(&key, config).await.and_then(|forward| key.permit_provider(&forward.provider).map(|()| forward)),
        Err(error) => Err(error),
    };
    let (mut ticket, mut standing) = (None, vec![]);
    let called = match planned {
        Ok(forward) => {
            let opening = || Opening::passed(&head.id, head.started, &early.payer, (what, &forward.provider));
            let claim = Claim { key: &key, payer: &early.payer, user: None, dialect, config };
            let is_priced = forward.is_free(config, endpoint == Endpoint::Stored, &head.method);
            let admitted = claim.admit(env, context, opening, || (opening(), is_priced)).await;
            standing = admitted.1;
            match placed(env, admitted.0, &mut ticket).await {
                Ok(()) => {
                    call(request, &forward, config.settings.timeouts.total_ms).await.map(|(call, answer)| (forward, call, answer))
                }
                Err(error) => Err(error),
            }
        }
        Err(error) => Err(error),
    };
    match called {
        Ok((forward, call, answer)) => {
            settle::forwarded(env, context, (early, ticket), (&forward.provider, answer.status), config);
            let mut headers = forward::answered(&answer.headers);
            headers.extend([("x-request-id", &head.id), ("x-portolan-provider", &forward.provider)].map(own));
            headers.extend(standing);
            edge::response(answer.status, &headers, &call.body())
        }
        Err(error) => {
            settle::refused(env, context, (early, ticket), &error, config);
            turn_away(caller_of(dialect), &error, &head.id, standing)
        }
    }
}

/// What is not the gateway's to read is only sent once its ledger has its beginning.
async fn placed(env: &Env, admitted: Result<Ticket, Error>, ticket: &mut Option<Ticket>) -> Result<(), Error> {
    let gate = ticket.insert(admitted?).gate();
    match gate {
        Some(gate) => gate.pass(env).await,
        None => Ok(()),
    }
}

async fn call(request: &Request, forward: &Forward, total_ms: u64) -> Result<(edge::Call, exchange::Head), Error> {
    let call = edge::Call::new(request);
    let answered = call.forward(request, &forward.url, &forward.headers, total_ms).await;
    let told = |transport| outcome::of_transport(transport).to_error(&forward.provider, &UpstreamError::default());
    let answer = answered.map_err(told)?;
    if let Err(error) = forward::check(forward, answer.status) {
        call.cancel();
        return Err(error);
    }
    Ok((call, answer))
}

fn own((name, value): (&str, &String)) -> (String, String) {
    (name.to_owned(), value.clone())
}
