import type { Expr, OpExpr } from "../../../kernel-ir/scalar.js";
import { keyOf, type Node, type NodeKey } from "./nodes.js";

/**
 * What is needed only where a condition holds.
 *
 * A select computes both of its values. Where one of them takes many operations that nothing else needs (the exact reduction
 * of huge arguments of sin, say), it is computed in a branch, which is skipped where no invocation of a group needs it.
 * Selects with the same condition share a branch.
 */
export interface Gate {
  readonly condition: Expr;
  /** The operand of the selects that it computes: 1 where the condition holds, 2 where it does not. */
  readonly side: 1 | 2;
  readonly values: readonly Expr[];
  /** What its values are made of that others need too: computed before it. */
  readonly before: readonly Node[];
}

/** What is known of the values that are being written. */
export interface Usage {
  operands(n: Node): readonly Node[];
  /** How many uses a node has. */
  uses(key: NodeKey): number;
  /** Whether it has been computed already. */
  isKnown(key: NodeKey): boolean;
  /** The selects with a condition. */
  selects(condition: Expr): readonly OpExpr[];
}

/** Operations from which a branch pays. */
const WORTH = 40;

/** Operations that make the other value another way to compute the same. A mere special value is the rarer side. */
const ALTERNATIVE = 8;

/** The branch that computes one side of a select; undefined where it would not pay. */
export function gateOf(select: OpExpr, side: 1 | 2, usage: Usage): Gate | undefined {
  const other = side === 1 ? 2 : 1;
  const all = usage.selects(select.args[0]!);
  const members = all.length > 1 && reachesItself(all, side, usage) ? [select] : all;
  if (sideOf(members, side, usage, WORTH).ops < WORTH) return undefined;
  if (sideOf(members, other, usage, ALTERNATIVE).ops < ALTERNATIVE) return undefined;
  const { inside } = sideOf(members, side, usage, Infinity);
  const before = new Map<NodeKey, Node>();
  for (const n of inside.values()) {
    for (const o of usage.operands(n)) {
      const key = keyOf(o);
      if (!inside.has(key) && !usage.isKnown(key)) before.set(key, o);
    }
  }
  const values = [...new Set(members.map((s) => s.args[side]!))].filter((v) => inside.has(keyOf(v)));
  return { condition: select.args[0]!, side, values, before: [...before.values()] };
}

/** Nodes that are used through one side of some selects only, and how many ops are among them; ends at `enough` ops. */
function sideOf(
  members: readonly OpExpr[],
  side: 1 | 2,
  usage: Usage,
  enough: number,
): { readonly inside: ReadonlyMap<NodeKey, Node>; readonly ops: number } {
  const inside = new Map<NodeKey, Node>();
  const met = new Map<NodeKey, number>();
  const queue: Node[] = [];
  let ops = 0;
  const meet = (n: Node): void => {
    const key = keyOf(n);
    const count = (met.get(key) ?? 0) + 1;
    met.set(key, count);
    if (count !== usage.uses(key) || usage.isKnown(key)) return;
    inside.set(key, n);
    queue.push(n);
    if ("kind" in n && n.kind === "op") ops++;
  };
  for (const s of members) meet(s.args[side]!);
  while (queue.length > 0 && ops < enough) for (const o of usage.operands(queue.pop()!)) meet(o);
  return { inside, ops };
}

/** Nodes that are looked at to find that selects do not depend on one another. */
const LOOKED_AT = 2000;

/** Whether what a side needs depends on one of the selects; true where that takes long to tell. */
function reachesItself(selects: readonly OpExpr[], side: 1 | 2, usage: Usage): boolean {
  const targets = new Set<Node>(selects);
  const seen = new Set<NodeKey>();
  const stack: Node[] = selects.map((s) => s.args[side]!);
  while (stack.length > 0) {
    const n = stack.pop()!;
    if (targets.has(n) || seen.size > LOOKED_AT) return true;
    const key = keyOf(n);
    if (seen.has(key) || usage.isKnown(key)) continue;
    seen.add(key);
    stack.push(...usage.operands(n));
  }
  return false;
}
