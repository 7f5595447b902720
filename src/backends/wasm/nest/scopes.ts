import { ByteWriter } from "../assembler.js";
import type { FunctionBuilder, ValType } from "../module-builder.js";
import { Op } from "../opcodes.js";
import { type Dim, isImmediate, type Node, type Pointer, ROW } from "./nodes.js";

/**
 * Nested scopes of a kernel function: 0 the function, 1 the segment (fixed outer coordinates), 2 a row or a vector of rows,
 * 3 and up the reduced axes. Code that a loop needs but that does not change in it is hoisted: written, on first use, into
 * the code before the loop. Values computed there stay in locals of their own; locals of straight-line code are recycled.
 */
export interface Scope {
  readonly level: number;
  readonly loop: Loop | null;
  /** Locals by key of value. */
  readonly memo: Map<number, number>;
  /** Pointers that no loop of this scope moves. */
  readonly bases: Map<number, number>;
  /** Recycled locals that hold remembered values. */
  temps: { readonly key: number; readonly local: number }[];
  /** Code before the loop that is open in this scope. */
  pre: ByteWriter | null;
}

/** A loop over one axis, or the runs (vectors, rest) that share its pointers. */
export interface Loop {
  readonly axis: number;
  readonly counter: number;
  /** The counter may begin beyond 0. */
  readonly offset: boolean;
  /** Local of each pointer that moves with the axis. */
  readonly pointers: Map<number, { readonly local: number; readonly pointer: Pointer }>;
  /** More locals to move: by bytes an element of progress. */
  readonly movers: { readonly local: number; readonly bytes: number }[];
  closed: boolean;
}

export class Scopes {
  readonly stack: Scope[] = [];
  /** The scope that code is written for: the top, or an outer one while hoisting. */
  cursor = -1;
  private readonly prologue = new ByteWriter(256);
  private readonly scaled = new Map<string, number>();

  constructor(
    readonly f: FunctionBuilder,
    private readonly paramsLocal: number,
  ) {
    this.push(0, null).pre = this.prologue;
  }

  get current(): Scope {
    return this.stack[this.cursor]!;
  }

  push(level: number, loop: Loop | null): Scope {
    const scope: Scope = { level, loop, memo: new Map(), bases: new Map(), temps: [], pre: null };
    this.stack.push(scope);
    this.cursor = this.stack.length - 1;
    return scope;
  }

  pop(): void {
    this.release(() => true);
    this.stack.pop();
    this.cursor = this.stack.length - 1;
  }

  /** Ends the function: constants and parameters come first. */
  finish(): void {
    const body = this.f.code;
    this.prologue.appendWriter(body);
    this.f.code = this.prologue;
  }

  /** Writes `inner` with a place before it into which it may hoist. */
  withPre(inner: () => void): void {
    const { f } = this;
    const scope = this.current;
    const outer = f.code;
    const before = scope.pre;
    const pre = new ByteWriter(256);
    const body = new ByteWriter(512);
    scope.pre = pre;
    f.code = body;
    inner();
    f.code = outer;
    outer.appendWriter(pre);
    outer.appendWriter(body);
    scope.pre = before;
  }

  // ---- values

  levelOf(deps: number, axisLevel: readonly number[]): number {
    let level = (deps & ROW) !== 0 ? 2 : 0;
    const axes = deps & (ROW - 1);
    if (axes !== 0) level = Math.max(level, axisLevel[31 - Math.clz32(axes)]!);
    return level;
  }

  find(key: number): number | undefined {
    for (let i = this.cursor; i >= 0; i--) {
      const local = this.stack[i]!.memo.get(key);
      if (local !== undefined) return local;
    }
    return undefined;
  }

  /** Index of the scope where a value of this level is computed. */
  scopeFor(level: number): number {
    let i = this.cursor;
    while (i > 0 && this.stack[i]!.level > level) i--;
    return i;
  }

  /** Runs `write` with code going before the loop open in scope `at`. */
  hoist(at: number, write: () => void): void {
    if (at === this.cursor) {
      write();
      return;
    }
    const { f } = this;
    const { cursor } = this;
    const { code } = f;
    this.cursor = at;
    f.code = this.stack[at]!.pre!;
    write();
    f.code = code;
    this.cursor = cursor;
  }

  /** Leaves what `write` pushes in a local of scope `at` under a key, and pushes it. */
  keep(at: number, key: number, type: ValType, write: () => void): void {
    const local = this.f.freshLocal(type);
    this.hoist(at, () => {
      write();
      this.f.set(local);
    });
    this.stack[at]!.memo.set(key, local);
    this.f.get(local);
  }

  /** Remembers the value on the stack in the current scope, leaving it there. */
  remember(key: number, type: ValType): void {
    const { f } = this;
    if (this.cursor < this.stack.length - 1) {
      const local = f.freshLocal(type);
      f.tee(local);
      this.current.memo.set(key, local);
      return;
    }
    const local = f.local(type);
    f.tee(local);
    this.current.memo.set(key, local);
    this.current.temps.push({ key, local });
  }

  /** Forgets remembered values of the top scope. */
  release(which: (key: number) => boolean): void {
    const top = this.stack[this.stack.length - 1]!;
    const kept: typeof top.temps = [];
    for (const t of top.temps) {
      if (!which(t.key)) {
        kept.push(t);
        continue;
      }
      top.memo.delete(t.key);
      this.f.free(t.local);
    }
    top.temps = kept;
  }

  /** Whether code is being written where it runs, not hoisted. */
  get inPlace(): boolean {
    return this.cursor === this.stack.length - 1;
  }

  /** Writes code that may not run: what it remembers is forgotten behind it. */
  conditional(write: () => void): void {
    const { temps } = this.stack[this.stack.length - 1]!;
    const before = new Set(temps.map((t) => t.key));
    write();
    this.release((key) => !before.has(key));
  }

  // ---- numbers

  /** Pushes a number times an immediate factor. */
  dim(d: Dim, factor = 1): void {
    if (isImmediate(d)) {
      this.f.i32(d * factor);
      return;
    }
    const key = `${d.slot}*${factor}`;
    let local = this.scaled.get(key);
    if (local === undefined) {
      local = this.f.freshLocal("i32");
      this.scaled.set(key, local);
      this.hoist(0, () => {
        if (factor === 1) {
          this.f.get(this.paramsLocal);
          this.f.load(Op.i32_load, d.slot * 4);
        } else {
          this.dim(d);
          this.f.i32(factor);
          this.f.op(Op.i32_mul);
        }
        this.f.set(local!);
      });
    }
    this.f.get(local);
  }

  /** Stack: sum → sum + d · factor. */
  addDim(d: Dim, factor: number): void {
    if (d === 0) return;
    this.dim(d, factor);
    this.f.op(Op.i32_add);
  }

  /** Stack: sum → sum + d · factor · local. */
  addScaled(d: Dim, factor: number, local: number): void {
    if (d === 0) return;
    this.f.get(local);
    if (d !== 1 || factor !== 1) {
      this.dim(d, factor);
      this.f.op(Op.i32_mul);
    }
    this.f.op(Op.i32_add);
  }
}

/** Keys under which values of a node are remembered. */
export const scalarKey = (n: Node): number => n.id * 16;
export const splatKey = (n: Node): number => n.id * 16 + 1;
export const vectorKey = (n: Node, copy: number): number => n.id * 16 + 2 + copy;
export const scaledKey = (n: Node, bytes: number): number => n.id * 16 + (bytes === 8 ? 15 : 14);
/** Of a value that differs between copies of a vector body. */
export const isVectorKey = (key: number): boolean => (key & 15) >= 2 && (key & 15) < 14;
