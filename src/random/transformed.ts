import type { NDArray } from "../core/array.js";
import { asShape, broadcastShapes, type Shape } from "../core/aval.js";
import { signature } from "../core/calling.js";
import { defaultFloat } from "../core/config.js";
import { asDType, type DType, isFloat, isInteger } from "../core/dtype.js";
import { DTypeError } from "../core/errors.js";
import { type ArrayLike, asArray, lit } from "../core/literal.js";
import { norm } from "../numpy/norms.js";
import { expandTo } from "../numpy/promotion.js";
import * as p from "../primitives/all.js";
import { drawNormal } from "./continuous.js";
import { rademacher } from "./discrete.js";
import { asSingleKey } from "./keys.js";
import { drawShape, type DtypeOption, floatDtype, parameter, splitPair, unit } from "./uniform.js";

/** Distributions whose draws are formulas of uniform and normal ones, by JAX's formulas: the same key gives the same numbers. */

export interface DrawOptions extends DtypeOption {
  /** The shape of the draw, to which the parameters broadcast; by default theirs. */
  readonly shape?: Shape | null;
}
interface Parameters extends DrawOptions {
  readonly key: ArrayLike;
  readonly [name: string]: unknown;
}
type Draw = (key: NDArray, shape: Shape, dtype: DType, ...parameters: readonly NDArray[]) => NDArray;

/** A distribution with parameters of the given names. */
function parametric<F extends (...args: never[]) => NDArray>(
  name: string,
  names: readonly string[],
  draw: Draw,
  defaults: Readonly<Record<string, number>> = {},
): F {
  const required = 1 + names.filter((n) => !(n in defaults)).length;
  const params = signature<Parameters>(`random.${name}`, required, ["key", ...names, "shape", "dtype"]);
  const call = (...given: unknown[]): NDArray => {
    const { key, shape, dtype, ...rest } = params(given);
    const d = floatDtype(dtype, name);
    const values = names.map((n) => asArray(rest[n] ?? defaults[n], `random.${name}`, n));
    const dims = drawShape(name, shape, ...values);
    return draw(asSingleKey(key, name), dims, d, ...values.map((v) => parameter(v, d, dims)));
  };
  return call as unknown as F;
}

type OneParameter = (
  key: ArrayLike,
  parameter: ArrayLike,
  shape?: Shape | null | DrawOptions,
  dtype?: DType | DrawOptions,
) => NDArray;

const drawExponential = (key: NDArray, shape: Shape, dtype: DType): NDArray =>
  p.neg(p.log1p(p.neg(unit(key, shape, dtype))));

/**
 * The Pareto distribution of values from 1 on: exp(e/b) of an exponential draw.
 *
 * @throws as `lognormal`.
 * @example
 * random.pareto(random.key(0), 3, [2]); // float32[2]
 */
export const pareto = /* @__PURE__ */ parametric<OneParameter>("pareto", ["b"], (key, shape, dtype, b) =>
  p.exp(p.div(drawExponential(key, shape, dtype), b!)),
);

/**
 * The Rayleigh distribution: scale·√(−2 log u).
 *
 * @throws as `lognormal`.
 * @example
 * random.rayleigh(random.key(0), 1, [2]); // float32[2]
 */
export const rayleigh = /* @__PURE__ */ parametric<OneParameter>("rayleigh", ["scale"], (key, shape, dtype, scale) =>
  p.mul(scale!, p.sqrt(p.mul(p.log(unit(key, shape, dtype)), lit(-2, dtype)))),
);

/**
 * The log-normal distribution: exp(sigma·z) of a normal draw, sigma 1 by default.
 *
 * @throws DTypeError `key-needed`, `random-dtype`; ArgumentError `key-single`; ShapeError `shape-broadcast`.
 * @example
 * random.lognormal(random.key(0), 0.5, [2]); // float32[2]
 */
export const lognormal = /* @__PURE__ */ parametric<
  (
    key: ArrayLike,
    sigma?: ArrayLike | (DrawOptions & { readonly sigma?: ArrayLike }),
    shape?: Shape | null | DrawOptions,
    dtype?: DType | DrawOptions,
  ) => NDArray
