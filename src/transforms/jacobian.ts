import type { NDArray } from "../core/array.js";
import { sizeOf } from "../core/aval.js";
import { signature } from "../core/calling.js";
import { isFloat } from "../core/dtype.js";
import { unflatten } from "../core/tree.js";
import type { Ins, Structure } from "../core/types.js";
import { Zero } from "../core/zero.js";
import { add, convertElementType, eq, instantiate, iota, reshape, slice, zerosOf } from "../primitives/all.js";
import { nameOf, requireFunction } from "./arguments.js";
import { type Argnums, type GradOf, type GradOptions, onlyArgnums, requireArgnums, resolveArgnums } from "./grad.js";
import { pushForward } from "./linearize.js";
import { pullBack, type TreeVjp, vjpTree } from "./vjp.js";
import { moveBatchAxis, vmapFlat } from "./vmap.js";

type AnyFunction = (...args: never[]) => unknown;

/** The Jacobian of a tree by a tree: for each leaf of the result, the structure of what is differentiated. */
export type JacobianOf<R, G> = R extends NDArray | number
  ? G
  : R extends object
    ? { [K in keyof R]: JacobianOf<R[K], G> }
    : G;

/** Reads the arguments of jacfwd, jacrev and hessian. */
function read(
  name: string,
  given: readonly unknown[],
): { readonly f: AnyFunction; readonly argnums: Argnums; readonly hasAux: boolean } {
  const params = signature<{ readonly f: AnyFunction } & GradOptions>(name, 1, ["f", "argnums", "hasAux"]);
  const { f, argnums = 0, hasAux = false } = params(given);
  requireFunction(f, name);
  requireArgnums(argnums, name);
  return { f, argnums, hasAux };
}

/** One-hot rows for every element of every leaf: for leaf i an array [total, ...shape of i]. */
function standardBasis(leaves: readonly NDArray[]): NDArray[] {
  const total = leaves.reduce((n, x) => n + x.size, 0);
  let before = 0;
  return leaves.map((x) => {
    const offset = before;
    before += x.size;
    const hit = eq(iota("int32", [total, x.size], 0), addScalar(iota("int32", [total, x.size], 1), offset));
    return reshape(convertElementType(hit, x.dtype), [total, ...x.shape]);
  });
}

const addScalar = (x: NDArray, n: number): NDArray => (n === 0 ? x : add(x, n));

/** Rows [from, from + count) of a leading axis, which becomes `shape`. */
function rows(x: NDArray, from: number, shape: readonly number[]): NDArray {
  const rest = x.shape.slice(1);
  const part = slice(x, [from, ...rest.map(() => 0)], [from + sizeOf(shape), ...rest]);
  return reshape(part, [...shape, ...rest]);
}

function prepare(f: AnyFunction, args: readonly unknown[], argnums: Argnums, hasAux: boolean, what: string): TreeVjp {
  const { moving, call } = onlyArgnums(f, args, resolveArgnums(argnums, args.length, what), what);
  return vjpTree(call, moving, hasAux, what);
}

/** Builds out tree of (in tree of blocks) from blocks[out][in]. */
function assemble(v: TreeVjp, blocks: readonly (readonly NDArray[])[], argnums: Argnums): unknown {
  const inner = blocks.map((row) => {
    const trees = unflatten(v.inDef, row) as unknown[];
    return typeof argnums === "number" ? trees[0] : trees;
  });
  return unflatten(v.outDef, inner);
}

/**
 * The Jacobian by forward mode, a column at a time: best for functions with more results than arguments.
 * Its blocks have the shape of the result, then that of the argument.
 * @throws DTypeError `grad-dtype` for integer arguments.
 * @example
 * jacfwd((x) => np.cumsum(x.mul(x)))(np.array([1, 2])); // [[2, 0], [2, 4]]
 */
export function jacfwd<
  A extends readonly unknown[] = readonly NDArray[],
  R extends Structure = unknown,
  const N extends Argnums = 0,
