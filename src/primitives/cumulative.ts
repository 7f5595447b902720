import type { NDArray } from "../core/array.js";
import { type Aval, type HostArray, hostZeros, stridesOf } from "../core/aval.js";
import { type DType, isFloat } from "../core/dtype.js";
import type { BatchResult, JvpResult, Primitive, Tangent } from "../core/primitive.js";
import { bind1 } from "../core/trace.js";
import { isZero, Zero } from "../core/zero.js";
import type { ScanLowering } from "../kernel-ir/lowering.js";
import type { CombineOp } from "../kernel-ir/scalar.js";
import { associativeScan } from "./associative-scan.js";
import { areAxes, requireArgument } from "./checks.js";
import { ops } from "./define.js";
import { logSumOfTwo } from "./elementwise/exponential.js";
import { type Accepts, extremeOf, floating, numeric, requireAccepted } from "./elementwise/operands.js";
import { nonlinear } from "./elementwise/rules.js";
import { linearJvp, linearTranspose } from "./linear-rules.js";
import { definePrimitive, type PrimitiveDefinition } from "./table.js";

export interface CumulativeParams {
  readonly axis: number;
  /** From the last element to the first. */
  readonly reverse: boolean;
}

function cumulated(op: string, what: Accepts) {
  return ([x]: readonly Aval[], { axis }: CumulativeParams): readonly Aval[] => {
    requireAccepted(op, [x!], 0, what);
    requireArgument(areAxes([axis], x!.shape.length), () => ({
      code: "axis-range",
      message: `${op}: ${axis} is no axis of the operand`,
      operands: [["operand", x!]],
      hint: "axes of primitives are non-negative; np functions take negative ones",
    }));
    return [x!];
  };
}

/** Runs along the axis with an accumulator in float64 (or of the integer type), rounded where it is stored. */
function runHost(combine: (dtype: DType) => (acc: number, x: number) => number) {
  return ([x]: readonly HostArray[], { axis, reverse }: CumulativeParams): readonly HostArray[] => {
    const { shape, dtype } = x!.aval;
    const out = hostZeros(x!.aval);
    const f = combine(dtype);
    const n = shape[axis]!;
    const stride = stridesOf(shape)[axis]!;
    const step = reverse ? -stride : stride;
    for (let start = 0; start < out.data.length; start++) {
      if (Math.floor(start / stride) % n !== 0) continue;
      let at = reverse ? start + (n - 1) * stride : start;
      let acc = x!.data[at]!;
      out.data[at] = acc;
      for (let i = 1; i < n; i++) {
        at += step;
        acc = f(acc, x!.data[at]!);
        out.data[at] = acc;
        if (!isFloat(dtype)) acc = out.data[at]!;
      }
    }
    return [out];
  };
}

function cumulativeBatch(primitive: () => Primitive<CumulativeParams>) {
  return (
    _: number,
    [x]: readonly NDArray[],
    [d]: readonly (number | null)[],
    { axis, reverse }: CumulativeParams,
  ): BatchResult => ({
    outs: [bind1(primitive(), [x!], { axis: axis >= d! ? axis + 1 : axis, reverse })],
    dims: [d!],
  });
}

function running(combine: CombineOp, initial: (dtype: DType) => number): ScanLowering<CumulativeParams> {
  return {
    kind: "scan",
    scan: ({ axis, reverse }, { dtype }) => ({ axis, reverse, combine, initial: initial(dtype) }),
  };
}

/** The tangent of combine(x, y) = z, from the operands and their tangents. */
type CombineTangent = (x: NDArray, tx: NDArray, y: NDArray, ty: NDArray, z: NDArray) => NDArray;

/**
 * jvp rule of a running combine: that of an associative scan of pairs (value, tangent). The scan's tree decides how ties share
 * a derivative, so it is JAX's.
 */
function scanJvp(
  primitive: () => Primitive<CumulativeParams>,
  combine: (x: NDArray, y: NDArray) => NDArray,
  tangentOf: CombineTangent,
) {
  return ([x]: readonly NDArray[], [t]: readonly Tangent[], { axis, reverse }: CumulativeParams): JvpResult => {
    const out = bind1(primitive(), [x!], { axis, reverse });
    if (isZero(t) || !isFloat(out.dtype)) return { outs: [out], tangents: [new Zero(out.aval)] };
    const pairs = associativeScan(
      ([a, ta], [b, tb]) => {
        const c = combine(a!, b!);
        return [c, tangentOf(a!, ta!, b!, tb!, c)];
      },
      [x!, t!],
      axis,
      reverse,
    );
    return { outs: [out], tangents: [pairs[1]!] };
  };
}

