import type { Jaxpr } from "../core/jaxpr.js";
import type { Aval } from "../core/aval.js";
import type { LoweringRule } from "../core/primitive.js";
import type { NDArray } from "../core/array.js";
import type { HostFunction } from "./program.js";
import type { Index } from "./index-expr.js";
import type { CombineOp, Expr, ScalarType } from "./scalar.js";

/** An operand as a lowering rule sees it: its type, and its element at an index (one Index an axis; for keys one more: the word). */
export interface Operand {
  readonly aval: Aval;
  readonly type: Exclude<ScalarType, "i64">;
  readonly at: (index: readonly Index[]) => Expr;
}

/** A region of a result: element `element(i)` for every i of `shape`, stored at `place(i)` of the result. */
export interface Region {
  readonly shape: readonly number[];
  readonly place: (index: readonly Index[]) => readonly Index[];
  readonly element: (index: readonly Index[]) => Expr;
}

/**
 * How a primitive becomes kernels.
 *
 * - element: output o at index i as an expression of the operands' elements. Views, elementwise ops, gathers, random bits.
 *   For key operands and results the framework passes the word through where the rule is a view; a rule that makes or takes
 *   keys apart says `words: true` and sees the word as a last index.
 *   `regions`, where given, writes the (single) result in pieces when it is stored (pad, concatenate) without selects.
 * - reduce: result = combine over `axes` of the operand's elements, starting from `initial`.
 * - scan: running combine along `axis` of operand 0.
 * - dot: contraction of two operands.
 * - sort: operands sorted along an axis.
 * - scatter: result = operand 0 with updates combined in, sequentially: for every index u of `updates`, result[place(u)] =
 *   combine(result[place(u)], value(u)) if `when(u)`.
 * - expand: the same computation written with other primitives; traced to a jaxpr by the compiler.
 * - call: the operands go to an inner jaxpr.
 * - switch: operand 0, an i32 that is clamped, says which of several jaxprs the others go to.
 * - loop: operands are constants and state; while a condition of both holds, a body of both gives the next state.
 * - rounds: operands are constants, a carry, and arrays of whose leading axis each round of a body sees one element; the
 *   body gives the next carry and elements of the results' leading axes.
 * - callback: a function of the host is called with the operands, and gives the results.
 */
export type Lowering<P> =
  | ElementLowering<P>
  | ReduceLowering<P>
  | ScanLowering<P>
  | DotLowering<P>
  | SortLowering<P>
  | ScatterLowering<P>
  | ExpandLowering<P>
  | CallLowering<P>
  | SwitchLowering<P>
  | LoopLowering<P>
  | RoundsLowering<P>
  | CallbackLowering<P>;

export interface ElementLowering<P> extends LoweringRule {
  readonly kind: "element";
  readonly words?: boolean;
  /** Expression of output `output` at `index`. */
  readonly element: (
    operands: readonly Operand[],
    index: readonly Index[],
    params: P,
    output: number,
    outAval: Aval,
  ) => Expr;
  readonly regions?: (operands: readonly Operand[], params: P, outAval: Aval) => readonly Region[];
}
export interface ReduceLowering<P> extends LoweringRule {
  readonly kind: "reduce";
  readonly reduce: (
    params: P,
    inAval: Aval,
  ) => { readonly axes: readonly number[]; readonly combine: CombineOp; readonly initial: number };
}
export interface ScanLowering<P> extends LoweringRule {
  readonly kind: "scan";
  readonly scan: (
    params: P,
    inAval: Aval,
  ) => { readonly axis: number; readonly reverse: boolean; readonly combine: CombineOp; readonly initial: number };
}
export interface DotDims {
  readonly lhsContract: readonly number[];
  readonly rhsContract: readonly number[];
  readonly lhsBatch: readonly number[];
  readonly rhsBatch: readonly number[];
}
export interface DotLowering<P> extends LoweringRule {
  readonly kind: "dot";
  readonly dims: (params: P) => DotDims;
}
export interface SortLowering<P> extends LoweringRule {
  readonly kind: "sort";
  readonly sort: (params: P) => {
    readonly axis: number;
    readonly numKeys: number;
    readonly descending?: boolean;
    /** Elements along the axis that the results have; all if left out. */
    readonly count?: number;
  };
}
export interface ScatterLowering<P> extends LoweringRule {
  readonly kind: "scatter";
  readonly scatter: (
    operands: readonly Operand[],
    params: P,
    outAval: Aval,
  ) => {
    readonly updates: readonly number[];
    /** Within bounds wherever `when` holds. */
    readonly place: (u: readonly Index[]) => readonly Index[];
    readonly value: (u: readonly Index[]) => Expr;
    readonly when: (u: readonly Index[]) => Expr | null;
    readonly combine: CombineOp | null;
    /** No two updates have one place: they may be done in any order. */
    readonly unique?: boolean;
  };
}
export interface ExpandLowering<P> extends LoweringRule {
  readonly kind: "expand";
  readonly expand: (operands: readonly NDArray[], params: P) => readonly NDArray[];
}
export interface CallLowering<P> extends LoweringRule {
  readonly kind: "call";
  readonly jaxpr: (params: P) => Jaxpr;
}
export interface SwitchLowering<P> extends LoweringRule {
  readonly kind: "switch";
  readonly branches: (params: P) => readonly Jaxpr[];
}
export interface LoopLowering<P> extends LoweringRule {
  readonly kind: "loop";
  /** Both take the constants (so many leading operands), then the state. */
  readonly loop: (params: P) => { readonly condition: Jaxpr; readonly body: Jaxpr; readonly consts: number };
}
export interface RoundsLowering<P> extends LoweringRule {
  readonly kind: "rounds";
  readonly rounds: (params: P) => {
    /** Takes constants, carry, elements; gives carry, elements. */
    readonly body: Jaxpr;
    readonly length: number;
    readonly reverse: boolean;
    readonly consts: number;
    readonly carry: number;
  };
}
export interface CallbackLowering<P> extends LoweringRule {
  readonly kind: "callback";
  readonly host: (params: P, inputs: readonly Aval[], outputs: readonly Aval[]) => HostFunction;
}
