import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { TypedArray } from "../../../src/core/dtype.js";
import * as ix from "../../../src/kernel-ir/index-expr.js";
import { constant, load, op, slotRef } from "../../../src/kernel-ir/scalar.js";
import { testGpuDevice } from "../../gpu/adapter.js";
import { countAccesses, findRaces } from "../../gpu/instrument.js";
import { runCode, sharedDevice } from "../../gpu/run-code.js";
import { type Arrangement, type DotCase, makeDot, noise, referenceDot } from "../wasm/dot-harness.js";
import {
  check,
  type CheckOptions,
  type Choose,
  type Epilogue,
  prepare,
  sweep,
  tiled,
  tree,
  withEpilogue,
} from "./dot-harness.js";

let device: GPUDevice;
beforeAll(async () => {
  const made = await sharedDevice();
  if (made) device = made;
});
afterAll(() => device?.destroy());

const T = { order: "bcr" };

/** A test that needs a device. */
function gpu(name: string, body: () => Promise<void>): void {
  test(name, async ({ skip }) => {
    if ((await sharedDevice()) === null) return skip("no WebGPU adapter on this machine");
    await body();
  });
}

const run = (c: DotCase, choose?: Choose, more?: CheckOptions): Promise<void> =>
  check(device, makeDot(c), { ...more, ...(choose && { choose }) });

const layouts: Readonly<Record<string, Pick<DotCase, "lhs" | "rhs">>> = {
  nn: {},
  nt: { rhs: T },
  tn: { lhs: T },
  tt: { lhs: T, rhs: T },
};

describe("layouts", () => {
  for (const [name, layout] of Object.entries(layouts)) {
    gpu(`${name} with edges`, () => run({ m: 33, n: 35, k: 31, ...layout }, tiled("16x16x16 4x4")));
    gpu(`${name} in fours`, () => run({ m: 36, n: 20, k: 24, ...layout }, tiled("16x16x16 4x4")));
  }
  gpu("batches, each of its own", () => run({ batch: [2, 3], m: 17, n: 9, k: 5 }, tiled("16x16x16 4x4")));
  gpu("batches between rows and columns", () =>
    run({ batch: [3], m: 17, n: 12, k: 8, lhs: { order: "rbc" }, rhs: { order: "rcb" } }, tiled("16x16x16 4x4")),
  );
  gpu("batches along which an operand stays", () =>
    run(
      {
        batch: [2, 3],
        m: 9,
        n: 8,
        k: 8,
        lhs: { order: "brc", broadcast: [true, false] },
        rhs: { order: "brc", broadcast: [false, true] },
      },
      tiled("16x16x16 4x4"),
    ),
  );
  gpu("batches that become rows", () =>
    run({ batch: [3, 2], m: 5, n: 8, k: 8, rhs: { order: "brc", broadcast: [true, true] } }, tiled("16x16x16 4x4")),
  );
  gpu("batches that become columns", () =>
    run({ batch: [3], m: 7, n: 5, k: 8, lhs: { order: "brc", broadcast: [true] } }, tiled("16x16x16 4x4")),
  );
  gpu("offsets, gaps, and results in columns", () =>
    run(
      {
        m: 18,
        n: 21,
        k: 7,
        lhs: { order: "brc", offset: 3, padding: 2 },
        rhs: { order: "bcr", offset: 1, inner: 2 },
        out: { order: "bcr", offset: 2, padding: 1 },
      },
      tiled("16x16x16 4x4"),
    ),
  );
  gpu("strides of 0", async () => {
    const kernel = makeDot({ m: 18, n: 12, k: 8 });
    await check(
      device,
      { ...kernel, lhs: { ...kernel.lhs, row: 0 }, rhs: { ...kernel.rhs, col: 0 } },
      { choose: tiled("16x16x16 4x4") },
    );
    await check(
      device,
      { ...kernel, lhs: { ...kernel.lhs, col: 0 }, rhs: { ...kernel.rhs, row: 0 } },
      { choose: tiled("16x16x16 4x4") },
    );
  });
});

