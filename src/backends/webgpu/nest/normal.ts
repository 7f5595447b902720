import * as ix from "../../../kernel-ir/index-expr.js";
import type { NestKernel, Statement } from "../../../kernel-ir/kernel.js";
import { coefficientOf, mergeAxes } from "../../../kernel-ir/merge-axes.js";
import { Substitution } from "../../../kernel-ir/substitute.js";
import { indicesOf, type Touch, touchesOf } from "./touches.js";

/**
 * The same nest with as few axes as can be: none of extent 1, adjacent ones joined where every index treats them as one, and
 * parallel axes (and reduced ones, unless they run in order) from the longest stride to the shortest.
 */
export function normalNest(kernel: NestKernel): NestKernel {
  const extents = [...kernel.parallel, ...kernel.reduced];
  const count = kernel.parallel.length;
  const touches = touchesOf(kernel);
  const indices = indicesOf(kernel);
  const live = (from: number, to: number): number[] => {
    const out: number[] = [];
    for (let k = from; k < to; k++) if (extents[k] !== 1) out.push(k);
    return out;
  };
  const isInOrder = kernel.slots.some((s) => s.running);
  const outer = live(0, count);
  const inner = live(count, extents.length);
  const parallel = mergeAxes(byStride(outer, touches), extents, indices);
  const reduced = mergeAxes(isInOrder ? inner : byStride(inner, touches), extents, indices);

  const place = new Map<number, number>();
  [...parallel, ...reduced].forEach((axis, k) => place.set(axis.last, k));
  const isSame =
    place.size === extents.length &&
    [...parallel, ...reduced].every(({ last, extent }, k) => last === k && extents[k] === extent);
  if (isSame) return kernel;
  const merged = [...parallel, ...reduced].map((axis) => axis.extent);
  const renumber = new Substitution((axis) => {
    const k = place.get(axis);
    return k === undefined ? ix.lit(0) : ix.axisIndex(k, merged[k]!);
  });
  const statement = (s: Statement): Statement => {
    const value = renumber.expr(s.value);
    switch (s.kind) {
      case "store":
        return { ...s, value, index: renumber.index(s.index) };
      case "update":
        return { ...s, value, index: renumber.index(s.index), when: s.when && renumber.expr(s.when) };
      default:
        return { ...s, value };
    }
  };
  return {
    ...kernel,
    parallel: parallel.map((axis) => axis.extent),
    reduced: reduced.map((axis) => axis.extent),
    phases: kernel.phases.map(({ body, after }) => ({ body: body.map(statement), after: after.map(statement) })),
  };
}

/**
 * Axes from the longest stride to the shortest: of the first store in a body that moves along all of them, or else the first
 * load, or the first store after one.
 */
function byStride(axes: readonly number[], touches: readonly Touch[]): readonly number[] {
  const rank = (t: Touch): number => (t.inBody ? (t.write ? 0 : 1) : 2);
  const leader = [0, 1, 2]
    .map((r) => touches.find((t) => rank(t) === r && axes.every((k) => coefficientOf(t.index, k) !== 0)))
    .find((t) => t !== undefined);
  if (!leader) return axes;
  const stride = (k: number): number => Math.abs(coefficientOf(leader.index, k));
  return [...axes].sort((a, b) => stride(b) - stride(a) || a - b);
}
