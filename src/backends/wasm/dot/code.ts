import type { FunctionBuilder, Label, ModuleBuilder, ValType } from "../module-builder.js";
import { Op } from "../opcodes.js";
import type { Arithmetic } from "./arithmetic.js";

/** A local, or what pushes a value: a constant, where it is known to be one. */
export type Value = number | Push;
interface Push {
  (): void;
  readonly constant?: number;
}

const constantOf = (v: Value): number | undefined => (typeof v === "number" ? undefined : v.constant);

/** Writes the address arithmetic, loops and calls of the dot kernels as expressions over i32 locals. */
export class Code {
  constructor(
    readonly f: FunctionBuilder,
    readonly t: Arithmetic,
  ) {}

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
  vector(): number {
    return this.f.local("v128");
  }

  i32(n: number): Value {
    return Object.assign(() => this.f.i32(n), { constant: n });
  }
  private binary(op: number, a: Value, b: Value): Value {
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
  and(a: Value, b: Value): Value {
    return this.binary(Op.i32_and, a, b);
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

  call(fn: number, ...args: readonly Value[]): void {
    for (const arg of args) this.push(arg);
    this.f.call(fn);
  }
  when(condition: Value, then: () => void, otherwise?: () => void): void {
    this.push(condition);
    this.f.if(then, otherwise);
  }
  /** while (condition) body. */
  whilst(condition: Value, body: () => void): void {
    this.when(condition, () =>
      this.f.loop((top: Label) => {
        body();
        this.push(condition);
        this.f.brIf(top);
      }),
    );
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

  loadWord(address: Value, offset: number): Value {
    return () => {
      this.push(address);
      this.f.load(Op.i32_load, offset);
    };
  }
  storeWord(address: Value, v: Value): void {
    this.push(address);
    this.push(v);
    this.f.store(Op.i32_store, 0);
  }
  loadVector(address: Value, offset = 0): Value {
    return () => {
      this.push(address);
      this.f.load(Op.v128_load, offset);
    };
  }
  storeVector(address: Value, v: Value, offset = 0): void {
    this.push(address);
    this.push(v);
    this.f.store(Op.v128_store, offset);
  }
  loadSplat(address: Value): Value {
    return () => {
      this.push(address);
      this.f.load(this.t.loadSplat);
    };
  }
  load(address: Value): Value {
    return () => {
      this.push(address);
      this.f.load(this.t.load);
    };
  }
  store(address: Value, v: Value, offset = 0): void {
    this.push(address);
    this.push(v);
    this.f.store(this.t.store, offset);
  }
  vectorAdd(a: Value, b: Value): Value {
    return this.binary(this.t.vectorAdd, a, b);
  }
  scalarAdd(a: Value, b: Value): Value {
    return this.binary(this.t.add, a, b);
  }
  scalarMul(a: Value, b: Value): Value {
    return this.binary(this.t.mul, a, b);
  }
  zeros(): Value {
    return () => this.f.v128(zeroBytes);
  }
  /** sum + a · b, lane by lane. */
  multiplyAdd(a: Value, b: Value, sum: Value): Value {
    if (!this.t.fused) return this.vectorAdd(this.binary(this.t.vectorMul, a, b), sum);
    return () => {
      this.push(a);
      this.push(b);
      this.push(sum);
      this.f.op(this.t.vectorMadd);
    };
  }
  /** The sum of a vector's lanes. */
  lanesSum(v: number): Value {
    return () => {
      for (let lane = 0; lane < this.t.lanes; lane++) {
        this.f.get(v);
        this.f.lane(this.t.extractLane, lane);
        if (lane > 0) this.f.op(this.t.add);
      }
    };
  }
}

const zeroBytes = new Uint8Array(16);

const shared = new WeakMap<ModuleBuilder, Map<string, number>>();

/** A function over i32 parameters that all dots of a module share: written at its first use. Gives its index. */
export function sharedFunction(
  m: ModuleBuilder,
  t: Arithmetic,
  name: string,
  params: number,
  write: (c: Code) => void,
): number {
  let functions = shared.get(m);
  if (!functions) shared.set(m, (functions = new Map()));
  const key = `${name}_${t.type}${t.fused ? "" : "_unfused"}`;
  let index = functions.get(key);
  if (index === undefined) {
    const f = m.func(key, Array<ValType>(params).fill("i32"));
    index = f.index;
    functions.set(key, index);
    write(new Code(f, t));
  }
  return index;
}
