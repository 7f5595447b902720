import type { ConcreteArray } from "./array.js";
import type { ElementwiseFunction } from "./at-once.js";
import type { HostArray } from "./aval.js";
import type { TypedArray } from "./dtype.js";
import type { Jaxpr } from "./jaxpr.js";
import { InternalError } from "./errors.js";
import type { AnyPrimitive } from "./primitive.js";

/** What the runtime does for core: evaluating operations eagerly, running compiled jaxprs, making arrays. */
export interface Engine {
  /** Evaluates one primitive on concrete operands. */
  evaluate(primitive: AnyPrimitive, inputs: readonly ConcreteArray[], params: unknown): readonly ConcreteArray[];
  /** Evaluates a function of elementwise operations on concrete operands in one go; undefined: here it is done one by one. */
  evaluateElementwise(f: ElementwiseFunction, inputs: readonly ConcreteArray[]): ConcreteArray | undefined;
  /** Compiles (once per jaxpr, identity, and device) and runs a jaxpr. `donated[i]`: operand i's storage may be taken over. */
  run(
    jaxpr: Jaxpr,
    inputs: readonly ConcreteArray[],
    donated: readonly boolean[] | undefined,
  ): readonly ConcreteArray[];
  /** Compiles a jaxpr for the device on which it would run with these operands now rather than when it first runs. */
  prepare(jaxpr: Jaxpr, inputs: readonly ConcreteArray[], donated: readonly boolean[] | undefined): Prepared;
  /**
   * Uploads host data (not copied before it is uploaded) to a device and commits it there; without a device it goes to the
   * default one, and from there where it is needed.
   */
  fromHost(host: HostArray, device?: string): ConcreteArray;
  /** Commits an array to a device. @throws DeviceError `async-read` where that would mean to wait. */
  put(x: ConcreteArray, device: string): ConcreteArray;
  /** The elements in storage layout, if they can be had without waiting. */
  valuesNow(x: ConcreteArray): TypedArray | undefined;
  /** The device on which new arrays are made. */
  defaultDevice(): string;
  /** Runs a function that is called back: arrays that are made in it lie where they can be read at once. */
  onHost<R>(body: () => R): R;
  /** Resolves when all devices have done what they were given; rejects with the first callback's error that nobody has seen. */
  effectsDone(): Promise<void>;
  /** A scalar that stays on the host until a kernel needs it. */
  scalar(value: number, aval: HostArray["aval"]): ConcreteArray;
}

/** A jaxpr that is compiled for a device; what it became is told on demand. */
export interface Prepared {
  readonly device: string;
  /** Resolves when nothing of it is being compiled any more. */
  ready(): Promise<void>;
  /** Functions made of steps: launches of kernels, calls, copies. Empty where jaxprs are interpreted. */
  plan(): string;
  /** The kernels, in the order of their numbers. */
  kernels(): string;
  /** The emitted code. */
  code(): string;
  /** What a run takes of memory, as planned. */
  memory(): MemoryAnalysis;
}

/** The memory of one run of a compiled function, in bytes, as it is planned ahead. */
export interface MemoryAnalysis {
  readonly argumentBytes: number;
  readonly outputBytes: number;
  /** The most that values in between take at one time; the places of those that are done with are used again. */
  readonly temporaryBytes: number;
}

let engine: Engine | undefined;

export function installEngine(e: Engine): void {
  engine = e;
}

export function getEngine(): Engine {
  if (!engine) throw new InternalError("no engine is installed; import tsax through its entry points");
  return engine;
}
