import { describe, expect, test } from "vitest";
import { lowerNest } from "../../../src/backends/webgpu/nest/lower.js";
import { grad, lax, type NDArray, nn, numpy as np, random } from "../../../src/index.js";
import { launchOf } from "../../gpu/run-code.js";
import { checkFunction, type CheckOptions, nestsOf } from "./nest-harness.js";

type F = (...args: NDArray[]) => unknown;
type Row = readonly [name: string, f: F, shapes: readonly (readonly number[])[], options?: CheckOptions];

const close = { tolerance: 2e-6 };
const layernorm = (v: NDArray): NDArray =>
  v.sub(np.mean(v, -1, { keepdims: true })).div(np.sqrt(np.var_(v, -1, { keepdims: true }).add(1e-5)));

const rows: readonly Row[] = [
  ["softmax", (x) => nn.softmax(x, -1), [[5, 33]], close],
  ["softmax along columns", (x) => nn.softmax(x, 0), [[33, 12]], close],
  ["softmax of a middle axis", (x) => nn.softmax(x, 1), [[3, 17, 4]], close],
  ["logsumexp", (x) => nn.logsumexp(x, -1), [[7, 65]], close],
  ["layernorm", layernorm, [[5, 64]], { tolerance: 1e-5 }],
  ["gradient of layernorm", (x) => grad((v) => np.sum(np.sin(layernorm(v))))(x), [[3, 31]], { tolerance: 2e-5 }],
  ["gradient of logsumexp", (x) => grad((v) => np.sum(nn.logsumexp(v, -1)))(x), [[9, 10]], close],
  ["argmax", (x) => np.argmax(x, -1), [[9, 31]]],
  ["argmin along columns", (x) => np.argmin(x, 0), [[65, 8]]],
  ["argmax of all", (x) => np.argmax(x), [[13, 33]]],
  [
    "sums along each axis",
    (x) => [np.sum(x, 0), np.sum(x, 1), np.sum(x, 2), np.sum(x)],
    [[3, 31, 8]],
    { tolerance: 1e-5 },
  ],
  ["sum of two axes", (x) => [np.sum(x, [0, 2]), np.max(x, [0, 1])], [[4, 9, 12]], { tolerance: 1e-5 }],
  [
    "product, all, any",
    (x) => [np.prod(x, 1), np.all(x.greater(-3), 1), np.any(x.greater(3), 0)],
    [[6, 10]],
    { tolerance: 1e-5 },
  ],
  ["mean and variance", (x) => [np.mean(x), np.var_(x), np.std(x, 0)], [[31, 33]], { tolerance: 1e-5 }],
  ["cumulative", (x) => [np.cumsum(x, 0), np.cumsum(x, 1), np.cumprod(x, 1)], [[5, 33]], { tolerance: 1e-4 }],
  ["cummax backwards", (x) => [lax.cummax(x, 1, { reverse: true }), lax.cummin(x, 0)], [[3, 65]]],
  ["broadcasting chain", (x, y, z) => x.add(y).mul(z).sub(y).div(np.exp(z).add(1)), [[7, 1, 12], [5, 1], [12]], close],
  ["transposed chain", (x, y) => np.tanh(x.T.add(y)).mul(x.T), [[33, 31], [33]], close],
  ["threefry", () => [random.normal(random.key(7), [33]), random.uniform(random.key(1), [4, 31])], [], close],
  ["integers at random", () => random.randint(random.key(3), [65], 0, 10), []],
  [
    "pad and concatenate",
    (x, y) => np.concatenate([np.pad(x, 2), np.flip(y, 0)], 1),
    [
      [5, 8],
      [9, 7],
    ],
  ],
  [
    "stack and slices",
    (x, y) => np.stack([x, y, x.add(y)]).slice([null, null, 2]),
    [
      [7, 9],
      [7, 9],
    ],
  ],
  ["triangles and choices", (x) => np.where(x.greater(0), np.tril(x), np.triu(x, 1)), [[9, 9]]],
  [
    "bools",
    (x) => [np.logicalAnd(x.greater(0), x.less(2)), np.logicalNot(np.isnan(x)), x.greater(0).astype("int32")],
    [[33]],
  ],
  ["pooling", (x) => np.max(x.reshape([3, 4, 2, 6, 2]), [2, 4]), [[3, 8, 12]]],
];

describe("nests of compiled functions agree with the interpreter", () => {
  for (const [name, f, shapes, options] of rows) test(name, async () => void (await checkFunction(f, shapes, options)));

  test("integers", async () => {
    const a = np.array([5, -7, 12, 2147483647, -2147483648, 0, 3, -1, 31], { dtype: "int32" });
    const b = np.array([2, 3, -5, -1, -1, 0, 0, 7, 33], { dtype: "int32" });
    await checkFunction(
      (x, y) => [
        np.floorDivide(x, y),
        np.remainder(x, y),
        np.bitwiseXor(x, y),
        np.leftShift(x, y),
        np.rightShift(x, y),
        np.power(x, np.abs(y)),
        x.astype("uint32").mul(3),
      ],
      [a, b],
    );
  });

  test("gathers", async () => {
    const ids = np.array(
      [
        [3, 0, 99, -1],
        [2, 2, -4, 1],
      ],
      { dtype: "int32" },
    );
    await checkFunction((table, i) => np.take(table, i, 0), [[5, 8], ids]);
    await checkFunction((table, i) => np.take(table, i, 0), [[5, 7], ids]);
    await checkFunction((table, i) => nn.oneHot(i, 6).add(np.sum(table)), [[5, 7], ids], { tolerance: 1e-5 });
    await checkFunction((table, i) => np.sum(np.take(table, i, 1), 0), [[9, 12], ids], { tolerance: 1e-5 });
  });
});

describe("kernels worth having", () => {
  const shape = [64, 96] as const;
  const worth: readonly Row[] = [
    ["softmax", (x) => nn.softmax(x, -1), [shape]],
    ["layernorm", layernorm, [shape]],
    ["logsumexp", (x) => nn.logsumexp(x, -1), [shape]],
    ["argmax", (x) => np.argmax(x, -1), [shape]],
    ["sine and cosine", (x) => [np.sin(x), np.cos(x)], [shape]],
    ["random normals", () => random.normal(random.key(0), [1000]), []],
  ];
  test.each(worth.map(([name, f, shapes]) => ({ name, f, shapes })))(
    "$name is one dispatch and reads each element once",
    ({ f, shapes }) => {
      const kernels = nestsOf(f, ...shapes);
      expect(kernels).toHaveLength(1);
      const kernel = kernels[0]!;
      const { dispatches } = lowerNest(kernel, launchOf(kernel));
      expect(dispatches).toHaveLength(1);
      const bytes = (access: "read" | "write"): number =>
        kernel.buffers.filter((b) => b.access === access).reduce((sum, b) => sum + 4 * b.length, 0);
      expect(dispatches[0]!.cost.storeBytes).toBe(bytes("write"));
      expect(dispatches[0]!.cost.loadBytes).toBe(bytes("read"));
    },
  );
});
