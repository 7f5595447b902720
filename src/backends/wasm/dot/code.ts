import type { FunctionBuilder, ModuleBuilder, ValType } from "../module-builder.js";
import { Op } from "../opcodes.js";
import { type Value, Words } from "../words.js";
import type { Arithmetic } from "./arithmetic.js";

/** Writes the dot kernels: address arithmetic over words, and the arithmetic of their elements. */
export class Code extends Words {
  constructor(
    f: FunctionBuilder,
    readonly t: Arithmetic,
  ) {
    super(f);
  }

  vector(): number {
    return this.f.local("v128");
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
