import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  defaultDevice,
  grad,
  hessian,
  jacfwd,
  jacrev,
  jit,
  jvp,
  lax,
  makeJaxpr,
  type NDArray,
  numpy as np,
  setDefaultDevice,
  valueAndGrad,
  vjp,
  vmap,
} from "../../src/index.js";

const f32 = (x: number | number[] | number[][] | number[][][]): NDArray => np.array(x, { dtype: "float32" });
const counted = (...shape: number[]): NDArray =>
  np
    .arange(
      shape.reduce((a, b) => a * b, 1),
      { dtype: "float32" },
    )
    .reshape(shape);
/** Maps over an axis "i" of the first argument. */
const overI = <R>(f: (x: NDArray) => R) => vmap(f, { axisName: "i" });
const square = (x: NDArray): NDArray => x.mul(x);
const x4 = (): NDArray => f32([0, 1, 2, 3]);
const ring = [
  [0, 1],
  [1, 2],
  [2, 3],
  [3, 0],
] as const;

const home = defaultDevice();
afterAll(() => setDefaultDevice(home));

describe.each(["reference", "wasm"])("values on %s", (device) => {
  beforeAll(() => setDefaultDevice(device));

  /** Expects the values eagerly, under jit around the map and under jit inside of it. */
  const gives = (f: (x: NDArray) => NDArray, x: NDArray, expected: unknown): void => {
    expect(overI(f)(x).js()).toEqual(expected);
    expect(jit(overI(f))(x).js()).toEqual(expected);
    expect(overI(jit(f))(x).js()).toEqual(expected);
    expect(jit(overI(jit(f)))(x).js()).toEqual(expected);
  };

  it("reduces", () => {
    gives((x) => lax.psum(x, "i"), x4(), [6, 6, 6, 6]);
    gives((x) => lax.pmean(x, "i"), x4(), [1.5, 1.5, 1.5, 1.5]);
    gives((x) => lax.pmax(x, "i"), x4(), [3, 3, 3, 3]);
    gives((x) => lax.pmin(x, "i"), x4(), [0, 0, 0, 0]);
    gives((x) => x.div(lax.psum(x, "i")), f32([1, 2, 3, 4]), f32([0.1, 0.2, 0.3, 0.4]).js());
    gives((x) => lax.psum(x.greater(1), "i"), x4(), [2, 2, 2, 2]);
    gives((x) => lax.pmean(x.greater(1), "i"), x4(), [0.5, 0.5, 0.5, 0.5]);
    gives((x) => lax.pmax(x.greater(1), "i"), x4(), [true, true, true, true]);
  });

  it("keeps or makes dtypes as JAX does", () => {
    const ints = np.arange(4, { dtype: "int32" });
    expect(overI((x) => lax.psum(x, "i"))(ints).dtype).toBe("int32");
    expect(overI((x) => lax.psum(x.greater(1), "i"))(ints).dtype).toBe("int32");
    expect(overI((x) => lax.pmean(x, "i"))(ints).dtype).toBe("float32");
    expect(overI((x) => lax.pmax(x, "i"))(ints).dtype).toBe("int32");
    expect(overI(() => lax.axisIndex("i"))(ints).dtype).toBe("int32");
  });

  it("permutes; to whom nothing is sent gets zeros", () => {
    gives((x) => lax.ppermute(x, "i", ring), x4(), [3, 0, 1, 2]);
    gives((x) => lax.ppermute(x.add(1), "i", [[0, 1]]), x4(), [0, 1, 0, 0]);
    gives((x) => lax.ppermute(x, "i", [[-1, 0]]), x4(), [3, 0, 0, 0]);
    gives((x) => lax.pshuffle(x, "i", [1, 2, 3, 0]), x4(), [1, 2, 3, 0]);
    gives((x) => lax.pshuffle(x, "i", [3, 2, 0, 1]), x4(), [3, 2, 0, 1]);
    gives((x) => lax.ppermute(x, "i", []), x4(), [0, 0, 0, 0]);
  });

  it("gathers and scatters", () => {
    gives(
      (x) => lax.allGather(x, "i"),
      x4(),
      [0, 1, 2, 3].map(() => [0, 1, 2, 3]),
    );
    const x42 = counted(4, 2);
    gives(
      (x) => lax.allGather(x, "i", { axis: 1 }),
      x42,
      [0, 1, 2, 3].map(() => x42.T.js()),
    );
    gives(
      (x) => lax.allGather(x, "i", { axis: -1 }),
      x42,
      [0, 1, 2, 3].map(() => x42.T.js()),
    );
    gives(
      (x) => lax.allGather(x, "i", { tiled: true }),
      x42,
      [0, 1, 2, 3].map(() => [0, 1, 2, 3, 4, 5, 6, 7]),
    );
    gives((x) => lax.psumScatter(x, "i"), counted(4, 4), [24, 28, 32, 36]);
    gives((x) => lax.psumScatter(x, "i", { tiled: true }), counted(4, 8), [[48, 52], [56, 60], [64, 68], [72, 76]]); // prettier-ignore
    gives((x) => lax.psumScatter(x, "i", { scatterDimension: 1 }), counted(4, 2, 4), [[48, 64], [52, 68], [56, 72], [60, 76]]); // prettier-ignore
  });

  it("exchanges axes", () => {
    const turned = counted(4, 4).T.js();
    gives((x) => lax.allToAll(x, "i", 0, 0), counted(4, 4), turned);
    gives((x) => lax.allToAll(x, "i", 0, 0, { tiled: true }), counted(4, 4), turned);
    gives((x) => lax.allToAll(x, "i", 0, 1), counted(4, 4, 2), np.transpose(counted(4, 4, 2), [1, 2, 0]).js());
    gives((x) => lax.allToAll(x, "i", 1, 0), counted(4, 2, 4), np.transpose(counted(4, 2, 4), [2, 0, 1]).js());
    expect(overI((x) => lax.allToAll(x, "i", 1, 0, { tiled: true }))(counted(4, 2, 4)).js()).toEqual(
      [0, 1, 2, 3].map((k) => [k, 4 + k, 8 + k, 12 + k, 16 + k, 20 + k, 24 + k, 28 + k].map((v) => [v])),
    );
  });

  it("knows places and sizes, without operands too", () => {
    gives(() => lax.axisIndex("i"), x4(), [0, 1, 2, 3]);
    gives((x) => x.add(lax.axisSize("i")), x4(), [4, 5, 6, 7]);
    expect(vmap(() => lax.axisIndex("i"), { axisName: "i", axisSize: 3 })().js()).toEqual([0, 1, 2]);
  });

  it("counts what is the same for all examples once for each", () => {
    const c = f32([1, 2]);
    gives(
      () => lax.psum(c, "i"),
      x4(),
      [0, 1, 2, 3].map(() => [4, 8]),
    );
    gives(
      () => lax.pmean(c, "i"),
      x4(),
      [0, 1, 2, 3].map(() => [1, 2]),
    );
    gives(
      () => lax.pmax(c, "i"),
      x4(),
      [0, 1, 2, 3].map(() => [1, 2]),
    );
    gives(
      () => lax.ppermute(c, "i", ring),
      x4(),
      [0, 1, 2, 3].map(() => [1, 2]),
    );
    gives(() => lax.ppermute(c, "i", [[0, 1]]), x4(), [[0, 0], [1, 2], [0, 0], [0, 0]]); // prettier-ignore
    gives(
      () => lax.allGather(c, "i"),
      x4(),
      [0, 1, 2, 3].map(() => [0, 1, 2, 3].map(() => [1, 2])),
    );
    gives(
      () => lax.allGather(c, "i", { tiled: true }),
      x4(),
      [0, 1, 2, 3].map(() => [1, 2, 1, 2, 1, 2, 1, 2]),
    );
    gives(() => lax.psumScatter(f32([0, 1, 2, 3]), "i"), x4(), [0, 4, 8, 12]);
    gives(
      () => lax.allToAll(f32([0, 1, 2, 3]), "i", 0, 0),
      x4(),
      [0, 1, 2, 3].map((k) => [k, k, k, k]),
    );
    expect(vmap((x: NDArray) => lax.psum(x, "i"), { axisName: "i", outAxes: null })(x4()).js()).toBe(6);
  });

  it("has several names at once", () => {
    const both = <R>(f: (x: NDArray) => R) => vmap(vmap(f, { axisName: "j" }), { axisName: "i" });
    const x = counted(2, 3);
    expect(both((y) => lax.psum(y, ["i", "j"]))(x).js()).toEqual([[15, 15, 15], [15, 15, 15]]); // prettier-ignore
    expect(both((y) => lax.psum(y, "i"))(x).js()).toEqual([[3, 5, 7], [3, 5, 7]]); // prettier-ignore
    expect(both((y) => lax.psum(y, "j"))(x).js()).toEqual([[3, 3, 3], [12, 12, 12]]); // prettier-ignore
    expect(both(jit((y: NDArray) => lax.psum(y, ["j", "i"])))(x).js()).toEqual([[15, 15, 15], [15, 15, 15]]); // prettier-ignore
    expect(both(() => lax.axisIndex(["i", "j"]))(x).js()).toEqual([[0, 1, 2], [3, 4, 5]]); // prettier-ignore
    expect(both(() => lax.axisSize(["i", "j"]))(x).js()).toEqual([[6, 6, 6], [6, 6, 6]]); // prettier-ignore
    const all = both((y) => lax.allGather(y, ["i", "j"]))(x);
    expect(all.shape).toEqual([2, 3, 6]);
    expect(all.js()).toEqual([0, 1].map(() => [0, 1, 2].map(() => [0, 1, 2, 3, 4, 5])));
    const parts = both((y) => lax.psumScatter(lax.allGather(y, ["i", "j"]), ["i", "j"]))(x);
    expect(parts.js()).toEqual([[0, 6, 12], [18, 24, 30]]); // prettier-ignore
    // each example has row k of a 6 by 6 matrix: exchanged, it has column k
    const matrix = counted(6, 6);
    const columns = both((y) => lax.allToAll(y, ["i", "j"], 0, 0))(matrix.reshape([2, 3, 6]));
    expect(columns.reshape([6, 6]).js()).toEqual(matrix.T.js());
    // the inner one of two equal names hides the outer one
    const hidden = vmap(
      vmap((y: NDArray) => lax.psum(y, "i"), { axisName: "i" }),
      { axisName: "i" },
    );
    expect(hidden(x).js()).toEqual([[3, 3, 3], [12, 12, 12]]); // prettier-ignore
  });

  it("takes pytrees; sums of numbers are numbers", () => {
    const f = (x: NDArray) => lax.psum({ a: x, b: [square(x), 1] as const, none: null }, "i");
    const { a, b, none } = overI(f)(x4());
    expect([a.js(), b[0].js(), none]).toEqual([[6, 6, 6, 6], [14, 14, 14, 14], null]);
    expect(b[1].js()).toEqual([4, 4, 4, 4]);
    overI((x) => {
      expect([lax.psum(1, "i"), lax.psum(2.5, "i"), lax.psum(true, "i"), lax.pmean(3, "i")]).toEqual([4, 10, 4, 3]);
      expect([lax.axisSize("i"), lax.psum(x, []) === x]).toEqual([4, true]);
      return x;
    })(x4());
  });

  it("derives as JAX does", () => {
    const sum = (x: NDArray): NDArray => lax.psum(x, "i");
    gives(grad(sum), x4(), [4, 4, 4, 4]);
    gives(
      grad((x: NDArray) => square(sum(x))),
      x4(),
      [48, 48, 48, 48],
    );
    const weighed = vmap(
      grad((w: NDArray, x: NDArray) => w.mul(x)),
      { inAxes: [null, 0], axisName: "i" },
    );
    expect(weighed(1, x4()).js()).toEqual([0, 1, 2, 3]);
    const summed = vmap(
      grad((w: NDArray, x: NDArray) => sum(w.mul(x))),
      { inAxes: [null, 0], axisName: "i" },
    );
    expect(summed(1, x4()).js()).toEqual([0, 4, 8, 12]);
    gives(
      grad((x: NDArray) => square(lax.pmean(x, "i"))),
      x4(),
      [3, 3, 3, 3],
    );
    gives(grad(grad((x: NDArray) => sum(x).mul(square(sum(x))))), x4(), [576, 576, 576, 576]);
    gives(
      grad((x: NDArray) => np.sum(lax.allGather(x, "i").mul(x4()))),
      x4(),
      [0, 4, 8, 12],
    );
    gives(
      grad((x: NDArray) => lax.psumScatter(square(x), "i")),
      counted(4, 4),
      counted(4, 4).mul(2).js(),
    );
    gives(
      grad((x: NDArray) => lax.ppermute(square(x), "i", ring).mul(lax.axisIndex("i").astype("float32"))),
      x4(),
      [0, 4, 12, 0],
    );
    gives(
      grad((x: NDArray) => x.mul(lax.psum(f32(3), "i"))),
      x4(),
      [12, 12, 12, 12],
    );
    const normed = overI(grad((y: NDArray) => square(y.div(sum(y)))))(f32([1, 2, 3, 4])).js() as number[];
    [-0.04, -0.02, 0, 0.02].forEach((v, k) => expect(normed[k]).toBeCloseTo(v, 6));
  });

  it("derives outside of the map as the sum over all of what the map gives", () => {
    const outside = (f: (x: NDArray) => NDArray) => grad((x: NDArray) => np.sum(overI(f)(x)));
    const of = (f: (x: NDArray) => NDArray, x: NDArray, expected: unknown): void => {
      expect(outside(f)(x).js()).toEqual(expected);
      expect(jit(outside(f))(x).js()).toEqual(expected);
      expect(outside(jit(f))(x).js()).toEqual(expected);
    };
    of((x) => square(lax.psum(x, "i")), x4(), [48, 48, 48, 48]);
    of((x) => lax.psum(square(x), "i"), x4(), [0, 8, 16, 24]);
    of((x) => square(np.sum(lax.allGather(x, "i").mul(x4()))), x4(), [0, 112, 224, 336]);
    of((x) => lax.pmax(x, "i"), x4(), [0, 0, 0, 4]);
    const hess = hessian((x: NDArray) => np.sum(overI((y) => lax.psum(y, "i").mul(square(y)))(x)))(f32([1, 2]));
    // (x + y)(x² + y²): fxx = 6x + 2y, fxy = 2x + 2y, fyy = 2x + 6y
    expect(hess.js()).toEqual([[10, 6], [6, 14]]); // prettier-ignore
  });
});

