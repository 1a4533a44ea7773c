// schemathesis against the built Worker, by openapi.json. Its counts are its operations: each is one test.
//
//   SCHEMATHESIS=path/to/st node tests/openapi/run.mjs
//
// PORTOLAN_OPENAPI_SECONDS is the time for all of it, PORTOLAN_OPENAPI_SEED another seed than 1.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

import { ADMIN } from "../e2e/lib/gateway.mjs";
import { door, started } from "./gateway.mjs";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const SECONDS = process.env.PORTOLAN_OPENAPI_SECONDS ?? "50";
const SEED = process.env.PORTOLAN_OPENAPI_SEED ?? "1";

/** The description, with every answer closed: a member that it does not speak of is a failure. */
function closed() {
  const described = JSON.parse(readFileSync(path.join(ROOT, "openapi.json"), "utf8"));
  for (const schema of Object.values(described.components.schemas)) {
    if (schema.properties && !schema.$schema) schema.additionalProperties ??= false;
  }
  return described;
}

const folder = mkdtempSync(path.join(tmpdir(), "portolan-openapi-"));
const file = path.join(folder, "openapi.json");
writeFileSync(file, JSON.stringify(closed()));
const gateway = await started();
const entrance = await door(gateway);
let passed = 0;
let failed = 0;
try {
  const config = path.join(ROOT, "tests/openapi/schemathesis.toml");
  const options = ["--url", entrance.url, "--header", `Authorization: Bearer ${ADMIN}`, "--seed", SEED, "--max-time", SECONDS];
  const run = spawn(process.env.SCHEMATHESIS ?? "st", ["--config-file", config, "run", file, ...options], { cwd: folder });
  let said = "";
  for (const stream of [run.stdout, run.stderr]) {
    stream.on("data", (bytes) => { said += bytes; process.stdout.write(bytes); });
  }
  const [code] = await once(run, "close");
  const tested = Number(/^ *Tested: (\d+)/m.exec(said)?.[1] ?? 0);
  const selected = Number(/^ *Selected: (\d+)/m.exec(said)?.[1] ?? 0);
  // Failures stand below their operations' names.
  const wrong = new Set(said.match(/^_{3,} [A-Z]+ \/.* _{3,}$/gm)).size;
  failed = Math.max(wrong, code === 0 && tested === selected && tested > 0 ? 0 : 1);
  passed = Math.max(0, tested - failed);
} finally {
  entrance.close();
  await gateway.stop();
  rmSync(folder, { recursive: true, force: true });
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed ? 1 : 0;
