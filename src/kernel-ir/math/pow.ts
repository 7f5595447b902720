import { InternalError } from "../../core/errors.js";
import type { Expr } from "../scalar.js";
import {
  abs,
  add,
  and,
  convert,
  div,
  eq,
  type FloatType,
  fma,
  formatOf,
  fromBits,
  ge,
  gt,
  intConst,
  k,
  lowBitsOf,
  lt,
  mul,
  ne,
  nearest,
  neg,
  not,
  or,
  poly,
  select,
  shlBy,
  shrABy,
  smallIntToFloat,
  sqrt,
  sub,
  toBits,
  trunc,
  upperPart,
  withSign,
} from "./build.js";
import { expTables } from "./exp.js";
import { isNan } from "./rounding.js";

/**
 * log2 in two parts (after Sun's e_pow): for m = ax·2^−n in [√3/2, √3) and b = 1 or 1.5, s = (m − b)/(m + b),
 *   log2 m = log2 b + 2/(3 ln 2) · s·(3 + s² + s⁴·P(s²)).
 * Parts are cut by masking bits, so that products of upper parts are exact and no compiler can fold what is taken off.
 */
interface PowTable {
  /** Bits cleared in an upper part: half of the significand. */
  readonly cut: number;
  readonly sqrt3Half: bigint;
  readonly p: readonly number[];
  readonly cp: number;
  readonly cpHi: number;
  readonly cpLo: number;
  /** log2 1.5. */
  readonly dpHi: number;
  readonly dpLo: number;
}
const tables: Readonly<Record<FloatType, PowTable>> = {
  f32: {
    cut: 12,
    sqrt3Half: 0x3f5db3d7n,
    p: [0.6, 0.4285615, 0.33463073, 0.2207031],
    cp: 0.9617966939259756,
    cpHi: 0.961669921875,
    cpLo: 0.00012677205,
    dpHi: 0.5849609375,
    dpLo: 1.5632212e-6,
  },
  f64: {
    cut: 27,
    sqrt3Half: 0x3febb67ae8584caan,
    p: [
      0.6, 0.4285714285714435, 0.33333333333336773, 0.27272727049214474, 0.23076993953272076, 0.1999029724282594,
      0.18278393373209237,
    ],
    cp: 0.9617966939259756,
    cpHi: 0.9617966860532761,
    cpLo: 7.872699542894897e-9,
    dpHi: 0.5849624872207642,
    dpLo: 1.350039202129749e-8,
  },
};

interface Parts {
  /** Half a significand. */
  readonly hi: Expr;
  readonly lo: Expr;
}

/** log2 of a positive finite number. */
function log2Parts(ax: Expr): Parts {
  const f = formatOf(ax);
  const t = tables[f.type];
  const up = f.mantissa + 2;
  const small = lt(ax, k(ax, f.minNormal));
  const bits = toBits(select(small, mul(ax, k(ax, 2 ** up)), ax));
  const e = shrABy(sub(bits, intConst(f, t.sqrt3Half)), f.mantissa);
  const m = fromBits(sub(bits, shlBy(e, f.mantissa)), f);
  const n = sub(smallIntToFloat(e, f), select(small, k(ax, up), k(ax, 0)));
  const upperHalf = ge(m, k(ax, 1.224744871391589));
  const b = select(upperHalf, k(ax, 1.5), k(ax, 1));
  const dpHi = select(upperHalf, k(ax, t.dpHi), k(ax, 0));
  const dpLo = select(upperHalf, k(ax, t.dpLo), k(ax, 0));

  const u = sub(m, b);
  const sum = add(m, b);
  const s = div(u, sum);
  const sHi = upperPart(s, t.cut);
  const sumHi = upperPart(sum, t.cut);
  const sumLo = sub(m, sub(sumHi, b));
  const sLo = div(sub(sub(u, mul(sHi, sumHi)), mul(sHi, sumLo)), sum);

  const z = mul(s, s);
  const r = fma(mul(z, z), poly(z, t.p), mul(sLo, add(sHi, s)));
  const zHi = mul(sHi, sHi);
  const qHi = upperPart(add(add(k(ax, 3), zHi), r), t.cut);
  const qLo = sub(r, sub(sub(qHi, k(ax, 3)), zHi));
  // s·q = u + v
  const high = mul(sHi, qHi);
  const low = fma(sLo, qHi, mul(qLo, s));
  const pHi = upperPart(add(high, low), t.cut);
  const pLo = sub(low, sub(pHi, high));
  const lHi = mul(k(ax, t.cpHi), pHi);
  const lLo = add(fma(k(ax, t.cpLo), pHi, mul(pLo, k(ax, t.cp))), dpLo);
  const hi = upperPart(add(add(add(lHi, lLo), dpHi), n), t.cut);
  const lo = sub(lLo, sub(sub(sub(hi, n), dpHi), lHi));
  return { hi, lo };
}

