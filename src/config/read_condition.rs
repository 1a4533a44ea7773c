//! `when`: conditions as operators write them, each subject tested as its kind allows.

use regex_lite::RegexBuilder;
use serde_json::{Map, Value};

use super::{
    Check, Condition, Literal, Pattern, Subject,
    reader::{Problems, did_you_mean},
};
use crate::{chat::request::Effort, dialect::Dialect};

/// The platform's location hints: where a request may come in.
pub const REGIONS: [&str; 9] = ["wnam", "enam", "sam", "weur", "eeur", "apac", "oc", "afr", "me"];

/// `all`, `any` and `not` inside each other.
const MAX_DEPTH: usize = 8;
/// Tests of one condition: it is tried on every request of its route.
const MAX_TESTS: usize = 100;
/// Literals of one `in` or `nin`.
const MAX_LITERALS: usize = 200;
/// Bytes of an expression, and of its compiled form: together with what is searched they bound the time of one search to
/// some milliseconds.
const MAX_PATTERN: usize = 200;
const MAX_COMPILED: usize = 16 << 10;
const MAX_GROUPS: u32 = 20;
/// Bytes of a header's or a label's name.
const MAX_NAME: usize = 100;
const LAST_HOUR: f64 = 23.0;
/// Above it a number is no longer exact.
const MAX_WHOLE: f64 = 9_007_199_254_740_991.0;
/// Where a caller's key may stand; `key.name` asks whose it is.
const SECRET_HEADERS: [&str; 6] =
    ["authorization", "x-api-key", "x-goog-api-key", "api-key", "cookie", "cf-access-client-secret"];
const OPERATORS: [&str; 10] = ["eq", "ne", "gt", "gte", "lt", "lte", "in", "nin", "exists", "regex"];
const HEADER: &str = "header.";
const METADATA: &str = "metadata.";

/// What may be said of a subject.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Flag,
    Whole,
    Hour,
    /// From 0 to 1.
    Share,
    Effort,
    Dialect,
    Region,
    Language,
    /// Countries and data centres, by their letters.
    Code(usize),
    Text,
    /// Texts, each of which counts.
    Tags,
    /// A text that may spell a number or a flag.
    Free,
}

/// Name, subject, kind, and whether a request may lack it.
const SUBJECTS: [(&str, Subject, Kind, bool); 22] = [
    ("model", Subject::Model, Kind::Text, false),
    ("dialect", Subject::Dialect, Kind::Dialect, false),
    ("stream", Subject::Stream, Kind::Flag, false),
    ("input_tokens", Subject::InputTokens, Kind::Whole, false),
    ("max_output_tokens", Subject::MaxOutputTokens, Kind::Whole, true),
    ("messages", Subject::Messages, Kind::Whole, false),
    ("tools", Subject::Tools, Kind::Whole, false),
    ("has_images", Subject::HasImages, Kind::Flag, false),
    ("has_audio", Subject::HasAudio, Kind::Flag, false),
    ("has_files", Subject::HasFiles, Kind::Flag, false),
    ("has_video", Subject::HasVideo, Kind::Flag, false),
    ("json_schema", Subject::JsonSchema, Kind::Flag, false),
    ("reasoning_effort", Subject::ReasoningEffort, Kind::Effort, true),
    ("complexity", Subject::Complexity, Kind::Share, false),
    ("language", Subject::Language, Kind::Language, true),
    ("region", Subject::Region, Kind::Region, false),
    ("country", Subject::Country, Kind::Code(2), true),
    ("colo", Subject::Colo, Kind::Code(3), true),
    ("hour_utc", Subject::HourUtc, Kind::Hour, false),
    ("key.name", Subject::KeyName, Kind::Text, false),
    ("key.tags", Subject::KeyTags, Kind::Tags, true),
    ("user", Subject::User, Kind::Text, true),
];

/// One condition, while it is read.
struct Draft<'p> {
    tests: usize,
    problems: &'p mut Problems,
}

/// The condition at `path`. Where something is wrong with it, the problems say so, and what comes back is of no use.
pub(super) fn read_condition(value: Value, path: &str, problems: &mut Problems) -> Condition {
    let mut draft = Draft { tests: 0, problems };
    let condition = draft.group(value, path, 0);
    if draft.tests > MAX_TESTS {
        problems.add(path, format!("At most {MAX_TESTS} tests in a condition."));
    }
    condition
}

