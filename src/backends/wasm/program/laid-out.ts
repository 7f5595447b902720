import type { HostFunction, ProgramFunction } from "../../../kernel-ir/program.js";
import type { Dim } from "../nest/nodes.js";
import type { Routine, RowChunks } from "./launches.js";

/**
 * A program laid out for the Wasm backend: kernels of equal structure found, frames placed in the arena, and, for generic
 * programs, every number moved to the block of parameters that a call passes.
 *
 *   frame of a function (at its arena base):
 *     [its temporaries: arenaBytes][what loops need][the argument block of a callee][the callee's frame, or scratch]
 */
export interface ProgramLayout {
  /** Programs of equal keys are equal code. */
  readonly key: string;
  /** i32 parameters that the code reads; empty unless generic. */
  readonly params: readonly number[];
  readonly routines: readonly Routine[];
  readonly functions: readonly FunctionLayout[];
  readonly callbacks: readonly HostFunction[];
  /** Bytes of arena that a run takes. */
  readonly arenaBytes: number;
  /** Which parameters are chunks of launches: multiples of a step, by the work of a row. */
  readonly chunks: readonly ChunkParam[];
  /** Points of the longest single call of a nest: code that runs long before it can be replaced by optimised code. */
  readonly longestCall: number;
}

export interface ChunkParam extends RowChunks {
  readonly slot: number;
}

export interface FunctionLayout {
  readonly source: ProgramFunction;
  /** Whether anything calls it; what nothing calls has no steps. */
  readonly called: boolean;
  readonly steps: readonly LaidStep[];
}

/** A buffer: the pointer in word `word` of the argument block, or an offset from the arena base. */
export type Place =
  { readonly kind: "argument"; readonly word: number } | { readonly kind: "arena"; readonly offset: Dim };

export interface Move {
  readonly from: Place;
  readonly to: Place;
  readonly bytes: Dim;
}

/** A call of a function: its arguments are written to a block in the frame. */
export interface Call {
  readonly fn: number;
  readonly arguments: readonly Place[];
  /** Outputs that are inputs: copied after the call. */
  readonly copies: readonly Move[];
}

export interface Frame {
  /** The callee's argument block, from the caller's arena base; its arena follows. */
  readonly block: Dim;
  readonly arena: Dim;
}

export type LaidStep =
  | {
      readonly kind: "launch";
      readonly routine: number;
      readonly args: readonly Place[];
      readonly rows: Dim;
      readonly chunk: Dim;
      readonly scratch: Dim;
      readonly params: number;
    }
  | { readonly kind: "call"; readonly call: Call; readonly frame: Frame }
  | { readonly kind: "if"; readonly index: Place; readonly branches: readonly Call[]; readonly frame: Frame }
  | { readonly kind: "copy"; readonly move: Move }
  /** Rounds over scalars until their condition ends them. */
  | { readonly kind: "rounds"; readonly routine: number; readonly args: readonly Place[]; readonly chunk: number }
  | {
      readonly kind: "loop";
      readonly condition: number;
      readonly body: number;
      readonly consts: readonly Place[];
      readonly state: readonly Place[];
      /** Second storage of each state, and its bytes. */
      readonly spare: readonly Place[];
      readonly bytes: readonly Dim[];
      /** Where the condition leaves its result. */
      readonly verdict: Place;
      readonly frame: Frame;
    }
  | {
      readonly kind: "scan";
      readonly body: number;
      readonly length: number;
      readonly reverse: boolean;
      readonly consts: readonly Place[];
      readonly carry: readonly Place[];
      /** Second storage of each carry, and its bytes. */
      readonly spare: readonly Place[];
      readonly bytes: readonly Dim[];
      readonly xs: readonly LaidSlices[];
      readonly ys: readonly LaidSlices[];
      readonly frame: Frame;
    }
  | {
      readonly kind: "callback";
      readonly callback: number;
      /** Inputs, then outputs: their addresses are written to a block. */
      readonly arguments: readonly Place[];
      readonly block: Dim;
    };

/** Slices of a buffer, one a round of a scan. */
export interface LaidSlices {
  readonly place: Place;
  readonly stride: number;
}
