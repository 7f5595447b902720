import type { NDArray } from "../core/array.js";
import { formatAval } from "../core/aval.js";
import { signature } from "../core/calling.js";
import { isInteger } from "../core/dtype.js";
import { ArgumentError, DTypeError } from "../core/errors.js";
import type { ArrayLike } from "../core/literal.js";
import { polygamma as polygammaOf, zeta as zetaOf } from "../lax/zeta.js";
import { expandTo, inexact, promoteInexact, strong } from "../numpy/promotion.js";
import { floatUnary, like, type Unary } from "../numpy/ufunc.js";
import * as p from "../primitives/all.js";

/** The gamma function and its family. */

type TwoOperands = (x: ArrayLike, y: ArrayLike) => NDArray;

/** A function of float operands of the given names, broadcast together. */
function special<F extends (...args: never[]) => NDArray>(
  op: string,
  names: readonly string[],
  f: (...xs: readonly NDArray[]) => NDArray,
): F {
  const params = signature<Readonly<Record<string, ArrayLike>>>(op, names.length, names);
  const call = (...given: unknown[]): NDArray => {
    const bound = params(given);
    return f(...promoteInexact(op, ...names.map((name) => bound[name]!)));
  };
  return call as unknown as F;
}

/**
 * log |Γ(x)|: ∞ at 0 and at negative integers.
 *
 * @example
 * scipy.special.gammaln(np.array([0.5, 5, 100])); // [0.5723649, 3.1780539, 359.1342]
 * grad(scipy.special.gammaln)(5); // 1.5061177
 */
export const gammaln: Unary = /* @__PURE__ */ floatUnary("scipy.special.gammaln", (x) => p.lgamma(x));

/**
 * ψ(x), the derivative of gammaln; NaN at 0 and at negative integers.
 *
 * @example
 * scipy.special.digamma(np.array([1, 0])); // [-0.5772157, NaN]
 */
export const digamma: Unary = /* @__PURE__ */ floatUnary("scipy.special.digamma", (x) => p.digamma(x));

/** log Γ(x) for x > 0, NaN elsewhere. */
export const loggamma: Unary = /* @__PURE__ */ floatUnary("scipy.special.loggamma", (x) =>
  p.select(p.gt(x, like(x, 0)), p.lgamma(x), like(x, NaN)),
);

function signOf(given: NDArray): NDArray {
  const x = strong(given);
  const zero = like(x, 0);
  const below = p.lt(x, zero);
  const whole = p.floor(x);
  const half = p.mul(whole, like(x, 0.5));
  const isNegativeZero = p.and(p.eq(x, zero), p.lt(p.div(like(x, 1), x), zero));
  const negative = p.or(p.and(below, p.ne(half, p.floor(half))), isNegativeZero);
  const undefinedAt = p.or(p.and(below, p.eq(x, whole)), p.ne(x, x));
  return p.select(undefinedAt, like(x, NaN), p.select(negative, like(x, -1), like(x, 1)));
}
/** The sign of Γ(x): −1 at −0, NaN at negative integers. */
export const gammasgn: Unary = /* @__PURE__ */ floatUnary("scipy.special.gammasgn", (x) => signOf(p.stopGradient(x)));

const gammaOf = (x: NDArray): NDArray => p.mul(signOf(p.stopGradient(x)), p.exp(p.lgamma(x)));
/**
 * Γ(x): ±∞ at ±0, NaN at negative integers.
 *
 * @example
 * scipy.special.gamma(np.array([0.5, 4, -1.5])); // [1.7724539, 6, 2.3632715]
 */
export const gamma: Unary = /* @__PURE__ */ floatUnary("scipy.special.gamma", gammaOf);

/**
 * n! = Γ(n + 1) in floats; 0 for negative n.
 *
 * @example
 * np.round(scipy.special.factorial(np.array([5, -1]))); // [120, 0]
 */
export const factorial: Unary = /* @__PURE__ */ special("scipy.special.factorial", ["n"], (n) => {
  const negative = p.lt(n!, like(n!, 0));
  return p.select(negative, like(n!, 0), p.exp(p.lgamma(p.add(n!, like(n!, 1)))));
});

/** log(Γ(b)/Γ(a + b)) for b ≥ 8, without the cancellation of the logarithms (Didonato and Morris, algorithm 708: algdiv). */
function gammaQuotient(a: NDArray, b: NDArray): NDArray {
  const c = (value: number): NDArray => like(b, value);
  const h = p.div(a, b);
  const x = p.div(h, p.add(h, c(1)));
  const square = p.square(x);
  const t = p.square(p.div(c(1), b));
  // s is (1 − x^(2i + 1))/(1 − x)
  const coefficients = [
    0.833333333333333e-1, -0.277777777760991e-2, 0.79365066682539e-3, -0.59520293135187e-3, 0.837308034031215e-3,
    -0.165322962780713e-2,
  ];
  let [s, power, w]: NDArray[] = [c(1), c(1), c(coefficients[0]!)];
  for (const coefficient of coefficients.slice(1)) {
    s = p.add(p.add(p.mul(s!, square), x), c(1));
    power = p.mul(power!, t);
    w = p.add(w!, p.mul(p.mul(s, power), c(coefficient)));
  }
  const rest = p.mul(w!, p.div(x, b));
  const u = p.mul(p.add(b, p.sub(a, c(0.5))), p.log1p(h));
  const v = p.mul(a, p.sub(p.log(b), c(1)));
  return p.select(p.le(u, v), p.sub(p.sub(rest, v), u), p.sub(p.sub(rest, u), v));
}

