import type { Expr } from "../scalar.js";
import {
  abs,
  add,
  and,
  div,
  eq,
  type FloatType,
  floor,
  fma,
  formatOf,
  ge,
  k,
  le,
  lt,
  mul,
  nearest,
  neg,
  or,
  poly,
  select,
  sub,
} from "./build.js";
import { log } from "./log.js";
import { integerPow } from "./pow.js";

/**
 * The logarithm of |Γ| and its derivatives. A rational function near the zeros at 1 and 2 (or the zero of ψ near 1.46), the
 * asymptotic series far out, the recurrence by one step near 0 and the reflection formulas below: no argument takes a loop.
 */

interface Fits {
  /** lgamma(1 + t)/(t(t − 1)) for −¼ ≤ t ≤ far − 1, numerator and denominator. */
  readonly lgamma: readonly [readonly number[], readonly number[]];
  /** x·(lgamma(x) − (x − ½)(log x − 1) − c) in 1/x² from `far` on. */
  readonly stirling: readonly number[];
  /** ψ(1 + t)/(1 + t − root) for 0 ≤ t ≤ far − 1. */
  readonly digamma: readonly [readonly number[], readonly number[]];
  /** (log x − 1/(2x) − ψ(x))·x² in 1/x² from `far` on. */
  readonly asymptotic: readonly number[];
  readonly far: number;
  /** The zero of ψ less 1: a number of the type, and the rest. */
  readonly root: readonly [number, number];
  /** sin(πr)/r and cos(πr)/(¼ − r²) in r² for |r| ≤ ½. */
  readonly sine: readonly number[];
  readonly cosine: readonly number[];
}
/** ½·log 2π − ½. */
export const STIRLING = 0.4189385332046727;

export const gammaFits: Readonly<Record<FloatType, Fits>> = {
  f32: {
    lgamma: [
      [0.5772156610056078, 0.9490515117656648, 0.45725897670846527, 0.061083069194590965, 0.0006177359395974188],
      [1, 2.0690757139643408, 1.4020204720102432, 0.34384240178927966, 0.02257973808407678],
    ],
    stirling: [0.08333333272607328, -0.002777594657337558, 0.0007849183531678208, -0.0004556194411875342],
    digamma: [
      [1.2503801365572424, 1.1856068221017604, 0.24762816369644755, 0.004503198509877466, -0.00010477307600690412],
      [1, 1.6317438377088365, 0.7116253289533485, 0.07951093469456219],
    ],
    asymptotic: [0.0833333283729727, -0.008331824001524856, 0.0038954475801256036, -0.002977861277291265],
    far: 3,
    root: [0.4616321325302124, 1.2438149938918909e-8],
    sine: [3.141592636919553, -5.167709686908358, 2.550069765145106, -0.598242376842902, 0.07756090439828132],
    cosine: [3.999999996077029, -3.739208048330639, 1.2779897763715096, -0.22873861435574394, 0.02415424292684176],
  },
  f64: {
    lgamma: [
      [
        0.5772156649015329, 2.354385682967908, 3.974169845991205, 3.594713628874355, 1.8868165769668883,
        0.5824525520358151, 0.10255002819781142, 0.009522558842676089, 0.0003991672971061595, 5.347265951458453e-6,
        4.504906147480886e-9,
      ],
      [
        1, 4.503753466105186, 8.52937226160993, 8.838399731356148, 5.465967600035817, 2.067204037863515,
        0.4719147016010913, 0.062018617328618346, 0.004275229275667866, 0.000129572900717267, 1.152462636130382e-6,
      ],
    ],
    stirling: [
      0.08333333333333333, -0.0027777777777737048, 0.0007936507905032262, -0.000595237165025312, 0.000841614814192571,
      -0.0019065660719121355, 0.00590575135387665, -0.01649331107274105,
    ],
    digamma: [
      [
        1.2503801375034054, 2.1070372637692563, 1.3286625928661533, 0.40287653518747596, 0.06224754349801747,
        0.004745723280871988, 0.00015709786512434004, 1.6208248214797787e-6, 9.141983170124215e-10,
      ],
      [
        1, 2.368664165031154, 2.0799081638616617, 0.8899344127085033, 0.20149644033390382, 0.024223469751563764,
        0.0014545462448180514, 3.7381450662482504e-5, 2.7883011776023236e-7,
      ],
    ],
    asymptotic: [
      0.08333333333333333, -0.008333333333329694, 0.003968253964671435, -0.00416666530386847, 0.007575496135864986,
      -0.02106428037944928, 0.08146465584052996, -0.3684839917502791, 1.2447919174206712,
    ],
    far: 6,
    root: [0.46163214496836236, -1.5522348162858677e-17],
    sine: [
      3.141592653589793, -5.167712780049969, 2.550164039877294, -0.5992645293187401, 0.08214588656992095,
      -0.007370430478998922, 0.0004662996898797567, -2.190318813882445e-5, 7.694754585705664e-7,
    ],
    cosine: [
      4, -3.7392088021787173, 1.2780132969521965, -0.22899788760923637, 0.025330970991189507, -0.001903681499373052,
      0.00010357047741501318, -4.266714982168117e-6, 1.338901451445529e-7,
    ],
  },
};

