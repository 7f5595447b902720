import type { NestKernel, Statement } from "../../../kernel-ir/kernel.js";
import type { Expr } from "../../../kernel-ir/scalar.js";
import { forEachNode, rootsOf, touchesOf } from "./touches.js";

/**
 * Whether points of a row may read what other points of it store, or store what others have read: then its phases need
 * barriers between them, and may not run in workgroups apart.
 */
export function hasHazard(kernel: NestKernel, sameAs: readonly number[]): boolean {
  const places = new Map<number, { reads: Set<string>; writes: Set<string> }>();
  for (const t of touchesOf(kernel)) {
    const group = sameAs[t.buffer] ?? t.buffer;
    let known = places.get(group);
    if (!known) places.set(group, (known = { reads: new Set(), writes: new Set() }));
    (t.write ? known.writes : known.reads).add(`${t.phase} ${t.inBody} ${t.index.key}`);
  }
  for (const { reads, writes } of places.values()) {
    if (reads.size === 0 || writes.size === 0) continue;
    const all = new Set([...reads, ...writes]);
    // One place in one list of statements: a point has its element to itself.
    if (all.size > 1) return true;
  }
  return false;
}

/** Whether a statement's value, by way of running slots that its own body accumulates, depends on the points before. */
export function readsOwnScan(kernel: NestKernel): boolean {
  if (kernel.phases.length > 1 || kernel.keeps.length > 0) return true;
  const running = new Set(kernel.slots.flatMap((s, k) => (s.running ? [k] : [])));
  let found = false;
  for (const { body } of kernel.phases) {
    const accumulating = body.filter((s): s is Extract<Statement, { kind: "accumulate" }> => s.kind === "accumulate");
    forEachNode(accumulating.flatMap(rootsOf), (e: Expr) => {
      if (e.kind === "slot" && running.has(e.slot)) found = true;
    });
  }
  return found;
}
