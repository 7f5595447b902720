import { sizeOf } from "../core/aval.js";
import { InternalError } from "../core/errors.js";
import { Literal } from "../core/jaxpr.js";
import type { DeviceTraits } from "../kernel-ir/backend.js";
import { Cluster, domainOf, type FusionRules } from "./cluster.js";
import { packOrder, productDims } from "./dot.js";
import { loopBuffersOf } from "./limits.js";
import { mergeSiblings } from "./siblings.js";
import { reshapedFrom, sourcesOf } from "./elements.js";
import type { Value } from "./graph.js";
import { copyOf, packOf, type Graph, type Group, type Op, type Operand, physicalSize } from "./graph.js";

/** A step that is no nest of elementwise work and reductions: a contraction, a sort, a scan, a call … */
export interface OpaqueGroup extends Group {
  readonly op: Op;
  /** The operands as values that lie whole in memory, row-major, where the step needs them so. */
  readonly operands: readonly (Value | Literal)[];
  /** What a product's kernel does with each sum. */
  readonly epilogue?: Cluster;
}

export type FusedGroup = Cluster | OpaqueGroup;

/** What must lie in memory for an operation of each kind: all its operands, or none (it reads elements through views). */
const wholeOperands: Readonly<Record<string, boolean>> = {
  sort: true,
  call: true,
  switch: true,
  loop: true,
  rounds: true,
  callback: true,
  dot: false,
  scan: false,
  scatter: false,
  element: false,
};

/**
 * Groups operations into kernels, greedily in program order. A group may hold an operation only if everything that the
 * operation is made of lies in groups that come no later: so the graph of groups is acyclic by construction, and their
 * order is the order of execution. What is made of inputs alone waits until something uses it, and goes where that
 * goes.
 */
export function fuse(
  graph: Graph,
  traits: DeviceTraits,
): { readonly groups: readonly FusedGroup[]; readonly outputs: readonly Operand[] } {
  const fuser = new Fuser(graph, traits);
  for (const op of graph.ops) if (!op.free) fuser.place(op);
  const outputs = graph.outputs.map((x) => fuser.outputOf(x));
  return { groups: traits.dearLaunches ? mergeSiblings(fuser.groups) : fuser.groups, outputs };
}

/** The values that a program's results are, or are views of. */
function resultsOf(graph: Graph): Set<Value> {
  const results = new Set<Value>();
  for (const x of graph.outputs) if (!(x instanceof Literal)) results.add(reshapedFrom(x));
  return results;
}

function lastUses(graph: Graph): Map<Value, number> {
  const last = new Map<Value, number>();
  for (const op of graph.ops) {
    if (op.free) continue;
    for (const x of op.inputs) for (const s of sourcesOf(x)) last.set(s, op.number);
  }
  return last;
}

/** Computed, but in no group yet. */
const isWaiting = (x: Value): boolean =>
  x.op !== undefined && !x.free && x.group === undefined && physicalSize(x.aval) > 0;

class Fuser {
  readonly groups: FusedGroup[] = [];
  /** The last cluster that loads a value. */
  private readonly lastReader = new Map<Value, Cluster>();
  private readonly copies = new Map<Value, Value>();
  private readonly packs = new Map<Value, Map<string, Value>>();
  private readonly rules: FusionRules;

  constructor(
    graph: Graph,
    private readonly traits: DeviceTraits,
  ) {
    const { maxBuffers, dearLaunches, dotEpilogue } = traits;
    const lastUse = dearLaunches ? lastUses(graph) : new Map<Value, number>();
    this.rules = {
      maxBuffers,
      loopBuffers: loopBuffersOf(traits),
      dearLaunches,
      dotEpilogue,
      results: resultsOf(graph),
      lastUse,
    };
  }

  place(op: Op): void {
    const { kind } = op.lower;
    if (kind === "reduce" || (kind === "element" && !op.lower.regions))
      for (const x of op.outs) this.placeFused(x, true);
    else this.placeOpaque(op);
  }

  /** Values of programs' results: all in memory. */
  outputOf(x: Operand): Operand {
    return this.stored(x);
  }

  /** Finds a cluster for a value; one that has no computed operands may wait for its users instead. */
  private placeFused(x: Value, mayWait: boolean): void {
    if (physicalSize(x.aval) === 0 || x.group) return;
    const waiting = waitingFor(x);
    const sources = new Set<Value>();
    for (const w of waiting) for (const y of w.op!.inputs) sourcesOf(y, sources);
    for (const w of waiting) sources.delete(w);
    let latest = -1;
    let candidate: Group | undefined;
    for (const s of sources) {
      if (s.group && s.group.order > latest) {
        latest = s.group.order;
        candidate = s.group;
      }
    }
    const candidates = new Set<Cluster>();
    if (candidate instanceof Cluster) candidates.add(candidate);
    for (const s of sources) {
      const c = this.lastReader.get(s);
      if (c && c.order >= latest) candidates.add(c);
      if (candidates.size >= 3) break;
    }
    for (const c of candidates) if (this.joinAll(waiting, c)) return;
    if (mayWait && latest < 0 && waiting.length < maxWaiting) return;
    const fresh = new Cluster(this.groups.length, largestDomain(waiting), this.rules);
    if (this.joinAll(waiting, fresh)) {
      this.groups.push(fresh);
      return;
    }
    if (this.traits.dearLaunches && waiting.length > 1) {
      this.placeInTurn(waiting);
      return;
    }
    // they fit no kernel together: the operands find theirs first
    for (const w of waiting) if (w !== x && isWaiting(w)) this.placeFused(w, false);
    if (waiting.length > 1) {
      this.placeFused(x, false);
      return;
    }
    throw new InternalError(`${x.op!.name} fits no kernel of its own`);
  }

