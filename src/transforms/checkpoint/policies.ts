import type { Aval } from "../../core/aval.js";
import { ArgumentError } from "../../core/errors.js";
import { describeValue } from "../../core/literal.js";
import type { DotDims } from "../../kernel-ir/lowering.js";

/**
 * Says whether the results of an operation are kept for the backward pass: it is asked about each operation of the forward
 * pass, by the primitive's name, the types of the operands and the params. What is not kept is computed again.
 */
export type CheckpointPolicy = (primitive: string, operands: readonly Aval[], params: unknown) => boolean;

/** Name of the primitive that names values. */
export const nameOp = "name";

const products: ReadonlySet<string> = new Set(["dot_general", "integer_dot_general", "conv_general_dilated"]);

function names(list: readonly unknown[], policy: string): ReadonlySet<string> {
  for (const x of list) {
    if (typeof x === "string") continue;
    throw new ArgumentError({
      code: "checkpoint-names",
      message: `${policy} takes names, not ${describeValue(x)}`,
      hint: `give the names that were given to checkpointName: ${policy}("a", "b")`,
    });
  }
  return new Set(list as readonly string[]);
}
const nameIn = (params: unknown): string => (params as { readonly name: string }).name;

const nothingSaveable: CheckpointPolicy = () => false;
const everythingSaveable: CheckpointPolicy = () => true;
const dotsSaveable: CheckpointPolicy = (primitive) => products.has(primitive);
const dotsWithNoBatchDimsSaveable: CheckpointPolicy = (primitive, _operands, params) =>
  primitive.endsWith("dot_general") && (params as DotDims).lhsBatch.length === 0;

/** What the forward pass of a `checkpoint` keeps: pass one of these as its `policy`. */
export const checkpointPolicies = {
  /** Keeps the arguments only: all is computed again. */
  nothingSaveable,
  /** Keeps all values that the backward pass needs, as without `checkpoint`. */
  everythingSaveable,
  /** Keeps the results of products and convolutions. */
  dotsSaveable,
  /** Keeps the results of products that have no batch axes: those with weights. */
  dotsWithNoBatchDimsSaveable,
  checkpointDots: dotsSaveable,
  checkpointDotsWithNoBatchDims: dotsWithNoBatchDimsSaveable,
  /** Keeps the values named so by `checkpointName`, and nothing else. */
  saveOnlyTheseNames(...kept: readonly string[]): CheckpointPolicy {
    const set = names(kept, "saveOnlyTheseNames");
    return (primitive, _operands, params) => primitive === nameOp && set.has(nameIn(params));
  },
  /** Keeps all values that have names but those named here. */
  saveAnyNamesButThese(...dropped: readonly string[]): CheckpointPolicy {
    const set = names(dropped, "saveAnyNamesButThese");
    return (primitive, _operands, params) => primitive === nameOp && !set.has(nameIn(params));
  },
  /** Keeps all values but those named here. */
  saveAnythingExceptTheseNames(...dropped: readonly string[]): CheckpointPolicy {
    const set = names(dropped, "saveAnythingExceptTheseNames");
    return (primitive, _operands, params) => primitive !== nameOp || !set.has(nameIn(params));
  },
  /** Keeps what either policy keeps. */
  saveFromBothPolicies:
    (a: CheckpointPolicy, b: CheckpointPolicy): CheckpointPolicy =>
    (primitive, operands, params) =>
      a(primitive, operands, params) || b(primitive, operands, params),
} as const;
