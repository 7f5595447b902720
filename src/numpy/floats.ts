import type { NDArray } from "../core/array.js";
import { signature } from "../core/calling.js";
import { defaultFloat } from "../core/config.js";
import { formatAval } from "../core/aval.js";
import { isFloat } from "../core/dtype.js";
import { DTypeError } from "../core/errors.js";
import { type ArrayLike, asArray } from "../core/literal.js";
import * as p from "../primitives/all.js";
import { broadcastOperands, convert, convertOne, inexact } from "./promotion.js";
import { floatBinary, floatUnary, like, nanMask, unary } from "./ufunc.js";

/** What floats are made of: their special values, signs, neighbours, mantissa and exponent. */

const constant = (x: NDArray, value: boolean): NDArray =>
  p.full(Number(value), { shape: x.shape, dtype: "bool", weakType: false });
const floatTest = (op: string, test: (x: NDArray) => NDArray, otherwise = false) =>
  unary(op, (x) => (isFloat(x.dtype) ? test(x) : constant(x, otherwise)));

/**
 * Whether elements are neither infinite nor NaN: a bool array, true of integers.
 *
 * @example
 * np.isfinite(np.array([1, Infinity, NaN])); // [true, false, false]
 */
export const isfinite = /* @__PURE__ */ floatTest("isfinite", (x) => p.isFinite(x), true);
/**
 * Whether elements are ∞ or −∞: a bool array.
 *
 * @example
 * np.isinf(np.array([1, -Infinity, NaN])); // [false, true, false]
 */
export const isinf = /* @__PURE__ */ floatTest("isinf", (x) => p.eq(p.abs(x), like(x, Infinity)));
/** Whether elements are ∞: a bool array. */
export const isposinf = /* @__PURE__ */ floatTest("isposinf", (x) => p.eq(x, like(x, Infinity)));
/** Whether elements are −∞: a bool array. */
export const isneginf = /* @__PURE__ */ floatTest("isneginf", (x) => p.eq(x, like(x, -Infinity)));
/**
 * Whether elements are NaN: a bool array, false of integers.
 *
 * @example
 * np.isnan(np.array([1, Infinity, NaN])); // [false, false, true]
 */
export const isnan = /* @__PURE__ */ unary("isnan", nanMask);

/** The float of the sign bit, also of −0 and NaN. */
function signbitOf(x: NDArray): NDArray {
  if (x.dtype === "float32") return p.lt(p.bitcastConvertType(x, "int32"), 0);
  if (x.dtype === "bool" || x.dtype === "uint32") return constant(x, false);
  if (x.dtype === "int32") return p.lt(x, like(x, 0));
  const zero = like(x, 0);
  return p.or(p.lt(x, zero), p.and(p.eq(x, zero), p.lt(p.div(like(x, 1), x), zero)));
}
/**
 * Whether the sign bit is set: of negative numbers, and of −0.
 *
 * @example
 * np.signbit(np.array([-1, -0, 0])); // [true, true, false]
 */
export const signbit = /* @__PURE__ */ unary("signbit", signbitOf);

/**
 * |x1| with the sign of x2, also of −0.
 *
 * @throws ShapeError `shape-broadcast`.
 * @example
 * np.copysign(np.array([1, -2]), -0); // [-1, -2]
 */
export const copysign = /* @__PURE__ */ floatBinary("copysign", (x1, x2) => {
  const size = p.abs(x1);
  return convert(p.select(signbitOf(x2), p.neg(size), size), size.dtype, x1.weakType && x2.weakType);
});

/**
 * The next float after x1 towards x2.
 *
 * @throws ShapeError `shape-broadcast`.
 * @example
 * np.nextafter(1, 2); // 1.0000001
 */
export const nextafter = /* @__PURE__ */ floatBinary("nextafter", (x1, x2) => p.nextafter(x1, x2));

/**
 * The distance to the next float away from zero.
 *
 * @example
 * np.spacing(1); // 1.1920929e-7
 */
