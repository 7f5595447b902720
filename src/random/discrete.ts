import { NDArray } from "../core/array.js";
import { asShape, normalizeAxis, type Shape, sizeOf } from "../core/aval.js";
import { signature } from "../core/calling.js";
import { defaultFloat } from "../core/config.js";
import { asDType, type DType, isFloat, isNumeric } from "../core/dtype.js";
import { ArgumentError, DTypeError, ShapeError } from "../core/errors.js";
import { type ArrayLike, asArray, lit } from "../core/literal.js";
import { topK } from "../lax/reductions.js";
import { cumsum } from "../numpy/cumulative.js";
import { searchsorted } from "../numpy/searching.js";
import { take } from "../numpy/indexing.js";
import * as p from "../primitives/all.js";
import { drawGumbel, requireResolution, type Resolution, twoDraws } from "./continuous.js";
import { asSingleKey } from "./keys.js";
import { bits32, drawShape, type DtypeOption, parameter, randint, requireCount, splitPair, unit } from "./uniform.js";

/** Discrete distributions, permutations and choices, by JAX's algorithms. */

/** Refuses arrays of integers and booleans; a JS number may be whole. @throws DTypeError `float-needed`. */
function refuseIntegers(op: string, name: string, x: NDArray): void {
  if (isFloat(x.dtype) || (x.weakType && x.ndim === 0)) return;
  throw new DTypeError({
    code: "float-needed",
    message: `random.${op}: ${name} must be floats`,
    details: [[name, x.describe()]],
    hint: 'convert with .astype("float32")',
  });
}

export interface BernoulliOptions {
  readonly p?: ArrayLike;
  readonly shape?: Shape | null;
  /** "high" draws twice the bits, so that probabilities near 0 are met more exactly; "low" by default. */
  readonly mode?: Resolution;
}
const bernoulliParams = signature<{ key: ArrayLike } & BernoulliOptions>("random.bernoulli", 1, [
  "key",
  "p",
  "shape",
  "mode",
]);
/**
 * Booleans that are true with probability `p`, by default ½; the shape is that of p unless one is given.
 *
 * @throws DTypeError `key-needed`, `float-needed` for p of integers; ArgumentError `key-single`, `option-value`; ShapeError
 * `shape-broadcast`.
 * @example
 * random.bernoulli(random.key(0), 0.5, [4]); // [false, false, true, true]
 */
export function bernoulli(
  key: ArrayLike,
  probability?: ArrayLike | BernoulliOptions,
  shape?: Shape | null | BernoulliOptions,
  mode?: Resolution | BernoulliOptions,
): NDArray;
export function bernoulli(...given: unknown[]): NDArray {
  const { key, p: probability = 0.5, shape, mode } = bernoulliParams(given);
  const resolution = requireResolution("bernoulli", mode);
  const x = asArray(probability, "random.bernoulli", "p");
  refuseIntegers("bernoulli", "p", x);
  const dtype = isFloat(x.dtype) ? x.dtype : defaultFloat();
  const dims = drawShape("bernoulli", shape, x);
  const k = asSingleKey(key, "bernoulli");
  const chance = parameter(probability, dtype, dims);
  if (resolution === "low") return p.lt(unit(k, dims, dtype), chance);
  const [high, low] = twoDraws(k, dims, dtype);
  return p.lt(p.mul(low, dtype === "float64" ? 2 ** -52 : 2 ** -23), p.sub(chance, high));
}

const rademacherParams = signature<{ key: ArrayLike; shape?: Shape } & DtypeOption>("random.rademacher", 1, [
  "key",
  "shape",
  "dtype",
]);
/**
 * −1 or 1 with equal probability, as int32 unless `dtype` says otherwise.
 *
 * @throws DTypeError `key-needed`, `random-dtype`; ArgumentError `key-single`.
 * @example
 * random.rademacher(random.key(0), [4]); // [-1, -1, 1, 1]
 */
export function rademacher(key: ArrayLike, shape?: Shape | DtypeOption, dtype?: DType | DtypeOption): NDArray;
export function rademacher(...given: unknown[]): NDArray {
  const { key, shape = [], dtype = "int32" } = rademacherParams(given);
  const d = asDType(dtype);
  if (!isNumeric(d))
    throw new DTypeError({ code: "random-dtype", message: `random.rademacher draws numbers, not ${d}` });
  const heads = bernoulli(key, 0.5, asShape(shape, "random.rademacher"));
  return p.sub(p.mul(p.convertElementType(heads, d), 2), 1);
}

