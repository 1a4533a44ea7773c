// S15: the primary is down for a minute while requests come in, and then it is fine again.
import { ask } from "../e2e/lib/callers.mjs";
import { speak } from "../e2e/lib/shapes.mjs";
import { choose, forever, json, stream } from "../e2e/lib/upstream.mjs";
import { SCALE, SLACK_MS } from "./scenarios.mjs";

const DOWN_MS = 60_000 / SCALE;
const BACK_WITHIN_MS = 30_000 / SCALE;
const REQUESTS = 20;
export const BREAKER = { window_ms: 30_000 / SCALE, open_ms: 5000 / SCALE, early_max_open_ms: 20_000 / SCALE, ramp_ms: 5000 / SCALE };
/** Three failures in a row open it: those of the first request's two tries, and the second's. */
const OPENING_TRIES = 4;

const sleep = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

export async function outage(gateway, caller, shape, lane) {
  const [primary, fallback] = [`${lane}-primary`, `${lane}-fallback`];
  const fine = (text) => speak(shape, { text }, { json, stream });
  let isDown = true;
  gateway.upstream.script(primary, forever(choose(() => (isDown ? json(503, shape.error(503, "Down.")) : fine("primary")))));
  gateway.upstream.script(fallback, forever(fine("fallback")));
  const serve = async () => {
    const { said, status, text } = await ask(gateway, caller, { model: lane, stream: true });
    return { ok: status === 200 && said.clean && !said.error, from: said.text, text };
  };
  const start = Date.now();
  const answers = [];
  for (let n = 0; n < REQUESTS; n += 1) {
    answers.push(await serve());
    await sleep(Math.max(0, start + ((n + 1) * DOWN_MS) / REQUESTS - Date.now()));
  }
  const lost = answers.find(({ ok }) => !ok);
  if (lost) return { verdict: "fail", why: `not served: ${lost.text.slice(0, 200)}` };
  const probes = gateway.upstream.requests(primary).map(({ at }) => at).slice(OPENING_TRIES);
  const crowded = probes.find((at, n) => n > 0 && at - probes[n - 1] < BREAKER.open_ms * 0.8);
  if (crowded) return { verdict: "partial", why: "more than one probe in a half-open window" };
  isDown = false;
  const healed = Date.now();
  for (;;) {
    const answer = await serve();
    if (!answer.ok) return { verdict: "fail", why: `not served after it healed: ${answer.text.slice(0, 200)}` };
    if (answer.from === "primary") break;
    if (Date.now() - healed > BACK_WITHIN_MS + SLACK_MS) return { verdict: "partial", why: `not back ${Date.now() - healed} ms after it healed` };
    await sleep(200);
  }
  return { verdict: "pass", why: `back after ${Date.now() - healed} ms` };
}
