import { dtypeInfo, type DType, type TypedArray } from "../../core/dtype.js";
import { InternalError } from "../../core/errors.js";
import {
  type Backend,
  type DeviceBuffer,
  type DeviceTraits,
  type Executable,
  isScalarInput,
  type ScalarInput,
} from "../../kernel-ir/backend.js";
import { interpretProgram } from "../../kernel-ir/interpreter.js";
import { printProgram } from "../../kernel-ir/printer.js";
import type { BufferType, Program } from "../../kernel-ir/program.js";
import { verifyTraits } from "../../kernel-ir/verify-traits.js";
import { verifyProgram } from "../../kernel-ir/verifier.js";

/** Bytes on the host. */
class HostBuffer implements DeviceBuffer {
  freed = false;
  readonly data: Uint8Array;
  constructor(readonly bytes: number) {
    this.data = new Uint8Array(Math.ceil(bytes / 8) * 8);
  }
}

/**
 * A backend that verifies programs and interprets them, for tests of the compiler: every access is checked against bounds,
 * races and memory that nobody has written.
 */
export class InterpreterBackend implements Backend {
  private allocated = 0;
  private programs = 0;

  /** `traits`: what programs must keep to; without them, no limits. */
  constructor(
    readonly name = "interpreter",
    readonly traits: DeviceTraits = {
      maxBuffers: Infinity,
      maxKeepBytes: Infinity,
      arenaAlignment: 64,
      dotEpilogue: false,
      dearLaunches: false,
    },
  ) {}

  supports(_dtype: DType): boolean {
    return true;
  }
  allocate(bytes: number): HostBuffer {
    const buffer = new HostBuffer(bytes);
    this.allocated += bytes;
    return buffer;
  }
  free(buffer: DeviceBuffer): void {
    const host = hostBuffer(buffer);
    host.freed = true;
    this.allocated -= host.bytes;
  }
  write(buffer: DeviceBuffer, data: TypedArray): void {
    hostBuffer(buffer).data.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  readSync(buffer: DeviceBuffer, into: TypedArray): void {
    new Uint8Array(into.buffer, into.byteOffset, into.byteLength).set(
      hostBuffer(buffer).data.subarray(0, into.byteLength),
    );
  }
  async read(buffer: DeviceBuffer, into: TypedArray): Promise<void> {
    this.readSync(buffer, into);
  }
  compile(program: Program): Executable {
    verifyProgram(program);
    verifyTraits(program, this.traits);
    this.programs++;
    const entry = program.functions[0]!;
    return {
      run(inputs, outputs) {
        const results = interpretProgram(
          program,
          inputs.map((x, i) => operand(x, entry.inputs[i]!)),
        );
        results.forEach((r, i) =>
          hostBuffer(outputs[i]!).data.set(new Uint8Array(r.buffer, r.byteOffset, r.byteLength)),
        );
      },
      text: () => printProgram(program),
    };
  }
  stats(): { heapBytes: number; allocatedBytes: number; modules: number } {
    return { heapBytes: this.allocated, allocatedBytes: this.allocated, modules: this.programs };
  }
}

function hostBuffer(b: DeviceBuffer): HostBuffer {
  if (!(b instanceof HostBuffer)) throw new InternalError("a buffer of another backend");
  if (b.freed) throw new InternalError("a buffer is used after it was freed");
  return b;
}

function operand(x: DeviceBuffer | ScalarInput, type: BufferType): TypedArray {
  const { storage, bytes, words } = dtypeInfo[type.dtype];
  const array = new storage((type.bytes / bytes) * words);
  if (isScalarInput(x)) array[0] = x.scalar;
  else new Uint8Array(array.buffer).set(hostBuffer(x).data.subarray(0, type.bytes));
  return array;
}
