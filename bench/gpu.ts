import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import type { GpuStep } from "./gpu-step.js";
import { LIBRARY_NAMES } from "./libraries.js";
import type { RowName } from "./rows.js";

/**
 * Warm steps on WebGPU, on whatever adapter is there: dispatches, bytes and other counts, which do not depend on the adapter,
 * and time, which on a software driver says little.
 */
const rows: readonly RowName[] = [
  "softmax-regression step, 128×784×10",
  "MLP step, 784-128-10, batch 128",
  "matmul 256",
  "softmax, 4096×1000",
];

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { device: { type: "string" }, json: { type: "string" }, only: { type: "string" } },
});
const pattern = new RegExp(options.only ?? positionals[0] ?? "", "i");
const script = fileURLToPath(new URL("gpu-step.js", import.meta.url));
const results: Record<string, unknown>[] = [];
console.log("Warm steps on WebGPU; bytes are those of the ranges that dispatches bind\n");
console.log("| | library | dispatches | submits | bind groups | pipelines | buffers | bytes bound | time |");
console.log("|---|---|---|---|---|---|---|---|---|");
for (const name of rows.filter((one) => pattern.test(one)))
  for (const library of LIBRARY_NAMES) {
    const { stdout, status } = spawnSync(process.execPath, [script, library, name], {
      stdio: ["ignore", "pipe", "inherit"],
      encoding: "utf8",
      env: { ...process.env, BENCH_DEVICE: "webgpu" },
    });
    const step = status === 0 ? (JSON.parse(stdout.trim().split("\n").at(-1)!) as GpuStep | null) : null;
    results.push({ name, library, ...step });
    if (!step) {
      console.log(`| ${name} | ${library} | — |`);
      continue;
    }
    const { dispatches, submits, bindGroups, pipelines, buffers, boundBytes } = step.counts;
    const cells = [dispatches, submits, bindGroups, pipelines, buffers, `${(boundBytes / 1e6).toFixed(2)} MB`];
    console.log(`| ${name} | ${library} | ${cells.join(" | ")} | ${step.ms.toPrecision(3)} ms |`);
  }
if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(results, null, 2)}\n`);
