import { describe, expect, it } from "vitest";
import { codeOf, expectClose } from "../numbers.js";
import { grad, jit, makeJaxpr, type NDArray, np, vjp, vmap } from "./imports.js";
import "../../src/numpy/index-methods.js";

const x = np.array([1, 2, 3, 4]);
const counts = np.array([1, 2, 3, 4], { dtype: "int32" });
const i = np.array([1, 1, 5, -1], { dtype: "int32" });
const table = np.arange(12).reshape([3, 4]);
const rows = np.array([true, false, true]);
const columns = np.array([true, false, true, false]);

describe("updates at index arrays", () => {
  it("divide and raise by all that an element is given, as in JAX", () => {
    expectClose(x.at(i).divide(3), [1, 2 / 9, 3, 4 / 3]);
    expect(counts.at(i).divide(3).dtype).toBe("float32");
    expect(counts.at(i).power(2).js()).toEqual([1, 16, 3, 16]);
    expect(counts.at(i).pow(2.5).js()).toEqual([1, 64, 3, 16]);
    expect(counts.at(i).multiply(2.5).js()).toEqual([1, 12, 3, 10]);
    expect(counts.at(i).subtract(1).js()).toEqual([1, 0, 3, 3]);
    expectClose(grad((x: NDArray) => x.at(i).divide(3).sum())(x), [1, 1 / 9, 1, 1 / 3]);
    expectClose(grad((x: NDArray) => x.at(i).power(3).sum())(x), [1, 2304, 1, 48]);
  });

  it("keep the array's dtype", () => {
    expect(counts.at(i).set(2.7).js()).toEqual([1, 2, 3, 2]);
    expect(counts.at(i).add(2.7).js()).toEqual([1, 7, 3, 6]);
  });

  it("take modes", () => {
    expect(x.at(i).add(1, { mode: "clip" }).js()).toEqual([1, 4, 3, 6]);
    expect(x.at(i).set(9, { mode: "drop", wrapNegativeIndices: false }).js()).toEqual([1, 9, 3, 4]);
    expect(x.at(i).get().js()).toEqual([2, 2, 4, 4]);
    expect(x.at(i).get({ mode: "fill", fillValue: -1 }).js()).toEqual([2, 2, -1, 4]);
    expect(x.at(i).get({ mode: "fill", wrapNegativeIndices: false }).js()).toEqual([2, 2, NaN, NaN]);
    expect(
      x
        .at(np.array([2, 0], { dtype: "int32" }))
        .mul(2, { uniqueIndices: true, indicesAreSorted: false })
        .js(),
    ).toEqual([2, 2, 6, 4]);
  });

  it("windows are runs of elements: one index vector a window", () => {
    const big = np.zeros([4, 5, 6]);
    const jaxpr = String(makeJaxpr((x: NDArray) => x.at([1, 3], i).set(1))(big));
    expect(jaxpr).toContain("updateWindowDims: (0, 2), insertedWindowDims: (1,), scatterDimsToOperandDims: (0, 1)");
    const got = jit((x: NDArray, i: NDArray) => x.at([1, 3], i, [null, null, -1]).add(np.arange(6)).sum([0]))(big, i);
    const row = [5, 4, 3, 2, 1, 0];
    const none = [0, 0, 0, 0, 0, 0];
    expect(got.js()).toEqual([none, row.map((v) => 4 * v), none, none, row.map((v) => 2 * v)]);
    expect(big.slice([1, 3], i).shape).toEqual([2, 4, 6]);
  });
});

