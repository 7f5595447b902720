import type { NestKernel, Phase, Statement } from "../../../kernel-ir/kernel.js";
import { type Expr, keepRef, type LoadExpr } from "../../../kernel-ir/scalar.js";
import { Substitution } from "../../../kernel-ir/substitute.js";
import type { LaunchContext } from "../dispatch.js";
import { countOps } from "./fours.js";
import type { Mapping } from "./schedule.js";
import { forEachNode, rootsOf, touchesOf, Variance } from "./touches.js";

/**
 * Where row buffers live: in variables of the invocation whose points they are of, in workgroup memory, nowhere (they are
 * computed again where they are read), or in scratch memory. Nobody but that invocation ever reads them.
 */
export type KeepPlace = "private" | "workgroup" | "again" | "scratch";

/** Operations that may be written out step by step. */
const maxUnrolled = 400;
/** Elements of row buffers that are an invocation's own, of one and of all. */
const maxPrivate = 16;
const maxPrivateOfAll = 48;
/** Operations that are rather done again than their results written to workgroup memory: it limits how many workgroups run. */
const maxAgain = 200;

type Shape = Pick<Mapping, "layout" | "slice" | "group" | "lanes" | "chunks">;

/** Steps that an invocation walks along its row. */
export const stepsOf = (points: number, m: Pick<Mapping, "layout" | "slice" | "lanes">): number =>
  Math.ceil(points / (m.layout === "points" ? m.lanes : 1) / m.slice);

function placeKeeps(kernel: NestKernel, m: Shape, { limits, sameAs }: LaunchContext): KeepPlace {
  if (kernel.keeps.length === 0) return "private";
  const points = kernel.reduced.reduce((a, b) => a * b, 1);
  const steps = stepsOf(points, m);
  const elements = steps * m.lanes;
  if (m.chunks === 1) {
    const ops = Math.max(...kernel.phases.map(({ body }) => countOps(body)));
    const isFew = steps <= maxPrivate && elements * kernel.keeps.length <= maxPrivateOfAll;
    if (isFew && (m.slice === 1 || (elements <= maxPrivate && ops * steps <= maxUnrolled))) return "private";
  }
  const values = keptValues(kernel);
  const isAgain = mayRecompute(kernel, values, sameAs);
  if (isAgain && opsBelow(values) <= maxAgain) return "again";
  const bytes = kernel.keeps.length * elements * m.slice * m.group * 4;
  if (m.chunks === 1 && bytes + 4 * combineBytes(m) <= limits.maxComputeWorkgroupStorageSize) return "workgroup";
  return isAgain ? "again" : "scratch";
}

/** Whether nothing stores where the values of row buffers are loaded from. */
function mayRecompute(kernel: NestKernel, values: readonly Expr[], sameAs: readonly number[]): boolean {
  const stored = new Set<number>();
  for (const t of touchesOf(kernel)) if (t.write) stored.add(sameAs[t.buffer] ?? t.buffer);
  let found = true;
  forEachNode(values, (e) => {
    if (e.kind === "load" && stored.has(sameAs[e.buffer] ?? e.buffer)) found = false;
  });
  return found;
}

function opsBelow(values: readonly Expr[]): number {
  let ops = 0;
  forEachNode(values, (e) => {
    if (e.kind === "op") ops++;
  });
  return ops;
}

/** The nest with row buffers, and where they live. */
export interface Placed {
  readonly kernel: NestKernel;
  readonly keeps: KeepPlace;
}

/** Finds places for a nest's row buffers; what several phases load becomes one too, where variables hold it. */
export function withRowBuffers(kernel: NestKernel, m: Shape, launch: LaunchContext): Placed {
  const cached = cachingLoads(kernel, launch);
  if (cached !== undefined) {
    const keeps = placeKeeps(cached, m, launch);
    if (keeps === "private") return { kernel: cached, keeps };
  }
  const keeps = placeKeeps(kernel, m, launch);
  return { kernel: keeps === "again" ? withoutKeeps(kernel) : kernel, keeps };
}

/** The nest in which elements that several phases load are loaded by the first and kept; undefined where there are none. */
function cachingLoads(kernel: NestKernel, { sameAs }: LaunchContext): NestKernel | undefined {
  const stored = new Set<number>();
  for (const t of touchesOf(kernel)) if (t.write) stored.add(sameAs[t.buffer] ?? t.buffer);
  const alongRow = new Variance(
    (k) => k >= kernel.parallel.length,
    () => false,
    () => false,
  );
  const placeOf = (e: LoadExpr): string => `${e.type} ${e.buffer}@${e.index.key}`;
  const loads = kernel.phases.map(({ body }) => {
    const found = new Map<string, LoadExpr>();
    forEachNode(body.flatMap(rootsOf), (e) => {
      if (e.kind === "load" && !stored.has(sameAs[e.buffer] ?? e.buffer) && alongRow.of(e)) found.set(placeOf(e), e);
    });
    return found;
  });
  const keepOf = new Map<string, number>();
  const firstIn = new Map<string, number>();
  const keeps = [...kernel.keeps];
  loads.forEach((found, p) => {
    for (const [place, e] of found) {
      if (!firstIn.has(place)) firstIn.set(place, p);
      else if (!keepOf.has(place)) keepOf.set(place, keeps.push(e.type) - 1);
    }
  });
  if (keepOf.size === 0) return undefined;
  const phases = kernel.phases.map(({ body, after }, p): Phase => {
    const replaced = new Substitution(
      (_, index) => index,
      (e, original) => {
        if (original.kind !== "load") return e;
        const keep = keepOf.get(placeOf(original));
        return keep === undefined || firstIn.get(placeOf(original)) === p ? e : keepRef(e.type, keep);
      },
    );
    const filled = [...keepOf].filter(([place]) => firstIn.get(place) === p);
    const fill = filled.map(([place, keep]): Statement => ({
      kind: "keep",
      keep,
      value: replaced.expr(loads[p]!.get(place)!),
    }));
    const rewritten = body.map((s): Statement => {
      const value = replaced.expr(s.value);
      return s.kind === "store" ? { ...s, value, index: replaced.index(s.index) } : ({ ...s, value } as Statement);
    });
    return { body: [...fill, ...rewritten], after };
  });
  return { ...kernel, keeps, phases };
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
function withoutKeeps(kernel: NestKernel): NestKernel {
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
