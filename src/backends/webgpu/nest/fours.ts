import type { Index } from "../../../kernel-ir/index-expr.js";
import type { Expr } from "../../../kernel-ir/scalar.js";
import { coefficientOf } from "../../../kernel-ir/merge-axes.js";
import { forEachNode, rootsOf, type Touch, Variance } from "./touches.js";
import type { Statement } from "../../../kernel-ir/kernel.js";

/** How an access moves along an axis whose points are taken four at a time, from a multiple of four on. */
export type Motion = "same" | "four" | "scattered";

const only = (axis: number): Variance =>
  new Variance(
    (k) => k === axis,
    () => false,
    () => false,
  );

/** `four`: four neighbours from a multiple of four on. */
function motionOf(index: Index, axis: number, along: Variance): Motion {
  if (!along.ofIndex(index)) return "same";
  if (along.hides(index) || coefficientOf(index, axis) !== 1) return "scattered";
  const isAligned =
    index.base % 4 === 0 &&
    index.terms.every(({ coeff, atom }) => (atom.kind === "axis" && atom.axis === axis) || coeff % 4 === 0);
  return isAligned ? "four" : "scattered";
}

export interface Fours {
  /** Storage (named by its first argument) that is only ever accessed in fours. */
  readonly storage: ReadonlySet<number>;
  /** Accesses in bodies that move along the axis, and how many of them are in fours. */
  readonly moving: number;
  readonly inFours: number;
}

/** Which storage can be accessed four elements at a time if lanes run along `axis`. */
export function foursAlong(axis: number, touches: readonly Touch[], sameAs: readonly number[]): Fours {
  const along = only(axis);
  const storage = new Set<number>();
  const broken = new Set<number>();
  for (const t of touches) {
    const group = sameAs[t.buffer] ?? t.buffer;
    if (motionOf(t.index, axis, along) === "four") storage.add(group);
    else broken.add(group);
  }
  for (const group of broken) storage.delete(group);
  const moving = touches.filter((t) => t.inBody && along.ofIndex(t.index));
  return {
    storage,
    moving: moving.length,
    inFours: moving.filter((t) => storage.has(sameAs[t.buffer] ?? t.buffer)).length,
  };
}

/** What neighbours along an axis cost: one line of memory for all of them, or one for each. */
export function strideCost(axis: number, touches: readonly Touch[]): number {
  const along = only(axis);
  let cost = 0;
  for (const { index, inBody } of touches) {
    if (!inBody) continue;
    if (!along.ofIndex(index)) cost += 0.1;
    else if (along.hides(index)) cost += 4;
    else {
      const stride = Math.abs(coefficientOf(index, axis));
      cost += Math.min(8, stride);
    }
  }
  return cost;
}

/** Operations of a list of statements, shared ones once. */
export function countOps(list: readonly Statement[]): number {
  let ops = 0;
  const seen = new Set<Expr>();
  for (const s of list) {
    forEachNode(
      rootsOf(s),
      (e) => {
        if (e.kind === "op") ops++;
      },
      seen,
    );
    if (s.kind === "accumulate") ops++;
  }
  return ops;
}
