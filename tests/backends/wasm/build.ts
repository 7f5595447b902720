import type { TypedArray } from "../../../src/core/dtype.js";
import { add, axisIndex, type Index, lit, scale } from "../../../src/kernel-ir/index-expr.js";
import type { BufferArg, NestKernel, Phase, Slot, Statement } from "../../../src/kernel-ir/kernel.js";
import type { Expr, ScalarType } from "../../../src/kernel-ir/scalar.js";
import { storageOf } from "./harness.js";

export type BufferType = BufferArg["type"];

export const buffer = (type: BufferType, access: BufferArg["access"], length: number): BufferArg => ({
  type,
  access,
  length,
});
export const store = (b: number, index: Index, value: Expr): Statement => ({ kind: "store", buffer: b, index, value });
export const accumulate = (slot: number, value: Expr): Statement => ({ kind: "accumulate", slot, value });
export const phase = (body: readonly Statement[], after: readonly Statement[] = []): Phase => ({ body, after });
export const slot = (type: ScalarType, combine: Slot["combine"], initial: number, running = false): Slot => ({
  type,
  combine,
  initial,
  running,
});

export function nest(name: string, parts: Partial<NestKernel> & Pick<NestKernel, "buffers" | "phases">): NestKernel {
  return { kind: "nest", name, parallel: [], reduced: [], sequential: false, slots: [], keeps: [], ...parts };
}

/** Axis k of a kernel whose axes have these extents. */
export const axes = (extents: readonly number[]): Index[] => extents.map((n, k) => axisIndex(k, n));
/** base + Σ strides[k] · indices[k] */
export function affine(indices: readonly Index[], strides: readonly number[], base = 0): Index {
  let out = lit(base);
  indices.forEach((i, k) => (out = add(out, scale(i, strides[k]!))));
  return out;
}

/** Deterministic numbers of a type; floats with awkward ones among them. */
export function numbers(type: BufferType, length: number, seed = 1): TypedArray {
  let s = seed * 2654435761;
  const random = (): number => {
    s = (Math.imul(s, 1664525) + 1013904223) >>> 0;
    return s / 2 ** 32;
  };
  const out = new storageOf[type](length);
  for (let i = 0; i < length; i++) {
    if (type === "bool") out[i] = random() < 0.5 ? 1 : 0;
    else if (type === "i32") out[i] = Math.floor((random() - 0.5) * 200);
    else if (type === "u32") out[i] = Math.floor(random() * 200);
    else out[i] = (random() - 0.5) * 8;
  }
  return out;
}

/** The first place where two arrays differ in more than a NaN's bits, or in more than `tolerance` of the value. */
export function difference(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance = 0): string | null {
  if (actual.length !== expected.length) return `lengths ${actual.length} and ${expected.length}`;
  for (let i = 0; i < expected.length; i++) {
    const [a, e] = [actual[i]!, expected[i]!];
    if (Object.is(a, e)) continue;
    if (tolerance > 0 && Math.abs(a - e) <= tolerance * Math.max(1, Math.abs(e))) continue;
    return `element ${i}: ${a}, expected ${e}`;
  }
  return null;
}
