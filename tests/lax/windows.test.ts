import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { NDArray } from "../../src/core/array.js";
import { explain, grad, jit, lax, memoryStats, nn, numpy as np, setDefaultDevice, vjp, vmap } from "../../src/index.js";
import type { Padding } from "../../src/lax/window-padding.js";

/** Convolutions and window reductions against JAX, from data that windows_jax.py wrote. */

interface Recorded {
  readonly shape: readonly number[];
  readonly data: readonly number[];
}
interface Case {
  readonly kind: "conv" | "transpose" | "sum" | "max" | "min";
  readonly x: Recorded;
  readonly w: Recorded;
  readonly ct: Recorded;
  readonly y: Recorded;
  readonly dx: Recorded;
  readonly dw: Recorded;
  readonly strides: readonly number[];
  readonly padding: Padding;
  readonly sizes: readonly number[];
  readonly base: readonly number[];
  readonly window: readonly number[];
  readonly lhsDilation: readonly number[];
  readonly rhsDilation: readonly number[];
  readonly dimensionNumbers: readonly string[] | null;
  readonly featureGroupCount: number;
  readonly batchGroupCount: number;
  readonly transposeKernel: boolean;
  readonly useConsistentPadding: boolean;
}
const cases = JSON.parse(readFileSync(new URL("windows-jax.data.json", import.meta.url), "utf8")) as readonly Case[];

const array = ({ shape, data }: Recorded): NDArray => np.array([...data], { shape: [...shape], dtype: "float32" });
const reductions = { sum: lax.reduceWindowSum, max: lax.reduceWindowMax, min: lax.reduceWindowMin } as const;

function functionOf(c: Case): (...xs: NDArray[]) => NDArray {
  const { strides, padding, rhsDilation } = c;
  switch (c.kind) {
    case "conv":
      return (x, w) => {
        const { lhsDilation, dimensionNumbers, featureGroupCount, batchGroupCount } = c;
        const options = { lhsDilation, rhsDilation, dimensionNumbers, featureGroupCount, batchGroupCount };
        return lax.convGeneralDilated(x!, w!, strides, padding, options);
      };
    case "transpose":
      return (x, w) => {
        const { transposeKernel, useConsistentPadding } = c;
        return lax.convTranspose(x!, w!, strides, padding, { rhsDilation, transposeKernel, useConsistentPadding });
      };
    default: {
      const reduce = reductions[c.kind];
      const { sizes, base, window } = c;
      return (x) => reduce(x!, sizes, strides, padding, base, window);
    }
  }
}

function expectClose(y: NDArray, want: Recorded): void {
  expect(y.shape).toEqual(want.shape);
  const data = y.dataSync() as Float32Array;
  want.data.forEach((v, i) => expect(Math.abs(data[i]! - v)).toBeLessThanOrEqual(2e-4 * (1 + Math.abs(v))));
}

describe.each(["reference", "wasm"])("against JAX on %s", (device) => {
  test.each(cases.map((c, i) => [`${c.kind} ${i}`, c] as const))("%s", (_, c) => {
    setDefaultDevice(device);
    const f = functionOf(c);
    const inputs = c.kind === "conv" || c.kind === "transpose" ? [array(c.x), array(c.w)] : [array(c.x)];
    expectClose(jit(f)(...inputs), c.y);
    if (c.kind === "transpose") return;
    const [y, pull] = vjp(f, ...inputs);
    expectClose(y, c.y);
    const [dx, dw] = pull(array(c.ct)) as NDArray[];
    expectClose(dx!, c.dx);
    if (dw) expectClose(dw, c.dw);
  });
});

