import type { LoopPhase, LoopStatement, Node } from "./nodes.js";

/**
 * What is needed only where a condition holds.
 *
 * A select computes both of its values. Where one of them takes many operations that nothing else needs (the exact
 * reduction of huge arguments of sin, say), it is computed in a branch, which is skipped when no lane needs it. Selects with
 * the same condition share a branch.
 */
export interface Branch {
  readonly condition: Node;
  /** The operand of the selects that it computes: 1 where the condition holds, 2 where it does not. */
  readonly side: 1 | 2;
  readonly values: readonly Node[];
  /** By value. */
  readonly selects: readonly Node[];
  /** What its values are made of that others need too: computed before it. */
  readonly before: readonly Node[];
}

export type Branches = ReadonlyMap<Node, readonly Branch[]>;

/** Operations from which a branch pays: a mispredicted one costs as much as a few dozen. */
const WORTH = 48;

/**
 * The same where nothing else waits to be done meanwhile, or the program asks for a branch: who computes both sides waits for
 * the longer one, and branches are mostly foreseen.
 */
const WORTH_ALONE = 16;

/** Operations that make the other value an alternative way to compute the same. */
const ALTERNATIVE = 8;

/** A point of the use graph: a node, or a gate that stands between selects of one condition and what one side of them needs. */
interface Point {
  readonly node: Node | null;
  readonly gate: Gate | null;
  operands: readonly Point[];
  /** The point through which all uses go. */
  dominator: Point | null;
  depth: number;
  /** Operations that are used through this point only. */
  cost: number;
}
interface Gate {
  readonly condition: Node;
  readonly side: 1 | 2;
  readonly selects: Node[];
}

/**
 * Finds the branches of a nest. `parts`: what its pieces of code are made of, one list for each piece; the values of a branch
 * are needed in the same ones. `chosen`: conditions that the program itself branches by, of code that does one thing at a time;
 * null elsewhere.
 */
export function findBranches(
  parts: readonly (readonly Node[])[],
  nodes: readonly Node[],
  varies: (n: Node) => boolean,
  chosen: ReadonlySet<Node> | null,
): Branches {
  const worth = chosen ? WORTH_ALONE : WORTH;
  const none: Branches = new Map();
  const selects = nodes.filter((n) => n.kind === "op" && n.op === "select" && varies(n) && varies(n.args[0]!));
  if (selects.length === 0 || nodes.filter((n) => n.kind === "op").length <= worth) return none;
  const gates = gatesOf(selects, partsOf(selects, parts));
  const order = usersFirst(parts.flat(), gates);
  const inside = dominate(order);
  const points = new Map(order.flatMap((p) => (p.gate ? [[p.gate, p] as const] : [])));
  /**
   * Whether the other side computes something too. If it is a mere special value, the costly side is the usual one: a branch
   * around it would be taken always.
   */
  const hasAlternative = ({ side, selects }: Gate): boolean => {
    const other = gates.get(selects[0]!)!.find((g) => g.side !== side);
    return other !== undefined && points.get(other)!.cost >= ALTERNATIVE;
  };
  const found = new Map<Node, Branch[]>();
  for (const point of order) {
    const { gate } = point;
    if (!gate || point.cost < worth) continue;
    if (chosen?.has(gate.condition) !== true && !hasAlternative(gate)) continue;
    const branch: Branch = {
      condition: gate.condition,
      side: gate.side,
      values: gate.selects.map((s) => s.args[gate.side]!),
      selects: gate.selects,
      before: frontier(point, inside, varies),
    };
    for (const s of gate.selects) {
      const list = found.get(s);
      if (list) list.push(branch);
      else found.set(s, [branch]);
    }
  }
  return found;
}

/** Of each select: the parts that need it, as text. */
function partsOf(selects: readonly Node[], parts: readonly (readonly Node[])[]): ReadonlyMap<Node, string> {
  const found = new Map(selects.map((s) => [s, ""]));
  parts.forEach((roots, k) => {
    const seen = new Set<Node>(roots);
    for (const n of seen) {
      const before = found.get(n);
      if (before !== undefined) found.set(n, `${before} ${k}`);
      for (const a of n.args) seen.add(a);
    }
  });
  return found;
}

/**
 * A gate for each condition and side of the selects that change with the same loops, in the same parts; selects that depend on
 * one another have gates of their own.
 */
