import type { NDArray } from "../core/array.js";
import { asShape, normalizeAxis, type Shape, sizeOf } from "../core/aval.js";
import { signature } from "../core/calling.js";
import { defaultFloat } from "../core/config.js";
import { asDType, type DType } from "../core/dtype.js";
import { ArgumentError } from "../core/errors.js";
import { type ArrayLike, lit } from "../core/literal.js";
import { multiply } from "../numpy/arithmetic.js";
import { convertOne } from "../numpy/promotion.js";
import { full } from "../numpy/creation.js";
import * as p from "../primitives/all.js";
import * as random from "../random/index.js";

/** Initial weights: functions of a key, a shape and a dtype. The same key gives JAX's numbers. */

export interface InitializerOptions {
  readonly dtype?: DType | null | undefined;
}
/** Draws initial values of a shape. */
export type Initializer = (key: ArrayLike, shape: Shape, dtype?: DType | null | InitializerOptions) => NDArray;

interface DrawParams extends InitializerOptions {
  readonly key: ArrayLike;
  readonly shape: Shape;
}

function initializer(
  name: string,
  dtype: DType | null | undefined,
  draw: (key: ArrayLike, shape: Shape, dtype: DType) => NDArray,
): Initializer {
  const params = signature<DrawParams>(name, 2, ["key", "shape", "dtype"]);
  return (...given) => {
    const { key, shape, dtype: asked } = params(given);
    return draw(key, asShape(shape, name), asDType(asked ?? dtype ?? defaultFloat()));
  };
}

/**
 * Zeros; the key is not looked at.
 *
 * @example
 * nn.initializers.zeros(random.key(0), [2]); // [0, 0]
 */
export const zeros: Initializer = /* @__PURE__ */ initializer("nn.initializers.zeros", null, (_, shape, dtype) =>
  full(shape, 0, dtype),
);
/**
 * Ones; the key is not looked at.
 *
 * @example
 * nn.initializers.ones(random.key(0), [2]); // [1, 1]
 */
export const ones: Initializer = /* @__PURE__ */ initializer("nn.initializers.ones", null, (_, shape, dtype) =>
  full(shape, 1, dtype),
);

const constantParams = /* @__PURE__ */ signature<InitializerOptions & { value: ArrayLike }>(
  "nn.initializers.constant",
  1,
  ["value", "dtype"],
);
/**
 * An array of one value.
 *
 * @example
 * nn.initializers.constant(3)(random.key(0), [2]); // [3, 3]
 */
export function constant(value: ArrayLike, dtype?: DType | null | InitializerOptions): Initializer;
export function constant(): Initializer {
  const { value, dtype } = constantParams(arguments);
  return initializer("an initializer", dtype, (_, shape, d) => full(shape, value, d));
}

export interface UniformInitializerOptions extends InitializerOptions {
  readonly scale?: ArrayLike | undefined;
}
const uniformParams = /* @__PURE__ */ signature<UniformInitializerOptions>("nn.initializers.uniform", 0, [
  "scale",
  "dtype",
]);
/**
 * Uniform values in [0, scale), by default 0.01.
 *
 * @example
 * nn.initializers.uniform(2)(random.key(0), [3]); // [1.895334, 1.9571597, 0.66458297]
 */
export function uniform(
  scale?: ArrayLike | UniformInitializerOptions,
  dtype?: DType | null | UniformInitializerOptions,
): Initializer;
export function uniform(): Initializer {
  const { scale = 0.01, dtype } = uniformParams(arguments);
  return initializer("an initializer", dtype, (key, shape, d) => scaled(random.uniform(key, shape, d), scale));
}

const scaled = (x: NDArray, by: ArrayLike): NDArray => multiply(x, convertOne(by, x.dtype, false));

export interface NormalInitializerOptions extends InitializerOptions {
  readonly stddev?: ArrayLike | undefined;
}
const normalParams = /* @__PURE__ */ signature<NormalInitializerOptions>("nn.initializers.normal", 0, [
  "stddev",
  "dtype",
]);
/**
 * Normal with mean 0 and a standard deviation (0.01).
 *
 * @example
 * nn.initializers.normal(0.1)(random.key(0), [2]); // [0.1622642, 0.2025265]
 */
