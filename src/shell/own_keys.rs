//! Tenants' own keys for providers: sealed on their way in, opened for the requests of their tenant, never told.

use std::{collections::HashMap, rc::Rc};

use js_sys::Uint8Array;
use worker::{Context, Env, console_error};

use super::{
    bindings, clock,
    crypt::{self, Locked, Purpose},
    isolate::{self, Loaded},
    tenant_object,
};
use crate::{
    config::{
        OwnKey, Snapshot, fingerprint,
        own_entry::{self, Stored},
    },
    error::{Error, Kind},
    units::Millis,
};

/// How long they are used before KV is asked again, also where there are none.
const FRESH_MS: u64 = 30_000;
/// After so long without a request the next one waits for KV, rather than go by what was long ago.
const STALE_MS: u64 = 300_000;
/// Tenants remembered; one without keys is some dozens of bytes, one with keys a table of providers.
const MAX_TENANTS: usize = 512;
/// Times that a tenant's entry is written to KV when others edit it at the same time.
const MAX_WRITES: usize = 3;

/// What an isolate knows of one tenant.
#[derive(Clone)]
pub struct Known {
    keys: Rc<Vec<OwnKey>>,
    /// The operator's configuration with them; of the base it was made of.
    made: Option<(Rc<Snapshot>, Rc<Snapshot>)>,
    /// When KV was asked last, and when it answered last.
    asked: Millis,
    at: Millis,
}

pub type Tenants = HashMap<String, Known>;

/// The configuration as the tenant has it. Without a tenant, or for one without keys of its own, it is the operator's.
pub async fn theirs(env: &Env, context: &Context, loaded: Loaded, tenant: Option<&str>, now: Millis) -> Result<Loaded, Error> {
    let Some(tenant) = tenant else { return Ok(loaded) };
    let known = isolate::with(|i| i.tenants.borrow().get(tenant).map(|known| (now.since(known.asked), now.since(known.at))));
    match known {
        Some((0..FRESH_MS, _)) => {}
        Some((_, 0..STALE_MS)) => {
            // Stamped before the answer is there, so that one request a period asks.
            isolate::with(|i| {
                if let Some(known) = i.tenants.borrow_mut().get_mut(tenant) {
                    known.asked = now;
                }
            });
            let (env, tenant) = (env.clone(), tenant.to_owned());
            context.wait_until(async move {
                if let Err(error) = fetch(&env, &tenant, clock::now()).await {
                    console_error!("own keys of a tenant: {}", error.message);
                }
            });
        }
        Some(_) | None => fetch(env, tenant, now).await?,
    }
    let snapshot = isolate::with(|i| {
        let mut tenants = i.tenants.borrow_mut();
        let known = tenants.get_mut(tenant).filter(|known| !known.keys.is_empty())?;
        if let Some((base, made)) = &known.made
            && Rc::ptr_eq(base, &loaded.snapshot)
        {
            return Some(Rc::clone(made));
        }
        let made = Rc::new(loaded.snapshot.with_own(&known.keys));
        known.made = Some((Rc::clone(&loaded.snapshot), Rc::clone(&made)));
        Some(made)
    });
    Ok(Loaded { snapshot: snapshot.unwrap_or_else(|| Rc::clone(&loaded.snapshot)), ..loaded })
}

/// Reads and opens a tenant's keys. Where they cannot be read nothing is guessed: the operator's money is not the tenant's.
async fn fetch(env: &Env, tenant: &str, now: Millis) -> Result<(), Error> {
    let away = |detail: String| {
        Error::new(Kind::Unavailable, "Your own keys cannot be read at the moment: try again.").with_detail(detail)
    };
    let entry = bindings::value(env, &own_entry::entry_name(tenant)).await.map_err(away)?;
    let mut keys = vec![];
    for stored in own_entry::read(entry.as_deref())? {
        keys.push(opened(env, tenant, stored).await.map_err(|locked| away(locked.to_string()))?);
    }
    isolate::with(|i| {
        let mut tenants = i.tenants.borrow_mut();
        if tenants.len() >= MAX_TENANTS {
            tenants.clear();
        }
        tenants.insert(tenant.to_owned(), Known { keys: Rc::new(keys), made: None, asked: now, at: now });
    });
    Ok(())
}

