import { type NDArray, numpy as np } from "../../src/index.js";
import type { Operation } from "./operations.js";
import { type Choices, isBool, isFloat, isInt, type Value } from "./values.js";

/** Operations that move elements without changing them. */

type Move = (v: Value, choose: Choices, pool: readonly Value[]) => readonly [x: NDArray, text: string] | undefined;

const largest = 3000;
const listed = (xs: readonly unknown[]): string => `[${xs.join(", ")}]`;

/** Lengths whose product is that of `shape`: two neighbours merged, or one split. */
function regrouped(shape: readonly number[], choose: Choices): number[] {
  const at = choose.below(shape.length);
  const n = shape[at] ?? 1;
  if (at + 1 < shape.length && choose.flag())
    return [...shape.slice(0, at), n * shape[at + 1]!, ...shape.slice(at + 2)];
  const factors = [1, 2, 3, 5].filter((k) => n % k === 0);
  const k = choose.among(factors)!;
  return [...shape.slice(0, at), k, n / k, ...shape.slice(at + 1)];
}

function permutation(n: number, choose: Choices): number[] {
  const left = Array.from({ length: n }, (_, k) => k);
  return Array.from({ length: n }, () => left.splice(choose.below(left.length), 1)[0]!);
}

const moves: Readonly<Record<string, Move>> = {
  reshape: ({ x, name }, choose) => {
    const shape = choose.below(4) === 0 ? [x.size] : regrouped(x.shape, choose);
    return shape.length > 5 ? undefined : [x.reshape(shape), `${name}.reshape(${listed(shape)})`];
  },
  transpose: ({ x, name }, choose) => {
    const axes = permutation(x.ndim, choose);
    return [x.transpose(axes), `${name}.transpose(${listed(axes)})`];
  },
  slice: ({ x, name }, choose) => {
    const ranges = x.shape.map((n): [number, number, number] => {
      const start = choose.below(n);
      return [start, start + 1 + choose.below(n - start), 1 + choose.below(3)];
    });
    if (x.size === 0) return undefined;
    return [x.slice(...ranges), `${name}.slice(${ranges.map(listed).join(", ")})`];
  },
  sliceBackwards: ({ x, name }, choose) => {
    if (x.ndim === 0) return undefined;
    const step = -1 - choose.below(2);
    return [x.slice([null, null, step]), `${name}.slice([null, null, ${step}])`];
  },
  element: ({ x, name }, choose) => {
    if (x.ndim === 0 || x.shape[0] === 0) return undefined;
    const k = choose.below(x.shape[0]!);
    return [x.slice(k), `${name}.slice(${k})`];
  },
  flip: ({ x, name }, choose) => {
    const axis = choose.below(x.ndim);
    return x.ndim === 0 ? undefined : [np.flip(x, axis), `np.flip(${name}, ${axis})`];
  },
  roll: ({ x, name }, choose) => {
    if (x.ndim === 0) return undefined;
    const [by, axis] = [choose.below(7) - 3, choose.below(x.ndim)];
    return [np.roll(x, by, axis), `np.roll(${name}, ${by}, ${axis})`];
  },
  concatenate: (v, choose, pool) => {
    const { x, name } = v;
    if (x.ndim === 0) return undefined;
    const axis = choose.below(x.ndim);
    const fits = (o: Value): boolean =>
      o.x.dtype === x.dtype && o.x.ndim === x.ndim && o.x.shape.every((d, k) => k === axis || d === x.shape[k]);
    const other = choose.among(pool.filter((o) => fits(o) && o.bound <= v.bound && o.error <= v.error))!;
    if (x.size + other.x.size > largest) return undefined;
    return [np.concatenate([x, other.x, x], axis), `np.concatenate([${name}, ${other.name}, ${name}], ${axis})`];
  },
  stack: ({ x, name }, choose) => {
    const axis = choose.below(x.ndim + 1);
    return 2 * x.size > largest ? undefined : [np.stack([x, x], axis), `np.stack([${name}, ${name}], ${axis})`];
  },
  pad: ({ x, name }, choose) => {
    const widths = x.shape.map((): [number, number] => [choose.below(3), choose.below(2)]);
    if (x.ndim === 0 || x.size > largest / 4) return undefined;
    return [np.pad(x, widths), `np.pad(${name}, ${listed(widths.map(listed))})`];
  },
  expandDims: ({ x, name }, choose) => {
    const axis = choose.below(x.ndim + 1);
    return x.ndim > 4 ? undefined : [np.expandDims(x, axis), `np.expandDims(${name}, ${axis})`];
  },
  squeeze: ({ x, name }) => [np.squeeze(x), `np.squeeze(${name})`],
  broadcastTo: ({ x, name }, choose) => {
    const shape = [2 + choose.below(3), ...x.shape.map((d) => (d === 1 && choose.flag() ? 3 : d))];
    if (shape.length > 5 || shape.reduce((n, d) => n * d, 1) > largest) return undefined;
    return [np.broadcastTo(x, shape), `np.broadcastTo(${name}, ${listed(shape)})`];
  },
  tile: ({ x, name }, choose) => {
    const times = [1 + choose.below(2), 1 + choose.below(3)];
    return x.size > largest / 6 ? undefined : [np.tile(x, times), `np.tile(${name}, ${listed(times)})`];
  },
  repeat: ({ x, name }, choose) => {
    if (x.ndim === 0 || x.size > largest / 2) return undefined;
    const axis = choose.below(x.ndim);
    return [np.repeat(x, 2, axis), `np.repeat(${name}, 2, ${axis})`];
  },
  tril: ({ x, name }, choose) => {
    const k = choose.below(3) - 1;
    return x.ndim < 2 ? undefined : [np.tril(x, k), `np.tril(${name}, ${k})`];
  },
  diagonal: ({ x, name }) => (x.ndim < 2 ? undefined : [np.diagonal(x), `np.diagonal(${name})`]),
  take: ({ x, name }, choose, pool) => {
    const index = choose.among(pool.filter((o) => isInt(o) && o.error === 0 && o.x.size * x.size <= largest));
    if (!index || x.ndim === 0) return undefined;
    const axis = choose.below(x.ndim);
    if (x.shape[axis] === 0) return undefined;
    return [
      np.take(x, index.x, { axis, mode: "clip" }),
      `np.take(${name}, ${index.name}, { axis: ${axis}, mode: "clip" })`,
    ];
  },
};

