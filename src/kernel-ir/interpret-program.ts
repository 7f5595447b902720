import { byteLength, checkHost, type HostArray, hostZeros } from "../core/aval.js";
import { dtypeInfo, type TypedArray } from "../core/dtype.js";
import { InternalError } from "../core/errors.js";
import { arenaNeed } from "./callees.js";
import { CheckedMemory, copyRange, type MemoryRange } from "./checked-memory.js";
import { type InterpretOptions, runKernel } from "./interpret-kernel.js";
import type { BufferRef, BufferType, Program, ProgramFunction, Slices, Step } from "./program.js";

/** Runs a program's entry function over typed arrays; outputs that are an input are that input's array. */
export function interpretProgram(
  program: Program,
  inputs: readonly TypedArray[],
  options: InterpretOptions = {},
): TypedArray[] {
  const entry = functionAt(program, 0);
  if (inputs.length !== entry.inputs.length) {
    throw new InternalError(`program ${program.name} takes ${entry.inputs.length} inputs, not ${inputs.length}`);
  }
  const run = new ProgramRun(program, options);
  const ranges = inputs.map((array, i): MemoryRange => {
    if (array.byteLength < entry.inputs[i]!.bytes) {
      throw new InternalError(
        `program ${program.name}, input ${i}: ${array.byteLength} bytes where ${entry.inputs[i]!.bytes} are needed`,
      );
    }
    // A copy: a program must not write its inputs, and one that does may not write the caller's.
    const memory = CheckedMemory.ofBytes(array.byteLength);
    new Uint8Array(memory.data).set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
    memory.initialized.fill(1);
    return { memory, offset: 0, bytes: array.byteLength };
  });
  const outputs = entry.outputs.map((type, i): MemoryRange => {
    const alias = entry.outputIsInput[i] ?? null;
    return alias === null ? freshRange(type) : ranges[alias]!;
  });
  run.call(0, ranges, outputs, 0);
  return outputs.map((range, i) => {
    const type = entry.outputs[i]!;
    if (!range.memory.isInitialized(range.offset, type.bytes)) {
      throw new InternalError(`program ${program.name}, output ${i}: not written whole`);
    }
    const { storage, bytes, words } = dtypeInfo[type.dtype];
    return new storage(
      new Uint8Array(range.memory.data).slice(range.offset, range.offset + type.bytes).buffer as never,
    ).subarray(0, (type.bytes / bytes) * words);
  });
}

function functionAt(program: Program, fn: number): ProgramFunction {
  const f = program.functions[fn];
  if (f === undefined) throw new InternalError(`program ${program.name} has no function ${fn}`);
  return f;
}

function freshRange(type: BufferType): MemoryRange {
  return { memory: CheckedMemory.ofBytes(type.bytes), offset: 0, bytes: type.bytes };
}

class ProgramRun {
  private readonly arena: CheckedMemory;

  constructor(
    private readonly program: Program,
    private readonly options: InterpretOptions,
  ) {
    this.arena = CheckedMemory.ofBytes(arenaNeed(program, 0));
  }

  /** Runs a function whose arena begins at `base`. */
  call(fn: number, inputs: readonly MemoryRange[], outputs: readonly MemoryRange[], base: number): void {
    const f = functionAt(this.program, fn);
    this.arena.forget(base, f.arenaBytes);
    const at = (ref: BufferRef): MemoryRange => {
      if (ref.kind === "arena")
        return { memory: this.arena, offset: base + ref.offset, bytes: f.arenaBytes - ref.offset };
      const range = (ref.kind === "input" ? inputs : outputs)[ref.index];
      if (range === undefined) throw new InternalError(`function ${f.name} has no ${ref.kind} ${ref.index}`);
      return range;
    };
    for (const step of f.steps) this.step(step, at, base + f.arenaBytes);
    f.outputIsInput.forEach((alias, i) => {
      const [from, to] = [alias === null ? undefined : inputs[alias]!, outputs[i]!];
      if (from !== undefined && (from.memory !== to.memory || from.offset !== to.offset)) {
        copyRange(from, to, f.outputs[i]!.bytes, `function ${f.name}, output ${i}`);
      }
    });
  }

