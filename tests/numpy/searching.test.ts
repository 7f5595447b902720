import { describe, expect, it } from "vitest";
import { codeOf, expectClose } from "../numbers.js";
import { grad, jit, type NDArray, np, vmap } from "./imports.js";

const inf = Infinity;
const ints = (xs: unknown): NDArray => np.array(xs as number[], { dtype: "int32" });

describe("searchsorted", () => {
  const a = np.array([1, 2, 2, 3, NaN]);
  const v = np.array([2, NaN, inf, -inf, 0]);
  it("puts NaN after all numbers, on either side of its equals", () => {
    expect(np.searchsorted(a, v).js()).toEqual([1, 4, 4, 0, 0]);
    expect(np.searchsorted(a, v, "right").js()).toEqual([3, 5, 4, 0, 0]);
    expect(np.searchsorted(a, v).dtype).toBe("int32");
  });
  it("takes −0 for 0", () => {
    expect(np.searchsorted(np.array([-1, 0, 1]), np.array([-0])).js()).toEqual([1]);
    expect(np.searchsorted(np.array([-1, -0, 1]), np.array([0]), { side: "right" }).js()).toEqual([2]);
  });
  it("agrees with counting for every length", () => {
    for (let n = 0; n < 18; n++) {
      const sorted = np.array(
        Array.from({ length: n }, (_, i) => Math.floor(i / 2)),
        { dtype: "float32", shape: [n] },
      );
      const queries = np.arange(-1, n / 2 + 1, 0.5);
      const counts = (queries.js() as number[]).map((q) => (sorted.js() as number[]).filter((x) => x < q).length);
      expect(np.searchsorted(sorted, queries).js()).toEqual(counts);
    }
  });
  it("takes queries of any shape, a sorter, numbers, and has no derivative", () => {
    expect(
      np
        .searchsorted(
          ints([1, 3]),
          np.array([
            [0, 2],
            [3, 4],
          ]),
        )
        .js(),
    ).toEqual([
      [0, 1],
      [1, 2],
    ]);
    expect(np.searchsorted(np.array([3, 1, 2]), 2, { sorter: ints([1, 2, 0]) }).item()).toBe(1);
    expect(
      grad((x: NDArray) => np.sum(np.searchsorted(x, 1.5).astype("float32").mul(x)))(np.array([1, 2])).js(),
    ).toEqual([1, 1]);
    expect(
      vmap((x: NDArray) => np.searchsorted(x, 1.5))(
        np.array([
          [1, 2],
          [2, 3],
        ]),
      ).js(),
    ).toEqual([1, 0]);
  });
  it("refuses matrices and unknown sides", () => {
    expect(codeOf(() => np.searchsorted(np.ones([2, 2]), 1))).toBe("rank");
    expect(codeOf(() => np.searchsorted(a, 1, "middle" as never))).toBe("search-side");
  });
});

describe("counting", () => {
  it("digitize takes edges that descend", () => {
    expect(np.digitize(np.array([0, 1, 2.5, 9]), np.array([3, 2, 1])).js()).toEqual([3, 2, 1, 0]);
    expect(np.digitize(np.array([0, 1, 2.5, 9]), np.array([1, 2, 3]), true).js()).toEqual([0, 0, 2, 3]);
    expect(np.digitize(np.array([[1]]), np.zeros([0])).js()).toEqual([[0]]);
  });
  it("bincount counts negative numbers as 0 and drops what is beyond its length", () => {
    expect(np.bincount(ints([1, -3, 4, 1])).js()).toEqual([1, 2, 0, 0, 1]);
    expect(np.bincount(ints([1, 3, 4, 1]), { length: 3 }).js()).toEqual([0, 2, 0]);
    expect(np.bincount(ints([1, 0]), np.array([0.5, 2]), 4).js()).toEqual([2, 0.5, 0, 0]);
    expect(np.bincount(np.array([], { dtype: "int32" })).js()).toEqual([]);
  });
  it("bincount needs a length under jit", () => {
    expect(codeOf(() => jit((x: NDArray) => np.bincount(x))(ints([1])))).toBe("length-needed");
    expect(jit((x: NDArray) => np.bincount(x, { length: 2 }))(ints([1])).js()).toEqual([0, 1]);
    expect(codeOf(() => np.bincount(np.array([1])))).toBe("integer-needed");
    expect(codeOf(() => np.bincount(ints([1, 2]), np.ones([3])))).toBe("weights-shape");
  });
  it("isin compares after promotion; NaN is in nothing", () => {
    expect(
      np
        .isin(
          np.array([
            [1, NaN],
            [2, 5],
          ]),
          ints([2, 1]),
        )
        .js(),
    ).toEqual([
      [true, false],
      [true, false],
    ]);
    expect(np.isin(ints([1, 2]), ints([2]), { invert: true }).js()).toEqual([true, false]);
    expect(np.isin(ints([1]), np.zeros([0])).js()).toEqual([false]);
    expect(np.isin(np.array([NaN]), np.array([NaN])).js()).toEqual([false]);
  });
});

