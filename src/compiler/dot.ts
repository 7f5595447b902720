import { sizeOf, stridesOf } from "../core/aval.js";
import { InternalError } from "../core/errors.js";
import type { DeviceTraits } from "../kernel-ir/backend.js";
import { elementType } from "../kernel-ir/element-type.js";
import * as ix from "../kernel-ir/index-expr.js";
import type { Digit, DotKernel, MatrixLayout } from "../kernel-ir/kernel.js";
import type { DotDims, DotLowering } from "../kernel-ir/lowering.js";
import { constant } from "../kernel-ir/scalar.js";
import { applyElement, elementOf, flatIndex } from "./elements.js";
import { clusterName, type Epilogue, epilogueParts } from "./epilogue.js";
import type { OpaqueGroup } from "./fuse.js";
import { type Op, type Operand, packOf, physicalSize, type Value } from "./graph.js";
import { bufferArg, type KernelLaunch, MemoryReader, storeKernel } from "./opaque.js";

/** A matrix operand of a contraction: where its elements lie, and the launches that put them there if a copy was needed. */
interface MatrixOperand {
  readonly value: Value;
  readonly layout: MatrixLayout;
}

/** Axes of an operand in the order batch, rows, columns (for the left operand rows are free, columns contracted). */
interface AxisRoles {
  readonly batch: readonly number[];
  readonly rows: readonly number[];
  readonly cols: readonly number[];
}

const without = (ndim: number, ...lists: readonly (readonly number[])[]): number[] =>
  Array.from({ length: ndim }, (_, k) => k).filter((k) => !lists.some((l) => l.includes(k)));

/** How a contraction is a product of matrices. */
interface Product {
  readonly lhs: AxisRoles;
  readonly rhs: AxisRoles;
  readonly batch: readonly number[];
  readonly m: number;
  readonly n: number;
  readonly k: number;
}

function productOf(op: Op): Product {
  const [sa, sb] = op.inputs.map((x) => x.aval.shape) as [readonly number[], readonly number[]];
  const dims: DotDims = (op.lower as DotLowering<never>).dims(op.params);
  const lhs: AxisRoles = {
    batch: dims.lhsBatch,
    rows: without(sa.length, dims.lhsBatch, dims.lhsContract),
    cols: dims.lhsContract,
  };
  const rhs: AxisRoles = {
    batch: dims.rhsBatch,
    rows: dims.rhsContract,
    cols: without(sb.length, dims.rhsBatch, dims.rhsContract),
  };
  return {
    lhs,
    rhs,
    batch: dims.lhsBatch.map((d) => sa[d]!),
    m: sizeOf(lhs.rows.map((d) => sa[d]!)),
    n: sizeOf(rhs.cols.map((d) => sb[d]!)),
    k: sizeOf(dims.lhsContract.map((d) => sa[d]!)),
  };
}

/** The domain of a product's sums, without axes of length 1: batch axes, rows, columns. Undefined where nothing is summed. */
export function productDims(op: Op): number[] | undefined {
  if (op.lower.kind !== "dot") return undefined;
  const { batch, m, n, k } = productOf(op);
  return sizeOf([...batch, m, n]) * k === 0 ? undefined : [...batch, m, n].filter((d) => d !== 1);
}

/**
 * The launches of a contraction: copies of operands whose layout no strides describe, then the product, with what follows it
 * where one kernel can do both.
 */
export function dotKernels(group: OpaqueGroup, traits: DeviceTraits): KernelLaunch[] {
  const { op } = group;
  const out = op.outs[0]!;
  if (sizeOf(out.aval.shape) === 0) return [];
  const type = elementType(out.aval);
  if (type !== "f32" && type !== "f64") throw new InternalError(`a dot of ${out.aval.dtype} was not expanded`);
  const { lhs: lhsRoles, rhs: rhsRoles, batch, m, n, k } = productOf(op);
  if (k === 0) {
    const zeros = storeKernel(op.name, out, out.aval.shape, (_, index) => ({
      index: flatIndex(out, index),
      value: constant(type, 0),
    }));
    return zeros ? [zeros] : [];
  }
  const launches: KernelLaunch[] = [];
  const [lhs, rhs] = [lhsRoles, rhsRoles].map((roles, i) => {
    const x = group.operands[i]!;
    return x === op.inputs[i] ? matrixOperand(x, roles, type, traits, launches) : packed(x as Value, roles);
  }) as [MatrixOperand, MatrixOperand];
  const operands = [bufferArg(lhs.value, "read"), bufferArg(rhs.value, "read")];
  const product = {
    kind: "dot",
    type,
    batch,
    m,
    n,
    k,
    lhs: lhs.layout,
    rhs: rhs.layout,
    out: { offset: 0, batch: stridesOf([...batch, m * n]).slice(0, batch.length), row: n, col: 1 },
  } as const;
  const parts = group.epilogue && epilogueParts(group.epilogue, [...batch, m, n], traits);
  const then = parts?.epilogue;
  const moved = then && layoutOf(then, batch.length);
  const kernel: DotKernel = {
    ...product,
    name: then && !moved ? clusterName(group.epilogue!) : op.name,
    buffers: [...operands, ...(then ? then.buffers : [bufferArg(out, "write")])],
    ...(moved ? { out: moved } : then && { epilogue: then.statements }),
  };
  launches.push({ kernel, args: [lhs.value, rhs.value, ...(then ? then.args : [out])] });
  if (parts?.after) launches.push(parts.after);
  return launches;
}

