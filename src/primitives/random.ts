import type { NDArray } from "../core/array.js";
import { type Aval, aval, type HostArray, hostZeros, sameShape, type Shape, sizeOf, stridesOf } from "../core/aval.js";
import { type BatchResult, none, type Tangent } from "../core/primitive.js";
import { bind, bind1 } from "../core/trace.js";
import { Zero } from "../core/zero.js";
import * as ix from "../kernel-ir/index-expr.js";
import type { Operand } from "../kernel-ir/lowering.js";
import { threefry2x32 as threefryExpr } from "../kernel-ir/math/random-bits.js";
import { constant, type Expr, indexValue, op } from "../kernel-ir/scalar.js";
import { isCount, list, requireArgument, requireDType, requireShape } from "./checks.js";
import { definePrimitive, ops, type PrimitiveDefinition } from "./define.js";
import { threefryHost } from "./threefry-host.js";

type None = Record<never, never>;
export interface DrawParams {
  /** What is drawn from each key. */
  readonly shape: Shape;
}

/** Random bits have no derivative: tangents are zero. */
const noTangents = (outs: readonly NDArray[]): { outs: readonly NDArray[]; tangents: readonly Tangent[] } => ({
  outs,
  tangents: outs.map((y) => new Zero(y.aval)),
});

/** The hash itself: two key words and two counter words to two words. Operands of one shape, or scalars. */
export const threefry2x32Primitive: PrimitiveDefinition<None> = definePrimitive<None>({
  name: "threefry2x32",
  abstract: (words) => {
    const operands = words.map((w, i) => [["key 0", "key 1", "counter 0", "counter 1"][i]!, w] as const);
    requireDType(
      words.every((w) => w.dtype === "uint32"),
      () => ({ code: "threefry-dtype", message: "threefry2x32 hashes words of dtype uint32", operands }),
    );
    const shape = words.reduce<Shape>((s, w) => (w.shape.length > s.length ? w.shape : s), []);
    requireShape(
      words.every((w) => w.shape.length === 0 || sameShape(w.shape, shape)),
      () => ({
        code: "shape-mismatch",
        message: "threefry2x32 needs operands of one shape, or scalars",
        operands,
      }),
    );
    return [aval(shape, "uint32"), aval(shape, "uint32")];
  },
  evaluate: (words) => {
    const shape = words.reduce<Shape>((s, w) => (w.aval.shape.length > s.length ? w.aval.shape : s), []);
    const outs = [hostZeros(aval(shape, "uint32")), hostZeros(aval(shape, "uint32"))];
    const at = (k: number, i: number): number => words[k]!.data[words[k]!.aval.shape.length === 0 ? 0 : i]!;
    for (let i = 0; i < sizeOf(shape); i++) {
      const bits = threefryHost(at(0, i), at(1, i), at(2, i), at(3, i));
      outs.forEach((o, k) => (o.data[i] = bits[k]!));
    }
    return outs;
  },
  jvp: (words) => noTangents(bind(threefry2x32Primitive, words, {})),
  transpose: none("random bits are not linear in anything"),
  batch: (size, words, dims) => {
    const ndim = Math.max(...words.map((w, i) => w.ndim - (dims[i] === null ? 0 : 1)));
    const front = words.map((w, i) => {
      if (dims[i] === null && w.ndim === 0) return w;
      const x = ops.batchInFront(w, dims[i]!, size);
      // a batched scalar next to arrays
      return x.ndim === ndim + 1 ? x : ops.broadcastInDim(x, [size, ...shapeBeside(words, dims, ndim)], [0]);
    });
    return { outs: bind(threefry2x32Primitive, front, {}), dims: [0, 0] };
  },
  lower: {
    kind: "element",
    element: (words, index, _params, output) => {
      const [k0, k1, x0, x1] = words.map((w) => w.at(w.aval.shape.length === 0 ? [] : index));
      return threefryExpr(k0!, k1!, x0!, x1!)[output]!;
    },
  },
  facts: { elementwise: true, cost: 110 },
});

/** Threefry-2x32 (Salmon et al. 2011): hashes the counter (x0, x1) under the key (k0, k1). */
export function threefry2x32(k0: NDArray, k1: NDArray, x0: NDArray, x1: NDArray): readonly [NDArray, NDArray] {
  const [b0, b1] = bind(threefry2x32Primitive, [k0, k1, x0, x1], {});
  return [b0!, b1!];
}

/** 32 random bits for each element of `shape`, from each key: element i hashes the counter (0, i). */
export const randomBitsPrimitive: PrimitiveDefinition<DrawParams> = definePrimitive<DrawParams>({
  name: "random_bits",
  abstract: ([keys], { shape }) => [aval(drawShape("randomBits", keys!, shape), "uint32")],
  evaluate: ([keys], { shape }) => {
    const out = hostZeros(aval([...keys!.aval.shape, ...shape], "uint32"));
    forEachDraw(keys!, shape, (at, b0, b1) => (out.data[at] = (b0 ^ b1) >>> 0));
    return [out];
  },
  jvp: ([keys], _tangents, { shape }) => noTangents([randomBits(keys!, shape)]),
  transpose: none("random bits are not linear in their key"),
  batch: (_size, [keys], [d], { shape }) => ({ outs: [randomBits(ops.moveAxis(keys!, d!, 0), shape)], dims: [0] }),
  lower: {
    kind: "element",
    words: true,
    element: ([keys], index, { shape }) => {
      const [b0, b1] = draw(keys!, index, shape);
      return op("xor", [b0, b1]);
    },
  },
  facts: { cost: 110 },
});

