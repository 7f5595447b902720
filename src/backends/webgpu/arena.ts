import { usage } from "./constants.js";
import type { Commands } from "./commands.js";
import type { Block } from "./block.js";
import { Pool } from "./pool.js";

/**
 * Memory of temporaries: a few banks that all programs of the device share, for what runs later overwrites what earlier runs are
 * done with. A bank grows to what the largest program needs of it, and is then the same buffer in every call.
 */
export class Arena {
  private readonly blocks: (Block | undefined)[] = [];
  private readonly pool: Pool;
  /** A call uses the banks, and will for some time. */
  private held = false;
  private clearsLater = false;

  constructor(
    commands: Commands,
    { onDestroy, onFailure }: { readonly onDestroy: (block: Block) => void; readonly onFailure: () => void },
  ) {
    this.pool = new Pool(commands, usage.storage | usage.copySource | usage.copyTarget, {
      label: "arena",
      keepBytes: 0,
      onDestroy,
      onFailure,
    });
  }

  get bytes(): number {
    return this.pool.usedBytes;
  }

  /** The banks with at least so many bytes each, for a call: they stay until it lets go. */
  hold(bytes: readonly number[]): readonly Block[] {
    const banks = this.banks(bytes);
    this.held = true;
    return banks;
  }

  letGo(): void {
    this.held = false;
    if (this.clearsLater) this.clear();
  }

  private banks(bytes: readonly number[]): readonly Block[] {
    return bytes.map((n, k) => {
      const block = this.blocks[k];
      if (block && block.bytes >= n && !block.failure) return block;
      if (block) this.release(k);
      return (this.blocks[k] = this.pool.take(n));
    });
  }

  /** Gives all of it back; a later call takes what it needs. */
  clear(): void {
    this.clearsLater = this.held;
    if (this.held) return;
    this.blocks.forEach((_, k) => this.release(k));
  }

  private release(k: number): void {
    const block = this.blocks[k];
    this.blocks[k] = undefined;
    if (!block) return;
    this.pool.give(block);
    this.pool.trim(0);
  }
}