export const spacing = /* @__PURE__ */ floatUnary("spacing", (x) => {
  const inf = like(x, Infinity);
  const away = p.select(signbitOf(x), p.neg(inf), inf);
  const step = p.sub(p.nextafter(x, away), x);
  const tiny = like(x, x.dtype === "float64" ? 5e-324 : 2 ** -149);
  return p.select(p.eq(step, like(x, 0)), p.select(signbitOf(x), p.neg(tiny), tiny), step);
});

/**
 * Fractional and whole part, both with the sign of x.
 *
 * @example
 * np.modf(np.array([-1.5, 2])); // [[-0.5, 0], [-1, 2]]
 */
export function modf(x: ArrayLike): [fraction: NDArray, whole: NDArray];
export function modf(): [NDArray, NDArray] {
  const x = inexact("modf", modfParams(arguments).x);
  const whole = p.select(p.ge(x, like(x, 0)), p.floor(x), p.ceil(x));
  return [p.sub(x, whole), whole];
}
const modfParams = /* @__PURE__ */ signature<{ x: ArrayLike }>("modf", 1, ["x", "out"]);

/** 2 to an integer power, exactly; beyond the range of exponents 0 or infinity. */
function powerOfTwo(n: NDArray, dtype: "float32" | "float64"): NDArray {
  if (dtype === "float64") return p.exp2(convert(n, dtype));
  const biased = p.clamp(0, p.add(n, like(n, 127)), 255);
  return p.bitcastConvertType(p.shiftLeft(biased, like(n, 23)), "float32");
}

/** x · 2^n in steps that do not leave the range of floats before the result does. */
function scaleByPowerOfTwo(x: NDArray, n: NDArray, dtype: "float32" | "float64"): NDArray {
  const limit = dtype === "float64" ? 1000 : 120;
  for (let step = 0; step < 3; step++) {
    const part = p.clamp(-limit, n, limit);
    x = p.mul(x, powerOfTwo(part, dtype));
    n = p.sub(n, part);
  }
  return x;
}

/** The exponent e with x = m · 2^e and |m| in [0.5, 1); 0 for 0, infinities and NaN. */
function exponentOf(x: NDArray): NDArray {
  const size = p.abs(p.stopGradient(x));
  const zero = p.full(0, { shape: [], dtype: "int32", weakType: false });
  const regular = p.and(p.isFinite(size), p.ne(size, like(size, 0)));
  let e: NDArray;
  if (x.dtype === "float32") {
    const subnormal = p.lt(size, like(size, 2 ** -126));
    const bits = p.bitcastConvertType(p.select(subnormal, p.mul(size, like(size, 2 ** 24)), size), "int32");
    const raw = p.sub(p.and(p.shiftRightLogical(bits, 23), 255), 126);
    e = p.select(subnormal, p.sub(raw, 24), raw);
  } else {
    // No 64-bit integers here: the logarithm gives the exponent but for an error of one, which the mantissa shows.
    const safe = p.select(regular, size, like(size, 1));
    e = convert(p.floor(p.div(p.log(safe), like(size, Math.LN2))), "int32");
    e = p.add(e, 1);
    const m = scaleByPowerOfTwo(safe, p.neg(e), "float64");
    e = p.select(p.ge(m, like(m, 1)), p.add(e, 1), p.select(p.lt(m, like(m, 0.5)), p.sub(e, 1), e));
  }
  return p.select(regular, e, zero);
}

/**
 * Mantissa in [½, 1) with the sign of x, and exponent (int32): x = mantissa · 2^exponent.
 *
 * @example
 * np.frexp(np.array([8, -3])); // [[0.5, -0.75], [4, 2]]
 */
export function frexp(x: ArrayLike): [mantissa: NDArray, exponent: NDArray];
export function frexp(): [NDArray, NDArray] {
  const x = inexact("frexp", frexpParams(arguments).x);
  const e = exponentOf(x);
  return [scaleByPowerOfTwo(x, p.neg(e), x.dtype as "float32" | "float64"), e];
}
const frexpParams = /* @__PURE__ */ signature<{ x: ArrayLike }>("frexp", 1, ["x"]);

/**
 * x1 · 2^x2, of an integer x2.
 *
 * @example
 * np.ldexp(np.array([0.5, -0.75]), np.array([4, 2], "int32")); // [8, -3]
 */
