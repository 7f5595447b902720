import { beforeAll, describe, expect, test } from "vitest";
import { InterpreterBackend } from "../../../src/backends/reference/interpreter.js";
import { defaultLimits, type LaunchContext } from "../../../src/backends/webgpu/dispatch.js";
import { scatterForm } from "../../../src/backends/webgpu/nest/sequential-form.js";
import { isOrderless } from "../../../src/backends/webgpu/nest/sequential-points.js";
import { lowerSequentialNest, type ScatterStrategy, strategyOf } from "../../../src/backends/webgpu/nest/sequential.js";
import { compile } from "../../../src/compiler/index.js";
import type { TypedArray } from "../../../src/core/dtype.js";
import { grad, lax, makeJaxpr, type NDArray, numpy as np, ops, random, vmap } from "../../../src/index.js";
import { add, addConst, axisIndex, scale, valueIndex } from "../../../src/kernel-ir/index-expr.js";
import { interpretKernel } from "../../../src/kernel-ir/interpret-kernel.js";
import type { NestKernel } from "../../../src/kernel-ir/kernel.js";
import { constant, load, op } from "../../../src/kernel-ir/scalar.js";
import { scatterAdd } from "../../../src/primitives/scatter.js";
import { launchOf, runCode, sharedDevice, storageOf } from "../../gpu/run-code.js";

let device: GPUDevice | null;
beforeAll(async () => void (device = await sharedDevice()));

type F = (...args: NDArray[]) => unknown;

/** The one sequential nest of a compiled function. */
function scatterOf(f: F, ...args: NDArray[]): NestKernel {
  const { jaxpr } = makeJaxpr(f)(...args);
  const { kernels } = compile(jaxpr, { name: "main", traits: new InterpreterBackend().traits });
  const nests = kernels.filter((k): k is NestKernel => k.kind === "nest" && k.sequential);
  expect(nests).toHaveLength(1);
  return nests[0]!;
}

let seed = 1;
const next = (): number => (seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0) / 2 ** 32;

/** Contents for every buffer: indices around [0, bound), some outside; floats that are whole where sums shall be exact. */
function contents(kernel: NestKernel, bound: number, floats: (k: number) => number): TypedArray[] {
  return kernel.buffers.map((b) => {
    const data = storageOf(b);
    for (let i = 0; i < data.length; i++) {
      data[i] =
        b.type === "f32"
          ? floats(i)
          : b.type === "bool"
            ? Math.round(next())
            : b.access === "read"
              ? Math.floor(next() * (bound + 2)) - (b.type === "i32" ? 1 : 0)
              : Math.floor(next() * 100);
    }
    return data;
  });
}
const anyFloat = (): number => next() * 4 - 2;
const awkward = [NaN, 0, -0, 1, -1, Infinity, -Infinity, 2.5, -2.5];
const awkwardFloat = (): number => awkward[Math.floor(next() * awkward.length)]!;
const wholeFloat = (): number => Math.floor(next() * 16) - 8;

async function check(
  kernel: NestKernel,
  buffers: readonly TypedArray[],
  strategy?: ScatterStrategy,
  launch: LaunchContext = launchOf(kernel),
): Promise<void> {
  const got = await runCode(device!, lowerSequentialNest(kernel, launch, strategy), buffers, launch.sameAs);
  const expected = buffers.map((b) => b.slice());
  interpretKernel(kernel, expected);
  got.forEach((b, k) => expect(Array.from(b), `buffer ${k}`).toEqual(Array.from(expected[k]!)));
}

const ids = (n: number): NDArray => np.zeros([n], "int32");
const table = np.ones([10, 4]);
const addWindows = (x: NDArray, i: NDArray, v: NDArray): NDArray =>
  scatterAdd(
    x,
    i.reshape([i.shape[0]!, 1]),
    v,
    { updateWindowDims: [1], insertedWindowDims: [], scatterDimsToOperandDims: [0] },
    { mode: "clip" },
  );
const strategyFor = (kernel: NestKernel): ScatterStrategy => {
  const launch = launchOf(kernel);
  return strategyOf(scatterForm(kernel, launch)!, launch);
};

