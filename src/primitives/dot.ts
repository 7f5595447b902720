import type { NDArray } from "../core/array.js";
import { type Aval, hostZeros, type HostArray, stridesOf } from "../core/aval.js";
import { type DType, dtypeInfo, isFloat, isNumeric } from "../core/dtype.js";
import { isLinear, type JvpResult, type Primitive, type Tangent } from "../core/primitive.js";
import { bind1 } from "../core/trace.js";
import { isZero, Zero } from "../core/zero.js";
import type { DotDims } from "../kernel-ir/lowering.js";
import { areAxes, list, requireArgument, requireDType, requireOneDType, requireShape } from "./checks.js";
import { addTangents, definePrimitive, ops, type PrimitiveDefinition } from "./define.js";

export type { DotDims } from "../kernel-ir/lowering.js";

/**
 * Contraction of two operands. Axes of the result: batch, then the free axes of the left operand, then those of the right one.
 * Floats are computed by dot kernels, integers (`integer_dot_general`) as a product and a sum, wrapping around.
 */
export const dotGeneralPrimitive: PrimitiveDefinition<DotDims> = definePrimitive<DotDims>({
  name: "dot_general",
  abstract: ([a, b], dims) => {
    requireDType(isFloat(a!.dtype), () => ({
      code: "dot-dtype",
      message: "dot_general contracts floats",
      operands: [
        ["lhs", a!],
        ["rhs", b!],
      ],
    }));
    return [dotAval(a!, b!, dims)];
  },
  evaluate: ([a, b], dims) => [contract(a!, b!, dims)],
  jvp: ([a, b], [da, db], dims) => dotJvp(dotGeneralPrimitive, [a!, b!], [da!, db!], dims),
  transpose: ([ct], [a, b], dims) => {
    const pull = (linear: Aval, other: NDArray, own: DotDims, swapped: boolean): Tangent =>
      isZero(ct) ? new Zero(linear) : transposed(ct!, linear, other, own, swapped);
    if (isLinear(a!)) return [pull(a.aval, b as NDArray, dims, false), null];
    return [null, pull(b!.aval, a!, swap(dims), true)];
  },
  batch: (_size, [a, b], [da, db], dims) => batchDot(dotGeneralPrimitive, [a!, b!], [da!, db!], dims),
  lower: { kind: "dot", dims: (dims) => dims },
  facts: { hazards: { nan: true }, cost: 64 },
});

export const integerDotPrimitive: PrimitiveDefinition<DotDims> = definePrimitive<DotDims>({
  name: "integer_dot_general",
  abstract: ([a, b], dims) => {
    requireDType(a!.dtype === "int32" || a!.dtype === "uint32", () => ({
      code: "dot-dtype",
      message: "dotGeneral contracts numbers",
      operands: [
        ["lhs", a!],
        ["rhs", b!],
      ],
      hint: "convert the operands with astype",
    }));
    return [dotAval(a!, b!, dims)];
  },
  evaluate: ([a, b], dims) => [contract(a!, b!, dims)],
  jvp: ([a, b], [da, db], dims) => dotJvp(integerDotPrimitive, [a!, b!], [da!, db!], dims),
  transpose: (_cts, inputs) => inputs.map((x) => (isLinear(x) ? new Zero(x.aval) : null)),
  batch: (_size, [a, b], [da, db], dims) => batchDot(integerDotPrimitive, [a!, b!], [da!, db!], dims),
  lower: { kind: "expand", expand: ([a, b], dims) => [multiplyAndSum(a!, b!, dims)] },
  facts: { cost: 64 },
});

/**
 * Contracts `a` and `b`. With `preferredElementType` the operands are converted to it first, so that it is the dtype in which
 * products are made and summed; floats are summed as floats, and the sums converted to an integer dtype.
 */
export function dotGeneral(a: NDArray, b: NDArray, dims: DotDims, preferredElementType?: DType): NDArray {
  if (preferredElementType !== undefined && preferredElementType !== a.dtype) {
    const narrower = dtypeInfo[preferredElementType].bytes < dtypeInfo[a.dtype].bytes;
    const numeric = isNumeric(preferredElementType) && isNumeric(a.dtype);
    requireDType(a.dtype === b.dtype && numeric && !narrower, () => ({
      code: "dot-preferred",
      message: `dotGeneral cannot accumulate in ${preferredElementType}`,
      operands: [
        ["lhs", a.aval],
        ["rhs", b.aval],
      ],
      hint: "the preferred dtype must hold the operands' values",
    }));
    const wide = (x: NDArray): NDArray => ops.convertElementType(x, preferredElementType);
    if (isFloat(a.dtype) && !isFloat(preferredElementType)) return wide(dotGeneral(a, b, dims));
    return dotGeneral(wide(a), wide(b), dims);
  }
  return bind1(isFloat(a.dtype) ? dotGeneralPrimitive : integerDotPrimitive, [a, b], dims);
}

