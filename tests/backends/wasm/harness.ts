import { allowRelaxedSimd } from "../../../src/backends/wasm/engine.js";
import { ModuleBuilder } from "../../../src/backends/wasm/module-builder.js";
import { emitNest } from "../../../src/backends/wasm/nest/emit.js";
import { type LoweredNest, lowerNest } from "../../../src/backends/wasm/nest/lower.js";
import type { TypedArray } from "../../../src/core/dtype.js";
import type { BufferArg, NestKernel } from "../../../src/kernel-ir/kernel.js";

export const storageOf: Readonly<Record<BufferArg["type"], new (n: number) => TypedArray>> = {
  f32: Float32Array,
  f64: Float64Array,
  i32: Int32Array,
  u32: Uint32Array,
  bool: Int32Array,
};

export interface RunOptions {
  readonly generic?: boolean;
  readonly relaxed?: boolean;
  /** Rows a call. */
  readonly chunk?: number;
}

/** Compiles a nest alone in a module and runs it on copies of the buffers; gives them as they are then. */
export function runNest(
  kernel: NestKernel,
  buffers: readonly TypedArray[],
  options: RunOptions = {},
): { readonly buffers: TypedArray[]; readonly lowered: LoweredNest } {
  const generic = options.generic === true;
  allowRelaxedSimd(options.relaxed !== false);
  let bytes: Uint8Array<ArrayBuffer>;
  let lowered: LoweredNest;
  try {
    lowered = lowerNest(kernel, generic);
    const m = new ModuleBuilder();
    m.exportFunction("kernel", emitNest(m, lowered.nest, generic).index);
    bytes = m.toBytes();
  } finally {
    allowRelaxedSimd(true);
  }
  // Buffers lie apart, so that a write beyond one is seen in the guard behind it.
  let top = 65536;
  const at = buffers.map((b) => {
    const here = top;
    top += Math.ceil(b.byteLength / 16) * 16 + 64;
    return here;
  });
  const scratch = top;
  top += lowered.scratchBytes + 64;
  const params = top;
  top += lowered.params.length * 4 + 64;
  const memory = new WebAssembly.Memory({ initial: Math.ceil(top / 65536), maximum: 65536 });
  const GUARD = 0x5a;
  new Uint8Array(memory.buffer).fill(GUARD, 65536);
  buffers.forEach((b, k) =>
    new Uint8Array(memory.buffer).set(new Uint8Array(b.buffer, b.byteOffset, b.byteLength), at[k]!),
  );
  new Int32Array(memory.buffer).set(lowered.params, params / 4);

  const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } });
  const run = instance.exports["kernel"] as (...args: number[]) => void;
  const chunk = options.chunk ?? lowered.rows;
  for (let lo = 0; lo < lowered.rows; lo += chunk) {
    run(lo, Math.min(lo + chunk, lowered.rows), ...at, scratch, ...(generic ? [params] : []));
  }
  const heap = new Uint8Array(memory.buffer);
  buffers.forEach((b, k) => {
    const end = at[k]! + b.byteLength;
    for (let i = end; i < end + 64; i++)
      if (heap[i] !== GUARD) throw new Error(`${kernel.name} wrote behind buffer ${k}`);
  });
  for (let i = scratch + lowered.scratchBytes; i < scratch + lowered.scratchBytes + 64; i++) {
    if (heap[i] !== GUARD) throw new Error(`${kernel.name} wrote behind its scratch`);
  }
  return {
    lowered,
    buffers: buffers.map((b, k) => {
      const copy = new storageOf[kernel.buffers[k]!.type](b.length);
      new Uint8Array(copy.buffer).set(heap.subarray(at[k], at[k]! + b.byteLength));
      return copy;
    }),
  };
}
