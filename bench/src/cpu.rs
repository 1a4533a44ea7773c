//! CPU time of a process, exact to the nanosecond, as the scheduler counts it.

use std::fs;
use std::io;
use std::thread;
use std::time::Duration;

/// How long a process must stay still before its work counts as done.
const STILL: Duration = Duration::from_millis(25);
/// CPU below this within `STILL` is the runtime's own ticking.
const TICKING: Duration = Duration::from_micros(150);
/// A process that never rests is not waited for.
const PATIENCE: u32 = 16;

/// The CPU time all living threads of a process have had.
pub fn spent(pid: u32) -> io::Result<Duration> {
    let mut total = Duration::ZERO;
    for thread in fs::read_dir(format!("/proc/{pid}/task"))? {
        // A thread may end between the listing and the reading.
        let Ok(text) = fs::read_to_string(thread?.path().join("schedstat")) else {
            continue;
        };
        total += read_schedstat(&text).ok_or_else(|| io::Error::other(format!("schedstat reads {text:?}")))?;
    }
    Ok(total)
}

/// `spent`, once the process has come to rest: work that a request left behind belongs to that request.
pub fn spent_at_rest(pid: u32) -> io::Result<Duration> {
    let mut before = spent(pid)?;
    for _ in 0..PATIENCE {
        thread::sleep(STILL);
        let after = spent(pid)?;
        if after.saturating_sub(before) < TICKING {
            return Ok(after);
        }
        before = after;
    }
    Ok(before)
}

/// The first number of `schedstat`: nanoseconds on a CPU.
fn read_schedstat(text: &str) -> Option<Duration> {
    let nanoseconds = text.split_ascii_whitespace().next()?.parse().ok()?;
    Some(Duration::from_nanos(nanoseconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_number_of_schedstat_is_time_on_cpu() {
        for (text, expected) in [
            ("1234567890 55 17\n", Some(Duration::from_nanos(1_234_567_890))),
            ("0 0 0\n", Some(Duration::ZERO)),
            ("", None),
            ("busy 0 0\n", None),
        ] {
            assert_eq!(read_schedstat(text), expected, "{text:?}");
        }
    }
}
