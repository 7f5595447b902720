import type { NDArray } from "../core/array.js";
import { atOnce } from "../core/at-once.js";
import { sameShape } from "../core/aval.js";
import { signature } from "../core/calling.js";
import { isFloat } from "../core/dtype.js";
import { ArgumentError, ShapeError } from "../core/errors.js";
import { type ArrayLike, asArray, lit } from "../core/literal.js";
import * as p from "../primitives/all.js";
import {
  broadcastOperands,
  convertAll,
  convertOne,
  pairOf,
  promote,
  promoteInexact,
  resultElementType,
} from "./promotion.js";
import { binary, like, nanMask, unary } from "./ufunc.js";

/** Comparisons, logic, and choosing between arrays. */

/**
 * Whether x1 = x2, element by element; NaN equals nothing, −0 equals 0.
 *
 * @throws ShapeError `shape-broadcast`.
 * @example
 * np.equal(np.array([1, NaN]), np.array([1, NaN])); // [true, false]
 */
export const equal = /* @__PURE__ */ binary("equal", (x, y) => p.eq(x, y));
/**
 * Whether x1 ≠ x2, element by element: bool, true of NaN.
 *
 * @throws ShapeError `shape-broadcast`.
 * @example
 * np.notEqual(np.array([1, 2, NaN]), 2); // [true, false, true]
 */
export const notEqual = /* @__PURE__ */ binary("notEqual", (x, y) => p.ne(x, y));
/**
 * Whether x1 < x2, element by element: bool, false of NaN.
 *
 * @throws ShapeError `shape-broadcast`.
 * @example
 * np.less(np.array([1, 2, NaN]), 2); // [true, false, false]
 */
export const less = /* @__PURE__ */ binary("less", (x, y) => p.lt(x, y));
/**
 * Whether x1 ≤ x2, element by element: bool, false of NaN.
 *
 * @throws ShapeError `shape-broadcast`.
 * @example
 * np.lessEqual(np.array([1, 2, NaN]), 2); // [true, true, false]
 */
export const lessEqual = /* @__PURE__ */ binary("lessEqual", (x, y) => p.le(x, y));
/**
 * Whether x1 > x2, element by element: bool, false of NaN.
 *
 * @throws ShapeError `shape-broadcast`.
 * @example
 * np.greater(np.array([1, 2, NaN]), 2); // [false, false, false]
 */
export const greater = /* @__PURE__ */ binary("greater", (x, y) => p.gt(x, y));
/**
 * Whether x1 ≥ x2, element by element: bool, false of NaN.
 *
 * @throws ShapeError `shape-broadcast`.
 * @example
 * np.greaterEqual(np.array([1, 2, NaN]), 2); // [false, true, false]
 */
export const greaterEqual = /* @__PURE__ */ binary("greaterEqual", (x, y) => p.ge(x, y));

/** Whether elements are true: not zero (NaN is true). */
export const truth = (x: NDArray): NDArray => (x.dtype === "bool" ? x : p.ne(x, like(x, 0)));

/**
 * Whether both are true; numbers are where they are not 0.
 *
 * @throws ShapeError `shape-broadcast`.
 * @example
 * np.logicalAnd(np.array([1, 0]), true); // [true, false]
 */
export const logicalAnd = /* @__PURE__ */ binary("logicalAnd", (x, y) => p.and(truth(x), truth(y)));
/**
 * Whether either is true; numbers are where they are not 0.
 *
 * @throws ShapeError `shape-broadcast`.
 * @example
 * np.logicalOr(np.array([1, 0]), false); // [true, false]
 */
export const logicalOr = /* @__PURE__ */ binary("logicalOr", (x, y) => p.or(truth(x), truth(y)));
/**
 * Whether one only is true; numbers are where they are not 0.
 *
 * @throws ShapeError `shape-broadcast`.
 * @example
 * np.logicalXor(np.array([1, 0]), true); // [false, true]
 */
export const logicalXor = /* @__PURE__ */ binary("logicalXor", (x, y) => p.xor(truth(x), truth(y)));
/**
 * Whether x is false, or 0.
 *
 * @example
 * np.logicalNot(np.array([1, 0])); // [false, true]
 */
export const logicalNot = /* @__PURE__ */ unary("logicalNot", (x) => p.not(truth(x)));