export function normal(
  stddev?: ArrayLike | NormalInitializerOptions,
  dtype?: DType | null | NormalInitializerOptions,
): Initializer;
export function normal(): Initializer {
  const { stddev = 0.01, dtype } = normalParams(arguments);
  return initializer("an initializer", dtype, (key, shape, d) => scaled(random.normal(key, shape, d), stddev));
}

export interface TruncatedNormalInitializerOptions extends NormalInitializerOptions {
  readonly lower?: ArrayLike | undefined;
  readonly upper?: ArrayLike | undefined;
}
const truncatedParams = /* @__PURE__ */ signature<TruncatedNormalInitializerOptions>(
  "nn.initializers.truncatedNormal",
  0,
  ["stddev", "dtype", "lower", "upper"],
);
/** Normal values cut off outside of (lower, upper), by default (−2, 2), and then scaled by `stddev`. */
export function truncatedNormal(
  stddev?: ArrayLike | TruncatedNormalInitializerOptions,
  dtype?: DType | null | TruncatedNormalInitializerOptions,
  lower?: ArrayLike,
  upper?: ArrayLike,
): Initializer;
export function truncatedNormal(): Initializer {
  const { stddev = 0.01, dtype, lower = -2, upper = 2 } = truncatedParams(arguments);
  return initializer("an initializer", dtype, (key, shape, d) =>
    scaled(random.truncatedNormal(key, lower, upper, shape, d), stddev),
  );
}

type AxisList = number | readonly number[];
export interface FanOptions extends InitializerOptions {
  /** Axes of the weights that run over inputs, by default the last but one. */
  readonly inAxis?: AxisList | undefined;
  /** Axes that run over outputs, by default the last. */
  readonly outAxis?: AxisList | undefined;
  /** Axes that count neither as inputs nor outputs. */
  readonly batchAxis?: AxisList | undefined;
}
export type FanMode = "fan_in" | "fan_out" | "fan_avg" | "fan_geo_avg";
export type ScalingDistribution = "truncated_normal" | "normal" | "uniform";

/** Numbers of inputs and outputs of a weight array: the other axes are a receptive field that counts for both. */
function computeFans(
  shape: Shape,
  inAxis: AxisList,
  outAxis: AxisList,
  batchAxis: AxisList,
): readonly [fanIn: number, fanOut: number] {
  const op = "nn.initializers";
  if (inAxis === -2 && shape.length <= 1) {
    throw new ArgumentError({
      code: "fans",
      message: `${op}: weights of shape [${shape.join(", ")}] have no axis of inputs and one of outputs`,
      hint: "give a shape of two or more axes, or say which with {inAxis}",
    });
  }
  const length = (axes: AxisList): number =>
    sizeOf((typeof axes === "number" ? [axes] : axes).map((a) => shape[normalizeAxis(a, shape.length, op)]!));
  const [inputs, outputs] = [length(inAxis), length(outAxis)];
  const field = sizeOf(shape) / inputs / outputs / length(batchAxis);
  return [inputs * field, outputs * field];
}

function denominatorOf(mode: FanMode, fanIn: number, fanOut: number): number {
  switch (mode) {
    case "fan_in":
      return fanIn;
    case "fan_out":
      return fanOut;
    case "fan_avg":
      return (fanIn + fanOut) / 2;
    case "fan_geo_avg":
      return Math.sqrt(fanIn * fanOut);
    default:
      throw new ArgumentError({
        code: "fan-mode",
        message: `nn.initializers.varianceScaling: ${JSON.stringify(mode)} is not a mode`,
        hint: 'modes: "fan_in", "fan_out", "fan_avg", "fan_geo_avg"',
      });
  }
}

/** The standard deviation of the normal distribution cut off at ±2. */
const truncatedDeviation = 0.8796256610342398;

