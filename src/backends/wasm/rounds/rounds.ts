import type { BufferArg, Statement } from "../../../kernel-ir/kernel.js";
import type { BufferRef } from "../../../kernel-ir/program.js";
import type { Expr } from "../../../kernel-ir/scalar.js";
import type { CellType } from "./cells.js";

/**
 * A loop whose rounds are one stretch of code over scalars: what it carries is a slot for each element, and all that launches of
 * its body would do is in the expressions of the next values.
 */
export interface Rounds {
  readonly name: string;
  /** Numbered as the expressions name them. */
  readonly buffers: readonly BufferArg[];
  readonly refs: readonly BufferRef[];
  /** By slot. */
  readonly slots: readonly SlotOf[];
  /** By slot of the outermost loop, which are the first ones. */
  readonly carries: readonly Carry[];
  readonly loop: ScalarLoop;
  /** Conditions that decide between branches of the program. */
  readonly chosen: ReadonlySet<Expr>;
}

export interface SlotOf {
  readonly type: CellType;
  /** The loop whose rounds change it. */
  readonly loop: number;
}

/** An element that is carried: before and after the loop it lies in memory. */
export interface Carry {
  readonly type: CellType;
  readonly buffer: number;
  /** Bytes from the buffer's address. */
  readonly at: number;
}

export interface ScalarLoop<E = Expr, S = Statement> {
  /** Loops are numbered with those around them first; in expressions the number is the axis that counts the rounds. */
  readonly number: number;
  /** Rounds of a scan; of a loop that ends by a condition, null. */
  readonly length: number | null;
  /** A bool: there is another round. */
  readonly condition: E | null;
  /** What it carries, and the next values. */
  readonly slots: readonly number[];
  readonly next: readonly E[];
  readonly stores: readonly S[];
  /** Loops of a round, in order; they come before the next values. */
  readonly inner: readonly InnerLoop<E, S>[];
}

export interface InnerLoop<E = Expr, S = Statement> extends ScalarLoop<E, S> {
  readonly initial: readonly E[];
  /** By slot that it carries: the slot that names its last value. */
  readonly finals: readonly number[];
}
