import type { Context } from "./context.js";
import type { Layout } from "./pipelines.js";
import type { Block } from "./block.js";

/** A part of a block, as a dispatch sees it. */
export interface Range {
  readonly block: Block;
  readonly offset: number;
  readonly size: number;
}

export interface Group {
  readonly gpu: GPUBindGroup;
  readonly blocks: readonly Block[];
  lastUse: number;
}

/** Bind groups that are kept; when there are more, the half that was not used for longest goes. */
const kept = 32_768;

/** Bind groups by layout and ranges: calls that meet the same blocks again make none. */
export class BindGroups {
  private readonly byKey = new Map<string, Group>();
  private clock = 0;

  constructor(private readonly context: Context) {}

  get(layout: Layout, ranges: readonly Range[], label: string): Group {
    let key = String(layout.id);
    for (const { block, offset, size } of ranges) key += ` ${block.id}:${offset}:${size}`;
    let group = this.byKey.get(key);
    if (!group) {
      group = this.create(layout, ranges, label);
      this.byKey.set(key, group);
      for (const block of group.blocks) block.groups.add(key);
      if (this.byKey.size > kept) this.dropOld();
    }
    group.lastUse = ++this.clock;
    return group;
  }

  /** Forgets what names a block. */
  drop(block: Block): void {
    for (const key of block.groups) this.forget(key);
  }

  private create(layout: Layout, ranges: readonly Range[], label: string): Group {
    this.context.counters.bindGroups++;
    const gpu = this.context.device.createBindGroup({
      label,
      layout: layout.bindGroup,
      entries: ranges.map(({ block, offset, size }, binding) => ({
        binding,
        resource: { buffer: block.gpu, offset, size },
      })),
    });
    return { gpu, blocks: ranges.map((r) => r.block), lastUse: 0 };
  }

  private dropOld(): void {
    const byUse = [...this.byKey].sort(([, a], [, b]) => a.lastUse - b.lastUse);
    for (const [key] of byUse.slice(0, byUse.length / 2)) this.forget(key);
  }

  private forget(key: string): void {
    for (const block of this.byKey.get(key)!.blocks) block.groups.delete(key);
    this.byKey.delete(key);
  }
}