/** uint32[*keys *shape]: random bits from each key. */
export function randomBits(keys: NDArray, shape: Shape): NDArray {
  return bind1(randomBitsPrimitive, [keys], { shape });
}

/** New keys, `shape` of them from each key: number i is the hash of the counter (0, i). */
export const randomSplitPrimitive: PrimitiveDefinition<DrawParams> = definePrimitive<DrawParams>({
  name: "random_split",
  abstract: ([keys], { shape }) => [aval(drawShape("randomSplit", keys!, shape), "key")],
  evaluate: ([keys], { shape }) => {
    const out = hostZeros(aval([...keys!.aval.shape, ...shape], "key"));
    forEachDraw(keys!, shape, (at, b0, b1) => out.data.set([b0, b1], 2 * at));
    return [out];
  },
  jvp: ([keys], _tangents, { shape }) => noTangents([randomSplit(keys!, shape)]),
  transpose: none("random keys are not linear in anything"),
  batch: (_size, [keys], [d], { shape }) => ({ outs: [randomSplit(ops.moveAxis(keys!, d!, 0), shape)], dims: [0] }),
  lower: {
    kind: "element",
    words: true,
    element: ([keys], index, { shape }) => wordOf(draw(keys!, index.slice(0, -1), shape), index[index.length - 1]!),
  },
  facts: { cost: 110 },
});

/** key[*keys *shape]: new keys from each key. */
export function randomSplit(keys: NDArray, shape: Shape): NDArray {
  return bind1(randomSplitPrimitive, [keys], { shape });
}

/** A new key from a key and a number: the hash of the counter (0, data). Operands of one shape, or a scalar. */
export const randomFoldInPrimitive: PrimitiveDefinition<None> = definePrimitive<None>({
  name: "random_fold_in",
  abstract: ([keys, data]) => {
    requireKeys("randomFoldIn", keys!);
    const operands = [
      ["keys", keys!],
      ["data", data!],
    ] as const;
    requireDType(data!.dtype === "uint32", () => ({
      code: "fold-in-dtype",
      message: "randomFoldIn folds in numbers of dtype uint32",
      operands,
      hint: 'convert them with astype("uint32")',
    }));
    const fits = keys!.shape.length === 0 || data!.shape.length === 0 || sameShape(keys!.shape, data!.shape);
    requireShape(fits, () => ({
      code: "shape-mismatch",
      message: "randomFoldIn needs operands of one shape, or a scalar",
      operands,
      hint: "use vmap to fold in along an axis",
    }));
    return [aval(keys!.shape.length > 0 ? keys!.shape : data!.shape, "key")];
  },
  evaluate: ([keys, data]) => {
    const out = hostZeros(aval(keys!.aval.shape.length > 0 ? keys!.aval.shape : data!.aval.shape, "key"));
    for (let i = 0; i < sizeOf(out.aval.shape); i++) {
      const k = keys!.aval.shape.length === 0 ? 0 : 2 * i;
      out.data.set(
        threefryHost(keys!.data[k]!, keys!.data[k + 1]!, 0, data!.data[data!.aval.shape.length === 0 ? 0 : i]!),
        2 * i,
      );
    }
    return [out];
  },
  jvp: ([keys, data]) => noTangents([randomFoldIn(keys!, data!)]),
  transpose: none("random keys are not linear in anything"),
  batch: (size, [keys, data], [dk, dd]): BatchResult => {
    const inner = (x: NDArray, d: number | null): number => x.ndim - (d === null ? 0 : 1);
    const ndim = Math.max(inner(keys!, dk!), inner(data!, dd!));
    const operands = [keys!, data!].map((x, i) => {
      const d = i === 0 ? dk! : dd!;
      if (d === null && x.ndim === 0) return x;
      const front = ops.batchInFront(x, d, size);
      return front.ndim === ndim + 1
        ? front
        : ops.broadcastInDim(front, [size, ...shapeBeside([keys!, data!], [dk!, dd!], ndim)], [0]);
    });
    return { outs: [randomFoldIn(operands[0]!, operands[1]!)], dims: [0] };
  },
  lower: {
    kind: "element",
    words: true,
    element: ([keys, data], index) => {
      const at = index.slice(0, -1);
      const [k0, k1] = keyWords(keys!, keys!.aval.shape.length === 0 ? [] : at);
      const hash = threefryExpr(k0, k1, constant("u32", 0), data!.at(data!.aval.shape.length === 0 ? [] : at));
      return wordOf(hash, index[index.length - 1]!);
    },
  },
  facts: { cost: 110 },
});

