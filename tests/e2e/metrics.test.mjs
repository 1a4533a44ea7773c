// What requests come to: counted by several isolates, summed up in one object, and told to Prometheus, a collector and Analytics Engine.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { after, describe, test } from "node:test";

import { Fleet, sleep, within } from "./lib/fleet.mjs";
import { ADMIN, Gateway } from "./lib/gateway.mjs";
import { receiver } from "./lib/receiver.mjs";

const WAIT_MS = 20_000;
/** The object tells its collector at the end of a minute. */
const EXPORT_WAIT_MS = 90_000;
const body = (model, more = {}) => ({ model, messages: [{ role: "user", content: "ping" }], ...more });

async function until(what, ask, limit = WAIT_MS) {
  const deadline = Date.now() + limit;
  for (;;) {
    const found = await ask();
    if (found) return found;
    if (Date.now() > deadline) throw new Error(`waited in vain for ${what}`);
    await sleep(200);
  }
}

const ROUTES = {
  slow: { targets: ["mock/echo?delay_ms=300"] },
  falls: { targets: ["mock/echo?fail=503", "mock/lorem?words=1&rate=0"] },
};
const fleet = await Fleet.start(["weur", "enam", "apac"], { routes: ROUTES });
const collector = await receiver();
const gateway = await Gateway.start({
  secrets: () => ({ METRICS_TOKEN: "metrics-token-canary-11aa", OTLP_TOKEN: "otlp-token-canary-22bb" }),
  analytics: "export default () => ({ writeDataPoint: (point) => console.log(JSON.stringify({ point })) });",
  documents: () => ({
    settings: {
      allow_private_upstreams: true,
      otlp: {
        endpoint: collector.origin,
        headers: { authorization: "Bearer ${OTLP_TOKEN}" },
        traces: false,
        metrics: true,
      },
    },
  }),
});
after(async () => {
  await Promise.all([fleet.stop(), gateway.stop()]);
  collector.stop();
});

describe("several isolates", { concurrency: false }, () => {
  const metrics = async (query) => JSON.parse((await fleet.admin(0, `/metrics?${query}`)).text);

  test("all of it is zero at the start", async () => {
    const { total, points, groups } = await metrics("window=1h&group_by=route");
    assert.equal(points.length, 60);
    assert.deepEqual(groups, []);
    assert.deepEqual([total.requests, total.cost_usd, total.first_ms, total.availability], [0, "0", null, null]);
  });

  test("each request counts once, whichever isolate it came to", async () => {
    const answers = [];
    for (let round = 0; round < 4; round += 1) {
      for (const index of [0, 1, 2]) {
        answers.push(await fleet.chat(index, "slow", { stream: round % 2 === 0 }));
        assert.equal((await fleet.chat(index, "falls")).status, 200);
      }
    }
    const found = await until("24 requests", async () => {
      const found = await metrics("window=1h&group_by=route");
      assert.ok(found.total.requests <= 24, `${found.total.requests} of 24`);
      return found.total.requests === 24 && found;
    });
    assert.deepEqual(found.groups.map(({ route, requests }) => [route, requests]).sort(), [["falls", 12], ["slow", 12]]);
    assert.equal(found.total.errors, 0);
    assert.equal(found.total.availability, 1);
    assert.ok(found.total.failovers > 0 && found.total.tries >= 24, JSON.stringify(found.total));
    const regions = await metrics("group_by=region&route=slow");
    assert.deepEqual(regions.groups.map(({ region, requests }) => [region, requests]).sort(), [["apac", 4], ["enam", 4], ["weur", 4]]);
    // Against what the client saw, to a sixteenth.
    const slow = (await metrics("route=slow")).total;
    const took = answers.map((answer) => answer.took);
    for (const percent of [50, 95]) {
      const told = slow.ms[`p${percent}`];
      assert.ok(told >= 300 * 15 / 16 && told <= (within(percent, took) + 1) * 17 / 16, `p${percent}: ${told}, of ${took}`);
      assert.ok(slow.first_ms[`p${percent}`] >= 300 * 15 / 16, JSON.stringify(slow));
    }
  });
});

