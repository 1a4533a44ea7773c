// The document `routes`: public names of models, and what stands behind them.
import { documentPage } from "../lib/document.js";

export const title = "Routes";

const EXAMPLES = [
  { name: "A fallback", key: "smart", about: "The first target that can serve does; the next ones stand in for it.", value: { targets: ["anthropic/claude-opus-4-6", "openai/gpt-5.4", "google/gemini-2.5-pro"] } },
  { name: "Shares", key: "split", about: "Nine of ten requests go to one model, one to the other; each stands in for the other.", value: { strategy: "weighted", targets: [{ model: "openai/gpt-5.4", weight: 9 }, { model: "openai/gpt-5.4-mini", weight: 1 }] } },
  { name: "The cheapest", key: "cheap", about: "What costs least for this request, by the price book.", value: { strategy: "least_cost", targets: ["google/gemini-2.5-flash-lite", "openai/gpt-5.4-nano"] } },
  { name: "By what is asked", key: "auto", about: "Rules look at the request; the first that holds says where to go on.", value: { rules: [{ when: { has_images: true }, use: "openai/gpt-5.4" }, { when: { input_tokens: { lte: 2000 }, tools: { eq: 0 } }, use: "openai/gpt-5.4-nano" }], default: "openai/gpt-5.4-mini" } },
  { name: "To try things out", key: "try", about: "The built-in mock answers without a key; its first target always fails, so that you see a failover.", value: { targets: ["mock/flaky", "mock/lorem"] } },
];

export async function render(main, { signal }) {
  await documentPage(main, { document: "routes", examples: EXAMPLES, signal });
}
