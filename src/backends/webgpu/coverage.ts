import type { NestKernel, Statement } from "../../kernel-ir/kernel.js";
import { argumentAccess, type Work } from "./recording.js";

const product = (extents: readonly number[]): number => extents.reduce((n, e) => n * e, 1);

/**
 * Whether a launch certainly writes every element of argument `i`, and reads none: what was there before is then dead. Stores of
 * one phase go each to a place of its own, so that as many as there are elements cover them all.
 */
export function overwrites(work: Work, i: number): boolean {
  if (argumentAccess(work, i) !== "write") return false;
  switch (work.kind) {
    case "copy":
    case "birth":
    case "sort":
      return true;
    case "gate":
      return false;
    case "fused":
      return work.args[i]!.whole;
    case "dot": {
      const points = product(work.batch) * work.m * work.n;
      const { length } = work.buffers[i]!;
      return work.epilogue ? storesTo(i, work.epilogue) * points >= length : i === 2 && points >= length;
    }
    case "nest":
      return !work.sequential && work.phases.some((p) => storesOfPhase(work, p, i) >= work.buffers[i]!.length);
  }
}

const storesTo = (buffer: number, statements: readonly Statement[]): number =>
  statements.filter((s) => s.kind === "store" && s.buffer === buffer).length;

function storesOfPhase(kernel: NestKernel, phase: NestKernel["phases"][number], buffer: number): number {
  const rows = product(kernel.parallel);
  return storesTo(buffer, phase.body) * rows * product(kernel.reduced) + storesTo(buffer, phase.after) * rows;
}
