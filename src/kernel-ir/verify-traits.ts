import { InternalError } from "../core/errors.js";
import type { DeviceTraits } from "./backend.js";
import type { Kernel } from "./kernel.js";
import type { BufferRef, Program, Step } from "./program.js";

/**
 * Checks that a program keeps to what a device allows: buffers of a kernel (a sort takes what it takes), bytes of row buffers,
 * places in the arena, epilogues. @throws InternalError
 */
export function verifyTraits(program: Program, traits: DeviceTraits): void {
  for (const kernel of program.kernels) verifyKernelTraits(kernel, traits);
  for (const f of program.functions) {
    require(f.arenaBytes % traits.arenaAlignment === 0, `function ${f.name} has an arena of ${f.arenaBytes} bytes`);
    for (const step of f.steps) {
      for (const ref of refsOf(step)) {
        if (ref.kind === "arena")
          require(ref.offset % traits.arenaAlignment === 0, `function ${f.name} has a temporary at ${ref.offset}`);
      }
    }
  }
}

function verifyKernelTraits(kernel: Kernel, traits: DeviceTraits): void {
  const { maxBuffers, loopBuffers = maxBuffers, maxKeepBytes, dotEpilogue, dotDigits } = traits;
  const isLoop = kernel.kind === "nest" && kernel.reduced.length === 0 && !kernel.sequential;
  if (kernel.kind !== "sort") {
    const most = isLoop ? loopBuffers : maxBuffers;
    require(kernel.buffers.length <= most, `kernel ${kernel.name} has ${kernel.buffers.length} buffers`);
  }
  if (kernel.kind === "dot") require(dotEpilogue || !kernel.epilogue, `kernel ${kernel.name} has an epilogue`);
  if (kernel.kind === "dot")
    require(dotDigits === true || !(kernel.lhs.digits ?? kernel.rhs.digits), `kernel ${kernel.name} reads by digits`);
  if (kernel.kind !== "nest") return;
  const elements = kernel.reduced.reduce((a, b) => a * b, 1);
  const bytes = kernel.keeps.reduce((n, type) => n + elements * (type === "f64" ? 8 : 4), 0);
  require(bytes <= maxKeepBytes, `kernel ${kernel.name} has row buffers of ${bytes} bytes`);
}

function require(condition: boolean, what: string): void {
  if (!condition) throw new InternalError(`${what}, which the device does not allow`);
}

function refsOf(step: Step): readonly BufferRef[] {
  switch (step.kind) {
    case "launch":
      return step.args;
    case "copy":
      return [step.from, step.to];
    case "if":
      return [step.index, ...step.inputs, ...step.outputs];
    case "loop":
      return [...step.consts, ...step.state];
    case "scan":
      return [...step.consts, ...step.carry, ...[...step.xs, ...step.ys].map((s) => s.ref)];
    default:
      return [...step.inputs, ...step.outputs];
  }
}