export function betalnOf(x: NDArray, y: NDArray): NDArray {
  const [a, b] = [p.min(x, y), p.max(x, y)];
  const eight = like(b, 8);
  const isSmall = p.lt(b, eight);
  const small = p.sub(p.lgamma(b), p.lgamma(p.add(a, b)));
  const large = gammaQuotient(a, p.select(isSmall, eight, b));
  return p.add(p.lgamma(a), p.select(isSmall, small, large));
}
/**
 * log |B(a, b)|, accurate for large operands too.
 *
 * @example
 * scipy.special.betaln(1, 2); // -0.6931472
 */
export const betaln: TwoOperands = /* @__PURE__ */ special<TwoOperands>("scipy.special.betaln", ["a", "b"], (a, b) =>
  betalnOf(a!, b!),
);
/**
 * B(a, b) = Γ(a)·Γ(b)/Γ(a + b).
 *
 * @throws ShapeError `shape-broadcast`.
 * @example
 * scipy.special.beta(2, np.array([1, 3])); // [0.5, 0.0833333]
 */
export const beta: TwoOperands = /* @__PURE__ */ special<TwoOperands>("scipy.special.beta", ["a", "b"], (a, b) => {
  const sign = [a!, b!, p.add(a!, b!)].map((x) => signOf(p.stopGradient(x))).reduce((x, y) => p.mul(x, y));
  return p.mul(sign, p.exp(betalnOf(a!, b!)));
});

/**
 * The binomial coefficient N over k of floats: 0 where k is negative or above N.
 *
 * @example
 * np.round(scipy.special.comb(5, np.array([2, 6]))); // [10, 0]
 */
export const comb: TwoOperands = /* @__PURE__ */ special<TwoOperands>("scipy.special.comb", ["N", "k"], (n, k) => {
  const [zero, one] = [like(n!, 0), like(n!, 1)];
  const possible = p.and(p.le(k!, n!), p.and(p.ge(n!, zero), p.ge(k!, zero)));
  const [a, b] = [p.select(possible, n!, zero), p.select(possible, k!, zero)];
  const log = p.sub(p.sub(p.lgamma(p.add(a, one)), p.lgamma(p.add(b, one))), p.lgamma(p.sub(p.add(a, one), b)));
  return p.select(possible, p.exp(log), zero);
});

/** The rising factorial z(z + 1)…(z + m − 1) = Γ(z + m)/Γ(z), for any m. */
export const poch: TwoOperands = /* @__PURE__ */ special<TwoOperands>("scipy.special.poch", ["z", "m"], (z, m) => {
  const quotient = p.div(gammaOf(p.add(z!, m!)), gammaOf(z!));
  // Nothing is multiplied: 1, where Γ has a pole or is infinite too.
  return p.select(p.and(p.eq(m!, like(m!, 0)), p.ne(quotient, quotient)), like(m!, 1), quotient);
});

/**
 * Hurwitz's zeta function Σ 1/(q + k)ˣ over k = 0, 1, 2, …; NaN for x < 1, ∞ at x = 1.
 *
 * @example
 * scipy.special.zeta(2, 1); // 1.6449341
 */
export const zeta: TwoOperands = /* @__PURE__ */ special<TwoOperands>("scipy.special.zeta", ["x", "q"], (x, q) =>
  zetaOf(x!, q!),
);

const polygammaParams = /* @__PURE__ */ signature<{ n: ArrayLike; x: ArrayLike }>("scipy.special.polygamma", 2, [
  "n",
  "x",
]);
/**
 * The n-th derivative of digamma, for whole n ≥ 0.
 *
 * @example
 * scipy.special.polygamma(1, np.array([1, 2.5])); // [1.6449341, 0.49035777]
 */
export function polygamma(n: ArrayLike, x: ArrayLike): NDArray;
export function polygamma(): NDArray {
  const { n, x } = polygammaParams(arguments);
  const op = "scipy.special.polygamma";
  if (typeof n === "number" && Number.isInteger(n) && n >= 0 && n <= 16) {
    const operand = inexact(op, x);
    return n === 0 ? p.digamma(operand) : p.polygamma(operand, n);
  }
  if (typeof n === "boolean" || (typeof n === "number" ? !Number.isInteger(n) : !isInteger(n.dtype))) {
    throw new DTypeError({
      code: "integer-needed",
      message: `${op} takes an order of integers`,
      details: [["n", typeof n === "object" ? formatAval(n.aval) : String(n)]],
      hint: 'convert with astype("int32"), or use lax.polygamma, which takes whole numbers in floats',
    });
  }
  const [order, operand] = promoteInexact(op, n, x);
  return polygammaOf(order!, operand!);
}

const multigammalnParams = /* @__PURE__ */ signature<{ a: ArrayLike; d: number }>("scipy.special.multigammaln", 2, [
  "a",
  "d",
]);
/** The logarithm of the multivariate gamma function of dimension d. */
export function multigammaln(a: ArrayLike, d: number): NDArray;
export function multigammaln(): NDArray {
  const { a, d } = multigammalnParams(arguments);
  if (!Number.isInteger(d)) {
    throw new ArgumentError({
      code: "dimension-integer",
      message: `scipy.special.multigammaln: d must be a whole number, not ${String(d)}`,
    });
  }
  const x = inexact("scipy.special.multigammaln", a);
  if (d < 1) return expandTo(like(x, 0.25 * d * (d - 1) * Math.log(Math.PI)), x.shape);
  const terms = Array.from({ length: d }, (_, i) => p.lgamma(p.sub(x, like(x, i / 2))));
  return p.add(terms.reduce((s, t) => p.add(s, t)), like(x, 0.25 * d * (d - 1) * Math.log(Math.PI))); // prettier-ignore
}
