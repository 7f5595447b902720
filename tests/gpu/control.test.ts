import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  config,
  defaultDevice,
  grad,
  jit,
  lax,
  memoryStats,
  type NDArray,
  numpy as np,
  setDefaultDevice,
} from "../../src/index.js";
import { webgpu } from "./webgpu.js";

const home = { device: defaultDevice(), warn: config.warn };
const said: string[] = [];
beforeAll(() => {
  if (webgpu) setDefaultDevice("webgpu");
  config.update("warn", (message) => said.push(message));
});
afterAll(() => {
  setDefaultDevice(home.device);
  config.update("warn", home.warn);
});

/** x₁·0.5⁴ + x₂·0.5³ + … */
const decayed = (x: NDArray): NDArray =>
  lax.scan((sum: NDArray, y: NDArray) => [sum.mul(0.5).add(y), sum], np.array(0, { dtype: "float32" }), x)[0];

describe.skipIf(!webgpu)("control flow on webgpu is computed on wasm, in its turn", () => {
  test("what comes before and after it stays on the device, and it is reported once", async () => {
    const f = jit((x: NDArray) => np.sum(decayed(np.tanh(x)).mul(2)));
    const x = np.array([0.1, 0.2, 0.3]);
    const expected = 2 * (Math.tanh(0.1) / 4 + Math.tanh(0.2) / 2 + Math.tanh(0.3));
    // Several calls stand in line at once.
    const results = [f(x), f(x), f(f(x).mul(0).add(x))];
    for (const y of results) {
      expect(y.device).toBe("webgpu");
      expect((await y.data())[0]).toBeCloseTo(expected, 5);
    }
    await grad(decayed)(x).data();
    const scans = said.filter((message) => message.includes("steps of kind scan"));
    expect(scans).toHaveLength(1);
    expect(scans[0]).toContain('computed on "wasm"');
  });

  test("gradients, loops whose end depends on data, branches", async () => {
    expect(await grad(decayed)(np.array([1, 2, 3])).jsAsync()).toEqual([0.25, 0.5, 1]);
    const doublings = (x: NDArray): NDArray =>
      lax.whileLoop(
        (v: NDArray) => v.less(100),
        (v: NDArray) => v.mul(2),
        x,
      );
    expect(await jit(doublings)(np.array(3, { dtype: "float32" })).jsAsync()).toBe(192);
    const branch = jit((p: NDArray, x: NDArray) =>
      lax.cond(
        p,
        (v: NDArray) => v.add(1),
        (v: NDArray) => v.mul(10),
        x,
      ),
    );
    expect(await branch(np.array(false), np.array([1, 2])).jsAsync()).toEqual([10, 20]);
  });

  test("storage comes back", async () => {
    const f = jit(decayed);
    const x = np.array([1, 2, 3]);
    await f(x).data();
    const before = memoryStats("wasm").allocatedBytes;
    for (let k = 0; k < 5; k++) {
      const y = f(x);
      await y.data();
      y.dispose();
    }
    expect(memoryStats("wasm").allocatedBytes).toBe(before);
  });
});
