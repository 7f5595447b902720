import { InternalError, invariant } from "../../core/errors.js";
import type { Kernel } from "../../kernel-ir/kernel.js";
import { printStep } from "../../kernel-ir/printer.js";
import type { BufferRef, Program, ProgramFunction, Step } from "../../kernel-ir/program.js";

/** What a launch runs: a kernel, or a plain copy of words from argument 0 to argument 1. */
export type Work = Kernel | CopyWork;
export interface CopyWork {
  readonly kind: "copy";
  readonly name: string;
  readonly bytes: number;
}

/** A launch of the whole program; arena offsets count from the base of the entry. */
export interface FlatLaunch {
  readonly work: Work;
  readonly args: readonly BufferRef[];
}

export const argumentCount = (work: Work): number => (work.kind === "copy" ? 2 : work.buffers.length);
export const argumentBytes = (work: Work, i: number): number =>
  work.kind === "copy" ? work.bytes : work.buffers[i]!.length * 4;
export function argumentAccess(work: Work, i: number): "read" | "write" | "readwrite" {
  if (work.kind === "copy") return i === 0 ? "read" : "write";
  return work.buffers[i]!.access;
}

/** The launches of a program in their order, calls followed into the functions that they call. */
export function flatten(program: Program): readonly FlatLaunch[] {
  const flattener = new Flattener(program);
  const entry = program.functions[0]!;
  flattener.run(entry, {
    inputs: entry.inputs.map((_, index) => ({ kind: "input", index })),
    outputs: entry.outputs.map((_, index) => ({ kind: "output", index })),
    base: 0,
  });
  return flattener.launches;
}

/** The arguments of a function that is called, as the entry sees them. */
interface Frame {
  readonly inputs: readonly BufferRef[];
  readonly outputs: readonly BufferRef[];
  readonly base: number;
}

class Flattener {
  readonly launches: FlatLaunch[] = [];
  private readonly copies = new Map<number, CopyWork>();

  constructor(private readonly program: Program) {}

  run(f: ProgramFunction, frame: Frame): void {
    const at = (ref: BufferRef): BufferRef => {
      switch (ref.kind) {
        case "input":
          return frame.inputs[ref.index]!;
        case "output":
          return frame.outputs[ref.index]!;
        case "arena":
          return { kind: "arena", offset: frame.base + ref.offset };
      }
    };
    for (const step of f.steps) this.step(f, step, at, frame.base + f.arenaBytes);
  }

  private step(f: ProgramFunction, step: Step, at: (ref: BufferRef) => BufferRef, base: number): void {
    switch (step.kind) {
      case "launch": {
        const work = this.program.kernels[step.kernel]!;
        invariant(step.args.length === work.buffers.length, `kernel ${work.name}: ${step.args.length} arguments`);
        this.launches.push({ work, args: step.args.map(at) });
        return;
      }
      case "call": {
        const callee = this.program.functions[step.fn]!;
        const inputs = step.inputs.map(at);
        const outputs = step.outputs.map(at);
        this.run(callee, { inputs, outputs, base });
        callee.outputIsInput.forEach((i, k) => {
          if (i !== null) this.copy(inputs[i]!, outputs[k]!, callee.outputs[k]!.bytes);
        });
        return;
      }
      case "copy":
        return this.copy(at(step.from), at(step.to), step.bytes);
      case "if":
      case "loop":
      case "scan":
      case "callback":
        throw new InternalError(`a step of kind ${step.kind} is no launch`, [
          ["function", f.name],
          ["step", printStep(step, this.program)],
        ]);
    }
  }

  private copy(from: BufferRef, to: BufferRef, bytes: number): void {
    if (bytes === 0 || sameRef(from, to)) return;
    let work = this.copies.get(bytes);
    if (!work) this.copies.set(bytes, (work = { kind: "copy", name: "copy", bytes }));
    this.launches.push({ work, args: [from, to] });
  }
}

export const sameRef = (a: BufferRef, b: BufferRef): boolean =>
  a.kind === "arena" ? b.kind === "arena" && a.offset === b.offset : b.kind === a.kind && b.index === a.index;
