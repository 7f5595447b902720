import type { Expr } from "../scalar.js";
import {
  abs,
  add,
  div,
  eq,
  type FloatFormat,
  type FloatType,
  fma,
  formatOf,
  fromBits,
  gt,
  intConst,
  k,
  lt,
  max,
  mul,
  neg,
  poly,
  select,
  shlBy,
  shrABy,
  smallIntToFloat,
  sqrt,
  sub,
  toBits,
  withSign,
} from "./build.js";
import { exp2, expNonpositive } from "./exp.js";
import { isNan } from "./rounding.js";

/**
 * The logarithm family. x = 2^e · m with m in [√½, √2); log x = e·ln 2 + log(1 + f), f = m − 1.
 * e comes negated, for then log1p(−0) is −0 without a case of its own.
 */

const SQRT_HALF: Readonly<Record<FloatType, bigint>> = { f32: 0x3f3504f3n, f64: 0x3fe6a09e667f3bcdn };
const LN2_HI: Readonly<Record<FloatType, number>> = { f32: 0.693145751953125, f64: 6.9314718036912381649e-1 };
const LN2_LO: Readonly<Record<FloatType, number>> = { f32: 1.4286068203094173e-6, f64: 1.90821492927058770002e-10 };

/** (log(1+f) − f + f²/2) / f³. */
const LOG32 = [0.33333305, -0.25000817, 0.20002711, -0.16624464, 0.14176713, -0.13128415, 0.12896405, -0.078647114];
/** (2·atanh(s) − 2s) / s³ in s². */
const LOG64 = [
  0.6666666666666735, 0.3999999999940916, 0.2857142874377333, 0.22222198415701797, 0.1818357326377135,
  0.15313803527247324, 0.14798597115444004,
];

interface Split {
  /** −e as a float. */
  readonly negE: Expr;
  readonly f: Expr;
}

/** log(1 + f) − e·ln 2, e the negated exponent. Both parts of ln 2 are positive: the products with e = 0 are −0. */
function combine({ negE, f }: Split): Expr {
  const { type } = formatOf(f);
  const low = mul(negE, k(f, -LN2_LO[type]));
  if (type === "f32") {
    const z = mul(f, f);
    const tail = fma(z, k(f, -0.5), fma(mul(f, z), poly(f, LOG32), low));
    return fma(negE, k(f, -LN2_HI[type]), add(f, tail));
  }
  const half = mul(mul(f, f), k(f, 0.5));
  const s = div(f, add(f, k(f, 2)));
  const z = mul(s, s);
  const tail = fma(s, fma(z, poly(z, LOG64), half), low);
  return fma(negE, k(f, -LN2_HI[type]), sub(f, sub(half, tail)));
}

/** −e for the positive normal number with these bits, as an integer. */
function negatedExponent(bits: Expr, f: FloatFormat): Expr {
  // Floor of (√½ − bits) rounds the wrong way: one unit in the last place less makes it a ceiling.
  const ones = (1n << BigInt(f.mantissa)) - 1n;
  return shrABy(sub(intConst(f, SQRT_HALF[f.type] + ones), bits), f.mantissa);
}

/** Splits a positive number; numbers below the normal range are scaled up first. */
function split(x: Expr): Split {
  const f = formatOf(x);
  const small = lt(x, k(x, f.minNormal));
  const up = f.mantissa + 2;
  const bits = toBits(select(small, mul(x, k(x, 2 ** up)), x));
  const e = negatedExponent(bits, f);
  const m = fromBits(add(bits, shlBy(e, f.mantissa)), f);
  const negE = add(smallIntToFloat(e, f), select(small, k(x, up), k(x, 0)));
  return { negE, f: sub(m, k(x, 1)) };
}

/** `y` where x is positive and finite, else what a logarithm with its pole at `pole` gives. */
function special(x: Expr, pole: number, y: Expr): Expr {
  const atPole = select(eq(x, k(x, pole)), k(x, -Infinity), k(x, NaN));
  return select(lt(x, k(x, Infinity)), select(gt(x, k(x, pole)), y, atPole), x);
}

/** Natural logarithm: −inf at ±0, NaN below. */
export const log = (x: Expr): Expr => special(x, 0, combine(split(x)));

/** log(1 + x), accurate near 0. */
export function log1p(x: Expr): Expr {
  const f = formatOf(x);
  const e = negatedExponent(toBits(add(x, k(x, 1))), f);
  // f = x·2^−e + (2^−e − 1): what rounding 1 + x loses is never lost. 2^(2−e) first, for 2^−e may be below the normal range.
  const s = fromBits(shlBy(add(e, intConst(f, f.bias + 2)), f.mantissa), f);
  const quarter = k(x, 0.25);
  // A difference of products, so that −0 stays −0.
  const rest = sub(mul(mul(x, s), quarter), fma(s, k(x, -0.25), k(x, 1)));
  const y = combine({ negE: smallIntToFloat(e, f), f: rest });
  return special(x, -1, y);
}

/** Logarithm to base 2: exact at powers of two. */
export function log2(x: Expr): Expr {
  const { negE, f } = split(x);
  const y = combine({ negE: k(x, 0), f });
  // y/ln 2 in two parts, so that 1/ln 2 > 1 adds no rounding of its own.
  return special(x, 0, sub(fma(y, k(x, Math.LOG2E - 1), y), negE));
}

/** log(e^a + e^b): equal infinities give themselves. */
export function logaddexp(a: Expr, b: Expr): Expr {
  const difference = sub(a, b);
  const y = add(max(a, b), log1p(expNonpositive(neg(abs(difference)))));
  // The difference is NaN for equal infinities and for NaN: their sum is the answer.
  return select(isNan(difference), add(a, b), y);
}

/** log2(2^a + 2^b): equal infinities give themselves. */
export function logaddexp2(a: Expr, b: Expr): Expr {
  const difference = sub(a, b);
  const y = add(max(a, b), mul(log1p(exp2(neg(abs(difference)))), k(a, Math.LOG2E)));
  return select(isNan(difference), add(a, b), y);
}

const BIG: Readonly<Record<FloatType, number>> = { f32: 2 ** 30, f64: 2 ** 60 };

/** log1p(y), with ln 2 added where `doubled`: log of 2y for large y. */
function log1pTimes(y: Expr, doubled: Expr): Expr {
  return add(log1p(y), select(doubled, k(y, Math.LN2), k(y, 0)));
}

/** Inverse hyperbolic sine. */
export function asinh(x: Expr): Expr {
  const a = abs(x);
  const big = gt(a, k(x, BIG[formatOf(x).type]));
  const z = mul(a, a);
  const inner = add(a, div(z, add(k(x, 1), sqrt(add(z, k(x, 1))))));
  return withSign(log1pTimes(select(big, a, inner), big), x);
}

/** Inverse hyperbolic cosine: NaN below 1. */
export function acosh(x: Expr): Expr {
  const big = gt(x, k(x, BIG[formatOf(x).type]));
  const t = sub(x, k(x, 1));
  const inner = add(t, sqrt(mul(t, add(x, k(x, 1)))));
  return select(lt(x, k(x, 1)), k(x, NaN), log1pTimes(select(big, x, inner), big));
}

/** Inverse hyperbolic tangent: ±inf at ±1, NaN beyond. */
export function atanh(x: Expr): Expr {
  const a = abs(x);
  const y = log1p(div(add(a, a), sub(k(x, 1), a)));
  return withSign(mul(y, k(x, 0.5)), x);
}
