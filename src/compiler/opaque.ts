import { sizeOf } from "../core/aval.js";
import { InternalError } from "../core/errors.js";
import { Literal } from "../core/jaxpr.js";
import { elementType } from "../kernel-ir/element-type.js";
import * as ix from "../kernel-ir/index-expr.js";
import type { Index } from "../kernel-ir/index-expr.js";
import type { BufferArg, Kernel, NestKernel, Slot, SortKernel } from "../kernel-ir/kernel.js";
import type { ScanLowering, ScatterLowering, SortLowering } from "../kernel-ir/lowering.js";
import { type Expr, load, slotRef } from "../kernel-ir/scalar.js";
import { simplify } from "../kernel-ir/rewrite.js";
import { elementOf, flatIndex, type Reader, reshapedFrom, ruleOperand } from "./elements.js";
import type { OpaqueGroup } from "./fuse.js";
import type { Value } from "./graph.js";
import { physicalShape, physicalSize } from "./graph.js";

/** A launch of any kernel, with the values that its buffers are. */
export interface KernelLaunch {
  readonly kernel: Kernel;
  readonly args: readonly Value[];
}

/** Loads everything that is not free from memory, and numbers the buffers. */
export class MemoryReader implements Reader {
  readonly values: Value[] = [];

  readFlat(value: Value, flat: Index): Expr {
    return load(elementType(value.aval), this.bufferOf(value), flat);
  }
  bufferOf(value: Value): number {
    const k = this.values.indexOf(value);
    return k >= 0 ? k : this.values.push(value) - 1;
  }
  readBuffers(): BufferArg[] {
    return this.values.map((v) => bufferArg(v, "read"));
  }
}

export const bufferArg = (v: Value, access: BufferArg["access"]): BufferArg => ({
  type: elementType(v.aval),
  access,
  length: physicalSize(v.aval),
});

export const axesOf = (shape: readonly number[]): Index[] => shape.map((n, k) => ix.axisIndex(k, n));

/** A nest without reductions that stores one value an element of `shape`; undefined for empty domains. */
export function storeKernel(
  name: string,
  out: Value,
  shape: readonly number[],
  build: (reader: Reader, index: readonly Index[]) => { readonly index: Index; readonly value: Expr },
): KernelLaunch | undefined {
  if (sizeOf(shape) === 0) return undefined;
  const reader = new MemoryReader();
  const { index, value } = build(reader, axesOf(shape));
  const kernel: NestKernel = {
    kind: "nest",
    name,
    buffers: [...reader.readBuffers(), bufferArg(out, "write")],
    parallel: shape,
    reduced: [],
    sequential: false,
    slots: [],
    keeps: [],
    phases: [{ body: [{ kind: "store", buffer: reader.values.length, index, value: simplify(value) }], after: [] }],
  };
  return { kernel, args: [...reader.values, out] };
}

/** A running reduction along one axis: rows in parallel, the axis in order. */
export function scanKernel(group: OpaqueGroup): KernelLaunch | undefined {
  const { op } = group;
  const out = op.outs[0]!;
  const operand = op.inputs[0]!;
  const { axis, reverse, combine, initial } = (op.lower as ScanLowering<never>).scan(op.params, operand.aval);
  const shape = out.aval.shape;
  if (sizeOf(shape) === 0) return undefined;
  const parallel = shape.filter((_, k) => k !== axis);
  const n = shape[axis]!;
  let next = 0;
  const along = ix.axisIndex(parallel.length, n);
  const index = shape.map((d, k) =>
    k !== axis ? ix.axisIndex(next++, d) : reverse ? ix.addConst(ix.scale(along, -1), n - 1) : along,
  );
  const reader = new MemoryReader();
  const value = elementOf(operand, index, reader);
  const type = elementType(out.aval);
  const slot: Slot = { type, initial, combine, running: true };
  const kernel: NestKernel = {
    kind: "nest",
    name: op.name,
    buffers: [...reader.readBuffers(), bufferArg(out, "write")],
    parallel,
    reduced: [n],
    sequential: false,
    slots: [slot],
    keeps: [],
    phases: [
      {
        body: [
          { kind: "accumulate", slot: 0, value: simplify(value) },
          { kind: "store", buffer: reader.values.length, index: flatIndex(out, index), value: slotRef(type, 0) },
        ],
        after: [],
      },
    ],
  };
  return { kernel, args: [...reader.values, out] };
}

