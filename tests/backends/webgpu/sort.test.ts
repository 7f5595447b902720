import { beforeAll, describe, expect, test } from "vitest";
import { defaultLimits, type LaunchContext } from "../../../src/backends/webgpu/dispatch.js";
import { lowerSort } from "../../../src/backends/webgpu/sort/lower.js";
import type { TypedArray } from "../../../src/core/dtype.js";
import { interpretKernel } from "../../../src/kernel-ir/interpret-kernel.js";
import type { BufferArg, SortKernel } from "../../../src/kernel-ir/kernel.js";
import { launchOf, runCode, sharedDevice, storageOf } from "../../gpu/run-code.js";

let device: GPUDevice | null;
beforeAll(async () => void (device = await sharedDevice()));

type Type = BufferArg["type"];

const kernelOf = (
  types: readonly Type[],
  numKeys: number,
  outer: number,
  n: number,
  inner: number,
  { descending = false, count = n }: Partial<Pick<SortKernel, "descending" | "count">> = {},
): SortKernel => {
  const length = outer * n * inner;
  return {
    kind: "sort",
    name: "sort",
    buffers: [
      ...types.map((type): BufferArg => ({ type, access: "read", length })),
      ...types.map((type): BufferArg => ({ type, access: "write", length: outer * count * inner })),
    ],
    operands: types.length,
    numKeys,
    outer,
    n,
    inner,
    descending,
    count,
  };
};

let seed = 1;
const next = (): number => (seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0) / 2 ** 32;
const awkward = [NaN, 0, -0, 1, -1, Infinity, -Infinity, 1e-40, -1e-40, 3, 3, -0, NaN, 2.5, 1e30, -1e30, 0];
const chosen = <T>(list: readonly T[]): T => list[Math.floor(next() * list.length)]!;

/** Elements with many ties, or few. */
function numbers(type: Type, length: number, kinds: number): TypedArray {
  const data = storageOf({ type, access: "read", length });
  for (let i = 0; i < length; i++) {
    const whole = Math.floor(next() * kinds);
    data[i] =
      type === "f32"
        ? chosen([chosen(awkward), whole - kinds / 2, next() - 0.5])
        : type === "bool"
          ? whole % 2
          : type === "i32"
            ? chosen([whole - kinds / 2, (next() - 0.5) * 2 ** 32])
            : chosen([whole, next() * 2 ** 32]);
  }
  return data;
}

const words = (x: TypedArray): number[] => {
  const bits = new Uint32Array(x.buffer, x.byteOffset, x.length);
  // The interpreter keeps no payloads.
  return Array.from(bits, (w, i) => (Number.isNaN(x[i]!) ? NaN : w));
};

async function check(kernel: SortKernel, kinds = 5, launch: LaunchContext = launchOf(kernel)): Promise<void> {
  const buffers = kernel.buffers.map((b, k) => (k < kernel.operands ? numbers(b.type, b.length, kinds) : storageOf(b)));
  // The last operand, where it is no key, tells where elements came from.
  if (kernel.operands > kernel.numKeys) buffers[kernel.operands - 1]!.forEach((_, i, a) => (a[i] = i));
  const got = await runCode(device!, lowerSort(kernel, launch), buffers, launch.sameAs);
  const expected = buffers.map((b) => b.slice());
  interpretKernel(kernel, expected);
  for (let k = 0; k < kernel.operands; k++) {
    const out = launch.sameAs[kernel.operands + k]!;
    const want = expected[kernel.operands + k]!;
    const own = want.constructor as new (data: ArrayBufferLike, at: number, length: number) => TypedArray;
    const result = new own(got[out]!.buffer, got[out]!.byteOffset, want.length);
    expect(words(result), `operand ${k}`).toEqual(words(want));
  }
}

/** Little workgroup memory: rows of more than 64 are merged from tiles. */
const small = (kernel: SortKernel, more: Partial<LaunchContext["limits"]> = {}): LaunchContext => ({
  ...launchOf(kernel),
  limits: { ...defaultLimits, maxComputeWorkgroupStorageSize: 512, ...more },
});

