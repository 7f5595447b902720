import {
  add,
  addConst,
  clamp,
  div,
  type Index,
  isLit,
  lit,
  mod,
  scale,
  valueIndex,
} from "../../../src/kernel-ir/index-expr.js";
import type { BufferArg, NestKernel, Phase, Slot, Statement } from "../../../src/kernel-ir/kernel.js";
import {
  constant,
  type Expr,
  indexValue,
  keepRef,
  load,
  op,
  type ScalarType,
  slotRef,
} from "../../../src/kernel-ir/scalar.js";
import { accumulate, axes, buffer, type BufferType, nest, phase, slot, store } from "./build.js";

/** Makes random nests: any axes, strides, types, indirect indices, slots, row buffers, phases. The same seed, the same nest. */
export function randomNest(seed: number): NestKernel {
  return new Maker(seed).make();
}

const bools = ["and", "or", "xor"] as const;

/** A long chain of operations that are exact for quarters. */
function chain(x: Expr, y: Expr, length: number): Expr {
  let e = x;
  for (let k = 0; k < length; k++)
    e = op(k % 3 ? "min" : "add", [
      e,
      k % 3 ? op("sub", [constant("f32", k), e]) : op("max", [y, constant("f32", -k / 4)]),
    ]);
  return e;
}

class Maker {
  private state: number;
  private readonly buffers: { type: BufferType; access: BufferArg["access"]; length: number }[] = [];
  private readonly indexBuffers = new Set<number>();
  private readonly slots: Slot[] = [];
  private readonly keeps: ScalarType[] = [];
  private types: readonly BufferType[] = [];

  constructor(private readonly seed: number) {
    this.state = Math.imul(seed, 7919) + 13;
    for (let i = 0; i < 5; i++) this.random();
  }

  private random(): number {
    this.state = (Math.imul(this.state, 1664525) + 1013904223) >>> 0;
    let x = this.state ^ (this.state >>> 15);
    x = Math.imul(x, 0x2c1b3c6d) >>> 0;
    x ^= x >>> 12;
    return (x >>> 0) / 2 ** 32;
  }
  private int(n: number): number {
    return Math.floor(this.random() * n);
  }
  private pick<T>(list: readonly T[]): T {
    return list[this.int(list.length)]!;
  }
  private shuffled(n: number): number[] {
    const order = Array.from({ length: n }, (_, k) => k);
    for (let k = n - 1; k > 0; k--) {
      const j = this.int(k + 1);
      [order[k], order[j]] = [order[j]!, order[k]!];
    }
    return order;
  }

  make(): NestKernel {
    const rows = this.int(4);
    const reduced = this.random() < 0.5 ? this.int(3) : 0;
    const extents = Array.from({ length: rows + reduced }, () => this.pick([1, 2, 3, 4, 5, 7, 8, 9, 12, 16, 17, 20]));
    this.types = this.random() < 0.4 ? ["f32", "f64", "i32", "u32", "bool"] : ["f32", "f32", "i32", "u32", "bool"];
    const all = axes(extents);
    const phases: Phase[] = [];
    const finished: Expr[] = [];
    const kept: Expr[] = [];
    const count = reduced === 0 ? 1 : 1 + this.int(3);
    for (let p = 0; p < count; p++) {
      const known = [...finished, ...kept];
      const own: Expr[] = [];
      const body = Array.from({ length: 1 + this.int(3) }, () =>
        this.statement(all, extents, known, own, kept, reduced > 0, p < count - 1),
      );
      finished.push(...own);
      const after = own.map((s): Statement => {
        const [b, i] = this.place(s.type as BufferType, all.slice(0, rows), extents.slice(0, rows));
        return store(
          b,
          i,
          this.random() < 0.5
            ? s
            : this.expr(s.type as BufferType, all.slice(0, rows), extents.slice(0, rows), [...finished], 2),
        );
      });
      phases.push(phase(body, after));
    }
    return nest(`random ${this.seed}`, {
      buffers: this.buffers.map((b) => buffer(b.type, b.access, b.length)),
      parallel: extents.slice(0, rows),
      reduced: extents.slice(rows),
      slots: this.slots,
      keeps: this.keeps,
      phases,
    });
  }

  private statement(
    all: readonly Index[],
    extents: readonly number[],
    known: Expr[],
    own: Expr[],
    kept: Expr[],
    reduces: boolean,
    mayKeep: boolean,
  ): Statement {
    const t = this.pick(this.types);
    const kind = this.random();
    if (reduces && kind < 0.5) {
      const float = t === "f32" || t === "f64";
      const combine =
        t === "bool"
          ? this.pick(bools)
          : float
            ? this.pick(["add", "min", "max"] as const)
            : this.pick(["add", "mul", "min", "max", ...bools] as const);
      const running = this.random() < 0.15;
      const id = this.slots.push(slot(t, combine, t === "bool" ? this.int(2) : this.int(5), running)) - 1;
      const s = accumulate(id, this.expr(t, all, extents, known, 2));
      if (running) known.push(slotRef(t, id));
      own.push(slotRef(t, id));
      return s;
    }
    if (reduces && mayKeep && kind < 0.6) {
      const id = this.keeps.push(t) - 1;
      kept.push(keepRef(t, id));
      return { kind: "keep", keep: id, value: this.expr(t, all, extents, known, 2) };
    }
    const value = this.expr(t, all, extents, known, 3);
    const [b, i] = this.place(t, all, extents);
    return store(b, i, value);
  }

