import Benchmark from "benchmark";
import { CASES, type CaseName, type Library } from "./cases.js";

/** What one library did with one problem; times in milliseconds. */
export interface Measured {
  readonly name: CaseName;
  /** The first call, with whatever it compiles. */
  readonly first: number;
  readonly median: number;
  /** The median's relative margin of error, in percent. */
  readonly margin: number;
  readonly check: readonly number[];
}

const MODULES: Readonly<Record<string, string>> = {
  tsax: "./tsax.js",
  "jax-js": "./peers/jax-js.js",
  tfjs: "./peers/tfjs.js",
};

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? NaN;
}

async function measure(library: Library, name: CaseName): Promise<Measured | undefined> {
  const prepare = library.cases[name];
  if (prepare === undefined) return undefined;
  const { run, check } = await prepare();
  const started = performance.now();
  await run();
  const first = performance.now() - started;
  // Half a second of calls, for the engine's optimising compiler to see them.
  while (performance.now() - started < 500) await run();
  const benchmark = await new Promise<Benchmark>((resolve, reject) => {
    new Benchmark(name, {
      defer: true,
      maxTime: 2,
      fn: (deferred: { resolve(): void }) => {
        Promise.resolve(run()).then(() => deferred.resolve(), reject);
      },
      onComplete(this: Benchmark) {
        resolve(this);
      },
    }).run({ async: true });
  });
  const { sample, rme } = benchmark.stats;
  return { name, first, median: 1000 * median(sample), margin: rme, check: await check() };
}

// Runs as a process of its own: one library at a time, nothing else loaded. Prints one line of JSON a problem.
const [which = "tsax", pattern = ""] = process.argv.slice(2);
const { library } = (await import(MODULES[which] ?? which)) as { library: Library };
for (const name of Object.keys(CASES) as CaseName[]) {
  if (!name.includes(pattern)) continue;
  const measured = await measure(library, name);
  if (measured) console.log(JSON.stringify(measured));
}
process.exit(0);