/** The layout of sums that are stored as they are, at places that strides describe. */
function layoutOf({ statements }: Epilogue, numBatch: number): MatrixLayout | undefined {
  const [s, ...more] = statements;
  if (s?.kind !== "store" || s.value.kind !== "slot" || more.length > 0) return undefined;
  const { index } = s;
  if (index.terms.some((t) => t.atom.kind !== "axis")) return undefined;
  const stride = (k: number): number => ix.coefficient(index, k) ?? 0;
  const batch = Array.from({ length: numBatch }, (_, k) => stride(k));
  return { offset: index.base, batch, row: stride(numBatch), col: stride(numBatch + 1) };
}

/** The order of axes in which an operand has to be copied for a product; undefined where it can be read where it lies. */
export function packOrder(op: Op, operand: number, byDigits = false): readonly number[] | undefined {
  const x = op.inputs[operand]!;
  const product = productOf(op);
  const roles = operand === 0 ? product.lhs : product.rhs;
  const out = op.outs[0]!.aval;
  if (sizeOf(out.shape) * product.k === 0) return undefined;
  const isDirect = elementType(x.aval) === elementType(out) && stridedLayout(x, roles, byDigits);
  return isDirect ? undefined : orderOf(roles);
}

const orderOf = (roles: AxisRoles): number[] => [...roles.batch, ...roles.rows, ...roles.cols];

function matrixOperand(
  x: Operand,
  roles: AxisRoles,
  type: "f32" | "f64",
  traits: DeviceTraits,
  launches: KernelLaunch[],
): MatrixOperand {
  const direct = elementType(x.aval) === type ? stridedLayout(x, roles, traits.dotDigits) : undefined;
  if (direct) return direct;
  // a copy in the order batch, rows, columns, converted to the type of the product
  const copy = packOf(x, orderOf(roles), type === "f32" ? "float32" : "float64");
  copy.stored = true;
  const { shape } = copy.aval;
  const launch = storeKernel("pack", copy, shape, (reader, index) => ({
    index: ix.flatten(index, stridesOf(shape)),
    value: applyElement(copy, index, reader),
  }));
  if (launch) launches.push(launch);
  return packed(copy, roles);
}

/** An operand that lies as its roles say: batch axes, then rows, then columns, each row-major. */
function packed(value: Value, roles: AxisRoles): MatrixOperand {
  const { shape } = value.aval;
  const numBatch = roles.batch.length;
  const batch = shape.slice(0, numBatch);
  const rows = sizeOf(shape.slice(numBatch, numBatch + roles.rows.length));
  const cols = sizeOf(shape.slice(numBatch + roles.rows.length));
  return {
    value,
    layout: { offset: 0, batch: stridesOf([...batch, rows * cols]).slice(0, batch.length), row: cols, col: 1 },
  };
}

/**
 * The layout of an operand that is a stored value seen through affine views; undefined where no strides describe it. Where the
 * device reads by digits, so is one that is larger than the value (windows of images): a copy would be.
 */
function stridedLayout(x: Operand, roles: AxisRoles, byDigits = false): MatrixOperand | undefined {
  const { shape } = x.aval;
  if (sizeOf(shape) === 0) return undefined;
  const reader = new MemoryReader();
  const element = elementOf(
    x,
    shape.map((n, k) => ix.axisIndex(k, n)),
    reader,
  );
  if (element.kind !== "load") return undefined;
  const { index } = element;
  if (index.terms.some((t) => t.atom.kind !== "axis")) return undefined;
  const stride = (k: number): number => ix.coefficient(index, k) ?? 0;
  const row = collapse(roles.rows, shape, stride);
  const col = collapse(roles.cols, shape, stride);
  const value = reader.values[element.buffer]!;
  const place = { offset: index.base, batch: roles.batch.map(stride) };
  if (row !== undefined && col !== undefined) return { value, layout: { ...place, row, col } };
  if (!byDigits || sizeOf(shape) <= physicalSize(value.aval)) return undefined;
  const digits = { rows: digitsOf(roles.rows, shape, stride), cols: digitsOf(roles.cols, shape, stride) };
  return { value, layout: { ...place, row: 0, col: 0, digits } };
}

/** Axes taken as one index, the last fastest: neighbours that one stride describes are one digit. */
function digitsOf(axes: readonly number[], shape: readonly number[], stride: (k: number) => number): Digit[] {
  const digits: Digit[] = [];
  for (const k of axes) {
    const [size, own, last] = [shape[k]!, stride(k), digits.at(-1)];
    if (size === 1) continue;
    if (last?.stride === size * own) digits[digits.length - 1] = { size: last.size * size, stride: own };
    else digits.push({ size, stride: own });
  }
  return digits;
}

/** The one stride of several axes taken as one, the last fastest; undefined where they do not lie so. */
function collapse(
  axes: readonly number[],
  shape: readonly number[],
  stride: (k: number) => number,
): number | undefined {
  const real = axes.filter((k) => shape[k] !== 1);
  const last = real.at(-1);
  if (last === undefined) return 1;
  for (let i = 0; i + 1 < real.length; i++) {
    if (stride(real[i]!) !== shape[real[i + 1]!]! * stride(real[i + 1]!)) return undefined;
  }
  return stride(last);
}