describe("laws", () => {
  beforeAll(() => setDefaultDevice(home));
  const n = 4;
  const x = (): NDArray => np.sin(counted(n, 2, n).mul(1.7));
  const rows = (y: NDArray): NDArray[] => Array.from({ length: n }, (_, k) => y.at(k).get());
  const total = (ys: readonly NDArray[]): NDArray => ys.reduce((a, b) => a.add(b));

  /** Collectives, and what they give for a list of the examples' values. */
  const operations: readonly (readonly [string, (y: NDArray) => NDArray, (ys: NDArray[]) => NDArray[]])[] = [
    ["psum", (y) => lax.psum(y, "i"), (ys) => ys.map(() => total(ys))],
    ["pmean", (y) => lax.pmean(y, "i"), (ys) => ys.map(() => total(ys).div(n))],
    ["pmax", (y) => lax.pmax(y, "i"), (ys) => ys.map(() => np.max(np.stack(ys), 0))],
    ["pmin", (y) => lax.pmin(y, "i"), (ys) => ys.map(() => np.min(np.stack(ys), 0))],
    ["allGather", (y) => lax.allGather(y, "i", { axis: 1 }), (ys) => ys.map(() => np.stack(ys, 1))],
    [
      "allGather, tiled",
      (y) => lax.allGather(y, "i", { axis: 1, tiled: true }),
      (ys) => ys.map(() => np.concatenate(ys, 1)),
    ],
    ["ppermute", (y) => lax.ppermute(y, "i", ring), (ys) => ys.map((_, k) => ys[(k + n - 1) % n]!)],
    ["pshuffle", (y) => lax.pshuffle(y, "i", [2, 1, 0, 3]), (ys) => [2, 1, 0, 3].map((k) => ys[k]!)],
    [
      "psumScatter",
      (y) => lax.psumScatter(y, "i", { scatterDimension: 1 }),
      (ys) => ys.map((_, k) => np.take(total(ys), k, 1)),
    ],
    [
      "allToAll",
      (y) => lax.allToAll(y, "i", 1, 0),
      (ys) => ys.map((_, k) => np.stack(ys.map((y) => np.take(y, k, 1)))),
    ],
    [
      "allToAll, tiled",
      (y) => lax.allToAll(y, "i", 1, 0, { tiled: true }),
      (ys) => ys.map((_, k) => np.concatenate(ys.map((y) => np.take(y, np.array([k], { dtype: "int32" }), 1)))),
    ],
  ];

  const close = (a: NDArray, b: NDArray, tolerance = 1e-5): void => {
    expect(a.shape).toEqual(b.shape);
    expect(np.max(np.abs(a.sub(b))).item()).toBeLessThan(tolerance);
  };

  describe.each(operations)("%s", (name, op, loop) => {
    const mapped = (y: NDArray): NDArray => overI((e) => op(square(e)))(y);
    const looped = (y: NDArray): NDArray => np.stack(loop(rows(y).map(square)));

    it("is the loop over the examples", () => {
      close(mapped(x()), looped(x()));
      close(jit(mapped)(x()), looped(x()));
      close(overI(jit((e: NDArray) => op(square(e))))(x()), looped(x()));
    });

    it("has the loop's derivatives, forward and reverse, of both orders", () => {
      const t = np.cos(counted(n, 2, n));
      close(jvp(mapped, [x()], [t])[1], jvp(looped, [x()], [t])[1]);
      const loss = (f: (y: NDArray) => NDArray) => (y: NDArray) => {
        const z = f(y);
        return np.sum(square(z).mul(np.cos(counted(...z.shape))));
      };
      close(grad(loss(mapped))(x()), grad(loss(looped))(x()), 1e-4);
      const hvp = (f: (y: NDArray) => NDArray): NDArray => jvp(grad(loss(f)), [x()], [t])[1];
      close(hvp(mapped), hvp(looped), 1e-3);
    });

    it("is mapped over other axes, named or not, before or behind", () => {
      const many = np.stack([x(), np.cos(x()), x().add(1)], 3);
      const expected = vmap(looped, { inAxes: 3, outAxes: 1 })(many);
      close(vmap(mapped, { inAxes: 3, outAxes: 1 })(many), expected);
      for (const axisName of [null, "other"]) {
        for (const inAxes of [0, 1, 2]) {
          const inside = (examples: NDArray): NDArray =>
            vmap(
              vmap((e: NDArray) => op(square(e)), { inAxes, outAxes: 0, axisName }),
              { axisName: "i" },
            )(examples);
          close(inside(np.moveaxis(many, 3, inAxes + 1)), expected);
          close(jit(inside)(np.moveaxis(many, 3, inAxes + 1)), expected);
        }
      }
    });

    it.skipIf(name === "pmax" || name === "pmin")("is transposed inside of the map as it is outside", () => {
      // what each example pulls back is its part of the pull of them all
      const ct = np.cos(counted(...mapped(x()).shape));
      const inside = vmap((e: NDArray, c: NDArray) => vjp((y: NDArray) => op(square(y)), e)[1](c)[0], {
        axisName: "i",
      })(x(), ct);
      const [, pull] = vjp(looped, x());
      close(inside, pull(ct)[0]);
    });
  });

  it("permutations without order, and large ones", () => {
    const size = 200;
    const perm = Array.from({ length: size }, (_, k) => (k * 77 + 11) % size);
    const y = counted(size);
    const shuffled = (e: NDArray): NDArray => lax.pshuffle(square(e), "i", perm);
    for (const f of [overI(shuffled), jit(overI(shuffled)), overI(jit(shuffled))]) {
      expect(f(y).js()).toEqual(perm.map((k) => k * k));
    }
    const weights = counted(size);
    const expected = new Array<number>(size);
    perm.forEach((from, to) => (expected[from] = 2 * from * to));
    expect(grad((z: NDArray) => np.sum(overI(shuffled)(z).mul(weights)))(y).js()).toEqual(expected);
    const inside = grad((e: NDArray) => shuffled(e).mul(lax.axisIndex("i").astype("float32")));
    expect(overI(inside)(y).js()).toEqual(expected);
    const some = perm.slice(0, 150).map((from, to) => [from, to] as const);
    const partly = overI((e) => lax.ppermute(e, "i", some))(y).js();
    expect(partly).toEqual(perm.map((from, to) => (to < 150 ? from : 0)));
    expect(() => overI((e) => lax.ppermute(e, "i", [...some, [some[0]![0], 199]]))(y)).toThrow(/permutation/);
  });

  it("jacobians inside of the map", () => {
    const f = (y: NDArray): NDArray => square(lax.psum(y, "i")).mul(y);
    const y = f32([[1, 2], [3, 4]]); // prettier-ignore
    // each example's own part: in reverse the cotangents of all examples meet, forwards the tangents
    const [forward, reverse] = [overI(jacfwd(f))(y), overI(jacrev(f))(y)];
    expect(forward.js()).toEqual([[[32, 0], [0, 84]], [[64, 0], [0, 132]]]); // prettier-ignore
    expect(reverse.js()).toEqual([[[48, 0], [0, 108]], [[48, 0], [0, 108]]]); // prettier-ignore
  });
});

