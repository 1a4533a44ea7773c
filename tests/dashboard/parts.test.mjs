// What the dashboard reckons without a page: JSON with places, schemas in words, differences, merges, and verdicts.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";

import { placed, look } from "../../src/dashboard/lib/checks.js";
import { compare } from "../../src/dashboard/lib/difference.js";
import { format, parse, position } from "../../src/dashboard/lib/jsontext.js";
import { extended, free, merge } from "../../src/dashboard/lib/merge.js";
import { times, verdict } from "../../src/dashboard/lib/record.js";
import { validate } from "../../src/dashboard/lib/schema.js";

const schema = (name) => JSON.parse(readFileSync(new URL(`../../schema/${name}.json`, import.meta.url), "utf8"));

describe("JSON as text", () => {
  const wrong = [
    ["{\"a\": 1,}", /comma too many/, 8],
    ["{\"a\" 1}", /`:` is expected/, 6],
    ["{\n  'a': 1\n}", /name in `"` is expected, not `'`/, 3],
    ["[1 2]", /`,` or `\]`/, 4],
    ["{\"a\": \"x\n\"}", /no end/, 7],
    ["{\"a\": \"\\x\"}", /begins no escape/, 8],
    ["{} {}", /Nothing may come after/, 4],
    ["", /value is expected/, 1],
    ["[01]", /`,` or `\]`/, 3],
  ];
  for (const [text, message, column] of wrong) {
    test(`${JSON.stringify(text)} is no JSON`, () => {
      const { value, problems: [problem] } = parse(text);
      assert.equal(value, undefined);
      assert.match(problem.message, message);
      assert.equal(position(text, problem.start).column, column, JSON.stringify(position(text, problem.start)));
      assert.throws(() => JSON.parse(text));
    });
  }

  test("is read as the browser reads it", () => {
    for (const text of ["{\"a.b\":[1,-2.5e3,true,null,\"\\u00e4\\n\\\\\",{}],\"__proto__\":1}", "[]", " \"x\" ", "0"]) assert.deepEqual(parse(text).value, JSON.parse(text));
  });

  test("has places by pointer and by the gateway's paths", () => {
    const text = "{\"a.b\": {\"c/d\": [1, 22]}}";
    const { places } = parse(text);
    for (const path of ["/a.b/c~1d/1", "a.b.c/d[1]"]) assert.equal(text.slice(places.get(path).start, places.get(path).end), "22", path);
  });

  test("is formatted as what it is", () => {
    for (const name of ["routes", "key"]) assert.deepEqual(JSON.parse(format(schema(name))), schema(name));
  });
});

describe("a schema in words", () => {
  const rows = [
    ["routes", {}, []],
    ["routes", { a: { targets: ["x", { model: "y", weight: 1 }] } }, []],
    ["routes", { a: {} }, [["a", "This needs `targets`, or `rules` with `default`."]]],
    ["routes", { a: { targets: [7] } }, [["a.targets[0]", "This must be a string or an object."]]],
    ["routes", { a: { targets: [{}] } }, [["a.targets[0]", "This needs `model`, or `use`."]]],
    ["routes", { a: { targets: [{ model: "x", wieght: 1 }] } }, [["a.targets[0].wieght", "`wieght` is an unknown field. Did you mean `weight`?"]]],
    ["routes", { a: { targets: [{ use: "x", weight: "1" }] } }, [["a.targets[0].weight", "This must be a whole number."]]],
    ["routes", { a: { targets: ["x"], when_all_unavailable: { wait_ms: 0 } } }, [["a.when_all_unavailable.wait_ms", "This must be at least 1."]]],
    ["routes", { "a b": { targets: ["x"] } }, [["a b", "`a b` cannot be a name here: names have the form `^[A-Za-z0-9._-]{1,200}$`."]]],
    ["budgets", { tenants: { acme: { budgets: [{ usd: 1, per: "year" }] } } }, [["tenants.acme.budgets[0].per", "This must be one of \"day\", \"week\", \"month\", \"total\"."]]],
    ["budgets", { tenants: { acme: { budgets: [{ usd: -1 }] } } }, [["tenants.acme.budgets[0]", "`per` is missing."], ["tenants.acme.budgets[0].usd", "This must be at least 0."]]],
    ["key", { name: "" }, [["name", "This must not be empty."]]],
    ["settings", [], [["", "This must be an object."]]],
  ];
  for (const [name, value, problems] of rows) {
    test(`${name} ${JSON.stringify(value)}`, () => assert.deepEqual(validate(schema(name), value).map(({ path, message }) => [path, message]), problems));
  }

  test("problems have lines, the gateway's too", () => {
    const text = "{\n  \"a\": {\n    \"targets\": [\"x\"],\n    \"strategie\": 1\n  }\n}";
    assert.equal(look(text, schema("routes")).problems[0].line, 4);
    const [here, nearest, other] = placed([{ document: "routes", path: "a.targets[0]", message: "m" }, { document: "routes", path: "a.targets[9].weight", message: "m" }, { document: "prices", path: "x", message: "m" }], "routes", text);
    assert.equal(here.line, 3);
    assert.equal(nearest.line, 3);
    assert.deepEqual([other.path, other.line], ["prices: x", undefined]);
  });
});