/** The functions that movements call. */
export const movementNames: readonly string[] = Object.keys(moves).map((name) =>
  name === "sliceBackwards" || name === "element" ? "slice" : name,
);

const move: Operation = (pool, choose) => {
  const v = choose.among(pool);
  const f = moves[choose.among(Object.keys(moves))!]!;
  if (!v) return undefined;
  const moved = f(v, choose, pool);
  return moved && { x: moved[0], text: moved[1], bound: v.bound, error: v.error };
};

/** Adds to elements at indices, with repeats. */
const scatter: Operation = (pool, choose) => {
  const v = choose.among(pool.filter((o) => isFloat(o) && o.x.ndim === 1 && o.x.size > 0));
  const index = choose.among(pool.filter((o) => isInt(o) && o.error === 0 && o.x.ndim === 1 && o.x.size <= 50));
  if (!v || !index) return undefined;
  const n = Math.max(1, index.x.size);
  const k = 2;
  const clipped = np.clip(index.x, 0, v.x.size - 1);
  return {
    x: v.x.at(clipped).add(k),
    text: `${v.name}.at(np.clip(${index.name}, 0, ${v.x.size - 1})).add(${k})`,
    bound: v.bound + k * n,
    error: v.error === 0 && v.bound + k * n <= 2 ** 22 ? 0 : v.error + n * (v.bound + k * n),
  };
};

/** Counts what is true. */
const counting: Operation = (pool, choose) => {
  const v = choose.among(pool.filter(isBool));
  return v && { x: np.countNonzero(v.x), text: `np.countNonzero(${v.name})`, bound: Math.max(1, v.x.size), error: 0 };
};

export const moving: Readonly<Record<string, Operation>> = {
  move,
  moreMoves: move,
  movesAgain: move,
  andAgain: move,
  scatter,
  counting,
};
