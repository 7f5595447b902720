import type { Storage } from "../core/array.js";
import type { HostArray } from "../core/aval.js";
import { type DType, dtypeInfo, type TypedArray } from "../core/dtype.js";
import type { ConcreteArray } from "../core/array.js";
import type { AnyPrimitive } from "../core/primitive.js";
import type { Jaxpr } from "../core/jaxpr.js";
import type { ScalarInput } from "../kernel-ir/backend.js";

/** A device as the engine sees it: it holds arrays and computes on them. */
export interface Device {
  readonly name: string;
  readonly supports: (dtype: DType) => boolean;
  evaluate(primitive: AnyPrimitive, inputs: readonly ConcreteArray[], params: unknown): readonly ConcreteArray[];
  run(
    jaxpr: Jaxpr,
    inputs: readonly ConcreteArray[],
    donated: readonly boolean[] | undefined,
  ): readonly ConcreteArray[];
  /** Compiles what `run` would compile when it first runs. */
  prepare(jaxpr: Jaxpr, donated: readonly boolean[] | undefined): { readonly text: () => string };
  /** Takes a copy of host data. */
  upload(host: HostArray): ConcreteArray;
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
  /** Compiled programs that are cached, and modules of machine code behind them. */
  readonly programs: number;
  readonly modules: number;
}

/** What every storage of this runtime has: its device, or undefined for scalars that belong to none. */
export abstract class RuntimeStorage implements Storage {
  abstract readonly owner: Device | undefined;
  abstract readonly device: string;
  abstract readonly scalar: number | undefined;
  abstract readonly disposed: boolean;
  abstract readSync(): TypedArray;
  abstract share(): RuntimeStorage;
  abstract dispose(): void;
  read(): Promise<TypedArray> {
    return Promise.resolve(this.readSync());
  }
}

/** A scalar that was never sent to a device: it goes along with the call, to where the other operands lie. */
export class ScalarStorage extends RuntimeStorage implements ScalarInput {
  disposed = false;
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
