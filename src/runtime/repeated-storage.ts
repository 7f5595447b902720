import { ConcreteArray } from "../core/array.js";
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
    type: ArrayType,
    repetition: Repetition,
    /** Computes them of the array that they are repeated of. */
    private readonly make: (original: ConcreteArray) => ConcreteArray,
    standing: Standing,
  ) {
    super(owner, undefined, type.dtype, ArrayType.words(type), standing);
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
      this.held = (this.make(new ConcreteArray(late.type, late.of)).storage as DeviceStorage).slot;
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

/** An array of another's elements that are repeated when they are needed; undefined: nothing is repeated, or a scalar is. */
export function repeated(
  owner: StorageOwner,
  x: ConcreteArray,
  {
    primitive,
    params,
    standing,
  }: { readonly primitive: AnyPrimitive; readonly params: unknown; readonly standing: Standing },
  make: (original: ConcreteArray) => ConcreteArray,
): ConcreteArray | undefined {
  const { storage } = x;
  if (!(storage instanceof DeviceStorage) || x.dtype === "key") return undefined;
  const [out] = primitive.abstract([x.aval], params as never);
  const type = ArrayType.of(out!);
  if (ArrayType.size(type) === ArrayType.size(x.aval)) return undefined;
  const from = ArrayType.of(x.aval);
  const key = `${ArrayType.idOf(from)} by ${structuralKey(params)}`;
  const repetition = { primitive, params, of: storage.share(standing), type: from, key };
  return new ConcreteArray(type, new RepeatedStorage(owner, type, repetition, make, standing));
}
