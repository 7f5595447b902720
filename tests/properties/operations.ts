import { lax, type NDArray, nn, numpy as np } from "../../src/index.js";
import type { Choices } from "./values.js";
import { broadcast, exactLimit, isBool, isExact, isFloat, isInt, rounded, sizeOf, type Value } from "./values.js";

/** The result of an operation, and how a program writes it. */
export interface Applied {
  readonly x: NDArray;
  readonly text: string;
  readonly bound: number;
  readonly error: number;
}

/** What operations with functions inside are given to make them of. */
export interface Scope {
  /** Runs the steps of function `k` on a pool: the pool with their results, and the lines of their text. */
  readonly body: (
    k: number,
    pool: readonly Value[],
  ) => { readonly values: readonly Value[]; readonly lines: readonly string[] };
  /** A name that no other value has. */
  readonly fresh: () => string;
  /** Forward derivatives will be taken. */
  readonly forward: boolean;
  /** Reverse derivatives will be taken. */
  readonly reverse: boolean;
  /** Functions are called directly, without what wraps them. */
  readonly plain: boolean;
}

/** One kind of operation: applies itself to values of the pool, or says nothing where nothing fits. */
export type Operation = (
  pool: readonly Value[],
  choose: Choices,
  scope: Scope,
) => Applied | readonly Applied[] | undefined;

/** Larger results are not made. */
const largest = 3000;

type Fact = readonly [bound: (b: number) => number, slope: (b: number) => number];

const smooth: Readonly<Record<string, readonly [f: (x: NDArray) => NDArray, ...Fact]>> = {
  "np.sin": [np.sin, () => 1, () => 1],
  "np.cos": [np.cos, () => 1, () => 1],
  "np.tanh": [np.tanh, () => 1, () => 1],
  "np.arctan": [np.arctan, () => 1.6, () => 1],
  "nn.sigmoid": [nn.sigmoid, () => 1, () => 0.25],
  "nn.softplus": [nn.softplus, (b) => b + 1, () => 1],
  "np.exp": [np.exp, Math.exp, Math.exp],
  "np.expm1": [np.expm1, Math.exp, Math.exp],
};

/** Applied to values in float where slopes stay small; others are first brought near 0 by tanh. */
const unarySmooth: Operation = (pool, choose) => {
  const v = choose.among(pool.filter(isFloat));
  const name = choose.among(Object.keys(smooth))!;
  if (!v) return undefined;
  const [f, bound, slope] = smooth[name]!;
  const near = v.bound <= 4;
  const b = near ? v.bound : 1;
  return {
    x: f(near ? v.x : np.tanh(v.x)),
    text: near ? `${name}(${v.name})` : `${name}(np.tanh(${v.name}))`,
    bound: bound(b),
    error: slope(b) * (v.error + (near ? 0 : 4)) + 4 * bound(b),
  };
};

const rational: Operation = (pool, choose) => {
  const v = choose.among(pool.filter(isFloat));
  if (!v) return undefined;
  const { x, name, bound: b, error: e } = v;
  switch (choose.below(3)) {
    case 0:
      return {
        x: np.sqrt(np.abs(x).add(1)),
        text: `np.sqrt(np.abs(${name}).add(1))`,
        bound: Math.sqrt(b + 1),
        error: e + 2 * b + 4,
      };
    case 1:
      return {
        x: np.log1p(np.abs(x)),
        text: `np.log1p(np.abs(${name}))`,
        bound: Math.log1p(b),
        error: e + 8 * Math.log1p(b),
      };
    default:
      return {
        x: np.reciprocal(np.square(x).add(1)),
        text: `np.reciprocal(np.square(${name}).add(1))`,
        bound: 1,
        error: e + 4,
      };
  }
};

