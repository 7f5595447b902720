import type { Slice } from "../recording.js";

/** Where a value lies in a kernel that is a whole loop: an array of words, by its name, and the place of word 0 in it. */
export interface Cell {
  readonly memory: string;
  /** Text of an i32. */
  readonly base: string;
  /** What it overlaps: equal names may, from `from` to `to`. */
  readonly region: string;
  readonly from: number;
  readonly to: number;
}

const overlap = (a: Cell, b: Cell): boolean => a.region === b.region && a.from < b.to && b.from < a.to;

/** What invocations have read and written since they last waited for each other. */
export class Hazards {
  private reads: Cell[] = [];
  private writes: Cell[] = [];

  /** Whether what reads and writes these has to wait for what was done before; then that is forgotten. */
  waits(reads: readonly Cell[], writes: readonly Cell[]): boolean {
    const meets = (mine: readonly Cell[], theirs: readonly Cell[]): boolean =>
      mine.some((a) => theirs.some((b) => overlap(a, b)));
    const waits = meets(reads, this.writes) || meets(writes, this.writes) || meets(writes, this.reads);
    if (waits) this.clear();
    this.reads.push(...reads);
    this.writes.push(...writes);
    return waits;
  }

  clear(): void {
    this.reads = [];
    this.writes = [];
  }
}

/** An argument's array, or the slice of it that the numbers of recorded rounds say. */
export function cellOf(memory: string, slices: readonly Slice[]): Cell {
  const base =
    slices.length === 0 ? "0" : slices.map(({ depth, stride }) => `turn${depth} * ${stride / 4}`).join(" + ");
  return { memory, base, region: memory, from: 0, to: Infinity };
}
