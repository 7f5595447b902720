import { inspect } from "node:util";
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { traceDepth } from "../../src/core/trace.js";
import {
  config,
  defaultDevice,
  grad,
  jacfwd,
  jacrev,
  jit,
  jvp,
  memoryStats,
  type NDArray,
  nn,
  numpy as np,
  registerDataclass,
  registerPytreeNode,
  setDefaultDevice,
  TracerError,
  valueAndGrad,
  vmap,
} from "../../src/index.js";
import { f32, i32 } from "../arrays.js";

/** What other array libraries of JavaScript answer wrongly: every device answers it, directly and under jit. */

const f64 = (...xs: number[]): NDArray => np.array(xs, { dtype: "float64" });

const item = async (x: NDArray): Promise<number> => Number((await x.data())[0]);

type F = (...args: NDArray[]) => NDArray;

/** Elements of f(args), which must be the same directly and under jit. */
async function both(f: F, ...args: NDArray[]): Promise<number[]> {
  const direct = f(...args);
  const jitted = jit(f)(...args);
  expect(jitted.shape).toEqual(direct.shape);
  expect(jitted.dtype).toBe(direct.dtype);
  const elements = Array.from(await direct.data(), Number);
  expect(Array.from(await jitted.data(), Number)).toEqual(elements);
  return elements;
}

/** Distance in units of the last place of a float32. */
function ulps(x: number, exact: number): number {
  const e = Math.fround(exact);
  const unit = 2 ** (Math.max(Math.floor(Math.log2(Math.abs(e))), -126) - 23);
  return Math.abs(x - exact) / unit;
}

class Point {
  constructor(
    readonly x: NDArray,
    readonly y: NDArray,
  ) {}
  sum(): NDArray {
    return this.x.add(this.y);
  }
}
class Interval {
  low!: NDArray;
  high!: NDArray;
  name = "";
}
registerPytreeNode(
  Point,
  (p) => [[p.x, p.y], null],
  (_, [x, y]) => new Point(x as NDArray, y as NDArray),
);
registerDataclass(Interval, ["low", "high"], ["name"]);

/**
 * Holds a device to them. Of a GPU is not asked: values at once, float64, division to the last digit (WGSL grants 2.5 units), subnormal
 * numbers, and one code for all lengths.
 */