export function ldexp(x1: ArrayLike, x2: ArrayLike): NDArray;
export function ldexp(): NDArray {
  const given = ldexpParams(arguments);
  const n = asArray(given.x2, "ldexp", "x2");
  if (isFloat(n.dtype)) {
    throw new DTypeError({
      code: "integer-needed",
      message: "ldexp takes integers as x2",
      details: [["x2", formatAval(n.aval)]],
      hint: 'convert with astype("int32")',
    });
  }
  const x = inexact("ldexp", given.x1);
  const [a, b] = broadcastOperands("ldexp", [x, convert(n, "int32")]) as readonly [NDArray, NDArray];
  return scaleByPowerOfTwo(a, b, x.dtype as "float32" | "float64");
}
const ldexpParams = /* @__PURE__ */ signature<{ x1: ArrayLike; x2: ArrayLike }>("ldexp", 2, ["x1", "x2"]);

export interface NanToNumOptions {
  readonly copy?: boolean | undefined;
  readonly nan?: ArrayLike | undefined;
  readonly posinf?: ArrayLike | null | undefined;
  readonly neginf?: ArrayLike | null | undefined;
}
const nanToNumParams = /* @__PURE__ */ signature<NanToNumOptions & { x: ArrayLike }>("nanToNum", 1, [
  "x",
  "copy",
  "nan",
  "posinf",
  "neginf",
]);
/**
 * Replaces NaN by 0 and infinities by the largest floats, or by what the options say.
 *
 * @example
 * np.nanToNum(np.array([NaN, Infinity, 1]), { posinf: 9 }); // [0, 9, 1]
 */
export function nanToNum(x: ArrayLike, options?: NanToNumOptions): NDArray;
export function nanToNum(): NDArray {
  const given = nanToNumParams(arguments);
  let x = asArray(given.x, "nanToNum", "x");
  if (!isFloat(x.dtype)) return x;
  const largest = x.dtype === "float64" ? Number.MAX_VALUE : 3.4028234663852886e38;
  const replace = (mask: NDArray, by: ArrayLike): NDArray =>
    p.select(
      ...(broadcastOperands("nanToNum", [mask, convertOne(by, x.dtype, x.weakType), x]) as readonly [
        NDArray,
        NDArray,
        NDArray,
      ]),
    );
  x = replace(nanMask(x), given.nan ?? 0);
  x = replace(p.eq(x, like(x, Infinity)), given.posinf ?? largest);
  return convert(replace(p.eq(x, like(x, -Infinity)), given.neginf ?? -largest), x.dtype);
}

/** The real part: the array itself, as there are no complex dtypes. */
export const real = /* @__PURE__ */ unary("real", (x) => x);
/** The imaginary part: zeros, as there are no complex dtypes. */
export const imag = /* @__PURE__ */ unary("imag", (x) => p.zerosOf(x.aval));
/** x itself: there are no complex numbers here. */
export const conjugate = /* @__PURE__ */ unary("conjugate", (x) => x);
/** The same as `conjugate`. */
export const conj = /* @__PURE__ */ unary("conj", (x) => x);
/** Whether elements have an imaginary part: none has. */
export const iscomplex = /* @__PURE__ */ unary("iscomplex", (x) => constant(x, false));
/** Whether elements are real: true of all, for there are no complex numbers here. */
export const isreal = /* @__PURE__ */ unary("isreal", (x) => constant(x, true));

export interface AngleOptions {
  readonly deg?: boolean | undefined;
}
const angleParams = /* @__PURE__ */ signature<AngleOptions & { z: ArrayLike }>("angle", 1, ["z", "deg"]);
/** The angle of numbers seen as complex: 0 for positive ones, π for negative ones. */
export function angle(z: ArrayLike, deg?: boolean | AngleOptions, options?: AngleOptions): NDArray;
export function angle(): NDArray {
  const { z: given, deg = false } = angleParams(arguments);
  const z = asArray(given, "angle", "z");
  const x = isFloat(z.dtype) && z.ndim > 0 ? z : convert(z, defaultFloat());
  const radians = p.atan2(p.zerosOf(x.aval), x);
  return deg ? p.mul(radians, like(radians, 180 / Math.PI)) : radians;
}