describe("updates at numbers and ranges", () => {
  it("set, add and take extremes of boxes", () => {
    expect(table.at([0, 2], [1, 3]).set(-1).js()).toEqual([
      [0, -1, -1, 3],
      [4, -1, -1, 7],
      [8, 9, 10, 11],
    ]);
    expect(
      table
        .at(-1)
        .add(np.array([1, 2, 3, 4]))
        .slice(2)
        .js(),
    ).toEqual([9, 11, 13, 15]);
    expect(table.at([], 3).max(8).slice([], 3).js()).toEqual([8, 8, 11]);
    expect(table.at().mul(0).sum().item()).toBe(0);
    expect(table.at([0, 0]).set(3).js()).toEqual(table.js());
    expect(
      table
        .at(null, 1)
        .set(np.ones([1, 4]))
        .slice(1)
        .js(),
    ).toEqual([1, 1, 1, 1]);
    expect(np.array(3).at().add(1).item()).toBe(4);
  });

  it("set in steps and backwards", () => {
    expect(table.at([null, null, 2], 0).set(-5).slice([], 0).js()).toEqual([-5, 4, -5]);
    expect(
      table
        .at(0, [null, null, -1])
        .set(np.array([1, 2, 3, 4]))
        .slice(0)
        .js(),
    ).toEqual([4, 3, 2, 1]);
    expect(String(makeJaxpr((x: NDArray) => x.at([null, null, 2]).set(0))(x))).toContain("unique_indices=True");
  });

  it("have derivatives of both orders and a batched form", () => {
    const f = (x: NDArray, y: NDArray): NDArray => x.at([1, 3]).mul(y);
    const [, pull] = vjp(f, x, np.array([5, 6]));
    const grads = pull(np.array([1, 10, 100, 1000])) as unknown as readonly NDArray[];
    expect(grads.map((g) => g.js())).toEqual([
      [1, 50, 600, 1000],
      [20, 300],
    ]);
    const g = grad((x: NDArray) => grad((x: NDArray) => x.at(1).mul(x.slice(1)).sum())(x).sum());
    expect(g(x).js()).toEqual([0, 2, 0, 0]);
    expect(
      vmap((x: NDArray, v: NDArray) => x.at(0).set(v))(table, np.array([-1, -2, -3], "int32"))
        .slice([], 0)
        .js(),
    ).toEqual([-1, -2, -3]);
  });

  it("refuse numbers out of bounds", () => {
    expect(codeOf(() => table.at(3))).toBe("index-range");
    expect(codeOf(() => table.at(0, -5))).toBe("index-range");
    expect(codeOf(() => table.at(0.5))).toBe("index-range");
    expect(codeOf(() => table.at(0).set(np.ones([5])))).toBe("update-shape");
    expect(codeOf(() => table.at(i).set(1, { mode: "wrong" as "clip" }))).toBe("index-mode");
    expect(codeOf(() => table.at(i).set(1, { unique: true } as object))).toBe("option-unknown");
  });
});

describe("updates where a mask holds", () => {
  it("are scalars", () => {
    const m = np.greater(x, 2);
    expect(jit((x: NDArray) => x.at(np.greater(x, 2)).set(7))(x).js()).toEqual([1, 2, 7, 7]);
    expect(x.at(m).add(7).js()).toEqual([1, 2, 10, 11]);
    expect(x.at(m).sub(1).js()).toEqual([1, 2, 2, 3]);
    expect(x.at(m).mul(7).js()).toEqual([1, 2, 21, 28]);
    expect(x.at(m).pow(2).js()).toEqual([1, 2, 9, 16]);
    expect(x.at(m).min(3).js()).toEqual([1, 2, 3, 3]);
    expect(x.at(m).max(3.5).js()).toEqual([1, 2, 3.5, 4]);
    expect(counts.at(m).div(2).js()).toEqual([1, 2, 1.5, 2]);
    expect(vmap((x: NDArray, m: NDArray) => x.at(m).set(0))(table, np.greater(table, 5)).js()).toEqual([
      [0, 1, 2, 3],
      [4, 5, 0, 0],
      [0, 0, 0, 0],
    ]);
  });

  it("are values along the axes behind the mask", () => {
    expect(
      table
        .at(rows)
        .set(np.array([9, 8, 7, 6]))
        .js(),
    ).toEqual([
      [9, 8, 7, 6],
      [4, 5, 6, 7],
      [9, 8, 7, 6],
    ]);
  });

  it("may stand beside numbers and ranges", () => {
    expect(table.at(rows, [1, 3]).add(100).js()).toEqual([
      [0, 101, 102, 3],
      [4, 5, 6, 7],
      [8, 109, 110, 11],
    ]);
    expect(table.at(rows, 0).mul(5).slice([], 0).js()).toEqual([0, 4, 40]);
    expect(table.at("...", columns).set(-1).slice(1).js()).toEqual([-1, 5, -1, 7]);
    expect(table.at(0, columns).max(50).slice(0).js()).toEqual([50, 1, 50, 3]);
    expect(table.at(0, columns).div(2).slice(0).js()).toEqual([0, 1, 1, 3]);
  });

  it("have derivatives that what is not selected cannot spoil", () => {
    const y = np.array([0, 4]);
    const m = np.greater(y, 1);
    expect(grad((y: NDArray) => y.at(m).pow(0.5).sum())(y).js()).toEqual([1, 0.25]);
    expect(grad((v: NDArray) => np.array([Infinity, 4]).at(m).mul(v).slice(1))(np.array(3)).item()).toBe(4);
  });

  it("refuse what has no static shape", () => {
    expect(codeOf(() => table.at(rows, np.array([0, 1], { dtype: "int32" })))).toBe("mask-index");
    expect(codeOf(() => table.at(np.array([true])))).toBe("mask-shape");
    expect(codeOf(() => table.at(rows).set(np.ones([2, 4])))).toBe("mask-values");
    expect(codeOf(() => table.at(0, columns).set(np.ones([2])))).toBe("mask-values");
    expect(codeOf(() => table.at(rows).get())).toBe("mask-get");
  });
});

