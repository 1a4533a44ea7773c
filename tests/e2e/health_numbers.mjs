// Measures what docs/health.md says of health: how old other isolates' knowledge is, and what it costs.
//
//   cargo xtask build && node tests/e2e/health_numbers.mjs [seconds of calm] [episodes]
//
// Simulated regions: all isolates and objects are in one workerd on one machine, so there is no distance between them.
import { FAIL, Fleet, isPassedOver, route, sleep, within } from "./lib/fleet.mjs";

const [CALM_S = 60, EPISODES = 20] = process.argv.slice(2).map(Number);
const REGIONS = ["weur", "weur", "weur", "enam", "enam", "enam"];
const WORDS = 6;
/** Between two requests of one isolate: 22 a second, for some are late. */
const EVERY_MS = 45;
const PATIENCE_MS = 15_000;

const routes = Object.fromEntries([...Array(EPISODES + WORDS + 1).keys()].map((n) => [`e${n}`, route(n)]));
const settings = { log: { console: false } };
const fleet = await Fleet.start(REGIONS, { routes, settings });

let model = "e0";
/** The isolate whose requests all fail at the first target: among good ones a few would not open it. */
let failing;
let requests = 0;
let failures = 0;
const times = [];
const watchers = new Set();
let running = true;
const drivers = REGIONS.map(async (_, index) => {
  for (let due = performance.now(); running; due += EVERY_MS) {
    if (due > performance.now()) await sleep(due - performance.now());
    requests += 1;
    fleet.chat(index, model, index === failing ? FAIL : {}).then((answer) => {
      if (answer.status !== 200) failures += 1;
      times.push(answer.took);
      for (const watch of watchers) watch(index, answer);
    }, () => { failures += 1; });
  }
});

/** When each of `among` first passes the target over, in ms after `since`; undefined for those who never do. */
function seen(among, since) {
  const found = new Map();
  return new Promise((resolve) => {
    const done = () => { watchers.delete(watch); clearTimeout(timer); resolve(among.map((index) => found.get(index))); };
    const watch = (index, answer) => {
      if (among.includes(index) && !found.has(index) && answer.sent >= since && isPassedOver(answer)) found.set(index, answer.sent - since);
      if (found.size === among.length) done();
    };
    const timer = setTimeout(done, PATIENCE_MS);
    watchers.add(watch);
  });
}

async function period(work) {
  await fleet.calls("clear");
  const [before, since] = [requests, performance.now()];
  await work();
  const [count, s] = [requests - before, (performance.now() - since) / 1000];
  const calls = (await fleet.calls()).filter((call) => call.is_sync).length;
  return { requests: count, per_s_and_isolate: (count / s / REGIONS.length).toFixed(1), calls, per_1000: (calls * 1000 / count).toFixed(2) };
}

await sleep(8_000);
times.length = 0;
const calm = await period(() => sleep(CALM_S * 1000));
const took = { p50: within(50, times).toFixed(1), p95: within(95, times).toFixed(1) };

const same = [];
const other = [];
const outage = await period(async () => {
  for (let n = 1; n <= EPISODES; n += 1) {
    model = `e${n}`;
    // So that episodes begin at any point between two synchronisations.
    await sleep(1_000 + Math.random() * 5_000);
    const source = n % REGIONS.length;
    const others = REGIONS.map((_, index) => index).filter((index) => index !== source);
    failing = source;
    const [wait] = await seen([source], performance.now());
    const opened = performance.now();
    failing = undefined;
    if (wait === undefined) continue;
    const near = others.filter((index) => REGIONS[index] === REGIONS[source]);
    const far = others.filter((index) => REGIONS[index] !== REGIONS[source]);
    // The other region learns nothing: its own isolates find the target well. Ten seconds are two synchronisations.
    const [ages, strangers] = await Promise.all([seen(near, opened), Promise.race([seen(far, opened), sleep(10_000).then(() => [])])]);
    same.push(...ages);
    other.push(...strangers.filter((age) => age !== undefined));
  }
});

const words = [];
for (let n = EPISODES + 1; n <= EPISODES + WORDS; n += 1) {
  model = `e${n}`;
  await sleep(1_000 + Math.random() * 5_000);
  const since = performance.now();
  const all = REGIONS.map((_, index) => index);
  const [ages] = await Promise.all([seen(all, since), fleet.admin(n % REGIONS.length, `/health/mock/echo%3Fwords%3D${n}`, { action: "drain" })]);
  words.push(...ages);
}
running = false;
await Promise.all(drivers);
await sleep(500);

const spread = (ages) => {
  const known = ages.filter((age) => age !== undefined);
  const ms = (percent) => known.length ? Math.round(within(percent, known)) : undefined;
  return { samples: ages.length, missed: ages.length - known.length, p50_ms: ms(50), p95_ms: ms(95), max_ms: ms(100) };
};
console.log(JSON.stringify({
  date: new Date().toISOString(), isolates: REGIONS, calm, outage,
  state_change_to_same_region: spread(same), state_changes_seen_in_other_region: other.length,
  operators_word_to_all_regions: spread(words), request_ms: took, failed_requests: failures,
}, null, 2));
await fleet.stop();
