import { NDArray } from "../core/array.js";
import { sameShape } from "../core/aval.js";
import { signature } from "../core/calling.js";
import { type DType, asDType } from "../core/dtype.js";
import { type ArrayLike, asArray } from "../core/literal.js";
import * as p from "../primitives/all.js";
import { pair } from "../primitives/elementwise/operands.js";
import * as gamma from "./zeta.js";

/**
 * Elementwise operations as the primitives have them: no promotion, and no broadcasting but that of scalars and of axes of
 * length 1 between operands of one rank. A JS number takes the dtype of the array operand.
 */
type Unary = (x: ArrayLike) => NDArray;
type Binary = (x: ArrayLike, y: ArrayLike) => NDArray;

function unary(name: string, f: (x: NDArray) => NDArray): Unary {
  const params = signature<{ x: ArrayLike }>(`lax.${name}`, 1, ["x"]);
  return (...given) => f(asArray(params(given).x, `lax.${name}`, "x"));
}

function binary(name: string, f: Binary): Binary {
  const params = signature<{ x: ArrayLike; y: ArrayLike }>(`lax.${name}`, 2, ["x", "y"]);
  return (...given) => {
    const { x, y } = params(given);
    return f(...aligned(x, y));
  };
}

/** Operands of one rank with their axes of length 1 spread over the other's. What does not fit is the primitive's to refuse. */
function aligned(x: ArrayLike, y: ArrayLike): readonly [ArrayLike, ArrayLike] {
  if (!(x instanceof NDArray) || !(y instanceof NDArray) || x.ndim !== y.ndim || sameShape(x.shape, y.shape))
    return [x, y];
  const fits = x.shape.every((n, k) => n === y.shape[k] || n === 1 || y.shape[k] === 1);
  if (!fits) return [x, y];
  const shape = x.shape.map((n, k) => (n === 1 ? y.shape[k]! : n));
  const axes = shape.map((_, k) => k);
  const spread = (z: NDArray): NDArray => (sameShape(z.shape, shape) ? z : p.broadcastInDim(z, shape, axes));
  return [spread(x), spread(y)];
}

/**
 * |x|; its derivative at 0 is 1.
 *
 * @throws DTypeError `dtype-refused` for unsigned integers and booleans.
 * @example
 * lax.abs(np.array([-1, 2])); // [1, 2]
 */
export const abs = unary("abs", p.abs);
/** The angle in [0, π] whose cosine is x; NaN outside of [−1, 1]. */
export const acos = unary("acos", p.acos);
/** The inverse of cosh on [0, ∞); NaN below 1. */
export const acosh = unary("acosh", p.acosh);
/** The angle in [−π/2, π/2] whose sine is x; NaN outside of [−1, 1]. */
export const asin = unary("asin", p.asin);
/** The inverse of sinh. */
export const asinh = unary("asinh", p.asinh);
/** The angle in [−π/2, π/2] whose tangent is x. */
export const atan = unary("atan", p.atan);
/** The inverse of tanh; ±∞ at ±1, NaN beyond. */
export const atanh = unary("atanh", p.atanh);
/** Flips all bits of integers; the logical not of booleans. */
export const bitwiseNot = unary("bitwiseNot", p.not);
/** The real cube root, with the sign of x. */
export const cbrt = unary("cbrt", p.cbrt);
/** The least integer that is not below x; its derivative is 0. */
export const ceil = unary("ceil", p.ceil);
/** The number of leading zero bits of an integer: 32 for 0. */
export const clz = unary("clz", p.clz);
/** Cosine, of radians. */
export const cos = unary("cos", p.cos);
/** Hyperbolic cosine, (eˣ + e⁻ˣ)/2. */
export const cosh = unary("cosh", p.cosh);
/** ψ(x), the derivative of log Γ; NaN at 0 and at negative integers. */
export const digamma = unary("digamma", p.digamma);
/**
 * The error function 2/√π ∫₀ˣ e^(−t²) dt.
 *
 * @throws as `exp`.
 * @example
 * lax.erf(np.array([0, 1])); // [0, 0.8427008]
 */
export const erf = unary("erf", p.erf);
/** The inverse of erf; ±∞ at ±1, NaN beyond. */
export const erfInv = unary("erfInv", p.erfInv);
/** 1 − erf(x), without the cancellation where erf is near 1. */
export const erfc = unary("erfc", p.erfc);
/**
 * eˣ.
 *
 * @throws DTypeError `dtype-refused` for integers and booleans, as all functions of floats here.
 * @example
 * lax.exp(np.array([0, 1])); // [1, 2.7182817]
 */
