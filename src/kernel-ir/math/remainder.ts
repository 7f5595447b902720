import type { Expr } from "../scalar.js";
import {
  abs,
  add,
  and,
  convert,
  div,
  eq,
  type FloatFormat,
  formatOf,
  ge,
  gt,
  intConst,
  k,
  lt,
  mul,
  ne,
  nearest,
  or,
  powerOfTwo,
  select,
  shrABy,
  shrLBy,
  sub,
  toBits,
  trunc,
  upperPart,
  withSign,
} from "./build.js";

/**
 * C's fmod: exact, with the sign of the dividend. Quotients below a limit are taken off directly; for larger ones the
 * significand times a power of two is reduced modulo the divisor's significand in integers, by repeated squaring. Both
 * ways meet in one select: a machine may skip the second where no lane needs it.
 */
export function fmod(x: Expr, y: Expr): Expr {
  const f = formatOf(x);
  const a = abs(x);
  const b = abs(y);
  const zero = k(x, 0);
  const infinity = k(x, Infinity);
  const quotient = div(a, b);
  const large = ge(quotient, k(x, f.type === "f32" ? 2 ** 11 : 2 ** 25));
  const r = select(large, remainderOfLarge(a, b, f), remainderOfSmall(a, b, trunc(quotient), f));
  const signed = withSign(r, x);
  const defined = and(lt(a, infinity), gt(b, zero));
  return select(defined, select(eq(b, infinity), x, signed), k(x, NaN));
}

/** a − q·b with q·b in two exact products; q may be one too large where the division rounded up. */
function remainderOfSmall(a: Expr, b: Expr, q: Expr, f: FloatFormat): Expr {
  const hi = upperPart(b, f.type === "f32" ? 12 : 27);
  const r = sub(sub(a, mul(q, hi)), mul(q, sub(b, hi)));
  return select(lt(r, k(a, 0)), add(r, b), r);
}

/** v = m·2^e with an integer m of full length, v > 0 finite. */
function decompose(v: Expr, f: FloatFormat): { readonly m: Expr; readonly e: Expr } {
  const up = f.mantissa + 2;
  const small = lt(v, k(v, f.minNormal));
  const bits = toBits(select(small, mul(v, k(v, 2 ** up)), v));
  const m = or(and(bits, intConst(f, (1n << BigInt(f.mantissa)) - 1n)), intConst(f, 1n << BigInt(f.mantissa)));
  const e = sub(shrLBy(bits, f.mantissa), intConst(f, f.bias + f.mantissa));
  return { m, e: sub(e, select(small, intConst(f, up), intConst(f, 0))) };
}

function remainderOfLarge(a: Expr, b: Expr, f: FloatFormat): Expr {
  const { m: ma, e: ea } = decompose(a, f);
  const { m: mb, e: eb } = decompose(b, f);
  const inverse = div(k(a, 1), convert(mb, f.type));
  /** u·v modulo mb, in [−mb/2, mb/2] and a little: the quotient's rounding is taken off in a second round. */
  const reduceOnce = (whole: Expr, estimate: Expr): Expr => sub(whole, mul(convert(nearest(estimate), f.bits), mb));
  const mulMod = (u: Expr, v: Expr): Expr => {
    const first = reduceOnce(mul(u, v), mul(mul(convert(u, f.type), convert(v, f.type)), inverse));
    return reduceOnce(first, mul(convert(first, f.type), inverse));
  };

  // ma · 2^d, d = ea − eb: the low bits of d at once, the others by squares of squares.
  const d = sub(ea, eb);
  const directBits = f.type === "f32" ? 4 : 5;
  const allBits = f.type === "f32" ? 9 : 12;
  const direct = powerOfTwo(and(d, intConst(f, (1 << directBits) - 1)), f);
  let r = mulMod(ma, convert(direct, f.bits));
  let power: Expr = intConst(f, 1n << BigInt(1 << directBits));
  for (let bit = directBits; bit < allBits; bit++) {
    if (bit > directBits) power = mulMod(power, power);
    const isSet = ne(and(d, intConst(f, 1 << bit)), intConst(f, 0));
    r = select(isSet, mulMod(r, power), r);
  }
  r = select(lt(r, intConst(f, 0)), add(r, mb), r);
  const half = shrABy(eb, 1);
  return mul(mul(convert(r, f.type), powerOfTwo(half, f)), powerOfTwo(sub(eb, half), f));
}
