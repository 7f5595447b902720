import { ConcreteArray, type NDArray } from "../core/array.js";
import { isFloat, isInteger } from "../core/dtype.js";
import { signature } from "../core/calling.js";
import { type ArrayLike, asArray } from "../core/literal.js";
import * as p from "../primitives/all.js";
import {
  broadcastOperands,
  convert,
  numeric,
  pairOf,
  promote2,
  promoteNumeric,
  resultElementType,
} from "./promotion.js";
import { binary, floatBinary, floatUnary, like, requireInteger, unary, weakScalarOnly } from "./ufunc.js";

/** Arithmetic, element by element, with JAX's promotion. */

/**
 * Sum; on booleans the logical or. Integers wrap around.
 *
 * @throws ShapeError `shape-broadcast`; DTypeError `key-arithmetic`.
 * @example
 * np.add(np.array([[1], [2]]), np.array([10, 20])); // [[11, 21], [12, 22]]
 */
export const add = /* @__PURE__ */ binary("add", (x, y) => (x.dtype === "bool" ? p.or(x, y) : p.add(x, y)));

/**
 * Difference; integers wrap around.
 *
 * @throws ShapeError `shape-broadcast`; DTypeError `dtype-refused` for booleans, as in JAX.
 * @example
 * np.subtract(np.array([1, 2]), 3); // [-2, -1]
 */
export const subtract = /* @__PURE__ */ binary("subtract", (x, y) => p.sub(x, y));

/**
 * Product; on booleans the logical and. Integers wrap around.
 *
 * @throws ShapeError `shape-broadcast`.
 * @example
 * np.multiply(np.array([1, 2]), 3); // [3, 6]
 */
export const multiply = /* @__PURE__ */ binary("multiply", (x, y) => (x.dtype === "bool" ? p.and(x, y) : p.mul(x, y)));

/**
 * Quotient in floats, also of integers; by 0 it is ±∞, of 0 by 0 NaN.
 *
 * @throws ShapeError `shape-broadcast`.
 * @example
 * np.trueDivide(np.arange(3), 2); // [0, 0.5, 1]
 */
export const trueDivide = /* @__PURE__ */ floatBinary("trueDivide", (x, y) => p.div(x, y));
/**
 * The same as `trueDivide`.
 *
 * @throws ShapeError `shape-broadcast`.
 * @example
 * np.divide(np.array([1, -1, 0]), 0); // [Infinity, -Infinity, NaN]
 */
export const divide = /* @__PURE__ */ floatBinary("divide", (x, y) => p.div(x, y));

/**
 * −x; of uint32 modulo 2³².
 *
 * @throws DTypeError `dtype-refused` for booleans, as in JAX.
 * @example
 * np.negative(np.array([1, -2])); // [-1, 2]
 */
export const negative = /* @__PURE__ */ unary("negative", (x) => p.neg(x));
/** x itself. */
export const positive = /* @__PURE__ */ unary("positive", (x) => x);
/**
 * 1/x, in floats; ±∞ at ±0.
 *
 * @example
 * np.reciprocal(np.array([4, 0])); // [0.25, Infinity]
 */
export const reciprocal = /* @__PURE__ */ floatUnary("reciprocal", (x) => p.integerPow(x, -1));

/**
 * Absolute value; its derivative at 0 is 1. The least int32 stays as it is.
 *
 * @example
 * np.absolute(np.array([-1.5, 2])); // [1.5, 2]
 * grad((x) => np.absolute(x))(0); // 1
 */
export const absolute = /* @__PURE__ */ unary("absolute", (x) =>
  x.dtype === "bool" || x.dtype === "uint32" ? x : p.abs(x),
);
/** The same as `absolute`. */
export const abs = /* @__PURE__ */ unary("abs", absolute);
/** Absolute value in floats. */
export const fabs = /* @__PURE__ */ floatUnary("fabs", (x) => p.abs(x));
/**
 * −1, 0 or 1; NaN of NaN. Its derivative is 0.
 *
 * @example
 * np.sign(np.array([-3, 0, NaN])); // [-1, 0, NaN]
 */
