import type { NDArray } from "../../core/array.js";
import { type Aval, formatAval, strengthen } from "../../core/aval.js";
import { evalJaxpr } from "../../core/interpreter.js";
import type { Atom, Jaxpr } from "../../core/jaxpr.js";
import { identityOf } from "../../core/structural-key.js";
import type { Tangent } from "../../core/primitive.js";
import { batchInFront, instantiate, zerosOf } from "../../primitives/all.js";
import { jvpJaxpr } from "../jvp.js";
import { linearizeJaxpr } from "../linearize.js";
import { transposeJaxpr } from "../transpose.js";
import { type BatchDim, batchJaxpr } from "../vmap.js";
import type { CondParams } from "./cond.js";
import { chosen, spreadOver, stageClosed } from "./shared.js";

/** The branches that cond's rules give back: all of them give what any of them does. Memoised by all of the branches. */
function memoizeBranches<A extends readonly unknown[], R>(
  f: (branches: readonly Jaxpr[], ...args: A) => R,
): (params: CondParams, ...args: A) => R {
  const cache = new WeakMap<Jaxpr, Map<string, R>>();
  return ({ branches }, ...args) => {
    const first = branches[0]!;
    let entries = cache.get(first);
    if (!entries) cache.set(first, (entries = new Map()));
    const key = `${branches.map(identityOf).join(",")}|${JSON.stringify(args)}`;
    let result = entries.get(key);
    if (result === undefined) {
      if (entries.size >= maxEntries) entries.delete(entries.keys().next().value!);
      entries.set(key, (result = f(branches, ...args)));
    }
    return result;
  };
}
const maxEntries = 64;

/** Flags that are set in any of several lists. */
const union = (lists: readonly (readonly boolean[])[]): boolean[] =>
  lists[0]!.map((_, i) => lists.some((list) => list[i]));

export interface Branches {
  readonly jaxprs: readonly Jaxpr[];
  readonly outNonzero: readonly boolean[];
}

const typesOf = (jaxpr: Jaxpr): Aval[] => jaxpr.inVars.map((v) => v.aval);

/** From operands and their tangents to results and those tangents that are not zero for sure. */
export const jvpBranches = memoizeBranches((branches, nonzero: readonly boolean[]): Branches => {
  const inner = branches.map((b) => jvpJaxpr(b, nonzero));
  const outNonzero = union(inner.map((x) => x.outNonzero));
  const count = outNonzero.length;
  const jaxprs = inner.map(({ jaxpr, outNonzero: own }) =>
    stageClosed(
      (args) => {
        const results = evalJaxpr(jaxpr, args);
        const outs = results.slice(0, count);
        const ts = spreadOver(results.slice(count), own, (i) => outs[i]!.aval);
        return [...outs, ...chosen(ts, outNonzero).map(instantiate)];
      },
      typesOf(jaxpr),
      "jvp of cond",
    ),
  );
  return { jaxprs, outNonzero };
});

export interface LinearBranches {
  /** Results, then slots for residuals: zeros where a branch has none. */
  readonly forward: readonly Jaxpr[];
  /** From slots, `operands` and the moving tangents to the tangents marked `outNonzero`. */
  readonly linear: readonly Jaxpr[];
  /** Operands that are residuals themselves. */
  readonly operands: readonly number[];
  readonly outNonzero: readonly boolean[];
}

/** Where the residual of a branch is found: in a slot, or among the operands. */
type Place = { readonly slot: number } | { readonly operand: number };

export const linearBranches = memoizeBranches((branches, nonzero: readonly boolean[]): LinearBranches => {
  const splits = branches.map((b) => linearizeJaxpr(b, nonzero));
  const outNonzero = union(splits.map((s) => s.outNonzero));
  const slots: Aval[] = [];
  const operands: number[] = [];
  const places = splits.map(({ primal, numOuts }) => {
    const taken = new Set<number>();
    return primal.outs.slice(numOuts).map((atom): Place => {
      const operand = (primal.inVars as readonly Atom[]).indexOf(atom);
      if (operand >= 0) {
        if (!operands.includes(operand)) operands.push(operand);
        return { operand };
      }
      const type = formatAval(strengthen(atom.aval));
      let slot = slots.findIndex((a, i) => !taken.has(i) && formatAval(a) === type);
      if (slot < 0) slot = slots.push(strengthen(atom.aval)) - 1;
      taken.add(slot);
      return { slot };
    });
  });
  const forward = splits.map(({ primal, numOuts }, k) =>
    stageClosed(
      (args) => {
        const results = evalJaxpr(primal, args);
        const residuals = slots.map((a, slot) => {
          const at = places[k]!.findIndex((p) => "slot" in p && p.slot === slot);
          return at < 0 ? zerosOf(a) : results[numOuts + at]!;
        });
        return [...results.slice(0, numOuts), ...residuals];
      },
      typesOf(primal),
      "linearize of cond",
    ),
  );
  const inAvals = typesOf(branches[0]!);
  const tangents = chosen(inAvals, nonzero).map(strengthen);
  const linear = splits.map((split, k) =>
    stageClosed(
      (args) => {
        const residuals = places[k]!.map((p) =>
          "slot" in p ? args[p.slot]! : args[slots.length + operands.indexOf(p.operand)]!,
        );
        const ts = args.slice(slots.length + operands.length);
        const results = spreadOver(
          evalJaxpr(split.linear, [...residuals, ...ts]),
          split.outNonzero,
          (i) => branches[k]!.outs[i]!.aval,
        );
        return chosen(results, outNonzero).map(instantiate);
      },
      [...slots, ...operands.map((i) => inAvals[i]!), ...tangents],
      "linearize of cond",
    ),
  );
  return { forward, linear, operands, outNonzero };
});

/** From known operands and cotangents to the cotangents of linear operands. */
export const transposedBranches = memoizeBranches(
  (branches, linear: readonly boolean[], ctNonzero: readonly boolean[]): Branches => {
    const inner = branches.map((b) => transposeJaxpr(b, linear, ctNonzero));
    const outNonzero = union(inner.map((x) => x.outNonzero));
    const avals = chosen(typesOf(branches[0]!), linear).map(strengthen);
    const jaxprs = inner.map(({ jaxpr, outNonzero: own }) =>
      stageClosed(
        (args) => {
          const grads: Tangent[] = spreadOver(evalJaxpr(jaxpr, args), own, (i) => avals[i]!);
          return chosen(grads, outNonzero).map(instantiate);
        },
        typesOf(jaxpr),
        "transpose of cond",
      ),
    );
    return { jaxprs, outNonzero };
  },
);

export interface BatchedBranches {
  readonly jaxprs: readonly Jaxpr[];
  readonly outBatched: readonly boolean[];
}

/** Over all examples; results that any branch batches lead with the axis, all of them if `whole`. */
export const batchedBranches = memoizeBranches(
  (
    branches,
    size: number,
    dims: readonly BatchDim[],
    whole: boolean,
    axisName: string | undefined,
  ): BatchedBranches => {
    const inner = branches.map((b) => batchJaxpr(b, size, dims, axisName));
    const outBatched = union(inner.map((x) => x.outDims.map((d) => whole || d !== null)));
    const jaxprs = inner.map(({ jaxpr, outDims }) =>
      stageClosed(
        (args): NDArray[] =>
          evalJaxpr(jaxpr, args).map((x, i) =>
            outBatched[i] && outDims[i] === null ? batchInFront(x, null, size) : x,
          ),
        typesOf(jaxpr),
        "batching of cond",
      ),
    );
    return { jaxprs, outBatched };
  },
);
