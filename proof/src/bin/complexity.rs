//! The score of `features::complexity` against sets of prompts: `complexity DIR` prints quantiles and areas under the curve,
//! `complexity show DIR SET` each score and why, `complexity time` what it costs. `proof/prompts.py` makes DIR from packages; a set is a file of lines `{"prompt": …, "label": …}`.

use std::{collections::BTreeMap, fs, hint::black_box, path::Path, process::ExitCode};

use anyhow::{Context, Result};
use portolan::{
    chat::request::{Message, Part, Request, Role},
    features::{
        self,
        complexity::{Signals, WEIGHTS, signals},
    },
    operation::estimate,
};
use serde_json::Value;

/// What should be told apart: easy and hard. A set is a file, or `file:label`.
const PAIRS: [(&str, &[&str], &[&str]); 12] = [
    ("one fact / coding, mathematics", &["freshqa:one-hop"], &["arena-hard:coding", "arena-hard:math"]),
    ("everyday / coding", &["alpaca-eval"], &["arena-hard:coding"]),
    ("everyday / mathematics", &["alpaca-eval"], &["arena-hard:math"]),
    ("everyday / functions to complete", &["alpaca-eval"], &["humaneval"]),
    ("one fact / everyday", &["freshqa:one-hop"], &["alpaca-eval"]),
    ("small talk / everyday", &["identity"], &["alpaca-eval"]),
    ("one fact / many constraints", &["freshqa:one-hop"], &["ifbench"]),
    ("everyday / many constraints", &["alpaca-eval"], &["ifbench"]),
    (
        "writing, facts / mathematics, code, reasoning",
        &["mt-bench:writing", "mt-bench:roleplay", "mt-bench:humanities", "mt-bench:stem", "mt-bench:extraction"],
        &["mt-bench:math", "mt-bench:coding", "mt-bench:reasoning"],
    ),
    ("creative writing / coding, mathematics", &["arena-hard:creative_writing"], &["arena-hard:coding", "arena-hard:math"]),
    ("one hop / several hops", &["freshqa:one-hop"], &["freshqa:multi-hop"]),
    ("simple, medium / complex, reasoning", &["litellm:simple", "litellm:medium"], &["litellm:complex", "litellm:reasoning"]),
];

const ROUNDS: u32 = 2000;

struct Prompt {
    signals: Signals,
    bytes: usize,
    language: String,
    text: String,
}

type Sets = BTreeMap<String, Vec<Prompt>>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let ran = match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["time"] => {
            time();
            Ok(())
        }
        ["show", folder, set] => read(Path::new(folder)).map(|sets| show(&sets, set)),
        [folder] => read(Path::new(folder)).map(|sets| report(&sets)),
        _ => Err(anyhow::anyhow!("usage: complexity DIR, complexity show DIR SET, or complexity time")),
    };
    match ran {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn request(prompt: &str) -> Request {
    let message = Message { role: Role::User, parts: vec![Part::text(prompt)] };
    Request { messages: vec![message], ..Request::default() }
}

fn read(folder: &Path) -> Result<Sets> {
    let mut sets = Sets::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_stem().context("a file has a name")?.to_string_lossy().into_owned();
        for line in fs::read_to_string(&path)?.lines() {
            let row: Value = serde_json::from_str(line)?;
            let prompt = row.get("prompt").and_then(Value::as_str).context("a line has a prompt")?;
            let label = row.get("label").and_then(Value::as_str);
            let set = label.map_or_else(|| name.clone(), |label| format!("{name}:{label}"));
            let request = request(prompt);
            let signals = signals(&request, estimate::of_request(&request));
            let members = sets.entry(set).or_default();
            let language = row.get("language").and_then(Value::as_str).unwrap_or_default().to_owned();
            members.push(Prompt { signals, bytes: prompt.len(), language, text: prompt.to_owned() });
        }
    }
    Ok(sets)
}

fn quantile(sorted: &[f64], of_100: usize) -> f64 {
    sorted.get((sorted.len().saturating_sub(1)) * of_100 / 100).copied().unwrap_or_default()
}

fn members_of<'a>(sets: &'a Sets, names: &'a [&str]) -> impl Iterator<Item = &'a Prompt> {
    names.iter().filter_map(|name| sets.get(*name)).flatten()
}

/// How often a hard one stands above an easy one; a tie is half.
fn area(easy: &[f64], hard: &[f64]) -> f64 {
    let mut won = 0.0;
    for h in hard {
        for e in easy {
            won += if h > e {
                1.0
            } else if h < e {
                0.0
            } else {
                0.5
            };
        }
    }
    won / size(easy.len() * hard.len())
}

