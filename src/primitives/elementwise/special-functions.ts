/**
 * Error functions in float64, for plain evaluation: erf and erfc by the rational approximations of FreeBSD's msun `s_erf.c`
 * (Sun Microsystems, 1993), within about one unit of the last place; the inverse by Halley's method on them.
 */

const erx = 8.45062911510467529297e-1;
/** (erf(x) − x)/x in x² for |x| < 0.84375: numerator and denominator. */
// prettier-ignore
const pp = [1.28379167095512558561e-1, -3.25042107247001499370e-1, -2.84817495755985104766e-2, -5.77027029648944159157e-3, -2.37630166566501626084e-5];
// prettier-ignore
const qq = [1, 3.97917223959155352819e-1, 6.50222499887672944485e-2, 5.08130628187576562776e-3, 1.32494738004321644526e-4, -3.96022827877536812320e-6];
/** erf(x) − erx in |x| − 1 for 0.84375 ≤ |x| < 1.25. */
// prettier-ignore
const pa = [-2.36211856075265944077e-3, 4.14856118683748331666e-1, -3.72207876035701323847e-1, 3.18346619901161753674e-1, -1.10894694282396677476e-1, 3.54783043256182359371e-2, -2.16637559486879084300e-3];
// prettier-ignore
const qa = [1, 1.06420880400844228286e-1, 5.40397917702171048937e-1, 7.18286544141962662868e-2, 1.26171219808761642112e-1, 1.36370839120290507362e-2, 1.19844998467991074170e-2];
/** log(x·e^(x²)·erfc(x)) + 0.5625 in 1/x² for 1.25 ≤ |x| < 1/0.35. */
// prettier-ignore
const ra = [-9.86494403484714822705e-3, -6.93858572707181764372e-1, -1.05586262253232909814e1, -6.23753324503260060396e1, -1.62396669462573470355e2, -1.84605092906711035994e2, -8.12874355063065934246e1, -9.81432934416914548592];
// prettier-ignore
const sa = [1, 1.96512716674392571292e1, 1.37657754143519042600e2, 4.34565877475229228821e2, 6.45387271733267880336e2, 4.29008140027567833386e2, 1.08635005541779435134e2, 6.57024977031928170135, -6.04244152148580987438e-2];
/** The same for |x| ≥ 1/0.35. */
// prettier-ignore
const rb = [-9.86494292470009928597e-3, -7.99283237680523006574e-1, -1.77579549177547519889e1, -1.60636384855821916062e2, -6.37566443368389627722e2, -1.02509513161107724954e3, -4.83519191608651397019e2];
// prettier-ignore
const sb = [1, 3.03380607434824582924e1, 3.25792512996573918826e2, 1.53672958608443695994e3, 3.19985821950859553908e3, 2.55305040643316442583e3, 4.74528541206955367215e2, -2.24409524465858183362e1];

function poly(coefficients: readonly number[], x: number): number {
  let p = 0;
  for (let i = coefficients.length - 1; i >= 0; i--) p = p * x + coefficients[i]!;
  return p;
}

const view = new DataView(new ArrayBuffer(8));
/** x with the low word of its significand cleared, so that its square is exact. */
function highPart(x: number): number {
  view.setFloat64(0, x);
  view.setUint32(4, 0);
  return view.getFloat64(0);
}

/** erfc(a) for a ≥ 1.25. */
function tail(a: number): number {
  if (a > 28) return 0;
  const s = 1 / (a * a);
  const [r, d] = a < 1 / 0.35 ? [ra, sa] : [rb, sb];
  const z = highPart(a);
  return (Math.exp(-z * z - 0.5625) * Math.exp((z - a) * (z + a) + poly(r, s) / poly(d, s))) / a;
}

/** Error function. */
export function erfOf(x: number): number {
  if (Number.isNaN(x)) return x;
  const a = Math.abs(x);
  if (a < 0.84375)
    return a < 2 ** -28 ? x + 1.28379167095512586316e-1 * x : x + x * (poly(pp, x * x) / poly(qq, x * x));
  const y = a < 1.25 ? erx + poly(pa, a - 1) / poly(qa, a - 1) : 1 - tail(a);
  return x < 0 ? -y : y;
}

/** Complementary error function 1 − erf(x), accurate where it is small. */
export function erfcOf(x: number): number {
  if (Number.isNaN(x)) return x;
  const a = Math.abs(x);
  if (a < 0.84375) {
    const y = poly(pp, x * x) / poly(qq, x * x);
    return x < 0.25 ? 1 - (x + x * y) : 0.5 - (x - 0.5 + x * y);
  }
  if (a < 1.25) {
    const y = poly(pa, a - 1) / poly(qa, a - 1);
    return x < 0 ? 1 + (erx + y) : 1 - erx - y;
  }
  return x < 0 ? 2 - tail(a) : tail(a);
}

/** First guess of the inverse, good to 7 digits near 0: M. Giles, "Approximating the erfinv function" (2012). */
// prettier-ignore
const nearZero = [1.50140941, 0.246640727, -0.00417768164, -0.00125372503, 0.00021858087, -4.39150654e-6, -3.5233877e-6, 3.43273939e-7, 2.81022636e-8];
// prettier-ignore
const nearOne = [2.83297682, 1.00167406, 0.00943887047, -0.0076224613, 0.00573950773, -0.00367342844, 0.00134934322, 0.000100950558, -0.000200214257];

function guess(a: number): number {
  const w = -(Math.log1p(-a) + Math.log1p(a));
  if (w < 5) return poly(nearZero, w - 2.5);
  if (w < 16) return poly(nearOne, Math.sqrt(w) - 3);
  const l = -Math.log1p(-a);
  return Math.sqrt(l - Math.log(Math.PI * l) / 2);
}

/** The inverse of erf; ±inf at ±1, NaN beyond. */
export function erfInvOf(x: number): number {
  const a = Math.abs(x);
  if (!(a < 1)) return a === 1 ? x * Infinity : NaN;
  if (a < 1e-8) return x * (Math.sqrt(Math.PI) / 2);
  let y = a * guess(a);
  for (let i = 0; i < 10; i++) {
    const error = a < 0.5 ? erfOf(y) - a : 1 - a - erfcOf(y);
    const newton = (error * Math.sqrt(Math.PI) * Math.exp(y * y)) / 2;
    const step = newton / (1 + y * newton);
    y -= step;
    if (Math.abs(step) <= 1e-16 * y) break;
  }
  return x < 0 ? -y : y;
}
