import type { DeviceTraits } from "../kernel-ir/backend.js";
import { elementType } from "../kernel-ir/element-type.js";
import * as ix from "../kernel-ir/index-expr.js";
import type { Index } from "../kernel-ir/index-expr.js";
import type { BufferArg, NestKernel, Phase, Statement } from "../kernel-ir/kernel.js";
import { simplify } from "../kernel-ir/rewrite.js";
import { type Expr, keepRef, type ScalarType } from "../kernel-ir/scalar.js";
import { Substitution } from "../kernel-ir/substitute.js";
import type { Cluster } from "./cluster.js";
import { physicalSize, type Value } from "./graph.js";

/** A kernel with the values that its buffers are. */
export interface Launch {
  readonly kernel: NestKernel;
  readonly args: readonly Value[];
}

/** An expression this dear (transcendentals) is kept for later phases in a row buffer rather than computed again. */
const keepCost = 8;

/** Makes the kernel of a cluster that has no product; undefined where nobody needs what it computes. */
export function clusterKernel(cluster: Cluster, name: string, traits: DeviceTraits): Launch | undefined {
  const stored = [...cluster.members].filter(([v]) => v.stored);
  if (stored.length === 0) return undefined;
  const reduced = cluster.reduced ?? [];
  const order = [...cluster.dims.keys()].filter((k) => !reduced.includes(k)).concat(reduced);
  const place = new Map(order.map((k, i) => [k, i]));
  const moves = order.some((k, i) => k !== i);
  const { dearLaunches } = traits;
  const renumber =
    moves || dearLaunches ? new Substitution((k) => ix.axisIndex(place.get(k)!, cluster.dims[k]!)) : unchanged;
  // scalars that are computed again are large expressions, mostly of constants
  const written = (e: Expr): Expr => (dearLaunches ? simplify(renumber.expr(e)) : renumber.expr(e));
  const slotInputs = cluster.slots.map((s) => written(s.input));
  const phases = new PhaseFinder(slotInputs);

  const buffers: BufferArg[] = [];
  const args: Value[] = [];
  for (const v of cluster.reads.keys()) {
    buffers.push({ type: elementType(v.aval), access: "read", length: physicalSize(v.aval) });
    args.push(v);
  }
  const bodies: Statement[][] = [];
  const afters: Statement[][] = [];
  const add = (list: Statement[][], phase: number, s: Statement): void => {
    while (bodies.length <= phase) {
      bodies.push([]);
      afters.push([]);
    }
    list[phase]!.push(s);
  };
  slotInputs.forEach((value, slot) => add(bodies, phases.of(value), { kind: "accumulate", slot, value }));
  for (const [v, { level, expr, place: at }] of stored) {
    const value = written(expr);
    const index: Index = renumber.index(at);
    const store: Statement = { kind: "store", buffer: buffers.length, index, value };
    buffers.push({ type: elementType(v.aval), access: "write", length: physicalSize(v.aval) });
    args.push(v);
    if (level === "element") add(bodies, phases.of(value), store);
    else add(afters, Math.max(0, phases.of(value) - 1), store);
  }
  const numParallel = order.length - reduced.length;
  const elements = reduced.reduce((n, k) => n * cluster.dims[k]!, 1);
  const { keeps, kept } = keepDear(bodies, phases, numParallel, traits.maxKeepBytes / elements);
  const kernel: NestKernel = {
    kind: "nest",
    name,
    buffers,
    parallel: order.slice(0, numParallel).map((k) => cluster.dims[k]!),
    reduced: order.slice(numParallel).map((k) => cluster.dims[k]!),
    sequential: false,
    slots: cluster.slots.map((s) => s.slot),
    keeps,
    phases: kept.map((body, p): Phase => ({ body, after: afters[p]! })),
  };
  return { kernel, args };
}

const unchanged = { expr: (e: Expr): Expr => e, index: (i: Index): Index => i };

/** The earliest phase in which an expression can be computed: one after the phases of the slots it reads. */
class PhaseFinder {
  private readonly memo = new Map<Expr, number>();
  constructor(private readonly slotInputs: readonly Expr[]) {}

