import { InternalError } from "../../../core/errors.js";
import type { ScalarType } from "../../../kernel-ir/scalar.js";
import type { FunctionBuilder } from "../module-builder.js";
import { Op } from "../opcodes.js";
import { Addresses } from "./addresses.js";
import type { Branch } from "./branches.js";
import { elementBytes, keepBytes, loadLanes, loadRun, scalarLoadOp } from "./memory.js";
import { type Access, type Dim, isImmediate, type LoopNest, type Node, type NodeOf } from "./nodes.js";
import { isShift, lesserOf, rotationOf, valueType } from "./patterns.js";
import { scalarConst, scalarOp, scalarValType } from "./scalar-ops.js";
import { isVectorKey, scalarKey, type Scopes, splatKey, vectorKey } from "./scopes.js";
import {
  extractLane,
  hasVectorForm,
  rotateBytes,
  replaceLane,
  splat,
  vectorConst,
  vectorOp,
  type VectorTarget,
} from "./vector-ops.js";

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
  /** Branches that this copy has gone through, with the locals of their values; none while one is being written. */
  private readonly opened = new Map<Branch, readonly number[]>();

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
    for (const locals of this.opened.values()) for (const local of locals) this.f.free(local);
    this.opened.clear();
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
    if (at < scopes.cursor) scopes.keep(at, key, scalarValType(n.type), () => this.computeScalar(n));
    else {
      this.computeScalar(n);
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

  private computeScalar(n: Node): void {
    const { f, scopes } = this;
    switch (n.kind) {
      case "load":
        this.loadScalar(n.access);
        return;
      case "keep":
        f.get(this.addresses.keepPointer(n.keep));
        f.load(scalarLoadOp[n.type], 0);
        return;
      case "op": {
        const branches = scopes.inPlace ? this.nest.branches.get(n) : undefined;
        if (branches) {
          this.selectFrom(n, branches, false);
          return;
        }
        const rotation = rotationOf(n);
        if (rotation) {
          this.scalar(rotation.x);
          f.i32(rotation.left);
          f.op(Op.i32_rotl);
          return;
        }
        this.pushOperands(n, (a) => this.scalar(a));
        scalarOp(f, n.op, n.type, valueType(n), this.relaxed);
        return;
      }
      case "muladd": {
        const [x, y] = n.args as readonly [Node, Node];
        const alone = x.kind === "dim" && x.dim === 0;
        if (!alone) this.scalar(x);
        this.scalar(y);
        if (n.coeff !== 1) {
          scopes.dim(n.coeff);
          f.op(Op.i32_mul);
        }
        if (!alone) f.op(Op.i32_add);
        return;
      }
      case "clamp":
        this.scalar(n.args[0]!);
        scopes.dim(n.lo);
        scalarOp(f, "max", "i32", "i32", false);
        scopes.dim(n.hi);
        scalarOp(f, "min", "i32", "i32", false);
        return;
      case "div":
      case "mod":
        this.scalar(n.args[0]!);
        this.divide(n);
        return;
      default:
        throw new InternalError(`no scalar code for a ${n.kind} node`);
    }
  }

  /** Stack: x → floor(x / d), or x − d · floor(x / d). */
  private divide(n: NodeOf<"div" | "mod">): void {
    const { f, scopes } = this;
    if (n.nonnegative) {
      scopes.dim(n.divisor);
      f.op(n.kind === "div" ? Op.i32_div_u : Op.i32_rem_u);
      return;
    }
    const x = f.local("i32");
    if (n.kind === "div") {
      // truncating division of x − (d − 1) where x is negative
      f.tee(x);
      f.get(x);
      f.i32(31);
      f.op(Op.i32_shr_s);
      scopes.dim(n.divisor);
      f.i32(1);
      f.op(Op.i32_sub);
      f.op(Op.i32_and);
      f.op(Op.i32_sub);
      scopes.dim(n.divisor);
      f.op(Op.i32_div_s);
    } else {
      scopes.dim(n.divisor);
      f.op(Op.i32_rem_s);
      f.tee(x);
      f.get(x);
      f.i32(31);
      f.op(Op.i32_shr_s);
      scopes.dim(n.divisor);
      f.op(Op.i32_and);
      f.op(Op.i32_add);
    }
    f.free(x);
  }

  /** Operands in WebAssembly's order: select takes its condition last. */
  private pushOperands(n: NodeOf<"op">, push: (a: Node) => void): void {
    if (n.op === "select") {
      push(n.args[1]!);
      push(n.args[2]!);
      push(n.args[0]!);
    } else for (const a of n.args) push(a);
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
    if (at < scopes.cursor) scopes.keep(at, key, "v128", () => this.computeVector(n));
    else {
      this.computeVector(n);
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

  private computeVector(n: Node): void {
    const { f, scopes, target } = this;
    switch (n.kind) {
      case "load":
        this.loadVector(n.access);
        return;
      case "keep": {
        const bytes = keepBytes(n.type, this.nest.lanes);
        f.get(this.addresses.keepPointer(n.keep));
        loadRun(f, bytes, this.active, this.copy * this.nest.lanes * bytes);
        return;
      }
      case "op": {
        const branches = scopes.inPlace ? this.nest.branches.get(n) : undefined;
        if (branches) {
          this.selectFrom(n, branches, true);
          return;
        }
        const rotation = rotationOf(n);
        if (rotation && rotation.left % 8 === 0) {
          this.vector(rotation.x);
          rotateBytes(f, rotation.left / 8);
          return;
        }
        const lesser = lesserOf(n);
        if (lesser) {
          for (const a of lesser.args) this.vector(a);
          f.op(lesser.code);
          return;
        }
        const amount = isShift(n.op) ? n.args[1]! : undefined;
        if (!hasVectorForm(n.op, n.type, valueType(n)) || (amount && this.varies(amount))) {
          this.laneByLane(
            n.args,
            n.type,
            () => scalarOp(f, n.op, n.type, valueType(n), this.relaxed),
            n.op === "select",
          );
          return;
        }
        if (amount) {
          this.vector(n.args[0]!);
          this.scalar(amount);
          if (amount.type === "i64") f.op(Op.i32_wrap_i64);
        } else this.pushOperands(n, (a) => this.vector(a));
        vectorOp(target, n.op, n.type, valueType(n));
        return;
      }
      case "axis": {
        const first = this.copy * this.nest.lanes;
        f.get(this.counters[n.axis]!);
        f.op(Op.i32x4_splat);
        this.fixed(`lanes ${first}`, () => f.i32x4(first, first + 1, first + 2, first + 3));
        f.op(Op.i32x4_add);
        return;
      }
      case "muladd": {
        const [x, y] = n.args as readonly [Node, Node];
        const alone = x.kind === "dim" && x.dim === 0;
        if (!alone) this.vector(x);
        this.vector(y);
        if (n.coeff !== 1) {
          this.splatDim(n.coeff);
          f.op(Op.i32x4_mul);
        }
        if (!alone) f.op(Op.i32x4_add);
        return;
      }
      case "clamp":
        this.vector(n.args[0]!);
        this.splatDim(n.lo);
        f.op(Op.i32x4_max_s);
        this.splatDim(n.hi);
        f.op(Op.i32x4_min_s);
        return;
      case "div":
      case "mod":
        this.laneByLane(n.args, "i32", () => this.divide(n), false);
        return;
      default:
        throw new InternalError(`no vector code for a ${n.kind} node`);
    }
  }

  /** A select some of whose values are computed in branches. */
  private selectFrom(n: NodeOf<"op">, branches: readonly Branch[], vector: boolean): void {
    const { f } = this;
    const condition = f.local(vector ? "v128" : "i32");
    this.value(n.args[0]!, vector);
    f.set(condition);
    for (const b of branches) if (!this.opened.has(b)) this.open(b, condition, vector);
    for (const side of [1, 2] as const) {
      const value = n.args[side]!;
      const branch = branches.find((b) => b.side === side);
      const local = branch && this.opened.get(branch)![branch.values.indexOf(value)];
      if (local === undefined) this.value(value, vector);
      else f.get(local);
    }
    f.get(condition);
    f.free(condition);
    if (vector) vectorOp(this.target, "select", n.type, n.type);
    else f.op(Op.select);
  }

  /** Computes the values of a branch, where any lane needs them. */
  private open(b: Branch, condition: number, vector: boolean): void {
    const { f, scopes } = this;
    // Selects inside of the branch that are its own are plain ones.
    this.opened.set(b, []);
    for (const n of b.before) {
      this.value(n, vector);
      f.op(Op.drop);
    }
    const outside = new Set(this.opened.keys());
    const locals = b.values.map((v) => f.local(vector ? "v128" : scalarValType(v.type)));
    f.get(condition);
    // what lies in lanes beyond the first is anything
    if (vector && this.active === 1) f.lane(Op.i32x4_extract_lane, 0);
    else if (vector && b.side === 1) f.op(Op.v128_any_true);
    else if (vector) f.op(this.nest.lanes === 2 ? Op.i64x2_all_true : Op.i32x4_all_true);
    if (b.side === 2) f.op(Op.i32_eqz);
    f.if(() =>
      scopes.conditional(() => {
        b.values.forEach((v, k) => {
          this.value(v, vector);
          f.set(locals[k]!);
        });
      }),
    );
    // What was opened in here may not have been computed.
    for (const [inner, values] of this.opened) {
      if (outside.has(inner)) continue;
      for (const local of values) f.free(local);
      this.opened.delete(inner);
    }
    this.opened.set(b, locals);
  }

  private value(n: Node, vector: boolean): void {
    if (vector) this.vector(n);
    else this.scalar(n);
  }

  private splatDim(d: Dim): void {
    if (isImmediate(d)) this.constant("i32", d);
    else
      this.fixed(`p${d.slot}`, () => {
        this.scopes.dim(d);
        this.f.op(Op.i32x4_splat);
      });
  }

  /** Computes each active lane by scalar code. */
  private laneByLane(args: readonly Node[], type: ScalarType, write: () => void, conditionLast: boolean): void {
    const { f, target } = this;
    const operands = args.map((a) => {
      const vector = this.varies(a);
      if (vector) this.vector(a);
      else this.scalar(a);
      const local = f.local(vector ? "v128" : scalarValType(a.type));
      f.set(local);
      return { local, vector, type: a.type };
    });
    const ordered = conditionLast ? [operands[1]!, operands[2]!, operands[0]!] : operands;
    const result = f.local("v128");
    for (let lane = 0; lane < this.active; lane++) {
      if (lane > 0) f.get(result);
      for (const o of ordered) {
        f.get(o.local);
        if (o.vector) extractLane(target, o.type, lane);
      }
      write();
      if (lane === 0) splat(target, type);
      else replaceLane(target, type, lane);
      f.set(result);
    }
    f.get(result);
    f.free(result);
    for (const o of operands) f.free(o.local);
  }
}