describe("two texts", () => {
  const rows = [
    ["a\nb\nc", "a\nc", ["same a", "remove b", "same c"]],
    ["a\nc", "a\nb\nc", ["same a", "add b", "same c"]],
    ["a\nb", "a\nB", ["same a", "remove b", "add B"]],
    ["x\na\ny\nb\nz", "x\ny\nb\nq\nz", ["same x", "remove a", "same y", "same b", "add q", "same z"]],
    ["", "a", ["remove ", "add a"]],
  ];
  for (const [was, is, lines] of rows) {
    test(`${JSON.stringify(was)} and ${JSON.stringify(is)}`, () => {
      const found = compare(was, is);
      assert.deepEqual(found.map(({ op, text }) => `${op} ${text}`), lines);
      assert.equal(found.filter(({ op }) => op !== "add").map(({ text }) => text).join("\n"), was);
      assert.equal(found.filter(({ op }) => op !== "remove").map(({ text }) => text).join("\n"), is);
    });
  }
});

describe("two people's changes", () => {
  const rows = [
    ["of different members", { a: 1 }, { a: 1, b: 2 }, { a: 1, c: 3 }, { a: 1, c: 3, b: 2 }, []],
    ["mine alone", { a: 1 }, { a: 2 }, { a: 1 }, { a: 2 }, []],
    ["theirs alone", { a: 1 }, { a: 1 }, { a: 2 }, { a: 2 }, []],
    ["of one member", { a: 1 }, { a: 2 }, { a: 3 }, { a: 2 }, ["a"]],
    ["within one member", { r: { x: 1, y: 1 } }, { r: { x: 2, y: 1 } }, { r: { x: 1, y: 3 } }, { r: { x: 2, y: 3 } }, []],
    ["what I took away", { a: 1, b: 1 }, { b: 1 }, { a: 1, b: 2 }, { b: 2 }, []],
    ["what they took away", { a: 1, b: 1 }, { a: 1, b: 2 }, { b: 1 }, { b: 2 }, []],
    ["the same", { a: 1 }, { a: 2 }, { a: 2 }, { a: 2 }, []],
  ];
  for (const [what, base, mine, theirs, value, conflicts] of rows) {
    test(what, () => assert.deepEqual(merge(base, mine, theirs), { value, conflicts }));
  }

  test("examples go beside what is there", () => {
    assert.deepEqual(extended({ tenants: { a: 1 } }, { tenants: { b: 2 }, tags: {} }), { tenants: { a: 1, b: 2 }, tags: {} });
    assert.equal(free("smart", { smart: 1, "smart-2": 1 }), "smart-3");
  });
});

