import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { defaultDevice, grad, jit, lax, type NDArray, numpy as np, setDefaultDevice, vmap } from "../../src/index.js";
import { checkpoint } from "../../src/transforms/checkpoint/checkpoint.js";
import { customJvp } from "../../src/transforms/custom/jvp.js";
import { customVjp } from "../../src/transforms/custom/vjp.js";

/** Collectives in the inner programs of control flow, checkpoints and custom rules; the values are JAX's. */
const overI = <A extends readonly unknown[], R>(f: (...args: A) => R, inAxes: readonly (number | null)[] = [0]) =>
  vmap(f, { inAxes, axisName: "i" });
const x = (): NDArray => np.array([1, 2, 3]);
const total = (y: NDArray): NDArray => lax.psum(y, "i");

const home = defaultDevice();
afterAll(() => setDefaultDevice(home));

describe.each(["reference", "wasm"])("on %s", (device) => {
  beforeAll(() => setDefaultDevice(device));

  /** Expects the values and gradients eagerly, and jitted inside and outside of the map. */
  const gives = (f: (x: NDArray) => NDArray, values: number[], gradients?: number[]): void => {
    const check = (y: NDArray, expected: number[]): void => {
      const got = y.js() as number[];
      expect(got).toHaveLength(expected.length);
      expected.forEach((v, k) => expect(got[k]).toBeCloseTo(v, 4));
    };
    for (const g of [overI(f), overI(jit(f)), jit(overI(f))]) check(g(x()), values);
    if (gradients === undefined) return;
    for (const g of [overI(grad(f)), overI(grad(jit(f))), jit(overI(grad(f)))]) check(g(x()), gradients);
  };

  it("scan", () => {
    const f = (y: NDArray): NDArray => {
      const [c, ys] = lax.scan(
        (c: NDArray, t: NDArray) => [c.add(total(c).mul(t)), c.mul(t)] as const,
        y,
        np.array([0.5, 1, 2]),
      );
      return c.add(np.sum(ys));
    };
    gives(f, [181.5, 186, 190.5], [93, 93, 93]);
    expect(grad((y: NDArray) => np.sum(overI(f)(y)))(x()).js()).toEqual([93, 93, 93]);
  });

  it("foriLoop, of which nothing but the name is mapped too", () => {
    const shift = (_: NDArray, c: NDArray): NDArray =>
      lax.ppermute(c, "i", [[0, 1], [1, 2], [2, 0]]).add(lax.axisIndex("i")); // prettier-ignore
    gives((y) => lax.foriLoop(0, 2, shift, y), [4, 4, 4], [1, 1, 1]);
    const places = (_: NDArray, c: NDArray): NDArray => c.add(lax.axisIndex("i"));
    const zero = np.array(0, { dtype: "int32" });
    expect(overI((_: NDArray) => lax.foriLoop(0, 3, places, zero))(x()).js()).toEqual([0, 3, 6]);
  });

  it("whileLoop: examples that have ended still count", () => {
    const growing = (y: NDArray): NDArray =>
      lax.whileLoop(
        (c: NDArray) => c.less(20),
        (c: NDArray) => c.add(total(c)),
        y,
      );
    gives(growing, [31, 32, 33]);
    const together = (y: NDArray): NDArray =>
      lax.whileLoop(
        (c: NDArray) => total(c).less(50),
        (c: NDArray) => c.mul(2),
        y,
      );
    gives(together, [16, 32, 48]);
  });

  it("cond, on one predicate and on one an example", () => {
    const f = (y: NDArray, p: NDArray): NDArray =>
      lax.cond(
        p,
        (z: NDArray) => total(z.mul(z)),
        (z: NDArray) => lax.pmean(z, "i").mul(z),
        y,
      );
    const each = np.array([true, false, true]);
    for (const g of [f, jit(f)]) {
      expect(overI(g, [0, null])(x(), true).js()).toEqual([14, 14, 14]);
      expect(overI(g, [0, null])(x(), false).js()).toEqual([2, 4, 6]);
      expect(overI(g, [0, 0])(x(), each).js()).toEqual([14, 4, 14]);
      expect(overI(grad(g), [0, null])(x(), true).js()).toEqual([6, 12, 18]);
      expect(overI(grad(g), [0, 0])(x(), each).js()).toEqual([6, 4, 18]);
    }
  });

  it("checkpoint", () => {
    const f = checkpoint((y: NDArray) => np.square(total(np.sin(y))));
    gives((y) => f(y), [3.5792418, 3.5792418, 3.5792418], [6.133149, -4.72382, -11.23773]);
  });

  it("custom rules", () => {
    const square = (y: NDArray): NDArray => total(y.mul(y));
    const reverse = customVjp((y: NDArray) => square(y));
    reverse.defvjp(
      (y: NDArray) => [reverse(y), y] as const,
      (r: NDArray, ct: NDArray) => [total(ct).mul(r).mul(10)],
    );
    gives((y) => reverse(y), [14, 14, 14], [30, 60, 90]);
    const forward = customJvp((y: NDArray) => square(y));
    forward.defjvp(([y], [t]) => [forward(y), total(t.mul(y).mul(10))]);
    gives((y) => forward(y), [14, 14, 14], [30, 60, 90]);
  });
});

it("bodies are traced again where the axis has another size", () => {
  const body = (c: NDArray, t: NDArray): readonly [NDArray, null] => [c.add(t.mul(lax.axisSize("i"))), null];
  const f = (y: NDArray): NDArray => lax.scan(body, y, np.array([1, 1]))[0];
  expect(overI(f)(np.array([1, 2, 3])).js()).toEqual([7, 8, 9]);
  expect(overI(f)(np.array([1, 2])).js()).toEqual([5, 6]);
  expect(() => f(np.array(1))).toThrow(/axis-unbound/);
});
