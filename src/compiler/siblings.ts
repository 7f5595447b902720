import { Cluster } from "./cluster.js";
import type { Group } from "./graph.js";

/** Kernels of one domain that are looked at for another to join. */
const maxCandidates = 4;

/**
 * Gives independent kernels over one domain that reduce the same axes one launch: a later one joins an earlier one where all
 * that it reads is there by then. One walk over the groups, which stay in order.
 */
export function mergeSiblings<G extends Group>(groups: readonly (G | Cluster)[]): (G | Cluster)[] {
  const byDomain = new Map<string, Cluster[]>();
  return groups.filter((g) => {
    if (!(g instanceof Cluster) || g.product) return true;
    const key = `${g.dims.join(",")}/${g.reduced?.join(",") ?? ""}`;
    const candidates = byDomain.get(key) ?? [];
    byDomain.set(key, candidates);
    const ready = readyAfter(g);
    for (const c of candidates) if (c.order >= ready && moves(g, c)) return false;
    candidates.unshift(g);
    if (candidates.length > maxCandidates) candidates.pop();
    return true;
  });
}

/** The order of the last group that a cluster reads from. */
function readyAfter(c: Cluster): number {
  let latest = -1;
  for (const v of c.reads.keys()) latest = Math.max(latest, v.group?.order ?? -1);
  return latest;
}

/** Moves all that a cluster computes into another, if it can be computed there. */
function moves(from: Cluster, to: Cluster): boolean {
  const values = [...from.members.keys()];
  if (to.joinAll(values)) return true;
  for (const v of values) v.group = from;
  return false;
}