describe("functions that are traced once", () => {
  it("are traced again where a name or its size is another one", () => {
    const f = jit((x: NDArray) => x.mul(lax.psum(1, "i")));
    expect(overI(f)(f32([1, 2, 3])).js()).toEqual([3, 6, 9]);
    expect(overI(f)(f32([1, 2])).js()).toEqual([2, 4]);
    expect(overI(f)(f32([1, 2, 3])).js()).toEqual([3, 6, 9]);
    expect(f.traceCount).toBe(2);
    expect(() => f(1)).toThrow(/axis-unbound/);
    expect(() => vmap(f)(f32([1, 2]))).toThrow(/axis-unbound/);
  });

  it("resolve each name where it is mapped, though they be nested", () => {
    const inner = jit((x: NDArray) => lax.psum(x, "i").add(lax.psum(x, "j").mul(10)));
    const outer = jit((x: NDArray) => inner(x).add(lax.axisIndex("j").astype("float32").mul(100)));
    const x = counted(2, 3);
    const expected = [[33, 135, 237], [123, 225, 327]]; // prettier-ignore
    const nest = (f: (x: NDArray) => NDArray) => vmap(vmap(f, { axisName: "j" }), { axisName: "i" });
    expect(nest(outer)(x).js()).toEqual(expected);
    expect(jit(nest(outer))(x).js()).toEqual(expected);
    expect(vmap(jit(vmap(outer, { axisName: "j" })), { axisName: "i" })(x).js()).toEqual(expected);
    // the names the other way round: the same jaxpr, batched under another name first
    const swapped = vmap(vmap(outer, { axisName: "i" }), { axisName: "j" })(x);
    expect(swapped.js()).toEqual([[33, 53, 73], [142, 162, 182]]); // prettier-ignore
  });

  it("have derivatives of any order", () => {
    const f = jit((x: NDArray) => square(lax.psum(square(x), "i")));
    const g = jit(grad(f));
    // d/dx_k Σ_i (Σ x²)² = 4n Σx² x_k with n = 2
    expect(overI(g)(f32([1, 2])).js()).toEqual([40, 80]);
    expect(overI(jit(grad(jit(grad(f)))))(f32([1, 2])).js()).toEqual([88, 136]);
    expect(overI(grad(grad(f)))(f32([1, 2])).js()).toEqual([88, 136]);
    const [value, slope] = overI(valueAndGrad(f))(f32([1, 2]));
    expect([value.js(), slope.js()]).toEqual([
      [25, 25],
      [40, 80],
    ]);
  });

  it("print what is left to be mapped, and compile without it", () => {
    let inside = "";
    overI((x) => {
      inside = String(makeJaxpr((y: NDArray) => lax.psum(y, "i").add(lax.axisIndex("i").astype("float32")))(x));
      return x;
    })(f32([1, 2]));
    expect(inside).toContain("psum[axes=(i,)]");
    expect(inside).toContain("axis_index[axis_name=i axis_size=2]");
    const outside = String(makeJaxpr(overI(jit((x: NDArray) => lax.psum(x, "i"))))(f32([1, 2])));
    expect(outside).not.toContain("psum");
    expect(outside).toContain("reduce_sum");
  });
});