function gatesOf(selects: readonly Node[], parts: ReadonlyMap<Node, string>): Map<Node, Gate[]> {
  const groups = new Map<string, Gate>();
  for (const s of selects) {
    for (const side of [1, 2] as const) {
      const condition = s.args[0]!;
      const key = `${condition.id} ${side} ${s.deps} ${parts.get(s)}`;
      const gate = groups.get(key);
      if (gate) gate.selects.push(s);
      else groups.set(key, { condition, side, selects: [s] });
    }
  }
  const bySelect = new Map<Node, Gate[]>();
  const add = (gate: Gate): void => {
    for (const s of gate.selects) bySelect.set(s, [...(bySelect.get(s) ?? []), gate]);
  };
  for (const gate of groups.values()) {
    if (gate.selects.length > 1 && dependsOnItself(gate)) for (const s of gate.selects) add({ ...gate, selects: [s] });
    else add(gate);
  }
  return bySelect;
}

function dependsOnItself({ selects, side }: Gate): boolean {
  const least = Math.min(...selects.map((s) => s.id));
  const targets = new Set(selects);
  const seen = new Set<Node>();
  const stack = selects.map((s) => s.args[side]!);
  while (stack.length > 0) {
    const n = stack.pop()!;
    if (targets.has(n)) return true;
    if (n.id < least || seen.has(n)) continue;
    seen.add(n);
    stack.push(...n.args);
  }
  return false;
}

/** What the statements of phases are made of: bodies, and what comes after them. */
export const partsOfPhases = (phases: readonly LoopPhase[]): readonly (readonly Node[])[] =>
  phases.flatMap((p) => [p.body, p.after].map((list) => list.flatMap(rootsOfStatement)));

function rootsOfStatement(s: LoopStatement): readonly Node[] {
  const roots = [s.value];
  if (s.kind === "update" && s.when) roots.push(s.when);
  if ((s.kind === "store" || s.kind === "update") && s.access.opaque) roots.push(s.access.opaque);
  return roots;
}

/** All points, each behind its users. */
function usersFirst(roots: readonly Node[], gates: ReadonlyMap<Node, readonly Gate[]>): Point[] {
  const points = new Map<Node | Gate, Point>();
  const point = (node: Node | null, gate: Gate | null): Point => {
    const key = (node ?? gate)!;
    let p = points.get(key);
    if (!p) points.set(key, (p = { node, gate, operands: [], dominator: null, depth: 0, cost: 0 }));
    return p;
  };
  const operandsOf = (p: Point): Point[] => {
    if (p.gate) return p.gate.selects.map((s) => point(s.args[p.gate!.side]!, null));
    const own = gates.get(p.node!);
    if (!own) return p.node!.args.map((a) => point(a, null));
    return [point(p.node!.args[0]!, null), ...own.map((g) => point(null, g))];
  };
  const root: Point = { node: null, gate: null, operands: [], dominator: null, depth: 0, cost: 0 };
  root.operands = roots.map((n) => point(n, null));
  const done: Point[] = [];
  const opened = new Set<Point>([root]);
  const stack: { readonly p: Point; next: number }[] = [{ p: root, next: 0 }];
  while (stack.length > 0) {
    const top = stack[stack.length - 1]!;
    const operand = top.p.operands[top.next++];
    if (!operand) {
      stack.pop();
      done.push(top.p);
    } else if (!opened.has(operand)) {
      opened.add(operand);
      operand.operands = operandsOf(operand);
      stack.push({ p: operand, next: 0 });
    }
  }
  done.reverse();
  return done;
}

/** Sets dominators, and the costs of what they dominate; gives the points that each dominates directly. */
function dominate(order: readonly Point[]): ReadonlyMap<Point, readonly Point[]> {
  for (const user of order) {
    if (user.dominator) user.depth = user.dominator.depth + 1;
    for (const p of user.operands) p.dominator = p.dominator ? common(p.dominator, user) : user;
  }
  const inside = new Map<Point, Point[]>(order.map((p) => [p, []]));
  for (let k = order.length - 1; k > 0; k--) {
    const p = order[k]!;
    if (p.node?.kind === "op") p.cost++;
    p.dominator!.cost += p.cost;
    inside.get(p.dominator!)!.push(p);
  }
  return inside;
}

/** The nearest point that dominates both. */
function common(a: Point, b: Point): Point {
  let [x, y] = [a, b];
  while (x !== y) {
    if (x.depth >= y.depth) x = x.dominator!;
    else y = y.dominator!;
  }
  return x;
}

/** The nodes outside of what a gate dominates that what is inside is made of. */
function frontier(
  gate: Point,
  inside: ReadonlyMap<Point, readonly Point[]>,
  varies: (n: Node) => boolean,
): readonly Node[] {
  const within = new Set<Point>([gate]);
  for (const p of within) for (const q of inside.get(p)!) within.add(q);
  const before = new Set<Node>();
  for (const p of within)
    for (const o of p.operands) if (!within.has(o) && o.node && varies(o.node)) before.add(o.node);
  return [...before].sort((a, b) => a.id - b.id);
}
