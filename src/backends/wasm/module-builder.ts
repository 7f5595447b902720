import { ByteWriter } from "./assembler.js";
import { Op } from "./opcodes.js";

/**
 * Builds a WebAssembly module function by function.
 *
 *   const m = new ModuleBuilder();                       // imports "env"."memory"
 *   const f = m.func("axpy", ["i32", "i32"], []);        // FunctionBuilder; params are locals 0 and 1
 *   const acc = f.local("v128");                         // a new local; f.free(acc) gives it back for reuse
 *   f.loop((top) => {                                    // structured: block, loop, if; labels are passed in
 *     f.get(0); f.load(Op.v128_load, 16); f.get(acc); f.op(Op.f32x4_add); f.set(acc);
 *     f.get(1); f.brIf(top);                             // br_if back to the loop's head
 *   });
 *   m.exportFunction("axpy", f.index);
 *   new WebAssembly.Module(m.toBytes());
 *
 * Code is a stack machine: each call of a FunctionBuilder appends one instruction. `f.op(Op.x)` is for instructions without
 * immediates; the others have methods of their own: get set tee i32 i64 f32 f64 v128 load store laneLoad laneStore lane
 * shuffle call br brIf block loop if.
 *
 * Memory addresses are unsigned i32 byte addresses; `offset` immediates are added without wrapping. Alignment hints are 0.
 * Every allocation in the heap has at least 16 bytes of readable slack behind it.
 */
export type ValType = "i32" | "i64" | "f32" | "f64" | "v128";

const valTypeByte: Readonly<Record<ValType, number>> = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c, v128: 0x7b };
const VOID = 0x40;

/** A place to branch to: a block's end or a loop's head. */
export type Label = number & { readonly label: unique symbol };

export interface MemoryImport {
  readonly shared: boolean;
  /** In pages of 64 KB. */
  readonly initial: number;
  readonly maximum: number;
}
export const unsharedMemory: MemoryImport = { shared: false, initial: 0, maximum: 65536 };

export class ModuleBuilder {
  private readonly typeKeys = new Map<string, number>();
  private readonly types: (readonly [readonly ValType[], readonly ValType[]])[] = [];
  private readonly imports: { readonly module: string; readonly name: string; readonly type: number }[] = [];
  private readonly exports: { readonly name: string; readonly index: number }[] = [];
  readonly functions: FunctionBuilder[] = [];
  private readonly memory: MemoryImport;

  constructor(memory: MemoryImport = unsharedMemory) {
    this.memory = memory;
  }

  /** Index of a function type, made once. */
  type(params: readonly ValType[], results: readonly ValType[]): number {
    const key = `${params.join()}:${results.join()}`;
    let index = this.typeKeys.get(key);
    if (index === undefined) {
      index = this.types.push([params, results]) - 1;
      this.typeKeys.set(key, index);
    }
    return index;
  }

  /** Imports a function; all imports come before the first function. */
  importFunction(module: string, name: string, params: readonly ValType[], results: readonly ValType[]): number {
    if (this.functions.length > 0) throw new RangeError("imports come before functions");
    return this.imports.push({ module, name, type: this.type(params, results) }) - 1;
  }

  /** Opens a function; its index is known at once, its code is written through the builder. */
  func(name: string, params: readonly ValType[], results: readonly ValType[] = []): FunctionBuilder {
    const f = new FunctionBuilder(
      name,
      this.imports.length + this.functions.length,
      this.type(params, results),
      params,
      results,
    );
    this.functions.push(f);
    return f;
  }

  exportFunction(name: string, index: number): void {
    this.exports.push({ name, index });
  }

