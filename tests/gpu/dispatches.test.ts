import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  defaultDevice,
  grad,
  jit,
  memoryStats,
  nn,
  numpy as np,
  random,
  setDefaultDevice,
  tree,
  valueAndGrad,
} from "../../src/index.js";
import type { NDArray } from "../../src/index.js";
import { webgpu } from "./webgpu.js";

/** What a warm call asks of the GPU: counted, where launches that do not depend on each other share dispatches. */

type F = (...args: NDArray[]) => unknown;

const noise = (seed: number, ...shape: number[]): NDArray => random.normal(random.key(seed), shape).mul(0.5);
const labels = (rows: number, classes: number): NDArray => nn.oneHot(np.arange(rows).mod(classes), classes);
const crossEntropy = (z: NDArray, y: NDArray): NDArray => np.mean(np.sum(y.mul(nn.logSoftmax(z, -1)), -1)).neg();
const dense = (x: NDArray, w: NDArray, b: NDArray): NDArray => np.matmul(x, w).add(b);

const regression: F = (w, b, x, y) => crossEntropy(dense(x!, w!, b!), y!);
const network: F = (w, b, v, c, x, y) => crossEntropy(dense(nn.relu(dense(x!, w!, b!)), v!, c!), y!);

/** A step of gradient descent on minibatches that are picked on the device. */
const step: F = (w, b, images, classes, picks, rate) => {
  const x = np.take(images!, picks!, 0, { mode: "clip" });
  const y = nn.oneHot(np.take(classes!, picks!, 0, { mode: "clip" }), 10);
  const [loss, [dw, db]] = valueAndGrad(regression as (...args: NDArray[]) => NDArray, [0, 1])(
    w!,
    b!,
    x,
    y,
  ) as unknown as [NDArray, [NDArray, NDArray]];
  return [loss, w!.sub(dw.mul(rate!)), b!.sub(db.mul(rate!))];
};

const regressionArgs = (): NDArray[] => [noise(0, 784, 10), noise(1, 10), noise(2, 128, 784), labels(128, 10)];
const networkArgs = (): NDArray[] => [
  noise(0, 784, 64),
  noise(1, 64),
  noise(2, 64, 10),
  noise(3, 10),
  noise(4, 128, 784),
  labels(128, 10),
];
const stepArgs = (): NDArray[] => [
  noise(0, 784, 10),
  noise(1, 10),
  noise(2, 500, 784),
  random.randint(random.key(3), [500], 0, 10),
  random.randint(random.key(4), [128], 0, 500),
  np.array(0.1),
];

describe.skipIf(!webgpu)("dispatches of a warm call", () => {
  const home = defaultDevice();
  beforeAll(() => setDefaultDevice("webgpu"));
  afterAll(() => setDefaultDevice(home));

  test.each<readonly [string, F, () => NDArray[], number]>([
    [
      "softmax-regression gradient",
      grad(regression as (...args: NDArray[]) => NDArray, [0, 1]) as F,
      regressionArgs,
      3,
    ],
    [
      "softmax-regression value and gradient",
      valueAndGrad(regression as (...args: NDArray[]) => NDArray, [0, 1]) as F,
      regressionArgs,
      3,
    ],
    ["a step on a minibatch", step, stepArgs, 4],
    [
      "two-layer network, value and gradient",
      valueAndGrad(network as (...args: NDArray[]) => NDArray, [0, 1, 2, 3]) as F,
      networkArgs,
      5,
    ],
    [
      "four sums of one array",
      (x) => [0, 1, 2, 3].map((k) => np.sum(np.power(x!, k), k % 2)),
      () => [noise(5, 33, 65)],
      4,
    ],
    [
      "what depends on what comes before",
      (x) => {
        const y = np.sort(np.sin(x!));
        return [np.cumsum(y), np.sum(x!), np.matmul(y.reshape([4, 8]), y.reshape([8, 4]))];
      },
      () => [noise(6, 32)],
      4,
    ],
  ])("%s", async (_, f, args, most) => {
    const here = args();
    const g = jit(f);
    const read = (results: unknown): Promise<ArrayLike<number>[]> =>
      Promise.all(tree.leaves(results).map((y) => (y as NDArray).data()));
    const got = await read(g(...here));
    const before = memoryStats("webgpu").counters;
    const again = await read(g(...here));
    const after = memoryStats("webgpu").counters;
    expect(again).toEqual(got);
    expect(after.dispatches - before.dispatches).toBeLessThanOrEqual(most);
    expect(after.submits - before.submits).toBe(1);
    expect(after.pipelines - before.pipelines).toBe(0);

    setDefaultDevice("wasm");
    try {
      const expected = await read(jit(f)(...args()));
      expected.forEach((e, i) => {
        const worst = Array.from(e).reduce((w, v, k) => Math.max(w, Math.abs(got[i]![k]! - v)), 0);
        expect(worst, `result ${i}`).toBeLessThanOrEqual(1e-4);
      });
    } finally {
      setDefaultDevice("webgpu");
    }
  });
});

describe.skipIf(!webgpu)("dispatches without jit", () => {
  const home = defaultDevice();
  beforeAll(() => setDefaultDevice("webgpu"));
  afterAll(() => setDefaultDevice(home));

  test.each<readonly [string, (x: NDArray) => NDArray, number]>([
    ["gelu", (x) => nn.gelu(x), 1],
    ["relu", (x) => nn.relu(x), 1],
    ["clip", (x) => np.clip(x, -0.5, 0.5), 1],
    [
      "a chain of 20, in one submit",
      (x) => Array.from({ length: 20 }).reduce<NDArray>((y) => y.mul(0.5).add(1), x),
      40,
    ],
  ])("%s", async (_, f, dispatches) => {
    for (const n of [40, 72]) {
      const x = noise(7, n);
      await f(x).data();
      const before = memoryStats("webgpu").counters;
      const y = f(x);
      const got = await y.data();
      const after = memoryStats("webgpu").counters;
      expect(after.dispatches - before.dispatches).toBe(dispatches);
      expect(after.submits - before.submits).toBe(1);
      const host = np.array(Array.from((await x.data()) as Float32Array), { device: "wasm" });
      const expected = f(host).dataSync();
      Array.from(got).forEach((v, i) => expect(v).toBeCloseTo(expected[i] as number, 5));
    }
  });
});
