import { InternalError } from "../../../core/errors.js";
import type { Atom, Index } from "../../../kernel-ir/index-expr.js";
import type { NestKernel, Statement } from "../../../kernel-ir/kernel.js";
import type { Expr } from "../../../kernel-ir/scalar.js";
import {
  type Access,
  type Dim,
  dimText,
  type LoopNest,
  type LoopStatement,
  type Node,
  type Pointer,
  ROW,
} from "./nodes.js";
import { boundedBy } from "./bounds.js";
import { findBranches, partsOfPhases } from "./branches.js";
import { isExtreme } from "./extremes.js";
import { keepBytes } from "./memory.js";
import { type Schedule, schedule, vectorsAtOnce } from "./schedule.js";
import { splitAxes } from "./split.js";
import { structureOf } from "./structure.js";
import type { Survey } from "./survey.js";

/** A nest kernel ready to be emitted, with what the host must know to launch it. */
export interface LoweredNest {
  readonly nest: LoopNest;
  /** Structure: nests of equal keys are emitted as equal code. */
  readonly key: string;
  /** The block of i32 parameters that the code reads; empty unless generic. */
  readonly params: readonly number[];
  /** Points of the parallel axes (of a tiled nest: of the outer ones): the domain of a launch is [0, rows). */
  readonly rows: number;
  /** Rows that are done at once: ranges should be multiples of it. */
  readonly rowStep: number;
  /** Points of a row, in all phases. */
  readonly rowWork: number;
  /** Bytes of the scratch region that a launch takes. */
  readonly scratchBytes: number;
}

const MAX_AXES = 30;

/** What a nest holds besides its phases. */
export interface Besides {
  /** Expressions, one list for each piece of code that they are for. */
  readonly parts: readonly (readonly Expr[])[];
  /** By slot: the loops with which it changes, as bits. */
  readonly slotDeps: readonly number[];
  /** Conditions that the program itself branches by. */
  readonly chosen: ReadonlySet<Expr>;
}

/** Lowers a nest as it is, in the order of a given schedule, with more than it stores, which the survey knows. `parts`: the nodes of `besides.parts`. */
export function lowerWith(
  kernel: NestKernel,
  found: Survey,
  plan: Schedule,
  besides: Besides,
): LoweredNest & { readonly parts: readonly (readonly Node[])[] } {
  return new Lowering(kernel, found, plan, false, besides).run();
}

/** Brings a kernel into the order of its loops. */
export function lowerNest(original: NestKernel, generic: boolean): LoweredNest {
  const { kernel, found } = splitAxes(original);
  const plan = schedule(kernel, found, generic);
  if (plan.extents.length > MAX_AXES)
    throw new InternalError(`kernel ${kernel.name} has more than ${MAX_AXES} axes that do not merge`);
  return new Lowering(kernel, found, plan, generic).run();
}

interface MutablePointer extends Pointer {
  base: Dim;
}
interface MutableAccess extends Access {
  offset: number;
}

/** A draft of a node: what interning completes. */
type Draft = Node extends infer N ? (N extends Node ? Omit<N, "id" | "deps" | "depth" | "uses"> : never) : never;

class Lowering {
  private readonly params: number[] = [];
  private readonly nodes: Node[] = [];
  private readonly interned = new Map<string, Node>();
  private readonly byExpr = new Map<Expr, Node>();
  private readonly indexDims = new Map<string, { readonly base: Dim; readonly coeffs: readonly Dim[] }>();
  private readonly indexNodes = new Map<string, Node>();
  private readonly opaqueParts = new Map<string, Node | null>();
  private readonly pointers = new Map<
    string,
    { readonly pointer: MutablePointer; readonly accesses: { readonly access: MutableAccess; readonly base: number }[] }
  >();
  private readonly everything: number;

  constructor(
    private readonly kernel: NestKernel,
    private readonly found: Survey,
    private readonly plan: Schedule,
    private readonly generic: boolean,
    private readonly besides?: Besides,
  ) {
    this.everything = ROW | (2 ** plan.extents.length - 1);
  }