const rational = (t: Expr, [p, q]: readonly [readonly number[], readonly number[]]): Expr =>
  div(poly(t, p), poly(t, q));

/** The argument at 0 or above that reflection takes x to: itself, or 1 − x. */
const reflected = (x: Expr): Expr => select(lt(x, k(x, 0)), sub(k(x, 1), x), x);

/** cot(πx): its infinities at integers are the caller's. */
function cotangent(x: Expr): Expr {
  const { sine, cosine } = gammaFits[formatOf(x).type];
  const r = sub(x, nearest(x));
  const z = mul(r, r);
  const a = abs(r);
  const half = k(x, 0.5);
  // ¼ − r² as a product: exact where the cosine vanishes.
  const c = mul(mul(sub(half, a), add(half, a)), poly(z, cosine));
  return div(c, mul(r, poly(z, sine)));
}

/** log |Γ(x)|: +∞ at 0, at negative integers and at ±∞. */
export function lgamma(x: Expr): Expr {
  const { lgamma: core, stirling, far, sine } = gammaFits[formatOf(x).type];
  const [one, half, infinity] = [k(x, 1), k(x, 0.5), k(x, Infinity)];
  const y = reflected(x);
  const small = lt(y, k(x, 0.75));
  const t = select(small, y, sub(y, one));
  const l = log(y);
  const near = add(mul(mul(t, sub(t, one)), rational(t, core)), select(small, neg(l), k(x, 0)));
  const inverse = div(one, y);
  const rest = fma(inverse, poly(mul(inverse, inverse), stirling), k(x, STIRLING));
  const size = select(ge(y, k(x, far)), add(mul(sub(y, half), sub(l, one)), rest), near);
  // log |Γ(x)| = log(π/|sin πx|) − log Γ(1 − x)
  const a = abs(x);
  const r = abs(sub(a, nearest(a)));
  const sinus = mul(r, poly(mul(r, r), sine));
  const below = sub(sub(k(x, Math.log(Math.PI)), log(sinus)), size);
  const pole = or(eq(a, infinity), and(le(x, k(x, 0)), eq(floor(x), x)));
  return select(pole, infinity, select(lt(x, k(x, 0)), below, size));
}

