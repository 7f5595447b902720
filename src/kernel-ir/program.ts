import type { DType } from "../core/dtype.js";
import type { Kernel } from "./kernel.js";

/**
 * A compiled function for every backend: functions made of steps over buffers. Function 0 is the entry.
 * The plan has fixed order, lifetimes and in-place reuse; temporaries lie in an arena at fixed offsets from a base that the
 * caller passes, so that a program may be entered again while it runs.
 */
export interface Program {
  readonly name: string;
  readonly kernels: readonly Kernel[];
  readonly functions: readonly ProgramFunction[];
}

/** Where a value of a function lies. Arena offsets and sizes are in bytes, multiples of 16. */
export type BufferRef =
  | { readonly kind: "input"; readonly index: number }
  | { readonly kind: "output"; readonly index: number }
  | { readonly kind: "arena"; readonly offset: number };

export interface BufferType {
  readonly dtype: DType;
  /** Storage words of the dtype (key: two an element). */
  readonly bytes: number;
}

export interface ProgramFunction {
  readonly name: string;
  readonly inputs: readonly BufferType[];
  readonly outputs: readonly BufferType[];
  /** Bytes of the arena that the function's own temporaries take; what it calls lies behind them. */
  readonly arenaBytes: number;
  readonly steps: readonly Step[];
  /** Output i is input `alias[i]` itself: nothing is computed for it. null: an output of its own. */
  readonly outputIsInput: readonly (number | null)[];
  /** Output i may take over the storage of donated input `reuses[i]`. */
  readonly outputReusesInput: readonly (number | null)[];
}

export type Step =
  /** Runs a kernel; args[i] is its buffer i, at a byte offset. */
  | { readonly kind: "launch"; readonly kernel: number; readonly args: readonly BufferRef[] }
  /** Calls a function with its inputs and outputs; its arena starts behind the caller's. */
  | {
      readonly kind: "call";
      readonly fn: number;
      readonly inputs: readonly BufferRef[];
      readonly outputs: readonly BufferRef[];
    }
  /** Runs one of two functions by the bool word at `predicate`. */
  | {
      readonly kind: "if";
      readonly predicate: BufferRef;
      readonly then: number;
      readonly else: number;
      readonly inputs: readonly BufferRef[];
      readonly outputs: readonly BufferRef[];
    }
  /** While `condition` (state → bool) holds: state = `body`(state). */
  | {
      readonly kind: "loop";
      readonly condition: number;
      readonly body: number;
      readonly consts: readonly BufferRef[];
      readonly state: readonly BufferRef[];
    }
  /** Calls back into the host in order; `callback` names it in the program's table. */
  | {
      readonly kind: "callback";
      readonly callback: number;
      readonly inputs: readonly BufferRef[];
      readonly outputs: readonly BufferRef[];
    }
  | { readonly kind: "copy"; readonly from: BufferRef; readonly to: BufferRef; readonly bytes: number };