export interface CategoricalOptions {
  readonly axis?: number;
  readonly shape?: Shape | null;
  readonly replace?: boolean;
  readonly mode?: Resolution | null;
}
const categoricalParams = signature<{ key: ArrayLike; logits: ArrayLike } & CategoricalOptions>(
  "random.categorical",
  2,
  ["key", "logits", "axis", "shape", "replace", "mode"],
);
/**
 * Indices (int32) drawn with probabilities softmax(logits) along `axis`, by the Gumbel-max trick. `shape` ends with the
 * shape of the logits without that axis; without replacement its leading part counts distinct draws (Gumbel top-k).
 *
 * @throws DTypeError `key-needed`, `float-needed`; ArgumentError `key-single`, `axis-range`, `draw-count`, `option-value`;
 * ShapeError `random-shape`.
 * @example
 * random.categorical(random.key(0), np.log(np.array([0.1, 0.9])), { shape: [6] }); // [1, 1, 1, 1, 1, 0]
 */
export function categorical(
  key: ArrayLike,
  logits: ArrayLike,
  axis?: number | CategoricalOptions,
  shape?: Shape | null | CategoricalOptions,
): NDArray;
export function categorical(...given: unknown[]): NDArray {
  const { key, logits, axis = -1, shape = null, replace = true, mode } = categoricalParams(given);
  const resolution = requireResolution("categorical", mode);
  const k = asSingleKey(key, "categorical");
  const x = asArray(logits, "random.categorical", "logits");
  refuseIntegers("categorical", "logits", x);
  const d = normalizeAxis(axis, x.ndim, "random.categorical");
  const values = isFloat(x.dtype) ? x : p.convertElementType(x, defaultFloat());
  const batch = x.shape.filter((_, i) => i !== d);
  const dims = shape === null ? batch : asShape(shape, "random.categorical");
  const prefix = dims.slice(0, dims.length - batch.length);
  if (dims.length < batch.length || batch.some((n, i) => n !== 1 && n !== dims[prefix.length + i])) {
    throw new ShapeError({
      code: "random-shape",
      message: "random.categorical: shape must end with the shape of the logits without their axis",
      details: [
        ["shape", `[${dims.join(",")}]`],
        ["logits", `[${x.shape.join(",")}], axis ${d}`],
      ],
    });
  }
  if (!replace) {
    return withoutReplacement(p.add(values, drawGumbel(k, values.shape, values.dtype, resolution)), d, prefix, batch);
  }
  const drawn = [...dims.slice(prefix.length)];
  drawn.splice(d, 0, x.shape[d]!);
  const full = [...prefix, ...drawn];
  const spread = p.broadcastInDim(
    values,
    full,
    values.shape.map((_, i) => i + prefix.length),
  );
  return p.argmax(p.add(drawGumbel(k, full, values.dtype, resolution), spread), prefix.length + d, "int32");
}

/** Gumbel top-k: the first k of a random order, that of the logits with noise added. */
function withoutReplacement(noisy: NDArray, axis: number, prefix: Shape, batch: Shape): NDArray {
  const count = sizeOf(prefix);
  if (count > noisy.shape[axis]!) {
    throw new ArgumentError({
      code: "draw-count",
      message: `random.categorical: ${count} draws without replacement of ${noisy.shape[axis]} categories`,
    });
  }
  const indices = topK(p.moveAxis(noisy, axis, noisy.ndim - 1), count)[1];
  return p.reshape(p.moveAxis(indices, batch.length, 0), [...prefix, ...batch]);
}

/** A random order along an axis: repeated sorts by random bits, as many as make ties harmless. */
function shuffle(key: NDArray, x: NDArray, axis: number): NDArray {
  const rounds = Math.ceil((3 * Math.log(Math.max(1, x.size))) / Math.log(4294967295));
  let current = x;
  let next = key;
  for (let i = 0; i < rounds; i++) {
    const [rest, sub] = splitPair(next);
    next = rest;
    current = p.sort([bits32(sub, x.shape), current], axis, 1)[1]!;
  }
  return current;
}

interface PermutationOptions {
  readonly axis?: number;
  readonly independent?: boolean;
}
const permutationParams = signature<{ key: ArrayLike; x: ArrayLike } & PermutationOptions>("random.permutation", 2, [
  "key",
  "x",
  "axis",
  "independent",
]);
/**
 * A random order of 0 … x − 1, or of an array along an axis; `independent` shuffles every vector along it in its own way.
 *
 * @throws DTypeError `key-needed`; ArgumentError `key-single`, `count`, `axis-range`.
 * @example
 * random.permutation(random.key(0), 5); // [0, 1, 4, 3, 2]
 */