  of(e: Expr): number {
    if (this.slotInputs.length === 0) return 0;
    const known = this.memo.get(e);
    if (known !== undefined) return known;
    let phase = 0;
    if (e.kind === "slot") phase = this.of(this.slotInputs[e.slot]!) + 1;
    else for (const child of childrenOf(e)) phase = Math.max(phase, this.of(child));
    this.memo.set(e, phase);
    return phase;
  }
}

/** Subexpressions, those inside of indices included. */
export function childrenOf(e: Expr): readonly Expr[] {
  if (e.kind === "op") return e.args;
  return e.kind === "load" || e.kind === "index" ? valuesIn(e.index) : [];
}

function valuesIn(i: Index): Expr[] {
  return i.terms.flatMap(({ atom }) =>
    atom.kind === "value" ? [atom.expr] : atom.kind === "axis" ? [] : valuesIn(atom.x),
  );
}

/**
 * Puts dear element-level expressions of an earlier phase that a later one needs again into row buffers.
 * Cost counts operations below a node, shared ones once each time: enough to tell an exp from a subtraction.
 * What would take more than `bytesPerElement` bytes for an element of the row is computed again.
 */
function keepDear(
  bodies: readonly (readonly Statement[])[],
  phases: PhaseFinder,
  numParallel: number,
  bytesPerElement: number,
): { readonly keeps: readonly ScalarType[]; readonly kept: readonly Statement[][] } {
  if (bodies.length <= 1) return { keeps: [], kept: bodies.map((b) => [...b]) };
  const costs = new Map<Expr, number>();
  const cost = (e: Expr): number => {
    let c = costs.get(e);
    if (c === undefined) costs.set(e, (c = e.kind === "op" ? 1 + e.args.reduce((n, a) => n + cost(a), 0) : 0));
    return c;
  };
  const varying = new Map<Expr, boolean>();
  /** Changes along the reduced axes: others are row-level and cheap to hoist. */
  const varies = (e: Expr): boolean => {
    let v = varying.get(e);
    if (v === undefined) {
      const own =
        (e.kind === "load" || e.kind === "index") &&
        e.index.terms.some((t) => t.atom.kind !== "axis" || t.atom.axis >= numParallel);
      varying.set(e, (v = own || childrenOf(e).some(varies)));
    }
    return v;
  };
  const keepOf = new Map<Expr, number>();
  const keeps: ScalarType[] = [];
  let room = bytesPerElement;
  const bytesOfType = (type: ScalarType): number => (type === "f64" ? 8 : 4);
  const madeIn: { readonly phase: number; readonly keep: number; readonly value: Expr }[] = [];
  const computed = bodies.map(() => new Set<Expr>());
  bodies.forEach((body, p) => {
    const visit = (e: Expr): void => {
      if (computed[p]!.has(e) || keepOf.has(e)) return;
      const first = phases.of(e);
      const earlier = first < p ? computed.findIndex((set, q) => q < p && set.has(e)) : -1;
      if (
        earlier >= 0 &&
        e.kind === "op" &&
        e.type !== "i64" &&
        bytesOfType(e.type) <= room &&
        cost(e) >= keepCost &&
        varies(e)
      ) {
        room -= bytesOfType(e.type);
        keepOf.set(e, keeps.length);
        madeIn.push({ phase: earlier, keep: keeps.length, value: e });
        keeps.push(e.type);
        return;
      }
      computed[p]!.add(e);
      for (const c of childrenOf(e)) visit(c);
    };
    for (const s of body) visit(s.value);
  });
  if (keeps.length === 0) return { keeps, kept: bodies.map((b) => [...b]) };
  const kept = bodies.map((body, p) => {
    const replaced = new Substitution(
      (_, index) => index,
      (e, original) => {
        const k = keepOf.get(original);
        return k !== undefined && madeIn[k]!.phase < p ? keepRef(e.type, k) : e;
      },
    );
    const made = madeIn
      .filter((m) => m.phase === p)
      .map((m): Statement => ({ kind: "keep", keep: m.keep, value: replaced.expr(m.value) }));
    return [...made, ...body.map((s) => ({ ...s, value: replaced.expr(s.value) }) as Statement)];
  });
  return { keeps, kept };
}
