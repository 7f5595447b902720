import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { codeOf, expectClose } from "../numbers.js";
import * as tsax from "../../src/index.js";
import type { NDArray } from "../../src/index.js";
import { array, type Case, cases, functionOf, label, type Recorded } from "./indexing-cases.js";

const { jit, jvp, lax, numpy: np, vjp, vmap } = tsax;

const expectRecorded = (got: NDArray, { shape, dtype, data }: Recorded): void => {
  expect(got.dtype).toBe(dtype);
  expect(got.shape).toEqual(shape);
  expectClose(got.reshape([got.size]), data.map(value), 1e-6, 1e-6);
};

/**
 * Where JAX leaves derivatives out of bounds open, and others hold: promised indices, of which it says so. Those of the same
 * updates dropped.
 */
const derivativesLike = (c: Case): Case | undefined =>
  c.fn !== "gather" && c.mode === "promiseInBounds" ? { ...c, mode: "fill" } : undefined;

/** A number as it was written; clipped extremes have infinite derivatives. */
const value = (v: number | string): number => (v === "inf" ? Infinity : v === "-inf" ? -Infinity : Number(v));

describe.each(["reference", "wasm"] as const)("gather and scatter are JAX's on %s", (device) => {
  const home = tsax.defaultDevice();
  beforeAll(() => tsax.setDefaultDevice(device));
  afterAll(() => tsax.setDefaultDevice(home));

  it.each(cases.map((c) => [label(c), c] as const))("%s", (_, c) => {
    const f = functionOf(c);
    const args = c.args.map(array);
    if (c.axes) {
      expectRecorded(vmap(f as (...xs: NDArray[]) => NDArray, { inAxes: [...c.axes] })(...args), c.out);
      return;
    }
    expectRecorded(f(...args), c.out);
    expectRecorded(jit(f)(...args), c.out);
    if (c.vjp === null) {
      expect(codeOf(() => vjp(f, ...args))).toBe("scatter-mul-unique");
      return;
    }
    const tangents = c.tangents!.map(array);
    const ct = array(c.ct!);
    const derivatives = (g: typeof f): NDArray[] => {
      const [, tangent] = jvp(g as never, args as never, tangents as never) as unknown as [NDArray, NDArray];
      const [, pull] = vjp(g, ...args);
      return [tangent, ...(pull(ct) as unknown as readonly NDArray[])];
    };
    const other = derivativesLike(c);
    if (other === undefined) derivatives(f).forEach((d, k) => expectRecorded(d, [c.jvp!, ...c.vjp!][k]!));
    else {
      const expected = derivatives(functionOf(other));
      derivatives(f).forEach((d, k) => expectClose(d, expected[k]!));
    }
  });
});

describe("gather and scatter", () => {
  const x = np.array([1, 2, 3, 4]);
  const at = np.array([[1], [9]], { dtype: "int32" });
  const take = { offsetDims: [], collapsedSliceDims: [0], startIndexMap: [0] };
  const put = { updateWindowDims: [], insertedWindowDims: [0], scatterDimsToOperandDims: [0] };

  it("take options with and without dimension numbers among them", () => {
    expect(lax.gather(x, at, take, [1]).js()).toEqual([2, 4]);
    expect(lax.gather(x, at, take, [1], { mode: "fill", fillValue: -1 }).js()).toEqual([2, -1]);
    const byName = lax.gather as unknown as (...given: unknown[]) => NDArray;
    expect(byName(x, at, { dimensionNumbers: take, sliceSizes: [1], mode: "drop", fillValue: 0 }).js()).toEqual([2, 0]);
    expect(lax.scatter(x, at, np.array([7, 8]), put).js()).toEqual([1, 7, 3, 4]);
    expect(lax.scatterAdd(x, at, np.array([7, 8]), put, { mode: "clip", indicesAreSorted: true }).js()).toEqual([
      1, 9, 3, 12,
    ]);
    const scatter = lax.scatterMul as unknown as (...given: unknown[]) => NDArray;
    expect(scatter(x, at, np.array([7, 8]), { dimensionNumbers: put, mode: "fill" }).js()).toEqual([1, 14, 3, 4]);
  });

  it("numbers as updates take the operand's dtype", () => {
    expect(lax.scatter(x, np.array([2], { dtype: "int32" }), 9, put).js()).toEqual([1, 2, 9, 4]);
    expect(lax.scatterSub(np.array([1, 2], { dtype: "int32" }), np.array([1], { dtype: "int32" }), 9, put).dtype).toBe(
      "int32",
    );
  });

  it("fills by dtype where no value is given", () => {
    const filled = (dtype: "float32" | "int32" | "uint32" | "bool"): unknown =>
      lax.gather(x.astype(dtype), at, take, [1], { mode: "fill" }).slice(1).item();
    expect([filled("float32"), filled("int32"), filled("uint32"), filled("bool")]).toEqual([
      NaN,
      -2147483648,
      4294967295,
      true,
    ]);
  });

  it("gives second derivatives", () => {
    const f = (y: NDArray): NDArray => lax.scatterMul(y, at, y.slice([0, 2]), put, { uniqueIndices: true }).sum();
    // y0 + y1·y0 + y2 + y3
    expect(tsax.hessian(f)(x).js()).toEqual([
      [0, 1, 0, 0],
      [1, 0, 0, 0],
      [0, 0, 0, 0],
      [0, 0, 0, 0],
    ]);
  });

  it("refuses what describes no windows", () => {
    expect(codeOf(() => lax.gather(x, np.array([[0.5]]), take, [1]))).toBe("index-dtype");
    expect(codeOf(() => lax.gather(x, at, take, [2]))).toBe("window-size");
    expect(codeOf(() => lax.gather(x, at, { ...take, collapsedSliceDims: [] }, [1]))).toBe("window-dims");
    expect(codeOf(() => lax.gather(x, at, { ...take, startIndexMap: [0, 0] }, [1]))).toBe("window-dims");
    expect(codeOf(() => lax.gather(x, at, take, [1], { mode: "wrap" as "fill" }))).toBe("index-mode");
    expect(codeOf(() => lax.scatter(x, at, np.array([1, 2, 3]), put))).toBe("scatter-updates");
    expect(codeOf(() => lax.scatter(x, at, np.array([1, 2], { dtype: "int32" }), put))).toBe("dtype-mismatch");
  });

  it("indexTake wraps all indices around", () => {
    const y = np.arange(12).reshape([3, 4]);
    const rows = np.array([1, 1, 5, -1], { dtype: "int32" });
    const columns = np.array([-1, 2, 3, 7], { dtype: "int32" });
    expect(lax.indexTake(y, [rows, columns], [0, 1]).js()).toEqual([7, 6, 11, 11]);
    expect(lax.indexTake(y, [columns, rows], [1, 0]).js()).toEqual([7, 6, 11, 11]);
  });

  it("equations are written as in JAX", () => {
    const text = String(tsax.makeJaxpr((y: NDArray) => lax.gather(y, at, take, [1]))(x));
    expect(text).toContain("gather[dimension_numbers=");
    expect(text).toContain("slice_sizes=(1,)");
  });
});
