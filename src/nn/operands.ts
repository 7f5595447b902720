import type { NDArray } from "../core/array.js";
import { formatAval } from "../core/aval.js";
import { defaultFloat } from "../core/config.js";
import { isFloat } from "../core/dtype.js";
import { DTypeError } from "../core/errors.js";
import { type ArrayLike, asArray } from "../core/literal.js";
import { convert, inexact } from "../numpy/promotion.js";

/** What activation functions make of integers and booleans, which differs with the operations that each is defined by. */

/**
 * A float operand, as the logistic function demands. A JS number may be whole: there is no other way to write 2.0.
 * @throws DTypeError `float-needed`.
 */
export function floatsOnly(op: string, given: ArrayLike): NDArray {
  const x = asArray(given, op, "x");
  if (!isFloat(x.dtype) && typeof given !== "number") {
    throw new DTypeError({
      code: "float-needed",
      message: `${op} takes floats`,
      details: [["x", formatAval(x.aval)]],
      hint: 'convert with .astype("float32")',
    });
  }
  return inexact(op, x);
}

/** An operand that can be subtracted and negated. @throws DTypeError `number-needed`. */
export function numbersOnly(op: string, given: ArrayLike): NDArray {
  const x = asArray(given, op, "x");
  if (x.dtype !== "bool") return x;
  throw new DTypeError({
    code: "number-needed",
    message: `${op} takes numbers, not booleans`,
    details: [["x", formatAval(x.aval)]],
    hint: 'convert with .astype("float32")',
  });
}

/** An operand of a formula with JS numbers: integers and booleans become weak floats, as from `x + 0.5`. */
export function weakly(op: string, given: ArrayLike): NDArray {
  const x = asArray(given, op, "x");
  return isFloat(x.dtype) ? x : convert(x, defaultFloat(), true);
}

/** An operand of a formula with whole JS numbers: booleans become weak floats, integers floats. */
export function weakBooleans(op: string, given: ArrayLike): NDArray {
  const x = asArray(given, op, "x");
  return x.dtype === "bool" ? weakly(op, x) : inexact(op, x);
}