  toBytes(): Uint8Array<ArrayBuffer> {
    const codeBytes = this.functions.reduce((n, f) => n + f.code.length + 64, 0);
    const out = new ByteWriter(codeBytes + 1024);
    out.append([0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]);
    const part = new ByteWriter(codeBytes + 64);
    const section = (id: number): void => {
      out.u8(id);
      out.u32(part.length);
      out.appendWriter(part);
      part.length = 0;
    };

    part.u32(this.types.length);
    for (const [params, results] of this.types) {
      part.u8(0x60);
      part.u32(params.length);
      for (const t of params) part.u8(valTypeByte[t]);
      part.u32(results.length);
      for (const t of results) part.u8(valTypeByte[t]);
    }
    section(1);

    part.u32(this.imports.length + 1);
    for (const { module, name, type } of this.imports) {
      part.name(module);
      part.name(name);
      part.u8(0x00);
      part.u32(type);
    }
    part.name("env");
    part.name("memory");
    part.u8(0x02);
    part.u8(this.memory.shared ? 0x03 : 0x01);
    part.u32(this.memory.initial);
    part.u32(this.memory.maximum);
    section(2);

    part.u32(this.functions.length);
    for (const f of this.functions) part.u32(f.type);
    section(3);

    part.u32(this.exports.length);
    for (const { name, index } of this.exports) {
      part.name(name);
      part.u8(0x00);
      part.u32(index);
    }
    section(7);

    part.u32(this.functions.length);
    const header = new ByteWriter(64);
    for (const f of this.functions) {
      header.length = 0;
      f.writeLocals(header);
      part.u32(header.length + f.code.length + 1);
      part.appendWriter(header);
      part.appendWriter(f.code);
      part.u8(Op.end);
    }
    section(10);
    return out.toBytes();
  }
}

/** Writes the code of one function. Locals are numbers: the parameters first. */
export class FunctionBuilder {
  /** Where instructions go; an emitter may point it elsewhere for a while to write code out of order. */
  code = new ByteWriter(512);
  private readonly localTypes: ValType[] = [];
  private readonly spare: Record<ValType, number[]> = { i32: [], i64: [], f32: [], f64: [], v128: [] };
  private depth = 0;

  constructor(
    readonly name: string,
    /** In the module's function index space. */
    readonly index: number,
    readonly type: number,
    readonly params: readonly ValType[],
    readonly results: readonly ValType[],
  ) {}

  /** A local that nothing else uses. Its value is undefined (a freed local keeps its last value). */
  local(type: ValType): number {
    return this.spare[type].pop() ?? this.freshLocal(type);
  }

  /** A local that never was another's: safe to set in code that is written later but runs earlier. */
  freshLocal(type: ValType): number {
    return this.params.length + this.localTypes.push(type) - 1;
  }

  /** Gives a local back for reuse. */
  free(local: number): void {
    this.spare[this.localType(local)].push(local);
  }

  localType(local: number): ValType {
    return local < this.params.length ? this.params[local]! : this.localTypes[local - this.params.length]!;
  }

  /** An instruction without immediates. */
  op(op: number): void {
    const c = this.code;
    if (op < 0x100) {
      c.u8(op);
      return;
    }
    c.u8(op >>> 12);
    c.u32(op & 0xfff);
  }

  get(local: number): void {
    this.code.u8(Op.local_get);
    this.code.u32(local);
  }
  set(local: number): void {
    this.code.u8(Op.local_set);
    this.code.u32(local);
  }
  tee(local: number): void {
    this.code.u8(Op.local_tee);
    this.code.u32(local);
  }

  i32(n: number): void {
    this.code.u8(Op.i32_const);
    this.code.s32(n);
  }
  i64(n: bigint): void {
    this.code.u8(Op.i64_const);
    this.code.s64(n);
  }
  f32(x: number): void {
    this.code.u8(Op.f32_const);
    this.code.f32(x);
  }
  f64(x: number): void {
    this.code.u8(Op.f64_const);
    this.code.f64(x);
  }
  /** A vector constant by its 16 bytes. Hoist it into a local before a loop: V8 may rebuild it at every use. */
  v128(bytes: ArrayLike<number>): void {
    this.op(Op.v128_const);
    this.code.append(bytes, 16);
  }
  /** Four 32-bit lanes as bits. */
  i32x4(a: number, b: number, c: number, d: number): void {
    laneBits[0] = a;
    laneBits[1] = b;
    laneBits[2] = c;
    laneBits[3] = d;
    this.v128(laneBytes);
  }
  f32x4(a: number, b: number, c: number, d: number): void {
    laneFloats[0] = a;
    laneFloats[1] = b;
    laneFloats[2] = c;
    laneFloats[3] = d;
    this.v128(laneBytes);
  }
  f64x2(a: number, b: number): void {
    laneDoubles[0] = a;
    laneDoubles[1] = b;
    this.v128(laneBytes);
  }

