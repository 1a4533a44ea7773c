// Numbers of a made-up gateway, as `GET /admin/v1/metrics` and `GET /admin/v1/health` tell them. The same every time.

const WINDOWS = { "1h": [3_600_000, 60_000], "24h": [86_400_000, 1_200_000], "7d": [604_800_000, 10_800_000] };

/** A number from 0 to 1 that looks random and is not. */
const dice = (seed) => {
  const value = Math.sin(seed * 12.9898) * 43_758.5453;
  return value - Math.floor(value);
};

const NONE = {
  requests: 0, errors: 0, client_errors: 0, failovers: 0, breaks: 0, input: 0, cache_read: 0, cache_write: 0, output: 0, cost: 0, cost_usd: "0",
  first_ms: null, ms: null, gateway_ms: null, availability: null,
};

function sums(requests, seed, isDown = false) {
  if (!requests) return NONE;
  const errors = isDown ? Math.round(requests * 0.04) : dice(seed + 1) > 0.9 ? 1 : 0;
  const input = Math.round(requests * (700 + 400 * dice(seed + 2)));
  const output = Math.round(requests * (180 + 90 * dice(seed + 3)));
  const cost = Math.round((input * 1.25 + output * 10) * 1_000_000);
  const slow = isDown ? 3 : 1;
  return {
    requests, errors, client_errors: Math.round(requests * 0.01 * dice(seed + 4)), failovers: isDown ? Math.round(requests * 0.3) : Math.round(requests * 0.01 * dice(seed + 5)),
    breaks: isDown ? 2 : 0, input, cache_read: Math.round(input * 0.35), cache_write: Math.round(input * 0.06), output, cost, cost_usd: String(cost / 1e12),
    first_ms: { p50: Math.round(slow * (310 + 60 * dice(seed + 6))), p95: Math.round(slow * (820 + 240 * dice(seed + 7))), p99: Math.round(slow * (1_500 + 700 * dice(seed + 8))) },
    ms: { p50: 2_400, p95: 7_800, p99: 14_000 }, gateway_ms: { p50: 2.4, p95: 6.1 }, availability: 1 - errors / requests,
  };
}

const NAMES = {
  route: ["default", "fast", "coding", "batch-of-the-night", "eu-only"],
  model: ["gpt-5.4", "claude-sonnet-5", "gemini-3-flash", "llama-4-maverick-17b-128e-instruct-fp8", "mistral-large-3"],
  provider: ["openai", "anthropic", "google", "bedrock-frankfurt", "own-vllm"],
  tenant: ["acme", "globex"], region: ["weur", "enam"], outcome: ["answered", "failed"],
};

export function metrics(url, now = Date.now()) {
  const { searchParams } = new URL(url);
  const [length, step] = WINDOWS[searchParams.get("window") ?? "24h"];
  const to = Math.floor(now / step) * step + step;
  const from = to - length;
  const count = length / step;
  const points = Array.from({ length: count }, (_, index) => {
    const wave = 1 + 0.6 * Math.sin((index / count) * Math.PI * (length > 90_000_000 ? 14 : 2));
    return { at: from + index * step, ...sums(Math.round((step / 60_000) * 9 * wave * (0.8 + 0.4 * dice(index))), index, index > count * 0.6 && index < count * 0.66) };
  });
  const total = points.reduce((all, point) => {
    for (const key of ["requests", "errors", "client_errors", "failovers", "breaks", "input", "cache_read", "cache_write", "output", "cost"]) all[key] += point[key];
    return all;
  }, { ...sums(100, 3), requests: 0, errors: 0, client_errors: 0, failovers: 0, breaks: 0, input: 0, cache_read: 0, cache_write: 0, output: 0, cost: 0 });
  total.availability = 1 - total.errors / total.requests;
  total.cost_usd = String(total.cost / 1e12);
  const by = (searchParams.get("group_by") ?? "").split(",").filter(Boolean);
  const groups = by.length ? NAMES[by[0]].map((name, index) => ({ [by[0]]: name, ...sums(Math.round(total.requests * [0.5, 0.25, 0.15, 0.08, 0.02][index]), index * 7) })) : [];
  return { from, to, step_ms: step, total, points, groups };
}

export function quiet(url) {
  const body = metrics(url);
  return { ...body, total: NONE, points: body.points.map(({ at }) => ({ at, ...NONE })), groups: [] };
}

/** Regions with every standing, a word of the operator and changes. */
export function health(now = Date.now()) {
  const up = (p50, p95, failed = 0) => ({ standing: "up", p50_ms: p50, p95_ms: p95, samples: 412, failed_permille: failed });
  const change = (ago, cell, from, to, why) => ({ at: now - ago, cell, from, to, ...(why && { why }) });
  return {
    regions: {
      wnam: { cells: { "openai/gpt-5.4": up(280, 710), "google/gemini-3-flash": up(190, 420) }, operator: {}, history: [] },
      enam: {
        cells: { "openai/gpt-5.4": up(312, 890), "anthropic/claude-sonnet-5": { standing: "ramping", percent: 50, p50_ms: 520, p95_ms: 1_800, samples: 96, failed_permille: 40 }, "anthropic#1": { standing: "cooling", until: now + 24_000, failed_permille: 0 } },
        operator: {},
        history: [change(9_000, "anthropic/claude-sonnet-5", "open", "ramping", "2 probes went well"), change(31_000, "anthropic/claude-sonnet-5", "up", "open", "5 of 8 failed")],
      },
      weur: {
        cells: {
          "openai/gpt-5.4": { standing: "open", until: now + 17_000, p50_ms: 2_900, p95_ms: 9_100, samples: 33, failed_permille: 720 },
          "anthropic/claude-sonnet-5": up(430, 1_240, 3), "google/gemini-3-flash": { standing: "degraded", percent: 60, p50_ms: 900, p95_ms: 2_400, samples: 140, failed_permille: 210 },
          "own-vllm/llama-4-maverick-17b-128e-instruct-fp8": { standing: "drained", p50_ms: 95, p95_ms: 180, samples: 50, failed_permille: 0 }, "google@FRA": { standing: "shut", until: now + 3_100_000, failed_permille: 0 },
        },
        operator: { "own-vllm": { action: "drain", until: now + 1_900_000 } },
        history: [change(13_000, "openai/gpt-5.4", "up", "open", "3 failures in a row"), change(700_000, "own-vllm/llama-4-maverick-17b-128e-instruct-fp8", "up", "drained", "the operator said so")],
      },
    },
    unreachable: ["afr"],
  };
}
