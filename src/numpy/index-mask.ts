import { NDArray } from "../core/array.js";
import { ArgumentError, ShapeError } from "../core/errors.js";
import { type ArrayLike, asArray } from "../core/literal.js";
import * as p from "../primitives/all.js";
import { power, trueDivide } from "./arithmetic.js";
import { mapElements } from "./index-apply.js";
import type { Index } from "./index-plan.js";
import type { IndexUpdate, UpdateOptions, Updates } from "./index-update.js";
import { convert, expandTo, promote2 } from "./promotion.js";

/** Updates where a mask holds: the shape of what it selects need not be known for them. */

export const isMask = (i: Index): i is NDArray => i instanceof NDArray && i.dtype === "bool";

/** Where a mask lies in an index. */
interface MaskPlan {
  /** The mask, spread over the array. */
  readonly where: NDArray;
  /** The index with whole axes in the mask's place; undefined where nothing else selects. */
  readonly rest: readonly Index[] | undefined;
  /** How many of the axes behind the mask's values may have; 0 where they must be scalars. */
  readonly valueAxes: number;
}

/**
 * Updates of an array at an index of which one entry is a mask; `at` updates at the others. Values are scalars, or have the
 * axes behind a mask that comes first. @throws ShapeError `mask-shape`, `mask-values`; ArgumentError `mask-index`.
 */
export function updateByMask(
  x: NDArray,
  index: readonly Index[],
  at: (x: NDArray, ...index: readonly Index[]) => IndexUpdate,
): Updates {
  const { where, rest, valueAxes } = planMask(x, index);
  const checked = (values: ArrayLike, op: string): NDArray => {
    const y = asArray(values, op, "values");
    if (y.ndim <= valueAxes) return y;
    throw new ShapeError({
      code: "mask-values",
      message: `${op}: where a mask selects, values are scalars or have axes behind the mask's`,
      details: [
        ["array", `[${x.shape.join(",")}]`],
        ["values", `[${y.shape.join(",")}]`],
      ],
      hint: "use np.where(mask, values, x)",
    });
  };
  const restOf = (x: NDArray): IndexUpdate => at(x, ...rest!);
  /** Updates everywhere and keeps the array where the mask does not hold. */
  const choose =
    (combine: (x: NDArray, y: NDArray) => NDArray, name: "set" | "add" | "sub" | "min" | "max") =>
    (x: NDArray, values: ArrayLike, options: UpdateOptions, op: string): NDArray => {
      const y = checked(values, op);
      if (rest) return p.select(where, restOf(x)[name](y, options), x);
      const [target, v] = promote2(op, x, y) as [NDArray, NDArray];
      const spread = spreadTo(v, target, op);
      return p.select(where, convert(combine(target, spread), x.dtype, x.weakType), x);
    };
  /** The array combined with ones where nothing is selected, so that no derivative of what is not taken can be NaN. */
  const withOnes =
    (combine: (x: NDArray, y: NDArray) => NDArray, as: "mul" | "own") =>
    (x: NDArray, values: ArrayLike, options: UpdateOptions, op: string): NDArray => {
      const y = checked(values, op);
      const [target, v] = promote2(op, x, y) as [NDArray, NDArray];
      // JAX brings divisors and exponents to the array's dtype, factors to the promoted one
      const [array, factors] = as === "mul" ? [target, v] : [x, convert(v, x.dtype)];
      const ones = p.full(1, { ...array.aval, weakType: false });
      const placed = rest ? restOf(ones).set(factors, options) : spreadTo(factors, ones, op);
      const result = combine(array, p.select(where, convert(placed, ones.dtype), ones));
      return as === "mul" ? convert(result, x.dtype, x.weakType) : result;
    };
  return {
    set: choose((t, v) => expandTo(v, t.shape), "set"),
    add: choose(p.add, "add"),
    sub: choose(p.sub, "sub"),
    mul: withOnes(p.mul, "mul"),
    div: withOnes(trueDivide, "own"),
    pow: withOnes(power, "own"),
    min: choose(p.min, "min"),
    max: choose(p.max, "max"),
    apply: (x, func, options) =>
      p.select(where, rest ? restOf(x).apply(func, options) : mapElements("at.apply", func, x), x),
  };
}

function spreadTo(y: NDArray, x: NDArray, op: string): NDArray {
  const offset = x.ndim - y.ndim;
  if (y.shape.every((n, k) => n === 1 || n === x.shape[k + offset])) return expandTo(y, x.shape);
  throw new ShapeError({
    code: "update-shape",
    message: `${op}: the values do not broadcast to what the index selects`,
    details: [
      ["array", `[${x.shape.join(",")}]`],
      ["values", `[${y.shape.join(",")}]`],
    ],
  });
}

function planMask(x: NDArray, index: readonly Index[]): MaskPlan {
  const place = index.findIndex(isMask);
  const mask = index[place] as NDArray;
  const others = index.filter((_, k) => k !== place);
  if (others.some((i) => i instanceof NDArray)) {
    throw new ArgumentError({
      code: "mask-index",
      message: "at: a mask stands beside numbers, ranges and null, not beside other arrays",
      hint: "combine masks with np.logicalAnd; index arrays and a mask would select as many elements as the mask has",
    });
  }
  const axesOf = (list: readonly Index[]): number => list.filter((i) => i !== null && i !== "...").length;
  const dots = index.indexOf("...");
  const first =
    dots >= 0 && dots < place ? x.ndim - axesOf(index.slice(place + 1)) - mask.ndim : axesOf(index.slice(0, place));
  const axes = mask.shape.map((_, k) => first + k);
  if (first < 0 || !mask.shape.every((n, k) => n === x.shape[first + k])) {
    throw new ShapeError({
      code: "mask-shape",
      message: "at: a mask has the shape of the axes that it stands for",
      details: [
        ["array", `[${x.shape.join(",")}]`],
        ["mask", `[${mask.shape.join(",")}]`],
      ],
    });
  }
  const whole: readonly Index[] = mask.shape.map(() => []);
  const rest = [...index.slice(0, place), ...whole, ...index.slice(place + 1)];
  const behind = index.slice(place + 1);
  const selects = others.some((i) => i !== "..." && !(Array.isArray(i) && i.length === 0));
  return {
    where: p.broadcastInDim(mask, x.shape, axes),
    rest: selects ? rest : undefined,
    valueAxes:
      place > 0 && mask.ndim > 0
        ? 0
        : x.ndim -
          mask.ndim -
          behind.filter((i) => typeof i === "number").length +
          behind.filter((i) => i === null).length,
  };
}
