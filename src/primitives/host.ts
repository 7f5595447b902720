import { type Aval, type HostArray, hostZeros, type Shape, sizeOf, stridesOf } from "../core/aval.js";
import { dtypeInfo, type TypedArray } from "../core/dtype.js";

/** Where a block of elements lies in a buffer: element (i…) at offset + Σ i_k·strides_k, counted in elements. */
export interface Placement {
  readonly offset: number;
  readonly strides: readonly number[];
}

/** Copies a block of elements of `shape` from one placement to another; an element takes `words` words. */
export function copyBlock(
  shape: Shape,
  from: TypedArray,
  source: Placement,
  to: TypedArray,
  target: Placement,
  words: number,
): void {
  if (sizeOf(shape) === 0) return;
  const last = shape.length - 1;
  const visit = (axis: number, s: number, t: number): void => {
    if (axis > last) {
      for (let w = 0; w < words; w++) to[t * words + w] = from[s * words + w]!;
      return;
    }
    const n = shape[axis]!;
    const ds = source.strides[axis]!;
    const dt = target.strides[axis]!;
    if (axis === last && words === 1) {
      for (let i = 0; i < n; i++) to[t + i * dt] = from[s + i * ds]!;
    } else {
      for (let i = 0; i < n; i++) visit(axis + 1, s + i * ds, t + i * dt);
    }
  };
  visit(0, source.offset, target.offset);
}

/** The elements of `x` at a placement, as a new array. */
export function readBlock(x: HostArray, out: Aval, source: Placement): HostArray {
  const result = hostZeros(out);
  copyBlock(
    out.shape,
    x.data,
    source,
    result.data,
    { offset: 0, strides: stridesOf(out.shape) },
    dtypeInfo[out.dtype].words,
  );
  return result;
}

/** A copy of the elements under another type of as many words. */
export const copyAs = (x: HostArray, out: Aval): HostArray => ({ aval: out, data: x.data.slice() });

/** Calls `body` for every index of a shape in row-major order. The index is one list, changed in place. */
export function forEachIndex(shape: Shape, body: (index: readonly number[], flat: number) => void): void {
  const size = sizeOf(shape);
  const index = new Array<number>(shape.length).fill(0);
  for (let flat = 0; flat < size; flat++) {
    body(index, flat);
    for (let k = shape.length - 1; k >= 0; k--) {
      if (++index[k]! < shape[k]!) break;
      index[k] = 0;
    }
  }
}