describe.each(["reference", "wasm"])("semantics on %s", (device) => {
  test("the first maximum of a window has the derivative, the first NaN where there is one", () => {
    setDefaultDevice(device);
    const slope = grad((x: NDArray) => lax.reduceWindowMax(x, { windowDimensions: [2] }).sum());
    expect(slope(np.array([1, 3, 3, 2])).js()).toEqual([0, 2, 1, 0]);
    expect(slope(np.array([1, NaN, 3])).js()).toEqual([0, 2, 0]);
    const low = grad((x: NDArray) => lax.reduceWindowMin(x, { windowDimensions: [2] }).sum());
    expect(low(np.array([2, 1, 1, 3])).js()).toEqual([0, 2, 1, 0]);
  });

  test("padding never counts", () => {
    setDefaultDevice(device);
    const padded = { windowDimensions: [2], padding: [[1, 1]] } as const;
    expect(lax.reduceWindowMax(np.array([-5, -7]), padded).js()).toEqual([-5, -5, -7]);
    expect(lax.reduceWindowMul(np.array([2, 3]), padded).js()).toEqual([2, 6, 3]);
  });

  test("any computation reduces windows", () => {
    setDefaultDevice(device);
    const x = np.array([1, 2, 3, 4]);
    const longer = (a: NDArray, b: NDArray): NDArray => np.hypot(a, b);
    const y = lax.reduceWindow(x, 0, longer, [2]).js() as number[];
    [5, 13, 25].forEach((square, i) => expect(y[i]).toBeCloseTo(Math.sqrt(square), 5));
    expect(lax.reduceWindow(np.array([5, 6, 3], { dtype: "int32" }), -1, lax.bitwiseAnd, [2]).js()).toEqual([4, 2]);
    expect(lax.reduceWindow(x, 10, lax.add, [2]).js()).toEqual([13, 15, 17]);
  });

  test.each([
    [7, 2, 13],
    [3, 2, 8],
    [4, 4, 12],
    [1, 3, 10],
    [5, 3, 7],
  ])("kernels of %i, strides of %i: the gradient is the sum over places", (kernel, stride, size) => {
    setDefaultDevice(device);
    const [x, w] = [
      np.zeros([2, size, size, 2]),
      np.sin(np.arange(kernel * kernel * 6).reshape([kernel, kernel, 2, 3])),
    ];
    const layout = { dimensionNumbers: ["NHWC", "HWIO", "NHWC"] } as const;
    const [y, pull] = vjp((a: NDArray) => lax.convGeneralDilated(a, w, [stride, stride], "SAME", layout), x);
    const ct = np.cos(np.arange(y.size).reshape(y.shape));
    const count = y.shape[1]!;
    const lo = Math.floor(Math.max(0, (count - 1) * stride + kernel - size) / 2);
    const [weights, slopes] = [w.dataSync(), ct.dataSync()];
    const want = new Array<number>(x.size).fill(0);
    const each = (n: number, f: (i: number) => void): void => [...Array(n).keys()].forEach(f);
    each(2, (n) =>
      each(count, (i) =>
        each(count, (j) =>
          each(kernel, (p) =>
            each(kernel, (q) => {
              const [h, v] = [i * stride + p - lo, j * stride + q - lo];
              if (h < 0 || v < 0 || h >= size || v >= size) return;
              each(2, (c) =>
                each(3, (o) => {
                  want[((n * size + h) * size + v) * 2 + c]! +=
                    slopes[((n * count + i) * count + j) * 3 + o]! * weights[((p * kernel + q) * 2 + c) * 3 + o]!;
                }),
              );
            }),
          ),
        ),
      ),
    );
    expectClose(jit(pull)(ct)[0] as NDArray, { shape: x.shape, data: want });
  });

  test("pooling", () => {
    setDefaultDevice(device);
    const x = np.arange(16, { dtype: "float32" }).reshape([1, 4, 4, 1]);
    expect(nn.maxPool(x, [2, 2], [2, 2]).reshape([4]).js()).toEqual([5, 7, 13, 15]);
    expect(nn.minPool(x, [2, 2], [2, 2]).reshape([4]).js()).toEqual([0, 2, 8, 10]);
    expect(nn.avgPool(x, [2, 2], [2, 2]).reshape([4]).js()).toEqual([2.5, 4.5, 10.5, 12.5]);
    const ones = np.ones([1, 3, 1]);
    expect(nn.avgPool(ones, [2], { padding: "SAME" }).reshape([3]).js()).toEqual([1, 1, 0.5]);
    expect(nn.avgPool(ones, [2], { padding: "SAME", countIncludePad: false }).reshape([3]).js()).toEqual([1, 1, 1]);
  });

  test("batches of kernels are groups", () => {
    setDefaultDevice(device);
    const x = np.arange(8, { dtype: "float32" }).reshape([2, 1, 1, 4]);
    const w = np.array([1, 1, 1, -1]).reshape([2, 1, 1, 2]);
    const y = vmap((a: NDArray, b: NDArray) => lax.conv(a, b, [1], "VALID"))(x, w);
    expect(y.reshape([6]).js()).toEqual([1, 3, 5, -1, -1, -1]);
  });
});

test("gradients of strided convolutions multiply what is there, not zeros between", () => {
  const w = np.ones([16, 3, 4, 4]);
  const f = (x: NDArray): NDArray => np.sum(np.square(lax.conv(x, w, [4, 4], "VALID")));
  const { kernels } = explain(grad(f))(np.ones([2, 3, 32, 32]));
  // of 16 features and 8×8 places, the 48 elements that each window has
  expect(String(kernels)).toMatch(/48x16 by 16x64/);
});

test("of images whose channels come last, what follows a convolution reads along them", () => {
  const layout = { dimensionNumbers: ["NHWC", "HWIO", "NHWC"] } as const;
  const f = (x: NDArray, w: NDArray, b: NDArray): NDArray =>
    lax.convGeneralDilated(x, w, [1, 1], "SAME", layout).add(b);
  const { kernels } = explain(f)(np.ones([2, 9, 9, 4]), np.ones([1, 1, 4, 8]), np.ones([8]));
  expect(String(kernels)).toMatch(
    /b2\[648\*a0 \+ 72\*a1 \+ 8\*a2 \+ a3\] = add\(b0\[648\*a0 \+ 72\*a1 \+ 8\*a2 \+ a3\], b1\[a3\]\)/,
  );

  const each = { ...layout, featureGroupCount: 8 };
  const g = (x: NDArray, w: NDArray): NDArray => lax.convGeneralDilated(x, w, [1, 1], "VALID", each);
  const own = String(explain(g)(np.ones([2, 9, 9, 8]), np.ones([3, 3, 1, 8])).kernels);
  expect(own).toMatch(/rows a0<2 a1<7 a2<7 a3<8\n {2}reduced a4<3 a5<3/);
  // nothing is copied into another order
  expect(own.match(/ nest /g)).toHaveLength(1);
});

