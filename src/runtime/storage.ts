import type { Storage } from "../core/array.js";
import type { ElementwiseFunction } from "../core/at-once.js";
import type { HostArray } from "../core/aval.js";
import type { Prepared } from "../core/engine.js";
import { type DType, dtypeInfo, type TypedArray } from "../core/dtype.js";
import type { DeviceError } from "../core/errors.js";
import type { ConcreteArray } from "../core/array.js";
import type { AnyPrimitive } from "../core/primitive.js";
import type { Jaxpr } from "../core/jaxpr.js";
import type { DeviceCounters, ProfiledLaunch, ScalarInput } from "../kernel-ir/backend.js";
import type { Origin } from "./origin.js";

/**
 * What binds an array to its device. An operation runs where the most firmly bound of its operands lie; less firmly bound ones
 * go there, and its results are bound as firmly as that. JAX calls all but the last uncommitted.
 */
export const Standing = {
  /** Made of scalars only: a cotangent 1, zeros, an iota, a random key of a number. */
  free: 0,
  /** Made of host data: it is moved only where nothing else will do. */
  data: 1,
  /** Put there by name: only devicePut moves it. */
  committed: 2,
} as const;
export type Standing = (typeof Standing)[keyof typeof Standing];

/** A device as the engine sees it: it holds arrays and computes on them. Operands lie on it, or are scalars. */
export interface Device {
  readonly name: string;
  readonly supports: (dtype: DType) => boolean;
  /** Whether its arrays can be read at once. */
  readonly synchronous: boolean;
  /** Whether it keeps a copy of everything that is uploaded, for the case that it is lost. */
  readonly hostCopies: boolean;
  /** Why it cannot be used any more, once that is so. */
  readonly lost: DeviceError | undefined;
  evaluate(
    primitive: AnyPrimitive,
    inputs: readonly ConcreteArray[],
    params: unknown,
    standing: Standing,
  ): readonly ConcreteArray[];
  /** A function of elementwise operations in one go; undefined: it has to be done one by one. */
  evaluateElementwise?(
    f: ElementwiseFunction,
    inputs: readonly ConcreteArray[],
    standing: Standing,
  ): ConcreteArray | undefined;
  run(
    jaxpr: Jaxpr,
    inputs: readonly ConcreteArray[],
    donated: readonly boolean[] | undefined,
    standing: Standing,
  ): readonly ConcreteArray[];
  /** Compiles what `run` would compile when it first runs. */
  prepare(jaxpr: Jaxpr, donated: readonly boolean[] | undefined): Prepared;
  /** Takes a copy of host data. */
  upload(host: HostArray, standing: Standing): ConcreteArray;
  /** Resolves when everything that was started before is done; failures show where their results are used. */
  settled(): Promise<void>;
  /** Notes launches until `stop`; undefined where the device has none. */
  profile(): { readonly stop: () => Promise<readonly ProfiledLaunch[]> } | undefined;
  stats(): DeviceStats;
}

export interface DeviceStats {
  /** Arrays that users hold (or that the garbage collector has not found dead yet), and the bytes of their storage. */
  readonly liveArrays: number;
  readonly liveBytes: number;
  /** Bytes of storage moved out of the device's heap into ordinary garbage-collected memory. */
  readonly spilledBytes: number;
  /** Bytes of the device's heap, and how many of them are allocated. */
  readonly heapBytes: number;
  readonly allocatedBytes: number;
  /** Compiled programs that are cached, and modules of machine code (on a GPU: pipelines) behind them. */
  readonly programs: number;
  readonly modules: number;
  /** What the device has done since it was made; zeros where a program is one call of machine code. */
  readonly counters: DeviceCounters;
}

export const noCounters: DeviceCounters = {
  dispatches: 0,
  submits: 0,
  pipelines: 0,
  bindGroups: 0,
  buffers: 0,
  flops: 0,
  loadBytes: 0,
  storeBytes: 0,
};

/** What every storage of this runtime has: its device, or undefined for scalars that belong to none. */
export abstract class RuntimeStorage implements Storage {
  abstract readonly owner: Device | undefined;
  abstract readonly device: string;
  abstract readonly scalar: number | undefined;
  abstract readonly disposed: boolean;
  abstract readonly standing: Standing;
  /**
   * How it can be made again on another device, where it cannot be read at once: if it is not committed, or was uploaded to a
   * device that keeps copies.
   */
  origin: Origin | undefined;
  /** Whether the elements can be read at once. */
  abstract readonly synchronous: boolean;
  abstract readSync(): TypedArray;
  /** Another reference to the same elements, bound to the device as firmly as said. */
  abstract share(standing: Standing): RuntimeStorage;
  abstract dispose(): void;
  read(): Promise<TypedArray> {
    return Promise.resolve(this.readSync());
  }
  settled(): Promise<void> {
    return Promise.resolve();
  }
}

/** A scalar that was never sent to a device: it goes along with the call, to where the other operands lie. */
export class ScalarStorage extends RuntimeStorage implements ScalarInput {
  disposed = false;
  readonly synchronous = true;
  constructor(
    override readonly scalar: number,
    readonly dtype: DType,
    private readonly defaultDevice: () => string,
  ) {
    super();
  }
  get owner(): undefined {
    return undefined;
  }
  get standing(): Standing {
    return Standing.free;
  }
  get device(): string {
    return this.defaultDevice();
  }
  readSync(): TypedArray {
    const data = new dtypeInfo[this.dtype].storage(1);
    data[0] = this.scalar;
    return data;
  }
  share(): ScalarStorage {
    return new ScalarStorage(this.scalar, this.dtype, this.defaultDevice);
  }
  dispose(): void {
    this.disposed = true;
  }
}
