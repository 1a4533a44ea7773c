// Coding agents as their users run them, headless: each reads a file with a tool of its own and tells what is in it, on a
// provider that is not its own. Only base URL, key and model name are the gateway's.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, describe, test } from "node:test";
import { fileURLToPath } from "node:url";

import { Gateway, KEY } from "../e2e/lib/gateway.mjs";
import { SHAPES, speak } from "../e2e/lib/shapes.mjs";
import { forever, json, stream } from "../e2e/lib/upstream.mjs";

const BIN = fileURLToPath(new URL("node_modules/.bin", import.meta.url));
const WORD = "barquentine-4711";
const PROMPT = "Read the file note.txt with a tool and answer with the word that is in it.";
/** An agent starts in seconds and asks two or three times. */
const LIMIT_MS = 120_000;

const gateway = await Gateway.withLanes({ cli: Object.keys(SHAPES) }, () => ({ settings: { allow_private_upstreams: true } }));
after(() => gateway.stop());
const ORIGIN = new URL(gateway.origin).origin;

/** One row an agent: the tool it reads files with, and how it is pointed at the gateway. */
const AGENTS = {
  "Claude Code": {
    tool: "Read",
    args: (file) => ({ file_path: file }),
    command: ({ model }) => ["claude", "-p", PROMPT, "--model", model, "--allowedTools", "Read"],
    environment: () => ({ ANTHROPIC_BASE_URL: ORIGIN, ANTHROPIC_AUTH_TOKEN: KEY, CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1" }),
    on: ["openai", "google"],
  },
  Codex: {
    tool: "exec_command",
    args: (file) => ({ cmd: `cat ${file}` }),
    files: ({ model }) => ({
      ".codex/config.toml": `model = ${JSON.stringify(model)}\nmodel_provider = "portolan"\n[model_providers.portolan]\nname = "Portolan"\nbase_url = "${ORIGIN}/v1"\nenv_key = "PORTOLAN_KEY"\nwire_api = "responses"\n`,
    }),
    command: () => ["codex", "exec", "--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox", PROMPT],
    environment: () => ({ PORTOLAN_KEY: KEY }),
    on: ["anthropic", "google"],
  },
  "Gemini CLI": {
    tool: "read_file",
    args: (file) => ({ file_path: file }),
    files: () => ({ ".gemini/settings.json": JSON.stringify({ security: { auth: { selectedType: "gemini-api-key" } } }) }),
    command: ({ model }) => ["gemini", "--prompt", PROMPT, "--model", model, "--approval-mode", "yolo", "--skip-trust"],
    environment: () => ({ GOOGLE_GEMINI_BASE_URL: ORIGIN, GEMINI_API_KEY: KEY, GEMINI_CLI_TRUST_WORKSPACE: "true" }),
    on: ["openai", "anthropic"],
  },
  opencode: {
    tool: "read",
    args: (file) => ({ filePath: file }),
    files: ({ model }) => ({
      ".config/opencode/opencode.json": JSON.stringify({
        provider: { portolan: { npm: "@ai-sdk/openai-compatible", name: "Portolan", options: { baseURL: `${ORIGIN}/v1`, apiKey: KEY }, models: { [model]: { name: model } } } },
        model: `portolan/${model}`,
        small_model: `portolan/${model}`,
        autoupdate: false,
      }),
    }),
    command: ({ model }) => ["opencode", "run", "--model", `portolan/${model}`, PROMPT],
    on: ["anthropic", "google"],
  },
  Cline: {
    tool: "read_files",
    args: (file) => ({ files: [{ path: file }] }),
    setup: ({ model }) => [["cline", "auth", "-p", "openai", "-b", `${ORIGIN}/v1`, "-k", KEY, "-m", model]],
    command: () => ["cline", PROMPT],
    on: ["anthropic", "google"],
  },
};

for (const [name, agent] of Object.entries(AGENTS)) {
  describe(name, () => {
    for (const flavour of agent.on) {
      test(`a tool loop on ${flavour}`, { timeout: 2 * LIMIT_MS }, async () => {
        const home = mkdtempSync(path.join(tmpdir(), "portolan-cli-"));
        const place = path.join(home, "work");
        mkdirSync(place);
        const file = path.join(place, "note.txt");
        writeFileSync(file, `The word is ${WORD}.\n`);
        const model = `cli-${flavour}/m`;
        for (const [where, text] of Object.entries(agent.files?.({ model }) ?? {})) {
          mkdirSync(path.dirname(path.join(home, where)), { recursive: true });
          writeFileSync(path.join(home, where), text);
        }
        // The provider: calls the tool when it is offered, and tells the word once it has seen it.
        const answer = ({ text }) => {
          if (text.includes(WORD)) return { text: `The word is ${WORD}.` };
          if (text.includes(`"${agent.tool}"`)) return { calls: [{ id: "call_read", name: agent.tool, args: agent.args(file) }] };
          return { text: "A note" };
        };
        const before = gateway.upstream.requests(`cli-${flavour}`).length;
        gateway.upstream.script(`cli-${flavour}`, forever((response, entry) => speak(SHAPES[flavour], answer(entry), { json, stream })(response, entry)));
        const environment = {
          PATH: `${BIN}:${process.env.PATH}`, HOME: home, XDG_CONFIG_HOME: path.join(home, ".config"), XDG_DATA_HOME: path.join(home, ".local/share"),
          TERM: "dumb", NO_COLOR: "1", CI: "1", ...agent.environment?.({ model }),
        };
        try {
          for (const command of agent.setup?.({ model }) ?? []) await run(command, place, environment);
          const { output, code } = await run(agent.command({ model }), place, environment);
          const asked = gateway.upstream.requests(`cli-${flavour}`).slice(before);
          const told = `exit ${code}, ${asked.length} requests\n${output}\n${gateway.log.filter(({ status }) => status >= 400).map((line) => JSON.stringify(line)).slice(-3).join("\n")}`;
          assert.equal(code, 0, told);
          assert.ok(output.includes(WORD), told);
          assert.ok(asked.some(({ text }) => text.includes(WORD)), `the tool's result did not come back: ${told}`);
        } finally {
          rmSync(home, { recursive: true, force: true });
        }
      });
    }
  });
}

/** Runs a program to its end, or for as long as an agent may take. */
async function run([program, ...rest], cwd, env) {
  const child = spawn(path.join(BIN, program), rest, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const pipe of [child.stdout, child.stderr]) pipe.on("data", (data) => { output += data; });
  const timer = setTimeout(() => child.kill("SIGKILL"), LIMIT_MS);
  const code = await new Promise((resolve, reject) => { child.on("close", resolve).on("error", reject); });
  clearTimeout(timer);
  return { output, code };
}
