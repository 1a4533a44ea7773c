//! What a run of the simulator leaves behind.

use super::{scenario::Place, upstream::Truth};

/// What must hold, by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Check {
    /// A target is never returned to, and tries are bounded.
    NoRepeat,
    /// Only a provider's own failures move health.
    Blame,
    OneProbe,
    /// A stream ends well if, and only if, the answer was whole.
    TrueEnd,
    /// Words in order, each once, all of one answer.
    TrueWords,
    /// One record a request, and it says what happened.
    OneRecord,
    /// What was lent is given back: each probe has one outcome.
    ProbesSettle,
    Deadline,
    Ends,
    Deterministic,
    /// A provider that is back gets its traffic back.
    Returns,
    /// A provider that returns is not run over.
    NoHerd,
    /// One that is down is left alone.
    LeftAlone,
}

impl Check {
    pub const ALL: [Self; 13] = [
        Self::NoRepeat,
        Self::Blame,
        Self::OneProbe,
        Self::TrueEnd,
        Self::TrueWords,
        Self::OneRecord,
        Self::ProbesSettle,
        Self::Deadline,
        Self::Ends,
        Self::Deterministic,
        Self::Returns,
        Self::NoHerd,
        Self::LeftAlone,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::NoRepeat => "no-repeat",
            Self::Blame => "blame",
            Self::OneProbe => "one-probe",
            Self::TrueEnd => "true-end",
            Self::TrueWords => "true-words",
            Self::OneRecord => "one-record",
            Self::ProbesSettle => "probes-settle",
            Self::Deadline => "deadline",
            Self::Ends => "ends",
            Self::Deterministic => "deterministic",
            Self::Returns => "returns",
            Self::NoHerd => "no-herd",
            Self::LeftAlone => "left-alone",
        }
    }
}

#[derive(Clone, Debug)]
pub struct Violation {
    pub check: Check,
    pub at: u64,
    pub request: Option<u64>,
    pub cell: Option<String>,
    pub what: String,
}

/// One call to a provider.
#[derive(Clone, Debug)]
pub struct SendRow {
    pub at: u64,
    pub place: Place,
    pub truth: Truth,
    /// Nobody would have got an answer there.
    pub is_down: bool,
    pub is_probe: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Served,
    Failed,
    /// The caller's own fault, and told so.
    Refused,
    Left,
    /// Its isolate died.
    Killed,
}

/// One request.
#[derive(Clone, Debug)]
pub struct Row {
    pub number: u64,
    pub at: u64,
    pub region: usize,
    pub route: usize,
    /// What the plan tried first.
    pub first: Option<(usize, usize)>,
    pub is_probe: bool,
    pub sends: Vec<SendRow>,
    pub end: End,
    pub took: u64,
}

#[derive(Clone, Debug)]
pub struct Line {
    pub at: u64,
    pub request: Option<u64>,
    pub cell: Option<String>,
    pub text: String,
}

#[derive(Clone, Debug, Default)]
pub struct Report {
    pub requests: usize,
    pub sends: usize,
    pub probes: usize,
    /// Calls between isolates and objects.
    pub messages: usize,
    pub violations: Vec<Violation>,
    pub rows: Vec<Row>,
    /// Only when asked for.
    pub trace: Option<Vec<Line>>,
    /// Hard outages whose end was watched, and how long each took until its primary was back.
    pub returns: Vec<u64>,
}

impl Report {
    pub fn wrong(&mut self, check: Check, at: u64, (request, cell): (Option<u64>, Option<&str>), what: String) {
        self.violations.push(Violation { check, at, request, cell: cell.map(str::to_owned), what });
    }

    pub fn note(&mut self, at: u64, (request, cell): (Option<u64>, Option<&str>), text: impl FnOnce() -> String) {
        if let Some(trace) = &mut self.trace {
            trace.push(Line { at, request, cell: cell.map(str::to_owned), text: text() });
        }
    }
}