export const sign = /* @__PURE__ */ unary("sign", (x) => p.sign(x));
/**
 * x·x; booleans become int32.
 *
 * @example
 * grad((x) => np.sum(np.square(x)))(np.array([1, -3])); // [2, -6]
 */
export const square = /* @__PURE__ */ unary("square", (x) => p.square(numeric("square", x)));

/**
 * Quotient rounded towards −∞: of integers an integer (where the divisor is 0, JAX's: −1 or −2), of floats a float.
 *
 * @throws ShapeError `shape-broadcast`.
 * @example
 * np.floorDivide(np.array([7, -7]), 2); // [3, -4]
 */
export const floorDivide = /* @__PURE__ */ binary(
  "floorDivide",
  (x, y) => {
    if (x.dtype === "uint32") return p.div(x, y);
    if (!isInteger(x.dtype)) return floatDivmod(x, y)[0];
    const q = p.div(x, y);
    const rounds = p.and(p.ne(p.sign(x), p.sign(y)), p.ne(p.rem(x, y), like(x, 0)));
    return p.select(rounds, p.sub(q, like(q, 1)), q);
  },
  promoteNumeric,
);

/** Python's divmod of floats (float_divmod in CPython's floatobject.c). */
function floatDivmod(x: NDArray, y: NDArray): [quotient: NDArray, remainder: NDArray] {
  const zero = like(x, 0);
  const m = p.rem(x, y);
  const q = p.div(p.select(p.eq(y, zero), x, p.sub(x, m)), y);
  const off = p.and(p.ne(m, zero), p.ne(p.sign(y), p.sign(m)));
  return [p.round(p.select(off, p.sub(q, like(q, 1)), q), "awayFromZero"), p.select(off, p.add(m, y), m)];
}

const remainderOf = (x: NDArray, divisor: NDArray): NDArray => {
  const zero = like(x, 0);
  const y = isInteger(x.dtype) ? p.select(p.eq(divisor, zero), like(x, 1), divisor) : divisor;
  const m = p.rem(x, y);
  const off = p.and(p.ne(p.lt(m, zero), p.lt(y, zero)), p.ne(m, zero));
  return p.select(off, p.add(m, y), m);
};

/**
 * Remainder with the sign of the divisor, as Python's `%`; by 0 it is NaN of floats, 0 of integers.
 *
 * @throws ShapeError `shape-broadcast`.
 * @example
 * np.remainder(np.array([7, -7]), 3); // [1, 2]
 */
export const remainder = /* @__PURE__ */ binary("remainder", remainderOf, promoteNumeric);
/** The same as `remainder`. */
export const mod = /* @__PURE__ */ binary("mod", remainderOf, promoteNumeric);

/**
 * Remainder with the sign of the dividend, as C and JavaScript's `%` have it.
 *
 * @throws ShapeError `shape-broadcast`.
 * @example
 * np.fmod(np.array([7, -7]), 3); // [1, -1]
 */
export const fmod = /* @__PURE__ */ binary("fmod", (x, y) => {
  // Integers have no remainder of a division by 0; of booleans JAX lets the primitive decide.
  const divisor = isInteger(x.dtype) ? p.select(p.eq(y, like(y, 0)), like(y, 1), y) : y;
  return x.dtype === "bool" ? p.rem(convert(x, "int32"), convert(y, "int32")) : p.rem(x, divisor);
});

/**
 * `[floorDivide(x1, x2), remainder(x1, x2)]`.
 *
 * @throws ShapeError `shape-broadcast`.
 * @example
 * np.divmod(np.array([7, -7]), 3); // [[2, -3], [1, 2]]
 */
export function divmod(x1: ArrayLike, x2: ArrayLike): [quotient: NDArray, remainder: NDArray];
export function divmod(): [NDArray, NDArray] {
  const given = divmodParams(arguments);
  const [x, y] = pairOf(promoteNumeric("divmod", given.x1, given.x2));
  return isFloat(x.dtype) ? floatDivmod(x, y) : [floorDivide(x, y), remainderOf(x, y)];
}
const divmodParams = /* @__PURE__ */ signature<{ x1: ArrayLike; x2: ArrayLike }>("divmod", 2, ["x1", "x2"]);

