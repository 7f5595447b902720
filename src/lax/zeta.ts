import type { NDArray } from "../core/array.js";
import { ArgumentError } from "../core/errors.js";
import { scalarOf } from "../core/literal.js";
import { isZero, Zero } from "../core/zero.js";
import * as p from "../primitives/all.js";
import { applyCustomJvp, type FlatJvpRule } from "../transforms/custom/jvp.js";

/** Hurwitz's zeta function and the polygamma functions of orders that are arrays: compositions, so that both operands may vary. */

const like = (x: NDArray, value: number): NDArray =>
  scalarOf(value, { shape: [], dtype: x.dtype, weakType: x.weakType });

/** Terms that are added one by one before the summation of Euler and Maclaurin takes over. */
const terms = 10;

/**
 * Σ (q + k)^−s over k = 0, 1, 2, … for s > 1: ∞ at s = 1, NaN below. Where q is negative s must be whole, and q not below −9;
 * at the poles ∞ for even s, else NaN.
 */
export function zeta(s: NDArray, q: NDArray): NDArray {
  const c = (value: number): NDArray => like(q, value);
  const one = c(1);
  const negative = p.le(q, c(0));
  const pole = p.and(negative, p.eq(q, p.floor(q)));
  const inside = p.and(p.gt(s, one), p.lt(s, c(Infinity)));
  const x = p.select(inside, s, c(2));
  const first = p.select(p.or(pole, p.not(p.lt(q, c(Infinity)))), one, q);
  const power = (a: NDArray): NDArray => p.pow(a, p.neg(x));

  let sum = power(first);
  for (let k = 1; k < terms; k++) sum = p.add(sum, power(p.add(first, c(k))));
  const a = p.add(first, c(terms));
  const last = power(a);
  const inverse = p.div(one, a);
  let series: NDArray = c(p.bernoulli[p.bernoulli.length - 1]!);
  for (let j = p.bernoulli.length - 1; j >= 1; j--) {
    const rising = p.mul(p.mul(p.add(x, c(2 * j - 1)), inverse), p.mul(p.add(x, c(2 * j)), inverse));
    series = p.add(p.mul(rising, series), c(p.bernoulli[j - 1]!));
  }
  const tail = p.add(p.div(a, p.sub(x, one)), p.add(p.mul(p.mul(x, inverse), series), c(0.5)));
  // Where the terms vanish by themselves the tail is nothing, and its factors may overflow.
  const epsilon = q.dtype === "float64" ? 2 ** -52 : 2 ** -23;
  const vanished = p.lt(p.abs(last), p.mul(p.abs(sum), c(epsilon)));
  const value = p.add(sum, p.select(vanished, c(0), p.mul(last, p.select(vanished, one, tail))));

  const half = p.mul(s, c(0.5));
  const even = p.and(p.eq(half, p.floor(half)), p.lt(s, c(Infinity)));
  const defined = p.and(inside, p.lt(q, c(Infinity)));
  const atPole = p.select(even, c(Infinity), c(NaN));
  const result = p.select(pole, atPole, p.select(defined, value, c(NaN)));
  return p.select(p.eq(s, one), c(Infinity), result);
}

/** The m-th derivative of ψ, by the zeta function: NaN where m is no whole number from 0 on. */
function valueOf([m, x]: readonly NDArray[]): readonly NDArray[] {
  const [order, one] = [m!, like(m!, 1)];
  const n = p.add(order, one);
  const half = p.mul(n, like(order, 0.5));
  const sign = p.select(p.eq(half, p.floor(half)), one, like(order, -1));
  const derived = p.mul(p.mul(sign, p.exp(p.lgamma(n))), zeta(n, x!));
  const whole = p.and(p.ge(order, like(order, 0)), p.eq(order, p.floor(order)));
  const ordinary = p.select(whole, derived, like(order, NaN));
  return [p.select(p.eq(order, like(order, 0)), p.digamma(x!), ordinary)];
}

const derivative: FlatJvpRule = ([m, x], [tm, tx]) => {
  if (!isZero(tm!)) {
    throw new ArgumentError({
      code: "polygamma-order",
      message: "lax.polygamma has no derivative in its order m",
      hint: "differentiate in x only, or pass the order through lax.stopGradient",
    });
  }
  const out = polygamma(m!, x!);
  const moved = isZero(tx!) ? new Zero(out.aval) : p.mul(tx!, polygamma(p.add(m!, like(m!, 1)), x!));
  return { outs: [out], tangents: [moved] };
};

/** The derivatives of ψ, m times in x; differentiated in x it is polygamma of m + 1. */
export function polygamma(m: NDArray, x: NDArray): NDArray {
  const call = { name: "lax.polygamma", numConsts: 0, fun: valueOf, rule: derivative };
  return applyCustomJvp(call, [m, x])[0]!;
}
