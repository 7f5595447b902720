import { sizeOf } from "../core/aval.js";
import { InternalError } from "../core/errors.js";
import { Literal } from "../core/jaxpr.js";
import { Cluster, domainOf } from "./cluster.js";
import { reshapedFrom, sourcesOf } from "./elements.js";
import { copyOf, type Graph, type Group, type Op, type Operand, physicalSize, Value } from "./graph.js";

/** A step that is no nest of elementwise work and reductions: a contraction, a sort, a scan, a call … */
export interface OpaqueGroup extends Group {
  readonly op: Op;
  /** The operands as values that lie whole in memory, row-major, where the step needs them so. */
  readonly operands: readonly (Value | Literal)[];
}

export type FusedGroup = Cluster | OpaqueGroup;

/** What must lie in memory for an operation of each kind: all its operands, or none (it reads elements through views). */
const wholeOperands: Readonly<Record<string, boolean>> = { sort: true, call: true, dot: false, scan: false, scatter: false, element: false };

/**
 * Groups operations into kernels, greedily in program order. A group may hold an operation only if everything that the
 * operation is made of lies in groups that come no later: so the graph of groups is acyclic by construction, and their
 * order is the order of execution.
 */
export function fuse(graph: Graph): { readonly groups: readonly FusedGroup[]; readonly outputs: readonly Operand[] } {
  const fuser = new Fuser();
  for (const op of graph.ops) if (!op.free) fuser.place(op);
  return { groups: fuser.groups, outputs: graph.outputs.map((x) => fuser.outputOf(x)) };
}

class Fuser {
  readonly groups: FusedGroup[] = [];
  /** The last cluster that loads a value. */
  private readonly lastReader = new Map<Value, Cluster>();
  private readonly copies = new Map<Value, Value>();

  place(op: Op): void {
    const { kind } = op.lower;
    if (kind === "reduce") this.placeFused(op.outs[0]!, op.inputs[0]!);
    else if (kind === "element" && !op.lower.regions) for (const x of op.outs) this.placeFused(x, x);
    else this.placeOpaque(op);
  }

  /** Values of programs' results: all in memory. */
  outputOf(x: Operand): Operand {
    if (x instanceof Literal) return this.stored(x);
    if (!x.free) {
      x.stored = true;
      return x;
    }
    const root = reshapedFrom(x);
    if (root.free) return this.stored(x);
    root.stored = true;
    return root;
  }

  private placeFused(x: Value, domain: Operand): void {
    if (physicalSize(x.aval) === 0) return;
    const op = x.op!;
    const sources = new Set<Value>();
    for (const y of op.inputs) sourcesOf(y, sources);
    const join = (c: Cluster): boolean => (op.lower.kind === "reduce" ? c.joinReduce(x) : c.joinElement(x));
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
    for (const c of candidates) {
      if (join(c)) {
        this.noteReads(c);
        return;
      }
    }
    const fresh = new Cluster(this.groups.length, domainOf(domain));
    this.groups.push(fresh);
    if (!join(fresh)) throw new InternalError(`${op.name} fits no kernel of its own`);
    this.noteReads(fresh);
  }

  private noteReads(c: Cluster): void {
    for (const v of c.reads.keys()) this.lastReader.set(v, c);
  }

  private placeOpaque(op: Op): void {
    const whole = wholeOperands[op.lower.kind];
    if (whole === undefined) throw new InternalError(`no step is known for lowerings of kind ${op.lower.kind}`);
    const operands = op.inputs.map((x) => {
      if (whole) return this.stored(x);
      for (const s of sourcesOf(x)) s.stored = true;
      return x;
    });
    const group: OpaqueGroup = { order: this.groups.length, op, operands };
    this.groups.push(group);
    for (const x of op.outs) x.group = group;
  }

  /** A value that lies whole and row-major in memory: itself, or a copy made here. */
  stored(x: Operand): Value {
    if (!(x instanceof Literal)) {
      const root = reshapedFrom(x);
      if (!root.free) {
        root.stored = true;
        return root;
      }
      const known = this.copies.get(x);
      if (known) return known;
    }
    const copy = copyOf(x);
    copy.stored = true;
    this.placeFused(copy, copy);
    if (!(x instanceof Literal)) this.copies.set(x, copy);
    return copy;
  }
}

export const isEmpty = (x: Operand): boolean => sizeOf(x.aval.shape) === 0;
