// Runs the scenarios against the built Worker in workerd and prints the table. Exit status 1 when any is worse than its aim.
//
//   node tests/conformance/run.mjs [--slice] [--update] [--only S08,P01] [--mode error]
import { readFileSync, writeFileSync } from "node:fs";

import { ALL_CALLERS, ask } from "../e2e/lib/callers.mjs";
import { Gateway, PRICES, provider } from "../e2e/lib/gateway.mjs";
import { isWorse, judge, worst } from "./judge.mjs";
import { BREAKER, outage } from "./outage.mjs";
import { MODES, OURS, SCENARIOS, TIMEOUTS, WAYS, aim, fallbackOf } from "./scenarios.mjs";

const DOC = new URL("../../docs/failover.md", import.meta.url);
/** Gateways beside each other: what they mostly do is wait. */
const BESIDE = 2;
const has = (flag) => process.argv.includes(flag);
const value = (flag) => (has(flag) ? process.argv[process.argv.indexOf(flag) + 1].split(",") : undefined);
const only = value("--only");
const modes = value("--mode") ?? MODES;
const OUTAGE = { id: "S15", fault: "down 60 s, 20 requests" };

const chosen = [...SCENARIOS, ...OURS].filter(({ id }) => !only || only.includes(id));
const withOutage = !only || only.includes(OUTAGE.id);
// The slice: both kinds of way back, in each mode.
const ways = has("--slice") ? WAYS.filter(({ name }) => ["openai ← openai", "anthropic ← google"].includes(name)) : WAYS;

const lane = (id, suffix) => `${id.toLowerCase()}${suffix}`;

/** All rows of one mode and one way, in a gateway of their own. */
async function play(mode, way) {
  const whole = mode === "error" ? chosen.filter((scenario) => scenario.whole) : [];
  const rows = [...chosen.map((scenario) => ({ scenario, stream: true, lane: lane(scenario.id, "s") })), ...whole.map((scenario) => ({ scenario, stream: false, lane: lane(scenario.id, "w") }))];
  const documents = (origin) => {
    const providers = {};
    const routes = {};
    for (const { lane: name, scenario } of [...rows, { lane: "outage", scenario: OUTAGE }]) {
      providers[`${name}-primary`] = provider(origin, `${name}-primary`, way.upstream, { ...(scenario.keys && { keys: scenario.keys }) });
      providers[`${name}-fallback`] = provider(origin, `${name}-fallback`, way.upstream, { context: 262_144 });
      routes[name] = { targets: [`${name}-primary/m`, `${name}-fallback/m`], ...(mode !== "error" && { on_stream_break: mode }) };
    }
    return { settings: { allow_private_upstreams: true, timeouts: TIMEOUTS, breaker: BREAKER, log: { console: false } }, providers, routes };
  };
  const gateway = await Gateway.start({ documents });
  try {
    // What a new runtime takes for its first request is no part of the rules.
    await ask(gateway, ALL_CALLERS[way.caller], { model: "mock/echo" });
    const played = rows.map((row) => one(gateway, way, row).then((result) => ({ ...result, mode: row.stream ? mode : "whole", row: row.scenario, way })));
    if (withOutage) played.push(outage(gateway, ALL_CALLERS[way.caller], way.shape, "outage").then((result) => ({ ...result, mode, row: OUTAGE, way })));
    return await Promise.all(played);
  } finally {
    await gateway.stop();
  }
}

async function one(gateway, way, { scenario, stream, lane: name }) {
  const [primary, fallback] = [`${name}-primary`, `${name}-fallback`];
  gateway.upstream.script(primary, ...scenario.primary(way.shape));
  gateway.upstream.script(fallback, fallbackOf(scenario, way.shape));
  try {
    const answer = await ask(gateway, ALL_CALLERS[way.caller], { model: name, stream });
    // Where the head went out before it was known who would serve, only the record tells.
    const record = scenario.accounted || !answer.headers["x-portolan-provider"] ? (await gateway.recorded(name))[0] : undefined;
    const requests = (target) => gateway.upstream.requests(target);
    return judge(scenario, { answer, primary: requests(primary), fallback: requests(fallback), record, price: PRICES[way.upstream], name: fallback });
  } catch (error) {
    return { verdict: "fail", why: error.message };
  }
}

const jobs = modes.flatMap((mode) => ways.map((way) => [mode, way]));
const results = [];
await Promise.all(Array.from({ length: BESIDE }, async () => {
  for (let job = jobs.shift(); job; job = jobs.shift()) results.push(...await play(...job));
}));

const columns = [...modes, ...(modes.includes("error") ? ["whole"] : [])];
const of = (id, mode) => results.filter((result) => result.row.id === id && result.mode === mode);
const cell = (id, mode) => {
  const found = of(id, mode);
  if (!found.length) return "–";
  return worst(found.map((result) => result.verdict));
};
const aimOf = (result) => (result.mode === "whole" ? "pass" : aim(result.row, result.mode));
const rows = [...SCENARIOS, OUTAGE, ...OURS].filter(({ id }) => results.some((result) => result.row.id === id)).sort((a, b) => (a.id[0] === b.id[0] ? a.id.localeCompare(b.id) : a.id[0] === "S" ? -1 : 1));
const table = [
  `| | fault at the primary | ${columns.map((name) => (name === "whole" ? "no stream" : `\`${name}\``)).join(" | ")} |`,
  `| --- | --- | ${columns.map(() => "---").join(" | ")} |`,
  ...rows.map(({ id, fault }) => `| ${id} | ${fault} | ${columns.map((mode) => cell(id, mode)).join(" | ")} |`),
];
console.log(table.join("\n"));
const sums = modes.map((mode) => {
  const cells = rows.filter(({ id }) => id.startsWith("S")).map(({ id }) => cell(id, mode));
  const count = (name) => cells.filter((verdict) => verdict === name).length;
  return `\`${mode}\` ${["pass", "safe", "partial", "fail"].filter(count).map((name) => `${count(name)} ${name}`).join(", ")}`;
});
console.log(`\nof the sixteen: ${sums.join("; ")}`);
const below = results.filter((result) => isWorse(result.verdict, aimOf(result)));
for (const { row, mode, way, verdict, why } of below) console.log(`${row.id} ${mode} ${way.name}: ${verdict}, ${why}`);
console.log(`${results.length - below.length} passed, ${below.length} failed`);

if (has("--update") && !below.length) {
  const text = readFileSync(DOC, "utf8");
  const [begin, end] = ["<!-- conformance -->", "<!-- end of conformance -->"];
  const date = new Date().toISOString().slice(0, 10);
  const note = `${date}, ${ways.length} ways (${ways.map(({ name }) => name).join(", ")}), ${results.length} runs. Of the sixteen: ${sums.join("; ")}.`;
  if (!text.includes(begin)) throw new Error("docs/failover.md has no place for the table");
  const before = text.slice(0, text.indexOf(begin) + begin.length);
  writeFileSync(DOC, `${before}\n${table.join("\n")}\n\n${note}\n${text.slice(text.indexOf(end))}`);
}
process.exit(below.length ? 1 : 0);
