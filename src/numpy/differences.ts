import type { NDArray } from "../core/array.js";
import { normalizeAxes, normalizeAxis } from "../core/aval.js";
import { signature, variadic } from "../core/calling.js";
import { isInteger } from "../core/dtype.js";
import { ArgumentError, ShapeError } from "../core/errors.js";
import { type ArrayLike, asArray } from "../core/literal.js";
import * as p from "../primitives/all.js";
import { absolute, add, divide, floorDivide, mod, multiply, subtract } from "./arithmetic.js";
import { broadcastToShape } from "./broadcasting.js";
import { cumsum } from "./cumulative.js";
import { concatenate } from "./joining.js";
import { choose } from "./logic.js";
import { inexactElementType, type Axis, convert, convertAll, inexact, resultElementType } from "./promotion.js";
import { count } from "./ranges.js";
import { sum } from "./reductions.js";
import { moveaxis, sliceAxis } from "./shape.js";
import { like } from "./ufunc.js";

/** Differences of neighbours, gradients and integrals of samples. */

export interface DiffOptions {
  readonly n?: number | undefined;
  readonly axis?: number | undefined;
  /** What stands before the first element: a scalar, or slices of the array. */
  readonly prepend?: ArrayLike | null | undefined;
  readonly append?: ArrayLike | null | undefined;
}
const diffParams = /* @__PURE__ */ signature<DiffOptions & { a: ArrayLike }>("diff", 1, [
  "a",
  "n",
  "axis",
  "prepend",
  "append",
]);
/**
 * n-th differences of neighbours along an axis, x[i + 1] − x[i]; of booleans whether they differ.
 *
 * @throws ArgumentError `count-invalid`, `axis-range`.
 * @example
 * np.diff(np.array([1, 4, 9, 16])); // [3, 5, 7]
 * np.diff(np.array([1, 4, 9, 16]), 2); // [2, 2]
 */
export function diff(
  a: ArrayLike,
  n?: number | DiffOptions,
  axis?: number | DiffOptions,
  options?: DiffOptions,
): NDArray;
export function diff(): NDArray {
  const { a, n = 1, axis = -1, prepend, append } = diffParams(arguments);
  let x = asArray(a, "diff", "a");
  if (count("diff", "n", n) === 0) return x;
  const at = normalizeAxis(axis, x.ndim, "diff");
  const border = (given: ArrayLike | null | undefined, name: string): NDArray[] => {
    if (given === null || given === undefined) return [];
    const b = asArray(given, "diff", name);
    const one = x.shape.map((d, i) => (i === at ? 1 : d));
    return [b.ndim === 0 ? broadcastToShape("diff", b, one) : b];
  };
  const parts = [...border(prepend, "prepend"), x, ...border(append, "append")];
  if (parts.length > 1) x = concatenate(parts, at);
  for (let i = 0; i < n; i++) {
    const [next, here] = [sliceAxis(x, at, 1), sliceAxis(x, at, 0, -1)];
    x = x.dtype === "bool" ? p.ne(next, here) : p.sub(next, here);
  }
  return x;
}

export interface Ediff1dOptions {
  readonly toEnd?: ArrayLike | null | undefined;
  readonly toBegin?: ArrayLike | null | undefined;
}
const ediff1dParams = /* @__PURE__ */ signature<Ediff1dOptions & { ary: ArrayLike }>("ediff1d", 1, [
  "ary",
  "toEnd",
  "toBegin",
]);
/** Differences of neighbours of the flattened array, with values before and behind. */
export function ediff1d(
  ary: ArrayLike,
  toEnd?: ArrayLike | null | Ediff1dOptions,
  toBegin?: ArrayLike | null | Ediff1dOptions,
): NDArray;
export function ediff1d(): NDArray {
  const { ary, toEnd, toBegin } = ediff1dParams(arguments);
  const given = asArray(ary, "ediff1d", "ary");
  const x = p.reshape(given, [given.size]);
  const flat = (v: ArrayLike | null | undefined): NDArray[] => {
    if (v === null || v === undefined) return [];
    const a = convert(asArray(v, "ediff1d"), x.dtype);
    return [p.reshape(a, [a.size])];
  };
  return concatenate([...flat(toBegin), p.sub(sliceAxis(x, 0, 1), sliceAxis(x, 0, 0, -1)), ...flat(toEnd)]);
}