describe("tiles", () => {
  for (const [tile, m, n, k] of [
    ["64x64x16 8x8", 65, 63, 17],
    ["64x64x16 8x8", 64, 128, 32],
    ["32x64x16 4x8", 40, 70, 20],
    ["64x16x16 8x4 /2", 65, 10, 33],
    ["16x12x32 4x4 /8", 33, 10, 65],
    ["8x16x32 4x4 /4", 5, 32, 64],
    ["16x16x16 4x4 s3", 20, 24, 100],
    ["16x16x16 4x4 /2 s4", 17, 19, 101],
    ["16x16x1 4x4", 33, 20, 1],
  ] as const)
    gpu(`${tile} of ${m}×${n}×${k}`, () => run({ m, n, k }, tiled(tile)));
  gpu("split k in batches", () => run({ batch: [3], m: 9, n: 8, k: 40, lhs: T }, tiled("16x16x16 4x4 s2")));
});

describe("few columns", () => {
  for (const n of [1, 3, 4]) {
    gpu(`a tree over k, ${n} columns`, () => run({ m: 13, n, k: 37 }, tree({ lanes: 8, groups: 4 })));
    gpu(`a tree over k in fours, ${n} columns`, () =>
      run({ m: 14, n, k: 136 }, tree({ lanes: 8, groups: 4, threadRows: 4, unroll: 2 })),
    );
    gpu(`a sweep, ${n} columns`, () => run({ m: 13, n, k: 37, lhs: T }, sweep({ slices: 4, unroll: 4 })));
    gpu(`a sweep in fours, ${n} columns`, () => run({ m: 36, n, k: 19, lhs: T }, sweep({ slices: 2, width: 4 })));
  }
  gpu("each invocation by itself", () => run({ batch: [5], m: 7, n: 8, k: 6 }, tree({ threadCols: 4 })));
  gpu("a sweep of rows that begin anywhere, to results in fours", () =>
    run({ m: 36, n: 1, k: 19, lhs: { order: "bcr", offset: 3 } }),
  );
  gpu("each invocation by itself, split", () =>
    run({ m: 5, n: 8, k: 40 }, tree({ threadCols: 4, splits: 2, kPerSplit: 20 })),
  );
  gpu("a tree split", () => run({ m: 3, n: 2, k: 200 }, tree({ lanes: 8, splits: 3, kPerSplit: 72 })));
  gpu("a sweep split", () =>
    run({ m: 12, n: 2, k: 50, lhs: T }, sweep({ slices: 2, width: 4, splits: 3, kPerSplit: 18 })),
  );
  gpu("second operand in fours along k only", () =>
    run({ m: 5, n: 2, k: 16, lhs: { order: "brc", inner: 3 }, rhs: T }, tree({ lanes: 4 })),
  );
});

