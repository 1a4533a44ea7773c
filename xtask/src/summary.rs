//! How many tests passed and failed, by what the test programs print.

/// Counts of one group, or of all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub passed: u32,
    pub failed: u32,
    pub skipped: u32,
}

impl Counts {
    pub fn plus(self, other: Self) -> Self {
        Self { passed: self.passed + other.passed, failed: self.failed + other.failed, skipped: self.skipped + other.skipped }
    }

    /// A program that fails without a failed test (it did not compile, it crashed) counts as one.
    pub fn with_status(self, succeeded: bool) -> Self {
        if succeeded || self.failed > 0 { self } else { Self { failed: 1, ..self } }
    }
}

/// Reads `test result: ok. 8 passed; 0 failed; 1 ignored; …`, one line for each test program.
pub fn of_cargo(printed: &str) -> Counts {
    let lines = printed.lines().filter_map(|line| line.trim_start().strip_prefix("test result: "));
    lines.map(of_cargo_line).fold(Counts::default(), Counts::plus)
}

fn of_cargo_line(line: &str) -> Counts {
    let count = |label: &str| {
        let words = line.split([';', '.']).find_map(|part| part.trim().strip_suffix(label))?;
        words.trim().parse().ok()
    };
    Counts { passed: count("passed").unwrap_or(0), failed: count("failed").unwrap_or(0), skipped: count("ignored").unwrap_or(0) }
}

/// Reads the last line, `469 passed, 9 failed`.
pub fn of_proof(printed: &str) -> Counts {
    let last = printed.lines().rev().find_map(|line| line.strip_suffix(" failed")?.split_once(" passed, "));
    let count = |text: &str| text.trim().parse().unwrap_or(0);
    last.map_or(Counts::default(), |(passed, failed)| Counts { passed: count(passed), failed: count(failed), skipped: 0 })
}

/// Reads the lines `ℹ pass 3`, `ℹ fail 1`, … at the end of what Node's test runner prints.
pub fn of_node(printed: &str) -> Counts {
    let count = |label: &str| -> u32 {
        let found = printed.lines().rev().find_map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            match words.as_slice() {
                ["ℹ" | "#", name, count] if *name == label => count.parse().ok(),
                _ => None,
            }
        });
        found.unwrap_or(0)
    };
    Counts { passed: count("pass"), failed: count("fail") + count("cancelled"), skipped: count("skipped") + count("todo") }
}

/// Reads the size after `gzip:` in wrangler's `Total Upload: 223.88 KiB / gzip: 68.81 KiB`.
pub fn gzip_kib(printed: &str) -> Option<f64> {
    let line = printed.lines().find(|line| line.contains("Total Upload:"))?;
    let mut words = line.split_once("gzip:")?.1.split_whitespace();
    let size: f64 = words.next()?.parse().ok()?;
    match words.next()? {
        "KiB" => Some(size),
        "MiB" => Some(size * 1024.0),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Counts, gzip_kib, of_cargo, of_node, of_proof};

    fn counts(passed: u32, failed: u32, skipped: u32) -> Counts {
        Counts { passed, failed, skipped }
    }

    #[test]
    fn cargo_prints_one_line_for_each_program() {
        let line = "test result: FAILED. 7 passed; 2 failed; 1 ignored; 0 measured; 30 filtered out; finished in 0.00s";
        for (printed, expected) in
            [("", counts(0, 0, 0)), (line, counts(7, 2, 1)), (&format!("running 10 tests\n{line}\n\n{line}\n"), counts(14, 4, 2))]
        {
            assert_eq!(of_cargo(printed), expected, "{printed}");
        }
    }

    #[test]
    fn a_proof_prints_its_counts_last() {
        for (printed, expected) in [
            ("", counts(0, 0, 0)),
            ("a.json\n  1 passed, 1 failed of it\n7 passed, 2 failed\n", counts(7, 2, 0)),
            ("480 passed, 0 failed", counts(480, 0, 0)),
        ] {
            assert_eq!(of_proof(printed), expected, "{printed}");
        }
    }

    #[test]
    fn node_prints_its_counts_last() {
        for (printed, expected) in [
            ("ℹ tests 5\nℹ pass 3\nℹ fail 1\nℹ cancelled 1\nℹ skipped 1\nℹ todo 0\n✖ failing tests:\n", counts(3, 2, 1)),
            ("# pass 9\n# fail 0\n", counts(9, 0, 0)),
            ("a test that printed: ℹ pass 100 of 3\nℹ pass 1\n", counts(1, 0, 0)),
            ("SyntaxError", counts(0, 0, 0)),
        ] {
            assert_eq!(of_node(printed), expected, "{printed}");
        }
    }

    #[test]
    fn a_program_that_fails_without_a_failed_test_counts_as_one() {
        for (before, succeeded, after) in [
            (counts(3, 0, 0), true, counts(3, 0, 0)),
            (counts(3, 0, 0), false, counts(3, 1, 0)),
            (counts(3, 2, 0), false, counts(3, 2, 0)),
        ] {
            assert_eq!(before.with_status(succeeded), after);
        }
    }

    #[test]
    fn wrangler_prints_the_gzip_size_of_the_upload() {
        for (printed, expected) in [
            ("Total Upload: 223.88 KiB / gzip: 68.81 KiB\n", Some("68.81")),
            ("x\nTotal Upload: 2.1 MiB / gzip: 2.00 MiB", Some("2048.00")),
            ("Total Upload: 2.1 MiB", None),
        ] {
            let size = gzip_kib(printed).map(|size| format!("{size:.2}"));
            assert_eq!(size.as_deref(), expected, "{printed}");
        }
    }
}
