import type { DType, TypedArray } from "../../core/dtype.js";
import { invariant } from "../../core/errors.js";
import type { Backend, DeviceBuffer, DeviceTraits, Executable } from "../../kernel-ir/backend.js";
import type { Program } from "../../kernel-ir/program.js";
import { disassemble } from "./disassemble.js";
import { compileModule } from "./engine.js";
import { Arena, type Code, type Entry, WasmExecutable } from "./executable.js";
import { WasmBuffer, WasmHeap } from "./heap.js";
import { hostCaller } from "./host-calls.js";
import { emitProgram } from "./program/emit.js";
import type { ProgramLayout } from "./program/laid-out.js";
import { layOut } from "./program/layout.js";
import { resizer } from "./program/resize.js";

/**
 * The Wasm backend: programs become WebAssembly modules over one growable memory. Needs no preparation, and is synchronous.
 *
 *   heap.ts                  the memory, its allocator, and where arguments of calls are written
 *   assembler, opcodes, module-builder, disassemble, engine     writing, listing and compiling modules
 *   nest/                    nests: survey → schedule (merged axes, vector axis) → lower (nodes, parameters) → emit
 *   rounds/                  loops over a few scalars: their bodies followed to expressions → nodes → one function
 *   dot/, sort/              the other kernels, written as expressions over words (words.ts)
 *   program/                 layout (launches, frames, parameters, structure) → emit (frame, loops): one module, one entry
 *   executable.ts            a call: writes the argument block, takes the arena, enters
 *   host-calls.ts            functions of the host that programs call
 *
 * A kernel is a function (lo, hi, buffer addresses…, scratch[, parameters]) over a range of its rows, so that launches can be
 * cut into chunks; ranges that do not overlap may run at the same time with scratch of their own.
 */
export function createWasmBackend(options: { readonly maximumPages?: number } = {}): Backend {
  return new WasmBackend(new WasmHeap(64, options.maximumPages));
}

/** Modules of generic programs that are kept for programs of the same structure. */
const KEPT_MODULES = 512;

/** Points from which a call is worth compiling its module to the end before it starts. */
const LONG_CALL = 2 ** 20;

class WasmBackend implements Backend {
  readonly name = "wasm";
  readonly traits: DeviceTraits = {
    maxBuffers: Infinity,
    maxKeepBytes: Infinity,
    arenaAlignment: 64,
    dotEpilogue: false,
    dotDigits: true,
    dearLaunches: false,
  };
  private readonly arena: Arena;
  /** By structure, the least recently used first. */
  private readonly generic = new Map<string, Code>();
  private modules = 0;
  private readonly collected = new FinalizationRegistry<null>(() => void this.modules--);

  constructor(private readonly heap: WasmHeap) {
    this.arena = new Arena(heap);
  }

  supports(_dtype: DType): boolean {
    return true;
  }
  allocate(bytes: number): WasmBuffer {
    return this.heap.allocate(bytes);
  }
  free(buffer: DeviceBuffer): void {
    this.heap.free(own(buffer));
  }
  write(buffer: DeviceBuffer, data: TypedArray): void {
    this.heap.write(own(buffer), data);
  }
  readSync(buffer: DeviceBuffer, into: TypedArray): void {
    this.heap.read(own(buffer), into);
  }
  async read(buffer: DeviceBuffer, into: TypedArray): Promise<void> {
    this.heap.read(own(buffer), into);
  }
  stats(): { readonly heapBytes: number; readonly allocatedBytes: number; readonly modules: number } {
    return { heapBytes: this.heap.heapBytes, allocatedBytes: this.heap.allocatedBytes, modules: this.modules };
  }

  compile(program: Program, { generic }: { readonly generic: boolean }): Executable {
    const layout = layOut(program, generic);
    const code = generic ? this.shared(layout) : this.build(layout, false);
    const entry = program.functions[0]!;
    const resize = generic ? resizer(program, layout) : undefined;
    const { params, chunks, arenaBytes } = layout;
    const numbers = { params, chunks, arenaBytes };
    return new WasmExecutable(
      this.heap,
      this.arena,
      code,
      entry.inputs.length,
      entry.outputs.length,
      numbers,
      params,
      resize,
    );
  }

  private shared(layout: ProgramLayout): Code {
    const known = this.generic.get(layout.key);
    if (known) {
      this.generic.delete(layout.key);
      this.generic.set(layout.key, known);
      return known;
    }
    const code = this.build(layout, true);
    this.generic.set(layout.key, code);
    if (this.generic.size > KEPT_MODULES) {
      for (const oldest of this.generic.keys()) {
        this.generic.delete(oldest);
        break;
      }
    }
    return code;
  }

  private build(layout: ProgramLayout, generic: boolean): Code {
    const m = emitProgram(layout, generic);
    const module = compileModule(m.toBytes(), layout.longestCall > LONG_CALL);
    const host = { call: hostCaller(this.heap, layout.callbacks) };
    const instance = new WebAssembly.Instance(module, { env: { memory: this.heap.memory }, host });
    const { functions } = m;
    const code: Code = { entry: instance.exports["run"] as Entry, text: () => functions.map(disassemble).join("\n\n") };
    this.modules++;
    this.collected.register(code, null);
    return code;
  }
}

function own(buffer: DeviceBuffer): WasmBuffer {
  invariant(buffer instanceof WasmBuffer, "a buffer of another backend");
  return buffer;
}
