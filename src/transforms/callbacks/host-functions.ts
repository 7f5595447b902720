import type { NDArray } from "../../core/array.js";
import { getEngine } from "../../core/engine.js";
import { ArgumentError } from "../../core/errors.js";
import { describeValue } from "../../core/literal.js";
import { bind } from "../../core/trace.js";
import { unflatten } from "../../core/tree.js";
import type { ShapeDtype } from "../inspect.js";
import { type CallbackArguments, callOf, requireCallback, resultsOf, trailingOptions } from "./arguments.js";
import { ioCallbackPrimitive, pureCallbackPrimitive, type VmapMethod } from "./primitives.js";

/** Arrays in the places of their types. */
export type ArraysOfTypes<T> = T extends ShapeDtype | NDArray
  ? NDArray
  : T extends object
    ? { -readonly [K in keyof T]: ArraysOfTypes<T[K]> }
    : T;

export interface PureCallbackOptions {
  /** How a batch of examples is computed; see `pureCallback`. */
  readonly vmapMethod?: VmapMethod | null | undefined;
}
export interface IoCallbackOptions {
  /** Ordered calls are made in the order in which they were traced, among each other. */
  readonly ordered?: boolean | undefined;
}

const vmapMethods: readonly unknown[] = [
  "sequential",
  "sequentialUnrolled",
  "expandDims",
  "broadcastAll",
  "legacyVectorized",
  null,
];

/**
 * Computes with a function of the host, under every transformation: it is called with arrays that can be read at once when
 * the program that it is part of runs, and gives arrays of exactly the types in `resultShapeDtypes` (numbers for scalars and
 * typed arrays will do). Its results must depend on its arguments alone: it may be called again, or not at all.
 *
 * It has no derivative: wrap the call in `customJvp` or `customVjp`. Under `vmap`, an object `{ vmapMethod }` behind the
 * arguments says how it takes a batch: "sequential" and "sequentialUnrolled" call it for each example; "expandDims" calls it
 * once, all arguments with a leading axis, of length 1 where they are shared; "broadcastAll" repeats those instead.
 * @throws CallbackError `callback-failed`, `callback-result`; TransformError `callback-derivative`, `callback-vmap`.
 * @example
 * const sinh = (x) =>
 *   pureCallback((v) => v.dataSync().map(Math.sinh), { shape: x.shape, dtype: "float32" }, x, { vmapMethod: "expandDims" });
 * jit(vmap(sinh))(np.arange(3, { dtype: "float32" })); // [0, 1.1752012, 3.6268604]
 */
export function pureCallback<const T, const A extends readonly unknown[]>(
  callback: (...args: CallbackArguments<A, PureCallbackOptions>) => unknown,
  resultShapeDtypes: T,
  ...args: A
): ArraysOfTypes<T> {
  requireCallback("pureCallback", callback);
  const { args: given, options } = trailingOptions<PureCallbackOptions>(args, { vmapMethod: isMethod });
  const results = resultsOf("pureCallback", resultShapeDtypes);
  const call = callOf("pureCallback", callback, given, false);
  const { vmapMethod = null } = options;
  const outs = bind(pureCallbackPrimitive, call.operands, { callback: call.callback, results, vmapMethod });
  return unflatten(results.def, outs) as ArraysOfTypes<T>;
}

function isMethod(x: unknown): boolean {
  if (vmapMethods.includes(x)) return true;
  if (typeof x !== "string") return false;
  throw new ArgumentError({
    code: "callback-vmap",
    message: `pureCallback: ${describeValue(x)} is no vmapMethod`,
    hint: `vmapMethods: ${vmapMethods.filter((m) => m !== null).join(", ")}`,
  });
}

/**
 * Calls a function of the host for what it does: reading a sensor, a counter, a file. It is called exactly once each time that
 * the program gets there, with arrays that can be read at once, and gives arrays of the types in `resultShapeDtypes`; null
 * there means that it gives nothing.
 *
 * An object `{ ordered: true }` behind the arguments keeps ordered calls in order among each other; those have no vmap. It
 * has no derivative.
 * @throws CallbackError `callback-failed`, `callback-result`; TransformError `callback-derivative`, `callback-vmap`.
 * @example
 * let calls = 0;
 * const count = jit(() => ioCallback(() => ++calls, { shape: [], dtype: "int32" }));
 * count(); // 1
 */
export function ioCallback<const T, const A extends readonly unknown[]>(
  callback: (...args: CallbackArguments<A, IoCallbackOptions>) => unknown,
  resultShapeDtypes: T,
  ...args: A
): ArraysOfTypes<T> {
  requireCallback("ioCallback", callback);
  const { args: given, options } = trailingOptions<IoCallbackOptions>(args, {
    ordered: (x) => typeof x === "boolean",
  });
  const nothing = resultShapeDtypes === null || resultShapeDtypes === undefined;
  const results = nothing ? undefined : resultsOf("ioCallback", resultShapeDtypes);
  const call = callOf("ioCallback", callback, given, false);
  const ordered = options.ordered === true;
  const outs = bind(ioCallbackPrimitive, call.operands, { callback: call.callback, results, ordered });
  return (results ? unflatten(results.def, outs) : resultShapeDtypes) as ArraysOfTypes<T>;
}

/**
 * Resolves when everything that devices were given has been done, callbacks included. On devices that compute at once there
 * is nothing to wait for; on a GPU callbacks of a jitted function run some time after its call.
 * @throws the first CallbackError of a callback that failed there, of those that no result has shown.
 * @example
 * jit((x) => debug.print("x = {}", x))(1);
 * await effectsBarrier();
 */
export const effectsBarrier = (): Promise<void> => getEngine().effectsDone();
