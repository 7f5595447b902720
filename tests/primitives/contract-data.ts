import type { ConcreteArray, NDArray } from "../../src/core/array.js";
import { type Aval, aval, type HostArray, hostZeros, sizeOf } from "../../src/core/aval.js";
import { type DType, dtypeInfo, isFloat } from "../../src/core/dtype.js";
import { getEngine } from "../../src/core/engine.js";
import type { ArgSpec } from "./contract.js";

/** A seeded generator of numbers in [0, 1): mulberry32. */
export function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let z = Math.imul(state ^ (state >>> 15), state | 1);
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61);
    return ((z ^ (z >>> 14)) >>> 0) / 4294967296;
  };
}

/** The dtype of an operand where floats are of the given one. */
export const dtypeOf = (spec: ArgSpec, float: DType): DType => (spec.dtype === "float" ? float : spec.dtype);

/** Draws an operand; `example` tells the examples of a batch apart. */
export function draw(spec: ArgSpec, float: DType, random: () => number, example = 0): HostArray {
  const out = hostZeros(aval(spec.shape, dtypeOf(spec, float)));
  const values = spec.examples?.[example % spec.examples.length] ?? spec.values;
  if (values) {
    if (values.length !== out.data.length)
      throw new Error(`${values.length} values for shape [${spec.shape.join(",")}]`);
    out.data.set(values);
    return out;
  }
  const [lo, hi] = spec.range ?? [-2, 2];
  const real = isFloat(out.aval.dtype);
  const n = out.data.length;
  // Distinct elements: one of n equal pieces of the range each, shuffled.
  const order = Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  for (let i = 0; i < n; i++) {
    const u = spec.distinct ? (order[i]! + 0.25 + 0.5 * random()) / n : random();
    out.data[i] = real ? lo + u * (hi - lo) : Math.floor(lo + u * (hi - lo + 1));
  }
  return out;
}

/** Uploads to a device, by default the current one. */
export const upload = (h: HostArray, device?: string): ConcreteArray => getEngine().fromHost(h, device);

/** The elements of an array in storage layout. */
export const download = (x: NDArray): HostArray => ({ aval: x.aval, data: (x as ConcreteArray).storage.readSync() });

/** Examples stacked along a new axis. */
export function stack(examples: readonly HostArray[], axis: number): HostArray {
  const one = examples[0]!.aval;
  const out = hostZeros({ ...one, shape: [...one.shape.slice(0, axis), examples.length, ...one.shape.slice(axis)] });
  const inner = sizeOf(one.shape.slice(axis)) * dtypeInfo[one.dtype].words;
  const outer = sizeOf(one.shape.slice(0, axis));
  examples.forEach((h, e) => {
    for (let o = 0; o < outer; o++)
      out.data.set(h.data.subarray(o * inner, (o + 1) * inner), (o * examples.length + e) * inner);
  });
  return out;
}

/** Σ a·b over lists of arrays. */
export function dot(a: readonly HostArray[], b: readonly HostArray[]): number {
  let sum = 0;
  a.forEach((x, i) => x.data.forEach((v, k) => (sum += v * b[i]!.data[k]!)));
  return sum;
}

/** a + s·b, elementwise. */
export function axpy(a: HostArray, s: number, b: HostArray): HostArray {
  const out = hostZeros(a.aval);
  a.data.forEach((v, k) => (out.data[k] = v + s * b.data[k]!));
  return out;
}

/** A random direction of the type of `a`, elements in [−1, 1]. */
export function direction(a: Aval, random: () => number): HostArray {
  const out = hostZeros(aval(a.shape, a.dtype));
  for (let i = 0; i < out.data.length; i++) out.data[i] = 2 * random() - 1;
  return out;
}

/** What is wrong with `actual`, or undefined: NaN equals NaN; elements may differ by `tolerance` times the largest magnitude. */
export function difference(actual: HostArray, expected: HostArray, tolerance: number): string | undefined {
  const [a, e] = [actual, expected];
  if (a.aval.dtype !== e.aval.dtype || String(a.aval.shape) !== String(e.aval.shape)) {
    return `${a.aval.dtype}[${a.aval.shape.join(",")}] instead of ${e.aval.dtype}[${e.aval.shape.join(",")}]`;
  }
  let scale = 0;
  for (const v of e.data) if (Number.isFinite(v)) scale = Math.max(scale, Math.abs(v));
  const slack = isFloat(e.aval.dtype) ? tolerance * scale : 0;
  for (let i = 0; i < e.data.length; i++) {
    const [x, y] = [a.data[i]!, e.data[i]!];
    if (x === y || (Number.isNaN(x) && Number.isNaN(y))) continue;
    if (!(Math.abs(x - y) <= slack)) return `element ${i} is ${x} instead of ${y} (tolerance ${slack})`;
  }
  return undefined;
}
