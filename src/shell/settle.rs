//! The end of a request, exactly once: also when the client leaves and the future that served it is dropped.

use std::{cell::RefCell, pin::Pin, rc::Rc};

use futures::{
    channel::oneshot,
    future::{Either, select},
};
use js_sys::Promise;
use worker::{Context, Env, wasm_bindgen_futures::JsFuture};

use super::{
    cache, clock, edge, health_object, isolate, sinks,
    till::{Gate, Pulse, Ticket},
};
use crate::{
    cache::Slot,
    config::Snapshot,
    error::Error,
    exchange::{
        Exchange, Lesson, Task,
        relay::{Ended, Relay},
    },
    ledger::record::{Early, Given, OWN_CREDENTIAL, Record},
    units::Millis,
};

/// Holds an exchange until it is settled. Dropping it settles: that is how a disconnect is noticed.
pub struct Settlement {
    exchange: Exchange,
    /// Its place in the ledger, until it is closed.
    ticket: Option<Ticket>,
    relay: Option<Rc<RefCell<Relay>>>,
    /// Its end, by sending or by dropping, wakes what `wait_until` holds.
    done: Option<oneshot::Sender<Following>>,
    /// Where a good answer is kept.
    slot: Option<(Slot, Env)>,
    /// Where lessons go that are not this isolate's to learn.
    lessons: Option<Lessons>,
}

pub type Lessons = Rc<RefCell<Vec<Lesson>>>;

/// What goes on after the response was returned.
pub type Following = Pin<Box<dyn Future<Output = ()>>>;

impl Settlement {
    pub fn hold((exchange, slot, ticket): (Exchange, Option<Slot>, Option<Ticket>), env: &Env, context: &Context) -> Self {
        let (done, settled) = oneshot::channel::<Following>();
        let slot = slot.map(|slot| (slot, env.clone()));
        let env = env.clone();
        let region = exchange.call().region.clone();
        let pulse = ticket.as_ref().map(Ticket::pulse);
        context.wait_until(async move {
            let life = async {
                if let Ok(following) = settled.await {
                    following.await;
                }
            };
            match pulse {
                Some(pulse) => {
                    alive(Box::pin(life), &pulse, (&env, &region)).await;
                    pulse.last(&env).await;
                }
                None => life.await,
            }
            sinks::flush(&env, &region).await;
        });
        Self { exchange, ticket, relay: None, done: Some(done), slot, lessons: None }
    }

    /// Of a request that is nobody's, with nothing to be done after it.
    pub fn apart(exchange: Exchange, lessons: Lessons) -> Self {
        let ticket = Ticket::apart(&exchange.call().payer.tenant, exchange.entry());
        Self { exchange, ticket: Some(ticket), relay: None, done: None, slot: None, lessons: Some(lessons) }
    }

    /// Works on the exchange, and tells health at once what it learned.
    pub fn exchange<T>(&mut self, work: impl FnOnce(&mut Exchange) -> T) -> T {
        let result = work(&mut self.exchange);
        self.learn(clock::now());
        result
    }

    /// The answer is a stream: settle when it is over.
    pub fn follow(mut self, relay: Rc<RefCell<Relay>>, over: Promise) {
        self.relay = Some(relay);
        if let Some(done) = self.done.take() {
            // Not received only if the runtime gave the request up; then the drop settles.
            drop(done.send(Box::pin(async move {
                // The helper's promise never fails; should the runtime end it, the drop settles all the same.
                drop(JsFuture::from(over).await);
                self.end_relay();
                self.finish().await;
            })));
        }
    }

    /// The answer is given, whole: it is stored after the response and never in its way, if it is one to be kept.
    pub fn end(mut self) {
        let done = self.done.take().filter(|_| self.slot.is_some());
        if let Some(done) = done {
            drop(done.send(Box::pin(self.finish())));
        }
    }

    /// Settles, and stores the answer if it is one to be kept.
    pub async fn finish(mut self) {
        let kept = self.slot.take().zip(self.exchange.take_kept());
        drop(self);
        if let Some(((slot, env), stored)) = kept {
            cache::keep(&env, &slot, &stored).await;
        }
    }

    fn end_relay(&mut self) {
        let now = clock::now();
        match self.relay.take().as_ref().map(|relay| relay.try_borrow_mut()) {
            Some(Ok(mut relay)) => {
                drop(relay.end(Ended::Gone, &[], 0));
                self.exchange.relayed(&mut relay, now);
            }
            // It died at its work, and never gave it back.
            Some(Err(_)) => self.exchange.trapped(),
            None => {}
        }
    }

