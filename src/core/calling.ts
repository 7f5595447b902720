import { ArgumentError, counted } from "./errors.js";

/**
 * The calling convention of every library function: JAX's parameters in JAX's order, or by name in one trailing plain
 * object of options. One given twice, an unknown name or a surplus argument throws and lists what is valid.
 */

/** What a call was given: `arguments`, or a list. */
export interface Arguments {
  readonly length: number;
  readonly [i: number]: unknown;
}

/** Whether a value is a bare object such as `{axis: 0}`: never an array, a list, a class's instance. */
export function isOptions(x: unknown): x is Readonly<Record<string, unknown>> {
  if (typeof x !== "object" || x === null) return false;
  const proto: unknown = Object.getPrototypeOf(x);
  return proto === Object.prototype || proto === null;
}

/** Parameters that stand in JAX's order but have no meaning on immutable arrays: accepted as null only. */
const absent: ReadonlySet<string> = new Set(["out", "overwriteInput", "sharding", "outSharding"]);

export interface SignatureOptions<P> {
  /** Parameters that are taken by name only. */
  readonly byName?: readonly (keyof P & string)[];
  /** Number of leading parameters that may be plain objects themselves (pytrees), so that options come after them only. */
  readonly trees?: number;
}

/** Reads the arguments of one call; a parameter that was left out or is undefined is not in the result, null is kept. */
export type ReadArguments<P> = (args: Arguments) => P;

/**
 * Declares the parameters of a function: the first `required` of `names` must be given.
 *
 * @example
 * const params = signature<{ a: ArrayLike } & SumOptions>("sum", 1, ["a", "axis", "dtype", "out", "keepdims"]);
 * export function sum(a: ArrayLike, axis?: Axis | SumOptions, options?: SumOptions): NDArray {
 *   const { a, axis = null, keepdims = false } = params(arguments);
 */
export function signature<P extends object>(
  op: string,
  required: number,
  names: readonly ((keyof P & string) | "out" | "overwriteInput" | "sharding" | "outSharding")[],
  { byName = [], trees = 0 }: SignatureOptions<P> = {},
): ReadArguments<P> {
  const known: ReadonlySet<string> = new Set([...names, ...byName]);
  return (args) => {
    let count = given(args);
    const last = count > trees ? args[count - 1] : undefined;
    const options = isOptions(last) ? last : undefined;
    if (options !== undefined) count--;
    if (count > names.length) throw surplus(op, args, count, names, byName);
    const bound: Record<string, unknown> = {};
    for (let i = 0; i < count; i++) {
      const value = args[i];
      if (value === undefined) continue;
      if (absent.has(names[i]!)) requireNull(op, names[i]!, value);
      else bound[names[i]!] = value;
    }
    if (options !== undefined) addOptions(op, bound, options, known);
    for (let i = 0; i < required; i++) if (!(names[i]! in bound)) throw missing(op, names[i]!, known);
    return bound as P;
  };
}

/**
 * Declares a function of any number of values (`meshgrid(...xi, {indexing})`): gives the values and the options.
 */
export function variadic<P extends object>(
  op: string,
  names: readonly (keyof P & string)[],
): (args: Arguments) => readonly [values: unknown[], options: P] {
  const known: ReadonlySet<string> = new Set(names);
  return (args) => {
    const values = Array.prototype.slice.call(args, 0, given(args)) as unknown[];
    const bound: Record<string, unknown> = {};
    if (isOptions(values.at(-1))) addOptions(op, bound, values.pop() as Readonly<Record<string, unknown>>, known);
    return [values, bound as P];
  };
}

/** Number of arguments without trailing undefined ones. */
function given(args: Arguments): number {
  let n = args.length;
  while (n > 0 && args[n - 1] === undefined) n--;
  return n;
}

function addOptions(
  op: string,
  bound: Record<string, unknown>,
  options: Readonly<Record<string, unknown>>,
  known: ReadonlySet<string>,
): void {
  for (const name of Object.keys(options)) {
    if (!known.has(name)) throw unknownOption(op, name, known);
    const value = options[name];
    if (value === undefined) continue;
    if (absent.has(name)) {
      requireNull(op, name, value);
      continue;
    }
    if (name in bound) {
      throw new ArgumentError({
        code: "option-twice",
        message: `${op}: ${name} is given twice, by position and in the options`,
        hint: `give ${name} once`,
      });
    }
    bound[name] = value;
  }
}

function requireNull(op: string, name: string, value: unknown): void {
  if (value === null) return;
  throw new ArgumentError({
    code: "option-absent",
    message: `${op}: ${name} is not offered`,
    hint: name === "out" ? "arrays are immutable; use the result" : "leave it out",
  });
}

const listed = (names: Iterable<string>): string => [...names].filter((n) => !absent.has(n)).join(", ");

function unknownOption(op: string, name: string, known: ReadonlySet<string>): ArgumentError {
  const close = [...known].find((k) => k.toLowerCase() === name.replaceAll("_", "").toLowerCase());
  const valid = listed(known);
  return new ArgumentError({
    code: "option-unknown",
    message: `${op} has no option ${JSON.stringify(name)}`,
    details: [["options", valid === "" ? "none" : valid]],
    hint: close === undefined ? undefined : `did you mean ${close}?`,
  });
}

function surplus(
  op: string,
  args: Arguments,
  count: number,
  names: readonly string[],
  byName: readonly string[],
): ArgumentError {
  return new ArgumentError({
    code: "argument-surplus",
    message: `${op} takes ${counted(names.length, "argument")} by position, but was given ${count}`,
    details: [["parameters", listed(names)], ...(byName.length > 0 ? [["by name only", listed(byName)] as const] : [])],
    hint:
      Array.isArray(args[count - 1]) && typeof args[count - 2] === "number"
        ? `map and reduce of lists hand over more than elements: xs.map((x) => ${op}(x))`
        : undefined,
  });
}

function missing(op: string, name: string, known: ReadonlySet<string>): ArgumentError {
  return new ArgumentError({
    code: "argument-missing",
    message: `${op} needs ${name}`,
    details: [["parameters", listed(known)]],
  });
}