function dotAval(a: Aval, b: Aval, d: DotDims): Aval {
  const operands = [
    ["lhs", a],
    ["rhs", b],
  ] as const;
  requireOneDType("dotGeneral", operands);
  for (const [name, x, contract, batch] of [
    ["lhs", a, d.lhsContract, d.lhsBatch],
    ["rhs", b, d.rhsContract, d.rhsBatch],
  ] as const) {
    requireArgument(areAxes([...batch, ...contract], x.shape.length), () => ({
      code: "axis-range",
      message: `dotGeneral: the ${name}'s batch axes ${list(batch)} and contracted axes ${list(contract)} are not distinct axes of it`,
      operands,
    }));
  }
  const pairs = (l: readonly number[], r: readonly number[]): boolean =>
    l.length === r.length && l.every((k, i) => a.shape[k] === b.shape[r[i]!]);
  requireShape(pairs(d.lhsContract, d.rhsContract), () => ({
    code: "dot-contract",
    message: `dotGeneral: contracted axes must have equal lengths; lhs axes ${list(d.lhsContract)} meet rhs axes ${list(d.rhsContract)}`,
    operands,
  }));
  requireShape(pairs(d.lhsBatch, d.rhsBatch), () => ({
    code: "dot-batch",
    message: `dotGeneral: batch axes must have equal lengths; lhs axes ${list(d.lhsBatch)} meet rhs axes ${list(d.rhsBatch)}`,
    operands,
  }));
  const shape = [
    ...d.lhsBatch.map((k) => a.shape[k]!),
    ...free(a.shape.length, d.lhsBatch, d.lhsContract).map((k) => a.shape[k]!),
    ...free(b.shape.length, d.rhsBatch, d.rhsContract).map((k) => b.shape[k]!),
  ];
  return { shape, dtype: a.dtype, weakType: a.weakType && b.weakType };
}

/** Axes that are neither batch nor contracted, in order. */
const free = (ndim: number, batch: readonly number[], contract: readonly number[]): number[] =>
  Array.from({ length: ndim }, (_, k) => k).filter((k) => !batch.includes(k) && !contract.includes(k));

const swap = (d: DotDims): DotDims => ({
  lhsContract: d.rhsContract,
  rhsContract: d.lhsContract,
  lhsBatch: d.rhsBatch,
  rhsBatch: d.lhsBatch,
});

/** Plain contraction: floats are summed in float64 and rounded once, integers wrap around at every step. */
function contract(a: HostArray, b: HostArray, d: DotDims): HostArray {
  const out = hostZeros(dotAval(a.aval, b.aval, d));
  const offsets = (x: HostArray, axes: readonly number[]): number[] => {
    const strides = stridesOf(x.aval.shape);
    let all = [0];
    for (const k of axes)
      all = all.flatMap((o) => Array.from({ length: x.aval.shape[k]! }, (_, i) => o + i * strides[k]!));
    return all;
  };
  const aFree = offsets(a, free(a.aval.shape.length, d.lhsBatch, d.lhsContract));
  const bFree = offsets(b, free(b.aval.shape.length, d.rhsBatch, d.rhsContract));
  const aContract = offsets(a, d.lhsContract);
  const bContract = offsets(b, d.rhsContract);
  const bBatch = offsets(b, d.rhsBatch);
  const float = isFloat(a.aval.dtype);
  let o = 0;
  offsets(a, d.lhsBatch).forEach((aBase, batch) => {
    for (const m of aFree) {
      for (const n of bFree) {
        let sum = 0;
        for (let k = 0; k < aContract.length; k++) {
          const x = a.data[aBase + m + aContract[k]!]!;
          const y = b.data[bBatch[batch]! + n + bContract[k]!]!;
          sum = float ? sum + x * y : (sum + Math.imul(x, y)) | 0;
        }
        out.data[o++] = sum;
      }
    }
  });
  return out;
}

function dotJvp(
  p: Primitive<DotDims>,
  [a, b]: readonly [NDArray, NDArray],
  [da, db]: readonly [Tangent, Tangent],
  dims: DotDims,
): JvpResult {
  const y = bind1(p, [a, b], dims);
  const left = isZero(da) ? new Zero(y.aval) : bind1(p, [da, b], dims);
  const right = isZero(db) ? new Zero(y.aval) : bind1(p, [a, db], dims);
  return { outs: [y], tangents: [addTangents(left, right)] };
}

