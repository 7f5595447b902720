import type { NDArray } from "../core/array.js";
import { type Aval, asShape } from "../core/aval.js";
import { asDType } from "../core/dtype.js";
import { printJaxpr } from "../core/printer.js";
import type { ClosedJaxpr } from "../core/jaxpr.js";
import { stage } from "../core/staging.js";
import { flatten, type TreeDef, unflatten } from "../core/tree.js";
import type { Structure } from "../core/types.js";
import { asArray } from "../core/literal.js";
import { flattenArrays, nameOf, requireFunction } from "./arguments.js";
import { NDArray as ArrayClass } from "../core/array.js";

/** A jaxpr with the arrays it captured, printed in JAX's notation. */
export interface TracedJaxpr extends ClosedJaxpr {
  toString(): string;
}

/** A type without elements: what `evalShape` takes and gives. */
export interface ShapeDtype {
  readonly shape: readonly number[];
  readonly dtype: Aval["dtype"];
}

function isShapeDtype(x: unknown): x is ShapeDtype {
  return (
    typeof x === "object" &&
    x !== null &&
    !(x instanceof ArrayClass) &&
    Array.isArray((x as ShapeDtype).shape) &&
    typeof (x as ShapeDtype).dtype === "string"
  );
}

/** What a tree of arrays may be given as where only types count: arrays, numbers or `{shape, dtype}` in their places. */
export type Described<T> = T extends NDArray | number | boolean
  ? NDArray | number | boolean | ShapeDtype
  : T extends (...args: never[]) => unknown
    ? T
    : T extends object
      ? { [K in keyof T]: Described<T[K]> }
      : T;
type AllDescribed<A extends readonly unknown[]> = { [K in keyof A]: Described<A[K]> };

/** A tree of T's structure with the types of its arrays. */
export type ShapesOf<T> = T extends NDArray | number | boolean
  ? ShapeDtype
  : T extends object
    ? { [K in keyof T]: ShapesOf<T[K]> }
    : T;

/** The types of a call's arguments; entries may be arrays, numbers or {shape, dtype} descriptions. */
function argumentTypes(args: readonly unknown[], what: string): { readonly avals: Aval[]; readonly def: TreeDef } {
  const [leaves, def] = flatten(args, isShapeDtype);
  const avals = leaves.map((x) =>
    isShapeDtype(x)
      ? { shape: asShape(x.shape, what), dtype: asDType(x.dtype), weakType: false }
      : asArray(x, what).aval,
  );
  return { avals, def };
}

function traceCall(
  f: (...args: never[]) => unknown,
  args: readonly unknown[],
  kind: string,
): { readonly closed: ClosedJaxpr; readonly outDef: TreeDef } {
  requireFunction(f, kind);
  const { avals, def } = argumentTypes(args, kind);
  let outDef = def;
  const closed = stage(
    (xs: readonly NDArray[]) => {
      const out = flattenArrays(f(...(unflatten(def, xs) as never[])), `the result of ${nameOf(f)}`);
      outDef = out.def;
      return out.leaves;
    },
    avals,
    { kind: `${kind}(${nameOf(f)})` },
  );
  return { closed, outDef };
}

/**
 * Traces a function into a jaxpr without running it; print the result to see JAX's notation.
 * @example
 * console.log(String(makeJaxpr((x) => np.sin(x).mul(2))(np.ones([3]))));
 */
export function makeJaxpr<A extends readonly unknown[] = readonly NDArray[], R extends Structure = unknown>(
  f: (...args: A) => R,
): (...args: AllDescribed<A>) => TracedJaxpr;
export function makeJaxpr(f: (...args: never[]) => unknown): (...args: unknown[]) => TracedJaxpr {
  return (...args) => {
    const { closed } = traceCall(f, args, "makeJaxpr");
    const toString = (): string => printJaxpr(closed.jaxpr, closed.consts.length);
    return Object.defineProperty({ ...closed, toString }, Symbol.for("nodejs.util.inspect.custom"), {
      value: toString,
    });
  };
}

/**
 * The shapes and dtypes of what a function would return, without computing it. Arguments may be arrays or `{shape, dtype}`.
 * @example
 * evalShape((x) => np.dot(x, x.T), { shape: [2, 3], dtype: "float32" }); // float32[2, 2]
 */
export function evalShape<A extends readonly unknown[] = readonly NDArray[], R extends Structure = unknown>(
  f: (...args: A) => R,
  ...args: AllDescribed<NoInfer<A>>
): ShapesOf<R>;
export function evalShape(f: (...args: never[]) => unknown, ...args: readonly unknown[]): unknown {
  const { closed, outDef } = traceCall(f, args, "evalShape");
  return unflatten(
    outDef,
    closed.jaxpr.outs.map(({ aval }): ShapeDtype => ({ shape: aval.shape, dtype: aval.dtype })),
  );
}