export const exp = unary("exp", p.exp);
/** 2ˣ. */
export const exp2 = unary("exp2", p.exp2);
/** eˣ − 1, without the cancellation near 0. */
export const expm1 = unary("expm1", p.expm1);
/** The greatest integer that is not above x; its derivative is 0. */
export const floor = unary("floor", p.floor);
/** Whether floats are neither infinite nor NaN: a bool array. */
export const isFinite = unary("isFinite", p.isFinite);
/** log |Γ(x)|; ∞ at 0 and at negative integers. */
export const lgamma = unary("lgamma", p.lgamma);
/**
 * The natural logarithm; −∞ at 0, NaN below.
 *
 * @throws as `exp`.
 * @example
 * lax.log(np.array([1, 0, -1])); // [0, -Infinity, NaN]
 */
export const log = unary("log", p.log);
/** log(1 + x), without the cancellation near 0; −∞ at −1, NaN below. */
export const log1p = unary("log1p", p.log1p);
/**
 * 1/(1 + e⁻ˣ), in [0, 1].
 *
 * @throws as `exp`.
 * @example
 * lax.logistic(np.array([0, Infinity])); // [0.5, 1]
 */
export const logistic = unary("logistic", p.logistic);
/**
 * −x.
 *
 * @throws DTypeError `dtype-refused` for booleans.
 * @example
 * lax.neg(np.array([-1, 2])); // [1, -2]
 */
export const neg = unary("neg", p.neg);
/** The number of bits that are set in an integer. */
export const populationCount = unary("populationCount", p.populationCount);
/** 1/x. */
export const reciprocal = unary("reciprocal", (x) => p.integerPow(x, -1));
/**
 * 1/√x; ∞ at 0, NaN below.
 *
 * @throws as `exp`.
 * @example
 * lax.rsqrt(np.array([4, 0])); // [0.5, Infinity]
 */
export const rsqrt = unary("rsqrt", p.rsqrt);
/**
 * −1, 0 or 1; NaN of NaN. Its derivative is 0.
 *
 * @example
 * lax.sign(np.array([-3, 0, NaN])); // [-1, 0, NaN]
 */
export const sign = unary("sign", p.sign);
/** Sine, of radians. */
export const sin = unary("sin", p.sin);
/** Hyperbolic sine, (eˣ − e⁻ˣ)/2. */
export const sinh = unary("sinh", p.sinh);
/**
 * The square root; NaN below 0, and the derivative at 0 is ∞.
 *
 * @throws as `exp`.
 * @example
 * lax.sqrt(np.array([4, -1])); // [2, NaN]
 */
export const sqrt = unary("sqrt", p.sqrt);
/**
 * x·x.
 *
 * @example
 * lax.square(np.array([-3, 2])); // [9, 4]
 */
export const square = unary("square", p.square);
/**
 * x itself, as a constant for derivatives.
 *
 * @example
 * grad((x) => x.mul(lax.stopGradient(x)))(3); // 3, not 6
 */
export const stopGradient = unary("stopGradient", p.stopGradient);
/** Tangent, of radians. */
export const tan = unary("tan", p.tan);
/**
 * Hyperbolic tangent, in [−1, 1].
 *
 * @throws as `exp`.
 * @example
 * lax.tanh(np.array([0, 1])); // [0, 0.7615942]
 */
export const tanh = unary("tanh", p.tanh);

/**
 * x + y; integers wrap around.
 *
 * @throws ShapeError `shape-mismatch`; DTypeError `dtype-mismatch`, `number-dtype`: unlike `np.add` it neither promotes nor
 * broadcasts, but for JS numbers, scalars and axes of length 1.
 * @example
 * lax.add(np.array([1, 2]), 3); // [4, 5]
 */
export const add = binary("add", p.add);
/**
 * The angle of the point (y, x) of the plane, in [−π, π]: the first operand is the ordinate.
 *
 * @example
 * lax.atan2(np.array([1, 0]), np.array([0, -1])); // [1.5707963, 3.1415927]
 */
export const atan2 = binary("atan2", p.atan2);
/**
 * The bits that are set in both integers; the logical and of booleans.
 *
 * @throws DTypeError `dtype-refused` for floats.
 * @example
 * lax.bitwiseAnd(np.array([6, 5], "int32"), 3); // [2, 1]
 */
export const bitwiseAnd = binary("bitwiseAnd", p.and);
/** The bits that are set in either integer; the logical or of booleans. */
export const bitwiseOr = binary("bitwiseOr", p.or);
/** The bits that are set in one integer only; the exclusive or of booleans. */
export const bitwiseXor = binary("bitwiseXor", p.xor);
/**
 * x / y; of integers rounded towards zero.
 *
 * @throws as `add`.
 * @example
 * lax.div(np.array([7, -7], "int32"), 2); // [3, -3]
 */
export const div = binary("div", p.div);
/**
 * Whether x = y: a bool array, false of NaN.
 *
 * @throws as `add`.
 * @example
 * lax.eq(np.array([1, NaN]), 1); // [true, false]
 */
