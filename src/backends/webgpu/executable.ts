import type { TsaxError } from "../../core/errors.js";
import { type DeviceBuffer, type Executable, isScalarInput, type ScalarInput } from "../../kernel-ir/backend.js";
import type { Program } from "../../kernel-ir/program.js";
import type { Range } from "./bind-groups.js";
import { own, type WebgpuBuffer } from "./buffer.js";
import { bindingAlignment } from "./constants.js";
import { workRefused } from "./errors.js";
import { Fate } from "./fate.js";
import { flatten } from "./flatten.js";
import type { Block } from "./pool.js";
import type { Profiler } from "./profile.js";
import {
  describe,
  keyOf,
  type Resource,
  type Shared,
  type Sharing,
  type Specialised,
  specialise,
} from "./specialise.js";
import { asTsaxError, type Entry } from "./stream.js";
import { type PlacedProgram, placeTemporaries } from "./temporaries.js";
import { programText } from "./text.js";
import type { WebgpuDevice } from "./device.js";

/** Operands of a call, checked: buffers of this backend, or scalars. */
type Operand = WebgpuBuffer | ScalarInput;

/** A program of the backend: lowered once for each way in which outputs lie in the storage of inputs. */
export class WebgpuExecutable implements Executable {
  private readonly placed: PlacedProgram;
  private readonly variants = new Map<string, Variant>();
  /** Outputs that no step writes, for they are an input. */
  private readonly untouched: readonly boolean[];

  constructor(
    private readonly device: WebgpuDevice,
    readonly program: Program,
  ) {
    this.placed = placeTemporaries(flatten(program));
    const entry = program.functions[0]!;
    this.untouched = entry.outputIsInput.map((i) => i !== null);
    // What calls most likely do: what may be taken over is.
    this.variant(
      entry.outputReusesInput.flatMap((input, index) =>
        input === null ? [] : { kind: "output" as const, index, input },
      ),
    );
  }

  async ready(): Promise<void> {
    for (const variant of this.variants.values()) {
      await variant.waits();
      if (variant.error) throw variant.error;
    }
    this.device.context.check();
  }

  run(inputs: readonly (DeviceBuffer | ScalarInput)[], outputs: readonly DeviceBuffer[]): void {
    const { context, stream } = this.device;
    context.check();
    const from = inputs.map((x): Operand => (isScalarInput(x) ? x : own(x)));
    const to = outputs.map(own);
    const call = new Call(this.device, this.variant(this.sharing(from, to)), from, to, this.untouched);
    stream.push(call);
  }

  text(): string {
    return programText(
      this.program,
      [...this.variants.values()].map((v) => v.specialised),
    );
  }

  /** Storage is shared in a way that matters where an output lies in it. */
  private sharing(inputs: readonly Operand[], outputs: readonly WebgpuBuffer[]): Sharing {
    let sharing: Shared[] | undefined;
    for (let k = 0; k < outputs.length; k++) {
      if (this.untouched[k]) continue;
      const first = inputs.indexOf(outputs[k]!);
      if (first < 0) continue;
      sharing ??= [];
      sharing.push({ kind: "output", index: k, input: first });
      for (let i = first + 1; i < inputs.length; i++) {
        if (inputs[i] === outputs[k]) sharing.push({ kind: "input", index: i, input: first });
      }
    }
    return sharing ?? nothingShared;
  }

  private variant(sharing: Sharing): Variant {
    const key = keyOf(sharing);
    let variant = this.variants.get(key);
    if (!variant) {
      variant = new Variant(this.program, specialise(this.placed, sharing, this.device.specialiseContext));
      this.variants.set(key, variant);
    }
    return variant;
  }
}

const nothingShared: Sharing = [];

/** A specialised program whose pipelines are compiling, or are ready. */
class Variant {
  private compiled = false;
  error: TsaxError | undefined;

  constructor(
    readonly program: Program,
    readonly specialised: Specialised,
  ) {}

  waits(): Promise<void> | undefined {
    if (this.compiled) return undefined;
    const open = new Set(this.specialised.dispatches.flatMap((d) => d.pipeline.done ?? []));
    if (open.size > 0) return Promise.all(open).then(() => undefined);
    this.compiled = true;
    this.error = this.specialised.dispatches.find((d) => d.pipeline.error)?.pipeline.error;
    return undefined;
  }
}

/** One call of a program in the stream. */
class Call implements Entry {
  /** The profile that was being recorded when the call was made. */
  private readonly profiler: Profiler | undefined;

