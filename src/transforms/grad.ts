import { NDArray } from "../core/array.js";
import { formatAval } from "../core/aval.js";
import { signature } from "../core/calling.js";
import { isFloat } from "../core/dtype.js";
import { ArgumentError, counted, DTypeError, ShapeError } from "../core/errors.js";
import { describeValue, lit } from "../core/literal.js";
import { leafPaths, unflatten } from "../core/tree.js";
import type { ArgumentAt, ArraysOf, Ins, Structure } from "../core/types.js";
import { differentiable, flattenArrays, nameOf, requireFloatInput, requireFunction } from "./arguments.js";
import { pullTree, vjpTree } from "./vjp.js";

export type Argnums = number | readonly number[];

export interface GradOptions<N extends Argnums = Argnums, H extends boolean = boolean> {
  /** Which arguments to differentiate; a list gives a list of gradients. Default 0. */
  readonly argnums?: N;
  /** The function returns `[value, aux]`, and aux is passed on. */
  readonly hasAux?: H;
}

type AnyFunction = (...args: never[]) => unknown;
/** Gradients in the structure of what is differentiated: the first argument where options do not say which (N is any then). */
export type GradOf<A extends readonly unknown[], N extends Argnums> = [Argnums] extends [N]
  ? ArraysOf<A[0]>
  : N extends number
    ? ArraysOf<ArgumentAt<A, N>>
    : { -readonly [K in keyof N]: N[K] extends number ? ArraysOf<ArgumentAt<A, N[K]>> : never };
type AuxOf<R> = R extends readonly [unknown, infer X] ? ArraysOf<X> : never;
type Value<R, H> = H extends true
  ? R extends readonly [infer V, infer X]
    ? [ArraysOf<V>, ArraysOf<X>]
    : never
  : ArraysOf<R>;

const gradParams = signature<{ readonly f: AnyFunction } & GradOptions>("grad", 1, ["f", "argnums", "hasAux"]);

/** Demands positions of arguments. @throws ArgumentError `argnums`. */
export function requireArgnums(argnums: unknown, what: string): asserts argnums is Argnums {
  const list: unknown = typeof argnums === "number" ? [argnums] : argnums;
  if (Array.isArray(list) && list.length > 0 && list.every((i) => Number.isInteger(i))) return;
  throw new ArgumentError({
    code: "argnums",
    message: `${what}: argnums must be a whole number or a list of them, got ${describeValue(argnums)}`,
    hint: argnums instanceof NDArray ? `${what}(f) is a function, which takes the arguments: ${what}(f)(x)` : undefined,
  });
}

/** Positions named by argnums, for a call with `count` arguments. */
export function resolveArgnums(argnums: Argnums, count: number, what: string): number[] {
  const list = typeof argnums === "number" ? [argnums] : argnums;
  return list.map((i: number) => {
    const k = i < 0 ? i + count : i;
    if (k < 0 || k >= count) {
      throw new ArgumentError({
        code: "argnums",
        message: `${what}: argument ${i} is to be differentiated, but the call has ${counted(count, "argument")}`,
      });
    }
    return k;
  });
}

/** Fixes all arguments but those that are differentiated. @throws DTypeError `grad-dtype` for integer ones. */
export function onlyArgnums(
  f: AnyFunction,
  args: readonly unknown[],
  positions: readonly number[],
  what: string,
): { readonly moving: unknown[]; readonly call: AnyFunction } {
  const moving = positions.map((k) => {
    const { leaves, def } = flattenArrays(args[k], `${what}: argument ${k}`);
    const xs = leaves.map(differentiable);
    xs.forEach((x, i) => requireFloatInput(x, what, `argument ${k}${leafPaths(def)[i]!}`));
    return unflatten(def, xs);
  });
  const call = (...inner: unknown[]): unknown => {
    const full = [...args];
    positions.forEach((k, i) => (full[k] = inner[i]));
    return f(...(full as never[]));
  };
  Object.defineProperty(call, "name", { value: f.name });
  return { moving, call };
}