describe("one gateway", { concurrency: false }, () => {
  const page = (key) => gateway.send("/metrics", { key });
  const counted = async (name) => {
    const { text } = await page(ADMIN);
    const lines = text.split("\n").filter((line) => line.startsWith(`portolan_${name}{`) || line.startsWith(`portolan_${name} `));
    return lines.reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
  };
  const ask = async (count) => {
    for (let number = 0; number < count; number += 1) {
      assert.equal((await gateway.send("/v1/chat/completions", { body: body("mock/echo") })).status, 200);
    }
  };
  let first;

  test("its page is for whoever holds a token", async () => {
    for (const [key, status] of [[ADMIN, 200], ["metrics-token-canary-11aa", 200], [undefined, 401]]) {
      assert.equal((await page(key)).status, status, key);
    }
    assert.equal((await gateway.send("/metrics")).status, 401, "a gateway key opens nothing here");
    assert.equal(await counted("requests_total"), 0);
  });

  test("a minute is told to the collector, with its secrets", async () => {
    first = Date.now();
    await ask(3);
    assert.equal(await until("3 requests", async () => (await counted("requests_total")) === 3), true);
    await until("the collector", () => collector.heard.length > 0, EXPORT_WAIT_MS);
    const [{ path, headers, text }] = collector.heard;
    const message = JSON.parse(text);
    assert.equal(path, "/v1/metrics");
    assert.equal(headers.authorization, "Bearer otlp-token-canary-22bb");
    const { metrics } = message.resourceMetrics[0].scopeMetrics[0];
    const requests = metrics.find(({ name }) => name === "portolan.requests").sum.dataPoints;
    assert.equal(requests.reduce((sum, { asInt }) => sum + Number(asInt), 0), 3);
    assert.ok(Number(requests[0].timeUnixNano) / 1e6 >= first);
  });

  test("what was counted outlives the runtime, and never goes back", async () => {
    await gateway.restart();
    assert.equal(await counted("requests_total"), 3);
    await ask(2);
    await until("5 requests", async () => {
      const now = await counted("requests_total");
      assert.ok(now >= 3 && now <= 5, `${now}`);
      return now === 5;
    });
    const { total } = await gateway.admin("/admin/v1/metrics?window=24h");
    assert.equal(total.requests, 5);
  });

  test("what is told twice counts once", async () => {
    const before = await counted("requests_total");
    const namespace = await gateway.objects("METRICS");
    const object = namespace.get(namespace.idFromName("default"));
    const tell = (number) => {
      const line = "told p m weur generate ok 1,0,0,0,0,1 0 100,40,1 0 0";
      return object.fetch("https://object/tell", { method: "POST", body: `another ${number}\n${line}\n` });
    };
    for (const [number, more] of [[1, 1], [1, 1], [2, 2], [1, 2], [2, 2], [5, 3]]) {
      assert.equal((await tell(number)).status, 200);
      assert.equal(await counted("requests_total"), before + more, `after number ${number}`);
    }
  });

  test("promtool has nothing to say about its page", (context) => {
    return page(ADMIN).then(({ text }) => {
      const { error, status, stderr } = spawnSync("promtool", ["check", "metrics"], { input: text, encoding: "utf8" });
      if (error && process.env.CI !== "true") return context.skip("promtool is missing: apt-get install -y prometheus");
      assert.deepEqual([error, status, stderr], [undefined, 0, ""]);
    });
  });

  test("each request is one point of Analytics Engine", async () => {
    const points = await until("points", () => {
      const points = gateway.log.flatMap(({ point }) => (point ? [point] : []));
      return points.length === 5 && points;
    });
    for (const { indexes, blobs, doubles } of points) {
      assert.equal(indexes.length, 1);
      assert.deepEqual([blobs[1], blobs[2], blobs[5]], ["mock", "echo", "ok"]);
      assert.deepEqual([blobs.length, doubles.length, doubles[0]], [12, 12, 200]);
    }
  });
});
