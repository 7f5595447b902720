import type { NDArray } from "../../core/array.js";
import { type Aval, type HostArray, hostZeros, sameShape, type Shape, sizeOf } from "../../core/aval.js";
import { type DType, dtypeInfo, isFloat } from "../../core/dtype.js";
import {
  type BatchResult,
  isLinear,
  type JvpResult,
  type Linear,
  none,
  type Primitive,
  type Tangent,
} from "../../core/primitive.js";
import { bind1 } from "../../core/trace.js";
import { isZero, Zero } from "../../core/zero.js";
import type { ElementLowering } from "../../kernel-ir/lowering.js";
import type { Expr } from "../../kernel-ir/scalar.js";
import { addTangents, ops } from "../define.js";
import { shapeOfAll } from "./operands.js";

/**
 * What elementwise primitives share: a scalar operand is broadcast inside the primitive, so a tangent of a scalar has to be
 * broadcast, a cotangent of one summed, and a batch of scalars given the axes of the other operands.
 */

/** `x` repeated to a shape if it is a scalar and the shape is not. */
export function broadcastTo(x: NDArray, shape: Shape): NDArray {
  return x.shape.length === 0 && shape.length > 0 ? ops.broadcastInDim(x, shape, []) : x;
}

/** A cotangent of a result as one of an operand: summed where the operand is a scalar that was broadcast. */
export function unbroadcast(ct: NDArray, operand: Aval): NDArray {
  if (sameShape(ct.shape, operand.shape)) return ct;
  return ops.reduceSum(
    ct,
    ct.shape.map((_, i) => i),
  );
}

/** Transpose rule of an operation that has none: its derivative is written with linear ones. */
export const nonlinear = none("it is not linear; its derivative is made of operations that are");

// Derivatives

type UnaryTangent<P> = (t: NDArray, x: NDArray, out: NDArray, params: P) => NDArray;

/** jvp rule of one operand: `tangent` maps t, x and the result to the result's tangent. */
export function unaryJvp<P>(primitive: () => Primitive<P>, tangent: UnaryTangent<P>) {
  return ([x]: readonly NDArray[], [t]: readonly Tangent[], params: P): JvpResult => {
    const out = bind1(primitive(), [x!], params);
    const moves = !isZero(t) && isFloat(out.dtype);
    return { outs: [out], tangents: [moves ? tangent(t!, x!, out, params) : new Zero(out.aval)] };
  };
}

type BinaryTangent = (t: NDArray, x: NDArray, y: NDArray, out: NDArray) => NDArray;

/** jvp rule of two operands: the sum of what each one's tangent contributes. */
export function binaryJvp<P>(primitive: () => Primitive<P>, ofLeft: BinaryTangent, ofRight: BinaryTangent) {
  return ([x, y]: readonly NDArray[], [tx, ty]: readonly Tangent[], params: P): JvpResult => {
    const out = bind1(primitive(), [x!, y!], params);
    let sum: Tangent = new Zero(out.aval);
    if (isFloat(out.dtype)) {
      if (!isZero(tx)) sum = broadcastTo(ofLeft(tx!, x!, y!, out), out.shape);
      if (!isZero(ty)) sum = addTangents(sum, broadcastTo(ofRight(ty!, x!, y!, out), out.shape));
    }
    return { outs: [out], tangents: [sum] };
  };
}

/** jvp rule of steps and of operations with results that are no floats: the tangent is zero. */
export function zeroJvp<P>(primitive: () => Primitive<P>) {
  return (xs: readonly NDArray[], _: readonly Tangent[], params: P): JvpResult => {
    const out = bind1(primitive(), xs, params);
    return { outs: [out], tangents: [new Zero(out.aval)] };
  };
}

/**
 * Transpose rule: `pulls[i]` maps the result's cotangent to operand i's, given the operands that are known; scalars are summed
 * over afterwards. null: operand i is never linear.
 */
export function pullback<P>(
  ...pulls: readonly (((ct: NDArray, known: readonly NDArray[], params: P) => NDArray) | null)[]
) {
  return ([ct]: readonly Tangent[], inputs: readonly (NDArray | Linear)[], params: P): readonly (Tangent | null)[] =>
    inputs.map((x, i) => {
      if (!isLinear(x)) return null;
      const pull = pulls[i];
      if (isZero(ct) || !pull) return new Zero(x.aval);
      return unbroadcast(pull(ct!, inputs as readonly NDArray[], params), x.aval);
    });
}

