import type { NDArray } from "../core/array.js";
import { normalizeAxis } from "../core/aval.js";
import { signature } from "../core/calling.js";
import { isInteger } from "../core/dtype.js";
import { ArgumentError } from "../core/errors.js";
import { type ArrayLike, asArray, lit } from "../core/literal.js";
import * as p from "../primitives/all.js";
import { type Axis, inexact } from "./promotion.js";
import { amax, amin, sum } from "./reductions.js";
import { like } from "./ufunc.js";

/** Lengths of vectors and of matrices. */

/** Which norm: a number p for (Σ|x|^p)^(1/p), of matrices "fro", ±1 and ±Infinity (largest or least sums of columns, rows). */
export type NormOrder = number | "fro" | "f" | "nuc";

export interface VectorNormOptions {
  readonly axis?: Axis | undefined;
  readonly keepdims?: boolean | undefined;
  readonly ord?: NormOrder | null | undefined;
}
const vectorNormParams = /* @__PURE__ */ signature<VectorNormOptions & { x: ArrayLike }>(
  "linalg.vectorNorm",
  1,
  ["x"],
  { byName: ["axis", "keepdims", "ord"] },
);
/**
 * The norm of vectors along axes, of all elements by default; `ord` (2) as in `norm`.
 *
 * @throws ArgumentError `norm-order`, `axis-range`, `axis-duplicate`.
 * @example
 * np.linalg.vectorNorm(np.array([[3, 4], [6, 8]]), { axis: 1 }); // [5, 10]
 */
export function vectorNorm(x: ArrayLike, options?: VectorNormOptions): NDArray;
export function vectorNorm(): NDArray {
  const { x, axis = null, keepdims = false, ord = 2 } = vectorNormParams(arguments);
  const op = "linalg.vectorNorm";
  // Sums and extremes of sizes stay integers, as in JAX.
  const given = asArray(x, op, "x");
  const whole = isInteger(given.dtype) && (ord === 1 || ord === Infinity || ord === -Infinity);
  return normOfVectors(op, whole ? given : inexact(op, given), ord ?? 2, axis, keepdims);
}

const lengthOf = (x: NDArray, axis: Axis, keepdims: boolean): NDArray => p.sqrt(sum(p.mul(x, x), { axis, keepdims }));

function normOfVectors(op: string, x: NDArray, ord: NormOrder, axis: Axis, keepdims: boolean): NDArray {
  if (typeof ord !== "number") {
    throw new ArgumentError({
      code: "norm-order",
      message: `${op}: ${JSON.stringify(ord)} is no norm of vectors`,
      hint: "give a number, which may be Infinity",
    });
  }
  if (ord === 2) return lengthOf(x, axis, keepdims);
  const size = p.abs(x);
  if (ord === Infinity) return amax(size, { axis, keepdims, initial: 0 });
  if (ord === -Infinity) return amin(size, { axis, keepdims });
  if (ord === 0) return sum(p.ne(x, like(x, 0)), { axis, keepdims, dtype: x.dtype });
  if (ord === 1) return sum(size, { axis, keepdims });
  return p.pow(sum(p.pow(size, lit(ord, x.dtype)), { axis, keepdims }), lit(1 / ord, x.dtype));
}

/** @throws ArgumentError `decomposition-absent`. */
export function decompositionAbsent(op: string, what: string, hint?: string): ArgumentError {
  return new ArgumentError({
    code: "decomposition-absent",
    message: `${op}: ${what}, which is not part of this version`,
    hint,
  });
}

function normOfMatrices(
  op: string,
  x: NDArray,
  ord: NormOrder,
  row: number,
  column: number,
  keepdims: boolean,
): NDArray {
  if (ord === "fro" || ord === "f") return lengthOf(x, [row, column], keepdims);
  if (ord === "nuc" || ord === 2 || ord === -2) {
    throw decompositionAbsent(
      op,
      `the norm of order ${JSON.stringify(ord)} needs the singular value decomposition`,
      'orders "fro", 1, −1, Infinity and −Infinity need none',
    );
  }
  const size = p.abs(x);
  const bySum = (summed: number, over: number, extreme: typeof amax): NDArray => {
    const sums = sum(size, { axis: summed, keepdims });
    const axis = !keepdims && over > summed ? over - 1 : over;
    return extreme === amax ? amax(sums, { axis, keepdims, initial: 0 }) : amin(sums, { axis, keepdims });
  };
  switch (ord) {
    case 1:
      return bySum(row, column, amax);
    case -1:
      return bySum(row, column, amin);
    case Infinity:
      return bySum(column, row, amax);
    case -Infinity:
      return bySum(column, row, amin);
    default:
      throw new ArgumentError({
        code: "norm-order",
        message: `${op}: ${String(ord)} is no norm of matrices`,
        hint: 'orders: "fro", 1, −1, Infinity, −Infinity',
      });
  }
}

