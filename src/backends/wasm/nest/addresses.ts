import { invariant } from "../../../core/errors.js";
import type { FunctionBuilder } from "../module-builder.js";
import { Op } from "../opcodes.js";
import { elementBytes, keepBytes, type LaneAddresses } from "./memory.js";
import { type Access, isImmediate, type LoopNest, type Node, type Pointer } from "./nodes.js";
import { type Loop, scaledKey, type Scopes } from "./scopes.js";

/** What addresses need of the values that they are made of. */
export interface IndexValues {
  scalar(n: Node): void;
  vector(n: Node): void;
  varies(n: Node): boolean;
  level(n: Node): number;
  readonly axisLevel: readonly number[];
  readonly counters: readonly number[];
  readonly vectorAxis: number;
  /** The copy of a vector body being written. */
  readonly copy: number;
}

/**
 * Writes addresses. A pointer moves with the innermost loop that its index depends on: it is set before the loop from the
 * pointer of the loops around, and moved at the end of each round.
 */
export class Addresses {
  /** Pointers into the row buffers, of the phase being written. */
  private keepPointers = new Map<number, number>();

  constructor(
    private readonly nest: LoopNest,
    private readonly f: FunctionBuilder,
    private readonly scopes: Scopes,
    private readonly values: IndexValues,
    private readonly bufferLocal: (buffer: number) => number,
    private readonly scratchLocal: number,
  ) {}

  /** Pushes the address of an access that is the same in all lanes, but for the static offset that it returns. */
  push(access: Access): number {
    this.f.get(this.pointer(access.pointer));
    if (access.opaque) {
      this.scaledOpaque(access.opaque, elementBytes(access.type));
      this.f.op(Op.i32_add);
    }
    return access.offset;
  }

  /** Pushes an opaque index in bytes. */
  private scaledOpaque(n: Node, bytes: number): void {
    const { f, scopes } = this;
    const compute = (): void => {
      this.values.scalar(n);
      f.i32(bytes === 8 ? 3 : 2);
      f.op(Op.i32_shl);
    };
    const key = scaledKey(n, bytes);
    const known = scopes.find(key);
    if (known !== undefined) {
      f.get(known);
      return;
    }
    const at = scopes.scopeFor(this.values.level(n));
    if (at < scopes.cursor) scopes.keep(at, key, "i32", compute);
    else compute();
  }

  /** Gives the addresses of an access in a vector body to `use`. */
  lanes(access: Access, use: (at: LaneAddresses) => void): void {
    const { f, scopes } = this;
    const bytes = elementBytes(access.type);
    const coeff = access.pointer.coeffs[this.values.vectorAxis]!;
    const { opaque } = access;
    const scattered = opaque !== null && this.values.varies(opaque);
    let indices = -1;
    if (scattered) {
      this.values.vector(opaque);
      f.i32(bytes === 8 ? 3 : 2);
      f.op(Op.i32x4_shl);
      indices = f.local("v128");
      f.set(indices);
    }
    const push = (lane: number): number => {
      f.get(this.pointer(access.pointer));
      if (scattered) {
        f.get(indices);
        f.lane(Op.i32x4_extract_lane, lane);
        f.op(Op.i32_add);
      } else if (opaque) {
        this.scaledOpaque(opaque, bytes);
        f.op(Op.i32_add);
      }
      const step = this.values.copy * this.nest.lanes + lane;
      if (coeff === 0 || step === 0) return access.offset;
      if (isImmediate(coeff)) {
        const delta = access.offset + coeff * step * bytes;
        if (delta >= 0) return delta;
        f.i32(delta);
        f.op(Op.i32_add);
        return 0;
      }
      scopes.addDim(coeff, step * bytes);
      return access.offset;
    };
    use({ stride: scattered ? null : coeff, push });
    if (scattered) f.free(indices);
  }

  /** The local that holds a pointer in the innermost loop that moves it. */
  private pointer(p: Pointer, at = this.scopes.cursor): number {
    const { f, scopes } = this;
    for (let i = at; i > 0; i--) {
      const scope = scopes.stack[i]!;
      const known = scope.bases.get(p.id);
      if (known !== undefined) return known;
      const { loop } = scope;
      if (loop && p.coeffs[loop.axis] !== 0) return this.movingPointer(p, loop, i);
      if (scope.level === 1 && p.coeffs.some((c, axis) => c !== 0 && this.values.axisLevel[axis] === 1)) {
        const local = f.freshLocal("i32");
        scopes.hoist(i, () => {
          f.get(this.pointer(p, i - 1));
          p.coeffs.forEach((c, axis) => {
            if (this.values.axisLevel[axis] === 1) scopes.addScaled(c, p.bytes, this.values.counters[axis]!);
          });
          f.set(local);
        });
        scope.bases.set(p.id, local);
        return local;
      }
    }
    if (p.base === 0) return this.bufferLocal(p.buffer);
    const { bases } = scopes.stack[0]!;
    let local = bases.get(p.id);
    if (local === undefined) {
      local = f.freshLocal("i32");
      bases.set(p.id, local);
      scopes.hoist(0, () => {
        f.get(this.bufferLocal(p.buffer));
        scopes.addDim(p.base, p.bytes);
        f.set(local!);
      });
    }
    return local;
  }

  private movingPointer(p: Pointer, loop: Loop, at: number): number {
    const { f, scopes } = this;
    const known = loop.pointers.get(p.id);
    if (known) return known.local;
    invariant(!loop.closed, `pointer ${p.id} first used after the first run of its loop`);
    const local = f.freshLocal("i32");
    loop.pointers.set(p.id, { local, pointer: p });
    scopes.hoist(at - 1, () => {
      f.get(this.pointer(p, at - 1));
      if (loop.offset) scopes.addScaled(p.coeffs[loop.axis]!, p.bytes, loop.counter);
      f.set(local);
    });
    return local;
  }

  /** Begins a phase: its reduced points are walked anew. */
  startPhase(): void {
    this.keepPointers = new Map();
  }

  keepPointer(keep: number): number {
    const { f, scopes, nest } = this;
    const known = this.keepPointers.get(keep);
    if (known !== undefined) return known;
    const local = f.freshLocal("i32");
    this.keepPointers.set(keep, local);
    const row = scopes.stack.findIndex((s) => s.level === 2);
    scopes.hoist(row, () => {
      f.get(this.scratchLocal);
      scopes.addDim(nest.keepOffsets[keep]!, 1);
      f.set(local);
    });
    const innermost = scopes.stack[scopes.stack.length - 1]!.loop;
    const bytes = keepBytes(nest.keeps[keep]!, nest.lanes);
    if (innermost && innermost.axis >= nest.parallel) {
      invariant(!innermost.closed, `row buffer ${keep} first used after the first run of its loop`);
      innermost.movers.push({ local, bytes: nest.mode === "parallel" ? bytes * nest.lanes * nest.copies : bytes });
    }
    return local;
  }
}
