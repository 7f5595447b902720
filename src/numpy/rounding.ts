import type { NDArray } from "../core/array.js";
import { signature } from "../core/calling.js";
import { isFloat } from "../core/dtype.js";
import { ArgumentError, DTypeError } from "../core/errors.js";
import { type ArrayLike, asArray } from "../core/literal.js";
import { defaultFloat } from "../core/config.js";
import * as p from "../primitives/all.js";
import { convert } from "./promotion.js";
import { like, unary } from "./ufunc.js";

/** Rounding. Integers and booleans are round already, and keep their dtype but for `rint`; `round` refuses booleans, as in JAX. */

const rounding = (op: string, f: (x: NDArray) => NDArray) => unary(op, (x) => (isFloat(x.dtype) ? f(x) : x));

/**
 * The greatest integer that is not above x, in x's dtype; its derivative is 0.
 *
 * @example
 * np.floor(np.array([-1.5, 2.7])); // [-2, 2]
 */
export const floor = /* @__PURE__ */ rounding("floor", (x) => p.floor(x));
/**
 * The least integer that is not below x, in x's dtype; its derivative is 0.
 *
 * @example
 * np.ceil(np.array([-1.5, 2.2])); // [-1, 3]
 */
export const ceil = /* @__PURE__ */ rounding("ceil", (x) => p.ceil(x));

const towardsZero = (x: NDArray): NDArray => p.select(p.lt(x, like(x, 0)), p.ceil(x), p.floor(x));
/**
 * Rounds towards zero; the derivative is 0.
 *
 * @example
 * np.trunc(np.array([-1.7, 1.7])); // [-1, 1]
 */
export const trunc = /* @__PURE__ */ rounding("trunc", towardsZero);
/** Rounds towards zero. */
export const fix = /* @__PURE__ */ rounding("fix", towardsZero);

/**
 * Rounds to the nearest whole number, halves to the even one; integers become floats.
 *
 * @example
 * np.rint(np.array([0.5, 1.5])); // [0, 2]
 */
export const rint = /* @__PURE__ */ unary("rint", (x) =>
  isFloat(x.dtype) ? p.round(x, "toNearestEven") : convert(x, defaultFloat()),
);

export interface RoundOptions {
  readonly decimals?: number | undefined;
}

function roundTo(op: string, x: NDArray, decimals: number): NDArray {
  if (!Number.isInteger(decimals)) {
    throw new ArgumentError({
      code: "decimals-invalid",
      message: `${op}: decimals must be a whole number, not ${String(decimals)}`,
    });
  }
  if (x.dtype === "bool") {
    throw new DTypeError({
      code: "round-bool",
      message: `${op} takes no booleans`,
      details: [["operand", x.describe()]],
      hint: 'convert with astype("int32")',
    });
  }
  if (!isFloat(x.dtype)) {
    if (decimals >= 0) return x;
    throw new ArgumentError({
      code: "decimals-invalid",
      message: `${op} of integers takes no negative decimals`,
      hint: 'convert to floats first, with astype("float32")',
    });
  }
  if (decimals === 0) return p.round(x, "toNearestEven");
  if (decimals > (x.dtype === "float64" ? 308 : 38)) return x;
  const factor = like(x, 10 ** decimals);
  return p.div(p.round(p.mul(x, factor), "toNearestEven"), factor);
}

const roundParams = /* @__PURE__ */ signature<RoundOptions & { a: ArrayLike }>("round", 1, ["a", "decimals", "out"]);
/**
 * Rounds to a number of decimals, halves to the even digit; integers stay as they are. The derivative is 0.
 *
 * @throws ArgumentError `decimals-invalid`; DTypeError `round-bool`.
 * @example
 * np.round(np.array([0.5, 1.5, -2.5])); // [0, 2, -2]
 * np.round(np.array([3.14159]), 2); // [3.14]
 */
export function round(a: ArrayLike, decimals?: number | RoundOptions, options?: RoundOptions): NDArray;
export function round(): NDArray {
  const { a, decimals = 0 } = roundParams(arguments);
  return roundTo("round", asArray(a, "round", "a"), decimals);
}

const aroundParams = /* @__PURE__ */ signature<RoundOptions & { a: ArrayLike }>("around", 1, ["a", "decimals", "out"]);
/** The same as `round`. */
export function around(a: ArrayLike, decimals?: number | RoundOptions, options?: RoundOptions): NDArray;
export function around(): NDArray {
  const { a, decimals = 0 } = aroundParams(arguments);
  return roundTo("around", asArray(a, "around", "a"), decimals);
}