/** ax^y for a positive finite ax and a finite or NaN y. */
function powPositive(ax: Expr, y: Expr): Expr {
  const f = formatOf(ax);
  const t = tables[f.type];
  const e = expTables[f.type];
  const l = log2Parts(ax);
  const yHi = upperPart(y, t.cut);
  const pHi = mul(yHi, l.hi);
  const pLo = fma(sub(y, yHi), l.hi, mul(y, l.lo));
  const z = add(pHi, pLo);
  const limit = 2 * f.bias - 2;
  const wild = ge(abs(z), k(ax, limit));
  const n = nearest(select(wild, withSign(k(ax, limit), z), z));
  const r = select(wild, k(ax, 0), add(sub(pHi, n), pLo));
  const bits = lowBitsOf(n, 2 * f.bias);
  const half = and(shlBy(bits, f.mantissa - 1), intConst(f, f.infinityBits));
  const rest = sub(shlBy(bits, f.mantissa), half);
  return mul(mul(poly(r, e.exp2), fromBits(half, f)), fromBits(rest, f));
}

/** x^y as C's pow: x^0 = 1 and 1^y = 1 even for NaN, negative x with integral y, signed zeros, infinities. */
export function pow(x: Expr, y: Expr): Expr {
  const f = formatOf(x);
  const one = k(x, 1);
  const zero = k(x, 0);
  const infinity = k(x, Infinity);
  const ax = abs(x);
  const integral = eq(trunc(y), y);
  const halfY = mul(y, k(y, 0.5));
  const odd = and(integral, ne(trunc(halfY), halfY));
  const isNumber = not(isNan(x));

  const edge = or(or(eq(ax, zero), eq(ax, infinity)), eq(abs(y), infinity));
  const limit = select(eq(gt(ax, one), gt(y, zero)), infinity, zero);
  const core = powPositive(ax, select(isNumber, y, x));
  const magnitude = select(eq(ax, one), one, select(edge, limit, core));
  const signed = select(and(lt(toBits(x), intConst(f, 0)), odd), neg(magnitude), magnitude);
  const defined = and(and(isNumber, not(isNan(y))), or(integral, not(and(lt(x, zero), lt(ax, infinity)))));
  return select(or(eq(y, zero), eq(x, one)), one, select(defined, signed, k(x, NaN)));
}

/** x^n for a constant integer n by repeated squaring; floats take negative n as 1/x^−n. Integers wrap. */
export function integerPow(x: Expr, n: number): Expr {
  if (!Number.isInteger(n)) throw new InternalError(`integerPow with exponent ${n}`);
  if (n < 0) {
    if (x.type !== "f32" && x.type !== "f64") throw new InternalError(`integerPow of ${x.type} with exponent ${n}`);
    return div(k(x, 1), integerPow(x, -n));
  }
  let result: Expr | undefined;
  let square = x;
  for (let rest = n; rest > 0;) {
    if (rest % 2 === 1) result = result === undefined ? square : mul(result, square);
    rest = Math.floor(rest / 2);
    if (rest > 0) square = mul(square, square);
  }
  return result ?? k(x, 1);
}

/** 1/√x. */
export const rsqrt = (x: Expr): Expr => div(k(x, 1), sqrt(x));

/** Cube root: a guess from a third of the exponent, then Halley's steps y·(1 + (q − y)/(2y + q)), q = a/y². */
export function cbrt(x: Expr): Expr {
  const f = formatOf(x);
  const a = abs(x);
  const lift = f.type === "f32" ? 24 : 54;
  const small = lt(a, k(x, f.minNormal));
  const scaled = select(small, mul(a, k(x, 2 ** lift)), a);
  let y = firstCubeRoot(scaled);
  const steps = f.type === "f32" ? 2 : 3;
  for (let i = 0; i < steps; i++) {
    // The last step squares half a significand: exactly.
    if (i === steps - 1) y = upperPart(y, tables[f.type].cut);
    const q = div(scaled, mul(y, y));
    y = fma(y, div(sub(q, y), add(add(y, y), q)), y);
  }
  const root = mul(y, select(small, k(x, 2 ** (-lift / 3)), k(x, 1)));
  const ordinary = and(gt(a, k(x, 0)), lt(a, k(x, Infinity)));
  return select(ordinary, withSign(root, x), x);
}

/** The cube root within some 4 %: a third of the bits, as a number. */
function firstCubeRoot(a: Expr): Expr {
  if (a.type === "f32") {
    const third = mul(convert(toBits(a), "f32"), k(a, 1 / 3));
    return fromBits(add(convert(third, "i32"), intConst(formatOf(a), 709958130)), formatOf(a));
  }
  const f = formatOf(a);
  // The upper word is below 2^31: it goes into a double's low bits and back as a small integer does.
  const upper = smallIntToFloat(shrABy(toBits(a), 32), f);
  const third = nearest(mul(upper, k(a, 1 / 3)));
  return fromBits(shlBy(lowBitsOf(third, 715094163), 32), f);
}
