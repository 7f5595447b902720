import type { Expr } from "../scalar.js";
import {
  abs,
  add,
  and,
  capAbove,
  capBelow,
  div,
  type FloatFormat,
  type FloatType,
  fma,
  formatOf,
  fromBits,
  intConst,
  k,
  lowBitsOf,
  lt,
  max,
  mul,
  nearest,
  neg,
  poly,
  select,
  shlBy,
  sub,
  withSign,
} from "./build.js";

/**
 * The exponential family. All of it rests on e^x = 2^n · e^r with n = nearest(x / ln 2) and |r| ≤ ln 2 / 2, r from a two-part
 * ln 2 whose upper part has so few bits that n·hi is exact. Polynomials are minimax fits for relative error.
 */

interface ExpTable {
  readonly log2e: number;
  readonly ln2Hi: number;
  readonly ln2Lo: number;
  /** (e^r − 1 − r) / r². */
  readonly exp: readonly number[];
  /** The same with more terms: e^r − 1 is to be good relative to itself. */
  readonly expm1: readonly number[];
  /** 2^r on [−1/2, 1/2]. */
  readonly exp2: readonly number[];
  /** (sinh r − r) / r³ and (cosh r − 1 − r²/2) / r⁴ in r². */
  readonly sinh: readonly number[];
  readonly cosh: readonly number[];
  /** Where e^x is 0, and where it is infinite. */
  readonly exp0: number;
  /** Where e^x rounds to 2^−bias: below the normal range. */
  readonly expNormal0: number;
  readonly expInf: number;
  readonly exp2Min: number;
  readonly exp2Max: number;
  /** Below this e^x − 1 rounds to −1. */
  readonly expm1Min: number;
  /** Where cosh is infinite; 2^(n−2) of it is finite. */
  readonly coshInf: number;
  /** |x| below this: x itself is the nearest to expm1(x), sinh(x). */
  readonly tiny: number;
}

export const expTables: Readonly<Record<FloatType, ExpTable>> = {
  f32: {
    log2e: Math.LOG2E,
    ln2Hi: 0.693359375,
    ln2Lo: -2.1219444005469057e-4,
    exp: [0.49999994, 0.1666652, 0.041668247, 0.00836884, 0.0013822664],
    expm1: [0.5, 0.16666666, 0.041666478, 0.008333567, 0.0013933728, 0.00019743548],
    exp2: [1.0, 0.6931472, 0.24022645, 0.05550359, 0.009618834, 0.0013391302, 0.00015241285],
    sinh: [0.16666667, 0.008333192, 0.00019958429],
    cosh: [0.04166646, 0.0013935453],
    exp0: -104,
    expNormal0: -88,
    expInf: 89,
    exp2Min: -151,
    exp2Max: 128,
    expm1Min: -20,
    coshInf: 89.6,
    tiny: 2 ** -25,
  },
  f64: {
    log2e: Math.LOG2E,
    ln2Hi: 6.9314718036912381649e-1,
    ln2Lo: 1.90821492927058770002e-10,
    exp: [
      0.5, 0.16666666666666685, 0.04166666666666654, 0.008333333333315969, 0.0013888888888960221,
      0.00019841269898620886, 2.4801587170658736e-5, 2.7557232901459346e-6, 2.755740477400155e-7, 2.5112650487254825e-8,
      2.087497882118416e-9,
    ],
    expm1: [
      0.5, 0.16666666666666677, 0.04166666666666661, 0.008333333333321443, 0.0013888888888923818, 0.0001984126988657094,
      2.480158723750293e-5, 2.7557243775335875e-6, 2.755735290455535e-7, 2.510918646186171e-8, 2.0889502143248036e-9,
    ],
    exp2: [
      1.0, 0.6931471805599453, 0.24022650695910067, 0.05550410866482293, 0.00961812910763081, 0.0013333558146165767,
      0.00015403530389348797, 1.5252734035994523e-5, 1.321548990799145e-6, 1.0177985790815143e-7, 7.053799333844959e-9,
      4.465539461628596e-10, 2.7187549207389003e-11,
    ],
    sinh: [
      0.16666666666666677, 0.008333333333321438, 0.00019841269886591126, 2.7557243750929125e-6, 2.5109195824128365e-8,
    ],
    cosh: [
      0.041666666666666685, 0.0013888888888873312, 2.480158734909989e-5, 2.755725193840405e-7, 2.0921725404848353e-9,
    ],
    exp0: -746,
    expNormal0: -709,
    expInf: 710,
    exp2Min: -1076,
    exp2Max: 1024,
    expm1Min: -40,
    coshInf: 710.6,
    tiny: 2 ** -54,
  },
};

interface Reduced {
  /** A float of integral value. */
  readonly n: Expr;
  readonly r: Expr;
}

function reduce(x: Expr, t: ExpTable): Reduced {
  const n = nearest(mul(x, k(x, t.log2e)));
  return { n, r: fma(n, k(x, -t.ln2Lo), fma(n, k(x, -t.ln2Hi), x)) };
}

/** p · 2^n in two steps, so that results below the normal range are rounded once. |n| ≤ 2·bias − 2. */
function scale(p: Expr, n: Expr): Expr {
  const f = formatOf(p);
  const bits = lowBitsOf(n, 2 * f.bias);
  const half = and(shlBy(bits, f.mantissa - 1), intConst(f, f.infinityBits));
  const rest = sub(shlBy(bits, f.mantissa), half);
  return mul(mul(p, fromBits(half, f)), fromBits(rest, f));
}

/** e^(x + correction) for a small correction: of what x alone could not hold. */
export function expOfSum(x: Expr, correction: Expr | undefined): Expr {
  const t = expTables[formatOf(x).type];
  const { n, r: r0 } = reduce(capAbove(capBelow(x, t.exp0), t.expInf), t);
  const r = correction === undefined ? r0 : add(r0, correction);
  return scale(poly(r, [1, 1, ...t.exp]), n);
}

