import type { BufferType, Program, Step } from "./program.js";

/** Bytes of a run's arguments, results and, at most at one time, values in between. */
export interface PlannedMemory {
  readonly argumentBytes: number;
  readonly outputBytes: number;
  readonly temporaryBytes: number;
}

/** The memory that a program is planned to take, all that its functions call included. */
export function plannedMemory(program: Program): PlannedMemory {
  const known = new Map<number, number>();
  const arenaOf = (fn: number): number => {
    const before = known.get(fn);
    if (before !== undefined) return before;
    const f = program.functions[fn]!;
    const behind = f.steps.reduce((most, step) => Math.max(most, stepBytes(step)), 0);
    known.set(fn, f.arenaBytes + behind);
    return f.arenaBytes + behind;
  };
  const most = (fns: readonly number[]): number => fns.reduce((n, fn) => Math.max(n, arenaOf(fn)), 0);
  const stepBytes = (step: Step): number => {
    switch (step.kind) {
      case "call":
        return arenaOf(step.fn);
      case "if":
        return most(step.branches);
      // the state of a round is made beside that of the round before
      case "loop":
        return bytesOf(program.functions[step.body]!.outputs) + most([step.condition, step.body]);
      case "scan":
        return bytesOf(program.functions[step.body]!.outputs.slice(0, step.carry.length)) + arenaOf(step.body);
      default:
        return 0;
    }
  };
  const main = program.functions[0]!;
  return { argumentBytes: bytesOf(main.inputs), outputBytes: bytesOf(main.outputs), temporaryBytes: arenaOf(0) };
}

const bytesOf = (buffers: readonly BufferType[]): number => buffers.reduce((n, b) => n + b.bytes, 0);