/// A subject by its name, with its kind and whether a request may lack it.
fn subject(name: &str) -> Result<(Subject, Kind, bool), String> {
    if let Some(header) = name.strip_prefix(HEADER) {
        let header = header.to_ascii_lowercase();
        if SECRET_HEADERS.contains(&header.as_str()) {
            return Err(format!("`{name}` holds a secret and cannot be tested; `key.name` and `key.tags` say who calls."));
        }
        let is_name = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
        if !(1..=MAX_NAME).contains(&header.len()) || !header.bytes().all(is_name) {
            return Err(format!("`{name}` must be `header.` and a header's name of 1 to {MAX_NAME} bytes."));
        }
        return Ok((Subject::Header(header), Kind::Free, true));
    }
    if let Some(label) = name.strip_prefix(METADATA) {
        if !(1..=MAX_NAME).contains(&label.len()) {
            return Err(format!("`{name}` must be `metadata.` and a name of 1 to {MAX_NAME} bytes."));
        }
        return Ok((Subject::Metadata(label.to_owned()), Kind::Free, true));
    }
    let found = SUBJECTS.iter().find(|(known, ..)| *known == name);
    found.map(|(_, subject, kind, may_lack)| (subject.clone(), *kind, *may_lack)).ok_or_else(|| {
        let known = || SUBJECTS.iter().map(|(known, ..)| *known).chain(["header.NAME", "metadata.NAME", "all", "any", "not"]);
        let near = did_you_mean(name, known());
        format!("`{name}` cannot be tested.{near} What can: {}.", known().collect::<Vec<_>>().join(", "))
    })
}

/// What `sticky_by` may name: a text that is the same all through a session.
pub(super) fn read_session(name: &str) -> Result<Subject, String> {
    match subject(name) {
        Ok((subject, Kind::Text | Kind::Free, _)) => Ok(subject),
        Ok(_) | Err(_) => Err(format!("`{name}` names no session: use user, key.name, header.NAME or metadata.NAME.")),
    }
}

