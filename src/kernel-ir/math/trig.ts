import type { Expr } from "../scalar.js";
import {
  add,
  and,
  c,
  convert,
  div,
  eq,
  type FloatType,
  fma,
  formatOf,
  fromBits,
  intConst,
  k,
  mul,
  poly,
  select,
  shlBy,
  toBits,
  xor,
} from "./build.js";
import { reduceQuadrant } from "./trig-reduction.js";

/** (sin r − r)/r³, (cos r − 1 + r²/2)/r⁴ and (tan r − r)/r³ in r², on |r| ≤ π/4. */
const SIN: Readonly<Record<FloatType, readonly number[]>> = {
  f32: [-0.16666655, 0.008332188, -0.00019518072],
  f64: [
    -0.16666666666666666, 0.0083333333333331, -0.00019841269841057256, 2.7557319129434247e-6, -2.5052086031240047e-8,
    1.605625861062588e-10, -7.485443506513529e-13,
  ],
};
const COS: Readonly<Record<FloatType, readonly number[]>> = {
  f32: [0.041666646, -0.001388731, 2.4432338e-5],
  f64: [
    0.041666666666666595, -0.0013888888888873316, 2.480158728897323e-5, -2.7557314205756297e-7, 2.087570352694405e-9,
    -1.1358637549834277e-11,
  ],
};
const TAN: Readonly<Record<FloatType, readonly number[]>> = {
  f32: [0.3333335, 0.13332674, 0.054059207, 0.021284178, 0.010833799, 8.900634e-5, 0.004377766],
  f64: [
    0.3333333333333276, 0.13333333333417016, 0.05396825392554745, 0.02186948963552527, 0.008863218793633708,
    0.0035922924045068147, 0.0014547378333456503, 0.0005951492831156713, 0.00022213077746974688, 0.00013703844679566486,
    -2.7109409360919207e-5, 9.01175565314964e-5, -4.5236056411732434e-5, 2.0949828738726582e-5,
  ],
};

/** The number with its sign flipped where `bit` (i32) is the sign bit. */
function flipBy(y: Expr, bit: Expr): Expr {
  const f = formatOf(y);
  const mask = f.type === "f32" ? bit : shlBy(convert(bit, "i64"), 32);
  return fromBits(xor(toBits(y), mask), f);
}

/** sin(|x| + quadrants·π/2). */
function sinShifted(x: Expr, quadrants: number): Expr {
  const { type } = formatOf(x);
  const { quadrant, r, head, tail } = reduceQuadrant(x);
  const j = quadrants === 0 ? quadrant : add(quadrant, k(quadrant, quadrants));
  const z = mul(r, r);
  const s = add(head, fma(mul(r, z), poly(z, SIN[type]), tail));
  const cosine = poly(z, [1, -0.5, ...COS[type]]);
  const even = eq(and(j, c("i32", 1)), c("i32", 0));
  return flipBy(select(even, s, cosine), and(shlBy(j, 30), c("i32", -0x80000000)));
}

/** Sine, exact in its argument however large. */
export function sin(x: Expr): Expr {
  const f = formatOf(x);
  return fromBits(xor(toBits(sinShifted(x, 0)), and(toBits(x), intConst(f, f.signMask))), f);
}

/** Cosine, exact in its argument however large. */
export const cos = (x: Expr): Expr => sinShifted(x, 1);

/** Tangent, exact in its argument however large. */
export function tan(x: Expr): Expr {
  const f = formatOf(x);
  const { quadrant, r, head, tail } = reduceQuadrant(x);
  const z = mul(r, r);
  const t = add(head, fma(mul(r, z), poly(z, TAN[f.type]), tail));
  const even = eq(and(quadrant, c("i32", 1)), c("i32", 0));
  const y = select(even, t, div(k(x, -1), t));
  return fromBits(xor(toBits(y), and(toBits(x), intConst(f, f.signMask))), f);
}
