import { expect } from "vitest";
import type { TypedArray } from "../../../src/core/dtype.js";
import { defaultLimits, type LaunchContext } from "../../../src/backends/webgpu/dispatch.js";
import { type LoweredNest, lowerNest } from "../../../src/backends/webgpu/nest/lower.js";
import { defaultTuning, type Tuning } from "../../../src/backends/webgpu/nest/schedule.js";
import { compile } from "../../../src/compiler/index.js";
import { makeJaxpr, type NDArray, numpy as np } from "../../../src/index.js";
import type { DeviceTraits } from "../../../src/kernel-ir/backend.js";
import { interpretKernel } from "../../../src/kernel-ir/interpret-kernel.js";
import type { NestKernel } from "../../../src/kernel-ir/kernel.js";
import { verifyKernel } from "../../../src/kernel-ir/verify-kernel.js";
import { runCode, sharedDevice, storageOf } from "../../gpu/run-code.js";
import { numbers } from "../wasm/build.js";

/** What small kernels are scheduled with, so that each strategy has its turn. */
export const tunings = {
  default: defaultTuning,
  /** Rows in fours, and slices however short rows are. */
  slices: { workgroup: 64, busy: 1024, shortRow: 1, longWalk: 1e9, shortWalk: 1, fourPoints: 1 },
  /** Workgroups so small that invocations walk. */
  walks: { workgroup: 8, busy: 64, shortRow: 1, longWalk: 1e9, shortWalk: 1, fourPoints: 1e9 },
  /** Rows cut into chunks wherever they can be. */
  chunks: { workgroup: 8, busy: 1000, shortRow: 1, longWalk: 0.1, shortWalk: 1, fourPoints: 1 },
} as const satisfies Record<string, Tuning>;
export type TuningName = keyof typeof tunings;

/** How a nest was mapped, in words: what tests say they exercise. */
export function mappingOf({ mapping: m, keeps, dispatches }: LoweredNest, kernel: NestKernel): string {
  if (!m) return "nothing";
  const words = [m.tile ? "tiles" : m.layout];
  if (m.slice > 1) words.push(m.group > 1 ? "slices" : "workgroup");
  if (m.scan) words.push("scan");
  if (m.lanes === 4) words.push(m.fours.size > 0 ? "fours" : "four lanes");
  if (m.chunks > 1) words.push(`chunks, ${dispatches.length} dispatches`);
  if (kernel.keeps.length > 0) words.push(`keeps ${keeps}`);
  return words.join(" ");
}

export interface CheckOptions {
  readonly inputs?: readonly TypedArray[];
  /** Relative to the larger of the value and one. */
  readonly tolerance?: number;
  readonly ways?: readonly TuningName[];
  readonly device?: GPUDevice;
  readonly launch?: Partial<LaunchContext["limits"]>;
  readonly sameAs?: readonly number[];
}

/** Awkward and ordinary numbers, the same each time. */
export function contents(kernel: NestKernel, seed = 1): TypedArray[] {
  return kernel.buffers.map((b, k) => {
    const data = storageOf(b);
    data.set(numbers(b.type, b.length, seed + k));
    return data;
  });
}

/** Runs a nest in several ways and compares each with the interpreter; gives how each was mapped. */
export async function check(kernel: NestKernel, options: CheckOptions = {}): Promise<string[]> {
  verifyKernel(kernel);
  const device = options.device ?? (await sharedDevice());
  if (!device) return [];
  const sameAs = options.sameAs ?? kernel.buffers.map((_, i) => i);
  const own = options.inputs ?? contents(kernel);
  const buffers = own.map((b, i) => (sameAs[i] === i ? b : own[sameAs[i]!]!));
  const expected = buffers.map((b) => b.slice());
  const shared = expected.map((b, i) => (sameAs[i] === i ? b : sharing(b, expected[sameAs[i]!]!)));
  interpretKernel(kernel, shared);
  const found = new Set<string>();
  for (const way of options.ways ?? (Object.keys(tunings) as TuningName[])) {
    const launch: LaunchContext = { limits: { ...defaultLimits, ...options.launch }, sameAs };
    const code = lowerNest(kernel, launch, tunings[way]);
    found.add(mappingOf(code, kernel));
    const actual = await runCode(device, code, buffers, sameAs);
    actual.forEach((b, k) => {
      const wrong = firstDifference(b, shared[k]!, options.tolerance ?? 0);
      if (wrong)
        throw new Error(
          `${kernel.name}, ${way} (${mappingOf(code, kernel)}), buffer ${k}: ${wrong}\n${code.dispatches.map((d) => d.wgsl).join("\n")}`,
        );
    });
  }
  return [...found].sort();
}

/** An array of the same type as `like` over the memory of another. */
function sharing(like: TypedArray, over: TypedArray): TypedArray {
  const own = like.constructor as new (data: ArrayBufferLike, offset: number, length: number) => TypedArray;
  return new own(over.buffer, over.byteOffset, like.length);
}

function firstDifference(actual: TypedArray, expected: TypedArray, tolerance: number): string | null {
  for (let i = 0; i < expected.length; i++) {
    const [a, e] = [actual[i]!, expected[i]!];
    if (Object.is(a, e) || (Number.isNaN(a) && Number.isNaN(e))) continue;
    if (tolerance > 0 && Math.abs(a - e) <= tolerance * Math.max(1, Math.abs(e))) continue;
    return `element ${i}: ${a}, expected ${e}`;
  }
  return null;
}

export const traits: DeviceTraits = {
  maxBuffers: 8,
  maxKeepBytes: 16_384,
  arenaAlignment: 256,
  dotEpilogue: true,
  dearLaunches: true,
};

/** The nests of a function compiled for arguments of these shapes (or these arrays) that are not sequential. */
export function nestsOf(
  f: (...args: NDArray[]) => unknown,
  ...args: readonly (readonly number[] | NDArray)[]
): NestKernel[] {
  const arrays = args.map((a) => ("dtype" in a ? a : np.zeros([...a])));
  const { jaxpr } = makeJaxpr(f)(...arrays);
  const { kernels } = compile(jaxpr, { name: "main", traits });
  return kernels.filter((k): k is NestKernel => k.kind === "nest" && !k.sequential);
}

/** Checks every nest of a function. */
export async function checkFunction(
  f: (...args: NDArray[]) => unknown,
  args: readonly (readonly number[] | NDArray)[],
  options: CheckOptions = {},
): Promise<string[]> {
  const kernels = nestsOf(f, ...args);
  expect(kernels.length).toBeGreaterThan(0);
  const found = new Set<string>();
  for (const kernel of kernels) for (const way of await check(kernel, options)) found.add(way);
  return [...found].sort();
}
