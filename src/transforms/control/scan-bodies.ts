import type { NDArray } from "../../core/array.js";
import { strengthen } from "../../core/aval.js";
import { evalJaxpr } from "../../core/interpreter.js";
import { type Atom, type Jaxpr, Literal } from "../../core/jaxpr.js";
import { memoize } from "../../core/memo.js";
import { bind } from "../../core/trace.js";
import { scalarOf } from "../../core/literal.js";
import { add, batchInFront, instantiate } from "../../primitives/all.js";
import { jitPrimitive } from "../jit-primitive.js";
import { jvpJaxpr } from "../jvp.js";
import { linearizeJaxpr } from "../linearize.js";
import { transposeJaxpr } from "../transpose.js";
import { type BatchDim, batchJaxpr, moveBatchAxis } from "../vmap.js";
import { chosen, dependents, partOf, spreadOver, stageClosed } from "./shared.js";

/**
 * The bodies that scan's rules give back, memoised by the body they are made of. What moves (has a tangent, a cotangent, a
 * batch axis) among the carry is found by iterating: a carry moves if it moved at first, or if a round makes it move.
 */

/** Repeats `step`, which tells of each carry whether it moves after a round, until nothing begins to move any more. */
function settle<R>(
  moving: boolean[],
  at: number,
  step: () => { readonly result: R; readonly after: readonly boolean[] },
): R {
  for (;;) {
    const { result, after } = step();
    let grown = false;
    after.forEach((is, i) => {
      if (is && !moving[at + i]) grown = moving[at + i] = true;
    });
    if (!grown) return result;
  }
}

/** From constants and their tangents, carry and its, elements and theirs to the same of carry, then of elements. */
export const jvpBody = memoize(
  (
    jaxpr: Jaxpr,
    consts: number,
    carry: number,
    nonzero: readonly boolean[],
  ): { readonly jaxpr: Jaxpr; readonly moving: readonly boolean[]; readonly ysNonzero: readonly boolean[] } => {
    const moving = [...nonzero];
    const inner = settle(moving, consts, () => {
      const result = jvpJaxpr(jaxpr, moving);
      return { result, after: result.outNonzero.slice(0, carry) };
    });
    const avals = jaxpr.inVars.map((v) => v.aval);
    const bounds = [0, consts, consts + carry, avals.length];
    const order = [0, 1, 2].flatMap((g) => {
      const range = avals.map((_, i) => i).slice(bounds[g], bounds[g + 1]);
      return [
        ...range.map((i) => ({ i, tangent: false })),
        ...range.filter((i) => moving[i]).map((i) => ({ i, tangent: true })),
      ];
    });
    const count = jaxpr.outs.length;
    const body = stageClosed(
      (args) => {
        const primals = args.filter((_, k) => !order[k]!.tangent);
        const tangents = args.filter((_, k) => order[k]!.tangent);
        const results = evalJaxpr(inner.jaxpr, [...primals, ...tangents]);
        const outs = results.slice(0, count);
        const ts = spreadOver(results.slice(count), inner.outNonzero, (i) => outs[i]!.aval);
        const tCarry = chosen(ts.slice(0, carry), moving.slice(consts, consts + carry)).map(instantiate);
        const tYs = chosen(ts.slice(carry), inner.outNonzero.slice(carry)).map(instantiate);
        return [...outs.slice(0, carry), ...tCarry, ...outs.slice(carry), ...tYs];
      },
      order.map(({ i, tangent }) => (tangent ? strengthen(avals[i]!) : avals[i]!)),
      "jvp of scan",
    );
    return { jaxpr: body, moving, ysNonzero: inner.outNonzero.slice(carry) };
  },
);

export interface LinearBodies {
  /** The body, giving behind its elements the residuals that differ from round to round. */
  readonly forward: Jaxpr;
  /** From constants to the residuals that are the same in each round. */
  readonly hoisted: Jaxpr;
  /** Residuals that are elements themselves: which. */
  readonly fromXs: readonly number[];
  /** Constants: invariant residuals, tangents of constants. Carry: tangents. Elements: residuals, those of xs, tangents. */
  readonly linear: Jaxpr;
  readonly moving: readonly boolean[];
  readonly ysNonzero: readonly boolean[];
}

