import type { TsaxError } from "../../core/errors.js";
import { type DeviceBuffer, type Executable, isScalarInput, type ScalarInput } from "../../kernel-ir/backend.js";
import type { Program } from "../../kernel-ir/program.js";
import { own, type WebgpuBuffer } from "./buffer.js";
import type { Batch } from "./commands.js";
import { bindingAlignment } from "./constants.js";
import { workRefused } from "./errors.js";
import { Fate } from "./fate.js";
import type { Block } from "./block.js";
import { type Pause, Player } from "./play.js";
import type { Profiler } from "./profile.js";
import { describe, keyOf, type Shared, type Sharing, type Specialised, specialise } from "./specialise.js";
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
    this.placed = placeTemporaries(device.recordingOf(program));
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

/** What the device refused, and what it was part of. */
interface Refusal {
  readonly error: GPUError;
  readonly batch: Batch;
}

const blocksOf = (xs: readonly Operand[]): readonly Block[] =>
  xs.flatMap((x) => (isScalarInput(x) ? [] : (x.block ?? [])));
const errorOf = (fates: readonly (Fate | undefined)[]): TsaxError | undefined => fates.find((f) => f?.error)?.error;

/** One call of a program in the stream. */
class Call implements Entry {
  /** The profile that was being recorded when the call was made. */
  private readonly profiler: Profiler | undefined;
  private playing: Generator<Pause, void, boolean> | undefined;
  private done = false;
  private error: TsaxError | undefined;
  private blocks: readonly Block[] = [];
  private gates: Block | undefined;
  /** What became of the operands. */
  private fates: readonly (Fate | undefined)[] = [];
  private player: Player | undefined;
  /** So many of the batches that the call is part of are known not to be refused. */
  private accepted = 0;

  constructor(
    private readonly device: WebgpuDevice,
    private readonly variant: Variant,
    private readonly inputs: readonly Operand[],
    private readonly outputs: readonly WebgpuBuffer[],
    private readonly untouched: readonly boolean[],
  ) {
    this.profiler = device.profiler;
  }

  /** For its pipelines; then, where the call has pauses, for each of them: between them it is executed part by part. */
  waits(): Promise<void> | undefined {
    if (this.done) return undefined;
    const compiling = this.variant.waits();
    if (compiling) return compiling;
    const pause = this.part(true);
    return pause && this.rest(pause);
  }

  fail(error: TsaxError): void {
    this.end(error);
    this.decide(Fate.failed(error));
  }

  execute(): void {
    this.device.context.check();
    // An operand may have turned out to have failed while the call went on.
    const failed = this.error ?? errorOf(this.fates);
    if (failed) return this.fail(failed);
    this.decide(Fate.of(this.outcome(), this.fates));
  }

  /** Hands over what comes before the next pause, and gives that; undefined: it was the last part. */
  private part(answer: boolean): Pause | undefined {
    const { device } = this;
    try {
      device.context.check();
      this.playing ??= this.begin();
      const step = this.playing?.next(answer);
      if (step && !step.done) return step.value;
      this.end(undefined);
      return undefined;
    } catch (e) {
      this.end(asTsaxError(e));
      return undefined;
    }
  }

  private async rest(first: Pause): Promise<void> {
    try {
      for (let pause: Pause | undefined = first; pause;) {
        const answer = await this.over(pause);
        if (this.done) return;
        // What the device computes is of no use any more, and a loop might never end by it: the outcome tells why.
        if (!(await this.isSound())) return this.end(undefined);
        pause = this.part(answer);
      }
    } catch (e) {
      this.end(this.device.context.lost ?? asTsaxError(e));
    }
  }

  /** Waits for the end of a pause: the answer of a gate. */
  private async over(pause: Pause): Promise<boolean> {
    const { context, readback } = this.device;
    if (pause.kind === "done") {
      await context.guard(context.device.queue.onSubmittedWorkDone());
      return true;
    }
    const word = new Uint32Array(1);
    const refused = await readback.read(this.gates!.gpu, word, pause.gate * bindingAlignment);
    return refused === null && word[0] !== 0;
  }

  /** Whether no operand failed, and nothing that was handed over so far was refused. */
  private async isSound(): Promise<boolean> {
    await Promise.all(this.fates.map((f) => f?.settled));
    return errorOf(this.fates) === undefined && (await this.refused()) === undefined;
  }

  /** The first that the device refuses of what was handed over so far. */
  private async refused(): Promise<Refusal | undefined> {
    const batches = this.player?.batches ?? [];
    for (; this.accepted < batches.length; this.accepted++) {
      const batch = batches[this.accepted]!;
      const error = await batch.refused;
      if (error) return { error, batch };
    }
    return undefined;
  }

  /** Takes memory, and begins; undefined where an operand failed. */
  private begin(): Generator<Pause, void, boolean> | undefined {
    const { device, inputs, outputs, variant } = this;
    const { specialised, program } = variant;
    this.fates = inputs.map((x) => (isScalarInput(x) ? undefined : x.fate));
    this.error = variant.error ?? errorOf(this.fates);
    if (this.error) return undefined;
    for (const x of inputs) if (!isScalarInput(x)) device.materialise(x);
    outputs.forEach((x, k) => this.untouched[k] || device.materialise(x));
    const scalars = device.scalars.write(inputs);
    const banks = device.arena.hold(specialised.banks);
    const gates = specialised.gates > 0 ? device.control.gatesOf(specialised.gates) : undefined;
    this.gates = gates;
    const used = outputs.flatMap((x, k) => (this.untouched[k] ? [] : x.block!));
    this.blocks = [...used, ...banks, ...(scalars ? [scalars.block] : [])];
    const { profiler } = this;
    this.player = new Player({
      device,
      name: program.name,
      specialised,
      inputs,
      outputs,
      banks,
      scalars,
      gates,
      profiler,
      alone: profiler !== undefined || [...this.blocks, ...blocksOf(inputs)].some((b) => b.doubtful),
    });
    return this.player.play();
  }

  private end(error: TsaxError | undefined): void {
    if (this.done) return;
    this.done = true;
    this.error ??= error;
    this.device.arena.letGo();
  }

  /** What the device said of the call: of a block that could not be made, only that the commands that use it are refused. */
  private async outcome(): Promise<TsaxError | undefined> {
    let refusal: Refusal | undefined;
    try {
      refusal = await this.refused();
    } catch (e) {
      return asTsaxError(e);
    }
    if (!refusal) return undefined;
    for (const block of [...this.blocks, ...this.device.control.blocks, ...refusal.batch.blocks]) {
      await block.made;
      if (block.failure) return block.failure;
    }
    const { message } = refusal.error;
    const works = new Set(this.variant.specialised.dispatches.flatMap((d) => d.works));
    const named = [...works].filter((w) => message.includes(w.name)).map((w) => describe([w]));
    return workRefused(`program ${this.variant.program.name}`, message, named);
  }

  private decide(fate: Fate): void {
    this.outputs.forEach((x, k) => {
      if (!this.untouched[k]) x.fate = fate;
    });
  }
}