  /** A result whose every point has an element of its own. */
  private place(t: BufferType, all: readonly Index[], extents: readonly number[]): [number, Index] {
    const order = this.random() < 0.3 ? this.shuffled(all.length) : all.map((_, k) => k);
    let stride = 1;
    let i = lit(0);
    for (const k of order.reverse()) {
      i = this.along(i, all[k]!, extents[k]!, stride, 0.1);
      stride *= extents[k]!;
      if (this.random() < 0.1) stride += 2;
    }
    return [this.buffers.push({ type: t, access: "write", length: Math.max(1, i.hi + 1) }) - 1, i];
  }

  /** i + stride · axis, or the axis walked backwards. */
  private along(i: Index, axis: Index, extent: number, stride: number, backwards: number): Index {
    if (this.random() >= backwards) return add(i, scale(axis, stride));
    return addConst(add(i, scale(axis, -stride)), stride * (extent - 1));
  }

  private expr(t: BufferType, all: readonly Index[], extents: readonly number[], known: Expr[], depth: number): Expr {
    if (depth <= 0 || this.random() < 0.2) return this.leaf(t, all, extents, known);
    const sub = (u: BufferType): Expr => this.expr(u, all, extents, known, depth - 1);
    const e = this.operation(t, sub);
    known.push(e);
    return e;
  }

  private operation(t: BufferType, sub: (u: BufferType) => Expr): Expr {
    if (this.random() < 0.15) {
      const x = sub(this.pick(this.types));
      return x.type === t ? x : op("convert", [x], t);
    }
    if (this.random() < 0.15) return op("select", [sub("bool"), sub(t), sub(t)]);
    if (t === "f32" && this.random() < 0.04) {
      const [x, y, p] = [sub(t), sub(t), sub("bool")];
      const value = op("select", [p, chain(x, y, 60), chain(y, x, 9)]);
      return this.random() < 0.5 ? value : op("max", [value, op("select", [p, chain(y, value, 50), x])]);
    }
    switch (t) {
      case "bool": {
        const u = this.pick(this.types.filter((x) => x !== "bool"));
        return this.random() < 0.5
          ? op(this.pick(["lt", "le", "eq", "ne", "gt", "ge"] as const), [sub(u), sub(u)])
          : op(this.pick(bools), [sub(t), sub(t)]);
      }
      case "f32":
      case "f64":
        return this.random() < 0.3
          ? op(this.pick(["neg", "abs", "floor", "trunc"] as const), [sub(t)])
          : op(this.pick(["add", "sub", "min", "max"] as const), [sub(t), sub(t)]);
      default:
        if (this.random() < 0.2)
          return op(this.pick(["shl", "shrL", "shrA"] as const), [
            sub(t),
            this.random() < 0.5 ? constant(t, this.int(31)) : op("and", [sub(t), constant(t, 31)]),
          ]);
        if (this.random() < 0.1)
          return op(this.pick(["div", "rem"] as const), [
            sub(t),
            op("or", [op("and", [sub(t), constant(t, 7)]), constant(t, 1)]),
          ]);
        return op(this.pick(["add", "sub", "mul", "min", "max", "and", "xor"] as const), [sub(t), sub(t)]);
    }
  }

  private leaf(t: BufferType, all: readonly Index[], extents: readonly number[], known: readonly Expr[]): Expr {
    const same = known.filter((k) => k.type === t);
    const r = this.random();
    if (same.length > 0 && r < 0.5) return this.pick(same);
    if (r < 0.6) return constant(t, t === "bool" ? this.int(2) : t === "u32" ? this.int(9) : this.int(9) - 4);
    if (r < 0.7 && t === "i32" && all.length > 0) return indexValue(this.pick(all));
    return this.loaded(t, all, extents);
  }

  private loaded(t: BufferType, all: readonly Index[], extents: readonly number[]): Expr {
    let i = this.anyIndex(all, extents);
    if (this.random() < 0.1 && t !== "bool") {
      const last = 4;
      const ids = this.buffers.push({ type: "i32", access: "read", length: Math.max(1, i.hi + 1) }) - 1;
      this.indexBuffers.add(ids);
      const v = valueIndex(
        op("min", [op("max", [load("i32", ids, i), constant("i32", 0)]), constant("i32", last)]),
        0,
        last,
      );
      i = all.length > 0 && this.random() < 0.5 ? add(scale(v, extents[extents.length - 1]!), all[all.length - 1]!) : v;
    }
    const length = Math.max(1, i.hi + 1);
    const fits = this.buffers.findIndex(
      (b, k) => b.type === t && b.access === "read" && b.length >= length && !this.indexBuffers.has(k),
    );
    if (fits >= 0 && this.random() < 0.5) return load(t, fits, i);
    return load(t, this.buffers.push({ type: t, access: "read", length }) - 1, i);
  }

  private anyIndex(all: readonly Index[], extents: readonly number[]): Index {
    let stride = 1;
    let i = lit(0);
    for (const k of this.shuffled(all.length)) {
      if (this.random() < 0.25) continue;
      i = this.along(i, all[k]!, extents[k]!, stride, 0.15);
      stride *= extents[k]! + (this.random() < 0.2 ? 1 : 0);
    }
    if (this.random() < 0.3) i = addConst(i, this.int(4));
    if (this.random() < 0.15 && !isLit(i)) {
      const d = 2 + this.int(6);
      i = this.random() < 0.5 ? div(i, d) : mod(i, d);
    }
    return this.random() < 0.1 ? clamp(addConst(i, -this.int(5)), 0, this.int(20)) : i;
  }
}