async fn opened(env: &Env, tenant: &str, stored: Stored) -> Result<OwnKey, Locked> {
    let Stored { provider, sealed, fingerprint: print, .. } = stored;
    let associated = own_entry::associated(tenant, &provider);
    match crypt::open(env, Purpose::TenantKeys, &associated, &Uint8Array::from(sealed.as_slice())).await {
        Ok(bytes) => {
            let key = String::from_utf8(bytes.to_vec()).unwrap_or_default();
            Ok(OwnKey { fingerprint: fingerprint(tenant, &provider, &key), provider, value: Some(key) })
        }
        // It may be there again in a moment.
        Err(Locked::Unreadable) => Err(Locked::Unreadable),
        Err(locked @ (Locked::NoSecret | Locked::Foreign)) => {
            console_error!("the own key {print} for {provider} cannot be opened: {locked}");
            Ok(OwnKey { provider, fingerprint: print, value: None })
        }
    }
}

/// What may be known of a tenant's keys.
pub async fn list(env: &Env, tenant: &str) -> Result<String, Error> {
    own_entry::check_tenant(tenant)?;
    let entry = ask(env, tenant, "").await?;
    Ok(own_entry::listed(tenant, &own_entry::read(Some(&entry))?))
}

/// Seals a key and stores it in place of the one before.
pub async fn set(
    env: &Env,
    config: &Snapshot,
    (tenant, provider): (&str, &str),
    body: &str,
    now: Millis,
) -> Result<String, Error> {
    own_entry::check_tenant(tenant)?;
    let provider = config.own_key_provider(provider)?;
    let key = own_entry::key_of(body)?;
    config.check_own_key(provider, &key)?;
    let associated = own_entry::associated(tenant, provider);
    let sealed = crypt::seal(env, Purpose::TenantKeys, &associated, &Uint8Array::from(key.as_bytes())).await;
    let sealed = sealed.map_err(|locked| Error::new(Kind::Unavailable, locked.to_string()))?.to_vec();
    let stored = Stored { provider: provider.to_owned(), sealed, fingerprint: fingerprint(tenant, provider, &key), set: now };
    edit(env, tenant, &own_entry::edit(provider, Some(&stored))).await
}

/// Takes a key away. One that is not there is no error: it is away.
pub async fn drop(env: &Env, config: &Snapshot, (tenant, provider): (&str, &str)) -> Result<String, Error> {
    own_entry::check_tenant(tenant)?;
    // One of a provider that the documents no longer name, too.
    let provider = config.own_key_provider(provider).unwrap_or(provider);
    edit(env, tenant, &own_entry::edit(provider, None)).await
}

/// Edits in the tenant's object, then brings KV to what stands there: of two edits at once the later one is written last.
async fn edit(env: &Env, tenant: &str, edit: &str) -> Result<String, Error> {
    let mut entry = ask(env, tenant, edit).await?;
    for _ in 0..MAX_WRITES {
        let written = bindings::put(env, &own_entry::entry_name(tenant), &entry).await;
        written.map_err(|error| Error::new(Kind::Unavailable, format!("KV took no edit, do the same again: {error}")))?;
        let now = ask(env, tenant, "").await?;
        if now == entry {
            break;
        }
        entry = now;
    }
    isolate::with(|i| i.tenants.borrow_mut().remove(tenant));
    Ok(own_entry::listed(tenant, &own_entry::read(Some(&entry))?))
}

async fn ask(env: &Env, tenant: &str, edit: &str) -> Result<String, Error> {
    let answer = tenant_object::ask(env, tenant, tenant_object::OWN_KEYS, edit).await;
    answer.map_err(|error| Error::new(Kind::Unavailable, format!("The tenant's object could not be asked: {error}")))
}
