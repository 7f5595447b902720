import { ConcreteArray } from "../core/array.js";
import type { HostArray } from "../core/aval.js";
import { type Device, type RuntimeStorage, ScalarStorage, Standing } from "./storage.js";

/**
 * How an array that is bound to no device is made again on another one. Arrays of devices that cannot be read at once remember
 * this as long as it is small: a cotangent 1 that was broadcast, an identity matrix, a random key. It refers to numbers and to
 * what was computed of them, never to elements on a device.
 */
export interface Origin {
  /** Operations it takes, and numbers it holds; bounded by `limit`. */
  readonly weight: number;
  /** The elements, where they are what it remembers. */
  readonly host?: HostArray;
  make(device: Device, made: Made): ConcreteArray;
}

/** What one move has made so far, so that operands that are shared are made once. */
export type Made = Map<unknown, readonly ConcreteArray[]>;

const limit = 4096;
const operationWeight = 16;

/** Host data that is kept along with the array made of it. */
class DataOrigin implements Origin {
  readonly weight: number;
  constructor(readonly host: HostArray) {
    this.weight = 1 + host.data.length;
  }
  make(device: Device, made: Made): ConcreteArray {
    let arrays = made.get(this);
    if (!arrays) made.set(this, (arrays = [device.upload(this.host, Standing.data)]));
    return arrays[0]!;
  }
}

/** The origin of an array of host data; undefined: it is too much to keep, unless whatever is uploaded shall be kept. */
export const originOfData = (host: HostArray, any: boolean): Origin | undefined =>
  any || host.data.length < limit ? new DataOrigin({ aval: host.aval, data: host.data.slice() }) : undefined;

/** Computes on a device; operands lie on it, or are scalars. */
export type Computation = (device: Device, inputs: readonly ConcreteArray[]) => readonly ConcreteArray[];

/** An operation whose results are known: what they were computed of. */
class Operation {
  constructor(
    private readonly compute: Computation,
    private readonly inputs: readonly (Origin | ConcreteArray)[],
    readonly weight: number,
  ) {}
  make(device: Device, made: Made): readonly ConcreteArray[] {
    let results = made.get(this);
    if (!results) {
      const inputs = this.inputs.map((x) => (x instanceof ConcreteArray ? x : x.make(device, made)));
      made.set(this, (results = this.compute(device, inputs)));
    }
    return results;
  }
}

class ResultOrigin implements Origin {
  constructor(
    private readonly operation: Operation,
    private readonly index: number,
  ) {}
  get weight(): number {
    return this.operation.weight;
  }
  make(device: Device, made: Made): ConcreteArray {
    return this.operation.make(device, made)[this.index]!;
  }
}

/**
 * Takes down what an operation computes of, before it runs (it may take operands over): gives what lets its results remember.
 * undefined: of some operand that is not known, or it is too much.
 */
export function originOfResults(
  inputs: readonly ConcreteArray[],
  compute: Computation,
): ((results: readonly ConcreteArray[]) => void) | undefined {
  let weight = operationWeight;
  const origins: (Origin | ConcreteArray)[] = [];
  for (const x of inputs) {
    const storage = x.storage as RuntimeStorage;
    if (storage instanceof ScalarStorage) {
      origins.push(new ConcreteArray(x.aval, storage.share()));
      weight++;
    } else {
      if (!storage.origin) return undefined;
      origins.push(storage.origin);
      weight += storage.origin.weight;
    }
    if (weight > limit) return undefined;
  }
  const operation = new Operation(compute, origins, weight);
  return (results) =>
    results.forEach((x, i) => ((x.storage as RuntimeStorage).origin = new ResultOrigin(operation, i)));
}
