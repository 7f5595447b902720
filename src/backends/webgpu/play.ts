import { isScalarInput, type ScalarInput } from "../../kernel-ir/backend.js";
import type { Group, Range } from "./bind-groups.js";
import type { WebgpuBuffer } from "./buffer.js";
import type { Batch, Encoding } from "./commands.js";
import { bindingAlignment } from "./constants.js";
import { offsetsOf } from "./control.js";
import type { WebgpuDevice } from "./device.js";
import type { Block } from "./block.js";
import type { Profiler } from "./profile.js";
import type { Node } from "./recording.js";
import type { ScalarPlace } from "./scalars.js";
import type { Resource, Specialised } from "./specialise.js";

/** What a call works on. */
export interface Stage {
  readonly device: WebgpuDevice;
  readonly name: string;
  readonly specialised: Specialised;
  readonly inputs: readonly (WebgpuBuffer | ScalarInput)[];
  readonly outputs: readonly WebgpuBuffer[];
  readonly banks: readonly Block[];
  readonly scalars: ScalarPlace | undefined;
  readonly gates: Block | undefined;
  readonly profiler: Profiler | undefined;
  /** It shares no submit with other calls. */
  readonly alone: boolean;
}

/** What a call waits for between submits: that the device has done them, or what a gate says. */
export type Pause = { readonly kind: "done" } | { readonly kind: "gate"; readonly gate: number };

/** Submits that are handed over at once; then the page has its turn, and the device a chance to catch up. */
const submitsAtOnce = 4;
/** Rounds that are recorded at most before it is known whether there are so many. */
export const mostRounds = 256;

/** Encodes a call's dispatches, in the order that its nodes say; stops at each pause, with everything handed over. */
export class Player {
  /** What its dispatches belong to. */
  readonly batches: Batch[] = [];
  private readonly groups: Group[] = [];
  private readonly slots: readonly number[];
  private readonly rounds: number[] = [];
  private readonly encoding: Encoding;
  /** Submits since the device could last catch up. */
  private submits = 0;

  constructor(private readonly stage: Stage) {
    const { device, specialised, name, profiler } = stage;
    this.slots = slotsOf(stage.inputs);
    const once = specialised.nodes.every((n) => n.kind === "launches");
    const mostAtOnce = once ? specialised.dispatches.length : device.commands.cap.dispatches;
    this.encoding = { name, profiler, mostAtOnce };
  }

  *play(): Generator<Pause, void, boolean> {
    const { specialised, alone, device } = this.stage;
    if (alone) device.commands.flush();
    yield* this.nodes(specialised.nodes);
    if (alone) device.commands.flush();
    else device.commands.callEnds();
  }

  private *nodes(nodes: readonly Node[]): Generator<Pause, void, boolean> {
    for (const node of nodes) {
      switch (node.kind) {
        case "launches":
          for (let at = node.from; at < node.to; at++) {
            if (this.stage.device.commands.makeRoom(this.stage.specialised.dispatches[at]!.dispatch)) this.submits++;
            if (this.submits >= submitsAtOnce) {
              this.submits = 0;
              yield { kind: "done" };
            }
            this.dispatch(at);
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
      this.stage.device.commands.flush();
      this.submits = 0;
      const goesOn = yield { kind: "gate", gate: alive };
      if (!goesOn) return;
    }
  }

  private dispatch(at: number): void {
    const { device, specialised } = this.stage;
    const { dispatch, pipeline, gate, resources } = specialised.dispatches[at]!;
    const { control } = pipeline.layout;
    // The device may refuse a bind group too: that is part of the batch.
    device.commands.open();
    const group = (this.groups[at] ??= device.bindGroups.get(
      pipeline.layout,
      resources.map(this.rangeOf),
      dispatch.label,
    ));
    const batch = device.commands.dispatch(
      {
        dispatch,
        pipeline: pipeline.gpu!,
        group: group.gpu,
        blocks: group.blocks,
        control: control && {
          group: device.control.group(control.bindGroup, control.holds),
          offsets: offsetsOf(control.holds, gate ?? 0, this.rounds),
        },
      },
      this.encoding,
    );
    if (batch !== this.batches.at(-1)) this.batches.push(batch);
  }

  private readonly rangeOf = (r: Resource): Range => {
    const { banks, gates, inputs, outputs, scalars } = this.stage;
    if (r.kind === "bank") return { block: banks[r.bank]!, offset: r.offset, size: r.size };
    if (r.kind === "gates") return { block: gates!, offset: 0, size: gates!.bytes };
    const x = r.kind === "input" ? inputs[r.index]! : outputs[r.index]!;
    if (isScalarInput(x)) {
      const { block, offset } = scalars!;
      return { block, offset: offset + this.slots[r.index]! * bindingAlignment, size: r.size };
    }
    return { block: x.block!, offset: 0, size: r.size };
  };
}

/** The number of each scalar among the scalars. */
function slotsOf(inputs: Stage["inputs"]): readonly number[] {
  let slot = 0;
  return inputs.map((x) => (isScalarInput(x) ? slot++ : -1));
}