/** Exact on integers. */
const unaryExact: Operation = (pool, choose) => {
  const v = choose.among(pool.filter((p) => !isBool(p)));
  if (!v) return undefined;
  const { x, name, bound, error } = v;
  switch (choose.below(5)) {
    case 0:
      return { x: x.neg(), text: `${name}.neg()`, bound, error };
    case 1:
      return { x: np.abs(x), text: `np.abs(${name})`, bound, error };
    case 2:
      return { x: np.maximum(x, 0), text: `np.maximum(${name}, 0)`, bound, error };
    case 3:
      return { x: np.clip(x, -2, 1), text: `np.clip(${name}, -2, 1)`, bound: 2, error };
    default: {
      if (bound > 1000) return undefined;
      const square = bound * bound;
      return {
        x: np.square(x),
        text: `np.square(${name})`,
        bound: square,
        error: rounded(square, 2 * bound * error, 1),
      };
    }
  }
};

/** Steps, which only exact operands can take everywhere alike. */
const steps: Operation = (pool, choose) => {
  const v = choose.among(pool.filter((p) => isExact(p) && !isBool(p)));
  if (!v) return undefined;
  const { x, name, bound } = v;
  switch (choose.below(4)) {
    case 0:
      return { x: np.sign(x), text: `np.sign(${name})`, bound: 1, error: 0 };
    case 1:
      return { x: np.mod(x, 3), text: `np.mod(${name}, 3)`, bound: 3, error: 0 };
    case 2:
      return { x: np.floorDivide(x, 2), text: `np.floorDivide(${name}, 2)`, bound: bound + 1, error: 0 };
    default:
      if (isInt(v)) return { x: np.bitwiseXor(x, 5), text: `np.bitwiseXor(${name}, 5)`, bound: bound + 8, error: 0 };
      return { x: np.floor(x.mul(0.5)), text: `np.floor(${name}.mul(0.5))`, bound, error: 0 };
  }
};

const conversion: Operation = (pool, choose) => {
  const v = choose.among(pool);
  const float = pool.find(isFloat)?.x.dtype ?? "float32";
  if (!v) return undefined;
  if (!isFloat(v)) {
    // An integer that float32 does not hold is rounded, everywhere alike; but sums of such depend on their order.
    const error = v.bound > exactLimit ? v.bound : 0;
    return { x: v.x.astype(float), text: `${v.name}.astype("${float}")`, bound: v.bound, error };
  }
  // What is not finite has no place among integers of a known bound.
  if (!isExact(v) || !v.finite) return undefined;
  return { x: v.x.astype("int32"), text: `${v.name}.astype("int32")`, bound: v.bound, error: 0 };
};

/** Two values of one kind (float, int, bool) whose shapes broadcast. */
function pairOf(pool: readonly Value[], choose: Choices, fits: (v: Value) => boolean): [Value, Value] | undefined {
  const a = choose.among(pool.filter(fits));
  if (!a) return undefined;
  const others = pool.filter((v) => {
    const shape = v.x.dtype === a.x.dtype ? broadcast(a.x.shape, v.x.shape) : undefined;
    return shape !== undefined && sizeOf(shape) <= largest;
  });
  const b = choose.among(others);
  return b && [a, b];
}

const arithmetic: Operation = (pool, choose) => {
  const pair = pairOf(pool, choose, (v) => !isBool(v));
  if (!pair) return undefined;
  const [a, b] = pair;
  const sum = { bound: a.bound + b.bound, error: rounded(a.bound + b.bound, a.error + b.error, 1) };
  const larger = { bound: Math.max(a.bound, b.bound), error: Math.max(a.error, b.error) };
  const product = a.bound * b.bound;
  const kind = choose.below(product > 1e5 && isFloat(a) ? 4 : 6);
  switch (kind) {
    case 0:
      return { x: a.x.add(b.x), text: `${a.name}.add(${b.name})`, ...sum };
    case 1:
      return { x: a.x.sub(b.x), text: `${a.name}.sub(${b.name})`, ...sum };
    case 2:
      return { x: np.maximum(a.x, b.x), text: `np.maximum(${a.name}, ${b.name})`, ...larger };
    case 3:
      return { x: np.minimum(a.x, b.x), text: `np.minimum(${a.name}, ${b.name})`, ...larger };
    default:
      return {
        x: a.x.mul(b.x),
        text: `${a.name}.mul(${b.name})`,
        bound: product,
        error: isInt(a) ? 0 : rounded(product, a.error * b.bound + b.error * a.bound, 1),
      };
  }
};

