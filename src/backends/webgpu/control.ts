import { bindingAlignment, computeStage, usage } from "./constants.js";
import type { Commands } from "./commands.js";
import type { Control, Dispatch } from "./dispatch.js";
import type { Block } from "./block.js";
import { Pool } from "./pool.js";

/**
 * What launches are told by uniform memory: whether they are to do anything, and which round it is.
 *
 * A gate is a word on the device, which other launches set. The number of a round is written nowhere: there is a table of numbers,
 * and a dispatch is bound to the entries of the one that it is told, by dynamic offsets. So no round needs a bind group of its own.
 */

/** Words from one gate to the next, for each may be bound. */
export const gateWords = bindingAlignment / 4;
/** Numbers in the table: a round's has two digits of this base. */
const base = 1024;

/**
 * A dispatch whose shader asks its gate first, and knows the numbers of rounds as `turn0`, `turn1`, … anywhere, and in `main` as
 * `uniformTurn0`, …, which a loop around barriers may depend on.
 */
export function controlled(dispatch: Dispatch, control: Control): Dispatch {
  if (!control.gated && control.turns === 0) return dispatch;
  const turns = Array.from({ length: control.turns }, (_, d) => d);
  const declared = [
    ...(control.gated ? ["@group(1) @binding(0) var<uniform> gate: vec4u;"] : []),
    ...turns.flatMap((d) => [
      `@group(1) @binding(${2 * d + 1}) var<uniform> low${d}: vec4u;`,
      `@group(1) @binding(${2 * d + 2}) var<uniform> high${d}: vec4u;`,
      `var<private> turn${d}: i32;`,
    ]),
  ];
  const first = [
    // Uniform, so that barriers may follow.
    ...(control.gated ? ["  if (gate.x == 0u) { return; }"] : []),
    ...turns.flatMap((d) => [
      `  let uniformTurn${d} = i32(high${d}.x * ${base}u + low${d}.x);`,
      `  turn${d} = uniformTurn${d};`,
    ]),
  ];
  const main = /^fn main\([^]*?\) \{\n/m;
  const wgsl = `${declared.join("\n")}\n${dispatch.wgsl.replace(main, (text) => `${text}${first.join("\n")}\n`)}`;
  return { ...dispatch, wgsl, control };
}

/** The dynamic offsets of a dispatch, in the order of the bindings. */
export function offsetsOf({ gated, turns }: Control, gate: number, rounds: readonly number[]): number[] {
  const offsets = gated ? [gate * bindingAlignment] : [];
  for (let d = 0; d < turns; d++) {
    const k = rounds[d]!;
    offsets.push((k % base) * bindingAlignment, Math.floor(k / base) * bindingAlignment);
  }
  return offsets;
}

/** The layout of group 1. */
export function controlLayout(device: GPUDevice, { gated, turns }: Control): GPUBindGroupLayout {
  const bindings = [...(gated ? [0] : []), ...Array.from({ length: 2 * turns }, (_, k) => k + 1)];
  return device.createBindGroupLayout({
    label: "control",
    entries: bindings.map((binding) => ({
      binding,
      visibility: computeStage,
      buffer: { type: "uniform", hasDynamicOffset: true, minBindingSize: 16 },
    })),
  });
}

/** The gates and the table of a device, made when they are first needed. */
export class ControlMemory {
  private gates: Block | undefined;
  private table: Block | undefined;
  private readonly groups = new Map<GPUBindGroupLayout, GPUBindGroup>();
  private readonly pool: Pool;

  constructor(
    private readonly commands: Commands,
    onDestroy: (block: Block) => void,
  ) {
    const all = usage.storage | usage.uniform | usage.copySource | usage.copyTarget;
    this.pool = new Pool(commands, all, { label: "control", keepBytes: 0, onDestroy });
  }

  get bytes(): number {
    return this.pool.usedBytes;
  }

  get blocks(): readonly Block[] {
    return [this.gates, this.table].flatMap((b) => b ?? []);
  }

  /** Memory of at least so many gates. */
  gatesOf(count: number): Block {
    const bytes = count * bindingAlignment;
    if (this.gates && this.gates.bytes >= bytes && !this.gates.failure) return this.gates;
    this.drop(this.gates);
    return (this.gates = this.pool.take(Math.max(bytes, 64 * bindingAlignment)));
  }

  group(layout: GPUBindGroupLayout, { gated, turns }: Control): GPUBindGroup {
    if (turns > 0) this.numbers();
    let group = this.groups.get(layout);
    if (group) return group;
    const entries: GPUBindGroupEntry[] = [];
    if (gated) entries.push({ binding: 0, resource: { buffer: this.gatesOf(1).gpu, size: 16 } });
    for (let k = 1; k <= 2 * turns; k++)
      entries.push({ binding: k, resource: { buffer: this.numbers().gpu, size: 16 } });
    const { context } = this.commands;
    context.counters.bindGroups++;
    this.groups.set(layout, (group = context.device.createBindGroup({ label: "control", layout, entries })));
    return group;
  }

  private numbers(): Block {
    if (this.table && !this.table.failure) return this.table;
    this.drop(this.table);
    const words = new Uint32Array(base * gateWords);
    for (let k = 0; k < base; k++) words[k * gateWords] = k;
    this.table = this.pool.take(words.byteLength);
    // Nothing uses it yet.
    this.commands.context.device.queue.writeBuffer(this.table.gpu, 0, words);
    return this.table;
  }

  /** Gives a block back, and forgets what names it. */
  private drop(block: Block | undefined): void {
    if (!block) return;
    // What is encoded may depend on it by a group.
    this.commands.flush();
    this.groups.clear();
    this.pool.give(block);
    this.pool.trim(0);
  }
}
