//! Recorded traffic against the core: `recordings corpus DIR` and `recordings clients DIR`; `recordings show DIR NAME`
//! prints one answer in each dialect.

use std::{collections::BTreeMap, path::Path, process::ExitCode};

use anyhow::{Result, bail};
use portolan::dialect::Dialect;
use proof::{
    answers, clients,
    counts::{Counts, conclude},
    not_spoken,
    operations::{self, Spoken},
    pins::{Declared, Tally, mark},
    recording::{self, Recording},
    requests::{self, Sent},
};
use serde_json::Value;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let ran = match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["corpus", folder] => corpus(Path::new(folder)),
        ["show", folder, name] => return show(Path::new(folder), name),
        ["clients", folder] => clients::run(Path::new(folder)),
        _ => Err(anyhow::anyhow!("usage: recordings corpus|clients DIR, or show DIR NAME")),
    };
    conclude(ran)
}

fn show(folder: &Path, name: &str) -> ExitCode {
    let recordings = recording::read_all(folder).unwrap_or_default();
    for recording in recordings.iter().filter(|recording| recording.name.contains(name)) {
        println!("== {}\n{}", recording.name, recording.text());
        let Some(dialect) = recording.dialect() else { continue };
        for (to, text) in answers::written(recording, dialect) {
            println!("\n== as {}\n{text}", to.name());
        }
    }
    ExitCode::SUCCESS
}

/// What a run gathers besides its counts.
struct Run {
    counts: Counts,
    declared: Declared,
    otherwise: Declared,
    losses: Tally,
    dropped: Tally,
    used: Vec<(String, String)>,
    not_spoken: BTreeMap<String, usize>,
    verbatim: usize,
    edited: usize,
}

fn corpus(folder: &Path) -> Result<Counts> {
    let recordings = recording::read_all(folder)?;
    if recordings.is_empty() {
        bail!("no recordings in {}", folder.display());
    }
    let mut run = Run {
        counts: Counts::default(),
        declared: Declared::read("declared.txt")?,
        otherwise: Declared::read("otherwise.txt")?,
        losses: Tally::default(),
        dropped: Tally::default(),
        used: vec![],
        not_spoken: BTreeMap::new(),
        verbatim: 0,
        edited: 0,
    };
    for recording in &recordings {
        run.one(recording);
    }
    let data = mark(recordings.iter().map(|recording| recording.name.as_str()));
    run.pinned(&data)?;
    let left: usize = run.not_spoken.values().sum();
    println!("\n{} recordings; not spoken by the gateway: {left}", recordings.len());
    for (api, count) in &run.not_spoken {
        let reason = not_spoken::reason(api);
        println!("  {api:<26} {count:>4}  {}", reason.unwrap_or("?"));
        if reason.is_none() {
            run.counts.add(api, &["not spoken, and nothing says why".to_owned()]);
        }
    }
    println!(
        "streams passed on in their own dialect: {} times as the very bytes, {} times with one edit",
        run.verbatim, run.edited
    );
    Ok(run.counts)
}

impl Run {
    fn one(&mut self, recording: &Recording) {
        let Some(dialect) = recording.dialect() else {
            return match operations::spoken(recording) {
                Some(spoken) => self.operation(recording, spoken),
                None => *self.not_spoken.entry(recording.api.clone()).or_default() += 1,
            };
        };
        let answer = answers::check(recording, dialect);
        let mut wrong = answer.wrong;
        (self.verbatim, self.edited) = (self.verbatim + answer.verbatim, self.edited + answer.edited);
        for (place, what) in answer.lost {
            if !self.declared.has(&place, &what) {
                wrong.push(format!("{place} loses, and nothing declares it: {what}"));
            }
            self.losses.add(format!("{place} | {what}"));
            self.used.push((place, what));
        }
        let body = recording.request.as_deref().map(|body| with_model(body, dialect, &recording.model));
        let sent = body.as_deref().map(|body| Sent { dialect, body, model: &recording.model });
        if let Some(found) = sent.and_then(|sent| requests::check(&sent, recording.status < 400)) {
            wrong.extend(found.wrong);
            wrong.extend(found.refused.filter(|_| recording.status < 400).map(|why| format!("the request is refused: {why}")));
            for (place, path) in found.dropped {
                self.dropped.add(format!("{place} | {path}"));
            }
        }
        self.judge(recording, wrong);
    }

    fn operation(&mut self, recording: &Recording, spoken: Spoken) {
        let found = operations::check(recording, spoken);
        for (place, path) in found.dropped {
            self.dropped.add(format!("{place} | {path}"));
        }
        self.judge(recording, found.wrong);
    }

    /// Counts a recording, without what is known of it.
    fn judge(&mut self, recording: &Recording, mut wrong: Vec<String>) {
        wrong.retain(|what| {
            let known = what.split_once(':').map_or(what.as_str(), |(head, _)| head);
            let is_known = self.otherwise.has(&recording.name, known);
            if is_known {
                self.used.push((recording.name.clone(), known.to_owned()));
            }
            !is_known
        });
        wrong.dedup();
        self.counts.add(&recording.name, &wrong);
    }

    /// The pinned counts are cases of their own.
    fn pinned(&mut self, data: &str) -> Result<()> {
        for (file, tally, head) in [
            ("losses.txt", &self.losses, "What answers lose on the way into another dialect: from > to | what | answers."),
            (
                "dropped.txt",
                &self.dropped,
                "What requests cannot carry: from > to | path | requests. Without `to` it is the reader's. Of calls that are not chat: call: from > to.",
            ),
        ] {
            match tally.compare(file, head, data)? {
                Some(differences) => self.counts.add(&format!("pinned/{file}"), &differences),
                None => println!("pinned/{file} was made with other recordings: its counts are not compared"),
            }
        }
        let unused = [self.declared.unused(&self.used), self.otherwise.unused(&self.used)].concat();
        for row in unused {
            println!("declared, but seen in no recording: {row}");
        }
        Ok(())
    }
}

/// On Bedrock and Vertex the path names the model; callers of Anthropic's own dialect say it in the body.
fn with_model(body: &str, dialect: Dialect, model: &str) -> String {
    let names = serde_json::from_str::<Value>(body).is_ok_and(|body| !body["model"].is_null());
    if names || dialect != Dialect::Anthropic {
        return body.to_owned();
    }
    body.replacen('{', &format!("{{\"model\":{},", Value::from(model)), 1)
}
