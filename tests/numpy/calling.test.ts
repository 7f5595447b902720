import { describe, expect, it } from "vitest";
import { isOptions, signature, variadic } from "../../src/core/calling.js";
import { type NDArray, np, TsaxError } from "./imports.js";

/** The code of the error that a call throws, or what it returned. */
function codeOf(f: () => unknown): unknown {
  try {
    return f();
  } catch (e) {
    if (e instanceof TsaxError) return e.code;
    throw e;
  }
}
const messageOf = (f: () => unknown): string => {
  try {
    f();
  } catch (e) {
    return (e as Error).message;
  }
  return "nothing was thrown";
};

describe("signature", () => {
  interface P {
    readonly a: number;
    readonly axis?: number | null;
    readonly keepdims?: boolean;
    readonly where?: unknown;
  }
  const read = signature<P>("f", 1, ["a", "axis", "out", "keepdims"], { byName: ["where"] });
  const f = (...args: unknown[]): P => read(args);

  it("reads by position, by name, and mixed", () => {
    expect(f(1)).toEqual({ a: 1 });
    expect(f(1, 0, null, true)).toEqual({ a: 1, axis: 0, keepdims: true });
    expect(f(1, { axis: 0 })).toEqual({ a: 1, axis: 0 });
    expect(f(1, 0, { keepdims: true, where: 5 })).toEqual({ a: 1, axis: 0, keepdims: true, where: 5 });
    expect(f({ a: 1, axis: 2 })).toEqual({ a: 1, axis: 2 });
  });

  it("keeps null, and takes undefined as left out", () => {
    expect(f(1, null)).toEqual({ a: 1, axis: null });
    expect(f(1, undefined, { keepdims: undefined })).toEqual({ a: 1 });
    expect(f(1, { axis: 0 }, undefined)).toEqual({ a: 1, axis: 0 });
  });

  it("refuses what it cannot use, and says what is valid", () => {
    expect(codeOf(() => f())).toBe("argument-missing");
    expect(codeOf(() => f(1, 0, { axis: 1 }))).toBe("option-twice");
    expect(codeOf(() => f(1, { keepDims: true }))).toBe("option-unknown");
    expect(messageOf(() => f(1, { keepDims: true }))).toMatch(/a, axis, keepdims, where[\s\S]*did you mean keepdims/);
    expect(codeOf(() => f(1, 0, null, true, 5))).toBe("argument-surplus");
    expect(messageOf(() => f(1, 0, null, true, 5))).toMatch(/by name only\s+where/);
    expect(codeOf(() => f(1, 0, 7))).toBe("option-absent");
  });

  it("takes plain objects as values where a function takes trees", () => {
    const scan = signature<{ f: unknown; init: unknown; xs?: unknown; length?: number }>(
      "scan",
      2,
      ["f", "init", "xs", "length"],
      { trees: 3 },
    );
    const init = { h: 1 };
    expect(scan([Math.sin, init, null, { length: 3 }])).toEqual({ f: Math.sin, init, xs: null, length: 3 });
    expect(scan([Math.sin, init])).toEqual({ f: Math.sin, init });
  });

  it("tells options from arrays, lists and instances", () => {
    expect(isOptions({})).toBe(true);
    expect(isOptions(Object.create(null))).toBe(true);
    for (const x of [null, undefined, 1, [], np.zeros(2), new Map(), new Float32Array(2)])
      expect(isOptions(x)).toBe(false);
  });

  it("reads any number of values with options behind them", () => {
    const read = variadic<{ indexing?: string }>("meshgrid", ["indexing"]);
    expect(read([1, 2, { indexing: "ij" }])).toEqual([[1, 2], { indexing: "ij" }]);
    expect(read([])).toEqual([[], {}]);
    expect(codeOf(() => read([1, { index: 0 }]))).toBe("option-unknown");
  });
});

describe("numpy's functions", () => {
  const x = (): NDArray =>
    np.array([
      [1, 2, 3],
      [4, 5, 6],
    ]);

  it("take every parameter both ways", () => {
    expect(np.sum(x(), 0).js()).toEqual([5, 7, 9]);
    expect(np.sum(x(), { axis: 0 }).js()).toEqual([5, 7, 9]);
    expect(np.sum(x(), -1, { keepdims: true }).js()).toEqual([[6], [15]]);
    expect(np.sum(x(), [0, -1], "int32").dtype).toBe("int32");
    expect(np.clip(x(), 2, { max: 4 }).js()).toEqual(np.clip(x(), { min: 2, max: 4 }).js());
    expect(np.reshape(x(), [3, -1], { order: "F" }).js()).toEqual(np.reshape(x(), [3, 2], "F").js());
    expect(np.eye(2, { k: 1, M: 3 }).js()).toEqual(np.eye(2, 3, 1).js());
    expect(np.linspace(0, 1, { num: 3 }).js()).toEqual([0, 0.5, 1]);
  });

  it("refuse unknown and doubled options", () => {
    expect(codeOf(() => np.sum(x(), { axes: 0 } as never))).toBe("option-unknown");
    expect(codeOf(() => np.sum(x(), 0, { axis: 1 }))).toBe("option-twice");
    expect(codeOf(() => (np.add as (...a: unknown[]) => NDArray)(x(), 1, { where: 1 }))).toBe("option-unknown");
    expect(codeOf(() => (np.add as (...a: unknown[]) => NDArray)(x(), 1, 2))).toBe("argument-surplus");
    expect(codeOf(() => np.add(x(), undefined as never))).toBe("not-an-array");
    expect(codeOf(() => (np.add as (x: NDArray) => NDArray)(x()))).toBe("argument-missing");
    expect(codeOf(() => np.meshgrid(np.arange(2), { index: "ij" } as never))).toBe("option-unknown");
  });

  it("take no lists for arrays", () => {
    expect(codeOf(() => np.add([1, 2] as never, 1))).toBe("not-an-array");
    expect(messageOf(() => np.sum([1, 2] as never))).toMatch(/np\.array/);
  });

  it("are methods too", () => {
    expect(x().sum(0).js()).toEqual([5, 7, 9]);
    expect(x().mean({ axis: 1, keepdims: true }).js()).toEqual([[2], [5]]);
    expect(x().reshape(3, 2).shape).toEqual([3, 2]);
    expect(x().reshape([-1]).shape).toEqual([6]);
    expect(x().reshape(-1).shape).toEqual([6]);
    expect(x().transpose(1, 0).js()).toEqual(x().T.js());
    expect(x().transpose([1, 0]).js()).toEqual(x().T.js());
    expect(x().add(1).mul(2).sub(x()).neg().div(2).pow(2).mod(3).greater(1).any().item()).toBe(true);
    const [first, second] = x();
    expect(first!.js()).toEqual([1, 2, 3]);
    expect(second!.js()).toEqual([4, 5, 6]);
    expect([...x()].length).toBe(2);
    expect(codeOf(() => [...np.array(1)])).toBe("iterate-scalar");
  });
});
