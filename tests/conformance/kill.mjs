// Kills the runtime at random moments under load, and then holds the ledger against what clients and upstreams saw. Exit
// status 1 when an answer was given that no entry knows of, when anything is closed or counted twice, or when sums differ.
//
//   node tests/conformance/kill.mjs [--seconds 240] [--seed 1] [--wait]
//
// Without `--wait` the time until a lost request is swept is not waited for: it is taken off what the tables say.
import { createHash } from "node:crypto";
import { execFileSync } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import http from "node:http";
import { once } from "node:events";
import path from "node:path";

import { dice } from "./dice.mjs";
import { Gateway, KEY, SETTINGS, provider } from "../e2e/lib/gateway.mjs";
import { start } from "../e2e/lib/client.mjs";
import { SHAPES } from "../e2e/lib/shapes.mjs";
import { costOf, entries, open, select, total } from "../e2e/lib/tables.mjs";

const value = (flag, usual) => Number(process.argv.includes(flag) ? process.argv[process.argv.indexOf(flag) + 1] : usual);
const SECONDS = value("--seconds", 240);
const SEED = value("--seed", 1);
const WAITS = process.argv.includes("--wait");
/** Callers beside each other, each with one request after the other; every second one is under a budget. */
const CALLERS = 12;
/** Until a lost request is swept, and the alarm that looks for it. */
const LOST_MS = 60_000;
const ALARM_MS = 45_000;
const RULED = "pk-kill-test-of-a-key-under-a-budget-4c1d";

const { between } = dice(SEED);
const sleep = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

/** A provider that takes its time, leaves nothing out and remembers which requests it was sent. */
const seen = new Map();
const frames = SHAPES.openai.stream({ text: ["one ", "two ", "three ", "four"], usage: { input: 100, output: 20, cached: 40 } });
const upstream = http.createServer(async (request, response) => {
  const chunks = [];
  try { for await (const chunk of request) chunks.push(chunk); } catch { return; }
  const number = /request number (\d+)/.exec(Buffer.concat(chunks).toString())?.[1];
  seen.set(number, (seen.get(number) ?? 0) + 1);
  await sleep(150 + Number(number) % 7 * 40);
  response.writeHead(200, { "content-type": "text/event-stream" });
  for (const frame of frames) {
    if (response.destroyed) return;
    response.write(frame);
    await sleep(20);
  }
  response.end();
}).listen(0, "127.0.0.1");
await once(upstream, "listening");
const origin = `http://127.0.0.1:${upstream.address().port}`;

const key = `key:${createHash("sha256").update(RULED).digest("hex")}`;
const gateway = await Gateway.start({
  documents: () => ({
    settings: { ...SETTINGS, log: { console: false }, breaker: { min_requests: 1000, consecutive_failures: 1000 } },
    providers: { "kill-openai": provider(origin, "kill-openai", "openai") },
    routes: { kill: { targets: ["kill-openai/m"] } },
    [key]: { name: "ruled", tenant: "acme", budgets: [{ usd: 1000, per: "day" }], limits: { concurrent: 500 } },
  }),
});

/** Processes of the runtime that this one has started. */
const runtimes = () => readdirSync("/proc").filter((pid) => /^\d+$/.test(pid)).filter((pid) => {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8");
    return fields.includes("(workerd)") && fields.slice(fields.lastIndexOf(")") + 2).split(" ")[1] === String(process.pid);
  } catch { return false; }
});

const answers = [];
let kills = 0;
let sent = 0;
let isOver = false;
let isRestarting = false;

async function callerLoop(index) {
  const isRuled = index % 2 === 1;
  while (!isOver) {
    if (isRestarting) { await sleep(20); continue; }
    const number = sent += 1;
    const body = { model: "kill", stream: true, stream_options: { include_usage: true }, messages: [{ role: "user", content: `request number ${number}.` }] };
    const call = start(gateway.url("/v1/chat/completions"), { key: isRuled ? RULED : KEY, body });
    const answer = { number, isRuled, startedAt: Date.now() };
    answers.push(answer);
    try {
      await call.head;
      Object.assign(answer, { id: call.headers["x-request-id"], status: call.status });
      const { broken } = await call.rest(20_000);
      answer.whole = !broken && call.text.includes("[DONE]");
    } catch { await sleep(20); }
    answer.endedAt = Date.now();
    answer.heard = call.text.includes('"content":"one ');
    // A caller that leaves has not heard it all.
    if (answer.status && answer.status !== 200) answer.refused = call.text;
  }
}

async function killLoop() {
  const end = Date.now() + SECONDS * 1000;
  while (Date.now() < end) {
    await sleep(Math.min(between(700, 5000), Math.max(0, end - Date.now())));
    isRestarting = true;
    for (const pid of runtimes()) process.kill(Number(pid), "SIGKILL");
    for (const answer of answers) if (!answer.endedAt) answer.killed = true;
    kills += 1;
    await gateway.restart();
    isRestarting = false;
  }
  isOver = true;
}

