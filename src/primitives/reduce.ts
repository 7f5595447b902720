import type { NDArray } from "../core/array.js";
import { type Aval, type HostArray, hostZeros, type Shape, sizeOf, stridesOf } from "../core/aval.js";
import { type DType, isFloat, isInteger } from "../core/dtype.js";
import type { BatchResult, JvpResult, Primitive, Tangent } from "../core/primitive.js";
import { bind1 } from "../core/trace.js";
import { isZero, Zero } from "../core/zero.js";
import type { ReduceLowering } from "../kernel-ir/lowering.js";
import type { CombineOp } from "../kernel-ir/scalar.js";
import { areAxes, list, requireArgument } from "./checks.js";
import { full, ops } from "./define.js";
import { type Accepts, bitwise, extremeOf, numeric, ordered, requireAccepted } from "./elementwise/operands.js";
import { nonlinear, zeroJvp } from "./elementwise/rules.js";
import { reduceExtents } from "./extents.js";
import { linearJvp, linearTranspose } from "./linear-rules.js";
import { definePrimitive, type PrimitiveDefinition } from "./table.js";

export interface ReduceParams {
  /** The axes that vanish; non-negative, distinct. */
  readonly axes: readonly number[];
}

const without = (shape: Shape, axes: readonly number[]): number[] => shape.filter((_, k) => !axes.includes(k));
const rest = (ndim: number, axes: readonly number[]): number[] =>
  Array.from({ length: ndim }, (_, k) => k).filter((k) => !axes.includes(k));

/** Abstract rule: the axes vanish, the dtype stays. */
function reduced(op: string, what: Accepts, keepsWeak = true) {
  return ([x]: readonly Aval[], { axes }: ReduceParams): readonly Aval[] => {
    requireAccepted(op, [x!], 0, what);
    requireArgument(areAxes(axes, x!.shape.length), () => ({
      code: "axis-range",
      message: `${op}: ${list(axes)} are not distinct axes of the operand`,
      operands: [["operand", x!]],
      hint: "axes of primitives are non-negative; np functions take negative ones",
    }));
    return [{ shape: without(x!.shape, axes), dtype: x!.dtype, weakType: keepsWeak && x!.weakType }];
  };
}

/** Folds the elements along the axes in float64 (or in the integer type), starting from `initial`. */
function foldHost(initial: (dtype: DType) => number, combine: (dtype: DType) => (acc: number, x: number) => number) {
  return ([x]: readonly HostArray[], { axes }: ReduceParams): readonly HostArray[] => {
    const { shape, dtype } = x!.aval;
    const out = hostZeros({ shape: without(shape, axes), dtype, weakType: false });
    const sums = isFloat(dtype) ? new Float64Array(out.data.length) : out.data;
    sums.fill(initial(dtype));
    const f = combine(dtype);
    forEachTarget(shape, axes, (source, target) => (sums[target] = f(sums[target]!, x!.data[source]!)));
    out.data.set(sums);
    return [out];
  };
}

/** Calls `body` with the flat index of every element, in row-major order, and that of the result it belongs to. */
function forEachTarget(shape: Shape, axes: readonly number[], body: (source: number, target: number) => void): void {
  const outStrides = stridesOf(without(shape, axes));
  let next = 0;
  const strides = shape.map((_, k) => (axes.includes(k) ? 0 : outStrides[next++]!));
  const size = sizeOf(shape);
  const index = new Array<number>(shape.length).fill(0);
  for (let source = 0, target = 0; source < size; source++) {
    body(source, target);
    for (let k = shape.length - 1; k >= 0; k--) {
      target += strides[k]!;
      if (++index[k]! < shape[k]!) break;
      target -= strides[k]! * shape[k]!;
      index[k] = 0;
    }
  }
}

/** Batching rule: the batch axis is one more axis that stays. */
function reduceBatch(primitive: () => Primitive<ReduceParams>) {
  return (_: number, [x]: readonly NDArray[], [d]: readonly (number | null)[], { axes }: ReduceParams): BatchResult => {
    const moved = axes.map((a) => (a >= d! ? a + 1 : a));
    return { outs: [bind1(primitive(), [x!], { axes: moved })], dims: [d! - moved.filter((a) => a < d!).length] };
  };
}

/** Lowering by a combiner; booleans have their own. */
function fold(
  combine: CombineOp,
  ofBooleans: CombineOp,
  initial: (dtype: DType) => number,
): ReduceLowering<ReduceParams> {
  return {
    kind: "reduce",
    reduce: ({ axes }, { dtype }) => ({
      axes,
      combine: dtype === "bool" ? ofBooleans : combine,
      initial: initial(dtype),
    }),
  };
}