>(f: (...args: A) => R, argnums?: N | GradOptions<N>): (...args: Ins<A>) => JacobianOf<R, GradOf<A, N>>;
export function jacfwd(...given: unknown[]): unknown {
  const { f, argnums, hasAux } = read("jacfwd", given);
  return byColumns(f, argnums, hasAux, `jacfwd of ${nameOf(f)}`);
}

function byColumns(f: AnyFunction, argnums: Argnums, hasAux: boolean, what: string): AnyFunction {
  return (...args: unknown[]) => {
    const v = prepare(f, args, argnums, hasAux, what);
    const basis = standardBasis(v.primals);
    const total = basis[0]?.shape[0] ?? 0;
    const [columns, dims] = vmapFlat(
      (ts) => pushForward(v.lin, ts).map(instantiate),
      total,
      basis,
      basis.map(() => 0),
    );
    const blocks = v.lin.outs.map((y, o) => {
      const column = moveBatchAxis(columns[o]!, dims[o]!, y.ndim, total);
      let from = 0;
      return v.primals.map((x) => {
        const start = from;
        from += x.size;
        const part = slice(column, [...y.shape.map(() => 0), start], [...y.shape, from]);
        return reshape(part, [...y.shape, ...x.shape]);
      });
    });
    const result = assemble(v, blocks, argnums);
    return hasAux ? [result, v.aux] : result;
  };
}

/**
 * The Jacobian by reverse mode, a row at a time: best for functions with fewer results than arguments.
 * @throws DTypeError `grad-dtype`.
 * @example
 * jacrev((x) => np.cumsum(x.mul(x)))(np.array([1, 2])); // [[2, 0], [2, 4]]
 */
export function jacrev<
  A extends readonly unknown[] = readonly NDArray[],
  R extends Structure = unknown,
  const N extends Argnums = 0,
>(f: (...args: A) => R, argnums?: N | GradOptions<N>): (...args: Ins<A>) => JacobianOf<R, GradOf<A, N>>;
export function jacrev(...given: unknown[]): unknown {
  const { f, argnums, hasAux } = read("jacrev", given);
  return byRows(f, argnums, hasAux, `jacrev of ${nameOf(f)}`);
}

function byRows(f: AnyFunction, argnums: Argnums, hasAux: boolean, what: string): AnyFunction {
  return (...args: unknown[]) => {
    const v = prepare(f, args, argnums, hasAux, what);
    const floats = v.lin.outs.filter((y) => isFloat(y.dtype));
    const basis = standardBasis(floats);
    const total = basis[0]?.shape[0] ?? 0;
    const [grads, dims] = vmapFlat(
      (cts) => {
        let next = 0;
        return pullBack(
          v.lin,
          v.lin.outs.map((y) => (isFloat(y.dtype) ? cts[next++]! : new Zero(y.aval))),
        ).map(instantiate);
      },
      total,
      basis,
      basis.map(() => 0),
    );
    const leading = grads.map((g, i) => moveBatchAxis(g, dims[i]!, 0, total));
    let from = 0;
    const blocks = v.lin.outs.map((y) => {
      if (!isFloat(y.dtype)) return v.primals.map((x) => zerosOf({ ...x.aval, shape: [...y.shape, ...x.shape] }));
      const start = from;
      from += y.size;
      return leading.map((g) => rows(g, start, y.shape));
    });
    const result = assemble(v, blocks, argnums);
    return hasAux ? [result, v.aux] : result;
  };
}

/**
 * The matrix of second derivatives of a function, forward over reverse.
 * @throws DTypeError `grad-dtype`.
 * @example
 * hessian((x) => x.pow(3).sum())(np.array([1, 2])); // [[6, 0], [0, 12]]
 */
export function hessian<
  A extends readonly unknown[] = readonly NDArray[],
  R extends Structure = unknown,
  const N extends Argnums = 0,
>(
  f: (...args: A) => R,
  argnums?: N | GradOptions<N>,
): (...args: Ins<A>) => JacobianOf<JacobianOf<R, GradOf<A, N>>, GradOf<A, N>>;
export function hessian(...given: unknown[]): unknown {
  const { f, argnums, hasAux } = read("hessian", given);
  const what = `hessian of ${nameOf(f)}`;
  return byColumns(byRows(f, argnums, hasAux, what), argnums, hasAux, what);
}
