import { expect, test } from "vitest";
import { InternalError } from "../../../src/core/errors.js";
import type { Expr } from "../../../src/kernel-ir/scalar.js";
import type { NestKernel } from "../../../src/kernel-ir/kernel.js";
import { forEachNode, rootsOf } from "../../../src/backends/webgpu/nest/touches.js";
import { sharedDevice } from "../../gpu/run-code.js";
import { randomNest } from "../wasm/random-nest.js";
import { check, contents } from "./nest-harness.js";

/** More may be tried: TSAX_RANDOM=1000 npx vitest run tests/backends/webgpu/nest-random.test.ts */
const count = Number(process.env["TSAX_RANDOM"] ?? 40);
const first = Number(process.env["TSAX_SEED"] ?? 1);

/** What a GPU does not hold. */
function hasDoubles(kernel: NestKernel): boolean {
  let found = kernel.buffers.some((b) => b.type === "f64") || kernel.slots.some((s) => s.type === "f64");
  const look = (e: Expr): void => void (found ||= e.type === "f64");
  for (const { body, after } of kernel.phases) forEachNode([...body, ...after].flatMap(rootsOf), look);
  return found;
}

test(`${count} random nests agree with the interpreter`, { timeout: 2000 * count + 60_000 }, async () => {
  const mappings = new Set<string>();
  let tried = 0;
  for (let seed = first; tried < count; seed++) {
    const kernel = randomNest(seed);
    if (hasDoubles(kernel)) continue;
    tried++;
    // quarters: sums are exact in any order
    const inputs = contents(kernel, seed).map((b, k) =>
      kernel.buffers[k]!.type === "f32" ? b.map((v) => Math.round(v * 4) / 4) : b,
    );
    try {
      const limits = { maxStorageBuffersPerShaderStage: 10 };
      for (const m of await check(kernel, { inputs, launch: limits })) mappings.add(m);
    } catch (error) {
      if (error instanceof InternalError && /buffers, and the device binds/.test(error.message)) continue;
      throw new Error(`seed ${seed}`, { cause: error });
    }
  }
  if (count >= 40 && (await sharedDevice())) expect(mappings.size).toBeGreaterThan(8);
});
