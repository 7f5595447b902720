import type { NDArray } from "../core/array.js";
import { asShape, type Shape } from "../core/aval.js";
import { type ReadArguments, signature } from "../core/calling.js";
import type { DType } from "../core/dtype.js";
import { ArgumentError } from "../core/errors.js";
import { type ArrayLike, asArray, describeValue, lit } from "../core/literal.js";
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

/** Draws of the normal distribution, of one key. */
export const drawNormal = (key: NDArray, shape: Shape, dtype: DType): NDArray =>
  p.mul(p.erfInv(between(key, shape, dtype, aboveMinusOne(dtype), 1)), Math.SQRT2);

/** How many random bits a draw uses: "high" takes two draws' worth, which reaches far smaller probabilities. */
export type Resolution = "low" | "high";

/** @throws ArgumentError `option-value`. */
export function requireResolution(op: string, mode: Resolution | null | undefined): Resolution {
  if (mode === undefined || mode === null || mode === "low") return "low";
  if (mode === "high") return mode;
  throw new ArgumentError({
    code: "option-value",
    message: `random.${op}: there is no mode ${describeValue(mode)}`,
    hint: 'modes: "low", "high"',
  });
}

/** Two uniform draws, of which the second fills the gaps between the values of the first. */
export function twoDraws(key: NDArray, shape: Shape, dtype: DType): readonly [NDArray, NDArray] {
  const draws = unit(key, [2, ...shape], dtype);
  const draw = (i: number): NDArray => p.reshape(p.slice(draws, [i, ...shape.map(() => 0)], [i + 1, ...shape]), shape);
  return [draw(0), draw(1)];
}

/** Draws of the Gumbel distribution, of one key. */
export function drawGumbel(key: NDArray, shape: Shape, dtype: DType, mode: Resolution = "low"): NDArray {
  if (mode === "low") return p.neg(p.log(p.neg(p.log(between(key, shape, dtype, tiny[dtype]!, 1)))));
  const [high, low] = twoDraws(key, shape, dtype);
  const filled = p.add(p.add(high, p.mul(low, eps[dtype]!)), tiny[dtype]!);
  const x = p.select(p.ge(high, 0.5), high, filled);
  return p.neg(p.log(p.neg(p.log1p(p.neg(x)))));
}

/**
 * The normal distribution of mean 0 and variance 1: √2·erfInv of a uniform draw in (−1, 1), so that |z| stays below 5.5 in
 * float32. The same key gives JAX's numbers.
 *
 * @throws DTypeError `key-needed`, `random-dtype`; ArgumentError `key-single`; ShapeError `shape-invalid`.
 * @example
 * random.normal(random.key(0), [3]); // [1.62264216, 2.02526474, -0.43359444]
 */
export const normal = standard("normal", drawNormal);

export interface GumbelOptions extends DtypeOption {
  readonly mode?: Resolution | null;
}
const gumbelParams = /* @__PURE__ */ signature<{ key: ArrayLike; shape?: Shape } & GumbelOptions>("random.gumbel", 1, [
  "key",
  "shape",
  "dtype",
  "mode",
]);
/**
 * The Gumbel distribution of location 0 and scale 1: −log(−log u). `mode: "high"` draws twice the bits, which reaches far
 * smaller u.
 *
 * @throws DTypeError `key-needed`, `random-dtype`; ArgumentError `key-single`, `option-value`.
 * @example
 * random.gumbel(random.key(0), [2]); // [2.9233725, 3.8326175]
 */
export function gumbel(
  key: ArrayLike,
  shape?: Shape | GumbelOptions,
  dtype?: DType | GumbelOptions,
  mode?: Resolution | null | GumbelOptions,
): NDArray;
export function gumbel(...given: unknown[]): NDArray {
  const { key, shape = [], dtype, mode } = gumbelParams(given);
  const dims = asShape(shape, "random.gumbel");
  return drawGumbel(asSingleKey(key, "gumbel"), dims, floatDtype(dtype, "gumbel"), requireResolution("gumbel", mode));
}

/**
 * The exponential distribution of rate 1: −log(1 − u).
 *
 * @throws as `normal`.
 * @example
 * random.exponential(random.key(0), [2]); // float32[2]
 */
export const exponential = standard("exponential", (key, shape, dtype) =>
  p.neg(p.log1p(p.neg(unit(key, shape, dtype)))),
);

/**
 * The Laplace distribution of location 0 and scale 1.
 *
 * @throws as `normal`.
 * @example
 * random.laplace(random.key(0), [2]); // float32[2]
 */
export const laplace = standard("laplace", (key, shape, dtype) => {
  const u = between(key, shape, dtype, -1 + epsneg[dtype]!, 1);
  return p.mul(p.sign(u), p.log1p(p.neg(p.abs(u))));
});

/**
 * The logistic distribution of location 0 and scale 1: log u − log(1 − u).
 *
 * @throws as `normal`.
 * @example
 * random.logistic(random.key(0), [2]); // float32[2]
 */
export const logistic = standard("logistic", (key, shape, dtype) => {
  const u = between(key, shape, dtype, tiny[dtype]!, 1);
  return p.sub(p.log(u), p.log1p(p.neg(u)));
});

/**
 * The Cauchy distribution of location 0 and scale 1: tan(π(u − ½)).
 *
 * @throws as `normal`.
 * @example
 * random.cauchy(random.key(0), [2]); // float32[2]
 */
export const cauchy = standard("cauchy", (key, shape, dtype) => {
  const u = between(key, shape, dtype, eps[dtype]!, 1);
  return p.tan(p.mul(p.sub(u, 0.5), Math.PI));
});

const truncatedParams = signature<
  { key: ArrayLike; lower: ArrayLike; upper: ArrayLike; shape?: Shape | null } & DtypeOption
>("random.truncatedNormal", 3, ["key", "lower", "upper", "shape", "dtype"]);
/**
 * The normal distribution cut off outside of the open interval (lower, upper).
 *
 * @throws DTypeError `key-needed`, `random-dtype`; ArgumentError `key-single`; ShapeError `shape-broadcast`.
 * @example
 * random.truncatedNormal(random.key(0), -1, 1, [2]); // float32[2]
 */
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
