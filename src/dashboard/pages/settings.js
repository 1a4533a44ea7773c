// The document `settings`: what holds for all routes that say nothing else.
import { documentPage } from "../lib/document.js";

export const title = "Settings";

const EXAMPLES = [
  { name: "Patience", about: "How long an answer is waited for before the next target is tried, in milliseconds.", value: { timeouts: { headers_ms: 10_000, first_token_ms: 15_000, idle_ms: 20_000 } } },
  { name: "Retries", about: "Three targets at most, none begun after a minute.", value: { retry: { attempts: 3, total_ms: 60_000 } } },
  { name: "Browsers", about: "Pages of these origins may call the gateway.", value: { cors: { origins: ["https://app.example.com"] } } },
  { name: "Zero retention", about: "Only providers that keep nothing, as `providers` says.", value: { zdr: true } },
];

export async function render(main, { signal }) {
  await documentPage(main, { document: "settings", examples: EXAMPLES, signal });
}
