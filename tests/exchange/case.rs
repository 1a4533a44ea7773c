//! A request, and the world it comes into.

use portolan::sorted::SortedMap;
use std::rc::Rc;

use portolan::{
    cache::Slot,
    config::{self, Documents, OnStreamBreak, Snapshot},
    dialect::{
        Dialect, Facts,
        surface::{Operation, Place},
    },
    error::Error,
    exchange::{Call, Exchange, Task, operate},
    plan::{self, Ask, Plan, Wishes, health::View},
    units::Millis,
    wire::json::Outline,
};

pub const START: Millis = Millis(1_800_000_000_000);

const PROVIDERS: &str = include_str!("../fixtures/exchange/providers.json");
const SECRETS: [&str; 9] = [
    "ALPHA_KEY",
    "BETA_KEY",
    "GAMMA_KEY",
    "GEMINI_API_KEY",
    "PAIR_KEY_1",
    "PAIR_KEY_2",
    "TRIO_KEY_1",
    "TRIO_KEY_2",
    "TRIO_KEY_3",
];

/// The gateway with three houses: `alpha` and `beta` speak OpenAI's, `gamma` Anthropic's; `pair` has two credentials, `trio` three and
/// `crowd` six.
pub fn gateway(routes: &str, settings: &str) -> Rc<Snapshot> {
    let secrets: SortedMap<_, _> = SECRETS.iter().map(|name| ((*name).to_owned(), format!("value-of-{name}"))).collect();
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let documents =
        Documents { providers: some(PROVIDERS), routes: some(routes), settings: some(settings), ..Documents::default() };
    Rc::new(config::build(&documents, &secrets).unwrap())
}

/// A request and the world it comes into.
#[derive(Clone)]
pub struct Case {
    pub config: Rc<Snapshot>,
    pub dialect: Dialect,
    pub task: Task,
    /// What the path says of it.
    pub place: Place,
    pub body: String,
    pub headers: Vec<(String, String)>,
    pub health: View,
    pub seed: u64,
    /// The client leaves then, milliseconds after it came.
    pub leaves_at: Option<u64>,
    /// The wasm instance dies once so many bytes were relayed.
    pub traps_after: Option<usize>,
    pub on_break: OnStreamBreak,
    /// Where its answer may be kept.
    pub slot: Option<Slot>,
}

impl Case {
    pub fn of(dialect: Dialect, model: &str, stream: bool) -> Self {
        Self::with(gateway("", ""), dialect, model, stream)
    }

    pub fn with(config: Rc<Snapshot>, dialect: Dialect, model: &str, stream: bool) -> Self {
        let body = format!(
            r#"{{"model":"{model}","max_tokens":100,"stream":{stream},"messages":[{{"role":"user","content":"Hello"}}]}}"#
        );
        Self {
            config,
            dialect,
            task: Task::Generate,
            place: Place::default(),
            body,
            headers: vec![],
            health: View::default(),
            seed: 7,
            leaves_at: None,
            traps_after: None,
            on_break: OnStreamBreak::Error,
            slot: None,
        }
    }

    pub fn chat(model: &str) -> Self {
        Self::of(Dialect::OpenAiChat, model, false)
    }

    pub fn chat_stream(model: &str) -> Self {
        Self::of(Dialect::OpenAiChat, model, true)
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn body(mut self, body: &str) -> Self {
        body.clone_into(&mut self.body);
        self
    }

    /// Asks for something else than text.
    pub fn operation(operation: Operation, dialect: Dialect, body: &str) -> Self {
        Self { task: Task::Operate(operation), ..Self::with(gateway("", ""), dialect, "", false).body(body) }
    }

    /// The same in a body of this type.
    pub fn operation_of(operation: Operation, dialect: Dialect, body: &str, content_type: &str) -> Self {
        Self::operation(operation, dialect, body).header("content-type", content_type)
    }

    fn facts(&self) -> Facts {
        let of_type = self.headers.iter().find(|(name, _)| *name == "content-type").map_or("", |(_, value)| value);
        self.place.fill(match self.task {
            Task::Generate => self.dialect.caller().unwrap().facts(&Outline::read(self.body.as_bytes()).unwrap()).unwrap(),
            Task::Operate(operation) => operate::facts(operation, self.dialect, self.body.as_bytes(), of_type).unwrap(),
        })
    }

    pub fn plan(&self) -> Plan {
        self.try_plan().unwrap()
    }

    pub fn try_plan(&self) -> Result<Plan, Error> {
        let facts = self.facts();
        let operation = match self.task {
            Task::Generate => None,
            Task::Operate(operation) => Some(operation),
        };
        let wishes = match self.task {
            Task::Generate => Wishes::read(&Outline::read(self.body.as_bytes()).unwrap(), &self.headers)?,
            Task::Operate(_) => Wishes::besides(self.body.as_bytes(), &self.headers)?,
        };
        let ask = Ask { operation, wishes: &wishes, headers: &self.headers, ..Ask::generate(self.dialect, &facts) };
        plan::plan(ask, &self.config, &self.health, START, self.seed)
    }

    pub fn exchange(&self) -> Exchange {
        let caller = self.dialect.caller().unwrap();
        let facts = self.facts();
        let call = Call {
            id: "req_0123456789".to_owned(),
            dialect: self.dialect,
            caller,
            facts,
            task: self.task,
            body: std::rc::Rc::new(self.body.clone().into_bytes()),
            headers: self.headers.clone(),
            started: START,
            seed: self.seed,
            payer: portolan::ledger::Payer::gateway("ci"),
            region: "weur".to_owned(),
            colo: "FRA".to_owned(),
        };
        let plan = Plan { on_stream_break: self.on_break, ..self.plan() };
        let exchange = Exchange::new(call, Rc::clone(&self.config), plan);
        match &self.slot {
            Some(slot) => exchange.missed(slot),
            None => exchange,
        }
    }
}
