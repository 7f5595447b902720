import { describe, expect, test } from "vitest";
import type { ConcreteArray, NDArray } from "../../src/core/array.js";
import { sizeOf } from "../../src/core/aval.js";
import { type DType, dtypeInfo } from "../../src/core/dtype.js";
import { getEngine } from "../../src/core/engine.js";
import { TsaxError } from "../../src/core/errors.js";
import * as p from "../../src/primitives/all.js";
import "../../src/runtime/install.js";
import { jvp } from "../../src/transforms/jvp.js";
import { vjp } from "../../src/transforms/vjp.js";
import { vmap } from "../../src/transforms/vmap.js";

function array(
  values: readonly number[],
  shape: readonly number[] = [values.length],
  dtype: DType = "float32",
): NDArray {
  expect(values.length).toBe(sizeOf(shape) * dtypeInfo[dtype].words);
  const data = new dtypeInfo[dtype].storage(values.length);
  data.set(values);
  return getEngine().fromHost({ aval: { shape, dtype, weakType: false }, data });
}
const indices = (values: readonly number[]): NDArray => array(values, [values.length, 1], "int32");
const scalar = (value: number): NDArray => array([value], [], "int32");
const read = (x: NDArray): number[] => Array.from((x as ConcreteArray).storage.readSync());
const pulled = (f: (...xs: NDArray[]) => NDArray, primals: NDArray[], ct: NDArray): number[][] => {
  const [, pull] = vjp(f as never, ...(primals as never[])) as unknown as [NDArray, (ct: NDArray) => NDArray[]];
  return pull(ct).map(read);
};
const codeOf = (f: () => unknown): string | undefined => {
  try {
    f();
  } catch (e) {
    return e instanceof TsaxError ? e.code : String(e);
  }
  return undefined;
};

const take = { offsetDims: [], collapsedSliceDims: [0], startIndexMap: [0] };
const put = { updateWindowDims: [], insertedWindowDims: [0], scatterDimsToOperandDims: [0] };

