//! What an exchange tells: to the caller in headers, to health in signals, to the journal in a record.

use serde_json::{Map, Value};

use super::{
    Call, Exchange, Lesson, State, Task, forward,
    relay::Relay,
    reply::{Body, Reply, advice},
};
use crate::{
    cache::{HEADER, Standing},
    chat::event::UpstreamError,
    config::Settings,
    dialect::{Dialect, surface::Operation},
    error::{Blame, Error},
    ledger::{
        Receipt,
        counted::begun_ms,
        numbers,
        record::{HEDGE, OK, OWN_CREDENTIAL, Record, Try},
    },
    plan::{
        self, Attempt,
        health::Signal,
        outcome::{self, Outcome, Transport, Whose},
    },
    units::Millis,
    wire::name::{recorded, recorded_path, short},
};

/// What a plan was made of, as records keep it.
pub(super) type Inputs = Map<String, Value>;

impl Exchange {
    /// For the record: what the plan was made of.
    #[must_use]
    pub fn made_of(self, inputs: Inputs) -> Self {
        Self { inputs, ..self }
    }

    /// Every answer tells the caller how it stands.
    pub fn under_limits(&mut self, headers: Vec<(String, String)>) {
        self.limits = headers;
    }

    pub const fn call(&self) -> &Call {
        &self.call
    }

    /// The target that is being tried.
    pub fn attempt_now(&self) -> Option<&Attempt> {
        self.plan.attempts.get(self.attempt)
    }

    pub(super) fn note_try(&mut self, now: Millis, status: u16, outcome: &'static str) {
        let Some(attempt) = self.plan.attempts.get(self.attempt) else { return };
        let sent = self.current.sent;
        // An error inside a 200 may name no status of its own.
        let status = if status == 0 { self.current.head.as_ref().map_or(0, |head| head.status) } else { status };
        let hedge = if self.is_hedge() { HEDGE } else { "" };
        let noted = Try {
            provider: attempt.provider.clone(),
            model: attempt.model.clone(),
            reason: format!("{hedge}{}", attempt.reason),
            status,
            outcome,
            at_ms: sent.since(self.call.started),
            ms: now.since(sent),
            end_ms: None,
            wasted: self.wasted(outcome),
            credential: attempt.own.is_some().then_some(OWN_CREDENTIAL),
            number: self.current.number,
        };
        // In the order in which they were sent: of two at once the later one may end first.
        let place = self.tries.iter().position(|t| t.at_ms > noted.at_ms).unwrap_or(self.tries.len());
        self.tries.insert(place, noted);
    }

    /// How long some provider was waited for, until `last`: what overlaps counts once.
    fn upstream_ms(&self, last: u64) -> u64 {
        let add = |(sum, end): (u64, u64), t: &Try| {
            let after = t.at_ms.saturating_add(t.ms).min(last);
            (sum + after.saturating_sub(end.max(t.at_ms)), end.max(after))
        };
        self.tries.iter().fold((0, 0), add).0
    }

    /// The gateway's own time, of the `ms` until the answer began. A pause that a provider asked for is not.
    fn gateway_ms(&self, ms: u64) -> u64 {
        ms.saturating_sub(self.upstream_ms(ms)).saturating_sub(self.paused_ms)
    }

    /// The tries with the ends of the streams that they began: where the next one went on, or with the request.
    fn told_tries(&self, total_ms: u64) -> Vec<Try> {
        let mut tries = self.tries.clone();
        let mut end = total_ms;
        for t in tries.iter_mut().rev().filter(|t| t.outcome == OK && self.call.facts.stream) {
            t.end_ms = Some(end);
            end = t.at_ms;
        }
        tries
    }

    /// The try that served, or the last one.
    pub(super) fn decisive(&self) -> Option<&Try> {
        self.tries.iter().rfind(|t| t.outcome == OK).or(self.tries.last())
    }

    /// The target served.
    pub(super) fn learn_good(&mut self, signal: Signal) {
        let Some(cell) = self.attempt_now().map(Attempt::cell) else { return };
        self.tell(cell, signal);
    }