impl Draft<'_> {
    fn problem(&mut self, path: &str, message: impl Into<String>) {
        self.problems.add(path, message);
    }

    /// An object: all of its members hold.
    fn group(&mut self, value: Value, path: &str, depth: usize) -> Condition {
        let mut parts = vec![];
        let Value::Object(members) = value else {
            self.problem(path, format!("`{path}` must be an object of tests, such as {{\"has_images\": true}}."));
            return Condition::All(parts);
        };
        if members.is_empty() {
            self.problem(path, format!("`{path}` needs at least one test, such as {{\"has_images\": true}}."));
        }
        if depth > MAX_DEPTH {
            self.problem(path, format!("Conditions stand at most {MAX_DEPTH} deep inside each other."));
            return Condition::All(parts);
        }
        for (name, value) in members {
            let path = format!("{path}.{name}");
            match name.as_str() {
                "all" => parts.push(Condition::All(self.groups(value, &path, depth + 1))),
                "any" => parts.push(Condition::Any(self.groups(value, &path, depth + 1))),
                "not" => parts.push(Condition::Not(Box::new(self.group(value, &path, depth + 1)))),
                _ => match subject(&name) {
                    Ok(found) => self.tests_of(found, value, &path, &mut parts),
                    Err(message) => self.problem(&path, message),
                },
            }
        }
        if parts.len() == 1 { parts.swap_remove(0) } else { Condition::All(parts) }
    }

    fn groups(&mut self, value: Value, path: &str, depth: usize) -> Vec<Condition> {
        let Some(items) = array(value).filter(|items| !items.is_empty()) else {
            self.problem(path, format!("`{path}` must be an array of at least one condition."));
            return vec![];
        };
        items.into_iter().enumerate().map(|(i, item)| self.group(item, &format!("{path}[{i}]"), depth)).collect()
    }

    /// A value alone means `eq`.
    fn tests_of(
        &mut self,
        (subject, kind, may_lack): (Subject, Kind, bool),
        value: Value,
        path: &str,
        parts: &mut Vec<Condition>,
    ) {
        let checks = match value {
            Value::Object(operators) => self.checks(operators, kind, may_lack, path),
            Value::Array(_) => {
                self.problem(path, format!("For one of several values write {{\"in\": [...]}} at `{path}`."));
                vec![]
            }
            Value::Null => {
                self.problem(path, format!("For a value that is not there write {{\"exists\": false}} at `{path}`."));
                vec![]
            }
            Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                self.literal(&value, kind, path).map(Check::Eq).into_iter().collect()
            }
        };
        self.tests += checks.len();
        parts.extend(checks.into_iter().map(|check| Condition::Test(subject.clone(), check)));
    }

    fn checks(&mut self, operators: Map<String, Value>, kind: Kind, may_lack: bool, path: &str) -> Vec<Check> {
        if operators.is_empty() {
            self.problem(path, format!("`{path}` needs an operator: {}.", OPERATORS.join(", ")));
        }
        let mut checks = vec![];
        for (operator, value) in operators {
            let at = format!("{path}.{operator}");
            let check = match operator.as_str() {
                "exists" => self.exists(&value, kind, may_lack, &at),
                "eq" => self.literal(&value, kind, &at).map(Check::Eq),
                "ne" => self.literal(&value, kind, &at).map(Check::Ne),
                "gt" => self.ordered(&value, kind, &at).map(Check::Gt),
                "gte" => self.ordered(&value, kind, &at).map(Check::Gte),
                "lt" => self.ordered(&value, kind, &at).map(Check::Lt),
                "lte" => self.ordered(&value, kind, &at).map(Check::Lte),
                "in" => self.literals(value, kind, &at).map(Check::In),
                "nin" => self.literals(value, kind, &at).map(Check::Nin),
                "regex" => self.pattern(&value, kind, &at).map(Check::Regex),
                _ => {
                    let near = did_you_mean(&operator, OPERATORS.into_iter());
                    self.problem(&at, format!("`{operator}` is no operator.{near} They are: {}.", OPERATORS.join(", ")));
                    None
                }
            };
            checks.extend(check);
        }
        checks
    }

    fn exists(&mut self, value: &Value, kind: Kind, may_lack: bool, path: &str) -> Option<Check> {
        if !may_lack {
            let instead = match kind {
                Kind::Flag => "write true or false alone",
                Kind::Whole => "write {\"gt\": 0}",
                Kind::Hour
                | Kind::Share
                | Kind::Effort
                | Kind::Dialect
                | Kind::Region
                | Kind::Language
                | Kind::Code(_)
                | Kind::Text
                | Kind::Tags
                | Kind::Free => "test its value",
            };
            self.problem(path, format!("Every request has this, so `exists` says nothing: {instead}."));
        } else if value.as_bool().is_none() {
            self.problem(path, format!("`{path}` must be true or false."));
        }
        value.as_bool().map(Check::Exists)
    }

    fn ordered(&mut self, value: &Value, kind: Kind, path: &str) -> Option<Literal> {
        let is_ordered = match kind {
            Kind::Whole | Kind::Hour | Kind::Share | Kind::Effort => true,
            Kind::Free => value.is_number(),
            Kind::Flag | Kind::Dialect | Kind::Region | Kind::Language | Kind::Code(_) | Kind::Text | Kind::Tags => false,
        };
        if is_ordered {
            return self.literal(value, kind, path);
        }
        self.problem(path, "Only numbers and `reasoning_effort` can be compared so: use `eq`, `ne`, `in`, `nin` or `regex`.");
        None
    }

    fn literals(&mut self, value: Value, kind: Kind, path: &str) -> Option<Vec<Literal>> {
        let items = array(value).filter(|items| (1..=MAX_LITERALS).contains(&items.len()));
        let Some(items) = items else {
            self.problem(path, format!("`{path}` must be an array of 1 to {MAX_LITERALS} values."));
            return None;
        };
        Some(items.iter().enumerate().filter_map(|(i, item)| self.literal(item, kind, &format!("{path}[{i}]"))).collect())
    }

    fn literal(&mut self, value: &Value, kind: Kind, path: &str) -> Option<Literal> {
        let found = literal(value, kind);
        if found.is_none() {
            self.problem(path, format!("`{path}` must be {}.", expected(kind)));
        }
        found
    }

    fn pattern(&mut self, value: &Value, kind: Kind, path: &str) -> Option<Pattern> {
        let is_text = match kind {
            Kind::Dialect | Kind::Region | Kind::Language | Kind::Code(_) | Kind::Text | Kind::Tags | Kind::Free => true,
            Kind::Flag | Kind::Whole | Kind::Hour | Kind::Share | Kind::Effort => false,
        };
        if !is_text {
            self.problem(path, "An expression is searched in texts, and this is none: use the other operators.");
            return None;
        }
        let Some(text) = value.as_str().filter(|text| (1..=MAX_PATTERN).contains(&text.len())) else {
            self.problem(path, format!("`{path}` must be a regular expression of 1 to {MAX_PATTERN} bytes."));
            return None;
        };
        let built = RegexBuilder::new(text).size_limit(MAX_COMPILED).nest_limit(MAX_GROUPS).build();
        built
            .map_err(|error| self.problem(path, format!("`{text}` is not a regular expression here: {error}.")))
            .ok()
            .map(Pattern)
    }
}

