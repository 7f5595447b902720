import { NDArray } from "../../core/array.js";
import { type Aval, asShape } from "../../core/aval.js";
import { isOptions } from "../../core/calling.js";
import { asDType } from "../../core/dtype.js";
import { ArgumentError, TreeError } from "../../core/errors.js";
import { asArray, describeValue } from "../../core/literal.js";
import { flatten, leafPaths, unflatten } from "../../core/tree.js";
import type { ArraysOfAll } from "../../core/types.js";
import type { HostCallback, HostResults } from "./host.js";

type AnyFunction = (...args: never[]) => unknown;

/** What a callback is called with, of arguments `A` behind which options may stand. */
export type CallbackArguments<A extends readonly unknown[], O> = A extends readonly [...infer Rest, infer Last]
  ? keyof Last extends keyof O
    ? ArraysOfAll<Rest>
    : ArraysOfAll<A>
  : ArraysOfAll<A>;

/** A call of the user's function: its arrays are operands, and what is no array goes to it as it is, where that is allowed. */
export function callOf(
  op: string,
  f: AnyFunction,
  args: readonly unknown[],
  statics: boolean,
): { readonly callback: HostCallback; readonly operands: readonly NDArray[] } {
  const [values, def] = flatten(args);
  const operands: NDArray[] = [];
  const leaves = values.map((x, i) => {
    if (x instanceof NDArray || typeof x === "number" || typeof x === "boolean") {
      operands.push(asArray(x));
      return undefined;
    }
    if (statics) return { value: x };
    throw new TreeError({
      code: "leaf-not-array",
      message: `${op}: argument ${leafPaths(def)[i]!} is ${describeValue(x)}, not an array`,
      hint: "callbacks take pytrees of arrays and numbers; the function may close over everything else",
    });
  });
  return { callback: { op, f, def, leaves }, operands };
}

/** Demands a function to call. @throws ArgumentError `not-a-function`. */
export function requireCallback(op: string, f: unknown): asserts f is AnyFunction {
  if (typeof f === "function") return;
  throw new ArgumentError({
    code: "not-a-function",
    message: `${op} takes the function to call first, not ${describeValue(f)}`,
    hint: `${op}((x) => …, …)`,
  });
}

/** The types that a callback's results are promised to have. */
export function resultsOf(op: string, types: unknown): HostResults {
  const isType = (x: unknown): boolean =>
    isOptions(x) && Array.isArray(x["shape"]) && typeof x["dtype"] === "string" && Object.keys(x).length === 2;
  const [leaves, described] = flatten(types, isType);
  const avals = leaves.map((x, i): Aval => {
    if (x instanceof NDArray) return { shape: x.shape, dtype: x.dtype, weakType: false };
    if (isType(x)) {
      const { shape, dtype } = x as { readonly shape: readonly number[]; readonly dtype: unknown };
      return { shape: asShape(shape, op), dtype: asDType(dtype), weakType: false };
    }
    throw new TreeError({
      code: "callback-types",
      message: `${op}: the result type ${leafPaths(described)[i]!} is ${describeValue(x)}`,
      hint: 'result types are { shape: [3], dtype: "float32" } or arrays of that type, in a pytree of the result\'s structure',
    });
  });
  // structures are compared by their keys, of arrays
  return {
    def: flatten(
      unflatten(
        described,
        leaves.map(() => 0),
      ),
    )[1],
    avals,
  };
}

/** Options that stand behind a callback's arguments: an object of nothing but these. */
export function trailingOptions<O extends object>(
  args: readonly unknown[],
  isOption: Readonly<Record<keyof O & string, (x: unknown) => boolean>>,
): { readonly args: readonly unknown[]; readonly options: Partial<O> } {
  const last = args.at(-1);
  const keys = isOptions(last) ? Object.keys(last) : [];
  const known = keys.every((k) => k in isOption && isOption[k as keyof O & string]((last as never)[k]));
  if (keys.length === 0 || !known) return { args, options: {} };
  return { args: args.slice(0, -1), options: last as Partial<O> };
}