    /// What a failure means for health: only the provider's own does.
    pub(super) fn learn(&mut self, outcome: &Outcome, now: Millis) {
        let Some(attempt) = self.attempt_now() else { return };
        match outcome.effect().signal(now) {
            None => {
                let cell = attempt.cell();
                self.release(&cell);
            }
            Some((Whose::Model, signal)) => {
                let (cell, own) = (attempt.cell(), attempt.own_cell());
                match (own, signal) {
                    // A limit of the tenant's own account: others still may.
                    (Some(own), Signal::Cool { .. }) => {
                        self.tell(own, signal);
                        self.release(&cell);
                    }
                    _ => self.tell(cell, signal),
                }
            }
            // Another credential may finish the probe: it is given back when the target is left.
            Some((Whose::Credential, signal)) => {
                let credential = attempt.credential_cell(self.credential);
                self.tell(credential, signal);
            }
            Some((Whose::Place, signal)) => {
                let (cell, provider) = (attempt.cell(), attempt.provider.clone());
                if !self.call.colo.is_empty() {
                    self.tell(plan::place_cell(&provider, &self.call.colo), signal);
                }
                self.release(&cell);
            }
        }
    }

    fn tell(&mut self, cell: String, signal: Signal) {
        let count = self.probes.len();
        self.probes.retain(|probe| *probe != cell);
        let probed = self.probes.len() < count;
        self.lessons.push(if probed { Lesson::Probed(cell, signal) } else { Lesson::Signal(cell, signal) });
    }

    pub(super) fn release(&mut self, cell: &str) {
        if let Some(at) = self.probes.iter().position(|probe| probe == cell) {
            self.lessons.push(Lesson::Released(self.probes.remove(at)));
        }
    }

    /// Probes of targets that are not needed any more are others' to make.
    pub(super) fn release_rest(&mut self) {
        let here = self.attempt_now().map(Attempt::cell);
        let (kept, rest) = std::mem::take(&mut self.probes).into_iter().partition(|probe| here.as_ref() == Some(probe));
        self.probes = kept;
        let rest: Vec<String> = rest;
        self.lessons.extend(rest.into_iter().map(Lesson::Released));
    }

    /// What health should know by now; each lesson is given out once.
    pub fn take_lessons(&mut self) -> Vec<Lesson> {
        std::mem::take(&mut self.lessons)
    }

    /// The headers that say what was decided and done.
    pub(super) fn story(&self, now: Millis) -> Vec<(String, String)> {
        let mut headers =
            vec![("x-request-id".to_owned(), self.call.id.clone()), ("request-id".to_owned(), self.call.id.clone())];
        if let Some(id) = self.call.header("x-request-id") {
            headers.push(("x-client-request-id".to_owned(), short(id)));
        }
        headers.extend(self.traced(None));
        headers.push((HEADER.to_owned(), self.keeping.standing.name().to_owned()));
        headers.push(("x-portolan-route".to_owned(), self.plan.route.clone()));
        if let Some(attempt) = self.attempt_now() {
            headers.push(("x-portolan-provider".to_owned(), attempt.provider.clone()));
            headers.push(("x-portolan-model".to_owned(), attempt.model.clone()));
            headers.push(("x-portolan-reason".to_owned(), attempt.reason.to_string()));
        }
        if !self.tries.is_empty() {
            headers.push(("x-portolan-attempts".to_owned(), self.trail()));
        }
        if !self.dropped.is_empty() {
            headers.push(("x-portolan-dropped".to_owned(), dropped_text(&self.dropped)));
        }
        let (gateway, upstream) = (self.gateway_ms(now.since(self.call.started)), self.upstream_ms(u64::MAX));
        headers.push(("server-timing".to_owned(), format!("gateway;dur={gateway}, upstream;dur={upstream}")));
        headers.extend(self.limits.iter().cloned());
        headers.iter_mut().for_each(|(_, value)| clean(value));
        headers
    }