describe("errors", () => {
  const refuses = (f: (x: NDArray) => unknown, text: RegExp): void =>
    expect(() => overI(f as (x: NDArray) => NDArray)(counted(4, 3))).toThrow(text);

  it("names that nothing binds, with those that are bound", () => {
    expect(() => lax.psum(1, "i")).toThrow(
      /lax\.psum: no axis named "i"[^]*axis-unbound[^]*none[^]*vmap\(f, \{axisName/,
    );
    refuses((x) => lax.pmax(x, "k"), /lax\.pmax: no axis named "k"[^]*bound axes\s+"i" \(4\)/);
    expect(() =>
      vmap(
        vmap((x: NDArray) => lax.axisIndex("k").add(x), { axisName: "j" }),
        { axisName: "i" },
      )(counted(4, 3)),
    ).toThrow(/"j" \(3\), "i" \(4\)/);
    expect(() => jit((x: NDArray) => lax.psum(x, "i"))(1)).toThrow(/axis-unbound/);
    expect(() => vmap((x: NDArray) => lax.psum(x, "i"))(x4())).toThrow(/axis-unbound/);
    // the name is gone when the map has ended
    expect(overI((x) => lax.psum(x, "i"))(x4()).js()).toEqual([6, 6, 6, 6]);
    expect(() => lax.axisSize("i")).toThrow(/axis-unbound/);
  });

  it("a pullback that leaves its map", () => {
    let pull: ((ct: number) => readonly [NDArray]) | undefined;
    overI((x) => {
      pull = vjp((y: NDArray) => lax.psum(y, "i"), f32(1))[1] as (ct: number) => readonly [NDArray];
      return x;
    })(x4());
    expect(() => pull!(1)).toThrow(/psum: no axis named "i"[^]*axis-unbound/);
  });

  it("what is no name", () => {
    expect(() => vmap((x: NDArray) => x, { axisName: 3 as never })(x4())).toThrow(/number 3[^]*axis-name/);
    expect(() => vmap((x: NDArray) => x, { axisName: "" })(x4())).toThrow(/axis-name/);
    refuses((x) => lax.psum(x, 0 as never), /axis-name[^]*np\.sum/);
    refuses((x) => lax.psum(x, ["i", "i"]), /axis-duplicate/);
    refuses((x) => lax.ppermute(x, [], []), /one named axis, but 0 are given[^]*axis-name/);
    expect(vmap((x: NDArray) => x, 0, 0, "i", 4)(x4()).js()).toEqual([0, 1, 2, 3]);
    expect(vmap((x: NDArray) => x, { axisName: null })(x4()).js()).toEqual([0, 1, 2, 3]);
  });

  it("what JAX refuses under vmap", () => {
    refuses((x) => lax.psum(x, "i", { axisIndexGroups: [[0, 1], [2, 3]] as never }), /axis-index-groups/); // prettier-ignore
    expect(overI((x) => lax.psum(x, "i", { axisIndexGroups: null }))(x4()).js()).toEqual([6, 6, 6, 6]);
    refuses((x) => grad((y: NDArray) => np.sum(lax.pmax(y, "i")))(x), /pmax has no jvp rule[^]*allGather/);
    refuses((x) => grad((y: NDArray) => np.sum(lax.pmin(y, "i")))(x), /pmin has no jvp rule/);
  });

  it("shapes and permutations that do not fit", () => {
    refuses((x) => lax.psumScatter(x, "i"), /lax\.psumScatter: axis 0[^]*axis-length[^]*\[3\][^]*"i" \(4\)[^]*tiled/);
    refuses((x) => lax.psumScatter(x, "i", { tiled: true }), /a multiple of the size[^]*axis-length/);
    refuses((x) => lax.allToAll(x, "i", 0, 0), /lax\.allToAll: axis 0[^]*axis-length/);
    refuses((x) => lax.allToAll(x, "i", 1, 0), /axis-range/);
    refuses((x) => lax.allGather(x, "i", { axis: 2 }), /axis-range/);
    refuses((x) => lax.ppermute(x, "i", [[0, 1], [2, 1]]), /permutation[^]*operand\s+f32\[3\]/); // prettier-ignore
    refuses((x) => lax.ppermute(x, "i", [[0, 1], [0, 2]]), /0→1, 0→2/); // prettier-ignore
    refuses((x) => lax.ppermute(x, "i", [[0, 4]]), /of size 4/);
    refuses((x) => lax.ppermute(x, "i", 3 as never), /list of pairs/);
    refuses((x) => lax.pshuffle(x, "i", [0, 0, 1, 2]), /not a permutation/);
    refuses((x) => lax.psum({ a: x, b: "text" } as never, "i"), /leaf-not-array/);
    refuses((x) => lax.allGather(x, "i", { dim: 1 } as never), /option-unknown[^]*axis/);
  });
});
