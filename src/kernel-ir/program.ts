import type { Aval, HostArray } from "../core/aval.js";
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
  /** What callback steps call, by number; programs without such steps need none. */
  readonly callbacks?: readonly HostFunction[];
}

/**
 * A function of the host. It gets copies, which are its own to keep, and gives arrays of the types of `outputs`. It may throw,
 * which ends the program, and it may run programs, this one too.
 */
export interface HostFunction {
  readonly name: string;
  readonly inputs: readonly Aval[];
  readonly outputs: readonly Aval[];
  readonly call: (inputs: readonly HostArray[]) => readonly HostArray[];
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
  /**
   * Output i may take over the storage of input `reuses[i]`: of an entry one that is donated, of the body of a loop the same part
   * of its state. A copy from that input to the output is then one of a place to itself.
   */
  readonly outputReusesInput: readonly (number | null)[];
}

/** A buffer of which each round of a scan sees one slice. */
export interface Slices {
  readonly ref: BufferRef;
  /** Bytes of a slice, and from one to the next. */
  readonly stride: number;
}

/**
 * Steps that call functions, of the program or of the host. R: how a buffer is named, S: how a buffer of which each round sees a
 * slice is.
 */
export type CallingStep<R, S> =
  /** Calls a function with its inputs and outputs; its arena starts behind the caller's. */
  | { readonly kind: "call"; readonly fn: number; readonly inputs: readonly R[]; readonly outputs: readonly R[] }
  /**
   * Runs one of `branches` by the 32-bit word at `index`: an i32, clamped to the branches there are, or a bool, for which
   * branch 0 is that of false. All branches take these inputs and give these outputs.
   */
  | {
      readonly kind: "if";
      readonly index: R;
      readonly branches: readonly number[];
      readonly inputs: readonly R[];
      readonly outputs: readonly R[];
    }
  /**
   * While `condition`(consts, state) holds (its one output, a bool word): state = `body`(consts, state).
   *
   * The buffers of `state` hold the first state before the step and the last one after it. A function may leave the constants
   * out of its inputs. How the two states of a round are kept apart (second buffers, copies) is the backend's affair: the body
   * must never see a buffer that it has begun to write.
   */
  | {
      readonly kind: "loop";
      readonly condition: number;
      readonly body: number;
      readonly consts: readonly R[];
      readonly state: readonly R[];
    }
  /**
   * Runs `body` `length` times: for i from 0 to length − 1, with k = i, or length − 1 − i if `reverse`,
   *
   *     carry, ys[k] = body(consts, carry, xs[k])
   *
   * The buffers of `carry` hold the first carry before the step and the last one after it, and as in a loop the body must not
   * see a buffer that it has begun to write; with length 0 they stay as they are. Element k of xs[j] and ys[j] is the `stride`
   * bytes from k · stride on: slices of a leading axis are contiguous, so the body works on them where they lie. A stride is a
   * multiple of 4 and may be 0 (slices without elements). No carry or ys overlaps another operand; consts and xs are only read,
   * and any of them may be the same buffer.
   *
   * No output of the body is one of its inputs (`outputIsInput` is null throughout). Rounds depend on each other through the
   * carry alone: without one they may be done in any order. `length` is known when the program is made, so a device that
   * records launches can lay rounds out in time, or make of the whole step one kernel that loops.
   */
  | {
      readonly kind: "scan";
      readonly body: number;
      readonly length: number;
      readonly reverse: boolean;
      readonly consts: readonly R[];
      readonly carry: readonly R[];
      readonly xs: readonly S[];
      readonly ys: readonly S[];
    }
  /**
   * Calls a function of the host, with all that stands before it done, and nothing of what stands behind it begun: `callback`
   * is its number in the program's table.
   */
  | {
      readonly kind: "callback";
      readonly callback: number;
      readonly inputs: readonly R[];
      readonly outputs: readonly R[];
    };

export type Step =
  /** Runs a kernel; args[i] is its buffer i, at a byte offset. */
  | { readonly kind: "launch"; readonly kernel: number; readonly args: readonly BufferRef[] }
  | { readonly kind: "copy"; readonly from: BufferRef; readonly to: BufferRef; readonly bytes: number }
  | CallingStep<BufferRef, Slices>;
