import type { Expr } from "../scalar.js";
import {
  abs,
  add,
  div,
  eq,
  type FloatType,
  formatOf,
  gt,
  k,
  lt,
  max,
  min,
  mul,
  poly,
  select,
  sqrt,
  sub,
  toBits,
  withSign,
  intConst,
} from "./build.js";

const PI_2_HI: Readonly<Record<FloatType, number>> = { f32: 1.5707963705062866, f64: 1.5707963267948966 };
const PI_2_LO: Readonly<Record<FloatType, number>> = { f32: -4.371138828673793e-8, f64: 6.123233995736766e-17 };

/** (atan t − t)/t³ in t²: f32 on [0, 1], f64 on [0, tan(π/8)]. */
const ATAN32 = [
  -0.333333, 0.19998536, -0.14264126, 0.109516546, -0.08402056, 0.0579358, -0.031157766, 0.010904537, -0.001791502,
];
const ATAN64 = [
  -0.333333333333332, 0.1999999999995364, -0.14285714280194006, 0.11111110783123702, -0.0909089774473949,
  0.07692059950331404, -0.06663100821437314, 0.0584786488938607, -0.05039192399097038, 0.038061681619230826,
  -0.017904052596000995,
];
/** (asin t − t)/t³ in t² on [0, 1/2]. */
const ASIN: Readonly<Record<FloatType, readonly number[]>> = {
  f32: [0.16666752, 0.0749531, 0.04546902, 0.024185503, 0.042157013],
  f64: [
    0.16666666666665408, 0.07500000000337102, 0.04464285682827013, 0.030381959138981125, 0.022371758008737835,
    0.01735970531637236, 0.013885230602039715, 0.012169240344520724, 0.006527862707984047, 0.019528546896388492,
    -0.016224660166076297, 0.03191252891780875,
  ],
};

/** atan(num/den) for 0 ≤ num ≤ den, den > 0, with `base` added in two parts. `sign` (±1) multiplies the angle before. */
function atanRatio(
  num: Expr,
  den: Expr,
  sign: Expr | undefined,
  baseHi: Expr | undefined,
  baseLo: Expr | undefined,
): Expr {
  const { type } = formatOf(num);
  let t: Expr;
  let hi = baseHi;
  let lo = baseLo;
  if (type === "f32") {
    t = div(num, den);
    if (sign !== undefined) t = mul(t, sign);
  } else {
    // Beyond tan(π/8): atan(q) = π/4 + atan((num − den)/(num + den)).
    const beyond = gt(num, mul(den, k(den, 0.41421356237309503)));
    t = div(select(beyond, sub(num, den), num), select(beyond, add(num, den), den));
    const quarter = k(num, 0);
    let partHi = select(beyond, k(num, PI_2_HI.f64 / 2), quarter);
    let partLo = select(beyond, k(num, PI_2_LO.f64 / 2), quarter);
    if (sign !== undefined) {
      t = mul(t, sign);
      partHi = mul(partHi, sign);
      partLo = mul(partLo, sign);
    }
    hi = hi === undefined ? partHi : add(hi, partHi);
    lo = lo === undefined ? partLo : add(lo, partLo);
  }
  const z = mul(t, t);
  const tail = mul(mul(t, z), poly(z, type === "f32" ? ATAN32 : ATAN64));
  if (hi === undefined || lo === undefined) return add(t, tail);
  return add(hi, add(t, add(tail, lo)));
}

/** Arc tangent. */
export function atan(x: Expr): Expr {
  const { type } = formatOf(x);
  const a = abs(x);
  const one = k(x, 1);
  const zero = k(x, 0);
  const beyond = gt(a, one);
  // atan(a) = π/2 − atan(1/a).
  const y = atanRatio(
    select(beyond, one, a),
    select(beyond, a, one),
    select(beyond, k(x, -1), one),
    select(beyond, k(x, PI_2_HI[type]), zero),
    select(beyond, k(x, PI_2_LO[type]), zero),
  );
  return withSign(y, x);
}

/** Angle of the point (x, y): all quadrants, signed zeros and infinities as C's atan2. */
export function atan2(y: Expr, x: Expr): Expr {
  const f = formatOf(x);
  const ax = abs(x);
  const ay = abs(y);
  const zero = k(x, 0);
  const steep = gt(ay, ax);
  const negative = lt(toBits(x), intConst(f, 0));
  const num = min(ax, ay);
  const den = max(ax, ay);
  // 0/0 and inf/inf have angles: 0 and π/4.
  const degenerate = eq(num, den);
  const same = select(eq(den, zero), zero, k(x, 1));
  const n = select(degenerate, same, num);
  const d = select(degenerate, k(x, 1), den);
  // steep: π/2 ∓ angle; flat: angle, or π − angle where x is negative.
  const turned = select(steep, k(x, 1), select(negative, k(x, 2), zero));
  const sign = select(steep, select(negative, k(x, 1), k(x, -1)), select(negative, k(x, -1), k(x, 1)));
  const angle = atanRatio(n, d, sign, mul(turned, k(x, PI_2_HI[f.type])), mul(turned, k(x, PI_2_LO[f.type])));
  return withSign(angle, y);
}

interface Arc {
  /** asin(s)'s series without its first term. */
  readonly tail: Expr;
  readonly s: Expr;
  readonly beyond: Expr;
}

/** |x| ≤ 1/2: s = x; else s = √((1 − |x|)/2), asin|x| = π/2 − 2·asin s. */
function arc(x: Expr): Arc {
  const { type } = formatOf(x);
  const a = abs(x);
  const beyond = gt(a, k(x, 0.5));
  const half = k(x, 0.5);
  const z = select(beyond, mul(sub(k(x, 1), a), half), mul(a, a));
  const s = select(beyond, sqrt(z), a);
  return { tail: mul(mul(s, z), poly(z, ASIN[type])), s, beyond };
}

/** Arc sine: NaN outside [−1, 1]. */
export function asin(x: Expr): Expr {
  const { type } = formatOf(x);
  const { tail, s, beyond } = arc(x);
  const near = add(s, tail);
  const twice = add(s, s);
  const far = sub(k(x, PI_2_HI[type]), sub(twice, sub(k(x, PI_2_LO[type]), add(tail, tail))));
  return withSign(select(beyond, far, near), x);
}

/** Arc cosine: NaN outside [−1, 1]. */
export function acos(x: Expr): Expr {
  const { type } = formatOf(x);
  const { tail, s, beyond } = arc(x);
  const negative = lt(x, k(x, 0));
  const angle = add(s, tail);
  const far = add(angle, angle);
  const hi = k(x, PI_2_HI[type]);
  const lo = k(x, PI_2_LO[type]);
  const signedS = select(negative, mul(s, k(x, -1)), s);
  const signedTail = select(negative, mul(tail, k(x, -1)), tail);
  const near = sub(hi, sub(signedS, sub(lo, signedTail)));
  const farNegative = sub(k(x, Math.PI), sub(far, k(x, 2 * PI_2_LO[type])));
  return select(beyond, select(negative, farNegative, far), near);
}