test("of few features and many channels, products with each element of a kernel are summed", () => {
  const f = (x: NDArray, w: NDArray): NDArray => lax.conv(x, w, [1, 1], "VALID");
  const kernels = String(explain(f)(np.ones([2, 8, 9, 9]), np.ones([3, 8, 3, 3])).kernels);
  expect(kernels).toMatch(/27x8 by 8x81/);
  // one kernel sums the nine, and puts them where they go
  expect(kernels.match(/ nest .*add/g)).toHaveLength(1);
});

test("without jit a convolution is one program, whatever the order of axes", () => {
  setDefaultDevice("wasm");
  const layout = { dimensionNumbers: ["NHWC", "HWIO", "NHWC"], featureGroupCount: 2 } as const;
  const [x, w] = [np.ones([1, 5, 6, 4]), np.ones([2, 3, 2, 8])];
  const { programs } = memoryStats();
  lax.convGeneralDilated(x, w, [1, 1], "VALID", layout);
  // those are programs of single operations
  expect(memoryStats().programs).toBe(programs);
  const twice = vmap((a: NDArray) =>
    grad((b: NDArray) => lax.convGeneralDilated(b, w, [1, 1], "VALID", layout).sum())(a),
  );
  expect(twice(np.stack([x, x])).js()).toEqual(jit(twice)(np.stack([x, x])).js());
});

test("what does not fit together is said", () => {
  const x = np.ones([1, 3, 8, 8]);
  expect(() => lax.conv(x, np.ones([2, 4, 3, 3]), [1, 1], "VALID")).toThrow(/3 channels .* do not meet the 4/);
  expect(() => lax.conv(x, np.ones([2, 3, 3, 3]), [1], "VALID")).toThrow(/windowStrides/);
  expect(() => lax.conv(x, np.ones([2, 3, 3, 3]), [1, 1], "FULL" as Padding)).toThrow(/SAME_LOWER/);
  expect(() => lax.convGeneralDilated(x, x, [1, 1], "SAME", { lhsDilation: [2, 1] })).toThrow(/convTranspose/);
  const wrong = { dimensionNumbers: ["NHWC", "HWIO", "NHW"] };
  expect(() => lax.convGeneralDilated(x, x, [1, 1], "VALID", wrong)).toThrow(/4 letters/);
});

test("reduceWindow reduces several arrays together", () => {
  const x = np.array([3, 1, 2, 5]);
  const places = np.arange(4, { dtype: "int32" });
  type Pair = [NDArray, NDArray];
  const larger = ([m, k]: Pair, [a, b]: Pair): Pair => {
    const isLarger = np.greater(a, m);
    return [np.where(isLarger, a, m), np.where(isLarger, b, k)];
  };
  const largest = (x: NDArray): Pair => lax.reduceWindow([x, places] as Pair, [-Infinity, -1], larger, [2]);
  for (const f of [largest, jit(largest)]) {
    const [values, at] = f(x);
    expect(values.js()).toEqual([3, 2, 5]);
    expect(at.js()).toEqual([0, 2, 3]);
  }
  const { sum, product } = lax.reduceWindow(
    { sum: x, product: x },
    { sum: 0, product: 1 },
    (a, b) => ({ sum: a.sum.add(b.sum), product: a.product.mul(b.product) }),
    { windowDimensions: [2], windowStrides: [2], padding: [[1, 1]] },
  );
  expect(sum.js()).toEqual([3, 3, 5]);
  expect(product.js()).toEqual([3, 2, 5]);
  expect(grad((x: NDArray) => largest(x)[0].sum())(x).js()).toEqual([1, 0, 1, 1]);
  // the padding is what the reduction starts from
  expect(lax.reduceWindow(x, 1, (a, b) => a.mul(2).add(b), [2], [1], "SAME").js()).toEqual([11, 8, 13, 15]);
});

test("reduceWindow refuses what does not fit together", () => {
  const x = np.ones([4]);
  const i = np.arange(4, { dtype: "int32" });
  const first = (a: NDArray[]): NDArray[] => a;
  expect(() => lax.reduceWindow([x, i], [0], first, [2])).toThrow(/structures differ/);
  expect(() => lax.reduceWindow([x, i], [0, 0], (a) => a[0] as never, [2])).toThrow(/structures differ/);
  expect(() => lax.reduceWindow([x, i.slice([0, 2])], [0, 0], first, [2])).toThrow(/one shape/);
  expect(() => lax.reduceWindow(x, i.slice(0), (a) => a, [2])).toThrow(/scalar of the operand's dtype/);
  expect(() => lax.reduceWindow(x, 0, (a, b) => a.greater(b), [2])).toThrow(/keep shape and dtype/);
  expect(() => lax.reduceWindow(x, 0, 3 as never, [2])).toThrow(/function of two values/);
});
