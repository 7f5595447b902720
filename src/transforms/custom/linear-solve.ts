import type { NDArray } from "../../core/array.js";
import { TransformError } from "../../core/errors.js";
import { evaluateJaxpr } from "../../core/host-interpreter.js";
import { evalJaxpr } from "../../core/interpreter.js";
import { type Jaxpr, Var } from "../../core/jaxpr.js";
import { memoize } from "../../core/memo.js";
import { isLinear, type Tangent } from "../../core/primitive.js";
import { stage } from "../../core/staging.js";
import { bind } from "../../core/trace.js";
import { isZero, Zero } from "../../core/zero.js";
import { addTangents, definePrimitive, instantiate, neg, type PrimitiveDefinition } from "../../primitives/all.js";
import { jvpFlat } from "../jvp.js";
import { type BatchDim, moveBatchAxis, vmapFlat } from "../vmap.js";

/** A staged function: its first inputs are what it closed over, the others vectors. */
export interface StagedSolver {
  readonly jaxpr: Jaxpr;
  readonly numConsts: number;
}

/** The operands are what the four functions closed over, in their order, then b. */
export interface LinearSolveParams {
  readonly matvec: StagedSolver;
  readonly vecmat?: StagedSolver | undefined;
  readonly solve: StagedSolver;
  readonly transposeSolve?: StagedSolver | undefined;
  /** Number of arrays that b, and x, consist of. Further results of the solvers are auxiliary. */
  readonly size: number;
}

/** What belongs to each function, and b. */
export interface SolveOperands<T> {
  readonly matvec: readonly T[];
  readonly vecmat: readonly T[];
  readonly solve: readonly T[];
  readonly transposeSolve: readonly T[];
  readonly b: readonly T[];
}

const joined = <T>(c: SolveOperands<T>, b: readonly T[] = c.b): T[] => [
  ...c.matvec,
  ...c.vecmat,
  ...c.solve,
  ...c.transposeSolve,
  ...b,
];

function split<T>(operands: readonly T[], p: LinearSolveParams): SolveOperands<T> {
  let at = 0;
  const take = (of: StagedSolver | undefined): readonly T[] => operands.slice(at, (at += of?.numConsts ?? 0));
  const [matvec, vecmat, solve, transposeSolve] = [
    take(p.matvec),
    take(p.vecmat),
    take(p.solve),
    take(p.transposeSolve),
  ];
  return { matvec, vecmat, solve, transposeSolve, b: operands.slice(at) };
}

/** Solves with staged functions. */
export const linearSolve = (operands: SolveOperands<NDArray>, p: LinearSolveParams): readonly NDArray[] =>
  bind(linearSolvePrimitive, joined(operands), p);

const programs = new WeakMap<LinearSolveParams, Jaxpr>();

/** The solver as a jaxpr of all operands, most of which it does not need. */
function programOf(p: LinearSolveParams): Jaxpr {
  let program = programs.get(p);
  if (!program) {
    const unused = (of: StagedSolver | undefined): Var[] =>
      of ? of.jaxpr.inVars.slice(0, of.numConsts).map((v) => new Var(v.aval)) : [];
    const { jaxpr, numConsts } = p.solve;
    const inVars = [
      ...unused(p.matvec),
      ...unused(p.vecmat),
      ...jaxpr.inVars.slice(0, numConsts),
      ...unused(p.transposeSolve),
      ...jaxpr.inVars.slice(numConsts),
    ];
    programs.set(p, (program = { ...jaxpr, inVars }));
  }
  return program;
}

const transposes = new WeakMap<LinearSolveParams, LinearSolveParams>();

/** The solve of the transposed system. */
function transposeOf(p: LinearSolveParams): LinearSolveParams {
  let t = transposes.get(p);
  if (!t) {
    const { vecmat, transposeSolve } = p;
    if (!vecmat || !transposeSolve) {
      throw new TransformError({
        code: "no-transpose-solve",
        message:
          "customLinearSolve cannot be differentiated in reverse mode: it does not know how to solve the transposed system",
        hint: "give transposeSolve, or symmetric: true",
      });
    }
    t = { matvec: vecmat, vecmat: p.matvec, solve: transposeSolve, transposeSolve: p.solve, size: p.size };
    transposes.set(p, t);
    transposes.set(t, p);
  }
  return t;
}