>("lognormal", ["sigma"], (key, shape, dtype, sigma) => p.exp(p.mul(drawNormal(key, shape, dtype), sigma!)), {
  sigma: 1,
});

/**
 * The Wald (inverse Gaussian) distribution of a mean, with scale 1 (Michael, Schucany and Haas 1976).
 *
 * @throws as `lognormal`.
 * @example
 * random.wald(random.key(0), 2, [2]); // float32[2]
 */
export const wald = /* @__PURE__ */ parametric<OneParameter>("wald", ["mean"], (key, shape, dtype, given) => {
  const mean = given!;
  const [k1, k2] = splitPair(key);
  const y = p.square(drawNormal(k1, shape, dtype));
  const z = unit(k2, shape, dtype);
  const square = p.square(mean);
  const root = p.sqrt(p.add(p.mul(p.mul(lit(4, dtype), mean), y), p.mul(square, p.square(y))));
  const half = lit(2, dtype);
  const x = p.sub(p.add(mean, p.div(p.mul(square, y), half)), p.mul(p.div(mean, half), root));
  return p.select(p.le(z, p.div(mean, p.add(mean, x))), x, p.div(square, x));
});

type Triangular = (
  key: ArrayLike,
  left: ArrayLike,
  mode: ArrayLike,
  right: ArrayLike,
  shape?: Shape | null | DrawOptions,
  dtype?: DType | DrawOptions,
) => NDArray;
/**
 * The triangular distribution between left and right with its peak at mode.
 *
 * @throws as `lognormal`.
 * @example
 * random.triangular(random.key(0), 0, 1, 4, [2]); // float32[2]
 */
export const triangular = /* @__PURE__ */ parametric<Triangular>(
  "triangular",
  ["left", "mode", "right"],
  (key, shape, dtype, left, mode, right) => {
    const width = p.sub(right!, left!);
    const rise = p.sub(mode!, left!);
    const u = unit(key, shape, dtype);
    const rising = p.add(left!, p.sqrt(p.mul(p.mul(u, width), rise)));
    const falling = p.sub(right!, p.sqrt(p.mul(p.mul(p.sub(lit(1, dtype), u), width), p.sub(right!, mode!))));
    return p.select(p.lt(u, p.div(rise, width)), rising, falling);
  },
);

interface FixedDraw extends DtypeOption {
  readonly shape?: Shape;
}
const maxwellParams = /* @__PURE__ */ signature<FixedDraw & { key: ArrayLike }>("random.maxwell", 1, [
  "key",
  "shape",
  "dtype",
]);
/**
 * The Maxwell distribution: the length of a vector of three normal draws.
 *
 * @throws as `normal`.
 * @example
 * random.maxwell(random.key(0), [2]); // float32[2]
 */
export function maxwell(key: ArrayLike, shape?: Shape | FixedDraw, dtype?: DType | FixedDraw): NDArray;
export function maxwell(...given: unknown[]): NDArray {
  const { key, shape = [], dtype } = maxwellParams(given);
  return drawMaxwell(asSingleKey(key, "maxwell"), asShape(shape, "random.maxwell"), floatDtype(dtype, "maxwell"));
}
const drawMaxwell = (key: NDArray, shape: Shape, dtype: DType): NDArray =>
  norm(drawNormal(key, [...shape, 3], dtype), { axis: -1 });

