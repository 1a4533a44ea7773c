//! Messages, replies and sheets as they travel and are kept: numbers in a row, for what would be derived is many times the
//! code.

use serde_json::{Map, Value};

use super::{
    Amounts, Lease, Message, Meter, Numbers, Refusal, Reply, Verdict, What,
    message::Return,
    sheet::{Out, Said, Sheet, Total},
    window::Window,
};
use crate::{
    config::{Budget, Limits, Period, Rules},
    units::{Millis, Money},
    wire::compose::Members,
};

const OTHER_FORM: &str = "not in the form of this version";
/// Of what is stored. What another version stored is not read: it would be misread.
const FORM: u64 = 1;

fn number(value: Option<&Value>) -> u64 {
    value.and_then(Value::as_u64).unwrap_or(0)
}

fn text(value: Option<&Value>) -> String {
    value.and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn items(value: Option<&Value>) -> &[Value] {
    value.and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn list(values: impl Iterator<Item = Value>) -> Value {
    Value::Array(values.collect())
}

fn row<const N: usize>(numbers: [u64; N]) -> Value {
    list(numbers.into_iter().map(Value::from))
}

/// Numbers in a row; those that are not there are 0.
fn numbers<const N: usize>(value: Option<&Value>) -> [u64; N] {
    let mut out = [0; N];
    out.iter_mut().zip(items(value)).for_each(|(slot, value)| *slot = number(Some(value)));
    out
}

fn period(value: Option<&Value>) -> Period {
    let name = value.and_then(Value::as_str);
    Period::ALL.into_iter().find(|(known, _)| Some(*known) == name).map_or(Period::Total, |(_, per)| per)
}

fn rules(rules: &Rules) -> Value {
    let Limits { requests_per_minute, tokens_per_minute, concurrent } = rules.limits;
    let limits = [requests_per_minute, tokens_per_minute, concurrent].map(|limit| limit.unwrap_or(0));
    let budgets = rules.budgets.iter().map(|budget| {
        let alerts = list(budget.alerts.iter().copied().map(Value::from));
        let flags = u64::from(budget.soft) + 2 * u64::from(budget.unpriced);
        Value::Array(vec![budget.per.name().into(), budget.limit.0.into(), flags.into(), alerts])
    });
    Value::Array(vec![row(limits), list(budgets)])
}

fn read_rules(value: &Value) -> Rules {
    let limits: [u64; 3] = numbers(value.get(0));
    let [requests_per_minute, tokens_per_minute, concurrent] = limits.map(|limit| (limit > 0).then_some(limit));
    let budget = |value: &Value| {
        let flags = number(value.get(2));
        Budget {
            per: period(value.get(0)),
            limit: Money(number(value.get(1))),
            soft: flags & 1 > 0,
            unpriced: flags & 2 > 0,
            alerts: items(value.get(3)).iter().map(|alert| number(Some(alert))).collect(),
        }
    };
    Rules {
        limits: Limits { requests_per_minute, tokens_per_minute, concurrent },
        budgets: items(value.get(1)).iter().map(budget).collect(),
    }
}

impl From<Message> for Value {
    fn from(message: Message) -> Self {
        let mut out = Map::new();
        out.put("isolate", message.isolate);
        out.put("sent", message.sent.0);
        let mut by_subject = Map::new();
        message.rules.iter().for_each(|(subject, own)| by_subject.put(subject, rules(own)));
        out.put("rules", by_subject);
        out.put("asks", serde_json::to_value(message.asks).unwrap_or_default());
        let wants = message.wants.into_iter().map(|(subject, want)| Self::Array(vec![subject.into(), row(want.row())]));
        out.put("wants", list(wants));
        let returned = message.returned.into_iter();
        let returned = returned.map(|lease| Self::Array(vec![lease.subject.into(), row(lease.left.row()), lease.number.into()]));
        out.put("returned", list(returned));
        Self::Object(out)
    }
}

impl TryFrom<Value> for Message {
    type Error = &'static str;

    fn try_from(value: Value) -> Result<Self, Self::Error> {
        let by_subject = value.get("rules").and_then(Value::as_object).into_iter().flatten();
        let rows = |name: &str| items(value.get(name)).iter();
        let amounts = |row: &Value| (text(row.get(0)), Amounts::of_row(numbers(row.get(1))));
        let returned = |row: &Value| {
            let (subject, left) = amounts(row);
            Return { subject, left, number: number(row.get(2)) }
        };
        Ok(Self {
            isolate: number(value.get("isolate")),
            sent: Millis(number(value.get("sent"))),
            rules: by_subject.map(|(subject, own)| (subject.clone(), read_rules(own))).collect(),
            asks: serde_json::from_value(value.get("asks").cloned().unwrap_or_default()).map_err(|_| OTHER_FORM)?,
            wants: rows("wants").map(amounts).collect(),
            returned: rows("returned").map(returned).collect(),
        })
    }
}

fn refusal(refusal: Refusal) -> Value {
    let (what, per) = match refusal.what {
        What::Requests => ("requests", None),
        What::Tokens => ("tokens", None),
        What::Concurrent => ("concurrent", None),
        What::Budget(per) => ("budget", Some(per.name())),
        What::Unpriced => ("unpriced", None),
    };
    let (limit, need) = (refusal.limit.into(), refusal.need.into());
    Value::Array(vec![what.into(), refusal.subject.into(), limit, need, refusal.wait_ms.into(), per.into()])
}

fn read_refusal(value: &Value) -> Refusal {
    let what = match value.get(0).and_then(Value::as_str).unwrap_or_default() {
        "requests" => What::Requests,
        "tokens" => What::Tokens,
        "concurrent" => What::Concurrent,
        "budget" => What::Budget(period(value.get(5))),
        _ => What::Unpriced,
    };
    let (limit, need) = (number(value.get(2)), number(value.get(3)));
    Refusal { subject: text(value.get(1)), what, limit, need, wait_ms: value.get(4).and_then(Value::as_u64) }
}

fn meter(meter: Option<Meter>) -> Value {
    meter.map_or(Value::Null, |meter| row([meter.limit, meter.left, meter.reset_ms]))
}

fn read_meter(value: Option<&Value>) -> Option<Meter> {
    value.filter(|value| value.is_array()).map(|value| {
        let [limit, left, reset_ms] = numbers(Some(value));
        Meter { limit, left, reset_ms }
    })
}

impl From<Reply> for Value {
    fn from(reply: Reply) -> Self {
        let verdicts = reply.verdicts.into_iter().map(|(id, verdict)| {
            let verdict = match verdict {
                Verdict::Go => Self::Null,
                Verdict::Refused(why) => refusal(why),
            };
            Self::Array(vec![id.into(), verdict])
        });
        let leases = reply.leases.into_iter().map(|lease| {
            Self::Array(vec![lease.subject.into(), lease.number.into(), lease.for_ms.into(), row(lease.left.row())])
        });
        let numbers = reply.numbers.into_iter().map(|(subject, numbers)| {
            Self::Array(vec![subject.into(), meter(numbers.requests), meter(numbers.tokens), numbers.money.into()])
        });
        let mut out = Map::new();
        out.put("sent", reply.sent.0);
        out.put("verdicts", list(verdicts));
        out.put("leases", list(leases));
        out.put("numbers", list(numbers));
        Self::Object(out)
    }
}

impl TryFrom<Value> for Reply {
    type Error = &'static str;

    fn try_from(value: Value) -> Result<Self, Self::Error> {
        let sent = value.get("sent").and_then(Value::as_u64).ok_or(OTHER_FORM)?;
        let verdict = |pair: &Value| match pair.get(1).filter(|why| why.is_array()) {
            None => (text(pair.get(0)), Verdict::Go),
            Some(why) => (text(pair.get(0)), Verdict::Refused(read_refusal(why))),
        };
        let lease = |value: &Value| Lease {
            subject: text(value.get(0)),
            number: number(value.get(1)),
            for_ms: number(value.get(2)),
            left: Amounts::of_row(numbers(value.get(3))),
        };
        let standing = |value: &Value| {
            let money = value.get(3).and_then(Value::as_u64);
            (text(value.get(0)), Numbers { requests: read_meter(value.get(1)), tokens: read_meter(value.get(2)), money })
        };
        Ok(Self {
            sent: Millis(sent),
            verdicts: items(value.get("verdicts")).iter().map(verdict).collect(),
            leases: items(value.get("leases")).iter().map(lease).collect(),
            numbers: items(value.get("numbers")).iter().map(standing).collect(),
        })
    }
}

fn window(window: &Window) -> Value {
    list(window.0.iter().map(|(second, count)| row([*second, *count])))
}

fn read_window(value: Option<&Value>) -> Window {
    let slot = |value: &Value| {
        let [second, count] = numbers(Some(value));
        (second, count)
    };
    Window(items(value).iter().map(slot).collect())
}

/// What is stored of a subject.
pub(super) fn sheet(sheet: &Sheet) -> String {
    let leases = sheet.leases.iter().map(|lease| {
        let [requests, tokens, slots, money] = lease.left.row();
        row([lease.isolate, lease.number, lease.until.0, requests, tokens, slots, money, lease.is_over.into()])
    });
    let totals =
        sheet.totals.iter().map(|total| Value::Array(vec![total.per.name().into(), total.from.0.into(), total.spent.0.into()]));
    let said = sheet
        .said
        .iter()
        .map(|said| Value::Array(vec![said.per.name().into(), said.from.0.into(), said.limit.0.into(), said.percent.into()]));
    let mut out = Map::new();
    out.put("form", FORM);
    out.put("rules", rules(&sheet.rules));
    out.put("requests", window(&sheet.requests));
    out.put("tokens", window(&sheet.tokens));
    out.put("leases", list(leases));
    out.put("number", sheet.number);
    out.put("totals", list(totals));
    out.put("said", list(said));
    Value::Object(out).to_string()
}

pub(super) fn read_sheet(text: &str) -> Option<Sheet> {
    let value: Value = serde_json::from_str(text).ok()?;
    if number(value.get("form")) != FORM {
        return None;
    }
    let lease = |value: &Value| {
        let [isolate, lease, until, requests, tokens, slots, money, is_over] = numbers(Some(value));
        let left = Amounts::of_row([requests, tokens, slots, money]);
        Out { isolate, number: lease, left, until: Millis(until), is_over: is_over > 0 }
    };
    let total = |value: &Value| {
        let (from, spent) = (Millis(number(value.get(1))), Money(number(value.get(2))));
        Total { per: period(value.get(0)), from, spent }
    };
    let said = |value: &Value| {
        let (from, limit) = (Millis(number(value.get(1))), Money(number(value.get(2))));
        Said { per: period(value.get(0)), from, limit, percent: number(value.get(3)) }
    };
    Some(Sheet {
        rules: value.get("rules").map(read_rules).unwrap_or_default(),
        requests: read_window(value.get("requests")),
        tokens: read_window(value.get("tokens")),
        leases: items(value.get("leases")).iter().map(lease).collect(),
        number: number(value.get("number")),
        totals: items(value.get("totals")).iter().map(total).collect(),
        said: items(value.get("said")).iter().map(said).collect(),
        ..Sheet::default()
    })
}