  /** Places values that fit no kernel together in few: each goes where the one before it went, if it can. */
  private placeInTurn(values: readonly Value[]): void {
    let last: Group | undefined;
    for (const v of values) {
      if (!isWaiting(v)) continue;
      let latest = -1;
      for (const y of v.op!.inputs) for (const s of sourcesOf(y)) latest = Math.max(latest, s.group?.order ?? -1);
      const joined = last instanceof Cluster && last.order >= latest && this.joinAll([v], last);
      if (!joined) this.placeFused(v, false);
      last = v.group;
    }
  }

  private joinAll(values: readonly Value[], cluster: Cluster): boolean {
    if (!cluster.joinAll(values)) return false;
    this.noteReads(cluster);
    return true;
  }

  private noteReads(c: Cluster): void {
    for (const v of c.reads.keys()) this.lastReader.set(v, c);
  }

  private placeOpaque(op: Op): void {
    const whole = wholeOperands[op.lower.kind];
    if (whole === undefined) throw new InternalError(`no step is known for lowerings of kind ${op.lower.kind}`);
    const inputs = op.lower.kind === "dot" && this.traits.dearLaunches ? this.dotOperands(op) : op.inputs;
    const operands = inputs.map((x, i) => {
      if (whole || (i > 0 && readsWhatItUpdates(op, x))) return this.stored(x);
      for (const s of sourcesOf(x)) this.settle(s);
      return x;
    });
    const order = this.groups.length;
    const dims = productDims(op);
    if (dims) {
      const epilogue = new Cluster(order, dims, this.rules, op.outs[0]!);
      this.groups.push({ order, op, operands, epilogue });
      return;
    }
    const group: OpaqueGroup = { order, op, operands };
    this.groups.push(group);
    for (const x of op.outs) x.group = group;
  }

  /** Operands of a product, with copies of those that it cannot read where they lie: one for each order. */
  private dotOperands(op: Op): readonly Operand[] {
    return op.inputs.map((x, i) => {
      const order = packOrder(op, i, this.traits.dotDigits);
      if (!order) return x;
      if (x instanceof Literal) return packOf(x, order, op.outs[0]!.aval.dtype);
      const known = this.packs.get(x) ?? new Map<string, Value>();
      this.packs.set(x, known);
      const key = order.join(",");
      const pack = known.get(key) ?? packOf(x, order, op.outs[0]!.aval.dtype);
      known.set(key, pack);
      return pack;
    });
  }

  /** Gives a value that waited a place, and notes that it is read from memory. */
  private settle(x: Value): void {
    x.stored = true;
    if (isWaiting(x)) this.placeFused(x, false);
  }

  /** A value that lies whole and row-major in memory: itself, or a copy made here. */
  stored(x: Operand): Value {
    if (!(x instanceof Literal)) {
      const root = reshapedFrom(x);
      if (!root.free) {
        this.settle(root);
        return root;
      }
      const known = this.copies.get(x);
      if (known) return known;
    }
    const copy = copyOf(x);
    this.settle(copy);
    if (!(x instanceof Literal)) this.copies.set(x, copy);
    return copy;
  }
}

/**
 * An update that is made of the array that it goes into, of which it is a small part: once it lies in memory, the array may be
 * updated where it lies.
 */
function readsWhatItUpdates({ lower, inputs }: Op, update: Operand): boolean {
  const array = inputs[0]!;
  if (lower.kind !== "scatter" || array instanceof Literal || update instanceof Literal || !update.free) return false;
  return 2 * physicalSize(update.aval) <= physicalSize(array.aval) && sourcesOf(update).has(reshapedFrom(array));
}

/** Values that may wait together: beyond that they are placed, so that looking for them stays cheap. */
const maxWaiting = 16;

/** A value and the waiting ones that it is made of, operands first. */
function waitingFor(x: Value): Value[] {
  const found: Value[] = [];
  const seen = new Set<Value>();
  const visit = (v: Value): void => {
    if (seen.has(v)) return;
    seen.add(v);
    for (const y of v.op!.inputs) for (const s of sourcesOf(y)) if (isWaiting(s)) visit(s);
    found.push(v);
  };
  visit(x);
  return found;
}

/** The domain of the kernel that values could share: the one with most elements. */
function largestDomain(values: readonly Value[]): number[] {
  let best: number[] = [];
  for (const v of values) {
    const domain = domainOf(v.op!.lower.kind === "reduce" ? v.op!.inputs[0]! : v);
    if (v === values[0] || sizeOf(domain) > sizeOf(best)) best = domain;
  }
  return best;
}
