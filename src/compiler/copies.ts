import { bytesOf, type Value } from "./graph.js";
import { type PlannedStep, readsOf, renamed, writesOf } from "./steps.js";

/**
 * Steps in an order in which arrays that are copied to be updated are dead by then, where that can be: what still reads such
 * an array, and does not depend on its update, is done before. So the update need not keep the old array.
 */
export function readersFirst(steps: readonly PlannedStep[]): readonly PlannedStep[] {
  if (!steps.some((s) => s.kind === "copy")) return steps;
  const readers = new Map<Value, number[]>();
  const writers = new Map<Value, number[]>();
  const note = (map: Map<Value, number[]>, v: Value, i: number): void => {
    const list = map.get(v);
    if (!list) map.set(v, [i]);
    else if (list.at(-1) !== i) list.push(i);
  };
  steps.forEach((s, i) => {
    for (const v of readsOf(s)) note(readers, v, i);
    for (const v of writesOf(s)) note(writers, v, i);
  });
  /** Before which step a step is done that stands behind it. */
  const before = new Map<number, number>();
  const mayGoBefore = (i: number, at: number): boolean =>
    writesOf(steps[i]!).every((v) => writers.get(v)![0] === i) &&
    readsOf(steps[i]!).every((v) => (writers.get(v) ?? []).every((w) => w < at));
  steps.forEach((s, at) => {
    if (s.kind !== "copy" || before.has(at)) return;
    const later = readers.get(s.from)!.filter((i) => i > at && !before.has(i));
    // other steps than launches may have effects, which keep their order
    if (later.every((i) => steps[i]!.kind === "launch" && mayGoBefore(i, at))) for (const i of later) before.set(i, at);
  });
  if (before.size === 0) return steps;
  const moved = new Map<number, number[]>();
  for (const [i, at] of before) {
    const list = moved.get(at);
    if (list) list.push(i);
    else moved.set(at, [i]);
  }
  return steps.flatMap((s, i) => (before.has(i) ? [] : [...(moved.get(i) ?? []).map((k) => steps[k]!), s]));
}

/**
 * Steps without the copies of temporaries that nobody reads again: what is copied is made where the copy would lie. So an
 * array that is updated in part is updated where it lies.
 */
export function coalesce(
  steps: readonly PlannedStep[],
  inputs: readonly Value[],
  outputs: readonly Value[],
): { readonly steps: readonly PlannedStep[]; readonly values: readonly Value[] } {
  if (!steps.some((s) => s.kind === "copy")) return { steps, values: outputs };
  const lastUse = new Map<Value, number>();
  const firstWrite = new Map<Value, number>();
  steps.forEach((s, i) => {
    for (const v of readsOf(s)) lastUse.set(v, i);
    for (const v of writesOf(s)) {
      lastUse.set(v, i);
      if (!firstWrite.has(v)) firstWrite.set(v, i);
    }
  });
  const fixed = new Set([...inputs, ...outputs]);
  const made = new Map<Value, Value>();
  const at = (v: Value): Value => made.get(v) ?? v;
  const kept = steps.filter((s, i) => {
    if (s.kind !== "copy" || fixed.has(s.from) || bytesOf(s.from.aval) !== bytesOf(s.to.aval)) return true;
    if (lastUse.get(s.from) !== i || firstWrite.get(s.to) !== i) return true;
    made.set(s.to, at(s.from));
    return false;
  });
  if (made.size === 0) return { steps, values: outputs };
  return { steps: kept.map((s) => renamed(s, at)), values: outputs.map(at) };
}