/** The jaxpr over a batch; all its results are batched, along axis 0. */
const batchAll = memoize(
  (jaxpr: Jaxpr, size: number, dims: readonly BatchDim[], axisName: string | undefined): Jaxpr =>
    stage(
      (args) => {
        const [outs, found] = vmapFlat((xs) => evalJaxpr(jaxpr, xs), size, args, dims, "vmap", axisName);
        return outs.map((x, i) => moveBatchAxis(x, found[i]!, 0, size));
      },
      jaxpr.inVars.map(({ aval }, i) => {
        const d = dims[i] ?? null;
        return d === null ? aval : { ...aval, shape: [...aval.shape.slice(0, d), size, ...aval.shape.slice(d)] };
      }),
    ).jaxpr,
);

/** The solution of a linear system by functions that somebody gave, differentiated implicitly. */
const linearSolvePrimitive: PrimitiveDefinition<LinearSolveParams> = definePrimitive<LinearSolveParams>({
  name: "custom_linear_solve",
  abstract: (_avals, { solve }) => solve.jaxpr.outs.map((a) => a.aval),
  evaluate: (inputs, p) => evaluateJaxpr(programOf(p), inputs),
  jvp(primals, tangents, p) {
    const operands = split(primals, p);
    const moving = split(tangents, p);
    const results = linearSolve(operands, p);
    const x = results.slice(0, p.size);
    // A x = b: A dx = db − dA x
    let rhs: readonly Tangent[] = moving.b;
    if (moving.matvec.some((t) => !isZero(t))) {
      const [, shift] = jvpFlat(
        (consts) => evalJaxpr(p.matvec.jaxpr, [...consts, ...x]),
        operands.matvec,
        moving.matvec,
      );
      rhs = rhs.map((t, i) => {
        const s = shift[i]!;
        return isZero(s) ? t : addTangents(t, neg(s));
      });
    }
    const still = results.map((y): Tangent => new Zero(y.aval));
    if (rhs.every(isZero)) return { outs: results, tangents: still };
    const dx = linearSolve({ ...operands, b: rhs.map(instantiate) }, p);
    return { outs: results, tangents: still.map((zero, i) => (i < p.size ? dx[i]! : zero)) };
  },
  transpose(cts, inputs, p) {
    const t = transposeOf(p);
    const c = split(inputs, p);
    const known = (list: SolveOperands<(typeof inputs)[number]>["matvec"]): NDArray[] =>
      list.map((x) => {
        if (!isLinear(x)) return x;
        throw new TransformError({
          code: "custom-closure",
          message: "customLinearSolve is not linear in what its functions close over",
        });
      });
    const grads = linearSolve(
      {
        matvec: known(c.vecmat),
        vecmat: known(c.matvec),
        solve: known(c.transposeSolve),
        transposeSolve: known(c.solve),
        b: cts.slice(0, p.size).map(instantiate),
      },
      t,
    );
    return [...joined(c, []).map(() => null), ...grads.slice(0, p.size)];
  },
  batch(size, inputs, dims, p, axisName) {
    const d = split(dims, p);
    const along = (of: StagedSolver | undefined, consts: readonly BatchDim[]): StagedSolver | undefined =>
      of && { ...of, jaxpr: batchAll(of.jaxpr, size, [...consts, ...d.b.map(() => 0)], axisName) };
    const over: LinearSolveParams = {
      matvec: along(p.matvec, d.matvec)!,
      vecmat: along(p.vecmat, d.vecmat),
      solve: along(p.solve, d.solve)!,
      transposeSolve: along(p.transposeSolve, d.transposeSolve),
      size: p.size,
    };
    const operands = split(inputs, p);
    const outs = linearSolve({ ...operands, b: operands.b.map((x, i) => moveBatchAxis(x, d.b[i]!, 0, size)) }, over);
    return { outs, dims: outs.map(() => 0) };
  },
  lower: { kind: "call", jaxpr: programOf },
  facts: { hazards: { nan: true } },
  printParams: ({ matvec, solve, transposeSolve }) => ({
    matvec: matvec.jaxpr,
    solve: solve.jaxpr,
    transposeSolve: transposeSolve?.jaxpr,
  }),
  jaxprs: (p) => [programOf(p)],
});
