import * as p from "../primitives/all.js";
import { promoteNumeric } from "./promotion.js";
import { binary, requireInteger, unary } from "./ufunc.js";

/** Operations on the bits of integers; on booleans they are the logical ones. */

/**
 * The bits that are set in both integers; the logical and of booleans.
 *
 * @throws DTypeError `dtype-refused` for floats.
 * @example
 * np.bitwiseAnd(6, 3); // 2
 */
export const bitwiseAnd = /* @__PURE__ */ binary("bitwiseAnd", (x, y) => p.and(x, y));
/**
 * The bits that are set in either integer; the logical or of booleans.
 *
 * @throws DTypeError `dtype-refused` for floats.
 * @example
 * np.bitwiseOr(6, 3); // 7
 */
export const bitwiseOr = /* @__PURE__ */ binary("bitwiseOr", (x, y) => p.or(x, y));
/**
 * The bits that are set in one integer only; the exclusive or of booleans.
 *
 * @throws DTypeError `dtype-refused` for floats.
 * @example
 * np.bitwiseXor(6, 3); // 5
 */
export const bitwiseXor = /* @__PURE__ */ binary("bitwiseXor", (x, y) => p.xor(x, y));
/** Flips all bits; of booleans the logical not. */
export const bitwiseNot = /* @__PURE__ */ unary("bitwiseNot", (x) => p.not(x));
/** The same as `bitwiseNot`. */
export const bitwiseInvert = /* @__PURE__ */ unary("bitwiseInvert", (x) => p.not(x));
/** The same as `bitwiseNot`. */
export const invert = /* @__PURE__ */ unary("invert", (x) => p.not(x));

/** Shifts to the left; a shift by 32 or more gives 0. */
export const leftShift = /* @__PURE__ */ binary("leftShift", (x, y) => p.shiftLeft(x, y), promoteNumeric);
/** The same as `leftShift`. */
export const bitwiseLeftShift = /* @__PURE__ */ binary("bitwiseLeftShift", (x, y) => p.shiftLeft(x, y), promoteNumeric);

const shiftedRight: typeof p.shiftRightLogical = (x, y) =>
  typeof x === "object" && x.dtype === "uint32" ? p.shiftRightLogical(x, y) : p.shiftRightArithmetic(x, y);
/** Shifts to the right; the sign of int32 fills in. */
export const rightShift = /* @__PURE__ */ binary("rightShift", shiftedRight, promoteNumeric);
/** The same as `rightShift`. */
export const bitwiseRightShift = /* @__PURE__ */ binary("bitwiseRightShift", shiftedRight, promoteNumeric);

/**
 * The number of bits that are set in |x|.
 *
 * @example
 * np.bitwiseCount(np.array([7, -1], "int32")); // [3, 1]
 */
export const bitwiseCount = /* @__PURE__ */ unary("bitwiseCount", (x) => {
  if (x.dtype === "bool") return p.convertElementType(x, "int32");
  requireInteger("bitwiseCount", x);
  return p.populationCount(x.dtype === "uint32" ? x : p.abs(x));
});