export function checkPeers(device: string, { isGpu = false } = {}): void {
  const home = defaultDevice();
  afterAll(() => setDefaultDevice(home));
  afterEach(() => expect(traceDepth()).toBe(0));
  describe(`on ${device}`, () => {
    beforeEach(() => setDefaultDevice(device));

    it("programs that differ in dtype only are two programs", async () => {
      const one = (dtype: "float32" | "int32") => jit(() => np.array(1, { dtype }).add(np.zeros([2], { dtype })))();
      expect(await one("float32").jsAsync()).toEqual([1, 1]);
      expect(await one("int32").jsAsync()).toEqual([1, 1]);
      expect(one("int32").dtype).toBe("int32");
      expect(await item(jit(() => np.array(1, { dtype: "float32" }))())).toBe(1);
      expect(await item(jit(() => np.array(1, { dtype: "int32" }))())).toBe(1);
      const echo = jit((x: NDArray) => x);
      expect([f32(1), i32(1), np.array([true])].map((x) => echo(x).dtype)).toEqual(["float32", "int32", "bool"]);
    });

    it("Jacobians of functions that are not square", async () => {
      const f = (x: NDArray): NDArray => np.stack([np.sum(x), np.prod(x)]);
      const expected = [
        [1, 1, 1],
        [6, 3, 2],
      ];
      for (const jacobian of [jacrev(f), jacfwd(f), jit(jacrev(f)), jit(jacfwd(f))]) {
        expect(await jacobian(f32(1, 2, 3)).jsAsync()).toEqual(expected);
      }
      const wide = (x: NDArray): NDArray => np.concatenate([x, x.mul(x)]);
      expect(await jacrev(wide)(f32(2, 3)).jsAsync()).toEqual([
        [1, 0],
        [0, 1],
        [4, 0],
        [0, 6],
      ]);
      expect(await jacfwd(wide)(f32(2, 3)).jsAsync()).toEqual(await jacrev(wide)(f32(2, 3)).jsAsync());
    });

    it("powers of zero", async () => {
      expect(await both(grad((x: NDArray) => np.power(x, 2)) as F, np.array(0))).toEqual([0]);
      expect(await item(np.power(0, 0))).toBe(1);
      expect(await both((x) => np.power(x, 0), f32(0, 2))).toEqual([1, 1]);
    });

    it("a product's gradient at zero, relu's at zero", async () => {
      expect(await both(grad((x: NDArray) => np.prod(x)) as F, f32(0, 2, 3))).toEqual([6, 0, 0]);
      expect(await both(grad((x: NDArray) => nn.relu(x)) as F, np.array(0))).toEqual([0]);
    });

    it("the remainder of integers under jvp", async () => {
      const f: F = (x) =>
        np
          .mod(i32(7, -7, 8), i32(3, 3, -3))
          .astype("float32")
          .mul(x);
      const [y, t] = jvp(f, [np.array(2)], [np.array(1)]);
      expect(await y.jsAsync()).toEqual([2, 4, -2]);
      expect(await t.jsAsync()).toEqual([1, 2, -1]);
      expect(await both((x) => jvp(f, [x], [np.array(1)])[0], np.array(2))).toEqual([2, 4, -2]);
      const integers = jit(
        (a: NDArray, b: NDArray) => jvp((x: NDArray) => np.mod(a, b).mul(x), [np.array(1)], [np.array(1)])[0],
      );
      expect(await integers(i32(7, -7), i32(3, 3)).jsAsync()).toEqual([1, 2]);
    });

    it("an integer array and a fraction", async () => {
      const y = i32(1, 2).add(0.5);
      expect(y.dtype).toBe("float32");
      expect(await both((x) => x.add(0.5), i32(1, 2))).toEqual([1.5, 2.5]);
    });

    it("indices below zero count from the end", async () => {
      expect(await both((x, i) => np.take(x, i), f32(1, 2, 3), i32(-1, -3))).toEqual([3, 1]);
      expect(await both((x, i) => x.slice(i), f32(1, 2, 3), i32(-1, -2))).toEqual([3, 2]);
    });

    it("indices out of bounds clamp or fill, also in what was never stored", async () => {
      const i = np.array(500000, { dtype: "int32" });
      expect(await both((k) => np.arange(10).slice(k), i)).toEqual([9]);
      expect(await both((k) => np.take(np.arange(10), k), i)).toEqual([-2147483648]);
      expect(await both((k) => np.take(np.arange(0, 10, 1, { dtype: "float32" }), k), i)).toEqual([NaN]);
      expect(await both((k) => np.take(np.arange(10), k, { mode: "clip" }), i)).toEqual([9]);
    });

    it("a condition on a traced value teaches", async () => {
      const warn = vi.fn();
      const settings = { warn: config.warn, unreadPredicate: config.unreadPredicate };
      const silent = (x: NDArray): NDArray => (x.greater(0) ? x : x.neg());
      try {
        config.update("warn", warn);
        jit(silent)(-3);
        expect(warn).toHaveBeenCalledOnce();
        expect(String(warn.mock.calls[0]![0])).toMatch(/never used[\s\S]*np\.where[\s\S]*\.item\(\)/);
        config.update("unreadPredicate", "error");
        expect(() => jit((x: NDArray) => silent(x))(-3)).toThrow(TracerError);
      } finally {
        config.update("warn", settings.warn);
        config.update("unreadPredicate", settings.unreadPredicate);
      }
      expect(() => jit((x: NDArray) => (x.greater(0).item<boolean>() ? x : x.neg()))(-3)).toThrow(TracerError);
      const slope = (): NDArray => grad((x: NDArray) => (x.greater(0).item<boolean>() ? x : x.neg()))(-3);
      if (isGpu) expect(slope).toThrow(/can only be awaited/);
      else expect(await item(slope())).toBe(-1);
    });

    it("a sum of a million tenths", async () => {
      const x = np.full([1_000_000], 0.1);
      expect(Math.abs((await item(np.sum(x))) - 100000) / 100000).toBeLessThan(1e-6);
      expect(Math.abs((await item(jit((y: NDArray) => np.sum(y))(x))) - 100000) / 100000).toBeLessThan(1e-6);
      expect(Math.abs((await item(np.mean(x))) - 0.1) / 0.1).toBeLessThan(1e-6);
    });

    it("argmax finds NaN", async () => {
      expect(await both((x) => np.argmax(x), f32(1, NaN, 3, NaN))).toEqual([1]);
      expect(await both((x) => np.argmin(x), f32(1, 3, NaN))).toEqual([2]);
      expect(
        await both(
          (x) => np.argmax(x, 1),
          np.array([
            [1, NaN],
            [NaN, 5],
            [1, 2],
          ]),
        ),
      ).toEqual([1, 0, 1]);
    });

    it("a sum of booleans counts", async () => {
      expect(await both((x) => np.sum(x), np.array([true, true, false]))).toEqual([2]);
      expect(np.sum(np.array([true, true])).dtype).toBe("int32");
    });

    it("minus zero", async () => {
      expect(await both((x) => x.neg(), f32(0, -0))).toEqual([-0, 0]);
      if (!isGpu) expect(await both((x) => x.neg(), f64(0, -0))).toEqual([-0, 0]);
      expect(await item(np.array(0).neg())).toBe(-0);
      expect(await both((x) => x.mul(-1), f32(0))).toEqual([-0]);
    });

    it.skipIf(isGpu)("division is correctly rounded", async () => {
      const xs = Float32Array.from({ length: 1000 }, (_, i) => i + 1);
      const thirds = Array.from(xs, (x) => Math.fround(x / 3));
      expect(await both((x) => x.div(3), np.array(xs))).toEqual(thirds);
      expect(await both((x, y) => x.div(y), np.array(xs), np.full([1000], 3))).toEqual(thirds);
    });

    it("elementary functions in float32", async () => {
      expect(await both((x) => np.tanh(x), f32(1e-7, -1e-7, 1e-30))).toEqual([1e-7, -1e-7, 1e-30].map(Math.fround));
      const [large] = (await both((x) => np.exp(x), f32(88.5))) as [number];
      expect(ulps(large, Math.exp(88.5))).toBeLessThanOrEqual(2.5);
      const [small] = (await both((x) => np.log(x), f32(1e-40))) as [number];
      if (!isGpu) expect(ulps(small, Math.log(Math.fround(1e-40)))).toBeLessThanOrEqual(2.5);
      const xs = Float32Array.from({ length: 2001 }, (_, i) => (i - 1000) * 0.08);
      const exps = await both((x) => np.exp(x), np.array(xs));
      expect(Math.max(...exps.map((y, i) => ulps(y, Math.exp(xs[i]!))))).toBeLessThanOrEqual(2.5);
      const angles = f32(1e6, -1e6, 123456.789, 3e7);
      const sines = await both((x) => np.sin(x), angles);
      const exact = await angles.data();
      sines.forEach((y, i) => expect(ulps(y, Math.sin(exact[i]!))).toBeLessThanOrEqual(2.5));
    });

    it.skipIf(isGpu)("elementary functions in float64", async () => {
      const xs = Float64Array.from({ length: 401 }, (_, i) => (i - 200) * 0.37);
      for (const [name, f] of [
        ["exp", np.exp],
        ["sin", np.sin],
        ["tanh", np.tanh],
      ] as const) {
        (await both((x) => f(x), np.array(xs))).forEach((y, i) => {
          const exact = Math[name](xs[i]!);
          expect(Math.abs(y - exact), `${name}(${xs[i]})`).toBeLessThanOrEqual(6e-16 * Math.abs(exact));
        });
      }
    });

    it("powers of integers, gradients through conversions and take", async () => {
      expect(await both((x) => np.power(x, 3), i32(2, -3))).toEqual([8, -27]);
      expect(np.power(i32(2), 3).dtype).toBe("int32");
      if (!isGpu)
        expect(await both(grad((x: NDArray) => np.sum(x.astype("float64").mul(2))) as F, f32(1, 2))).toEqual([2, 2]);
      expect(await both(grad((x: NDArray) => np.sum(np.take(x, i32(0, 0, 2)))) as F, f32(1, 2, 3))).toEqual([2, 0, 1]);
    });

    it("2000 gradients in a loop leave no trace behind", async () => {
      const df = grad((x: NDArray) => np.sin(x));
      for (let i = 0; i < 2000; i++) df(i);
      expect(traceDepth()).toBe(0);
      expect(await item(df(0))).toBe(1);
    });

    it("another scalar compiles nothing", async () => {
      const x = f32(1, 2, 3);
      const work = (k: number): void => {
        x.mul(k);
        x.add(k);
        np.logaddexp(x, k);
        np.where(x.greater(k), x, k);
        np.add(k, k);
      };
      work(0.1);
      const before = memoryStats(device);
      for (let i = 0; i < 10; i++) work(i * 1.25 + 0.3);
      const after = memoryStats(device);
      expect(after.modules).toBe(before.modules);
      expect(after.programs).toBe(before.programs);
    });

    it.skipIf(isGpu)("other lengths need no other module eagerly, other values no other trace under jit", async () => {
      const square = (n: number): number => np.sum(np.sin(np.ones([n])).mul(2)).size;
      square(100);
      const modules = memoryStats(device).modules;
      for (let n = 101; n < 110; n++) square(n);
      expect(memoryStats(device).modules).toBe(modules);
      const f = jit((x: NDArray, k: NDArray) => np.sin(x).mul(k));
      f(f32(1, 2), 0.5);
      const before = memoryStats(device);
      for (let i = 0; i < 10; i++) f(f32(i, 2), i + 0.25);
      expect(f.traceCount).toBe(1);
      expect(memoryStats(device).modules).toBe(before.modules);
    });

    it.skipIf(isGpu)("printing shows elements", async () => {
      expect(inspect(f32(1, 2.5))).toBe("Array([1. , 2.5])");
      expect(inspect(np.arange(3))).toBe("Array([0, 1, 2], dtype=int32)");
      expect(
        String(
          np.array([
            [1, 2],
            [3, 4],
          ]),
        ),
      ).toBe("Array([[1., 2.],\n       [3., 4.]])");
      expect(inspect({ w: np.ones([2]) })).toBe("{ w: Array([1., 1.]) }");
      expect(`${np.array(2.5)}`).toBe("2.5");
    });

    it("null and instances of registered classes in pytrees", async () => {
      const f = ({ p, none }: { p: Point; none: null }): NDArray => {
        expect(none).toBeNull();
        return p.sum().mul(p.x);
      };
      const at = { p: new Point(np.array(2), np.array(3)), none: null };
      for (const [value, d] of [valueAndGrad(f)(at), jit(valueAndGrad(f))(at)]) {
        expect(await item(value)).toBe(10);
        expect(d.p).toBeInstanceOf(Point);
        expect(d.none).toBeNull();
        expect([await item(d.p.x), await item(d.p.y)]).toEqual([7, 2]);
      }
      const rows = vmap((p: Point) => new Point(p.sum(), p.y.neg()))(new Point(f32(1, 2), f32(3, 4)));
      expect(await rows.x.jsAsync()).toEqual([4, 6]);
      expect(await rows.y.jsAsync()).toEqual([-3, -4]);
      const interval = Object.assign(new Interval(), { low: np.array(1), high: np.array(4), name: "i" });
      const length = jit((i: Interval) => Object.assign(new Interval(), i, { high: i.high.sub(i.low) }))(interval);
      expect(length).toBeInstanceOf(Interval);
      expect([length.name, await item(length.high)]).toEqual(["i", 3]);
    });
  });
}
