import { expect, test } from "vitest";
import { difference, numbers } from "./build.js";
import { evaluateNest } from "./evaluate.js";
import { runNest, type RunOptions } from "./harness.js";
import { randomNest } from "./random-nest.js";

/** More may be tried: TSAX_RANDOM=10000 npx vitest run tests/backends/wasm/random.test.ts */
const count = Number(process.env["TSAX_RANDOM"] ?? 250);
const first = Number(process.env["TSAX_SEED"] ?? 1);
const ways: readonly RunOptions[] = [
  {},
  { generic: true },
  { chunk: 5 },
  { generic: true, chunk: 3 },
  { relaxed: false },
];

test(`${count} random nests agree with their evaluation`, { timeout: 200 * count + 30_000 }, () => {
  const modes = new Set<string>();
  for (let seed = first; seed < first + count; seed++) {
    const kernel = randomNest(seed);
    // quarters: sums are exact in any order
    const buffers = kernel.buffers.map((b, k) =>
      numbers(b.type, b.length, seed + k).map((v) =>
        b.type === "f32" || b.type === "f64" ? Math.round(v * 4) / 4 : v,
      ),
    );
    const expected = buffers.map((b) => b.slice());
    evaluateNest(kernel, expected);
    for (const way of ways) {
      const { buffers: actual, lowered } = runNest(kernel, buffers, way);
      modes.add(`${lowered.nest.mode} ${lowered.nest.lanes}`);
      actual.forEach((b, k) => {
        const wrong = difference(b, expected[k]!);
        if (wrong) throw new Error(`seed ${seed} ${JSON.stringify(way)} buffer ${k}: ${wrong}`);
      });
    }
  }
  if (count >= 100)
    expect([...modes].sort()).toEqual(["parallel 2", "parallel 4", "reduced 2", "reduced 4", "scalar 2", "scalar 4"]);
});
