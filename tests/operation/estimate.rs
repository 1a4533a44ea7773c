//! The estimate against counts of real vocabularies, made by `bench/tokens/count.mjs`.
//!
//! `cargo test --test main operation::estimate -- --nocapture` prints the tables of `docs/tokens.md`.

use std::{fs, path::Path};

use portolan::operation::estimate::{KINDS, WEIGHTS, counts, of_text};
use serde_json::Value;

/// Of the four counts these are fitted to; cl100k is of an older kind and only reported.
const FITTED: [usize; 3] = [0, 2, 3];
/// How strongly a weight that little speaks for is held near what was guessed.
const RIDGE: f64 = 0.0001;
/// Tokens guessed for a line's end, a letter with an accent, and one of a script that no sample is in; else none.
const GUESSED: [(usize, f64); 3] = [(4, 0.3), (10, 0.3), (14, 0.9)];
const SWEEPS: usize = 20_000;

struct Sample {
    language: String,
    /// Every other sample is fitted to; the errors are those of the rest.
    fitted: bool,
    text: String,
    /// Of o200k, cl100k, Llama 3 and Qwen.
    counts: Vec<f64>,
}

impl Sample {
    fn mean(&self) -> f64 {
        FITTED.iter().map(|at| self.counts[*at]).sum::<f64>() / 3.0
    }
}

fn samples() -> Vec<Sample> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/estimate");
    let counts: Value = serde_json::from_str(&fs::read_to_string(folder.join("counts.json")).unwrap()).unwrap();
    let mut samples = vec![];
    for (language, rows) in counts.as_object().unwrap().iter().filter(|(name, _)| *name != "tokenizers") {
        let text = fs::read_to_string(folder.join(format!("{language}.txt"))).unwrap();
        let texts: Vec<&str> = text.split("\n\n").map(str::trim).filter(|text| !text.is_empty()).collect();
        let rows = rows.as_array().unwrap();
        assert_eq!(texts.len(), rows.len(), "{language}: count again with bench/tokens/count.mjs");
        for (at, (text, row)) in texts.iter().zip(rows).enumerate() {
            let counts = row.as_array().unwrap().iter().filter_map(Value::as_f64).collect();
            samples.push(Sample { language: language.clone(), fitted: at % 2 == 0, text: (*text).to_owned(), counts });
        }
    }
    samples
}

fn float(count: u64) -> f64 {
    f64::from(u32::try_from(count).unwrap())
}

/// Least squares of the relative errors, no weight below nothing.
fn fit(samples: &[Sample]) -> [f64; KINDS] {
    let (mut gram, mut target, mut weights) = ([[0.0; KINDS]; KINDS], [0.0; KINDS], [0.0; KINDS]);
    for sample in samples.iter().filter(|sample| sample.fitted) {
        // Of very short samples the relative error says little.
        let share = 1.0 / sample.mean().max(10.0);
        let row = counts(&sample.text).map(|count| float(count) * share);
        for i in 0..KINDS {
            target[i] += row[i] * sample.mean() * share;
            for j in 0..KINDS {
                gram[i][j] += row[i] * row[j];
            }
        }
    }
    let guess = |kind: usize| GUESSED.iter().find(|(of, _)| *of == kind).map_or(0.0, |(_, tokens)| *tokens);
    for _ in 0..SWEEPS {
        for i in 0..KINDS {
            let rest: f64 = (0..KINDS).filter(|j| *j != i).map(|j| gram[i][j] * weights[j]).sum();
            weights[i] = ((target[i] - rest + RIDGE * guess(i)) / (gram[i][i] + RIDGE)).max(0.0);
        }
    }
    weights
}

#[test]
fn the_weights_are_those_of_the_fit() {
    let fitted = fit(&samples()).map(|weight| weight * 1000.0);
    for (kind, (fitted, weight)) in fitted.iter().zip(WEIGHTS).enumerate() {
        assert!((fitted - float(weight)).abs() < 1.0, "weight {kind} is {weight}, the fit says {fitted}");
    }
}

/// The value below which this share of the sorted ones lies.
fn quantile(errors: &[f64], share: u32) -> f64 {
    let at = (errors.len().saturating_sub(1) * usize::try_from(share).unwrap()).div_ceil(100);
    errors[at]
}