  private step(step: Step, at: (ref: BufferRef) => MemoryRange, base: number): void {
    switch (step.kind) {
      case "launch": {
        const kernel = this.program.kernels[step.kernel];
        if (kernel === undefined) throw new InternalError(`program ${this.program.name} has no kernel ${step.kernel}`);
        return runKernel(kernel, step.args.map(at), this.options);
      }
      case "call":
        return this.call(step.fn, step.inputs.map(at), step.outputs.map(at), base);
      case "if":
        return this.call(
          step.branches[Math.min(Math.max(word(at(step.index), "if"), 0), step.branches.length - 1)]!,
          step.inputs.map(at),
          step.outputs.map(at),
          base,
        );
      case "loop":
        return this.loop(step, at, base);
      case "scan":
        return this.scan(step, at, base);
      case "copy":
        return copyRange(at(step.from), at(step.to), step.bytes, "copy");
      case "callback":
        return this.callback(step, at);
    }
  }

  /** Inputs of condition and body: the constants, then the state. */
  private loop(step: Extract<Step, { kind: "loop" }>, at: (ref: BufferRef) => MemoryRange, base: number): void {
    const consts = step.consts.map(at);
    const state = step.state.map(at);
    const types = functionAt(this.program, step.body).outputs;
    const holds = (): boolean => {
      const predicate = freshRange({ dtype: "bool", bytes: 4 });
      this.call(step.condition, [...consts, ...state], [predicate], base);
      return word(predicate, "loop") !== 0;
    };
    while (holds()) {
      const next = types.map(freshRange);
      this.call(step.body, [...consts, ...state], next, base);
      next.forEach((range, i) => copyRange(range, state[i]!, types[i]!.bytes, `loop state ${i}`));
    }
  }

  private scan(step: Extract<Step, { kind: "scan" }>, at: (ref: BufferRef) => MemoryRange, base: number): void {
    const consts = step.consts.map(at);
    const carry = step.carry.map(at);
    const body = functionAt(this.program, step.body);
    const slice = ({ ref, stride }: Slices, k: number): MemoryRange => {
      const whole = at(ref);
      return { memory: whole.memory, offset: whole.offset + k * stride, bytes: stride };
    };
    for (let i = 0; i < step.length; i++) {
      const k = step.reverse ? step.length - 1 - i : i;
      const next = body.outputs.slice(0, carry.length).map(freshRange);
      const inputs = [...consts, ...carry, ...step.xs.map((x) => slice(x, k))];
      this.call(step.body, inputs, [...next, ...step.ys.map((y) => slice(y, k))], base);
      next.forEach((range, j) => copyRange(range, carry[j]!, body.outputs[j]!.bytes, `scan carry ${j}`));
    }
  }

  private callback(step: Extract<Step, { kind: "callback" }>, at: (ref: BufferRef) => MemoryRange): void {
    const host = this.program.callbacks?.[step.callback];
    if (host === undefined) throw new InternalError(`program ${this.program.name} has no callback ${step.callback}`);
    const inputs = step.inputs.map((ref, i): HostArray => {
      const type = host.inputs[i]!;
      const { memory, offset } = at(ref);
      const bytes = byteLength(type);
      if (!memory.isInitialized(offset, bytes))
        throw new InternalError(`callback ${host.name}, input ${i}: read, but nothing wrote it`);
      const array = hostZeros(type);
      new Uint8Array(array.data.buffer).set(new Uint8Array(memory.data, offset, bytes));
      return array;
    });
    const results = host.call(inputs);
    step.outputs.forEach((ref, i) => {
      const { memory, offset } = at(ref);
      const { data } = results[i]!;
      checkHost(results[i]!, host.outputs[i]!, host.name);
      new Uint8Array(memory.data, offset, data.byteLength).set(
        new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
      );
      memory.initialized.fill(1, offset / 4, (offset + data.byteLength) / 4);
    });
  }
}

function word({ memory, offset }: MemoryRange, what: string): number {
  if (!memory.isInitialized(offset, 4)) throw new InternalError(`${what}: the predicate was never written`);
  return new Int32Array(memory.data, offset, 1)[0]!;
}
