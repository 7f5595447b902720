import type { NoRule, Primitive } from "../core/primitive.js";
import type { Lowering } from "../kernel-ir/lowering.js";

const defined = new Map<string, Primitive<never>>();

/** Every primitive there is, by name: for contract tests, which demand a row for each. */
export const primitives: ReadonlyMap<string, Primitive<never>> = defined;

/** A primitive whose lowering is of a kind that the compiler knows. */
export interface PrimitiveDefinition<P> extends Primitive<P> {
  readonly lower: Lowering<P> | NoRule;
}

/**
 * Enters a primitive in the table of all primitives. Families of primitives use each other in their rules, so their files
 * are loaded in any order; this one imports none of them and is ready before all.
 */
export function definePrimitive<P>(definition: PrimitiveDefinition<P>): PrimitiveDefinition<P> {
  defined.set(definition.name, definition);
  return definition;
}
