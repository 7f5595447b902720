import type { CombineOp, ScalarOp, ScalarType } from "../../../kernel-ir/scalar.js";
import type { Branches } from "./branches.js";

/**
 * The nest kernel as the emitter sees it: axes in the order of the loops, expressions hash-consed into nodes, every index
 * taken apart into a pointer that moves with the loops and an opaque rest, and every number a Dim.
 *
 * A Dim is an immediate or a parameter that the kernel reads when it runs. In generic kernels every number but 0, 1 and −1
 * is a parameter, so that kernels of one structure are one piece of code.
 */
export type Dim = number | Param;
export interface Param {
  /** Position in the kernel's block of i32 parameters. */
  readonly slot: number;
  /** What it is in the kernel at hand: for sizes computed on the host, never for code. */
  readonly value: number;
}
export const isImmediate = (d: Dim): d is number => typeof d === "number";
export const dimValue = (d: Dim): number => (typeof d === "number" ? d : d.value);
export const dimText = (d: Dim): string => (typeof d === "number" ? String(d) : `p${d.slot}`);

/** A dependency besides the axes: the value is one of a row (slots), and may not be computed before the row begins. */
export const ROW = 2 ** 30;

export interface LoopAxis {
  readonly extent: Dim;
}

/** A run of addresses: buffer + bytes · (base + Σ coeffs[k] · axis k). Accesses that differ by a constant share one. */
export interface Pointer {
  readonly id: number;
  readonly buffer: number;
  readonly bytes: number;
  readonly base: Dim;
  /** By axis; 0 where the axis does not move it. */
  readonly coeffs: readonly Dim[];
}

export interface Access {
  readonly buffer: number;
  readonly type: ScalarType;
  readonly pointer: Pointer;
  /** Bytes beyond the pointer. */
  readonly offset: number;
  /** An i32 node added to the index: what is not affine. */
  readonly opaque: Node | null;
}

interface NodeBase {
  /** Operands have smaller ids. */
  readonly id: number;
  readonly type: ScalarType;
  readonly args: readonly Node[];
  /** Bit k: the value changes with axis k; and ROW. */
  readonly deps: number;
  /** Length of the longest chain of operands below. */
  readonly depth: number;
  /** How many operands and statements it is. */
  uses: number;
}
export type Node =
  | (NodeBase & { readonly kind: "const"; readonly value: number | bigint })
  | (NodeBase & { readonly kind: "op"; readonly op: ScalarOp })
  /** `unstable`: the kernel writes its buffer, so that it may not be remembered across a write. */
  | (NodeBase & { readonly kind: "load"; readonly access: Access; readonly unstable: boolean })
  | (NodeBase & { readonly kind: "slot"; readonly slot: number })
  | (NodeBase & { readonly kind: "keep"; readonly keep: number })
  // indices, all of type i32
  | (NodeBase & { readonly kind: "axis"; readonly axis: number })
  | (NodeBase & { readonly kind: "dim"; readonly dim: Dim })
  /** args[0] + coeff · args[1] */
  | (NodeBase & { readonly kind: "muladd"; readonly coeff: Dim })
  /** Floor division and its remainder; `nonnegative`: args[0] ≥ 0. */
  | (NodeBase & { readonly kind: "div" | "mod"; readonly divisor: Dim; readonly nonnegative: boolean })
  | (NodeBase & { readonly kind: "clamp"; readonly lo: Dim; readonly hi: Dim });
export type NodeOf<K extends Node["kind"]> = Extract<Node, { readonly kind: K }>;

export type LoopStatement =
  | { readonly kind: "store"; readonly access: Access; readonly value: Node }
  | {
      readonly kind: "update";
      readonly access: Access;
      readonly value: Node;
      readonly combine: CombineOp | null;
      readonly when: Node | null;
    }
  | { readonly kind: "keep"; readonly keep: number; readonly value: Node }
  | { readonly kind: "accumulate"; readonly slot: number; readonly value: Node };

export interface LoopPhase {
  readonly body: readonly LoopStatement[];
  readonly after: readonly LoopStatement[];
  /** Slots that the body accumulates. */
  readonly slots: readonly number[];
  /** Vectors of the reduced axis handled in one go (mode "reduced"). */
  readonly copies: number;
}

export interface LoopSlot {
  readonly type: ScalarType;
  readonly initial: number;
  readonly combine: CombineOp;
  readonly running: boolean;
}

/** Which axis lies across the lanes of vectors: none, the innermost parallel one, or the innermost reduced one. */
export type VectorMode = "scalar" | "parallel" | "reduced";

export interface LoopNest {
  readonly name: string;
  readonly mode: VectorMode;
  /** Lanes of a vector: 2 where a 64-bit type occurs, else 4. */
  readonly lanes: 2 | 4;
  /** Vectors of rows handled in one go (mode "parallel"). */
  readonly copies: number;
  /**
   * Columns (points of the innermost parallel axis) of a tile, or 0. Of a tiled nest the domain is the outer parallel axes
   * alone; each call walks its rows once for every tile of columns.
   */
  readonly tile: number;
  readonly sequential: boolean;
  readonly bufferCount: number;
  /** Parallel axes, outermost first, then the reduced ones. */
  readonly axes: readonly LoopAxis[];
  readonly parallel: number;
  readonly slots: readonly LoopSlot[];
  readonly keeps: readonly ScalarType[];
  /** Byte offset of each row buffer in the scratch region. */
  readonly keepOffsets: readonly Dim[];
  readonly phases: readonly LoopPhase[];
  /** Selects whose values are computed in branches. */
  readonly branches: Branches;
  /** It loads from a buffer that it writes. */
  readonly unstable: boolean;
}
