import { ConcreteArray } from "../core/array.js";
import type { DType } from "../core/dtype.js";
import { structuralKey } from "../core/structural-key.js";
import type { AnyPrimitive } from "../core/primitive.js";
import { ArrayType } from "./array-type.js";
import { DeviceStorage, type StorageOwner } from "./device-storage.js";
import type { Slot } from "./heap.js";
import type { Standing } from "./storage.js";

/** What is still to be done to have the elements: an operation that repeats those of another array. */
export interface Repetition {
  readonly primitive: AnyPrimitive;
  readonly params: unknown;
  readonly of: DeviceStorage;
  readonly type: ArrayType;
  /** Tells apart what a program of it depends on. */
  readonly key: string;
}

export const repetitionKey = (type: ArrayType, params: unknown): string =>
  `${ArrayType.idOf(type)} by ${structuralKey(params)}`;

/** Whether an array's elements are still to be repeated. */
export const isLate = (x: ConcreteArray): boolean => repetitionOf(x) !== undefined;
export const repetitionOf = ({ storage }: ConcreteArray): Repetition | undefined =>
  storage instanceof RepeatedStorage ? storage.repetition : undefined;

/** The array whose elements it repeats, where they are still to be repeated; else the array itself. */
export function originalOf(x: ConcreteArray): ConcreteArray {
  const late = repetitionOf(x);
  return late ? new ConcreteArray(late.type, late.of) : x;
}

/**
 * Elements that are another array's, repeated: they are computed when they are needed, and not at all where the operations on them
 * can repeat them as they go.
 */
export class RepeatedStorage extends DeviceStorage {
  private late: Repetition | undefined;

  constructor(
    owner: StorageOwner,
    repetition: Repetition,
    /** Computes them. */
    private readonly make: (repetition: Repetition) => Slot,
    { dtype, words, standing }: { readonly dtype: DType; readonly words: number; readonly standing: Standing },
  ) {
    super(owner, undefined, dtype, words, standing);
    this.late = repetition;
  }

  /** What is still to be done; undefined: it was done, or the array is disposed. */
  get repetition(): Repetition | undefined {
    return this.late;
  }
  override get disposed(): boolean {
    return this.late === undefined && super.disposed;
  }
  override get slot(): Slot {
    const { late } = this;
    if (late) {
      this.held = this.make(late);
      this.late = undefined;
      late.of.dispose();
    }
    return super.slot;
  }
  override dispose(): void {
    this.late?.of.dispose();
    this.late = undefined;
    super.dispose();
  }
}
