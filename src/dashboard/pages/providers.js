// The document `providers`, and which are on.
import { get } from "../lib/api.js";
import { append, h, replace } from "../lib/dom.js";
import { documentPage } from "../lib/document.js";
import { badge, card, failed, skeleton, table } from "../lib/ui.js";

export const title = "Providers";

const EXAMPLES = [
  { name: "A server of your own", key: "my-lab", about: "Anything that speaks OpenAI's chat: vLLM, Ollama, llama.cpp, LM Studio.", value: { kind: "openai", base_url: "https://lab.example/v1", keys: ["${LAB_KEY}"], models: { "lab-large": { context: 131_072, max_output: 8192, supports: ["tools"], price: { input: 1.25, output: 10 } } } } },
  { name: "Several keys", about: "The next key is used when one is refused or limited. They are names of secrets, never keys.", value: { openai: { keys: ["${OPENAI_API_KEY}", "${OPENAI_API_KEY_2}"] } } },
  { name: "Keeps nothing", about: "Your word that this provider keeps nothing of a request, by contract.", value: { anthropic: { zdr: true } } },
];

export async function render(main, { signal }) {
  const on = h("div", {});
  append(main, card("In force", { hint: "A provider is on when its secret is stored: wrangler secret put NAME." }, on));
  const show = async () => {
    replace(on, skeleton(3));
    try {
      const { body } = await get("/config", { signal });
      const rows = [...body.providers.map((name) => ({ name, missing: null })), ...Object.entries(body.off).map(([name, missing]) => ({ name, missing: [missing].flat() }))];
      replace(on, h("p", { class: "chips" }, body.providers.map((name) => badge("up", name, "ok"))),
        h("details", {}, h("summary", {}, `${rows.length - body.providers.length} are off`), table({
          caption: "Providers that are off", rows: rows.filter(({ missing }) => missing),
          columns: [{ key: "name", label: "Provider" }, { key: "missing", label: "What is missing", render: ({ missing }) => missing.map((name, index) => [index > 0 && ", ", h("code", {}, String(name))]) }],
        })));
    } catch (error) {
      if (!signal.aborted) replace(on, failed(error, show));
    }
  };
  await Promise.all([show(), documentPage(main, { document: "providers", examples: EXAMPLES, signal, after: () => { show(); return null; } })]);
}
