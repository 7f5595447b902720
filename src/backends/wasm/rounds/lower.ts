import type { NestKernel, Slot } from "../../../kernel-ir/kernel.js";
import type { Expr } from "../../../kernel-ir/scalar.js";
import { relaxedSimd } from "../engine.js";
import { lowerWith } from "../nest/lower.js";
import { type LoopNest, type LoopStatement, type Node, ROW } from "../nest/nodes.js";
import type { Schedule } from "../nest/schedule.js";
import { survey } from "../nest/survey.js";
import type { Carry, InnerLoop, Rounds, ScalarLoop } from "./rounds.js";

/** Rounds over scalars ready to be emitted. */
export interface LoweredRounds {
  /** Rounds of equal keys are equal code. */
  readonly key: string;
  /** Its axes are the numbers of the rounds of each loop, the outermost one's a parallel one. */
  readonly nest: LoopNest;
  readonly carries: readonly Carry[];
  readonly loop: ScalarLoop<Node, LoopStatement>;
  /** Operations of a round, about. */
  readonly work: number;
}

/** Rounds of loops that end by a condition, for all that is known. */
const ENDLESS = 2 ** 31 - 1;
/** What is taken for their number where work is estimated. */
const A_FEW = 8;

export function lowerRounds({ name, buffers, slots, carries, loop, chosen }: Rounds): LoweredRounds {
  const loops = loopsOf(loop);
  const kernel: NestKernel = {
    kind: "nest",
    name,
    buffers,
    parallel: [loop.length ?? ENDLESS],
    reduced: loops.slice(1).map((l) => l.length ?? ENDLESS),
    sequential: true,
    slots: slots.map(({ type }): Slot => ({ type, initial: 0, combine: "add", running: true })),
    keeps: [],
    phases: [{ body: loop.stores, after: [] }],
  };
  const parts = partsOf(loop);
  const found = survey(kernel, parts.flat());
  const ops = found.exprs.filter((e) => e.kind === "op");
  // Multiply-adds are instructions of vectors alone: where there are some, values stay in vector registers, in lane 0. What
  // divides integers is left to scalars.
  const divides = ops.some((e) => (e.op === "div" || e.op === "rem") && (e.type === "i32" || e.type === "u32"));
  const vectors = relaxedSimd() && !divides && ops.some((e) => e.op === "fma");
  const plan: Schedule = {
    mode: vectors ? "parallel" : "scalar",
    vectorAxis: vectors ? 0 : -1,
    lanes: found.wide ? 2 : 4,
    copies: 1,
    even: true,
    tile: 0,
    extents: loops.map((l) => l.length ?? ENDLESS),
    parallel: 1,
    place: loops.map((l) => l.number),
  };
  const deps = depsOf(loop, ROW);
  const slotDeps = slots.map((s) => deps.get(s.loop)!);
  const { nest, key, parts: nodes } = lowerWith(kernel, found, plan, { parts, slotDeps, chosen });
  const lowered = lowerLoop(loop, [...nodes].reverse(), nest.phases[0]!.body);
  return {
    key: `rounds\n${carries.map((c) => `${c.type} ${c.buffer}+${c.at}`).join()}\n${textOf(lowered)}\n${key}`,
    nest,
    carries,
    loop: lowered,
    work: Math.max(1, Math.round((ops.length / loops.length) * weightOf(loop))),
  };
}

/** All loops by their numbers. */
function loopsOf(loop: ScalarLoop): ScalarLoop[] {
  const all: ScalarLoop[] = [];
  const visit = (l: ScalarLoop): void => {
    all[l.number] = l;
    l.inner.forEach(visit);
  };
  visit(loop);
  return all;
}

/** The expressions of each piece of code, in the order in which it is written. */
function partsOf(l: ScalarLoop): (readonly Expr[])[] {
  return [l.condition ? [l.condition] : [], ...l.inner.flatMap((inner) => [inner.initial, ...partsOf(inner)]), l.next];
}

/** The same with nodes in the place of expressions; `parts` are those of `partsOf`, the first one last. */
function lowerLoop(
  l: ScalarLoop,
  parts: (readonly Node[])[],
  stores: readonly LoopStatement[],
): ScalarLoop<Node, LoopStatement> {
  const [condition = null] = parts.pop()!;
  const inner = l.inner.map((i): InnerLoop<Node, LoopStatement> => {
    const initial = parts.pop()!;
    return { ...lowerLoop(i, parts, []), initial, finals: i.finals };
  });
  return { ...l, condition, inner, next: parts.pop()!, stores };
}

/** Of each loop: the loops with which what changes in its rounds changes, as bits. */
function depsOf(l: ScalarLoop, around: number): Map<number, number> {
  const own = around | (2 ** l.number);
  return new Map([[l.number, own], ...l.inner.flatMap((inner) => [...depsOf(inner, own)])]);
}

/** How often the code of a round runs: of all loops together. */
const weightOf = (l: ScalarLoop): number =>
  1 + l.inner.reduce((sum, inner) => sum + weightOf(inner) * (inner.length ?? A_FEW), 0);

function textOf(l: ScalarLoop<Node, LoopStatement>): string {
  const inner = l.inner.map((i) => `(${i.initial.map((n) => n.id).join()};${i.finals.join()};${textOf(i)})`);
  return `${l.number} ${l.length === null} ${l.condition?.id} ${l.slots.join()} ${l.next.map((n) => n.id).join()} ${inner.join(" ")}`;
}