    /// `2; openai/gpt-5.4=503, anthropic/claude-opus-4-6=200`: each attempt with how its last try ended.
    fn trail(&self) -> String {
        let mut steps: Vec<(String, String)> = vec![];
        for t in &self.tries {
            let target = plan::cell(&t.provider, &t.model);
            let end = match t.status {
                // None, or one that says nothing of how it ended.
                0 | 200..300 if t.outcome != OK => t.outcome.to_owned(),
                status => status.to_string(),
            };
            match steps.last_mut() {
                Some((last, before)) if *last == target => *before = end,
                _ => steps.push((target, end)),
            }
        }
        let list: Vec<String> = steps.iter().map(|(target, end)| format!("{target}={end}")).collect();
        format!("{}; {}", steps.len(), list.join(", "))
    }

    /// The error as an answer in the caller's dialect, with the story so far.
    pub(super) fn refuse(&mut self, error: &Error, now: Millis) -> Reply {
        self.end_other(now);
        self.refusal = Some(error.clone());
        let mut headers = self.story(now);
        headers.push(("content-type".to_owned(), "application/json".to_owned()));
        headers.extend(advice(error));
        Reply { status: error.status, headers, body: Body::Text(self.error_text(error)) }
    }

    /// The caller may not go on, though there is a plan: nothing is sent.
    pub fn turn_away(&mut self, error: &Error, now: Millis) {
        let reply = self.refuse(error, now);
        self.state = State::Done(reply);
    }

    /// The stream is over: what health learns from its end.
    pub fn relayed(&mut self, relay: &mut Relay, now: Millis) {
        self.receipt = relay.receipt().clone();
        self.receipt.raw_usage = relay.raw_usage().and_then(numbers::of);
        if relay.has_trapped() {
            return self.trapped();
        }
        match relay.fault().cloned() {
            None => {
                self.keep_stream(relay, now);
                self.learn_good(Signal::Ok { first_ms: self.decisive().map_or(0, |t| t.ms) });
            }
            Some(outcome) => {
                self.learn(&outcome, now);
                self.last = Some(outcome);
            }
        }
    }

    /// Nothing more will happen. Without an answer by now, the client has left.
    pub fn close(&mut self, now: Millis) {
        let gone = outcome::of_transport(Transport::ClientGone);
        let left = self.both(|call| {
            if call.is_under_way() {
                call.note_try(now, gone.status, gone.name());
                call.owe();
            }
            !matches!(call.state, State::Over | State::Idle | State::Last)
        });
        if left {
            self.refusal = Some(gone.to_error("", &UpstreamError::default()));
            self.last = Some(gone);
        }
        for probe in std::mem::take(&mut self.probes) {
            self.lessons.push(Lesson::Released(probe));
        }
    }

    pub fn settings(&self) -> &Settings {
        &self.config.settings
    }

    /// What the caller got.
    fn status(&self) -> u16 {
        let is_begun = self.served_here || self.after.first_ms.is_some();
        let tried = || if is_begun { 200 } else { self.decisive().map_or(0, |t| t.status) };
        self.refusal.as_ref().map_or_else(tried, |error| error.status)
    }

    /// Whose fault it was that the caller got no whole answer.
    fn fault(&self) -> Option<Blame> {
        let told = self.refusal.as_ref().map(|error| error.blame);
        let told = told.or(self.after.trapped.then_some(Blame::Gateway));
        told.or_else(|| Some(self.last.as_ref()?.to_error("", &UpstreamError::default()).blame))
    }

    /// Whether the provider may keep the answer under its id: the caller has that id only when it got the answer as it was.
    fn keeps(&self) -> bool {
        let is_answer =
            self.call.dialect == Dialect::OpenAiResponses && self.attempt_now().is_some_and(|a| self.call.is_verbatim(a));
        // The caller has the id of the one that broke.
        is_answer && !self.after.spliced || self.call.task == Task::Operate(Operation::Video)
    }

    /// The plan, unless its only attempt is the one that the tries show.
    fn planned(&self) -> Vec<String> {
        let shows = self.plan.attempts.len() == 1 && !self.tries.is_empty();
        if shows { vec![] } else { self.plan.told() }
    }