const division: Operation = (pool, choose) => {
  const pair = pairOf(pool, choose, isFloat);
  if (!pair) return undefined;
  const [a, b] = pair;
  const error = a.error + a.bound * b.error + 4 * a.bound;
  const divisor = np.square(b.x).add(1);
  return { x: a.x.div(divisor), text: `${a.name}.div(np.square(${b.name}).add(1))`, bound: a.bound, error };
};

const comparison: Operation = (pool, choose) => {
  const pair = pairOf(pool, choose, isExact);
  if (!pair || !isExact(pair[1])) return undefined;
  const [a, b] = pair;
  const names = isBool(a) ? (["equal", "notEqual"] as const) : (["less", "lessEqual", "equal", "greater"] as const);
  const name = choose.among<(typeof names)[number]>(names)!;
  return { x: a.x[name](b.x), text: `${a.name}.${name}(${b.name})`, bound: 1, error: 0 };
};

const logic: Operation = (pool, choose) => {
  const pair = pairOf(pool, choose, isBool);
  if (!pair) return undefined;
  const [a, b] = pair;
  const name = choose.among(["logicalAnd", "logicalOr", "logicalXor"] as const)!;
  return { x: np[name](a.x, b.x), text: `np.${name}(${a.name}, ${b.name})`, bound: 1, error: 0 };
};

const where: Operation = (pool, choose) => {
  const pair = pairOf(pool, choose, (v) => !isBool(v));
  if (!pair) return undefined;
  const [a, b] = pair;
  const both = broadcast(a.x.shape, b.x.shape)!;
  const condition = choose.among(
    pool.filter((v) => isBool(v) && sizeOf(broadcast(both, v.x.shape) ?? [Infinity]) <= largest),
  );
  if (!condition) return undefined;
  return {
    x: np.where(condition.x, a.x, b.x),
    text: `np.where(${condition.name}, ${a.name}, ${b.name})`,
    bound: Math.max(a.bound, b.bound),
    error: Math.max(a.error, b.error),
  };
};

const reduction: Operation = (pool, choose) => {
  const v = choose.among(pool);
  if (!v) return undefined;
  const { x, name, bound, error } = v;
  const axis = x.ndim > 0 && choose.below(4) > 0 ? choose.below(x.ndim) : null;
  const keepdims = choose.flag();
  const n = axis === null ? x.size : x.shape[axis]!;
  const options = `{ axis: ${axis}, keepdims: ${keepdims} }`;
  if (isBool(v)) {
    const f = choose.among(["any", "all", "sum"] as const)!;
    return { x: np[f](x, { axis, keepdims }), text: `np.${f}(${name}, ${options})`, bound: Math.max(1, n), error: 0 };
  }
  const exact = isExact(v);
  const kinds = ["sum", "mean", ...(n > 0 ? ["max", "min"] : []), ...(n > 0 && exact ? ["argmax", "argmin"] : [])];
  const f = choose.among(kinds)! as "sum" | "mean" | "max" | "min" | "argmax" | "argmin";
  const text = `np.${f}(${name}, ${options})`;
  const reduced = np[f](x, { axis, keepdims });
  if (f === "sum")
    return { x: reduced, text, bound: bound * Math.max(1, n), error: isInt(v) ? 0 : rounded(bound * n, error * n, n) };
  if (f === "max" || f === "min") return { x: reduced, text, bound, error };
  if (f === "mean") return n === 0 ? undefined : { x: reduced, text, bound, error: error + (n + 2) * bound };
  return { x: reduced, text, bound: Math.max(1, n), error: 0 };
};