/** A result of a reduction repeated along the axes that it lost. */
const spread = (y: NDArray, shape: Shape, axes: readonly number[]): NDArray =>
  ops.broadcastInDim(y, shape, rest(shape.length, axes));

export const reduceSumPrimitive: PrimitiveDefinition<ReduceParams> = definePrimitive<ReduceParams>({
  name: "reduce_sum",
  abstract: reduced("reduceSum", numeric),
  evaluate: foldHost(
    () => 0,
    () => (acc, x) => acc + x,
  ),
  jvp: linearJvp((x, { axes }) => reduceSum(x, axes)),
  transpose: linearTranspose((ct, x, { axes }) => spread(ct, x.shape, axes)),
  batch: reduceBatch(() => reduceSumPrimitive),
  lower: fold("add", "or", () => 0),
  facts: {
    hazards: { nan: true },
    extents: reduceExtents,
    simplify: ({ axes }) => (axes.length === 0 ? { same: 0 } : null),
  },
});
/** Sum along axes. Booleans are refused: convert them to say what their sum is. */
export const reduceSum = (x: NDArray, axes: readonly number[]): NDArray => bind1(reduceSumPrimitive, [x], { axes });

/**
 * Derivative of a product: halves are multiplied pairwise, values along with tangents, so that nothing is divided by and
 * derivatives of any order are right where elements are 0.
 */
function prodJvp([x]: readonly NDArray[], [t]: readonly Tangent[], { axes }: ReduceParams): JvpResult {
  const out = reduceProd(x!, axes);
  if (isZero(t) || !isFloat(out.dtype)) return { outs: [out], tangents: [new Zero(out.aval)] };
  const kept = rest(x!.shape.length, axes);
  const lengths = [sizeOf(axes.map((a) => x!.shape[a]!)), ...kept.map((k) => x!.shape[k]!)];
  const flat = (y: NDArray): NDArray => ops.reshape(ops.transpose(y, [...axes, ...kept]), lengths);
  let [value, tangent] = [flat(x!), flat(t!)];
  if (lengths[0] === 0) return { outs: [out], tangents: [new Zero(out.aval)] };
  while (value.shape[0]! > 1) {
    const n = value.shape[0]!;
    const half = Math.ceil(n / 2);
    const [head, tail] = [take(value, 0, half), withOneMore(take(value, half, n), 1, half)];
    const [dHead, dTail] = [take(tangent, 0, half), withOneMore(take(tangent, half, n), 0, half)];
    value = ops.mul(head, tail);
    tangent = ops.add(ops.mul(dHead, tail), ops.mul(head, dTail));
  }
  return { outs: [out], tangents: [ops.reshape(tangent, out.shape)] };
}

/** Elements [from, to) along the first axis. */
const take = (x: NDArray, from: number, to: number): NDArray =>
  ops.slice(
    x,
    x.shape.map((_, k) => (k === 0 ? from : 0)),
    x.shape.map((n, k) => (k === 0 ? to : n)),
  );

/** `x` lengthened by `value` to `length` along the first axis. */
function withOneMore(x: NDArray, value: number, length: number): NDArray {
  if (x.shape[0] === length) return x;
  return ops.pad(
    x,
    full(value, { shape: [], dtype: x.dtype, weakType: false }),
    x.shape.map((n, k) => [0, k === 0 ? length - n : 0, 0] as const),
  );
}

export const reduceProdPrimitive: PrimitiveDefinition<ReduceParams> = definePrimitive<ReduceParams>({
  name: "reduce_prod",
  abstract: reduced("reduceProd", numeric),
  evaluate: foldHost(
    () => 1,
    (dtype) => (isFloat(dtype) ? (acc, x) => acc * x : Math.imul),
  ),
  jvp: prodJvp,
  transpose: nonlinear,
  batch: reduceBatch(() => reduceProdPrimitive),
  lower: fold("mul", "and", () => 1),
  facts: {
    hazards: { nan: true },
    extents: reduceExtents,
    simplify: ({ axes }) => (axes.length === 0 ? { same: 0 } : null),
  },
});
/** Product along axes; 1 for none. */
export const reduceProd = (x: NDArray, axes: readonly number[]): NDArray => bind1(reduceProdPrimitive, [x], { axes });