  run(): LoweredNest & { readonly parts: readonly (readonly Node[])[] } {
    const { kernel, plan, besides } = this;
    const axes = plan.extents.map((extent) => ({ extent: this.dim(extent) }));
    for (const e of this.found.exprs) this.byExpr.set(e, this.lowerExpr(e));
    const phases = kernel.phases.map((p) => {
      const body = p.body.map((s) => this.lowerStatement(s));
      const slots = [...new Set(body.flatMap((s) => (s.kind === "accumulate" ? [s.slot] : [])))];
      return { body, after: p.after.map((s) => this.lowerStatement(s)), slots, copies: this.phaseCopies(body) };
    });
    const parts = (besides?.parts ?? []).map((list) => list.map((e) => this.byExpr.get(e)!));
    for (const n of parts.flat()) n.uses++;
    this.placePointers();

    const points = plan.extents.slice(plan.parallel).reduce((a, b) => a * b, 1);
    const branches = findBranches(
      [...partsOfPhases(phases), ...parts],
      this.nodes,
      (n) => (plan.vectorAxis < 0 ? n.deps !== 0 : (n.deps & (2 ** plan.vectorAxis)) !== 0),
      besides ? new Set([...besides.chosen].flatMap((e) => this.byExpr.get(e) ?? [])) : null,
    );
    // Branches part what is done on several vectors at a time.
    const parted = branches.size > 0;
    const copies = parted ? 1 : plan.copies;
    const width = plan.mode === "parallel" ? plan.lanes * copies : 1;
    const keepOffsets: Dim[] = [];
    let scratchBytes = 0;
    for (const type of kernel.keeps) {
      keepOffsets.push(this.dim(scratchBytes));
      scratchBytes += Math.ceil((points * width * keepBytes(type, plan.lanes)) / 16) * 16;
    }
    const nest: LoopNest = {
      name: kernel.name,
      mode: plan.mode,
      lanes: plan.lanes,
      copies,
      tile: plan.tile,
      sequential: kernel.sequential,
      bufferCount: kernel.buffers.length,
      axes,
      parallel: plan.parallel,
      slots: kernel.slots,
      keeps: kernel.keeps,
      keepOffsets,
      phases: parted ? phases.map((p) => ({ ...p, copies: 1 })) : phases,
      branches,
      unstable: this.nodes.some((n) => n.kind === "load" && n.unstable),
    };
    const inner = plan.tile > 0 ? plan.extents[plan.parallel - 1]! : 1;
    return {
      nest,
      key: structureOf(nest, this.nodes),
      params: this.params,
      rows: plan.extents.slice(0, plan.tile > 0 ? plan.parallel - 1 : plan.parallel).reduce((a, b) => a * b, 1),
      // the rows of a call share the cache lines of a tile
      rowStep: plan.tile > 0 ? 32 : width,
      rowWork: inner * points * kernel.phases.length,
      scratchBytes: scratchBytes === 0 ? 0 : scratchBytes + 16,
      parts,
    };
  }

  /** How many vectors of the reduced axis a step takes: simple bodies wait for their accumulators. */
  private phaseCopies(body: readonly LoopStatement[]): number {
    const { plan } = this;
    if (plan.mode !== "reduced" || (this.generic && !plan.even)) return 1;
    const seen = new Set<Node>();
    const roots = body.flatMap((s) => (s.kind === "store" && s.access.opaque ? [s.value, s.access.opaque] : [s.value]));
    const stack = [...roots];
    while (stack.length > 0) {
      const n = stack.pop()!;
      if (n.kind === "const" || seen.has(n)) continue;
      seen.add(n);
      stack.push(...n.args);
    }
    const size = seen.size + (plan.even ? 0 : 4);
    const depth = Math.max(...roots.map((n) => n.depth));
    // more accumulators than that do not fit in the registers: extremes have three
    const extreme = body.some((s) => s.kind === "accumulate" && isExtreme(this.kernel.slots[s.slot]!));
    let copies = size <= 4 && !extreme ? 8 : vectorsAtOnce(size, depth);
    const extent = plan.extents[plan.extents.length - 1]!;
    if (!this.generic) while (copies > 1 && copies * plan.lanes > extent) copies /= 2;
    return copies;
  }

  private dim(n: number): Dim {
    if (!this.generic || n === 0 || n === 1 || n === -1) return n;
    return { slot: this.params.push(n) - 1, value: n };
  }

  // ---- nodes

  private intern(key: string, draft: Draft, ownDeps = 0): Node {
    const existing = this.interned.get(key);
    if (existing) return existing;
    let deps = ownDeps;
    let depth = 0;
    for (const a of draft.args) {
      deps |= a.deps;
      depth = Math.max(depth, a.depth + 1);
      a.uses++;
    }
    // the draft itself: copies of many small objects take time
    const node = Object.assign(draft, { id: this.nodes.length, deps, depth, uses: 0 }) as Node;
    this.nodes.push(node);
    this.interned.set(key, node);
    return node;
  }

