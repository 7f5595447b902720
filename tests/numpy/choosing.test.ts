import { describe, expect, it } from "vitest";
import { codeOf, expectClose } from "../numbers.js";
import { grad, jit, type NDArray, np, vmap } from "./imports.js";

const ints = (xs: unknown): NDArray => np.array(xs as number[], { dtype: "int32" });
const bools = (xs: unknown): NDArray => np.array(xs as boolean[], { dtype: "bool" });

describe("choosing", () => {
  it("choose takes elements of the choice with the index", () => {
    const choices = [ints([1, 2, 3, 4]), 10];
    const index = ints([0, 1, 2, 5]);
    expect(np.choose(index, choices, { mode: "wrap" }).js()).toEqual([1, 10, 3, 10]);
    expect(np.choose(index, choices, { mode: "clip" }).js()).toEqual([1, 10, 10, 10]);
    expect(
      np
        .choose(
          ints([[1], [0]]),
          ints([
            [1, 2],
            [3, 4],
          ]),
        )
        .js(),
    ).toEqual([
      [3, 4],
      [1, 2],
    ]);
    expect(codeOf(() => np.choose(index, choices))).toBe("index-range");
    expect(codeOf(() => jit((i: NDArray) => np.choose(i, choices))(index))).toBe("values-needed");
    expect(codeOf(() => np.choose(np.array([0]), choices))).toBe("integer-needed");
  });
  it("compress needs a size where the condition is not known", () => {
    const x = ints([
      [0, 1, 2],
      [3, 4, 5],
    ]);
    const mask = bools([true, false, true]);
    expect(np.compress(mask, x, 1).js()).toEqual([
      [0, 2],
      [3, 5],
    ]);
    expect(jit((m: NDArray) => np.compress(m, x, 1, { size: 2 }))(mask).js()).toEqual([
      [0, 2],
      [3, 5],
    ]);
    expect(np.compress(bools([false, false, true, false]), np.arange(4), { size: 3, fillValue: 9 }).js()).toEqual([
      2, 9, 9,
    ]);
    expect(codeOf(() => jit((m: NDArray) => np.compress(m, x, 1))(mask))).toBe("values-needed");
    expect(codeOf(() => np.compress(bools([false, false, true]), np.arange(2)))).toBe("index-range");
    expect(codeOf(() => np.compress(mask, x, 1, { size: 4 }))).toBe("size-range");
  });
  it("place repeats its values", () => {
    const x = ints([
      [0, 1, 2],
      [3, 4, 5],
    ]);
    expect(np.place(x, np.equal(np.remainder(x, 2), 1), ints([10, 20])).js()).toEqual([
      [0, 10, 2],
      [20, 4, 10],
    ]);
    expect(codeOf(() => np.place(x, bools([true]), 1))).toBe("place-sizes");
  });
  it("ix_ opens a grid", () => {
    expect(np.ix_(ints([1, 2]), ints([3])).map((i) => i.shape)).toEqual([
      [2, 1],
      [1, 1],
    ]);
    expect(codeOf(() => np.ix_(bools([true])))).toBe("integer-needed");
  });
  it("polyval keeps integers and broadcasts coefficients", () => {
    expect(np.polyval(ints([1, 2, 3]), ints([2, 3])).js()).toEqual([11, 18]);
    expectClose(
      np.polyval(
        np.array([
          [1, 2],
          [3, 4],
        ]),
        np.array([10, 100]),
      ),
      [13, 204],
    );
    expectClose(grad((x: NDArray) => np.polyval(ints([1, 0, 0]), x))(3), 6);
  });
});

describe("piecewise", () => {
  const x = np.array([-1, 0, 1, 2]);
  it("takes the last condition that holds, and a default", () => {
    const conditions = [bools([true, true, false, false]), bools([false, true, true, false])];
    expectClose(np.piecewise(x, conditions, [(v) => v.mul(10), (v) => v.add(100), 7]), [-10, 100, 101, 7]);
    expectClose(np.piecewise(x, conditions, [(v) => v.mul(10), 5]), [-10, 5, 5, 0]);
    expectClose(np.piecewise(x, np.stack(conditions), [1, 2]), [1, 2, 2, 0]);
  });
  it("hands further arguments over, and keeps the dtype", () => {
    const y = np.piecewise(
      ints([1, 2]),
      [bools([true, false])],
      [(v: NDArray, k: number) => v.mul(k), (v: NDArray) => v.add(0.5)],
      3,
    );
    expect(y.dtype).toBe("int32");
    expect(y.js()).toEqual([3, 2]);
  });
  it("has no NaN from the derivative of what was not chosen", () => {
    const f = (v: NDArray): NDArray => np.sum(np.piecewise(v, [v.greater(0)], [(u) => np.sqrt(u), (u) => u.mul(0)]));
    expectClose(grad(f)(np.array([4, 0])), [0.25, 0]);
  });
  it("counts its functions", () => {
    expect(codeOf(() => np.piecewise(x, [x.less(0)], [1, 2, 3]))).toBe("piecewise-lengths");
  });
});

