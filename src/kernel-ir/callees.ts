import { InternalError } from "../core/errors.js";
import type { Program, Step } from "./program.js";

/** Functions that a step calls. */
export function calledBy(step: Step): readonly number[] {
  switch (step.kind) {
    case "call":
      return [step.fn];
    case "if":
      return step.branches;
    case "loop":
      return [step.condition, step.body];
    case "scan":
      return [step.body];
    default:
      return [];
  }
}

/** Bytes of arena that a call takes, with everything it calls. */
export function arenaNeed(program: Program, fn: number, known = new Map<number, number>()): number {
  const before = known.get(fn);
  if (before !== undefined) return before;
  const f = program.functions[fn];
  if (f === undefined) throw new InternalError(`program ${program.name} has no function ${fn}`);
  let behind = 0;
  for (const step of f.steps)
    for (const callee of calledBy(step)) behind = Math.max(behind, arenaNeed(program, callee, known));
  known.set(fn, f.arenaBytes + behind);
  return f.arenaBytes + behind;
}