export function permutation(
  key: ArrayLike,
  x: ArrayLike,
  axis?: number | PermutationOptions,
  independent?: boolean | PermutationOptions,
): NDArray;
export function permutation(...given: unknown[]): NDArray {
  const { key, x, axis = 0, independent = false } = permutationParams(given);
  const k = asSingleKey(key, "permutation");
  if (!(x instanceof NDArray)) {
    const numbers = p.iota("int32", [requireCount(x, "permutation", "x")], 0);
    return shuffle(k, numbers, normalizeAxis(axis, 1, "random.permutation"));
  }
  const d = normalizeAxis(axis, x.ndim, "random.permutation");
  if (independent || x.ndim === 1) return shuffle(k, x, d);
  return take(x, shuffle(k, p.iota("int32", [x.shape[d]!], 0), 0), d);
}

export interface ChoiceOptions {
  readonly replace?: boolean;
  readonly p?: ArrayLike | null;
  readonly axis?: number;
  /** Of draws by weights without replacement. */
  readonly mode?: Resolution | null;
}
const choiceParams = signature<{ key: ArrayLike; a: ArrayLike; shape?: Shape } & ChoiceOptions>("random.choice", 2, [
  "key",
  "a",
  "shape",
  "replace",
  "p",
  "axis",
  "mode",
]);
/**
 * Elements of `a` along an axis (or of 0 … a − 1) drawn with equal probabilities, or with those in `p`, which need not add
 * up to 1.
 *
 * @throws DTypeError `key-needed`; ArgumentError `key-single`, `count`, `draw-count`, `axis-range`, `option-value`;
 * ShapeError `choice-p`.
 * @example
 * random.choice(random.key(0), 5, [3]); // [4, 0, 2]
 * random.choice(random.key(0), np.array([10, 20, 30]), [2], { replace: false }); // float32[2]
 */
export function choice(
  key: ArrayLike,
  a: ArrayLike,
  shape?: Shape | ChoiceOptions,
  replace?: boolean | ChoiceOptions,
): NDArray;
export function choice(...given: unknown[]): NDArray {
  const { key, a, shape = [], replace = true, p: weights = null, axis = 0, mode } = choiceParams(given);
  const resolution = requireResolution("choice", mode);
  const k = asSingleKey(key, "choice");
  const dims = asShape(shape, "random.choice");
  const array = a instanceof NDArray && a.ndim > 0 ? a : undefined;
  const d = array ? normalizeAxis(axis, array.ndim, "random.choice") : 0;
  const n = array ? array.shape[d]! : requireCount(a, "choice", "a");
  const draws = sizeOf(dims);
  if (n === 0 && draws > 0)
    throw new ArgumentError({ code: "draw-count", message: "random.choice: there is nothing to choose from" });
  if (!replace && draws > n) {
    throw new ArgumentError({
      code: "draw-count",
      message: `random.choice: ${draws} draws without replacement of ${n}`,
      hint: "draw fewer, or with replacement",
    });
  }
  const indices =
    weights === null
      ? evenIndices(k, dims, n, replace, array, d)
      : weightedIndices(k, dims, n, replace, asArray(weights, "random.choice", "p"), resolution);
  const result = !array || indices.taken ? indices.values : take(array, indices.values, d);
  return p.reshape(result, array ? [...array.shape.slice(0, d), ...dims, ...array.shape.slice(d + 1)] : dims);
}

interface Indices {
  readonly values: NDArray;
  /** The values are the elements themselves. */
  readonly taken: boolean;
}

function evenIndices(
  key: NDArray,
  dims: Shape,
  n: number,
  replace: boolean,
  array: NDArray | undefined,
  axis: number,
): Indices {
  if (replace) return { values: randint(key, dims, 0, n), taken: false };
  const all = permutation(key, array ?? n, axis);
  return {
    values: p.slice(
      all,
      all.shape.map(() => 0),
      all.shape.map((m, i) => (i === axis ? sizeOf(dims) : m)),
    ),
    taken: true,
  };
}

function weightedIndices(
  key: NDArray,
  dims: Shape,
  n: number,
  replace: boolean,
  given: NDArray,
  mode: Resolution,
): Indices {
  if (given.ndim !== 1 || given.shape[0] !== n) {
    throw new ShapeError({
      code: "choice-p",
      message: `random.choice: p must have one weight for each of the ${n} choices, got [${given.shape.join(",")}]`,
    });
  }
  const weights = isFloat(given.dtype) ? given : p.convertElementType(given, defaultFloat());
  if (!replace) {
    const g = p.add(drawGumbel(key, [n], weights.dtype, mode), p.log(weights));
    return { values: topK(g, sizeOf(dims))[1], taken: false };
  }
  const cumulative = cumsum(weights);
  const total = p.reshape(p.slice(cumulative, [n - 1], [n]), []);
  const r = p.mul(p.sub(lit(1, weights.dtype), unit(key, dims, weights.dtype)), total);
  return { values: searchsorted(cumulative, r), taken: false };
}
