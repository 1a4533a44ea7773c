//! One request with a body, from its head to the answer that goes out.

use std::{cell::RefCell, rc::Rc};

use serde_json::{Map, Value};
use wasm_bindgen::JsValue;
use worker::{
    Context, Env,
    web_sys::{Request, Response},
};

use super::{
    cache, clock, cors,
    drive::{self, Ways},
    edge, forward,
    head::Head,
    health_object,
    isolate::{self, Loaded},
    outlet, own_keys,
    serve::{admit, caller_of, conclude, refuse},
    settle::{self, Settlement},
    store,
    till::{self, Ticket},
};
use crate::{
    cache::Slot,
    config::Snapshot,
    dialect::{Caller, Dialect, Endpoint, Facts, surface::Place},
    error::{Error, Kind},
    exchange::{Call, Exchange, Task, operate, reply},
    features::{self, Features},
    guard,
    ledger::{
        Payer,
        record::{Early, Unplanned},
    },
    plan::{self, Ask, KeyHolder, Plan, Wishes},
    units::Millis,
    wire::json::Outline,
};

/// What is to be done with a request's body.
pub struct Job {
    pub dialect: Dialect,
    pub task: Task,
    pub place: Place,
}

pub async fn answer(request: &Request, env: &Env, context: &Context, head: Head, job: Job) -> Response {
    let loaded = store::current(env, context, &head.region, head.started).await;
    let origin = cors::origin(&head);
    let endpoint = match job.task {
        Task::Generate => Endpoint::generate(job.dialect),
        Task::Operate(operation) => Endpoint::operate(operation),
    };
    let response = match admit(env, &head).await.and_then(|key| key.enter(endpoint, Some(job.dialect)).map(|()| key)) {
        Ok(key) => match own_keys::theirs(env, context, loaded.clone(), key.tenant.as_deref(), head.started).await {
            Ok(loaded) => admitted(request, env, context, &loaded, (head, job, key)).await,
            Err(error) => refuse(caller_of(job.dialect), &error, &head.id),
        },
        // Not in the journal: anybody could fill it.
        Err(error) => refuse(caller_of(job.dialect), &error, &head.id),
    };
    cors::with_cors(response, &loaded, origin.as_deref())
}

async fn admitted(
    request: &Request,
    env: &Env,
    context: &Context,
    loaded: &Loaded,
    (head, job, key): (Head, Job, guard::Caller),
) -> Response {
    let Job { dialect, task, place } = job;
    let content_type = head.header("content-type").unwrap_or_default();
    let limits = (loaded.snapshot.settings.max_body_bytes, content_type);
    let read = read(request, (dialect, task, &place), limits, &head.headers).await;
    let read = read.and_then(|read| Ok(Read { wishes: read.wishes.within(key.overrides)?.strictly(key.zdr), ..read }));
    let read = match read {
        Ok(read) => read,
        Err(error) => return refused((env, context), loaded, (head, key, dialect), String::new(), (error, None)),
    };
    let owner = match &read.facts.continues {
        Some(id) => forward::owner(env, id, &key).await,
        None => None,
    };
    let looked =
        cache::look(env, &loaded.snapshot, (&head, &key), (dialect, task), (&read.facts, &read.wishes, &read.bytes)).await;
    let slot = match looked {
        Ok((_, Some(stored))) => {
            let Read { facts, wishes, .. } = read;
            return cache::give((env, context), &loaded.snapshot, (head, key), (dialect, task), (facts, wishes, stored)).await;
        }
        Ok((slot, None)) => slot,
        Err(error) => return refused((env, context), loaded, (head, key, dialect), read.facts.model, (error, None)),
    };
    let planned = planned(env, loaded, (&head, &key), (dialect, task), (&read, owner.as_deref())).await;
    let (plan, inputs, held_ms) = match planned {
        Ok(planned) => planned,
        Err(unplanned) => return refused((env, context), loaded, (head, key, dialect), read.facts.model, unplanned),
    };
    if plan.probes().next().is_some() {
        health_object::tell(env, context, &head.region);
    }
    let Read { body, bytes, facts, .. } = read;
    let call = call(head, (dialect, task), facts, bytes, key.payer());
    let mut exchange = Exchange::new(call, Rc::clone(&loaded.snapshot), plan).made_of(inputs);
    exchange.held(held_ms);
    if let Some(slot) = &slot {
        exchange = exchange.missed(slot);
    }
    let (admitted, standing) = till::admit(env, context, &exchange, &key, &loaded.snapshot).await;
    exchange.under_limits(standing);
    let ticket = admitted.inspect_err(|error| exchange.turn_away(error, clock::now())).ok();
    run(request, env, context, (exchange, slot, ticket), &body).await
}

fn call(head: Head, (dialect, task): (Dialect, Task), facts: Facts, body: Vec<u8>, payer: Payer) -> Call {
    let Head { headers, id, seed, started, region, colo, .. } = head;
    let caller = caller_of(dialect);
    Call { id, dialect, task, caller, facts, body: Rc::new(body), headers, started, seed, payer, region, colo }
}

/// There is nothing to exchange: noted, and answered.
fn refused(
    (env, context): (&Env, &Context),
    loaded: &Loaded,
    (head, key, dialect): (Head, guard::Caller, Dialect),
    asked: String,
    (error, unplanned): (Error, Option<Unplanned>),
) -> Response {
    let trace = head.trace();
    let Head { id, started, region, .. } = head;
    let who = Early { id: id.clone(), trace, time: started, dialect, payer: key.payer(), asked, region, unplanned };
    settle::refused(env, context, (who, None), &error, &loaded.snapshot);
    refuse(caller_of(dialect), &error, &id)
}

