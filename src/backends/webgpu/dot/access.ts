import * as ix from "../../../kernel-ir/index-expr.js";
import type { Index } from "../../../kernel-ir/index-expr.js";
import type { Expr, LoadExpr } from "../../../kernel-ir/scalar.js";
import type { LaunchContext } from "../dispatch.js";
import type { Matrix, Problem } from "./problem.js";

/**
 * How the shaders of a product reach memory: which operands and which buffers of the epilogue are read and written four
 * elements at a time.
 *
 * A storage buffer is declared once in a module, as elements or as fours; so it is of fours only if each access to it is.
 */
export interface Access {
  readonly a: Fours;
  readonly b: Fours;
  /** The axis of the sums along which one invocation stores four at once; null: one by one. */
  readonly along: "i" | "j" | null;
  /** Storage (by its first argument) that is all of fours. */
  readonly fours: ReadonlySet<number>;
}

/** The axis along which four elements of an operand are one load: the summed one, the one that stays, or none. */
export type Fours = "summed" | "kept" | "none";

const isFour = (x: number): boolean => x % 4 === 0;

/** `kept`: extent and stride of the axis that stays in the result; `summed`: those of k. */
interface Strides {
  readonly kept: { readonly extent: number; readonly stride: number };
  readonly summed: { readonly extent: number; readonly stride: number };
}

export const stridesOfA = ({ m, k, a }: Problem): Strides => ({
  kept: { extent: m, stride: a.row },
  summed: { extent: k, stride: a.col },
});
export const stridesOfB = ({ n, k, b }: Problem): Strides => ({
  kept: { extent: n, stride: b.col },
  summed: { extent: k, stride: b.row },
});

function foursOf(
  { offset, digits }: Matrix,
  { kept, summed }: Strides,
  batch: readonly number[],
  allowed: readonly Fours[],
): Fours {
  if (digits || !isFour(offset) || !batch.every(isFour)) return "none";
  const isKept = kept.stride === 1 && isFour(kept.extent) && isFour(summed.stride);
  if (isKept && allowed.includes("kept")) return "kept";
  const isSummed = summed.stride === 1 && isFour(summed.extent) && isFour(kept.stride);
  return isSummed && allowed.includes("summed") ? "summed" : "none";
}

/** Whether an index is a multiple of four where `axis` is, and grows by one with it. */
function runsAlong(index: Index, axis: number): boolean {
  if (ix.coefficient(index, axis) !== 1 || !isFour(index.base)) return false;
  return index.terms.every(({ coeff, atom }) => (atom.kind === "axis" && atom.axis === axis) || isFour(coeff));
}

/** All loads in the stored values, each once. */
export function loadsOf(problem: Problem): readonly LoadExpr[] {
  const seen = new Set<Expr>();
  const loads = new Map<string, LoadExpr>();
  const visitIndex = (index: Index): void => {
    for (const { atom } of index.terms) {
      if (atom.kind === "value") visit(atom.expr);
      else if (atom.kind !== "axis") visitIndex(atom.x);
    }
  };
  const visit = (e: Expr): void => {
    if (seen.has(e)) return;
    seen.add(e);
    if (e.kind === "load") loads.set(`${e.buffer} ${e.index.key}`, e);
    if (e.kind === "load" || e.kind === "index") visitIndex(e.index);
    else if (e.kind === "op") e.args.forEach(visit);
  };
  for (const store of problem.stores) {
    visitIndex(store.index);
    visit(store.value);
  }
  return [...loads.values()];
}

/** What a shader can make use of. */
export interface Ability {
  readonly a: readonly Fours[];
  readonly b: readonly Fours[];
  /** The axis along which an invocation has four sums. */
  readonly along: "i" | "j" | null;
}

/** What there is to be used. `along` is null where that helps no store and no load. */
export function accessOf(problem: Problem, { sameAs }: LaunchContext, ability: Ability): Access {
  const { along } = ability;
  const storage = (buffer: number): number => sameAs[buffer] ?? buffer;
  const a = foursOf(
    problem.a,
    stridesOfA(problem),
    problem.batch.map((axis) => axis.a),
    ability.a,
  );
  const b = foursOf(
    problem.b,
    stridesOfB(problem),
    problem.batch.map((axis) => axis.b),
    ability.b,
  );
  const axis = problem.batch.length + (along === "i" ? 0 : 1);
  const together = along !== null && isFour(along === "i" ? problem.m : problem.n);
  const results = [...problem.stores, ...loadsOf(problem)].map(({ buffer, index }) => ({
    of: storage(buffer),
    four: together && runsAlong(index, axis),
  }));
  const all = [
    { of: storage(problem.a.buffer), four: a !== "none" },
    { of: storage(problem.b.buffer), four: b !== "none" },
    ...results,
  ];
  const single = new Set(all.filter(({ four }) => !four).map(({ of }) => of));
  const fours = new Set(all.map(({ of }) => of).filter((of) => !single.has(of)));
  return {
    a: fours.has(storage(problem.a.buffer)) ? a : "none",
    b: fours.has(storage(problem.b.buffer)) ? b : "none",
    along: results.some(({ of }) => fours.has(of)) ? along : null,
    fours,
  };
}
