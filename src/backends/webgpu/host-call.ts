import { invariant, type TsaxError } from "../../core/errors.js";
import {
  type DeviceBuffer,
  type Executable,
  type HostCompute,
  isScalarInput,
  type ScalarInput,
} from "../../kernel-ir/backend.js";
import type { BufferType, Program } from "../../kernel-ir/program.js";
import { own, type WebgpuBuffer } from "./buffer.js";
import type { WebgpuDevice } from "./device.js";
import { Fate } from "./fate.js";
import { asTsaxError, type Entry } from "./stream.js";

type Operand = WebgpuBuffer | ScalarInput;

/** What of a program cannot be recorded as launches, in words. */
export const unrecorded = ({ functions }: Program): string | undefined =>
  functions.some((f) => f.steps.some((s) => s.kind === "callback")) ? "callbacks into JavaScript" : undefined;

/** A program that the host computes, between what the device does before and after it. */
export class HostExecutable implements Executable {
  constructor(
    private readonly device: WebgpuDevice,
    private readonly program: Program,
    private readonly compute: HostCompute,
    readonly text: () => string,
  ) {}

  run(inputs: readonly (DeviceBuffer | ScalarInput)[], outputs: readonly DeviceBuffer[]): void {
    this.device.context.check();
    const entry = this.program.functions[0]!;
    const to = outputs.flatMap((b, k) => (entry.outputIsInput[k] === null ? [own(b)] : []));
    const from = inputs.map((x) => (isScalarInput(x) ? x : own(x)));
    this.device.stream.push(new HostCall(this.device, entry.inputs, from, to, this.compute));
  }
}

/** One call: the stream waits while the operands are brought. */
class HostCall implements Entry {
  private work: Promise<void> | undefined;
  private done = false;
  private error: TsaxError | undefined;
  private results: readonly Uint32Array<ArrayBuffer>[] = [];

  constructor(
    private readonly device: WebgpuDevice,
    private readonly types: readonly BufferType[],
    private readonly inputs: readonly Operand[],
    private readonly outputs: readonly WebgpuBuffer[],
    private readonly compute: HostCompute,
  ) {}

  waits(): Promise<void> | undefined {
    if (this.done) return undefined;
    return (this.work ??= this.bring()
      .then((words) => {
        this.results = this.compute(words);
        this.done = true;
      })
      .catch((e: unknown) => {
        this.error = this.device.context.lost ?? asTsaxError(e);
        this.done = true;
      }));
  }

  private bring(): Promise<(Uint32Array<ArrayBuffer> | ScalarInput)[]> {
    const { device } = this;
    return Promise.all(
      this.inputs.map(async (x, i) => {
        if (isScalarInput(x)) return x;
        const { fate } = x;
        if (fate?.error) throw fate.error;
        const words = new Uint32Array(this.types[i]!.bytes / 4);
        if (words.length === 0) return words;
        const refused = await device.readback.read(device.materialise(x).gpu, words);
        await fate?.settled;
        if (fate?.error) throw fate.error;
        invariant(refused === null, `a read was refused: ${refused?.message}`);
        return words;
      }),
    );
  }

  execute(): void {
    const { device, outputs } = this;
    device.context.check();
    if (this.error) return this.fail(this.error);
    device.commands.flush();
    outputs.forEach((buffer, k) => {
      const block = device.materialise(buffer);
      buffer.fate = undefined;
      const words = this.results[k]!;
      if (words.length > 0) device.context.device.queue.writeBuffer(block.gpu, 0, words);
    });
  }

  fail(error: TsaxError): void {
    for (const buffer of this.outputs) buffer.fate = Fate.failed(error);
  }
}