describe("gather", () => {
  const x3 = array([5, 6, 7]);

  test("an element gathered twice collects both cotangents", () => {
    const f = (x: NDArray): NDArray => p.gather(x, indices([0, 0, 2]), take, [1], { mode: "clip" });
    expect(pulled(f, [x3], array([1, 10, 100]))).toEqual([[11, 0, 100]]);
  });

  test("out of bounds: promised indices read the nearest element, their gradient is dropped", () => {
    const x = array([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    const f = (x: NDArray): NDArray => p.gather(x, indices([11]), take, [1], { mode: "promiseInBounds" });
    expect(read(f(x))).toEqual([9]);
    expect(pulled(f, [x], array([1]))).toEqual([[0, 0, 0, 0, 0, 0, 0, 0, 0, 0]]);
  });

  test("out of bounds: clipped indices have the gradient of the element they read", () => {
    const f = (x: NDArray): NDArray => p.gather(x, indices([0, 7]), take, [1], { mode: "clip" });
    expect(pulled(f, [x3], array([1, 1]))).toEqual([[1, 0, 1]]);
  });

  test("out of bounds: fill values by dtype, and a gradient of zero", () => {
    const filled = (dtype: DType): number[] =>
      read(p.gather(array([1, 0, 1], [3], dtype), indices([3, -1, 2]), take, [1], { mode: "fill" }));
    expect(filled("float32")).toEqual([NaN, NaN, 1]);
    expect(filled("int32")).toEqual([-2147483648, -2147483648, 1]);
    expect(filled("uint32")).toEqual([4294967295, 4294967295, 1]);
    expect(filled("bool")).toEqual([1, 1, 1]);
    const f = (x: NDArray): NDArray => p.gather(x, indices([3, -1, 2]), take, [1], { mode: "fill" });
    expect(pulled(f, [x3], array([1, 10, 100]))).toEqual([[0, 0, 100]]);
    expect(read(jvp(f, [x3], [array([1, 2, 3])])[1])).toEqual([0, 0, 3]);
  });

  test("a window that reaches over the edge is outside as a whole", () => {
    const windows = { offsetDims: [1], collapsedSliceDims: [], startIndexMap: [0] };
    const f = (mode: "fill" | "clip"): number[] =>
      read(p.gather(array([1, 2, 3, 4]), indices([2, 3]), windows, [2], { mode, fillValue: 0 }));
    expect(f("fill")).toEqual([3, 4, 0, 0]);
    expect(f("clip")).toEqual([3, 4, 3, 4]);
  });
});

describe("scatter", () => {
  const x3 = array([10, 20, 30]);

  test("of several updates of one element the last wins, and it alone has a cotangent", () => {
    const f = (x: NDArray, y: NDArray): NDArray => p.scatter(x, indices([1, 1]), y, put, { mode: "fill" });
    const y = array([5, 6]);
    expect(read(f(x3, y))).toEqual([10, 6, 30]);
    expect(pulled(f, [x3, y], array([1, 2, 4]))).toEqual([
      [1, 0, 4],
      [0, 2],
    ]);
    expect(read(jvp(f, [x3, y], [array([1, 2, 3]), array([10, 20])])[1])).toEqual([1, 20, 3]);
  });

  test("added updates all count", () => {
    const f = (x: NDArray, y: NDArray): NDArray => p.scatterAdd(x, indices([1, 1]), y, put, { mode: "fill" });
    const y = array([5, 6]);
    expect(read(f(x3, y))).toEqual([10, 31, 30]);
    expect(pulled(f, [x3, y], array([1, 2, 4]))).toEqual([
      [1, 2, 4],
      [2, 2],
    ]);
  });

  test("updates outside are dropped, or clipped", () => {
    const y = array([5, 6, 7]);
    const f = (mode: "fill" | "promiseInBounds" | "clip") => (x: NDArray, y: NDArray) =>
      p.scatter(x, indices([3, -1, 1]), y, put, { mode });
    expect(read(f("fill")(x3, y))).toEqual([10, 7, 30]);
    expect(read(f("promiseInBounds")(x3, y))).toEqual([10, 7, 30]);
    expect(read(f("clip")(x3, y))).toEqual([6, 7, 5]);
    expect(pulled(f("fill"), [x3, y], array([1, 2, 4]))).toEqual([
      [1, 0, 4],
      [0, 0, 2],
    ]);
    expect(pulled(f("clip"), [x3, y], array([1, 2, 4]))).toEqual([
      [0, 0, 0],
      [4, 1, 2],
    ]);
  });

  test("minima and maxima: what ties shares the cotangent; NaN stays", () => {
    const f = (x: NDArray, y: NDArray): NDArray => p.scatterMax(x, indices([0, 0, 2]), y, put, { mode: "fill" });
    expect(pulled(f, [array([1, 2, 3]), array([4, 4, 3])], array([1, 1, 1]))).toEqual([
      [0, 1, 0.5],
      [0.5, 0.5, 0.5],
    ]);
    expect(
      read(p.scatterMin(array([1, NaN, 3]), indices([0, 1, 2]), array([NaN, 1, 2]), put, { mode: "fill" })),
    ).toEqual([NaN, NaN, 2]);
  });

  test("multiplying duplicates: the derivative in the operand exists, that in the updates needs a promise", () => {
    const y = array([5, 6]);
    const f = (x: NDArray, y: NDArray): NDArray => p.scatterMul(x, indices([1, 1]), y, put, { mode: "fill" });
    expect(read(f(x3, y))).toEqual([10, 600, 30]);
    expect(pulled((x) => f(x, y), [x3], array([1, 1, 1]))).toEqual([[1, 30, 1]]);
    expect(codeOf(() => vjp(f as never, x3 as never, y as never))).toBe("scatter-mul-unique");
  });
});

describe("dynamic slices", () => {
  const x5 = array([0, 1, 2, 3, 4]);

  test("starts are moved inside", () => {
    const f = (x: NDArray): NDArray => p.dynamicSlice(x, [scalar(4)], [3]);
    expect(read(f(x5))).toEqual([2, 3, 4]);
    expect(pulled(f, [x5], array([1, 2, 3]))).toEqual([[0, 0, 1, 2, 3]]);
    expect(read(p.dynamicSlice(x5, [scalar(-2)], [2]))).toEqual([0, 1]);
    expect(read(p.dynamicUpdateSlice(x5, array([8, 9]), [scalar(7)]))).toEqual([0, 1, 2, 8, 9]);
  });

  test("batched starts", () => {
    const many = vmap((s: NDArray): NDArray => p.dynamicSlice(x5, [s], [2]))(array([0, 3, 9, -1], [4], "int32"));
    expect(read(many)).toEqual([0, 1, 3, 4, 3, 4, 0, 1]);
  });
});

describe("sort", () => {
  test("numbers ascend, −0 equals 0, NaNs come last, and equals keep their order", () => {
    const [x, i] = p.sort(
      [array([NaN, 0, -0, 1, -Infinity, NaN, Infinity]), array([0, 1, 2, 3, 4, 5, 6], [7], "int32")],
      0,
      1,
    );
    expect(read(x!)).toEqual([-Infinity, 0, -0, 1, Infinity, NaN, NaN]);
    expect(read(i!)).toEqual([4, 1, 2, 3, 6, 0, 5]);
  });

  test("its gradient follows the elements", () => {
    expect(pulled((x) => p.sort([x], 0, 1)[0]!, [array([3, 1, 2])], array([1, 10, 100]))).toEqual([[100, 1, 10]]);
  });
});

describe("random bits", () => {
  const key = (seed: number): NDArray => p.randomWrap(array([0, seed], [2], "uint32"));
  const known: Record<number, { split: number[]; bits: number[] }> = {
    0: {
      split: [1797259609, 2579123966, 928981903, 3453687069],
      bits: [4070199207, 4202968722, 1427181096, 2012915765],
    },
    42: {
      split: [1832780943, 270669613, 64467757, 2916123636],
      bits: [2098992034, 2919706841, 2646866425, 2409546199],
    },
  };

  test("known answers of threefry", () => {
    const word = (w: number): NDArray => array([w], [], "uint32");
    const hash = (...words: number[]): number[] => {
      const [a, b, c, d] = words.map(word);
      return p.threefry2x32(a!, b!, c!, d!).flatMap(read);
    };
    const ones = 0xffffffff;
    expect(hash(0, 0, 0, 0)).toEqual([0x6b200159, 0x99ba4efe]);
    expect(hash(ones, ones, ones, ones)).toEqual([0x1cb996fc, 0xbb002be7]);
    expect(hash(0x13198a2e, 0x03707344, 0x243f6a88, 0x85a308d3)).toEqual([0xc4923a9c, 0x483df7a0]);
  });

  for (const [seed, { split, bits }] of Object.entries(known)) {
    test(`split, bits and foldIn of key ${seed}`, () => {
      const k = key(Number(seed));
      expect(read(p.randomUnwrap(p.randomSplit(k, [2])))).toEqual(split);
      expect(read(p.randomBits(k, [4]))).toEqual(bits);
      expect(read(p.randomBits(k, [2, 2]))).toEqual(bits);
      expect(read(p.randomUnwrap(p.randomFoldIn(k, array([1], [], "uint32"))))).toEqual(split.slice(2));
    });
  }

  test("arrays of keys draw as their keys do", () => {
    const keys = p.concatenate([p.reshape(key(0), [1]), p.reshape(key(42), [1])], 0);
    expect(keys.aval).toEqual({ shape: [2], dtype: "key", weakType: false });
    expect(read(p.randomBits(keys, [4]))).toEqual([...known[0]!.bits, ...known[42]!.bits]);
    const batched = vmap((k: NDArray): NDArray => p.randomBits(k, [4]))(keys);
    expect(read(batched)).toEqual([...known[0]!.bits, ...known[42]!.bits]);
    const folded = vmap((k: NDArray, d: NDArray): NDArray => p.randomFoldIn(k, d), [null, 0])(
      key(0),
      array([0, 1], [2], "uint32"),
    );
    expect(read(folded)).toEqual(known[0]!.split);
  });
});

describe("errors", () => {
  const x = array([1, 2, 3, 4, 5, 6], [2, 3]);
  const cases: readonly [code: string, f: () => unknown][] = [
    ["broadcast-dims", () => p.broadcastInDim(x, [2, 3], [1, 0])],
    ["shape-broadcast", () => p.broadcastInDim(x, [2, 4], [0, 1])],
    ["reshape-size", () => p.reshape(x, [4])],
    ["permutation", () => p.transpose(x, [0, 0])],
    ["squeeze-length", () => p.squeeze(x, [0])],
    ["slice-range", () => p.slice(x, [0, 0], [3, 3])],
    [
      "pad-negative",
      () =>
        p.pad(x, array([0], []), [
          [-2, -1, 0],
          [0, 0, 0],
        ]),
    ],
    [
      "dtype-mismatch",
      () =>
        p.pad(x, scalar(0), [
          [0, 0, 0],
          [0, 0, 0],
        ]),
    ],
    ["concatenate-shapes", () => p.concatenate([x, array([1, 2], [1, 2])], 0)],
    ["split-sizes", () => p.split(x, [1, 1], 1)],
    ["iota-dtype", () => p.iota("bool", [2], 0)],
    ["dot-contract", () => p.dotGeneral(x, x, { lhsContract: [1], rhsContract: [0], lhsBatch: [], rhsBatch: [] })],
    [
      "dot-dtype",
      () =>
        p.dotGeneral(array([1], [1], "bool"), array([1], [1], "bool"), {
          lhsContract: [0],
          rhsContract: [0],
          lhsBatch: [],
          rhsBatch: [],
        }),
    ],
    [
      "index-dtype",
      () =>
        p.gather(x, array([1], [1, 1]), { offsetDims: [1], collapsedSliceDims: [0], startIndexMap: [0] }, [1, 3], {
          mode: "clip",
        }),
    ],
    [
      "window-dims",
      () =>
        p.gather(x, indices([0]), { offsetDims: [1, 2], collapsedSliceDims: [0], startIndexMap: [0] }, [1, 3], {
          mode: "clip",
        }),
    ],
    [
      "window-size",
      () =>
        p.gather(x, indices([0]), { offsetDims: [1], collapsedSliceDims: [0], startIndexMap: [0] }, [1, 4], {
          mode: "clip",
        }),
    ],
    ["scatter-updates", () => p.scatter(array([1, 2]), indices([0]), array([1, 2]), put, { mode: "fill" })],
    ["slice-starts", () => p.dynamicSlice(x, [scalar(0)], [1, 1])],
    ["sort-keys", () => p.sort([x], 0, 2)],
    ["sort-count", () => p.sort([x], 0, 1, { count: 9 })],
    ["not-a-key", () => p.randomBits(x, [2])],
    ["key-words", () => p.randomWrap(array([1, 2, 3], [3], "uint32"))],
  ];
  for (const [code, f] of cases) test(code, () => expect(codeOf(f)).toBe(code));
});