  /** Any load: scalar, v128_load, load32_splat, load64_zero … Stack: address → value. */
  load(op: number, offset = 0): void {
    this.op(op);
    this.code.u8(0);
    this.code.u32(offset);
  }
  /** Any store but the lane stores. Stack: address, value →. */
  store(op: number, offset = 0): void {
    this.load(op, offset);
  }
  /** v128_load32_lane, v128_load64_lane. Stack: address, vector → vector. */
  laneLoad(op: number, lane: number, offset = 0): void {
    this.load(op, offset);
    this.code.u8(lane);
  }
  /** v128_store32_lane, v128_store64_lane. Stack: address, vector →. */
  laneStore(op: number, lane: number, offset = 0): void {
    this.load(op, offset);
    this.code.u8(lane);
  }
  /** extract_lane, replace_lane. */
  lane(op: number, lane: number): void {
    this.op(op);
    this.code.u8(lane);
  }
  /** i8x16.shuffle by 32-bit lanes: 0–3 of the first operand, 4–7 of the second. */
  shuffle32(a: number, b: number, c: number, d: number): void {
    this.op(Op.i8x16_shuffle);
    for (const lane of [a, b, c, d]) for (let k = 0; k < 4; k++) this.code.u8(lane * 4 + k);
  }
  /** i8x16.shuffle by 64-bit lanes: 0–1 of the first operand, 2–3 of the second. */
  shuffle64(a: number, b: number): void {
    this.shuffle32(2 * a, 2 * a + 1, 2 * b, 2 * b + 1);
  }

  call(index: number): void {
    this.code.u8(Op.call);
    this.code.u32(index);
  }
  /** Stack: to, from, bytes →. */
  memoryCopy(): void {
    this.op(Op.memory_copy);
    this.code.u8(0);
    this.code.u8(0);
  }
  /** Stack: to, byte value, bytes →. */
  memoryFill(): void {
    this.op(Op.memory_fill);
    this.code.u8(0);
  }

  /** block … end; `br(label)` leaves it. */
  block(body: (label: Label) => void): void {
    this.structured(Op.block, body);
  }
  /** loop … end; `br(label)` goes back to its head. */
  loop(body: (label: Label) => void): void {
    this.structured(Op.loop, body);
  }
  /** Stack: condition →. if … else … end without a result; `br(label)` leaves it. */
  if(then: (label: Label) => void, otherwise?: (label: Label) => void): void {
    this.code.u8(Op.if);
    this.code.u8(VOID);
    const label = ++this.depth as Label;
    then(label);
    if (otherwise) {
      this.code.u8(Op.else);
      otherwise(label);
    }
    this.depth--;
    this.code.u8(Op.end);
  }
  private structured(op: number, body: (label: Label) => void): void {
    this.code.u8(op);
    this.code.u8(VOID);
    body(++this.depth as Label);
    this.depth--;
    this.code.u8(Op.end);
  }

  br(label: Label): void {
    this.code.u8(Op.br);
    this.code.u32(this.depth - label);
  }
  /** Stack: condition →. */
  brIf(label: Label): void {
    this.code.u8(Op.br_if);
    this.code.u32(this.depth - label);
  }

  /** The body's vector of locals. */
  writeLocals(out: ByteWriter): void {
    const runs: [ValType, number][] = [];
    for (const t of this.localTypes) {
      const last = runs[runs.length - 1];
      if (last && last[0] === t) last[1]++;
      else runs.push([t, 1]);
    }
    out.u32(runs.length);
    for (const [t, n] of runs) {
      out.u32(n);
      out.u8(valTypeByte[t]);
    }
  }
}

const laneBits = new Int32Array(4);
const laneBytes = new Uint8Array(laneBits.buffer);
const laneFloats = new Float32Array(laneBits.buffer);
const laneDoubles = new Float64Array(laneBits.buffer);
