import { NDArray } from "../core/array.js";
import { asShape, formatAval, type Shape } from "../core/aval.js";
import { signature } from "../core/calling.js";
import { config } from "../core/config.js";
import { ArgumentError, DTypeError, ShapeError } from "../core/errors.js";
import { type ArrayLike, asArray, describeValue, lit } from "../core/literal.js";
import * as p from "../primitives/all.js";

/**
 * Random keys: explicit, splittable state of threefry2x32, bit for bit JAX's (partitionable). A key is an array of dtype
 * `key`; draw from it once, and split it for more.
 */

/** Keys that can be taken apart, as many as were asked for: `const [a, b, c] = random.split(key, 3)`. */
export type Keys<N> = NDArray & (N extends number ? Entries<N> : unknown);
/** One entry for each number below N; none where N is not known, or is large. */
type Entries<N extends number, Counted extends readonly NDArray[] = readonly []> = number extends N
  ? unknown
  : Counted["length"] extends N
    ? Pick<Counted, Extract<keyof Counted, `${number}`>>
    : Counted["length"] extends 32
      ? unknown
      : Entries<N, readonly [...Counted, NDArray]>;

/** Demands a key array. @throws DTypeError `key-needed`. */
export function asKey(x: unknown, op: string): NDArray {
  if (x instanceof NDArray && x.dtype === "key") return x;
  throw new DTypeError({
    code: "key-needed",
    message: `random.${op} takes a random key first, not ${x instanceof NDArray ? formatAval(x.aval) : describeValue(x)}`,
    hint: "make one with random.key(seed), or of its two words with random.wrapKeyData(words)",
  });
}

/** Demands a single key: functions that draw arrays are mapped over several with vmap. */
export function asSingleKey(x: unknown, op: string): NDArray {
  const key = asKey(x, op);
  if (key.ndim === 0) return key;
  throw new ArgumentError({
    code: "key-single",
    message: `random.${op} takes a single key, but was given keys of shape [${key.shape.join(",")}]`,
    hint: `use vmap((k) => random.${op}(k, …))(keys)`,
  });
}

/**
 * A key made of a seed: JAX's `jax.random.key`. Of a number its low 32 bits count (all 64 with `enableX64`).
 *
 * @throws ArgumentError `key-seed`; DTypeError `key-seed` of arrays that hold no integers.
 * @example
 * const k = random.key(42);
 * random.keyData(k); // [0, 42]
 */
export function key(seed: ArrayLike): NDArray {
  if (typeof seed === "number") {
    if (!Number.isInteger(seed))
      throw new ArgumentError({ code: "key-seed", message: `random.key takes a whole number, got ${seed}` });
    // without 64-bit integers the seed's low word counts, as in JAX
    const high = config.enableX64 ? Math.floor(seed / 4294967296) >>> 0 : 0;
    return p.randomWrap(p.concatenate([word(lit(high, "uint32")), word(lit(seed >>> 0, "uint32"))], 0));
  }
  const x = asArray(seed, "random.key", "seed");
  if (x.dtype !== "int32" && x.dtype !== "uint32") {
    throw new DTypeError({
      code: "key-seed",
      message: `random.key takes an integer seed, not ${x.dtype}`,
      hint: `convert with .astype("uint32")`,
    });
  }
  if (x.ndim > 0) {
    throw new ArgumentError({
      code: "key-seed",
      message: `random.key takes one seed, but was given seeds of shape [${x.shape.join(",")}]`,
      hint: "use vmap(random.key)(seeds)",
    });
  }
  const low = p.expandDims(p.convertElementType(x, "uint32"), [x.ndim]);
  return p.randomWrap(p.concatenate([p.zerosOf(low.aval), low], x.ndim));
}
const word = (x: NDArray): NDArray => p.reshape(x, [1]);

/**
 * The two uint32 words of each key, along a last axis.
 *
 * @throws DTypeError `key-needed`.
 * @example
 * random.keyData(random.split(random.key(0))); // uint32[2, 2]
 */
export function keyData(keys: ArrayLike): NDArray {
  return p.randomUnwrap(asKey(keys, "keyData"));
}

/**
 * Keys made of two uint32 words each, along the last axis: `uint32[*n 2]` gives `key[*n]`.
 *
 * @throws DTypeError `key-words`, ShapeError `key-words`.
 * @example
 * random.wrapKeyData(np.array([0, 42], "uint32")); // key[]
 */
export function wrapKeyData(keyBitsArray: ArrayLike): NDArray {
  return p.randomWrap(asArray(keyBitsArray, "random.wrapKeyData"));
}

/** How many keys `split` gives as entries too, as its type says. */
const mostEntries = 32;
const entry = (keys: NDArray, i: number): NDArray => p.reshape(p.slice(keys, [i], [i + 1]), []);

const splitParams = signature<{ key: ArrayLike; num?: number | Shape }>("random.split", 1, ["key", "num"]);
/**
 * New independent keys: `num` of them, 2 by default, or a shape of them. Up to 32 can be taken apart as a list; others with
 * `slice`. The key itself is used up.
 *
 * @throws DTypeError `key-needed`; ArgumentError `key-single`; ShapeError `shape-invalid`.
 * @example
 * const [a, b] = random.split(random.key(0));
 * random.split(random.key(0), [3, 2]); // key[3, 2]
 */
export function split<const N extends number | Shape = 2>(key: ArrayLike, num?: N | { readonly num?: N }): Keys<N>;
export function split(...given: unknown[]): NDArray {
  const { key: k, num = 2 } = splitParams(given);
  const keys = p.randomSplit(asSingleKey(k, "split"), asShape(num, "random.split"));
  if (typeof num === "number" && num <= mostEntries) {
    for (let i = 0; i < num; i++) Object.defineProperty(keys, i, { get: () => entry(keys, i) });
  }
  return keys;
}

const foldInParams = signature<{ key: ArrayLike; data: ArrayLike }>("random.foldIn", 2, ["key", "data"]);
/**
 * A new key made of a key and a number, such as the index of a step: from 0 to 2³² − 1, of arrays the uint32 of it.
 *
 * @throws ArgumentError `fold-in-range`, `key-single`; ShapeError `rank`; DTypeError `key-needed`.
 * @example
 * random.foldIn(random.key(0), 7); // key[]
 */
export function foldIn(key: ArrayLike, data: ArrayLike): NDArray;
export function foldIn(...given: unknown[]): NDArray {
  const { key: k, data } = foldInParams(given);
  if (typeof data === "number" && data !== data >>> 0) {
    throw new ArgumentError({
      code: "fold-in-range",
      message: `random.foldIn takes a whole number from 0 to 2^32 − 1, not ${data}`,
    });
  }
  const number =
    typeof data === "number"
      ? lit(data, "uint32")
      : p.convertElementType(asArray(data, "random.foldIn", "data"), "uint32");
  if (number.ndim > 0) {
    throw new ShapeError({
      code: "rank",
      message: "random.foldIn takes one number",
      details: [["data", number.describe()]],
      hint: "fold in several with vmap",
    });
  }
  return p.randomFoldIn(asSingleKey(k, "foldIn"), number);
}
