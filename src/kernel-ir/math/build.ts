import { InternalError } from "../../core/errors.js";
import { type ConstExpr, constant, type Expr, op, type ScalarType } from "../scalar.js";

/** Short names for the scalar ops, as the expansions of this folder write them. */

const constants = new Map<string, ConstExpr>();
/** Constants that are folded are as many as programs have; what is lost with the old ones is only that nodes are shared. */
const maxConstants = 4096;

/** A constant of a type, rounded to it; one node for each value, so that emitters see it shared. */
export function c(type: ScalarType, value: number | bigint): ConstExpr {
  const rounded = type === "f32" ? Math.fround(value as number) : value;
  const key = `${type}:${Object.is(rounded, -0) ? "-0" : String(rounded)}`;
  let node = constants.get(key);
  if (node === undefined) {
    if (constants.size >= maxConstants) constants.clear();
    constants.set(key, (node = constant(type, rounded)));
  }
  return node;
}

export const add = (a: Expr, b: Expr): Expr => op("add", [a, b]);
export const sub = (a: Expr, b: Expr): Expr => op("sub", [a, b]);
export const mul = (a: Expr, b: Expr): Expr => op("mul", [a, b]);
export const div = (a: Expr, b: Expr): Expr => op("div", [a, b]);
export const rem = (a: Expr, b: Expr): Expr => op("rem", [a, b]);
export const neg = (a: Expr): Expr => op("neg", [a]);
export const abs = (a: Expr): Expr => op("abs", [a]);
export const min = (a: Expr, b: Expr): Expr => op("min", [a, b]);
export const max = (a: Expr, b: Expr): Expr => op("max", [a, b]);
export const sqrt = (a: Expr): Expr => op("sqrt", [a]);
export const floor = (a: Expr): Expr => op("floor", [a]);
export const trunc = (a: Expr): Expr => op("trunc", [a]);
export const nearest = (a: Expr): Expr => op("nearest", [a]);
/** a·b + c. */
export const fma = (a: Expr, b: Expr, addend: Expr): Expr => op("fma", [a, b, addend]);
export const and = (a: Expr, b: Expr): Expr => op("and", [a, b]);
export const or = (a: Expr, b: Expr): Expr => op("or", [a, b]);
export const xor = (a: Expr, b: Expr): Expr => op("xor", [a, b]);
export const not = (a: Expr): Expr => op("not", [a]);
export const shl = (a: Expr, n: Expr): Expr => op("shl", [a, n]);
export const shrA = (a: Expr, n: Expr): Expr => op("shrA", [a, n]);
export const shrL = (a: Expr, n: Expr): Expr => op("shrL", [a, n]);
export const clz = (a: Expr): Expr => op("clz", [a]);
export const mulhi = (a: Expr, b: Expr): Expr => op("mulhi", [a, b]);
export const eq = (a: Expr, b: Expr): Expr => op("eq", [a, b]);
export const ne = (a: Expr, b: Expr): Expr => op("ne", [a, b]);
export const lt = (a: Expr, b: Expr): Expr => op("lt", [a, b]);
export const le = (a: Expr, b: Expr): Expr => op("le", [a, b]);
export const gt = (a: Expr, b: Expr): Expr => op("gt", [a, b]);
export const ge = (a: Expr, b: Expr): Expr => op("ge", [a, b]);
export const select = (condition: Expr, a: Expr, b: Expr): Expr => op("select", [condition, a, b]);
export const convert = (a: Expr, type: ScalarType): Expr => (a.type === type ? a : op("convert", [a], type));
export const bitcast = (a: Expr, type: ScalarType): Expr => (a.type === type ? a : op("bitcast", [a], type));

/** A constant of the type of `like`. */
export const k = (like: Expr, value: number | bigint): Expr =>
  c(like.type, like.type === "i64" ? BigInt(value) : value);
/** Shifts by a constant. */
export const shlBy = (a: Expr, n: number): Expr => (n === 0 ? a : shl(a, k(a, n)));
export const shrABy = (a: Expr, n: number): Expr => (n === 0 ? a : shrA(a, k(a, n)));
export const shrLBy = (a: Expr, n: number): Expr => (n === 0 ? a : shrL(a, k(a, n)));

