import type { NDArray } from "../../core/array.js";
import { broadcastShapes } from "../../core/aval.js";
import { signature } from "../../core/calling.js";
import type { ArrayLike } from "../../core/literal.js";
import { expandTo, promoteInexact } from "../../numpy/promotion.js";
import { like } from "../../numpy/ufunc.js";
import * as p from "../../primitives/all.js";

/** How functions of distributions take their arguments. */

export interface LocationScale {
  /** Where the distribution stands: 0 by default. */
  readonly loc?: ArrayLike | undefined;
  /** How wide it is: 1 by default. */
  readonly scale?: ArrayLike | undefined;
}
/** A function of x, or of a probability, for a distribution with a location and a scale. */
export type LocationScaleFunction = (
  x: ArrayLike,
  loc?: ArrayLike | LocationScale,
  scale?: ArrayLike | LocationScale,
) => NDArray;

/** A density at x of a distribution with `df` degrees of freedom, a location and a scale. */
export type FreedomDensity = (
  x: ArrayLike,
  df: ArrayLike,
  loc?: ArrayLike | LocationScale,
  scale?: ArrayLike | LocationScale,
) => NDArray;

/** Float operands of one dtype and one shape. */
function operands(op: string, values: readonly ArrayLike[]): readonly NDArray[] {
  const xs = promoteInexact(op, ...values);
  const shape = broadcastShapes(
    xs.map((x) => x.shape),
    op,
  );
  return xs.map((x) => expandTo(x, shape));
}

/** A function of `x` (or "q", a probability), `loc` and `scale`. */
export function locationScale(
  op: string,
  first: "x" | "q",
  f: (x: NDArray, loc: NDArray, scale: NDArray) => NDArray,
): LocationScaleFunction {
  const params = signature<LocationScale & { x?: ArrayLike; q?: ArrayLike }>(`scipy.stats.${op}`, 1, [
    first,
    "loc",
    "scale",
  ]);
  return (...given) => {
    const { [first]: x, loc = 0, scale = 1 } = params(given);
    const [a, b, c] = operands(`scipy.stats.${op}`, [x!, loc, scale]) as readonly [NDArray, NDArray, NDArray];
    return f(a, b, c);
  };
}

/** A function of the standard variable (x − loc)/scale, and of the scale. */
export const standardized = (op: string, f: (z: NDArray, scale: NDArray) => NDArray): LocationScaleFunction =>
  locationScale(op, "x", (x, loc, scale) => f(p.div(p.sub(x, loc), scale), scale));

/** A function of operands with the given names, of which the last ones have defaults. */
export function ofOperands<F extends (...args: never[]) => NDArray>(
  op: string,
  names: readonly string[],
  defaults: readonly number[],
  f: (...xs: readonly NDArray[]) => NDArray,
): F {
  const params = signature<Readonly<Record<string, ArrayLike>>>(
    `scipy.stats.${op}`,
    names.length - defaults.length,
    names,
  );
  const call = (...given: unknown[]): NDArray => {
    const bound = params(given);
    const values = names.map((name, i) => bound[name] ?? defaults[i - (names.length - defaults.length)]!);
    return f(...operands(`scipy.stats.${op}`, values));
  };
  return call as unknown as F;
}

/** −∞ where a value is impossible. */
export const impossibleWhere = (mask: NDArray, logProbability: NDArray): NDArray =>
  p.select(mask, like(logProbability, -Infinity), logProbability);

/** NaN where q is no probability. */
export const probabilityOnly = (q: NDArray, y: NDArray): NDArray =>
  p.select(p.and(p.ge(q, like(q, 0)), p.le(q, like(q, 1))), y, like(y, NaN));

export const exponential =
  (f: LocationScaleFunction): LocationScaleFunction =>
  (...given) =>
    p.exp(f(...given));