/**
 * The larger operand, element by element; NaN if either is. A tie gives each half of the derivative.
 *
 * @throws ShapeError `shape-broadcast`.
 * @example
 * np.maximum(np.array([1, NaN, -2]), 0); // [1, NaN, 0]
 * grad((x) => np.maximum(x, 0))(0); // 0.5
 */
export const maximum = /* @__PURE__ */ binary("maximum", (x, y) => p.max(x, y));
/**
 * The smaller operand, element by element; NaN if either is. A tie gives each half of the derivative.
 *
 * @throws ShapeError `shape-broadcast`.
 * @example
 * np.minimum(np.array([1, NaN, -2]), 0); // [0, NaN, -2]
 */
export const minimum = /* @__PURE__ */ binary("minimum", (x, y) => p.min(x, y));

const isNanOrFalse = (x: NDArray): NDArray => p.ne(x, x);
/**
 * The larger operand; the other one where one is NaN. A tie gives all of the derivative to the second.
 *
 * @throws ShapeError `shape-broadcast`.
 * @example
 * np.fmax(np.array([1, NaN]), 0); // [1, 0]
 */
export const fmax = /* @__PURE__ */ binary("fmax", (x, y) => p.select(p.or(p.gt(x, y), isNanOrFalse(y)), x, y));
/**
 * The smaller operand; the other one where one is NaN. A tie gives all of the derivative to the second.
 *
 * @throws ShapeError `shape-broadcast`.
 * @example
 * np.fmin(np.array([1, NaN]), 2); // [1, 2]
 */
export const fmin = /* @__PURE__ */ binary("fmin", (x, y) => p.select(p.or(p.lt(x, y), isNanOrFalse(y)), x, y));

/**
 * x1 to the power x2. An integral JS number as exponent is multiplied out (right at x1 = 0, also for derivatives, and for
 * integers); arrays of integers give integers by binary exponentiation (of negative exponents, as in JAX, nothing of
 * sense). A negative float to a power that is not whole is NaN.
 *
 * @throws ShapeError `shape-broadcast`; DTypeError `negative-power` of integers and a negative JS number.
 * @example
 * np.power(np.array([1, 2, 3]), 2); // [1, 4, 9]
 * grad((x) => np.power(x, 2))(0); // 0
 * np.power(-8, 1 / 3); // NaN, which np.cbrt is not
 */
export function power(x1: ArrayLike, x2: ArrayLike): NDArray {
  if (arguments.length !== 2) ({ x1, x2 } = powerParams(arguments));
  const n = integerExponent(x2);
  if (n !== undefined) return p.integerPow(numeric("power", x1), n);
  const t = resultElementType("power", [x1, x2]);
  if (!isFloat(t.dtype)) return weakScalarOnly(integerPower(...pairOf(promoteNumeric("power", x1, x2))));
  const [base, exponent] = [asArray(x1, "power", "x1"), asArray(x2, "power", "x2")];
  // An integer array as exponent of a float stays one: its derivative is right at x1 = 0.
  const whole = isFloat(base.dtype) && isInteger(exponent.dtype);
  return p.pow(...pairOf(whole ? broadcastOperands("power", [base, exponent]) : promote2("power", x1, x2)));
}
const powerParams = /* @__PURE__ */ signature<{ x1: ArrayLike; x2: ArrayLike }>("power", 2, ["x1", "x2"]);
export { power as pow };

/** The exponent where it is a whole number known now: a JS number, or a scalar integer array that lies on the host. */
function integerExponent(x: ArrayLike): number | undefined {
  if (typeof x === "boolean") return Number(x);
  if (typeof x === "number")
    return Number.isInteger(x) && !Object.is(x, -0) && Math.abs(x) <= 2147483647 ? x : undefined;
  if (x instanceof ConcreteArray && x.ndim === 0 && isInteger(x.dtype)) return x.storage.scalar;
  return undefined;
}

