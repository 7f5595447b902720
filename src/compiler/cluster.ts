import { type Shape, sizeOf, stridesOf } from "../core/aval.js";
import type { Literal } from "../core/jaxpr.js";
import { elementType } from "../kernel-ir/element-type.js";
import * as ix from "../kernel-ir/index-expr.js";
import type { Index } from "../kernel-ir/index-expr.js";
import type { ReduceLowering } from "../kernel-ir/lowering.js";
import { constant, type Expr, load, op as makeOp, slotRef } from "../kernel-ir/scalar.js";
import type { Slot } from "../kernel-ir/kernel.js";
import { againFor } from "./again.js";
import { applyElement, elementOf, type Reader } from "./elements.js";
import { MemoryReader } from "./opaque.js";
import { movedPlace, regroup } from "./places.js";
import { type Group, physicalShape, physicalSize, type Value } from "./graph.js";

/** Work that one kernel may hold, in units of an add: larger ones spill registers and compile slowly. */
const maxCost = 600;
const maxMembers = 64;

/** What the device and the program ask of every cluster. */
export interface FusionRules {
  /** Buffers that a kernel may have, and one that only computes elements. */
  readonly maxBuffers: number;
  readonly loopBuffers: number;
  /**
   * Launches are dear: values may be computed at places that take divisions, and what is cheap is computed again rather than
   * stored.
   */
  readonly dearLaunches: boolean;
  /** Kernels of products do more with a sum than to store it. */
  readonly dotEpilogue: boolean;
  /** Values that lie in memory whatever is fused. */
  readonly results: ReadonlySet<Value>;
  /** The number of the last operation that reads a value, where launches are dear. */
  readonly lastUse: ReadonlyMap<Value, number>;
}

/** A member of a cluster: computed for every element of the domain, or once a row. */
export interface Member {
  readonly level: "element" | "row";
  readonly expr: Expr;
  /** Which element of the value is computed at the cluster's point, as a flat index. */
  readonly place: Index;
}

export interface ClusterSlot {
  readonly slot: Slot;
  readonly input: Expr;
}

/**
 * A kernel in the making: operations over one domain, whose axes of length 1 are left out. Once a reduction has joined, the
 * domain has rows (the axes that are not reduced), and results of reductions can be used again at both levels.
 * One that begins with a product (the domain: batch axes, rows, columns) is what the product's kernel does with each sum.
 */
export class Cluster implements Group {
  readonly axes: readonly Index[];
  private readonly flat: Index;
  reduced: readonly number[] | undefined;
  private rowDims: readonly number[] = [];
  private rowFlat: Index = ix.lit(0);
  readonly members = new Map<Value, Member>();
  readonly slots: ClusterSlot[] = [];
  /** Values loaded, by the number of the buffer. */
  readonly reads = new Map<Value, number>();
  /** Loads made so far: one node for each place. */
  readonly loads = new Map<string, Expr>();
  private cost = 0;

  constructor(
    readonly order: number,
    readonly dims: readonly number[],
    readonly rules: FusionRules,
    readonly product?: Value,
  ) {
    this.axes = dims.map((n, k) => ix.axisIndex(k, n));
    this.flat = ix.flatten(this.axes, stridesOf(dims));
    if (product === undefined) return;
    this.members.set(product, { level: "element", expr: slotRef(elementType(product.aval), 0), place: this.flat });
    product.group = this;
  }

  /** Whether the kernel has no more buffers than the device allows, as far as is known what will be stored. */
  private fits(): boolean {
    const { maxBuffers, loopBuffers, results } = this.rules;
    if (maxBuffers === Infinity) return true;
    const isLoop = !this.reduced && !this.product;
    let stores = 0;
    for (const v of this.members.keys()) if (v.stored || results.has(v)) stores++;
    return (this.product ? 2 : 0) + this.reads.size + Math.max(1, stores) <= (isLoop ? loopBuffers : maxBuffers);
  }

