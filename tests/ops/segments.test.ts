import { describe, expect, it } from "vitest";
import { grad, jit, type NDArray, numpy as np, ops } from "../../src/index.js";
import { codeOf } from "../numbers.js";
import { i32 } from "../arrays.js";

describe("segments", () => {
  it("reduce rows, drop ids that are out of bounds, and start from the neutral element", () => {
    expect(ops.segmentSum(np.arange(6, { dtype: "float32" }).reshape(3, 2), i32(0, 2, 5), 4).js()).toEqual([
      [0, 1],
      [0, 0],
      [2, 3],
      [0, 0],
    ]);
    expect(ops.segmentMax(i32(1, 5, 2), i32(0, 0, -1), 2).js()).toEqual([5, -2147483648]);
    expect(ops.segmentMin(np.array([1, 5]), i32(1, 1), { numSegments: 2 }).js()).toEqual([Infinity, 1]);
    expect(ops.segmentProd(np.array([2, 5]), i32(1, 1), 2).js()).toEqual([1, 10]);
    expect(ops.segmentMax(np.array([true, false], { dtype: "bool" }), i32(0, 1), 3).js()).toEqual([true, false, false]);
    expect(
      ops
        .segmentSum(
          np.ones([2, 2, 3]),
          np.array(
            [
              [0, 1],
              [1, 1],
            ],
            { dtype: "int32" },
          ),
          2,
        )
        .js(),
    ).toEqual([
      [
        [1, 1, 1],
        [1, 1, 1],
      ],
      [
        [3, 3, 3],
        [3, 3, 3],
      ],
    ]);
  });
  it("may be none; ids that are out of bounds may move to the nearest one", () => {
    expect(ops.segmentSum(np.ones([2, 3]), i32(0, 1), 0).shape).toEqual([0, 3]);
    expect(ops.segmentSum(np.array([1, 2, 4]), i32(0, 9, -9), 2, { mode: "clip" }).js()).toEqual([5, 2]);
  });
  it("sums pass derivatives on", () => {
    const f = (x: NDArray): NDArray => np.sum(np.square(ops.segmentSum(x, i32(0, 0, 1), 2)));
    expect(grad(f)(np.array([1, 2, 3])).js()).toEqual([6, 6, 6]);
  });
  it("need the number of segments under jit", () => {
    expect(ops.segmentSum(np.array([1, 2]), i32(0, 2)).js()).toEqual([1, 0, 2]);
    expect(codeOf(() => jit((i: NDArray) => ops.segmentSum(np.array([1, 2]), i))(i32(0, 2)))).toBe("length-needed");
    expect(codeOf(() => ops.segmentSum(np.array([1, 2]), i32(0, 2, 3), 1))).toBe("segment-shape");
    expect(codeOf(() => ops.segmentSum(np.array([1]), np.array([0]), 1))).toBe("integer-needed");
  });
});
