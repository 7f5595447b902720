import { expect } from "vitest";
import { accessFor, tiledPlan } from "../../../src/backends/webgpu/dot/choose.js";
import { lowerDot } from "../../../src/backends/webgpu/dot/dot.js";
import type { Plan, SweepPlan, TiledPlan, TreePlan } from "../../../src/backends/webgpu/dot/plan.js";
import type { Problem } from "../../../src/backends/webgpu/dot/problem.js";
import type { LaunchContext } from "../../../src/backends/webgpu/dispatch.js";
import type { TypedArray } from "../../../src/core/dtype.js";
import type { BufferArg, DotKernel, Statement } from "../../../src/kernel-ir/kernel.js";
import { interpretKernel } from "../../../src/kernel-ir/interpreter.js";
import { launchOf, runCode, storageOf } from "../../gpu/run-code.js";
import { type DotCase, makeDot } from "../wasm/dot-harness.js";

export type Choose = (p: Problem, ctx: LaunchContext) => Plan;

/** A tile as a short text: `32x32x16 4x4 /2 s3`: two slices, k in three. */
export function tiled(text: string): Choose {
  const [, rows, cols, depth, threadRows, threadCols, slices = 1, splits = 1] =
    /^(\d+)x(\d+)x(\d+) (\d+)x(\d+)(?: \/(\d+))?(?: s(\d+))?$/
      .exec(text)!
      .map((part) => (part === undefined ? undefined : Number(part))) as (number | undefined)[] as number[];
  const tile = { rows, cols, depth, threadRows, threadCols, slices } as Omit<
    TiledPlan,
    "kind" | "splits" | "kPerSplit"
  >;
  return (p, ctx) => {
    const draft: TiledPlan = { kind: "tiled", ...tile, splits: 1, kPerSplit: p.k };
    const plan = tiledPlan(p, accessFor(p, draft, ctx), ctx.limits, tile, splits);
    if (plan === undefined) throw new Error(`no such tile: ${text}`);
    return plan;
  };
}

export const tree =
  (plan: Partial<TreePlan>): Choose =>
  (p) => ({
    kind: "tree",
    lanes: 1,
    groups: 8,
    threadRows: 1,
    threadCols: p.n,
    unroll: 1,
    splits: 1,
    kPerSplit: p.k,
    ...plan,
  });

export const sweep =
  (plan: Partial<SweepPlan>): Choose =>
  (p) => ({ kind: "sweep", lanes: 8, slices: 1, width: 1, unroll: 1, splits: 1, kPerSplit: p.k, ...plan });

/** Small whole numbers, the same every time: sums of their products are exact in float32. */
export function fill(arg: BufferArg, seed: number): TypedArray {
  const out = storageOf(arg);
  let state = (seed * 2654435761 + 1) >>> 0;
  for (let i = 0; i < out.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const x = (state >>> 24) % 9;
    out[i] = arg.type === "bool" ? x & 1 : arg.type === "u32" ? x : x - 4;
  }
  return out;
}

export interface Epilogue {
  readonly buffers: readonly BufferArg[];
  readonly epilogue: readonly Statement[];
}

/** A product with what follows it; its buffers come after the first three. */
export const withEpilogue = (c: DotCase, { buffers, epilogue }: Epilogue): DotKernel => {
  const kernel = makeDot(c);
  return { ...kernel, buffers: [...kernel.buffers, ...buffers], epilogue };
};

const SLACK = 37;

export interface CheckOptions {
  readonly choose?: Choose;
  readonly inputs?: (buffers: TypedArray[]) => void;
  /** Which arguments share storage: they get the contents of the first. */
  readonly sameAs?: readonly number[];
  readonly limits?: Partial<LaunchContext["limits"]>;
}

export interface Prepared {
  readonly code: ReturnType<typeof lowerDot>;
  readonly buffers: TypedArray[];
  readonly sameAs: readonly number[];
}

export function prepare(kernel: DotKernel, { choose, inputs, sameAs, limits }: CheckOptions = {}): Prepared {
  const launch = launchOf(kernel, sameAs);
  const ctx: LaunchContext = { ...launch, limits: { ...launch.limits, ...limits } };
  const buffers = kernel.buffers.map((arg, i) => fill(arg, i + 1));
  inputs?.(buffers);
  // Behind each buffer lies what no sum may have a part of, times 0 or not, and what no store may change.
  buffers.forEach((own, i) => {
    const longer = storageOf(kernel.buffers[i]!, own.length + SLACK);
    longer.fill(kernel.buffers[i]!.type === "f32" ? NaN : 1);
    longer.set(own);
    buffers[i] = longer;
  });
  ctx.sameAs.forEach((first, i) => (buffers[i] = first === i ? buffers[i]! : buffers[first]!.slice()));
  return { code: lowerDot(kernel, ctx, choose), buffers, sameAs: ctx.sameAs };
}

/** Runs the kernel on the device and in the interpreter of kernels: every element of every buffer agrees. */
export async function check(device: GPUDevice, kernel: DotKernel, options: CheckOptions = {}): Promise<void> {
  const { code, buffers, sameAs } = prepare(kernel, options);
  const expected = buffers.map((b) => b.slice());
  // One storage is one array also here.
  sameAs.forEach((first, i) => (expected[i] = expected[first]!));
  interpretKernel({ ...kernel, buffers: kernel.buffers.map((b) => ({ ...b, length: b.length + SLACK })) }, expected);
  const actual = await runCode(device, code, buffers, sameAs);
  expected.forEach((want, b) => {
    const got = actual[b]!;
    const at = want.findIndex((x, i) => !(x === got[i] || (Number.isNaN(x) && Number.isNaN(got[i]))));
    if (at < 0) return;
    const labels = code.dispatches.map(({ label }) => label).join("; ");
    expect(`${labels}: element ${at} of buffer ${b} is ${got[at]}`).toBe(`${want[at]}`);
  });
}
