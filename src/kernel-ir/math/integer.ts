import type { Expr, ScalarType } from "../scalar.js";
import {
  add,
  and,
  bitcast,
  c,
  div as divOp,
  eq,
  k,
  lt,
  ne,
  or,
  rem as remOp,
  select,
  shl,
  shrA,
  shrL,
  sub,
} from "./build.js";
import { fmod } from "./remainder.js";

/** Integer arithmetic as XLA defines it: total, where the machine's is not. */

const isInt = (type: ScalarType): boolean => type === "i32" || type === "u32";

/** A divisor for which the machine's division is defined: 1 where it is 0, and for INT_MIN / −1. */
function safeDivisor(x: Expr, y: Expr): Expr {
  const byZero = eq(y, k(y, 0));
  const unsafe = x.type === "i32" ? or(byZero, and(eq(x, k(x, -0x80000000)), eq(y, k(y, -1)))) : byZero;
  return select(unsafe, k(y, 1), y);
}

/** Division: floats by IEEE; integers truncate, x/0 = −1 (all ones), INT_MIN/−1 = INT_MIN. */
export function divide(x: Expr, y: Expr): Expr {
  if (!isInt(x.type)) return divOp(x, y);
  const allOnes = k(x, x.type === "u32" ? 0xffffffff : -1);
  return select(eq(y, k(y, 0)), allOnes, divOp(x, safeDivisor(x, y)));
}

/** Remainder with the sign of the dividend: floats as fmod; integers x % 0 = x, INT_MIN % −1 = 0. */
export function remainder(x: Expr, y: Expr): Expr {
  if (!isInt(x.type)) return fmod(x, y);
  return select(eq(y, k(y, 0)), x, remOp(x, safeDivisor(x, y)));
}

/** Integer division rounded down, on top of `divide` and `remainder` as jnp.floor_divide has it. */
export function floorDivide(x: Expr, y: Expr): Expr {
  const q = divide(x, y);
  if (x.type === "u32") return q;
  const zero = k(x, 0);
  const r = remainder(x, y);
  const differs = ne(lt(x, zero), lt(y, zero));
  return select(and(differs, ne(r, zero)), sub(q, k(x, 1)), q);
}

/** Integer remainder with the sign of the divisor, as jnp.remainder has it. */
export function floorRemainder(x: Expr, y: Expr): Expr {
  const r = remainder(x, y);
  if (x.type === "u32") return r;
  const zero = k(x, 0);
  return select(and(ne(r, zero), ne(lt(r, zero), lt(y, zero))), add(r, y), r);
}

/** Whether a shift's amount is below the width, read as unsigned, and the amount made harmless. */
function shiftBy(n: Expr): { readonly inside: Expr; readonly amount: Expr } {
  return { inside: lt(bitcast(n, "u32"), c("u32", 32)), amount: and(n, k(n, 31)) };
}

/** x << n; 0 where n is negative or 32 and more. */
export function shiftLeft(x: Expr, n: Expr): Expr {
  const { inside, amount } = shiftBy(n);
  return select(inside, shl(x, amount), k(x, 0));
}

/** x >>> n, zeros coming in; 0 where n is negative or 32 and more. */
export function shiftRightLogical(x: Expr, n: Expr): Expr {
  const { inside, amount } = shiftBy(n);
  return select(inside, shrL(x, amount), k(x, 0));
}

/** x >> n, the sign coming in; the sign alone where n is negative or 32 and more. */
export function shiftRightArithmetic(x: Expr, n: Expr): Expr {
  const { inside, amount } = shiftBy(n);
  return shrA(x, select(inside, amount, k(n, 31)));
}
