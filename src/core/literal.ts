import type { ConcreteArray } from "./array.js";
import { NDArray } from "./array.js";
import { type Aval, aval } from "./aval.js";
import { defaultFloat } from "./config.js";
import type { DType } from "./dtype.js";
import { getEngine } from "./engine.js";
import { ArgumentError } from "./errors.js";

/** What functions accept where JAX takes an array or a Python scalar. */
export type ArrayLike = NDArray | number | boolean;

/** A scalar array of a given type that lies on the host until a kernel needs it. */
export const scalarOf = (value: number, type: Aval): ConcreteArray => getEngine().scalar(value, type);

/** A strongly typed scalar constant. */
export const lit = (value: number | boolean, dtype: DType): ConcreteArray => scalarOf(Number(value), aval([], dtype));

/**
 * The type of a bare JS value: an integral number counts as Python's int, any other (−0 included) as Python's float;
 * an integral one beyond int32's range is a float, unless it meets an integer dtype that holds it (see promotion).
 */
export function weakAval(value: number | boolean): Aval {
  if (typeof value === "boolean") return aval([], "bool");
  const int = Number.isInteger(value) && !Object.is(value, -0) && value >= -2147483648 && value <= 2147483647;
  return aval([], int ? "int32" : defaultFloat(), true);
}

/** An array as it is; a JS number or boolean as a weakly typed scalar. @throws ArgumentError `not-an-array`. */
export function asArray(x: unknown, op = "this function", name = "an argument"): NDArray {
  if (x instanceof NDArray) return x;
  if (typeof x === "number" || typeof x === "boolean") return scalarOf(Number(x), weakAval(x));
  throw new ArgumentError({
    code: "not-an-array",
    message: `${op} takes arrays and numbers, but ${name} is ${describeValue(x)}`,
    hint:
      Array.isArray(x) || ArrayBuffer.isView(x)
        ? "make an array of it with np.array(…)"
        : x === undefined
          ? "a property that is not there and a function that returns nothing give undefined"
          : undefined,
  });
}

/** Names a JS value for an error. */
export function describeValue(x: unknown): string {
  if (x === null || x === undefined) return String(x);
  if (x instanceof NDArray) return x.describe();
  if (Array.isArray(x)) return `a list of ${x.length}`;
  if (typeof x === "function") return `the function ${x.name || "(anonymous)"}`;
  if (typeof x === "object")
    return `an object of class ${(x as { constructor?: { name?: string } }).constructor?.name ?? "Object"}`;
  return `${typeof x} ${typeof x === "string" ? JSON.stringify(x) : String(x)}`;
}