/** A body split in what is computed forward and what is linear in tangents. */
export const linearBodies = memoize(
  (jaxpr: Jaxpr, consts: number, carry: number, nonzero: readonly boolean[]): LinearBodies => {
    const moving = [...nonzero];
    const split = settle(moving, consts, () => {
      const result = linearizeJaxpr(jaxpr, moving);
      return { result, after: result.outNonzero.slice(0, carry) };
    });
    const { primal, numOuts, outNonzero } = split;
    const varies = dependents(
      primal,
      primal.inVars.map((_, i) => i >= consts),
      true,
    );
    const residuals = primal.outs.slice(numOuts);
    const xsVars: readonly Atom[] = primal.inVars.slice(consts + carry);
    const kinds = residuals.map((r) => (!varies.has(r) ? "same" : xsVars.includes(r) ? "xs" : "stacked"));
    const of = (kind: string): number[] => kinds.flatMap((k, i) => (k === kind ? [i] : []));
    const [same, fromXs, fromRounds] = [of("same"), of("xs"), of("stacked")];
    const avals = jaxpr.inVars.map((v) => strengthen(v.aval));
    const range = (from: number, to: number): number[] =>
      avals.flatMap((_, i) => (i >= from && i < to && moving[i] ? [i] : []));
    const tConsts = range(0, consts);
    const tCarry = range(consts, consts + carry);
    const tXs = range(consts + carry, avals.length);
    const linear = stageClosed(
      (args) => {
        const values = new Map<number, NDArray>();
        const tangents = new Map<number, NDArray>();
        let next = 0;
        for (const i of same) values.set(i, args[next++]!);
        for (const i of [...tConsts, ...tCarry]) tangents.set(i, args[next++]!);
        for (const i of [...fromRounds, ...fromXs]) values.set(i, args[next++]!);
        for (const i of tXs) tangents.set(i, args[next++]!);
        const operands = [
          ...residuals.map((_, i) => values.get(i)!),
          ...[...tConsts, ...tCarry, ...tXs].map((i) => tangents.get(i)!),
        ];
        const results = spreadOver(evalJaxpr(split.linear, operands), outNonzero, (i) => jaxpr.outs[i]!.aval);
        return [
          ...chosen(results.slice(0, carry), moving.slice(consts, consts + carry)),
          ...chosen(results.slice(carry), outNonzero.slice(carry)),
        ].map(instantiate);
      },
      [
        ...same.map((i) => residuals[i]!.aval),
        ...[...tConsts, ...tCarry].map((i) => avals[i]!),
        ...[...fromRounds, ...fromXs].map((i) => residuals[i]!.aval),
        ...tXs.map((i) => avals[i]!),
      ],
      "linearize of scan",
    );
    return {
      forward: { ...primal, outs: [...primal.outs.slice(0, numOuts), ...fromRounds.map((i) => residuals[i]!)] },
      hoisted: partOf(
        primal,
        primal.inVars.slice(0, consts),
        same.map((i) => residuals[i]!),
      ),
      fromXs: fromXs.map((i) => xsVars.indexOf(residuals[i]!)),
      linear,
      moving,
      ysNonzero: outNonzero.slice(carry),
    };
  },
);

/** Evaluates what was hoisted out of a loop. */
export function runHoisted(hoisted: Jaxpr, consts: readonly NDArray[]): readonly NDArray[] {
  if (hoisted.eqns.length > 0) return bind(jitPrimitive, consts, { name: "hoisted", jaxpr: hoisted });
  return hoisted.outs.map((a) =>
    a instanceof Literal ? scalarOf(a.value, a.aval) : consts[hoisted.inVars.indexOf(a)]!,
  );
}

export interface TransposedBody {
  /**
   * Constants: those that are known. Carry: cotangents of the carry, sums of the cotangents of linear constants. Elements: known
   * ones, cotangents of the results; gives cotangents of linear elements.
   */
  readonly jaxpr: Jaxpr;
  readonly carryNonzero: readonly boolean[];
  readonly constsNonzero: readonly boolean[];
  readonly xsNonzero: readonly boolean[];
}