  /** Adds values that depend on one another, the last on all others: all, or none of them. */
  joinAll(values: Iterable<Value>): boolean {
    const mark = this.mark();
    let count = 0;
    for (const v of values) {
      count++;
      if (v.op!.lower.kind === "reduce" ? this.joinReduce(v) : this.joinElement(v)) continue;
      this.rollBack(mark);
      return false;
    }
    // what fits no kernel alone is split when its kernel is made
    const isAlone = mark.members === 0 && count === 1;
    if (!isAlone && !this.fits()) {
      this.rollBack(mark);
      return false;
    }
    this.commit(mark);
    return true;
  }

  /** What to go back to if a group of values cannot join whole. */
  private mark(): ClusterMark {
    return {
      members: this.members.size,
      slots: this.slots.length,
      reads: this.reads.size,
      loads: this.loads.size,
      cost: this.cost,
      reduced: this.reduced,
    };
  }

  private rollBack(mark: ClusterMark): void {
    for (const v of [...this.members.keys()].slice(mark.members)) {
      this.members.delete(v);
      v.group = undefined;
    }
    this.slots.length = mark.slots;
    for (const v of [...this.reads.keys()].slice(mark.reads)) this.reads.delete(v);
    for (const key of [...this.loads.keys()].slice(mark.loads)) this.loads.delete(key);
    this.cost = mark.cost;
    if (mark.reduced === undefined) this.reduced = undefined;
  }

  /** Makes what has joined since the mark final: what it loads has to be in memory. */
  private commit(mark: ClusterMark): void {
    if (this.reads.size === mark.reads) return;
    for (const v of [...this.reads.keys()].slice(mark.reads)) v.stored = true;
  }

  /** Adds the value of an element rule if it can be computed here; false: it cannot, and nothing has changed. */
  private joinElement(x: Value): boolean {
    if (this.product && !this.rules.dotEpilogue) return this.members.size === 1 && x.op!.copies && this.joinMoved(x);
    const size = physicalSize(x.aval);
    const level =
      size === sizeOf(this.dims) ? "element" : this.reduced && size === sizeOf(this.rowDims) ? "row" : undefined;
    if (level === undefined || this.isFull(x)) return false;
    const index = this.indexOf(physicalShape(x.aval), level, this.rules.dearLaunches);
    if (!index) return false;
    const reader = new ClusterReader(this, level, x.op!.number);
    const expr = applyElement(x, index, reader);
    if (!reader.ok) return level === "element" && x.op!.copies && this.joinMoved(x);
    this.admit(x, { level, expr, place: this.flatOf(level) }, reader);
    return true;
  }

  /** Adds a copy that has the elements of a member in another order: it is stored at other places than it is computed. */
  private joinMoved(x: Value): boolean {
    const shape = physicalShape(x.aval);
    let source: Value | undefined;
    const sourceAt = (index: readonly Index[]): Index | undefined => {
      const reader = new MemoryReader();
      const element = applyElement(x, index, reader);
      source = reader.values[0];
      return element.kind === "load" ? element.index : undefined;
    };
    const place = movedPlace(sourceAt, shape, this.axes, this.dims);
    if (place && this.product && !this.rules.dotEpilogue && !alongRows(place, this.dims.length)) return false;
    const member = place && source && this.members.get(source);
    if (member?.level !== "element" || member.place.key !== this.flat.key) return false;
    this.admit(
      x,
      { level: "element", expr: member.expr, place: place! },
      new ClusterReader(this, "element", x.op!.number),
    );
    return true;
  }