/** Powers of integers by binary exponentiation; six bits suffice, for larger exponents overflow anyway. */
function integerPower(x: NDArray, y: NDArray): NDArray {
  const zero = like(y, 0);
  const one = like(y, 1);
  let acc = p.select(p.and(p.eq(x, zero), p.ne(y, zero)), zero, one);
  for (let bit = 0; bit < 6; bit++) {
    acc = p.select(p.ne(p.and(y, one), zero), p.mul(acc, x), acc);
    x = p.mul(x, x);
    y = p.shiftRightLogical(y, one);
  }
  return acc;
}

/**
 * x1 to the power x2, always in floats; NaN of a negative x1 and an x2 that is not whole.
 *
 * @throws ShapeError `shape-broadcast`.
 * @example
 * np.floatPower(np.array([2, 4]), -1); // [0.5, 0.25]
 */
export const floatPower = /* @__PURE__ */ floatBinary("floatPower", (x, y) => p.pow(x, y));

/**
 * √(x1² + x2²), without overflow on the way.
 *
 * @throws ShapeError `shape-broadcast`.
 * @example
 * np.hypot(3, 4); // 5
 * np.hypot(3e30, 4e30); // float32[], 5e30, though 9e60 is beyond float32
 */
export const hypot = /* @__PURE__ */ floatBinary("hypot", (x1, x2) => {
  const a = p.abs(x1);
  const b = p.abs(x2);
  const inf = like(a, Infinity);
  const hi = p.max(a, b);
  const lo = p.min(a, b);
  const isZero = p.eq(hi, like(hi, 0));
  const one = like(hi, 1);
  const ratio = p.div(lo, p.select(isZero, one, hi));
  const length = p.select(isZero, hi, p.mul(hi, p.sqrt(p.add(one, p.square(ratio)))));
  return weakScalarOnly(p.select(p.or(p.eq(a, inf), p.eq(b, inf)), inf, length));
});

/**
 * 0 for x1 < 0, 1 for x1 > 0, x2 at 0, NaN of NaN. Its derivative in x1 is 0.
 *
 * @throws ShapeError `shape-broadcast`.
 * @example
 * np.heaviside(np.array([-1, 0, 2]), 0.5); // [0, 0.5, 1]
 */
export const heaviside = /* @__PURE__ */ floatBinary("heaviside", (x1, x2) => {
  const zero = like(x1, 0);
  const atZero = p.select(p.ne(x1, x1), x1, x2);
  return weakScalarOnly(p.select(p.lt(x1, zero), zero, p.select(p.gt(x1, zero), like(x1, 1), atZero)), x1);
});

/**
 * Greatest common divisor of integers, non-negative; of 0 and n |n|.
 *
 * @throws DTypeError `integer-needed`; ShapeError `shape-broadcast`.
 * @example
 * np.gcd(np.array([12, 0], "int32"), 18); // [6, 18]
 */
export const gcd = /* @__PURE__ */ binary("gcd", gcdOf, promoteIntegers("gcd"));

/**
 * Least common multiple of integers, non-negative.
 *
 * @throws DTypeError `integer-needed`; ShapeError `shape-broadcast`.
 * @example
 * np.lcm(4, 6); // 12
 */
export const lcm = /* @__PURE__ */ binary(
  "lcm",
  (x, y) => {
    const [a, b] = [absolute(x), absolute(y)];
    const d = gcdOf(a, b);
    const zero = like(d, 0);
    return p.select(p.eq(d, zero), zero, p.mul(a, p.div(b, p.select(p.eq(d, zero), like(d, 1), d))));
  },
  promoteIntegers("lcm"),
);

function promoteIntegers(name: string): (op: string, x: ArrayLike, y: ArrayLike) => readonly NDArray[] {
  return (op, x, y) => {
    const operands = promote2(op, x, y);
    requireInteger(name, operands[0]!);
    return operands;
  };
}

/** Euclid's algorithm, of which 32-bit operands need at most 47 steps (Lamé). */
function gcdOf(x: NDArray, y: NDArray): NDArray {
  let a = absolute(x);
  let b = absolute(y);
  const zero = like(a, 0);
  const one = like(a, 1);
  for (let step = 0; step < 47; step++) {
    const done = p.eq(b, zero);
    const rest = p.rem(a, p.select(done, one, b));
    a = p.select(done, a, b);
    b = p.select(done, b, rest);
  }
  return a;
}
