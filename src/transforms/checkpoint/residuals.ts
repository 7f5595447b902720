import type { NDArray } from "../../core/array.js";
import { formatAval } from "../../core/aval.js";
import { type Atom, type Eqn, Literal } from "../../core/jaxpr.js";
import { stage } from "../../core/staging.js";
import { leafPaths, unflatten } from "../../core/tree.js";
import type { Ins } from "../../core/types.js";
import { flattenArrays, nameOf, requireFunction } from "../arguments.js";
import { nameOp } from "./policies.js";
import { flattenCalls } from "./split.js";
import { floatPrimals, linearizeFlat } from "../linearize.js";

/**
 * Prints what the backward pass of a function keeps, one line a value: its type and where it comes from. Runs nothing.
 * @example
 * printSavedResiduals((x) => np.sin(np.sin(x)), 1);
 * // f32[] output of cos
 * // f32[] output of cos
 */
export function printSavedResiduals<A extends readonly unknown[] = readonly NDArray[]>(
  fun: (...args: A) => unknown,
  ...args: Ins<NoInfer<A>>
): void {
  requireFunction(fun, "printSavedResiduals");
  const lines = savedResiduals(fun, args);
  if (lines.length > 0) console.log(lines.join("\n"));
}

/** The lines that `printSavedResiduals` prints. */
function savedResiduals(fun: (...args: never[]) => unknown, args: readonly unknown[]): string[] {
  const { leaves, def } = floatPrimals(args, "printSavedResiduals");
  const { jaxpr, consts } = stage(
    (xs) =>
      linearizeFlat(
        (ys) => flattenArrays(fun(...(unflatten(def, ys) as never[])), `the result of ${nameOf(fun)}`).leaves,
        xs,
      ).linear.consts,
    leaves.map((x) => x.aval),
    { kind: "printSavedResiduals" },
  );
  const flat = flattenCalls(jaxpr);
  const paths = leafPaths(def);
  const origins = new Map<Atom, string>();
  flat.inVars.forEach((v, i) =>
    origins.set(v, i < consts.length ? "from a constant" : `from the argument ${paths[i - consts.length]!}`),
  );
  for (const eqn of flat.eqns) for (const v of eqn.outs) origins.set(v, originOf(eqn));
  return [...new Set(flat.outs)].map((a) => {
    const origin = a instanceof Literal ? "from a literal" : origins.get(a)!;
    return `${formatAval(a.aval).replace("~", "")} ${origin}`;
  });
}

const originOf = ({ primitive, params }: Eqn): string =>
  primitive.name === nameOp ? `named '${(params as { readonly name: string }).name}'` : `output of ${primitive.name}`;