describe("as planned", () => {
  for (const c of [
    { m: 1, n: 1, k: 1 },
    { m: 5, n: 6, k: 7 },
    { m: 65, n: 31, k: 33 },
    { m: 100, n: 1, k: 128 },
    { m: 1, n: 100, k: 128 },
    { m: 1, n: 100, k: 128, rhs: T },
    { m: 128, n: 1, k: 65, lhs: T },
    { m: 1, n: 1, k: 3000 },
    { m: 128, n: 10, k: 98 },
    { m: 98, n: 10, k: 128, lhs: T },
    { batch: [40], m: 1, n: 16, k: 8 },
    { batch: [40], m: 4, n: 1, k: 8, rhs: { order: "brc", broadcast: [true] } },
    { batch: [2, 2], m: 33, n: 20, k: 40, rhs: T },
  ] satisfies DotCase[])
    gpu(JSON.stringify(c), () => run(c));

  gpu("whatever the layouts", async () => {
    let state = 20;
    const pick = <X>(from: readonly X[]): X => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return from[Math.floor((state / 2 ** 32) * from.length)]!;
    };
    for (let round = 0; round < 10; round++) {
      const batch = pick([[], [2], [3, 2], [1, 3]]);
      const arrange = (): Arrangement => ({
        order: pick(["brc", "bcr", "rbc", "cbr", "rcb"]),
        padding: pick([0, 0, 4, 1]),
        offset: pick([0, 0, 4, 3]),
        inner: pick([1, 1, 1, 2]),
        broadcast: batch.map(() => pick([true, false, false])),
      });
      const size = (): number => pick([1, 2, 4, 5, 8, 17, 20, 36]);
      const operands = { lhs: arrange(), rhs: arrange(), out: { ...arrange(), broadcast: [] } };
      await run({ batch, m: size(), n: size(), k: size(), ...operands });
    }
  });
  gpu("sums of nothing are 0", () => run({ m: 3, n: 5, k: 0 }));
  test("no results, no dispatches", () => {
    expect(prepare(makeDot({ m: 0, n: 5, k: 3 })).code.dispatches).toEqual([]);
    expect(prepare(makeDot({ batch: [0], m: 2, n: 5, k: 3 })).code.dispatches).toEqual([]);
  });

  gpu("a matrix times itself, transposed", async () => {
    const kernel = makeDot({ m: 24, n: 24, k: 32, rhs: T });
    await check(device, kernel, { sameAs: [0, 0, 2], choose: tiled("16x16x16 4x4") });
    // One storage, reached in fours by one operand and one by one by the other.
    const inner = makeDot({ m: 24, n: 7, k: 24, rhs: { order: "brc", offset: 1 } });
    const buffers = [inner.buffers[0]!, { ...inner.buffers[1]!, length: inner.buffers[0]!.length }, inner.buffers[2]!];
    await check(device, { ...inner, buffers }, { sameAs: [0, 0, 2], choose: tiled("16x16x16 4x4") });
  });

  gpu("rounds like a sum of products in float32", async () => {
    const kernel = makeDot({ m: 48, n: 20, k: 100 });
    const operands = [noise("f32", kernel.buffers[0]!.length, 1), noise("f32", kernel.buffers[1]!.length, 2)] as const;
    const { code } = prepare(kernel);
    const [, , out] = await runCode(device, code, [...operands, new Float32Array(kernel.buffers[2]!.length)]);
    const { value, scale } = referenceDot(kernel, [...operands], 0);
    const worst = Math.max(...value.map((x, i) => Math.abs(x - out![i]!) / (scale[i]! * 2 ** -23)));
    expect(worst).toBeLessThan(2 + Math.sqrt(kernel.k));
  });
});

const f32 = (length: number, access: "read" | "write" | "readwrite") => ({ type: "f32", access, length }) as const;
const sum = slotRef("f32", 0);
const zero = constant("f32", 0);

/** relu(sum + bias[j]) and whether it is positive, over batch axes of these extents. */
function relu(batch: readonly number[], m: number, n: number): Epilogue {
  const axes = [...batch, m, n].map((extent, axis) => ix.axisIndex(axis, extent));
  const strides = [...batch, m, n].map((_, axis, all) => all.slice(axis + 1).reduce((a, b) => a * b, 1));
  const index = ix.flatten(axes, strides);
  const total = [...batch, m, n].reduce((a, b) => a * b, 1);
  const y = op("add", [sum, load("f32", 3, axes.at(-1)!)]);
  return {
    buffers: [f32(n, "read"), f32(total, "write"), { type: "bool", access: "write", length: total }],
    epilogue: [
      { kind: "store", buffer: 4, index, value: op("max", [y, zero]) },
      { kind: "store", buffer: 5, index, value: op("gt", [y, zero]) },
    ],
  };
}

