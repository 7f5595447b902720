import type { NDArray } from "../core/array.js";
import { normalizeAxes } from "../core/aval.js";
import { signature } from "../core/calling.js";
import { asDType, type DType, dtypeInfo, isFloat } from "../core/dtype.js";
import { ArgumentError, DTypeError, ShapeError } from "../core/errors.js";
import { type ArrayLike, asArray } from "../core/literal.js";
import * as p from "../primitives/all.js";
import { choose, truth } from "./logic.js";
import { type Axis, convert, convertOne, toNumeric } from "./promotion.js";
import { like } from "./ufunc.js";

/** Sums, products, extremes and logic over axes. */

/** Options of reductions that need no identity. */
export interface ExtremeOptions {
  /** The axes to reduce; null means all. Negative ones count from the end. */
  readonly axis?: Axis | undefined;
  /** Reduced axes stay, with length 1. */
  readonly keepdims?: boolean | undefined;
  /** A scalar that takes part once more: the result of an empty reduction. */
  readonly initial?: ArrayLike | null | undefined;
  /** A boolean array; only elements where it is true take part. */
  readonly where?: ArrayLike | null | undefined;
}
export interface ReduceOptions extends ExtremeOptions {
  /** The dtype of the computation and the result. */
  readonly dtype?: DType | null | undefined;
  /** Whether small integers are added up in the default integer dtype (they always are here: there are no smaller ones). */
  readonly promoteIntegers?: boolean | undefined;
}
export interface LogicOptions {
  readonly axis?: Axis | undefined;
  readonly keepdims?: boolean | undefined;
  readonly where?: ArrayLike | null | undefined;
}

/** What a reduction is made of. */
interface Reduction {
  readonly op: string;
  readonly reduce: (x: NDArray, axes: readonly number[]) => NDArray;
  readonly combine: (x: NDArray, y: NDArray) => NDArray;
  /** Neutral element for a dtype; `neutral: false`: users do not get it, so an empty reduction is an error. */
  readonly identity: (dtype: DType) => number;
  readonly neutral: boolean;
}

/** Removes reduced axes, or keeps them with length 1. */
export function reduceShape(x: NDArray, axes: readonly number[], keepdims: boolean): NDArray {
  return keepdims && axes.length > 0
    ? p.expandDims(
        x,
        [...axes].sort((a, b) => a - b),
      )
    : x;
}

/** Checks a `where` option. @throws DTypeError `where-dtype`. */
export function checkWhere(op: string, where: ArrayLike | null | undefined): NDArray | undefined {
  if (where === null || where === undefined) return undefined;
  const mask = asArray(where, op, "where");
  if (mask.dtype === "bool") return mask;
  throw new DTypeError({
    code: "where-dtype",
    message: `${op}: where must be a boolean array`,
    details: [["where", mask.describe()]],
    hint: "compare, e.g. x.greater(0)",
  });
}

function runReduction(r: Reduction, x: NDArray, { axis, keepdims = false, initial, where }: ExtremeOptions): NDArray {
  const axes = normalizeAxes(axis, x.ndim, r.op);
  const mask = checkWhere(r.op, where);
  if (!r.neutral && (initial === undefined || initial === null)) {
    if (mask !== undefined) {
      throw new ArgumentError({
        code: "initial-needed",
        message: `${r.op} has no identity, so where needs {initial} too`,
      });
    }
    if (axes.some((i) => x.shape[i] === 0)) {
      throw new ArgumentError({
        code: "reduce-empty",
        message: `${r.op} of no elements is not defined`,
        details: [["array", x.describe()]],
        hint: "give {initial}",
      });
    }
  }
  const operand = mask === undefined ? x : choose(r.op, mask, x, like(x, r.identity(x.dtype)));
  let result = axes.length === 0 ? operand : r.reduce(operand, axes);
  if (initial !== undefined && initial !== null) {
    const first = convertOne(initial, x.dtype, false);
    if (first.ndim > 0)
      throw new ShapeError({
        code: "initial-shape",
        message: `${r.op}: initial must be a scalar`,
        details: [["initial", first.describe()]],
      });
    result = r.combine(first, result);
  }
  return reduceShape(result, axes, keepdims);
}

function arithmetic(r: Reduction, options: ReduceOptions & { a: ArrayLike }): NDArray {
  const { dtype } = options;
  const x = asArray(options.a, r.op, "a");
  const to = dtype === undefined || dtype === null ? toNumeric(x.dtype) : asDType(dtype);
  if (to !== "bool") return convert(runReduction(r, convert(x, to), options), to);
  // A boolean result: the sum is the logical or, the product the logical and.
  const any = r.identity("int32") === 0;
  return runReduction({ ...(any ? anyReduction : allReduction), op: r.op }, truth(x), options);
}