const scan: Operation = (pool, choose) => {
  const v = choose.among(pool.filter((p) => !isBool(p) && p.x.ndim > 0));
  if (!v) return undefined;
  const { x, name, bound, error } = v;
  const axis = choose.below(x.ndim);
  const n = x.shape[axis]!;
  const reverse = choose.flag();
  if (choose.flag()) {
    const text = `lax.cummax(${name}, { axis: ${axis}, reverse: ${reverse} })`;
    return { x: lax.cummax(x, { axis, reverse }), text, bound, error };
  }
  const text = `lax.cumsum(${name}, { axis: ${axis}, reverse: ${reverse} })`;
  const total = bound * Math.max(1, n);
  return {
    x: lax.cumsum(x, { axis, reverse }),
    text,
    bound: total,
    error: isInt(v) ? 0 : rounded(total, error * n, n),
  };
};

const sorting: Operation = (pool, choose) => {
  const v = choose.among(pool.filter((p) => !isBool(p) && p.x.ndim > 0));
  if (!v) return undefined;
  const axis = choose.below(v.x.ndim);
  if (isExact(v) && choose.flag()) {
    const text = `np.argsort(${v.name}, ${axis})`;
    return { x: np.argsort(v.x, axis), text, bound: Math.max(1, v.x.shape[axis]!), error: 0 };
  }
  return { x: np.sort(v.x, axis), text: `np.sort(${v.name}, ${axis})`, bound: v.bound, error: v.error };
};

/** Products of matrices and vectors whose lengths fit; of a value with its own transpose where none does. */
const contraction: Operation = (pool, choose) => {
  const a = choose.among(pool.filter((v) => isFloat(v) && v.x.ndim > 0 && v.bound <= 300));
  if (!a) return undefined;
  const k = a.x.shape.at(-1)!;
  const fits = (v: Value): boolean => {
    const { shape } = v.x;
    if (!isFloat(v) || shape.length === 0 || shape.at(shape.length === 1 ? 0 : -2) !== k) return false;
    const batch = broadcast(a.x.shape.slice(0, -2), shape.slice(0, -2));
    return (
      batch !== undefined && sizeOf(batch) * (a.x.shape.at(-2) ?? 1) * (shape.at(-1) ?? 1) <= largest && v.bound <= 300
    );
  };
  const b = choose.among(pool.filter(fits));
  const bound = a.bound * (b ?? a).bound * Math.max(1, k);
  const error = rounded(bound, k * (a.error * (b ?? a).bound + (b ?? a).error * a.bound), k);
  if (b) return { x: np.matmul(a.x, b.x), text: `np.matmul(${a.name}, ${b.name})`, bound, error };
  if ((a.x.size / Math.max(1, k)) ** 2 > largest) return undefined;
  return {
    x: np.tensordot(a.x, a.x, [[-1], [-1]]),
    text: `np.tensordot(${a.name}, ${a.name}, [[-1], [-1]])`,
    bound,
    error,
  };
};

const outer: Operation = (pool, choose) => {
  const pair = pairOf(pool, choose, isFloat);
  if (!pair || pair[0].x.size * pair[1].x.size > largest || pair[0].bound * pair[1].bound > 1e5) return undefined;
  const [a, b] = pair;
  const bound = a.bound * b.bound;
  return {
    x: np.outer(a.x, b.x),
    text: `np.outer(${a.name}, ${b.name})`,
    bound,
    error: rounded(bound, a.error * b.bound + b.error * a.bound, 1),
  };
};

export const computing: Readonly<Record<string, Operation>> = {
  unarySmooth,
  rational,
  unaryExact,
  steps,
  conversion,
  arithmetic,
  division,
  comparison,
  logic,
  where,
  reduction,
  scan,
  sorting,
  contraction,
  outer,
};
