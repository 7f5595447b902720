import type { NDArray } from "../core/array.js";
import { asShape, type Shape } from "../core/aval.js";
import { type ReadArguments, signature } from "../core/calling.js";
import type { DType } from "../core/dtype.js";
import { type ArrayLike, asArray, lit } from "../core/literal.js";
import * as p from "../primitives/all.js";
import { asSingleKey } from "./keys.js";
import { between, drawShape, type DtypeOption, floatDtype, parameter, unit } from "./uniform.js";

/** Continuous distributions, by JAX's formulas: the same key gives the same numbers. */

const eps: Readonly<Record<string, number>> = { float32: 2 ** -23, float64: 2 ** -52 };
const epsneg: Readonly<Record<string, number>> = { float32: 2 ** -24, float64: 2 ** -53 };
const tiny: Readonly<Record<string, number>> = { float32: 2 ** -126, float64: 2 ** -1022 };

/** A distribution without parameters: of a key, a shape and a dtype. */
type Standard = (key: ArrayLike, shape?: Shape | DtypeOption, dtype?: DType | DtypeOption) => NDArray;

function standard(name: string, draw: (key: NDArray, shape: Shape, dtype: DType) => NDArray): Standard {
  const params: ReadArguments<{ key: ArrayLike; shape?: Shape } & DtypeOption> = signature(`random.${name}`, 1, [
    "key",
    "shape",
    "dtype",
  ]);
  return (...given) => {
    const { key, shape = [], dtype } = params(given);
    return draw(asSingleKey(key, name), asShape(shape, `random.${name}`), floatDtype(dtype, name));
  };
}

/** The largest float below `1` in magnitude, negative: uniform draws start there so that erfInv stays finite. */
const aboveMinusOne = (dtype: DType): number => -(1 - epsneg[dtype]!);

export const drawNormal = (key: NDArray, shape: Shape, dtype: DType): NDArray =>
  p.mul(p.erfInv(between(key, shape, dtype, aboveMinusOne(dtype), 1)), Math.SQRT2);

export const drawGumbel = (key: NDArray, shape: Shape, dtype: DType): NDArray =>
  p.neg(p.log(p.neg(p.log(between(key, shape, dtype, tiny[dtype]!, 1)))));

/**
 * The normal distribution of mean 0 and variance 1: √2·erfInv of a uniform draw.
 * @example
 * const z = random.normal(random.key(0), [4]);
 */
export const normal = standard("normal", drawNormal);

/** The Gumbel distribution: −log(−log u). */
export const gumbel = standard("gumbel", drawGumbel);

/** The exponential distribution of rate 1. */
export const exponential = standard("exponential", (key, shape, dtype) =>
  p.neg(p.log1p(p.neg(unit(key, shape, dtype)))),
);

/** The Laplace distribution of scale 1. */
export const laplace = standard("laplace", (key, shape, dtype) => {
  const u = between(key, shape, dtype, -1 + epsneg[dtype]!, 1);
  return p.mul(p.sign(u), p.log1p(p.neg(p.abs(u))));
});

/** The logistic distribution: log u − log(1 − u). */
export const logistic = standard("logistic", (key, shape, dtype) => {
  const u = between(key, shape, dtype, tiny[dtype]!, 1);
  return p.sub(p.log(u), p.log1p(p.neg(u)));
});

/** The Cauchy distribution: tan(π(u − ½)). */
export const cauchy = standard("cauchy", (key, shape, dtype) => {
  const u = between(key, shape, dtype, eps[dtype]!, 1);
  return p.tan(p.mul(p.sub(u, 0.5), Math.PI));
});

const truncatedParams = signature<
  { key: ArrayLike; lower: ArrayLike; upper: ArrayLike; shape?: Shape | null } & DtypeOption
>("random.truncatedNormal", 3, ["key", "lower", "upper", "shape", "dtype"]);
/** The normal distribution cut off outside of the open interval (lower, upper). */
export function truncatedNormal(
  key: ArrayLike,
  lower: ArrayLike,
  upper: ArrayLike,
  shape?: Shape | null | DtypeOption,
  dtype?: DType | DtypeOption,
): NDArray;
export function truncatedNormal(...given: unknown[]): NDArray {
  const { key, lower, upper, shape, dtype } = truncatedParams(given);
  const d = floatDtype(dtype, "truncatedNormal");
  const dims = drawShape(
    "truncatedNormal",
    shape,
    asArray(lower, "random.truncatedNormal", "lower"),
    asArray(upper, "random.truncatedNormal", "upper"),
  );
  const lo = parameter(lower, d, dims);
  const hi = parameter(upper, d, dims);
  const sqrt2 = lit(Math.SQRT2, d);
  const u = between(asSingleKey(key, "truncatedNormal"), dims, d, p.erf(p.div(lo, sqrt2)), p.erf(p.div(hi, sqrt2)));
  const z = p.mul(p.erfInv(u), sqrt2);
  const above = p.nextafter(p.stopGradient(lo), lit(Infinity, d));
  const below = p.nextafter(p.stopGradient(hi), lit(-Infinity, d));
  return p.min(p.max(z, above), below);
}
