import type { FunctionBuilder, Label } from "./module-builder.js";
import { Op } from "./opcodes.js";

/** A local, or what pushes a value: a constant, where it is known to be one. */
export type Value = number | Push;
interface Push {
  (): void;
  readonly constant?: number;
}

const constantOf = (v: Value): number | undefined => (typeof v === "number" ? undefined : v.constant);

/** Writes address arithmetic, loops and calls as expressions over i32 locals. */
export class Words {
  constructor(readonly f: FunctionBuilder) {}

  push(v: Value): void {
    if (typeof v === "number") this.f.get(v);
    else v();
  }
  set(local: number, v: Value): void {
    this.push(v);
    this.f.set(local);
  }
  /** A new i32 local, set to `v` if given. */
  word(v?: Value): number {
    const local = this.f.local("i32");
    if (v !== undefined) this.set(local, v);
    return local;
  }

  i32(n: number): Value {
    return Object.assign(() => this.f.i32(n), { constant: n });
  }
  protected binary(op: number, a: Value, b: Value): Value {
    return () => {
      this.push(a);
      this.push(b);
      this.f.op(op);
    };
  }
  add(a: Value, b: Value): Value {
    if (constantOf(a) === 0) return b;
    if (constantOf(b) === 0) return a;
    return this.binary(Op.i32_add, a, b);
  }
  sub(a: Value, b: Value): Value {
    return this.binary(Op.i32_sub, a, b);
  }
  mul(a: Value, b: Value): Value {
    if (constantOf(a) === 0 || constantOf(b) === 1) return a;
    if (constantOf(b) === 0 || constantOf(a) === 1) return b;
    return this.binary(Op.i32_mul, a, b);
  }
  div(a: Value, b: Value): Value {
    return constantOf(b) === 1 ? a : this.binary(Op.i32_div_u, a, b);
  }
  rem(a: Value, b: Value): Value {
    return constantOf(b) === 1 ? this.i32(0) : this.binary(Op.i32_rem_u, a, b);
  }
  /** a · 2ⁿ. */
  shl(a: Value, n: number): Value {
    return this.binary(Op.i32_shl, a, this.i32(n));
  }
  /** The low bits of a shifted right. */
  shr(a: Value, n: Value): Value {
    return this.binary(Op.i32_shr_u, a, n);
  }
  and(a: Value, b: Value): Value {
    return this.binary(Op.i32_and, a, b);
  }
  xor(a: Value, b: Value): Value {
    return this.binary(Op.i32_xor, a, b);
  }
  eq(a: Value, b: Value): Value {
    return this.binary(Op.i32_eq, a, b);
  }
  ne(a: Value, b: Value): Value {
    return this.binary(Op.i32_ne, a, b);
  }
  less(a: Value, b: Value): Value {
    return this.binary(Op.i32_lt_u, a, b);
  }
  /** a ≤ b, of unsigned words. */
  atMost(a: Value, b: Value): Value {
    return this.binary(Op.i32_le_u, a, b);
  }
  /** a ≤ b, of signed words. */
  atMostSigned(a: Value, b: Value): Value {
    return this.binary(Op.i32_le_s, a, b);
  }
  select(condition: Value, yes: Value, no: Value): Value {
    return () => {
      this.push(yes);
      this.push(no);
      this.push(condition);
      this.f.op(Op.select);
    };
  }
  min(a: Value, b: Value): Value {
    return this.select(this.less(a, b), a, b);
  }
  /** base + index · stride. */
  at(base: Value, index: Value, stride: Value): Value {
    return this.add(base, this.mul(index, stride));
  }
  advance(local: number, by: Value): void {
    this.set(local, this.add(local, by));
  }
  /** Two locals change their values. */
  swap(a: number, b: number): void {
    this.f.get(a);
    this.f.get(b);
    this.f.set(a);
    this.f.set(b);
  }

  call(fn: number, ...args: readonly Value[]): void {
    for (const arg of args) this.push(arg);
    this.f.call(fn);
  }
  /** What a call gives. */
  called(fn: number, ...args: readonly Value[]): Value {
    return () => this.call(fn, ...args);
  }
  when(condition: Value, then: () => void, otherwise?: () => void): void {
    this.push(condition);
    this.f.if(then, otherwise);
  }
  brIf(label: Label, condition: Value): void {
    this.push(condition);
    this.f.brIf(label);
  }
  /** while (condition) body. */
  whilst(condition: Value, body: () => void): void {
    this.when(condition, () => this.repeat(body, condition));
  }
  /** do body while (condition). */
  repeat(body: () => void, condition: Value): void {
    this.f.loop((top) => {
      body();
      this.brIf(top, condition);
    });
  }
  /** for (i = 0; i < end; i += step) body(i). */
  count(end: Value, step: number, body: (i: number) => void): void {
    const i = this.word(this.i32(0));
    this.whilst(this.less(i, end), () => {
      body(i);
      this.advance(i, this.i32(step));
    });
    this.f.free(i);
  }
  /** Runs the body `n` ≥ 1 times; n is a local that is 0 afterwards. */
  times(n: number, body: () => void): void {
    this.f.loop((top) => {
      body();
      this.push(this.sub(n, this.i32(1)));
      this.f.tee(n);
      this.f.brIf(top);
    });
  }

  loadWord(address: Value, offset = 0): Value {
    return () => {
      this.push(address);
      this.f.load(Op.i32_load, offset);
    };
  }
  storeWord(address: Value, v: Value, offset = 0): void {
    this.push(address);
    this.push(v);
    this.f.store(Op.i32_store, offset);
  }
}