// Batching

/** Batching rule of elementwise operations: brings the batch axes to one place. */
export function broadcasting<P>(primitive: () => Primitive<P>) {
  return (size: number, inputs: readonly NDArray[], dims: readonly (number | null)[], params: P): BatchResult => {
    const rankOf = (i: number): number => inputs[i]!.shape.length - (dims[i] === null ? 0 : 1);
    const rank = Math.max(...inputs.map((_, i) => rankOf(i)));
    const target = dims.find((d, i) => d !== null && rankOf(i) === rank) ?? 0;
    const aligned = inputs.map((x, i) =>
      dims[i] === null || rankOf(i) < rank ? x : ops.moveAxis(x, dims[i]!, target),
    );
    // The shape of one example, from any operand that is no scalar in it.
    const full = inputs.findIndex((_, i) => rankOf(i) === rank);
    const example = dims[full] === null ? aligned[full]!.shape : aligned[full]!.shape.filter((_, k) => k !== target);
    const shape = [...example.slice(0, target), size, ...example.slice(target)];
    const others = shape.map((_, k) => k).filter((k) => k !== target);
    const operands = aligned.map((x, i) => {
      if (dims[i] === null) return x.shape.length === 0 ? x : ops.broadcastInDim(x, shape, others);
      return rankOf(i) === rank ? x : ops.broadcastInDim(x, shape, [target]);
    });
    return { outs: [bind1(primitive(), operands, params)], dims: [target] };
  };
}

// Plain evaluation

type Scalars = (x: number, y: number, z: number) => number;

/** Evaluates a function of scalars at every element: float64 arithmetic, rounded once into the result's storage. */
export function mapHost(inputs: readonly HostArray[], dtype: DType, f: Scalars): readonly HostArray[] {
  const out = hostZeros({ shape: shapeOfAll(inputs.map((h) => h.aval)), dtype, weakType: false });
  const [x, y, z] = inputs.map((h) => h.data);
  const [dx, dy, dz] = inputs.map((h) => (h.aval.shape.length === 0 ? 0 : 1));
  // Called with as many numbers as there are operands: Math.max takes any number.
  const at = (i: number): number => {
    if (y === undefined) return (f as (x: number) => number)(x![i * dx!]!);
    if (z === undefined) return (f as (x: number, y: number) => number)(x![i * dx!]!, y[i * dy!]!);
    return f(x![i * dx!]!, y[i * dy!]!, z[i * dz!]!);
  };
  for (let i = sizeOf(out.aval.shape) - 1; i >= 0; i--) out.data[i] = at(i);
  return [out];
}

/** Evaluation rule by a function of scalars; the result has the operands' dtype or the given one. */
export const plain =
  (f: Scalars, result?: DType) =>
  (inputs: readonly HostArray[]): readonly HostArray[] =>
    mapHost(inputs, result ?? inputs[0]!.aval.dtype, f);

/** Evaluation rule whose function depends on dtype and params. */
export const plainBy =
  <P>(of: (dtype: DType, params: P) => Scalars, result?: DType) =>
  (inputs: readonly HostArray[], params: P): readonly HostArray[] => {
    const dtype = inputs[0]!.aval.dtype;
    return mapHost(inputs, result ?? dtype, of(dtype, params));
  };

/** Words an element of the dtype takes. */
export const wordsOf = (dtype: DType): number => dtypeInfo[dtype].words;

// Lowering

/** Lowering by a scalar expression of the operands' elements. */
export function element<P>(f: (...elements: Expr[]) => Expr): ElementLowering<P> {
  return elementBy((xs) => f(...xs));
}

/** Lowering by a scalar expression that depends on the params or the result's type. */
export function elementBy<P>(f: (elements: readonly Expr[], params: P, outAval: Aval) => Expr): ElementLowering<P> {
  return {
    kind: "element",
    element: (operands, index, params, _, outAval) =>
      f(
        operands.map((o) => o.at(o.aval.shape.length === 0 ? [] : index)),
        params,
        outAval,
      ),
  };
}
