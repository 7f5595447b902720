import type { NestKernel, Statement } from "../../../kernel-ir/kernel.js";
import type { Expr } from "../../../kernel-ir/scalar.js";
import { Substitution } from "../../../kernel-ir/substitute.js";
import type { LaunchContext } from "../dispatch.js";
import { countOps } from "./fours.js";
import type { Mapping } from "./schedule.js";
import { forEachNode, rootsOf, touchesOf } from "./touches.js";

/**
 * Where row buffers live: in variables of the invocation whose points they are of, in workgroup memory, nowhere (they are
 * computed again where they are read), or in scratch memory. Nobody but that invocation ever reads them.
 */
export type KeepPlace = "private" | "workgroup" | "again" | "scratch";

/** Operations that may be written out point by point. */
const maxUnrolled = 400;
const maxPrivate = 16;

type Shape = Pick<Mapping, "layout" | "slice" | "group" | "lanes" | "chunks">;

/** Steps that an invocation walks along its row. */
export const stepsOf = (points: number, m: Pick<Mapping, "layout" | "slice" | "lanes">): number =>
  Math.ceil(points / (m.layout === "points" ? m.lanes : 1) / m.slice);

export function placeKeeps(kernel: NestKernel, m: Shape, { limits, sameAs }: LaunchContext): KeepPlace {
  if (kernel.keeps.length === 0) return "private";
  const points = kernel.reduced.reduce((a, b) => a * b, 1);
  const steps = stepsOf(points, m);
  const elements = steps * m.lanes;
  if (m.chunks === 1) {
    const ops = Math.max(...kernel.phases.map(({ body }) => countOps(body)));
    const isUnrolled = m.slice > 1 && elements <= 8 && ops * elements <= maxUnrolled;
    if (isUnrolled || (m.slice === 1 && elements <= maxPrivate)) return "private";
    const bytes = kernel.keeps.length * elements * m.slice * m.group * 4;
    if (bytes + 4 * combineBytes(m) <= limits.maxComputeWorkgroupStorageSize) return "workgroup";
  }
  const stored = new Set<number>();
  for (const t of touchesOf(kernel)) if (t.write) stored.add(sameAs[t.buffer] ?? t.buffer);
  const values = keptValues(kernel);
  let mayRecompute = true;
  forEachNode(values, (e) => {
    if (e.kind === "load" && stored.has(sameAs[e.buffer] ?? e.buffer)) mayRecompute = false;
  });
  return mayRecompute ? "again" : "scratch";
}

/** Bytes of workgroup memory that it takes to combine what a workgroup's invocations have found for one slot. */
export const combineBytes = (m: Pick<Mapping, "slice" | "group">): number =>
  m.slice === 1 ? 0 : 4 * m.group * (m.slice + (m.slice > 16 ? 16 : 0));

/** The values of the row buffers, by their numbers. */
function keptValues(kernel: NestKernel): Expr[] {
  const values: Expr[] = [];
  for (const { body } of kernel.phases) for (const s of body) if (s.kind === "keep") values[s.keep] = s.value;
  return values;
}

/** The same nest without row buffers: their values stand where they are read. */
export function withoutKeeps(kernel: NestKernel): NestKernel {
  const values = keptValues(kernel);
  const again: Substitution = new Substitution(
    (_, index) => index,
    (e) => (e.kind === "keep" ? again.expr(values[e.keep]!) : e),
  );
  const statement = (s: Statement): Statement => {
    const value = again.expr(s.value);
    return s.kind === "store" ? { ...s, value, index: again.index(s.index) } : ({ ...s, value } as Statement);
  };
  return {
    ...kernel,
    keeps: [],
    phases: kernel.phases.map(({ body, after }) => ({
      body: body.filter((s) => s.kind !== "keep").map(statement),
      after: after.map(statement),
    })),
  };
}

/** Whether any expression of a list reads row buffer `keep`. */
export function readsKeeps(list: readonly Statement[]): boolean {
  let found = false;
  forEachNode(list.flatMap(rootsOf), (e) => {
    if (e.kind === "keep") found = true;
  });
  return found;
}