/** min(x, hi) that keeps NaN in x: one `pmin` where the machine has it. */
export const capAbove = (x: Expr, hi: number): Expr => select(lt(k(x, hi), x), k(x, hi), x);
/** max(x, lo) that keeps NaN in x: one `pmax` where the machine has it. */
export const capBelow = (x: Expr, lo: number): Expr => select(lt(x, k(x, lo)), k(x, lo), x);

/** Horner's rule: coefficients from the constant one up. */
export function poly(x: Expr, coefficients: readonly number[]): Expr {
  let p: Expr = k(x, coefficients[coefficients.length - 1]!);
  for (let i = coefficients.length - 2; i >= 0; i--) p = fma(p, x, k(x, coefficients[i]!));
  return p;
}

export type FloatType = "f32" | "f64";

/** The layout of a binary float type, and the names of its constants. */
export interface FloatFormat {
  readonly type: FloatType;
  /** Integers of the same width. */
  readonly bits: "i32" | "i64";
  readonly width: 32 | 64;
  /** Stored bits of the significand. */
  readonly mantissa: number;
  readonly bias: number;
  /** 1.5·2^mantissa: a number of this size plus a small integer has the integer in its low bits. */
  readonly magic: number;
  readonly signMask: bigint;
  readonly magnitudeMask: bigint;
  readonly infinityBits: bigint;
  readonly minNormal: number;
}

const f32Format: FloatFormat = {
  type: "f32",
  bits: "i32",
  width: 32,
  mantissa: 23,
  bias: 127,
  magic: 12582912,
  signMask: -0x80000000n,
  magnitudeMask: 0x7fffffffn,
  infinityBits: 0x7f800000n,
  minNormal: 2 ** -126,
};
const f64Format: FloatFormat = {
  type: "f64",
  bits: "i64",
  width: 64,
  mantissa: 52,
  bias: 1023,
  magic: 6755399441055744,
  signMask: -0x8000000000000000n,
  magnitudeMask: 0x7fffffffffffffffn,
  infinityBits: 0x7ff0000000000000n,
  minNormal: 2 ** -1022,
};

/** The format of a float expression. @throws InternalError for other types. */
export function formatOf(x: Expr): FloatFormat {
  if (x.type === "f32") return f32Format;
  if (x.type === "f64") return f64Format;
  throw new InternalError(`a float expression was expected where one of type ${x.type} came`);
}

/** A constant of the format's integer type. */
export const intConst = (f: FloatFormat, value: number | bigint): Expr =>
  c(f.bits, f.bits === "i64" ? BigInt(value) : Number(value));
export const toBits = (x: Expr): Expr => bitcast(x, formatOf(x).bits);
export const fromBits = (i: Expr, f: FloatFormat): Expr => bitcast(i, f.type);

/** The integer in a float of small integral value (|n| < 2^(mantissa−2)) plus a bias, in the low bits of the result. */
export function lowBitsOf(n: Expr, bias: number): Expr {
  const f = formatOf(n);
  return toBits(add(n, k(n, f.magic + bias)));
}

/** A small integer (|i| < 2^(mantissa−2)) of the format's integer type as a float, exactly. */
export function smallIntToFloat(i: Expr, f: FloatFormat): Expr {
  if (f.type === "f32") return convert(i, "f32");
  // Vector machines convert no 64-bit integers: the integer is added into the low bits of 1.5·2^52.
  return sub(fromBits(add(i, intConst(f, 0x4338000000000000n)), f), c("f64", f.magic));
}

/** 2^e for an integer e of the format's integer type with 1 − bias ≤ e ≤ bias. */
export const powerOfTwo = (e: Expr, f: FloatFormat): Expr =>
  fromBits(shlBy(add(e, intConst(f, f.bias)), f.mantissa), f);

/** |magnitude| with the sign of `sign`; `magnitude` must not be negative. */
export function withSign(magnitude: Expr, sign: Expr): Expr {
  const f = formatOf(magnitude);
  return fromBits(or(toBits(magnitude), and(toBits(sign), intConst(f, f.signMask))), f);
}

/** The number with the lower part of its significand cleared, so that products with another such number are exact. */
export function upperPart(x: Expr, clearedBits: number): Expr {
  const f = formatOf(x);
  return fromBits(and(toBits(x), intConst(f, -(1n << BigInt(clearedBits)))), f);
}
