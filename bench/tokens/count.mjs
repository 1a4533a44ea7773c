// Counts of real tokenizers for the samples in tests/fixtures/estimate, into counts.json beside them.
//
//   npm install --prefix bench/tokens
//   pip download dashscope==2.0.2 --no-deps -d bench/tokens/build && (cd bench/tokens/build && unzip -o dashscope-*.whl dashscope/resources/qwen.tiktoken)
//   node bench/tokens/count.mjs bench/tokens/build/dashscope/resources/qwen.tiktoken

import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { countTokens as cl100k } from "gpt-tokenizer/encoding/cl100k_base";
import { countTokens as o200k } from "gpt-tokenizer/encoding/o200k_base";
import { Tiktoken } from "js-tiktoken/lite";
import llama3 from "llama3-tokenizer-js";

const samples = new URL("../../tests/fixtures/estimate/", import.meta.url);

// As the vocabulary's own reader in dashscope has it; `(?i:…)` spelled out for JavaScript.
const QWEN_WORDS =
  "'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD]|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

function qwen(path) {
  const tokens = readFileSync(path, "utf8").trim().split("\n").map((line) => line.split(" ")[0]);
  const encoding = new Tiktoken({ bpe_ranks: `! 0 ${tokens.join(" ")}`, pat_str: QWEN_WORDS, special_tokens: {} });
  return (text) => encoding.encode(text).length;
}

const counters = [o200k, cl100k, (text) => llama3.encode(text, { bos: false, eos: false }).length, qwen(process.argv[2])];
const counts = { tokenizers: ["o200k", "cl100k", "llama3", "qwen"] };
for (const name of readdirSync(samples).filter((name) => name.endsWith(".txt")).sort()) {
  const texts = readFileSync(new URL(name, samples), "utf8").split("\n\n").map((text) => text.trim()).filter(Boolean);
  counts[name.slice(0, -4)] = texts.map((text) => counters.map((count) => count(text)));
}
const rows = Object.entries(counts).map(([name, value]) => `  ${JSON.stringify(name)}: ${JSON.stringify(value)}`);
writeFileSync(new URL("counts.json", samples), `{\n${rows.join(",\n")}\n}\n`);