describe("vectorize", () => {
  it("maps over all axes but those of its signature", () => {
    const product = np.vectorize((a: NDArray, b: NDArray) => np.dot(a, b), { signature: "(m,n),(n)->(m)" });
    expect(product(np.ones([2, 1, 3, 4]), np.ones([5, 4])).shape).toEqual([2, 5, 3]);
    expect(product(np.ones([3, 4]), np.ones([4])).js()).toEqual([4, 4, 4]);
  });
  it("hands scalars to functions without a signature, and broadcasts", () => {
    const seen: number[][] = [];
    const f = np.vectorize((a: NDArray, b: NDArray) => {
      seen.push([a.ndim, b.ndim]);
      return [a.add(b), a.mul(b)];
    });
    const [sum, prod] = f(np.array([[1], [2]]), np.array([10, 20, 30]));
    expect(sum!.js()).toEqual([
      [11, 21, 31],
      [12, 22, 32],
    ]);
    expect(prod!.js()).toEqual([
      [10, 20, 30],
      [20, 40, 60],
    ]);
    expect(seen).toEqual([[0, 0]]);
    expect(f(1, np.ones([1, 1]))[0]!.shape).toEqual([1, 1]);
  });
  it("leaves excluded arguments alone", () => {
    const f = np.vectorize((x: NDArray, kind: string) => (kind === "double" ? x.mul(2) : x), { excluded: [1] });
    expect(f(np.array([1, 2]), "double").js()).toEqual([2, 4]);
  });
  it("works under and over other transformations", () => {
    const f = np.vectorize((a: NDArray, b: NDArray) => np.dot(a, b), { signature: "(n),(n)->()" });
    const x = np.array([
      [1, 2],
      [3, 4],
    ]);
    expect(grad((y: NDArray) => np.sum(f(y, np.array([5, 6]))))(x).js()).toEqual([
      [5, 6],
      [5, 6],
    ]);
    expect(vmap((y: NDArray) => f(y, y))(x).js()).toEqual([5, 25]);
    expect(jit((y: NDArray) => f(y, y))(x).js()).toEqual([5, 25]);
  });
  it("checks shapes against the signature", () => {
    const f = np.vectorize((a: NDArray, b: NDArray) => np.dot(a, b), { signature: "(n),(n)->()" });
    expect(codeOf(() => f(np.ones([2]), np.ones([3])))).toBe("gufunc-shape");
    expect(codeOf(() => f(np.ones([2]), 1))).toBe("gufunc-shape");
    expect(codeOf(() => np.vectorize((a: NDArray) => np.stack([a, a]))(np.ones([2])))).toBe("gufunc-shape");
    expect(codeOf(() => np.vectorize((a: NDArray) => a, { signature: "n->n" }))).toBe("gufunc-signature");
    expect(codeOf(() => (f as (...a: NDArray[]) => NDArray)(np.ones([2])))).toBe("gufunc-inputs");
    expect(codeOf(() => np.vectorize((a: NDArray) => [a, a], { signature: "()->()" })(1))).toBe("gufunc-outputs");
  });
});

describe("along axes", () => {
  it("applyAlongAxis puts results of any rank in place of the axis", () => {
    const x = np.array([
      [
        [1, 2],
        [3, 4],
      ],
      [
        [5, 6],
        [7, 8],
      ],
    ]);
    expect(np.applyAlongAxis((v) => np.cumsum(v), 1, x).js()).toEqual([
      [
        [1, 2],
        [4, 6],
      ],
      [
        [5, 6],
        [12, 14],
      ],
    ]);
    expect(np.applyAlongAxis((v) => v.sum(), 0, x).js()).toEqual([
      [6, 8],
      [10, 12],
    ]);
    expect(np.applyAlongAxis((v, k: number) => np.stack([v, v.mul(k)]), -1, np.ones([3, 4]), 2).shape).toEqual([
      3, 2, 4,
    ]);
  });
  it("applyOverAxes keeps the axes", () => {
    expect(np.applyOverAxes((v, axis) => v.sum(axis), np.ones([2, 3]), [0, 1]).js()).toEqual([[6]]);
    expect(codeOf(() => np.applyOverAxes((v) => v.sum(), np.ones([2, 3]), [0]))).toBe("rank");
  });
});