/** weights −= 0.5 · sum in place, and a transposed copy of the sum times its row's factor. */
function update(m: number, n: number): Epilogue {
  const [i, j] = [ix.axisIndex(0, m), ix.axisIndex(1, n)];
  const index = ix.flatten([i, j], [n, 1]);
  const step = op("mul", [sum, constant("f32", 0.5)]);
  return {
    buffers: [f32(m * n, "read"), f32(m * n, "write"), f32(m, "read"), f32(m * n, "write")],
    epilogue: [
      { kind: "store", buffer: 4, index, value: op("sub", [load("f32", 3, index), step]) },
      { kind: "store", buffer: 6, index: ix.flatten([i, j], [1, m]), value: op("mul", [sum, load("f32", 5, i)]) },
    ],
  };
}

describe("epilogues", () => {
  const plans: readonly (readonly [name: string, DotCase, Choose | undefined])[] = [
    ["tile in fours", { m: 20, n: 24, k: 8 }, tiled("16x16x16 4x4")],
    ["tile one by one", { m: 18, n: 21, k: 9 }, tiled("16x16x16 4x4")],
    ["slices", { m: 18, n: 12, k: 33 }, tiled("16x12x16 4x4 /4")],
    ["split tile", { m: 18, n: 12, k: 40 }, tiled("16x16x16 4x4 s2")],
    ["split tile one by one", { m: 18, n: 7, k: 40 }, tiled("16x16x16 4x4 s2")],
    ["tree", { m: 10, n: 3, k: 33 }, tree({ lanes: 4 })],
    ["each by itself", { m: 10, n: 8, k: 6 }, tree({ threadCols: 4 })],
    ["sweep in fours", { m: 12, n: 2, k: 9, lhs: T }, sweep({ width: 4, slices: 2 })],
    ["vector times matrix", { m: 1, n: 40, k: 20 }, undefined],
  ];
  for (const [name, c, choose] of plans) {
    const options = choose && { choose };
    gpu(`bias, relu, mask: ${name}`, () => check(device, withEpilogue(c, relu([], c.m, c.n)), options));
    gpu(`in place, transposed: ${name}`, () =>
      check(device, withEpilogue(c, update(c.m, c.n)), { ...options, sameAs: [0, 1, 2, 3, 3, 5, 6] }),
    );
  }
  gpu("in batches that became rows", () => {
    const c: DotCase = { batch: [3], m: 5, n: 8, k: 8, rhs: { order: "brc", broadcast: [true] } };
    return check(device, withEpilogue(c, relu([3], 5, 8)), { choose: tiled("16x16x16 4x4") });
  });
  gpu("of an operand's own elements", () => {
    const c: DotCase = { m: 16, n: 16, k: 16 };
    const index = ix.flatten([ix.axisIndex(0, 16), ix.axisIndex(1, 16)], [16, 1]);
    const buffers = [f32(256, "read"), f32(256, "write")];
    const value = op("add", [sum, load("f32", 3, index)]);
    const kernel = withEpilogue(c, { buffers, epilogue: [{ kind: "store", buffer: 4, index, value }] });
    return check(device, kernel, { sameAs: [0, 1, 2, 0, 4], choose: tiled("16x16x16 4x4") });
  });
});

describe("what is no number", () => {
  /** Also where a tile's rows end and the next ones begin: 0 times that would be no 0. */
  const special =
    (k: number) =>
    ([a, b]: TypedArray[]): void => {
      a![3 * k] = NaN;
      a![8 * k - 1] = Infinity;
      a![a!.length - 1] = Infinity;
      a![5 * k] = 0;
      b![b!.length - 1] = -Infinity;
      b![Math.floor(b!.length / 2)] = NaN;
    };
  for (const [name, c, choose] of [
    ["tile", { m: 33, n: 18, k: 21 }, tiled("16x16x16 4x4")],
    ["tile in fours", { m: 36, n: 20, k: 20 }, tiled("16x16x16 4x4")],
    ["slices", { m: 17, n: 12, k: 37 }, tiled("16x12x16 4x4 /4")],
    ["split", { m: 17, n: 12, k: 37 }, tiled("16x16x16 4x4 s2")],
    ["tree", { m: 9, n: 2, k: 45 }, tree({ lanes: 8 })],
    ["sweep", { m: 9, n: 2, k: 45, lhs: T }, sweep({ slices: 4 })],
  ] as const)
    gpu(`goes through a ${name}`, () => run(c, choose, { inputs: special(c.k) }));
});