export interface MatrixNormOptions {
  readonly keepdims?: boolean | undefined;
  readonly ord?: NormOrder | null | undefined;
}
const matrixNormParams = /* @__PURE__ */ signature<MatrixNormOptions & { x: ArrayLike }>(
  "linalg.matrixNorm",
  1,
  ["x"],
  { byName: ["keepdims", "ord"] },
);
/**
 * The norm of the matrices in the last two axes; `ord` ("fro") as in `norm`.
 *
 * @throws ArgumentError `norm-order`, `decomposition-absent`, `axis-range`.
 * @example
 * np.linalg.matrixNorm(np.array([[1, -2], [3, 4]]), { ord: 1 }); // 6
 */
export function matrixNorm(x: ArrayLike, options?: MatrixNormOptions): NDArray;
export function matrixNorm(): NDArray {
  const { x: given, keepdims = false, ord } = matrixNormParams(arguments);
  const x = inexact("linalg.matrixNorm", given);
  const [row, column] = [-2, -1].map((a) => normalizeAxis(a, x.ndim, "linalg.matrixNorm")) as [number, number];
  return normOfMatrices("linalg.matrixNorm", x, ord ?? "fro", row, column, keepdims);
}

export interface NormOptions {
  readonly ord?: NormOrder | null | undefined;
  /** One axis for vectors, two for matrices. */
  readonly axis?: Axis | undefined;
  readonly keepdims?: boolean | undefined;
}
const normParams = /* @__PURE__ */ signature<NormOptions & { x: ArrayLike }>("linalg.norm", 1, [
  "x",
  "ord",
  "axis",
  "keepdims",
]);
/**
 * The norm of vectors or matrices; without `ord` and `axis` the root of the sum of all squares. With one axis `ord` is a
 * number p, for (Σ|x|^p)^(1/p), 0 (how many are not 0) or ±Infinity; with two `"fro"`, ±1 (sums of columns) or ±Infinity
 * (of rows). At 0 the derivative of a root is NaN.
 *
 * @throws ArgumentError `norm-order`, `norm-axes`, `axis-range`; ArgumentError `decomposition-absent` for the orders 2, −2 and
 * `"nuc"` of matrices.
 * @example
 * np.linalg.norm(np.array([3, 4])); // 5
 * np.linalg.norm(np.array([[3, 4], [6, 8]]), { axis: 1 }); // [5, 10]
 * np.linalg.norm(np.array([3, -4]), 1); // 7
 */
export function norm(
  x: ArrayLike,
  ord?: NormOrder | null | NormOptions,
  axis?: Axis | NormOptions,
  keepdims?: boolean | NormOptions,
): NDArray;
export function norm(): NDArray {
  const { x: given, ord = null, axis = null, keepdims = false } = normParams(arguments);
  const x = inexact("linalg.norm", given);
  if (axis === null && ord === null) return lengthOf(x, null, keepdims);
  const list = axis === null ? x.shape.map((_, i) => i) : typeof axis === "number" ? [axis] : axis;
  const axes = list.map((a) => normalizeAxis(a, x.ndim, "linalg.norm"));
  if (axes.length === 1) return normOfVectors("linalg.norm", x, ord ?? 2, axes, keepdims);
  if (axes.length === 2) return normOfMatrices("linalg.norm", x, ord ?? "fro", axes[0]!, axes[1]!, keepdims);
  throw new ArgumentError({
    code: "norm-axes",
    message: `linalg.norm: ${axes.length} axes make neither vectors nor matrices`,
    details: [["x", x.describe()]],
    hint: "give one axis, or two",
  });
}
