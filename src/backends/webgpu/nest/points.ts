import type { Statement } from "../../../kernel-ir/kernel.js";
import type { Expr } from "../../../kernel-ir/scalar.js";
import { combination } from "../wgsl/operations.js";
import { bare, type Lanes } from "../wgsl/types.js";
import { countOps } from "./fours.js";
import type { Shader } from "./shader.js";
import { childrenOf, rootsOf, type Variance } from "./touches.js";

/** A variable that an invocation combines values into: of one point at a time, or of four lanes. */
export interface Accumulator {
  readonly slot: number;
  readonly name: string;
  readonly lanes: Lanes;
}

/** What statements at a point work on. */
export interface Work {
  readonly accumulators: ReadonlyMap<number, Accumulator>;
  readonly keep: (k: number, value: string) => void;
}

/** For statements after a phase, which only store. */
export const noWork: Work = { accumulators: new Map(), keep: () => undefined };

/**
 * Computes, ahead of a loop, what does not vary in it. Only what is worth a name: loads and operations.
 */
export function hoist(shader: Shader, list: readonly Statement[], variance: Variance): void {
  const seen = new Set<Expr>();
  const visit = (e: Expr): void => {
    if (seen.has(e)) return;
    seen.add(e);
    if (!variance.of(e)) {
      if (e.kind === "op" || e.kind === "load") shader.values.named(e);
    } else for (const c of childrenOf(e)) visit(c);
  };
  for (const s of list) for (const root of rootsOf(s)) visit(root);
}

/** Writes a list of statements at the point (or the `lanes` points) at hand. Values first, then stores. */
export function emitStatements(
  shader: Shader,
  list: readonly Statement[],
  work: Work,
  lanes: Lanes = shader.lanes,
): void {
  if (list.length === 0) return;
  const { values } = shader;
  shader.flops += countOps(list) * shader.times * lanes;
  values.scope(() => {
    values.plan(list.flatMap((s) => (s.kind === "store" ? [s.value, s.index] : [s.value])));
    const stores: (() => void)[] = [];
    for (const s of list) {
      switch (s.kind) {
        case "accumulate":
          accumulate(shader, work.accumulators.get(s.slot)!, s.value);
          break;
        case "keep":
          work.keep(s.keep, shader.lanes === 4 ? values.vector(s.value) : values.expr(s.value));
          break;
        case "store":
          stores.push(storing(shader, s));
      }
    }
    for (const store of stores) store();
  });
}

/** Combines a value into a variable; one that is read as it runs gets a name for what it is now. */
function accumulate(shader: Shader, a: Accumulator, e: Expr): void {
  const { type, combine, running } = shader.kernel.slots[a.slot]!;
  const value = a.lanes === 4 ? shader.values.vector(e) : shader.values.expr(e);
  shader.code.line(`${a.name} = ${bare(combination(shader.module, combine, type, a.name, value, a.lanes))};`);
  if (running) shader.slots.set(a.slot, { text: shader.named("s", a.name), lanes: a.lanes });
}

/** Computes what a statement stores, and where; gives what stores it. */
function storing(shader: Shader, s: Extract<Statement, { kind: "store" }>): () => void {
  const { values } = shader;
  if (shader.isInFours(s.buffer)) {
    const value = values.vector(s.value);
    const index = values.index(s.index);
    return () => shader.store4(s.buffer, index, value);
  }
  const at = [...new Set(values.indices(s.index))];
  if (at.length === 1 && values.lanes(s.value) === 1) {
    const value = values.expr(s.value);
    return () => shader.store(s.buffer, at[0]!, value);
  }
  const value = values.lanes(s.value) === 1 ? values.expr(s.value) : values.named(s.value);
  const lane = (k: number): string => (values.lanes(s.value) === 1 ? value : `${value}.${"xyzw"[k]!}`);
  return () => at.forEach((index, k) => shader.store(s.buffer, index, lane(k)));
}