/** ψ(x), the derivative of log Γ: NaN at 0 and at negative integers. */
export function digamma(x: Expr): Expr {
  const { digamma: core, asymptotic, far, root } = gammaFits[formatOf(x).type];
  const one = k(x, 1);
  const y = reflected(x);
  const small = lt(y, one);
  const t = select(small, y, sub(y, one));
  const inverse = div(one, y);
  const fromRoot = sub(sub(t, k(x, root[0])), k(x, root[1]));
  const near = sub(mul(fromRoot, rational(t, core)), select(small, inverse, k(x, 0)));
  const z = mul(inverse, inverse);
  const distant = sub(log(y), fma(inverse, k(x, 0.5), mul(z, poly(z, asymptotic))));
  const size = select(ge(y, k(x, far)), distant, near);
  const below = fma(cotangent(x), k(x, -Math.PI), size);
  const pole = and(le(x, k(x, 0)), eq(floor(x), x));
  return select(pole, k(x, NaN), select(lt(x, k(x, 0)), below, size));
}

/** B₂ⱼ/(2j)!: what the summation of Euler and Maclaurin weighs derivatives with. */
// prettier-ignore
export const bernoulli: readonly number[] = [
  8.333333333333333e-2, -1.388888888888889e-3, 3.306878306878307e-5, -8.267195767195767e-7, 2.08767569878681e-8,
  -5.284190138687493e-10, 1.3382536530684679e-11, -3.3896802963225827e-13, 8.586062056277845e-15,
];

/** Coefficients of the polynomial in cot(πx) that the n-th derivative of cot(πx) is, over πⁿ; the constant one first. */
function cotangentDerivative(n: number): readonly number[] {
  let p: readonly number[] = [0, 1];
  for (let i = 0; i < n; i++) {
    // d/dx p(c) = −π(1 + c²)·p′(c)
    const slope = p.slice(1).map((v, j) => -v * (j + 1));
    p = Array.from({ length: slope.length + 2 }, (_, j) => (slope[j] ?? 0) + (slope[j - 2] ?? 0));
  }
  return p;
}

/** The sum of (y + i)^−(n + 1) over i = 0, 1, 2, …, for y ≥ 0. */
function inversePowers(y: Expr, n: number): Expr {
  const f32 = y.type === "f32";
  const s = n + 1;
  const terms = (f32 ? 4 : 8) + Math.ceil(s / 2);
  const order = f32 ? 5 : bernoulli.length;
  const inverse = (i: number): Expr => div(k(y, 1), i === 0 ? y : add(y, k(y, i)));
  let sum = integerPow(inverse(0), s);
  for (let i = 1; i < terms; i++) sum = add(sum, integerPow(inverse(i), s));
  const u = inverse(terms);
  const z = mul(u, u);
  // s(s + 1)…(s + 2j − 2)·B₂ⱼ/(2j)!
  let rising = s;
  const weights = bernoulli.slice(0, order).map((b, j) => {
    if (j > 0) rising *= (s + 2 * j - 1) * (s + 2 * j);
    return b * rising;
  });
  const tail = fma(z, poly(z, weights), fma(u, k(y, 0.5), k(y, 1 / n)));
  return fma(integerPow(u, n), tail, sum);
}

/**
 * The n-th derivative of ψ for a whole n ≥ 1: at 0 and negative integers +∞ where n is odd, NaN where it is even, for which
 * the two sides differ; NaN at +∞.
 */
export function polygamma(x: Expr, n: number): Expr {
  let factorial = n % 2 === 0 ? -1 : 1;
  for (let i = 2; i <= n; i++) factorial *= i;
  const size = mul(k(x, factorial), inversePowers(reflected(x), n));
  // ψₙ(x) = (−1)ⁿ·ψₙ(1 − x) − πⁿ⁺¹·pₙ(cot πx)
  const reflection = poly(cotangent(x), cotangentDerivative(n).map((v) => -v * Math.PI ** (n + 1))); // prettier-ignore
  const below = n % 2 === 0 ? add(reflection, size) : sub(reflection, size);
  const pole = and(le(x, k(x, 0)), eq(floor(x), x));
  const value = select(lt(x, k(x, 0)), below, size);
  return select(pole, k(x, n % 2 === 0 ? NaN : Infinity), select(eq(x, k(x, Infinity)), k(x, NaN), value));
}
