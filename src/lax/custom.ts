import type { NDArray } from "../core/array.js";
import { type Aval, formatAval, sameShape, strengthen } from "../core/aval.js";
import { signature } from "../core/calling.js";
import { ShapeError } from "../core/errors.js";
import { evalJaxpr } from "../core/interpreter.js";
import type { ClosedJaxpr } from "../core/jaxpr.js";
import { Linear } from "../core/primitive.js";
import { stage } from "../core/staging.js";
import { sameStructure, type TreeDef, unflatten } from "../core/tree.js";
import type { ArraysOf, In } from "../core/types.js";
import { isZero, Zero } from "../core/zero.js";
import { instantiate, neg } from "../primitives/all.js";
import { differentiable, flattenArrays, requireFunction } from "../transforms/arguments.js";
import { applyCustomJvp } from "../transforms/custom/jvp.js";
import { linearSolve, type SolveOperands } from "../transforms/custom/linear-solve.js";
import { requirePair } from "../transforms/custom/trees.js";
import { jvpFlat } from "../transforms/jvp.js";
import { linearizeFlat, pushForward } from "../transforms/linearize.js";
import { backwardPass } from "../transforms/transpose.js";

type AnyFunction = (...args: never[]) => unknown;
/** A function of a pytree. */
type TreeFunction<X> = (x: X) => In<X>;

/** The function as it is handed to solvers: what it gives are arrays. */
const onArrays =
  (f: AnyFunction, what: string) =>
  (x: unknown): unknown => {
    const { leaves, def } = flattenArrays(f(...([x] as never[])), `the result of ${what}`);
    return unflatten(def, leaves);
  };

/** A function of trees of one structure as a staged function of arrays; further results are auxiliary. */
function staged(
  f: (tree: unknown) => unknown,
  def: TreeDef,
  avals: readonly Aval[],
  what: string,
  hasAux = false,
): ClosedJaxpr & { readonly auxDef: TreeDef | undefined } {
  let auxDef: TreeDef | undefined;
  const closed = stage(
    (xs) => {
      const given = f(unflatten(def, xs));
      const [main, aux] = hasAux ? requirePair(given, what, "with hasAux, return [result, aux]") : [given, undefined];
      const out = flattenArrays(main, `the result of ${what}`);
      sameStructure(def, out.def, `the result of ${what}`);
      out.leaves.forEach((y, i) => requireType(y.aval, avals[i]!, what));
      if (!hasAux) return out.leaves;
      const extra = flattenArrays(aux, `the auxiliary result of ${what}`);
      auxDef = extra.def;
      return [...out.leaves, ...extra.leaves];
    },
    avals,
    { kind: what },
  );
  return { ...closed, auxDef };
}

function requireType(got: Aval, expected: Aval, what: string): void {
  if (got.dtype === expected.dtype && sameShape(got.shape, expected.shape)) return;
  throw new ShapeError({
    code: "solve-types",
    message: `the result of ${what} must have the type of its argument`,
    details: [
      ["argument", formatAval(expected)],
      ["result", formatAval(got)],
    ],
  });
}

export interface CustomRootOptions {
  /** `solve` returns `[root, aux]`, and so does the call. */
  readonly hasAux?: boolean;
}

const rootParams = signature<
  {
    readonly f: AnyFunction;
    readonly initialGuess: unknown;
    readonly solve: AnyFunction;
    readonly tangentSolve: AnyFunction;
  } & CustomRootOptions
>("customRoot", 4, ["f", "initialGuess", "solve", "tangentSolve", "hasAux"], { trees: 4 });

/**
 * A root of `f`, found by `solve(f, initialGuess)` and differentiated by the implicit function theorem: with respect to what
 * `f` closes over, and whatever `solve` does.
 *
 * `tangentSolve(g, y)` solves the linear system g(x) = y, g being `f` linearized at the root.
 * @throws TreeError `tree-mismatch`, ShapeError `solve-types` where results have not the type of the guess.
 * @example
 * const sqrt = (a) =>
 *   lax.customRoot((x) => x.mul(x).sub(a), np.array(1.5), (f, x) => {
 *     for (let i = 0; i < 8; i++) x = x.sub(f(x).div(x.mul(2)));
 *     return x;
 *   }, (g, y) => y.div(g(1)));
 * const slope = grad(sqrt)(4); // 0.25
 */
