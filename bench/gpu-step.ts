import { countGpu, type GpuCounts, gpuCounts } from "./gpu-counters.js";
import "./device.js";
import { prepare, verify, type LibraryName } from "./libraries.js";
import type { RowName } from "./rows.js";

/** What one warm run of a row costs on WebGPU. */
export interface GpuStep {
  readonly counts: GpuCounts;
  readonly ms: number;
}

/** One row of one library on WebGPU in a process of its own. Prints a line of JSON: a `GpuStep`, or null where it cannot. */
const [which, name] = process.argv.slice(2) as [LibraryName, RowName];
countGpu();
const prepared = await prepare(which, name);
let step: GpuStep | null = null;
if (prepared && (await verify(which, name, prepared))) {
  for (let i = 0; i < 5; i++) await prepared.run();
  const before = gpuCounts();
  await prepared.run();
  const after = gpuCounts();
  const difference = Object.entries(after).map(([key, n]) => [key, (n as number) - before[key as keyof GpuCounts]]);
  const times: number[] = [];
  for (let i = 0; i < 9; i++) {
    const start = performance.now();
    await prepared.run();
    times.push(performance.now() - start);
  }
  step = { counts: Object.fromEntries(difference) as GpuCounts, ms: times.sort((a, b) => a - b)[4]! };
}
console.log(JSON.stringify(step));
process.exit(0);
