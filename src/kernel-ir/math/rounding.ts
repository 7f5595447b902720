import type { Expr } from "../scalar.js";
import {
  abs,
  add,
  and,
  eq,
  formatOf,
  fromBits,
  ge,
  gt,
  intConst,
  k,
  le,
  lt,
  not,
  or,
  select,
  shrLBy,
  sub,
  toBits,
  trunc,
  withSign,
} from "./build.js";

/** Whether a float is NaN, read off its bits: some compilers assume that x ≠ x never holds. */
export function isNan(x: Expr): Expr {
  const f = formatOf(x);
  return gt(and(toBits(x), intConst(f, f.magnitudeMask)), intConst(f, f.infinityBits));
}

/** Whether a float is neither infinite nor NaN. */
export function isFinite(x: Expr): Expr {
  const f = formatOf(x);
  return lt(and(toBits(x), intConst(f, f.magnitudeMask)), intConst(f, f.infinityBits));
}

/** −1, 0 or 1; floats keep −0 and NaN. */
export function sign(x: Expr): Expr {
  const zero = k(x, 0);
  if (x.type === "u32") return select(eq(x, zero), zero, k(x, 1));
  return select(gt(x, zero), k(x, 1), select(lt(x, zero), k(x, -1), x));
}

/** Rounds to the nearest integer, halves away from zero; −0 kept. */
export function roundHalfAway(x: Expr): Expr {
  const t = trunc(x);
  return select(ge(abs(sub(x, t)), k(x, 0.5)), add(t, withSign(k(x, 1), x)), t);
}

/** The next number after x in the direction of y; y itself where they are equal. */
export function nextafter(x: Expr, y: Expr): Expr {
  const f = formatOf(x);
  const bits = toBits(x);
  const one = intConst(f, 1);
  const zero = k(x, 0);
  // Away from zero where y lies beyond x on x's side.
  const outwards = eq(gt(y, x), gt(x, zero));
  const step = fromBits(select(outwards, add(bits, one), sub(bits, one)), f);
  const smallest = withSign(k(x, f.type === "f32" ? 2 ** -149 : 2 ** -1074), y);
  const moved = select(eq(x, zero), smallest, step);
  const defined = not(or(isNan(x), isNan(y)));
  return select(defined, select(eq(x, y), y, moved), k(x, NaN));
}

/** Rounds to a float with fewer exponent and mantissa bits, ties to even: overflow to inf, underflow to zero. */
export function reducePrecision(x: Expr, exponentBits: number, mantissaBits: number): Expr {
  const f = formatOf(x);
  let bits = toBits(x);
  if (mantissaBits < f.mantissa) {
    const dropped = f.mantissa - mantissaBits;
    const last = 1n << BigInt(dropped);
    const odd = and(shrLBy(bits, dropped), intConst(f, 1));
    const bias = add(odd, intConst(f, (last >> 1n) - 1n));
    bits = and(add(bits, bias), intConst(f, -last));
  }
  const sourceExponentBits = f.width - 1 - f.mantissa;
  if (exponentBits < sourceExponentBits) {
    const exponent = and(bits, intConst(f, f.infinityBits));
    const bias = 2 ** (exponentBits - 1) - 1;
    const field = (e: number): Expr => intConst(f, BigInt(e) << BigInt(f.mantissa));
    const signBit = and(toBits(x), intConst(f, f.signMask));
    const overflows = gt(exponent, field(f.bias + bias));
    const underflows = le(exponent, field(f.bias - bias));
    bits = select(overflows, or(signBit, intConst(f, f.infinityBits)), bits);
    bits = select(underflows, signBit, bits);
  }
  return select(isNan(x), x, fromBits(bits, f));
}