export const eq = binary("eq", p.eq);
/** Whether x ≥ y: a bool array, false of NaN. */
export const ge = binary("ge", p.ge);
/**
 * Whether x > y: a bool array, false of NaN.
 *
 * @throws as `add`.
 * @example
 * lax.gt(np.array([3, NaN]), 2); // [true, false]
 */
export const gt = binary("gt", p.gt);
/** Whether x ≤ y: a bool array, false of NaN. */
export const le = binary("le", p.le);
/**
 * Whether x < y: a bool array, false of NaN.
 *
 * @throws as `add`.
 * @example
 * lax.lt(np.array([1, NaN]), 2); // [true, false]
 */
export const lt = binary("lt", p.lt);
/**
 * The larger one; NaN if either is. At a tie the derivative is halved between both.
 *
 * @throws as `add`.
 * @example
 * lax.max(np.array([1, NaN]), 2); // [2, NaN]
 */
export const max = binary("max", p.max);
/**
 * The smaller one; NaN if either is. At a tie the derivative is halved between both.
 *
 * @throws as `add`.
 * @example
 * lax.min(np.array([1, NaN]), 2); // [1, NaN]
 */
export const min = binary("min", p.min);
/**
 * x · y; integers wrap around.
 *
 * @throws as `add`.
 * @example
 * lax.mul(np.array([1, 2]), 3); // [3, 6]
 */
export const mul = binary("mul", p.mul);
/** The upper half of the product of integers: what mul drops. */
export const mulhi = binary("mulhi", p.mulhi);
/** Whether x ≠ y: a bool array, true of NaN. */
export const ne = binary("ne", p.ne);
/** The next float after x in the direction of y; no derivative. */
export const nextafter = binary("nextafter", p.nextafter);
/** The m-th derivative of ψ, for whole m ≥ 0; differentiable in x. */
export const polygamma = binary("polygamma", (m, x) => gamma.polygamma(...pair("lax.polygamma", m, x)));
/**
 * x to the power y, which may be an integer array for floats x; NaN for x < 0 and a y that is not integral.
 *
 * @example
 * lax.pow(np.array([2, -8]), 0.5); // [1.4142136, NaN]
 */
export const pow = binary("pow", p.pow);
/**
 * The remainder of x / y with the sign of x.
 *
 * @throws as `add`.
 * @example
 * lax.rem(np.array([7, -7]), 3); // [1, -1]
 */
export const rem = binary("rem", p.rem);
/** Shifts the bits of integers to the left; 0 for shifts by 32 or more. */
export const shiftLeft = binary("shiftLeft", p.shiftLeft);
/** Shifts to the right; the sign bit fills in. */
export const shiftRightArithmetic = binary("shiftRightArithmetic", p.shiftRightArithmetic);
/** Shifts to the right; zeros fill in. */
export const shiftRightLogical = binary("shiftRightLogical", p.shiftRightLogical);
/**
 * x − y; integers wrap around.
 *
 * @throws as `add`.
 * @example
 * lax.sub(np.array([1, 2]), 3); // [-2, -1]
 */
export const sub = binary("sub", p.sub);
/** Hurwitz's zeta function Σ 1/(q + k)ˣ over k = 0, 1, 2, …; NaN for x < 1, ∞ at x = 1. */
export const zeta = binary("zeta", (x, q) => gamma.zeta(...pair("lax.zeta", x, q)));

const roundParams = signature<{ x: ArrayLike; method?: p.RoundingMethod }>("lax.round", 1, ["x", "method"]);
/**
 * Rounds to the nearest integer: ties away from zero by default, or to even. Its derivative is 0.
 *
 * @throws ArgumentError `rounding-method`.
 * @example
 * lax.round(np.array([0.5, -1.5])); // [1, -2]
 * lax.round(np.array([0.5, -1.5]), "toNearestEven"); // [0, -2]
 */
export function round(x: ArrayLike, method?: p.RoundingMethod | { readonly method?: p.RoundingMethod }): NDArray;
export function round(...given: unknown[]): NDArray {
  const { x, method = "awayFromZero" } = roundParams(given);
  return p.round(asArray(x, "lax.round"), method);
}

const integerPowParams = signature<{ x: ArrayLike; y: number }>("lax.integerPow", 2, ["x", "y"]);
/**
 * `x` to a constant integral power, by repeated squaring.
 *
 * @throws ArgumentError `exponent-integer`; DTypeError `negative-power` of integers.
 * @example
 * lax.integerPow(np.array([2, -3]), 3); // [8, -27]
 */
export function integerPow(x: ArrayLike, y: number): NDArray;
export function integerPow(...given: unknown[]): NDArray {
  const { x, y } = integerPowParams(given);
  return p.integerPow(asArray(x, "lax.integerPow"), y);
}