describe("sorting", () => {
  const x = np.array([2, NaN, 1, 2]);
  it("puts NaN last, first if descending, and keeps the order of equals", () => {
    expectClose(np.sort(x), [1, 2, 2, NaN]);
    expectClose(np.sort(x, { descending: true }), [NaN, 2, 2, 1]);
    expect(np.argsort(x, { descending: true }).js()).toEqual([1, 0, 3, 2]);
    expect(np.argsort(x, { descending: true, stable: false }).js()).toEqual([1, 3, 0, 2]);
  });
  it("sorts along an axis, or all elements", () => {
    const m = ints([
      [3, 1],
      [2, 0],
    ]);
    expect(np.sort(m, 0).js()).toEqual([
      [2, 0],
      [3, 1],
    ]);
    expect(np.sort(m, null).js()).toEqual([0, 1, 2, 3]);
    expect(np.argsort(m, { axis: null }).js()).toEqual([3, 1, 2, 0]);
    expect(codeOf(() => np.sort(np.array(1)))).toBe("axis-range");
    expect(codeOf(() => np.sort(m, 2))).toBe("axis-range");
    expect(codeOf(() => np.sort(m, { kind: "quicksort" as never }))).toBe("option-absent");
  });
  it("the derivative follows the elements", () => {
    expect(grad((v: NDArray) => np.sum(np.sort(v).mul(np.array([1, 10, 100]))))(np.array([3, 1, 2])).js()).toEqual([
      100, 1, 10,
    ]);
  });
  it("partition orders the least, then the largest first", () => {
    const v = ints([5, 3, 9, 1, 7]);
    expect(np.partition(v, 2).js()).toEqual([1, 3, 5, 9, 7]);
    expect(np.argpartition(v, 2).js()).toEqual([3, 1, 0, 2, 4]);
    expectClose(np.partition(np.array([5, NaN, 9, 1, 7]), 2), [1, 5, 7, NaN, 9]);
    expect(
      np
        .argpartition(
          ints([
            [2, 1],
            [2, 2],
          ]),
          -2,
          0,
        )
        .js(),
    ).toEqual([
      [0, 0],
      [1, 1],
    ]);
    expect(codeOf(() => np.partition(v, 5))).toBe("kth-range");
  });
  it("lexsort sorts by the last key first", () => {
    expect(np.lexsort([ints([1, 0, 2, 0]), ints([1, 1, 0, 0])]).js()).toEqual([3, 2, 1, 0]);
    expect(
      np
        .lexsort(
          ints([
            [1, 0, 2, 0],
            [1, 1, 0, 0],
          ]),
        )
        .js(),
    ).toEqual([3, 2, 1, 0]);
    expect(codeOf(() => np.lexsort([]))).toBe("lexsort-keys");
    expect(codeOf(() => np.lexsort([ints([1]), ints([1, 2])]))).toBe("shape-mismatch");
  });
});

describe("flat indices", () => {
  it("what is out of bounds becomes the nearest corner", () => {
    const list = np.unravelIndex(ints([0, 5, 23, 24, -1, -25]), [2, 3, 4]).map((i) => i.js());
    expect(list).toEqual([
      [0, 0, 1, 1, 1, 0],
      [0, 1, 2, 2, 2, 0],
      [0, 1, 3, 3, 3, 0],
    ]);
  });
  it("ravelMultiIndex wraps, clips, or throws", () => {
    const index = [ints([1, 3]), ints([-1, 5])];
    expect(np.ravelMultiIndex(index, [2, 4], "wrap").js()).toEqual([7, 5]);
    expect(np.ravelMultiIndex(index, [2, 4], { mode: "clip" }).js()).toEqual([4, 7]);
    expect(np.ravelMultiIndex([ints([1, 0]), ints([1, 3])], [2, 4], { order: "F" }).js()).toEqual([3, 6]);
    expect(codeOf(() => np.ravelMultiIndex(index, [2, 4]))).toBe("index-range");
    expect(codeOf(() => np.ravelMultiIndex(index, [2, 4, 5]))).toBe("index-count");
    expect(codeOf(() => jit((i: NDArray) => np.ravelMultiIndex([i, i], [2, 4]))(ints([0])))).toBe("index-traced");
  });
});
