// Serves the built Worker for a test in another language: documents and secrets as JSON on standard input, its URL as
// one line on standard output. Ends when standard input does.
//
//   echo '{"documents": {"settings": {…}, "providers": {…}, "routes": {…}}, "bindings": {"GATEWAY_KEY": "…"}}' | node serve.mjs
import readline from "node:readline";

import { Gateway } from "./gateway.mjs";

const input = readline.createInterface({ input: process.stdin });
const [line] = await new Promise((resolve) => { input.once("line", (text) => resolve([text])); });
const { documents, bindings } = JSON.parse(line);
const gateway = await Gateway.start({ documents: () => documents, bindings });
const stop = async () => {
  await gateway.stop();
  process.exit();
};
input.once("close", stop);
process.once("SIGTERM", stop);
console.log(new URL("/", gateway.origin).href);