const clampParams = signature<{ min: ArrayLike; x: ArrayLike; max: ArrayLike }>("lax.clamp", 3, ["min", "x", "max"]);
/**
 * `x` held between `min` and `max`, scalars or arrays of its shape: min(max(x, lo), hi). The derivative at the bounds is 0
 * (of `np.clip` ½).
 *
 * @throws ShapeError `shape-mismatch`; DTypeError `number-dtype`.
 * @example
 * lax.clamp(0, np.array([-1, 0.5, 2]), 1); // [0, 0.5, 1]
 * grad((x) => lax.clamp(0, x, 1))(1); // 0
 */
export function clamp(min: ArrayLike, x: ArrayLike, max: ArrayLike): NDArray;
export function clamp(...given: unknown[]): NDArray {
  const { min: lo, x, max: hi } = clampParams(given);
  return p.clamp(lo, x, hi);
}

const selectParams = signature<{ pred: ArrayLike; onTrue: ArrayLike; onFalse: ArrayLike }>("lax.select", 3, [
  "pred",
  "onTrue",
  "onFalse",
]);
/**
 * Elements of `onTrue` where `pred`, of booleans, holds, else of `onFalse`: arrays of one shape and dtype. The derivative
 * goes to the chosen side.
 *
 * @throws ShapeError `shape-mismatch`; DTypeError `dtype-mismatch`, `dtype-refused`.
 * @example
 * lax.select(np.array([true, false]), np.array([1, 2]), np.array([3, 4])); // [1, 4]
 */
export function select(pred: ArrayLike, onTrue: ArrayLike, onFalse: ArrayLike): NDArray;
export function select(...given: unknown[]): NDArray {
  const { pred, onTrue, onFalse } = selectParams(given);
  return p.select(asArray(pred, "lax.select"), onTrue, onFalse);
}

/**
 * Elements of `cases[which]`: `which` is a boolean (false is 0) or an int32 array, whose entries are clamped to the cases
 * there are.
 *
 * @throws DTypeError `dtype-refused`.
 * @example
 * lax.selectN(np.array([2, 0], "int32"), np.array([1, 2]), np.array([3, 4]), np.array([5, 6])); // [5, 2]
 */
export function selectN(which: ArrayLike, ...cases: readonly ArrayLike[]): NDArray {
  return p.selectN(
    asArray(which, "lax.selectN", "which"),
    ...cases.map((c, i) => asArray(c, "lax.selectN", `case ${i}`)),
  );
}

const convertParams = signature<{ operand: ArrayLike; newDtype: DType }>("lax.convertElementType", 2, [
  "operand",
  "newDtype",
]);
/**
 * Converts elements to another dtype, as `np.astype` does.
 *
 * @throws DTypeError `dtype-unsupported`.
 * @example
 * lax.convertElementType(np.array([1.7, -1.7]), "int32"); // [1, -1]
 */
export function convertElementType(operand: ArrayLike, newDtype: DType): NDArray;
export function convertElementType(...given: unknown[]): NDArray {
  const { operand, newDtype } = convertParams(given);
  return p.convertElementType(asArray(operand, "lax.convertElementType"), asDType(newDtype));
}

const bitcastParams = signature<{ operand: ArrayLike; newDtype: DType }>("lax.bitcastConvertType", 2, [
  "operand",
  "newDtype",
]);
/**
 * The same bits read as another dtype; of 64 bits as two words along a new last axis, and back.
 *
 * @throws ShapeError `bitcast-shape`.
 * @example
 * lax.bitcastConvertType(np.array([1]), "int32"); // [1065353216]
 */
export function bitcastConvertType(operand: ArrayLike, newDtype: DType): NDArray;
export function bitcastConvertType(...given: unknown[]): NDArray {
  const { operand, newDtype } = bitcastParams(given);
  return p.bitcastConvertType(asArray(operand, "lax.bitcastConvertType"), asDType(newDtype));
}

const precisionParams = signature<{ operand: ArrayLike; exponentBits: number; mantissaBits: number }>(
  "lax.reducePrecision",
  3,
  ["operand", "exponentBits", "mantissaBits"],
);
/**
 * Rounds floats to a format of fewer bits, halves to even: 8 and 7 are bfloat16's.
 *
 * @example
 * lax.reducePrecision(np.array([1.001, 1.01]), 8, 7); // [1, 1.0078125]
 */
export function reducePrecision(operand: ArrayLike, exponentBits: number, mantissaBits: number): NDArray;
export function reducePrecision(...given: unknown[]): NDArray {
  const { operand, exponentBits, mantissaBits } = precisionParams(given);
  return p.reducePrecision(asArray(operand, "lax.reducePrecision"), exponentBits, mantissaBits);
}
