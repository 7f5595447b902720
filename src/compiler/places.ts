import { type Shape, sizeOf, stridesOf } from "../core/aval.js";
import { invariant } from "../core/errors.js";
import * as ix from "../kernel-ir/index-expr.js";
import type { Atom, Index } from "../kernel-ir/index-expr.js";

/** Where elements of one shape lie in another. */

/** Coordinates of a point of `dims` in another shape of the same size: runs of axes that have one size become one another. */
export function regroup(axes: readonly Index[], dims: readonly number[], shape: Shape): Index[] {
  invariant(sizeOf(dims) === sizeOf(shape), "a point of one shape has no place in another of another size");
  const out: Index[] = shape.map(() => ix.lit(0));
  let [i, j] = [dims.length, shape.length];
  while (j > 0) {
    const [lastAxis, lastDim] = [i, j];
    let [from, to] = [1, shape[--j]!];
    while (from !== to) {
      if (from < to) from *= dims[--i]!;
      else to *= shape[--j]!;
    }
    const flat = ix.flatten(axes.slice(i, lastAxis), stridesOf(dims.slice(i, lastAxis)));
    ix.unflatten(flat, shape.slice(j, lastDim)).forEach((index, k) => (out[j + k] = index));
  }
  return out;
}

/**
 * For a view that has every element of its source once, in another order: the flat index in the view of the source's element
 * at a point of `dims`. `sourceAt` gives the flat index in the source of the view's element at an index; `shape` is the
 * view's. Undefined where the view is no such thing, or that cannot be told.
 */
export function movedPlace(
  sourceAt: (index: readonly Index[]) => Index | undefined,
  shape: Shape,
  axes: readonly Index[],
  dims: readonly number[],
): Index | undefined {
  if (sizeOf(shape) !== sizeOf(dims)) return undefined;
  const whole = sourceAt(shape.map((n, k) => ix.axisIndex(k, n)));
  const parts = whole && splitAxes(whole, shape);
  if (!parts) return undefined;
  // axes cut where the view cuts them: the source's index is a sum of strides then
  const cut = parts.flat();
  let next = 0;
  const index = parts.map((extents) =>
    ix.flatten(
      extents.map((n) => ix.axisIndex(next++, n)),
      stridesOf(extents),
    ),
  );
  const source = sourceAt(index);
  if (source === undefined || source.base !== 0) return undefined;
  const order: { readonly axis: number; readonly stride: number }[] = [];
  for (const { coeff, atom } of source.terms) {
    if (atom.kind !== "axis") return undefined;
    order.push({ axis: atom.axis, stride: coeff });
  }
  order.sort((a, b) => b.stride - a.stride);
  const extents = order.map(({ axis }) => cut[axis]!);
  const strides = stridesOf(extents);
  if (sizeOf(extents) !== sizeOf(shape) || order.some(({ stride }, k) => stride !== strides[k])) return undefined;
  const own = stridesOf(cut);
  return ix.flatten(
    regroup(axes, dims, extents),
    order.map(({ axis }) => own[axis]!),
  );
}

/** The extents that axes fall into where an index divides them; undefined where it does something else with them. */
function splitAxes(index: Index, shape: Shape): number[][] | undefined {
  const divisors = shape.map(() => new Set<number>([1]));
  for (const { atom } of index.terms) {
    const cuts = cutsOf(atom);
    if (!cuts) return undefined;
    for (const d of cuts.at) divisors[cuts.axis]!.add(d);
  }
  const parts: number[][] = [];
  for (const [k, n] of shape.entries()) {
    const cuts = [...divisors[k]!, n].sort((a, b) => a - b);
    const extents: number[] = [];
    for (let i = 1; i < cuts.length; i++) {
      if (cuts[i]! % cuts[i - 1]! !== 0) return undefined;
      extents.unshift(cuts[i]! / cuts[i - 1]!);
    }
    parts.push(extents);
  }
  return parts;
}

/** Where an atom cuts the one axis that it is made of: axis, axis / d, axis % d or (axis / a) % b. */
function cutsOf(atom: Atom): { readonly axis: number; readonly at: readonly number[] } | undefined {
  if (atom.kind === "axis") return { axis: atom.axis, at: [] };
  if (atom.kind !== "div" && atom.kind !== "mod") return undefined;
  const [only, ...more] = atom.x.terms;
  if (!only || more.length > 0 || only.coeff !== 1 || atom.x.base !== 0) return undefined;
  if (only.atom.kind === "axis") return { axis: only.atom.axis, at: [atom.d] };
  const inner = only.atom.kind === "div" && atom.kind === "mod" ? cutsOf(only.atom) : undefined;
  return inner?.at.length === 1 ? { axis: inner.axis, at: [inner.at[0]!, inner.at[0]! * atom.d] } : undefined;
}
