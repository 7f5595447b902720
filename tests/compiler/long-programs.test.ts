import { describe, expect, it } from "vitest";
import { grad, jit, numpy as np, type NDArray } from "../../src/index.js";

/** A function of n steps, written as a loop of JavaScript that tracing unrolls. */
const steps =
  (n: number, step: (y: NDArray, i: number) => NDArray) =>
  (x: NDArray): NDArray => {
    let y = x;
    for (let i = 0; i < n; i++) y = step(y, i);
    return y;
  };

describe("what is made where it is used", () => {
  it("does not double with each step that reads the one before twice", () => {
    const doubled = jit(() => steps(60, (y) => y.add(y).mul(0.5))(np.arange(3).astype("float32")));
    expect(doubled().js()).toEqual([0, 1, 2]);
  });

  it("is no deeper than the stack", () => {
    const made = jit(() => steps(6000, (y) => y.add(1))(np.arange(2)));
    expect(made().js()).toEqual([6000, 6001]);
    const turned = steps(6001, (y, i) => (i % 2 ? np.flip(y) : np.transpose(y)));
    const x = np.array([
      [1, 2],
      [3, 4],
    ]);
    expect(jit(turned)(x).js()).toEqual(turned(x).js());
  });

  it("is summed over thousands of terms in gradients", () => {
    const n = 3000;
    const sum = (x: NDArray) => np.sum(np.stack(Array.from({ length: n }, (_, i) => x.mul(i))));
    expect(jit(grad(sum))(np.ones([2])).js()).toEqual([4498500, 4498500]);
  });
});