describe("what updates of a scatter need no order between them", () => {
  test.each<[string, F, NDArray[], number[], number[]]>([
    ["rows of a table", (x, i) => x!.at(i!).add(1), [table, ids(7)], [1], [1]],
    ["a slice", (x) => x!.at([2, 5]).mul(3), [table], [0, 1], [0, 1]],
    ["one row", (x) => x!.at(3).mul(2), [table], [1], [1]],
    [
      "an element of each of a batch",
      (x, i) => vmap((r: NDArray, j: NDArray) => r.at(j).set(1))(x!, i!),
      [table, ids(10)],
      [0],
      [],
    ],
    ["scalars of a vector", (x, i) => x!.at(i!).add(1), [np.ones([9]), ids(7)], [], []],
    [
      "a window",
      (x, i) => lax.dynamicUpdateSlice(x!, np.ones([2, 4]), [i!, 0]),
      [table, np.array(1, "int32")],
      [0, 1],
      [0, 1],
    ],
  ])("%s", (_, f, args, apart, columns) => {
    const kernel = scatterOf(f, ...args);
    const form = scatterForm(kernel, launchOf(kernel))!;
    expect([form.apart, form.columns]).toEqual([apart, columns]);
  });

  test("a coordinate follows from an index only if what is below its stride stays there", () => {
    const isApart = (reach: number): boolean => {
      const value = valueIndex(load("i32", 0, axisIndex(1, 3)), 0, reach);
      const kernel: NestKernel = {
        kind: "nest",
        name: "scatter",
        buffers: [
          { type: "i32", access: "read", length: 3 },
          { type: "f32", access: "readwrite", length: 20 },
        ],
        parallel: [4, 3],
        reduced: [],
        sequential: true,
        slots: [],
        keeps: [],
        phases: [
          {
            body: [
              {
                kind: "update",
                buffer: 1,
                index: add(scale(axisIndex(0, 4), 4), value),
                value: constant("f32", 1),
                combine: "add",
                when: null,
              },
            ],
            after: [],
          },
        ],
      };
      return scatterForm(kernel, launchOf(kernel))!.apart.includes(0);
    };
    expect([2, 3, 4, 5].map(isApart)).toEqual([true, true, false, false]);
  });

  test("what is always in bounds is not asked", () => {
    const kernel = scatterOf((x) => x!.at([2, 5]).mul(3), table);
    expect(scatterForm(kernel, launchOf(kernel))!.when).toBeNull();
  });
});