export const cumsumPrimitive: PrimitiveDefinition<CumulativeParams> = definePrimitive<CumulativeParams>({
  name: "cumsum",
  abstract: cumulated("cumsum", numeric),
  evaluate: runHost(() => (acc, x) => acc + x),
  jvp: linearJvp((x, { axis, reverse }) => cumsum(x, axis, reverse)),
  transpose: linearTranspose((ct, _, { axis, reverse }) => cumsum(ct, axis, !reverse)),
  batch: cumulativeBatch(() => cumsumPrimitive),
  lower: running("add", () => 0),
  facts: { hazards: { nan: true } },
});
/** Running sum along an axis. */
export const cumsum = (x: NDArray, axis: number, reverse = false): NDArray =>
  bind1(cumsumPrimitive, [x], { axis, reverse });

export const cumprodPrimitive: PrimitiveDefinition<CumulativeParams> = definePrimitive<CumulativeParams>({
  name: "cumprod",
  abstract: cumulated("cumprod", numeric),
  evaluate: runHost((dtype) => (isFloat(dtype) ? (acc, x) => acc * x : Math.imul)),
  jvp: scanJvp(
    () => cumprodPrimitive,
    (x, y) => ops.mul(x, y),
    (x, tx, y, ty) => ops.add(ops.mul(tx, y), ops.mul(x, ty)),
  ),
  transpose: nonlinear,
  batch: cumulativeBatch(() => cumprodPrimitive),
  lower: running("mul", () => 1),
  facts: { hazards: { nan: true } },
});
/** Running product along an axis. Its derivatives are right where elements are 0. */
export const cumprod = (x: NDArray, axis: number, reverse = false): NDArray =>
  bind1(cumprodPrimitive, [x], { axis, reverse });

/** Tangent of an extreme of two: that of the one chosen, the mean at a tie. */
const chosenTangent: CombineTangent = (x, tx, y, ty, z) =>
  ops.add(ops.mul(tx, ops.shareOf(x, z, y)), ops.mul(ty, ops.shareOf(y, z, x)));

export const cummaxPrimitive: PrimitiveDefinition<CumulativeParams> = definePrimitive<CumulativeParams>({
  name: "cummax",
  abstract: cumulated("cummax", numeric),
  evaluate: runHost(() => Math.max),
  jvp: scanJvp(
    () => cummaxPrimitive,
    (x, y) => ops.max(x, y),
    chosenTangent,
  ),
  transpose: nonlinear,
  batch: cumulativeBatch(() => cummaxPrimitive),
  lower: running("max", (dtype) => extremeOf(dtype, false)),
  facts: { hazards: { nan: true } },
});
/** Running maximum along an axis; NaN from the first NaN on. */
export const cummax = (x: NDArray, axis: number, reverse = false): NDArray =>
  bind1(cummaxPrimitive, [x], { axis, reverse });

export const cumminPrimitive: PrimitiveDefinition<CumulativeParams> = definePrimitive<CumulativeParams>({
  name: "cummin",
  abstract: cumulated("cummin", numeric),
  evaluate: runHost(() => Math.min),
  jvp: scanJvp(
    () => cumminPrimitive,
    (x, y) => ops.min(x, y),
    chosenTangent,
  ),
  transpose: nonlinear,
  batch: cumulativeBatch(() => cumminPrimitive),
  lower: running("min", (dtype) => extremeOf(dtype, true)),
  facts: { hazards: { nan: true } },
});
/** Running minimum along an axis; NaN from the first NaN on. */
export const cummin = (x: NDArray, axis: number, reverse = false): NDArray =>
  bind1(cumminPrimitive, [x], { axis, reverse });

export const cumlogsumexpPrimitive: PrimitiveDefinition<CumulativeParams> = definePrimitive<CumulativeParams>({
  name: "cumlogsumexp",
  abstract: cumulated("cumlogsumexp", floating),
  evaluate: runHost(() => logSumOfTwo),
  jvp: scanJvp(
    () => cumlogsumexpPrimitive,
    (x, y) => ops.logaddexp(x, y),
    (x, tx, y, ty, z) => ops.add(ops.mul(tx, ops.shareOfSum(x, z)), ops.mul(ty, ops.shareOfSum(y, z))),
  ),
  transpose: nonlinear,
  batch: cumulativeBatch(() => cumlogsumexpPrimitive),
  lower: {
    kind: "expand",
    expand: ([x], { axis, reverse }) => associativeScan(([a], [b]) => [ops.logaddexp(a!, b!)], [x!], axis, reverse),
  },
  facts: { hazards: { nan: true } },
});
/** Running log(Σ eˣ) along an axis, without overflow. */
export const cumlogsumexp = (x: NDArray, axis: number, reverse = false): NDArray =>
  bind1(cumlogsumexpPrimitive, [x], { axis, reverse });