/// What to try, and how long the request was held for it to be there.
async fn planned(
    env: &Env,
    loaded: &Loaded,
    (head, key): (&Head, &guard::Caller),
    (dialect, task): (Dialect, Task),
    (read, owner): (&Read, Option<&str>),
) -> Result<(Plan, Inputs, u64), (Error, Option<Unplanned>)> {
    let unplanned = |(error, inputs): (Error, Option<Inputs>)| {
        let unplanned = |inputs| Unplanned { task: task.name(), stream: read.facts.stream, inputs };
        (error, inputs.map(unplanned))
    };
    reply::check_continues(&read.facts, owner.is_some(), key.is_owner()).map_err(|error| (error, None))?;
    let features = features(caller_of(dialect), read, &loaded.snapshot).filter(|_| task == Task::Generate);
    let operation = match task {
        Task::Generate => None,
        Task::Operate(operation) => Some(operation),
    };
    let ask = Ask {
        owner,
        operation,
        features: features.as_ref(),
        origin: head.origin(),
        key: KeyHolder { name: &key.name, tags: &key.tags, providers: key.providers.as_deref() },
        headers: &head.headers,
        wishes: &read.wishes,
        ..Ask::generate(dialect, &read.facts)
    };
    let (mut plan, mut inputs) = plan(ask, loaded, (head, head.started), key).map_err(unplanned)?;
    let mut held_ms = 0;
    while let Some(wait) = plan.wait {
        let pause = wait.pause(head.started, clock::now()).map_err(|error| unplanned((error, Some(inputs.clone()))))?;
        edge::pause(pause).await;
        // Not on the way of a request that could be served.
        health_object::sync(env, &head.region).await;
        let now = clock::now();
        held_ms = now.since(head.started);
        (plan, inputs) = self::plan(ask, loaded, (head, now), key).map_err(unplanned)?;
    }
    Ok((plan, inputs, held_ms))
}

/// A body: kept in JS for sending, copied once for reading.
struct Read {
    body: JsValue,
    bytes: Vec<u8>,
    facts: Facts,
    wishes: Wishes,
}

async fn read(
    request: &Request,
    (dialect, task, place): (Dialect, Task, &Place),
    (limit, content_type): (u64, &str),
    headers: &[(String, String)],
) -> Result<Read, Error> {
    reply::check_encoding(headers)?;
    let body = edge::read_body(request, limit).await.ok_or_else(|| {
        let hint = "Send files as URLs or ids, or raise `max_body_bytes` in `settings`.";
        Error::new(Kind::TooLarge, format!("The body is larger than {limit} bytes. {hint}"))
    })?;
    let bytes = body.to_vec();
    let (facts, wishes) = match task {
        Task::Generate => {
            let outline = Outline::read(&bytes)?;
            (caller_of(dialect).facts(&outline)?, Wishes::read(&outline, headers)?)
        }
        Task::Operate(operation) => {
            (operate::facts(operation, dialect, &bytes, content_type)?, Wishes::besides(&bytes, headers)?)
        }
    };
    let facts = place.fill(facts);
    Ok(Read { body: body.into(), bytes, facts, wishes })
}

/// Of a body that cannot be read there are none; a target of its own dialect may take it all the same.
fn features(caller: &dyn Caller, read: &Read, config: &Snapshot) -> Option<Features> {
    if !plan::needs_features(&read.facts, &read.wishes, config, &read.bytes) {
        return None;
    }
    let text = std::str::from_utf8(&read.bytes).ok()?;
    caller.read_request(text).ok().map(|request| features::of(&request.value))
}

type Inputs = Map<String, Value>;

type Planned = Result<(Plan, Inputs), (Error, Option<Inputs>)>;

/// The plan, and what it was made of; that also where there is none, unless it was not asked for.
fn plan(ask: Ask<'_>, loaded: &Loaded, (head, now): (&Head, Millis), key: &guard::Caller) -> Planned {
    let config = &loaded.snapshot;
    key.permit_each(ask.named(), config).map_err(|error| (error, None))?;
    isolate::with_health(|health| {
        let view = health.view(now);
        let planned = plan::plan(ask, config, &view, now, head.seed);
        let mut inputs = plan::inputs::keep(ask, config, &view, planned.as_ref());
        plan::inputs::keep_held(&mut inputs, now.since(head.started));
        let plan = match planned {
            Ok(plan) => plan,
            Err(error) => return Err((error, Some(inputs))),
        };
        // In the same breath as the view that held the permits, so that they are still there.
        for cell in plan.probes() {
            health.take_probe(&cell, now);
        }
        Ok((plan, inputs))
    })
}

async fn run(
    request: &Request,
    env: &Env,
    context: &Context,
    (exchange, slot, ticket): (Exchange, Option<Slot>, Option<Ticket>),
    body: &JsValue,
) -> Response {
    let is_patient = exchange.is_patient();
    let settlement = RefCell::new(Settlement::hold((exchange, slot, ticket), env, context));
    if is_patient {
        return outlet::patient(request, env, settlement, body).await;
    }
    let driven = drive::begin(Ways { request, env, body, settlement: &settlement }).await;
    conclude(request, env, settlement.into_inner(), driven)
}