export interface GradientOptions {
  readonly axis?: Axis | undefined;
  readonly edgeOrder?: null | undefined;
}
const gradientParams = /* @__PURE__ */ variadic<GradientOptions>("gradient", ["axis", "edgeOrder"]);
/**
 * Slopes of samples by central differences (one-sided at the ends). Spacings: none (1), one for all axes, or one for each;
 * an array of coordinates gives an axis uneven spacing (second order, Fornberg 1988). One array for one axis, a list for
 * several.
 *
 * @throws ShapeError `gradient-short`, `gradient-spacing`; ArgumentError `gradient-spacing`; ArgumentError `axis-range`,
 * `option-absent`.
 * @example
 * np.gradient(np.array([1, 4, 9, 16])); // [3, 4, 6, 7]
 * np.gradient(np.array([1, 4, 9, 16]), 0.5); // [6, 8, 12, 14]
 */
export function gradient(f: ArrayLike, ...varargs: readonly (ArrayLike | GradientOptions)[]): NDArray | NDArray[];
export function gradient(): NDArray | NDArray[] {
  const [values, { axis, edgeOrder }] = gradientParams(arguments);
  if (edgeOrder !== undefined && edgeOrder !== null)
    throw new ArgumentError({ code: "option-absent", message: "gradient: edgeOrder is not offered" });
  const list = values as ArrayLike[];
  const t = inexactElementType("gradient", list);
  const [x, ...given] = convertAll(list, t) as [NDArray, ...NDArray[]];
  const axes = normalizeAxes(axis, x.ndim, "gradient");
  if (axes.some((i) => x.shape[i]! < 2)) {
    throw new ShapeError({
      code: "gradient-short",
      message: "gradient needs at least 2 samples along an axis",
      details: [["f", x.describe()]],
    });
  }
  if (given.length > 1 && given.length !== axes.length) {
    throw new ArgumentError({
      code: "gradient-spacing",
      message: `gradient: ${given.length} spacings do not fit ${axes.length} axes`,
    });
  }
  const slopes = axes.map((at, i) =>
    slopeAlong(x, given.length === 0 ? like(x, 1) : given[given.length === 1 ? 0 : i]!, at),
  );
  return slopes.length === 1 ? slopes[0]! : slopes;
}

function slopeAlong(x: NDArray, h: NDArray, axis: number): NDArray {
  const part = (y: NDArray, start: number, stop?: number): NDArray => sliceAxis(y, axis, start, stop);
  const [first, last] = [p.sub(part(x, 1, 2), part(x, 0, 1)), p.sub(part(x, -1), part(x, -2, -1))];
  if (h.ndim === 0) {
    const inner = divide(p.mul(p.sub(part(x, 2), part(x, 0, -2)), 0.5), h);
    return p.concatenate([divide(first, h), inner, divide(last, h)], axis);
  }
  if (h.ndim !== 1 || h.shape[0] !== x.shape[axis]) {
    throw new ShapeError({
      code: "gradient-spacing",
      message: "gradient: a spacing is a scalar or the coordinates along its axis",
      details: [
        ["f", x.describe()],
        ["spacing", h.describe()],
      ],
    });
  }
  const at = p.reshape(
    h,
    x.shape.map((d, i) => (i === axis ? d : 1)),
  );
  const step = p.sub(part(at, 1), part(at, 0, -1));
  const [d1, d2] = [part(step, 0, -1), part(step, 1)];
  const span = p.add(d1, d2);
  const a = p.div(p.neg(d2), p.mul(d1, span));
  const b = p.div(p.sub(d2, d1), p.mul(d1, d2));
  const c = p.div(d1, p.mul(d2, span));
  const inner = add(add(multiply(a, part(x, 0, -2)), multiply(b, part(x, 1, -1))), multiply(c, part(x, 2)));
  return p.concatenate([divide(first, part(step, 0, 1)), inner, divide(last, part(step, -1))], axis);
}

