import { describe, expect, test } from "vitest";
import type { NDArray } from "../../src/core/array.js";
import { checkGrads, grad, jit, lax, numpy as np, setDefaultDevice, vmap } from "../../src/index.js";

/** Rows with NaNs, infinities, zeros of both signs and ties. */
const special = (i: number): number =>
  i % 19 === 7 ? Infinity : i % 13 === 5 ? -0 : i % 17 === 3 ? NaN : ((i * 37) % 41) - 20;
const data = Array.from({ length: 120 }, (_, i) => special(i));
const x = (): NDArray => np.array(data, { shape: [2, 60], dtype: "float32" });
const finite = (): NDArray => np.nanToNum(x(), { nan: 1, posinf: 2 });

/** Words, so that the sign of a zero counts. */
const bits = (y: NDArray): readonly number[] => [...new Uint32Array((y.dataSync() as Float32Array).slice().buffer)];

describe("topK", () => {
  test("agrees with JAX about NaN, ties and infinities", () => {
    const expected = [
      [3, 20, 37, 54, 7, 26, 45, 21, 11],
      [11, 28, 45, 4, 23, 42, 12, 53, 2],
    ];
    expect(lax.topK(x(), 9)[1].js()).toEqual(expected);
    expect(jit((y: NDArray) => lax.topK(y, 9))(x())[1].js()).toEqual(expected);
    expect(vmap((y: NDArray) => lax.topK(y, 9)[1])(x()).js()).toEqual(expected);
    expect(np.argsort(x().slice(0, [0, 20]), { descending: true }).js()).toEqual([
      3, 7, 11, 1, 12, 2, 13, 14, 4, 15, 5, 18, 16, 6, 17, 8, 19, 9, 10, 0,
    ]);
  });

  test("gives the bits of a sort of whole rows, along any axis", () => {
    for (const axis of [0, 1]) {
      const y = axis === 1 ? x() : x().transpose();
      const n = y.shape[axis]!;
      const order = np.argsort(y, { axis, descending: true });
      for (const k of [0, 1, 3, 10, 20, 59, 60]) {
        const [values, indices] = lax.topK(y, k, { axis });
        const first = np.take(order, np.arange(k), axis);
        expect(k <= n && indices.js()).toEqual(first.js());
        expect(bits(values)).toEqual(bits(np.takeAlongAxis(y, first, axis)));
      }
    }
  });

  test("devices agree", () => {
    const results = (["wasm", "reference"] as const).map((device) => {
      setDefaultDevice(device);
      try {
        return lax.topK(x(), 7).map((y) => y.js());
      } finally {
        setDefaultDevice("wasm");
      }
    });
    expect(results[0]).toEqual(results[1]);
  });

  test("derivatives go where the elements were, as JAX's do", () => {
    const f = (y: NDArray): NDArray => np.sum(lax.topK(y, 3)[0].mul(np.array([1, 10, 100])));
    const nonzero = (y: NDArray): unknown =>
      (y.js() as number[][]).flatMap((row, i) => row.flatMap((v, j) => (v === 0 ? [] : [[i, j, v]])));
    const expected = [
      [0, 11, 10],
      [0, 21, 1],
      [0, 52, 100],
      [1, 2, 100],
      [1, 12, 1],
      [1, 53, 10],
    ];
    expect(nonzero(grad(f)(finite()))).toEqual(expected);
    expect(nonzero(jit(grad(f))(finite()))).toEqual(expected);
    expect(nonzero(vmap(grad(f))(finite()))).toEqual(expected);
    checkGrads((y: NDArray) => lax.topK(y, 2)[0], [np.array([3, -1, 4, 1.5, -5, 9])], { order: 2 });
  });
});
