//! Cases that passed and failed.

use std::{fmt, process::ExitCode};

use anyhow::Result;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub passed: usize,
    pub failed: usize,
}

impl Counts {
    /// Counts a case, and prints what is wrong with it.
    pub fn add(&mut self, name: &str, wrong: &[String]) {
        if wrong.is_empty() {
            self.passed += 1;
            return;
        }
        self.failed += 1;
        println!("{name}");
        for what in wrong {
            println!("  {}", shortened(what));
        }
    }
}

/// The end of a program that counts: the last line it prints, and its status.
pub fn conclude(ran: Result<Counts>) -> ExitCode {
    match ran {
        Ok(counts) => {
            println!("{counts}");
            if counts.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Readable in a terminal: an answer can be long.
fn shortened(text: &str) -> String {
    const LONGEST: usize = 600;
    let short: String = text.chars().take(LONGEST).collect();
    if short.len() < text.len() { format!("{short} …") } else { short }
}

impl fmt::Display for Counts {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} passed, {} failed", self.passed, self.failed)
    }
}
