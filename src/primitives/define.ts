import type { NDArray } from "../core/array.js";
import type { Aval } from "../core/aval.js";
import { scalarOf } from "../core/literal.js";
import type { Primitive, Tangent } from "../core/primitive.js";
import { bind1 } from "../core/trace.js";
import { isZero } from "../core/zero.js";
import type * as Elementwise from "./elementwise.js";
import type * as Gather from "./gather.js";
import type * as Movement from "./movement.js";
import type * as Reduce from "./reduce.js";
import type * as Scatter from "./scatter.js";

export { definePrimitive, type PrimitiveDefinition, primitives } from "./table.js";

/**
 * The operations that rules of other families are written with. A broadcast transposes to a sum and a sum to a broadcast,
 * but modules may not import each other in circles: families reach one another through this record, which `all.ts` fills.
 * Rules run when programs do, so it is full by then; outside of this folder import from `all.ts`.
 *
 * What stands here is in every bundle, used or not: only what rules need does.
 */
export type Operations = Pick<
  typeof Elementwise,
  | "abs"
  | "add"
  | "and"
  | "convertElementType"
  | "div"
  | "eq"
  | "exp"
  | "floor"
  | "ge"
  | "gt"
  | "integerPow"
  | "log"
  | "logaddexp"
  | "lt"
  | "max"
  | "min"
  | "mul"
  | "ne"
  | "neg"
  | "or"
  | "rsqrt"
  | "select"
  | "shareOf"
  | "shareOfSum"
  | "sign"
  | "square"
  | "sub"
> &
  Pick<
    typeof Movement,
    | "batchInFront"
    | "broadcastInDim"
    | "concatenate"
    | "expandDims"
    | "iota"
    | "moveAxis"
    | "pad"
    | "reshape"
    | "rev"
    | "slice"
    | "transpose"
  > &
  Pick<typeof Reduce, "reduceSum"> &
  Pick<typeof Gather, "gather"> &
  Pick<typeof Scatter, "gatherBack" | "scatter" | "scatterAdd">;
export const ops = {} as Operations;

/** An array of one value everywhere: a broadcast scalar, which kernels inline. */
export function full(value: number, a: Aval): NDArray {
  const s = scalarOf(value, { shape: [], dtype: a.dtype, weakType: a.weakType });
  return a.shape.length === 0 ? s : ops.broadcastInDim(s, a.shape, []);
}

export function zerosOf(a: Aval): NDArray {
  return full(0, a);
}

/** A tangent as an array: symbolic zeros become arrays of zeros. */
export function instantiate(t: Tangent): NDArray {
  return isZero(t) ? zerosOf(t.aval) : t;
}

/** Sum of two tangents; symbolic zeros cost nothing. */
export function addTangents(a: Tangent, b: Tangent): Tangent {
  if (isZero(a)) return b;
  if (isZero(b)) return a;
  return ops.add(a, b);
}

/** Binds a primitive of one operand and one result. */
export function unary<P>(primitive: Primitive<P>, params: P): (x: NDArray) => NDArray {
  return (x) => bind1(primitive, [x], params);
}