describe.runIf((await sharedDevice()) !== null)("sorts on a device", () => {
  test.each([1, 2, 3, 5, 8, 31])("a row of %i, of every type", async (n) => {
    for (const type of ["f32", "i32", "u32", "bool"] as const) await check(kernelOf([type, "i32"], 1, 1, n, 1));
  });
  test.each([33, 65, 130])("a row of %i", async (n) => {
    await check(kernelOf(["f32", "i32"], 1, 1, n, 1));
  });
  test("a row of one tile, within the default limits", async () => {
    await check(kernelOf(["f32", "i32"], 1, 1, 600, 1));
  });
  test.each([64, 65, 127, 128, 129, 500, 5000])("a row of %i, in tiles", async (n) => {
    const kernel = kernelOf(["f32", "i32"], 1, 1, n, 1);
    await check(kernel, 5, small(kernel));
    await check(kernel, 1e6, small(kernel));
  });
  test("a row in tiles, within the default limits", async () => {
    await check(kernelOf(["f32"], 1, 1, 2500, 1));
  });

  test.each([
    [3, 20, 1],
    [1, 20, 5],
    [2, 20, 3],
    [40, 3, 1],
    [3, 2, 17],
    [5, 1, 7],
  ])("many rows: %i × %i × %i", async (outer, n, inner) => {
    await check(kernelOf(["f32", "i32"], 1, outer, n, inner));
  });
  test.each([
    [3, 200, 1],
    [2, 70, 3],
  ])("many rows, in tiles: %i × %i × %i", async (outer, n, inner) => {
    const kernel = kernelOf(["f32", "i32"], 1, outer, n, inner);
    await check(kernel, 5, small(kernel));
  });
  test("more workgroups than a dimension holds", async () => {
    const kernel = kernelOf(["i32"], 1, 33, 3, 2);
    const limits = { maxComputeWorkgroupsPerDimension: 7, maxComputeWorkgroupStorageSize: 64 };
    const { dispatches } = lowerSort(kernel, small(kernel, limits));
    expect(dispatches[0]!.workgroups[1]).toBeGreaterThan(1);
    await check(kernel, 50, small(kernel, limits));
  });

  test.each([
    [["i32", "f32", "i32"], 2],
    [["bool", "u32", "f32", "i32"], 3],
    [["f32", "bool", "i32", "u32", "f32", "i32"], 2],
  ] as [Type[], number][])("operands %j, %i of them keys", async (types, numKeys) => {
    await check(kernelOf(types, numKeys, 2, 33, 3), 3);
    const long = kernelOf(types, numKeys, 2, 150, 1);
    await check(long, 3, small(long));
  });

  test.each([
    [2, 20, 1],
    [2, 20, 3],
    [2, 150, 1],
    [1, 150, 3],
  ])("descending, and only the first elements: %i × %i × %i", async (outer, n, inner) => {
    for (const extent of [{ descending: true }, { count: 7 }, { descending: true, count: 1 }]) {
      const kernel = kernelOf(["f32", "i32"], 1, outer, n, inner, extent);
      await check(kernel, 5, small(kernel));
      const long = kernelOf(["i32", "f32", "bool", "u32", "f32", "i32"], 2, outer, n, inner, extent);
      await check(long, 3, small(long));
    }
  });

  test("results where operands are", async () => {
    const kernel = kernelOf(["i32", "f32"], 1, 2, 20, 3);
    // the first result over the second operand, the second over the first
    await check(kernel, 5, { ...launchOf(kernel), sameAs: [0, 1, 1, 0] });
    const many = kernelOf(["i32", "f32", "u32", "i32", "f32"], 2, 1, 20, 1);
    await check(many, 5, { ...launchOf(many), sameAs: [0, 1, 2, 3, 4, 0, 1, 2, 3, 4] });
  });
  test("one operand twice", async () => {
    const kernel = kernelOf(["f32", "f32"], 1, 1, 20, 1);
    const buffers = kernel.buffers.map((b, k) => (k < 2 ? numbers("f32", 20, 5) : storageOf(b)));
    const launch = { ...launchOf(kernel), sameAs: [0, 0, 2, 3] };
    const got = await runCode(device!, lowerSort(kernel, launch), buffers, launch.sameAs);
    expect(words(got[2]!)).toEqual(words(got[3]!));
  });
});

describe("dispatches of sorts", () => {
  const count = (kernel: SortKernel): number => lowerSort(kernel, launchOf(kernel)).dispatches.length;
  test("are as few as can be", () => {
    expect(count(kernelOf(["f32"], 1, 1, 2048, 1))).toBe(1);
    expect(count(kernelOf(["f32", "i32"], 1, 7, 100, 5))).toBe(1);
    expect(count(kernelOf(["f32"], 1, 1, 2049, 1))).toBe(2);
    expect(count(kernelOf(["f32"], 1, 1, 2 ** 20, 1))).toBe(10);
    expect(count(kernelOf(["f32"], 1, 0, 5, 1))).toBe(0);
  });
  test("stay within the default limits", () => {
    const kernel = kernelOf(["f32", "f32", "i32", "u32", "bool", "f32", "f32", "i32", "f32", "f32"], 3, 1, 5000, 1);
    for (const { bindings, cost, workgroups } of lowerSort(kernel, launchOf(kernel)).dispatches) {
      expect(bindings.length).toBeLessThanOrEqual(defaultLimits.maxStorageBuffersPerShaderStage);
      expect(cost.workgroupBytes).toBeLessThanOrEqual(defaultLimits.maxComputeWorkgroupStorageSize);
      expect(Math.max(...workgroups)).toBeLessThanOrEqual(defaultLimits.maxComputeWorkgroupsPerDimension);
      expect(cost.loadBytes).toBeGreaterThan(0);
      expect(cost.storeBytes).toBeGreaterThan(0);
    }
  });
});
