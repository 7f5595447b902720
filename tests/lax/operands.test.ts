import { describe, expect, it } from "vitest";
import { jit, lax, type NDArray, numpy as np } from "../../src/index.js";
import { codeOf } from "../numbers.js";
import { i32 } from "../arrays.js";

describe("operands of lax functions", () => {
  it("spread over each other where axes have length 1 and ranks are equal", () => {
    const column = np.array([[1], [2]]);
    expect(lax.add(column, np.array([[10, 20]])).js()).toEqual([
      [11, 21],
      [12, 22],
    ]);
    expect(codeOf(() => lax.add(column, np.array([10, 20])))).toBe("shape-mismatch");
    expect(codeOf(() => lax.add(np.ones([2, 2]), np.ones([2, 3])))).toBe("shape-mismatch");
  });

  it("of products may differ in dtype", () => {
    const y = lax.dot(i32(1, 2), np.array([0.5, 0.25]));
    expect([y.dtype, y.js()]).toEqual(["float32", 1]);
    expect(lax.dot(i32(1, 2), i32(3, 4), { preferredElementType: "float32" }).dtype).toBe("float32");
    const both = lax.dot(np.array([true, false]), np.array([true, true]));
    expect([both.dtype, both.js()]).toEqual(["bool", true]);
    expect(codeOf(() => lax.dot(np.ones([2, 2, 2]), np.ones([2, 2])))).toBe("dot-rank");
  });

  it("may be vectors of start indices", () => {
    const x = np.arange(6).reshape([2, 3]);
    const part = jit((i: NDArray) => lax.dynamicSlice(x, i, [1, 2]));
    expect(part(i32(1, -1)).js()).toEqual([[4, 5]]);
    expect(lax.dynamicUpdateSlice(x, np.array([[9]], { dtype: "int32" }), i32(0, 1)).js()).toEqual([
      [0, 9, 2],
      [3, 4, 5],
    ]);
    expect(codeOf(() => lax.dynamicSlice(x, [0.5, 0], [1, 1]))).toBe("index-range");
    expect(codeOf(() => lax.dynamicSlice(x, 1 as never, [1, 1]))).toBe("start-indices");
  });

  it("may be traced values to fill with", () => {
    const filled = jit((x: NDArray, v: NDArray) => lax.fullLike(x, v));
    expect(filled(i32(1, 2), np.array(2.5)).js()).toEqual([2, 2]);
  });
});

describe("refusals as in JAX", () => {
  it("positions that do not ascend, rounded and divided booleans, padding by name of dilated images", () => {
    const x = np.arange(6);
    expect(np.split(x, [0, 2]).map((part) => part.shape)).toEqual([[0], [2], [4]]);
    for (const at of [[-1], [4, 2], [7]]) expect(codeOf(() => np.split(x, at))).toBe("split-sections");
    const flags = np.array([true, false]);
    expect(codeOf(() => np.round(flags))).toBe("round-bool");
    expect(codeOf(() => np.gcd(flags, flags))).toBe("integer-needed");
    expect(np.fmod(flags, np.array([false, true])).js()).toEqual([1, 0]);
    const images = np.ones([1, 1, 4]);
    expect(codeOf(() => lax.convGeneralDilatedPatches(images, [2], [1], "SAME", { lhsDilation: [2] }))).toBe(
      "conv-padding",
    );
  });
});
