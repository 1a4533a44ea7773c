//! One isolate and the object, message by message.

use portolan::{
    account::{Account, Admission, Local, Message, Reply, Subject, Verdict},
    config::{Limits, Rules},
    ledger::entry::{Closing, Opening},
    units::{Millis, Money},
};

pub fn opening(id: &str, tokens: u64, reserved: u64) -> Opening {
    Opening { id: id.to_owned(), tokens, reserved: Money(reserved), ..Opening::default() }
}

pub fn rules(requests: u64, tokens: u64, concurrent: u64) -> Rules {
    let some = |limit: u64| (limit > 0).then_some(limit);
    let limits = Limits { requests_per_minute: some(requests), tokens_per_minute: some(tokens), concurrent: some(concurrent) };
    Rules { limits, budgets: vec![] }
}

/// Over the wire and back.
pub fn carried(message: &Message) -> Message {
    serde_json::from_str(&serde_json::to_string(message).unwrap()).unwrap()
}

/// To the object and back; what is stored is read again each time, as if the object had died.
pub fn exchange(local: &mut Local, account: &mut Account, now: Millis) -> Vec<(String, Verdict)> {
    let Some(message) = local.message(now) else { return vec![] };
    let message = carried(&message);
    for subject in account.unknown(Some(&message)) {
        account.know(&subject, None);
    }
    let heard = account.hear(message, now);
    for (subject, state) in &heard.states {
        let mut again = Account::default();
        again.know(subject, Some(state));
    }
    let reply: Reply = serde_json::from_str(&serde_json::to_string(&heard.reply).unwrap()).unwrap();
    assert_eq!(reply, heard.reply);
    local.learned(reply, now)
}

#[test]
fn a_limit_passes_just_so_many() {
    let rules = rules(10, 0, 0);
    let subjects = [Subject { id: "key:a".to_owned(), rules: &rules }];
    let (mut local, mut account) = (Local::new(7), Account::default());
    let mut passed = 0;
    for number in 0..25 {
        let now = Millis(1_000_000 + number * 10);
        let id = format!("req_{number}");
        let went = match local.admit(opening(&id, 1, 0), true, &subjects, now) {
            Admission::Go => true,
            Admission::Ask => exchange(&mut local, &mut account, now).contains(&(id.clone(), Verdict::Go)),
            Admission::Refused(_) => false,
        };
        if went {
            passed += 1;
            local.close(Closing { id, ..Closing::default() });
        }
    }
    assert_eq!(passed, 10);
}
