//! Plots as SVG, for light and dark pages: own fonts and colours, and a ground of their own.

use std::fmt::Write;

use super::{
    incidents::Incident,
    metrics::came_to_nothing,
    report::{End, Report},
};

const STYLE: &str = "<style>
text { font: 12px system-ui, sans-serif; fill: var(--ink) }
.title { font-weight: 600; font-size: 14px }
svg { --ink: #24292f; --ground: #ffffff; --line: #8c959f; --shade: #eaeef2; --p0: #0969da; --p1: #9a6700; --p2: #8250df; --bad: #cf222e;
  --c0: #0969da; --c1: #cf222e; --c2: #9a6700; --c3: #8250df; --c4: #1a7f37; --c5: #bf3989; --c6: #57606a }
@media (prefers-color-scheme: dark) { svg { --ink: #e6edf3; --ground: #0d1117; --line: #6e7681; --shade: #21262d; --p0: #58a6ff; --p1: #d29922;
  --p2: #bc8cff; --bad: #ff7b72; --c0: #58a6ff; --c1: #ff7b72; --c2: #d29922; --c3: #bc8cff; --c4: #3fb950; --c5: #f778ba; --c6: #8b949e } }
</style>";

const WIDTH: u64 = 920;
const LEFT: u64 = 20;
const INNER: u64 = 640;
const PANEL: u64 = 64;
const STEP: u64 = 92;
/// Of a bar.
const BIN_MS: u64 = 2_000;

fn open(height: u64, title: &str) -> String {
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"{title}\">\n{STYLE}\n<rect width=\"{WIDTH}\" height=\"{height}\" fill=\"var(--ground)\"/>\n<text class=\"title\" x=\"{LEFT}\" y=\"24\">{title}</text>\n"
    )
}

fn span(incident: &Incident) -> u64 {
    incident.scenario.end().max(1)
}

fn x(ms: u64, incident: &Incident) -> u64 {
    LEFT + ms.min(span(incident)) * INNER / span(incident)
}

/// The time in which the primary is in trouble.
fn shade(out: &mut String, incident: &Incident, (top, height): (u64, u64)) {
    let (from, until) = (x(incident.from, incident), x(incident.heals, incident));
    let _ =
        writeln!(out, "<rect x=\"{from}\" y=\"{top}\" width=\"{}\" height=\"{height}\" fill=\"var(--shade)\"/>", until - from);
}

fn axis(out: &mut String, incident: &Incident, y: u64) {
    for second in (0..=span(incident) / 1_000).step_by(30) {
        let at = x(second * 1_000, incident);
        let _ = writeln!(out, "<text x=\"{at}\" y=\"{y}\" text-anchor=\"middle\">{second} s</text>");
    }
}

/// Who served, and who failed, second by second: a panel for each policy.
pub fn shares(incident: &Incident, drawn: &[(&str, Report)]) -> String {
    let panels = u64::try_from(drawn.len()).unwrap_or(0);
    let title = format!("Who serves while the primary is in trouble ({})", incident.kind.name());
    let mut out = open(60 + panels * STEP + 30, &title);
    let legend = [("p0", "primary"), ("p1", "second"), ("p2", "third"), ("bad", "failed")];
    for (nth, (colour, word)) in (0..).zip(legend) {
        let at = LEFT + nth * 100;
        let _ = writeln!(out, "<rect x=\"{at}\" y=\"36\" width=\"12\" height=\"12\" fill=\"var(--{colour})\"/>");
        let _ = writeln!(out, "<text x=\"{}\" y=\"46\">{word}</text>", at + 18);
    }
    let _ = writeln!(
        out,
        "<rect x=\"{}\" y=\"36\" width=\"12\" height=\"12\" fill=\"var(--shade)\"/><text x=\"{}\" y=\"46\">trouble</text>",
        LEFT + 400,
        LEFT + 418
    );
    for (nth, (name, report)) in (0..).zip(drawn) {
        let top = 66 + nth * STEP;
        shade(&mut out, incident, (top - 6, PANEL + 12));
        let mut bins: Vec<[u64; 4]> = vec![];
        for row in &report.rows {
            let at = usize::try_from(row.at / BIN_MS).unwrap_or(0);
            if bins.len() <= at {
                bins.resize(at + 1, [0; 4]);
            }
            let served = row.sends.last().map_or(3, |send| send.place.provider);
            let which = match row.end {
                End::Served => served,
                End::Failed => 3,
                End::Refused | End::Left | End::Killed => continue,
            };
            if let Some(count) = bins.get_mut(at).and_then(|bin| bin.get_mut(which)) {
                *count += 1;
            }
        }
        for (at, bin) in (0..).zip(&bins) {
            let all: u64 = bin.iter().sum::<u64>().max(1);
            let left = x(at * BIN_MS, incident);
            let width = x((at + 1) * BIN_MS, incident) - left;
            let mut below = top + PANEL;
            for (count, (colour, _)) in bin.iter().zip(legend).filter(|(count, _)| **count > 0) {
                let height = (count * PANEL / all).max(1);
                below -= height.min(below - top);
                let _ = writeln!(
                    out,
                    "<rect x=\"{left}\" y=\"{below}\" width=\"{}\" height=\"{height}\" fill=\"var(--{colour})\"/>",
                    width.max(1)
                );
            }
        }
        let _ = writeln!(out, "<text x=\"{}\" y=\"{}\">{name}</text>", LEFT + INNER + 16, top + PANEL / 2);
    }
    axis(&mut out, incident, 66 + panels * STEP + 6);
    out.push_str("</svg>\n");
    out
}

/// Sends that came to nothing, added up over time: a line for each policy.
pub fn wasted(incident: &Incident, drawn: &[(&str, Report)]) -> String {
    const HEIGHT: u64 = 280;
    const TOP: u64 = 50;
    let title = format!("Sends that came to nothing, added up ({})", incident.kind.name());
    let mut out = open(TOP + HEIGHT + 50, &title);
    shade(&mut out, incident, (TOP, HEIGHT));
    let times = |report: &Report| {
        let mut times: Vec<u64> =
            report.rows.iter().flat_map(|row| &row.sends).filter(|s| came_to_nothing(s.truth)).map(|s| s.at).collect();
        times.sort_unstable();
        times
    };
    let all: Vec<(&str, Vec<u64>)> = drawn.iter().map(|(name, report)| (*name, times(report))).collect();
    let most = all.iter().map(|(_, times)| u64::try_from(times.len()).unwrap_or(0)).max().unwrap_or(1).max(1);
    let y = |count: u64| TOP + HEIGHT - count * HEIGHT / most;
    let mut labels: Vec<(u64, usize, String)> = vec![];
    for (nth, (name, times)) in all.iter().enumerate() {
        let mut points = format!("{LEFT},{}", y(0));
        let stride = (times.len() / 200).max(1);
        for (count, at) in (1_u64..).zip(times).step_by(stride) {
            let _ = write!(points, " {},{}", x(*at, incident), y(count));
        }
        let total = u64::try_from(times.len()).unwrap_or(0);
        let _ = write!(points, " {},{}", LEFT + INNER, y(total));
        let _ = writeln!(out, "<polyline points=\"{points}\" fill=\"none\" stroke=\"var(--c{nth})\" stroke-width=\"2\"/>");
        labels.push((y(total), nth, format!("{name}: {total}")));
    }
    labels.sort();
    // From the bottom up, each above the one before.
    let mut below = TOP + HEIGHT + 16;
    for (at, nth, text) in labels.into_iter().rev() {
        below = at.min(below - 16);
        let _ = writeln!(out, "<text x=\"{}\" y=\"{below}\" style=\"fill: var(--c{nth})\">{text}</text>", LEFT + INNER + 6);
    }
    axis(&mut out, incident, TOP + HEIGHT + 20);
    out.push_str("</svg>\n");
    out
}