/// Errors in percent of the samples that were not fitted to, of one language, against one of the counts or their mean.
fn errors(samples: &[Sample], language: &str, of: impl Fn(&Sample) -> f64, guess: fn(&str) -> u64) -> Vec<f64> {
    let held_out = samples.iter().filter(|sample| !sample.fitted && sample.language == language && sample.mean() > 8.0);
    let mut errors: Vec<f64> = held_out.map(|sample| (float(guess(&sample.text)) / of(sample) - 1.0).abs() * 100.0).collect();
    errors.sort_by(f64::total_cmp);
    errors
}

fn quarter_of_bytes(text: &str) -> u64 {
    u64::try_from(text.len()).unwrap().div_ceil(4)
}

/// Language, and the largest errors in percent against the mean of the three: of half of the samples, and of nearly all.
const BOUNDS: [(&str, f64, f64); 17] = [
    ("ar", 8.0, 20.0),
    ("chat", 12.0, 25.0),
    ("code", 10.0, 20.0),
    ("de", 12.0, 28.0),
    ("en", 8.0, 25.0),
    ("es", 12.0, 25.0),
    ("fr", 12.0, 25.0),
    ("hi", 8.0, 15.0),
    ("ja", 12.0, 20.0),
    ("json", 8.0, 20.0),
    ("ko", 12.0, 38.0),
    ("pl", 22.0, 35.0),
    ("ru", 10.0, 25.0),
    ("th", 10.0, 20.0),
    ("tr", 12.0, 25.0),
    ("vi", 10.0, 20.0),
    ("zh", 14.0, 28.0),
];

#[test]
fn errors_stay_within_their_bounds_in_every_language() {
    let samples = samples();
    let against = |language: &str, at: usize| {
        let errors = errors(&samples, language, |sample| sample.counts[at], of_text);
        format!("{:3.0} / {:3.0}", quantile(&errors, 50), quantile(&errors, 95))
    };
    println!("| text | mean of three | o200k | Llama 3 | Qwen | cl100k | bytes ÷ 4 |");
    for (language, half, nearly_all) in BOUNDS {
        let own = errors(&samples, language, Sample::mean, of_text);
        let bytes = errors(&samples, language, Sample::mean, quarter_of_bytes);
        let (p50, p95) = (quantile(&own, 50), quantile(&own, 95));
        println!(
            "| {language} | {p50:3.0} / {p95:3.0} | {} | {} | {} | {} | {:3.0} / {:3.0} |",
            against(language, 0),
            against(language, 2),
            against(language, 3),
            against(language, 1),
            quantile(&bytes, 50),
            quantile(&bytes, 95)
        );
        assert!(p50 <= half && p95 <= nearly_all, "{language}: {p50} / {p95}");
    }
    let named: Vec<&str> = BOUNDS.iter().map(|(language, ..)| *language).collect();
    assert!(samples.iter().all(|sample| named.contains(&sample.language.as_str())), "a language without bounds");
}

/// Together the samples that were not fitted to are off by less than any one of them: errors of long texts cancel.
#[test]
fn long_texts_are_estimated_closely() {
    let samples = samples();
    for (language, ..) in BOUNDS {
        let held_out = || samples.iter().filter(|sample| !sample.fitted && sample.language == language);
        let (real, guess) = held_out().fold((0.0, 0.0), |(real, guess), s| (real + s.mean(), guess + float(of_text(&s.text))));
        let limit = if language == "pl" { 0.22 } else { 0.12 };
        println!("{language}: {:+.0} %", (guess / real - 1.0) * 100.0);
        assert!((guess / real - 1.0_f64).abs() < limit, "{language}: {guess} for {real}");
    }
}

#[test]
fn odd_texts_are_counted_too() {
    for (text, least, most) in [
        ("", 0, 0),
        ("a", 1, 1),
        ("\n", 1, 1),
        ("Hello, world!", 3, 5),
        (&"word ".repeat(1000), 900, 1200),
        (&"-".repeat(800), 20, 200),
        (&" ".repeat(800), 1, 10),
        (&"x".repeat(3000), 300, 1500),
        (&"1".repeat(3000), 1000, 3000),
        ("ክፍል ሦስት", 4, 30),
        ("👩‍👩‍👧‍👦", 4, 25),
        ("\u{0}\u{1}\u{2}", 1, 3),
    ] {
        let count = of_text(text);
        assert!((least..=most).contains(&count), "{:?}: {count}", text.chars().take(20).collect::<String>());
    }
}