describe("limits", () => {
  gpu("more workgroups than a dimension holds", async () => {
    const limits = { maxComputeWorkgroupsPerDimension: 4 };
    await run({ m: 70, n: 40, k: 9 }, tiled("16x16x16 4x4"), { limits });
    await run({ m: 40, n: 1, k: 30 }, tree({ lanes: 4, groups: 4 }), { limits });
    await run({ m: 20, n: 12, k: 40 }, tiled("16x16x16 4x4 s3"), { limits });
    // Nothing is read and written twice.
    await check(device, withEpilogue({ m: 70, n: 40, k: 9 }, update(70, 40)), {
      limits,
      sameAs: [0, 1, 2, 3, 3, 5, 6],
      choose: tiled("16x16x16 4x4"),
    });
  });

  test("plans keep to the device's", () => {
    const limits = { maxComputeInvocationsPerWorkgroup: 64, maxComputeWorkgroupStorageSize: 4096 };
    for (const c of [
      { m: 512, n: 512, k: 512 },
      { m: 128, n: 10, k: 784 },
      { m: 1000, n: 1, k: 4000 },
      { m: 1000, n: 3, k: 4000, lhs: T },
    ])
      for (const { cost, wgsl } of prepare(makeDot(c), { limits }).code.dispatches) {
        expect(cost.workgroupBytes).toBeLessThanOrEqual(4096);
        expect(Number(/@workgroup_size\((\d+)\)/.exec(wgsl)![1])).toBeLessThanOrEqual(64);
      }
  });

  gpu("a device with the specification's defaults", async () => {
    const plain = (await testGpuDevice({ defaultLimits: true }))!;
    await check(plain, makeDot({ m: 40, n: 64, k: 20 }), { choose: tiled("32x64x16 4x8") });
    plain.destroy();
  });
});

describe("what shaders do", () => {
  const cases: readonly (readonly [name: string, DotCase, Choose])[] = [
    ["tile", { m: 33, n: 18, k: 40 }, tiled("16x16x16 4x4")],
    ["tile in fours", { m: 36, n: 20, k: 36, rhs: T }, tiled("16x16x16 4x4")],
    ["slices", { m: 17, n: 12, k: 70 }, tiled("16x12x32 4x4 /4")],
    ["split tile", { m: 17, n: 12, k: 70 }, tiled("16x16x16 4x4 s2")],
    ["tree", { m: 10, n: 2, k: 44 }, tree({ lanes: 8, groups: 4, threadRows: 4, unroll: 2 })],
    ["tree without lanes", { m: 10, n: 4, k: 7 }, tree({ threadCols: 4 })],
    ["sweep", { m: 12, n: 3, k: 45, lhs: T }, sweep({ slices: 4, width: 4, unroll: 4 })],
  ];
  for (const [name, c, choose] of cases) {
    gpu(`${name}: loads and stores are those that are counted`, async () => {
      const kernel = withEpilogue(c, relu([], c.m, c.n));
      const { code, buffers } = prepare(kernel, { choose });
      const counted = await countAccesses(device, code, buffers);
      expect(counted).toEqual(
        code.dispatches.map(({ cost }) => ({ loads: cost.loadBytes / 4, stores: cost.storeBytes / 4 })),
      );
    });
    if (!name.endsWith("without lanes"))
      gpu(`${name}: no two invocations race`, async () => {
        const { code, buffers } = prepare(makeDot(c), { choose });
        expect(await findRaces(device, code, buffers, 16)).toEqual([]);
        // The same without its barriers: it is seen.
        const dispatches = code.dispatches.map((d) => ({ ...d, wgsl: d.wgsl.replace(/workgroupBarrier\(\);/g, "") }));
        expect(await findRaces(device, { ...code, dispatches }, buffers, 16)).not.toEqual([]);
      });
  }
});