const sumReduction: Reduction = { op: "sum", reduce: p.reduceSum, combine: p.add, identity: () => 0, neutral: true };
const prodReduction: Reduction = { op: "prod", reduce: p.reduceProd, combine: p.mul, identity: () => 1, neutral: true };
const anyReduction: Reduction = { op: "any", reduce: p.reduceOr, combine: p.or, identity: () => 0, neutral: true };
const allReduction: Reduction = { op: "all", reduce: p.reduceAnd, combine: p.and, identity: () => 1, neutral: true };
const maxReduction: Reduction = {
  op: "max",
  reduce: p.reduceMax,
  combine: p.max,
  identity: (d) => extreme(d, -1),
  neutral: false,
};
const minReduction: Reduction = {
  op: "min",
  reduce: p.reduceMin,
  combine: p.min,
  identity: (d) => extreme(d, 1),
  neutral: false,
};

/** The largest (sign 1) or least value of a dtype, infinities included. */
export function extreme(dtype: DType, sign: 1 | -1): number {
  if (isFloat(dtype)) return sign * Infinity;
  if (dtype === "int32") return sign > 0 ? 2147483647 : -2147483648;
  if (dtypeInfo[dtype].kind === "uint") return sign > 0 ? 4294967295 : 0;
  return sign > 0 ? 1 : 0;
}

type Operand = { readonly a: ArrayLike };
const reduceNames = ["a", "axis", "dtype", "out", "keepdims", "initial", "where", "promoteIntegers"] as const;
const extremeNames = ["a", "axis", "out", "keepdims", "initial", "where"] as const;
const logicNames = ["a", "axis", "out", "keepdims"] as const;

const sumParams = /* @__PURE__ */ signature<ReduceOptions & Operand>("sum", 1, reduceNames);
/**
 * The sum over axes, by default all; 0 of no elements. Booleans are counted.
 *
 * @throws ArgumentError `axis-range`, `axis-duplicate`; DTypeError `where-dtype`; ShapeError `initial-shape`.
 * @example
 * const x = np.array([[1, 2], [3, 4]]);
 * np.sum(x); // 10
 * np.sum(x, 0); // [4, 6]
 * np.sum(x, { axis: 1, keepdims: true }); // [[3], [7]]
 * np.sum(x, { where: x.greater(1) }); // 9
 */
export function sum(
  a: ArrayLike,
  axis?: Axis | ReduceOptions,
  dtype?: DType | null | ReduceOptions,
  options?: ReduceOptions,
): NDArray;
export function sum(): NDArray {
  return arithmetic(sumReduction, sumParams(arguments));
}

const prodParams = /* @__PURE__ */ signature<ReduceOptions & Operand>("prod", 1, reduceNames);
/**
 * The product over axes, by default all; 1 of no elements. Its derivative is right where elements are 0.
 *
 * @throws as `sum`.
 * @example
 * np.prod(np.array([2, 3, 4])); // 24
 * grad((x) => np.prod(x))(np.array([0, 2, 3])); // [6, 0, 0]
 */
export function prod(
  a: ArrayLike,
  axis?: Axis | ReduceOptions,
  dtype?: DType | null | ReduceOptions,
  options?: ReduceOptions,
): NDArray;
export function prod(): NDArray {
  return arithmetic(prodReduction, prodParams(arguments));
}

const extremeOf = (r: Reduction, op: string, options: ExtremeOptions & Operand): NDArray => {
  const x = asArray(options.a, op, "a");
  return convert(runReduction({ ...r, op }, x, options), x.dtype);
};

const maxParams = /* @__PURE__ */ signature<ExtremeOptions & Operand>("max", 1, extremeNames);
/**
 * The largest element over axes, by default all; NaN if there is one. Elements that tie share the derivative equally.
 *
 * @throws ArgumentError `reduce-empty` of no elements without `initial`; ArgumentError `initial-needed` with `where` and
 * without it; ArgumentError `axis-range`, `axis-duplicate`; DTypeError `where-dtype`; ShapeError `initial-shape`.
 * @example
 * np.max(np.array([[1, 5], [3, 2]]), 0); // [3, 5]
 * grad((x) => np.max(x))(np.array([1, 3, 3])); // [0, 0.5, 0.5]
 */