  /** Adds the result of a reduction if its operand's domain and axes are the cluster's. */
  private joinReduce(x: Value): boolean {
    if (this.product) return false;
    const op = x.op!;
    const operand = op.inputs[0]!;
    const shape = operand.aval.shape;
    const { axes, combine, initial } = (op.lower as ReduceLowering<never>).reduce(op.params, operand.aval);
    const kept = shape.map((n, k) => (n === 1 ? -1 : k)).filter((k) => k >= 0);
    const reduced = axes.map((a) => kept.indexOf(a)).filter((k) => k >= 0);
    reduced.sort((a, b) => a - b);
    const sameDims = kept.length === this.dims.length && kept.every((k, i) => shape[k] === this.dims[i]);
    if (!sameDims || this.isFull(x)) return false;
    if (this.reduced && !(this.reduced.length === reduced.length && this.reduced.every((a, i) => a === reduced[i])))
      return false;
    const index = this.indexOf(shape, "element", false);
    if (!index) return false;
    const reader = new ClusterReader(this, "element", x.op!.number);
    const input = elementOf(operand, index, reader);
    if (!reader.ok) return false;
    const type = elementType(x.aval);
    if (reduced.length === 0) {
      this.admit(
        x,
        { level: "element", expr: makeOp(combine, [constant(type, initial), input]), place: this.flat },
        reader,
      );
      return true;
    }
    if (!this.reduced) this.reduceOver(reduced);
    const number = this.slots.length;
    this.slots.push({ slot: { type, initial, combine, running: false }, input });
    this.admit(x, { level: "row", expr: slotRef(type, number), place: this.rowFlat }, reader);
    return true;
  }

  private reduceOver(reduced: readonly number[]): void {
    this.reduced = reduced;
    const rows = this.dims.map((_, k) => k).filter((k) => !reduced.includes(k));
    this.rowDims = rows.map((k) => this.dims[k]!);
    this.rowFlat = ix.flatten(
      rows.map((k) => this.axes[k]!),
      stridesOf(this.rowDims),
    );
  }

  /** The point at which members of a level are computed, as a flat index. */
  flatOf(level: "element" | "row"): Index {
    return level === "element" ? this.flat : this.rowFlat;
  }

  /** The cluster's point as coordinates in a shape of the same size; undefined where that takes divisions that it may not. */
  private indexOf(shape: Shape, level: "element" | "row", divides: boolean): readonly Index[] | undefined {
    if (divides && level === "element") return regroup(this.axes, this.dims, shape);
    const index = ix.unflatten(this.flatOf(level), shape);
    return divides || index.every((i) => i.terms.every((t) => t.atom.kind === "axis")) ? index : undefined;
  }

  /** Whether something holds for a value that is computed here. */
  some(holds: (v: Value) => boolean): boolean {
    for (const v of this.members.keys()) if (holds(v)) return true;
    return false;
  }

  /** Coordinates of a flat index in a shape. */
  coordinates(flat: Index, shape: Shape): readonly Index[] {
    const isOwn = flat.key === this.flat.key && sizeOf(shape) === sizeOf(this.dims);
    return isOwn ? regroup(this.axes, this.dims, shape) : ix.unflatten(flat, shape);
  }

  private isFull(x: Value): boolean {
    return this.members.size > 0 && (this.members.size >= maxMembers || this.cost + x.op!.cost > maxCost);
  }

  private admit(x: Value, member: Member, reader: ClusterReader): void {
    this.members.set(x, member);
    this.cost += x.op!.cost;
    x.group = this;
    for (const v of reader.loaded) if (!this.reads.has(v)) this.reads.set(v, this.reads.size);
    for (const [key, node] of reader.made) this.loads.set(key, node);
  }
}

/** Whether places are described by strides, of which one of the last two axes has the least. */
const alongRows = (place: Index, ndim: number): boolean =>
  place.terms.every((t) => t.atom.kind === "axis") &&
  [ndim - 1, ndim - 2].some((k) => k >= 0 && ix.coefficient(place, k) === 1);

interface ClusterMark {
  readonly members: number;
  readonly slots: number;
  readonly reads: number;
  readonly loads: number;
  readonly cost: number;
  readonly reduced: readonly number[] | undefined;
}

