import type { CheckedRule, Hazards } from "./checks.js";
import { TransformError, type TsaxError } from "./errors.js";
import type { NDArray } from "./array.js";
import type { Aval, HostArray, Shape } from "./aval.js";
import type { Jaxpr } from "./jaxpr.js";
import type { Zero } from "./zero.js";

/** A rule that cannot exist, with the reason that the error gives. */
export interface NoRule {
  readonly none: string;
  /** The error, where it says more than why there is no rule. */
  readonly error?: (() => TsaxError) | undefined;
}
export const none = (why: string, error?: () => TsaxError): NoRule => ({ none: why, error });

/** A tangent or cotangent: an array, or a symbolic zero that costs nothing. */
export type Tangent = NDArray | Zero;

/** Marks an operand of a transposed equation as the linear one, of which only the type is known. */
export class Linear {
  declare private readonly nominal: undefined;
  constructor(readonly aval: Aval) {}
}
export const isLinear = (x: NDArray | Linear): x is Linear => x instanceof Linear;

export interface BatchResult {
  readonly outs: readonly NDArray[];
  /** Where the batch axis stands in each result; null: not batched. */
  readonly dims: readonly (number | null)[];
}

export interface JvpResult {
  readonly outs: readonly NDArray[];
  readonly tangents: readonly Tangent[];
}

export interface LinearizeResult {
  readonly outs: readonly NDArray[];
  /** The linear map from input to output tangents; binds linear operations only. */
  readonly linear: (tangents: readonly Tangent[]) => readonly Tangent[];
}

/** How a primitive becomes kernels; `kernel-ir/lowering.ts` defines the kinds. */
export interface LoweringRule {
  readonly kind: string;
}

/**
 * An operation with all its rules. Operands are arrays and positional; everything else is in `params`, plain readonly data.
 * A rule that cannot exist is `none("why")`; a rule left out does not compile.
 */
export interface Primitive<P = unknown> {
  readonly name: string;
  /** Types of the results. Throws the error a user sees when operands do not fit. */
  readonly abstract: (avals: readonly Aval[], params: P) => readonly Aval[];
  /** Plain evaluation on the host: `Math.*` in float64, rounded once. Shares nothing with the compiler. */
  readonly evaluate: ((inputs: readonly HostArray[], params: P) => readonly HostArray[]) | NoRule;
  readonly jvp: ((primals: readonly NDArray[], tangents: readonly Tangent[], params: P) => JvpResult) | NoRule;
  /** For primitives that hold jaxprs; others are linearized through `jvp`. `nonzero[i]`: operand i has a tangent. */
  readonly linearize?: (primals: readonly NDArray[], nonzero: readonly boolean[], params: P) => LinearizeResult;
  /** Cotangents of the linear operands (null or a Zero for the others), given those of the results. */
  readonly transpose:
    | ((cts: readonly Tangent[], inputs: readonly (NDArray | Linear)[], params: P) => readonly (Tangent | null)[])
    | NoRule;
  /**
   * `dims[i]` is operand i's batch axis or null; at least one is batched, or the operation runs over the batch axis by its name.
   * `axisName` is that name, if it has one: rules of primitives that hold jaxprs hand it on to these.
   */
  readonly batch:
    | ((
        size: number,
        inputs: readonly NDArray[],
        dims: readonly (number | null)[],
        params: P,
        axisName: string | undefined,
      ) => BatchResult)
    | NoRule;
  readonly lower: LoweringRule | NoRule;
  /** Facts that passes may use instead of names. */
  readonly facts: PrimitiveFacts<P>;
  /** Params as jaxprs print them; by default every entry as `key=value`. */
  readonly printParams?: (params: P) => Readonly<Record<string, unknown>>;
  /** Inner jaxprs are found through this, never by name. */
  readonly jaxprs?: (params: P) => readonly Jaxpr[];
  /** Named axes that the operation runs over; those of inner jaxprs are found through `jaxprs`. */
  readonly axisNames?: (params: P) => readonly string[];
  /** What the operation does besides giving results; equations have their inner jaxprs' effects too. */
  readonly effects?: (params: P) => ReadonlySet<string>;
  /** How `checkify` goes through it, where `facts.hazards` cannot say: for operations with inner jaxprs. */
  readonly checked?: CheckedRule<P>;
}

export interface PrimitiveFacts<P = unknown> {
  /** Output element i depends on element i of each operand alone (operands of shape [] are broadcast). */
  readonly elementwise?: boolean;
  /** Results are the operand's elements rearranged, none computed. */
  readonly view?: boolean;
  /** The single result has operand 0's elements, all of them and in the same row-major order: eager evaluation shares storage. */
  readonly reshapes?: boolean | ((params: P, aval: Aval) => boolean);
  /**
   * Each element of the single result, which has this shape, is one of operand 0's, repeated: eager evaluation repeats them
   * where they are used.
   */
  readonly repeats?: (params: P) => Shape;
  readonly commutative?: boolean;
  /**
   * Of calls: what it computes is kept apart from what stands around it, though that be the same, and waits for all operands.
   * So a value that is computed again to save memory does not lie in memory all the same.
   */
  readonly barrier?: (params: P) => boolean;
  /** Its jvp is what somebody wrote: a rule that may call anything. */
  readonly ruled?: boolean;
  /** Of operations on one operand: what is left of it where only lengths differ. null: nothing can be said. */
  readonly extents?: (params: P, aval: Aval) => Extents | null;
  /** An evaluation too dear to repeat, in units of an add; default 1. */
  readonly cost?: number;
  readonly hazards?: Hazards<P>;
  /**
   * The primitive's own algebra: what it may be replaced with, in terms of the equation that made operand 0.
   * Returns an operand to use instead (`same`), a new equation (`eqn`), or null.
   */
  readonly simplify?: (params: P, context: SimplifyContext) => SimplifyResult | null;
}

/**
 * An operation on one operand as a pattern and lengths: operations of one primitive and pattern differ in nothing else, and
 * have their elements in the same row-major order as `at` its sizes.
 */
export interface Extents {
  readonly pattern: string;
  /** Each more than 1. */
  readonly sizes: readonly number[];
  /** The operand's shape and the params of the operation of this pattern for other lengths. */
  at(sizes: readonly number[]): { readonly shape: Shape; readonly params: unknown };
}

export interface SimplifyContext {
  readonly inAvals: readonly Aval[];
  readonly outAval: Aval;
  /** The scalar value of operand i where it is a literal or a broadcast of one, else undefined. */
  readonly constant: (i: number) => number | undefined;
  /** The params of the equation that made operand i if it is of the given primitive, else undefined. */
  readonly madeBy: <Q>(i: number, primitive: Primitive<Q>) => Q | undefined;
}

export type SimplifyResult =
  | { readonly same: number }
  /** Apply `primitive` with `params` to the operands of the equation that made operand `through`. */
  | { readonly through: number; readonly primitive: Primitive<never>; readonly params: unknown }
  | { readonly constant: number };

/**
 * A primitive of whatever params: how equations hold it. Its rules are called with `params as never`, the one place where
 * the type of params is erased; `bind` has checked the pair.
 */
export type AnyPrimitive = Primitive<never>;

/** A rule, or the error that says why there is none. */
export function ruleOf<R>(rule: R | NoRule, primitive: AnyPrimitive, what: string): R {
  if (typeof rule === "object" && rule !== null && "none" in rule) {
    if (rule.error) throw rule.error();
    throw new TransformError({ code: "no-rule", message: `${primitive.name} has no ${what} rule: ${rule.none}` });
  }
  return rule as R;
}