export function max(a: ArrayLike, axis?: Axis | ExtremeOptions, options?: ExtremeOptions): NDArray;
export function max(): NDArray {
  return extremeOf(maxReduction, "max", maxParams(arguments));
}
const amaxParams = /* @__PURE__ */ signature<ExtremeOptions & Operand>("amax", 1, extremeNames);
/** The same as `max`. */
export function amax(a: ArrayLike, axis?: Axis | ExtremeOptions, options?: ExtremeOptions): NDArray;
export function amax(): NDArray {
  return extremeOf(maxReduction, "amax", amaxParams(arguments));
}
const minParams = /* @__PURE__ */ signature<ExtremeOptions & Operand>("min", 1, extremeNames);
/**
 * The least element over axes, by default all; NaN if there is one. Elements that tie share the derivative equally.
 *
 * @throws as `max`.
 * @example
 * np.min(np.array([[1, 5], [3, 2]]), 1); // [1, 2]
 */
export function min(a: ArrayLike, axis?: Axis | ExtremeOptions, options?: ExtremeOptions): NDArray;
export function min(): NDArray {
  return extremeOf(minReduction, "min", minParams(arguments));
}
const aminParams = /* @__PURE__ */ signature<ExtremeOptions & Operand>("amin", 1, extremeNames);
/** The same as `min`. */
export function amin(a: ArrayLike, axis?: Axis | ExtremeOptions, options?: ExtremeOptions): NDArray;
export function amin(): NDArray {
  return extremeOf(minReduction, "amin", aminParams(arguments));
}

const anyParams = /* @__PURE__ */ signature<LogicOptions & Operand>("any", 1, logicNames, { byName: ["where"] });
/**
 * Whether some element over axes is true (not 0; NaN is true); false of no elements.
 *
 * @throws ArgumentError `axis-range`, `axis-duplicate`; DTypeError `where-dtype`.
 * @example
 * np.any(np.array([0, 2])); // true
 */
export function any(a: ArrayLike, axis?: Axis | LogicOptions, options?: LogicOptions): NDArray;
export function any(): NDArray {
  const options = anyParams(arguments);
  return runReduction(anyReduction, truth(asArray(options.a, "any", "a")), options);
}
const allParams = /* @__PURE__ */ signature<LogicOptions & Operand>("all", 1, logicNames, { byName: ["where"] });
/**
 * Whether all elements over axes are true (not 0; NaN is true); true of no elements.
 *
 * @throws as `any`.
 * @example
 * np.all(np.array([[true, false], [true, true]]), 1); // [false, true]
 */
export function all(a: ArrayLike, axis?: Axis | LogicOptions, options?: LogicOptions): NDArray;
export function all(): NDArray {
  const options = allParams(arguments);
  return runReduction(allReduction, truth(asArray(options.a, "all", "a")), options);
}

export interface KeepdimsOptions {
  readonly axis?: Axis | undefined;
  readonly keepdims?: boolean | undefined;
}
const ptpParams = /* @__PURE__ */ signature<KeepdimsOptions & Operand>("ptp", 1, ["a", "axis", "out", "keepdims"]);
/**
 * The largest minus the least element over axes.
 *
 * @throws ArgumentError `reduce-empty`, `axis-range`, `axis-duplicate`.
 * @example
 * np.ptp(np.array([3, 1, 7])); // 6
 */
export function ptp(a: ArrayLike, axis?: Axis | KeepdimsOptions, options?: KeepdimsOptions): NDArray;
export function ptp(): NDArray {
  const given = ptpParams(arguments);
  return p.sub(extremeOf(maxReduction, "ptp", given), extremeOf(minReduction, "ptp", given));
}

const countNonzeroParams = /* @__PURE__ */ signature<KeepdimsOptions & Operand>("countNonzero", 1, [
  "a",
  "axis",
  "keepdims",
]);
/**
 * How many elements over axes are not 0, as int32.
 *
 * @throws ArgumentError `axis-range`, `axis-duplicate`.
 * @example
 * np.countNonzero(np.array([0, 1, 2])); // 2
 */
export function countNonzero(a: ArrayLike, axis?: Axis | KeepdimsOptions, options?: KeepdimsOptions): NDArray;
export function countNonzero(): NDArray {
  const { a, ...options } = countNonzeroParams(arguments);
  return arithmetic(
    { ...sumReduction, op: "countNonzero" },
    { ...options, a: truth(asArray(a, "countNonzero", "a")), dtype: "int32" },
  );
}
