import { describe, expect, it } from "vitest";
import type { DType } from "../../src/core/dtype.js";
import { Value } from "../../src/compiler/graph.js";
import { limitBuffers } from "../../src/compiler/limits.js";
import type { KernelLaunch } from "../../src/compiler/opaque.js";
import { axisIndex } from "../../src/kernel-ir/index-expr.js";
import { interpretKernel } from "../../src/kernel-ir/interpreter.js";
import type { BufferArg, NestKernel, Statement } from "../../src/kernel-ir/kernel.js";
import { type Expr, load, op } from "../../src/kernel-ir/scalar.js";
import { verifyKernel } from "../../src/kernel-ir/verifier.js";
import { gpu } from "./devices.js";
import { nest, reads, softmaxKernel, sortKernel, writes } from "../kernel-ir/kernels.js";

const dtypes: Readonly<Record<BufferArg["type"], DType>> = {
  f32: "float32",
  f64: "float64",
  i32: "int32",
  u32: "uint32",
  bool: "bool",
};
const launchOf = (kernel: KernelLaunch["kernel"]): KernelLaunch => ({
  kernel,
  args: kernel.buffers.map(
    (b) => new Value({ shape: [b.length], dtype: dtypes[b.type], weakType: false }, undefined, 0),
  ),
});

const arrayOf = (b: BufferArg): Float32Array | Int32Array =>
  b.type === "f32" ? new Float32Array(b.length) : new Int32Array(b.length);

/** Runs launches one after another over memory by value; gives what the values of the first launch hold then. */
function run(launches: readonly KernelLaunch[], original: KernelLaunch): unknown[] {
  const memory = new Map<Value, Float32Array | Int32Array>();
  const at = (v: Value, b: BufferArg) => {
    let array = memory.get(v);
    if (!array) memory.set(v, (array = arrayOf(b)));
    return array;
  };
  original.args.forEach((v, k) => {
    const b = original.kernel.buffers[k]!;
    if (b.access === "read") at(v, b).forEach((_, i, array) => (array[i] = (k + 1) * (i + 1)));
  });
  for (const { kernel, args } of launches) {
    verifyKernel(kernel);
    interpretKernel(
      kernel,
      args.map((v, k) => at(v, kernel.buffers[k]!)),
    );
  }
  return original.args.map((v, k) => [...at(v, original.kernel.buffers[k]!)]);
}

/** The same values from as many buffers as allowed. */
function agree(kernel: NestKernel, most: number): KernelLaunch[] {
  const original = launchOf(kernel);
  const launches = limitBuffers(original, { ...gpu, maxBuffers: most, loopBuffers: most });
  for (const l of launches) expect(l.kernel.buffers.length).toBeLessThanOrEqual(most);
  expect(run(launches, original)).toEqual(run([original], original));
  return launches;
}

const n = 3;
const at = axisIndex(0, n);
const plus = (a: Expr, b: Expr): Expr => op("add", [a, b]);
const store = (buffer: number, value: Expr): Statement => ({ kind: "store", buffer, index: at, value });

describe("kernels with more buffers than a device allows", () => {
  it("leaves those that have few, and sorts", () => {
    for (const kernel of [softmaxKernel(2, 3), sortKernel(2, 5, 1)]) {
      const launch = launchOf(kernel);
      expect(limitBuffers(launch, { ...gpu, maxBuffers: 2, loopBuffers: 2 })).toEqual([launch]);
    }
  });

  it("writes many results by several kernels, none of which reads what it does not need", () => {
    const inputs = [0, 1, 2, 3].map((k) => load("f32", k, at));
    const kernel = nest({
      name: "many",
      buffers: [...inputs.map(() => reads(n)), ...inputs.map(() => writes(n))],
      parallel: [n],
      phases: [{ body: inputs.map((x, k) => store(4 + k, plus(x, inputs[(k + 1) % 4]!))), after: [] }],
    });
    // two results need three operands: five buffers
    expect(agree(kernel, 5).map((l) => l.kernel.buffers.length)).toEqual([5, 5]);
    expect(agree(kernel, 4).length).toBe(4);
  });

  it("packs operands where one result needs too many, those of one type together", () => {
    const kernel = nest({
      name: "sum",
      buffers: [...[0, 1, 2, 3, 4].map(() => reads(n)), reads(n, "i32"), reads(n, "i32"), writes(n)],
      parallel: [n],
      phases: [
        {
          body: [
            store(
              7,
              [5, 6]
                .map((k): Expr => op("convert", [load("i32", k, at)], "f32"))
                .concat([0, 1, 2, 3, 4].map((k) => load("f32", k, at)))
                .reduce(plus),
            ),
          ],
          after: [],
        },
      ],
    });
    // as few copies as will do
    expect(agree(kernel, 5).map((l) => l.kernel.name)).toEqual(["pack", "pack", "pack", "pack", "sum"]);
    expect(agree(kernel, 7).length).toBe(3);
    agree(kernel, 3);
  });

  it("takes along the sums and row buffers that a result is made of, and only those", () => {
    const rows = softmaxKernel(2, 3);
    const store0 = rows.phases[2]!.body[0] as Extract<Statement, { kind: "store" }>;
    const kernel: NestKernel = {
      ...rows,
      buffers: [reads(6), writes(6), writes(2)],
      phases: [
        {
          ...rows.phases[0]!,
          after: [{ kind: "store", buffer: 2, index: axisIndex(0, 2), value: { kind: "slot", type: "f32", slot: 0 } }],
        },
        rows.phases[1]!,
        { body: [store0], after: [] },
      ],
    };
    const parts = agree(kernel, 2).map((l) => l.kernel as NestKernel);
    expect(parts.map((k) => [k.slots.length, k.keeps.length, k.phases.length])).toEqual([
      [1, 0, 1],
      [2, 1, 3],
    ]);
  });
});