/** Derivative of an extreme: shared equally by all elements that attain it. */
function extremeJvp(primitive: () => Primitive<ReduceParams>) {
  return ([x]: readonly NDArray[], [t]: readonly Tangent[], { axes }: ReduceParams): JvpResult => {
    const out = bind1(primitive(), [x!], { axes });
    if (isZero(t) || !isFloat(out.dtype)) return { outs: [out], tangents: [new Zero(out.aval)] };
    const attained = ops.convertElementType(ops.eq(x!, spread(out, x!.shape, axes)), t!.dtype);
    const count = reduceSum(attained, axes);
    return { outs: [out], tangents: [ops.div(reduceSum(ops.mul(t!, attained), axes), count)] };
  };
}

export const reduceMaxPrimitive: PrimitiveDefinition<ReduceParams> = definePrimitive<ReduceParams>({
  name: "reduce_max",
  abstract: reduced("reduceMax", ordered),
  evaluate: foldHost(
    (dtype) => extremeOf(dtype, false),
    () => Math.max,
  ),
  jvp: extremeJvp(() => reduceMaxPrimitive),
  transpose: nonlinear,
  batch: reduceBatch(() => reduceMaxPrimitive),
  lower: fold("max", "or", (dtype) => extremeOf(dtype, false)),
  facts: { extents: reduceExtents, simplify: ({ axes }) => (axes.length === 0 ? { same: 0 } : null) },
});
/** Maximum along axes; NaN if one is; the least value of the dtype for none. Ties share the derivative. */
export const reduceMax = (x: NDArray, axes: readonly number[]): NDArray => bind1(reduceMaxPrimitive, [x], { axes });

export const reduceMinPrimitive: PrimitiveDefinition<ReduceParams> = definePrimitive<ReduceParams>({
  name: "reduce_min",
  abstract: reduced("reduceMin", ordered),
  evaluate: foldHost(
    (dtype) => extremeOf(dtype, true),
    () => Math.min,
  ),
  jvp: extremeJvp(() => reduceMinPrimitive),
  transpose: nonlinear,
  batch: reduceBatch(() => reduceMinPrimitive),
  lower: fold("min", "and", (dtype) => extremeOf(dtype, true)),
  facts: { extents: reduceExtents, simplify: ({ axes }) => (axes.length === 0 ? { same: 0 } : null) },
});
/** Minimum along axes; NaN if one is; the largest value of the dtype for none. Ties share the derivative. */
export const reduceMin = (x: NDArray, axes: readonly number[]): NDArray => bind1(reduceMinPrimitive, [x], { axes });

/** A value with all bits set. */
const allOnes = (dtype: DType): number => (dtype === "bool" ? 1 : dtype === "uint32" ? 4294967295 : -1);

export const reduceAndPrimitive: PrimitiveDefinition<ReduceParams> = definePrimitive<ReduceParams>({
  name: "reduce_and",
  abstract: reduced("reduceAnd", bitwise, false),
  evaluate: foldHost(allOnes, () => (acc, x) => acc & x),
  jvp: zeroJvp(() => reduceAndPrimitive),
  transpose: nonlinear,
  batch: reduceBatch(() => reduceAndPrimitive),
  lower: fold("and", "and", allOnes),
  facts: { extents: reduceExtents, simplify: ({ axes }) => (axes.length === 0 ? { same: 0 } : null) },
});
/** Whether all are true; the bits that all integers have. */
export const reduceAnd = (x: NDArray, axes: readonly number[]): NDArray => bind1(reduceAndPrimitive, [x], { axes });

export const reduceOrPrimitive: PrimitiveDefinition<ReduceParams> = definePrimitive<ReduceParams>({
  name: "reduce_or",
  abstract: reduced("reduceOr", bitwise, false),
  evaluate: foldHost(
    () => 0,
    () => (acc, x) => acc | x,
  ),
  jvp: zeroJvp(() => reduceOrPrimitive),
  transpose: nonlinear,
  batch: reduceBatch(() => reduceOrPrimitive),
  lower: fold("or", "or", () => 0),
  facts: { extents: reduceExtents, simplify: ({ axes }) => (axes.length === 0 ? { same: 0 } : null) },
});
/** Whether any is true; the bits that any integer has. */
export const reduceOr = (x: NDArray, axes: readonly number[]): NDArray => bind1(reduceOrPrimitive, [x], { axes });

export const reduceXorPrimitive: PrimitiveDefinition<ReduceParams> = definePrimitive<ReduceParams>({
  name: "reduce_xor",
  abstract: reduced("reduceXor", bitwise, false),
  evaluate: foldHost(
    () => 0,
    () => (acc, x) => acc ^ x,
  ),
  jvp: zeroJvp(() => reduceXorPrimitive),
  transpose: nonlinear,
  batch: reduceBatch(() => reduceXorPrimitive),
  lower: fold("xor", "xor", () => 0),
  facts: { extents: reduceExtents, simplify: ({ axes }) => (axes.length === 0 ? { same: 0 } : null) },
});
/** Whether an odd number is true; the bits that an odd number of integers has. */
export const reduceXor = (x: NDArray, axes: readonly number[]): NDArray => bind1(reduceXorPrimitive, [x], { axes });

