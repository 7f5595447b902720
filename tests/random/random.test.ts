import { describe, expect, it } from "vitest";
import { grad, jit, type NDArray, numpy as np, random, vmap } from "../../src/index.js";
import { codeOf, expectClose } from "../numbers.js";

const key = random.key(42);
const grid = np.arange(6).reshape(3, 2);

describe("keys", () => {
  it("fold and split as threefry does", () => {
    expect(random.keyData(random.foldIn(key, 1)).js()).toEqual(random.keyData(random.split(key)[1]).js());
    expect(random.keyData(random.split(key, [2, 1])).js()).toEqual([
      [[1832780943, 270669613]],
      [[64467757, 2916123636]],
    ]);
    const keys = random.split(key, 5);
    expect(keys.shape).toEqual([5]);
    const [, second] = keys;
    expect(random.keyData(second).js()).toEqual(random.keyData(keys[1]).js());
    expect(random.keyData(keys.slice(4)).js()).toEqual(random.keyData(keys[4]).js());
  });
  it("map: each key draws for itself", () => {
    const keys = random.split(key, 3);
    const draws = vmap((k: NDArray) => random.normal(k, [2]))(keys);
    for (let i = 0; i < 3; i++) expectClose(draws.slice(i), random.normal(keys.slice(i), [2]));
  });
  it("are no numbers, and numbers no keys", () => {
    expect(codeOf(() => key.add(1))).toBe("key-arithmetic");
    expect(codeOf(() => random.normal(42 as never, [2]))).toBe("key-needed");
    expect(codeOf(() => random.normal(random.split(key), [2]))).toBe("key-single");
    expect(codeOf(() => random.key(0.5))).toBe("key-seed");
  });
});

describe("draws are JAX's", () => {
  it.each<readonly [string, () => NDArray, readonly number[]]>([
    ["pareto", () => random.pareto(key, 2, [3]), [1.3985119, 1.7672069, 1.6143138]],
    ["rayleigh", () => random.rayleigh(key, np.array([1, 2])), [1.1966511, 1.7571814]],
    ["lognormal", () => random.lognormal(key, { shape: [2] }), [0.9720922, 1.5954118]],
    ["wald", () => random.wald(key, 2, [3]), [2.2265885, 3.9277124, 0.38947535]],
    ["triangular", () => random.triangular(key, 0, 1, 3, [3]), [1.2485027, 1.6139203, 1.4826434]],
    ["maxwell", () => random.maxwell(key, [2]), [0.5535825, 0.29328507]],
    ["doubleSidedMaxwell", () => random.doubleSidedMaxwell(key, 1, 2, [3]), [-1.7620435, -0.35137796, 5.4440427]],
    ["weibullMin", () => random.weibullMin(key, 2, 3, [2]), [1.7507795, 2.0885549]],
    ["geometric", () => random.geometric(key, 0.2, [5]), [4, 2, 3, 3, 4]],
    ["truncatedNormal", () => random.truncatedNormal(key, -1, np.array([0, 1])), [-0.4524465, 0.31269985]],
    [
      "uniform of arrays of bounds",
      () => random.uniform(key, [2], { minval: np.array([-1, 5]), maxval: 6 }),
      [2.4209671, 5.6797972],
    ],
    [
      "randint over all int32",
      () => random.randint(key, [4], -2147483648, 2147483647),
      [977810628, 1236381714, -1367112521, -1019495231],
    ],
    ["randint of nothing", () => random.randint(key, [2], 5, 5), [5, 5]],
  ])("%s", (_, draw, expected) => {
    expectClose(draw(), expected, 3e-6);
    expectClose(jit(() => draw())(), expected, 3e-6);
  });
  it("bernoulli with an array of probabilities", () => {
    expect(random.bernoulli(key, np.array([0.1, 0.5, 0.9]), [2, 3]).js()).toEqual([
      [false, false, true],
      [false, true, true],
    ]);
  });
  it("choice with and without replacement, weights, and along an axis", () => {
    expect(random.choice(key, 4, [4], { replace: false, p: np.array([0.1, 0.2, 0.3, 0.4]) }).js()).toEqual([
      3, 2, 1, 0,
    ]);
    expect(random.choice(key, grid.reshape(2, 3), [2], { axis: 1 }).js()).toEqual([
      [0, 0],
      [3, 3],
    ]);
    expect(random.choice(key, 10, [4], false).js()).toEqual([7, 4, 2, 5]);
  });
  it("categorical without replacement, and along an axis", () => {
    expect(random.categorical(key, np.array([0, 1, 2]), { shape: [3], replace: false }).js()).toEqual([2, 1, 0]);
    expect(random.categorical(key, np.zeros([3, 2]), 0, [4, 2]).js()).toEqual([
      [1, 0],
      [1, 2],
      [0, 0],
      [1, 0],
    ]);
  });
  it("permutation moves rows, or every vector for itself", () => {
    expect(random.permutation(key, grid).js()).toEqual([
      [4, 5],
      [0, 1],
      [2, 3],
    ]);
    expect(random.permutation(key, grid, { independent: true, axis: 1 }).js()).toEqual([
      [0, 1],
      [2, 3],
      [4, 5],
    ]);
  });
});

describe("draws", () => {
  it("pass derivatives of their parameters on", () => {
    const f = (low: NDArray): NDArray => np.sum(random.uniform(key, [3], { minval: low }));
    const u = random.uniform(key, [3]);
    expectClose(grad(f)(0), 3 - u.sum().item(), 1e-6, 1e-6);
  });
  it("have their moments", () => {
    const n = 20000;
    const z = random.normal(key, [n]);
    expect(Math.abs(z.mean().item())).toBeLessThan(4 / Math.sqrt(n));
    expect(Math.abs(z.var_().item() - 1)).toBeLessThan(0.05);
    expect(Math.abs(random.exponential(key, [n]).mean().item() - 1)).toBeLessThan(0.04);
    expect(Math.abs(random.geometric(key, 0.25, [n]).mean().item() - 4)).toBeLessThan(0.12);
    expect(Math.abs(random.wald(key, 2, [n]).mean().item() - 2)).toBeLessThan(0.1);
  });
  it("refuse shapes and dtypes that do not fit", () => {
    expect(codeOf(() => random.bernoulli(key, np.array([0.1, 0.5]), [3]))).toBe("shape-broadcast");
    expect(codeOf(() => random.bernoulli(key, np.ones([2, 2]), [2]))).toBe("random-shape");
    expect(codeOf(() => random.normal(key, [2], "int32"))).toBe("random-dtype");
    expect(codeOf(() => random.geometric(key, 0.5, [2], "float32"))).toBe("random-dtype");
    expect(codeOf(() => random.choice(key, 3, [4], false))).toBe("draw-count");
    expect(codeOf(() => random.choice(key, 3, [2], { p: np.ones([2]) }))).toBe("choice-p");
    expect(codeOf(() => random.normal(key, [-1]))).toBe("shape-invalid");
    expect(codeOf(() => random.uniform(key, [2], { low: 1 } as never))).toBe("option-unknown");
  });
});