fn size(n: usize) -> f64 {
    u32::try_from(n).map_or(f64::INFINITY, f64::from)
}

fn report(sets: &Sets) {
    println!(
        "| set | prompts | 10 % | median | 90 % | below 200 | below 350 | 500 and more |\n|---|---|---|---|---|---|---|---|"
    );
    for (name, prompts) in sets {
        let mut scores: Vec<f64> = prompts.iter().map(|p| p.signals.score().into()).collect();
        scores.sort_by(f64::total_cmp);
        let share = |keep: &dyn Fn(f64) -> bool| 100.0 * size(scores.iter().filter(|s| keep(**s)).count()) / size(scores.len());
        let [low, half, high] = [10, 50, 90].map(|q| quantile(&scores, q));
        let (easy, fair, hard) = (share(&|s| s < 200.0), share(&|s| s < 350.0), share(&|s| s >= 500.0));
        println!("| {name} | {} | {low} | {half} | {high} | {easy:.0} % | {fair:.0} % | {hard:.0} % |", scores.len());
    }
    println!("\n| easy / hard | prompts | score | length alone |\n|---|---|---|---|");
    for (name, easy, hard) in PAIRS {
        let score = |names| members_of(sets, names).map(|p| p.signals.score().into()).collect::<Vec<f64>>();
        let bytes = |names| members_of(sets, names).map(|p| size(p.bytes)).collect::<Vec<f64>>();
        let (e, h) = (score(easy), score(hard));
        let (ours, length) = (area(&e, &h), area(&bytes(easy), &bytes(hard)));
        println!("| {name} | {} / {} | {ours:.2} | {length:.2} |", e.len(), h.len());
    }
    languages(sets);
}

fn languages(sets: &Sets) {
    let mut counts: BTreeMap<&str, [u32; 3]> = BTreeMap::new();
    for prompt in sets.values().flatten().filter(|prompt| !prompt.language.is_empty()) {
        let found = prompt.signals.language;
        let [right, wrong, unsure] = counts.entry(&prompt.language).or_default();
        *if found == prompt.language {
            right
        } else if found.is_empty() {
            unsure
        } else {
            wrong
        } += 1;
    }
    println!("\n| language | right | wrong | unsure |\n|---|---|---|---|");
    for (language, [right, wrong, unsure]) in counts {
        println!("| {language} | {right} | {wrong} | {unsure} |");
    }
}

fn show(sets: &Sets, set: &str) {
    for prompt in sets.get(set).into_iter().flatten() {
        let counts = prompt.signals.counts.iter().zip(&WEIGHTS).filter(|(count, _)| **count > 0);
        let counts: Vec<String> = counts.map(|(count, weight)| format!("{} {count}", weight.name)).collect();
        let text: String = prompt.text.chars().take(160).collect();
        println!("{} [{}] {text:?}\n    {}", prompt.signals.score(), prompt.signals.language, counts.join(", "));
    }
}

/// Of one request, in microseconds: the score, and all features.
fn time() {
    println!("| request | bytes | score | all features |\n|---|---|---|---|");
    let line = "Please explain why the function `parse_header(x)` fails for n = 42, and compare both designs.\n";
    let code = "    let value = self.table.get(index).copied().unwrap_or_default() + 1;\n";
    let vietnamese = "Hãy giải thích tại sao chương trình này không hoạt động và so sánh hai cách viết khác nhau.\n";
    let chinese = "请分析以下两种算法的时间复杂度，并证明第二种算法在最坏情况下更快。\n";
    for (name, unit, times) in [
        ("a line", line, 1),
        ("a page", line, 22),
        ("8 KiB of prose", line, 88),
        ("8 KiB of code", code, 114),
        ("8 KiB of Vietnamese", vietnamese, 74),
        ("8 KiB of Chinese", chinese, 84),
        ("1 MiB of prose", line, 11_000),
    ] {
        let request = request(&unit.repeat(times));
        let score = micros(|| u64::from(signals(black_box(&request), 2000).score()));
        let all = micros(|| features::of(black_box(&request)).input_tokens);
        println!("| {name} | {} | {score:.1} | {all:.1} |", unit.len() * times);
    }
}

fn micros(work: impl Fn() -> u64) -> f64 {
    let mut best = f64::INFINITY;
    // The least of several: the rest is what else the machine does.
    for _ in 0..5 {
        let start = proof::clock::now();
        let rounds = ROUNDS / 20;
        for _ in 0..rounds {
            black_box(work());
        }
        best = best.min(start.elapsed().as_secs_f64() * 1e6 / f64::from(rounds));
    }
    best
}
