import type { Expr } from "../scalar.js";
import { abs, add, capAbove, capBelow, div, type FloatType, fma, formatOf, k, lt, mul, neg, poly, select, sqrt, sub, upperPart, withSign } from "./build.js";
import { expOfSum } from "./exp.js";
import { log1p } from "./log.js";

/** erf(x)/x in x²: f32 on |x| ≤ 3.93, beyond which erf rounds to ±1; f64 on |x| ≤ 0.9. */
const ERF = {
  f32: {
    max: 3.93 ** 2,
    p: [1.1283791453569787, 0.1907836291595238, 0.05279027186339534, 0.00377960435559727, 0.00028480909956244777, 2.0419798074372526e-6],
    q: [1.0, 0.502410308659505, 0.11425745032115976, 0.014997426729714889, 0.0011652126999490615, 3.8004195785251886e-5],
  },
  f64: {
    max: 0.9 ** 2,
    p: [1.1283791670955126, 0.14214708464002132, 0.04530695523889551, 0.001827557736390751, 0.0001950534672886378],
    q: [1.0, 0.45930790711593245, 0.09325487934830076, 0.010583323754547087, 0.0006814212049869314, 2.0312560339906038e-5],
  },
} as const;

/** e^(x²)·erfc(x) for 0 ≤ x ≤ max, beyond which erfc is 0. */
const ERFCX: Readonly<Record<FloatType, { readonly max: number; readonly cut: number; readonly p: readonly number[]; readonly q: readonly number[] }>> = {
  f32: {
    max: 10.07,
    cut: 12,
    p: [1.0000000057033698, 1.2381842308759978, 0.7313672756221709, 0.22910590850815418, 0.032772822399804766],
    q: [1.0, 2.366563973646851, 2.401739460129532, 1.3249264278826591, 0.40610616958385765, 0.05808761230373416],
  },
  f64: {
    max: 27.3,
    cut: 27,
    p: [
      1.0, 2.3410144712475303, 2.71687353231743, 2.0197480449813248, 1.0551942446286597, 0.4029714376610443, 0.11377216717333884,
      0.023478263254238782, 0.0034021396433880535, 0.0003148060701381548, 1.4300140996160785e-5,
    ],
    q: [
      1.0, 3.4693936383430435, 5.631665036277408, 5.657260687697895, 3.916925313814542, 1.9681276338811413, 0.7347763583138659,
      0.20465831031388249, 0.04189312773655664, 0.006042808682156198, 0.0005579792313057939, 2.5346339977130975e-5,
    ],
  },
};

/** erfc(a) for a ≥ 0. */
function erfcPositive(a: Expr): Expr {
  const t = ERFCX[formatOf(a).type];
  const x = capAbove(a, t.max);
  // e^(−x²) needs x² to more places than a number has: x = h + l with h² exact, x² = h² + (x − h)(x + h).
  const h = upperPart(x, t.cut);
  const e = expOfSum(neg(mul(h, h)), mul(sub(h, x), add(h, x)));
  return mul(e, div(poly(x, t.p), poly(x, t.q)));
}

/** Error function: never beyond ±1. */
export function erf(x: Expr): Expr {
  const { type } = formatOf(x);
  const { max, p, q } = ERF[type];
  const z = capAbove(mul(x, x), max);
  const near = div(mul(x, poly(z, p)), poly(z, q));
  if (type === "f32") return capBelow(capAbove(near, 1), -1);
  const a = abs(x);
  return select(lt(a, k(x, 0.9)), near, withSign(sub(k(x, 1), erfcPositive(a)), x));
}

/** Complementary error function, relative accuracy down to where it vanishes. */
export function erfc(x: Expr): Expr {
  const y = erfcPositive(abs(x));
  return select(lt(x, k(x, 0)), sub(k(x, 2), y), y);
}

/** erfInv(x)/x in w = −log(1 − x²): Giles, Approximating the erfinv function, as XLA has it. */
const ERF_INV32 = {
  central: [
    1.50140941, 0.246640727, -0.00417768164, -0.00125372503, 0.00021858087, -4.39150654e-6, -3.5233877e-6, 3.43273939e-7, 2.81022636e-8,
  ],
  tail: [2.83297682, 1.00167406, 0.00943887047, -0.0076224613, 0.00573950773, -0.00367342844, 0.00134934322, 0.000100950558, -0.000200214257],
};

/** Inverse error function: ±inf at ±1, NaN beyond. */
export function erfInv(x: Expr): Expr {
  const w = neg(log1p(neg(mul(x, x))));
  const atEnd = sub(k(x, 1), abs(x));
  const p = x.type === "f32" ? erfInvRatio32(w) : erfInvRatio32(w);
  return select(lt(k(x, 0), atEnd), mul(p, x), mul(x, div(k(x, 1), sqrt(atEnd))));
}

function erfInvRatio32(w: Expr): Expr {
  const central = lt(w, k(w, 5));
  const t = select(central, sub(w, k(w, 2.5)), sub(sqrt(w), k(w, 3)));
  const coefficient = (i: number): Expr => select(central, k(w, ERF_INV32.central[i]!), k(w, ERF_INV32.tail[i]!));
  let p = coefficient(8);
  for (let i = 7; i >= 0; i--) p = fma(p, t, coefficient(i));
  return p;
}
