import { byteLength } from "../core/aval.js";
import { InternalError } from "../core/errors.js";
import { calledBy } from "./callees.js";
import type { Kernel } from "./kernel.js";
import { printStep } from "./printer.js";
import type { BufferRef, Program, ProgramFunction, Step } from "./program.js";
import { verifyKernel } from "./verify-kernel.js";

/** Checks a program: its kernels, then every function's steps. @throws InternalError with the step that is wrong. */
export function verifyProgram(program: Program): void {
  program.kernels.forEach(verifyKernel);
  if (program.functions.length === 0) throw new InternalError(`program ${program.name} has no functions`);
  verifyAcyclic(program);
  for (const f of program.functions) new FunctionCheck(program, f).verify();
}

function verifyAcyclic(program: Program): void {
  const state = new Map<number, "open" | "done">();
  const visit = (fn: number): void => {
    if (state.get(fn) === "done") return;
    const f = program.functions[fn];
    if (f === undefined)
      throw new InternalError(`program ${program.name} calls function ${fn} of ${program.functions.length}`);
    if (state.get(fn) === "open") throw new InternalError(`program ${program.name}: function ${f.name} calls itself`);
    state.set(fn, "open");
    for (const step of f.steps) for (const callee of calledBy(step)) visit(callee);
    state.set(fn, "done");
  };
  program.functions.forEach((_, fn) => visit(fn));
}

/** Bytes that were written, as sorted ranges without overlaps. */
class Written {
  private ranges: (readonly [from: number, to: number])[] = [];

  add(from: number, to: number): void {
    if (from === to) return;
    const apart = this.ranges.filter(([a, b]) => b < from || a > to);
    const touching = this.ranges.filter(([a, b]) => !(b < from || a > to));
    const merged = touching.reduce<readonly [number, number]>(
      ([a, b], [c, d]) => [Math.min(a, c), Math.max(b, d)],
      [from, to],
    );
    this.ranges = [...apart, merged].sort((x, y) => x[0] - y[0]);
  }
  isEmpty(): boolean {
    return this.ranges.length === 0;
  }
  covers(from: number, to: number): boolean {
    return from === to || this.ranges.some(([a, b]) => a <= from && to <= b);
  }
}

class FunctionCheck {
  private readonly arena = new Written();
  private readonly outputs: Written[];
  /** Inputs whose storage an output has taken over. */
  private readonly taken = new Set<number>();

  constructor(
    private readonly program: Program,
    private readonly f: ProgramFunction,
  ) {
    this.outputs = f.outputs.map(() => new Written());
  }

  verify(): void {
    const { f } = this;
    if (f.arenaBytes % 16 !== 0 || f.arenaBytes < 0)
      throw this.fault(`an arena of ${f.arenaBytes} bytes, no multiple of 16`);
    this.aliases("outputIsInput", true);
    this.aliases("outputReusesInput", false);
    for (const step of f.steps) {
      try {
        this.step(step);
        f.outputReusesInput.forEach((input, i) => {
          if (input !== null && !this.outputs[i]!.isEmpty()) this.taken.add(input);
        });
      } catch (error) {
        if (!(error instanceof InternalError)) throw error;
        throw new InternalError(error.message.replace(/^internal: | \[internal\][^]*$/g, ""), [
          ["step", printStep(step, this.program)],
          ...error.details,
        ]);
      }
    }
    f.outputs.forEach(({ bytes }, i) => {
      const isInput = f.outputIsInput[i] ?? null;
      if (isInput === null && !this.outputs[i]!.covers(0, bytes)) throw this.fault(`output ${i} is not written whole`);
    });
  }

  private fault(what: string): InternalError {
    return new InternalError(`program ${this.program.name}, function ${this.f.name}: ${what}`);
  }

  private aliases(field: "outputIsInput" | "outputReusesInput", isSame: boolean): void {
    const { f } = this;
    if (f[field].length !== f.outputs.length)
      throw this.fault(`${field} has ${f[field].length} entries for ${f.outputs.length} outputs`);
    const taken = new Set<number>();
    f[field].forEach((input, i) => {
      if (input === null) return;
      const from = f.inputs[input];
      const to = f.outputs[i]!;
      if (from === undefined) throw this.fault(`${field}[${i}] names input ${input} of ${f.inputs.length}`);
      if (isSame ? from.bytes !== to.bytes : from.bytes < to.bytes)
        throw this.fault(`${field}[${i}]: input ${input} has ${from.bytes} bytes, the output ${to.bytes}`);
      if (!isSame && taken.has(input)) throw this.fault(`${field}: two outputs take input ${input}`);
      taken.add(input);
    });
  }