describe("whose doing it was", () => {
  const one = (provider, at_ms, ms, outcome = "ok", status = 200) => ({ provider, model: "m", reason: "priority 1", at_ms, ms, outcome, status });
  const base = { status: 200, outcome: "ok", stream: true, tries: [], plan: [], skipped: [], usage: { input: 10, cache_read: 0, cache_write: 0, output: 100 }, first_ms: null, total_ms: 0 };
  const rows = [
    ["quick", { tries: [one("a", 2, 300)], first_ms: 300, total_ms: 700 }, "nobody", /Nobody was slow: the whole request took 700 ms/],
    ["a slow first token", { tries: [one("a", 5, 8000)], first_ms: 8000, total_ms: 9000 }, "provider", /a\/m took 8\.00 s to its first token \(89 %/],
    ["tries that failed", { tries: [one("a", 5, 12_000, "silent", 0), one("b", 12_010, 500)], first_ms: 500, total_ms: 13_000 }, "provider", /12\.0 s went by with tries that failed/],
    ["a long answer", { tries: [one("a", 5, 500)], first_ms: 500, total_ms: 20_500, usage: { ...base.usage, output: 1000 } }, "length", /The length of the answer: .* 1,000 tokens at 50 a second/],
    ["a crawling answer", { tries: [one("a", 5, 500)], first_ms: 500, total_ms: 60_500, usage: { ...base.usage, output: 100 } }, "provider", /100 tokens at 1\.7 a second/],
    ["the gateway", { tries: [one("a", 4000, 500)], first_ms: 500, total_ms: 4600 }, "gateway", /the gateway took 4\.00 s/],
    ["a whole answer", { stream: false, tries: [one("a", 5, 5000)], first_ms: 5000, total_ms: 5010 }, "provider", /a\/m took 5\.00 s to answer/],
    ["a refusal", { status: 404, outcome: "refused", fault: "caller", plan: ["refused: there is no such model"], total_ms: 1 }, "caller", /refused the request \(404\)/],
    ["a limit", { status: 429, outcome: "refused", fault: "caller", total_ms: 1 }, "caller", /limits or budgets/],
    ["a bad request", { status: 400, outcome: "caller", fault: "caller", tries: [one("a", 5, 50, "caller", 400)], total_ms: 60 }, "caller", /a\/m refused what was sent/],
    ["all failed", { status: 502, outcome: "transient", fault: "provider", tries: [one("a", 5, 50, "transient", 503), one("b", 60, 50, "transient", 500)], total_ms: 120 }, "provider", /2 provider targets failed/],
    ["a broken stream", { status: 200, outcome: "broken", fault: "provider", tries: [one("a", 5, 50, "broken")], total_ms: 900 }, "provider", /broke the answer off/],
    ["the gateway's own failure", { status: 500, outcome: "gateway", fault: "gateway", total_ms: 3 }, "gateway", /The gateway/],
    ["a caller that left", { outcome: "gone", status: 499, fault: "caller", tries: [one("a", 5, 9000, "gone", 0)], total_ms: 9005 }, "caller", /left after 9\.01 s, before the answer began/],
    ["the cache", { cache: "hit", total_ms: 2 }, "nobody", /response cache/],
  ];
  for (const [what, record, who, title] of rows) {
    test(what, () => {
      const found = verdict({ ...base, ...record });
      assert.equal(found.who, who, found.title);
      assert.match(found.title, title);
    });
  }

  test("is held against what is usual", () => {
    const record = { ...base, tries: [one("a", 5, 8000)], first_ms: 8000, total_ms: 9000 };
    assert.match(verdict(record, 900).reasons.join(), /longer than usual: 95 of 100/);
    assert.match(verdict(record, 9000).reasons.join(), /as usual/);
  });

  test("the parts of a time make up the whole", () => {
    const record = { ...base, tries: [one("a", 5, 100, "transient", 503), one("b", 305, 400)], first_ms: 400, total_ms: 2000 };
    const { gateway, lost, waited, answering, first } = times(record);
    assert.deepEqual({ gateway, lost, waited, answering, first }, { gateway: 205, lost: 100, waited: 400, answering: 1295, first: 705 });
    assert.equal(gateway + lost + waited + answering, record.total_ms);
  });
});
