import * as tsax from "../../src/index.js";
import type { DType, NDArray } from "../../src/index.js";

/** How recorded cases write values: what JSON cannot hold stands in strings and small objects. */

/** A number, "nan", "inf", "-inf", a big integer in decimal, null for "not compared", or a pair [re, im]. */
export type Datum = number | string | null | readonly [Datum, Datum];

export interface EncodedArray {
  readonly a: string;
  readonly shape: readonly number[];
  readonly data: readonly Datum[];
  readonly tol?: Tolerance;
}

export interface EncodedKey {
  readonly key: number | readonly number[];
}

export interface Tolerance {
  readonly rtol: number;
  readonly atol: number;
}

export type Leaf = EncodedArray | EncodedKey;

const isRecord = (x: unknown): x is Readonly<Record<string, unknown>> =>
  typeof x === "object" && x !== null && !Array.isArray(x);

export const isArray = (x: unknown): x is EncodedArray => isRecord(x) && "a" in x && "data" in x;
const isKey = (x: unknown): x is EncodedKey => isRecord(x) && "key" in x && Object.keys(x).length === 1;
/** A number that JSON cannot hold. */
export const isNumber = (x: unknown): x is { readonly num: string } =>
  isRecord(x) && "num" in x && Object.keys(x).length === 1;
export const isLeaf = (x: unknown): x is Leaf => isArray(x) || isKey(x);
export const isInexact = (dtype: string): boolean => /^(b?float|complex)/.test(dtype);

export function numberOf(x: Datum): number {
  if (x === "nan") return NaN;
  if (x === "inf") return Infinity;
  return x === "-inf" ? -Infinity : Number(x);
}

/** The arrays and keys of a value, depth first. */
export function leavesOf(x: unknown): Leaf[] {
  if (isLeaf(x)) return [x];
  if (Array.isArray(x)) return x.flatMap(leavesOf);
  return isRecord(x) && !isNumber(x) ? Object.values(x).flatMap(leavesOf) : [];
}

/** The value with its leaves replaced, in order. */
export function withLeaves(x: unknown, leaves: Iterator<NDArray>): unknown {
  if (isLeaf(x)) return leaves.next().value as NDArray;
  if (isNumber(x)) return numberOf(x.num);
  if (Array.isArray(x)) return x.map((entry) => withLeaves(entry, leaves));
  if (!isRecord(x)) return x;
  return Object.fromEntries(Object.entries(x).map(([name, entry]) => [name, withLeaves(entry, leaves)]));
}

export function decode(leaf: Leaf): NDArray {
  const { numpy, random } = tsax;
  if (isKey(leaf)) {
    return typeof leaf.key === "number" ? random.key(leaf.key) : numpy.stack(leaf.key.map((seed) => random.key(seed)));
  }
  const { a: dtype, shape, data } = leaf;
  const options = { shape, dtype: dtype as DType };
  if (dtype === "bool") return numpy.array(data.map((x) => x !== 0) as never, options);
  if (dtype.startsWith("complex")) {
    const parts = (data as readonly (readonly [Datum, Datum])[]).flatMap((pair) => pair.map(numberOf));
    return numpy.array(dtype === "complex64" ? new Float32Array(parts) : new Float64Array(parts), options);
  }
  if (/^u?int/.test(dtype) && data.some((x) => typeof x === "string")) {
    const words = data.map((x) => BigInt(x as string | number));
    return numpy.array(dtype.startsWith("u") ? BigUint64Array.from(words) : BigInt64Array.from(words), options);
  }
  return numpy.array(data.map(numberOf), options);
}