  /** Checks that a reference has room for so many bytes. */
  private place(ref: BufferRef, bytes: number): void {
    const { f } = this;
    if (ref.kind === "arena") {
      if (ref.offset < 0 || ref.offset % 16 !== 0) throw this.fault(`arena offset ${ref.offset} is no multiple of 16`);
      if (ref.offset + bytes > f.arenaBytes)
        throw this.fault(`${bytes} bytes at arena offset ${ref.offset} of ${f.arenaBytes}`);
      return;
    }
    const type = (ref.kind === "input" ? f.inputs : f.outputs)[ref.index];
    if (type === undefined) throw this.fault(`there is no ${ref.kind} ${ref.index}`);
    if (bytes > type.bytes) throw this.fault(`${bytes} bytes of ${ref.kind} ${ref.index}, which has ${type.bytes}`);
  }

  private read(ref: BufferRef, bytes: number): void {
    this.place(ref, bytes);
    if (ref.kind === "input") {
      if (this.taken.has(ref.index)) throw this.fault(`input ${ref.index} is read after an output took its storage`);
      return;
    }
    const isWritten =
      ref.kind === "arena"
        ? this.arena.covers(ref.offset, ref.offset + bytes)
        : this.outputs[ref.index]!.covers(0, bytes);
    if (!isWritten)
      throw this.fault(
        `${bytes} bytes at ${ref.kind} ${ref.kind === "arena" ? ref.offset : ref.index} are read before they are written`,
      );
  }

  private write(ref: BufferRef, bytes: number): void {
    this.place(ref, bytes);
    if (ref.kind === "input") throw this.fault(`input ${ref.index} is written`);
    if (ref.kind === "arena") this.arena.add(ref.offset, ref.offset + bytes);
    else this.outputs[ref.index]!.add(0, bytes);
  }

  private step(step: Step): void {
    switch (step.kind) {
      case "launch":
        return this.launch(step);
      case "call":
        return this.call(step.fn, step.inputs, step.outputs);
      case "if":
        this.read(step.index, 4);
        if (step.branches.length === 0) throw this.fault("a branch has nothing to run");
        for (const fn of step.branches) this.call(fn, step.inputs, step.outputs);
        return;
      case "loop":
        return this.loop(step);
      case "scan":
        return this.scan(step);
      case "callback":
        return this.callback(step);
      case "copy":
        this.read(step.from, step.bytes);
        this.write(step.to, step.bytes);
    }
  }

  private launch(step: Extract<Step, { kind: "launch" }>): void {
    const kernel = this.program.kernels[step.kernel];
    if (kernel === undefined) throw this.fault(`there is no kernel ${step.kernel}`);
    if (step.args.length !== kernel.buffers.length)
      throw this.fault(`${step.args.length} arguments for ${kernel.buffers.length} buffers`);
    const bytes = kernel.buffers.map((b) => b.length * (b.type === "f64" ? 8 : 4));
    kernel.buffers.forEach((b, i) => {
      if (b.access !== "write") this.read(step.args[i]!, bytes[i]!);
    });
    kernel.buffers.forEach((b, i) => {
      if (b.access !== "read" && isStored(kernel, i)) this.write(step.args[i]!, bytes[i]!);
    });
    if (kernel.kind === "nest") return;
    // Dots and sorts read their operands again after they have written: nothing may lie under a result. What an epilogue
    // reads is read at one point, once.
    kernel.buffers.forEach((b, i) => {
      if (b.access === "read") return;
      step.args.forEach((other, j) => {
        if (kernel.kind === "dot" && j > 2 && kernel.buffers[j]!.access === "read") return;
        if (i !== j && overlaps(step.args[i]!, bytes[i]!, other, bytes[j]!))
          throw this.fault(`arguments ${i} and ${j} of a ${kernel.kind} overlap`);
      });
    });
  }

  private call(fn: number, inputs: readonly BufferRef[], outputs: readonly BufferRef[]): void {
    const callee = this.program.functions[fn]!;
    if (inputs.length !== callee.inputs.length || outputs.length !== callee.outputs.length) {
      throw this.fault(
        `${inputs.length} inputs and ${outputs.length} outputs for ${callee.name}, which has ${callee.inputs.length} and ${callee.outputs.length}`,
      );
    }
    inputs.forEach((ref, i) => this.read(ref, callee.inputs[i]!.bytes));
    outputs.forEach((ref, i) => this.write(ref, callee.outputs[i]!.bytes));
  }

