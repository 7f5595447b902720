import type { NDArray } from "../core/array.js";
import * as p from "../primitives/all.js";
import { floatUnary, like } from "./ufunc.js";

/** Chebyshev coefficients of exp(−x)·I₀(x) on [0, 8] and of √x·exp(−x)·I₀(x) on [8, ∞) (Cephes, i0.c). */
const near = [
  -4.4153416464793394e-18, 3.3307945188222384e-17, -2.431279846547955e-16, 1.715391285555133e-15,
  -1.1685332877993451e-14, 7.676185498604936e-14, -4.856446783111929e-13, 2.95505266312964e-12, -1.726826291441556e-11,
  9.675809035373237e-11, -5.189795601635263e-10, 2.6598237246823866e-9, -1.300025009986248e-8, 6.046995022541919e-8,
  -2.670793853940612e-7, 1.1173875391201037e-6, -4.4167383584587505e-6, 1.6448448070728896e-5, -5.754195010082104e-5,
  1.8850288509584165e-4, -5.763755745385824e-4, 1.6394756169413357e-3, -4.324309995050576e-3, 1.0546460394594998e-2,
  -2.373741480589947e-2, 4.930528423967071e-2, -9.490109704804764e-2, 1.7162090152220877e-1, -3.046826723431984e-1,
  6.767952744094761e-1,
] as const;
const far = [
  -7.233180487874754e-18, -4.830504485944182e-18, 4.46562142029676e-17, 3.461222867697461e-17, -2.8276239805165836e-16,
  -3.425485619677219e-16, 1.7725601330565263e-15, 3.8116806693526224e-15, -9.554846698828307e-15,
  -4.150569347287222e-14, 1.54008621752141e-14, 3.8527783827421427e-13, 7.180124451383666e-13, -1.7941785315068062e-12,
  -1.3215811840447713e-11, -3.1499165279632416e-11, 1.1889147107846439e-11, 4.94060238822497e-10, 3.3962320257083865e-9,
  2.266668990498178e-8, 2.0489185894690638e-7, 2.8913705208347567e-6, 6.889758346916825e-5, 3.3691164782556943e-3,
  8.044904110141088e-1,
] as const;

/** Coefficients that matter in float32: smaller ones do not change its last bit. */
const significant = (coefficients: readonly number[], dtype: string): readonly number[] =>
  dtype === "float64" ? coefficients : coefficients.filter((c) => Math.abs(c) > 1e-9);

/** Clenshaw's sum of a Chebyshev series (coefficients from the highest order; the last one counts half). */
function chebyshev(x: NDArray, coefficients: readonly number[]): NDArray {
  let b0 = like(x, 0);
  let b1 = like(x, 0);
  let b2 = b1;
  for (const c of coefficients) {
    b2 = b1;
    b1 = b0;
    b0 = p.add(p.sub(p.mul(x, b1), b2), like(x, c));
  }
  return p.mul(p.sub(b0, b2), like(x, 0.5));
}

/** exp(−|x|)·I₀(x) of floats. */
export function besselI0eOf(x: NDArray): NDArray {
  const size = absWithoutSlope(x);
  const isNear = p.le(size, like(size, 8));
  const small = p.select(isNear, size, like(size, 8));
  const large = p.select(isNear, like(size, 8), size);
  const a = chebyshev(p.sub(p.mul(small, like(x, 0.5)), like(x, 2)), significant(near, x.dtype));
  const b = p.mul(chebyshev(p.sub(p.div(like(x, 32), large), like(x, 2)), significant(far, x.dtype)), p.rsqrt(large));
  return p.select(isNear, a, b);
}

/** |x| has derivative 1 at 0, an even function has 0 there: its argument is then a constant. */
const absWithoutSlope = (x: NDArray): NDArray => p.select(p.eq(x, like(x, 0)), like(x, 0), p.abs(x));

/** The modified Bessel function I₀. */
export const i0 = /* @__PURE__ */ floatUnary("i0", (x) => p.mul(p.exp(absWithoutSlope(x)), besselI0eOf(x)));
