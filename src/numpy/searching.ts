import type { NDArray } from "../core/array.js";
import { signature } from "../core/calling.js";
import { isFloat, isInteger } from "../core/dtype.js";
import { ArgumentError, ShapeError } from "../core/errors.js";
import { type ArrayLike, asArray, describeValue } from "../core/literal.js";
import { valuesNow } from "../core/values-now.js";
import * as p from "../primitives/all.js";
import { takeAlong } from "./gathering.js";
import { at, take } from "./indexing.js";
import { choose } from "./logic.js";
import { convert, convertAll, pairOf, resultElementType } from "./promotion.js";
import { like, requireInteger } from "./ufunc.js";

/** Searching sorted arrays, and counting. The results are integers, so there are no derivatives. */

/** Where equal elements belong: before all of them, or after. */
export type SearchSide = "left" | "right";
export type SearchMethod = "scan" | "scan_unrolled" | "sort" | "compare_all";

export interface SearchsortedOptions {
  readonly side?: SearchSide | undefined;
  /** Indices that sort `a`. */
  readonly sorter?: ArrayLike | null | undefined;
  /** The search is always the unrolled binary one. */
  readonly method?: SearchMethod | undefined;
}
const searchsortedParams = /* @__PURE__ */ signature<SearchsortedOptions & { a: ArrayLike; v: ArrayLike }>(
  "searchsorted",
  2,
  ["a", "v", "side", "sorter"],
  {
    byName: ["method"],
  },
);
/**
 * Indices (int32) at which elements of v go into the sorted vector a so that it stays sorted; NaN goes after all numbers.
 * Among equal elements it is the first place (`side: "left"`) or the one after the last ("right").
 *
 * @throws ShapeError `rank`; ArgumentError `search-side`, `option-value`.
 * @example
 * np.searchsorted(np.array([1, 2, 3]), np.array([0.5, 2, 9])); // [0, 1, 3]
 * np.searchsorted(np.array([1, 2, 3]), 2, "right"); // 2
 */
export function searchsorted(
  a: ArrayLike,
  v: ArrayLike,
  side?: SearchSide | SearchsortedOptions,
  options?: SearchsortedOptions,
): NDArray;
export function searchsorted(): NDArray {
  const { a, v, side = "left", sorter = null, method } = searchsortedParams(arguments);
  requireMethod("searchsorted", method);
  let sorted = asArray(a, "searchsorted", "a");
  if (sorter !== null) sorted = take(sorted, sorter);
  return search("searchsorted", sorted, asArray(v, "searchsorted", "v"), side);
}

const searchMethods: readonly SearchMethod[] = ["scan", "scan_unrolled", "sort", "compare_all"];

/** @throws ArgumentError `option-value`. */
function requireMethod(op: string, method: SearchMethod | null | undefined): void {
  if (method === undefined || method === null || searchMethods.includes(method)) return;
  throw new ArgumentError({
    code: "option-value",
    message: `${op}: there is no method ${describeValue(method)}`,
    hint: `methods: ${searchMethods.join(", ")}`,
  });
}

function requireVector(op: string, x: NDArray, name: string): void {
  if (x.ndim !== 1)
    throw new ShapeError({
      code: "rank",
      message: `${op}: ${name} must have one dimension`,
      details: [[name, x.describe()]],
    });
}

/** x < y where NaN, equal to itself, comes after all numbers. */
function precedes(x: NDArray, y: NDArray): NDArray {
  const below = p.lt(x, y);
  return isFloat(x.dtype) ? p.or(below, p.and(p.eq(x, x), p.ne(y, y))) : below;
}

/** Binary search with as many halvings as the length needs. */
function search(op: string, a: NDArray, v: NDArray, side: SearchSide): NDArray {
  requireVector(op, a, "a");
  if (side !== "left" && side !== "right") {
    throw new ArgumentError({
      code: "search-side",
      message: `${op}: side must be "left" or "right", not ${JSON.stringify(side)}`,
    });
  }
  const type = resultElementType(op, [a, v]);
  const [sorted, query] = pairOf(
    convertAll([p.stopGradient(a), p.stopGradient(v)], type.dtype === "bool" ? { dtype: "int32", weak: false } : type),
  );
  const n = a.shape[0]!;
  const int = { shape: v.shape, dtype: "int32", weakType: false } as const;
  let low = p.full(0, int);
  let high = p.full(n, int);
  const halvings = Math.ceil(Math.log2(n + 1));
  for (let i = 0; i < halvings; i++) {
    const middle = p.shiftRightLogical(p.add(low, high), 1);
    const element = takeAlong(sorted, middle, 0);
    const goLeft = side === "left" ? p.not(precedes(element, query)) : precedes(query, element);
    high = p.select(goLeft, middle, high);
    if (i < halvings - 1) low = p.select(goLeft, low, middle);
  }
  return high;
}

export interface DigitizeOptions {
  /** Whether intervals are closed on the right instead of the left. */
  readonly right?: boolean | undefined;
  readonly method?: SearchMethod | null | undefined;
}
const digitizeParams = /* @__PURE__ */ signature<DigitizeOptions & { x: ArrayLike; bins: ArrayLike }>(
  "digitize",
  2,
  ["x", "bins", "right"],
  { byName: ["method"] },
);
/**
 * Numbers (int32) of the bins that elements of x lie in: i where bins[i − 1] ≤ x < bins[i], 0 and the number of edges at
 * the ends. The edges ascend or descend.
 *
 * @throws ShapeError `rank`; ArgumentError `option-value`.
 * @example
 * np.digitize(np.array([-1, 0, 1.5]), np.array([0, 1, 2])); // [0, 1, 2]
 */