/** Cotangent of the linear operand `x`: the result's cotangent contracted with the other operand, its axes put in x's order. */
function transposed(ct: NDArray, x: Aval, y: NDArray, d: DotDims, swapped: boolean): NDArray {
  const xFree = free(x.shape.length, d.lhsBatch, d.lhsContract);
  const yFree = free(y.ndim, d.rhsBatch, d.rhsContract);
  const nBatch = d.lhsBatch.length;
  const range = (from: number, n: number): number[] => Array.from({ length: n }, (_, i) => from + i);
  // free axes of y within the cotangent: after x's, or before them where x was the right operand
  const ctContract = range(nBatch + (swapped ? 0 : xFree.length), yFree.length);
  const byY = range(0, d.rhsContract.length).sort((i, j) => d.rhsContract[i]! - d.rhsContract[j]!);
  const contracted = byY.map((i) => d.lhsContract[i]!);
  const batch = range(0, nBatch);
  // the order of the operands decides whether x's free or contracted axes come first: the one that needs no transpose
  const yFirst = [...d.lhsBatch, ...contracted, ...xFree];
  if (yFirst.every((axis, k) => axis === k)) {
    return dotGeneral(y, ct, { lhsContract: yFree, rhsContract: ctContract, lhsBatch: d.rhsBatch, rhsBatch: batch });
  }
  const product = dotGeneral(ct, y, {
    lhsContract: ctContract,
    rhsContract: yFree,
    lhsBatch: batch,
    rhsBatch: d.rhsBatch,
  });
  const order = [...d.lhsBatch, ...xFree, ...contracted];
  return ops.transpose(
    product,
    range(0, order.length).map((k) => order.indexOf(k)),
  );
}

function batchDot(
  p: Primitive<DotDims>,
  [a, b]: readonly [NDArray, NDArray],
  [da, db]: readonly [number | null, number | null],
  d: DotDims,
) {
  const shift = (axes: readonly number[], dim: number | null): number[] =>
    axes.map((k) => (dim !== null && k >= dim ? k + 1 : k));
  const moved: DotDims = {
    lhsContract: shift(d.lhsContract, da),
    rhsContract: shift(d.rhsContract, db),
    lhsBatch: shift(d.lhsBatch, da),
    rhsBatch: shift(d.rhsBatch, db),
  };
  if (da !== null && db !== null) {
    return {
      outs: [bind1(p, [a, b], { ...moved, lhsBatch: [da, ...moved.lhsBatch], rhsBatch: [db, ...moved.rhsBatch] })],
      dims: [0],
    };
  }
  // the batch axis is a free one of its operand: it comes out where it stands among those
  const aFree = free(a.ndim, moved.lhsBatch, moved.lhsContract);
  const bFree = free(b.ndim, moved.rhsBatch, moved.rhsContract);
  const dim = moved.lhsBatch.length + (da !== null ? aFree.indexOf(da) : aFree.length + bFree.indexOf(db!));
  return { outs: [bind1(p, [a, b], moved)], dims: [dim] };
}

/** Both operands spread over batch, free and contracted axes, multiplied, and summed over the contracted ones. */
function multiplyAndSum(a: NDArray, b: NDArray, d: DotDims): NDArray {
  const aFree = free(a.ndim, d.lhsBatch, d.lhsContract);
  const bFree = free(b.ndim, d.rhsBatch, d.rhsContract);
  const ofA = (axes: readonly number[]): number[] => axes.map((k) => a.shape[k]!);
  const ofB = (axes: readonly number[]): number[] => axes.map((k) => b.shape[k]!);
  const shape = [...ofA(d.lhsBatch), ...ofA(aFree), ...ofB(bFree), ...ofA(d.lhsContract)];
  const nBatch = d.lhsBatch.length;
  const every = shape.map((_, k) => k);
  const ofLeft = every.slice(nBatch, nBatch + aFree.length);
  const ofRight = every.slice(nBatch + aFree.length, nBatch + aFree.length + bFree.length);
  const left = ops.transpose(a, [...d.lhsBatch, ...aFree, ...d.lhsContract]);
  const right = ops.transpose(b, [...d.rhsBatch, ...bFree, ...d.rhsContract]);
  const product = ops.mul(
    ops.broadcastInDim(
      left,
      shape,
      every.filter((k) => !ofRight.includes(k)),
    ),
    ops.broadcastInDim(
      right,
      shape,
      every.filter((k) => !ofLeft.includes(k)),
    ),
  );
  return ops.reduceSum(product, every.slice(shape.length - d.lhsContract.length));
}