  private callback({ callback, inputs, outputs }: Extract<Step, { kind: "callback" }>): void {
    const host = this.program.callbacks?.[callback];
    if (host === undefined) throw this.fault(`there is no callback ${callback}`);
    if (inputs.length !== host.inputs.length || outputs.length !== host.outputs.length)
      throw this.fault(
        `${inputs.length} inputs and ${outputs.length} outputs for ${host.name}, which has ${host.inputs.length} and ${host.outputs.length}`,
      );
    inputs.forEach((ref, i) => this.read(ref, byteLength(host.inputs[i]!)));
    outputs.forEach((ref, i) => this.write(ref, byteLength(host.outputs[i]!)));
  }

  private scan(step: Extract<Step, { kind: "scan" }>): void {
    const body = this.program.functions[step.body]!;
    const { consts, carry, xs, ys, length } = step;
    if (!Number.isInteger(length) || length < 0) throw this.fault(`a scan of length ${length}`);
    if (body.inputs.length !== consts.length + carry.length + xs.length)
      throw this.fault(
        `body ${body.name} has ${body.inputs.length} inputs for ${consts.length}, ${carry.length} and ${xs.length}`,
      );
    if (body.outputs.length !== carry.length + ys.length)
      throw this.fault(`body ${body.name} has ${body.outputs.length} outputs for ${carry.length} and ${ys.length}`);
    if (body.outputIsInput.some((input) => input !== null))
      throw this.fault(`body ${body.name} of a scan gives an input as its output`);
    [...consts, ...carry].forEach((ref, i) => this.read(ref, body.inputs[i]!.bytes));
    xs.forEach(({ ref, stride }, i) => {
      const { bytes } = body.inputs[consts.length + carry.length + i]!;
      if (bytes !== stride)
        throw this.fault(`xs ${i} of a scan has slices of ${stride} bytes, its body takes ${bytes}`);
      this.read(ref, length * stride);
    });
    const written = [
      ...carry.map((ref, i) => [ref, body.outputs[i]!.bytes] as const),
      ...ys.map(({ ref, stride }) => [ref, length * stride] as const),
    ];
    const all = [
      ...written,
      ...consts.map((ref, i) => [ref, body.inputs[i]!.bytes] as const),
      ...xs.map(({ ref, stride }) => [ref, length * stride] as const),
    ];
    written.forEach(([a, aBytes], i) => {
      const j = all.findIndex(([b, bBytes], k) => k !== i && overlaps(a, aBytes, b, bBytes));
      if (j >= 0) throw this.fault(`operands ${i} and ${j} of a scan overlap`);
    });
    ys.forEach(({ stride }, i) => {
      const { bytes } = body.outputs[carry.length + i]!;
      if (bytes !== stride)
        throw this.fault(`ys ${i} of a scan has slices of ${stride} bytes, its body gives ${bytes}`);
    });
    carry.forEach((ref, i) => {
      if (body.inputs[consts.length + i]!.bytes !== body.outputs[i]!.bytes)
        throw this.fault(`carry ${i} of a scan changes its size`);
      this.write(ref, body.outputs[i]!.bytes);
    });
    ys.forEach(({ ref, stride }) => this.write(ref, length * stride));
  }

  private loop(step: Extract<Step, { kind: "loop" }>): void {
    const condition = this.program.functions[step.condition]!;
    const body = this.program.functions[step.body]!;
    const inputs = [...step.consts, ...step.state];
    if (condition.outputs.length !== 1 || condition.outputs[0]!.bytes !== 4)
      throw this.fault(`condition ${condition.name} has no one bool as its output`);
    if (body.outputs.length !== step.state.length)
      throw this.fault(`body ${body.name} has ${body.outputs.length} outputs for ${step.state.length} of state`);
    for (const callee of [condition, body]) {
      if (callee.inputs.length !== inputs.length)
        throw this.fault(`${callee.name} has ${callee.inputs.length} inputs where ${inputs.length} come`);
      inputs.forEach((ref, i) => this.read(ref, callee.inputs[i]!.bytes));
    }
    step.state.forEach((ref, i) => this.write(ref, body.outputs[i]!.bytes));
  }
}

/** Whether a launch writes a buffer: a product that has an epilogue need not. */
const isStored = (kernel: Kernel, buffer: number): boolean =>
  kernel.kind !== "dot" ||
  kernel.epilogue === undefined ||
  kernel.epilogue.some((s) => s.kind === "store" && s.buffer === buffer);

function overlaps(a: BufferRef, aBytes: number, b: BufferRef, bBytes: number): boolean {
  if (aBytes === 0 || bBytes === 0 || a.kind !== b.kind) return false;
  if (a.kind === "arena" && b.kind === "arena") return a.offset < b.offset + bBytes && b.offset < a.offset + aBytes;
  return a.kind !== "arena" && b.kind !== "arena" && a.index === b.index;
}
