import * as ix from "../../../kernel-ir/index-expr.js";
import type { Digit, DotKernel, Kernel, MatrixLayout, NestKernel, Statement } from "../../../kernel-ir/kernel.js";
import { load, op, slotRef } from "../../../kernel-ir/scalar.js";
import type { LaunchContext } from "../dispatch.js";
import { countOps } from "../nest/fours.js";
import { withRowBuffers } from "../nest/keeps.js";
import { normalNest } from "../nest/normal.js";
import { openRow } from "../nest/open-row.js";
import { emitStatements, noWork } from "../nest/points.js";
import { RowBuffers } from "../nest/row-buffers.js";
import type { Mapping } from "../nest/schedule.js";
import { emitInOrder } from "../nest/sequential-in-order.js";
import { Shader } from "../nest/shader.js";
import { forEachNode, rootsOf } from "../nest/touches.js";
import { setSlot, Walk } from "../nest/walk.js";
import { Code } from "../wgsl/code.js";
import { type FinishedFunction, ModuleBuilder } from "../wgsl/module.js";

/** A kernel as a function of a module that holds others too: each invocation computes whole rows, so that none waits inside. */
export interface KernelFunction extends FinishedFunction {
  /** Times that the workgroup calls it, each time for other rows. */
  readonly groups: number;
  /** Only the first invocation calls it. */
  readonly alone: boolean;
}

const product = (xs: readonly number[]): number => xs.reduce((a, b) => a * b, 1);

/** The nest that a kernel is; undefined for those that are none. */
export function asNest(kernel: Kernel): NestKernel | undefined {
  switch (kernel.kind) {
    case "nest":
      return kernel;
    case "dot":
      return nestOfDot(kernel);
    case "sort":
      return undefined;
  }
}

/** Rows of a nest that may be computed at one time. */
export const rowsOf = (kernel: NestKernel): number => (kernel.sequential ? 1 : product(kernel.parallel));

/** Steps that the busiest of some invocations takes: operations and accesses to memory. */
export function pathOf(kernel: NestKernel, invocations: number): number {
  const rows = product(kernel.parallel);
  const walked = kernel.sequential ? rows : Math.ceil(rows / invocations);
  const points = product(kernel.reduced);
  const steps = kernel.phases.map(({ body, after }) => stepsOf(body) * points + stepsOf(after));
  return walked * (1 + steps.reduce((a, b) => a + b, 0));
}

function stepsOf(list: readonly Statement[]): number {
  let loads = 0;
  forEachNode(list.flatMap(rootsOf), (e) => {
    if (e.kind === "load") loads++;
  });
  return countOps(list) + loads + list.length;
}

/** Writes a nest as a function; undefined where it needs memory that invocations share. */
export function kernelFunction(
  name: string,
  kernel: NestKernel,
  launch: LaunchContext,
  invocations: number,
): KernelFunction | undefined {
  if (kernel.sequential) {
    const module = new ModuleBuilder(kernel.buffers, launch);
    const code = new Code();
    emitInOrder(kernel, module, code);
    return {
      ...module.finishFunction(name, { workgroupSize: invocations, groups: 1, body: code }),
      groups: 1,
      alone: true,
    };
  }
  const mapping: Mapping = {
    layout: "rows",
    slice: 1,
    group: invocations,
    lanes: 1,
    fours: new Set(),
    chunks: 1,
    chunkPoints: product(kernel.reduced),
    scan: false,
  };
  const placed = withRowBuffers(normalNest(kernel), mapping, launch);
  if (placed.keeps !== "private" && placed.keeps !== "again") return undefined;
  const shader = new Shader(placed.kernel, mapping, placed.keeps, launch, 1);
  const buffers = new RowBuffers(shader, 0);
  openRow(shader, 1, () => {
    buffers.declare();
    for (const { body, after } of placed.kernel.phases) {
      for (const [slot, part] of new Walk(shader, body, buffers).emit())
        setSlot(shader, slot, part, part.value, placed.kernel.slots[slot]!.running);
      emitStatements(shader, after, noWork, 1);
    }
  });
  const { groups, module, code } = shader;
  return { ...module.finishFunction(name, { workgroupSize: invocations, groups, body: code }), groups, alone: false };
}

/** A product as the nest of its definition. */
function nestOfDot({ name, type, buffers, batch, m, n, k, lhs, rhs, out, epilogue }: DotKernel): NestKernel {
  const axes = [...batch, m, n, k].map((extent, axis) => ix.axisIndex(axis, extent));
  const outer = axes.slice(0, batch.length);
  const [i, j, sum] = axes.slice(batch.length) as [ix.Index, ix.Index, ix.Index];
  const body: Statement = {
    kind: "accumulate",
    slot: 0,
    value: op("mul", [load(type, 0, placeOf(lhs, outer, i, sum)), load(type, 1, placeOf(rhs, outer, sum, j))]),
  };
  const store: Statement = { kind: "store", buffer: 2, index: placeOf(out, outer, i, j), value: slotRef(type, 0) };
  return {
    kind: "nest",
    name,
    buffers,
    parallel: [...batch, m, n],
    reduced: [k],
    sequential: false,
    slots: [{ type, initial: 0, combine: "add", running: false }],
    keeps: [],
    phases: [{ body: [body], after: epilogue ?? [store] }],
  };
}

function placeOf(layout: MatrixLayout, batch: readonly ix.Index[], row: ix.Index, col: ix.Index): ix.Index {
  const { digits } = layout;
  const at = digits
    ? ix.add(ofDigits(digits.rows, row), ofDigits(digits.cols, col))
    : ix.add(ix.scale(row, layout.row), ix.scale(col, layout.col));
  return ix.addConst(ix.add(ix.flatten(batch, layout.batch), at), layout.offset);
}

function ofDigits(digits: readonly Digit[], index: ix.Index): ix.Index {
  const parts = ix.unflatten(
    index,
    digits.map((d) => d.size),
  );
  return ix.flatten(
    parts,
    digits.map((d) => d.stride),
  );
}
