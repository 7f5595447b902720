import { type Datum, type EncodedArray, isArray, isInexact, isNumber, numberOf, type Tolerance } from "./encoding.js";
import type { ArrayResult, Element, Result } from "./result.js";

/**
 * The rules by which results are held against JAX's: shapes, dtypes, integers and booleans are exact; NaN and infinities
 * stand in the same places; other floats satisfy |a − e| ≤ atol + rtol |e|. The sign of zero counts where the case says so.
 */

const defaults: Readonly<Record<string, Tolerance>> = {
  float32: { rtol: 3e-5, atol: 1e-6 },
  complex64: { rtol: 3e-5, atol: 1e-6 },
  float64: { rtol: 1e-11, atol: 1e-11 },
  complex128: { rtol: 1e-11, atol: 1e-11 },
  bfloat16: { rtol: 2e-2, atol: 1e-2 },
  float16: { rtol: 4e-3, atol: 1e-3 },
};
const exact: Tolerance = { rtol: 0, atol: 0 };

export interface Rules {
  readonly tol?: Tolerance | undefined;
  /** The sign of zero counts. */
  readonly signedZeros?: boolean;
}

/** Says where a result differs from what is expected; undefined where it does not. */
export function difference(expected: unknown, got: Result, rules: Rules, path = "result"): string | undefined {
  if (isArray(expected)) {
    return got.kind === "array"
      ? arrayDifference(expected, got, rules, path)
      : `${path}: expected an array, got ${nameOf(got)}`;
  }
  if (Array.isArray(expected)) {
    const entries = got.kind === "list" ? got.entries : got.kind === "record" ? Object.values(got.entries) : undefined;
    if (entries?.length !== expected.length)
      return `${path}: expected a list of ${expected.length}, got ${nameOf(got)}`;
    return first(expected, (e, i) => difference(e, entries[i]!, rules, `${path}[${i}]`));
  }
  if (typeof expected === "object" && expected !== null && !isNumber(expected)) {
    return first(Object.entries(expected), ([name, e]) => {
      const entry = got.kind === "record" ? got.entries[name] : undefined;
      return entry ? difference(e, entry, rules, `${path}.${name}`) : `${path}: no ${name} in ${nameOf(got)}`;
    });
  }
  return valueDifference(isNumber(expected) ? numberOf(expected.num) : expected, got, path);
}

function first<T>(xs: readonly T[], f: (x: T, i: number) => string | undefined): string | undefined {
  for (let i = 0; i < xs.length; i++) {
    const found = f(xs[i]!, i);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Plain values: numbers, booleans, null and names. A scalar array may stand for a number or a boolean. */
function valueDifference(expected: unknown, got: Result, path: string): string | undefined {
  const value = got.kind === "array" && got.data.length === 1 ? got.data[0] : got.kind === "value" ? got.value : got;
  const wrong = `${path}: expected ${String(expected)}, got ${nameOf(got)}`;
  if (typeof expected === "number") {
    const x = Number(value);
    return Object.is(x, expected) || Math.abs(x - expected) <= 1e-6 * Math.abs(expected) ? undefined : wrong;
  }
  if (typeof expected === "boolean") return value !== undefined && Boolean(value) === expected ? undefined : wrong;
  if (expected === null) return value === null || value === undefined ? undefined : wrong;
  return value === expected ? undefined : wrong;
}

function arrayDifference(e: EncodedArray, got: ArrayResult, rules: Rules, path: string): string | undefined {
  // A key is held against its two words.
  const [dtype, shape] = e.a === "key" ? ["uint32", [...e.shape, 2]] : [e.a, e.shape];
  const type = `${dtype}[${shape.join(",")}]`;
  if (type !== nameOf(got)) return `${path}: expected ${type}, got ${nameOf(got)}`;
  const tol = e.tol ?? rules.tol ?? defaults[dtype] ?? exact;
  const bad: string[] = [];
  e.data.forEach((datum, i) => {
    const x = got.data[i]!;
    if (datum === null || same(datum, x, dtype, tol, rules.signedZeros === true)) return;
    bad.push(`at ${i} expected ${String(datum)}, got ${Object.is(x, -0) ? "-0" : String(x)}`);
  });
  return bad.length === 0 ? undefined : `${path}: ${bad.length} of ${e.data.length} elements differ: ${bad[0]}`;
}

function same(datum: Datum, x: Element, dtype: string, tol: Tolerance, signedZeros: boolean): boolean {
  if (typeof x === "bigint" || !isInexact(dtype)) return BigInt(datum as number | string) === BigInt(x as number);
  // Decimals are the shortest that read back in the array's own precision.
  const round = dtype === "float32" || dtype === "complex64" ? Math.fround : (y: number): number => y;
  if (typeof x === "number") {
    const e = round(numberOf(datum));
    return signedZeros && e === 0 ? Object.is(x, e) : close(x, e, Math.abs(x - e), Math.abs(e), tol);
  }
  const [re, im] = (datum as readonly [Datum, Datum]).map((part) => round(numberOf(part))) as [number, number];
  if (!Number.isFinite(re) || !Number.isFinite(im)) return alike(x[0], re) && alike(x[1], im);
  return close(x[0], re, Math.hypot(x[0] - re, x[1] - im), Math.hypot(re, im), tol);
}

/** Both NaN, both finite, or the same infinity. */
const alike = (x: number, e: number): boolean => (Number.isFinite(e) ? Number.isFinite(x) : Object.is(x, e));

function close(x: number, e: number, distance: number, size: number, { atol, rtol }: Tolerance): boolean {
  if (!Number.isFinite(e) || !Number.isFinite(x)) return Object.is(x, e);
  return distance <= atol + rtol * size;
}

function nameOf(got: Result): string {
  if (got.kind === "array") return `${got.dtype}[${got.shape.join(",")}]`;
  if (got.kind === "list") return `a list of ${got.entries.length}`;
  return got.kind === "record" ? `an object {${Object.keys(got.entries).join(", ")}}` : String(got.value);
}
