import { isOptions } from "../../core/calling.js";
import { ArgumentError } from "../../core/errors.js";
import { describeValue } from "../../core/literal.js";
import { bind } from "../../core/trace.js";
import type { ArraysOfAll } from "../../core/types.js";
import { type CallbackArguments, callOf, requireCallback, trailingOptions } from "./arguments.js";
import {
  checkArguments,
  type FormatArguments,
  formatTemplate,
  parseTemplate,
  type Template,
  wantsOf,
} from "./format.js";
import { debugCallbackPrimitive, debugPrintPrimitive } from "./primitives.js";

export interface DebugOptions {
  /** Ordered calls are made in the order in which they were traced, among each other. */
  readonly ordered?: boolean | undefined;
}

const isBoolean = (x: unknown): boolean => typeof x === "boolean";
const split = (args: readonly unknown[]): { readonly args: readonly unknown[]; readonly ordered: boolean } => {
  const { args: rest, options } = trailingOptions<DebugOptions>(args, { ordered: isBoolean });
  return { args: rest, ordered: options.ordered === true };
};

/** Options that are given in a call of their own, before the call that they are for. */
function optionsAlone(op: string, given: readonly unknown[]): DebugOptions | undefined {
  const [options] = given;
  if (given.length !== 1 || !isOptions(options)) return undefined;
  const unknown = Object.keys(options).find((k) => k !== "ordered");
  if (unknown === undefined) return options;
  throw new ArgumentError({
    code: "option-unknown",
    message: `${op} has no option ${JSON.stringify(unknown)}`,
    hint: "options: ordered",
  });
}

/**
 * Prints values when they are computed: under `jit` on every call, under `vmap` once an example, under `grad` once.
 *
 * The format is Python's: `{}` and `{0}` for arguments, `{name}` for entries of an object behind them, `{x:.3f}` for scalars.
 * `ordered` prints keep their order among each other; it stands in that object, or in a call of its own:
 * `debug.print({ ordered: true })("x = {}", x)`.
 * @throws ArgumentError `debug-format` where format and arguments do not fit.
 * @example
 * const f = jit((x) => {
 *   debug.print("x = {}, half of it {half:.2f}", x, { half: x.mul(0.5) });
 *   return np.sin(x);
 * });
 * f(1);
 */
export function print(fmt: string, ...args: unknown[]): void;
export function print(options: DebugOptions): (fmt: string, ...args: unknown[]) => void;
export function print(...given: unknown[]): unknown {
  const options = optionsAlone("debug.print", given);
  if (options) return (fmt: unknown, ...args: unknown[]) => printNow(fmt, args, options);
  const [fmt, ...args] = given;
  return printNow(fmt, args, undefined);
}

function printNow(fmt: unknown, args: readonly unknown[], options: DebugOptions | undefined): void {
  if (typeof fmt !== "string") {
    throw new ArgumentError({
      code: "debug-format",
      message: `debug.print takes a format string first, not ${describeValue(fmt)}`,
      hint: 'debug.print("x = {}", x)',
    });
  }
  const template = parseTemplate(fmt);
  const { given, ordered } = formatArguments(template, args, options);
  checkArguments(template, given);
  const show = (values: FormatArguments): void => console.log(formatTemplate(template, values));
  const { callback, operands } = callOf("debug.print", show, [given], true);
  bind(debugPrintPrimitive, operands, { callback, ordered, fmt });
}

/** An object behind the positional arguments names the others, and holds options if they are not given apart. */
function formatArguments(
  template: Template,
  args: readonly unknown[],
  options: DebugOptions | undefined,
): { readonly given: FormatArguments; readonly ordered: boolean } {
  const wants = wantsOf(template);
  const last = args.at(-1);
  if (!isOptions(last) || !(wants.named || args.length > wants.positional))
    return { given: { positional: args, named: {} }, ordered: options?.ordered === true };
  const positional = args.slice(0, -1);
  if (options || !isBoolean(last["ordered"]))
    return { given: { positional, named: last }, ordered: options?.ordered === true };
  const { ordered, ...named } = last;
  return { given: { positional, named }, ordered: ordered === true };
}

/**
 * Calls a function with values when they are computed, for its effect: what it returns is ignored. It is called on every call
 * of a jitted function, once an example under `vmap`, once under `grad`, with the values themselves and not their tangents.
 *
 * Arguments are pytrees; what is no array in them goes to the function as it is. An object `{ ordered }` behind them, or in a
 * call of its own (`debug.callback({ ordered: true })(f, x)`), keeps ordered calls in order among each other.
 * @throws CallbackError `callback-failed` where the function throws.
 * @example
 * const seen = [];
 * jit((x) => {
 *   debug.callback((y) => seen.push(y.item()), x);
 *   return x;
 * })(2);
 * await effectsBarrier();
 * seen; // [2]
 */
export function callback<const A extends readonly unknown[]>(
  f: (...args: CallbackArguments<A, DebugOptions>) => void,
  ...args: A
): void;
export function callback(
  options: DebugOptions,
): <const A extends readonly unknown[]>(f: (...args: ArraysOfAll<A>) => void, ...args: A) => void;
export function callback(...given: unknown[]): unknown {
  const options = optionsAlone("debug.callback", given);
  if (options) return (f: unknown, ...args: unknown[]) => callNow(f, { args, ordered: options.ordered === true });
  const [f, ...args] = given;
  return callNow(f, split(args));
}

function callNow(
  f: unknown,
  { args, ordered }: { readonly args: readonly unknown[]; readonly ordered: boolean },
): void {
  requireCallback("debug.callback", f);
  const { callback, operands } = callOf("debug.callback", f, args, true);
  bind(debugCallbackPrimitive, operands, { callback, ordered });
}