    /// The one line this request is remembered by. Never content.
    pub fn record(&self, now: Millis) -> Record {
        let attempt = self.attempt_now();
        let spent = self.spent();
        let Receipt { raw_usage, model, id, malformed, .. } = self.receipt.clone();
        let trace = self.call.trace();
        let answered = self.served_here || self.decisive().is_some_and(|t| t.outcome == OK);
        let failed = self.last.as_ref().map(Outcome::name);
        let total_ms = now.since(self.call.started);
        let begun = begun_ms(&self.tries).filter(|_| self.call.facts.stream);
        Record {
            time: self.call.started,
            id: self.call.id.clone(),
            sampled: trace.is_sampled(),
            trace_id: trace.trace_id,
            span_id: trace.span_id,
            parent_span_id: trace.parent,
            client_request_id: self.call.header("x-request-id").map(recorded),
            key: self.call.payer.key.clone(),
            tenant: self.call.payer.tenant.clone(),
            dialect: self.call.dialect.name(),
            task: self.call.task.name(),
            asked: recorded(&self.call.facts.model),
            route: self.plan.route.clone(),
            rule: self.plan.rule.clone(),
            provider: attempt.map(|a| a.provider.clone()),
            model: attempt.map(|a| a.model.clone()),
            credential: attempt.filter(|a| a.own.is_some()).map(|_| OWN_CREDENTIAL),
            answered_by: model.map(|name| recorded(&name)),
            // Whole: it is looked for by those who may ask for it.
            response_id: id.filter(|id| self.keeps() && forward::is_id(id)),
            stream: self.call.facts.stream,
            cache: Some(self.keeping.standing).filter(|s| *s != Standing::Off).map(Standing::name),
            status: self.status(),
            outcome: failed.or(self.after.trapped.then_some("gateway")).unwrap_or(if answered { OK } else { "refused" }),
            fault: self.fault().map(Blame::name),
            detail: self.words.clone(),
            tries: self.told_tries(total_ms),
            plan: self.planned(),
            skipped: self.plan.skipped.iter().map(ToString::to_string).collect(),
            inputs: Some(self.inputs.clone()).filter(|inputs| !inputs.is_empty()),
            first_ms: self.after.first_ms.or(self.decisive().filter(|_| answered).map(|t| t.ms)),
            upstream_ms: self.upstream_ms(u64::MAX),
            gateway_ms: self.gateway_ms(begun.unwrap_or(total_ms)),
            waited_ms: self.paused_ms,
            total_ms,
            usage: spent.map(|spent| spent.usage),
            raw_usage,
            estimated: self.receipt.estimated || spent.is_some_and(|spent| spent.estimated),
            cost: spent.and_then(|spent| spent.cost),
            tier: spent.and_then(|spent| spent.tier.words()),
            dropped: self.dropped.iter().map(|path| recorded_path(path)).collect(),
            malformed,
            config: self.config.version.clone(),
            health: self.plan.health_version,
            region: self.call.region.clone(),
        }
    }
}

impl Call {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }
}

/// Characters of an error's name: the longest of any provider has 50.
const MAX_WORD: usize = 64;
/// Characters of the list of dropped fields in a header; the record has them all.
const MAX_DROPPED: usize = 1024;

/// The provider's own name for its error, where it is one: a message may repeat the prompt, and goes to the caller only.
pub(super) fn machine_word(error: &UpstreamError) -> Option<String> {
    let is_word =
        |text: &&String| text.len() <= MAX_WORD && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.:/".contains(&b));
    error.code.as_ref().filter(is_word).or(error.kind.as_ref().filter(is_word)).cloned()
}

fn dropped_text(dropped: &[String]) -> String {
    let text = dropped.join(", ");
    if text.len() <= MAX_DROPPED {
        return text;
    }
    format!("{}, …", text.chars().take(MAX_DROPPED).collect::<String>())
}

/// Header values are visible ASCII; anything else in a caller's or provider's name becomes a question mark.
pub(super) fn clean(value: &mut String) {
    if value.bytes().any(|b| !(b' '..=b'~').contains(&b)) {
        *value = value.chars().map(|c| if (' '..='~').contains(&c) { c } else { '?' }).collect();
    }
}
