import type { NDArray } from "../../core/array.js";
import type { Aval } from "../../core/aval.js";
import { checkedResults } from "../../core/checks.js";
import { evaluateJaxpr } from "../../core/host-interpreter.js";
import { InternalError } from "../../core/errors.js";
import type { Jaxpr } from "../../core/jaxpr.js";
import { touchesWorld } from "../../core/effects.js";
import { isLinear, type Tangent } from "../../core/primitive.js";
import { bind } from "../../core/trace.js";
import { evalJaxpr } from "../../core/interpreter.js";
import { isZero, Zero } from "../../core/zero.js";
import {
  broadcastInDim,
  definePrimitive,
  eq,
  max,
  min,
  type PrimitiveDefinition,
  select,
  stopGradient,
} from "../../primitives/all.js";
import { isFloat } from "../../core/dtype.js";
import { lit } from "../../core/literal.js";
import { moveBatchAxis } from "../vmap.js";
import { checkedBranches } from "./checked.js";
import { batchedBranches, jvpBranches, linearBranches, transposedBranches } from "./cond-branches.js";
import { effectsOfAll, present, requireOperands, spreadOver } from "./shared.js";

/** One of several functions of the same operands: operand 0, an i32 that is clamped to the branches there are, says which. */
export interface CondParams {
  /** All take the other operands and give results of the same types. */
  readonly branches: readonly Jaxpr[];
}

/**
 * Examples that take different branches: all branches are computed, and the results chosen. Derivatives of a branch at operands
 * that take another may be NaN, and NaN times zero is NaN: so each branch sees the operands of the others as constants.
 */
function chooseAmong(
  branches: readonly Jaxpr[],
  index: NDArray,
  operands: readonly NDArray[],
  size: number,
  axisName: string | undefined,
): NDArray[] {
  const all = operands.map(() => 0);
  const { jaxprs } = batchedBranches({ branches }, size, all, true, axisName);
  const like = (mask: NDArray, x: NDArray): NDArray => broadcastInDim(mask, x.shape, [0]);
  const results = jaxprs.map((branch, k) => {
    const mask = eq(index, lit(k, "int32"));
    const safe = operands.map((x) => (isFloat(x.dtype) ? select(like(mask, x), x, stopGradient(x)) : x));
    return { mask, outs: evalJaxpr(branch, safe) };
  });
  return results.reduceRight<readonly NDArray[]>(
    (rest, { mask, outs }) => (rest.length === 0 ? outs : outs.map((x, i) => select(like(mask, x), x, rest[i]!))),
    [],
  ) as NDArray[];
}

/** An index that is one of the branches. */
const clamped = (index: NDArray, count: number): NDArray => min(max(index, lit(0, "int32")), lit(count - 1, "int32"));

export const condPrimitive: PrimitiveDefinition<CondParams> = definePrimitive<CondParams>({
  name: "cond",
  abstract([index, ...avals], { branches }) {
    if (index?.dtype !== "int32" || index.shape.length > 0)
      throw new InternalError("cond: operand 0 is no int32 scalar");
    for (const b of branches)
      requireOperands(
        avals,
        b.inVars.map((v) => v.aval),
        "cond",
      );
    return branches[0]!.outs.map((a) => a.aval);
  },
  evaluate([index, ...operands], { branches }) {
    const k = Math.min(Math.max(index!.data[0]!, 0), branches.length - 1);
    return evaluateJaxpr(branches[k]!, operands);
  },
  jvp([index, ...primals], [, ...tangents], params) {
    const { jaxprs, outNonzero } = jvpBranches(
      params,
      tangents.map((t) => !isZero(t)),
    );
    const results = bind(condPrimitive, [index!, ...primals, ...present(tangents)], { branches: jaxprs });
    const outs = results.slice(0, outNonzero.length);
    return { outs, tangents: spreadOver(results.slice(outs.length), outNonzero, (i) => outs[i]!.aval) };
  },
  linearize([index, ...primals], [, ...nonzero], params) {
    const split = linearBranches(params, nonzero);
    const results = bind(condPrimitive, [index!, ...primals], { branches: split.forward });
    const outs = results.slice(0, split.outNonzero.length);
    const residuals = results.slice(outs.length);
    return {
      outs,
      linear([, ...tangents]) {
        if (!split.outNonzero.some(Boolean)) return outs.map((x) => new Zero(x.aval));
        const operands = [index!, ...residuals, ...split.operands.map((i) => primals[i]!), ...present(tangents)];
        const linear = bind(condPrimitive, operands, { branches: split.linear });
        return spreadOver(linear, split.outNonzero, (i) => outs[i]!.aval);
      },
    };
  },
  transpose(cts, [index, ...inputs], params) {
    if (!index || isLinear(index)) throw new InternalError("cond is not linear in its index");
    const linear = inputs.map(isLinear);
    const { jaxprs, outNonzero } = transposedBranches(
      params,
      linear,
      cts.map((ct) => !isZero(ct)),
    );
    const known = inputs.filter((x): x is NDArray => !isLinear(x));
    const avals: Aval[] = inputs.filter(isLinear).map((x) => x.aval);
    const grads: Tangent[] = outNonzero.some(Boolean)
      ? spreadOver(
          bind(condPrimitive, [index, ...known, ...present(cts)], { branches: jaxprs }),
          outNonzero,
          (i) => avals[i]!,
        )
      : avals.map((a) => new Zero(a));
    let next = 0;
    return [null, ...linear.map((is) => (is ? grads[next++]! : null))];
  },
  batch(size, [index, ...inputs], [indexDim, ...dims], params, axisName) {
    if (indexDim === null || indexDim === undefined) {
      const { jaxprs, outBatched } = batchedBranches(params, size, dims, false, axisName);
      return {
        outs: bind(condPrimitive, [index!, ...inputs], { branches: jaxprs }),
        dims: outBatched.map((is) => (is ? 0 : null)),
      };
    }
    if (params.branches.some((b) => touchesWorld(b.effects))) throw effectsOfAll("lax.cond");
    const operands = inputs.map((x, i) => moveBatchAxis(x, dims[i]!, 0, size));
    const outs = chooseAmong(params.branches, clamped(index!, params.branches.length), operands, size, axisName);
    return { outs, dims: outs.map(() => 0) };
  },
  lower: { kind: "switch", branches: (p) => p.branches },
  facts: {},
  checked(inputs, { branches }, check) {
    const of = checkedBranches(branches.map(check));
    return checkedResults(of, bind(condPrimitive, inputs, { branches: of.jaxprs }));
  },
  jaxprs: (p) => p.branches,
});
