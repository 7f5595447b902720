import { add, axisIndex, type Index, lit, scale } from "../../src/kernel-ir/index-expr.js";
import type { BufferArg, DotKernel, MatrixLayout, NestKernel, SortKernel } from "../../src/kernel-ir/kernel.js";
import * as math from "../../src/kernel-ir/math/index.js";
import type { Program, ProgramFunction } from "../../src/kernel-ir/program.js";
import { type Expr, keepRef, load, op, slotRef } from "../../src/kernel-ir/scalar.js";

/** Kernels and programs that the tests of this folder share. */

export const reads = (length: number, type: BufferArg["type"] = "f32"): BufferArg => ({ type, access: "read", length });
export const writes = (length: number, type: BufferArg["type"] = "f32"): BufferArg => ({
  type,
  access: "write",
  length,
});
export const updates = (length: number, type: BufferArg["type"] = "f32"): BufferArg => ({
  type,
  access: "readwrite",
  length,
});

const emptyNest = {
  kind: "nest",
  parallel: [],
  reduced: [],
  sequential: false,
  slots: [],
  keeps: [],
  phases: [],
} as const;
export const nest = (parts: Partial<NestKernel> & Pick<NestKernel, "name" | "buffers" | "phases">): NestKernel => ({
  ...emptyNest,
  ...parts,
});

/** b1[i] = f(b0[at(i)]) for i in [0, n). */
export function mapKernel(n: number, f: (x: Expr) => Expr, at: (i: Index) => Index = (i) => i): NestKernel {
  const i = axisIndex(0, n);
  return nest({
    name: "map",
    buffers: [reads(n), writes(n)],
    parallel: [n],
    phases: [{ body: [{ kind: "store", buffer: 1, index: i, value: f(load("f32", 0, at(i))) }], after: [] }],
  });
}

/** Softmax of rows: maximum, then exponentials kept and summed, then quotients. */
export function softmaxKernel(rows: number, cols: number): NestKernel {
  const at = add(scale(axisIndex(0, rows), cols), axisIndex(1, cols));
  const x = load("f32", 0, at);
  return nest({
    name: "softmax",
    buffers: [reads(rows * cols), writes(rows * cols)],
    parallel: [rows],
    reduced: [cols],
    slots: [
      { type: "f32", initial: -Infinity, combine: "max", running: false },
      { type: "f32", initial: 0, combine: "add", running: false },
    ],
    keeps: ["f32"],
    phases: [
      { body: [{ kind: "accumulate", slot: 0, value: x }], after: [] },
      {
        body: ((e) => [
          { kind: "keep", keep: 0, value: e } as const,
          { kind: "accumulate", slot: 1, value: e } as const,
        ])(math.exp(op("sub", [x, slotRef("f32", 0)]))),
        after: [],
      },
      {
        body: [{ kind: "store", buffer: 1, index: at, value: op("div", [keepRef("f32", 0), slotRef("f32", 1)]) }],
        after: [],
      },
    ],
  });
}

/** Running sums of rows, and their totals. */
export function cumsumKernel(rows: number, cols: number): NestKernel {
  const at = add(scale(axisIndex(0, rows), cols), axisIndex(1, cols));
  return nest({
    name: "cumsum",
    buffers: [reads(rows * cols), writes(rows * cols), writes(rows)],
    parallel: [rows],
    reduced: [cols],
    slots: [{ type: "f32", initial: 0, combine: "add", running: true }],
    phases: [
      {
        body: [
          { kind: "accumulate", slot: 0, value: load("f32", 0, at) },
          { kind: "store", buffer: 1, index: at, value: slotRef("f32", 0) },
        ],
        after: [{ kind: "store", buffer: 2, index: axisIndex(0, rows), value: slotRef("f32", 0) }],
      },
    ],
  });
}

export const matrix = (cols: number, offset = 0): MatrixLayout => ({ offset, batch: [], row: cols, col: 1 });
export const dotKernel = (m: number, k: number, n: number): DotKernel => ({
  kind: "dot",
  name: "matmul",
  type: "f32",
  buffers: [reads(m * k), reads(k * n), writes(m * n)],
  batch: [],
  m,
  n,
  k,
  lhs: matrix(k),
  rhs: matrix(n),
  out: matrix(n),
});

export const sortKernel = (outer: number, n: number, inner: number): SortKernel => ({
  kind: "sort",
  name: "argsort",
  buffers: [
    reads(outer * n * inner),
    reads(outer * n * inner, "i32"),
    writes(outer * n * inner),
    writes(outer * n * inner, "i32"),
  ],
  operands: 2,
  numKeys: 1,
  outer,
  n,
  inner,
  descending: false,
  count: n,
});

export const fn = (parts: Partial<ProgramFunction> & Pick<ProgramFunction, "name" | "steps">): ProgramFunction => ({
  inputs: [],
  outputs: [],
  arenaBytes: 0,
  outputIsInput: (parts.outputs ?? []).map(() => null),
  outputReusesInput: (parts.outputs ?? []).map(() => null),
  ...parts,
});

export const f32s = (n: number) => ({ dtype: "float32", bytes: 4 * n }) as const;
export const input = (index: number) => ({ kind: "input", index }) as const;
export const output = (index: number) => ({ kind: "output", index }) as const;
export const arena = (offset: number) => ({ kind: "arena", offset }) as const;

/** x → softmax(2x), through the arena. */
export function twoStepProgram(): Program {
  return {
    name: "twice",
    kernels: [mapKernel(6, (x) => op("add", [x, x])), softmaxKernel(2, 3)],
    functions: [
      fn({
        name: "main",
        inputs: [f32s(6)],
        outputs: [f32s(6)],
        arenaBytes: 32,
        steps: [
          { kind: "launch", kernel: 0, args: [input(0), arena(0)] },
          { kind: "launch", kernel: 1, args: [arena(0), output(0)] },
        ],
      }),
    ],
  };
}

/** While x[0] < 100: x = x + x. */
export function loopProgram(): Program {
  const i = lit(0);
  const below: NestKernel = nest({
    name: "below",
    buffers: [reads(1), reads(1), writes(1, "bool")],
    phases: [
      {
        body: [{ kind: "store", buffer: 2, index: i, value: op("lt", [load("f32", 1, i), load("f32", 0, i)]) }],
        after: [],
      },
    ],
  });
  const step = (
    name: string,
    kernel: number,
    outputBytes: { dtype: "float32" | "bool"; bytes: number },
    args: readonly number[],
  ): ProgramFunction =>
    fn({
      name,
      inputs: [f32s(1), f32s(1)],
      outputs: [outputBytes],
      steps: [{ kind: "launch", kernel, args: [...args.map(input), output(0)] }],
    });
  return {
    name: "doubling",
    kernels: [below, mapKernel(1, (x) => op("add", [x, x]))],
    functions: [
      fn({
        name: "main",
        inputs: [f32s(1), f32s(1)],
        outputs: [f32s(1)],
        arenaBytes: 16,
        steps: [
          { kind: "copy", from: input(1), to: arena(0), bytes: 4 },
          { kind: "loop", condition: 1, body: 2, consts: [input(0)], state: [arena(0)] },
          { kind: "copy", from: arena(0), to: output(0), bytes: 4 },
        ],
      }),
      step("condition", 0, { dtype: "bool", bytes: 4 }, [0, 1]),
      step("body", 1, f32s(1), [1]),
    ],
  };
}
