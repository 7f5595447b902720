import { expect, it } from "vitest";
import { config, jit, type NDArray, numpy as np, withDebug } from "../../src/index.js";

it("reports traces, jaxprs, kernels, code and binds, each on its rung", () => {
  const old = config.log;
  const lines: string[] = [];
  config.update("log", (m) => void lines.push(m));
  try {
    for (const level of [0, 1, 2, 3, 4, 5]) {
      lines.length = 0;
      withDebug(level, () => jit((x: NDArray) => np.sin(x).add(level))(np.ones([3])));
      const rungs = new Set(lines.map((l) => Number(/^\[tsax (\d)\]/.exec(l)![1])));
      expect([...rungs].sort()).toEqual([1, 2, 3, 4, 5].filter((k) => k <= level));
    }
    expect(lines.some((l) => l.includes("lambda"))).toBe(true);
  } finally {
    config.update("log", old);
  }
  expect(config.debug).toBe(0);
});