export function digitize(
  x: ArrayLike,
  bins: ArrayLike,
  right?: boolean | DigitizeOptions,
  options?: DigitizeOptions,
): NDArray;
export function digitize(): NDArray {
  const { x: given, bins, right = false, method } = digitizeParams(arguments);
  requireMethod("digitize", method);
  const [x, edges] = [asArray(given, "digitize", "x"), asArray(bins, "digitize", "bins")];
  requireVector("digitize", edges, "bins");
  const n = edges.shape[0]!;
  if (n === 0) return p.full(0, { shape: x.shape, dtype: "int32", weakType: false });
  const side = right ? "left" : "right";
  const edge = (i: number): NDArray => p.reshape(p.slice(edges, [i], [i + 1]), []);
  const ascending = search("digitize", edges, x, side);
  const descending = p.sub(like(ascending, n), search("digitize", p.rev(edges, [0]), x, side));
  return choose("digitize", p.ge(edge(n - 1), edge(0)), ascending, descending);
}

export interface BincountOptions {
  /** What each occurrence counts; by default 1. */
  readonly weights?: ArrayLike | null | undefined;
  /** The result has at least this many counts. */
  readonly minlength?: number | undefined;
  /** How many counts the result has: needed where the values of x are not known, as under jit. Larger values are not counted. */
  readonly length?: number | null | undefined;
}
const bincountParams = /* @__PURE__ */ signature<BincountOptions & { x: ArrayLike }>(
  "bincount",
  1,
  ["x", "weights", "minlength"],
  { byName: ["length"] },
);
/**
 * How often each whole number from 0 on occurs in a vector, or the sums of its weights; negative ones count as 0. The
 * length is one more than the largest number, at least `minlength`; where numbers are traced, `length` says it, and larger
 * ones are not counted.
 *
 * @throws DTypeError `integer-needed`; ShapeError `rank`, `weights-shape`; ArgumentError `length-needed`.
 * @example
 * np.bincount(np.array([0, 2, 2], "int32")); // [1, 0, 2]
 */
export function bincount(
  x: ArrayLike,
  weights?: ArrayLike | null | BincountOptions,
  minlength?: number | BincountOptions,
  options?: BincountOptions,
): NDArray;
export function bincount(): NDArray {
  const { x: given, weights = null, minlength = 0, length = null } = bincountParams(arguments);
  let x = asArray(given, "bincount", "x");
  if (x.dtype === "bool") x = convert(x, "int32");
  requireInteger("bincount", x);
  requireVector("bincount", x, "x");
  const each =
    weights === null
      ? p.full(1, { shape: [], dtype: "int32", weakType: false })
      : asArray(weights, "bincount", "weights");
  if (weights !== null && (each.ndim !== 1 || each.size !== x.size)) {
    throw new ShapeError({
      code: "weights-shape",
      message: "bincount: weights must have the shape of x",
      details: [
        ["x", x.describe()],
        ["weights", each.describe()],
      ],
    });
  }
  const counts = p.full(0, {
    shape: [length ?? Math.max(minlength, largest(x) + 1)],
    dtype: each.dtype,
    weakType: false,
  });
  if (counts.size === 0) return counts;
  return at(counts, isInteger(x.dtype) && x.dtype === "int32" ? p.max(x, 0) : x).add(each, { mode: "drop" });
}

/** The largest element, at least −1. @throws ArgumentError `length-needed`. */
function largest(x: NDArray): number {
  if (x.size === 0) return -1;
  const values = valuesNow("bincount", x);
  if (values === undefined) {
    throw new ArgumentError({
      code: "length-needed",
      message: "bincount: the length of the result depends on values that are not known here",
      details: [["x", x.describe()]],
      hint: "give {length}",
    });
  }
  let most = 0;
  for (const value of values) most = Math.max(most, Number(value));
  return most;
}

export interface IsinOptions {
  readonly assumeUnique?: boolean | undefined;
  /** Whether elements are not among the others. */
  readonly invert?: boolean | undefined;
  readonly method?: "auto" | "compare_all" | "binary_search" | "sort" | undefined;
}
const isinParams = /* @__PURE__ */ signature<IsinOptions & { element: ArrayLike; testElements: ArrayLike }>(
  "isin",
  2,
  ["element", "testElements", "assumeUnique", "invert"],
  { byName: ["method"] },
);
/**
 * Whether elements of an array are among those of another: bool, of the first one's shape. All pairs are compared; NaN is
 * never found.
 *
 * @example
 * np.isin(np.array([1, 2, NaN]), np.array([2, NaN])); // [false, true, false]
 */
export function isin(element: ArrayLike, testElements: ArrayLike, options?: IsinOptions): NDArray;
export function isin(): NDArray {
  const { element, testElements, invert = false } = isinParams(arguments);
  const [x, others] = pairOf(convertAll([element, testElements], resultElementType("isin", [element, testElements])));
  if (x.size === 0 || others.size === 0)
    return p.full(Number(invert), { shape: x.shape, dtype: "bool", weakType: false });
  const table = [x.size, others.size];
  const rows = p.broadcastInDim(p.reshape(x, [x.size]), table, [0]);
  const columns = p.broadcastInDim(p.reshape(others, [others.size]), table, [1]);
  const found = invert ? p.reduceAnd(p.ne(rows, columns), [1]) : p.reduceOr(p.eq(rows, columns), [1]);
  return p.reshape(found, x.shape);
}