fn array(value: Value) -> Option<Vec<Value>> {
    if let Value::Array(items) = value { Some(items) } else { None }
}

fn literal(value: &Value, kind: Kind) -> Option<Literal> {
    let number = |max: f64| value.as_f64().filter(|n| (0.0..=max).contains(n));
    let whole = |max: f64| number(max).filter(|n| n.fract() == 0.0).map(Literal::Number);
    let text = || value.as_str().filter(|text| !text.is_empty());
    let own = |text: &str| Literal::Text(text.to_owned());
    match kind {
        Kind::Flag => value.as_bool().map(Literal::Flag),
        Kind::Whole => whole(MAX_WHOLE),
        Kind::Hour => whole(LAST_HOUR),
        Kind::Share => number(1.0).map(Literal::Number),
        Kind::Effort => Effort::WORDS.iter().find(|(name, _)| Some(*name) == text()).map(|(_, effort)| Literal::Effort(*effort)),
        Kind::Dialect => callers().find(|name| Some(*name) == text()).map(own),
        Kind::Region => REGIONS.iter().find(|name| Some(**name) == text()).map(|name| own(name)),
        Kind::Language => {
            let is_code = |text: &&str| text.len() == 2 && text.bytes().all(|b| b.is_ascii_lowercase());
            text().filter(is_code).map(own)
        }
        Kind::Code(letters) => {
            let is_code =
                |text: &&str| text.len() == letters && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
            text().filter(is_code).map(own)
        }
        Kind::Text | Kind::Tags => text().map(own),
        Kind::Free => {
            let flag = || value.as_bool().map(Literal::Flag);
            value.as_str().map(own).or_else(|| value.as_f64().map(Literal::Number)).or_else(flag)
        }
    }
}

fn expected(kind: Kind) -> String {
    let listed = |names: Vec<&str>| format!("one of {}", names.join(", "));
    let plain = match kind {
        Kind::Flag => "true or false",
        Kind::Whole => "a whole number, 0 or more, or an object of tests such as {\"gte\": 1}",
        Kind::Hour => "an hour from 0 to 23, or an object of tests such as {\"gte\": 8}",
        Kind::Share => "a number from 0 to 1, or an object of tests such as {\"lt\": 0.35}",
        Kind::Effort => return listed(Effort::WORDS.map(|(name, _)| name).to_vec()),
        Kind::Dialect => return listed(callers().collect()),
        Kind::Region => return listed(REGIONS.to_vec()),
        Kind::Language => "an ISO 639-1 code in lower case, such as \"de\"",
        Kind::Code(2) => "a country's code of two letters in upper case, such as \"DE\"",
        Kind::Code(_) => "a data centre's code of three letters in upper case, such as \"FRA\"",
        Kind::Text | Kind::Tags => "a text",
        Kind::Free => "a text, a number, true or false",
    };
    plain.to_owned()
}

/// Names of the dialects that callers speak.
fn callers() -> impl Iterator<Item = &'static str> {
    Dialect::ALL.into_iter().filter(|dialect| dialect.caller().is_some()).map(Dialect::name)
}
