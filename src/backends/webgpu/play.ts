import { isScalarInput, type ScalarInput } from "../../kernel-ir/backend.js";
import type { Range } from "./bind-groups.js";
import type { WebgpuBuffer } from "./buffer.js";
import { bindingAlignment } from "./constants.js";
import { offsetsOf } from "./control.js";
import type { WebgpuDevice } from "./device.js";
import type { Block } from "./pool.js";
import type { LaunchClock, Profiler } from "./profile.js";
import type { Node } from "./recording.js";
import type { Resource, Specialised } from "./specialise.js";
import { SubmitMeter } from "./submits.js";

/** What a call works on. */
export interface Stage {
  readonly device: WebgpuDevice;
  readonly name: string;
  readonly specialised: Specialised;
  readonly inputs: readonly (WebgpuBuffer | ScalarInput)[];
  readonly outputs: readonly WebgpuBuffer[];
  readonly banks: readonly Block[];
  readonly scalars: Block | undefined;
  readonly gates: Block | undefined;
  readonly profiler: Profiler | undefined;
}

/** What a call waits for between submits: that the device has done them, or what a gate says. */
export type Pause = { readonly kind: "done" } | { readonly kind: "gate"; readonly gate: number };

/** Submits that are handed over at once; then the page has its turn, and the device a chance to catch up. */
const submitsAtOnce = 4;
/** Rounds that are recorded at most before it is known whether there are so many. */
export const mostRounds = 256;

/** Encodes and submits a call's dispatches, in the order that its nodes say; stops at each pause. */
export function* play(stage: Stage): Generator<Pause, void, boolean> {
  const player = new Player(stage);
  yield* player.nodes(stage.specialised.nodes);
  player.flush();
}

class Player {
  private readonly meter: SubmitMeter;
  private readonly groups: GPUBindGroup[] = [];
  private readonly slots: readonly number[];
  private readonly rounds: number[] = [];
  private encoder: GPUCommandEncoder | undefined;
  private pass: GPUComputePassEncoder | undefined;
  private clock: LaunchClock | undefined;
  private last: GPUComputePipeline | undefined;
  private submits = 0;

  constructor(private readonly stage: Stage) {
    this.meter = new SubmitMeter(stage.device.submitCap);
    this.slots = slotsOf(stage.inputs);
  }

  *nodes(nodes: readonly Node[]): Generator<Pause, void, boolean> {
    for (const node of nodes) {
      switch (node.kind) {
        case "launches":
          for (let at = node.from; at < node.to; at++) {
            this.dispatch(at);
            if (this.submits >= submitsAtOnce) {
              this.submits = 0;
              yield { kind: "done" };
            }
          }
          break;
        case "rounds": {
          const { length, depth, reverse, even, odd } = node;
          for (let i = 0; i < length; i++) {
            this.rounds[depth] = reverse ? length - 1 - i : i;
            yield* this.nodes(i % 2 === 0 ? even : odd);
          }
          break;
        }
        case "while":
          yield* this.speculate(node);
      }
    }
  }

  /** Rounds are recorded some at a time; only then it is asked whether the last of them was one too many. */
  private *speculate({ alive, atFirst, even, odd }: Extract<Node, { kind: "while" }>): Generator<Pause, void, boolean> {
    let i = 0;
    for (let batch = atFirst; ; batch = Math.min(mostRounds, 2 * batch)) {
      for (const end = i + batch; i < end; i++) yield* this.nodes(i % 2 === 0 ? even : odd);
      this.flush();
      this.submits = 0;
      const goesOn = yield { kind: "gate", gate: alive };
      if (!goesOn) return;
    }
  }

  private dispatch(at: number): void {
    const { device, specialised, name, profiler } = this.stage;
    const { counters } = device.context;
    const { dispatch, pipeline, gate, resources } = specialised.dispatches[at]!;
    if (this.meter.breaksBefore(dispatch)) this.submit();
    const gpu = device.context.device;
    this.encoder ??= gpu.createCommandEncoder({ label: name });
    if (profiler) {
      this.clock ??= profiler.clock(name, this.mostAtOnce());
      this.pass = this.encoder.beginComputePass(this.clock.pass(dispatch));
      this.last = undefined;
    } else this.pass ??= this.encoder.beginComputePass({ label: name });
    const { pass } = this;
    if (pipeline.gpu !== this.last) pass.setPipeline((this.last = pipeline.gpu!));
    pass.setBindGroup(
      0,
      (this.groups[at] ??= device.bindGroups.get(pipeline.layout, resources.map(this.rangeOf), dispatch.label)),
    );
    const { control } = pipeline.layout;
    if (control) {
      const { bindGroup, holds } = control;
      pass.setBindGroup(1, device.control.group(bindGroup, holds), offsetsOf(holds, gate ?? 0, this.rounds));
    }
    pass.dispatchWorkgroups(...dispatch.workgroups);
    if (profiler) pass.end();
    counters.dispatches++;
    counters.flops += dispatch.cost.flops;
    counters.loadBytes += dispatch.cost.loadBytes;
    counters.storeBytes += dispatch.cost.storeBytes;
  }

  /** Dispatches that a submit of the call may hold. */
  private mostAtOnce(): number {
    const { device, specialised } = this.stage;
    const once = specialised.nodes.every((n) => n.kind === "launches");
    return once ? specialised.dispatches.length : device.submitCap.dispatches;
  }

  /** Hands over what is encoded. */
  flush(): void {
    this.meter.reset();
    this.submit();
  }

  private submit(): void {
    const { encoder, clock } = this;
    if (!encoder) return;
    if (clock) clock.end(encoder);
    else this.pass!.end();
    const { context } = this.stage.device;
    context.device.queue.submit([encoder.finish()]);
    clock?.read();
    context.counters.submits++;
    this.submits++;
    this.encoder = this.pass = this.clock = this.last = undefined;
  }

  private readonly rangeOf = (r: Resource): Range => {
    const { banks, gates, inputs, outputs, scalars } = this.stage;
    if (r.kind === "bank") return { block: banks[r.bank]!, offset: r.offset, size: r.size };
    if (r.kind === "gates") return { block: gates!, offset: 0, size: gates!.bytes };
    const x = r.kind === "input" ? inputs[r.index]! : outputs[r.index]!;
    if (isScalarInput(x)) return { block: scalars!, offset: this.slots[r.index]! * bindingAlignment, size: r.size };
    return { block: x.block!, offset: 0, size: r.size };
  };
}

/** The number of each scalar among the scalars. */
function slotsOf(inputs: Stage["inputs"]): readonly number[] {
  let slot = 0;
  return inputs.map((x) => (isScalarInput(x) ? slot++ : -1));
}