/** Reads for a member in the making: values of the cluster at its own point, all others from memory, or computed again. */
class ClusterReader implements Reader {
  ok = true;
  readonly made = new Map<string, Expr>();
  readonly loaded: Set<Value>;

  constructor(
    private readonly cluster: Cluster,
    private readonly level: "element" | "row",
    /** The place in the program of the operation that reads. */
    private readonly now: number,
    parent?: ClusterReader,
    /** Values to compute again, and what has been. */
    private readonly again?: ReadonlySet<Value>,
    private readonly done = new Map<string, Expr>(),
  ) {
    this.loaded = new Set(parent?.loaded);
    if (parent) for (const [key, node] of parent.made) this.made.set(key, node);
  }

  readFlat(value: Value, flat: Index): Expr {
    const type = elementType(value.aval);
    const member = this.cluster.members.get(value);
    if (!member) return this.repeated(value, flat) ?? this.fromMemory(value, flat);
    const reachable = member.level === "row" || this.level === "element";
    if (reachable && flat.key === member.place.key) return member.expr;
    this.ok = false;
    return constant(type, 0);
  }

  private fromMemory(value: Value, flat: Index): Expr {
    // what another kernel computes has to be there by then
    if (value.group && value.group.order >= this.cluster.order) this.ok = false;
    this.loaded.add(value);
    const buffer = this.bufferOf(value);
    const key = `${buffer}@${flat.key}`;
    let node = this.cluster.loads.get(key) ?? this.made.get(key);
    if (!node) this.made.set(key, (node = load(elementType(value.aval), buffer, flat)));
    return node;
  }

  /** A value of another cluster that is cheaper to compute again than to store and load. */
  private repeated(value: Value, flat: Index): Expr | undefined {
    const { rules } = this.cluster;
    if (this.again) return this.again.has(value) ? this.applied(value, flat) : undefined;
    if (!rules.dearLaunches || !(value.group instanceof Cluster) || value.stored || rules.results.has(value))
      return undefined;
    if (flat.key !== this.cluster.flatOf(this.level).key) return undefined;
    const isStored = (v: Value): boolean => v.stored || rules.results.has(v) || !(v.group instanceof Cluster);
    const isAtHand = (v: Value): boolean =>
      this.cluster.members.has(v) || this.cluster.reads.has(v) || this.loaded.has(v);
    const { lastUse } = rules;
    const isLater = (v: Value): boolean => !isStored(v) && (lastUse.get(v) ?? -1) > this.now;
    const isShared = (v: Value): boolean =>
      v.group instanceof Cluster && v.group.some((m) => m !== value && isLater(m));
    const again = againFor(value, { isStored, isAtHand, isShared });
    if (!again) return undefined;
    const trial = new ClusterReader(this.cluster, this.level, this.now, this, again);
    const expr = trial.applied(value, flat);
    if (!trial.ok) return undefined;
    for (const v of trial.loaded) this.loaded.add(v);
    for (const [key, node] of trial.made) this.made.set(key, node);
    return expr;
  }

  private applied(value: Value, flat: Index): Expr {
    const key = `${value.op!.number}.${value.output}@${flat.key}`;
    const known = this.done.get(key);
    if (known) return known;
    const expr = applyElement(value, this.cluster.coordinates(flat, physicalShape(value.aval)), this);
    this.done.set(key, expr);
    return expr;
  }

  private bufferOf(value: Value): number {
    const known = this.cluster.reads.get(value);
    if (known !== undefined) return known;
    let k = this.cluster.reads.size;
    for (const v of this.loaded) {
      if (v === value) return k;
      if (!this.cluster.reads.has(v)) k++;
    }
    return k;
  }
}

/** The dims of a value's domain: its physical shape without axes of length 1. */
export const domainOf = (x: Value | Literal): number[] => physicalShape(x.aval).filter((n) => n !== 1);