  private lowerExpr(e: Expr): Node {
    switch (e.kind) {
      case "const":
        return this.intern(`c${e.type}${Object.is(e.value, -0) ? "-0" : e.value}`, {
          kind: "const",
          type: e.type,
          value: e.value,
          args: [],
        });
      case "index":
        return this.indexNode(e.index);
      case "load": {
        const access = this.access(e.buffer, e.index);
        const unstable = this.found.written.has(e.buffer);
        const key = `l${e.type}${e.buffer}[${e.index.key}`;
        const args = access.opaque ? [access.opaque] : [];
        return this.intern(
          key,
          { kind: "load", type: e.type, access, unstable, args },
          this.loadDeps(access.pointer, unstable),
        );
      }
      case "slot":
        return this.intern(
          `s${e.slot}`,
          { kind: "slot", type: e.type, slot: e.slot, args: [] },
          this.besides?.slotDeps[e.slot] ??
            (this.kernel.slots[e.slot]!.running ? this.everything : ROW | (2 ** this.plan.parallel - 1)),
        );
      case "keep":
        return this.intern(`k${e.keep}`, { kind: "keep", type: e.type, keep: e.keep, args: [] }, this.everything);
      case "op": {
        const args = e.args.map((a) => this.byExpr.get(a)!);
        if ((e.op === "max" || e.op === "min") && e.type === "f32") {
          const [x, y] = args.map((a) => this.varies(a));
          if (x !== y) return this.lowerWith(boundedBy(e.op, e.args[x ? 0 : 1]!, e.args[x ? 1 : 0]!));
        }
        return this.intern(`${e.op} ${e.type} ${args.map((a) => a.id).join()}`, {
          kind: "op",
          type: e.type,
          op: e.op,
          args,
        });
      }
    }
  }

  /** An expression made of ones that are lowered. */
  private lowerWith(e: Expr): Node {
    const known = this.byExpr.get(e);
    if (known) return known;
    if (e.kind === "op") for (const a of e.args) this.lowerWith(a);
    const node = this.lowerExpr(e);
    this.byExpr.set(e, node);
    return node;
  }

  /** Whether a value differs between the lanes of a vector. */
  private varies(n: Node): boolean {
    const { vectorAxis } = this.plan;
    return vectorAxis >= 0 && (n.deps & (2 ** vectorAxis)) !== 0;
  }

  private lowerStatement(s: Statement): LoopStatement {
    const value = this.byExpr.get(s.value)!;
    value.uses++;
    switch (s.kind) {
      case "store":
        return { kind: "store", access: this.storeAccess(s.buffer, s.index), value };
      case "update": {
        const when = s.when ? this.byExpr.get(s.when)! : null;
        if (when) when.uses++;
        return { kind: "update", access: this.storeAccess(s.buffer, s.index), value, combine: s.combine, when };
      }
      case "keep":
        return { kind: "keep", keep: s.keep, value };
      case "accumulate":
        return { kind: "accumulate", slot: s.slot, value };
    }
  }

  private storeAccess(buffer: number, index: Index): Access {
    const access = this.access(buffer, index);
    if (access.opaque) access.opaque.uses++;
    return access;
  }

  // ---- indices

  /** Numbers of an index: its base, and its coefficients by axis of the nest. */
  private dimsOf(index: Index): { readonly base: Dim; readonly coeffs: readonly Dim[] } {
    let dims = this.indexDims.get(index.key);
    if (!dims) {
      const coeffs = new Array<Dim>(this.plan.extents.length).fill(0);
      for (const { coeff, atom } of index.terms) {
        if (atom.kind !== "axis") continue;
        const axis = this.plan.place[atom.axis]!;
        if (axis >= 0) coeffs[axis] = this.dim(coeff);
      }
      dims = { base: this.dim(index.base), coeffs };
      this.indexDims.set(index.key, dims);
    }
    return dims;
  }

  private loadDeps(p: Pointer, unstable: boolean): number {
    if (unstable && this.kernel.sequential) return this.everything;
    let deps = unstable ? ROW : 0;
    p.coeffs.forEach((c, axis) => {
      if (c !== 0) deps |= 2 ** axis;
    });
    return deps;
  }

