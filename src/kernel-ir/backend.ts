import type { DType, TypedArray } from "../core/dtype.js";
import type { DeviceError } from "../core/errors.js";
import type { Program } from "./program.js";

/** A run of bytes on a device, owned by the backend that allocated it. */
export interface DeviceBuffer {
  readonly bytes: number;
}

/** A scalar operand that never was on the device: the backend passes it with the call. */
export interface ScalarInput {
  readonly scalar: number;
  readonly dtype: DType;
}
export const isScalarInput = (x: DeviceBuffer | ScalarInput): x is ScalarInput => "scalar" in x;

/** What the compiler has to know of a device to make kernels and plans that it can run. */
export interface DeviceTraits {
  /** Buffers that one kernel may have; reads and writes count alike. */
  readonly maxBuffers: number;
  /** The same for kernels that only compute elements, which may be more: their dispatches share no memory. */
  readonly loopBuffers?: number;
  /** Bytes that the row buffers (keeps) of one kernel may take for one row; what does not fit is computed again. */
  readonly maxKeepBytes: number;
  /** Temporaries lie at multiples of this many bytes. */
  readonly arenaAlignment: number;
  /** Products carry what follows them elementwise: a launch costs more than it saves to keep them apart. */
  readonly dotEpilogue: boolean;
  /** Products read operands that lie as several digits of an index say: windows are not copied first. */
  readonly dotDigits?: boolean;
  /**
   * A launch costs more than hundreds of operations: what is small is computed again where it is used, what is written in
   * pieces is written by one kernel, and independent work over one domain shares a kernel.
   */
  readonly dearLaunches: boolean;
}

/** What a device has done since it was prepared: numbers that do not depend on how fast it is. */
export interface DeviceCounters {
  readonly dispatches: number;
  /** Submits of programs; those of reads are not counted. */
  readonly submits: number;
  /** Made, not held. */
  readonly pipelines: number;
  readonly bindGroups: number;
  readonly buffers: number;
  /** Counted from the code of what was dispatched. */
  readonly flops: number;
  readonly loadBytes: number;
  readonly storeBytes: number;
}

/** One launch on a device, as a profile saw it. */
export interface ProfiledLaunch {
  readonly program: string;
  readonly kernel: string;
  /** Undefined where the device has no clock for it. */
  readonly nanoseconds: number | undefined;
  readonly flops: number;
  readonly bytes: number;
}

/** What every backend that compiles Programs offers to the runtime. Allocation and lifetimes are the runtime's business. */
export interface Backend {
  readonly name: string;
  readonly traits: DeviceTraits;
  readonly supports: (dtype: DType) => boolean;
  /** `bytes` may be 0. Contents are undefined. @throws DeviceError `out-of-memory`. */
  allocate(bytes: number): DeviceBuffer;
  free(buffer: DeviceBuffer): void;
  write(buffer: DeviceBuffer, data: TypedArray): void;
  /** Fills `into` from the start of the buffer; undefined where the device cannot be read synchronously. */
  readonly readSync?: (buffer: DeviceBuffer, into: TypedArray) => void;
  read(buffer: DeviceBuffer, into: TypedArray): Promise<void>;
  /**
   * Compiles a program. `generic`: a program of an eager operation: everything numeric in its kernels (extents, strides,
   * offsets) is passed at run time, so that programs of one structure share their code.
   */
  compile(program: Program, options: { readonly generic: boolean }): Executable;
  stats(): BackendStats;
  /** What of a program the device has nothing for, in words; undefined: nothing. */
  readonly lacks?: (program: Program) => string | undefined;
  /** A program that is computed on the host in its turn: what `lacks` names is there for it. */
  readonly onHost?: (program: Program, compute: HostCompute, text: () => string) => Executable;
  /**
   * Resolves when everything that was enqueued before has run, rejects with the error of the first of `buffers` whose content
   * could not be computed; undefined where `run` returns when it has run.
   */
  readonly settled?: (buffers?: readonly DeviceBuffer[]) => Promise<void>;
  /** Why the device cannot be used any more; arrays on it are gone then. undefined: it can. */
  readonly lost?: () => DeviceError | undefined;
  /** Notes the launches of what is enqueued from now on, until `stop`; undefined where launches are no events of their own. */
  readonly profile?: () => { readonly stop: () => Promise<readonly ProfiledLaunch[]> };
}

/** Operands as words of 32 bits, or scalars → the results that are no operands, as words. */
export type HostCompute = (
  inputs: readonly (Uint32Array<ArrayBuffer> | ScalarInput)[],
) => readonly Uint32Array<ArrayBuffer>[];

export interface BackendStats {
  /** Bytes of the device's heap and of what is allocated in it. */
  readonly heapBytes: number;
  readonly allocatedBytes: number;
  /** Modules of machine code; on a GPU pipelines. */
  readonly modules: number;
  /** Undefined where a program is one call of machine code. */
  readonly counters?: DeviceCounters;
}

export interface Executable {
  /** Of a backend that compiles asynchronously: resolves when nothing of the program compiles any more, rejects as a run would fail. */
  ready?(): Promise<void>;
  /**
   * Runs the program; outputs are allocated by the caller, and may be inputs' buffers where the program says so. On an
   * asynchronous device it returns before the work is done, and an error of the work shows where an output is read. The lists
   * stay the caller's, who uses them again for the next call.
   */
  run(inputs: readonly (DeviceBuffer | ScalarInput)[], outputs: readonly DeviceBuffer[]): void;
  /**
   * Of a generic program of one nest over one axis of n elements whose buffers all have n elements or one (an elementwise
   * operation): the same code for another number of elements, made without compiling. Undefined where that cannot be.
   */
  resized?(elements: number): Executable | undefined;
  /**
   * Of a generic program made for lengths `sizes`, distinct primes, given the program of the same operation for `otherSizes`:
   * how the same code serves any lengths (of at least 1), without compiling. Undefined where that cannot be told.
   */
  scaled?(
    sizes: readonly number[],
    other: Executable,
    otherSizes: readonly number[],
  ): ((sizes: readonly number[]) => Executable) | undefined;
  /** The emitted code, for people. */
  text(): string;
}
