// Reads and changes the local KV namespace that `wrangler dev` serves as CONFIG. Standard input:
// {"get": [name], "put": {name: text}, "delete": [name]}; standard output: {name: text or null} of what was asked for.
import { readFileSync } from "node:fs";
import { Miniflare } from "miniflare";

const change = JSON.parse(readFileSync(0, "utf8"));
const miniflare = new Miniflare({
  modules: true,
  script: "export default {}",
  kvNamespaces: ["CONFIG"],
  kvPersist: ".wrangler/state/v3/kv",
});
try {
  const config = await miniflare.getKVNamespace("CONFIG");
  for (const [name, text] of Object.entries(change.put ?? {})) await config.put(name, text);
  for (const name of change.delete ?? []) await config.delete(name);
  const found = {};
  for (const name of change.get ?? []) found[name] = await config.get(name);
  console.log(JSON.stringify(found));
} finally {
  await miniflare.dispose();
}