export interface TrapezoidOptions {
  readonly x?: ArrayLike | null | undefined;
  /** The spacing where there are no coordinates x. */
  readonly dx?: ArrayLike | undefined;
  readonly axis?: number | undefined;
}
const trapezoidParams = /* @__PURE__ */ signature<TrapezoidOptions & { y: ArrayLike }>("trapezoid", 1, [
  "y",
  "x",
  "dx",
  "axis",
]);
/**
 * The integral of samples along an axis by the trapezoidal rule, at coordinates x or dx (1) apart.
 *
 * @example
 * np.trapezoid(np.array([0, 1, 4]), np.array([0, 1, 2])); // 3
 */
export function trapezoid(y: ArrayLike, x?: ArrayLike | null | TrapezoidOptions, options?: TrapezoidOptions): NDArray;
export function trapezoid(): NDArray {
  const given = trapezoidParams(arguments);
  const { axis = -1 } = given;
  let y: NDArray;
  let step: NDArray;
  if (given.x === undefined || given.x === null) {
    y = inexact("trapezoid", given.y);
    step = asArray(given.dx ?? 1, "trapezoid", "dx");
    if (step.ndim > 0)
      step = moveaxis(p.reshape(step, [...new Array<number>(y.ndim - step.ndim).fill(1), ...step.shape]), axis, -1);
  } else {
    const t = inexactElementType("trapezoid", [given.y, given.x]);
    const [a, b] = convertAll([given.y, given.x], t) as [NDArray, NDArray];
    y = a;
    step = b.ndim === 1 ? diff(b) : moveaxis(diff(b, { axis }), axis, -1);
  }
  y = moveaxis(y, axis, -1);
  const last = y.ndim - 1;
  if (step.ndim === 0 || step.shape.at(-1) === 1) {
    const d = step.ndim === 0 ? step : p.squeeze(step, [step.ndim - 1]);
    const ends = p.squeeze(p.add(sliceAxis(y, last, 0, 1), sliceAxis(y, last, -1)), [last]);
    return multiply(d, p.sub(sum(y, -1), p.mul(ends, 0.5)));
  }
  return multiply(sum(multiply(step, p.add(sliceAxis(y, last, 1), sliceAxis(y, last, 0, -1))), -1), 0.5);
}

export interface UnwrapOptions {
  readonly discont?: ArrayLike | null | undefined;
  readonly axis?: number | undefined;
  readonly period?: ArrayLike | undefined;
}
const unwrapParams = /* @__PURE__ */ signature<UnwrapOptions & { p: ArrayLike }>("unwrap", 1, [
  "p",
  "discont",
  "axis",
  "period",
]);
/**
 * Takes jumps of more than half a period (2π) out of a sequence of angles.
 *
 * @throws ArgumentError `axis-range`.
 * @example
 * np.unwrap(np.array([0, 3, 6, 1]), { period: 8 }); // [0, 3, 6, 9]
 */
export function unwrap(p: ArrayLike, discont?: ArrayLike | null | UnwrapOptions, options?: UnwrapOptions): NDArray;
export function unwrap(): NDArray {
  const given = unwrapParams(arguments);
  const { axis = -1, period: length = 2 * Math.PI } = given;
  const [x, period] = convertAll([given.p, length], resultElementType("unwrap", [given.p, length])) as [
    NDArray,
    NDArray,
  ];
  const at = normalizeAxis(axis, x.ndim, "unwrap");
  if (x.shape[at] === 0) return x;
  const discont = given.discont ?? divide(period, 2);
  const half = isInteger(x.dtype) ? floorDivide(period, 2) : divide(period, 2);
  const step = diff(x, { axis: at });
  let wrapped = subtract(mod(add(step, half), period), half);
  const atEdge = p.and(p.eq(wrapped, p.neg(half)), p.gt(step, like(step, 0)));
  wrapped = choose("unwrap", atEdge, half, wrapped);
  const small = p.lt(
    ...(convertAll([absolute(step), discont], resultElementType("unwrap", [step, discont])) as [NDArray, NDArray]),
  );
  const correction = choose("unwrap", small, like(step, 0), p.sub(wrapped, step));
  return concatenate([sliceAxis(x, at, 0, 1), add(sliceAxis(x, at, 1), cumsum(correction, at))], at);
}