describe.runIf((await sharedDevice()) !== null)("scatters on a device", () => {
  const cases: [string, F, NDArray[], number][] = [
    ["rows of a table, added", (x, i, v) => x!.at(i!).add(v!), [table, ids(7), np.ones([7, 4])], 10],
    ["rows of a table, multiplied", (x, i, v) => x!.at(i!).mul(v!), [table, ids(7), np.ones([7, 4])], 10],
    ["rows of a table, set", (x, i, v) => x!.at(i!).set(v!), [table, ids(7), np.ones([7, 4])], 10],
    ["rows of a table, least", (x, i, v) => x!.at(i!).min(v!), [table, ids(7), np.ones([7, 4])], 10],
    ["rows of a table, greatest", (x, i, v) => x!.at(i!).max(v!), [table, ids(7), np.ones([7, 4])], 10],
    ["scalars, added", (x, i, v) => x!.at(i!).add(v!), [np.ones([5]), ids(67), np.ones([67])], 5],
    ["scalars, set", (x, i, v) => x!.at(i!).set(v!), [np.ones([5]), ids(67), np.ones([67])], 5],
    ["columns of a matrix", (x, i, v) => x!.at([], i!).add(v!), [np.ones([3, 6]), ids(9), np.ones([3, 9])], 6],
    [
      "elements by two indices",
      (x, i, j, v) => x!.at(i!, j!).add(v!),
      [np.ones([3, 4]), ids(21), ids(21), np.ones([21])],
      4,
    ],
    [
      "a batch of vectors",
      (x, i, v) => vmap((r: NDArray, j: NDArray, u: NDArray) => r.at(j).add(u))(x!, i!, v!),
      [np.ones([3, 6]), np.zeros([3, 5], "int32"), np.ones([3, 5])],
      6,
    ],
    [
      "a batch of vectors, set",
      (x, i, v) => vmap((r: NDArray, j: NDArray, u: NDArray) => r.at(j).set(u))(x!, i!, v!),
      [np.ones([3, 6]), np.zeros([3, 5], "int32"), np.ones([3, 5])],
      6,
    ],
    [
      "the gradient of an embedding",
      (w, i, v) => grad((u: NDArray) => np.sum(np.take(u, i!, 0).mul(v!)))(w!),
      [table, ids(33), np.ones([33, 4])],
      10,
    ],
    [
      "the gradient of chosen elements",
      (x, i) => grad((u: NDArray) => np.sum(np.sin(np.takeAlongAxis(u, i!.reshape([5, 1]), 1))))(x!),
      [np.ones([5, 8]), ids(5)],
      8,
    ],
    ["sums of segments", (v, i) => ops.segmentSum(v!, i!, 4), [np.ones([9, 3]), ids(9)], 4],
    ["a slice", (x, v) => x!.at([2, 5]).mul(v!), [table, np.ones([3, 4])], 0],
    ["one row, always the same", (x, v) => x!.at(3).add(v!), [table, np.ones([4])], 0],
    ["out of bounds, always", (x, v) => x!.at(np.array([30, -11], "int32")).add(v!), [table, np.ones([4])], 0],
    [
      "a window",
      (x, i, v) => lax.dynamicUpdateSlice(x!, v!, [i!, 1]),
      [table, np.array(1, "int32"), np.ones([2, 3])],
      9,
    ],
    ["windows that overlap", (x, i, v) => addWindows(x!, i!, v!), [np.ones([12]), ids(6), np.ones([6, 3])], 12],
    [
      "keys",
      (k, i, v) => k!.at(i!).set(v!),
      [random.split(random.key(0), 5), ids(7), random.split(random.key(1), 7)],
      5,
    ],
  ];
  const strategies: ScatterStrategy[] = ["apart", "pairs", "last", "sorted", "atomic", "in order"];
  test.each(cases)("%s", async (_, f, args, bound) => {
    const kernel = scatterOf(f, ...args);
    for (const floats of [anyFloat, awkwardFloat]) {
      const buffers = contents(kernel, bound, floats);
      await check(kernel, buffers);
    }
    const form = scatterForm(kernel, launchOf(kernel))!;
    for (const s of strategies) {
      if (s === "last" ? form.combine !== null : s === "atomic" && !isOrderless(form)) continue;
      const strange = s === "atomic" || s === "last" || s === "in order";
      await check(kernel, contents(kernel, bound, strange ? awkwardFloat : anyFloat), s);
    }
  });

  const many = 700;
  // Sorts in tiles that are merged; and little workgroup memory, which the software driver is slow to compile.
  const small = (kernel: NestKernel): LaunchContext => ({
    ...launchOf(kernel),
    limits: { ...defaultLimits, maxComputeWorkgroupStorageSize: 1024 },
  });
  test.each<[string, F, NDArray[], number, ScatterStrategy]>([
    ["sums", (x, i, v) => x!.at(i!).add(v!), [np.ones([90]), ids(many), np.ones([many])], 90, "sorted"],
    ["sums of rows", (x, i, v) => x!.at(i!).add(v!), [np.ones([40, 3]), ids(many), np.ones([many, 3])], 40, "sorted"],
    ["long runs", (x, i, v) => x!.at(i!).add(v!), [np.ones([3, 2]), ids(3000), np.ones([3000, 2])], 3, "sorted"],
    ["one run", (x, i, v) => x!.at(i!).add(v!), [np.ones([1]), ids(3000), np.ones([3000])], 0, "sorted"],
    ["the last of many", (x, i, v) => x!.at(i!).set(v!), [np.ones([90, 2]), ids(many), np.ones([many, 2])], 90, "last"],
    [
      "the last of many, far apart",
      (x, i, v) => x!.at(i!).set(v!),
      [np.ones([12000]), ids(many), np.ones([many])],
      500,
      "sorted",
    ],
    [
      "in a batch",
      (x, i, v) => vmap((r: NDArray, j: NDArray, u: NDArray) => r.at(j).add(u))(x!, i!, v!),
      [np.ones([3, 6]), np.zeros([3, 200], "int32"), np.ones([3, 200])],
      6,
      "sorted",
    ],
    [
      "few updates of long rows",
      (x, i, v) => x!.at(i!).add(v!),
      [np.ones([3, 4100]), ids(9), np.ones([9, 4100])],
      3,
      "apart",
    ],
  ])("%s: %#", async (_, f, args, bound, strategy) => {
    const kernel = scatterOf(f, ...args);
    expect(strategyFor(kernel)).toBe(strategy);
    await check(kernel, contents(kernel, bound, wholeFloat), strategy, small(kernel));
  });
  test("runs of at most a piece are summed one after another", async () => {
    const kernel = scatterOf((x, i, v) => x!.at(i!).add(v!), np.ones([40]), ids(many), np.ones([many]));
    await check(kernel, contents(kernel, 40, anyFloat), "sorted", small(kernel));
  });

  test.each<[string, F, NDArray[], number]>([
    ["counts", (i) => np.bincount(i!, { length: 10 }), [ids(99)], 10],
    ["int32 add", (x, i, v) => x!.at(i!).add(v!), [ids(5), ids(30), ids(30)], 5],
    ["int32 mul", (x, i, v) => x!.at(i!).mul(v!), [ids(5), ids(30), ids(30)], 5],
    ["int32 min", (x, i, v) => x!.at(i!).min(v!), [ids(5), ids(30), ids(30)], 5],
    ["uint32 max", (x, i, v) => x!.at(i!).max(v!), [np.zeros([5], "uint32"), ids(30), np.zeros([30], "uint32")], 5],
    ["bool set", (x, i, v) => x!.at(i!).set(v!), [np.zeros([5], "bool"), ids(30), np.zeros([30], "bool")], 5],
    ["unsigned indices", (x, i, v) => x!.at(i!).add(v!), [ids(5), np.zeros([30], "uint32"), ids(30)], 5],
  ])("%s", async (_, f, args, bound) => {
    const kernel = scatterOf(f, ...args);
    if (kernel.buffers.at(-1)!.type !== "bool") expect(strategyFor(kernel)).toBe("atomic");
    await check(kernel, contents(kernel, bound, anyFloat));
  });

  test.each(["and", "or", "xor"] as const)("bool %s", async (combine) => {
    const set = scatterOf((x, i, v) => x!.at(i!).set(v!), np.zeros([5], "bool"), ids(30), np.zeros([30], "bool"));
    const body = set.phases[0]!.body.map((s) => ({ ...s, combine }));
    const kernel: NestKernel = { ...set, phases: [{ body, after: [] }] };
    expect(strategyFor(kernel)).toBe("atomic");
    await check(kernel, contents(kernel, 5, anyFloat));
  });

  test("updates that read what is updated run in order", async () => {
    const kernel = scatterOf((x, i, v) => x!.at(i!).add(v!), np.ones([9]), ids(9), np.ones([9]));
    // the updates and the result in one storage
    const sameAs = kernel.buffers.map((_, k) => k);
    const values = kernel.buffers.findIndex((b) => b.type === "f32");
    sameAs[kernel.buffers.length - 1] = values;
    const launch = { limits: defaultLimits, sameAs };
    expect(scatterForm(kernel, launch)).toBeUndefined();
    const buffers = contents(kernel, 9, wholeFloat);
    buffers[buffers.length - 1] = buffers[values]!;
    const got = await runCode(device!, lowerSequentialNest(kernel, launch), buffers, sameAs);
    const [i, x] = [buffers[1 - values]!, buffers[values]!.slice()];
    for (let k = 0; k < 9; k++) if (i[k]! >= 0 && i[k]! < 9) x[i[k]!]! += x[k]!;
    expect(Array.from(got[values]!)).toEqual(Array.from(x));
  });

  test("nests that are no scatters run in order: accumulators, row buffers, several statements", async () => {
    const [row, column] = [axisIndex(0, 3), axisIndex(1, 4)];
    const at = addConst(scale(row, 4), 0);
    const element = { ...axisIndex(1, 4) };
    const x = load(
      "f32",
      0,
      valueIndex(
        op("add", [
          { kind: "index", type: "i32", index: at },
          { kind: "index", type: "i32", index: element },
        ]),
        0,
        11,
      ),
    );
    const kernel: NestKernel = {
      kind: "nest",
      name: "in order",
      buffers: [
        { type: "f32", access: "read", length: 12 },
        { type: "f32", access: "readwrite", length: 4 },
        { type: "i32", access: "write", length: 3 },
      ],
      parallel: [3],
      reduced: [4],
      sequential: true,
      slots: [
        { type: "f32", initial: 0, combine: "add", running: true },
        { type: "i32", initial: 0, combine: "max", running: false },
      ],
      keeps: ["f32"],
      phases: [
        {
          body: [
            { kind: "accumulate", slot: 0, value: x },
            {
              kind: "keep",
              keep: 0,
              value: op("mul", [{ kind: "slot", type: "f32", slot: 0 }, load("f32", 1, column)]),
            },
            {
              kind: "update",
              buffer: 1,
              index: column,
              value: x,
              combine: "add",
              when: op("lt", [x, constant("f32", 3)]),
            },
          ],
          after: [],
        },
        {
          body: [
            {
              kind: "update",
              buffer: 1,
              index: column,
              value: { kind: "keep", type: "f32", keep: 0 },
              combine: "max",
              when: null,
            },
            { kind: "accumulate", slot: 1, value: op("convert", [load("f32", 1, column)], "i32") },
          ],
          after: [{ kind: "store", buffer: 2, index: row, value: { kind: "slot", type: "i32", slot: 1 } }],
        },
      ],
    };
    await check(kernel, contents(kernel, 0, wholeFloat));
  });
});