export function customRoot<X = NDArray, H extends boolean = false>(
  f: TreeFunction<X>,
  initialGuess: In<X>,
  solve: (f: (x: In<X>) => X, initialGuess: X) => H extends true ? readonly [In<X>, unknown] : In<X>,
  tangentSolve: (g: (x: In<X>) => X, y: X) => In<X>,
  hasAux?: H | { readonly hasAux?: H },
): H extends true ? [ArraysOf<X>, unknown] : ArraysOf<X>;
export function customRoot(...given: unknown[]): unknown {
  const { f, initialGuess, solve, tangentSolve, hasAux = false } = rootParams(given);
  for (const g of [f, solve, tangentSolve]) requireFunction(g, "customRoot");
  const flat = flattenArrays(initialGuess, "customRoot: the guess");
  const { def } = flat;
  const guess = flat.leaves.map(differentiable);
  const avals = guess.map((x) => strengthen(x.aval));
  const fun = staged(f as TreeFunction<unknown>, def, avals, "customRoot: f");
  const solver = staged(
    (x) => solve(...([onArrays(f, "customRoot: f"), x] as never[])),
    def,
    avals,
    "customRoot: solve",
    hasAux,
  );
  const [numFun, size] = [fun.consts.length, guess.length];
  const call = {
    name: "customRoot",
    numConsts: 0,
    fun: (xs: readonly NDArray[]) => evalJaxpr(solver.jaxpr, xs.slice(numFun)),
    rule(primals: readonly NDArray[], tangents: readonly (NDArray | Zero)[]) {
      const results = applyCustomJvp(call, primals);
      const root = results.slice(0, size);
      const consts = primals.slice(0, numFun);
      const still = results.map((y) => new Zero(y.aval));
      const atRoot = (cs: readonly NDArray[]): NDArray[] => evalJaxpr(fun.jaxpr, [...cs, ...root]);
      const [, rhs] = jvpFlat(atRoot, consts, tangents.slice(0, numFun));
      if (rhs.every(isZero)) return { outs: results, tangents: still };
      const lin = linearizeFlat((xs) => evalJaxpr(fun.jaxpr, [...consts, ...xs]), root);
      const g = (x: unknown): unknown => {
        const { leaves } = flattenArrays(x, "customRoot: the argument of g");
        const ts = leaves.map((t, i) => asTangent(t, avals[i]!));
        return unflatten(def, pushForward(lin, ts).map(instantiate));
      };
      const solved = flattenArrays(
        tangentSolve(...([g, unflatten(def, rhs.map(instantiate))] as never[])),
        "the result of customRoot: tangentSolve",
      );
      sameStructure(def, solved.def, "the result of customRoot: tangentSolve");
      return { outs: results, tangents: still.map((zero, i) => (i < size ? neg(solved.leaves[i]!) : zero)) };
    },
  };
  const results = applyCustomJvp(call, [...fun.consts, ...solver.consts, ...guess]);
  return withAux(results, def, solver.auxDef, size);
}

/** A number where a float tangent is wanted is one. */
const asTangent = (x: NDArray, a: Aval): NDArray => (x.dtype === a.dtype ? x : x.astype(a.dtype));

function withAux(results: readonly NDArray[], def: TreeDef, auxDef: TreeDef | undefined, size: number): unknown {
  const main = unflatten(def, results.slice(0, size));
  return auxDef ? [main, unflatten(auxDef, results.slice(size))] : main;
}

export interface CustomLinearSolveOptions<X> {
  /** Solves the transposed system: `transposeSolve(vecmat, b)`. Needed for reverse mode. */
  readonly transposeSolve?: ((vecmat: (x: In<X>) => X, b: X) => unknown) | null;
  /** The system is its own transpose: `solve` serves for both. */
  readonly symmetric?: boolean;
  /** `solve` returns `[x, aux]`, and so does the call. */
  readonly hasAux?: boolean;
}

