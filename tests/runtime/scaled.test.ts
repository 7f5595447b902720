import { expect, test } from "vitest";
import { devicePut, memoryStats, numpy as np, type NDArray } from "tsax";
import { reduceExtents, transposeExtents, broadcastExtents } from "../../src/primitives/extents.js";

/** Eager operations that differ in lengths only share one program. */

const numbers = (shape: readonly number[]): NDArray => {
  const size = shape.reduce((a, b) => a * b, 1);
  return np.array(
    Float32Array.from({ length: size }, (_, i) => ((i * 37) % 101) - 50),
    { shape: [...shape] },
  );
};

/** Computes on the Wasm device and on the one that evaluates plainly. */
function agrees(f: (x: NDArray) => NDArray, shape: readonly number[]): void {
  const x = numbers(shape);
  const [got, want] = [f(x), f(devicePut(x, "reference"))];
  expect(got.shape).toEqual(want.shape);
  expect(got.dataSync()).toEqual(want.dataSync());
}

const shapes2: readonly (readonly [number, number])[] = [
  [5, 7], [2, 2], [3, 1], [1, 9], [2, 33], [64, 3], [17, 130], [300, 4], [4, 300], [2, 2000], [70, 1100],
]; // prettier-ignore
const shapes3: readonly (readonly [number, number, number])[] = [
  [3, 4, 5], [2, 1, 6], [7, 2, 2], [5, 40, 9], [33, 3, 17], [2, 600, 3], [1, 1, 8], [12, 12, 12],
]; // prettier-ignore

test("sums and extremes over any axes of many shapes", () => {
  for (const shape of shapes2)
    for (const axis of [null, 0, 1]) {
      agrees((x) => np.sum(x, axis), shape);
      agrees((x) => np.max(x, axis), shape);
    }
  for (const shape of shapes3)
    for (const axis of [null, 0, 1, 2, [0, 1], [0, 2], [1, 2]]) {
      agrees((x) => np.sum(x, axis), shape);
      agrees((x) => np.min(x, { axis, keepdims: true }), shape);
    }
});

test("empty axes", () => {
  for (const shape of [[0], [0, 3], [3, 0], [2, 0, 4]]) {
    agrees((x) => np.sum(x), shape);
    agrees((x) => np.sum(x, 0), shape);
  }
});

test("broadcasts and transpositions of many shapes", () => {
  for (const [m, n] of shapes2) {
    agrees((x) => np.broadcastTo(x, [4, m, n]), [m, n]);
    agrees((x) => np.broadcastTo(x, [m, n]), [m, 1]);
    agrees((x) => np.broadcastTo(x, [m, n]), [n]);
    agrees((x) => x.T, [m, n]);
  }
  for (const [l, m, n] of shapes3) {
    for (const perm of [[0, 2, 1], [1, 0, 2], [2, 0, 1], [1, 2, 0], [2, 1, 0]]) agrees((x) => np.transpose(x, perm), [l, m, n]); // prettier-ignore
    agrees((x) => np.broadcastTo(x, [l, m, n]), [l, 1, n]);
  }
});

test("new shapes compile nothing", () => {
  const run = (n: number): void => {
    const x = numbers([n, n + 1]);
    np.sum(x, 0);
    np.sum(x, 1);
    np.sum(x);
    np.broadcastTo(x, [2, n, n + 1]);
    np.transpose(x);
  };
  run(3);
  run(4);
  run(5);
  const { modules } = memoryStats("wasm");
  for (let n = 6; n < 60; n++) run(n);
  expect(memoryStats("wasm").modules).toBe(modules);
});

test("axes that are treated alike count as one", () => {
  const aval = (...shape: number[]) => ({ shape, dtype: "float32" as const, weakType: false });
  expect(reduceExtents({ axes: [1, 2] }, aval(2, 3, 4, 5))).toMatchObject({ pattern: "010", sizes: [2, 12, 5] });
  expect(reduceExtents({ axes: [0] }, aval(1, 3))).toBeNull();
  expect(reduceExtents({ axes: [0] }, aval(0, 3))).toBeNull();
  expect(broadcastExtents({ shape: [6, 2, 3], dims: [1, 2] }, aval(2, 3))).toMatchObject({
    pattern: "01",
    sizes: [6, 6],
  });
  const swapped = transposeExtents({ perm: [2, 0, 1] }, aval(2, 3, 4))!;
  expect(swapped).toMatchObject({ pattern: "1,0", sizes: [6, 4] });
  expect(swapped.at([10, 20])).toEqual({ shape: [10, 20], params: { perm: [1, 0] } });
  expect(transposeExtents({ perm: [1, 0, 2] }, aval(5, 1, 3))!.pattern).toBe("0");
});