/** key[*shape]: a new key from each key and number. */
export function randomFoldIn(keys: NDArray, data: NDArray): NDArray {
  return bind1(randomFoldInPrimitive, [keys, data], {});
}

/** Keys from their words. */
export const randomWrapPrimitive: PrimitiveDefinition<None> = definePrimitive<None>({
  name: "random_wrap",
  abstract: ([words]) => {
    const { shape, dtype } = words!;
    requireDType(dtype === "uint32", () => ({
      code: "key-words",
      message: "random keys are made of uint32 words",
      operands: [["words", words!]],
    }));
    requireShape(shape[shape.length - 1] === 2, () => ({
      code: "key-words",
      message: "random keys are made of two words: the last axis must have length 2",
      operands: [["words", words!]],
    }));
    return [aval(shape.slice(0, -1), "key")];
  },
  evaluate: ([words]) => [{ aval: aval(words!.aval.shape.slice(0, -1), "key"), data: words!.data.slice() }],
  jvp: ([words]) => noTangents([randomWrap(words!)]),
  transpose: none("random keys are not linear in anything"),
  batch: (_size, [words], [d]) => ({ outs: [randomWrap(ops.moveAxis(words!, d!, 0))], dims: [0] }),
  lower: { kind: "element", words: true, element: ([words], index) => words!.at(index) },
  facts: { view: true },
});

/** key[*shape] of uint32[*shape 2]. */
export function randomWrap(words: NDArray): NDArray {
  return bind1(randomWrapPrimitive, [words], {});
}

/** The words of keys. */
export const randomUnwrapPrimitive: PrimitiveDefinition<None> = definePrimitive<None>({
  name: "random_unwrap",
  abstract: ([keys]) => {
    requireKeys("randomUnwrap", keys!);
    return [aval([...keys!.shape, 2], "uint32")];
  },
  evaluate: ([keys]) => [{ aval: aval([...keys!.aval.shape, 2], "uint32"), data: keys!.data.slice() }],
  jvp: ([keys]) => noTangents([randomUnwrap(keys!)]),
  transpose: none("random keys are not linear in anything"),
  batch: (_size, [keys], [d]) => ({ outs: [randomUnwrap(ops.moveAxis(keys!, d!, 0))], dims: [0] }),
  lower: { kind: "element", words: true, element: ([keys], index) => keys!.at(index) },
  facts: { view: true },
});

/** uint32[*shape 2] of key[*shape]. */
export function randomUnwrap(keys: NDArray): NDArray {
  return bind1(randomUnwrapPrimitive, [keys], {});
}

function requireKeys(what: string, keys: Aval): void {
  requireDType(keys.dtype === "key", () => ({
    code: "not-a-key",
    message: `${what} needs random keys`,
    operands: [["keys", keys]],
    hint: "make one with random.key(seed)",
  }));
}

function drawShape(what: string, keys: Aval, shape: Shape): Shape {
  requireKeys(what, keys);
  requireArgument(
    shape.every((n) => isCount(n)),
    () => ({ code: "shape-invalid", message: `${what}: ${list(shape)} is not a shape` }),
  );
  return [...keys.shape, ...shape];
}

/** Hashes every counter under every key; `at` counts the results. */
function forEachDraw(keys: HostArray, shape: Shape, body: (at: number, b0: number, b1: number) => void): void {
  const n = sizeOf(shape);
  for (let k = 0; k < sizeOf(keys.aval.shape); k++) {
    for (let i = 0; i < n; i++) {
      const [b0, b1] = threefryHost(keys.data[2 * k]!, keys.data[2 * k + 1]!, 0, i);
      body(k * n + i, b0, b1);
    }
  }
}

const keyWords = (keys: Operand, at: readonly ix.Index[]): [Expr, Expr] => [
  keys.at([...at, ix.lit(0)]),
  keys.at([...at, ix.lit(1)]),
];

/** The hash for element `index` of what the keys draw. Counters have 64 bits, of which no array fills the upper half. */
function draw(keys: Operand, index: readonly ix.Index[], shape: Shape): readonly [Expr, Expr] {
  const nKeys = keys.aval.shape.length;
  const [k0, k1] = keyWords(keys, index.slice(0, nKeys));
  const counter = ix.flatten(index.slice(nKeys), stridesOf(shape));
  return threefryExpr(k0, k1, constant("u32", 0), op("convert", [indexValue(counter)], "u32"));
}

function wordOf([b0, b1]: readonly [Expr, Expr], word: ix.Index): Expr {
  if (ix.isLit(word)) return word.base === 0 ? b0 : b1;
  return op("select", [op("eq", [indexValue(word), constant("i32", 0)]), b0, b1]);
}

/** The shape, without the batch axis, of an operand that has one beside scalars. */
function shapeBeside(xs: readonly NDArray[], dims: readonly (number | null)[], ndim: number): Shape {
  for (let i = 0; i < xs.length; i++) {
    const shape = xs[i]!.shape.filter((_, k) => k !== dims[i]);
    if (shape.length === ndim) return shape;
  }
  return [];
}
