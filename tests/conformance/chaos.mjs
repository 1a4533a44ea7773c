// Kills and restarts the upstreams and the runtime itself under load. Exit status 1 when an answer that looks complete was
// not, when a request hangs beyond its deadline, or when health does not recover.
//
//   node tests/conformance/chaos.mjs [--seconds 300] [--seed 1] [--mode error]
import { fork } from "node:child_process";
import { once } from "node:events";
import { readFileSync, readdirSync } from "node:fs";

import { dice } from "./dice.mjs";
import { ALL_CALLERS, ask } from "../e2e/lib/callers.mjs";
import { Gateway, provider } from "../e2e/lib/gateway.mjs";
import { BREAKER } from "./outage.mjs";
import { TIMEOUTS, WHOLE } from "./scenarios.mjs";

const value = (flag, usual) => Number(process.argv.includes(flag) ? process.argv[process.argv.indexOf(flag) + 1] : usual);
const list = (flag) => (process.argv.includes(flag) ? process.argv[process.argv.indexOf(flag) + 1].split(",") : undefined);
const SECONDS = value("--seconds", 300);
const SEED = value("--seed", 1);
/** Callers beside each other, each with one request after the other. */
const CALLERS = 12;
/** Beyond the gateway's own deadline: the machine may be busy. */
const SLACK_MS = 5000;
const TOTAL_MS = 15_000;
/** Once everything is up again: the 15 s for which a killed probe is believed in, half-open, two probes and the ramp. */
const RECOVERY_MS = 30_000;
const MODES = list("--mode") ?? ["error", "continue", "atomic"];
const SHAPES = ["openai", "anthropic"];

const { random, between } = dice(SEED);
const sleep = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

/** A provider in a process of its own, so that it can die as one does. */
class Provider {
  port = 0;
  async start() {
    this.child = fork(new URL("chaos_upstream.mjs", import.meta.url), [String(this.port)]);
    [this.port] = await once(this.child, "message");
  }
  async kill() {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      this.child.kill("SIGKILL");
      await once(this.child, "exit");
    }
  }
}

const upstreams = { primary: new Provider(), fallback: new Provider() };
for (const upstream of Object.values(upstreams)) await upstream.start();
const documents = () => {
  const providers = {};
  const routes = {};
  for (const shape of SHAPES) {
    for (const [name, { port }] of Object.entries(upstreams)) {
      providers[`${shape}-${name}`] = provider(`http://127.0.0.1:${port}`, `${shape}-${name}`, shape);
    }
    for (const mode of MODES) {
      routes[`${shape}-${mode}`] = { targets: [`${shape}-primary/m`, `${shape}-fallback/m`], ...(mode !== "error" && { on_stream_break: mode }) };
    }
  }
  return { settings: { allow_private_upstreams: true, timeouts: { ...TIMEOUTS, total_ms: TOTAL_MS }, breaker: BREAKER, log: { console: false } }, providers, routes };
};
const gateway = await Gateway.start({ documents });

/** Processes of the runtime that this one has started. */
const runtimes = () => readdirSync("/proc").filter((pid) => /^\d+$/.test(pid)).filter((pid) => {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8");
    return fields.includes("(workerd)") && fields.slice(fields.lastIndexOf(")") + 2).split(" ")[1] === String(process.pid);
  } catch { return false; }
});

const counts = { whole: 0, honest: 0, cut: 0, killed: { upstream: 0, runtime: 0 }, longestMs: 0 };
const faults = [];
let isOver = false;
let isRestarting = false;

async function callerLoop(index) {
  while (!isOver) {
    if (isRestarting) { await sleep(50); continue; }
    const shape = SHAPES[Math.floor(random() * SHAPES.length)];
    const caller = ALL_CALLERS[["openai", "anthropic", "responses"][index % 3]];
    const model = `${shape}-${MODES[Math.floor(random() * MODES.length)]}`;
    const stream = random() < 0.8;
    const start = Date.now();
    try {
      const { said, status, broken, text } = await ask(gateway, caller, { model, stream });
      if (!broken && status === 200 && said.clean && !said.error) {
        counts.whole += 1;
        if (said.text !== WHOLE) faults.push(`${caller.name} ${model}: ${said.text.length} of ${WHOLE.length} characters as if complete`);
      } else if (broken) counts.cut += 1;
      else if (said.error && !said.clean) counts.honest += 1;
      else faults.push(`${caller.name} ${model}: ${status} with neither end nor error: ${text.slice(-200)}`);
    } catch {
      counts.cut += 1;
      await sleep(20);
    }
    const took = Date.now() - start;
    counts.longestMs = Math.max(counts.longestMs, took);
    if (took > TOTAL_MS + SLACK_MS) faults.push(`${caller.name} ${model}: ${took} ms`);
  }
}

async function upstreamLoop(upstream) {
  while (!isOver) {
    await sleep(between(1000, 6000));
    await upstream.kill();
    counts.killed.upstream += 1;
    await sleep(between(100, 3000));
    await upstream.start();
  }
}

async function runtimeLoop() {
  const end = Date.now() + SECONDS * 1000;
  while (Date.now() < end) {
    await sleep(Math.min(between(8000, 20_000), Math.max(0, end - Date.now())));
    if (Date.now() >= end) break;
    isRestarting = true;
    for (const pid of runtimes()) process.kill(Number(pid), "SIGKILL");
    counts.killed.runtime += 1;
    await gateway.restart();
    isRestarting = false;
  }
  isOver = true;
}

await Promise.all([runtimeLoop(), ...Object.values(upstreams).map(upstreamLoop), ...Array.from({ length: CALLERS }, (_, index) => callerLoop(index))]);

// Everything is up: the primary must get its traffic back.
const healed = Date.now();
for (const shape of SHAPES) {
  for (;;) {
    const { headers, said } = await ask(gateway, ALL_CALLERS.openai, { model: `${shape}-error`, stream: true });
    if (headers["x-portolan-provider"] === `${shape}-primary` && said.text === WHOLE) break;
    if (Date.now() - healed > RECOVERY_MS) { faults.push(`${shape}-primary is not back after ${Date.now() - healed} ms`); break; }
    await sleep(100);
  }
}
const recoveredMs = Date.now() - healed;
await gateway.stop();
for (const upstream of Object.values(upstreams)) await upstream.kill();
for (const fault of faults.slice(0, 20)) console.log(fault);
if (counts.whole === 0 || counts.killed.upstream === 0 || (SECONDS >= 20 && counts.killed.runtime === 0)) faults.push("nothing was tried");
console.log(`${SECONDS} s, seed ${SEED}: ${counts.whole} whole answers, ${counts.honest} honest errors, ${counts.cut} cut with the runtime; upstreams killed ${counts.killed.upstream} times, the runtime ${counts.killed.runtime}; longest ${counts.longestMs} ms; primaries back ${recoveredMs} ms after the end`);
console.log(`${faults.length ? 0 : 1} passed, ${faults.length} failed`);
process.exit(faults.length ? 1 : 0);
