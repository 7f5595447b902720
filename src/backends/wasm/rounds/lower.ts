import type { NestKernel, Slot } from "../../../kernel-ir/kernel.js";
import { relaxedSimd } from "../engine.js";
import { lowerWith } from "../nest/lower.js";
import type { LoopNest, Node } from "../nest/nodes.js";
import type { Schedule } from "../nest/schedule.js";
import { survey } from "../nest/survey.js";
import type { Carry, Rounds } from "./follow.js";

/** Rounds over scalars ready to be emitted. */
export interface LoweredRounds {
  /** Rounds of equal keys are equal code. */
  readonly key: string;
  /** Its one parallel axis is the number of the round; its slots are what is carried. */
  readonly nest: LoopNest;
  readonly carries: readonly Carry[];
  readonly condition: Node | null;
  /** By carry. */
  readonly next: readonly Node[];
  /** Operations of a round. */
  readonly work: number;
}

/** More rounds than any loop has. */
const ENDLESS = 2 ** 31 - 1;

export function lowerRounds({ name, buffers, length, carries, condition, next, stores }: Rounds): LoweredRounds {
  const kernel: NestKernel = {
    kind: "nest",
    name,
    buffers,
    parallel: [length ?? ENDLESS],
    reduced: [],
    sequential: true,
    // `running`: a slot is another value in every round
    slots: carries.map(({ type }): Slot => ({ type, initial: 0, combine: "add", running: true })),
    keeps: [],
    phases: [{ body: stores, after: [] }],
  };
  const roots = condition ? [condition, ...next] : next;
  const { exprs, wide } = survey(kernel, roots);
  const ops = exprs.filter((e) => e.kind === "op");
  // Multiply-adds are instructions of vectors alone: where there are some, values stay in vector registers, in lane 0. What
  // divides integers is left to scalars.
  const divides = ops.some((e) => (e.op === "div" || e.op === "rem") && (e.type === "i32" || e.type === "u32"));
  const vectors = relaxedSimd() && !divides && ops.some((e) => e.op === "fma");
  const plan: Schedule = {
    mode: vectors ? "parallel" : "scalar",
    vectorAxis: vectors ? 0 : -1,
    lanes: wide ? 2 : 4,
    copies: 1,
    even: true,
    tile: 0,
    extents: kernel.parallel,
    parallel: 1,
    place: [0],
  };
  const { nest, values, key } = lowerWith(kernel, plan, roots);
  const places = carries.map(({ type, buffer, at }) => `${type} ${buffer}+${at}`);
  return {
    key: `rounds ${condition !== null} ${places.join()} ${values.map((n) => n.id).join()}\n${key}`,
    nest,
    carries,
    condition: condition && values[0]!,
    next: condition ? values.slice(1) : values,
    work: Math.max(1, ops.length),
  };
}