const whereParams = /* @__PURE__ */ signature<{ condition: ArrayLike; x?: ArrayLike | null; y?: ArrayLike | null }>(
  "where",
  1,
  ["condition", "x", "y"],
);
/**
 * Elements of x where the condition is true (not 0), else of y; the three broadcast. Only the chosen side gets a
 * derivative, but a NaN or ∞ of the other side's own derivative still makes it NaN: make its operand harmless first, as
 * below.
 *
 * @throws ArgumentError `argument-missing` without x or y: there is no `nonzero`; ShapeError `shape-broadcast`.
 * @example
 * np.where(np.array([true, false]), 1, np.array([5, 6])); // [1, 6]
 * const bad = (x) => np.sum(np.where(x.greater(0), np.log(x), 0));
 * grad(bad)(np.array([0, 1])); // [NaN, 1]
 * const good = (x) => np.sum(np.where(x.greater(0), np.log(np.where(x.greater(0), x, 1)), 0));
 * grad(good)(np.array([0, 1])); // [0, 1]
 */
export function where(condition: ArrayLike, x: ArrayLike, y: ArrayLike): NDArray;
export function where(): NDArray {
  const { condition, x, y } = whereParams(arguments);
  if (x === undefined || x === null || y === undefined || y === null) {
    throw new ArgumentError({
      code: "argument-missing",
      message: "where needs both x and y",
      hint: "the indices of true elements would be as many as the values say: choose by values with both",
    });
  }
  const mask = truth(asArray(condition, "where", "condition"));
  const [a, b] = convertAll([x, y], resultElementType("where", [x, y])) as [NDArray, NDArray];
  return choose("where", mask, a, b);
}

/** `mask ? a : b` with broadcasting. */
export function choose(op: string, mask: NDArray, a: NDArray, b: NDArray): NDArray {
  const operands = broadcastOperands(op, [mask, a, b]) as readonly [NDArray, NDArray, NDArray];
  return p.select(...operands);
}

export interface SelectOptions {
  readonly default?: ArrayLike | undefined;
}
const selectParams = /* @__PURE__ */ signature<
  SelectOptions & { condlist: readonly ArrayLike[]; choicelist: readonly ArrayLike[] }
>("select", 2, ["condlist", "choicelist", "default"]);
/**
 * For each element, the choice of the first condition that is true there, else the default (0). All broadcast.
 *
 * @throws ArgumentError `select-lengths`; ShapeError `shape-broadcast`.
 * @example
 * const x = np.array([-2, 0, 3]);
 * np.select([x.less(0), x.greater(0)], [x.neg(), x.mul(10)]); // [2, 0, 30]
 */
export function select(
  condlist: readonly ArrayLike[],
  choicelist: readonly ArrayLike[],
  defaultValue?: ArrayLike | SelectOptions,
  options?: SelectOptions,
): NDArray;
export function select(): NDArray {
  const { condlist, choicelist, default: otherwise = 0 } = selectParams(arguments);
  if (condlist.length !== choicelist.length || condlist.length === 0) {
    throw new ArgumentError({
      code: "select-lengths",
      message: `select needs as many choices as conditions, at least one; got ${condlist.length} conditions and ${choicelist.length} choices`,
    });
  }
  const choices = convertAll([otherwise, ...choicelist], resultElementType("select", [otherwise, ...choicelist]));
  const masks = condlist.map((c) => truth(asArray(c, "select", "a condition")));
  let result = choices[0]!;
  for (let i = masks.length - 1; i >= 0; i--) result = choose("select", masks[i]!, choices[i + 1]!, result);
  return result;
}

const clipParams = /* @__PURE__ */ signature<ClipOptions & { arr: ArrayLike }>("clip", 1, ["arr", "min", "max"]);
export interface ClipOptions {
  readonly min?: ArrayLike | null | undefined;
  readonly max?: ArrayLike | null | undefined;
}
/**
 * Bounds values from below and above (null: no bound): min(max(x, lo), hi), so the upper bound wins where they cross, and
 * NaN stays. At a bound the derivative is a half.
 *
 * @throws ShapeError `shape-broadcast`.
 * @example
 * np.clip(np.array([-1, 0.5, 2]), 0, 1); // [0, 0.5, 1]
 * grad((x) => np.sum(np.clip(x, 0, 1)))(np.array([-1, 0, 0.5])); // [0, 0.5, 1]
 */
export function clip(
  arr: ArrayLike,
  min?: ArrayLike | null | ClipOptions,
  max?: ArrayLike | null | ClipOptions,
  options?: ClipOptions,
): NDArray;
export function clip(): NDArray {
  const { arr, min, max } = clipParams(arguments);
  let x = asArray(arr, "clip", "arr");
  if (typeof min === "number" && typeof max === "number" && isFloat(x.dtype)) {
    return between(x, like(x, min), like(x, max));
  }
  if (min !== undefined && min !== null) x = p.max(...pairOf(promote("clip", min, x)));
  if (max !== undefined && max !== null) x = p.min(...pairOf(promote("clip", max, x)));
  return x;
}

const between = /* @__PURE__ */ atOnce("clip", (x: NDArray, min: NDArray, max: NDArray) => p.min(max, p.max(min, x)));