interface LocationDraw extends FixedDraw {
  readonly key: ArrayLike;
  readonly loc: ArrayLike;
  readonly scale: ArrayLike;
}
const doubleSidedParams = /* @__PURE__ */ signature<LocationDraw>("random.doubleSidedMaxwell", 3, [
  "key",
  "loc",
  "scale",
  "shape",
  "dtype",
]);
/** The Maxwell distribution on both sides of `loc`; the shape of the parameters follows the shape that is asked for. */
export function doubleSidedMaxwell(
  key: ArrayLike,
  loc: ArrayLike,
  scale: ArrayLike,
  shape?: Shape | FixedDraw,
  dtype?: DType | FixedDraw,
): NDArray;
export function doubleSidedMaxwell(...given: unknown[]): NDArray {
  const { key, loc, scale, shape = [], dtype } = doubleSidedParams(given);
  const d = floatDtype(dtype, "doubleSidedMaxwell");
  const [l, s] = [
    asArray(loc, "random.doubleSidedMaxwell", "loc"),
    asArray(scale, "random.doubleSidedMaxwell", "scale"),
  ];
  const own = broadcastShapes([l.shape, s.shape], "random.doubleSidedMaxwell");
  const lead = asShape(shape, "random.doubleSidedMaxwell");
  const dims = [...(lead.length === 0 ? own : lead), ...own];
  const [k1, k2] = splitPair(asSingleKey(key, "doubleSidedMaxwell"));
  const draws = p.mul(rademacher(k2, dims, d), drawMaxwell(k1, dims, d));
  return p.add(p.mul(draws, parameter(s, d, dims)), parameter(l, d, dims));
}

interface WeibullDraw extends FixedDraw {
  readonly key: ArrayLike;
  readonly scale: ArrayLike;
  readonly concentration: ArrayLike;
}
const weibullParams = /* @__PURE__ */ signature<WeibullDraw>("random.weibullMin", 3, [
  "key",
  "scale",
  "concentration",
  "shape",
  "dtype",
]);
/**
 * The Weibull distribution: scale·(−log(1 − u))^(1/concentration).
 *
 * @throws as `normal`.
 * @example
 * random.weibullMin(random.key(0), 1, 2, [2]); // float32[2]
 */
export function weibullMin(
  key: ArrayLike,
  scale: ArrayLike,
  concentration: ArrayLike,
  shape?: Shape | FixedDraw,
  dtype?: DType | FixedDraw,
): NDArray;
export function weibullMin(...given: unknown[]): NDArray {
  const { key, scale, concentration, shape = [], dtype } = weibullParams(given);
  const d = floatDtype(dtype, "weibullMin");
  const op = "random.weibullMin";
  // The parameters do not say how much is drawn, and may make the result larger than the draw.
  const drawn = drawExponential(asSingleKey(key, "weibullMin"), asShape(shape, op), d);
  const parameters = [asArray(scale, op, "scale"), asArray(concentration, op, "concentration")] as const;
  const dims = broadcastShapes([drawn.shape, ...parameters.map((x) => x.shape)], op);
  const exponent = p.div(lit(1, d), parameter(parameters[1], d, dims));
  return p.mul(p.pow(expandTo(drawn, dims), exponent), parameter(parameters[0], d, dims));
}

const geometricParams = /* @__PURE__ */ signature<DrawOptions & { key: ArrayLike; p: ArrayLike }>(
  "random.geometric",
  2,
  ["key", "p", "shape", "dtype"],
);
/**
 * How many trials (int32) it takes to the first success, which has the probability `p` each time.
 *
 * @throws DTypeError `key-needed`, `random-dtype`; ArgumentError `key-single`; ShapeError `shape-broadcast`.
 * @example
 * random.geometric(random.key(0), 0.3, { shape: [3] }); // int32[3]
 */
export function geometric(
  key: ArrayLike,
  probability: ArrayLike,
  shape?: Shape | null | DrawOptions,
  dtype?: DType | DrawOptions,
): NDArray;
export function geometric(...given: unknown[]): NDArray {
  const { key, p: probability, shape, dtype = "int32" } = geometricParams(given);
  const to = asDType(dtype);
  if (!isInteger(to))
    throw new DTypeError({ code: "random-dtype", message: `random.geometric draws integers, not ${to}` });
  const x = asArray(probability, "random.geometric", "p");
  const d = isFloat(x.dtype) ? x.dtype : defaultFloat();
  const dims = drawShape("geometric", shape, x);
  const u = unit(asSingleKey(key, "geometric"), dims, d);
  const logU = p.log(p.select(p.eq(u, lit(0, d)), lit(1, d), u));
  const trials = p.add(p.floor(p.div(logU, p.log1p(p.neg(parameter(x, d, dims))))), lit(1, d));
  return p.convertElementType(trials, to);
}
