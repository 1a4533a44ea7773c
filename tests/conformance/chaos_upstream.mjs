// A provider that answers every request well, until its process is killed. Tells its port to who started it.
import { Upstream, choose, forever, json, stream } from "../e2e/lib/upstream.mjs";
import { SHAPES, speak } from "../e2e/lib/shapes.mjs";
import { TOKENS } from "./scenarios.mjs";

/** Long enough to be killed in the middle of. */
const GAP_MS = 15;

const upstream = await Upstream.start(Number(process.argv[2]));
for (const name of Object.keys(SHAPES)) {
  const from = (entry) => TOKENS.findLastIndex((token) => entry.text.includes(token.trim())) + 1;
  const answer = choose((entry) => speak(SHAPES[name], { text: TOKENS.slice(from(entry) % TOKENS.length) }, { json, stream, gap: GAP_MS }));
  for (const role of ["primary", "fallback"]) upstream.script(`${name}-${role}`, forever(answer));
}
process.send(Number(new URL(upstream.origin).port));
