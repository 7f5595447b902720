import type { Index } from "./index-expr.js";

/** The coefficient of a plain axis term (what hides in div, mod … not counted). */
export function coefficientOf(index: Index, axis: number): number {
  for (const { coeff, atom } of index.terms) if (atom.kind === "axis" && atom.axis === axis) return coeff;
  return 0;
}

/** A run of adjacent axes that every index treats as one; `last` has the coefficient of all. */
export interface MergedAxis {
  readonly last: number;
  readonly extent: number;
}

/** Joins neighbours among axes wherever all of the indices allow it. */
export function mergeAxes(
  axes: readonly number[],
  extents: readonly number[],
  indices: readonly Index[],
): MergedAxis[] {
  const out: MergedAxis[] = [];
  for (const axis of axes) {
    const extent = extents[axis]!;
    const before = out[out.length - 1];
    if (before && indices.every((i) => coefficientOf(i, before.last) === coefficientOf(i, axis) * extent)) {
      out[out.length - 1] = { last: axis, extent: before.extent * extent };
    } else out.push({ last: axis, extent });
  }
  return out;
}
