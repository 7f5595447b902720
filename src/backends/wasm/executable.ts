import { invariant } from "../../core/errors.js";
import { type DeviceBuffer, type Executable, isScalarInput, type ScalarInput } from "../../kernel-ir/backend.js";
import { WasmBuffer, type WasmHeap } from "./heap.js";
import { type Numbers, scaler } from "./program/resize.js";

/** Entry of a compiled module: (argument block[, parameters]). */
export type Entry = (args: number, params: number) => void;

/** A module of the backend, instantiated over its heap. */
export interface Code {
  readonly entry: Entry;
  readonly text: () => string;
}

/** The arena of temporaries: one stack for all programs, so that a program may be run while another runs. */
export class Arena {
  private block: WasmBuffer | undefined;
  private used = 0;

  constructor(private readonly heap: WasmHeap) {}

  /** Takes bytes; `leave` gives them back. A run inside of a run that does not fit gets a block of its own. */
  enter(bytes: number): number | WasmBuffer {
    if (this.block === undefined || this.used + bytes > this.block.bytes) {
      if (this.used > 0) return this.heap.allocate(bytes);
      const size = Math.max(bytes, Math.min((this.block?.bytes ?? 0) * 2, bytes * 2), 65536);
      if (this.block) this.heap.free(this.block);
      this.block = undefined;
      this.block = this.heap.allocate(size);
    }
    const at = this.block.address + this.used;
    this.used += bytes;
    return at;
  }

  leave(taken: number | WasmBuffer): void {
    if (typeof taken !== "number") this.heap.free(taken);
    else this.used = taken - this.block!.address;
  }
}

/** A program of the backend with what a call passes. */
export class WasmExecutable implements Executable {
  /** Words of the argument block, then (16 bytes each) the scalars', then the parameters. */
  private readonly scalarsAt: number;
  private readonly paramsAt: number;
  private readonly bytes: number;
  private readonly arenaBytes: number;

  constructor(
    private readonly heap: WasmHeap,
    private readonly arena: Arena,
    private readonly code: Code,
    private readonly inputs: number,
    private readonly outputs: number,
    private readonly numbers: Numbers,
    private readonly params: readonly number[],
    private readonly resize: ((elements: number) => readonly number[]) | undefined,
  ) {
    this.arenaBytes = numbers.arenaBytes;
    this.scalarsAt = Math.ceil((1 + inputs + outputs) / 4) * 16;
    this.paramsAt = this.scalarsAt + inputs * 16;
    this.bytes = Math.ceil((this.paramsAt + this.params.length * 4 + 16) / 16) * 16;
  }

  run(inputs: readonly (DeviceBuffer | ScalarInput)[], outputs: readonly DeviceBuffer[]): void {
    const { heap, arenaBytes } = this;
    const taken = arenaBytes === 0 ? 0 : this.arena.enter(arenaBytes);
    const at = heap.pushArguments(this.bytes);
    try {
      if (at === undefined) this.runInBlock(inputs, outputs, taken);
      else this.runAt(at, inputs, outputs, taken);
    } finally {
      if (at !== undefined) heap.popArguments(at);
      if (arenaBytes !== 0) this.arena.leave(taken);
    }
  }

  /** More arguments than the place for them holds. */
  private runInBlock(
    inputs: readonly (DeviceBuffer | ScalarInput)[],
    outputs: readonly DeviceBuffer[],
    taken: number | WasmBuffer,
  ): void {
    const block = this.heap.allocate(this.bytes);
    try {
      this.runAt(block.address, inputs, outputs, taken);
    } finally {
      this.heap.free(block);
    }
  }

  private runAt(
    at: number,
    inputs: readonly (DeviceBuffer | ScalarInput)[],
    outputs: readonly DeviceBuffer[],
    taken: number | WasmBuffer,
  ): void {
    const { heap, params } = this;
    const { i32 } = heap;
    let word = at >>> 2;
    i32[word++] = typeof taken === "number" ? taken : taken.address;
    for (let k = 0; k < this.inputs; k++) {
      const x = inputs[k]!;
      if (x instanceof WasmBuffer) i32[word++] = x.address;
      else {
        const slot = at + this.scalarsAt + 16 * k;
        this.writeScalar(slot, x);
        i32[word++] = slot;
      }
    }
    for (let k = 0; k < this.outputs; k++) {
      const x = outputs[k];
      i32[word++] = x instanceof WasmBuffer ? x.address : 0;
    }
    const first = (at + this.paramsAt) >>> 2;
    for (let k = 0; k < params.length; k++) i32[first + k] = params[k]!;
    this.code.entry(at, at + this.paramsAt);
  }

  private writeScalar(at: number, x: DeviceBuffer | ScalarInput): void {
    invariant(isScalarInput(x), "an operand is of another backend");
    const { heap } = this;
    switch (x.dtype) {
      case "float32":
        heap.f32[at >>> 2] = x.scalar;
        return;
      case "float64":
        heap.f64[at >>> 3] = x.scalar;
        return;
      default:
        heap.i32[at >>> 2] = x.scalar;
    }
  }

  resized(elements: number): Executable | undefined {
    return this.resize && this.withParams(this.resize(elements));
  }

  scaled(
    sizes: readonly number[],
    other: Executable,
    otherSizes: readonly number[],
  ): ((sizes: readonly number[]) => Executable) | undefined {
    if (!(other instanceof WasmExecutable) || other.code !== this.code) return undefined;
    const scale = scaler(this.numbers, sizes, other.numbers, otherSizes);
    return scale && ((to) => this.withParams(scale(to)));
  }

  private withParams(params: readonly number[]): WasmExecutable {
    const { heap, arena, code, inputs, outputs } = this;
    return new WasmExecutable(heap, arena, code, inputs, outputs, this.numbers, params, undefined);
  }

  text(): string {
    return this.code.text();
  }
}
