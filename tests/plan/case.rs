//! A request, a configuration and a state of health, for whole plans.

use portolan::sorted::SortedMap;
use std::{fmt::Write, rc::Rc};

use portolan::{
    config::{self, Documents, Snapshot},
    dialect::{Dialect, Facts},
    error::Error,
    features::Features,
    plan::{Ask, KeyHolder, Origin, Plan, Wishes, health::View, plan},
    units::Millis,
    wire::json::Outline,
};

use super::judge::NOW;

const SECRETS: [&str; 6] =
    ["OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY", "GROQ_API_KEY", "MISTRAL_API_KEY", "LAB_KEY"];

pub fn snapshot(routes: &str) -> Snapshot {
    let secrets: SortedMap<_, _> = SECRETS.iter().map(|name| ((*name).to_owned(), "secret".to_owned())).collect();
    let documents = Documents {
        providers: Some(include_str!("../fixtures/plan/providers.json").to_owned()),
        routes: Some(routes.to_owned()),
        ..Documents::default()
    };
    config::build(&documents, &secrets).unwrap()
}

/// PRODUCT's own example, and a route for pictures.
pub const EXAMPLE: &str = include_str!("../fixtures/plan/routes.json");

/// A request, as far as planning sees it.
#[derive(Clone)]
pub struct Case {
    pub config: Rc<Snapshot>,
    pub facts: Facts,
    pub features: Option<Features>,
    pub body: String,
    pub headers: Vec<(String, String)>,
    pub region: &'static str,
    pub tags: Vec<String>,
    pub providers: Option<Vec<String>>,
    pub view: View,
    pub now: Millis,
    pub seed: u64,
}

impl Case {
    pub fn of(routes: &str, model: &str) -> Self {
        Self {
            config: Rc::new(snapshot(routes)),
            facts: Facts { model: model.to_owned(), stream: true, ..Facts::default() },
            features: None,
            body: "{}".to_owned(),
            headers: vec![],
            region: "weur",
            tags: vec![],
            providers: None,
            view: View::default(),
            now: NOW,
            seed: 1,
        }
    }

    pub fn features(self, features: Features) -> Self {
        Self { features: Some(features), ..self }
    }

    pub fn says(self, body: &str) -> Self {
        Self { body: body.to_owned(), ..self }
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn plan(&self) -> Result<Plan, Error> {
        let wishes = Wishes::read(&Outline::read(self.body.as_bytes()).unwrap(), &self.headers)?;
        let ask = Ask {
            features: self.features.as_ref(),
            origin: Origin { region: self.region, country: "DE", colo: "FRA" },
            key: KeyHolder { name: "ci", tags: &self.tags, providers: self.providers.as_deref() },
            headers: &self.headers,
            wishes: &wishes,
            ..Ask::generate(Dialect::OpenAiChat, &self.facts)
        };
        plan(ask, &self.config, &self.view, self.now, self.seed)
    }

    /// `auto.default → smart: a/x: priority 1; b/y: priority 2 | c/z: not needed`
    pub fn told(&self) -> String {
        match self.plan() {
            Err(error) => format!("{}: {}", error.status, error.message),
            Ok(plan) => told(&plan),
        }
    }
}

pub fn told(plan: &Plan) -> String {
    let attempts: Vec<_> = plan.attempts.iter().map(|a| format!("{}: {}", a.cell(), a.reason)).collect();
    let mut text = plan.rule.as_ref().map_or_else(String::new, |rule| format!("({rule}) "));
    text.push_str(&attempts.join("; "));
    plan.skipped.iter().for_each(|skipped| write!(text, " | {skipped}").unwrap());
    text
}

pub fn small() -> Features {
    Features { input_tokens: 100, complexity: 100, ..Features::default() }
}
