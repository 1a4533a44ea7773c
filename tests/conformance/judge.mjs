// What came of a scenario: `pass`, `safe` (an honest error instead of the whole answer), `partial` (the whole answer, but
// against a rule), or `fail` (a broken answer as if it were whole, or none at all).
import { FALLBACK_USAGE, WHOLE } from "./scenarios.mjs";

const ORDER = ["fail", "partial", "safe", "pass"];

export const isWorse = (verdict, aim) => ORDER.indexOf(verdict) < ORDER.indexOf(aim);
export const worst = (verdicts) => verdicts.reduce((low, verdict) => (isWorse(verdict, low) ? verdict : low), "pass");

const outputTokens = (usage) => usage?.completion_tokens ?? usage?.output_tokens ?? usage?.candidatesTokenCount;

/** `seen`: `{ answer, primary, fallback, record, price }`, requests by target. */
export function judge(scenario, seen) {
  const { answer, primary, fallback } = seen;
  const { said } = answer;
  const verdict = (name, why) => ({ verdict: name, why });
  if (answer.broken) return verdict("fail", "the connection was cut");
  const failed = Boolean(said.error) || answer.status >= 400;
  if (failed && said.clean) return verdict("fail", "an error that ends as if the answer were whole");
  if (failed && /prefill|must not be continued/i.test(answer.text)) return verdict("fail", "the caller hears of the continuation's own refusal");
  if (scenario.error) {
    if (answer.status !== scenario.error || fallback.length > 0) return verdict("fail", `status ${answer.status}, ${fallback.length} requests at the fallback`);
    return late(scenario, seen) ?? verdict("pass");
  }
  if (failed) return verdict("safe", `${answer.status} ${JSON.stringify(said.error).slice(0, 120)}`);
  if (!said.clean || said.text !== WHOLE) return verdict("fail", `ends ${said.clean ? "as if complete" : "with neither end nor error"} after ${said.text.length} of ${WHOLE.length} characters`);
  const [least, most] = scenario.tries;
  if (primary.length < least || primary.length > most) return verdict("partial", `${primary.length} tries at the primary`);
  const server = (answer.headers["x-portolan-provider"] ?? seen.record.provider).split("-").at(-1);
  if (scenario.served !== "any" && server !== scenario.served) return verdict("partial", `served by the ${server}`);
  if (scenario.notBeforeMs && primary[1].at - primary[0].at < scenario.notBeforeMs) return verdict("partial", `tried again after ${primary[1].at - primary[0].at} ms`);
  if (scenario.usage && !outputTokens(said.usage)) return verdict("partial", "no usage");
  return late(scenario, seen) ?? (scenario.accounted && misaccounted(seen)) ?? verdict("pass");
}

function late({ withinMs }, { answer }) {
  return withinMs && answer.tookMs > withinMs ? { verdict: "partial", why: `took ${answer.tookMs} ms of ${withinMs}` } : undefined;
}

function misaccounted({ answer, record, price, name }) {
  const cost = Math.round((FALLBACK_USAGE.input * price.input + FALLBACK_USAGE.output * price.output) * 1e6);
  const told = outputTokens(answer.said.usage);
  const wrong = [
    [told, FALLBACK_USAGE.output, "output tokens told"],
    [record?.provider, name, "provider in the record"],
    [record?.usage?.output, FALLBACK_USAGE.output, "output tokens in the record"],
    [record?.cost, cost, "picodollars in the record"],
    [answer.headers["x-portolan-provider"], name, "provider told"],
  ].find(([found, expected]) => found !== expected);
  return wrong && { verdict: "partial", why: `${wrong[2]}: ${wrong[0]}, not ${wrong[1]}` };
}
