import type { NDArray } from "../core/array.js";
import { atOnce } from "../core/at-once.js";
import { formatAval } from "../core/aval.js";
import { isFloat, isInteger } from "../core/dtype.js";
import { DTypeError } from "../core/errors.js";
import { signature } from "../core/calling.js";
import { type ArrayLike, asArray, scalarOf } from "../core/literal.js";
import * as p from "../primitives/all.js";
import { convert, inexact, promote2, promoteInexact } from "./promotion.js";

/** A function of one array, element by element. */
export type Unary = (x: ArrayLike) => NDArray;
/** A function of two arrays that broadcast together, element by element. */
export type Binary = (x1: ArrayLike, x2: ArrayLike) => NDArray;

/** A unary function of the given name; `f` gets the operand as an array. */
export function unary(op: string, f: (x: NDArray) => NDArray): Unary {
  const params = signature<{ x: ArrayLike }>(op, 1, ["x"]);
  const whole = atOnce(op, f);
  const call: Unary = function (x) {
    return whole(asArray(arguments.length === 1 ? x : params(arguments).x, op, "x"));
  };
  return named(call, op);
}

/** A unary function that computes integers and booleans in floats. */
export const floatUnary = (op: string, f: (x: NDArray) => NDArray): Unary => unary(op, (x) => f(inexact(op, x)));

/** A binary function of the given name; `f` gets the operands promoted by `promotion`. */
export function binary(
  op: string,
  f: (x1: NDArray, x2: NDArray) => NDArray,
  promotion: (op: string, x1: ArrayLike, x2: ArrayLike) => readonly NDArray[] = promote2,
): Binary {
  const params = signature<{ x1: ArrayLike; x2: ArrayLike }>(op, 2, ["x1", "x2"]);
  const whole = atOnce(op, f);
  const call: Binary = function (x1, x2) {
    if (arguments.length !== 2) ({ x1, x2 } = params(arguments));
    const operands = promotion(op, x1, x2);
    return whole(operands[0]!, operands[1]!);
  };
  return named(call, op);
}

/** A binary function that computes integers and booleans in floats. */
export const floatBinary = (op: string, f: (x1: NDArray, x2: NDArray) => NDArray): Binary =>
  binary(op, f, promoteInexact);

function named<F>(f: F, name: string): F {
  Object.defineProperty(f, "name", { value: name });
  return f;
}

/** A scalar of the operand's dtype, weak if the operand is. */
export const like = (x: NDArray, value: number): NDArray =>
  scalarOf(value, { shape: [], dtype: x.dtype, weakType: x.weakType });

/** An array that is weak at most as a scalar: what JAX's formulas with constants of the operand's shape give. */
export const weakScalarOnly = (x: NDArray, of: NDArray = x): NDArray => (of.ndim === 0 ? x : convert(x, x.dtype));

/** Whether elements are NaN; all false for dtypes without NaN. */
export const nanMask = (x: NDArray): NDArray =>
  isFloat(x.dtype) ? p.ne(x, x) : p.full(0, { shape: x.shape, dtype: "bool", weakType: false });

/** Refuses floats and booleans. @throws DTypeError `integer-needed`. */
export function requireInteger(op: string, x: NDArray): void {
  if (isInteger(x.dtype)) return;
  throw new DTypeError({
    code: "integer-needed",
    message: `${op} takes integers`,
    details: [["operand", formatAval(x.aval)]],
    hint: 'convert with astype("int32")',
  });
}