export interface ScatterKernels {
  /** What the result begins as: a value that lies in memory, or what writes the operand's elements. */
  readonly begin: Value | KernelLaunch | undefined;
  /** Combines the updates in, one after another. */
  readonly update: KernelLaunch | undefined;
}

export function scatterKernels(group: OpaqueGroup): ScatterKernels {
  const { op } = group;
  const out = op.outs[0]!;
  const operand = op.inputs[0]!;
  const root = operand instanceof Literal ? operand : reshapedFrom(operand);
  const begin =
    root instanceof Literal || root.free
      ? storeKernel(op.name, out, physicalShape(out.aval), (reader, index) => ({
          index: flatIndex(out, index),
          value: elementOf(operand, index, reader),
        }))
      : sizeOf(physicalShape(out.aval)) > 0
        ? root
        : undefined;
  const reader = new MemoryReader();
  const word = out.aval.dtype === "key" ? [2] : [];
  const plain = group.operands.map((x) => ruleOperand(x, reader));
  const shapeOf = (op.lower as ScatterLowering<never>).scatter(plain, op.params, out.aval).updates;
  const domain = [...shapeOf, ...word];
  if (!begin || sizeOf(domain) === 0) return { begin, update: undefined };
  const axes = axesOf(domain);
  const last = word.length > 0 ? axes.at(-1) : undefined;
  const u = last ? axes.slice(0, -1) : axes;
  const operands = plain.map((o) =>
    last && o.aval.dtype === "key" ? { ...o, at: (i: readonly Index[]) => o.at([...i, last]) } : o,
  );
  const rule = (op.lower as ScatterLowering<never>).scatter(operands, op.params, out.aval);
  const place = rule.place(u);
  const value = rule.value(u);
  const when = rule.when(u);
  const buffer = reader.values.length;
  const kernel: NestKernel = {
    kind: "nest",
    name: op.name,
    buffers: [...reader.readBuffers(), bufferArg(out, "readwrite")],
    parallel: domain,
    reduced: [],
    sequential: true,
    ...(rule.unique ? { unique: true } : {}),
    slots: [],
    keeps: [],
    phases: [
      {
        body: [
          {
            kind: "update",
            buffer,
            index: flatIndex(out, last ? [...place, last] : place),
            value,
            combine: rule.combine,
            when,
          },
        ],
        after: [],
      },
    ],
  };
  return { begin, update: { kernel, args: [...reader.values, out] } };
}

export function sortKernel(group: OpaqueGroup): KernelLaunch | undefined {
  const { op } = group;
  const rule = (op.lower as SortLowering<never>).sort(op.params);
  const { axis, numKeys, descending = false } = rule;
  const { shape } = op.inputs[0]!.aval;
  const { count = shape[axis]! } = rule;
  if (sizeOf(op.outs[0]!.aval.shape) === 0) return undefined;
  const inputs = group.operands as readonly Value[];
  if (op.outs.some((v) => v.aval.dtype === "key")) throw new InternalError("keys cannot be sorted");
  const kernel: SortKernel = {
    kind: "sort",
    name: op.name,
    buffers: [...inputs.map((v) => bufferArg(v, "read")), ...op.outs.map((v) => bufferArg(v, "write"))],
    operands: inputs.length,
    numKeys,
    outer: sizeOf(shape.slice(0, axis)),
    n: shape[axis]!,
    inner: sizeOf(shape.slice(axis + 1)),
    descending,
    count,
  };
  return { kernel, args: [...inputs, ...op.outs] };
}
