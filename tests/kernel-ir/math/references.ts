/** The error functions in double, by their series and continued fraction: within 1e-14 or so. */

function erfSeries(x: number): number {
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > 1e-18 * Math.abs(sum); n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

function erfcFraction(x: number): number {
  let f = 0;
  for (let n = 200; n >= 1; n--) f = n / 2 / (x + f);
  // x² to more places than a double has: e^(−x²) = e^(−h²)·e^(−(x − h)(x + h)).
  const h = Math.fround(x);
  return (Math.exp(-h * h) * Math.exp(-(x - h) * (x + h))) / ((x + f) * Math.sqrt(Math.PI));
}

export function erf(x: number): number {
  if (x === 0 || x !== x) return x;
  const a = Math.abs(x);
  return Math.sign(x) * (a < 2 ? erfSeries(a) : 1 - (a > 30 ? 0 : erfcFraction(a)));
}

export function erfc(x: number): number {
  if (x !== x) return x;
  if (x < 0) return 2 - erfc(-x);
  return x < 2 ? 1 - erfSeries(x) : x > 30 ? 0 : erfcFraction(x);
}