    /// What must be there before anything of an answer goes out.
    pub fn gate(&self) -> Option<Gate> {
        self.ticket.as_ref().and_then(Ticket::gate)
    }

    /// What is to be told of a future that goes on when the response was returned.
    pub fn release(&mut self) -> Option<oneshot::Sender<Following>> {
        self.done.take()
    }

    pub fn restore(&mut self, done: Option<oneshot::Sender<Following>>) {
        self.done = done;
    }

    /// The stream that is passed on now, should the client leave.
    pub fn watch(&mut self, relay: Option<Rc<RefCell<Relay>>>) {
        self.relay = relay;
    }

    fn learn(&mut self, now: Millis) {
        let seed = self.exchange.call().seed;
        let lessons = self.exchange.take_lessons();
        if let Some(apart) = &self.lessons {
            return apart.borrow_mut().extend(lessons);
        }
        isolate::with_health(|health| {
            for lesson in lessons {
                match lesson {
                    Lesson::Signal(cell, signal) => health.report(&cell, signal, now, seed),
                    Lesson::Probed(cell, signal) => health.probed(&cell, signal, now, seed),
                    Lesson::Released(cell) => health.released(&cell, now),
                }
            }
        });
    }
}

/// A request that was refused before there was anything to exchange.
pub fn refused(env: &Env, context: &Context, (who, ticket): (Early, Option<Ticket>), error: &Error, config: &Snapshot) {
    let region = who.region.clone();
    let record = Record::refused(who, error, &config.version, clock::now());
    if let Some(ticket) = ticket {
        ticket.close(&record);
    }
    sinks::note(&record, &config.settings);
    let env = env.clone();
    context.wait_until(async move { sinks::flush(&env, &region).await });
}

/// An answer that was given from the cache.
pub fn given(
    env: &Env,
    context: &Context,
    (who, ticket): (Early, Ticket),
    (task, route, given): (Task, &str, Given),
    config: &Snapshot,
) {
    let region = who.region.clone();
    let record = Record::cached(who, task.name(), route, given, &config.version, clock::now());
    ticket.close(&record);
    sinks::note(&record, &config.settings);
    let env = env.clone();
    context.wait_until(async move { sinks::flush(&env, &region).await });
}

/// A call that was passed on as it came.
pub fn forwarded(env: &Env, context: &Context, (who, ticket): (Early, Option<Ticket>), answer: (&str, u16), config: &Snapshot) {
    let region = who.region.clone();
    let mut record = Record::forwarded(who, answer, &config.version, clock::now());
    let is_own = config.providers.get(answer.0).is_some_and(|provider| provider.own.is_some());
    record.credential = is_own.then_some(OWN_CREDENTIAL);
    if let Some(ticket) = ticket {
        ticket.close(&record);
    }
    sinks::note(&record, &config.settings);
    let env = env.clone();
    context.wait_until(async move { sinks::flush(&env, &region).await });
}

impl Drop for Settlement {
    fn drop(&mut self) {
        self.end_relay();
        let now = clock::now();
        self.exchange.close(now);
        self.learn(now);
        let record = self.exchange.record(now);
        if let Some(ticket) = self.ticket.take() {
            ticket.close(&record);
        }
        let note = if self.lessons.is_some() { sinks::keep } else { sinks::note };
        note(&record, self.exchange.settings());
    }
}

/// How often a ledger is told that a request is still under way.
const ALIVE_MS: u64 = 10_000;

/// While it lasts its ledger is told that it does.
async fn alive(mut life: Pin<Box<impl Future<Output = ()>>>, pulse: &Pulse, (env, region): (&Env, &str)) {
    loop {
        let nap = edge::Nap::begin(ALIVE_MS);
        match select(life.as_mut(), Box::pin(nap.over())).await {
            Either::Left(_) => return,
            Either::Right(_) => {}
        }
        // A probe is believed in as long as it is spoken of.
        if let Either::Left(((), telling)) = select(life.as_mut(), Box::pin(health_object::sync(env, region))).await {
            return telling.await;
        }
        // What it tells does not hold up the request, whose steps are taken by the same hand.
        match select(life.as_mut(), Box::pin(pulse.beat(env))).await {
            Either::Left(((), beat)) => return beat.await,
            Either::Right(_) => {}
        }
    }
}
