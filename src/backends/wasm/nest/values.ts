import type { ScalarType } from "../../../kernel-ir/scalar.js";
import type { FunctionBuilder } from "../module-builder.js";
import { Op } from "../opcodes.js";
import { Addresses } from "./addresses.js";
import { Branching } from "./branching.js";
import { elementBytes, loadLanes, scalarLoadOp } from "./memory.js";
import type { Access, LoopNest, Node } from "./nodes.js";
import { scalarConst, scalarValType } from "./scalar-ops.js";
import { computeScalar } from "./scalar-values.js";
import { isVectorKey, scalarKey, type Scopes, splatKey, vectorKey } from "./scopes.js";
import { splat, vectorConst, type VectorTarget } from "./vector-ops.js";
import { computeVector } from "./vector-values.js";

/** Where a slot's value is: in scalars, or one vector a copy. */
export interface SlotValue {
  scalar: number;
  vectors: readonly number[];
}

/** Operations that one recursion of the emitter may go down. */
const PIECE = 125;

/**
 * Writes the values of nodes: as scalars where they are the same in all lanes, as vectors where they change along the
 * vector axis. A node is computed once in the outermost loop that it changes with.
 */
export class Values {
  readonly target: VectorTarget;
  readonly addresses: Addresses;
  readonly branching = new Branching(this);
  /** Level of the loop over each axis. */
  readonly axisLevel: readonly number[];
  readonly counters: number[] = [];
  readonly slots: SlotValue[] = [];
  /** The copy of a vector body being written, and how many of its lanes hold elements. */
  copy = 0;
  active = 1;
  readonly vectorAxis: number;
  private readonly vectorBit: number;
  private readonly constants = new Map<string, number>();

  constructor(
    readonly nest: LoopNest,
    readonly f: FunctionBuilder,
    readonly scopes: Scopes,
    readonly relaxed: boolean,
    bufferLocal: (buffer: number) => number,
    scratchLocal: number,
  ) {
    const { parallel, axes, mode } = nest;
    this.axisLevel = axes.map((_, k) => (k < parallel - 1 ? 1 : k < parallel ? 2 : 3 + k - parallel));
    this.vectorAxis = mode === "scalar" ? -1 : mode === "parallel" ? parallel - 1 : axes.length - 1;
    this.vectorBit = this.vectorAxis < 0 ? 0 : 2 ** this.vectorAxis;
    this.addresses = new Addresses(nest, f, scopes, this, bufferLocal, scratchLocal);
    this.target = { f, lanes: nest.lanes, relaxed, constant: (type, value) => this.constant(type, value) };
  }

  varies(n: Node): boolean {
    return (n.deps & this.vectorBit) !== 0;
  }

  level(n: Node): number {
    return this.scopes.levelOf(n.deps, this.axisLevel);
  }

  /** Forgets what was computed for one copy of a vector body. */
  endCopy(): void {
    this.scopes.release(isVectorKey);
    this.branching.clear();
  }

  /** Computes long chains of operands in pieces, so that no recursion is deep. */
  prepare(root: Node): void {
    if (root.depth < 2 * PIECE) return;
    const seen = new Set<Node>([root]);
    const stack = [root];
    const pieces: Node[] = [];
    while (stack.length > 0) {
      const n = stack.pop()!;
      if (n.depth > 0 && n.depth % PIECE === 0) pieces.push(n);
      for (const a of n.args) {
        if (seen.has(a)) continue;
        seen.add(a);
        stack.push(a);
      }
    }
    pieces.sort((a, b) => a.id - b.id);
    for (const n of pieces) {
      if (n.kind === "slot" || n.kind === "keep") continue;
      // one more use: the value is left in a local
      n.uses++;
      if (this.varies(n)) this.vector(n);
      else this.scalar(n);
      this.f.op(Op.drop);
    }
  }

  // ---- scalars

  scalar(n: Node): void {
    const { f, scopes } = this;
    switch (n.kind) {
      case "const":
        scalarConst(f, n.type, n.value);
        return;
      case "dim":
        scopes.dim(n.dim);
        return;
      case "axis":
        f.get(this.counters[n.axis]!);
        return;
      case "slot":
        f.get(this.slots[n.slot]!.scalar);
        return;
      default:
    }
    const key = scalarKey(n);
    const known = scopes.find(key);
    if (known !== undefined) {
      f.get(known);
      return;
    }
    const at = scopes.scopeFor(this.level(n));
    if (at < scopes.cursor) scopes.keep(at, key, scalarValType(n.type), () => computeScalar(this, n));
    else {
      computeScalar(this, n);
      if (n.uses > 1) scopes.remember(key, scalarValType(n.type));
    }
  }

  /** Pushes what an access holds now. */
  loadScalar(access: Access): void {
    this.f.load(scalarLoadOp[access.type], this.addresses.push(access));
  }
  loadVector(access: Access): void {
    this.addresses.lanes(access, (at) => loadLanes(this.target, access, at, this.active));
  }

  // ---- vectors

  vector(n: Node): void {
    const { f, scopes } = this;
    if (!this.varies(n)) {
      this.splat(n);
      return;
    }
    if (n.kind === "slot") {
      f.get(this.slots[n.slot]!.vectors[this.copy]!);
      return;
    }
    const key = vectorKey(n, this.copy);
    const known = scopes.find(key);
    if (known !== undefined) {
      f.get(known);
      return;
    }
    const at = scopes.scopeFor(this.level(n));
    if (at < scopes.cursor) scopes.keep(at, key, "v128", () => computeVector(this, n));
    else {
      computeVector(this, n);
      if (n.uses > 1) scopes.remember(key, "v128");
    }
  }

  /** A value that all lanes share. */
  private splat(n: Node): void {
    const { f, scopes } = this;
    if (n.kind === "const") {
      this.constant(n.type, n.value);
      return;
    }
    const key = splatKey(n);
    const known = scopes.find(key);
    if (known !== undefined) {
      f.get(known);
      return;
    }
    const compute = (): void => {
      const direct = n.kind === "load" && n.uses === 1 && n.type !== "bool";
      if (direct)
        f.load(elementBytes(n.type) === 8 ? Op.v128_load64_splat : Op.v128_load32_splat, this.addresses.push(n.access));
      else {
        this.scalar(n);
        splat(this.target, n.type);
      }
    };
    const at = scopes.scopeFor(this.level(n));
    if (at < scopes.cursor) scopes.keep(at, key, "v128", compute);
    else {
      compute();
      if (n.uses > 1) scopes.remember(key, "v128");
    }
  }

  /** Pushes a constant in all lanes, from a local set at the function's beginning. */
  constant(type: ScalarType, value: number | bigint): void {
    const key = `${type} ${Object.is(value, -0) ? "-0" : value}`;
    this.fixed(key, () => vectorConst(this.f, type, value));
  }

  /** Pushes a vector that never changes. */
  fixed(key: string, write: () => void): void {
    let local = this.constants.get(key);
    if (local === undefined) {
      local = this.f.freshLocal("v128");
      this.constants.set(key, local);
      this.scopes.hoist(0, () => {
        write();
        this.f.set(local!);
      });
    }
    this.f.get(local);
  }
}