// Places of extremes

export interface ArgParams {
  readonly axis: number;
  readonly indexDtype: DType;
}

function argAbstract(op: string) {
  return ([x]: readonly Aval[], { axis, indexDtype }: ArgParams): readonly Aval[] => {
    requireAccepted(op, [x!], 0, ordered);
    requireArgument(areAxes([axis], x!.shape.length), () => ({
      code: "axis-range",
      message: `${op}: ${axis} is no axis of the operand`,
      operands: [["operand", x!]],
    }));
    requireArgument(x!.shape[axis]! > 0, () => ({
      code: "empty-axis",
      message: `${op}: axis ${axis} is empty, so it has no extreme`,
      operands: [["operand", x!]],
    }));
    requireArgument(isInteger(indexDtype), () => ({
      code: "index-dtype",
      message: `${op}: places are int32 or uint32, not ${indexDtype}`,
    }));
    return [{ shape: without(x!.shape, [axis]), dtype: indexDtype, weakType: false }];
  };
}

/** First place whose element beats all others, or is the first NaN. */
function argHost(beats: (x: number, best: number) => boolean) {
  return ([x]: readonly HostArray[], { axis, indexDtype }: ArgParams): readonly HostArray[] => {
    const { shape } = x!.aval;
    const out = hostZeros({ shape: without(shape, [axis]), dtype: indexDtype, weakType: false });
    const best = new Float64Array(out.data.length);
    const stride = stridesOf(shape)[axis]!;
    forEachTarget(shape, [axis], (source, target) => {
      const place = Math.floor(source / stride) % shape[axis]!;
      const value = x!.data[source]!;
      if (place === 0 || (!Number.isNaN(best[target]) && (beats(value, best[target]!) || Number.isNaN(value)))) {
        best[target] = value;
        out.data[target] = place;
      }
    });
    return [out];
  };
}

/** The same through other primitives: the least place where the extreme, or a NaN, stands. */
function placeOf(x: NDArray, extreme: NDArray, { axis, indexDtype }: ArgParams): NDArray {
  let hit = ops.eq(x, spread(extreme, x.shape, [axis]));
  if (isFloat(x.dtype)) hit = ops.or(hit, ops.ne(x, x));
  const places = ops.iota("int32", x.shape, axis);
  const place = reduceMin(ops.select(hit, places, x.shape[axis]!), [axis]);
  return ops.convertElementType(place, indexDtype);
}

function argBatch(primitive: () => Primitive<ArgParams>) {
  return (_: number, [x]: readonly NDArray[], [d]: readonly (number | null)[], params: ArgParams): BatchResult => {
    const axis = params.axis >= d! ? params.axis + 1 : params.axis;
    return { outs: [bind1(primitive(), [x!], { ...params, axis })], dims: [axis < d! ? d! - 1 : d!] };
  };
}

export const argmaxPrimitive: PrimitiveDefinition<ArgParams> = definePrimitive<ArgParams>({
  name: "argmax",
  abstract: argAbstract("argmax"),
  evaluate: argHost((x, best) => x > best),
  jvp: zeroJvp(() => argmaxPrimitive),
  transpose: nonlinear,
  batch: argBatch(() => argmaxPrimitive),
  lower: { kind: "expand", expand: ([x], params) => [placeOf(x!, reduceMax(x!, [params.axis]), params)] },
  facts: {},
});
/** First place of the maximum along an axis; of the first NaN, if there is one. */
export const argmax = (x: NDArray, axis: number, indexDtype: DType = "int32"): NDArray =>
  bind1(argmaxPrimitive, [x], { axis, indexDtype });

export const argminPrimitive: PrimitiveDefinition<ArgParams> = definePrimitive<ArgParams>({
  name: "argmin",
  abstract: argAbstract("argmin"),
  evaluate: argHost((x, best) => x < best),
  jvp: zeroJvp(() => argminPrimitive),
  transpose: nonlinear,
  batch: argBatch(() => argminPrimitive),
  lower: { kind: "expand", expand: ([x], params) => [placeOf(x!, reduceMin(x!, [params.axis]), params)] },
  facts: {},
});
/** First place of the minimum along an axis; of the first NaN, if there is one. */
export const argmin = (x: NDArray, axis: number, indexDtype: DType = "int32"): NDArray =>
  bind1(argminPrimitive, [x], { axis, indexDtype });