type ScalingParams = FanOptions & {
  readonly scale: number;
  readonly mode: FanMode;
  readonly distribution: ScalingDistribution;
};
const scalingParams = /* @__PURE__ */ signature<ScalingParams>("nn.initializers.varianceScaling", 3, [
  "scale",
  "mode",
  "distribution",
  "inAxis",
  "outAxis",
  "batchAxis",
  "dtype",
]);
/**
 * Values of variance scale/fan, where the fan is the number of inputs ("fan_in"), of outputs ("fan_out"), their mean
 * ("fan_avg") or geometric mean ("fan_geo_avg"). The last two axes are inputs and outputs, those before them the receptive
 * field, unless options say otherwise.
 *
 * @throws ArgumentError `fans`, `fan-mode`, `scaling-distribution`, all when the initializer is called.
 * @example
 * const weights = nn.initializers.varianceScaling(2, "fan_in", "normal");
 * weights(random.key(0), [784, 128]); // float32[784, 128]
 */
export function varianceScaling(
  scale: number,
  mode: FanMode,
  distribution: ScalingDistribution,
  options?: FanOptions,
): Initializer;
export function varianceScaling(): Initializer {
  const { scale, mode, distribution, inAxis = -2, outAxis = -1, batchAxis = [], dtype } = scalingParams(arguments);
  return initializer("an initializer", dtype, (key, shape, d) => {
    const variance = lit(scale / denominatorOf(mode, ...computeFans(shape, inAxis, outAxis, batchAxis)), d);
    switch (distribution) {
      case "truncated_normal":
        return p.mul(random.truncatedNormal(key, -2, 2, shape, d), p.div(p.sqrt(variance), lit(truncatedDeviation, d)));
      case "normal":
        return p.mul(random.normal(key, shape, d), p.sqrt(variance));
      case "uniform":
        return p.mul(random.uniform(key, shape, d, -1), p.sqrt(p.mul(lit(3, d), variance)));
      default:
        throw new ArgumentError({
          code: "scaling-distribution",
          message: `nn.initializers.varianceScaling: ${JSON.stringify(distribution)} is not a distribution`,
          hint: 'distributions: "truncated_normal", "normal", "uniform"',
        });
    }
  });
}

/** A family member: varianceScaling with everything but the axes and the dtype chosen. */
type FanInitializer = (
  inAxis?: AxisList | FanOptions,
  outAxis?: AxisList | FanOptions,
  batchAxis?: AxisList | FanOptions,
  dtype?: DType | null,
) => Initializer;
function scaling(name: string, scale: number, mode: FanMode, distribution: ScalingDistribution): FanInitializer {
  const params = signature<FanOptions>(`nn.initializers.${name}`, 0, ["inAxis", "outAxis", "batchAxis", "dtype"]);
  return (...given) => varianceScaling(scale, mode, distribution, params(given));
}

/**
 * Uniform of variance 2/(inputs + outputs) (Glorot and Bengio 2010).
 *
 * @example
 * nn.initializers.glorotUniform()(random.key(0), [3, 4]); // float32[3, 4]
 */
export const glorotUniform = /* @__PURE__ */ scaling("glorotUniform", 1, "fan_avg", "uniform");
/** Truncated normal of variance 2/(inputs + outputs). */
export const glorotNormal = /* @__PURE__ */ scaling("glorotNormal", 1, "fan_avg", "truncated_normal");
export { glorotNormal as xavierNormal, glorotUniform as xavierUniform };
/** Uniform of variance 1/inputs (LeCun et al. 1998). */
export const lecunUniform = /* @__PURE__ */ scaling("lecunUniform", 1, "fan_in", "uniform");
/** Truncated normal of variance 1/inputs. */
export const lecunNormal = /* @__PURE__ */ scaling("lecunNormal", 1, "fan_in", "truncated_normal");
/** Uniform of variance 2/inputs (He et al. 2015). */
export const heUniform = /* @__PURE__ */ scaling("heUniform", 2, "fan_in", "uniform");
/**
 * Truncated normal of variance 2/inputs (He et al. 2015), for layers that relu follows.
 *
 * @example
 * nn.initializers.heNormal()(random.key(0), [3, 3, 16, 32]); // float32[3, 3, 16, 32]
 */
export const heNormal = /* @__PURE__ */ scaling("heNormal", 2, "fan_in", "truncated_normal");
export { heNormal as kaimingNormal, heUniform as kaimingUniform };