/** As if a lost request had been lost for long: the runtime must be down. */
function letTimePass() {
  const folder = path.join(gateway.state, "do");
  const own = readdirSync(folder).find((name) => name.endsWith("TenantObject"));
  const script = `
import glob, sqlite3, sys
for name in glob.glob(sys.argv[1] + "/*.sqlite"):
    if "metadata" in name: continue
    base = sqlite3.connect(name)
    if base.execute("SELECT 1 FROM sqlite_master WHERE name = 'open'").fetchone():
        base.execute("UPDATE open SET alive = alive - ${2 * LOST_MS}")
    base.commit()
    base.close()`;
  execFileSync("python3", ["-c", script, path.join(folder, own)]);
}

/** One more request of each, so that each object begins another life. */
async function wake() {
  for (const one of [KEY, RULED]) {
    const body = { model: "kill", messages: [{ role: "user", content: `request number ${sent += 1}.` }], stream: true };
    const call = start(gateway.url("/v1/chat/completions"), { key: one, body });
    await call.rest();
    answers.push({ number: sent, isRuled: one === RULED, id: call.headers["x-request-id"], status: call.status, heard: true, whole: true });
  }
}

await Promise.all([killLoop(), ...Array.from({ length: CALLERS }, (_, index) => callerLoop(index))]);
for (const pid of runtimes()) process.kill(Number(pid), "SIGKILL");
await gateway.pause();
const orphans = open(gateway).length;
if (!WAITS) letTimePass();
await gateway.resume();
if (WAITS) await sleep(LOST_MS + ALARM_MS); else await wake();
for (const deadline = Date.now() + 20_000; open(gateway).length && Date.now() < deadline;) await sleep(250);
await sleep(2000);

// Now the ledger is at rest.
const faults = [];
const found = entries(gateway);
const ids = new Map(found.map((entry) => [entry.open.id, entry]));
const left = open(gateway);
if (left.length) faults.push(`${left.length} entries are still open: ${JSON.stringify(left.slice(0, 3))}`);
if (ids.size !== found.length) faults.push(`${found.length - ids.size} entries are there twice`);
const cost = found.reduce((sum, { text }) => sum + costOf(text.slice(text.indexOf('"close"'))), 0n);
for (const [what, sum, expected] of [
  ["cost", total(gateway, "cost"), cost],
  ["requests", total(gateway, "requests"), BigInt(found.length)],
  ["lost", total(gateway, "lost"), BigInt(found.filter(({ close }) => close.close === "sweep").length)],
]) if (sum !== expected) faults.push(`the sum of ${what} is ${sum}, entries come to ${expected}`);

const heard = answers.filter((answer) => answer.heard);
const nameless = heard.filter(({ id }) => !ids.has(id));
const bound = kills * CALLERS / 2;
for (const answer of nameless.filter(({ isRuled }) => isRuled)) faults.push(`no entry of ${answer.id}, of which a client under limits heard something`);
const unruled = nameless.filter(({ isRuled }) => !isRuled);
if (unruled.length > bound) faults.push(`${unruled.length} answers without limits have no entry`);
const overlooked = unruled.filter(({ killed }) => !killed);
if (overlooked.length) faults.push(`${overlooked.length} answers have no entry though nothing was killed while they went on`);
if (found.length > answers.length) faults.push(`${found.length} entries of ${answers.length} requests`);
for (const { open: begun } of found) if (begun.key === "ruled" && begun.reserved === 0) faults.push(`nothing was held back for ${begun.id}`);
const twice = [...seen.values()].filter((count) => count > 1).length;
const refused = answers.filter(({ refused: words }) => words);
const swept = found.filter(({ close }) => close.close === "sweep").length;
const known = new Set(answers.filter(({ id }) => ids.has(id)).map(({ number }) => String(number)));
const unseen = [...seen.keys()].filter((number) => !known.has(number)).length;
const held = select(gateway, "SELECT state FROM sheets");

await gateway.stop();
upstream.close();
upstream.closeAllConnections();
for (const fault of faults.slice(0, 20)) console.log(fault);
if (heard.length < SECONDS || kills < SECONDS / 10) faults.push(`${heard.length} answers and ${kills} kills are too few to prove anything`);
console.log(`${SECONDS} s, seed ${SEED}, ${kills} kills: ${answers.length} requests, ${seen.size} reached the provider (${twice} more than once), ${heard.length} clients heard something, ${answers.filter(({ whole }) => whole).length} all of it, ${refused.length} were refused`);
console.log(`${found.length} entries, ${orphans} open after the last kill, ${swept} swept in all, ${held.length} subjects; without an entry: ${nameless.length} of those heard (none under limits allowed), ${unseen} of those that reached the provider or whose client learned no id`);
for (const { refused: words } of refused.slice(0, 3)) console.log(words);
console.log(`${faults.length ? 0 : 1} passed, ${faults.length} failed`);
process.exit(faults.length ? 1 : 0);