export interface CloseOptions {
  readonly rtol?: ArrayLike | undefined;
  readonly atol?: ArrayLike | undefined;
  /** Whether NaN is close to NaN. */
  readonly equalNan?: boolean | undefined;
}
type CloseParams = CloseOptions & { a: ArrayLike; b: ArrayLike };
const closeNames = ["a", "b", "rtol", "atol", "equalNan"] as const;

function closeTo(op: string, { a, b, rtol = 1e-5, atol = 1e-8, equalNan = false }: CloseParams): NDArray {
  const [x, y] = pairOf(promoteInexact(op, a, b));
  const tolerance = (t: ArrayLike): NDArray => convertOne(t, x.dtype, x.weakType);
  const margin = binaryOn(op, p.add, tolerance(atol), binaryOn(op, p.mul, tolerance(rtol), p.abs(y)));
  const near = p.and(p.isFinite(y), binaryOn(op, p.le, p.abs(p.sub(x, y)), margin));
  const close = p.or(p.eq(x, y), near);
  return equalNan ? p.or(close, p.and(p.ne(x, x), p.ne(y, y))) : close;
}
const binaryOn = (op: string, f: (x: NDArray, y: NDArray) => NDArray, x: NDArray, y: NDArray): NDArray =>
  f(...pairOf(broadcastOperands(op, [x, y])));

const iscloseParams = /* @__PURE__ */ signature<CloseParams>("isclose", 2, closeNames);
/**
 * Whether |a − b| ≤ atol + rtol·|b|, element by element (rtol 1e-5, atol 1e-8); infinities are close to themselves only, NaN to
 * nothing unless `equalNan`.
 *
 * @throws ShapeError `shape-broadcast`.
 * @example
 * np.isclose(np.array([1, Infinity, NaN]), np.array([1.000001, Infinity, NaN])); // [true, true, false]
 */
export function isclose(
  a: ArrayLike,
  b: ArrayLike,
  rtol?: ArrayLike | CloseOptions,
  atol?: ArrayLike | CloseOptions,
  options?: CloseOptions,
): NDArray;
export function isclose(): NDArray {
  return closeTo("isclose", iscloseParams(arguments));
}

const allcloseParams = /* @__PURE__ */ signature<CloseParams>("allclose", 2, closeNames);
/**
 * Whether all elements are close, as `isclose` says: a scalar array.
 *
 * @throws ShapeError `shape-broadcast`.
 * @example
 * np.allclose(np.array([1, 2]), np.array([1, 2.1])); // false
 */
export function allclose(
  a: ArrayLike,
  b: ArrayLike,
  rtol?: ArrayLike | CloseOptions,
  atol?: ArrayLike | CloseOptions,
  options?: CloseOptions,
): NDArray;
export function allclose(): NDArray {
  return allTrue(closeTo("allclose", allcloseParams(arguments)));
}

const allTrue = (x: NDArray): NDArray =>
  p.reduceAnd(
    x,
    x.shape.map((_, i) => i),
  );

export interface ArrayEqualOptions {
  readonly equalNan?: boolean | undefined;
}
const arrayEqualParams = /* @__PURE__ */ signature<ArrayEqualOptions & { a1: ArrayLike; a2: ArrayLike }>(
  "arrayEqual",
  2,
  ["a1", "a2", "equalNan"],
);
/**
 * Whether shapes and all elements are equal: a scalar array. NaN equals NaN only with `equalNan`.
 *
 * @example
 * np.arrayEqual(np.ones([2]), np.ones([3])); // false
 */
export function arrayEqual(a1: ArrayLike, a2: ArrayLike, options?: ArrayEqualOptions): NDArray;
export function arrayEqual(): NDArray {
  const { a1, a2, equalNan = false } = arrayEqualParams(arguments);
  const [x, y] = [asArray(a1, "arrayEqual", "a1"), asArray(a2, "arrayEqual", "a2")];
  if (!sameShape(x.shape, y.shape)) return lit(false, "bool");
  const same = equal(x, y);
  return allTrue(equalNan ? p.or(same, p.and(nanMask(x), nanMask(y))) : same);
}

const arrayEquivParams = /* @__PURE__ */ signature<{ a1: ArrayLike; a2: ArrayLike }>("arrayEquiv", 2, ["a1", "a2"]);
/** Whether all elements are equal after broadcasting, as a scalar array; false where shapes do not broadcast. */
export function arrayEquiv(a1: ArrayLike, a2: ArrayLike): NDArray;
export function arrayEquiv(): NDArray {
  const { a1, a2 } = arrayEquivParams(arguments);
  try {
    return allTrue(equal(a1, a2));
  } catch (e) {
    if (e instanceof ShapeError) return lit(false, "bool");
    throw e;
  }
}