  private access(buffer: number, index: Index): MutableAccess {
    const type = this.kernel.buffers[buffer]!.type;
    const { base, coeffs } = this.dimsOf(index);
    const opaque = this.opaquePart(index);
    // Neighbours may share a pointer only where the smallest of them stays in the buffer: not across opaque parts.
    const key = this.generic ? `${buffer}[${index.key}` : `${buffer} ${coeffs.join()} ${opaque?.id ?? ""}`;
    let group = this.pointers.get(key);
    if (!group) {
      group = {
        pointer: { id: this.pointers.size, buffer, bytes: type === "f64" ? 8 : 4, base, coeffs },
        accesses: [],
      };
      this.pointers.set(key, group);
    }
    const access: MutableAccess = { buffer, type, pointer: group.pointer, offset: 0, opaque };
    group.accesses.push({ access, base: index.base });
    return access;
  }

  /** Sets the pointers of each group at its smallest index, so that the others lie behind it. */
  private placePointers(): void {
    if (this.generic) return;
    for (const { pointer, accesses } of this.pointers.values()) {
      const least = accesses.reduce((m, a) => Math.min(m, a.base), Infinity);
      pointer.base = least;
      for (const a of accesses) a.access.offset = (a.base - least) * pointer.bytes;
    }
  }

  /** The sum of what is not affine in an index. */
  private opaquePart(index: Index): Node | null {
    let sum = this.opaqueParts.get(index.key);
    if (sum === undefined) {
      sum = null;
      for (const { coeff, node } of this.opaqueTerms(index)) sum = this.plus(sum, this.dim(coeff), node);
      this.opaqueParts.set(index.key, sum);
    }
    return sum;
  }

  private opaqueTerms(index: Index): { coeff: number; node: Node }[] {
    const terms: { coeff: number; node: Node }[] = [];
    for (const { coeff, atom } of index.terms)
      if (atom.kind !== "axis") terms.push({ coeff, node: this.atomNode(atom) });
    return terms.sort(byDeps);
  }

  /** An index as a value. Terms are added from the outermost loop inwards, so that sums of outer ones can be hoisted. */
  private indexNode(index: Index): Node {
    const known = this.indexNodes.get(index.key);
    if (known) return known;
    const { base, coeffs } = this.dimsOf(index);
    const terms: { coeff: Dim; node: Node }[] = this.opaqueTerms(index).map(({ coeff, node }) => ({
      coeff: this.dim(coeff),
      node,
    }));
    coeffs.forEach((coeff, axis) => {
      if (coeff !== 0)
        terms.push({ coeff, node: this.intern(`a${axis}`, { kind: "axis", type: "i32", axis, args: [] }, 2 ** axis) });
    });
    terms.sort(byDeps);
    let node: Node | null = base === 0 ? null : this.dimNode(base);
    for (const { coeff, node: term } of terms) node = this.plus(node, coeff, term);
    node ??= this.dimNode(0);
    this.indexNodes.set(index.key, node);
    return node;
  }

  private dimNode(dim: Dim): Node {
    return this.intern(`d${dimText(dim)}`, { kind: "dim", type: "i32", dim, args: [] });
  }

  private plus(sum: Node | null, coeff: Dim, term: Node): Node {
    if (sum === null && coeff === 1) return term;
    const x = sum ?? this.dimNode(0);
    return this.intern(`+${x.id} ${dimText(coeff)}*${term.id}`, {
      kind: "muladd",
      type: "i32",
      coeff,
      args: [x, term],
    });
  }

  private atomNode(atom: Exclude<Atom, { kind: "axis" }>): Node {
    if (atom.kind === "value") return this.byExpr.get(atom.expr)!;
    const known = this.indexNodes.get(`@${atom.key}`);
    if (known) return known;
    const x = this.indexNode(atom.x);
    let node: Node;
    if (atom.kind === "clamp") {
      const lo = this.dim(atom.lo);
      const hi = this.dim(atom.hi);
      node = this.intern(`clamp${x.id} ${dimText(lo)} ${dimText(hi)}`, {
        kind: "clamp",
        type: "i32",
        lo,
        hi,
        args: [x],
      });
    } else {
      const divisor = this.dim(atom.d);
      const nonnegative = atom.x.lo >= 0;
      const { kind } = atom;
      node = this.intern(`${kind}${nonnegative ? "u" : "s"}${x.id} ${dimText(divisor)}`, {
        kind,
        type: "i32",
        divisor,
        nonnegative,
        args: [x],
      });
    }
    this.indexNodes.set(`@${atom.key}`, node);
    return node;
  }
}

const byDeps = (a: { readonly node: Node }, b: { readonly node: Node }): number => a.node.deps - b.node.deps;
