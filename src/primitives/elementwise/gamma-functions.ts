import { bernoulli, gammaFits, STIRLING } from "../../kernel-ir/math/gamma.js";

/** log |Γ| and its derivatives in float64, for plain evaluation: the fits of the kernels' expansions, with branches. */

const fits = gammaFits.f64;

function poly(x: number, coefficients: readonly number[]): number {
  let p = 0;
  for (let i = coefficients.length - 1; i >= 0; i--) p = p * x + coefficients[i]!;
  return p;
}
const rational = (t: number, [p, q]: readonly [readonly number[], readonly number[]]): number =>
  poly(t, p) / poly(t, q);

const isPole = (x: number): boolean => x <= 0 && Math.floor(x) === x;
/** x less the nearest integer. */
const offset = (x: number): number => x - Math.round(x);

/** log |Γ(x)|. */
export function lgammaOf(x: number): number {
  if (isPole(x) || x === Infinity) return Infinity;
  if (x < 0) return Math.log(Math.PI / Math.abs(Math.sin(Math.PI * offset(x)))) - lgammaOf(1 - x);
  if (x >= fits.far) return (x - 0.5) * (Math.log(x) - 1) + (STIRLING + poly(1 / (x * x), fits.stirling) / x);
  const small = x < 0.75;
  const t = small ? x : x - 1;
  return t * (t - 1) * rational(t, fits.lgamma) - (small ? Math.log(x) : 0);
}

/** ψ(x). */
export function digammaOf(x: number): number {
  if (isPole(x)) return NaN;
  if (x < 0) return digammaOf(1 - x) - Math.PI / Math.tan(Math.PI * offset(x));
  const z = 1 / (x * x);
  if (x >= fits.far) return Math.log(x) - (0.5 / x + z * poly(z, fits.asymptotic));
  const t = x < 1 ? x : x - 1;
  return (t - fits.root[0] - fits.root[1]) * rational(t, fits.digamma) - (x < 1 ? 1 / x : 0);
}

/** The derivatives of π·cot(πx) by how often it is differentiated: polynomials in cot(πx). */
function cotangentDerivative(x: number, n: number): number {
  const c = 1 / Math.tan(Math.PI * offset(x));
  let p = [0, 1];
  for (let i = 0; i < n; i++) {
    const slope = p.slice(1).map((v, j) => -v * (j + 1));
    p = Array.from({ length: slope.length + 2 }, (_, j) => (slope[j] ?? 0) + (slope[j - 2] ?? 0));
  }
  return Math.PI ** (n + 1) * poly(c, p);
}

/** The n-th derivative of ψ for a whole n ≥ 1. */
export function polygammaOf(x: number, n: number): number {
  const sign = n % 2 === 0 ? -1 : 1;
  if (isPole(x)) return sign < 0 ? NaN : Infinity;
  if (x === Infinity) return NaN;
  if (x < 0) return -sign * polygammaOf(1 - x, n) - cotangentDerivative(x, n);
  const s = n + 1;
  const terms = 10 + s;
  let sum = 0;
  for (let i = 0; i < terms; i++) sum += (x + i) ** -s;
  const a = x + terms;
  let factor = s / a;
  let tail = a / n + 0.5;
  bernoulli.forEach((b, j) => {
    if (j > 0) factor *= ((s + 2 * j - 1) / a) * ((s + 2 * j) / a);
    tail += b * factor;
  });
  let factorial = sign;
  for (let i = 2; i <= n; i++) factorial *= i;
  return factorial * (sum + a ** -s * tail);
}