/** e^x. */
export const exp = (x: Expr): Expr => expOfSum(x, undefined);

/**
 * e^x for x ≤ 0: no overflow to provide for, so one factor does. Results below the normal range are 0, nearly all of them: of
 * n = −bias, where the cap lies, the bits of 2^n are those of 0.
 */
export function expNonpositive(x: Expr): Expr {
  const f = formatOf(x);
  const t = expTables[f.type];
  const { n, r } = reduce(capBelow(x, t.expNormal0), t);
  return mul(poly(r, [1, 1, ...t.exp]), powerOfFloat(n, 0, f));
}

/** 2^x: exact at integers. */
export function exp2(x: Expr): Expr {
  const t = expTables[formatOf(x).type];
  const capped = capAbove(capBelow(x, t.exp2Min), t.exp2Max);
  const n = nearest(capped);
  return scale(poly(sub(capped, n), t.exp2), n);
}

/** 2^(n + offset) in one step, for results in the normal range only. */
function powerOfFloat(n: Expr, offset: number, f: FloatFormat): Expr {
  return fromBits(shlBy(lowBitsOf(n, f.bias + offset), f.mantissa), f);
}

/** 2^x for results in the normal range only. */
export function exp2Normal(x: Expr): Expr {
  const f = formatOf(x);
  const n = nearest(x);
  return mul(poly(sub(x, n), expTables[f.type].exp2), powerOfFloat(n, 0, f));
}

/** e^x − 1 without its special cases: x in [expm1Min, expInf]. */
function expm1Core(x: Expr, t: ExpTable): Expr {
  const f = formatOf(x);
  const { n, r } = reduce(x, t);
  const p = fma(mul(r, r), poly(r, t.expm1), r);
  // 2^n overflows at the upper end: half of everything, doubled.
  const half = powerOfFloat(n, -1, f);
  const sum = fma(p, half, sub(half, k(x, 0.5)));
  return add(sum, sum);
}

/** e^x − 1, accurate near 0. */
export function expm1(x: Expr): Expr {
  const t = expTables[formatOf(x).type];
  const full = expm1Core(capAbove(capBelow(x, t.expm1Min), t.expInf), t);
  return select(lt(abs(x), k(x, t.tiny)), x, full);
}

/** sinh r and cosh r − 1 of the remainder, and the sum and difference of 2^(n−2) and 2^(−n−2). */
function hyperbolic(x: Expr, t: ExpTable) {
  const f = formatOf(x);
  const { n, r } = reduce(capAbove(capBelow(x, -t.coshInf), t.coshInf), t);
  const z = mul(r, r);
  const s = fma(mul(r, z), poly(z, t.sinh), r);
  const c1 = mul(z, poly(z, [0.5, ...t.cosh]));
  const up = shlBy(lowBitsOf(n, f.bias - 2), f.mantissa);
  const down = shlBy(lowBitsOf(neg(n), f.bias - 2), f.mantissa);
  // The smaller power leaves the normal range where it no longer counts: its sign bit is set then.
  const flush = (bits: Expr): Expr =>
    fromBits(f.type === "f32" ? max(bits, intConst(f, 0)) : select(lt(bits, intConst(f, 0)), intConst(f, 0), bits), f);
  const u = flush(up);
  const d = flush(down);
  return { s, c1, sum: add(u, d), difference: sub(u, d) };
}

/** Hyperbolic sine. */
export function sinh(x: Expr): Expr {
  const t = expTables[formatOf(x).type];
  const { s, c1, sum, difference } = hyperbolic(x, t);
  const half = add(difference, fma(c1, difference, mul(s, sum)));
  return select(lt(abs(x), k(x, t.tiny)), x, add(half, half));
}

/** Hyperbolic cosine. */
export function cosh(x: Expr): Expr {
  const t = expTables[formatOf(x).type];
  const { s, c1, sum, difference } = hyperbolic(x, t);
  const half = add(sum, fma(c1, sum, mul(s, difference)));
  return add(half, half);
}

/** 1 / (1 + e^−x), relative accuracy in both tails. */
export function logistic(x: Expr): Expr {
  const e = exp(neg(abs(x)));
  const one = k(x, 1);
  return div(select(lt(x, k(x, 0)), e, one), add(one, e));
}

/** e^(2a) − 1 of this and more makes tanh a exactly 1. */
const TANH_MAX: Readonly<Record<FloatType, number>> = { f32: 10, f64: 22 };
/** Up to here tanh x is x rounded; t + 2 would lose its last bits. */
const TANH_TINY: Readonly<Record<FloatType, number>> = { f32: 2e-4, f64: 1e-8 };

/** Hyperbolic tangent as t/(t + 2), t = e^(2|x|) − 1: exactly ±1 for large arguments, never beyond. */
export function tanh(x: Expr): Expr {
  const f = formatOf(x);
  const t = expTables[f.type];
  const a = capAbove(abs(x), TANH_MAX[f.type]);
  // The reduction of 2a, with the doubling in its constants: r = 2a − n·ln 2.
  const n = nearest(mul(a, k(x, 2 * t.log2e)));
  const r = fma(n, k(x, -t.ln2Lo), fma(n, k(x, -t.ln2Hi), add(a, a)));
  const p = fma(mul(r, r), poly(r, t.expm1), r);
  const power = powerOfFloat(n, 0, f);
  const e = fma(p, power, sub(power, k(x, 1)));
  return withSign(select(lt(a, k(x, TANH_TINY[f.type])), a, div(e, add(e, k(x, 2)))), x);
}
