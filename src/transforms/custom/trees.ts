import { NDArray } from "../../core/array.js";
import { type Aval, formatAval, sameShape } from "../../core/aval.js";
import { isFloat } from "../../core/dtype.js";
import { DTypeError, ShapeError, TransformError, TreeError } from "../../core/errors.js";
import { describeValue } from "../../core/literal.js";
import type { Tangent } from "../../core/primitive.js";
import { broadcastPrefix, flatten, leafPaths, sameStructure, type TreeDef } from "../../core/tree.js";
import { Zero } from "../../core/zero.js";
import { fitTangent, flattenArrays } from "../arguments.js";

type Given = NDArray | number | boolean | null | undefined;
const isGiven = (x: unknown): x is Given =>
  x === null || x === undefined || x instanceof NDArray || typeof x === "number" || typeof x === "boolean";

/**
 * Reads what a rule gave for the leaves of a tree: of its structure, with null (or undefined) where there is nothing for a
 * leaf or for all of a subtree. @throws TreeError `custom-structure` showing both structures.
 */
export function leavesGiven(tree: unknown, def: TreeDef, what: string, expected: string): Given[] {
  const [leaves, got] = flatten(tree);
  let list: Given[] | undefined;
  try {
    list = broadcastPrefix(tree, def, isGiven, what);
  } catch (e) {
    if (!(e instanceof TreeError)) throw e;
  }
  const paths = leafPaths(def);
  const present = list && paths.filter((_, i) => list[i] !== null && list[i] !== undefined);
  const same = present?.length === leaves.length && leafPaths(got).every((path, i) => path === present[i]);
  if (list && same) return list;
  throw new TreeError({
    code: "custom-structure",
    message: `${what} has another structure than ${expected}`,
    details: [
      ["expected", def.key],
      ["got", got.key],
    ],
    hint: "give an entry for every leaf, or null where there is no derivative",
  });
}

/** A tangent or cotangent that a rule gave for a value; null is zero. @throws ShapeError, DTypeError `custom-type`. */
export function tangentGiven(x: Given, of: Aval, what: string): Tangent {
  if (x === null || x === undefined || !isFloat(of.dtype)) return new Zero(of);
  if (x instanceof NDArray && (!sameShape(x.shape, of.shape) || (x.dtype !== of.dtype && !x.aval.weakType))) {
    const wrong = {
      code: "custom-type",
      message: `${what} must have the type of the value it belongs to`,
      details: [
        ["expected", formatAval(of)],
        ["got", formatAval(x.aval)],
      ],
    } as const;
    throw sameShape(x.shape, of.shape) ? new DTypeError(wrong) : new ShapeError(wrong);
  }
  return fitTangent(x, of, what);
}

/** Demands a list of two. */
export function requirePair(x: unknown, what: string, hint: string): readonly [unknown, unknown] {
  if (Array.isArray(x) && x.length === 2) return [x[0], x[1]];
  throw new TransformError({
    code: "custom-pair",
    message: `${what} must return a pair, got ${describeValue(x)}`,
    hint,
  });
}

/** The results of a function and of its rules: arrays in trees that are all of one structure. */
export class Results {
  private def_: TreeDef | undefined;

  /** The structure, once a result has been seen. */
  get def(): TreeDef {
    return this.def_!;
  }

  /** The leaves of a result; `of` names it. @throws TreeError where the structure is another. */
  leaves(tree: unknown, of: string): readonly NDArray[] {
    const { leaves, def } = flattenArrays(tree, of);
    if (this.def_) sameStructure(this.def_, def, `${of} and that of the function`);
    this.def_ = def;
    return leaves;
  }
}
