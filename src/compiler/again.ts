import { Literal } from "../core/jaxpr.js";
import { sourcesOf } from "./elements.js";
import type { Value } from "./graph.js";

/** Work that computing a value again may be, in units of an add, and operations that it may take. */
const maxCost = 40;
const maxOps = 16;

/** What a kernel can have of the values around it. */
export interface Surroundings {
  /** In memory, or sure to be. */
  readonly isStored: (v: Value) => boolean;
  /** Computed in the kernel, or read by it already. */
  readonly isAtHand: (v: Value) => boolean;
  /** Others will be made of it, or read it: storing it serves more than this kernel. */
  readonly isShared: (v: Value) => boolean;
}

/**
 * The values to compute again instead of reading `x`, which nobody has stored yet: itself and some that it is made of, where
 * the kernel then reads no more arrays than it would, and no more have to be stored. So several values made of one are
 * made of it again, and only it is stored. Undefined where reading `x` is better.
 */
export function againFor(x: Value, { isStored, isAtHand, isShared }: Surroundings): ReadonlySet<Value> | undefined {
  const leaves = new Set([x]);
  const taken = new Set<Value>();
  let best: ReadonlySet<Value> | undefined;
  let bestLoads = 1;
  let cost = 0;
  while (taken.size < maxOps && leaves.size < maxOps) {
    let next: Value | undefined;
    for (const v of leaves) {
      if (!isStored(v) && !isAtHand(v) && mayRepeat(v) && (!next || v.op!.number > next.op!.number)) next = v;
    }
    if (!next || (cost += next.op!.cost) > maxCost) break;
    leaves.delete(next);
    taken.add(next);
    for (const y of next.op!.inputs) if (!(y instanceof Literal)) sourcesOf(y, leaves);
    let loads = 0;
    let worth = true;
    for (const v of leaves) {
      if (isAtHand(v)) continue;
      loads++;
      worth &&= isStored(v) || isShared(v);
    }
    if (loads > bestLoads || !worth) continue;
    best = new Set(taken);
    bestLoads = loads;
  }
  return best;
}

const mayRepeat = (v: Value): boolean => v.op?.lower.kind === "element" && v.op.number >= 0;
