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

export const abs = unary("abs", p.abs);
export const acos = unary("acos", p.acos);
export const acosh = unary("acosh", p.acosh);
export const asin = unary("asin", p.asin);
export const asinh = unary("asinh", p.asinh);
export const atan = unary("atan", p.atan);
export const atanh = unary("atanh", p.atanh);
export const bitwiseNot = unary("bitwiseNot", p.not);
export const cbrt = unary("cbrt", p.cbrt);
export const ceil = unary("ceil", p.ceil);
export const clz = unary("clz", p.clz);
export const cos = unary("cos", p.cos);
export const cosh = unary("cosh", p.cosh);
/** ψ(x), the derivative of log Γ; NaN at 0 and at negative integers. */
export const digamma = unary("digamma", p.digamma);
export const erf = unary("erf", p.erf);
export const erfInv = unary("erfInv", p.erfInv);
export const erfc = unary("erfc", p.erfc);
export const exp = unary("exp", p.exp);
export const exp2 = unary("exp2", p.exp2);
export const expm1 = unary("expm1", p.expm1);
export const floor = unary("floor", p.floor);
export const isFinite = unary("isFinite", p.isFinite);
/** log |Γ(x)|; ∞ at 0 and at negative integers. */
export const lgamma = unary("lgamma", p.lgamma);
export const log = unary("log", p.log);
export const log1p = unary("log1p", p.log1p);
export const logistic = unary("logistic", p.logistic);
export const neg = unary("neg", p.neg);
export const populationCount = unary("populationCount", p.populationCount);
export const reciprocal = unary("reciprocal", (x) => p.integerPow(x, -1));
export const rsqrt = unary("rsqrt", p.rsqrt);
export const sign = unary("sign", p.sign);
export const sin = unary("sin", p.sin);
export const sinh = unary("sinh", p.sinh);
export const sqrt = unary("sqrt", p.sqrt);
export const square = unary("square", p.square);
export const stopGradient = unary("stopGradient", p.stopGradient);
export const tan = unary("tan", p.tan);
export const tanh = unary("tanh", p.tanh);

export const add = binary("add", p.add);
export const atan2 = binary("atan2", p.atan2);
export const bitwiseAnd = binary("bitwiseAnd", p.and);
export const bitwiseOr = binary("bitwiseOr", p.or);
export const bitwiseXor = binary("bitwiseXor", p.xor);
export const div = binary("div", p.div);
export const eq = binary("eq", p.eq);
export const ge = binary("ge", p.ge);
export const gt = binary("gt", p.gt);
export const le = binary("le", p.le);
export const lt = binary("lt", p.lt);
export const max = binary("max", p.max);
export const min = binary("min", p.min);
export const mul = binary("mul", p.mul);
export const mulhi = binary("mulhi", p.mulhi);
export const ne = binary("ne", p.ne);
export const nextafter = binary("nextafter", p.nextafter);
/** The m-th derivative of ψ, for whole m ≥ 0; differentiable in x. */
export const polygamma = binary("polygamma", (m, x) => gamma.polygamma(...pair("lax.polygamma", m, x)));
export const pow = binary("pow", p.pow);
export const rem = binary("rem", p.rem);
export const shiftLeft = binary("shiftLeft", p.shiftLeft);
export const shiftRightArithmetic = binary("shiftRightArithmetic", p.shiftRightArithmetic);
export const shiftRightLogical = binary("shiftRightLogical", p.shiftRightLogical);
export const sub = binary("sub", p.sub);
/** Hurwitz's zeta function Σ 1/(q + k)ˣ over k = 0, 1, 2, …; NaN for x < 1, ∞ at x = 1. */
export const zeta = binary("zeta", (x, q) => gamma.zeta(...pair("lax.zeta", x, q)));

const roundParams = signature<{ x: ArrayLike; method?: p.RoundingMethod }>("lax.round", 1, ["x", "method"]);
/** Rounds to the nearest integer: ties away from zero by default, or to even. */
export function round(x: ArrayLike, method?: p.RoundingMethod | { readonly method?: p.RoundingMethod }): NDArray;
export function round(...given: unknown[]): NDArray {
  const { x, method = "awayFromZero" } = roundParams(given);
  return p.round(asArray(x, "lax.round"), method);
}

const integerPowParams = signature<{ x: ArrayLike; y: number }>("lax.integerPow", 2, ["x", "y"]);
/** `x` to a constant integral power. */
export function integerPow(x: ArrayLike, y: number): NDArray;
export function integerPow(...given: unknown[]): NDArray {
  const { x, y } = integerPowParams(given);
  return p.integerPow(asArray(x, "lax.integerPow"), y);
}

const clampParams = signature<{ min: ArrayLike; x: ArrayLike; max: ArrayLike }>("lax.clamp", 3, ["min", "x", "max"]);
/** `x` held between `min` and `max`; the derivative at the bounds is 0. */
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
/** Elements of `onTrue` where `pred` holds, else of `onFalse`. */
export function select(pred: ArrayLike, onTrue: ArrayLike, onFalse: ArrayLike): NDArray;
export function select(...given: unknown[]): NDArray {
  const { pred, onTrue, onFalse } = selectParams(given);
  return p.select(asArray(pred, "lax.select"), onTrue, onFalse);
}

/** Elements of `cases[which]`: `which` is a boolean or an int32 array. */
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
/** Converts elements to another dtype. */
export function convertElementType(operand: ArrayLike, newDtype: DType): NDArray;
export function convertElementType(...given: unknown[]): NDArray {
  const { operand, newDtype } = convertParams(given);
  return p.convertElementType(asArray(operand, "lax.convertElementType"), asDType(newDtype));
}

const bitcastParams = signature<{ operand: ArrayLike; newDtype: DType }>("lax.bitcastConvertType", 2, [
  "operand",
  "newDtype",
]);
/** The same bits read as another dtype. */
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
/** Rounds floats to a format of fewer bits. */
export function reducePrecision(operand: ArrayLike, exponentBits: number, mantissaBits: number): NDArray;
export function reducePrecision(...given: unknown[]): NDArray {
  const { operand, exponentBits, mantissaBits } = precisionParams(given);
  return p.reducePrecision(asArray(operand, "lax.reducePrecision"), exponentBits, mantissaBits);
}