describe("apply", () => {
  const times3 = (v: NDArray): NDArray => v.mul(3);

  it("calls a function of one element, once for each time that an index names the element, as in JAX", () => {
    const twice = np.array([0, 1, 1, 3], { dtype: "int32" });
    expect(x.at(twice).apply(times3).js()).toEqual([3, 18, 3, 12]);
    expect(jit((x: NDArray, i: NDArray) => x.at(i).apply(times3))(x, twice).js()).toEqual([3, 18, 3, 12]);
    expect(x.at(2).apply(np.negative).js()).toEqual([1, 2, -3, 4]);
    expect(x.at([1, 3]).apply(times3).js()).toEqual([1, 6, 9, 4]);
    expect(x.at(rows.astype("int32")).apply(times3, { uniqueIndices: true }).shape).toEqual([4]);
    expect(table.at(rows, 0).apply(times3).slice([], 0).js()).toEqual([0, 4, 24]);
    expect(x.at(x.greater(2)).apply(np.negative).js()).toEqual([1, 2, -3, -4]);
    const batched = vmap((x: NDArray, i: NDArray) => x.at(i).apply((v) => v.mul(v)));
    expect(batched(np.stack([x, x]), np.array([1, 2], { dtype: "int32" })).js()).toEqual([
      [1, 4, 3, 4],
      [1, 2, 9, 4],
    ]);
  });

  it("takes modes", () => {
    const far = np.array([9, 7, -1, -9], { dtype: "int32" });
    expect(x.at(far).apply(times3).js()).toEqual([1, 2, 3, 12]);
    expect(x.at(far).apply(times3, { mode: "clip" }).js()).toEqual([3, 2, 3, 108]);
    expect(x.at(far).apply(times3, { wrapNegativeIndices: false }).js()).toEqual([1, 2, 3, 4]);
  });

  it("has derivatives, backwards where no element is named twice", () => {
    const squares = (x: NDArray): NDArray =>
      x
        .at([1, 3])
        .apply((v) => v.mul(v))
        .sum();
    expect(grad(squares)(x).js()).toEqual([1, 4, 6, 1]);
  });

  it("keeps dtype and shape", () => {
    expect(
      counts
        .at(0)
        .apply(() => 7)
        .js(),
    ).toEqual([7, 2, 3, 4]);
    expect(codeOf(() => counts.at(0).apply((v) => v.mul(2.5)))).toBe("apply-result");
    expect(codeOf(() => x.at([0, 2]).apply((v) => np.stack([v, v])))).toBe("apply-result");
    expect(codeOf(() => x.at(i).apply(2 as never))).toBe("not-a-function");
  });
});

describe("edges", () => {
  it("one index has a derivative of the factor, booleans have extremes, fill values are elements", () => {
    const one = np.array([-1], { dtype: "int32" });
    expect(grad((v: NDArray) => x.at(one).divide(v).sum())(np.array([2])).js()).toEqual([-1]);
    const flags = np.array([false, false, true]);
    const places = np.array([0, 2], { dtype: "int32" });
    expect(
      flags
        .at(places)
        .max(np.array([true, false]))
        .js(),
    ).toEqual([true, false, true]);
    expect(
      flags
        .at(places)
        .min(np.array([true, false]))
        .js(),
    ).toEqual([false, false, false]);
    expect(flags.at(i).get({ mode: "fill", fillValue: 3 }).astype("int32").js()).toEqual([0, 0, 1, 1]);
  });
});