const solveParams = signature<
  { readonly matvec: AnyFunction; readonly b: unknown; readonly solve: AnyFunction } & CustomLinearSolveOptions<unknown>
>("customLinearSolve", 3, ["matvec", "b", "solve", "transposeSolve", "symmetric", "hasAux"], { trees: 3 });

/**
 * The solution x of `matvec(x) = b` by `solve(matvec, b)`, differentiated implicitly: its derivatives solve the same
 * system, and in reverse mode the transposed one. `matvec` is linear; b and x are pytrees of one structure.
 * @throws TransformError `no-transpose-solve` in reverse mode where nothing says how, TreeError `tree-mismatch`, ShapeError
 * `solve-types`.
 * @example
 * const d = np.array([2, 4]);
 * const solve = (matvec, b) => b.div(matvec(np.ones([2])));
 * lax.customLinearSolve((v) => v.mul(d), np.array([1, 1]), solve, { symmetric: true }); // [0.5, 0.25]
 */
export function customLinearSolve<X = NDArray, const H extends boolean = false>(
  matvec: (x: X) => In<X>,
  b: In<X>,
  solve: (matvec: (x: In<X>) => X, b: X) => H extends true ? readonly [In<X>, unknown] : In<X>,
  options?: CustomLinearSolveOptions<X> & { readonly hasAux?: H },
): H extends true ? [ArraysOf<X>, unknown] : ArraysOf<X>;
export function customLinearSolve(...given: unknown[]): unknown {
  const { matvec, b, solve, transposeSolve = null, symmetric = false, hasAux = false } = solveParams(given);
  requireFunction(matvec, "customLinearSolve");
  requireFunction(solve, "customLinearSolve");
  const flat = flattenArrays(b, "customLinearSolve: b");
  const { def } = flat;
  const rhs = flat.leaves.map(differentiable);
  const avals = rhs.map((x) => strengthen(x.aval));
  const forward = staged(matvec as TreeFunction<unknown>, def, avals, "customLinearSolve: matvec");
  const solver = staged(
    (x) => solve(...([onArrays(matvec, "customLinearSolve: matvec"), x] as never[])),
    def,
    avals,
    "customLinearSolve: solve",
    hasAux,
  );
  let backward: ClosedJaxpr | undefined = symmetric ? forward : undefined;
  let back: ClosedJaxpr | undefined = symmetric ? solver : undefined;
  if (!symmetric && transposeSolve) {
    const vecmat = (cts: readonly NDArray[]): NDArray[] =>
      backwardPass(forward.jaxpr, [...forward.consts, ...avals.map((a) => new Linear(a))], cts).map(instantiate);
    const onTrees = (x: unknown): unknown =>
      unflatten(def, vecmat(flattenArrays(x, "customLinearSolve: the argument of vecmat").leaves));
    backward = stage(vecmat, avals, { kind: "customLinearSolve: vecmat" });
    back = staged(
      (x) => transposeSolve(onTrees as never, x as never),
      def,
      avals,
      "customLinearSolve: transposeSolve",
      hasAux,
    );
  }
  const operands: SolveOperands<NDArray> = {
    matvec: forward.consts,
    vecmat: backward?.consts ?? [],
    solve: solver.consts,
    transposeSolve: back?.consts ?? [],
    b: rhs,
  };
  const of = (c: ClosedJaxpr): { readonly jaxpr: ClosedJaxpr["jaxpr"]; readonly numConsts: number } => ({
    jaxpr: c.jaxpr,
    numConsts: c.consts.length,
  });
  const results = linearSolve(operands, {
    matvec: of(forward),
    vecmat: backward && of(backward),
    solve: of(solver),
    transposeSolve: back && of(back),
    size: rhs.length,
  });
  return withAux(results, def, solver.auxDef, rhs.length);
}
