import type { NDArray } from "./array.js";
import type { Aval } from "./aval.js";
import type { AnyPrimitive } from "./primitive.js";
import type { Source } from "./source.js";

/**
 * The IR that functions are traced into.
 *
 *   jaxpr   ::= { lambda var… . let eqn… in (atom…) }
 *   eqn     ::= var… = primitive[params] atom…
 *   atom    ::= var | literal
 *   closed  ::= jaxpr whose first inputs are given (consts)
 */
export class Var {
  constructor(readonly aval: Aval) {}
}

/** A scalar known while tracing: a JS number or boolean. */
export class Literal {
  constructor(
    readonly value: number,
    readonly aval: Aval,
  ) {}
}

export type Atom = Var | Literal;

export interface Eqn {
  readonly primitive: AnyPrimitive;
  readonly inputs: readonly Atom[];
  readonly params: unknown;
  readonly outs: readonly Var[];
  readonly effects: ReadonlySet<string>;
  /** Where it comes from, if that is recorded. */
  readonly source?: Source | undefined;
}

export interface Jaxpr {
  readonly inVars: readonly Var[];
  readonly eqns: readonly Eqn[];
  readonly outs: readonly Atom[];
  readonly effects: ReadonlySet<string>;
}

/** A jaxpr with the arrays it captured; they are its first inputs. */
export interface ClosedJaxpr {
  readonly jaxpr: Jaxpr;
  readonly consts: readonly NDArray[];
}

export const noEffects: ReadonlySet<string> = new Set();

/** An equation of a primitive applied to atoms, with fresh variables of the types that the primitive promises. */
export function makeEqn(primitive: AnyPrimitive, inputs: readonly Atom[], params: unknown): Eqn {
  const avals = primitive.abstract(
    inputs.map((a) => a.aval),
    params as never,
  );
  let effects = primitive.effects?.(params as never) ?? noEffects;
  for (const inner of primitive.jaxprs?.(params as never) ?? [])
    if (inner.effects.size > 0) effects = new Set([...effects, ...inner.effects]);
  return { primitive, inputs, params, outs: avals.map((a) => new Var(a)), effects };
}