  constructor(
    private readonly device: WebgpuDevice,
    private readonly variant: Variant,
    private readonly inputs: readonly Operand[],
    private readonly outputs: readonly WebgpuBuffer[],
    private readonly untouched: readonly boolean[],
  ) {
    this.profiler = device.profiler;
  }

  waits(): Promise<void> | undefined {
    return this.variant.waits();
  }

  fail(error: TsaxError): void {
    this.decide(Fate.failed(error));
  }

  execute(): void {
    const { device, inputs, outputs, variant } = this;
    device.context.check();
    const fates = inputs.map((x) => (isScalarInput(x) ? undefined : x.fate));
    const error = variant.error ?? fates.find((f) => f?.error)?.error;
    if (error) return this.fail(error);
    const { value: blocks, error: refused } = device.context.scoped("validation", () => {
      for (const x of inputs) if (!isScalarInput(x)) device.materialise(x);
      outputs.forEach((x, k) => this.untouched[k] || device.materialise(x));
      const scalars = device.scalars.write(inputs);
      const banks = device.arena.banks(variant.specialised.banks);
      this.encode(banks, scalars);
      const used = outputs.flatMap((x, k) => (this.untouched[k] ? [] : x.block!));
      return [...used, ...banks, ...(scalars ? [scalars] : [])];
    });
    this.decide(Fate.of(this.outcome(refused, blocks), fates));
  }

  /** What the device said of the call: of a block that could not be made, only that the commands that use it are refused. */
  private async outcome(refused: Promise<GPUError | null>, blocks: readonly Block[]): Promise<TsaxError | undefined> {
    let error: GPUError | null;
    try {
      error = await refused;
    } catch (e) {
      return asTsaxError(e);
    }
    if (!error) return undefined;
    for (const block of blocks) {
      await block.made;
      if (block.failure) return block.failure;
    }
    const { message } = error;
    const works = new Set(this.variant.specialised.dispatches.flatMap((d) => d.works));
    const named = [...works].filter((w) => message.includes(w.name)).map((w) => describe([w]));
    return workRefused(`program ${this.variant.program.name}`, message, named);
  }

  private decide(fate: Fate): void {
    this.outputs.forEach((x, k) => {
      if (!this.untouched[k]) x.fate = fate;
    });
  }

  private encode(banks: readonly Block[], scalars: Block | undefined): void {
    const { device, variant } = this;
    const { specialised } = variant;
    const { counters } = device.context;
    const gpu = device.context.device;
    const slots = slotsOf(this.inputs);
    const rangeOf = (r: Resource): Range => {
      if (r.kind === "bank") return { block: banks[r.bank]!, offset: r.offset, size: r.size };
      const x = r.kind === "input" ? this.inputs[r.index]! : this.outputs[r.index]!;
      if (isScalarInput(x)) return { block: scalars!, offset: slots[r.index]! * bindingAlignment, size: r.size };
      return { block: x.block!, offset: 0, size: r.size };
    };
    let at = 0;
    for (const end of specialised.submits) {
      const encoder = gpu.createCommandEncoder({ label: variant.program.name });
      const clock = this.profiler?.clock(variant.program.name, end - at);
      let pass = clock ? undefined : encoder.beginComputePass({ label: variant.program.name });
      let last: GPUComputePipeline | undefined;
      for (; at < end; at++) {
        const { dispatch, pipeline, resources } = specialised.dispatches[at]!;
        if (clock) {
          pass = encoder.beginComputePass(clock.pass(dispatch));
          last = undefined;
        }
        if (pipeline.gpu !== last) pass!.setPipeline((last = pipeline.gpu!));
        pass!.setBindGroup(0, device.bindGroups.get(pipeline.layout, resources.map(rangeOf), dispatch.label));
        pass!.dispatchWorkgroups(...dispatch.workgroups);
        if (clock) pass!.end();
      }
      if (clock) clock.end(encoder);
      else pass!.end();
      gpu.queue.submit([encoder.finish()]);
      clock?.read();
      counters.submits++;
    }
    counters.dispatches += specialised.dispatches.length;
    counters.flops += specialised.flops;
    counters.loadBytes += specialised.loadBytes;
    counters.storeBytes += specialised.storeBytes;
  }
}

/** The number of each scalar among the scalars. */
function slotsOf(inputs: readonly Operand[]): readonly number[] {
  let slot = 0;
  return inputs.map((x) => (isScalarInput(x) ? slot++ : -1));
}
