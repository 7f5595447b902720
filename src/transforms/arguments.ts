import type { NDArray } from "../core/array.js";
import { type Aval, formatAval, sameShape } from "../core/aval.js";
import { defaultFloat } from "../core/config.js";
import { isFloat } from "../core/dtype.js";
import { ArgumentError, DTypeError, ShapeError, TreeError } from "../core/errors.js";
import { asArray, describeValue, scalarOf } from "../core/literal.js";
import { refusePromise } from "../core/trace.js";
import { flatten, leafPaths, type TreeDef } from "../core/tree.js";
import { NDArray as ArrayClass } from "../core/array.js";
import { convertElementType } from "../primitives/all.js";

/** Arrays of a pytree in order, with its structure. */
export interface FlatArrays {
  readonly leaves: readonly NDArray[];
  readonly def: TreeDef;
}

/** Demands a function to transform. @throws ArgumentError `not-a-function`. */
export function requireFunction(f: unknown, transform: string): void {
  if (typeof f === "function") return;
  throw new ArgumentError({
    code: "not-a-function",
    message: `${transform} takes a function, not ${describeValue(f)}`,
    hint: `give the function itself and not its result: ${transform}((x) => …)`,
  });
}

/** Names a user's function in errors. */
export const nameOf = (f: (...args: never[]) => unknown): string => f.name || "the function";

/** Flattens a tree of arrays and numbers. @throws TreeError `leaf-not-array` with the leaf's path. */
export function flattenArrays(tree: unknown, what: string, hint?: string): FlatArrays {
  const [leaves, def] = flatten(tree);
  const arrays = leaves as NDArray[];
  for (let i = 0; i < leaves.length; i++) {
    const x = leaves[i];
    if (x instanceof ArrayClass) continue;
    if (typeof x === "number" || typeof x === "boolean") arrays[i] = asArray(x);
    else throw notAnArray(x, placed(what, leafPaths(def)[i]!), hint);
  }
  return { leaves: arrays, def };
}

/** `argument [0].w` where `what` ends in a space, `the result of f at .w` where it is a whole. */
const placed = (what: string, path: string): string => what + (path === "" || what.endsWith(" ") ? "" : " at ") + path;

function notAnArray(x: unknown, where: string, hint: string | undefined): TreeError {
  refusePromise(x, where);
  return new TreeError({
    code: "leaf-not-array",
    message: `${where} is ${describeValue(x)}, not an array`,
    hint:
      hint ??
      "trees hold arrays, numbers, booleans, plain objects, lists and null; register classes with registerPytreeNode, make arrays of typed arrays with np.array",
  });
}

/**
 * A value in a position that is differentiated: a JS number, or a weak integer scalar that came from one, is a float,
 * for JavaScript has no `3.0`.
 */
export function differentiable(x: NDArray): NDArray {
  const { dtype, weakType, shape } = x.aval;
  if (!weakType || shape.length !== 0 || isFloat(dtype)) return x;
  const value = (x as { readonly storage?: { readonly scalar: number | undefined } }).storage?.scalar;
  const type: Aval = { shape, dtype: defaultFloat(), weakType: true };
  return value === undefined ? convertElementType(x, type.dtype, true) : scalarOf(value, type);
}

/** Demands a float input of a derivative. @throws DTypeError `grad-dtype`. */
export function requireFloatInput(x: NDArray, transform: string, where: string): void {
  if (isFloat(x.dtype)) return;
  throw new DTypeError({
    code: "grad-dtype",
    message: `${transform} requires real-valued inputs, but ${where} is ${formatAval(x.aval)}`,
    hint: `convert it with .astype("float32"), or leave it out of what is differentiated`,
  });
}

/** Demands a tangent or cotangent of the type of what it belongs to; JS numbers take its dtype. */
export function fitTangent(t: unknown, of: Aval, what: string): NDArray {
  if (typeof t === "number" && of.shape.length === 0) return scalarOf(t, { ...of, weakType: false });
  const x = asArray(t, what);
  if (!sameShape(x.shape, of.shape)) {
    throw new ShapeError({
      code: "tangent-shape",
      message: `${what} must have the shape of the value it belongs to`,
      details: [
        ["expected", formatAval(of)],
        ["got", formatAval(x.aval)],
      ],
    });
  }
  if (x.dtype === of.dtype) return x;
  if (x.aval.weakType) return convertElementType(x, of.dtype);
  throw new DTypeError({
    code: "tangent-dtype",
    message: `${what} must have the dtype of the value it belongs to`,
    details: [
      ["expected", formatAval(of)],
      ["got", formatAval(x.aval)],
    ],
    hint: `convert it with .astype("${of.dtype}")`,
  });
}