function valueAndGrads(
  f: AnyFunction,
  args: readonly unknown[],
  argnums: Argnums,
  hasAux: boolean,
  what: string,
): { value: unknown; aux: unknown; grads: unknown } {
  const { moving, call } = onlyArgnums(f, args, resolveArgnums(argnums, args.length, what), what);
  const v = vjpTree(call, moving, hasAux, what);
  const out = v.lin.outs[0];
  if (!out || v.lin.outs.length !== 1 || v.outDef.node.kind !== "leaf") {
    throw new ShapeError({
      code: "grad-output",
      message: `${what} is defined for functions with one scalar result, but ${nameOf(f)} returned a tree`,
      details: [["result", v.outDef.key]],
      hint: hasAux ? undefined : "to pass on other values, return [loss, others] and set hasAux",
    });
  }
  if (out.ndim !== 0) {
    throw new ShapeError({
      code: "grad-output",
      message: `${what} is defined for scalar-output functions only, but ${nameOf(f)} returned ${formatAval(out.aval)}`,
      hint: "reduce the result (sum, mean), or use jacrev, jacfwd or vjp",
    });
  }
  if (!isFloat(out.dtype)) {
    throw new DTypeError({
      code: "grad-dtype",
      message: `${what} requires a real-valued result, but ${nameOf(f)} returned ${formatAval(out.aval)}`,
      hint: `convert it with .astype("float32")`,
    });
  }
  const grads = unflatten(v.inDef, pullTree(v, [lit(1, out.dtype)])) as unknown[];
  return { value: out, aux: v.aux, grads: typeof argnums === "number" ? grads[0] : grads };
}

/**
 * The gradient of a function with one scalar result: a function of the same arguments that returns the derivative with
 * respect to argument `argnums`, in its structure; of several arguments a list of derivatives. A JS number counts as a float.
 *
 * Conventions at kinks are JAX's: abs′(0) = 1, relu′(0) = 0, sign and rounding 0, max and min share ties equally, √ and
 * norms at 0 are ∞ or NaN.
 * @throws ShapeError `grad-output` for results that are not scalar; DTypeError `grad-dtype` for integers, as arguments or
 * result; ArgumentError `argnums`.
 * @example
 * grad((x) => x.mul(x))(3); // 6
 * const loss = ({ w, b }, x) => np.sum(np.square(np.dot(x, w).add(b)));
 * const { w, b } = grad(loss)({ w: np.array([1, 2]), b: 0 }, np.eye(2));
 * [w, b]; // [[2, 4], 6]
 * grad((x, y) => x.mul(y), [0, 1])(2, 5); // [5, 2]
 */
export function grad<
  A extends readonly unknown[] = readonly NDArray[],
  R extends Structure = unknown,
  const N extends Argnums = 0,
  const H extends boolean = false,
>(
  f: (...args: A) => R,
  argnums?: N | GradOptions<N, H>,
  hasAux?: H | GradOptions<N, H>,
): (...args: Ins<A>) => H extends true ? [GradOf<A, N>, AuxOf<R>] : GradOf<A, N>;
export function grad(...given: unknown[]): unknown {
  const { f, argnums = 0, hasAux = false } = gradParams(given);
  requireFunction(f, "grad");
  requireArgnums(argnums, "grad");
  return named(`grad(${nameOf(f)})`, (...args: unknown[]) => {
    const { aux, grads } = valueAndGrads(f, args, argnums, hasAux, "grad");
    return hasAux ? [grads, aux] : grads;
  });
}

/**
 * Like `grad`, but the returned function gives the value too: `[value, gradient]`, with `hasAux` `[[value, aux],
 * gradient]`. One evaluation makes both.
 * @throws as `grad`.
 * @example
 * valueAndGrad((w) => np.sum(np.square(w)))(np.array([1, 2])); // [5, [2, 4]]
 */
export function valueAndGrad<
  A extends readonly unknown[] = readonly NDArray[],
  R extends Structure = unknown,
  const N extends Argnums = 0,
  const H extends boolean = false,
>(
  f: (...args: A) => R,
  argnums?: N | GradOptions<N, H>,
  hasAux?: H | GradOptions<N, H>,
): (...args: Ins<A>) => [Value<R, H>, GradOf<A, N>];
export function valueAndGrad(...given: unknown[]): unknown {
  const { f, argnums = 0, hasAux = false } = gradParams(given);
  requireFunction(f, "valueAndGrad");
  requireArgnums(argnums, "valueAndGrad");
  return named(`valueAndGrad(${nameOf(f)})`, (...args: unknown[]) => {
    const { value, aux, grads } = valueAndGrads(f, args, argnums, hasAux, "valueAndGrad");
    return [hasAux ? [value, aux] : value, grads];
  });
}

function named<F extends object>(name: string, f: F): F {
  Object.defineProperty(f, "name", { value: name });
  return f;
}
