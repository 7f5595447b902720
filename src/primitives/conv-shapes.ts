import { type Aval, hostZeros, type HostArray, type Shape, stridesOf } from "../core/aval.js";
import { isFloat } from "../core/dtype.js";
import { isCount, list, requireArgument, requireDType, requireOneDType, requireShape } from "./checks.js";
import { forEachIndex } from "./host.js";
import { dilated, windowCount } from "./window-views.js";

export interface ConvParams {
  readonly strides: readonly number[];
  /** Elements added before and after each spatial axis, once it is dilated; negative ones take away. */
  readonly padding: readonly (readonly [lo: number, hi: number])[];
  readonly lhsDilation: readonly number[];
  readonly rhsDilation: readonly number[];
  /** Where images and results lie in memory, whatever the order of their axes: the channels of a place side by side. */
  readonly channelsLast?: boolean;
}

export const operandsOf = (x: Aval, w: Aval): readonly (readonly [string, Aval])[] => [
  ["lhs", x],
  ["rhs", w],
];

/** The result's type. */
export function convAval(x: Aval, w: Aval, p: ConvParams): Aval {
  const operands = operandsOf(x, w);
  requireOneDType("convGeneralDilated", operands);
  requireDType(x.dtype !== "bool" && x.dtype !== "key", () => ({
    code: "conv-dtype",
    message: "convGeneralDilated convolves numbers",
    operands,
    hint: "convert the operands with astype",
  }));
  const rank = x.shape.length - 3;
  requireShape(w.shape.length === x.shape.length && rank >= 0, () => ({
    code: "rank",
    message: "convGeneralDilated needs images and kernels of the same number of dimensions",
    operands,
  }));
  requireShape(x.shape[0] === w.shape[0] && x.shape[2] === w.shape[2], () => ({
    code: "conv-channels",
    message: "convGeneralDilated: groups or channels of lhs and rhs differ",
    operands,
  }));
  const counts = (l: readonly number[]): boolean => l.length === rank && l.every((d) => isCount(d, 1));
  requireArgument(
    counts(p.strides) &&
      counts(p.lhsDilation) &&
      counts(p.rhsDilation) &&
      p.padding.length === rank &&
      p.padding.every((pair) => pair.length === 2 && pair.every(Number.isInteger)),
    () => ({
      code: "conv-window",
      message: `convGeneralDilated: strides ${list(p.strides)}, dilations ${list(p.lhsDilation)} and ${list(p.rhsDilation)} and padding ${JSON.stringify(p.padding)} need one entry for each of ${rank} spatial axes; strides and dilations are at least 1`,
      operands,
    }),
  );
  const spatial = outSpatial(x.shape, w.shape, p);
  const shape = [x.shape[0]!, x.shape[1]!, w.shape[1]!, ...spatial];
  return { shape, dtype: x.dtype, weakType: x.weakType && w.weakType };
}

function paddedLengths(x: Shape, p: ConvParams): number[] {
  return x.slice(3).map((n, k) => {
    const length = dilated(n, p.lhsDilation[k]!) + p.padding[k]![0] + p.padding[k]![1];
    requireShape(length >= 0, () => ({
      code: "conv-padding",
      message: `convGeneralDilated: padding ${JSON.stringify(p.padding[k])} takes more than the ${n} elements of spatial axis ${k} away`,
      operands: [["lhs", x]],
    }));
    return length;
  });
}

const outSpatial = (x: Shape, w: Shape, p: ConvParams): number[] =>
  paddedLengths(x, p).map((n, k) => windowCount(n, w[k + 3]!, p.strides[k]!, p.rhsDilation[k]!));

/** Sums in float64, rounded once; integers wrap around at every step. */
export function convolveOnHost(x: HostArray, w: HostArray, p: ConvParams): HostArray {
  const out = hostZeros(convAval(x.aval, w.aval, p));
  const isReal = isFloat(x.aval.dtype);
  const xs = stridesOf(x.aval.shape);
  const ws = stridesOf(w.aval.shape);
  const kernel = w.aval.shape.slice(2);
  forEachIndex(out.aval.shape, (o, at) => {
    let sum = 0;
    const image = o[0]! * xs[0]! + o[1]! * xs[1]!;
    const own = o[0]! * ws[0]! + o[2]! * ws[1]!;
    forEachIndex(kernel, (c, flat) => {
      let from = image + c[0]! * xs[2]!;
      for (let k = 0; k < p.strides.length; k++) {
        const place = o[k + 3]! * p.strides[k]! + c[k + 1]! * p.rhsDilation[k]! - p.padding[k]![0];
        const element = place / p.lhsDilation[k]!;
        if (place < 0 || !Number.isInteger(element) || element >= x.aval.shape[k + 3]!) return;
        from += element * xs[k + 3]!;
      }
      const [a, b] = [x.data[from]!, w.data[own + flat]!];
      sum = isReal ? sum + a * b : (sum + Math.imul(a, b)) | 0;
    });
    out.data[at] = sum;
  });
  return out;
}