/** The body of the scan backwards. All of the carry is linear. */
export const transposedBody = memoize(
  (
    jaxpr: Jaxpr,
    consts: number,
    carry: number,
    linear: readonly boolean[],
    ctNonzero: readonly boolean[],
  ): TransposedBody => {
    const moving = [...ctNonzero];
    const linearConsts = linear.slice(0, consts).filter(Boolean).length;
    const inner = settle(moving, 0, () => {
      const result = transposeJaxpr(jaxpr, linear, moving);
      return { result, after: result.outNonzero.slice(linearConsts, linearConsts + carry) };
    });
    const linearAvals = chosen(jaxpr.inVars, linear).map((v) => strengthen(v.aval));
    const constsNonzero = inner.outNonzero.slice(0, linearConsts);
    const carryNonzero = moving.slice(0, carry);
    const xsNonzero = inner.outNonzero.slice(linearConsts + carry);
    const known = jaxpr.inVars.flatMap((v, i) => (linear[i] ? [] : [{ aval: v.aval, isConst: i < consts }]));
    const outAvals = jaxpr.outs.map((a) => strengthen(a.aval));
    const groups = [
      known.filter((k) => k.isConst).map((k) => k.aval),
      chosen(outAvals.slice(0, carry), carryNonzero),
      chosen(linearAvals.slice(0, linearConsts), constsNonzero),
      known.filter((k) => !k.isConst).map((k) => k.aval),
      chosen(outAvals.slice(carry), moving.slice(carry)),
    ];
    const body = stageClosed(
      (args) => {
        let at = 0;
        const [kConsts, ctCarry, sums, kXs, ctYs] = groups.map((g) => args.slice(at, (at += g.length)));
        const results = evalJaxpr(inner.jaxpr, [...kConsts!, ...kXs!, ...ctCarry!, ...ctYs!]);
        const grads = spreadOver(results, inner.outNonzero, (i) => linearAvals[i]!);
        const gConsts = chosen(grads.slice(0, linearConsts), constsNonzero).map(instantiate);
        const gCarry = chosen(grads.slice(linearConsts, linearConsts + carry), carryNonzero).map(instantiate);
        const gXs = chosen(grads.slice(linearConsts + carry), xsNonzero).map(instantiate);
        return [...gCarry, ...gConsts.map((g, i) => add(sums![i]!, g)), ...gXs];
      },
      groups.flat(),
      "transpose of scan",
    );
    return { jaxpr: body, carryNonzero, constsNonzero, xsNonzero };
  },
);

export interface BatchedBody {
  readonly jaxpr: Jaxpr;
  /** Which of the carry is batched, in front. */
  readonly carried: readonly boolean[];
  readonly ysBatched: readonly boolean[];
  /** The first value of carry i, batched if it must be. */
  readonly first: (x: NDArray, dim: BatchDim, i: number) => NDArray;
}

/** The body over all examples: carry and elements are batched in front, constants where they are. */
export const batchedBody = memoize(
  (
    jaxpr: Jaxpr,
    consts: number,
    carry: number,
    size: number,
    constDims: readonly BatchDim[],
    carryBatched: readonly boolean[],
    xsBatched: readonly boolean[],
    axisName: string | undefined,
  ): BatchedBody => {
    const carried = [...carryBatched];
    const front = (flags: readonly boolean[]): BatchDim[] => flags.map((is) => (is ? 0 : null));
    const inner = settle(carried, 0, () => {
      const result = batchJaxpr(jaxpr, size, [...constDims, ...front(carried), ...front(xsBatched)], axisName);
      return { result, after: result.outDims.slice(0, carry).map((d) => d !== null) };
    });
    const inAvals = inner.jaxpr.inVars.map((v) => v.aval);
    const body = stageClosed(
      (args) =>
        evalJaxpr(inner.jaxpr, args).map((x, i) =>
          i < carry && carried[i] && inner.outDims[i] === null ? batchInFront(x, null, size) : x,
        ),
      inAvals,
      "batching of scan",
    );
    return {
      jaxpr: body,
      carried,
      ysBatched: inner.outDims.slice(carry).map((d) => d !== null),
      first: (x, dim, i) => (carried[i] ? moveBatchAxis(x, dim, 0, size) : x),
    };
  },
);
